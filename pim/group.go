package pim

import "context"

// GroupRole is a role that the members of a group have.
type GroupRole struct {
	Role Role `json:"role"`
	// Eligible says that a member must activate the role in turn. Else membership
	// is enough.
	Eligible bool `json:"eligible,omitempty"`
}

// GroupReader is a kind of role that can tell what a group brings. Implementations
// are safe for concurrent use.
type GroupReader interface {
	// RolesOf lists the roles that the group is eligible for or holds. It fails
	// with CodeForbidden or CodeConsent for a person who may not look.
	RolesOf(ctx context.Context, groupID string) ([]GroupRole, error)
	// ShowsGroupRoles says whether Eligible and Active show what comes with a group, as
	// far as the last reads have told.
	ShowsGroupRoles() bool
}

// GroupLink is a role that a group is known to bring.
type GroupLink struct {
	GroupRole
	// Group is the membership that brings it.
	Group Role `json:"group"`
	// How says what it is known from.
	How LinkSource `json:"how"`
}

// LinkSource is what a link between group and role is known from.
type LinkSource string

// The sources of links, the surest first.
const (
	// LinkRead: the service lists what the group has.
	LinkRead LinkSource = "read"
	// LinkListed: a list of the person's own roles named the group.
	LinkListed LinkSource = "listed"
	// LinkSeen: the role appeared after the group was activated.
	LinkSeen LinkSource = "seen"
)
