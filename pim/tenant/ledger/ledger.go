// Package ledger keeps the books of Privileged Identity Management for one kind
// of role: who is eligible for what, what is active, what was asked and what
// came of it. It holds the rules that Azure roles, directory roles and groups
// have in common and speaks no protocol; a face of the tenant puts one on top
// and says how its scopes nest.
//
// Nothing runs in the background: what has become of a request or an assignment
// is computed from the tenant's clock when somebody looks.
package ledger

import (
	"slices"
	"strings"
	"sync"
	"time"

	"roletray/pim/tenant/world"
)

// Target is what a role opens: a role at a scope, and for groups the kind of
// access (member or owner). Ids are in lower case, so that Targets compare.
type Target struct {
	Role   string
	Scope  string
	Access string
}

// Tree says how scopes nest.
type Tree interface {
	// Parent is the scope right above, or false at the top.
	Parent(scope string) (string, bool)
}

// Timing is how slow and how strict the simulated service is.
type Timing struct {
	// ActivationLag is how long an activated role is missing from listings.
	ActivationLag time.Duration
	// DeactivationLag is how long a deactivated role stays listed and blocks
	// the next activation.
	DeactivationLag time.Duration
	// NotYet is how long after an activation its deactivation is answered as
	// if the role were not active, as observed in the field.
	NotYet time.Duration
	// TooEarlyFails records a deactivation within the first five minutes as a
	// failed request in place of an error.
	TooEarlyFails bool
	// Queue takes an activation that begins when the one in force has ended.
	Queue bool
}

// Params is what a Ledger needs.
type Params struct {
	Clock     *world.Clock
	Directory *world.Directory
	Tree      Tree
	// Timing is asked anew for each operation.
	Timing func() Timing
	// DefaultPolicy holds where SetPolicy said nothing.
	DefaultPolicy Policy
	// MemberOf are the groups, in lower case, that a user is in for now beyond
	// those in the directory. It must not call this ledger. Nil means none.
	MemberOf func(userID string) []string
}

// Ledger is safe for concurrent use.
type Ledger struct {
	p Params

	mu            sync.Mutex
	eligible      map[string][]*Eligibility // by principal
	eligibleByID  map[string]*Eligibility   // by schedule and by instance
	assigned      map[string][]*Assignment  // by principal
	assignedByID  map[string]*Assignment    // by schedule and by instance
	eligibleOrder []*Eligibility
	assignedOrder []*Assignment
	policies      map[Target]Policy
	requests      []*Request
	requestByID   map[string]*Request
	byApproval    map[string]*Request
	open          map[string]*Request // not final yet
}

// New returns an empty ledger.
func New(p Params) *Ledger {
	return &Ledger{
		p:            p,
		eligible:     map[string][]*Eligibility{},
		eligibleByID: map[string]*Eligibility{},
		assigned:     map[string][]*Assignment{},
		assignedByID: map[string]*Assignment{},
		policies:     map[Target]Policy{},
		requestByID:  map[string]*Request{},
		byApproval:   map[string]*Request{},
		open:         map[string]*Request{},
	}
}

// AddEligibility enters an eligibility. Its ids must be unique and set.
func (l *Ledger) AddEligibility(e Eligibility) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.eligible[e.Principal] = append(l.eligible[e.Principal], &e)
	l.eligibleOrder = append(l.eligibleOrder, &e)
	l.eligibleByID[e.ID] = &e
	l.eligibleByID[e.InstanceID] = &e
}

// AddAssignment enters a standing assignment. Its ids must be unique and set.
func (l *Ledger) AddAssignment(a Assignment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addAssignment(&a)
}

func (l *Ledger) addAssignment(a *Assignment) {
	l.assigned[a.Principal] = append(l.assigned[a.Principal], a)
	l.assignedOrder = append(l.assignedOrder, a)
	l.assignedByID[a.ID] = a
	l.assignedByID[a.InstanceID] = a
}

// SetPolicy sets the role settings for one target. They are not inherited by
// the scopes below.
func (l *Ledger) SetPolicy(t Target, p Policy) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.policies[t] = p
}

// Policy is the role settings for one target.
func (l *Ledger) Policy(t Target) Policy {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.policy(t)
}

func (l *Ledger) policy(t Target) Policy {
	if p, ok := l.policies[t]; ok {
		return p
	}
	return l.p.DefaultPolicy
}

// Within reports whether scope is top or lies below it. It looks only at what
// does not change.
func (l *Ledger) Within(scope, top string) bool {
	for {
		if scope == top {
			return true
		}
		parent, ok := l.p.Tree.Parent(scope)
		if !ok {
			return false
		}
		scope = parent
	}
}

// holders are the principals through which a user holds roles: the user and
// the user's groups.
func (l *Ledger) holders(userID string) []string {
	ids := []string{strings.ToLower(userID)}
	if u, ok := l.p.Directory.User(userID); ok {
		for _, g := range u.Groups {
			ids = append(ids, strings.ToLower(g))
		}
	}
	if l.p.MemberOf != nil {
		for _, g := range l.p.MemberOf(userID) {
			if !slices.Contains(ids, g) {
				ids = append(ids, g)
			}
		}
	}
	return ids
}

// Holds reports whether the principal is the user or a group that the user is
// in now.
func (l *Ledger) Holds(userID, principal string) bool {
	return slices.Contains(l.holders(userID), strings.ToLower(principal))
}
