package speech

import (
	"slices"
	"strings"

	"roletray/pim/tenant/ledger"
)

// SelfAction is what a person may ask for themselves, by its name in any case.
func SelfAction(name string) (ledger.Action, bool) {
	for _, a := range []ledger.Action{ledger.SelfActivate, ledger.SelfDeactivate, ledger.SelfExtend, ledger.SelfRenew} {
		if strings.EqualFold(name, string(a)) {
			return a, true
		}
	}
	return "", false
}

// IsAdminAction says of a name in any case that only an administrator may ask for it.
func IsAdminAction(name string) bool {
	return slices.Contains([]string{"adminassign", "adminremove", "adminupdate", "adminextend", "adminrenew"}, strings.ToLower(name))
}
