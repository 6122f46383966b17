package azure

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"roletray/pim/tenant/speech"
)

func names(rows []row) (out []string) {
	for _, r := range rows {
		out = append(out, r.Name)
	}
	return out
}

func TestListingsByFilterAndScope(t *testing.T) {
	tn := newTenant(t)
	tn.settings.DuplicateInherited = false
	const eligible, active = pim + "roleEligibilityScheduleInstances", pim + "roleAssignmentScheduleInstances"
	for _, tt := range []struct {
		who, path, filter string
		n                 int
	}{
		{sampleUser, eligible, "asTarget()", 9},
		{sampleUser, eligible, "AsTarget( )", 9},
		{sampleUser, eligible, "assignedTo('" + sampleUser + "')", 9},
		{sampleUser, eligible, "assignedTo('" + strings.ToUpper(sampleUser) + "')", 9},
		{sampleUser, eligible, "principalId eq " + sampleUser, 8},
		{sampleUser, eligible, "principalId eq '" + sampleUser + "'", 8},
		{sampleUser, eligible, "principalId eq '" + team + "'", 1},
		{sampleUser, sampleSub + eligible, "asTarget()", 7},
		{sampleUser, groupOne + eligible, "asTarget()", 1},
		{sampleUser, machine + eligible, "asTarget()", 1},
		{sampleUser, upper + eligible, "asTarget()", 9},
		{sampleUser, sampleSub + eligible, "asTarget() and atScope()", 6},
		{sampleUser, strings.ToUpper(sampleSub) + strings.ToLower(eligible), "asTarget()", 7},
		{sampleUser, "/providers/Microsoft.Subscription" + sampleSub + eligible, "asTarget()", 7},
		{sampleUser, "/" + sampleSub + "/" + eligible, "asTarget()", 7},
		{sampleUser, active, "asTarget()", 3},
		{sampleUser, otherSub + active, "asTarget()", 2},
		{stranger, eligible, "asTarget()", 0},
		// An owner of the management group sees everything below it.
		{boss, sampleSub + eligible, "", 7},
		{boss, upper + eligible, "atScope()", 1},
		{boss, upper + eligible, "assignedTo('" + sampleUser + "')", 9},
	} {
		path := tt.path
		if tt.filter != "" {
			path += filter(tt.filter)
		}
		if rows := tn.list(user(tt.who), path); len(rows) != tt.n {
			t.Errorf("%s %s: %d rows, want %d", tt.path, tt.filter, len(rows), tt.n)
		}
	}
}

func TestInheritedRowsComeOncePerSubscription(t *testing.T) {
	tn := newTenant(t)
	count := map[string]int{}
	ids := map[string]bool{}
	for _, r := range tn.list(user(sampleUser), eligibleNow) {
		if ids[r.ID] {
			t.Errorf("%s comes twice", r.ID)
		}
		ids[r.ID] = true
		if strings.HasSuffix(r.Properties.RoleDefinitionID, customRole) {
			count[r.Properties.MemberType]++
			var one row
			tn.do(user(sampleUser), "GET", r.ID, nil).want(t, http.StatusOK, "").into(t, &one)
			if one.Name != r.Name || r.Properties.Scope != upper || !strings.HasPrefix(r.Properties.RoleEligibilityScheduleID, upper) {
				t.Errorf("the row is %+v", r)
			}
		}
	}
	if count["Direct"] != 1 || count["Inherited"] != 2 {
		t.Errorf("rows by member type: %v", count)
	}
}

func TestPaging(t *testing.T) {
	tn := newTenant(t)
	all := names(tn.list(user(sampleUser), eligibleNow))
	for _, size := range []int{1, 4, len(all), 0} {
		tn.settings.PageSize = size
		rows, pages := tn.pages(user(sampleUser), "/"+eligibleNow)
		want := 1
		if size > 0 {
			want = (len(all) + size - 1) / size
		}
		if !slices.Equal(names(rows), all) || pages != want {
			t.Errorf("pages of %d: %d rows in %d pages", size, len(rows), pages)
		}
	}
}

func TestActiveRolesAtTheRoot(t *testing.T) {
	tn := newTenant(t)
	tn.settings.RootActive = "empty"
	if n := len(tn.list(user(sampleUser), activeNow)); n != 0 {
		t.Errorf("%d rows", n)
	}
	if n := len(tn.list(user(sampleUser), otherSub+activeNow)); n != 2 {
		t.Errorf("%d rows below the root", n)
	}
	tn.settings.RootActive = "drops"
	tn.settings.RootActiveLatencyMs = 1
	var seen []string
	for range 3 {
		seen = append(seen, strings.Join(names(tn.list(user(sampleUser), activeNow)), " "))
	}
	if seen[0] == seen[1] && seen[1] == seen[2] {
		t.Errorf("it is always the same: %v", seen)
	}
}

func TestRequestsAsTargetCanBeEmpty(t *testing.T) {
	tn := newTenant(t)
	tn.activate(plainRole, sampleSub)
	tn.settings.RequestsAsTarget = "empty"
	for f, n := range map[string]int{"asTarget()": 0, "asRequestor()": 1, "principalId eq '" + sampleUser + "'": 1} {
		if rows := tn.list(user(sampleUser), pim+"roleAssignmentScheduleRequests"+filter(f)); len(rows) != n {
			t.Errorf("%s lists %d", f, len(rows))
		}
	}
}

func TestPolicies(t *testing.T) {
	tn := newTenant(t)
	get := func(role, scope string) map[string]map[string]any {
		t.Helper()
		rows := tn.list(user(sampleUser), scope+pim+"roleManagementPolicyAssignments"+filter("roleDefinitionId eq '"+scope+roleDefinitions+role+"'"))
		if len(rows) != 1 || !strings.HasSuffix(rows[0].Name, "_"+role) {
			t.Fatalf("%d rows for one role", len(rows))
		}
		rules := map[string]map[string]any{}
		for _, r := range rows[0].Properties.EffectiveRules {
			rules[r["id"].(string)] = r
		}
		if len(rules) != 17 {
			t.Errorf("%d rules", len(rules))
		}
		return rules
	}
	ruled := get(ruledRole, sampleSub)
	if d := ruled["Expiration_EndUser_Assignment"]["maximumDuration"]; d != "PT30M" {
		t.Errorf("maximum %v", d)
	}
	if on := ruled["Enablement_EndUser_Assignment"]["enabledRules"].([]any); len(on) != 3 {
		t.Errorf("enabled %v", on)
	}
	if r := get(stepUpRole, sampleSub)["AuthenticationContext_EndUser_Assignment"]; r["isEnabled"] != true || r["claimValue"] != "c1" {
		t.Errorf("authentication context %v", r)
	}
	setting := get(bossRole, sampleSub)["Approval_EndUser_Assignment"]["setting"].(map[string]any)
	stage := setting["approvalStages"].([]any)[0].(map[string]any)
	if setting["isApprovalRequired"] != true || len(stage["primaryApprovers"].([]any)) != 2 {
		t.Errorf("approval %v", setting)
	}
	// Role settings are not inherited.
	if r := get(stepUpRole, groupOne)["AuthenticationContext_EndUser_Assignment"]; r["isEnabled"] != false {
		t.Errorf("below: %v", r)
	}
	if rows := tn.list(user(sampleUser), sampleSub+pim+"roleManagementPolicyAssignments"); len(rows) != 8 {
		t.Errorf("%d rows for all roles", len(rows))
	}
	if rows := tn.list(user(sampleUser), sampleSub+pim+"roleManagementPolicyAssignments"+filter("roleDefinitionId eq 'x'")); len(rows) != 0 {
		t.Errorf("%d rows for no role", len(rows))
	}
}

func TestChildren(t *testing.T) {
	tn := newTenant(t)
	for _, tt := range []struct {
		who, path, filter, want string
	}{
		{sampleUser, upper, "", "Lower"},
		{sampleUser, lower, "", "Pay-As-You-Go Other"},
		{sampleUser, lower, "?$filter=resourceType+eq+'Subscription'", "Pay-As-You-Go Other"},
		{sampleUser, lower, "?$filter=resourceType+eq+'resourcegroup'", ""},
		{sampleUser, upper, "?getAllChildren=true&$filter=resourceType+eq+'resourcegroup'", "RG-1 RG-2"},
		{sampleUser, upper, "?$getAllChildren=true&$filter=resourceType+eq+'subscription'+or+resourceType+eq+'resourcegroup'", "Pay-As-You-Go RG-1 RG-2 Other"},
		{sampleUser, sampleSub, "", "RG-1 RG-2"},
		{sampleUser, groupOne, "", ""},
		{sampleUser, "", "", "Upper"},
		{boss, lower, "", "Other"},
		{stranger, upper, "", ""},
	} {
		if got := strings.Join(names(tn.list(user(tt.who), tt.path+pim+"eligibleChildResources"+tt.filter)), " "); got != tt.want {
			t.Errorf("%s%s lists %q, want %q", tt.path, tt.filter, got, tt.want)
		}
	}
}

func TestResourcesAndSubscriptions(t *testing.T) {
	tn := newTenant(t)
	rows := tn.list(user(sampleUser), groupOne+"/resources?api-version=2021-04-01")
	if len(rows) != 1 || rows[0].ID != machine || rows[0].Type != "Microsoft.Compute/virtualMachines" || rows[0].Name != "vm-1" {
		t.Errorf("resources %+v", rows)
	}
	var p page[struct{ SubscriptionID, DisplayName, TenantID, State string }]
	tn.do(user(sampleUser), "GET", "/subscriptions?api-version=2022-12-01", nil).want(t, http.StatusOK, "").into(t, &p)
	if len(p.Value) != 2 || p.Value[0].DisplayName != "Pay-As-You-Go" || p.Value[0].SubscriptionID != lastPart(sampleSub) {
		t.Errorf("subscriptions %+v", p.Value)
	}
	tn.do(user(stranger), "GET", "/subscriptions?api-version=2022-12-01", nil).into(t, &p)
	if len(p.Value) != 0 {
		t.Errorf("a stranger's subscriptions %+v", p.Value)
	}
	for _, path := range []string{"/subscriptions/x/resourceGroups/y/resources", "/subscriptions/" + team + "/resourceGroups/y/resources"} {
		tn.do(user(sampleUser), "GET", path+"?api-version=2021-04-01", nil).want(t, http.StatusNotFound, "SubscriptionNotFound")
	}
}

func TestByName(t *testing.T) {
	tn := newTenant(t)
	tn.activate(plainRole, sampleSub)
	for _, kind := range []string{
		"roleEligibilityScheduleInstances", "roleEligibilitySchedules", "roleAssignmentScheduleInstances", "roleAssignmentSchedules",
	} {
		for _, want := range tn.list(user(sampleUser), sampleSub+pim+kind+"?$filter=asTarget()") {
			var got row
			tn.do(user(sampleUser), "GET", want.ID, nil).want(t, http.StatusOK, "").into(t, &got)
			if got.ID != want.ID || got.Properties.Scope != want.Properties.Scope {
				t.Errorf("%s gives %s", want.ID, got.ID)
			}
			tn.do(user(stranger), "GET", want.ID, nil).want(t, http.StatusNotFound, "ResourceNotFound")
			tn.do(user(sampleUser), "GET", otherSub+pim+kind+"/"+want.Name, nil).want(t, http.StatusNotFound, "ResourceNotFound")
		}
	}
}

func TestHeaders(t *testing.T) {
	tn := newTenant(t)
	first := tn.do(user(sampleUser), "GET", sampleSub+eligibleNow, nil).header.Get("X-Ms-Ratelimit-Remaining-Subscription-Reads")
	second := tn.do(user(sampleUser), "GET", sampleSub+eligibleNow, nil).header.Get("X-Ms-Ratelimit-Remaining-Subscription-Reads")
	if first != "11999" || second != "11998" {
		t.Errorf("reads left: %s, then %s", first, second)
	}
	tn.clock.Advance(time.Hour)
	if h := tn.do(user(sampleUser), "GET", sampleSub+eligibleNow, nil).header.Get("X-Ms-Ratelimit-Remaining-Subscription-Reads"); h != "11999" {
		t.Errorf("reads left in the next hour: %s", h)
	}
	if h := tn.put(user(sampleUser), "", nil).header.Get("X-Ms-Ratelimit-Remaining-Tenant-Writes"); h != "1199" {
		t.Errorf("writes left: %s", h)
	}
}

func TestDataThatDoesNotFit(t *testing.T) {
	for name, spoil := range map[string]func(d *Data){
		"role":      func(d *Data) { d.Eligibilities[0].Role = team },
		"scope":     func(d *Data) { d.Assignments[0].Scope = sampleSub + "x" },
		"principal": func(d *Data) { d.Eligibilities[0].Principal = sampleRole },
		"policy":    func(d *Data) { d.Policies[0].Scope = "/" + team },
		"scope id":  func(d *Data) { d.Scopes[0].ID = "/somewhere" },
		"twice":     func(d *Data) { d.Scopes[1].ID = upper },
		"parent":    func(d *Data) { d.Scopes[1].Parent = sampleRole },
		"circle":    func(d *Data) { d.Scopes[0].Parent = lower },
	} {
		dir, d := company()
		spoil(d)
		if d.Check(dir) == nil {
			t.Errorf("no word about the wrong %s", name)
		}
	}
	dir, d := company()
	if err := d.Check(dir); err != nil {
		t.Error(err)
	}
}

func TestWrittenDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		8 * time.Hour: "PT8H", 30 * time.Minute: "PT30M", 5*time.Hour + 30*time.Minute: "PT5H30M",
		24 * time.Hour: "PT24H", 365 * 24 * time.Hour: "P365D", 90 * time.Second: "PT1M30S", 0: "PT0S",
	} {
		if got := isoDuration(d); got != want {
			t.Errorf("%v is written %s", d, got)
		}
		if back, err := speech.ParseDuration(want); err != nil || back != d {
			t.Errorf("%s is read as %v, %v", want, back, err)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	if err := DefaultSettings().Validate(); err != nil {
		t.Error(err)
	}
	for _, spoil := range []func(s *Settings){
		func(s *Settings) { s.PageSize = -1 },
		func(s *Settings) { s.ActivationLagSeconds = -1 },
		func(s *Settings) { s.PolicyWording = "verse" },
		func(s *Settings) { s.RootActive = "half" },
		func(s *Settings) { s.ApprovalAnswer = 500 },
		func(s *Settings) { s.LinkedForm = "" },
		func(s *Settings) { s.OwnApproval = "sometimes" },
		func(s *Settings) { s.RepeatedPut = 201 },
	} {
		s := DefaultSettings()
		spoil(&s)
		if s.Validate() == nil {
			t.Errorf("%+v is accepted", s)
		}
	}
}
