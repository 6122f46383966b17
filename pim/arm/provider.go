package arm

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azcorearm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"

	"roletray/pim"
	"roletray/pim/wire"
)

// Params are what a Provider needs. The zero value of a field without a comment
// on its zero value is refused.
type Params struct {
	// UserID is the object id of the person whose roles these are: the claim oid
	// of their token. Every write names it as the principal.
	UserID string
	// Credential gives tokens to the SDK's own authorization policy. It may be nil
	// when a policy in Options authorizes requests.
	Credential azcore.TokenCredential
	// Options name the cloud's Resource Manager endpoint and carry the transport
	// and the policies that authorize requests. They are copied. Nil means
	// Microsoft's public cloud.
	Options *azcorearm.ClientOptions
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Timeout bounds one exchange with the service, without the time that it takes
	// to get a token; zero means 30 seconds.
	Timeout time.Duration
	// FirstWait is how long a read of active roles may hold up others that wait
	// for its place; zero means three seconds.
	FirstWait time.Duration
}

// Provider is a pim.Provider for Azure resource roles. It is safe for concurrent use.
type Provider struct {
	userID    string
	endpoint  *url.URL
	now       func() time.Time
	firstWait time.Duration

	eligible      *armauthorization.RoleEligibilityScheduleInstancesClient
	assignments   *armauthorization.RoleAssignmentScheduleInstancesClient
	requests      assignmentRequests
	prolongations eligibilityRequests
	policies      *armauthorization.RoleManagementPolicyAssignmentsClient
	children      *armauthorization.EligibleChildResourcesClient
	// plain sends what armauthorization has no client for.
	plain *azcorearm.Client
}

var (
	_ pim.Provider     = (*Provider)(nil)
	_ pim.Decider      = (*Provider)(nil)
	_ pim.ReviewReader = (*Provider)(nil)
	_ pim.Prolonger    = (*Provider)(nil)
	_ pim.ScopeBrowser = (*Provider)(nil)
)

// New returns a Provider. It sends nothing.
func New(p Params) (*Provider, error) {
	if p.UserID == "" {
		return nil, errors.New("azure roles: the person's object id is missing")
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Timeout == 0 {
		p.Timeout = 30 * time.Second
	}
	if p.FirstWait == 0 {
		p.FirstWait = 3 * time.Second
	}
	options := p.Options.Clone()
	if options == nil {
		options = &azcorearm.ClientOptions{}
	}
	service, ok := options.Cloud.Services[cloud.ResourceManager]
	if !ok {
		service = cloud.AzurePublic.Services[cloud.ResourceManager]
	}
	endpoint, err := url.Parse(service.Endpoint)
	if err != nil || endpoint.Host == "" {
		return nil, fmt.Errorf("azure roles: %q is no endpoint of Azure Resource Manager", service.Endpoint)
	}
	// Without this the SDK would answer certain refusals by registering resource
	// providers in the person's subscription.
	options.DisableRPRegistration = true
	options.PerCallPolicies = slices.Concat(
		[]policy.Policy{runtime.NewRequestIDPolicy(), wire.Naming("x-ms-client-request-id", "x-ms-correlation-request-id"), wire.Func(addFilter), wire.Func(accept)},
		options.PerCallPolicies)
	wire.Configure(&options.ClientOptions, p.Now, p.Timeout)

	provider := &Provider{
		userID:    strings.ToLower(p.UserID),
		endpoint:  endpoint,
		now:       p.Now,
		firstWait: p.FirstWait,
	}
	factory, err := armauthorization.NewClientFactory("", p.Credential, options)
	if err != nil {
		return nil, fmt.Errorf("azure roles: %w", err)
	}
	provider.eligible = factory.NewRoleEligibilityScheduleInstancesClient()
	provider.assignments = factory.NewRoleAssignmentScheduleInstancesClient()
	provider.requests.client = factory.NewRoleAssignmentScheduleRequestsClient()
	provider.prolongations.client = factory.NewRoleEligibilityScheduleRequestsClient()
	provider.policies = factory.NewRoleManagementPolicyAssignmentsClient()
	provider.children = factory.NewEligibleChildResourcesClient()
	provider.plain, err = azcorearm.NewClient("roletray", "v0.0.0", p.Credential, options)
	if err != nil {
		return nil, fmt.Errorf("azure roles: %w", err)
	}
	return provider, nil
}

// Kind is pim.KindAzure.
func (*Provider) Kind() pim.Kind { return pim.KindAzure }
