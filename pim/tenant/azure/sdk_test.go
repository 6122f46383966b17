package azure

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	azpolicy "github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	sdk "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/google/uuid"

	"roletray/pim/tenant/world"
)

// passport is a credential whose token is the caller.
type passport world.Caller

func (p passport) GetToken(context.Context, azpolicy.TokenRequestOptions) (azcore.AccessToken, error) {
	raw, err := json.Marshal(world.Caller(p))
	return azcore.AccessToken{Token: string(raw), ExpiresOn: time.Now().Add(time.Hour)}, err
}

// Azure's own Go library understands the answers.
func TestAzureSDK(t *testing.T) {
	tn := newTenant(t)
	tn.settings.PageSize = 3
	options := &arm.ClientOptions{DisableRPRegistration: true, ClientOptions: azpolicy.ClientOptions{
		Cloud: cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: tn.server.URL, Audience: tn.server.URL},
		}},
		Transport: tn.server.Client(),
		Retry:     azpolicy.RetryOptions{MaxRetries: -1},
	}}
	me := passport(user(sampleUser))
	ctx := t.Context()

	eligible, err := sdk.NewRoleEligibilityScheduleInstancesClient(me, options)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	asTarget := to.Ptr("asTarget()")
	for p := eligible.NewListForScopePager("", &sdk.RoleEligibilityScheduleInstancesClientListForScopeOptions{Filter: asTarget}); p.More(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Value {
			if *r.Properties.ExpandedProperties.Scope.DisplayName == "" || r.Properties.StartDateTime.IsZero() {
				t.Errorf("row %+v", r.Properties)
			}
			rows++
		}
	}
	if rows != 11 {
		t.Errorf("%d rows", rows)
	}

	requests, err := sdk.NewRoleAssignmentScheduleRequestsClient(me, options)
	if err != nil {
		t.Fatal(err)
	}
	name := uuid.NewString()
	ask := sdk.RoleAssignmentScheduleRequest{Properties: &sdk.RoleAssignmentScheduleRequestProperties{
		PrincipalID: to.Ptr(sampleUser), RoleDefinitionID: to.Ptr(sampleSub + roleDefinitions + bossRole),
		RequestType: to.Ptr(sdk.RequestTypeSelfActivate), Justification: to.Ptr("why"),
		ScheduleInfo: &sdk.RoleAssignmentScheduleRequestPropertiesScheduleInfo{
			Expiration: &sdk.RoleAssignmentScheduleRequestPropertiesScheduleInfoExpiration{
				Type: to.Ptr(sdk.TypeAfterDuration), Duration: to.Ptr("PT2H"),
			},
		},
	}}
	if _, err := requests.Validate(ctx, sampleSub, name, ask, nil); err != nil {
		t.Error(err)
	}
	made, err := requests.Create(ctx, sampleSub, name, ask, nil)
	if err != nil {
		t.Fatal(err)
	}
	if *made.Properties.Status != sdk.StatusPendingApproval || *made.Name != name {
		t.Errorf("the request is %+v", made.Properties)
	}
	var refused *azcore.ResponseError
	if _, err := requests.Create(ctx, sampleSub, name, ask, nil); !errors.As(err, &refused) ||
		refused.StatusCode != http.StatusConflict || refused.ErrorCode != "RoleAssignmentRequestExists" {
		t.Errorf("the second time: %v", err)
	}
	if _, err := requests.Cancel(ctx, sampleSub, name, nil); err != nil {
		t.Error(err)
	}
	got, err := requests.Get(ctx, sampleSub, name, nil)
	if err != nil || *got.Properties.Status != sdk.StatusCanceled {
		t.Errorf("cancelled: %+v, %v", got.Properties, err)
	}

	policies, err := sdk.NewRoleManagementPolicyAssignmentsClient(me, options)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[sdk.RoleManagementPolicyRuleType]int{}
	for p := policies.NewListForScopePager(sampleSub, nil); p.More(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Value {
			for _, r := range a.Properties.EffectiveRules {
				kinds[*r.GetRoleManagementPolicyRule().RuleType]++
			}
		}
	}
	if len(kinds) != 5 || kinds[sdk.RoleManagementPolicyRuleTypeRoleManagementPolicyNotificationRule] != 8*9 {
		t.Errorf("rules by type: %v", kinds)
	}
}
