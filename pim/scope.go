package pim

import "strings"

// Up returns the next wider scope on the way to top, which is where the
// eligibility is, and is false where s is top already or does not lie below it
// in any known way. Of a scope in between only the id and the type are known.
func (s Scope) Up(top Scope) (Scope, bool) {
	if strings.EqualFold(strings.TrimRight(s.ID, "/"), strings.TrimRight(top.ID, "/")) {
		return Scope{}, false
	}
	parts := strings.Split(strings.Trim(s.ID, "/"), "/")
	at := func(i int, word string) bool { return i < len(parts) && strings.EqualFold(parts[i], word) }
	if !at(0, "subscriptions") || len(parts) < 2 {
		return top, top.ID != ""
	}
	up := top
	switch group := at(2, "resourceGroups"); {
	case group && len(parts) > 4:
		up = Scope{ID: "/" + strings.Join(parts[:4], "/"), Name: parts[3], Type: ScopeResourceGroup}
	case len(parts) > 2:
		up = Scope{ID: "/" + strings.Join(parts[:2], "/"), Type: ScopeSubscription}
	}
	if top.Within(up) {
		up = top
	}
	return up, true
}
