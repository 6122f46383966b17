package pim

import "github.com/google/uuid"

// shownID is how many characters of an id are shown in place of a name: enough to tell
// things apart in one list.
const shownID = 8

// Unnamed is how something is shown that has an id and no name: what it is, and the
// beginning of the id.
func Unnamed(what, id string) string {
	if r := []rune(id); len(r) > shownID {
		id = string(r[:shownID]) + "…"
	}
	return what + " (id " + id + ")"
}

// Label is the principal's name, or what tells it from others where it has none. It is
// empty for nobody.
func (p Principal) Label() string {
	if p.Name != "" || p.ID == "" {
		return p.Name
	}
	return Unnamed("somebody", p.ID)
}

// Label is the scope's name. Where it has none it is the last part of its id, and where
// that is a GUID, which tells a person nothing, what the scope is.
func (s Scope) Label() string {
	if s.Name != "" {
		return s.Name
	}
	last := lastSegment(s.ID)
	if uuid.Validate(last) != nil {
		return last
	}
	return Unnamed(s.Type.word(), last)
}

func (t ScopeType) word() string {
	switch t {
	case ScopeManagementGroup:
		return "management group"
	case ScopeSubscription:
		return "subscription"
	case ScopeAdministrativeUnit:
		return "administrative unit"
	case ScopeGroup:
		return "group"
	case ScopeApp:
		return "application's scope"
	}
	return "object"
}
