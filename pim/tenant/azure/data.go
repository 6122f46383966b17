package azure

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"roletray/pim/tenant/ledger"
)

// Data is what stands in the simulated Azure before anybody did anything.
// Scope ids may be in any case; answers show them as the Scopes do.
type Data struct {
	Scopes        []Scope
	Roles         []Role
	Eligibilities []Eligibility
	Assignments   []Assignment
	// DefaultPolicy holds for every role and scope without one in Policies.
	DefaultPolicy ledger.Policy
	Policies      []Policy
	// Unreadable are scope ids where nobody may read the role settings.
	Unreadable []string
}

// Scope is a management group, a subscription, a resource group or a resource.
type Scope struct {
	// ID is the ARM id, beginning with a slash.
	ID string
	// Name is the display name; empty means the last part of the id.
	Name string
	// Parent is the id of the management group above. It is for management
	// groups and subscriptions; empty means the tenant.
	Parent string
	// Locked scopes refuse every activation.
	Locked bool
}

// Role is a role definition.
type Role struct {
	// ID is the GUID.
	ID     string
	Name   string
	Custom bool
}

// Eligibility is a role that a user or group may activate.
type Eligibility struct {
	Role, Scope, Principal string
	Start                  time.Time
	// End is zero for never.
	End                         time.Time
	Condition, ConditionVersion string
	// ID and InstanceID name schedule and instance; empty means a GUID that is
	// derived from the rest.
	ID, InstanceID string
}

// Assignment is a standing assignment that an administrator made.
type Assignment struct {
	Role, Scope, Principal string
	Start, End             time.Time
}

// Policy is the role settings of one role at one scope.
type Policy struct {
	Role, Scope string
	ledger.Policy
}

// load enters the data into the books.
func (s *Service) load(d *Data) error {
	for _, r := range d.Roles {
		s.roles[strings.ToLower(r.ID)] = r
		s.roleOrder = append(s.roleOrder, r)
	}
	for i, e := range d.Eligibilities {
		t, p, err := s.row(e.Role, e.Scope, e.Principal)
		if err != nil {
			return fmt.Errorf("eligibility %d: %w", i, err)
		}
		s.books.AddEligibility(ledger.Eligibility{
			ID:         orDerived(e.ID, "eligibility", t, p, i),
			InstanceID: orDerived(e.InstanceID, "eligibility instance", t, p, i),
			RequestID:  orDerived("", "eligibility request", t, p, i),
			Target:     t, Principal: p, Start: e.Start, End: e.End, Created: e.Start, Updated: e.Start,
			Condition: e.Condition, ConditionVersion: e.ConditionVersion,
		})
	}
	for i, a := range d.Assignments {
		t, p, err := s.row(a.Role, a.Scope, a.Principal)
		if err != nil {
			return fmt.Errorf("assignment %d: %w", i, err)
		}
		s.books.AddAssignment(ledger.Assignment{
			ID:         orDerived("", "assignment", t, p, i),
			InstanceID: orDerived("", "assignment instance", t, p, i),
			RequestID:  orDerived("", "assignment request", t, p, i),
			Target:     t, Principal: p, Start: a.Start, End: a.End, Created: a.Start, Updated: a.Start,
		})
	}
	for i, p := range d.Policies {
		n, role := s.tree.nodes[fold(p.Scope)], strings.ToLower(p.Role)
		if _, ok := s.roles[role]; !ok || n == nil {
			return fmt.Errorf("policy %d: no role %s or no scope %s", i, p.Role, p.Scope)
		}
		s.books.SetPolicy(ledger.Target{Role: role, Scope: n.id}, p.Policy)
	}
	for _, id := range d.Unreadable {
		s.unreadable[fold(id)] = true
	}
	return nil
}

func (s *Service) row(role, scope, principal string) (ledger.Target, string, error) {
	t := ledger.Target{Role: strings.ToLower(role), Scope: fold(scope)}
	if _, ok := s.roles[t.Role]; !ok {
		return t, "", fmt.Errorf("no role %s", role)
	}
	if s.tree.nodes[t.Scope] == nil {
		return t, "", fmt.Errorf("no scope %s", scope)
	}
	_, user := s.directory.User(principal)
	_, group := s.directory.Group(principal)
	if !user && !group {
		return t, "", fmt.Errorf("no principal %s", principal)
	}
	return t, strings.ToLower(principal), nil
}

// ids is the space of the GUIDs that are derived from data.
var ids = uuid.MustParse("6d1f3f0e-5d0b-5b7b-9d0c-2f4f1c7b9a10")

func derived(parts ...any) string { return uuid.NewSHA1(ids, []byte(fmt.Sprint(parts...))).String() }

func orDerived(id, what string, t ledger.Target, principal string, i int) string {
	if id != "" {
		return strings.ToLower(id)
	}
	return derived(what, " ", t.Role, " ", t.Scope, " ", principal, " ", i)
}
