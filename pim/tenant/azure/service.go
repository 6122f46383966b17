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
	// MemberOf are the groups, in lower case, that a user is in for now beyond
	// those in the directory. Nil means none.
	MemberOf func(userID string) []string
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
		Clock: p.Clock, Directory: p.Directory, Tree: t, DefaultPolicy: p.Data.DefaultPolicy, MemberOf: p.MemberOf,
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
	if c.settings.NoLicense && route.authorization {
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

// Submit takes a request in that comes with the tenant and not over HTTP.
func (s *Service) Submit(by world.Caller, r ledger.Submission) error {
	_, err := s.books.Submit(by, r)
	return err
}
