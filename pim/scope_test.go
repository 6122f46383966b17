package pim

import "testing"

func TestScopeUp(t *testing.T) {
	const sub = "/subscriptions/1"
	group := Scope{ID: sub + "/resourceGroups/g", Name: "The group"}
	for _, c := range []struct{ from, top, want string }{
		{sub + "/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v", sub, sub + "/resourceGroups/g"},
		{sub + "/resourceGroups/g/providers/a/b/c", "/providers/Microsoft.Management/managementGroups/m", sub + "/resourceGroups/g"},
		{sub + "/resourceGroups/g", "/providers/Microsoft.Management/managementGroups/m", sub},
		{sub + "/providers/a/b/c", "/providers/Microsoft.Management/managementGroups/m", sub},
		{sub, "/providers/Microsoft.Management/managementGroups/m", "/providers/Microsoft.Management/managementGroups/m"},
		{"/providers/Microsoft.Management/managementGroups/a", "/providers/Microsoft.Management/managementGroups/m", "/providers/Microsoft.Management/managementGroups/m"},
		{sub, sub, ""},
		{sub + "/", "/SUBSCRIPTIONS/1", ""},
	} {
		got, ok := Scope{ID: c.from}.Up(Scope{ID: c.top})
		if got.ID != c.want || ok != (c.want != "") {
			t.Errorf("%s below %s: %q, %v", c.from, c.top, got.ID, ok)
		}
	}
	if up, _ := (Scope{ID: group.ID + "/providers/a/b/c"}).Up(group); up != group {
		t.Errorf("the name of the eligibility's scope is lost: %+v", up)
	}
}
