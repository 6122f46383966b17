package graph

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/world"
)

// approvalOperations are the approvals of a plane: of groups in v1.0 with
// stages, and of both planes in beta with steps.
func (p *plane) approvalOperations() []operation {
	name := "roleAssignmentApprovals"
	if p.group {
		name = "assignmentApprovals"
	}
	path := strings.ToLower(p.root + "/" + name)
	add := func(list []operation, version, part string) []operation {
		return append(
			list,
			operation{version, path + "/filterbycurrentuser", methods{"GET": p.listApprovals(name, part)}},
			operation{version, path + "/*", methods{"GET": p.getApproval(name, part)}},
			operation{version, path + "/*/" + part, methods{"GET": p.listStages(name, part)}},
			operation{version, path + "/*/" + part + "/*", methods{"GET": p.getStage(name, part), "PATCH": p.decide}},
		)
	}
	list := add(nil, beta, "steps")
	if p.group {
		list = add(list, v1, "stages")
		list = append(list, operation{v1, path, methods{"GET": p.listAllApprovals(name)}})
	}
	return list
}

var (
	approvalShape = shape{"approval", []string{"id"}}
	stageShape    = shape{"approvalStage", []string{
		"id", "displayName", "reviewedDateTime", "reviewResult", "status", "assignedToMe", "justification", "reviewedBy",
	}}
	stepShape = shape{"approvalStep", stageShape.fields}
)

func stageType(part string) shape {
	if part == "steps" {
		return stepShape
	}
	return stageShape
}

func (p *plane) approvalView(c *call, name, part string) view[ledger.Request] {
	decides := p.decides(c)
	return view[ledger.Request]{
		shape: approvalShape, context: p.root + "/" + name,
		show: func(r ledger.Request) entity { return entity{"id": r.ID} },
		expand: map[string]func(ledger.Request, expansion) (any, error){
			part: func(r ledger.Request, x expansion) (any, error) {
				stage, err := narrow(showStage(&r, decides(&r)), stageType(part), x)
				return []any{stage}, err
			},
		},
	}
}

func showStage(r *ledger.Request, mine bool) entity {
	a := r.Approval
	e := entity{
		"id": a.StageID, "displayName": nil, "reviewedDateTime": nil, "reviewResult": string(ledger.NotReviewed),
		"status": "InProgress", "assignedToMe": mine, "justification": a.Justification, "reviewedBy": nil,
	}
	switch {
	case a.Result != "":
		e["status"], e["reviewResult"], e["reviewedDateTime"] = "Completed", string(a.Result), stamp(a.Reviewed)
		e["reviewedBy"] = entity{"id": a.Reviewer.ID, "displayName": a.Reviewer.Name}
	case r.Status == ledger.TimedOut:
		e["status"] = "Expired"
	case r.Status != ledger.PendingApproval:
		e["status"] = "Completed"
	}
	return e
}

// readApprovals are the permissions to read approvals; deciding takes the one to
// write.
func (p *plane) readApprovals() []string {
	if p.group {
		return p.kind(ledger.OfAssignment, requests).read
	}
	return []string{"RoleAssignmentSchedule.ReadWrite.Directory", "RoleManagement.ReadWrite.Directory"}
}

func (p *plane) writeApprovals() []string {
	if p.group {
		return []string{"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"}
	}
	return p.readApprovals()
}

func (p *plane) listApprovals(name, part string) func(*call, []string) error {
	return func(c *call, names []string) error {
		if err := c.need(p.readApprovals()); err != nil {
			return err
		}
		var keep func(*ledger.Request) bool
		switch strings.ToLower(names[0]) {
		case "approver":
			keep = p.decides(c)
		case "createdby":
			keep = func(r *ledger.Request) bool { return is(r.Requestor, c.caller.UserID) }
		case "target":
			keep = func(r *ledger.Request) bool { return is(r.Principal, c.caller.UserID) }
		default:
			return badRequest("The value '%.100s' is not valid for the parameter 'on' of the function 'filterByCurrentUser'.", names[0])
		}
		q, err := c.parse(&approvalShape, "")
		if err != nil {
			return err
		}
		rows := p.books.Requests(ledger.OfAssignment, func(r *ledger.Request) bool { return r.Approval != nil && keep(r) })
		v := p.approvalView(c, name, part)
		v.context, v.typed = "Collection(approval)", true
		return writeList(c, v, q, rows, c.settings.CurrentUserCap)
	}
}

// listAllApprovals is for those who may read everything.
func (p *plane) listAllApprovals(name string) func(*call, []string) error {
	return func(c *call, _ []string) error {
		if err := c.need(p.readApprovals()); err != nil {
			return err
		}
		if !p.s.hasRole(c.caller.UserID, readers) {
			return unauthorized()
		}
		q, err := c.parse(&approvalShape, "")
		if err != nil {
			return err
		}
		rows := p.books.Requests(ledger.OfAssignment, func(r *ledger.Request) bool { return r.Approval != nil })
		return writeList(c, p.approvalView(c, name, "stages"), q, rows, 0)
	}
}

// approval is the request with that approval, which has the request's id.
func (p *plane) approval(c *call, id string) (ledger.Request, error) {
	r, ok := p.books.Request(id)
	if !ok || r.Approval == nil || !p.concerns(c, row{request: &r, principal: r.Principal}) {
		return r, notFound(id)
	}
	if c.settings.OwnApproval == "refuse" && !p.decides(c)(&r) && !p.s.hasRole(c.caller.UserID, readers) {
		return r, unauthorized()
	}
	return r, nil
}

func (p *plane) getApproval(name, part string) func(*call, []string) error {
	return func(c *call, names []string) error {
		if err := c.need(p.readApprovals()); err != nil {
			return err
		}
		r, err := p.approval(c, names[0])
		if err != nil {
			return err
		}
		return writeOne(c, p.approvalView(c, name, part), r, http.StatusOK)
	}
}

func (p *plane) stageView(c *call, name, part, id string) view[ledger.Request] {
	decides := p.decides(c)
	return view[ledger.Request]{
		shape: stageType(part), context: p.root + "/" + name + "('" + id + "')/" + part,
		show: func(r ledger.Request) entity { return showStage(&r, decides(&r)) },
	}
}

func (p *plane) listStages(name, part string) func(*call, []string) error {
	return func(c *call, names []string) error {
		if err := c.need(p.readApprovals()); err != nil {
			return err
		}
		r, err := p.approval(c, names[0])
		if err != nil {
			return err
		}
		v := p.stageView(c, name, part, r.ID)
		q, err := c.parse(&v.shape, "")
		if err != nil {
			return err
		}
		return writeList(c, v, q, []ledger.Request{r}, 0)
	}
}

func (p *plane) getStage(name, part string) func(*call, []string) error {
	return func(c *call, names []string) error {
		if err := c.need(p.readApprovals()); err != nil {
			return err
		}
		r, err := p.approval(c, names[0])
		if err != nil {
			return err
		}
		if !is(r.Approval.StageID, names[1]) {
			return notFound(names[1])
		}
		return writeOne(c, p.stageView(c, name, part, r.ID), r, http.StatusOK)
	}
}

// decide enters an approver's decision.
func (p *plane) decide(c *call, names []string) error {
	if err := c.need(p.writeApprovals()); err != nil {
		return err
	}
	body, err := c.readBody()
	if err != nil {
		return err
	}
	result, justification, err := parseDecision(body)
	if err != nil {
		return err
	}
	r, err := p.approval(c, names[0])
	if err != nil {
		return err
	}
	if _, err := p.review(c.caller.UserID, r, names[1], result, justification); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (p *plane) review(userID string, r ledger.Request, stage string, result ledger.Result, justification string) (ledger.Request, error) {
	review := p.books.Review
	if p.s.hasRole(userID, deciders) {
		review = p.books.ReviewAsAdministrator
	}
	return review(userID, r.Approval.ID, stage, result, justification)
}

func parseDecision(body []byte) (ledger.Result, string, error) {
	var d struct {
		ReviewResult  string `json:"reviewResult"`
		Justification string `json:"justification"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return "", "", malformed()
	}
	for _, r := range []ledger.Result{ledger.Approve, ledger.Deny} {
		if is(d.ReviewResult, string(r)) {
			return r, d.Justification, nil
		}
	}
	return "", "", invalidRequest("The review result '%.100s' is not Approve or Deny.", d.ReviewResult)
}

// HasRequest reports whether a request of that id was made here.
func (s *Service) HasRequest(id string) bool {
	for _, p := range []*plane{s.directory, s.groups} {
		if _, ok := p.books.Request(id); ok {
			return true
		}
	}
	return false
}

// Decide answers a request in the name of an approver, or of an administrator
// where the request is to extend or renew. An empty approverID means the first
// person who may. Errors say in a sentence what is wrong.
func (s *Service) Decide(id string, approve bool, approverID, justification string) error {
	result := ledger.Deny
	if approve {
		result = ledger.Approve
	}
	for _, p := range []*plane{s.directory, s.groups} {
		r, ok := p.books.Request(id)
		if !ok {
			continue
		}
		if r.Approval == nil {
			return p.books.DecideProlongation(r.ID, approve)
		}
		if approverID == "" {
			approverID = p.firstApprover(&r)
		}
		_, err := p.review(approverID, r, r.Approval.StageID, result, justification)
		var e *ledger.Error
		if errors.As(err, &e) && e.Code == ledger.InsufficientPermissions {
			return errors.New("only an approver who is not the requestor can decide on the request")
		}
		return err
	}
	return errors.New("there is no such request")
}

func (p *plane) firstApprover(r *ledger.Request) string {
	for _, u := range p.s.Directory.Users {
		if p.books.CanDecide(r, u.ID) || r.AdministratorsDecide(u.ID) && p.s.hasRole(u.ID, deciders) {
			return u.ID
		}
	}
	return ""
}

// Submit takes a request in that comes with the tenant and not over HTTP: for a
// group where its target has an access, else for a directory role.
func (s *Service) Submit(by world.Caller, r ledger.Submission) error {
	p := s.directory
	if r.Target.Access != "" {
		p = s.groups
	}
	r.ScheduleID = p.scheduleID(r.Target, r.ID)
	_, err := p.books.Submit(by, r)
	return err
}
