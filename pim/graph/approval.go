package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/wire"
)

// approvalPlace is where approvals are, and what their parts are called there.
type approvalPlace struct {
	version, path, part string
}

// Approvals lists what waits for the person, the oldest first. Who asks is known
// by name where the names of people may be read.
func (p *plane) Approvals(ctx context.Context) ([]pim.Approval, error) {
	all, err := p.toDecide(ctx)
	if err != nil {
		return nil, fmt.Errorf("list requests for %s to decide: %w", p.what, p.explain(err, UseDecide))
	}
	p.doubt(pim.PartApprovals, len(all) == capped)
	var list []pim.Approval
	seen := map[string]bool{}
	for _, row := range all {
		r, ok := p.role(row.roleIDs)
		q := row.request(r)
		if !ok || row.IsValidationOnly || !wire.PlainID(q.ID) || !strings.EqualFold(string(q.Status), "PendingApproval") {
			continue
		}
		a := pim.Approval{ID: q.ApprovalID, Request: q, Requestor: row.requestor(q)}
		path, err := segment(a.ID)
		if key := strings.ToLower(path); err == nil && !seen[key] && !p.isMe(a.Requestor.ID) {
			seen[key] = true
			list = append(list, a)
		}
	}
	slices.SortStableFunc(list, func(a, b pim.Approval) int { return a.Request.Created.Compare(b.Request.Created) })
	p.nameApprovals(ctx, list)
	return list, nil
}

// toDecide reads the requests that the person is an approver of. $expand of what
// lies in the directory has been seen refused, so where it is, all goes without.
func (p *plane) toDecide(ctx context.Context) ([]requestRow, error) {
	path := p.requests + "/filterByCurrentUser(on='approver')"
	all, err := rows(list[requestRow](ctx, p.Client, path+query("$filter", "status eq 'PendingApproval'", "$expand", strings.Trim(p.expand+",principal", ","))))
	if pim.CodeOf(err) == pim.CodeRejected {
		return rows(list[requestRow](ctx, p.Client, path+query("$expand", p.expand)))
	}
	return all, err
}

// requestor is who asks, which of an own request is its principal.
func (row requestRow) requestor(q pim.Request) pim.Principal {
	who := pim.Principal{ID: requestorID(q)}
	if row.CreatedBy != nil && row.CreatedBy.User != nil {
		who.Name = pim.CleanText(row.CreatedBy.User.DisplayName, maxName)
	}
	if who.Name == "" && who.ID == q.PrincipalID && row.Principal != nil {
		who.Name = pim.CleanText(row.Principal.DisplayName, maxName)
	}
	return who
}

func requestorID(q pim.Request) string {
	if q.RequestorID == "" {
		return q.PrincipalID
	}
	return strings.ToLower(q.RequestorID)
}

// nameApprovals gives scopes and requestors their names, as far as there are any.
func (p *plane) nameApprovals(ctx context.Context, list []pim.Approval) {
	var roles []*pim.Role
	var people []string
	for i := range list {
		roles = append(roles, &list[i].Request.Role)
		if list[i].Requestor.Name == "" {
			people = append(people, personName(list[i].Requestor))
		}
	}
	names := p.nameRoles(ctx, roles, people...)
	for i := range list {
		if who := &list[i].Requestor; who.Name == "" {
			who.Name = names[personName(*who)].DisplayName
		}
	}
}

// personName is the id of a person's name, or empty for one that Graph would not
// take, see scopeName.
func personName(who pim.Principal) string {
	id, err := uuid.Parse(who.ID)
	if err != nil {
		return ""
	}
	return userName + id.String()
}

// Decide enters d for the stage of a that is open and the person's. An answer that
// was lost is made up for by reading the stage again: the error is
// CodeUnknownOutcome where that tells nothing. That the person has decided so
// before is no error.
func (p *plane) Decide(ctx context.Context, a pim.Approval, d pim.Decision) error {
	if err := p.decide(ctx, a, d); err != nil {
		return fmt.Errorf("decide a request for %s: %w", p.what, p.explain(err, UseDecide))
	}
	return nil
}

func (p *plane) decide(ctx context.Context, a pim.Approval, d pim.Decision) error {
	if slices.ContainsFunc([]string{a.Requestor.ID, requestorID(a.Request)}, p.isMe) {
		return &pim.Error{Code: pim.CodeForbidden, Err: errors.New("nobody decides a request of their own")}
	}
	id, err := segment(a.ID)
	if err != nil {
		return err
	}
	said := review{Result: "Deny", Justification: d.Justification}
	if d.Approve {
		said.Result = "Approve"
	}
	return p.somewhere(func(place approvalPlace) error { return p.decideAt(ctx, place, id, said) })
}

// somewhere has do try each place of approvals until one understands what it is asked.
func (p *plane) somewhere(do func(approvalPlace) error) (err error) {
	for _, place := range p.approvals {
		if err = do(place); !unknownHere(err) {
			break
		}
	}
	return err
}

// Reviewed reads what the approval of r has come to. Whether Graph lets a requestor
// read that is not documented; see pim.ReviewReader.
func (p *plane) Reviewed(ctx context.Context, r pim.Request) (pim.Review, error) {
	id, err := segment(r.ApprovalID)
	var stages []stage
	if err == nil {
		err = p.somewhere(func(place approvalPlace) (err error) {
			stages, err = p.stages(ctx, place, id)
			return err
		})
	}
	if err != nil {
		return pim.Review{}, fmt.Errorf("read who decided on a request for %s: %w", p.what, p.explain(err, UseRequests))
	}
	for _, s := range slices.Backward(stages) {
		v := s.review()
		if v.Result == "" {
			continue
		}
		if name := personName(v.By); v.By.Name == "" && name != "" {
			v.By.Name = p.namesOf(ctx, []string{name})[name].DisplayName
		}
		return v, nil
	}
	return pim.Review{}, nil
}

func (p *plane) isMe(id string) bool { return strings.EqualFold(id, p.userID) }

// unknownHere says that a place of approvals does not understand what it was
// asked, and so has done nothing.
func unknownHere(err error) bool {
	e, ok := errors.AsType[*pim.Error](err)
	if !ok {
		return false
	}
	return e.Code == pim.CodeUnreadable || e.Status == http.StatusNotFound ||
		e.Status == http.StatusBadRequest && e.Claims == "" && !codes.Known(e.Service)
}

// decideAt enters a decision for an approval in one place.
func (p *plane) decideAt(ctx context.Context, place approvalPlace, id string, said review) error {
	stages, err := p.stages(ctx, place, id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(stages, func(s stage) bool { return s.open() && s.AssignedToMe })
	if i < 0 {
		return p.closed(stages, said)
	}
	name, err := segment(stages[i].ID)
	if err != nil {
		return err
	}
	_, err = p.send(wire.Writing(ctx), http.MethodPatch, p.at(place.version, place.path+"/"+id+"/"+place.part+"/"+name), uuid.NewString(), said)
	e, ok := errors.AsType[*pim.Error](err)
	if !ok {
		return err
	}
	lost := e.Code == pim.CodeTimeout || e.Code == pim.CodeUnavailable || e.Code == pim.CodeUnreadable
	conflict := e.Status == http.StatusConflict
	if !lost && !conflict {
		return err
	}
	if now, err := p.stages(ctx, place, id); err == nil {
		for _, s := range now {
			if s.ID == stages[i].ID && s.ended() {
				return p.verdict(s, said)
			}
		}
	}
	if conflict {
		e.Code = pim.CodeDecided
		return err
	}
	return &pim.Error{Code: pim.CodeUnknownOutcome, CorrelationID: e.CorrelationID, Err: err}
}

// closed says why no stage is open for the person.
func (p *plane) closed(stages []stage, r review) error {
	if slices.ContainsFunc(stages, stage.open) {
		return &pim.Error{Code: pim.CodeForbidden, Err: errors.New("the decision is another person's")}
	}
	for _, s := range slices.Backward(stages) {
		if s.ended() {
			return p.verdict(s, r)
		}
	}
	return &pim.Error{Code: pim.CodeDecided, Err: errors.New("no stage is open")}
}

// verdict compares what a stage that has ended came to with what the person says.
func (p *plane) verdict(s stage, r review) error {
	switch {
	case strings.EqualFold(s.Status, "Expired"):
		return &expiredError{&pim.Error{Code: pim.CodeDecided, Err: errors.New("nobody decided in time")}}
	case s.ReviewedBy != nil && p.isMe(s.ReviewedBy.ID) && strings.EqualFold(s.Result, r.Result):
		return nil
	}
	return &pim.Error{Code: pim.CodeDecided, Err: errors.New("the stage is completed")}
}

// expiredError is CodeDecided where nobody has decided.
type expiredError struct{ error }

func (e *expiredError) Unwrap() error { return e.error }

// Sentence says for the person what happened.
func (*expiredError) Sentence() string {
	return "Nobody decided this request in time. Whoever needs the role has to ask again."
}

// review is a decision as it is sent.
type review struct {
	Result        string `json:"reviewResult"`
	Justification string `json:"justification,omitempty"`
}

// stage is one of the decisions that an approval takes.
type stage struct {
	ID            string `json:"id"`
	Status        string `json:"status"`
	AssignedToMe  bool   `json:"assignedToMe"`
	Result        string `json:"reviewResult"`
	ReviewedBy    *named `json:"reviewedBy"`
	Reviewed      moment `json:"reviewedDateTime"`
	Justification string `json:"justification"`
}

func (s stage) open() bool { return strings.EqualFold(s.Status, "InProgress") }

func (s stage) ended() bool {
	return strings.EqualFold(s.Status, "Completed") || strings.EqualFold(s.Status, "Expired")
}

// review is what the stage has come to.
func (s stage) review() pim.Review {
	var by pim.Principal
	if s.ReviewedBy != nil {
		by = pim.Principal{ID: s.ReviewedBy.ID, Name: s.ReviewedBy.DisplayName}
	}
	return pim.ParseReview(s.Status, s.Result, by, s.Reviewed.Time, s.Justification)
}

// stages reads those of an approval.
func (p *plane) stages(ctx context.Context, place approvalPlace, id string) ([]stage, error) {
	body, err := p.get(ctx, p.at(place.version, place.path+"/"+id+query("$expand", place.part)))
	if err != nil {
		return nil, err
	}
	return readStages(body)
}

// readStages reads the parts of an approval, by either name.
func readStages(body []byte) ([]stage, error) {
	approval, err := one[struct {
		Stages []stage `json:"stages"`
		Steps  []stage `json:"steps"`
	}](body)
	if err != nil {
		return nil, err
	}
	if approval.Stages == nil && approval.Steps == nil {
		return nil, unreadable("the answer holds no stages")
	}
	return slices.Concat(approval.Stages, approval.Steps), nil
}

// segment is an id of the service as one segment of a path.
func segment(id string) (string, error) {
	if !wire.PlainID(id) || strings.ContainsAny(id, `/\`) || strings.Trim(id, ".") == "" {
		return "", fmt.Errorf("%q is no id", pim.CleanText(id, maxName))
	}
	return url.PathEscape(id), nil
}
