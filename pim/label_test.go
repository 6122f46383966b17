package pim_test

import (
	"testing"

	"roletray/pim"
)

func TestLabels(t *testing.T) {
	const id = "5e58ab01-0000-4000-8000-000000000001"
	for _, test := range []struct{ got, want string }{
		{pim.Principal{ID: id, Name: "Chidi Okafor"}.Label(), "Chidi Okafor"},
		{pim.Principal{ID: id}.Label(), "somebody (id 5e58ab01…)"},
		{pim.Principal{ID: "1"}.Label(), "somebody (id 1)"},
		{pim.Principal{}.Label(), ""},
		{pim.Scope{ID: id, Name: "On call", Type: pim.ScopeGroup}.Label(), "On call"},
		{pim.Scope{ID: id, Type: pim.ScopeGroup}.Label(), "group (id 5e58ab01…)"},
		{pim.Scope{ID: "/administrativeUnits/" + id, Type: pim.ScopeAdministrativeUnit}.Label(), "administrative unit (id 5e58ab01…)"},
		{pim.Scope{ID: "/" + id, Type: pim.ScopeObject}.Label(), "object (id 5e58ab01…)"},
		{pim.Scope{ID: "/" + id, Type: pim.ScopeApp}.Label(), "application's scope (id 5e58ab01…)"},
		{pim.Scope{ID: "/AppCatalog/7", Type: pim.ScopeApp}.Label(), "7"},
		{pim.Scope{ID: "/subscriptions/" + id, Type: pim.ScopeSubscription}.Label(), "subscription (id 5e58ab01…)"},
		{pim.Scope{ID: "/providers/Microsoft.Management/managementGroups/" + id, Type: pim.ScopeManagementGroup}.Label(), "management group (id 5e58ab01…)"},
		{pim.Scope{ID: "/subscriptions/1/resourceGroups/rg-prod/", Type: pim.ScopeResourceGroup}.Label(), "rg-prod"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}
