// Package azure is the part of Azure Resource Manager that Privileged Identity
// Management needs, simulated: eligibilities, activations, requests, role
// settings and approvals of Azure roles, in the api-versions 2020-10-01 and
// 2021-01-01-preview. It knows only people who act for themselves:
// administrators' requests are refused.
package azure

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/world"
)

// Params is what a Service needs.
type Params struct {
	Clock     *world.Clock
	Directory *world.Directory
	// Data must not be changed afterwards.
	Data *Data
	// BaseURL is where the service is reached, without a closing slash. It is
	// asked anew for each nextLink.
	BaseURL func() string
	// Settings is asked anew for each request.
	Settings func() Settings
}

// Service answers for https://management.azure.com. It is safe for concurrent
// use. Requests must carry their caller, see world.WithCaller; paths must come
// unchanged, so it must not stand behind an http.ServeMux, which redirects
// doubled slashes.
type Service struct {
	clock     *world.Clock
	directory *world.Directory
	baseURL   func() string
	settings  func() Settings

	tree       *tree
	roles      map[string]Role
	roleOrder  []Role
	unreadable map[string]bool
	books      *ledger.Ledger

	rootReads, pastStarts atomic.Int64
	limits                limits
}

// New returns a service with the data in its books. It panics when the data
// does not fit together, such as a role at a scope that is not there; see
// Check.
func New(p Params) *Service {
	s, err := newService(p)
	if err != nil {
		panic("azure: " + err.Error())
	}
	return s
}

// Check reports what New would panic about.
func (d *Data) Check(dir *world.Directory) error {
	_, err := newService(Params{Clock: world.NewClock(time.Time{}, 1), Directory: dir, Data: d})
	return err
}

func newService(p Params) (*Service, error) {
	t, err := newTree(p.Data.Scopes, p.Directory.Name)
	if err != nil {
		return nil, err
	}
	s := &Service{
		clock: p.Clock, directory: p.Directory, baseURL: p.BaseURL, settings: p.Settings,
		tree: t, roles: map[string]Role{}, unreadable: map[string]bool{},
	}
	s.books = ledger.New(ledger.Params{
		Clock: p.Clock, Directory: p.Directory, Tree: t, DefaultPolicy: p.Data.DefaultPolicy,
		Timing: func() ledger.Timing {
			o := s.settings()
			return ledger.Timing{
				ActivationLag:   time.Duration(o.ActivationLagSeconds) * time.Second,
				DeactivationLag: time.Duration(o.DeactivationLagSeconds) * time.Second,
				NotYet:          time.Duration(o.NotYetWindowSeconds) * time.Second,
				TooEarlyFails:   o.DeactivateTooEarlyAs201,
			}
		},
	})
	return s, s.load(p.Data)
}

// call is one request on its way through the service.
type call struct {
	s        *Service
	w        http.ResponseWriter
	r        *http.Request
	caller   world.Caller
	settings Settings
	// query has its keys in lower case.
	query map[string]string
	// node is the scope in the path.
	node *node
}

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mark(w, r)
	c := &call{s: s, w: w, r: r, settings: s.settings(), query: map[string]string{}}
	for k, v := range r.URL.Query() {
		c.query[strings.ToLower(k)] = v[0]
	}
	var ok bool
	if c.caller, ok = world.CallerFrom(r.Context()); !ok {
		writeFault(w, faultf(http.StatusUnauthorized, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."))
		return
	}
	if err := c.answer(); err != nil {
		writeFault(w, c.asFault(err))
	}
}

// mark sets the headers that every answer of ARM has.
func (s *Service) mark(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	id := uuid.NewString()
	h.Set("x-ms-request-id", id)
	h.Set("x-ms-correlation-request-id", id)
	if sent := r.Header.Get("x-ms-correlation-request-id"); uuid.Validate(sent) == nil {
		h.Set("x-ms-correlation-request-id", sent)
	}
	if sent := r.Header.Get("x-ms-client-request-id"); uuid.Validate(sent) == nil && is(r.Header.Get("x-ms-return-client-request-id"), "true") {
		h.Set("x-ms-client-request-id", sent)
	}
	kind := "tenant"
	if strings.HasPrefix(strings.ToLower(r.URL.Path), "/subscriptions/") {
		kind = "subscription"
	}
	name, left := s.limits.take(kind, r.Method == http.MethodGet, s.clock.Now())
	h.Set("x-ms-ratelimit-remaining-"+name, strconv.Itoa(left))
	h.Set("Cache-Control", "no-cache")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
}

// limits counts what is left of the requests that Microsoft allows per hour.
// Nothing is refused when they are used up: throttling is a fault that is asked
// for.
type limits struct {
	mu   sync.Mutex
	hour time.Time
	used map[string]int
}

func (l *limits) take(kind string, read bool, now time.Time) (name string, left int) {
	name, left = kind+"-writes", 1200
	if read {
		name, left = kind+"-reads", 12000
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if hour := now.Truncate(time.Hour); !hour.Equal(l.hour) {
		l.hour, l.used = hour, map[string]int{}
	}
	l.used[name]++
	return name, max(0, left-l.used[name])
}

// operation is what one kind of path can do.
type operation struct {
	versions []string
	// path are the segments after Microsoft.Authorization, in lower case; *
	// stands for a name.
	path    string
	methods map[string]func(c *call, names []string) error
}

var (
	pimVersions      = []string{"2020-10-01", "2020-10-01-preview", "2022-04-01-preview"}
	approvalVersions = []string{"2021-01-01-preview"}
	resourceVersions = []string{"2021-04-01"}
	listVersions     = []string{"2022-12-01", "2021-01-01", "2020-01-01", "2019-11-01", "2019-06-01", "2016-06-01"}
)

type methods = map[string]func(c *call, names []string) error

// operations are the paths after {scope}/providers/Microsoft.Authorization.
var operations = []operation{
	{pimVersions, "roleeligibilityscheduleinstances", methods{"GET": (*call).listEligibilityInstances}},
	{pimVersions, "roleeligibilityscheduleinstances/*", methods{"GET": (*call).getEligibilityInstance}},
	{pimVersions, "roleeligibilityschedules", methods{"GET": (*call).listEligibilitySchedules}},
	{pimVersions, "roleeligibilityschedules/*", methods{"GET": (*call).getEligibilitySchedule}},
	{pimVersions, "roleassignmentscheduleinstances", methods{"GET": (*call).listAssignmentInstances}},
	{pimVersions, "roleassignmentscheduleinstances/*", methods{"GET": (*call).getAssignmentInstance}},
	{pimVersions, "roleassignmentschedules", methods{"GET": (*call).listAssignmentSchedules}},
	{pimVersions, "roleassignmentschedules/*", methods{"GET": (*call).getAssignmentSchedule}},
	{pimVersions, "roleassignmentschedulerequests", methods{"GET": listRequests(ledger.OfAssignment)}},
	{pimVersions, "roleassignmentschedulerequests/*", methods{
		"GET": getRequest(ledger.OfAssignment), "PUT": putRequest(ledger.OfAssignment),
	}},
	{pimVersions, "roleassignmentschedulerequests/*/cancel", methods{"POST": cancelRequest(ledger.OfAssignment)}},
	{pimVersions, "roleassignmentschedulerequests/*/validate", methods{"POST": validateRequest(ledger.OfAssignment)}},
	{pimVersions, "roleeligibilityschedulerequests", methods{"GET": listRequests(ledger.OfEligibility)}},
	{pimVersions, "roleeligibilityschedulerequests/*", methods{
		"GET": getRequest(ledger.OfEligibility), "PUT": putRequest(ledger.OfEligibility),
	}},
	{pimVersions, "roleeligibilityschedulerequests/*/cancel", methods{"POST": cancelRequest(ledger.OfEligibility)}},
	{pimVersions, "roleeligibilityschedulerequests/*/validate", methods{"POST": validateRequest(ledger.OfEligibility)}},
	{pimVersions, "rolemanagementpolicyassignments", methods{"GET": (*call).listPolicyAssignments}},
	{pimVersions, "rolemanagementpolicyassignments/*", methods{
		"GET": (*call).getPolicyAssignment, "PUT": (*call).refusePolicyWrite, "DELETE": (*call).refusePolicyWrite,
	}},
	{pimVersions, "rolemanagementpolicies", methods{"GET": (*call).listPolicies}},
	{pimVersions, "rolemanagementpolicies/*", methods{
		"GET": (*call).getPolicy, "PATCH": (*call).refusePolicyWrite, "DELETE": (*call).refusePolicyWrite,
	}},
	{pimVersions, "eligiblechildresources", methods{"GET": (*call).listChildren}},
	{approvalVersions, "roleassignmentapprovals", methods{"GET": (*call).listApprovals}},
	{approvalVersions, "roleassignmentapprovals/*", methods{"GET": (*call).getApproval}},
	{approvalVersions, "roleassignmentapprovals/*/stages", methods{"GET": (*call).listStages}},
	{approvalVersions, "roleassignmentapprovals/*/stages/*", methods{
		"GET": (*call).getStage, "PATCH": (*call).decide, "PUT": (*call).decide,
	}},
}

// plain are the paths that are not about Microsoft.Authorization.
var plain = []operation{
	{listVersions, "subscriptions", methods{"GET": (*call).listSubscriptions}},
	{resourceVersions, "subscriptions/*/resourcegroups/*/resources", methods{"GET": (*call).listResources}},
}

func (c *call) answer() error {
	route, err := parsePath(c.r.URL.Path)
	table := plain
	if route.authorization {
		table = operations
	}
	if err != nil {
		return faultf(http.StatusBadRequest, "InvalidScope", "The scope in '%s' is not valid.", c.r.URL.Path)
	}
	op, names := match(table, route.rest)
	if op == nil {
		return faultf(http.StatusNotFound, "InvalidResourceType", "The resource type could not be found for path '%s'.", c.r.URL.Path)
	}
	if err := c.checkVersion(op.versions); err != nil {
		return err
	}
	run := op.methods[c.r.Method]
	if run == nil {
		return faultf(http.StatusMethodNotAllowed, "HttpMethodNotSupported", "The http method '%s' is not supported for this resource.", c.r.Method)
	}
	if c.settings.NoLicense {
		return faultf(http.StatusBadRequest, "AadPremiumLicenseRequired", "The tenant needs a Microsoft Entra ID P2 or Microsoft Entra ID Governance license.")
	}
	if c.settings.MandatoryMFA && c.r.Method != http.MethodGet && !slices.Contains(c.caller.Methods, "mfa") {
		return mandatoryMFA(c.r.URL.Path)
	}
	if c.node, err = c.s.find(route.scope); err != nil {
		return err
	}
	return run(c, names)
}

func (c *call) checkVersion(known []string) error {
	v := c.query["api-version"]
	if v == "" {
		return faultf(http.StatusBadRequest, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
	}
	if !slices.ContainsFunc(known, func(k string) bool { return is(k, v) }) {
		return faultf(http.StatusBadRequest, "InvalidApiVersionParameter", "The api-version '%s' is invalid. The supported versions are '%s'.", v, strings.Join(known, ","))
	}
	return nil
}

func match(table []operation, rest []string) (*operation, []string) {
	for i := range table {
		want := strings.Split(table[i].path, "/")
		if len(want) != len(rest) {
			continue
		}
		var names []string
		ok := true
		for j, w := range want {
			if w == "*" {
				names = append(names, rest[j])
			} else if !is(w, rest[j]) {
				ok = false
				break
			}
		}
		if ok {
			return &table[i], names
		}
	}
	return nil, nil
}

// find is the scope in its place, or the 404 that ARM gives for its kind.
func (s *Service) find(p scopePath) (*node, error) {
	if n := s.tree.nodes[fold(p.id)]; n != nil {
		return n, nil
	}
	switch p.kind {
	case typeManagementGroup:
		return nil, notFound("management group", lastPart(p.id))
	case typeSubscription:
		return nil, noSubscription(lastPart(p.id))
	case typeResourceGroup:
		return nil, faultf(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", lastPart(p.id))
	}
	return nil, notFound("resource", p.id)
}

func noSubscription(id string) *fault {
	return faultf(http.StatusNotFound, "SubscriptionNotFound", "The subscription '%s' could not be found.", id)
}

// mandatoryMFA is Azure's refusal of a write without multifactor
// authentication; the claims to ask for are in the header.
func mandatoryMFA(path string) *fault {
	const claims = `{"access_token":{"acrs":{"essential":true,"values":["p1"]}}}`
	f := faultf(http.StatusForbidden, "RequestDisallowedByAzure",
		"Resource '%s' was disallowed by Azure: users must authenticate with multi-factor authentication. See https://aka.ms/MFAforAzure", path)
	f.header = http.Header{"Www-Authenticate": {challenge(claims)}}
	return f
}

// Decide answers a request in the name of an approver, or of an administrator
// where the request is to extend or renew. An empty approverID means the first
// person who may. Errors say in a sentence what is wrong.
func (s *Service) Decide(requestName string, approve bool, approverID, justification string) error {
	r, ok := s.books.Request(requestName)
	if !ok {
		return errors.New("there is no such request")
	}
	if r.Approval == nil {
		return s.books.DecideProlongation(r.ID, approve)
	}
	if approverID == "" {
		for _, u := range s.directory.Users {
			if s.books.CanDecide(&r, u.ID) {
				approverID = u.ID
				break
			}
		}
	}
	result := ledger.Deny
	if approve {
		result = ledger.Approve
	}
	_, err := s.books.Review(approverID, r.Approval.ID, r.Approval.StageID, result, justification)
	var e *ledger.Error
	if errors.As(err, &e) && e.Code == ledger.InsufficientPermissions {
		return errors.New("only an approver who is not the requestor can decide on the request")
	}
	return err
}
