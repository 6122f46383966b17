package speech

import "roletray/pim/tenant/ledger"

// EnabledRules are the enabledRules of the enablement rule for a target such as
// EndUser_Assignment. It is never nil.
func EnabledRules(p ledger.Policy, target string) []string {
	on := []string{}
	switch target {
	case "Admin_Assignment":
		on = append(on, "Justification")
	case "EndUser_Assignment":
		if p.MFA {
			on = append(on, "MultiFactorAuthentication")
		}
		if p.Justification {
			on = append(on, "Justification")
		}
		if p.Ticket {
			on = append(on, "Ticketing")
		}
	}
	return on
}
