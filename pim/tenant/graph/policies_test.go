package graph

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const policyAssignments = "/v1.0/policies/roleManagementPolicyAssignments"

// rule is one rule of what was read.
func rule(t *testing.T, list []map[string]any, id string) map[string]any {
	t.Helper()
	i := slices.IndexFunc(list, func(r map[string]any) bool { return r["id"] == id })
	if i < 0 {
		t.Fatalf("no rule %s", id)
	}
	return list[i]
}

func TestRulesOfRoles(t *testing.T) {
	tn := newTenant(t)
	ofRoles := "scopeId eq '/' and scopeType eq 'DirectoryRole'"
	all := tn.list(user(me), policyAssignments+filter(ofRoles)+"&$expand=policy($expand=rules)")
	if len(all) != 9 {
		t.Fatalf("%d roles have settings", len(all))
	}
	for _, a := range all {
		if n := len(a.Policy.Rules); n != 17 || a.ScopeType != "DirectoryRole" || !strings.HasPrefix(a.ID, a.PolicyID+"_"+a.RoleDefinitionID) ||
			!strings.HasPrefix(a.PolicyID, "DirectoryRole_"+tn.service.Directory.TenantID+"_") {
			t.Errorf("%s has %d rules", a.ID, n)
		}
	}
	one := func(role string) []map[string]any {
		rows := tn.list(user(me), policyAssignments+filter(ofRoles+" and roleDefinitionId eq '"+role+"'")+"&$expand=policy($expand=effectiveRules)")
		if len(rows) != 1 || len(rows[0].Policy.EffectiveRules) != 17 {
			t.Fatalf("%s: %+v", role, rows)
		}
		return rows[0].Policy.EffectiveRules
	}
	ruled := one(ruledRole)
	if rule(t, ruled, "Expiration_EndUser_Assignment")["maximumDuration"] != "PT30M" {
		t.Error("the maximum is not half an hour")
	}
	if on, ok := rule(t, ruled, "Enablement_EndUser_Assignment")["enabledRules"].([]any); !ok ||
		!slices.Equal(on, []any{"MultiFactorAuthentication", "Justification", "Ticketing"}) {
		t.Errorf("enabled is %v", on)
	}
	if c := rule(t, one(stepUpRole), "AuthenticationContext_EndUser_Assignment"); c["isEnabled"] != true || c["claimValue"] != "c1" {
		t.Errorf("the context is %v", c)
	}
	approval := func(role string) (required any, approvers []any) {
		s := rule(t, one(role), "Approval_EndUser_Assignment")["setting"].(map[string]any)
		stage := s["approvalStages"].([]any)[0].(map[string]any)
		return s["isApprovalRequired"], stage["primaryApprovers"].([]any)
	}
	if required, approvers := approval(bossRole); required != true || len(approvers) != 2 ||
		approvers[0].(map[string]any)["groupId"] != bosses || approvers[1].(map[string]any)["userId"] != me {
		t.Errorf("approval is %v by %v", required, approvers)
	}
	if required, approvers := approval(openRole); required != true || len(approvers) != 0 {
		t.Errorf("approval is %v by %v", required, approvers)
	}
	if required, _ := approval(plainRole); required != false {
		t.Errorf("approval is %v", required)
	}
}

func TestRulesOfGroups(t *testing.T) {
	tn := newTenant(t)
	rows := tn.list(user(me), policyAssignments+filter("scopeId eq '"+team+"' and scopeType eq 'Group'")+"&$expand=policy($expand=rules)")
	if len(rows) != 2 || rows[0].RoleDefinitionID != "member" || rows[1].RoleDefinitionID != "owner" || rows[0].PolicyID == rows[1].PolicyID {
		t.Fatalf("the rows are %+v", rows)
	}
	if longest := rule(t, rows[0].Policy.Rules, "Expiration_EndUser_Assignment")["maximumDuration"]; longest != "PT8H" {
		t.Errorf("the maximum is %v", longest)
	}
	several := filter("(scopeId eq '" + team + "' or scopeId eq '" + crew + "') and scopeType eq 'Group'")
	if n := len(tn.list(user(me), policyAssignments+several)); n != 4 {
		t.Errorf("two groups have %d rows", n)
	}
	tn.settings.ManyScopes = "refuse"
	tn.do(user(me), "GET", policyAssignments+several, nil).want(t, http.StatusBadRequest, "InvalidFilter")
	if n := len(tn.list(user(me), policyAssignments+filter("scopeId eq '"+boss+"' and scopeType eq 'Group'"))); n != 0 {
		t.Errorf("what is no group has %d rows", n)
	}
}

func TestAskingForPolicies(t *testing.T) {
	tn := newTenant(t)
	count := func(filtered string) int { return len(tn.list(user(me), policyAssignments+filter(filtered))) }
	// The kind of scope that the tenant does not use is not an error: it is empty.
	if n := count("scopeId eq '/' and scopeType eq 'Directory'"); n != 0 {
		t.Errorf("the other kind of scope has %d rows", n)
	}
	tn.settings.DirectoryScopeType = "Directory"
	if n := count("scopeId eq '/' and scopeType eq 'Directory'"); n != 9 {
		t.Errorf("the kind of scope has %d rows", n)
	}
	if n := count("scopeId eq '/' and scopeType eq 'DirectoryRole'"); n != 0 {
		t.Errorf("the other kind of scope has %d rows", n)
	}
	tn.settings = DefaultSettings()
	if n := count("scopeId eq '" + unitScope + "' and scopeType eq 'DirectoryRole'"); n != 0 {
		t.Errorf("an administrative unit has %d rows of its own", n)
	}
	for filtered, code := range map[string]string{
		"": "InvalidFilter", "scopeId eq '/'": "InvalidFilter", "scopeType eq 'DirectoryRole'": "InvalidFilter",
		"scopeId eq '/' and scopeType eq 'Planet'": "InvalidScope", "scopeId eq '/' or scopeType eq 'DirectoryRole'": "InvalidFilter",
	} {
		tn.do(user(me), "GET", policyAssignments+filter(filtered), nil).want(t, http.StatusBadRequest, code)
	}
	ofRoles := filter("scopeId eq '/' and scopeType eq 'DirectoryRole'")
	for _, wrong := range []string{"policy($expand=rules($select=id,maximumDuration))", "policy($expand=x)", "policy($select=x)", "rules"} {
		tn.do(user(me), "GET", policyAssignments+ofRoles+"&$expand="+wrong, nil).want(t, http.StatusBadRequest, "BadRequest")
	}
	rows := tn.list(user(me), policyAssignments+ofRoles+"&$expand=policy($select=id;$expand=rules($select=id))")
	if r := rows[0].Policy.Rules; len(r) != 17 || len(r[0]) != 1 {
		t.Errorf("the rules are %v", r)
	}
	for _, path := range []string{"roleManagementPolicyAssignments/x", "roleManagementPolicies/Group_x_y", "roleManagementPolicies/" + rows[0].PolicyID + "/rules/x"} {
		tn.do(user(me), "GET", "/v1.0/policies/"+path, nil).want(t, http.StatusNotFound, "ResourceNotFound")
	}
	tn.do(user(me), "PATCH", "/v1.0/policies/roleManagementPolicies/"+rows[0].PolicyID+"/rules/Expiration_EndUser_Assignment", properties{}).
		want(t, http.StatusForbidden, "UnauthorizedAccessException")
	tn.settings.PolicyRead = "role"
	tn.do(user(me), "GET", policyAssignments+ofRoles, nil).want(t, http.StatusForbidden, "UnauthorizedAccessException")
	if n := len(tn.list(user(chief), policyAssignments+ofRoles)); n != 9 {
		t.Errorf("who may read everything sees %d rows", n)
	}
}

// The unit's eligibility follows the settings of the role.
func TestUnitFollowsTheRole(t *testing.T) {
	tn := newTenant(t)
	r := tn.activate(askRole("selfActivate", unitRole, properties{"directoryScopeId": strings.ToUpper(unitScope)}))
	if r.DirectoryScopeID != unitScope || r.ScheduleInfo.Expiration.Duration != "PT2H" {
		t.Errorf("the answer is %+v", r)
	}
	r = tn.activate(askRole("selfActivate", plainRole, properties{"directoryScopeId": application}))
	if active := tn.activeRoles(); len(active) != 2 || active[1].EndDateTime.Sub(*active[1].StartDateTime) != 8*time.Hour || r.DirectoryScopeID != application {
		t.Errorf("active is %+v", active)
	}
}
