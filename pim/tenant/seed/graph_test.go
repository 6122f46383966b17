package seed

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"roletray/pim/tenant/graph"
	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/world"
)

func TestGraphSeedsFitTogether(t *testing.T) {
	for _, name := range Names() {
		dir, _, err := New(name, start)
		if err != nil {
			t.Fatal(err)
		}
		data, err := Graph(name, start)
		if err != nil {
			t.Fatal(err)
		}
		if err := data.Check(dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again, _ := Graph(name, start); !reflect.DeepEqual(data, again) {
			t.Errorf("%s differs the second time", name)
		}
		if n := len(data.RoleEligibilities) + len(data.GroupEligibilities); (n == 0) != (name == "empty") {
			t.Errorf("%s has %d eligibilities", name, n)
		}
	}
	if _, err := Graph("none", start); err == nil {
		t.Error("a seed that does not exist was made")
	}
}

// desk is the Graph of a seed, with Ada at the counter.
type desk struct {
	t       testing.TB
	service *graph.Service
	caller  world.Caller
}

func openGraph(t testing.TB, name string) desk {
	t.Helper()
	dir, _, err := New(name, start)
	if err != nil {
		t.Fatal(err)
	}
	data, err := Graph(name, start)
	if err != nil {
		t.Fatal(err)
	}
	s := graph.New(graph.Params{Clock: world.NewClock(start, 1), Directory: dir, Data: data, Base: "https://graph.test"})
	return desk{t, s, world.Caller{
		UserID: dir.Users[0].ID, Methods: []string{"pwd", "mfa"}, Contexts: []string{"c1"}, Capabilities: []string{"cp1"},
		Scopes: []string{
			"RoleEligibilitySchedule.Read.Directory", "RoleAssignmentSchedule.ReadWrite.Directory", "RoleManagementPolicy.Read.Directory",
			"PrivilegedEligibilitySchedule.Read.AzureADGroup", "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup", "RoleManagementPolicy.Read.AzureADGroup",
		},
	}}
}

func (d desk) do(method, address, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, address, strings.NewReader(body))
	d.service.ServeHTTP(w, r.WithContext(world.WithCaller(r.Context(), d.caller)))
	return w
}

type graphRow struct {
	ID               string `json:"id"`
	RoleDefinitionID string `json:"roleDefinitionId,omitempty"`
	DirectoryScopeID string `json:"directoryScopeId,omitempty"`
	GroupID          string `json:"groupId,omitempty"`
	AccessID         string `json:"accessId,omitempty"`
	Status           string `json:"status,omitempty"`
}

func (d desk) list(path string) (all []graphRow, pages int) {
	d.t.Helper()
	for next := path; next != ""; pages++ {
		w := d.do("GET", next, "")
		var p struct {
			Value    []graphRow `json:"value"`
			NextLink string     `json:"@odata.nextLink"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusOK {
			d.t.Fatalf("%s: %d %s", next, w.Code, w.Body)
		}
		all = append(all, p.Value...)
		next = p.NextLink
	}
	return all, pages
}

const (
	ofRoles  = "/v1.0/roleManagement/directory/"
	ofGroups = "/v1.0/identityGovernance/privilegedAccess/group/"
	mine     = "/filterByCurrentUser(on='principal')"
)

// Each of Ada's directory roles and groups can be activated as its policy wants
// it.
func TestEveryDemoRoleOfGraphCanBeActivated(t *testing.T) {
	d := openGraph(t, "demo")
	for _, want := range []struct {
		eligible, active           string
		rows, pending, activeCount int
	}{
		{ofRoles + "roleEligibilitySchedule", ofRoles + "roleAssignmentSchedule", 12, 2, 10 + 2},
		{ofGroups + "eligibilitySchedule", ofGroups + "assignmentSchedule", 9, 1, 8 + 1},
	} {
		rows, _ := d.list(want.eligible + "Instances" + mine)
		pending := 0
		for _, r := range rows {
			body := map[string]any{
				"action": "selfActivate", "principalId": d.caller.UserID, "justification": "a test", "ticketInfo": map[string]string{"ticketNumber": "1"},
			}
			if r.GroupID != "" {
				body["groupId"], body["accessId"] = r.GroupID, r.AccessID
			} else {
				body["roleDefinitionId"], body["directoryScopeId"] = r.RoleDefinitionID, r.DirectoryScopeID
			}
			raw, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			w := d.do("POST", want.active+"Requests", string(raw))
			var made graphRow
			if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusCreated {
				t.Errorf("%+v: %d %s", r, w.Code, w.Body)
			}
			if made.Status == "PendingApproval" {
				pending++
			}
		}
		on, _ := d.list(want.active + "Instances" + mine)
		if len(rows) != want.rows || pending != want.pending || len(on) != want.activeCount {
			t.Errorf("%s: %d rows, %d wait for approval, %d are active", want.eligible, len(rows), pending, len(on))
		}
	}
}

func TestDemoGraphHasEveryKind(t *testing.T) {
	d, err := Graph("demo", start)
	if err != nil {
		t.Fatal(err)
	}
	roles, joins := map[string]ledger.Policy{}, map[string]ledger.Policy{}
	for _, p := range d.RolePolicies {
		roles[p.Role] = p.Policy
	}
	for _, p := range d.GroupPolicies {
		joins[p.Group+p.Access] = p.Policy
	}
	found := map[string]int{}
	count := func(what string, p ledger.Policy, known bool, end time.Time) {
		for kind, has := range map[string]bool{
			"default": !known, "none": known && reflect.DeepEqual(p, none), "ticket": p.Ticket, "mfa": p.MFA, "context": p.Context == "c1",
			"approval": len(p.Approvers) > 0, "halfhour": p.Maximum == 30*time.Minute, "anybody": p.Approval,
			"never": end.IsZero(), "soon": !end.IsZero() && end.Before(start.Add(14*day)),
		} {
			if has {
				found[what+" "+kind]++
			}
		}
	}
	for _, e := range d.RoleEligibilities {
		if e.Principal == ada {
			p, ok := roles[e.Role]
			count("role", p, ok, e.End)
		}
		if strings.HasPrefix(e.Scope, unitsPath) {
			found["role unit"]++
		}
	}
	for _, e := range d.GroupEligibilities {
		if e.Principal == ada {
			p, ok := joins[e.Group+e.Access]
			count("group", p, ok, e.End)
			found["group "+e.Access]++
		}
	}
	for _, kind := range []string{
		"role default", "role none", "role ticket", "role mfa", "role context", "role approval", "role halfhour", "role anybody", "role never", "role soon", "role unit",
		"group none", "group ticket", "group mfa", "group context", "group approval", "group halfhour", "group never", "group soon", "group member", "group owner",
	} {
		if found[kind] == 0 {
			t.Errorf("nothing of kind %s", kind)
		}
	}
	brings := map[string]bool{}
	for _, a := range d.RoleAssignments {
		brings[a.Principal] = true
	}
	if !brings[breakGlass] {
		t.Error("no group brings a directory role")
	}
}

func TestLargeGraphIsListedInPages(t *testing.T) {
	d := openGraph(t, "large")
	for path, want := range map[string][2]int{
		ofRoles + "roleEligibilityScheduleInstances": {300, 3}, ofGroups + "eligibilityScheduleInstances": {200, 2},
	} {
		rows, pages := d.list(path + mine)
		ids := map[string]bool{}
		for _, r := range rows {
			ids[r.ID] = true
		}
		if len(rows) != want[0] || len(ids) != want[0] || pages != want[1] {
			t.Errorf("%s: %d rows, %d ids, %d pages", path, len(rows), len(ids), pages)
		}
	}
}
