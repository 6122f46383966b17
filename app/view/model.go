package view

import (
	"slices"
	"strings"
	"time"

	"roletray/app/local"
	"roletray/pim"
)

// roles is one account's snapshot sorted into what is shown, at one moment.
type roles struct {
	account  pim.Account
	snapshot *pim.Snapshot
	eligible map[pim.Key]*pim.Eligibility
	// active are the activations in force, the first to end first.
	active []pim.ActiveRole
	// standing are the assignments that the person cannot end.
	standing []pim.ActiveRole
	// operations has the newest action for each role that is not simply done.
	operations []pim.Operation
	// pending are the requests that are waiting or scheduled and no operation's.
	pending []pim.Request
	// busy has what is on its way for a role, whoever asked for it.
	busy map[pim.Key]pim.Operation
	// prolonging are the roles of which an extension or renewal is on its way.
	prolonging map[pim.Key]bool
	plans      map[pim.Key]pim.Plan
	names      scopeNames
	// strict says that a reason must say something: see pim.WeakReason.
	strict bool
}

func newRoles(s *pim.Snapshot, strict bool, now time.Time) *roles {
	r := &roles{
		account: s.Account, snapshot: s, names: newScopeNames(s), strict: strict,
		eligible: make(map[pim.Key]*pim.Eligibility, len(s.Eligible)), busy: map[pim.Key]pim.Operation{},
		prolonging: map[pim.Key]bool{}, plans: map[pim.Key]pim.Plan{},
	}
	for _, p := range s.Plans {
		r.plans[p.Key()] = p
	}
	for i := range s.Eligible {
		r.eligible[s.Eligible[i].Role.Key()] = &s.Eligible[i]
	}
	for _, a := range s.Active {
		switch end := a.Assignment.End; {
		case !end.IsZero() && !end.After(now):
		case a.Assignment.Type == pim.Activated:
			r.active = append(r.active, a)
		default:
			r.standing = append(r.standing, a)
		}
	}
	slices.SortStableFunc(r.active, func(a, b pim.ActiveRole) int { return byEnd(a.Assignment.End, b.Assignment.End) })
	r.sortOperations(now)
	return r
}

func byEnd(a, b time.Time) int {
	switch {
	case a.Equal(b):
		return 0
	case b.IsZero() || (!a.IsZero() && a.Before(b)):
		return -1
	}
	return 1
}

func (r *roles) sortOperations(now time.Time) {
	type subject struct {
		key        pim.Key
		prolonging bool
	}
	newest := map[subject]pim.Operation{}
	followed, steps := map[string]bool{}, map[string]bool{}
	for _, o := range r.snapshot.Operations {
		for _, s := range o.Steps {
			steps[s.Operation] = s.Operation != o.ID && !o.State.Over()
		}
	}
	for _, o := range r.snapshot.Operations {
		k := subject{o.Role.Key(), prolongs(o.Action)}
		if n, ok := newest[k]; !ok || !o.Started.Before(n.Started) {
			newest[k] = o
		}
		if o.Request != nil {
			followed[strings.ToLower(o.Request.ID)] = true
		}
		followed[strings.ToLower(o.ID)] = true
	}
	for _, o := range newest {
		if o.State == pim.OperationDone {
			continue
		}
		// A step shows as part of what it is a step of.
		if !steps[o.ID] {
			r.operations = append(r.operations, o)
		}
		switch {
		case o.State == pim.OperationFailed:
		case prolongs(o.Action):
			r.prolonging[o.Role.Key()] = true
		default:
			r.busy[o.Role.Key()] = o
		}
	}
	slices.SortFunc(r.operations, func(a, b pim.Operation) int {
		if c := b.Started.Compare(a.Started); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	for _, q := range r.snapshot.Requests {
		if phase := q.Phase(now); prolongs(q.Action) && !phase.Final() {
			r.prolonging[q.Role.Key()] = true
		}
		if q.Action == pim.ActionActivate && !r.planned(q) && q.Cancellable(now) && !followed[strings.ToLower(q.ID)] {
			r.pending = append(r.pending, q)
			r.busy[q.Role.Key()] = pim.Operation{ID: q.ID, Action: q.Action, Role: q.Role, State: pim.OperationWaiting, Request: &q}
		}
	}
}

func prolongs(a pim.Action) bool { return a == pim.ActionExtend || a == pim.ActionRenew }

// planned says that a request is the service's own keeping of a plan.
func (r *roles) planned(q pim.Request) bool {
	return strings.EqualFold(r.plans[q.Role.Key()].Request, q.ID)
}

// eligibilityOf is what a role at a scope can be activated from, or nil.
func (r *roles) eligibilityOf(role pim.Role) *pim.Eligibility {
	if e := r.eligible[role.Key()]; e != nil {
		return e
	}
	for i := range r.snapshot.Eligible {
		e := &r.snapshot.Eligible[i]
		if role.Scope.Within(e.Role.Scope) && role.At(e.Role.Scope).Key() == e.Role.Key() {
			return e
		}
	}
	return nil
}

func (r *roles) isActive(k pim.Key) bool {
	match := func(a pim.ActiveRole) bool { return a.Assignment.Role.Key() == k }
	return slices.ContainsFunc(r.active, match) || slices.ContainsFunc(r.standing, match)
}

// inForce has the keys of everything that is active.
func (r *roles) inForce() map[pim.Key]bool {
	keys := make(map[pim.Key]bool, len(r.active)+len(r.standing))
	for _, a := range r.active {
		keys[a.Assignment.Role.Key()] = true
	}
	for _, a := range r.standing {
		keys[a.Assignment.Role.Key()] = true
	}
	return keys
}

// recents are the account's recent roles that can be activated now.
func (r *roles) recents(state *local.State) []local.Recent {
	var out []local.Recent
	for _, c := range state.Recent {
		k := c.Role.Key()
		if _, busy := r.busy[k]; c.Account != r.account.ID || busy || r.source(c) == nil || r.isActive(k) {
			continue
		}
		out = append(out, c)
	}
	return out
}

// source is the eligibility that a recent role draws on, or nil when it is gone.
func (r *roles) source(c local.Recent) *pim.Eligibility {
	if c.Eligibility != "" {
		return r.eligible[c.Eligibility]
	}
	return r.eligible[c.Role.Key()]
}

// oneClick says whether a recent role has everything that sending it again needs.
func (r *roles) oneClick(c local.Recent, now time.Time) bool {
	return r.suffices(r.source(c), Filled{Duration: c.Duration, Justification: c.Justification, Ticket: c.Ticket}, now)
}

// suffices says whether answers have everything that activating an eligible role needs, for all
// that is known of its settings. A duration of zero is the role's default.
func (r *roles) suffices(e *pim.Eligibility, f Filled, now time.Time) bool {
	p := r.snapshot.Policies[e.Role.Key()]
	if f.Duration == 0 {
		f.Duration = p.DefaultDuration(e.End, now)
	}
	return f.Duration <= p.Limit(e.End, now) && (!r.strict || !pim.WeakReason(f.Justification)) &&
		len(p.Check(pim.Activation{Eligibility: *e, Duration: f.Duration, Justification: f.Justification, Ticket: f.Ticket}, now)) == 0
}

// offline says whether every part of the snapshot fails for want of a connection.
func (r *roles) offline() bool {
	if len(r.snapshot.Parts) == 0 {
		return false
	}
	for _, p := range r.snapshot.Parts {
		if p.Problem == nil || (p.Problem.Code != pim.CodeOffline && p.Problem.Code != pim.CodeTimeout) {
			return false
		}
	}
	return true
}

// lockedUntil is when an activation may be ended, or zero where it may be now.
func lockedUntil(a pim.Assignment, now time.Time) time.Time {
	if t := a.DeactivatableAt(); t.After(now) {
		return t
	}
	return time.Time{}
}

// longestLead is how long before its end a role counts as about to end.
func longestLead(leads []time.Duration) time.Duration {
	if len(leads) == 0 {
		return 15 * time.Minute
	}
	return slices.Max(leads)
}
