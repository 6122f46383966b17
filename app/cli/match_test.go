package cli

import (
	"slices"
	"strings"
	"testing"

	"roletray/assets/translations"
	"roletray/pim"
)

func TestMatch(t *testing.T) {
	role := func(name, scope, id string) pim.Role {
		return pim.Role{Kind: pim.KindAzure, Name: name, DefinitionID: strings.ToLower(name), Scope: pim.Scope{ID: id, Name: scope}}
	}
	rows := []pim.Role{
		role("Owner", "rg-prod", "/subscriptions/1/resourceGroups/rg-prod"),
		role("Owner", "rg-prod-eu", "/subscriptions/1/resourceGroups/rg-prod-eu"),
		role("Contributor", "Pay-As-You-Go", "/subscriptions/1"),
		role("Contributor", "Möbel & Söhne", "/subscriptions/2"),
		role("Website Contributor", "Pay-As-You-Go", "/subscriptions/1"),
		role("Reader", "", "/subscriptions/1/resourceGroups/x/providers/Microsoft.Compute/virtualMachines/vm-01"),
		{Kind: pim.KindDirectory, Name: "Reports Reader", DefinitionID: "rr", Scope: pim.Scope{ID: "/", Name: "Directory"}},
	}
	for _, tt := range []struct {
		name  string
		words []string
		want  []int
	}{
		{"nothing", nil, nil},
		{"white space", []string{" "}, nil},
		{"unknown", []string{"wizard"}, nil},
		{"one word", []string{"website"}, []int{4}},
		{"part of a word", []string{"webs"}, []int{4}},
		{"case", []string{"WEBSITE"}, []int{4}},
		{"the scope of a nameless one", []string{"vm-01"}, []int{5}},
		{"ambiguous", []string{"owner"}, []int{0, 1}},
		{"whole scope wins", []string{"owner", "rg-prod"}, []int{0}},
		{"part of a scope", []string{"owner", "eu"}, []int{1}},
		{"whole role name wins", []string{"contributor", "pay"}, []int{2}},
		{"longer role name", []string{"website", "contributor"}, []int{4}},
		{"words in one argument", []string{"website contributor pay-as-you-go"}, []int{4}},
		{"diacritics", []string{"contributor", "mobel"}, []int{3}},
		{"whole scope id", []string{"contributor", "/subscriptions/2"}, []int{3}},
		{"whole scope id above others", []string{"contributor", "/SUBSCRIPTIONS/1"}, []int{2}},
		{"key", []string{string(rows[1].Key())}, []int{1}},
		{"the kind as in PIM", []string{"reader", "entra"}, []int{6}},
		{"the kind as in the JSON", []string{"directory"}, []int{6}},
		{"the kind as listed", []string{"reader", "azure", "role"}, []int{5}},
		{"a word too many", []string{"reader", "prod"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			for _, i := range tt.want {
				want = append(want, string(rows[i].Key()))
			}
			var got []string
			for _, r := range Match(rows, tt.words, func(r pim.Role) pim.Role { return r }) {
				got = append(got, string(r.Key()))
			}
			if !slices.Equal(got, want) {
				t.Errorf("Match(%q) = %q, want %q", tt.words, got, want)
			}
		})
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("Owner", "rg-prod", "owner prod")
	f.Fuzz(func(t *testing.T, name, scope, words string) {
		r := pim.Role{Name: name, Scope: pim.Scope{ID: "/" + scope, Name: scope}}
		if found := Match([]pim.Role{r}, []string{words}, func(r pim.Role) pim.Role { return r }); len(found) > 1 {
			t.Errorf("one row matched %d times", len(found))
		}
	})
}

// TestKindsAreNamedAsInTheWindow holds the command line to the words of the other faces.
func TestKindsAreNamedAsInTheWindow(t *testing.T) {
	words, err := translations.Texts("en")
	if err != nil {
		t.Fatal(err)
	}
	for k, key := range map[pim.Kind]string{pim.KindAzure: "kind.azure", pim.KindDirectory: "kind.directory", pim.KindGroup: "kind.group"} {
		if got := kindName(k); got != words[key] {
			t.Errorf("%s is %q, and %q in the window", k, got, words[key])
		}
	}
}

// TestTableAligns has cells that are empty, at the end of a row too.
func TestTableAligns(t *testing.T) {
	var b strings.Builder
	err := table(&b, [][]string{{"A", "B", "C"}, {"long cell", "x", ""}, {"", "longer cell", "c"}, {"1", "2", "3"}})
	want := "A          B            C\nlong cell  x\n           longer cell  c\n1          2            3\n"
	if got := b.String(); got != want || err != nil {
		t.Errorf("%v:\n%s", err, got)
	}
}
