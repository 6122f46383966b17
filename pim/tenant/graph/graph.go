// Package graph is the part of Microsoft Graph that Privileged Identity
// Management needs, simulated: directory roles and groups with their
// eligibilities, activations, requests, role settings and approvals, the names
// that go with them, and batches, in v1.0 and, where only beta has it, in beta.
// It knows only people who act for themselves: administrators' requests are
// refused.
package graph

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/world"
)

// Params is what a Service needs.
type Params struct {
	Clock     *world.Clock
	Directory *world.Directory
	// Data must not be changed afterwards. Nil means nothing.
	Data *Data
	// Base is the service's https base without a path.
	Base string
	// Settings is asked anew for each request. Nil means DefaultSettings.
	Settings func() Settings
	// Item wraps what answers each request in a batch, so that it can be
	// watched and disturbed like one that came alone. Nil means that it is not.
	Item func(http.Handler) http.Handler
}

// Service is the simulated Graph. It is safe for concurrent use. Requests must
// carry their caller, see world.WithCaller; paths must come unchanged.
type Service struct {
	Params

	roles     map[string]Role
	roleOrder []Role
	units     map[string]Unit
	// scopes are the directory scopes as they are shown, by their lower case.
	scopes     map[string]string
	directory  *plane
	groups     *plane
	operations []operation
}

// New returns a service with the data in its books. It panics when the data
// does not fit together, such as a role that is not there; see Data.Check.
func New(p Params) *Service {
	s, err := newService(p)
	if err != nil {
		panic("graph: " + err.Error())
	}
	return s
}

// Check reports what New would panic about.
func (d *Data) Check(dir *world.Directory) error {
	_, err := newService(Params{Clock: &world.Clock{}, Directory: dir, Data: d})
	return err
}

func newService(p Params) (*Service, error) {
	if p.Data == nil {
		p.Data = &Data{}
	}
	if p.Settings == nil {
		p.Settings = DefaultSettings
	}
	if p.Item == nil {
		p.Item = func(h http.Handler) http.Handler { return h }
	}
	s := &Service{Params: p, roles: map[string]Role{}, units: map[string]Unit{}, scopes: map[string]string{"/": "/"}}
	s.groups = newPlane(s, true, nil)
	s.directory = newPlane(s, false, s.MemberOf)
	s.operations = s.table()
	return s, s.load(p.Data)
}

// MemberOf are the groups, in lower case, that a user is a member of now by an
// assignment that Privileged Identity Management keeps.
func (s *Service) MemberOf(userID string) []string {
	var ids []string
	for _, a := range s.groups.books.InForce(ledger.Holder{Principal: userID}) {
		if a.Target.Access == member {
			ids = append(ids, a.Target.Role)
		}
	}
	return ids
}

// The built-in roles that decide where no approver is named, and those that may
// read what concerns others.
var (
	deciders = []string{
		"62e90394-69f5-4237-9190-012177145e10", // Global Administrator
		"e8611ab8-c189-46e8-94e1-60213ab1f814", // Privileged Role Administrator
	}
	readers = append([]string{
		"f2ef992c-3afb-46b9-b7cf-a126ee74c451", // Global Reader
		"194ae4cb-b126-40b2-bd5b-6091b380977d", // Security Administrator
		"5f2222b1-57c3-48ba-8ad5-d4759f1fde6f", // Security Operator
		"5d6b6bb7-de71-4623-b4af-96380a352509", // Security Reader
	}, deciders...)
)

// hasRole reports whether one of the roles is active for the user.
func (s *Service) hasRole(userID string, roles []string) bool {
	return slices.ContainsFunc(s.directory.books.InForce(ledger.Holder{User: userID}), func(a ledger.Assignment) bool {
		return a.Target.Scope == "/" && slices.Contains(roles, a.Target.Role)
	})
}

// call is one request on its way through the service.
type call struct {
	s        *Service
	w        http.ResponseWriter
	r        *http.Request
	id       requestID
	caller   world.Caller
	settings Settings
	// version is v1.0 or beta.
	version string
	// query has its keys in lower case, with the dollar sign.
	query map[string]string
}

// ServeHTTP answers one request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{s: s, w: w, r: r, id: mark(w, r), settings: s.Settings(), query: map[string]string{}}
	for k, v := range options(r.URL) {
		k = strings.ToLower(k)
		if slices.Contains(dollars, "$"+k) {
			k = "$" + k
		}
		c.query[k] = v[0]
	}
	var ok bool
	if c.caller, ok = world.CallerFrom(r.Context()); !ok {
		c.refuse(faultf(http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty."))
		return
	}
	if err := c.answer(); err != nil {
		c.refuse(c.asFault(err))
	}
}

// options are the query options of an address. A semicolon parts the options
// within $expand, not those of the address.
func options(u *url.URL) url.Values {
	q, _ := url.ParseQuery(strings.ReplaceAll(u.RawQuery, ";", "%3B")) // what is malformed is left out
	return q
}

// dollars are the query options that may come without their dollar sign.
var dollars = []string{"$filter", "$select", "$expand", "$top", "$skip", "$count", "$orderby", "$skiptoken"}

type requestID struct{ own, client string }

// mark sets the headers that every answer of Graph has.
func mark(w http.ResponseWriter, r *http.Request) requestID {
	id := requestID{own: uuid.NewString()}
	id.client = id.own
	if sent, err := uuid.Parse(r.Header.Get("client-request-id")); err == nil {
		id.client = sent.String()
	}
	h := w.Header()
	h.Set("request-id", id.own)
	h.Set("client-request-id", id.client)
	h.Set("Cache-Control", "no-cache")
	h.Set("Strict-Transport-Security", "max-age=31536000")
	return id
}

// operation is what one kind of path can do.
type operation struct {
	// versions are v1.0, beta, or both with a space.
	versions string
	// path are the segments after the version, in lower case; * stands for an
	// id, and filterbycurrentuser for the function with any argument.
	path    string
	methods methods
}

type methods = map[string]func(c *call, names []string) error

const (
	v1   = "v1.0"
	beta = "beta"
	both = v1 + " " + beta
)

func (c *call) answer() error {
	segments := split(c.r.URL.Path)
	if len(segments) == 0 || segments[0] != v1 && segments[0] != beta {
		first := ""
		if len(segments) > 0 {
			first = segments[0]
		}
		return badRequest("Invalid version: %.100s", first)
	}
	c.version = segments[0]
	op, names := c.s.find(c.version, segments[1:])
	if op == nil {
		return badRequest("Resource not found for the segment '%.100s'.", segments[len(segments)-1])
	}
	run := op.methods[c.r.Method]
	if run == nil {
		return faultf(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
	}
	if c.settings.NoLicense && op.licensed() {
		return pimFault(http.StatusBadRequest, "AadPremiumLicenseRequired", "The tenant needs a Microsoft Entra ID P2 or Microsoft Entra ID Governance license.")
	}
	return run(c, names)
}

// licensed tells role management from the rest of the directory.
func (op *operation) licensed() bool {
	return slices.ContainsFunc([]string{"rolemanagement/", "identitygovernance/", "policies/"}, func(root string) bool {
		return strings.HasPrefix(op.path, root)
	})
}

// split is a path in its segments. A key in parentheses counts as a segment of
// its own, as OData has it; a function keeps its argument.
func split(path string) []string {
	var out []string
	for _, s := range strings.Split(strings.Trim(path, "/"), "/") {
		name, key, ok := strings.Cut(s, "(")
		key, closed := strings.CutSuffix(key, ")")
		switch {
		case !ok || !closed || strings.Contains(key, "="):
			out = append(out, s)
		default:
			out = append(out, name, strings.Trim(key, "'"))
		}
	}
	if len(out) == 1 && out[0] == "" {
		return nil
	}
	return out
}

func (s *Service) find(version string, segments []string) (*operation, []string) {
	for i := range s.operations {
		op := &s.operations[i]
		if !slices.Contains(strings.Fields(op.versions), version) {
			continue
		}
		if names, ok := op.match(segments); ok {
			return op, names
		}
	}
	return nil, nil
}

func (op *operation) match(segments []string) (names []string, ok bool) {
	want := strings.Split(op.path, "/")
	if len(want) != len(segments) {
		return nil, false
	}
	for i, w := range want {
		on, function := currentUser(segments[i])
		switch {
		case w == "*" && !function && segments[i] != "":
			names = append(names, segments[i])
		case w == "filterbycurrentuser" && function:
			names = append(names, on)
		case !is(w, segments[i]):
			return nil, false
		}
	}
	return names, true
}

// currentUser takes filterByCurrentUser(on='…') apart.
func currentUser(segment string) (on string, ok bool) {
	name, argument, _ := strings.Cut(segment, "(")
	if !is(strings.TrimPrefix(name, "microsoft.graph."), "filterByCurrentUser") {
		return "", false
	}
	argument, _ = strings.CutSuffix(argument, ")")
	key, value, _ := strings.Cut(argument, "=")
	if !is(strings.TrimSpace(key), "on") {
		return "", true
	}
	return strings.Trim(strings.TrimSpace(value), "'"), true
}

func is(a, b string) bool { return strings.EqualFold(a, b) }

// table lists the operations; the first that fits answers.
func (s *Service) table() []operation {
	list := []operation{
		{both, "me", methods{"GET": (*call).getMe}},
		{both, "organization", methods{"GET": (*call).listOrganization}},
		{both, "users", methods{"GET": (*call).listUsers}},
		{both, "users/*", methods{"GET": (*call).getUser}},
		{both, "groups", methods{"GET": (*call).listGroups}},
		{both, "groups/*", methods{"GET": (*call).getGroup}},
		{both, "directory/administrativeunits", methods{"GET": (*call).listUnits}},
		{both, "directory/administrativeunits/*", methods{"GET": (*call).getUnit}},
		{both, "directoryobjects/getbyids", methods{"POST": (*call).getByIDs}},
		{both, "$batch", methods{"POST": (*call).batch}},
		{v1, "rolemanagement/directory/roledefinitions", methods{"GET": (*call).listRoles}},
		{v1, "rolemanagement/directory/roledefinitions/*", methods{"GET": (*call).getRole}},
		{v1, "policies/rolemanagementpolicyassignments", methods{"GET": (*call).listPolicyAssignments}},
		{v1, "policies/rolemanagementpolicyassignments/*", methods{"GET": (*call).getPolicyAssignment}},
		{v1, "policies/rolemanagementpolicies", methods{"GET": (*call).listPolicies}},
		{v1, "policies/rolemanagementpolicies/*", methods{"GET": (*call).getPolicy, "PATCH": (*call).refuseAdministration}},
		{v1, "policies/rolemanagementpolicies/*/rules", methods{"GET": (*call).listRules}},
		{v1, "policies/rolemanagementpolicies/*/effectiverules", methods{"GET": (*call).listRules}},
		{v1, "policies/rolemanagementpolicies/*/rules/*", methods{"GET": (*call).getRule, "PATCH": (*call).refuseAdministration}},
	}
	for _, p := range []*plane{s.directory, s.groups} {
		for _, k := range p.kinds {
			list = append(list, p.operations(k)...)
		}
		list = append(list, p.approvalOperations()...)
	}
	return list
}

func (c *call) refuseAdministration([]string) error { return unauthorized() }
