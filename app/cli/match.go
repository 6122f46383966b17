package cli

import (
	"slices"
	"strings"

	"roletray/app/view"
	"roletray/pim"
)

// Match returns the rows that words name: those where each word occurs in the
// role's name, the scope's name or id, or the kind, without regard to case. Among
// several, a row whose whole role name is among the words wins over one that only
// contains them, and then the same for the scope. A word that is a row's key, or a
// scope's whole id, decides alone.
func Match[T any](rows []T, words []string, role func(T) pim.Role) []T {
	var folded []string
	for _, w := range words {
		folded = append(folded, strings.Fields(view.Fold(w))...)
	}
	if len(folded) == 0 {
		return nil
	}
	keep := func(rows []T, ok func(pim.Role) bool) []T {
		var out []T
		for _, r := range rows {
			if ok(role(r)) {
				out = append(out, r)
			}
		}
		return out
	}
	whole := view.Fold(strings.Join(words, " "))
	if exact := keep(rows, func(r pim.Role) bool { return string(r.Key()) == whole }); len(exact) > 0 {
		return exact
	}
	found := keep(rows, func(r pim.Role) bool {
		text := view.Fold(strings.Join([]string{r.Name, r.Scope.Label(), r.Scope.ID, string(r.Kind), kindName(r.Kind), string(r.Access)}, "\n"))
		return !slices.ContainsFunc(folded, func(w string) bool { return !strings.Contains(text, w) })
	})
	named := func(text string) bool {
		parts := strings.Fields(view.Fold(text))
		return len(parts) > 0 && !slices.ContainsFunc(parts, func(p string) bool { return !slices.Contains(folded, p) })
	}
	for _, better := range []func(pim.Role) bool{
		func(r pim.Role) bool { return slices.Contains(folded, view.Fold(r.Scope.ID)) },
		func(r pim.Role) bool { return named(r.Name) },
		func(r pim.Role) bool { return named(r.Scope.Label()) },
	} {
		if b := keep(found, better); len(b) > 0 {
			found = b
		}
	}
	return found
}
