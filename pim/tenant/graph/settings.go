package graph

import (
	"fmt"
	"slices"
	"strings"
)

// Settings are how the simulated Graph behaves where the real one differs from
// day to day or where reports about it disagree. They can be changed while it
// runs; start from DefaultSettings.
type Settings struct {
	// PageSize is how many rows a listing has per page; zero means all.
	PageSize int `json:"pageSize"`
	// CurrentUserCap cuts filterByCurrentUser at that many rows and gives no
	// nextLink; zero means that nothing is cut.
	CurrentUserCap int `json:"currentUserCap"`
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
	// ErrorForm is how role management says no: "plain", or "wrapped", which
	// puts code and message as JSON into the message of an UnknownError.
	ErrorForm string `json:"errorForm"`
	// ValidationOnly is what isValidationOnly does: "honour" checks and keeps
	// nothing; "echo" does the thing and says that it only checked; "ignore"
	// does it and says so.
	ValidationOnly string `json:"validationOnly"`
	// FutureStart is what becomes of an activation that begins when the one in
	// force has ended: "refuse" or "grant".
	FutureStart string `json:"futureStart"`
	// OwnCollection is whether people may read a collection, in place of
	// filterByCurrentUser, for themselves: "allow" or "refuse".
	OwnCollection string `json:"ownCollection"`
	// OtherCollection is whether they may for another principal: "refuse" or
	// "allow". Those who hold a role that reads everything always may.
	OtherCollection string `json:"otherCollection"`
	// OwnApproval is whether people may read the approval of a request of their own
	// that they do not decide: "allow", or "refuse", which says 403.
	OwnApproval string `json:"ownApproval"`
	// DirectoryScopeType is the scopeType of the role settings of directory
	// roles: "DirectoryRole" or "Directory". Asking for the other finds nothing.
	DirectoryScopeType string `json:"directoryScopeType"`
	// PolicyRead is who may read role settings: "scope", whose token has the
	// permission, or "role", who in addition holds a role that reads everything.
	PolicyRead string `json:"policyRead"`
	// ExpandGroup is what $expand=group gives: "full", "refuse", or "empty".
	ExpandGroup string `json:"expandGroup"`
	// ManyScopes is whether one filter may ask for the role settings of several
	// groups: "allow" or "refuse".
	ManyScopes string `json:"manyScopes"`
	// NoLicense refuses role management for lack of a licence.
	NoLicense bool `json:"noLicense"`
}

// DefaultSettings are those of a quick and well-behaved service.
func DefaultSettings() Settings {
	return Settings{
		PageSize:            100,
		NotYetWindowSeconds: 45,
		PolicyWording:       "brackets",
		ErrorForm:           "plain",
		ValidationOnly:      "honour",
		FutureStart:         "refuse",
		OwnCollection:       "allow",
		OtherCollection:     "refuse",
		OwnApproval:         "allow",
		DirectoryScopeType:  "DirectoryRole",
		PolicyRead:          "scope",
		ExpandGroup:         "full",
		ManyScopes:          "allow",
	}
}

// Validate says in a sentence which setting has a value that there is not.
func (s Settings) Validate() error {
	for _, n := range []struct {
		name  string
		value int
	}{
		{"pageSize", s.PageSize},
		{"currentUserCap", s.CurrentUserCap},
		{"activationLagSeconds", s.ActivationLagSeconds},
		{"deactivationLagSeconds", s.DeactivationLagSeconds},
		{"notYetWindowSeconds", s.NotYetWindowSeconds},
	} {
		if n.value < 0 {
			return fmt.Errorf("%s is %d, but cannot be negative", n.name, n.value)
		}
	}
	for _, c := range []struct{ name, value, choices string }{
		{"policyWording", s.PolicyWording, "brackets sentences"},
		{"errorForm", s.ErrorForm, "plain wrapped"},
		{"validationOnly", s.ValidationOnly, "honour echo ignore"},
		{"futureStart", s.FutureStart, "refuse grant"},
		{"ownCollection", s.OwnCollection, "allow refuse"},
		{"otherCollection", s.OtherCollection, "refuse allow"},
		{"ownApproval", s.OwnApproval, "allow refuse"},
		{"directoryScopeType", s.DirectoryScopeType, "DirectoryRole Directory"},
		{"policyRead", s.PolicyRead, "scope role"},
		{"expandGroup", s.ExpandGroup, "full refuse empty"},
		{"manyScopes", s.ManyScopes, "allow refuse"},
	} {
		if choices := strings.Fields(c.choices); !slices.Contains(choices, c.value) {
			return fmt.Errorf("%s is %q, but must be one of %s", c.name, c.value, strings.Join(choices, ", "))
		}
	}
	return nil
}
