package azure

import (
	"encoding/json"
	"net/http"
	"strings"

	"roletray/pim/tenant/ledger"
)

const (
	approvalPath = "/providers/Microsoft.Authorization/roleAssignmentApprovals/"
	// typeStage is also the type of an approval, in Microsoft's examples.
	typeStage = "Microsoft.Authorization/roleAssignmentApprovals/stages"
)

type approval struct {
	Stages []resource `json:"stages"`
}

type stage struct {
	DisplayName      string    `json:"displayName"`
	Status           string    `json:"status"`
	AssignedToMe     bool      `json:"assignedToMe"`
	ReviewedBy       *identity `json:"reviewedBy,omitempty"`
	ReviewedDateTime stamp     `json:"reviewedDateTime,omitzero"`
	ReviewResult     string    `json:"reviewResult"`
	Justification    string    `json:"justification"`
}

type identity struct {
	PrincipalID       string `json:"principalId"`
	PrincipalType     string `json:"principalType"`
	PrincipalName     string `json:"principalName"`
	UserPrincipalName string `json:"userPrincipalName"`
}

func (c *call) listApprovals([]string) error {
	filter := strings.TrimSpace(c.query["$filter"])
	me := c.caller.UserID
	var picks func(r *ledger.Request) bool
	switch strings.ToLower(filter) {
	case "":
		picks = c.concerns
	case "asapprover()":
		picks = func(r *ledger.Request) bool { return c.s.books.CanDecide(r, me) }
	case "ascreatedby()":
		picks = func(r *ledger.Request) bool { return is(r.Requestor, me) }
	case "astarget()":
		picks = func(r *ledger.Request) bool { return c.holds(r.Principal) }
	default:
		return invalidFilter(filter)
	}
	rows := c.s.books.Requests(ledger.OfAssignment, func(r *ledger.Request) bool {
		return r.Approval != nil && c.s.books.Within(r.Target.Scope, c.node.id) && picks(r)
	})
	return writePage(c, rows, c.showApproval)
}

func (c *call) getApproval(names []string) error {
	r, err := c.approval(names[0])
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, c.showApproval(r))
	return nil
}

func (c *call) listStages(names []string) error {
	r, err := c.approval(names[0])
	if err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, page[resource]{Value: []resource{c.showStage(r)}})
	return nil
}

func (c *call) getStage(names []string) error {
	r, err := c.approval(names[0])
	if err != nil {
		return err
	}
	if !is(r.Approval.StageID, names[1]) {
		return notFound("approval stage", names[1])
	}
	writeJSON(c.w, http.StatusOK, c.showStage(r))
	return nil
}

// approval is the request with that approval, for those whom it concerns.
func (c *call) approval(id string) (ledger.Request, error) {
	r, ok := c.s.books.ByApproval(id)
	if !ok || !c.concerns(&r) || !c.s.books.Within(r.Target.Scope, c.node.id) {
		return r, notFound("role assignment approval", id)
	}
	if c.settings.OwnApproval == "refuse" && !c.s.books.CanDecide(&r, c.caller.UserID) {
		return r, c.s.denied(c.caller, "Microsoft.Authorization/roleAssignmentApprovals/read", c.node.prefix())
	}
	return r, nil
}

// decide takes the decision flat, as Microsoft's contract has it, or wrapped in
// properties, as Microsoft's examples do.
func (c *call) decide(names []string) error {
	body, err := c.readBody()
	if err != nil {
		return err
	}
	result, justification, err := parseDecision(body)
	if err != nil {
		return err
	}
	if _, err := c.approval(names[0]); err != nil {
		return err
	}
	r, err := c.s.books.Review(c.caller.UserID, names[0], names[1], result, justification)
	if err != nil {
		return err
	}
	if c.settings.ApprovalAnswer == http.StatusNoContent {
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	writeJSON(c.w, http.StatusOK, c.showStage(r))
	return nil
}

func parseDecision(body []byte) (ledger.Result, string, error) {
	type decision struct {
		ReviewResult  string `json:"reviewResult"`
		Justification string `json:"justification"`
	}
	var b struct {
		decision
		Properties *decision `json:"properties"`
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return "", "", invalidContent(err.Error())
	}
	d := b.decision
	if b.Properties != nil {
		d = *b.Properties
	}
	for _, r := range []ledger.Result{ledger.Approve, ledger.Deny} {
		if is(d.ReviewResult, string(r)) {
			return r, d.Justification, nil
		}
	}
	return "", "", faultf(http.StatusBadRequest, string(ledger.BadRequest), "The review result '%s' is not Approve or Deny.", d.ReviewResult)
}

func (c *call) showApproval(r ledger.Request) resource {
	return resource{
		ID: c.node.prefix() + approvalPath + r.Approval.ID, Name: r.Approval.ID, Type: typeStage,
		Properties: approval{Stages: []resource{c.showStage(r)}},
	}
}

func (c *call) showStage(r ledger.Request) resource {
	a := r.Approval
	s := stage{
		DisplayName: "Approval", Status: "InProgress", AssignedToMe: c.s.books.CanDecide(&r, c.caller.UserID),
		ReviewResult: string(ledger.NotReviewed), Justification: a.Justification,
	}
	switch {
	case a.Result != "":
		s.Status, s.ReviewResult, s.ReviewedDateTime = "Completed", string(a.Result), stamp{a.Reviewed}
		s.ReviewedBy = &identity{
			PrincipalID: a.Reviewer.ID, PrincipalType: "user", PrincipalName: a.Reviewer.Name, UserPrincipalName: a.Reviewer.UPN,
		}
	case r.Status == ledger.TimedOut:
		s.Status = "Expired"
	case r.Status != ledger.PendingApproval:
		s.Status = "Completed"
	}
	return resource{
		ID:   c.node.prefix() + approvalPath + a.ID + "/stages/" + a.StageID,
		Name: a.StageID, Type: typeStage, Properties: s,
	}
}
