package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/store"
)

// Continue has the active role of w go on after its end, with what the last activation
// was sent with where w leaves it out. The service is asked to queue that; where it refuses since the
// role is active, the session keeps the plan itself, on disk too, and carries it out at the
// end: for three minutes past the service's word that the role is still active, never more
// than five minutes late, and never with a browser. A step-up that is wanted then is met by
// what the person did before, if that suffices. What needs the person raises EventPlanAsks. A plan for the role that is there already is replaced, once this one is kept.
//
// The errors are *pim.Error: CodeNotActive for a role that is not active or has no
// end, CodeJournal where the plan could not be kept, and those of an activation.
func (s *Session) Continue(ctx context.Context, w Wish, interactive bool) (pim.Plan, error) {
	ctx, leave, ok := s.enter(ctx)
	if !ok {
		return pim.Plan{}, ErrNotRunning
	}
	defer leave()
	return s.keepOn(ctx, w, interactive)
}

// DropPlan gives up the plan for a role, and cancels the service's request where it is
// the service's. A role without a plan is a *pim.Error of CodeNotFound; else the errors
// are those of Cancel.
func (s *Session) DropPlan(ctx context.Context, key pim.Key, client string) error {
	ctx, leave, ok := s.enter(ctx)
	if !ok {
		return ErrNotRunning
	}
	defer leave()
	return s.dropPlan(ctx, key, client)
}

const (
	// retryPlan is how long a plan is sent past the service's word that the role is
	// still active, and planPause how often, on the tenant's clock.
	retryPlan = 3 * time.Minute
	planPause = 15 * time.Second
	// planLife is how long a plan that asks is shown.
	planLife = 24 * time.Hour
	// sameEnd is how far the start of a queued request may be from the end of the
	// running activation.
	sameEnd = 2 * time.Minute
)

func (s *Session) keepOn(ctx context.Context, w Wish, interactive bool) (pim.Plan, error) {
	p, err := s.newPlan(w)
	if err != nil {
		return p, err
	}
	old, _ := planOf(s.Snapshot().Plans, p.Key())
	// The first whole second after the end.
	w = Wish{
		Key: p.Key(), Start: p.At.Add(time.Second).Truncate(time.Second).Add(time.Second), Duration: p.Duration,
		Justification: p.Justification, Ticket: p.Ticket, Client: p.Client,
	}
	j := s.activate(ctx, []Wish{w}, interactive, &quietly{replaces: old.Request})[0]
	s.mu.Lock()
	op, cause := j.o.op, j.o.err
	s.mu.Unlock()
	p.Duration, p.Approval = j.o.write.Duration, j.policy.ApprovalRequired
	code := pim.Code("")
	if op.State == pim.OperationFailed {
		code = op.Problem.Code
	}
	unattended := !interactive && (code == pim.CodeStepUp || code == pim.CodeSignInNeeded)
	switch {
	case code == "":
		p.State = pim.PlanWaiting
		if op.Request != nil {
			p.Request = op.Request.ID
		}
		s.mu.Lock()
		s.forgetPlan(p.Key())
		s.publish()
		s.mu.Unlock()
		if old.Local {
			s.concludePlan(old, store.ActionDropPlan, p.Client, nil)
		}
		return p, nil
	case code != pim.CodeAlreadyActive && !unattended:
		if cause == nil {
			cause = &pim.Error{Code: code, Message: op.Problem.Text}
		}
		if j.withdrew {
			// The service has neither now, so that the one from before is kept here.
			old.Eligibility, old.Client, old.Request, old.Local = p.Eligibility, p.Client, "", true
			if err := s.keepPlan(old); err != nil {
				return p, &pim.Error{Code: pim.CodeJournal, Err: errors.Join(cause, err)}
			}
			s.nudge()
		}
		return p, cause
	}
	p.Local, p.State = true, pim.PlanWaiting
	if err := s.keepPlan(p); err != nil {
		return p, &pim.Error{Code: pim.CodeJournal, Err: err}
	}
	if old.Local {
		s.concludePlan(old, store.ActionDropPlan, p.Client, nil)
	}
	s.concludePlan(p, store.ActionPlan, p.Client, nil)
	s.nudge()
	return p, nil
}

// newPlan is the plan for a wish, completed by what the role was last activated with.
func (s *Session) newPlan(w Wish) (pim.Plan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, scope, found := s.resolve(w)
	if !found || e.Behind != "" {
		return pim.Plan{}, &pim.Error{Code: pim.CodeNotEligible}
	}
	role := pim.Activation{Eligibility: e, Scope: scope}.Role()
	active, ok := s.activeRole(role.Key())
	if !ok || active.Type != pim.Activated || active.End.IsZero() {
		return pim.Plan{}, &pim.Error{Code: pim.CodeNotActive}
	}
	p := pim.Plan{
		Role: role, Eligibility: e.Role.Key(), At: active.End, Duration: w.Duration,
		Justification: w.Justification, Ticket: w.Ticket, Client: w.Client,
	}
	limit := s.policies[e.Role.Key()].Limit(e.End, active.End)
	if limit == 0 {
		return pim.Plan{}, refusedBy([]pim.Rule{pim.RuleEligibility}, pim.Activation{Eligibility: e}, s.clock.Now())
	}
	for _, r := range s.recent {
		if r.Role.Key() != role.Key() {
			continue
		}
		if p.Duration == 0 {
			p.Duration = min(r.Duration, limit)
		}
		if p.Justification == "" {
			p.Justification = r.Justification
		}
		if p.Ticket == (pim.Ticket{}) {
			p.Ticket = r.Ticket
		}
	}
	return p, nil
}

// activeRole is the assignment of that key that is in force for all that is known. s.mu is held.
func (s *Session) activeRole(key pim.Key) (pim.Assignment, bool) {
	for _, a := range s.snapshot.Load().Active {
		if a.Assignment.Role.Key() == key && a.Certainty != pim.Unconfirmed {
			return a.Assignment, true
		}
	}
	return pim.Assignment{}, false
}

// keepPlan puts a plan in the place of another for its role, on disk first.
func (s *Session) keepPlan(p pim.Plan) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	with := func() []pim.Plan {
		next := append(without(s.plans, p.Key()), p)
		slices.SortStableFunc(next, func(a, b pim.Plan) int { return a.At.Compare(b.At) })
		return next
	}
	s.mu.Lock()
	next := with()
	s.mu.Unlock()
	if err := s.files.Plans.Save(next); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plans = with() // Another may have been dropped meanwhile, which notes that the file is behind.
	s.publish()      // Whoever hears of the plan finds it.
	s.events.put(pim.Event{
		Kind: pim.EventPlanned, At: s.clock.Now(), AccountID: s.account.ID, Role: p.Role, End: p.At, Client: p.Client,
	})
	return nil
}

func without(plans []pim.Plan, key pim.Key) []pim.Plan {
	return slices.DeleteFunc(slices.Clone(plans), func(p pim.Plan) bool { return p.Key() == key })
}

// concludePlan puts a plan's beginning or end into the history.
func (s *Session) concludePlan(p pim.Plan, action pim.Action, client string, err error) {
	s.conclude(store.Entry{
		ID: uuid.NewString(), At: s.clock.Now(), Action: action, Role: p.Role, Eligibility: p.Eligibility,
		Start: p.At, Duration: p.Duration, Justification: p.Justification, Ticket: p.Ticket,
		Client: client, State: pim.OperationDone,
	}, err)
	_ = s.save()
}

// plan returns the session's own plan for a role. s.mu is held.
func (s *Session) plan(key pim.Key) (pim.Plan, bool) {
	return planOf(s.plans, key)
}

func planOf(plans []pim.Plan, key pim.Key) (pim.Plan, bool) {
	i := slices.IndexFunc(plans, func(p pim.Plan) bool { return p.Key() == key })
	if i < 0 {
		return pim.Plan{}, false
	}
	return plans[i], true
}

// forgetPlan removes the session's own plan for a role. s.mu is held.
func (s *Session) forgetPlan(key pim.Key) {
	if _, ok := s.plan(key); ok {
		s.plans = without(s.plans, key)
		s.unsaved.plans, s.dirty = true, true
	}
}

func (s *Session) dropPlan(ctx context.Context, key pim.Key, client string) error {
	s.mu.Lock()
	p, local := s.plan(key)
	s.forgetPlan(key)
	s.publish()
	s.mu.Unlock()
	if local {
		s.concludePlan(p, store.ActionDropPlan, client, nil)
		return nil
	}
	for _, p := range s.Snapshot().Plans {
		if p.Key() == key && p.Request != "" {
			return s.cancel(ctx, p.Request, client)
		}
	}
	return &pim.Error{Code: pim.CodeNotFound}
}

// queued are the plans that the service keeps: the person's requests to begin when a
// running activation ends.
func queued(active []pim.ActiveRole, requests []pim.Request, now time.Time) []pim.Plan {
	var out []pim.Plan
	for _, r := range requests {
		if r.Action != pim.ActionActivate || r.Phase(now) != pim.PhaseScheduled && r.Phase(now) != pim.PhaseWaiting || r.Start.IsZero() {
			continue
		}
		for _, a := range active {
			if a.Assignment.Role.Key() == r.Role.Key() && r.Start.Sub(a.Assignment.End).Abs() <= sameEnd {
				out = append(out, pim.Plan{
					Role: r.Role, At: a.Assignment.End, Duration: r.EffectiveEnd().Sub(r.EffectiveStart()),
					Justification: r.Justification, Ticket: r.Ticket, Request: r.ID, State: pim.PlanWaiting,
					Approval: r.Phase(now) == pim.PhaseWaiting,
				})
			}
		}
	}
	return out
}

// duePlan begins to carry out a plan whose time has come, or says when that will be, on
// the computer's clock. s.mu is held.
func (s *Session) duePlan(p pim.Plan, now, tenant time.Time) (time.Time, bool) {
	active, is := s.activeRole(p.Key())
	switch {
	case is && (active.End.IsZero() || active.End.After(p.At.Add(sameEnd))), tenant.Sub(p.At) > planLife:
		s.forgetPlan(p.Key()) // It goes on already.
	case p.State != pim.PlanWaiting:
	case tenant.Before(p.At):
		return now.Add(max(s.clock.Real(p.At.Sub(tenant)), time.Millisecond)), true
	default:
		p.State = pim.PlanSending
		s.setPlan(p)
		s.spawn(func(ctx context.Context) { s.carryOut(ctx, p) })
	}
	return time.Time{}, false
}

// setPlan replaces the session's own plan for p's role. s.mu is held.
func (s *Session) setPlan(p pim.Plan) {
	s.plans = slices.Clone(s.plans)
	for i := range s.plans {
		if s.plans[i].Key() == p.Key() {
			s.plans[i] = p
			s.unsaved.plans, s.dirty = true, true
		}
	}
}

// carryOut activates a plan's role again.
func (s *Session) carryOut(ctx context.Context, p pim.Plan) {
	begun := s.clock.Now()
	if policy, err := s.Policy(ctx, p.Eligibility); err == nil && policy.ApprovalRequired {
		s.ask(p, &planError{"It needs approval each time. Activate it again to ask for that."})
		return
	}
	deadline := begun.Add(retryPlan)
	if last := p.At.Add(pim.PlanGrace); last.Before(deadline) {
		deadline = last
	}
	w := Wish{Key: p.Key(), Duration: p.Duration, Justification: p.Justification, Ticket: p.Ticket, Client: p.Client}
	for {
		s.mu.Lock()
		kept, ok := s.plan(p.Key())
		s.mu.Unlock()
		if !ok || !kept.At.Equal(p.At) {
			return
		}
		// The computer may also have slept since the last try.
		if s.clock.Now().Sub(p.At) > pim.PlanGrace {
			s.ask(p, &planError{"Its time has passed while this computer slept or the program was not running. Activate it again if you still need it."})
			return
		}
		j := s.activate(ctx, []Wish{w}, false, &quietly{})[0]
		if ctx.Err() != nil {
			return // The next start goes on with it.
		}
		s.mu.Lock()
		problem, cause := j.o.op.Problem, j.o.err
		if j.o.op.State != pim.OperationFailed {
			s.forgetPlan(p.Key())
			s.mu.Unlock()
			_ = s.save()
			return
		}
		s.mu.Unlock()
		if cause == nil {
			cause = &pim.Error{Code: problem.Code, Message: problem.Text}
		}
		switch problem.Code {
		case pim.CodeAlreadyActive, pim.CodeOffline, pim.CodeThrottled:
		default:
			s.ask(p, cause)
			return
		}
		if !s.clock.Now().Add(planPause).Before(deadline) {
			s.ask(p, cause)
			return
		}
		if sleep(ctx, max(s.clock.Real(planPause), time.Millisecond)) != nil {
			return
		}
	}
}

// ask leaves a plan to the person.
func (s *Session) ask(p pim.Plan, err error) {
	s.mu.Lock()
	if _, ok := s.plan(p.Key()); !ok {
		s.mu.Unlock()
		return
	}
	p.State, p.Problem = pim.PlanAsks, pim.Explain(err)
	s.setPlan(p)
	s.events.put(pim.Event{
		Kind: pim.EventPlanAsks, At: s.clock.Now(), AccountID: s.account.ID, Role: p.Role, Problem: p.Problem, Client: p.Client,
	})
	s.publish()
	s.mu.Unlock()
	s.concludePlan(p, store.ActionPlan, p.Client, err)
}

// planError is why a plan is not carried out, as CodeRejected.
type planError struct{ sentence string }

func (e *planError) Error() string { return "go on with a role: " + e.sentence }

func (*planError) Unwrap() error { return &pim.Error{Code: pim.CodeRejected} }

// Sentence says for the person why and what to do.
func (e *planError) Sentence() string { return e.sentence }
