package graph_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"roletray/pim"
	"roletray/pim/graph"
)

// reference is what Microsoft's permissions reference says of delegated permissions: by
// method and path, which suffice, and which is the least.
type reference struct{ suffice, least map[string][]string }

var inBraces = regexp.MustCompile(`\{[^}]*\}`)

// call is a method and a path, however its parameters are called.
func (reference) call(method, path string) string {
	return method + " " + strings.ToLower(inBraces.ReplaceAllString(path, "{}"))
}

// permissionsReference reads the reference, which lies beside the repository and need not
// be there outside of CI.
func permissionsReference(t *testing.T) reference {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "spec", "graph", "permissions-pim.json"))
	if err != nil {
		const why = "Microsoft's permissions are not beside the repository, in ../shared/spec/graph"
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip("skipped: " + why)
	}
	var file struct {
		Permissions map[string]struct {
			PathSets []struct {
				SchemeKeys []string          `json:"schemeKeys"`
				Methods    []string          `json:"methods"`
				Paths      map[string]string `json:"paths"`
			} `json:"pathSets"`
		} `json:"permissions"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	r := reference{map[string][]string{}, map[string][]string{}}
	for name, p := range file.Permissions {
		for _, set := range p.PathSets {
			if !slices.Contains(set.SchemeKeys, "DelegatedWork") {
				continue
			}
			for path, says := range set.Paths {
				for _, method := range set.Methods {
					call := r.call(method, path)
					r.suffice[call] = append(r.suffice[call], name)
					if strings.Contains(says, "DelegatedWork") {
						r.least[call] = append(r.least[call], name)
					}
				}
			}
		}
	}
	return r
}

func TestPermissionsAreTheLeast(t *testing.T) {
	known := permissionsReference(t)
	const mine = "/filterByCurrentUser(on={})"
	calls := map[string][]struct {
		use          graph.Use
		method, path string
	}{
		string(pim.KindDirectory): {
			{graph.UseEligible, "GET", "roleEligibilityScheduleInstances"},
			{graph.UseEligible, "GET", "roleEligibilityScheduleInstances" + mine},
			{graph.UseActive, "GET", "roleAssignmentScheduleInstances"},
			{graph.UseActive, "GET", "roleAssignmentScheduleInstances" + mine},
			{graph.UseRequests, "GET", "roleAssignmentScheduleRequests"},
			{graph.UseRequests, "GET", "roleAssignmentScheduleRequests" + mine},
			{graph.UseRequests, "GET", "roleAssignmentScheduleRequests/{}"},
			{graph.UseDecide, "GET", "roleAssignmentScheduleRequests" + mine},
			{graph.UseAct, "POST", "roleAssignmentScheduleRequests"},
			{graph.UseAct, "POST", "roleAssignmentScheduleRequests/{}/cancel"},
			{graph.UseProlong, "GET", "roleEligibilityScheduleRequests" + mine},
			{graph.UseProlong, "POST", "roleEligibilityScheduleRequests"},
			{graph.UseProlong, "POST", "roleEligibilityScheduleRequests/{}/cancel"},
			{graph.UsePolicy, "GET", "/policies/roleManagementPolicyAssignments"},
		},
		string(pim.KindGroup): {
			{graph.UseEligible, "GET", "eligibilityScheduleInstances"},
			{graph.UseEligible, "GET", "eligibilityScheduleInstances" + mine},
			{graph.UseActive, "GET", "assignmentScheduleInstances"},
			{graph.UseActive, "GET", "assignmentScheduleInstances" + mine},
			{graph.UseRequests, "GET", "assignmentScheduleRequests"},
			{graph.UseRequests, "GET", "assignmentScheduleRequests" + mine},
			{graph.UseRequests, "GET", "assignmentScheduleRequests/{}"},
			{graph.UseDecide, "GET", "assignmentScheduleRequests" + mine},
			{graph.UseAct, "POST", "assignmentScheduleRequests"},
			{graph.UseAct, "POST", "assignmentScheduleRequests/{}/cancel"},
			{graph.UseProlong, "GET", "eligibilityScheduleRequests" + mine},
			{graph.UseProlong, "POST", "eligibilityScheduleRequests"},
			{graph.UseProlong, "POST", "eligibilityScheduleRequests/{}/cancel"},
		},
	}
	bases := map[string]string{
		string(pim.KindDirectory): "/roleManagement/directory/", string(pim.KindGroup): "/identityGovernance/privilegedAccess/group/",
	}
	all := slices.Concat(graph.Scopes(), graph.LaterScopes())
	needed := map[int]bool{} // by place in all
	for kind, list := range calls {
		for _, c := range list {
			path := c.path
			if !strings.HasPrefix(path, "/") {
				path = bases[kind] + path
			}
			call := known.call(c.method, path)
			i := slices.IndexFunc(all, func(p graph.Permission) bool { return string(p.Kind) == kind && slices.Contains(p.Uses, c.use) })
			if i < 0 || !slices.Contains(known.suffice[call], all[i].Name) {
				t.Errorf("%s for %s of %s: of %q, none is asked for", call, c.use, kind, known.suffice[call])
				continue
			}
			if slices.Contains(known.least[call], all[i].Name) {
				needed[i] = true
			}
		}
	}
	// More than a call's least is asked for only where another call needs it.
	for i, p := range all {
		listed := slices.ContainsFunc(slices.Collect(maps.Values(known.suffice)), func(names []string) bool { return slices.Contains(names, p.Name) })
		if listed && !needed[i] {
			t.Errorf("%s is the least for nothing that is called", p.Name)
		}
	}
}
