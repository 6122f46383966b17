package graph

import (
	"encoding/json"
	"strings"
	"time"

	"roletray/pim"
	"roletray/pim/wire"
)

// The longest texts that are kept of what the service sends.
const (
	maxName = 256
	maxText = 2000
)

// moment is a time of Graph's. What is none, or null, is the zero time, so that
// one bad time does not cost a whole list.
type moment struct{ time.Time }

func (m *moment) UnmarshalJSON(data []byte) error {
	var t time.Time
	if json.Unmarshal(data, &t) == nil && t.Year() > 1 {
		m.Time = t.UTC()
	}
	return nil
}

// roleIDs are what identifies a role in a row: of a directory role its definition
// and one of two scopes, of a group's the group and the access.
type roleIDs struct {
	RoleDefinitionID string          `json:"roleDefinitionId"`
	DirectoryScopeID string          `json:"directoryScopeId"`
	AppScopeID       string          `json:"appScopeId"`
	RoleDefinition   *roleDefinition `json:"roleDefinition"`
	GroupID          string          `json:"groupId"`
	AccessID         string          `json:"accessId"`
}

type roleDefinition struct {
	DisplayName string `json:"displayName"`
	IsBuiltIn   *bool  `json:"isBuiltIn"`
}

// instanceRow is an eligibility or an assignment in force, of either kind.
type instanceRow struct {
	roleIDs
	ID             string `json:"id"`
	PrincipalID    string `json:"principalId"`
	MemberType     string `json:"memberType"`
	AssignmentType string `json:"assignmentType"`
	Start          moment `json:"startDateTime"`
	End            moment `json:"endDateTime"`

	RoleEligibilityScheduleID string `json:"roleEligibilityScheduleId"`
	EligibilityScheduleID     string `json:"eligibilityScheduleId"`
	RoleAssignmentScheduleID  string `json:"roleAssignmentScheduleId"`
	AssignmentScheduleID      string `json:"assignmentScheduleId"`
}

func (row instanceRow) eligibility(r pim.Role) pim.Eligibility {
	return pim.Eligibility{
		Role:        r,
		ID:          row.ID,
		ScheduleID:  row.RoleEligibilityScheduleID + row.EligibilityScheduleID,
		PrincipalID: strings.ToLower(row.PrincipalID),
		Via:         pim.ParseVia(pim.CleanText(row.MemberType, maxName)),
		Start:       row.Start.Time,
		End:         row.End.Time,
	}
}

func (row instanceRow) assignment(r pim.Role) pim.Assignment {
	return pim.Assignment{
		Role:        r,
		ID:          row.ID,
		ScheduleID:  row.RoleAssignmentScheduleID + row.AssignmentScheduleID,
		PrincipalID: strings.ToLower(row.PrincipalID),
		Type:        pim.AssignmentType(strings.ToLower(pim.CleanText(row.AssignmentType, maxName))),
		Via:         pim.ParseVia(pim.CleanText(row.MemberType, maxName)),
		Start:       row.Start.Time,
		End:         row.End.Time,
	}
}

// requestRow is a request of either kind.
type requestRow struct {
	roleIDs
	ID               string        `json:"id"`
	PrincipalID      string        `json:"principalId"`
	Action           string        `json:"action"`
	Status           string        `json:"status"`
	Created          moment        `json:"createdDateTime"`
	ApprovalID       string        `json:"approvalId"`
	IsValidationOnly bool          `json:"isValidationOnly"`
	Justification    string        `json:"justification"`
	CreatedBy        *identitySet  `json:"createdBy"`
	Principal        *named        `json:"principal"`
	ScheduleInfo     *scheduleInfo `json:"scheduleInfo"`
	TicketInfo       *ticketInfo   `json:"ticketInfo"`
}

type identitySet struct {
	User *named `json:"user"`
}

// scheduleInfo is read from answers and written in requests. A deactivation's
// answer has none.
type scheduleInfo struct {
	Start      *moment    `json:"startDateTime,omitempty"`
	Expiration expiration `json:"expiration"`
}

type expiration struct {
	Type     string  `json:"type"`
	Duration string  `json:"duration,omitempty"`
	End      *moment `json:"endDateTime,omitempty"`
}

type ticketInfo struct {
	Number string `json:"ticketNumber,omitempty"`
	System string `json:"ticketSystem,omitempty"`
}

// atOnce is how much later than its creation a request may begin and still count
// as begun at once. Both times are the service's, so that this computer's clock
// has no part in it.
const atOnce = 5 * time.Second

func (row requestRow) request(r pim.Role) pim.Request {
	q := pim.Request{
		ID:            row.ID,
		Role:          r,
		Action:        pim.ParseAction(pim.CleanText(row.Action, maxName)),
		Status:        pim.Status(pim.CleanText(row.Status, maxName)),
		Justification: pim.CleanText(row.Justification, maxText),
		Created:       row.Created.Time,
		ApprovalID:    row.ApprovalID,
		PrincipalID:   strings.ToLower(row.PrincipalID),
	}
	if s := row.ScheduleInfo; s != nil {
		q.Start, q.End = s.Start.value(), s.Expiration.End.value()
		q.Duration = wire.ParseDuration(s.Expiration.Duration)
	}
	if t := row.TicketInfo; t != nil {
		q.Ticket = pim.Ticket{Number: pim.CleanText(t.Number, maxName), System: pim.CleanText(t.System, maxName)}
	}
	if row.CreatedBy != nil && row.CreatedBy.User != nil {
		q.RequestorID = strings.ToLower(row.CreatedBy.User.ID)
	}
	// They are one, and some of Microsoft's examples leave the second out.
	if q.ApprovalID == "" && (strings.EqualFold(row.Status, "PendingApproval") || strings.EqualFold(row.Status, "Denied")) {
		q.ApprovalID = q.ID
	}
	if !q.Created.IsZero() && !q.Start.After(q.Created.Add(atOnce)) {
		q.Start = time.Time{}
	}
	return q
}

// value is the time, or the zero time for nil.
func (m *moment) value() time.Time {
	if m == nil {
		return time.Time{}
	}
	return m.Time
}
