package arm_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roletray/pim"
)

func names(list []pim.Scope) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.Label()+" "+string(s.Type))
	}
	return out
}

func TestChildrenAtTenant(t *testing.T) {
	c := newCompany(t)
	c.control(t, "PUT", "/settings", `{"arm":{"pageSize":1}}`)
	ctx := t.Context()
	top := c.eligible(t, func(e pim.Eligibility, _ pim.Policy) bool { return e.Role.Scope.Name == "Halden Freight" }).Role.Scope
	// at goes down from the top by names.
	at := func(path ...string) pim.Scope {
		s := top
		for _, name := range path {
			list, err := c.provider.Children(ctx, s)
			if err != nil {
				t.Fatal(err)
			}
			s = pim.Scope{}
			for _, child := range list {
				if child.Name == name {
					s = child
				}
			}
			if s.ID == "" {
				t.Fatalf("%q is not among %v", name, names(list))
			}
		}
		return s
	}
	for _, tt := range []struct {
		scope pim.Scope
		want  []string
	}{
		{top, []string{"Development Sandbox subscription", "Halden Production managementgroup", "Shared Services subscription"}},
		{at("Halden Production"), []string{"Logistics Production subscription", "Warehouse Production subscription"}},
		{at("Halden Production", "Logistics Production"), []string{"rg-dispatch-prod resourcegroup", "rg-tracking-prod resourcegroup"}},
		{at("Halden Production", "Logistics Production", "rg-dispatch-prod"), []string{"vm-dispatch-01 Microsoft.Compute/virtualMachines", "vm-dispatch-02 Microsoft.Compute/virtualMachines"}},
		// To be eligible there does not allow to read it.
		{at("Development Sandbox", "rg-data-dev"), nil},
		{at("Shared Services", "rg-automation"), []string{"log-halden Microsoft.OperationalInsights/workspaces"}},
		{at("Shared Services", "rg-automation", "log-halden"), nil},
	} {
		list, err := c.provider.Children(ctx, tt.scope)
		if err != nil {
			t.Fatalf("%s: %v", tt.scope.Label(), err)
		}
		if diff := cmp.Diff(tt.want, names(list)); diff != "" {
			t.Errorf("%s: %s", tt.scope.Label(), diff)
		}
	}
}

func TestActivationAtAChildAtTenant(t *testing.T) {
	c := newCompany(t)
	e := c.eligible(t, func(e pim.Eligibility, p pim.Policy) bool {
		return plain(e, p) && e.Role.Scope.Type == pim.ScopeSubscription
	})
	children, err := c.provider.Children(t.Context(), e.Role.Scope)
	if err != nil || len(children) == 0 {
		t.Fatalf("%+v, %v", children, err)
	}
	a := activation(e)
	a.Scope = children[0]
	made, err := c.provider.Activate(t.Context(), a)
	if err != nil || made.Role.Scope != children[0] {
		t.Fatalf("%+v, %v", made, err)
	}
	if rows := c.active(t, a.Role()); len(rows) != 1 {
		t.Errorf("active rows are %+v", rows)
	}
}

func TestChildrenOfMicrosoftsExample(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		if c.Path != subscription+pimPath+"eligibleChildResources" || c.Filter != "" {
			t.Errorf("asked %s with %q", c.Path, c.Filter)
		}
		send(w, 200, example(t, "GetEligibleChildResourcesByScope", "200"))
	})
	got, err := s.Children(short(t), pim.Scope{ID: subscription})
	want := []pim.Scope{
		{ID: subscription + "/resourceGroups/RG-1", Name: "RG-1", Type: pim.ScopeResourceGroup},
		{ID: subscription + "/resourceGroups/RG-2", Name: "RG-2", Type: pim.ScopeResourceGroup},
	}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v, %v", cmp.Diff(want, got), err)
	}
}

func TestChildrenAreReadInPagesAndSorted(t *testing.T) {
	const group = subscription + "/resourceGroups/rg"
	for name, tt := range map[string]struct{ scope, path string }{
		"of a management group": {"/providers/Microsoft.Management/managementGroups/m", "/providers/Microsoft.Management/managementGroups/m" + pimPath + "eligibleChildResources"},
		"of the tenant":         {"/", strings.TrimSuffix(pimPath, "/") + "/eligibleChildResources"},
		"of a resource group":   {group + "/", group + "/resources"},
	} {
		t.Run(name, func(t *testing.T) {
			var s *service
			s = newService(t, func(w http.ResponseWriter, c call) {
				if c.Path != tt.path {
					t.Errorf("asked %s", c.Path)
				}
				if len(s.seen()) == 1 {
					version := "2020-10-01"
					if strings.HasSuffix(c.Path, "/resources") {
						version = "2021-04-01"
					}
					fmt.Fprintf(w, `{"value":[{"id":"/subscriptions/b","name":"beta\u202e","type":"SUBSCRIPTION"},null,{"id":"","name":"none"},{"id":"/x","name":"Alpha","type":"ResourceGroup"},{"id":%q,"name":"itself"}],"nextLink":"%s%s?api-version=%s&$skiptoken=2"}`,
						strings.ToUpper(strings.TrimRight(tt.scope, "/")), s.url, tt.path, version)
					return
				}
				send(w, 200, listOf(`{"id":"/SUBSCRIPTIONS/B/","name":"again"}`, `{"id":"/subscriptions/a"}`, `{"id":"/subscriptions/c/resourceGroups/g/providers/A.B/cs/d/es/f","name":"d/f","type":"A.B/cs/es"}`, `{"id":"/y","name":"alpha","type":"Some\u0000thing"}`))
			})
			got, err := s.Children(short(t), pim.Scope{ID: tt.scope})
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"a subscription", "Alpha resourcegroup", "alpha Something", "beta subscription", "d/f A.B/cs/es"}
			if diff := cmp.Diff(want, names(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChildrenThatMayNotBeRead(t *testing.T) {
	forbidden := newService(t, func(w http.ResponseWriter, _ call) { refuse(w, 403, "AuthorizationFailed", "no") })
	if got, err := forbidden.Children(short(t), pim.Scope{ID: subscription + "/resourceGroups/rg"}); err != nil || got != nil {
		t.Errorf("%+v, %v", got, err)
	}
	_, err := forbidden.Children(short(t), pim.Scope{ID: subscription})
	wantCode(t, err, pim.CodeForbidden)
	gone := newService(t, func(w http.ResponseWriter, _ call) { refuse(w, 404, "ResourceGroupNotFound", "no") })
	_, err = gone.Children(short(t), pim.Scope{ID: subscription + "/resourceGroups/rg"})
	wantCode(t, err, pim.CodeNotFound)
	broken := newService(t, func(w http.ResponseWriter, _ call) { send(w, 200, []byte(`{"value":null}`)) })
	_, err = broken.Children(short(t), pim.Scope{ID: subscription + "/resourceGroups/rg"})
	wantCode(t, err, pim.CodeUnreadable)
	stray := newService(t, func(w http.ResponseWriter, _ call) {
		send(w, 200, []byte(`{"value":[],"nextLink":"https://127.0.0.1:1/steal"}`))
	})
	_, err = stray.Children(short(t), pim.Scope{ID: subscription + "/resourceGroups/rg"})
	wantCode(t, err, pim.CodeUnreadable)
	if _, err = stray.Children(short(t), pim.Scope{ID: subscription + "/.."}); err == nil || len(stray.seen()) != 1 {
		t.Errorf("a scope that is none was asked: %v", err)
	}
}
