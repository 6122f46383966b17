package azure

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/speech"
)

// maxBody is the longest request body that is read.
const maxBody = 64 << 10

func listRequests(f ledger.Family) func(*call, []string) error {
	return func(c *call, _ []string) error {
		sel, err := c.selection(true)
		if err != nil {
			return err
		}
		rows := c.s.books.Requests(f, func(r *ledger.Request) bool {
			return c.reach(sel, r.Target) != outside && c.picks(sel, r)
		})
		return writePage(c, rows, c.s.request)
	}
}

// picks reports whether a request meets every condition of the filter.
func (c *call) picks(sel selection, r *ledger.Request) bool {
	switch {
	case sel.asTarget && (c.settings.RequestsAsTarget == "empty" || !c.holds(r.Principal)):
	case sel.asRequestor && !is(r.Requestor, c.caller.UserID):
	case sel.asApprover && !(r.Status == ledger.PendingApproval && c.s.books.CanDecide(r, c.caller.UserID)):
	case sel.holder.Principal != "" && !is(r.Principal, sel.holder.Principal):
	case sel.holder.User != "" && !is(r.Principal, sel.holder.User):
	default:
		return true
	}
	return false
}

func getRequest(f ledger.Family) func(*call, []string) error {
	return func(c *call, names []string) error {
		r, err := c.request(f, names[0])
		if err != nil {
			return err
		}
		writeJSON(c.w, http.StatusOK, c.s.request(r))
		return nil
	}
}

// request is the one with that name at the scope in the path, for those whom it
// concerns.
func (c *call) request(f ledger.Family, name string) (ledger.Request, error) {
	r, ok := c.s.books.Request(name)
	if !ok || r.Family != f || c.node.kind != typeTenant && c.node.id != r.Target.Scope {
		return r, notFound("role request", name)
	}
	if !c.concerns(&r) && c.checkManages() != nil {
		return r, notFound("role request", name)
	}
	return r, nil
}

func (c *call) concerns(r *ledger.Request) bool {
	return is(r.Requestor, c.caller.UserID) || c.holds(r.Principal) || c.s.books.CanDecide(r, c.caller.UserID)
}

func cancelRequest(f ledger.Family) func(*call, []string) error {
	return func(c *call, names []string) error {
		if _, err := c.request(f, names[0]); err != nil {
			return err
		}
		if err := c.s.books.Cancel(f, c.caller.UserID, names[0]); err != nil {
			return err
		}
		c.w.WriteHeader(http.StatusOK)
		return nil
	}
}

func putRequest(f ledger.Family) func(*call, []string) error {
	return func(c *call, names []string) error { return c.submit(f, names[0], false) }
}

func validateRequest(f ledger.Family) func(*call, []string) error {
	return func(c *call, names []string) error { return c.submit(f, names[0], true) }
}

func (c *call) submit(f ledger.Family, name string, dryRun bool) error {
	body, err := c.readBody()
	if err != nil {
		return err
	}
	s, err := c.submission(f, name, body)
	if err != nil {
		return err
	}
	s.DryRun = dryRun
	r, err := c.s.books.Submit(c.caller, s)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if dryRun {
		status = http.StatusOK
	}
	writeJSON(c.w, status, c.s.request(r))
	return nil
}

func (c *call) readBody() ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, faultf(http.StatusRequestEntityTooLarge, "RequestContentTooLarge", "The request content is longer than %d bytes.", maxBody)
	}
	if err != nil {
		return nil, invalidContent("it ended too early")
	}
	return b, nil
}

func invalidContent(why string) *fault {
	return faultf(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid and could not be deserialized: '%s'.", why)
}

// requestBody is the JSON of a PUT. Null and missing mean the same.
type requestBody struct {
	PrincipalID                     string          `json:"principalId"`
	RoleDefinitionID                string          `json:"roleDefinitionId"`
	RequestType                     string          `json:"requestType"`
	LinkedRoleEligibilityScheduleID string          `json:"linkedRoleEligibilityScheduleId"`
	Justification                   string          `json:"justification"`
	ScheduleInfo                    speech.Schedule `json:"scheduleInfo"`
	TicketInfo                      speech.Ticket   `json:"ticketInfo"`
	Condition                       string          `json:"condition"`
	ConditionVersion                string          `json:"conditionVersion"`
}

// parseRequest reads the body of a PUT and its schedule.
func parseRequest(body []byte) (requestBody, ledger.Schedule, error) {
	var envelope struct {
		Properties *requestBody `json:"properties"`
	}
	var s ledger.Schedule
	if err := json.Unmarshal(body, &envelope); err != nil {
		return requestBody{}, s, invalidContent(err.Error())
	}
	if envelope.Properties == nil {
		return requestBody{}, s, badRequest("The request has no properties.")
	}
	b := *envelope.Properties
	for name, value := range map[string]string{
		"principalId": b.PrincipalID, "roleDefinitionId": b.RoleDefinitionID, "requestType": b.RequestType,
	} {
		if value == "" {
			return b, s, badRequest("The property '%s' is required.", name)
		}
	}
	if uuid.Validate(b.PrincipalID) != nil {
		return b, s, badRequest("The property 'principalId' is not a GUID.")
	}
	s, wrong := b.ScheduleInfo.Parse()
	if wrong != "" {
		return b, s, badRequest("%s", wrong)
	}
	return b, s, nil
}

// submission turns a body into what the books take, and checks what is a matter
// of ARM alone: names, scopes and the forms of ids.
func (c *call) submission(f ledger.Family, name string, body []byte) (ledger.Submission, error) {
	var s ledger.Submission
	if uuid.Validate(name) != nil || len(name) != 36 {
		return s, badRequest("The name '%s' of the request is not a GUID.", name)
	}
	b, schedule, err := parseRequest(body)
	if err != nil {
		return s, err
	}
	if speech.IsAdminAction(b.RequestType) {
		return s, c.s.denied(c.caller, "Microsoft.Authorization/roleAssignments/write", c.node.prefix())
	}
	action, ok := speech.SelfAction(b.RequestType)
	if !ok || f == ledger.OfEligibility && (action == ledger.SelfActivate || action == ledger.SelfDeactivate) {
		return s, badRequest("The request type '%s' is not valid here.", b.RequestType)
	}
	role := strings.ToLower(lastPart(b.RoleDefinitionID))
	if _, ok := c.s.roles[role]; !ok || !strings.Contains(strings.ToLower(b.RoleDefinitionID), strings.ToLower(roleDefinitions)) {
		return s, faultf(http.StatusBadRequest, "RoleNotFound", "The role '%s' was not found.", b.RoleDefinitionID)
	}
	s = ledger.Submission{
		ID: strings.ToLower(name), Family: f, Action: action,
		Target:    ledger.Target{Role: role, Scope: c.node.id},
		Principal: strings.ToLower(b.PrincipalID), Schedule: schedule, Justification: b.Justification,
		Ticket:    ledger.Ticket(b.TicketInfo),
		Condition: b.Condition, ConditionVersion: b.ConditionVersion,
	}
	if action != ledger.SelfActivate {
		return s, nil
	}
	for n := c.node; n != nil; n = n.parent {
		if n.locked {
			return s, faultf(http.StatusBadRequest, "ResourceIsLocked", "The resource '%s' is locked.", n.shown)
		}
	}
	if s.Linked, err = c.linked(b.LinkedRoleEligibilityScheduleID); err != nil {
		return s, err
	}
	return s, c.checkStart(schedule.Start)
}

// linked is the schedule id of the eligibility to activate. Clients send its
// GUID or its full id; below the eligibility's scope the settings can refuse
// either.
func (c *call) linked(id string) (string, error) {
	if id == "" {
		return "", nil
	}
	guid := strings.ToLower(lastPart(id))
	e, ok := c.s.books.Eligibility(guid)
	if !ok || e.ID != guid || e.Target.Scope == c.node.id {
		return guid, nil
	}
	form := "guid"
	if strings.Contains(id, "/") {
		form = "path"
	}
	if want := c.settings.LinkedForm; want != "either" && want != "" && want != form {
		return "", badRequest("The linked role eligibility schedule id '%s' is not valid.", id)
	}
	if c.settings.ReducedNeedsRead && !c.mayReadScope(c.node) {
		return "", c.s.denied(c.caller, "Microsoft.Resources/subscriptions/resourceGroups/read", c.node.prefix())
	}
	return guid, nil
}

// checkStart refuses a start that has passed, where the settings want that.
func (c *call) checkStart(start time.Time) error {
	if start.IsZero() || start.After(c.s.clock.Now()) {
		return nil
	}
	switch c.settings.PastStart {
	case "refuse":
	case "sometimes":
		if c.s.pastStarts.Add(1)%2 == 0 {
			return nil
		}
	default:
		return nil
	}
	return faultf(http.StatusBadRequest, string(ledger.InvalidSchedule), "The start of the schedule is in the past.")
}
