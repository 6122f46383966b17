package pim

import (
	"strings"
	"time"
)

// Kind is one of the three kinds of role that PIM governs.
type Kind string

// The kinds of role.
const (
	// KindAzure is an Azure resource role, reached through ARM.
	KindAzure Kind = "azure"
	// KindDirectory is a Microsoft Entra directory role.
	KindDirectory Kind = "directory"
	// KindGroup is membership or ownership of a group under PIM for Groups.
	KindGroup Kind = "group"
)

// Audience is the service that roles of the kind belong to.
func (k Kind) Audience() Audience {
	if k == KindAzure {
		return AudienceARM
	}
	return AudienceGraph
}

// Access is what a PIM for Groups role gives in its group.
type Access string

// The accesses of a group.
const (
	AccessMember Access = "member"
	AccessOwner  Access = "owner"
)

// ScopeType says what a scope is.
type ScopeType string

// The types of scope. A type that is none of these is a resource's own, such as
// Microsoft.Compute/virtualMachines.
const (
	ScopeManagementGroup    ScopeType = "managementgroup"
	ScopeSubscription       ScopeType = "subscription"
	ScopeResourceGroup      ScopeType = "resourcegroup"
	ScopeDirectory          ScopeType = "directory"
	ScopeAdministrativeUnit ScopeType = "administrativeunit"
	ScopeGroup              ScopeType = "group"
	// ScopeObject is one object of the directory, such as an application.
	ScopeObject ScopeType = "object"
	// ScopeApp is a scope that an application defines, for its own directory roles.
	ScopeApp ScopeType = "appscope"
)

// Scope is where a role applies.
type Scope struct {
	// ID is the service's own id, as it was given: a path on ARM, a directory
	// scope or group id on Graph.
	ID string `json:"id"`
	// Name is the display name, or empty where the service gave none.
	Name string    `json:"name,omitempty"`
	Type ScopeType `json:"type,omitempty"`
}

// Within says whether s is other or lies below it by its path. A subscription's
// path does not name its management groups, so it is not within one by this rule.
func (s Scope) Within(other Scope) bool {
	a, b := fold(s.ID), strings.TrimRight(fold(other.ID), "/")
	return a == b || strings.HasPrefix(a, b+"/")
}

// Role is a role at a scope: what one is eligible for, holds or asks for.
type Role struct {
	Kind Kind `json:"kind"`
	// DefinitionID is the role definition's id as the service gave it, with any
	// prefix. For groups it is the access.
	DefinitionID string `json:"definitionId"`
	// Name is the role's display name.
	Name string `json:"name"`
	// Custom says that the role was made by the organisation.
	Custom bool  `json:"custom,omitempty"`
	Scope  Scope `json:"scope"`
	// Access is set for groups only.
	Access Access `json:"access,omitempty"`
}

// Key identifies a role in one account. Two rows with the same key are the same
// role, whatever list they came from.
type Key string

// Key is kind, scope, role definition and access in lower case. Of an ARM role
// definition only the GUID counts, since the same role arrives under different
// prefixes.
func (r Role) Key() Key {
	k := string(r.Kind) + "|" + strings.TrimRight(fold(r.Scope.ID), "/") + "|" + fold(lastSegment(r.DefinitionID))
	if r.Access != "" {
		k += "|" + fold(string(r.Access))
	}
	return Key(k)
}

// At returns the same role at another scope.
func (r Role) At(s Scope) Role {
	r.Scope = s
	return r
}

// Via says how an eligibility or an assignment reached its holder.
type Via string

// The ways to hold a role.
const (
	ViaDirect    Via = "direct"
	ViaGroup     Via = "group"
	ViaInherited Via = "inherited"
)

// ParseVia folds the services' spellings of memberType. An unknown word is kept
// in lower case.
func ParseVia(s string) Via { return Via(fold(s)) }

// Eligibility is a role that may be activated.
type Eligibility struct {
	Role Role `json:"role"`
	// ID is the eligibility instance's id.
	ID string `json:"id"`
	// ScheduleID is the id of the eligibility schedule behind the instance, as
	// the service gave it (a full path on ARM). An activation at a narrower scope
	// must name it.
	ScheduleID string `json:"scheduleId,omitempty"`
	// PrincipalID is who holds the eligibility: the person, or the group that it
	// comes through.
	PrincipalID string `json:"principalId,omitempty"`
	// PrincipalName is the display name of PrincipalID, where known.
	PrincipalName string    `json:"principalName,omitempty"`
	Via           Via       `json:"via,omitempty"`
	Start         time.Time `json:"start,omitzero"`
	// End is when the eligibility ends; zero means never.
	End time.Time `json:"end,omitzero"`
	// Condition and ConditionVersion restrict what the role may touch. ARM wants
	// them repeated in the activation.
	Condition        string `json:"condition,omitempty"`
	ConditionVersion string `json:"conditionVersion,omitempty"`
	// Behind is the group membership that must be active first, where the role
	// comes with it and it is not active now; else empty. BehindName is its label.
	Behind     Key    `json:"behind,omitempty"`
	BehindName string `json:"behindName,omitempty"`
	// MayGiveRoles says of a group that it can hold roles and that nothing is known of them.
	MayGiveRoles bool `json:"mayGiveRoles,omitempty"`
}

// AssignmentType tells an activation from a standing assignment.
type AssignmentType string

// The types of assignment. Only an activated one can be deactivated by its holder.
const (
	Activated AssignmentType = "activated"
	Assigned  AssignmentType = "assigned"
)

// Assignment is a role that is in force.
type Assignment struct {
	Role Role   `json:"role"`
	ID   string `json:"id"`
	// ScheduleID is the assignment schedule behind the instance.
	ScheduleID string `json:"scheduleId,omitempty"`
	// EligibilityScheduleID is the eligibility that was activated, where told.
	EligibilityScheduleID string         `json:"eligibilityScheduleId,omitempty"`
	PrincipalID           string         `json:"principalId,omitempty"`
	Type                  AssignmentType `json:"type"`
	Via                   Via            `json:"via,omitempty"`
	Start                 time.Time      `json:"start,omitzero"`
	// End is when it ends; zero means never.
	End time.Time `json:"end,omitzero"`
}

// MinimumActive is how long an activation must have lasted before the services
// let its holder end it. Source: Microsoft's documentation, "Activate my Azure
// resource roles".
const MinimumActive = 5 * time.Minute

// DeactivatableAt is the first moment at which the holder may deactivate a. It
// is the zero time for what was assigned, which the holder cannot deactivate.
func (a Assignment) DeactivatableAt() time.Time {
	if a.Type != Activated {
		return time.Time{}
	}
	return a.Start.Add(MinimumActive)
}

func fold(s string) string { return strings.ToLower(s) }

func lastSegment(id string) string {
	id = strings.TrimRight(id, "/")
	return id[strings.LastIndexByte(id, '/')+1:]
}
