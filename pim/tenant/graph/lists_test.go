package graph

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// The address of the function may be written in any way that means the same.
func TestCurrentUserInAnySpelling(t *testing.T) {
	tn := newTenant(t)
	for _, spelling := range []string{
		"filterByCurrentUser(on='principal')", "filterByCurrentUser%28on=%27principal%27%29", "filterByCurrentUser(on=%27principal%27)",
		"filterbycurrentuser(on='Principal')", "microsoft.graph.filterByCurrentUser(on='principal')", "filterByCurrentUser%28on%3D%27principal%27%29",
	} {
		if n := len(tn.list(user(me), directory+"roleEligibilityScheduleInstances/"+spelling)); n != 7 {
			t.Errorf("%s lists %d", spelling, n)
		}
	}
	for _, wrong := range []string{"filterByCurrentUser(on='approver')", "filterByCurrentUser(on='x')", "filterByCurrentUser()", "filterByCurrentUser"} {
		tn.do(user(me), "GET", directory+"roleEligibilityScheduleInstances/"+wrong, nil).want(t, http.StatusBadRequest, "BadRequest")
	}
	tn.do(user(me), "GET", directory+"roleAssignmentScheduleRequests/filterByCurrentUser(on='target')", nil).want(t, http.StatusBadRequest, "BadRequest")
}

// An instance is what is in force; what is to come is in the schedules.
func TestInstancesAndSchedules(t *testing.T) {
	tn := newTenant(t)
	has := func(path string) bool {
		return slices.ContainsFunc(tn.list(user(me), directory+path+mine), func(o object) bool { return o.RoleDefinitionID == readerRole })
	}
	if has("roleEligibilityScheduleInstances") || !has("roleEligibilitySchedules") {
		t.Error("an eligibility to come is in the wrong list")
	}
	r := tn.activate(askRole("selfActivate", plainRole, startingAt(noon.Add(time.Hour), "PT1H")))
	if r.Status != "Granted" || len(tn.activeRoles()) != 0 {
		t.Errorf("%s, and %d are active", r.Status, len(tn.activeRoles()))
	}
	planned := tn.list(user(me), directory+"roleAssignmentSchedules"+mine+filter("status eq 'Granted'"))
	if len(planned) != 1 || planned[0].ID != r.TargetScheduleID {
		t.Errorf("planned is %+v", planned)
	}
	tn.clock.Advance(61 * time.Minute)
	active := tn.activeRoles()
	if len(active) != 1 || active[0].RoleAssignmentScheduleID != r.TargetScheduleID || tn.status(roleRequests, r.ID) != "Provisioned" {
		t.Errorf("active is %+v", active)
	}
	tn.clock.Advance(time.Hour)
	if len(tn.activeRoles()) != 0 {
		t.Error("it is active after its end")
	}
}

func TestFilters(t *testing.T) {
	tn := newTenant(t)
	tn.activate(askRole("selfActivate", plainRole))
	ids := func(n int, form, join string) string {
		var parts []string
		for i := range n {
			parts = append(parts, fmt.Sprintf(form, fmt.Sprintf("a0000000-0000-4000-8000-%012d", i)))
		}
		return strings.Join(parts, join)
	}
	for _, tt := range []struct {
		path, filter string
		want         int
	}{
		{"roleAssignmentScheduleInstances", "assignmentType eq 'Activated'", 1},
		{"roleAssignmentScheduleInstances", "assignmentType eq 'activated' or assignmentType eq 'assigned'", 2},
		{"roleAssignmentScheduleInstances", "assignmentType ne 'Activated'", 1},
		{"roleAssignmentScheduleInstances", "not (assignmentType eq 'Activated')", 1},
		{"roleAssignmentScheduleInstances", "endDateTime gt 2022-04-14T00:00:00Z", 1},
		{"roleAssignmentScheduleInstances", "endDateTime lt 2022-04-14T00:00:00Z and endDateTime ge 2022-04-13T00:00:00Z", 1},
		{"roleEligibilityScheduleInstances", "endDateTime eq null", 6},
		{"roleEligibilityScheduleInstances", "roleDefinitionId in ('" + strings.ToUpper(plainRole) + "','" + unitRole + "')", 3},
		{"roleEligibilityScheduleInstances", "roleDefinitionId eq '" + plainRole + "' and (directoryScopeId eq '/' or directoryScopeId eq 'it''s')", 1},
		{"roleEligibilityScheduleInstances", ids(15, "roleDefinitionId eq '%s'", " or "), 0},
		{"roleAssignmentScheduleRequests", "status eq 'Provisioned'", 1},
		{"roleAssignmentScheduleRequests", "status eq 'PendingApproval'", 0},
		{"roleAssignmentScheduleRequests", "scheduleInfo/expiration/type eq 'afterDuration'", 1},
		{"roleAssignmentScheduleRequests", "isValidationOnly eq false", 1},
		{"roleAssignmentScheduleRequests", "action/x le 3", 0},
	} {
		if n := len(tn.list(user(me), directory+tt.path+mine+filter(tt.filter))); n != tt.want {
			t.Errorf("%s with %s lists %d", tt.path, tt.filter, n)
		}
	}
	for _, wrong := range []string{
		"status", "status eq", "status eq 'x", "status is 'x'", "(status eq 'x'", "status in 'x'", "status in ('x'", "status eq 'x' xor a eq 'b'",
		"shoeSize eq 42", "status eq 'x')", strings.Repeat("(", 100) + "status eq 'x'", strings.Repeat("not ", 100) + "status eq 'x'",
		ids(16, "roleDefinitionId eq '%s'", " or "), "roleDefinitionId in ('" + ids(16, "%s", "','") + "')",
	} {
		tn.do(user(me), "GET", roleRequests+mine+filter(wrong), nil).want(t, http.StatusBadRequest, "InvalidFilter")
	}
	tn.do(user(me), "GET", "/v1.0/groups"+filter("id in ('"+ids(16, "%s", "','")+"')"), nil).want(t, http.StatusBadRequest, "Request_UnsupportedQuery")
}

func TestSelectAndExpand(t *testing.T) {
	tn := newTenant(t)
	tn.activate(askRole("selfActivate", plainRole))
	tn.activate(askGroup("selfActivate", team, "member"))
	var raw struct{ Value []map[string]any }
	path := directory + "roleAssignmentScheduleInstances" + mine
	tn.do(user(me), "GET", path+"?$select=id,RoleDefinitionId&$expand=roleDefinition($select=displayName)", nil).into(t, &raw)
	for _, e := range raw.Value {
		delete(e, "@odata.type")
		if d, ok := e["roleDefinition"].(map[string]any); len(e) != 3 || e["roleDefinitionId"] == nil || !ok || len(d) != 1 || d["displayName"] == "" {
			t.Errorf("the row is %v", e)
		}
	}
	active := tn.list(user(me), path+"?$expand=activatedUsing,principal,directoryScope,appScope,roleDefinition&$filter=assignmentType%20eq%20'Activated'")[0]
	if active.ActivatedUsing == nil || active.ActivatedUsing.RoleDefinitionID != plainRole || active.RoleDefinition.DisplayName == "" {
		t.Errorf("the expansions are %+v", active)
	}
	// Without permission to read people there is only their id.
	if p := active.Principal; p == nil || p.ID != me || p.DisplayName != "" {
		t.Errorf("the principal is %+v", p)
	}
	all := user(me)
	all.Scopes = append(slices.Clone(all.Scopes), "User.ReadBasic.All")
	if p := tn.list(all, path+"?$expand=principal")[0].Principal; p == nil || p.DisplayName != "User Account" {
		t.Errorf("the principal is %+v", p)
	}
	for _, r := range tn.list(user(me), directory+"roleEligibilityScheduleInstances"+mine+"?$expand=directoryScope") {
		if s := r.DirectoryScope; r.DirectoryScopeID == unitScope && (s == nil || s.DisplayName != "Depots") {
			t.Errorf("the scope is %+v", s)
		}
	}
	groupPath := groups + "assignmentScheduleInstances" + mine + "?$expand=group,activatedUsing"
	if g := tn.list(user(me), groupPath)[0]; g.Group == nil || g.Group.DisplayName != "Team" || g.ActivatedUsing == nil {
		t.Errorf("the group is %+v", g)
	}
	tn.settings.ExpandGroup = "empty"
	if g := tn.list(user(me), groupPath)[0]; g.Group != nil {
		t.Errorf("the group is %+v", g.Group)
	}
	tn.settings.ExpandGroup = "refuse"
	tn.do(user(me), "GET", groupPath, nil).want(t, http.StatusBadRequest, "InvalidRequest")
	for _, wrong := range []string{
		"?$select=shoeSize", "?$expand=shoe", "?$expand=roleDefinition($select=shoe)", "?$expand=roleDefinition($expand=x)", "?$expand=roleDefinition(",
		"?$expand=,", "?$expand=roleDefinition($top=1)", "?$expand=roleDefinition()", "?$top=x", "?$top=-1", "?$top=0", "?$skip=x",
		"?$expand=" + strings.Repeat("a($expand=", 50),
	} {
		tn.do(user(me), "GET", path+wrong, nil).want(t, http.StatusBadRequest, "BadRequest")
	}
}

func TestPages(t *testing.T) {
	tn := newTenant(t)
	path := directory + "roleEligibilityScheduleInstances" + mine
	tn.settings.PageSize = 3
	rows, pages := tn.pages(user(me), path+"?$expand=roleDefinition&$count=true")
	if len(rows) != 7 || pages != 3 {
		t.Errorf("%d rows in %d pages", len(rows), pages)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.ID] = true; r.RoleDefinition == nil {
			t.Error("a later page lost the expansion")
		}
	}
	if len(seen) != 7 {
		t.Errorf("%d rows are different", len(seen))
	}
	var p page
	tn.do(user(me), "GET", path+"?$top=2&$count=true&$orderby=id", nil).into(t, &p)
	if len(p.Value) != 2 || p.NextLink == "" || p.Count == nil || *p.Count != 7 {
		t.Errorf("the first two are %+v", p)
	}
	u, err := url.Parse(p.NextLink)
	if err != nil || u.Query().Get("$top") != "2" || !strings.Contains(u.Path, "filterByCurrentUser(on='principal')") {
		t.Errorf("the next link is %s", p.NextLink)
	}
	if rows, pages = tn.pages(user(me), path+"?top=2"); len(rows) != 7 || pages != 4 {
		t.Errorf("%d rows in %d pages of two", len(rows), pages)
	}
	tn.settings.PageSize = 0
	if rows, pages = tn.pages(user(me), path); len(rows) != 7 || pages != 1 {
		t.Errorf("%d rows in %d pages without a size", len(rows), pages)
	}
	// The cap cuts silently, and only what is for the current user.
	tn.settings.CurrentUserCap = 5
	if rows, pages = tn.pages(user(me), path); len(rows) != 5 || pages != 1 {
		t.Errorf("%d rows in %d pages under the cap", len(rows), pages)
	}
	if n := len(tn.list(user(me), directory+"roleEligibilityScheduleInstances"+filter("principalId eq '"+me+"'"))); n != 7 {
		t.Errorf("the collection has %d rows", n)
	}
}

func TestWhoMayReadCollections(t *testing.T) {
	tn := newTenant(t)
	path := directory + "roleEligibilityScheduleInstances"
	own, other, both := filter("principalId eq '"+me+"'"), filter("principalId eq '"+boss+"'"), filter("principalId in ('"+me+"','"+boss+"')")
	refused := func(query string) {
		t.Helper()
		tn.do(user(me), "GET", path+query, nil).want(t, http.StatusForbidden, "UnauthorizedAccessException")
	}
	count := func(who, path string, want int) {
		t.Helper()
		if n := len(tn.list(user(who), path)); n != want {
			t.Errorf("%s has %d rows", path, n)
		}
	}
	count(me, path+own, 7)
	for _, query := range []string{"", other, both, filter("principalId eq '" + me + "' or roleDefinitionId eq 'x'"), filter("principalId ne 'x'")} {
		refused(query)
	}
	tn.settings.OwnCollection = "refuse"
	refused(own)
	tn.settings.OwnCollection, tn.settings.OtherCollection = "allow", "allow"
	count(me, path+both, 8)
	tn.settings.OtherCollection = "refuse"
	// Who holds a role that reads everything may.
	count(chief, path, 8)
	count(chief, path+other, 1)
	var one object
	tn.do(user(chief), "GET", path+"/"+tn.list(user(chief), path)[0].ID, nil).want(t, http.StatusOK, "").into(t, &one)
	tn.do(user(stranger), "GET", path+"/"+one.ID, nil).want(t, http.StatusNotFound, "ResourceNotFound")

	of := groups + "eligibilityScheduleInstances"
	tn.do(user(chief), "GET", of, nil).want(t, http.StatusBadRequest, "InvalidFilter")
	count(chief, of+filter("groupId eq '"+team+"'"), 2)
	tn.do(user(me), "GET", of+filter("groupId eq '"+team+"'"), nil).want(t, http.StatusForbidden, "UnauthorizedAccessException")
	count(me, of+filter("principalId eq '"+me+"' and groupId eq '"+team+"'"), 2)
}

// A membership that begins brings the group's roles. filterByCurrentUser does
// not show them; the collection does, as held through a group.
func TestGroupBringsRole(t *testing.T) {
	tn := newTenant(t)
	own := directory + "roleAssignmentScheduleInstances" + filter("principalId eq '"+me+"'")
	through := func() []object {
		return slices.DeleteFunc(tn.list(user(me), own), func(o object) bool { return o.MemberType != "Group" })
	}
	if rows := through(); len(rows) != 0 || len(tn.service.MemberOf(me)) != 0 {
		t.Fatalf("before: %+v", rows)
	}
	tn.activate(askGroup("selfActivate", crew, "member", lasting("PT1H")))
	rows := through()
	if len(rows) != 1 || rows[0].RoleDefinitionID != crewRole || rows[0].PrincipalID != me || !slices.Equal(tn.service.MemberOf(me), []string{crew}) {
		t.Errorf("during: %+v", rows)
	}
	if len(tn.activeRoles()) != 0 {
		t.Error("filterByCurrentUser shows what a group has")
	}
	tn.clock.Advance(time.Hour)
	if rows := through(); len(rows) != 0 {
		t.Errorf("after: %+v", rows)
	}
}

func TestNames(t *testing.T) {
	tn := newTenant(t)
	g := tn.list(user(me), "/v1.0/groups"+filter("id in ('"+team+"','"+crew+"')")+"&$select=id,displayName,isAssignableToRole")
	if len(g) != 2 || g[0].DisplayName != "Team" {
		t.Errorf("the groups are %+v", g)
	}
	units := tn.list(user(me), "/v1.0/directory/administrativeUnits?$select=id,displayName")
	if len(units) != 1 || units[0].DisplayName != "Depots" {
		t.Errorf("the units are %+v", units)
	}
	var one object
	tn.do(user(me), "GET", "/v1.0/directory/administrativeUnits/"+unit, nil).want(t, http.StatusOK, "").into(t, &one)
	if one.DisplayName != "Depots" {
		t.Errorf("the unit is %+v", one)
	}
	tn.do(user(me), "GET", "/v1.0/directory/administrativeUnits/"+team, nil).want(t, http.StatusNotFound, "Request_ResourceNotFound")
	tn.do(with(user(me), "User.Read"), "GET", "/v1.0/directory/administrativeUnits", nil).want(t, http.StatusForbidden, "Authorization_RequestDenied")
	tn.do(with(user(me), "User.Read"), "GET", "/v1.0/directory/administrativeUnits/"+unit, nil).want(t, http.StatusForbidden, "Authorization_RequestDenied")
	tn.do(with(user(me), "User.Read"), "GET", "/v1.0/groups/"+team, nil).want(t, http.StatusForbidden, "Authorization_RequestDenied")

	var objects page
	ask := properties{"ids": []string{me, team, unit, "nobody"}}
	reader := with(user(me), "Directory.Read.All")
	tn.do(reader, "POST", "/v1.0/directoryObjects/getByIds", ask).want(t, http.StatusOK, "").into(t, &objects)
	var names []string
	for _, o := range objects.Value {
		names = append(names, o.DisplayName)
	}
	if !slices.Equal(names, []string{"User Account", "Team", "Depots"}) {
		t.Errorf("the names are %q", names)
	}
	ask["types"] = []string{"group"}
	tn.do(reader, "POST", "/v1.0/directoryObjects/getByIds", ask).into(t, &objects)
	if len(objects.Value) != 1 {
		t.Errorf("the groups are %+v", objects.Value)
	}
	tn.do(reader, "POST", "/v1.0/directoryObjects/getByIds", properties{}).want(t, http.StatusBadRequest, "Request_BadRequest")
	tn.do(reader, "POST", "/v1.0/directoryObjects/getByIds", "x").want(t, http.StatusBadRequest, "BadRequest")
	tn.do(with(user(me), "User.ReadBasic.All", "Group.Read.All"), "POST", "/v1.0/directoryObjects/getByIds", ask).want(t, http.StatusForbidden, "Authorization_RequestDenied")

	named := tn.list(with(user(me), "User.Read"), "/v1.0/organization?$select=id,displayName")
	if len(named) != 1 || named[0].DisplayName != "My Tenant" || named[0].ID == "" {
		t.Errorf("the organisations are %+v", named)
	}
	tn.do(with(user(me)), "GET", "/v1.0/organization", nil).want(t, http.StatusForbidden, "Authorization_RequestDenied")
	people := tn.list(with(user(me), "User.ReadBasic.All"), "/v1.0/users"+filter("id in ('"+me+"','"+boss+"')")+"&$select=id,displayName")
	if len(people) != 2 || people[0].DisplayName == "" {
		t.Errorf("the people are %+v", people)
	}
	tn.do(user(me), "GET", "/v1.0/users", nil).want(t, http.StatusForbidden, "Authorization_RequestDenied")
	tn.do(user(me), "GET", "/v1.0/users/"+me+"?$select=id", nil).want(t, http.StatusOK, "")
	tn.do(user(me), "GET", "/v1.0/users/"+boss, nil).want(t, http.StatusForbidden, "Authorization_RequestDenied")
	tn.do(with(user(me), "User.Read.All"), "GET", "/v1.0/users/boss@my-tenant.com", nil).want(t, http.StatusOK, "").into(t, &one)
	if one.ID != boss {
		t.Errorf("the user is %+v", one)
	}
	tn.do(with(user(me), "User.Read.All"), "GET", "/v1.0/users/nobody", nil).want(t, http.StatusNotFound, "Request_ResourceNotFound")
}
