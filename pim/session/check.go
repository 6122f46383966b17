package session

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/google/uuid"

	"roletray/pim"
)

// CheckAll has each wish judged without doing it, by the role's settings and then by the
// service where it has a dry run, and returns one finding for each, in their order. The snapshot's
// Checking has those that are still to come. Where the service takes a check for a request all
// the same, that becomes an operation, which can be cancelled or ended. With interactive the
// person may be asked once for a stronger sign-in.
//
// When ctx ends, no further check begins, and those under way go on without the caller: the
// service may have taken one of them for a request.
func (s *Session) CheckAll(ctx context.Context, wishes []Wish, interactive bool) []pim.Finding {
	s.mu.Lock()
	keys := make([]pim.Key, len(wishes))
	for i, w := range wishes {
		e, scope, _ := s.resolve(w)
		keys[i] = pim.Activation{Eligibility: e, Scope: scope}.Role().Key()
	}
	s.checking = append(slices.Clone(s.checking), keys...)
	s.publish()
	s.mu.Unlock()
	out := make([]pim.Finding, len(wishes))
	all := &prompts{}
	limit := make(chan struct{}, sendAtOnce)
	var wg sync.WaitGroup
	for i, w := range wishes {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			out[i] = s.finding(ctx, w, all, interactive)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.checking = slices.Clone(s.checking)
			if at := slices.Index(s.checking, keys[i]); at >= 0 {
				s.checking = slices.Delete(s.checking, at, at+1)
			}
			s.publish()
		})
	}
	wg.Wait()
	return out
}

func (s *Session) finding(ctx context.Context, w Wish, all *prompts, interactive bool) pim.Finding {
	j := s.check(ctx, w, all, interactive)
	code := pim.CodeOf(j.err)
	f := pim.NewFinding(j.err)
	if j.operation != "" || code == pim.CodeAlreadyActive && !w.Start.IsZero() {
		// That a role is active makes no success of what is to begin later.
		f = pim.Finding{Problem: pim.Explain(j.err), Operation: j.operation}
	}
	f.Local = j.local
	if f.Problem == nil && !f.Already {
		f.StepUp, f.Approval = f.StepUp || j.policy.StepUpClaims() != "", j.policy.ApprovalRequired
	}
	if f.Obstacle() && code == pim.CodePolicy && !j.local {
		s.doubtPolicy(j.activation, j.err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if code == pim.CodeForbidden {
		f.Offer = s.wider(j.activation)
	}
	return f
}

// Check has the policy and then the service judge a wish without doing it. The error is a
// *pim.Error where it speaks against the wish.
func (s *Session) Check(ctx context.Context, w Wish) error {
	return s.check(ctx, w, &prompts{}, false).err
}

// judged is what a check came to.
type judged struct {
	activation pim.Activation
	policy     pim.Policy
	// local says that the service had no part in it.
	local bool
	// operation is the id of what the service took the check for, or empty. Then err is
	// a *pim.SentError.
	operation string
	err       error
}

func (s *Session) check(ctx context.Context, w Wish, all *prompts, interactive bool) judged {
	ctx, leave, ok := s.enter(ctx)
	if !ok {
		return judged{err: ErrNotRunning}
	}
	defer leave()
	s.mu.Lock()
	e, scope, found := s.resolve(w)
	j := judged{activation: pim.Activation{
		ID: uuid.NewString(), Eligibility: e, Scope: scope, Start: w.Start, Duration: w.Duration,
		Justification: w.Justification, Ticket: w.Ticket,
	}}
	sent, running := s.sentByCheck(w), s.openOperation(j.activation.Role().Key())
	switch {
	case sent != nil:
		j.operation, j.err = sent.op.ID, &pim.SentError{Request: *sent.op.Request}
	case !found:
		j.err = &pim.Error{Code: pim.CodeNotEligible}
	case running != nil && running.op.Action == pim.ActionActivate:
		// Activating it would wait for what is under way already.
		j.local, j.err = true, &pim.Error{Code: pim.CodeAlreadyActive}
	case running != nil:
		j.local, j.err = true, &pim.Error{Code: pim.CodePending}
	}
	s.mu.Unlock()
	if j.err == nil {
		j.err = context.Cause(ctx)
	}
	if j.err != nil {
		return j
	}
	var broken []pim.Rule
	j.policy, broken = s.rules(ctx, &j.activation, false)
	// The service refuses a role whose group is not active yet, and has no dry run for groups.
	j.local = len(broken) > 0 || e.Behind != "" || e.Role.Kind == pim.KindGroup
	switch err := context.Cause(ctx); {
	case err != nil:
		j.err = err
	case len(broken) > 0:
		j.err = refusedBy(broken, j.activation, s.clock.Now())
	case !j.local:
		j.operation, j.err = s.dryRun(ctx, j.activation, w, all, interactive)
	}
	return j
}

// dryRun has the service judge a. Like a write it goes on when the caller goes away, since the
// service may take it for a request: that is then followed, and its operation returned with the
// *pim.SentError.
func (s *Session) dryRun(ctx context.Context, a pim.Activation, w Wish, all *prompts, interactive bool) (string, error) {
	var operation string
	var err error
	values, done := context.WithoutCancel(ctx), make(chan struct{})
	src := s.source(a.Eligibility.Role.Kind)
	s.mu.Lock()
	began := s.spawn(func(run context.Context) {
		defer close(done)
		ctx, leave := until(values, run)
		defer leave()
		err = s.stepping(ctx, src.host, all, interactive, func(ctx context.Context) error { return src.provider.Check(ctx, a) })
		if sent, ok := errors.AsType[*pim.SentError](err); ok {
			operation = s.adopt(sent.Request, w)
		}
	})
	s.mu.Unlock()
	if !began {
		return "", ErrNotRunning
	}
	select {
	case <-done:
		return operation, err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// adopt follows a request that the person did not mean to send. It returns the
// operation's id.
func (s *Session) adopt(r pim.Request, w Wish) string {
	s.mu.Lock()
	o := s.begin(pim.Write{ID: uuid.NewString(), Action: r.Action, Role: r.Role, Start: r.Start, Duration: r.Duration}, w, false)
	o.entry.Eligibility = w.Key
	s.events.put(pim.Event{
		Kind: pim.EventSent, At: s.clock.Now(), AccountID: s.account.ID, Role: r.Role, Request: &r, Client: w.Client,
	})
	s.advance(o, r)
	s.mu.Unlock()
	_ = s.save()
	return o.op.ID
}

// sentByCheck is the operation that a check of the wish became, or nil where there is none
// or it has failed since. s.mu is held.
func (s *Session) sentByCheck(w Wish) *operation {
	for _, o := range s.ops {
		if w.Operation != "" && o.op.ID == w.Operation && o.op.State != pim.OperationFailed {
			return o
		}
	}
	return nil
}
