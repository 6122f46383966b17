package session

import (
	"context"
	"errors"
	"sync"

	"github.com/google/uuid"

	"roletray/pim"
)

// CheckAll has each wish judged without doing it, by the role's settings and then by the
// service where it has a dry run, and returns one finding for each, in their order. Where the service
// takes a check for a request all the same, that becomes an operation, which
// can be cancelled or ended. With interactive the person may be asked once for a stronger sign-in.
func (s *Session) CheckAll(ctx context.Context, wishes []Wish, interactive bool) []pim.Finding {
	out := make([]pim.Finding, len(wishes))
	all := &prompts{}
	limit := make(chan struct{}, sendAtOnce)
	var wg sync.WaitGroup
	for i, w := range wishes {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			out[i] = s.finding(ctx, w, all, interactive)
		})
	}
	wg.Wait()
	return out
}

func (s *Session) finding(ctx context.Context, w Wish, all *prompts, interactive bool) pim.Finding {
	local, err := s.check(ctx, w, all, interactive)
	f := pim.Finding{Problem: pim.Explain(err), Local: local}
	if sent, ok := errors.AsType[*pim.SentError](err); ok {
		f.Operation = s.adopt(sent.Request, w)
	}
	return f
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

// Check has the policy and then the service judge a wish without doing it. The error is a
// *pim.Error where it speaks against the wish.
func (s *Session) Check(ctx context.Context, w Wish) error {
	_, err := s.check(ctx, w, &prompts{}, false)
	return err
}

// check is Check, and says whether the service had no part in it.
func (s *Session) check(ctx context.Context, w Wish, all *prompts, interactive bool) (local bool, err error) {
	ctx, leave, ok := s.enter(ctx)
	if !ok {
		return false, ErrNotRunning
	}
	defer leave()
	s.mu.Lock()
	e, scope, found := s.resolve(w)
	s.mu.Unlock()
	if !found {
		return false, &pim.Error{Code: pim.CodeNotEligible}
	}
	now := s.clock.Now()
	p, err := s.Policy(ctx, e.Role.Key())
	if err != nil && ctx.Err() != nil {
		return false, err
	}
	a := pim.Activation{
		ID: uuid.NewString(), Eligibility: e, Scope: scope, Start: w.Start, Duration: w.Duration,
		Justification: w.Justification, Ticket: w.Ticket,
	}
	if a.Duration == 0 {
		a.Duration = p.DefaultDuration(e.End, a.Begins(now))
	}
	if broken := p.Check(a, now); len(broken) > 0 {
		return true, refusedBy(broken, a, now)
	}
	// The service refuses a role whose group is not active yet, and has no dry run for groups.
	local = e.Behind != "" || e.Role.Kind == pim.KindGroup
	if local {
		return local, nil
	}
	src := s.source(e.Role.Kind)
	return local, s.stepping(ctx, src.host, all, interactive, func(ctx context.Context) error { return src.provider.Check(ctx, a) })
}
