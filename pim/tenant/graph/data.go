package graph

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"roletray/pim/tenant/ledger"
)

// Data is what stands in the simulated directory before anybody did anything,
// beyond its people and groups.
type Data struct {
	Roles []Role
	Units []Unit

	RoleEligibilities []RoleGrant
	RoleAssignments   []RoleGrant
	// RolePolicies hold for a role in the whole directory and in each of its
	// administrative units.
	RolePolicies []RolePolicy

	GroupEligibilities []GroupGrant
	GroupAssignments   []GroupGrant
	GroupPolicies      []GroupPolicy

	// DefaultPolicy holds for everything without one of its own.
	DefaultPolicy ledger.Policy
}

// Role is a directory role.
type Role struct {
	// ID is the GUID; of a built-in role that of its template.
	ID          string
	Name        string
	Description string
	Custom      bool
}

// Unit is an administrative unit.
type Unit struct{ ID, Name string }

// RoleGrant is a directory role that a principal has or may activate.
type RoleGrant struct {
	Role string
	// Scope is /, /administrativeUnits/{id}, or / and the id of one object.
	// Empty means /.
	Scope      string
	Principal  string
	Start, End time.Time
}

// GroupGrant is a membership or ownership that a principal has or may activate.
type GroupGrant struct {
	Group string
	// Access is member or owner.
	Access     string
	Principal  string
	Start, End time.Time
}

// RolePolicy is the role settings of a directory role.
type RolePolicy struct {
	Role string
	ledger.Policy
}

// GroupPolicy is the role settings of one kind of access to a group.
type GroupPolicy struct {
	Group, Access string
	ledger.Policy
}

// The kinds of access to a group.
const (
	member = "member"
	owner  = "owner"
)

func (s *Service) load(d *Data) error {
	for _, r := range d.Roles {
		s.roles[strings.ToLower(r.ID)] = r
		s.roleOrder = append(s.roleOrder, r)
	}
	for _, u := range d.Units {
		s.units[strings.ToLower(u.ID)] = u
		s.addScope("/administrativeUnits/" + u.ID)
	}
	for _, list := range [][]RoleGrant{d.RoleEligibilities, d.RoleAssignments} {
		for _, g := range list {
			if s.isObject(g.Scope) {
				s.addScope(g.Scope)
			}
		}
	}
	for i, p := range d.RolePolicies {
		if _, ok := s.roles[strings.ToLower(p.Role)]; !ok {
			return fmt.Errorf("policy %d: no role %s", i, p.Role)
		}
		for scope := range s.scopes {
			s.directory.books.SetPolicy(ledger.Target{Role: strings.ToLower(p.Role), Scope: scope}, p.Policy)
		}
	}
	for i, p := range d.GroupPolicies {
		t, err := s.groupTarget(p.Group, p.Access)
		if err != nil {
			return fmt.Errorf("group policy %d: %w", i, err)
		}
		s.groups.books.SetPolicy(t, p.Policy)
	}
	if err := s.loadRoles(d); err != nil {
		return err
	}
	return s.loadGroups(d)
}

func (s *Service) loadRoles(d *Data) error {
	for i, list := range [][]RoleGrant{d.RoleEligibilities, d.RoleAssignments} {
		for j, g := range list {
			t := ledger.Target{Role: strings.ToLower(g.Role), Scope: strings.ToLower(g.Scope)}
			if t.Scope == "" {
				t.Scope = "/"
			}
			if _, ok := s.roles[t.Role]; !ok {
				return fmt.Errorf("role grant %d: no role %s", j, g.Role)
			}
			if _, ok := s.scopes[t.Scope]; !ok {
				return fmt.Errorf("role grant %d: no scope %s", j, g.Scope)
			}
			if err := s.directory.enter(t, g.Principal, g.Start, g.End, i == 0, j); err != nil {
				return fmt.Errorf("role grant %d: %w", j, err)
			}
		}
	}
	return nil
}

func (s *Service) loadGroups(d *Data) error {
	for i, list := range [][]GroupGrant{d.GroupEligibilities, d.GroupAssignments} {
		for j, g := range list {
			t, err := s.groupTarget(g.Group, g.Access)
			if err == nil {
				err = s.groups.enter(t, g.Principal, g.Start, g.End, i == 0, j)
			}
			if err != nil {
				return fmt.Errorf("group grant %d: %w", j, err)
			}
		}
	}
	return nil
}

func (s *Service) addScope(scope string) { s.scopes[strings.ToLower(scope)] = scope }

// isObject tells a scope that is one object, such as an application.
func (s *Service) isObject(scope string) bool {
	id, ok := strings.CutPrefix(scope, "/")
	return ok && uuid.Validate(id) == nil
}

func (s *Service) groupTarget(group, access string) (ledger.Target, error) {
	g, ok := s.Directory.Group(group)
	if !ok {
		return ledger.Target{}, fmt.Errorf("no group %s", group)
	}
	access = strings.ToLower(access)
	if access != member && access != owner {
		return ledger.Target{}, fmt.Errorf("no access %q", access)
	}
	return ledger.Target{Role: strings.ToLower(g.ID), Scope: "/", Access: access}, nil
}

// enter puts what an administrator gave into the books.
func (p *plane) enter(t ledger.Target, principal string, start, end time.Time, eligible bool, i int) error {
	_, user := p.s.Directory.User(principal)
	_, group := p.s.Directory.Group(principal)
	if !user && !group {
		return fmt.Errorf("no principal %s", principal)
	}
	principal = strings.ToLower(principal)
	named := func(what string) string { return derived(what, " ", t, " ", principal, " ", i) }
	if eligible {
		request := named("eligibility request")
		p.books.AddEligibility(ledger.Eligibility{
			ID: p.scheduleID(t, request), InstanceID: named("eligibility instance"), RequestID: request,
			Target: t, Principal: principal, Start: start, End: end, Created: start, Updated: start,
		})
		return nil
	}
	request := named("assignment request")
	p.books.AddAssignment(ledger.Assignment{
		ID: p.scheduleID(t, request), InstanceID: named("assignment instance"), RequestID: request,
		Target: t, Principal: principal, Start: start, End: end, Created: start, Updated: start,
	})
	return nil
}

// ids is the space of the GUIDs that are derived from data.
var ids = uuid.MustParse("0e3b8f0a-2c53-5a26-9a0f-6c3a6b4f7d21")

func derived(parts ...any) string { return uuid.NewSHA1(ids, []byte(fmt.Sprint(parts...))).String() }
