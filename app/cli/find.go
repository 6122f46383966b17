package cli

import (
	"strings"

	"roletray/app/local"
	"roletray/pim"
)

// eligible is an eligibility with whose it is.
type eligible struct {
	account string
	pim.Eligibility
}

// findEligible is the one eligibility that the words and the scope name, and the
// narrower scope where it is one.
func (a *app) findEligible(s *local.State, words []string, scope string) (eligible, pim.Scope, error) {
	snaps, err := a.accounts(s)
	if err != nil {
		return eligible{}, pim.Scope{}, err
	}
	var rows []eligible
	signIn := false
	for _, snap := range snaps {
		signIn = signIn || snap.SignIn != nil
		for _, e := range snap.Eligible {
			rows = append(rows, eligible{snap.Account.ID, e})
		}
	}
	if len(rows) == 0 && signIn {
		return eligible{}, pim.Scope{}, signInNeeded("Sign in again to go on, with: roletray signin")
	}
	role := func(e eligible) pim.Role { return e.Role }
	narrower := pim.Scope{}
	if strings.HasPrefix(scope, "/") {
		var exact, above, groups []eligible
		wanted := pim.Scope{ID: strings.TrimRight(scope, "/")}
		for _, e := range rows {
			switch {
			case strings.EqualFold(e.Role.Scope.ID, wanted.ID):
				exact = append(exact, e)
			case e.Role.Kind == pim.KindAzure && wanted.Within(e.Role.Scope):
				above = append(above, e)
			case e.Role.Scope.Type == pim.ScopeManagementGroup:
				// The path of a scope does not tell its management groups; the service knows.
				groups = append(groups, e)
			}
		}
		if len(Match(above, words, role)) == 0 {
			above = groups
		}
		if found := Match(exact, words, role); len(found) > 0 {
			rows = exact
		} else {
			rows, narrower = above, wanted
		}
	} else if scope != "" {
		rows = Match(rows, append([]string{scope}, words...), role)
	}
	e, err := one(s, Match(rows, words, role), "role that may be activated", "list --eligible", words, func(e eligible) candidate { return candidate{account: e.account, role: e.Role} })
	return e, narrower, err
}
