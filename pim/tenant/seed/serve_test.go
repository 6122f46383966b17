package seed

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"roletray/pim/tenant/azure"
	"roletray/pim/tenant/world"
)

const pim = "/providers/Microsoft.Authorization/"

// shop is the Azure of a seed, with somebody at the counter.
type shop struct {
	t       testing.TB
	service *azure.Service
	caller  world.Caller
}

func open(t testing.TB, name string, who func(*world.Directory) world.User) shop {
	t.Helper()
	dir, data, err := New(name, start)
	if err != nil {
		t.Fatal(err)
	}
	s := azure.New(azure.Params{
		Clock: world.NewClock(start, 1), Directory: dir, Data: data,
		BaseURL:  func() string { return "https://azure.test" },
		Settings: azure.DefaultSettings,
	})
	return shop{t, s, world.Caller{
		UserID: who(dir).ID, Methods: []string{"pwd", "mfa"}, Contexts: []string{"c1"}, Capabilities: []string{"cp1"},
	}}
}

func first(d *world.Directory) world.User { return d.Users[0] }

func (s shop) do(method, address, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, address, strings.NewReader(body))
	s.service.ServeHTTP(w, r.WithContext(world.WithCaller(r.Context(), s.caller)))
	return w
}

type role struct {
	ID         string `json:"id"`
	Properties struct {
		Scope            string `json:"scope"`
		RoleDefinitionID string `json:"roleDefinitionId"`
		MemberType       string `json:"memberType"`
		Status           string `json:"status"`
		Expanded         struct {
			RoleDefinition struct {
				DisplayName string `json:"displayName"`
			} `json:"roleDefinition"`
		} `json:"expandedProperties"`
	} `json:"properties"`
}

func (s shop) list(path string) (all []role, pages int) {
	s.t.Helper()
	for next := path; next != ""; pages++ {
		w := s.do("GET", next, "")
		if w.Code != http.StatusOK {
			s.t.Fatalf("%s: %d %s", next, w.Code, w.Body)
		}
		var p struct {
			Value    []role `json:"value"`
			NextLink string `json:"nextLink"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, p.Value...)
		next = p.NextLink
	}
	return all, pages
}

const eligible = pim + "roleEligibilityScheduleInstances?api-version=2020-10-01&$filter=asTarget()"

// Each of Ada's roles can be activated as its policy wants it.
func TestEveryDemoRoleCanBeActivated(t *testing.T) {
	s := open(t, "demo", first)
	rows, _ := s.list(eligible)
	inherited, pending, seen := 0, 0, map[string]bool{}
	for _, r := range rows {
		p := r.Properties
		if p.MemberType == "Inherited" {
			inherited++
		}
		key := p.Scope + p.RoleDefinitionID
		if seen[key] {
			continue
		}
		seen[key] = true
		body, err := json.Marshal(map[string]any{"properties": map[string]any{
			"principalId": s.caller.UserID, "roleDefinitionId": p.RoleDefinitionID, "requestType": "SelfActivate",
			"justification": "a test", "ticketInfo": map[string]string{"ticketNumber": "1"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		w := s.do("PUT", p.Scope+pim+"roleAssignmentScheduleRequests/"+uuid.NewString()+"?api-version=2020-10-01", string(body))
		var made role
		if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusCreated {
			t.Errorf("%s at %s: %d %s", p.Expanded.RoleDefinition.DisplayName, p.Scope, w.Code, w.Body)
		}
		if made.Properties.Status == "PendingApproval" {
			pending++
		}
		policy := s.do("GET", p.Scope+pim+"roleManagementPolicyAssignments?api-version=2020-10-01&$filter=roleDefinitionId+eq+'"+p.RoleDefinitionID+"'", "")
		if want := map[bool]int{true: 403, false: 200}[p.Scope == treasury]; policy.Code != want {
			t.Errorf("settings at %s: %d", p.Scope, policy.Code)
		}
	}
	if len(seen) != 33 || inherited != 4*3+2*2 || pending != 2 {
		t.Errorf("%d roles, %d inherited rows, %d wait for approval", len(seen), inherited, pending)
	}
	active, _ := s.list(pim + "roleAssignmentScheduleInstances?api-version=2020-10-01&$filter=asTarget()")
	if len(active) != 31+2 {
		t.Errorf("%d are active", len(active))
	}
}

func TestLargeIsListedInPages(t *testing.T) {
	s := open(t, "large", first)
	rows, pages := s.list(eligible)
	ids := map[string]bool{}
	for _, r := range rows {
		ids[r.ID] = true
	}
	if len(rows) != 5000 || len(ids) != 5000 || pages != 25 {
		t.Errorf("%d rows, %d ids, %d pages", len(rows), len(ids), pages)
	}
}

func TestEmptyListsNothing(t *testing.T) {
	s := open(t, "empty", first)
	if rows, _ := s.list(eligible); len(rows) != 0 {
		t.Errorf("%d rows", len(rows))
	}
}

func BenchmarkLarge(b *testing.B) {
	s := open(b, "large", first)
	for b.Loop() {
		if rows, _ := s.list(eligible); len(rows) != 5000 {
			b.Fatal("rows are missing")
		}
	}
}
