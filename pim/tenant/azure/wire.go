package azure

import (
	"strings"
	"time"

	"roletray/pim/tenant/ledger"
)

// The JSON of the answers. What is not set is left out: Microsoft's contract
// allows no null, although its example payloads have some.

type resource struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	Properties any    `json:"properties,omitempty"`
}

type page[T any] struct {
	Value    []T    `json:"value"`
	NextLink string `json:"nextLink,omitempty"`
}

type named struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Type        string `json:"type"`
}

type principal struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Email       string `json:"email,omitempty"`
	Type        string `json:"type"`
}

type expanded struct {
	Scope          named     `json:"scope"`
	RoleDefinition named     `json:"roleDefinition"`
	Principal      principal `json:"principal"`
}

// grant is what schedules and instances of both families have in common.
type grant struct {
	Scope              string   `json:"scope"`
	RoleDefinitionID   string   `json:"roleDefinitionId"`
	PrincipalID        string   `json:"principalId"`
	PrincipalType      string   `json:"principalType"`
	Status             string   `json:"status"`
	StartDateTime      stamp    `json:"startDateTime,omitzero"`
	EndDateTime        stamp    `json:"endDateTime,omitzero"`
	MemberType         string   `json:"memberType"`
	CreatedOn          stamp    `json:"createdOn,omitzero"`
	UpdatedOn          stamp    `json:"updatedOn,omitzero"`
	Condition          string   `json:"condition,omitempty"`
	ConditionVersion   string   `json:"conditionVersion,omitempty"`
	ExpandedProperties expanded `json:"expandedProperties"`
}

type eligibilityInstance struct {
	grant
	RoleEligibilityScheduleID string `json:"roleEligibilityScheduleId"`
}

type eligibilitySchedule struct {
	grant
	RoleEligibilityScheduleRequestID string `json:"roleEligibilityScheduleRequestId"`
}

type assignmentInstance struct {
	grant
	OriginRoleAssignmentID                  string `json:"originRoleAssignmentId"`
	RoleAssignmentScheduleID                string `json:"roleAssignmentScheduleId"`
	LinkedRoleEligibilityScheduleID         string `json:"linkedRoleEligibilityScheduleId,omitempty"`
	LinkedRoleEligibilityScheduleInstanceID string `json:"linkedRoleEligibilityScheduleInstanceId,omitempty"`
	AssignmentType                          string `json:"assignmentType"`
}

type assignmentSchedule struct {
	grant
	RoleAssignmentScheduleRequestID string `json:"roleAssignmentScheduleRequestId"`
	LinkedRoleEligibilityScheduleID string `json:"linkedRoleEligibilityScheduleId,omitempty"`
	AssignmentType                  string `json:"assignmentType"`
}

type expiration struct {
	Type        string `json:"type,omitempty"`
	EndDateTime stamp  `json:"endDateTime,omitzero"`
	Duration    string `json:"duration,omitempty"`
}

type scheduleInfo struct {
	StartDateTime stamp      `json:"startDateTime,omitzero"`
	Expiration    expiration `json:"expiration"`
}

type ticketInfo struct {
	TicketNumber string `json:"ticketNumber,omitempty"`
	TicketSystem string `json:"ticketSystem,omitempty"`
}

type request struct {
	TargetRoleAssignmentScheduleID  string       `json:"targetRoleAssignmentScheduleId,omitempty"`
	TargetRoleEligibilityScheduleID string       `json:"targetRoleEligibilityScheduleId,omitempty"`
	LinkedRoleEligibilityScheduleID string       `json:"linkedRoleEligibilityScheduleId,omitempty"`
	Scope                           string       `json:"scope"`
	RoleDefinitionID                string       `json:"roleDefinitionId"`
	PrincipalID                     string       `json:"principalId"`
	PrincipalType                   string       `json:"principalType"`
	RequestType                     string       `json:"requestType"`
	Status                          string       `json:"status"`
	ApprovalID                      string       `json:"approvalId,omitempty"`
	ScheduleInfo                    scheduleInfo `json:"scheduleInfo"`
	TicketInfo                      ticketInfo   `json:"ticketInfo"`
	Justification                   string       `json:"justification,omitempty"`
	RequestorID                     string       `json:"requestorId"`
	CreatedOn                       stamp        `json:"createdOn"`
	Condition                       string       `json:"condition,omitempty"`
	ConditionVersion                string       `json:"conditionVersion,omitempty"`
	ExpandedProperties              expanded     `json:"expandedProperties"`
}

// stamp is a moment as the service writes it: UTC with up to seven digits of a
// second.
type stamp struct{ time.Time }

func (s stamp) MarshalText() ([]byte, error) {
	return s.UTC().AppendFormat(nil, "2006-01-02T15:04:05.9999999Z"), nil
}

// MarshalJSON is needed because time.Time brings one of its own.
func (s stamp) MarshalJSON() ([]byte, error) {
	b, err := s.MarshalText()
	return append(append([]byte{'"'}, b...), '"'), err
}

const authorization = "Microsoft.Authorization/"

// at makes the id, name and type of something at a scope.
func at(n *node, kind, name string, properties any) resource {
	return resource{
		ID:   n.prefix() + "/providers/" + authorization + kind + "/" + name,
		Name: name, Type: authorization + kind, Properties: properties,
	}
}

// expand names the parts of a grant. A scope that is not there any more, which
// cannot happen, would have no name.
func (s *Service) expand(t ledger.Target, principalID string) (grant, *node) {
	n := s.tree.nodes[t.Scope]
	role := s.roles[t.Role]
	kind := "BuiltInRole"
	if role.Custom {
		kind = "CustomRole"
	}
	g := grant{
		Scope: n.shown, RoleDefinitionID: n.roleDefinitionID(t.Role),
		PrincipalID: principalID, PrincipalType: "User", Status: "Provisioned", MemberType: "Direct",
	}
	g.ExpandedProperties = expanded{
		Scope:          named{ID: n.shown, DisplayName: n.name, Type: n.kind},
		RoleDefinition: named{ID: g.RoleDefinitionID, DisplayName: role.Name, Type: kind},
		Principal:      principal{ID: principalID, Type: "User"},
	}
	p := &g.ExpandedProperties.Principal
	if u, ok := s.directory.User(principalID); ok {
		p.DisplayName, p.Email = u.Name, u.UPN
	} else if group, ok := s.directory.Group(principalID); ok {
		p.DisplayName, p.Type = group.Name, "Group"
		g.PrincipalType, g.MemberType = "Group", "Group"
	}
	return g, n
}

func (s *Service) request(r ledger.Request) resource {
	g, n := s.expand(r.Target, r.Principal)
	out := request{
		Scope: g.Scope, RoleDefinitionID: g.RoleDefinitionID, PrincipalID: g.PrincipalID, PrincipalType: g.PrincipalType,
		RequestType: string(r.Action), Status: string(r.Status),
		LinkedRoleEligibilityScheduleID: r.Linked,
		ScheduleInfo: scheduleInfo{
			StartDateTime: stamp{r.Schedule.Start},
			Expiration:    expiration{Type: string(r.Schedule.Expiration), EndDateTime: stamp{r.Schedule.End}},
		},
		TicketInfo:    ticketInfo{TicketNumber: r.Ticket.Number, TicketSystem: r.Ticket.System},
		Justification: r.Justification, RequestorID: r.Requestor, CreatedOn: stamp{r.Created},
		Condition: r.Condition, ConditionVersion: r.ConditionVersion,
		ExpandedProperties: g.ExpandedProperties,
	}
	if r.Schedule.Start.IsZero() && r.Action == ledger.SelfActivate {
		out.ScheduleInfo.StartDateTime = stamp{r.Created}
	}
	if r.Schedule.Duration > 0 {
		out.ScheduleInfo.Expiration.Duration = isoDuration(r.Schedule.Duration)
	}
	if r.Approval != nil && r.Status == ledger.PendingApproval {
		out.ApprovalID = approvalPath + r.Approval.ID
	}
	kind := kindAssignmentRequest
	if r.Family == ledger.OfEligibility {
		kind = kindEligibilityRequest
		out.TargetRoleEligibilityScheduleID = r.TargetSchedule
	} else {
		out.TargetRoleAssignmentScheduleID = r.TargetSchedule
	}
	return at(n, kind, r.ID, out)
}

// isoDuration writes PT8H, PT30M or P365D: whole days as days.
func isoDuration(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day && d%day == 0 {
		return "P" + itoa(d/day) + "D"
	}
	var b strings.Builder
	b.WriteString("PT")
	if h := d / time.Hour; h > 0 {
		b.WriteString(itoa(h) + "H")
	}
	if m := d % time.Hour / time.Minute; m > 0 {
		b.WriteString(itoa(m) + "M")
	}
	if s := d % time.Minute / time.Second; s > 0 || d < time.Minute {
		b.WriteString(itoa(s) + "S")
	}
	return b.String()
}
