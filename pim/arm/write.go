package arm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"

	"roletray/pim"
	"roletray/pim/wire"
)

// Check has the service judge a without doing it.
func (p *Provider) Check(ctx context.Context, a pim.Activation) error {
	err := p.spellings(a, func(path string, body armauthorization.RoleAssignmentScheduleRequest) error {
		_, err := p.requests.client.Validate(wire.Writing(ctx), path, a.ID, body, nil)
		return translate(err)
	})
	if err != nil {
		return fmt.Errorf("check an Azure role's activation: %w", err)
	}
	return nil
}

// Activate sends a under its own GUID and returns the request as the service
// recorded it, also where it turns out that a request of that GUID was there
// already. The principal is always the person, even where a group holds the
// eligibility, since an activation in the group's name would be everybody's.
//
// An error with CodeTimeout, CodeUnavailable or CodeUnreadable leaves open
// whether the activation took effect: look with Find. With CodeOffline nothing
// was sent.
func (p *Provider) Activate(ctx context.Context, a pim.Activation) (pim.Request, error) {
	var made pim.Request
	err := p.spellings(a, func(path string, body armauthorization.RoleAssignmentScheduleRequest) error {
		var err error
		made, err = p.create(ctx, p.requests, path, a.ID, body, a.Role())
		return err
	})
	if err != nil {
		return pim.Request{}, fmt.Errorf("activate an Azure role: %w", err)
	}
	return made, nil
}

// Deactivate ends an activation early. The errors are those of Activate.
func (p *Provider) Deactivate(ctx context.Context, d pim.Deactivation) (pim.Request, error) {
	path, err := scopePath(d.Assignment.Role.Scope.ID)
	if err != nil {
		return pim.Request{}, fmt.Errorf("deactivate an Azure role: %w", err)
	}
	body := p.body(armauthorization.RequestTypeSelfDeactivate, d.Assignment.Role)
	body.Properties.LinkedRoleEligibilityScheduleID = given(lastSegment(d.Assignment.EligibilityScheduleID))
	made, err := p.create(ctx, p.requests, path, d.ID, body, d.Assignment.Role)
	if err != nil {
		return pim.Request{}, fmt.Errorf("deactivate an Azure role: %w", err)
	}
	return made, nil
}

// Cancel cancels a request.
func (p *Provider) Cancel(ctx context.Context, r pim.Request) error {
	path, err := scopePath(r.Role.Scope.ID)
	if err == nil {
		err = translate(p.collection(r.OfEligibility).cancel(wire.Writing(ctx), path, r.ID))
	}
	if err != nil {
		return fmt.Errorf("cancel a request for an Azure role: %w", err)
	}
	return nil
}

// Follow reads r again.
func (p *Provider) Follow(ctx context.Context, r pim.Request) (pim.Request, error) {
	now, err := p.get(ctx, p.collection(r.OfEligibility), r.Role, r.ID)
	if err != nil {
		return pim.Request{}, fmt.Errorf("read a request for an Azure role: %w", err)
	}
	return now, nil
}

// Find looks for the request that w has made. Its GUID tells it from all others.
func (p *Provider) Find(ctx context.Context, w pim.Write) (pim.Request, bool, error) {
	r, err := p.get(ctx, p.collection(w.OfEligibility), w.Role, w.ID)
	switch {
	case pim.CodeOf(err) == pim.CodeNotFound:
		return pim.Request{}, false, nil
	case err != nil:
		return pim.Request{}, false, fmt.Errorf("look for a request for an Azure role: %w", err)
	}
	return r, true, nil
}

// body is what every request of the person has in common.
func (p *Provider) body(action armauthorization.RequestType, r pim.Role) armauthorization.RoleAssignmentScheduleRequest {
	return armauthorization.RoleAssignmentScheduleRequest{Properties: &armauthorization.RoleAssignmentScheduleRequestProperties{
		PrincipalID:      &p.userID,
		RoleDefinitionID: &r.DefinitionID,
		RequestType:      &action,
	}}
}

// spellings has send send a: with the bare GUID of the eligibility's schedule,
// as Microsoft's examples have it, and where that was refused for no known
// reason, once more with the whole id, which some scopes have been seen to want.
func (p *Provider) spellings(a pim.Activation, send func(path string, body armauthorization.RoleAssignmentScheduleRequest) error) error {
	path, err := scopePath(a.Role().Scope.ID)
	if err != nil {
		return err
	}
	guid := lastSegment(a.Eligibility.ScheduleID)
	err = send(path, p.activation(a, guid))
	e, _ := errors.AsType[*pim.Error](err)
	unexplained := e != nil && !codes.Known(e.Service) && (e.Status == http.StatusBadRequest || e.Status == http.StatusForbidden)
	if !unexplained || guid == a.Eligibility.ScheduleID {
		return err
	}
	return send(path, p.activation(a, a.Eligibility.ScheduleID))
}

func (p *Provider) activation(a pim.Activation, eligibilitySchedule string) armauthorization.RoleAssignmentScheduleRequest {
	body := p.body(armauthorization.RequestTypeSelfActivate, a.Eligibility.Role)
	w := body.Properties
	w.LinkedRoleEligibilityScheduleID = given(eligibilitySchedule)
	w.Justification = given(a.Justification)
	w.Condition = given(a.Eligibility.Condition)
	w.ConditionVersion = given(a.Eligibility.ConditionVersion)
	w.ScheduleInfo = &armauthorization.RoleAssignmentScheduleRequestPropertiesScheduleInfo{
		Expiration: &armauthorization.RoleAssignmentScheduleRequestPropertiesScheduleInfoExpiration{
			Type:     to.Ptr(armauthorization.TypeAfterDuration),
			Duration: to.Ptr(wire.FormatDuration(a.Duration)),
		},
	}
	// A start that is not ahead is left out: the service refuses one that its own
	// clock has passed.
	if a.Start.After(p.now()) {
		w.ScheduleInfo.StartDateTime = to.Ptr(a.Start.UTC())
	}
	if a.Ticket != (pim.Ticket{}) {
		w.TicketInfo = &armauthorization.RoleAssignmentScheduleRequestPropertiesTicketInfo{
			TicketNumber: given(a.Ticket.Number),
			TicketSystem: given(a.Ticket.System),
		}
	}
	return body
}

func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// create sends a request of the person. Where the service says that there is one
// already, and it is the one of this very GUID, an earlier sending has arrived
// after all and its request is the result, or CodeDuplicate where it cannot be read.
func (p *Provider) create(ctx context.Context, c collection, path, id string, body armauthorization.RoleAssignmentScheduleRequest, r pim.Role) (pim.Request, error) {
	answer, err := c.create(wire.Writing(ctx), path, id, body)
	if err == nil {
		return asked(&answer, c, r)
	}
	err = translate(err)
	e, ok := errors.AsType[*pim.Error](err)
	if !ok {
		return pim.Request{}, err
	}
	named := strings.Contains(strings.ToLower(e.Message), strings.ToLower(id))
	if e.Status == http.StatusConflict && named {
		e.Code = pim.CodeDuplicate
	}
	if e.Code != pim.CodeDuplicate {
		return pim.Request{}, err
	}
	made, findErr := p.get(ctx, c, r, id)
	if findErr == nil {
		return made, nil
	}
	if pim.CodeOf(findErr) == pim.CodeNotFound && !named {
		e.Code = pim.CodePending // The one that exists is another.
	}
	return pim.Request{}, err
}

// get reads the request id at r's scope.
func (p *Provider) get(ctx context.Context, c collection, r pim.Role, id string) (pim.Request, error) {
	path, err := scopePath(r.Scope.ID)
	if err != nil {
		return pim.Request{}, err
	}
	answer, err := c.get(ctx, path, id)
	if err == nil {
		return asked(&answer, c, r)
	}
	err = translate(err)
	// Some codes that mean a missing eligibility in the answer to a write mean here
	// that the request itself is missing.
	if e, ok := errors.AsType[*pim.Error](err); ok && e.Status == http.StatusNotFound {
		e.Code = pim.CodeNotFound
	}
	return pim.Request{}, err
}

// asked reads the service's record of a request for r, and takes from r the names
// that the record may lack.
func asked(row *armauthorization.RoleAssignmentScheduleRequest, c collection, r pim.Role) (pim.Request, error) {
	q, ok := request(row, c.ofEligibility())
	if !ok || q.Status == "" {
		return pim.Request{}, unreadable("the answer holds no request")
	}
	if q.Role.Key() == r.Key() {
		q.Role = r
	}
	return q, nil
}
