package arm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"roletray/pim"
	"roletray/pim/wire"
)

// approvalsVersion is the api-version of approvals, of which there is no later one.
const approvalsVersion = "2021-01-01-preview"

// Approvals lists what waits for the person, the oldest first. The whole tenant is
// asked, since a subscription leaves out what is asked for at the management groups
// above it.
func (p *Provider) Approvals(ctx context.Context) ([]pim.Approval, error) {
	all, err := p.requests.list(ctx, p, "asApprover()")
	if err != nil {
		return nil, fmt.Errorf("list requests for Azure roles to decide: %w", err)
	}
	var list []pim.Approval
	seen := map[string]bool{}
	for _, row := range all {
		r, ok := request(row, false)
		if !ok || !strings.EqualFold(string(r.Status), "PendingApproval") {
			continue
		}
		principal := deref(deref(row.Properties.ExpandedProperties).Principal)
		a := pim.Approval{ID: r.ApprovalID, Request: r, Requestor: pim.Principal{ID: requestorID(r)}}
		if a.Requestor.ID == r.PrincipalID {
			if a.Requestor.Name = text(principal.DisplayName, maxName); a.Requestor.Name == "" {
				a.Requestor.Name = text(principal.Email, maxName)
			}
		}
		path, err := approvalPath(a.ID)
		if key := strings.ToLower(path); err == nil && !seen[key] && a.Requestor.ID != p.userID {
			seen[key] = true
			list = append(list, a)
		}
	}
	slices.SortStableFunc(list, func(a, b pim.Approval) int { return a.Request.Created.Compare(b.Request.Created) })
	return list, nil
}

// requestorID is who asked, which of an own request is its principal.
func requestorID(r pim.Request) string {
	if r.RequestorID == "" {
		return r.PrincipalID
	}
	return r.RequestorID
}

// Decide enters d for the stage of a that is open and the person's. An answer that
// was lost is made up for by reading the stage again: the error is
// CodeUnknownOutcome where that tells nothing. That the person has decided so
// before is no error.
func (p *Provider) Decide(ctx context.Context, a pim.Approval, d pim.Decision) error {
	if err := p.decide(ctx, a, d); err != nil {
		return fmt.Errorf("decide a request for an Azure role: %w", err)
	}
	return nil
}

func (p *Provider) decide(ctx context.Context, a pim.Approval, d pim.Decision) error {
	if slices.ContainsFunc([]string{a.Requestor.ID, requestorID(a.Request)}, p.isMe) {
		return &pim.Error{Code: pim.CodeForbidden, Err: errors.New("nobody decides a request of their own")}
	}
	path, err := approvalPath(a.ID)
	if err != nil {
		return err
	}
	stages, err := p.stages(ctx, path)
	if err != nil {
		return err
	}
	said := review{Result: "Deny", Justification: d.Justification}
	if d.Approve {
		said.Result = "Approve"
	}
	i := slices.IndexFunc(stages, func(s stage) bool { return s.open() && s.Properties.AssignedToMe })
	if i < 0 {
		return p.closed(stages, said)
	}
	name, err := stages[i].pathName()
	if err != nil {
		return err
	}
	err = p.review(ctx, path+"/stages/"+name, said)
	e, ok := errors.AsType[*pim.Error](err)
	if !ok {
		return err
	}
	lost := e.Code == pim.CodeTimeout || e.Code == pim.CodeUnavailable
	conflict := e.Status == http.StatusConflict
	if !lost && !conflict {
		return err
	}
	if now, err := p.stages(ctx, path); err == nil {
		for _, s := range now {
			if n, err := s.pathName(); err == nil && n == name && s.ended() {
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

// Reviewed reads what the approval of r has come to. Whether Resource Manager lets a
// requestor read that is not documented; see pim.ReviewReader.
func (p *Provider) Reviewed(ctx context.Context, r pim.Request) (pim.Review, error) {
	path, err := approvalPath(r.ApprovalID)
	var stages []stage
	if err == nil {
		stages, err = p.stages(ctx, path)
	}
	if err != nil {
		return pim.Review{}, fmt.Errorf("read who decided on a request for an Azure role: %w", err)
	}
	for _, s := range slices.Backward(stages) {
		if v := s.review(); v.Result != "" {
			return v, nil
		}
	}
	return pim.Review{}, nil
}

func (p *Provider) isMe(id string) bool { return strings.EqualFold(id, p.userID) }

// closed says why no stage is open for the person.
func (p *Provider) closed(stages []stage, r review) error {
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
func (p *Provider) verdict(s stage, r review) error {
	switch {
	case strings.EqualFold(s.Properties.Status, "Expired"):
		return &expiredError{&pim.Error{Code: pim.CodeDecided, Err: errors.New("nobody decided in time")}}
	case p.isMe(s.Properties.ReviewedBy.PrincipalID) && strings.EqualFold(s.Properties.ReviewResult, r.Result):
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

// review is a decision in the form of Microsoft's contract.
type review struct {
	Result        string `json:"reviewResult"`
	Justification string `json:"justification,omitempty"`
}

// review sends the decision as the contract has it, and where that form is refused
// for no known reason once more as Microsoft's examples have it.
func (p *Provider) review(ctx context.Context, path string, r review) error {
	err := p.send(ctx, http.MethodPatch, path, r)
	e, ok := errors.AsType[*pim.Error](err)
	if !ok || e.Status != http.StatusBadRequest || e.Claims != "" || codes.Known(e.Service) {
		return err
	}
	return p.send(ctx, http.MethodPut, path, map[string]review{"properties": r})
}

// send writes to an approval. The answer's body, where there is one, says no more
// than its status.
func (p *Provider) send(ctx context.Context, method, path string, body any) error {
	req, err := p.newRequest(wire.Writing(ctx), method, path, approvalsVersion)
	if err != nil {
		return err
	}
	if err := runtime.MarshalAsJSON(req, body); err != nil {
		return err
	}
	resp, err := p.plain.Pipeline().Do(req)
	if err == nil && !runtime.HasStatusCode(resp, http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent) {
		err = runtime.NewResponseError(resp)
	}
	return translate(err)
}

// stage is one of the decisions that an approval takes.
type stage struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Properties struct {
		Status       string `json:"status"`
		AssignedToMe bool   `json:"assignedToMe"`
		ReviewResult string `json:"reviewResult"`
		ReviewedBy   struct {
			PrincipalID       string `json:"principalId"`
			PrincipalName     string `json:"principalName"`
			UserPrincipalName string `json:"userPrincipalName"`
		} `json:"reviewedBy"`
		ReviewedDateTime string `json:"reviewedDateTime"`
		Justification    string `json:"justification"`
	} `json:"properties"`
}

func (s stage) open() bool { return strings.EqualFold(s.Properties.Status, "InProgress") }

func (s stage) ended() bool {
	return strings.EqualFold(s.Properties.Status, "Completed") || strings.EqualFold(s.Properties.Status, "Expired")
}

// review is what the stage has come to.
func (s stage) review() pim.Review {
	p := s.Properties
	by := pim.Principal{ID: p.ReviewedBy.PrincipalID, Name: cmp.Or(p.ReviewedBy.PrincipalName, p.ReviewedBy.UserPrincipalName)}
	at, _ := time.Parse(time.RFC3339, p.ReviewedDateTime) // A decision without a time is one, too.
	return pim.ParseReview(p.Status, p.ReviewResult, by, at, p.Justification)
}

// pathName is the stage's name in a path. Its id has the say: in Microsoft's own
// example the name beside it is another.
func (s stage) pathName() (string, error) {
	name := lastSegment(s.ID)
	if name == "" {
		name = s.Name
	}
	path, err := scopePath(name)
	if err != nil || path == "" || strings.Contains(path, "/") {
		return "", unreadable("the approval has a stage without a name")
	}
	return path, nil
}

// stages reads those of an approval.
func (p *Provider) stages(ctx context.Context, path string) ([]stage, error) {
	req, err := p.newRequest(ctx, http.MethodGet, path, approvalsVersion)
	if err != nil {
		return nil, err
	}
	resp, err := p.plain.Pipeline().Do(req)
	if err != nil {
		return nil, translate(err)
	}
	if !runtime.HasStatusCode(resp, http.StatusOK) {
		return nil, translate(runtime.NewResponseError(resp))
	}
	var answer struct {
		Properties struct {
			Stages []stage `json:"stages"`
		} `json:"properties"`
	}
	if err := runtime.UnmarshalAsJSON(resp, &answer); err != nil {
		return nil, translate(err)
	}
	if answer.Properties.Stages == nil {
		return nil, unreadable("the answer holds no stages")
	}
	return answer.Properties.Stages, nil
}

const approvals = "providers/Microsoft.Authorization/roleAssignmentApprovals"

// approvalPath is the path of an approval from its id: a path, or only its name. It
// is an error where the id leads to anything else.
func approvalPath(id string) (string, error) {
	path, err := scopePath(id)
	if err != nil {
		return "", err
	}
	if path != "" && !strings.Contains(path, "/") {
		return approvals + "/" + path, nil
	}
	parent := strings.TrimSuffix(path, "/"+lastSegment(path))
	if !wire.PlainID(id) || parent == path || !strings.HasSuffix(strings.ToLower("/"+parent), strings.ToLower("/"+approvals)) {
		return "", fmt.Errorf("%q is no approval", pim.CleanText(id, maxName))
	}
	return path, nil
}
