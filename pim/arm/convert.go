package arm

import (
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"

	"roletray/pim"
	"roletray/pim/wire"
)

// The longest texts that are kept of what the service sends.
const (
	maxName = 256
	maxText = 2000
)

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func text[T ~string](p *T, limit int) string { return pim.CleanText(string(deref(p)), limit) }

// role builds a Role from a row's own ids and the names beside them. It is false
// for a row that cannot be told apart from others.
func role(scopeID, definitionID *string, e *armauthorization.ExpandedProperties) (pim.Role, bool) {
	expanded := deref(e)
	scope, definition := deref(expanded.Scope), deref(expanded.RoleDefinition)
	r := pim.Role{
		Kind:         pim.KindAzure,
		DefinitionID: deref(definitionID),
		Name:         text(definition.DisplayName, maxName),
		Custom:       strings.EqualFold(deref(definition.Type), "CustomRole"),
		Scope: pim.Scope{
			ID:   deref(scopeID),
			Name: text(scope.DisplayName, maxName),
			Type: pim.ScopeType(text(scope.Type, maxName)),
		},
	}
	if r.DefinitionID == "" {
		r.DefinitionID = deref(definition.ID)
	}
	if r.Scope.ID == "" {
		r.Scope.ID = deref(scope.ID)
	}
	if r.Name == "" {
		r.Name = pim.CleanText(pim.Unnamed("role", lastSegment(r.DefinitionID)), maxName)
	}
	if r.Scope.Type == "" {
		r.Scope.Type = scopeType(r.Scope.ID)
	}
	r.Scope.Type = parseScopeType(string(r.Scope.Type))
	return r, wire.PlainID(r.DefinitionID) && wire.PlainID(r.Scope.ID)
}

func eligibility(row *armauthorization.RoleEligibilityScheduleInstance) (pim.Eligibility, bool) {
	if row == nil || row.Properties == nil {
		return pim.Eligibility{}, false
	}
	p := row.Properties
	r, ok := role(p.Scope, p.RoleDefinitionID, p.ExpandedProperties)
	return pim.Eligibility{
		Role:             r,
		ID:               deref(row.ID),
		ScheduleID:       deref(p.RoleEligibilityScheduleID),
		PrincipalID:      strings.ToLower(deref(p.PrincipalID)),
		PrincipalName:    text(deref(deref(p.ExpandedProperties).Principal).DisplayName, maxName),
		Via:              pim.ParseVia(text(p.MemberType, maxName)),
		Start:            deref(p.StartDateTime).UTC(),
		End:              deref(p.EndDateTime).UTC(),
		Condition:        deref(p.Condition),
		ConditionVersion: deref(p.ConditionVersion),
	}, ok
}

func assignment(row *armauthorization.RoleAssignmentScheduleInstance) (pim.Assignment, bool) {
	if row == nil || row.Properties == nil {
		return pim.Assignment{}, false
	}
	p := row.Properties
	r, ok := role(p.Scope, p.RoleDefinitionID, p.ExpandedProperties)
	return pim.Assignment{
		Role:                  r,
		ID:                    deref(row.ID),
		ScheduleID:            deref(p.RoleAssignmentScheduleID),
		EligibilityScheduleID: deref(p.LinkedRoleEligibilityScheduleID),
		PrincipalID:           strings.ToLower(deref(p.PrincipalID)),
		Type:                  pim.AssignmentType(strings.ToLower(text(p.AssignmentType, maxName))),
		Via:                   pim.ParseVia(text(p.MemberType, maxName)),
		Start:                 deref(p.StartDateTime).UTC(),
		End:                   deref(p.EndDateTime).UTC(),
	}, ok
}

// atOnce is how much later than its creation a request may begin and still count
// as begun at once. Both times are the service's, so that this computer's clock
// has no part in it.
const atOnce = 5 * time.Second

func request(row *armauthorization.RoleAssignmentScheduleRequest, ofEligibility bool) (pim.Request, bool) {
	if row == nil || row.Properties == nil {
		return pim.Request{}, false
	}
	p := row.Properties
	r, ok := role(p.Scope, p.RoleDefinitionID, p.ExpandedProperties)
	schedule, ticket := deref(p.ScheduleInfo), deref(p.TicketInfo)
	expiration := deref(schedule.Expiration)
	q := pim.Request{
		ID:                    deref(row.Name),
		Role:                  r,
		Action:                pim.ParseAction(text(p.RequestType, maxName)),
		Status:                pim.Status(text(p.Status, maxName)),
		Start:                 deref(schedule.StartDateTime).UTC(),
		Duration:              wire.ParseDuration(deref(expiration.Duration)),
		End:                   deref(expiration.EndDateTime).UTC(),
		Justification:         text(p.Justification, maxText),
		Ticket:                pim.Ticket{Number: text(ticket.TicketNumber, maxName), System: text(ticket.TicketSystem, maxName)},
		Created:               deref(p.CreatedOn).UTC(),
		ApprovalID:            deref(p.ApprovalID),
		PrincipalID:           strings.ToLower(deref(p.PrincipalID)),
		RequestorID:           strings.ToLower(deref(p.RequestorID)),
		EligibilityScheduleID: deref(p.LinkedRoleEligibilityScheduleID),
		OfEligibility:         ofEligibility,
	}
	if q.ID == "" {
		q.ID = lastSegment(deref(row.ID))
	}
	if !q.Created.IsZero() && !q.Start.After(q.Created.Add(atOnce)) {
		q.Start = time.Time{}
	}
	return q, ok && wire.PlainID(q.ID)
}
