package graph_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"roletray/pim"
)

// breakGlass is the person's group that brings Entra roles.
func breakGlass(t *testing.T, c company) string {
	t.Helper()
	e := eligible(t, c.client.Groups(), func(e pim.Eligibility, p pim.Policy) bool { return p.TicketRequired })
	return e.Role.Scope.ID
}

func TestWhatAGroupBringsAtTenant(t *testing.T) {
	c := newCompany(t)
	id := breakGlass(t, c)
	for _, p := range c.kinds() {
		_, err := p.(pim.GroupReader).RolesOf(t.Context(), id)
		wantCode(t, err, pim.CodeForbidden)
	}
	c.set(t, map[string]any{"otherCollection": "allow"})
	roles, err := c.client.Directory().RolesOf(t.Context(), strings.ToUpper(id))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range roles {
		how := " held"
		if r.Eligible {
			how = " eligible"
		}
		got = append(got, r.Role.Name+how)
		if r.Role.Kind != pim.KindDirectory || r.Role.Scope.Name != "Halden Freight" {
			t.Errorf("role is %+v", r.Role)
		}
	}
	if want := []string{"Privileged Authentication Administrator eligible", "SharePoint Administrator held"}; !slices.Equal(got, want) {
		t.Errorf("the group brings %q", got)
	}
	if nested, err := c.client.Groups().RolesOf(t.Context(), id); err != nil || len(nested) != 0 {
		t.Errorf("the group is in %+v, %v", nested, err)
	}
}

func TestWhatAGroupBrings(t *testing.T) {
	row := func(role, principal string) map[string]any {
		return map[string]any{"id": role, "roleDefinitionId": role, "directoryScopeId": "/", "principalId": principal, "roleDefinition": map[string]any{"displayName": "Role " + role}}
	}
	for _, tt := range []struct {
		name   string
		answer func(w http.ResponseWriter, eligible bool)
		want   int
		calls  int
		code   pim.Code
	}{
		{"both", func(w http.ResponseWriter, _ bool) {
			sendJSON(w, 200, listOf(row("1", strings.ToUpper(group)), row("1", group)))
		}, 2, 2, ""},
		{"another principal's", func(w http.ResponseWriter, _ bool) {
			sendJSON(w, 200, listOf(row("1", me), nil, map[string]any{"principalId": group}))
		}, 0, 2, ""},
		{"refused", func(w http.ResponseWriter, _ bool) { refuse(w, 403, "UnauthorizedAccessException", "") }, 0, 1, pim.CodeForbidden},
		{"refused as a bad request", func(w http.ResponseWriter, _ bool) { refuse(w, 400, "InvalidFilter", "") }, 0, 1, pim.CodeForbidden},
		{"refused by halves", func(w http.ResponseWriter, eligible bool) {
			if eligible {
				sendJSON(w, 200, listOf(row("1", group)))
				return
			}
			wrapped(w, 403, "PermissionScopeNotGranted", "")
		}, 0, 2, pim.CodeConsent},
		{"unavailable", func(w http.ResponseWriter, _ bool) { refuse(w, 500, "InternalServerError", "") }, 0, 3, pim.CodeUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, c call) {
				if c.Query["$filter"] != "principalId eq '"+group+"'" || c.Query["$expand"] != "roleDefinition" {
					t.Errorf("asked with %q", c.Query)
				}
				tt.answer(w, strings.HasSuffix(c.Path, "/roleEligibilityScheduleInstances"))
			})
			got, err := s.Directory().RolesOf(short(t), group)
			if pim.CodeOf(err) != tt.code || len(got) != tt.want || len(s.seen()) != tt.calls {
				t.Errorf("%d calls, %+v, %v", len(s.seen()), got, err)
			}
		})
	}
}
