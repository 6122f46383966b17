package graph

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/speech"
)

// maxBody is the longest request body that is read.
const maxBody = 256 << 10

// requestBody is the JSON of a POST. Null and missing mean the same.
type requestBody struct {
	Action           string          `json:"action"`
	PrincipalID      string          `json:"principalId"`
	RoleDefinitionID string          `json:"roleDefinitionId"`
	DirectoryScopeID string          `json:"directoryScopeId"`
	GroupID          string          `json:"groupId"`
	AccessID         string          `json:"accessId"`
	Justification    string          `json:"justification"`
	IsValidationOnly bool            `json:"isValidationOnly"`
	ScheduleInfo     speech.Schedule `json:"scheduleInfo"`
	TicketInfo       speech.Ticket   `json:"ticketInfo"`
}

// post takes a request in.
func (p *plane) post(k *kind) func(*call, []string) error {
	return func(c *call, _ []string) error {
		if err := c.need(k.post); err != nil {
			return err
		}
		body, err := c.readBody()
		if err != nil {
			return err
		}
		b, err := parseRequest(body, &k.shape)
		if err != nil {
			return err
		}
		s, err := p.submission(k, b)
		if err != nil {
			return err
		}
		s.DryRun = b.IsValidationOnly && c.settings.ValidationOnly == "honour"
		r, err := p.books.Submit(c.caller, s)
		if err != nil {
			return err
		}
		e := p.show(k, row{request: &r, target: r.Target, principal: r.Principal}, true)
		e["isValidationOnly"] = b.IsValidationOnly && c.settings.ValidationOnly != "ignore"
		e["@odata.context"] = c.context(p.root+"/"+k.path, nil) + "/$entity"
		writeJSON(c.w, http.StatusCreated, e)
		return nil
	}
}

func (c *call) readBody() ([]byte, error) {
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, faultf(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "The request body is longer than %d bytes.", maxBody)
	}
	if err != nil {
		return nil, malformed()
	}
	return b, nil
}

func malformed() *fault {
	return badRequest("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.")
}

// parseRequest reads the body of a POST. A property that the type does not have
// is refused.
func parseRequest(body []byte, s *shape) (requestBody, error) {
	var all map[string]json.RawMessage
	var b requestBody
	if err := json.Unmarshal(body, &all); err != nil || all == nil {
		return b, malformed()
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(s.fields, name) && !strings.Contains(name, "@odata.") {
			return b, badRequest("The property '%.100s' does not exist on type 'microsoft.graph.%s'. Make sure to only use property names that are defined by the type or mark the type as open type.", name, s.name)
		}
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return b, malformed()
	}
	return b, nil
}

func invalidRequest(format string, args ...any) *fault {
	return pimFault(http.StatusBadRequest, string(ledger.InvalidRequest), format, args...)
}

func (p *plane) submission(k *kind, b requestBody) (ledger.Submission, error) {
	var s ledger.Submission
	if speech.IsAdminAction(b.Action) {
		return s, unauthorized()
	}
	var ok bool
	if s.Action, ok = speech.SelfAction(b.Action); !ok {
		return s, invalidRequest("The action '%.100s' is not valid.", b.Action)
	}
	if k.family == ledger.OfEligibility && (s.Action == ledger.SelfActivate || s.Action == ledger.SelfDeactivate) {
		return s, invalidRequest("The action '%s' is not valid for an eligibility.", b.Action)
	}
	if uuid.Validate(b.PrincipalID) != nil {
		return s, invalidRequest("The property 'principalId' is not a GUID.")
	}
	var err error
	if s.Target, err = p.target(b); err != nil {
		return s, err
	}
	var wrong string
	if s.Schedule, wrong = b.ScheduleInfo.Parse(); wrong != "" {
		return s, invalidRequest("%s", wrong)
	}
	s.ID = uuid.NewString()
	s.ScheduleID = p.scheduleID(s.Target, s.ID)
	s.Family, s.Principal, s.Justification = k.family, strings.ToLower(b.PrincipalID), b.Justification
	s.Ticket = ledger.Ticket(b.TicketInfo)
	return s, nil
}

func (p *plane) target(b requestBody) (ledger.Target, error) {
	if p.group {
		g, ok := p.s.Directory.Group(b.GroupID)
		if !ok {
			return ledger.Target{}, pimFault(http.StatusBadRequest, "ResourceNotFound", "The group '%.100s' was not found.", b.GroupID)
		}
		access := strings.ToLower(b.AccessID)
		if access != member && access != owner {
			return ledger.Target{}, invalidRequest("The property 'accessId' must be member or owner.")
		}
		return ledger.Target{Role: strings.ToLower(g.ID), Scope: "/", Access: access}, nil
	}
	t := ledger.Target{Role: strings.ToLower(b.RoleDefinitionID), Scope: strings.ToLower(b.DirectoryScopeID)}
	if _, ok := p.s.roles[t.Role]; !ok {
		return t, pimFault(http.StatusBadRequest, "RoleNotFound", "The role '%.100s' was not found.", b.RoleDefinitionID)
	}
	if _, ok := p.s.scopes[t.Scope]; !ok {
		return t, pimFault(http.StatusBadRequest, "InvalidScope", "The scope '%.100s' is not valid.", b.DirectoryScopeID)
	}
	return t, nil
}

// cancel takes a request back.
func (p *plane) cancel(k *kind) func(*call, []string) error {
	return func(c *call, names []string) error {
		if err := c.need(k.cancel); err != nil {
			return err
		}
		r, ok := p.find(k, names[0])
		if !ok || !p.concerns(c, r) {
			return notFound(names[0])
		}
		if err := p.books.Cancel(k.family, c.caller.UserID, names[0]); err != nil {
			return err
		}
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
