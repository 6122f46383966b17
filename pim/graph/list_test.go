package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roletray/pim"
)

func utc(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

func TestDirectoryEligibilityExample(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		send(w, 200, example(t, "directory.roleEligibilityScheduleInstances.filterByCurrentUser.principal.response-docs"))
	})
	s.organization = "Contoso\u202e"
	got, err := s.Directory().Eligible(short(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []pim.Eligibility{{
		Role: pim.Role{
			Kind: pim.KindDirectory, DefinitionID: attribute, Name: "role (id 8424c6f0…)",
			Scope: pim.Scope{ID: "/", Name: "Contoso", Type: pim.ScopeDirectory},
		},
		ID: "8MYkhImhnkm70CbBdTyW1BbHHAdHgZdDpbqyEFlRzAs-1-e", ScheduleID: "77f71919-62f3-4d0c-9f88-0a0391b665cd",
		PrincipalID: me, Via: pim.ViaDirect, Start: utc("2022-04-12T14:44:50.287Z"), End: utc("2024-04-10T00:00:00Z"),
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if n := s.count("roleEligibilityScheduleInstances" + mineSuffix); n != 1 {
		t.Errorf("%d calls", n)
	}
	for _, c := range s.seen() {
		if !strings.HasPrefix(c.Path, directoryBase+"roleEligibilityScheduleInstances") || c.Query["$expand"] != "roleDefinition" {
			t.Errorf("call is %+v", c)
		}
	}
}

func TestDirectoryAssignmentExample(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		send(w, 200, example(t, "directory.roleAssignmentScheduleInstances.filterByCurrentUser.principal.response-docs"))
	})
	var parts []pim.ActivePart
	for part, err := range s.Directory().Active(short(t), nil, true) {
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part)
	}
	want := []pim.ActivePart{{Complete: true, Rows: []pim.Assignment{{
		Role: pim.Role{
			Kind: pim.KindDirectory, DefinitionID: "62e90394-69f5-4237-9190-012177145e10", Name: "role (id 62e90394…)",
			Scope: pim.Scope{ID: "/", Name: "Directory", Type: pim.ScopeDirectory},
		},
		ID: "lAPpYvVpN0KRkAEhdxReEJ2SvT9WjGJEhR4OuaezoqU-1", ScheduleID: "lAPpYvVpN0KRkAEhdxReEJ2SvT9WjGJEhR4OuaezoqU-1",
		PrincipalID: "3fbd929d-8c56-4462-851e-0eb9a7b3a2a5", Type: pim.Assigned, Via: pim.ViaDirect,
	}}}}
	if d := cmp.Diff(want, parts); d != "" {
		t.Error(d)
	}
}

func TestGroupExamples(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		switch c.Path {
		case groupBase + "eligibilityScheduleInstances" + mineSuffix:
			send(w, 200, example(t, "group.eligibilityScheduleInstances.filterByCurrentUser.principal.response-docs"))
		case groupBase + "assignmentScheduleInstances" + mineSuffix:
			send(w, 200, example(t, "group.assignmentScheduleInstances.filterByCurrentUser.principal.response-docs"))
		case "/v1.0/groups":
			if c.Query["$filter"] != "id in ('"+group+"')" {
				t.Errorf("filter is %q", c.Query["$filter"])
			}
			sendJSON(w, 200, listOf(map[string]any{"id": strings.ToUpper(group), "displayName": "On\u0007 call", "isAssignableToRole": true}))
		default:
			t.Errorf("call %+v", c)
			refuse(w, 404, "Request_ResourceNotFound", "")
		}
	})
	role := pim.Role{
		Kind: pim.KindGroup, DefinitionID: "member", Name: "Member", Access: pim.AccessMember,
		Scope: pim.Scope{ID: group, Name: "On call", Type: pim.ScopeGroup},
	}
	eligible, err := s.Groups().Eligible(short(t))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]pim.Eligibility{{
		Role: role, ID: "8MYkhImhnkm70CbBdTyW1BbHHAdHgZdDpbqyEFlRzAs-1-e", ScheduleID: "77f71919-62f3-4d0c-9f88-0a0391b665cd",
		PrincipalID: "3cce9d87-3986-4f19-8335-7ed075408ca2", Via: pim.ViaDirect,
		Start: utc("2022-04-12T14:44:50.287Z"), End: utc("2024-04-10T00:00:00Z"), MayGiveRoles: true,
	}}, eligible); d != "" {
		t.Error(d)
	}
	for part, err := range s.Groups().Active(short(t), nil, false) {
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(pim.ActivePart{Complete: true, Rows: []pim.Assignment{{
			Role: role, ID: "lAPpYvVpN0KRkAEhdxReEJ2SvT9WjGJEhR4OuaezoqU-1", ScheduleID: "lAPpYvVpN0KRkAEhdxReEJ2SvT9WjGJEhR4OuaezoqU-1",
			PrincipalID: "3cce9d87-3986-4f19-8335-7ed075408ca2", Type: pim.Assigned, Via: pim.ViaDirect,
		}}}, part); d != "" {
			t.Error(d)
		}
	}
	if n := s.count("/groups"); n != 1 {
		t.Errorf("names were read %d times", n)
	}
}

// rowsOf are n eligibilities, numbered from start.
func rowsOf(start, n int) []any {
	var rows []any
	for i := start; i < start+n; i++ {
		rows = append(rows, map[string]any{
			"id": fmt.Sprint("i", i), "roleDefinitionId": fmt.Sprint("role-", i), "directoryScopeId": "/",
			"groupId": fmt.Sprint("group-", i), "accessId": "member",
			"principalId": me, "memberType": "Direct", "assignmentType": "Activated",
			"roleDefinition": map[string]any{"displayName": fmt.Sprint("Role ", i), "isBuiltIn": i%2 == 0},
		})
	}
	return rows
}

func TestFiftyRowsWithoutLinkAreDoubted(t *testing.T) {
	for name, test := range map[string]struct {
		rows     int
		refuse   bool
		want     int
		calls    int
		complete bool
	}{
		"49 rows":                      {rows: 49, want: 49, calls: 1, complete: true},
		"50 rows and a collection":     {rows: 50, want: 60, calls: 2, complete: true},
		"50 rows and a refusal":        {rows: 50, refuse: true, want: 50, calls: 2},
		"more than 50 rows are whole":  {rows: 51, want: 51, calls: 1, complete: true},
		"nothing at all is whole, too": {want: 0, calls: 1, complete: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, c call) {
				switch {
				case c.Path == "/v1.0/$batch":
					refuse(w, 403, "Authorization_RequestDenied", "")
				case strings.HasSuffix(c.Path, mineSuffix):
					sendJSON(w, 200, listOf(rowsOf(0, test.rows)...))
				case test.refuse:
					refuse(w, 403, "UnauthorizedAccessException", "Attempted to perform an unauthorized operation.")
				default:
					if c.Query["$filter"] != "principalId eq '"+me+"'" {
						t.Errorf("query is %v", c.Query)
					}
					sendJSON(w, 200, listOf(rowsOf(0, 60)...))
				}
			})
			for part, err := range s.Groups().Active(short(t), nil, false) {
				if err != nil {
					t.Fatal(err)
				}
				if doubted := s.Groups().Cut(pim.PartActive) == 50; doubted == test.complete || s.Groups().Cut(pim.PartEligible) != 0 {
					t.Errorf("doubted: %v", doubted)
				}
				if len(part.Rows) != test.want || part.Complete != test.complete || part.Scope.ID != "" {
					t.Errorf("%d rows, complete %v", len(part.Rows), part.Complete)
				}
			}
			if n := s.count("assignmentScheduleInstances") + s.count(mineSuffix); n != test.calls {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// filterByCurrentUser leaves out what a group brings; the collection has it, for those
// who may read it.
func TestWhatComesWithAGroupIsListed(t *testing.T) {
	refusing, failing := false, false
	s := newService(t, func(w http.ResponseWriter, c call) {
		switch {
		case strings.HasSuffix(c.Path, mineSuffix):
			sendJSON(w, 200, listOf(rowsOf(0, 1)...))
		case refusing:
			refuse(w, 403, "UnauthorizedAccessException", "Attempted to perform an unauthorized operation.")
		case failing:
			refuse(w, 500, "InternalServerError", "")
		default:
			all := rowsOf(0, 2)
			all[1].(map[string]any)["memberType"] = "Group"
			sendJSON(w, 200, listOf(all...))
		}
	})
	read := func(want int) {
		t.Helper()
		eligible, err := s.Directory().Eligible(short(t))
		if err != nil || len(eligible) != want {
			t.Fatalf("%+v, %v", eligible, err)
		}
		for part, err := range s.Directory().Active(short(t), nil, false) {
			if err != nil || len(part.Rows) != want || !part.Complete {
				t.Fatalf("%+v, %v", part, err)
			}
		}
		if want > 1 && (eligible[1].Via != pim.ViaGroup || eligible[0].Via != pim.ViaDirect) {
			t.Errorf("%+v", eligible)
		}
		if shows := s.Directory().ShowsGroupRoles(); shows != (want > 1) {
			t.Errorf("shows what groups bring: %v", shows)
		}
	}
	read(2)
	refusing = true
	read(1)
	read(1)
	if n := s.count("ScheduleInstances"); n != 4 {
		t.Errorf("collections were asked for %d times", n)
	}
	s.advance(time.Hour)
	refusing = false
	read(2)
	// What is not known is no empty list.
	failing = true
	_, err := s.Directory().Eligible(short(t))
	wantCode(t, err, pim.CodeUnavailable)
}

func TestListsComeByPages(t *testing.T) {
	var s *service
	s = newService(t, func(w http.ResponseWriter, c call) {
		if strings.HasSuffix(c.Path, "/groups") {
			names := listOf(map[string]string{"id": "group-1", "displayName": "Pay"})
			if c.Query["$skiptoken"] == "" {
				names = listOf(map[string]string{"id": "group-0", "displayName": "Ops"})
				names["@odata.nextLink"] = s.url + c.Path + "?$skiptoken=a"
			}
			sendJSON(w, 200, names)
			return
		}
		if !strings.HasSuffix(c.Path, mineSuffix) {
			refuse(w, 403, "UnauthorizedAccessException", "")
			return
		}
		answer := listOf(rowsOf(2, 1)...)
		if c.Query["$skiptoken"] == "" {
			answer = listOf(rowsOf(0, 2)...)
			answer["@odata.nextLink"] = s.url + c.Path + "?$skiptoken=a"
		}
		sendJSON(w, 200, answer)
	})
	for _, p := range []pim.Pager{s.Directory(), s.Groups()} {
		var sizes []int
		for list, err := range p.EligiblePages(short(t)) {
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(list))
			if first, second := list[0].Role.Scope, list[1].Role.Scope; first.Type == pim.ScopeGroup && (first.Name != "Ops" || second.Name != "Pay") {
				t.Errorf("the first groups of %d are called %q and %q", len(list), first.Label(), second.Label())
			}
		}
		if fmt.Sprint(sizes) != "[2 3 3]" {
			t.Errorf("pages have %v", sizes)
		}
		for range p.EligiblePages(short(t)) {
			break // The rest is not waited for, and nothing stays behind.
		}
	}
}

func TestPagesAreFollowedVerbatim(t *testing.T) {
	var s *service
	s = newService(t, func(w http.ResponseWriter, c call) {
		if c.Query["$skiptoken"] == "" {
			answer := listOf(rowsOf(0, 2)...)
			answer["@odata.nextLink"] = s.url + directoryBase + "roleEligibilityScheduleInstances/filterByCurrentUser(on='principal')?$skiptoken=a%2Bb&$expand=roleDefinition"
			sendJSON(w, 200, answer)
			return
		}
		if c.Query["$skiptoken"] != "a+b" {
			t.Errorf("token is %q", c.Query["$skiptoken"])
		}
		sendJSON(w, 200, listOf(rowsOf(2, 1)...))
	})
	got, err := s.Directory().Eligible(short(t))
	if err != nil || len(got) != 3 || got[0].Role.Custom || !got[1].Role.Custom || got[2].Role.Name != "Role 2" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestBadPagesEndTheList(t *testing.T) {
	for name, answer := range map[string]func(s *service) any{
		"another host": func(s *service) any {
			return map[string]any{"value": []any{}, "@odata.nextLink": "https://example.com/v1.0/x"}
		},
		"another scheme": func(s *service) any {
			return map[string]any{"value": []any{}, "@odata.nextLink": strings.Replace(s.url, "https", "http", 1)}
		},
		"a name in it": func(s *service) any {
			return map[string]any{"value": []any{}, "@odata.nextLink": strings.Replace(s.url, "https://", "https://a@", 1)}
		},
		"a loop": func(s *service) any {
			return map[string]any{"value": []any{}, "@odata.nextLink": s.url + "/v1.0/again"}
		},
		"no list":     func(s *service) any { return map[string]any{} },
		"a null list": func(s *service) any { return map[string]any{"value": nil} },
		"no object":   func(s *service) any { return 1 },
	} {
		t.Run(name, func(t *testing.T) {
			var s *service
			s = newService(t, func(w http.ResponseWriter, c call) { sendJSON(w, 200, answer(s)) })
			_, err := s.Directory().Eligible(short(t))
			wantCode(t, err, pim.CodeUnreadable)
			if n := s.count(mineSuffix) + s.count("/again"); n > 3 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

func TestScopesOfDirectoryRoles(t *testing.T) {
	const unit, object, other = "AA000000-0000-0000-0000-000000000001", "bb000000-0000-0000-0000-000000000002", "cc000000-0000-0000-0000-000000000003"
	row := func(scope, app any) map[string]any {
		return map[string]any{"id": fmt.Sprint(scope, app), "roleDefinitionId": "r", "directoryScopeId": scope, "appScopeId": app}
	}
	s := newService(t, func(w http.ResponseWriter, c call) {
		if c.Path != "/v1.0/$batch" {
			sendJSON(w, 200, listOf(row("/", nil), row("/administrativeUnits/"+unit, nil), row("/administrativeUnits/"+other, nil), row("/"+object, nil), row(nil, "/App/1"), nil, row(nil, nil)))
			return
		}
		var answers []any
		for _, r := range c.Body["requests"].([]any) {
			r := r.(map[string]any)
			a := map[string]any{"id": r["id"], "status": 200}
			switch url := r["url"].(string); {
			case strings.HasPrefix(url, "/directory/administrativeUnits/"+strings.ToLower(unit)+"?"):
				a["body"] = map[string]string{"id": unit, "displayName": "Berlin"}
			case strings.HasPrefix(url, "/directory/administrativeUnits/"):
				a["status"], a["body"] = 403, failure("Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
			case strings.Contains(url, "appScopeId%20eq%20%27%2FApp%2F1%27") && strings.HasSuffix(url, "$expand=appScope"):
				a["status"], a["body"] = 400, failure("BadRequest", "The expansion is not supported.")
				if strings.HasPrefix(url, "/roleManagement/directory/roleEligibilityScheduleInstances"+mineSuffix+"?") {
					a["status"], a["body"] = 200, listOf(map[string]any{"id": "1", "appScopeId": "/App/1", "appScope": map[string]string{"id": "1", "displayName": "Case files"}})
				}
			case url == "/directoryObjects/getByIds" && r["method"] == "POST":
				a["body"] = listOf(map[string]string{"id": object, "displayName": "Payroll"})
			default:
				t.Errorf("item %v", r)
			}
			answers = append(answers, a)
		}
		sendJSON(w, 200, map[string]any{"responses": answers})
	})
	got, err := s.Directory().Eligible(short(t))
	if err != nil {
		t.Fatal(err)
	}
	var scopes []pim.Scope
	for _, e := range got {
		scopes = append(scopes, e.Role.Scope)
	}
	want := []pim.Scope{
		{ID: "/", Name: "Directory", Type: pim.ScopeDirectory},
		{ID: "/administrativeUnits/" + unit, Name: "Berlin", Type: pim.ScopeAdministrativeUnit},
		{ID: "/administrativeUnits/" + other, Type: pim.ScopeAdministrativeUnit},
		{ID: "/" + object, Name: "Payroll", Type: pim.ScopeObject},
		{ID: "/App/1", Name: "Case files", Type: pim.ScopeApp},
	}
	if d := cmp.Diff(want, scopes); d != "" {
		t.Error(d)
	}
	if n := s.count("/$batch"); n != 1 {
		t.Errorf("names took %d calls", n)
	}
}

func TestOwnerAndMemberAreTwoRoles(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		if strings.HasSuffix(c.Path, "/groups") {
			refuse(w, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
			return
		}
		row := func(access, via, principal, end string) map[string]any {
			return map[string]any{"id": access + via, "groupId": strings.ToUpper(group), "accessId": access, "memberType": via, "principalId": principal, "endDateTime": end}
		}
		sendJSON(w, 200, listOf(
			row("Owner", "Group", "dd000000-0000-0000-0000-000000000004", ""), row("owner", "Direct", me, "2024-04-10T00:00:00Z"),
			row("member", "direct", me, "2024-04-10T00:00:00Z"), row("Member", "Direct", me, "not a time"),
		))
	})
	got, err := s.Groups().Eligible(short(t))
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if got[0].Role.Access != pim.AccessOwner || got[0].Via != pim.ViaDirect || got[0].Role.Name != "Owner" {
		t.Errorf("the owner's is %+v", got[0])
	}
	if got[1].Role.Access != pim.AccessMember || !got[1].End.IsZero() || got[1].Role.Scope.Label() != "group (id 2B5ED229…)" {
		t.Errorf("the member's is %+v", got[1])
	}
}
