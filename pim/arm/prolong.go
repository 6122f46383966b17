package arm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"

	"roletray/pim"
)

// Prolong asks an administrator, under the GUID of w, for more time. The errors are
// those of Activate; after an answer that was lost, Find looks where w says that
// the request is.
func (p *Provider) Prolong(ctx context.Context, w pim.Prolongation) (pim.Request, error) {
	made, err := p.prolong(ctx, w)
	if err != nil {
		return pim.Request{}, fmt.Errorf("ask for more time with an Azure role: %w", err)
	}
	return made, nil
}

func (p *Provider) prolong(ctx context.Context, w pim.Prolongation) (pim.Request, error) {
	action := armauthorization.RequestTypeSelfExtend
	switch {
	case w.Action == pim.ActionRenew:
		action = armauthorization.RequestTypeSelfRenew
	case w.Action != pim.ActionExtend:
		return pim.Request{}, fmt.Errorf("%q neither extends nor renews", w.Action)
	}
	switch {
	case (w.Eligibility == nil) == (w.Assignment == nil):
		return pim.Request{}, errors.New("it must be for either an eligibility or an assignment")
	case w.End.IsZero():
		return pim.Request{}, errors.New("the wished end is missing")
	}
	role := w.Role()
	path, err := scopePath(role.Scope.ID)
	if err != nil {
		return pim.Request{}, err
	}
	body := p.body(action, role)
	body.Properties.Justification = given(w.Justification)
	if e := w.Eligibility; e != nil {
		body.Properties.Condition = given(e.Condition)
		body.Properties.ConditionVersion = given(e.ConditionVersion)
	}
	body.Properties.ScheduleInfo = &armauthorization.RoleAssignmentScheduleRequestPropertiesScheduleInfo{
		Expiration: &armauthorization.RoleAssignmentScheduleRequestPropertiesScheduleInfoExpiration{
			Type:        to.Ptr(armauthorization.TypeAfterDateTime),
			EndDateTime: to.Ptr(w.End.UTC().Truncate(time.Second)),
		},
	}
	// An extension goes on from where the time ends. A start that is not ahead would
	// be refused, see activation.
	if w.Action == pim.ActionRenew && w.Start.After(p.now()) {
		body.Properties.ScheduleInfo.StartDateTime = to.Ptr(w.Start.UTC())
	}
	return p.create(ctx, p.collection(w.Eligibility != nil), path, w.ID, body, role)
}
