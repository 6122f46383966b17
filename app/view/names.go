package view

import (
	"strings"

	"roletray/pim"
)

// Names from the services are cut to these numbers of characters; the window shows the
// whole name on the sheet.
const (
	nameLimit  = 300
	labelLimit = 44
	tipLimit   = 28
)

// scopeNames knows the display names of the scopes that one snapshot mentions, by folded id.
type scopeNames map[string]string

func newScopeNames(s *pim.Snapshot) scopeNames {
	n := make(scopeNames)
	add := func(sc pim.Scope) {
		if sc.Name != "" && sc.Type == pim.ScopeSubscription {
			n[strings.ToLower(sc.ID)] = sc.Name
		}
	}
	for i := range s.Eligible {
		add(s.Eligible[i].Role.Scope)
	}
	for i := range s.Active {
		add(s.Active[i].Assignment.Role.Scope)
	}
	return n
}

// text is the scope with what it lies in, from the inside out: "vm-01 › rg-prod › Prod". Only an
// Azure path tells what it lies in.
func (n scopeNames) text(r pim.Role) string {
	label := pim.CleanText(r.Scope.Label(), nameLimit)
	if r.Kind != pim.KindAzure {
		return label
	}
	parts := strings.Split(strings.Trim(r.Scope.ID, "/"), "/")
	if len(parts) < 3 || !strings.EqualFold(parts[0], "subscriptions") {
		return label
	}
	out := []string{label}
	if strings.EqualFold(parts[2], "resourceGroups") && len(parts) > 4 {
		out = append(out, pim.CleanText(parts[3], nameLimit))
	}
	subscription := pim.CleanText(n[strings.ToLower("/"+parts[0]+"/"+parts[1])], nameLimit)
	if subscription == "" {
		subscription = pim.CleanText(parts[1], 8)
	}
	return strings.Join(append(out, subscription), " › ")
}

func roleName(r pim.Role) string { return pim.CleanText(r.Name, nameLimit) }

// short is a role in a few words, for a menu: "Owner · rg-prod".
func short(r pim.Role, limit int) string {
	return pim.CleanText(r.Name, limit) + " · " + pim.CleanText(r.Scope.Label(), limit)
}

func kindName(w Words, k pim.Kind) string {
	switch k {
	case pim.KindAzure:
		return w.Say("kind.azure")
	case pim.KindDirectory:
		return w.Say("kind.directory")
	case pim.KindGroup:
		return w.Say("kind.group")
	}
	return pim.CleanText(string(k), nameLimit)
}

// KindsName is the name of a kind in the plural, as it filters a list.
func KindsName(w Words, k pim.Kind) string {
	switch k {
	case pim.KindAzure:
		return w.Say("kind.azures")
	case pim.KindDirectory:
		return w.Say("kind.directories")
	case pim.KindGroup:
		return w.Say("kind.groups")
	}
	return kindName(w, k)
}

func accountName(a pim.Account) string {
	if a.Username != "" {
		return pim.CleanText(a.Username, nameLimit)
	}
	return pim.CleanText(a.Name, nameLimit)
}
