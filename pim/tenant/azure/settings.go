package azure

import (
	"fmt"
	"slices"
	"strings"
)

// Settings are how the simulated Resource Manager behaves where the real one
// differs from day to day or where reports about it disagree. They can be
// changed while it runs; start from DefaultSettings.
type Settings struct {
	// PageSize is how many rows a listing has per page; zero means all.
	PageSize int `json:"pageSize"`
	// ActivationLagSeconds is how long an activated role is missing from the
	// listings although its request says Provisioned.
	ActivationLagSeconds int `json:"activationLagSeconds"`
	// DeactivationLagSeconds is how long a deactivated role stays listed and
	// answers RoleAssignmentExists.
	DeactivationLagSeconds int `json:"deactivationLagSeconds"`
	// NotYetWindowSeconds is how long after an activation its deactivation is
	// answered with RoleAssignmentDoesNotExist.
	NotYetWindowSeconds int `json:"notYetWindowSeconds"`
	// DeactivateTooEarlyAs201 answers a deactivation within five minutes with
	// 201 and status Failed in place of ActiveDurationTooShort.
	DeactivateTooEarlyAs201 bool `json:"deactivateTooEarlyAs201"`
	// PolicyWording is how broken rules are named: "brackets" or "sentences".
	PolicyWording string `json:"policyWording"`
	// RootActive is what the active roles at the tenant root list: "full",
	// "empty", or "drops", which leaves out other rows each time.
	RootActive string `json:"rootActive"`
	// RootActiveLatencyMs slows that listing down.
	RootActiveLatencyMs int `json:"rootActiveLatencyMs"`
	// ApprovalAnswer is the status of a decision's answer: 200 with the stage
	// or 204.
	ApprovalAnswer int `json:"approvalAnswer"`
	// LinkedForm is what an activation below the eligibility's scope takes for
	// linkedRoleEligibilityScheduleId: "either", "guid" or "path".
	LinkedForm string `json:"linkedForm"`
	// DuplicateInherited repeats eligibilities of a management group once for
	// each subscription below, at the tenant root.
	DuplicateInherited bool `json:"duplicateInherited"`
	// PastStart is what becomes of a start that has passed: "accept",
	// "sometimes" (every second one is refused) or "refuse".
	PastStart string `json:"pastStart"`
	// RepeatedPut is the status of the answer to a request name that is taken:
	// 409 or 400.
	RepeatedPut int `json:"repeatedPut"`
	// MissingFilter is the status of the answer to a listing without a filter:
	// 403 or 400.
	MissingFilter int `json:"missingFilter"`
	// PrincipalFilter is whether principalId eq works for an ordinary user:
	// "allow" (for themselves and their groups) or "refuse".
	PrincipalFilter string `json:"principalFilter"`
	// RequestsAsTarget is what asTarget() lists of requests: "full" or "empty".
	RequestsAsTarget string `json:"requestsAsTarget"`
	// OwnApproval is whether people may read the approval of a request of their own
	// that they do not decide: "allow", or "refuse", which says 403.
	OwnApproval string `json:"ownApproval"`
	// ReducedNeedsRead refuses an activation below the eligibility's scope to
	// whoever cannot read that scope.
	ReducedNeedsRead bool `json:"reducedNeedsRead"`
	// MandatoryMFA refuses writes with a token without multifactor
	// authentication, as Azure's mandatory MFA does.
	MandatoryMFA bool `json:"mandatoryMfa"`
	// NoLicense refuses everything of role management for lack of a licence.
	NoLicense bool `json:"noLicense"`
}

// DefaultSettings are those of a quick and well-behaved service.
func DefaultSettings() Settings {
	return Settings{
		PageSize:            200,
		NotYetWindowSeconds: 45,
		PolicyWording:       "brackets",
		RootActive:          "full",
		ApprovalAnswer:      200,
		LinkedForm:          "either",
		DuplicateInherited:  true,
		PastStart:           "accept",
		RepeatedPut:         409,
		MissingFilter:       403,
		PrincipalFilter:     "allow",
		RequestsAsTarget:    "full",
		OwnApproval:         "allow",
	}
}

// Validate says in a sentence which setting has a value that there is not.
func (s Settings) Validate() error {
	for name, n := range map[string]int{
		"pageSize": s.PageSize, "activationLagSeconds": s.ActivationLagSeconds, "deactivationLagSeconds": s.DeactivationLagSeconds,
		"notYetWindowSeconds": s.NotYetWindowSeconds, "rootActiveLatencyMs": s.RootActiveLatencyMs,
	} {
		if n < 0 {
			return fmt.Errorf("%s is %d, but cannot be negative", name, n)
		}
	}
	for _, c := range []struct{ name, value, choices string }{
		{"policyWording", s.PolicyWording, "brackets sentences"},
		{"rootActive", s.RootActive, "full empty drops"},
		{"linkedForm", s.LinkedForm, "either guid path"},
		{"pastStart", s.PastStart, "accept sometimes refuse"},
		{"principalFilter", s.PrincipalFilter, "allow refuse"},
		{"requestsAsTarget", s.RequestsAsTarget, "full empty"},
		{"ownApproval", s.OwnApproval, "allow refuse"},
		{"approvalAnswer", fmt.Sprint(s.ApprovalAnswer), "200 204"},
		{"repeatedPut", fmt.Sprint(s.RepeatedPut), "409 400"},
		{"missingFilter", fmt.Sprint(s.MissingFilter), "403 400"},
	} {
		if choices := strings.Fields(c.choices); !slices.Contains(choices, c.value) {
			return fmt.Errorf("%s is %q, but must be one of %s", c.name, c.value, strings.Join(choices, ", "))
		}
	}
	return nil
}
