package graph

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/world"
)

// A small company of its own, with some ids of Microsoft's examples.
const (
	me       = "071cc716-8147-4397-a5ba-b2105951cc0b"
	boss     = "3fbd929d-8c56-4462-851e-0eb9a7b3a2a5"
	stranger = "d96ea738-3b95-4ae7-9e19-78a083066d5b"
	chief    = "c277c8cb-6bb7-42e5-a17f-0add9a718151"

	plainRole   = "8424c6f0-a189-499e-bbd0-26c1753c96d4"
	ruledRole   = "fdd7a751-b60b-444a-984c-02652fe8fa1c"
	stepUpRole  = "194ae4cb-b126-40b2-bd5b-6091b380977d"
	bossRole    = "fe930be7-5e62-47db-91af-98c3a49a38b1"
	openRole    = "29232cdf-9323-42fd-ade2-1d097af3e4de"
	unitRole    = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
	crewRole    = "f28a1f50-f6e7-4571-818b-6a12f2af6b6c"
	readerRole  = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
	privileged  = "e8611ab8-c189-46e8-94e1-60213ab1f814"
	unit        = "a0000000-0000-4000-8000-000000000001"
	unitScope   = "/administrativeUnits/" + unit
	application = "/b0000000-0000-4000-8000-000000000001"

	team   = "2b5ed229-4072-478d-9504-a047ebd4b07d"
	crew   = "7e526275-97a8-4dc6-932a-4db521cccf96"
	bosses = "60bba733-f09d-49b7-8445-32369aa066b3"

	directory = "/v1.0/roleManagement/directory/"
	groups    = "/v1.0/identityGovernance/privilegedAccess/group/"
	mine      = "/filterByCurrentUser(on='principal')"
)

var noon = time.Date(2022, 4, 13, 12, 0, 0, 0, time.UTC)

func company() (*world.Directory, *Data) {
	dir := &world.Directory{
		TenantID: "cab01047-8ad9-4792-8e42-569340767f1b", Name: "My Tenant", Domain: "my-tenant.com",
		Users: []world.User{
			{ID: me, Name: "User Account", UPN: "user@my-tenant.com"},
			{ID: boss, Name: "Boss", UPN: "boss@my-tenant.com", Groups: []string{bosses}},
			{ID: stranger, Name: "Stranger", UPN: "stranger@my-tenant.com"},
			{ID: chief, Name: "Chief", UPN: "chief@my-tenant.com"},
		},
		Groups: []world.Group{{ID: team, Name: "Team"}, {ID: crew, Name: "Crew", RoleAssignable: true}, {ID: bosses, Name: "Bosses"}},
	}
	begin := noon.AddDate(-1, 0, 0)
	soon := noon.AddDate(0, 0, 10)
	approvers := []ledger.Approver{{ID: bosses, Name: "Bosses", Group: true}, {ID: me, Name: "User Account"}}
	ruled := ledger.Policy{Maximum: 30 * time.Minute, Justification: true, Ticket: true, MFA: true}
	return dir, &Data{
		Roles: []Role{
			{ID: plainRole, Name: "Attribute Definition Administrator"},
			{ID: ruledRole, Name: "Groups Administrator"},
			{ID: stepUpRole, Name: "Security Administrator"},
			{ID: bossRole, Name: "User Administrator"},
			{ID: openRole, Name: "Exchange Administrator"},
			{ID: unitRole, Name: "Helpdesk Administrator"},
			{ID: crewRole, Name: "SharePoint Administrator"},
			{ID: readerRole, Name: "Global Reader"},
			{ID: privileged, Name: "Privileged Role Administrator"},
		},
		Units: []Unit{{ID: unit, Name: "Depots"}},
		RoleEligibilities: []RoleGrant{
			{Role: plainRole, Principal: me, Start: begin, End: soon},
			{Role: ruledRole, Principal: me, Start: begin},
			{Role: stepUpRole, Principal: me, Start: begin},
			{Role: bossRole, Principal: me, Start: begin},
			{Role: openRole, Principal: me, Start: begin},
			{Role: unitRole, Scope: unitScope, Principal: me, Start: begin},
			{Role: plainRole, Scope: application, Principal: me, Start: begin},
			{Role: openRole, Principal: boss, Start: begin},
			{Role: readerRole, Principal: me, Start: noon.AddDate(0, 0, 5)},
		},
		RoleAssignments: []RoleGrant{
			{Role: unitRole, Principal: me, Start: begin, End: noon.AddDate(0, 0, 5)},
			{Role: crewRole, Principal: crew, Start: begin},
			{Role: privileged, Principal: chief, Start: begin},
		},
		RolePolicies: []RolePolicy{
			{ruledRole, ruled},
			{stepUpRole, ledger.Policy{Context: "c1"}},
			{bossRole, ledger.Policy{Approvers: approvers, ApproverJustifies: true}},
			{openRole, ledger.Policy{Approval: true}},
			{unitRole, ledger.Policy{Maximum: 2 * time.Hour}},
		},
		GroupEligibilities: []GroupGrant{
			{Group: team, Access: "member", Principal: me, Start: begin, End: soon},
			{Group: team, Access: "owner", Principal: me, Start: begin},
			{Group: crew, Access: "member", Principal: me, Start: begin},
			{Group: bosses, Access: "owner", Principal: me, Start: begin},
		},
		GroupAssignments: []GroupGrant{{Group: bosses, Access: "member", Principal: stranger, Start: begin}},
		GroupPolicies: []GroupPolicy{
			{team, "owner", ledger.Policy{Approvers: approvers, ApproverJustifies: true}},
			{bosses, "owner", ruled},
		},
	}
}

// tenant is the service behind a real server, and what a test needs of it.
type tenant struct {
	t        *testing.T
	clock    *world.Clock
	settings Settings
	service  *Service
	server   *httptest.Server
	contract *contract
	// item disturbs the requests of a batch.
	item func(http.Handler) http.Handler
}

func newTenant(t *testing.T) *tenant {
	t.Helper()
	dir, data := company()
	tn := &tenant{t: t, clock: world.NewClock(noon, 1), settings: DefaultSettings(), item: func(h http.Handler) http.Handler { return h }}
	tn.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The token is the caller as JSON; checking tokens is somebody else's work.
		var c world.Caller
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if ok && json.Unmarshal([]byte(token), &c) == nil {
			r = r.WithContext(world.WithCaller(r.Context(), c))
		}
		tn.service.ServeHTTP(w, r)
	}))
	// Connections that the client opened in vain are no news.
	tn.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	tn.server.StartTLS()
	t.Cleanup(tn.server.Close)
	tn.service = New(Params{
		Clock: tn.clock, Directory: dir, Data: data, Base: tn.server.URL,
		Settings: func() Settings { return tn.settings },
		Item:     func(h http.Handler) http.Handler { return tn.item(h) },
	})
	return tn
}

// consent is what a client for all of role management asks for.
var consent = []string{
	"User.Read", "GroupMember.Read.All", "RoleEligibilitySchedule.ReadWrite.Directory", "RoleAssignmentSchedule.ReadWrite.Directory",
	"RoleManagementPolicy.Read.Directory", "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
	"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup", "RoleManagementPolicy.Read.AzureADGroup", "AdministrativeUnit.Read.All",
}

func user(id string) world.Caller {
	return world.Caller{UserID: id, Methods: []string{"pwd"}, Capabilities: []string{"cp1"}, Scopes: consent}
}

// with is the caller with these permissions only.
func with(who world.Caller, scopes ...string) world.Caller {
	who.Scopes = scopes
	return who
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (tn *tenant) do(who world.Caller, method, path string, body any) answer {
	tn.t.Helper()
	return tn.send(who, method, tn.server.URL+strings.ReplaceAll(path, " ", "%20"), body)
}

func (tn *tenant) send(who world.Caller, method, address string, body any) answer {
	tn.t.Helper()
	text, ok := body.(string)
	if !ok && body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			tn.t.Fatal(err)
		}
		text = string(raw)
	}
	req, err := http.NewRequestWithContext(tn.t.Context(), method, address, strings.NewReader(text))
	if err != nil {
		tn.t.Fatal(err)
	}
	token, err := json.Marshal(who)
	if err != nil {
		tn.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+string(token))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("client-request-id", clientID)
	resp, err := tn.server.Client().Do(req)
	if err != nil {
		tn.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		tn.t.Fatal(err)
	}
	a := answer{resp.StatusCode, resp.Header, raw}
	if a.header.Get("client-request-id") != clientID || a.header.Get("request-id") == "" {
		tn.t.Errorf("%s %s answers with the headers %v", method, address, a.header)
	}
	if tn.contract != nil {
		tn.contract.check(tn.t, req, text, a)
	}
	return a
}

const clientID = "5b1e4c6e-1111-4222-8333-444455556666"

func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
}

// code is the error's code and message, empty where there is none.
func (a answer) code() (code, message string) {
	var e struct {
		Error struct{ Code, Message string }
	}
	_ = json.Unmarshal(a.body, &e)
	return e.Error.Code, e.Error.Message
}

func (a answer) want(t *testing.T, status int, code string) answer {
	t.Helper()
	if got, _ := a.code(); a.status != status || got != code {
		t.Fatalf("want %d %s, got %d %s", status, code, a.status, a.body)
	}
	return a
}

// object is any row of any listing, and any single answer.
type object struct {
	ID, Status, PrincipalID, RoleDefinitionID, DirectoryScopeID, GroupID, AccessID string
	MemberType, AssignmentType, Action, ApprovalID, TargetScheduleID               string
	RoleAssignmentScheduleID, AssignmentScheduleID, RoleEligibilityScheduleID      string
	StartDateTime, EndDateTime, CompletedDateTime                                  *time.Time
	IsValidationOnly                                                               bool
	DisplayName, ScopeID, ScopeType, PolicyID                                      string
	ScheduleInfo                                                                   *struct {
		StartDateTime *time.Time
		Expiration    struct {
			Type, Duration string
			EndDateTime    *time.Time
		}
	}
	RoleDefinition, Principal, Group, DirectoryScope, ActivatedUsing *object
	Policy                                                           *struct {
		Rules, EffectiveRules []map[string]any
	}
	Stages, Steps []stage
	// Of a stage.
	ReviewResult, Justification string
	AssignedToMe                bool
	ReviewedDateTime            *time.Time
	ReviewedBy                  *object
}

type stage struct {
	ID, ReviewResult, Status string
	AssignedToMe             bool
}

type page struct {
	Value    []object
	NextLink string `json:"@odata.nextLink"`
	Count    *int   `json:"@odata.count"`
}

// list follows every page.
func (tn *tenant) list(who world.Caller, path string) []object {
	tn.t.Helper()
	rows, _ := tn.pages(who, path)
	return rows
}

func (tn *tenant) pages(who world.Caller, path string) (rows []object, pages int) {
	tn.t.Helper()
	for a := tn.do(who, "GET", path, nil); ; pages++ {
		a.want(tn.t, http.StatusOK, "")
		var p page
		a.into(tn.t, &p)
		rows = append(rows, p.Value...)
		if p.NextLink == "" {
			return rows, pages + 1
		}
		if !strings.HasPrefix(p.NextLink, tn.server.URL+"/") {
			tn.t.Fatalf("nextLink is %s", p.NextLink)
		}
		a = tn.send(who, "GET", p.NextLink, nil)
	}
}

func (a answer) status4xx(t *testing.T) {
	t.Helper()
	if code, _ := a.code(); a.status < 400 || a.status > 499 || code == "" {
		t.Fatalf("want a refusal, got %d %s", a.status, a.body)
	}
}

// properties of a request body.
type properties map[string]any

func askRole(action, role string, more ...properties) properties {
	p := properties{"action": action, "principalId": me, "roleDefinitionId": role, "directoryScopeId": "/"}
	return p.with(more...)
}

func askGroup(action, group, access string, more ...properties) properties {
	p := properties{"action": action, "principalId": me, "groupId": group, "accessId": access}
	return p.with(more...)
}

func (p properties) with(more ...properties) properties {
	for _, m := range more {
		for k, v := range m {
			p[k] = v
		}
	}
	return p
}

func lasting(d string) properties {
	return properties{"scheduleInfo": properties{"expiration": properties{"type": "afterDuration", "duration": d}}}
}

func startingAt(t time.Time, d string) properties {
	return properties{"scheduleInfo": properties{
		"startDateTime": t.Format(time.RFC3339Nano), "expiration": properties{"type": "AfterDuration", "duration": d},
	}}
}

const (
	roleRequests  = directory + "roleAssignmentScheduleRequests"
	groupRequests = groups + "assignmentScheduleRequests"
)

func (tn *tenant) activate(body properties) object {
	tn.t.Helper()
	path := roleRequests
	if body["groupId"] != nil {
		path = groupRequests
	}
	var r object
	tn.do(user(me), "POST", path, body).want(tn.t, http.StatusCreated, "").into(tn.t, &r)
	return r
}

func (tn *tenant) status(path, id string) string {
	tn.t.Helper()
	var now object
	tn.do(user(me), "GET", path+"/"+id, nil).want(tn.t, http.StatusOK, "").into(tn.t, &now)
	return now.Status
}

func filter(f string) string { return "?$filter=" + url.QueryEscape(f) }

// activeRoles and activeGroups are what the user is shown as active of an
// activation.
func (tn *tenant) activeRoles() []object {
	return tn.list(user(me), directory+"roleAssignmentScheduleInstances"+mine+filter("assignmentType eq 'Activated'"))
}

func (tn *tenant) activeGroups() []object {
	return tn.list(user(me), groups+"assignmentScheduleInstances"+mine+filter("assignmentType eq 'activated'"))
}
