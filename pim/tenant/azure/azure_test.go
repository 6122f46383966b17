package azure

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/world"
)

// A small company of its own, with the ids of Microsoft's samples.
const (
	sampleUser  = "a3bb8764-cb92-4276-9d2a-ca1e895e55ea"
	boss        = "b0000000-0000-4000-8000-000000000001"
	stranger    = "c0000000-0000-4000-8000-000000000001"
	team        = "d0000000-0000-4000-8000-000000000001"
	bosses      = "d0000000-0000-4000-8000-000000000002"
	sampleRole  = "c8d4ff99-41c3-41a8-9f60-21dfdad59608"
	plainRole   = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	ruledRole   = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	stepUpRole  = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
	bossRole    = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	groupRole   = "4d97b98b-1d4f-4787-a291-c67834d212e7"
	vmRole      = "1c0163c0-47e6-4577-8991-ea5c82e286e4"
	customRole  = "e0000000-0000-4000-8000-000000000001"
	sampleSub   = "/subscriptions/dfa2a084-766f-4003-8ae1-c4aeb893a99f"
	otherSub    = "/subscriptions/129ff972-28f8-46b8-a726-e497be039368"
	upper       = "/providers/Microsoft.Management/managementGroups/upper"
	lower       = "/providers/Microsoft.Management/managementGroups/lower"
	groupOne    = sampleSub + "/resourceGroups/RG-1"
	groupTwo    = sampleSub + "/resourceGroups/RG-2"
	machine     = groupOne + "/providers/Microsoft.Compute/virtualMachines/vm-1"
	condition   = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:ContainerName] StringEqualsIgnoreCase 'foo_storage_container'"
	samplesLink = "b1477448-2cc6-4ceb-93b4-54a202a89413"
	pim         = "/providers/Microsoft.Authorization/"
)

// noon is when the samples were made.
var noon = time.Date(2020, 9, 9, 21, 35, 0, 0, time.UTC)

func company() (*world.Directory, *Data) {
	dir := &world.Directory{
		TenantID: "f0000000-0000-4000-8000-000000000001", Name: "My Tenant", Domain: "my-tenant.com",
		Users: []world.User{
			{ID: sampleUser, Name: "User Account", UPN: "user@my-tenant.com", Groups: []string{team}},
			{ID: boss, Name: "Boss", UPN: "boss@my-tenant.com", Groups: []string{bosses}},
			{ID: stranger, Name: "Stranger", UPN: "stranger@my-tenant.com"},
		},
		Groups: []world.Group{{ID: team, Name: "Team"}, {ID: bosses, Name: "Bosses"}},
	}
	begin := noon.AddDate(-1, 0, 0)
	approvers := []ledger.Approver{{ID: bosses, Name: "Bosses", Group: true}, {ID: sampleUser, Name: "User Account"}}
	return dir, &Data{
		Scopes: []Scope{
			{ID: upper, Name: "Upper"},
			{ID: lower, Name: "Lower", Parent: upper},
			{ID: sampleSub, Name: "Pay-As-You-Go", Parent: lower},
			{ID: otherSub, Name: "Other", Parent: lower},
			{ID: groupOne},
			{ID: groupTwo, Locked: true},
			{ID: machine},
		},
		Roles: []Role{
			{ID: sampleRole, Name: "Contributor of the samples"},
			{ID: plainRole, Name: "Reader"},
			{ID: ruledRole, Name: "Contributor"},
			{ID: stepUpRole, Name: "User Access Administrator"},
			{ID: bossRole, Name: "Owner"},
			{ID: groupRole, Name: "Network Contributor"},
			{ID: vmRole, Name: "Virtual Machine Administrator Login"},
			{ID: customRole, Name: "Our own", Custom: true},
		},
		Eligibilities: []Eligibility{
			{
				ID: samplesLink, InstanceID: "21e4b59a-0499-4fe0-a3c3-43a3055b773a",
				Role: sampleRole, Scope: sampleSub, Principal: sampleUser, Start: begin, Condition: condition, ConditionVersion: "1.0",
			},
			{Role: plainRole, Scope: sampleSub, Principal: sampleUser, Start: begin, End: noon.AddDate(0, 0, 10)},
			{Role: ruledRole, Scope: sampleSub, Principal: sampleUser, Start: begin},
			{Role: stepUpRole, Scope: sampleSub, Principal: sampleUser, Start: begin},
			{Role: bossRole, Scope: sampleSub, Principal: sampleUser, Start: begin},
			{Role: groupRole, Scope: otherSub, Principal: team, Start: begin},
			{Role: vmRole, Scope: machine, Principal: sampleUser, Start: begin},
			{Role: plainRole, Scope: groupTwo, Principal: sampleUser, Start: begin},
			{Role: customRole, Scope: upper, Principal: sampleUser, Start: begin},
			{Role: customRole, Scope: otherSub, Principal: sampleUser, Start: begin, End: noon.AddDate(0, 0, -3)},
			{Role: plainRole, Scope: otherSub, Principal: boss, Start: begin},
		},
		Assignments: []Assignment{
			{Role: plainRole, Scope: otherSub, Principal: sampleUser, Start: begin},
			{Role: vmRole, Scope: otherSub, Principal: sampleUser, Start: begin, End: noon.AddDate(0, 0, 5)},
			{Role: customRole, Scope: sampleSub, Principal: team, Start: begin},
			{Role: bossRole, Scope: upper, Principal: boss, Start: begin},
		},
		Policies: []Policy{
			{Role: ruledRole, Scope: sampleSub, Policy: ledger.Policy{
				Maximum: 30 * time.Minute, Justification: true, Ticket: true, MFA: true,
			}},
			{Role: stepUpRole, Scope: sampleSub, Policy: ledger.Policy{Context: "c1"}},
			{Role: bossRole, Scope: sampleSub, Policy: ledger.Policy{Approvers: approvers, ApproverJustifies: true}},
		},
		Unreadable: []string{groupTwo},
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
}

func newTenant(t *testing.T) *tenant {
	t.Helper()
	dir, data := company()
	return serve(t, dir, data, noon)
}

func serve(t *testing.T, dir *world.Directory, data *Data, start time.Time) *tenant {
	t.Helper()
	tn := &tenant{t: t, clock: world.NewClock(start, 1), settings: DefaultSettings()}
	tn.service = New(Params{
		Clock: tn.clock, Directory: dir, Data: data,
		BaseURL:  func() string { return tn.server.URL },
		Settings: func() Settings { return tn.settings },
	})
	tn.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The token is the caller as JSON; checking tokens is somebody else's work.
		var c world.Caller
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if ok && json.Unmarshal([]byte(token), &c) == nil {
			r = r.WithContext(world.WithCaller(r.Context(), c))
		}
		tn.service.ServeHTTP(w, r)
	}))
	t.Cleanup(tn.server.Close)
	return tn
}

// underContract makes the tenant check every answer against Microsoft's
// contract from now on.
func (tn *tenant) underContract() *tenant {
	tn.contract = loadContract(tn.t)
	return tn
}

func user(id string) world.Caller {
	return world.Caller{UserID: id, Methods: []string{"pwd"}, Capabilities: []string{"cp1"}}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request. A path without a query gets the api-version that fits.
func (tn *tenant) do(who world.Caller, method, path string, body any) answer {
	tn.t.Helper()
	if !strings.Contains(path, "api-version=") {
		version := "2020-10-01"
		if strings.Contains(path, "roleAssignmentApprovals") {
			version = "2021-01-01-preview"
		}
		path += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "api-version=" + version
	}
	return tn.send(who, method, tn.server.URL+path, body)
}

func (tn *tenant) send(who world.Caller, method, address string, body any) answer {
	tn.t.Helper()
	var text string
	switch b := body.(type) {
	case nil:
	case string:
		text = b
	default:
		raw, err := json.Marshal(b)
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
	if tn.contract != nil {
		tn.contract.check(tn.t, req, text, a)
	}
	return a
}

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

// row is any row of any listing, and any single answer.
type row struct {
	ID, Name, Type string
	Properties     struct {
		Scope, RoleDefinitionID, PrincipalID, PrincipalType, Status, MemberType string
		StartDateTime, EndDateTime                                              *time.Time
		RoleEligibilityScheduleID                                               string
		LinkedRoleEligibilityScheduleID                                         string
		RoleAssignmentScheduleID                                                string
		AssignmentType, RequestType, ApprovalID, Justification                  string
		Condition, ConditionVersion                                             string
		ScheduleInfo                                                            struct {
			StartDateTime *time.Time
			Expiration    struct {
				Type, Duration string
				EndDateTime    *time.Time
			}
		}
		ExpandedProperties struct {
			Scope, RoleDefinition struct{ ID, DisplayName, Type string }
			Principal             struct{ ID, DisplayName, Email, Type string }
		}
		Stages         []row
		ReviewResult   string
		AssignedToMe   bool
		EffectiveRules []map[string]any
	}
}

// list follows every page.
func (tn *tenant) list(who world.Caller, path string) []row {
	tn.t.Helper()
	rows, _ := tn.pages(who, path)
	return rows
}

func (tn *tenant) pages(who world.Caller, path string) (rows []row, pages int) {
	tn.t.Helper()
	for a := tn.do(who, "GET", path, nil); ; pages++ {
		a.want(tn.t, http.StatusOK, "")
		var p page[row]
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

const (
	eligibleNow = pim + "roleEligibilityScheduleInstances?$filter=asTarget()"
	activeNow   = pim + "roleAssignmentScheduleInstances?$filter=asTarget()"
	myRequests  = pim + "roleAssignmentScheduleRequests?$filter=asTarget()"
)

// properties of a request body.
type properties map[string]any

func ask(kind, role, scope, who string, more ...properties) properties {
	p := properties{
		"principalId": who, "requestType": kind,
		"roleDefinitionId": scope + roleDefinitions + role,
	}
	for _, m := range more {
		for k, v := range m {
			p[k] = v
		}
	}
	return properties{"properties": p}
}

func lasting(d string) properties {
	return properties{"scheduleInfo": properties{"expiration": properties{"type": "AfterDuration", "duration": d}}}
}

func requestPath(scope, name string) string {
	return scope + pim + "roleAssignmentScheduleRequests/" + name
}

func (tn *tenant) put(who world.Caller, scope string, body any) answer {
	tn.t.Helper()
	return tn.do(who, "PUT", requestPath(scope, uuid.NewString()), body)
}

// activate activates a role as the sample user and returns the request.
func (tn *tenant) activate(role, scope string, more ...properties) row {
	tn.t.Helper()
	var r row
	tn.put(user(sampleUser), scope, ask("SelfActivate", role, sampleSub, sampleUser, more...)).want(tn.t, http.StatusCreated, "").into(tn.t, &r)
	return r
}

// active reports whether the sample user's role is listed as active.
func (tn *tenant) active(role, scope string) bool {
	tn.t.Helper()
	for _, r := range tn.list(user(sampleUser), activeNow) {
		if strings.HasSuffix(r.Properties.RoleDefinitionID, role) && r.Properties.Scope == scope {
			return true
		}
	}
	return false
}

func (tn *tenant) status(r row) string {
	tn.t.Helper()
	var now row
	tn.do(user(sampleUser), "GET", r.ID, nil).want(tn.t, http.StatusOK, "").into(tn.t, &now)
	return now.Properties.Status
}

func filter(f string) string { return "?$filter=" + url.QueryEscape(f) }

// scheduleID is the schedule of the sample user's eligibility for a role.
func (tn *tenant) scheduleID(role string) string {
	tn.t.Helper()
	for _, r := range tn.list(user(sampleUser), eligibleNow) {
		if strings.HasSuffix(r.Properties.RoleDefinitionID, role) {
			return lastPart(r.Properties.RoleEligibilityScheduleID)
		}
	}
	tn.t.Fatalf("no eligibility for %s", role)
	return ""
}
