package pim_test

import (
	"strings"
	"testing"
	"time"

	"roletray/pim"
)

func TestRoleKey(t *testing.T) {
	role := func(kind pim.Kind, scope, definition string, access pim.Access) pim.Role {
		return pim.Role{Kind: kind, Scope: pim.Scope{ID: scope}, DefinitionID: definition, Access: access}
	}
	owner := role(pim.KindAzure, "/subscriptions/S1", "/subscriptions/S1/providers/Microsoft.Authorization/roleDefinitions/ABC", "")
	for _, tt := range []struct {
		name string
		a, b pim.Role
		same bool
	}{
		{"case does not count", owner, role(pim.KindAzure, "/SUBSCRIPTIONS/s1", "/subscriptions/s1/providers/microsoft.authorization/roledefinitions/abc", ""), true},
		{"nor does the definition's prefix", owner, role(pim.KindAzure, "/subscriptions/S1", "/providers/Microsoft.Authorization/roleDefinitions/abc", ""), true},
		{"nor does a slash at the end", owner, role(pim.KindAzure, "/subscriptions/S1/", "abc", ""), true},
		{"the scope does", owner, role(pim.KindAzure, "/subscriptions/S2", "abc", ""), false},
		{"the definition does", owner, role(pim.KindAzure, "/subscriptions/S1", "abd", ""), false},
		{"the kind does", owner, role(pim.KindDirectory, "/subscriptions/S1", "abc", ""), false},
		{"the access does", role(pim.KindGroup, "g", "member", pim.AccessMember), role(pim.KindGroup, "g", "owner", pim.AccessOwner), false},
		{"name and scope name do not", owner, pim.Role{Kind: pim.KindAzure, Name: "Owner", Scope: pim.Scope{ID: "/subscriptions/s1", Name: "Prod"}, DefinitionID: "ABC"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if same := tt.a.Key() == tt.b.Key(); same != tt.same {
				t.Errorf("%q and %q: same %v, want %v", tt.a.Key(), tt.b.Key(), same, tt.same)
			}
		})
	}
}

func FuzzRoleKey(f *testing.F) {
	f.Add("/subscriptions/S1", "/x/roleDefinitions/ABC")
	f.Fuzz(func(t *testing.T, scope, definition string) {
		r := pim.Role{Kind: pim.KindAzure, Scope: pim.Scope{ID: scope}, DefinitionID: definition}
		folded := pim.Role{Kind: pim.KindAzure, Scope: pim.Scope{ID: strings.ToLower(scope)}, DefinitionID: strings.ToLower(definition)}
		if r.Key() != folded.Key() {
			t.Errorf("the keys of %+v and %+v differ", r, folded)
		}
	})
}

func TestScopeWithin(t *testing.T) {
	for _, tt := range []struct {
		inner, outer string
		want         bool
	}{
		{"/subscriptions/a", "/subscriptions/A", true},
		{"/subscriptions/a/resourceGroups/x", "/subscriptions/a", true},
		{"/subscriptions/a/resourceGroups/x", "/subscriptions/a/", true},
		{"/subscriptions/ab", "/subscriptions/a", false},
		{"/subscriptions/a", "/subscriptions/a/resourceGroups/x", false},
		{"/subscriptions/a", "/providers/Microsoft.Management/managementGroups/m", false},
		{"/subscriptions/a", "/", true},
	} {
		if got := (pim.Scope{ID: tt.inner}).Within(pim.Scope{ID: tt.outer}); got != tt.want {
			t.Errorf("%s within %s: %v", tt.inner, tt.outer, got)
		}
	}
}

func TestScopeLabel(t *testing.T) {
	for _, tt := range []struct {
		scope pim.Scope
		want  string
	}{
		{pim.Scope{ID: "/subscriptions/a/resourceGroups/rg-x", Name: "Prod"}, "Prod"},
		{pim.Scope{ID: "/subscriptions/a/resourceGroups/rg-x/"}, "rg-x"},
		{pim.Scope{}, ""},
	} {
		if got := tt.scope.Label(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.scope, got, tt.want)
		}
	}
}

func TestDeactivatableAt(t *testing.T) {
	start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	if got := (pim.Assignment{Type: pim.Activated, Start: start}).DeactivatableAt(); !got.Equal(start.Add(5 * time.Minute)) {
		t.Errorf("activated: %v", got)
	}
	if got := (pim.Assignment{Type: pim.Assigned, Start: start}).DeactivatableAt(); !got.IsZero() {
		t.Errorf("assigned: %v", got)
	}
}

func TestKindAudience(t *testing.T) {
	for kind, want := range map[pim.Kind]pim.Audience{pim.KindAzure: pim.AudienceARM, pim.KindDirectory: pim.AudienceGraph, pim.KindGroup: pim.AudienceGraph} {
		if got := kind.Audience(); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
}
