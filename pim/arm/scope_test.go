package arm

import (
	"strings"
	"testing"

	"roletray/pim"
)

func TestScopeType(t *testing.T) {
	for id, want := range map[string]pim.ScopeType{
		"/providers/microsoft.management/managementgroups/m": pim.ScopeManagementGroup,
		"/subscriptions/1":                   pim.ScopeSubscription,
		"/subscriptions/1/resourcegroups/a/": pim.ScopeResourceGroup,
		"/subscriptions/1/resourceGroups/a/providers/Microsoft.Sql/servers/s/databases/d":               "Microsoft.Sql/servers/databases",
		"/subscriptions/1/providers/Microsoft.Network/networkWatchers/w":                                "Microsoft.Network/networkWatchers",
		"/subscriptions/1/resourceGroups/a/providers/A.B/c/d/providers/Microsoft.Insights/components/x": "Microsoft.Insights/components",
		"/": "", "": "", "providers": "", "/subscriptions/1/providers": "",
	} {
		if got := scopeType(id); got != want {
			t.Errorf("%q is %q, want %q", id, got, want)
		}
	}
}

func FuzzScopePath(f *testing.F) {
	f.Add("/subscriptions/1/resourceGroups/rg (1)")
	f.Add("//a/../b?c#d%2f")
	f.Fuzz(func(t *testing.T, id string) {
		scopeType(id)
		path, err := scopePath(id)
		if err != nil {
			return
		}
		if strings.ContainsAny(path, "?#") || strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.Contains("/"+path+"/", "/../") {
			t.Errorf("%q became %q", id, path)
		}
	})
}
