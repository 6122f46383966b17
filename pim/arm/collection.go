package arm

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
)

// collection is one of the two places where the service keeps requests. Their
// rows differ in type and not in what is read of them.
type collection interface {
	ofEligibility() bool
	create(ctx context.Context, scope, id string, body armauthorization.RoleAssignmentScheduleRequest) (armauthorization.RoleAssignmentScheduleRequest, error)
	get(ctx context.Context, scope, id string) (armauthorization.RoleAssignmentScheduleRequest, error)
	cancel(ctx context.Context, scope, id string) error
	// list reads the whole tenant.
	list(ctx context.Context, p *Provider, filter string) ([]*armauthorization.RoleAssignmentScheduleRequest, error)
}

func (p *Provider) collection(ofEligibility bool) collection {
	if ofEligibility {
		return p.prolongations
	}
	return p.requests
}

// assignmentRequests are the requests about assignments: to activate, to
// deactivate and to prolong one.
type assignmentRequests struct {
	client *armauthorization.RoleAssignmentScheduleRequestsClient
}

func (assignmentRequests) ofEligibility() bool { return false }

func (c assignmentRequests) create(ctx context.Context, scope, id string, body armauthorization.RoleAssignmentScheduleRequest) (armauthorization.RoleAssignmentScheduleRequest, error) {
	answer, err := c.client.Create(ctx, scope, id, body, nil)
	return answer.RoleAssignmentScheduleRequest, err
}

func (c assignmentRequests) get(ctx context.Context, scope, id string) (armauthorization.RoleAssignmentScheduleRequest, error) {
	answer, err := c.client.Get(ctx, scope, id, nil)
	return answer.RoleAssignmentScheduleRequest, err
}

func (c assignmentRequests) cancel(ctx context.Context, scope, id string) error {
	_, err := c.client.Cancel(ctx, scope, id, nil)
	return err
}

func (c assignmentRequests) list(ctx context.Context, p *Provider, filter string) ([]*armauthorization.RoleAssignmentScheduleRequest, error) {
	pager := c.client.NewListForScopePager(root, &armauthorization.RoleAssignmentScheduleRequestsClientListForScopeOptions{Filter: &filter})
	return rows(ctx, p, pager, func(r *armauthorization.RoleAssignmentScheduleRequestsClientListForScopeResponse) ([]*armauthorization.RoleAssignmentScheduleRequest, *string) {
		return r.Value, r.NextLink
	})
}

// eligibilityRequests are the requests about eligibilities, of which a person can
// ask for prolongations only.
type eligibilityRequests struct {
	client *armauthorization.RoleEligibilityScheduleRequestsClient
}

func (eligibilityRequests) ofEligibility() bool { return true }

func (c eligibilityRequests) create(ctx context.Context, scope, id string, body armauthorization.RoleAssignmentScheduleRequest) (armauthorization.RoleAssignmentScheduleRequest, error) {
	answer, err := c.client.Create(ctx, scope, id, toEligibility(body), nil)
	return fromEligibility(answer.RoleEligibilityScheduleRequest), err
}

func (c eligibilityRequests) get(ctx context.Context, scope, id string) (armauthorization.RoleAssignmentScheduleRequest, error) {
	answer, err := c.client.Get(ctx, scope, id, nil)
	return fromEligibility(answer.RoleEligibilityScheduleRequest), err
}

func (c eligibilityRequests) cancel(ctx context.Context, scope, id string) error {
	_, err := c.client.Cancel(ctx, scope, id, nil)
	return err
}

func (c eligibilityRequests) list(ctx context.Context, p *Provider, filter string) ([]*armauthorization.RoleAssignmentScheduleRequest, error) {
	pager := c.client.NewListForScopePager(root, &armauthorization.RoleEligibilityScheduleRequestsClientListForScopeOptions{Filter: &filter})
	return rows(ctx, p, pager, func(r *armauthorization.RoleEligibilityScheduleRequestsClientListForScopeResponse) ([]*armauthorization.RoleAssignmentScheduleRequest, *string) {
		if r.Value == nil {
			return nil, nil
		}
		list := make([]*armauthorization.RoleAssignmentScheduleRequest, 0, len(r.Value))
		for _, row := range r.Value {
			converted := fromEligibility(deref(row))
			list = append(list, &converted)
		}
		return list, r.NextLink
	})
}

// toEligibility is what a person sends of a request, as one about an eligibility.
func toEligibility(r armauthorization.RoleAssignmentScheduleRequest) armauthorization.RoleEligibilityScheduleRequest {
	p := r.Properties
	out := armauthorization.RoleEligibilityScheduleRequest{Properties: &armauthorization.RoleEligibilityScheduleRequestProperties{
		PrincipalID:      p.PrincipalID,
		RoleDefinitionID: p.RoleDefinitionID,
		RequestType:      p.RequestType,
		Justification:    p.Justification,
		Condition:        p.Condition,
		ConditionVersion: p.ConditionVersion,
	}}
	if s := p.ScheduleInfo; s != nil {
		out.Properties.ScheduleInfo = &armauthorization.RoleEligibilityScheduleRequestPropertiesScheduleInfo{
			StartDateTime: s.StartDateTime,
			Expiration:    (*armauthorization.RoleEligibilityScheduleRequestPropertiesScheduleInfoExpiration)(s.Expiration),
		}
	}
	return out
}

// fromEligibility is what is read of a request about an eligibility.
func fromEligibility(r armauthorization.RoleEligibilityScheduleRequest) armauthorization.RoleAssignmentScheduleRequest {
	out := armauthorization.RoleAssignmentScheduleRequest{ID: r.ID, Name: r.Name}
	p := r.Properties
	if p == nil {
		return out
	}
	out.Properties = &armauthorization.RoleAssignmentScheduleRequestProperties{
		PrincipalID:        p.PrincipalID,
		RoleDefinitionID:   p.RoleDefinitionID,
		RequestType:        p.RequestType,
		Justification:      p.Justification,
		TicketInfo:         (*armauthorization.RoleAssignmentScheduleRequestPropertiesTicketInfo)(p.TicketInfo),
		ApprovalID:         p.ApprovalID,
		CreatedOn:          p.CreatedOn,
		ExpandedProperties: p.ExpandedProperties,
		RequestorID:        p.RequestorID,
		Scope:              p.Scope,
		Status:             p.Status,
	}
	if s := p.ScheduleInfo; s != nil {
		out.Properties.ScheduleInfo = &armauthorization.RoleAssignmentScheduleRequestPropertiesScheduleInfo{
			StartDateTime: s.StartDateTime,
			Expiration:    (*armauthorization.RoleAssignmentScheduleRequestPropertiesScheduleInfoExpiration)(s.Expiration),
		}
	}
	return out
}
