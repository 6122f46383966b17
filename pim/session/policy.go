package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"roletray/pim"
)

// How long a policy is believed.
const (
	policyAge     = 24 * time.Hour
	unreadableAge = 10 * time.Minute
)

func fresh(p pim.Policy, now time.Time) bool {
	age := now.Sub(p.ReadAt)
	if p.Readable {
		return age < policyAge
	}
	return age < unreadableAge
}

// Policy is what activating an eligible role asks for. It is kept for a day, on
// disk too; one that the person may not read is Policy{} but for ReadAt, kept for ten
// minutes. A key that is not eligible is a *pim.Error of CodeNotEligible.
func (s *Session) Policy(ctx context.Context, key pim.Key) (pim.Policy, error) {
	return s.policy(ctx, key, time.Time{})
}

// policy is Policy, read at notBefore or later.
func (s *Session) policy(ctx context.Context, key pim.Key, notBefore time.Time) (pim.Policy, error) {
	s.mu.Lock()
	if p, ok := s.policies[key]; ok && fresh(p, s.clock.Now()) && !p.ReadAt.Before(notBefore) {
		s.mu.Unlock()
		return p, nil
	}
	if s.run == nil {
		s.mu.Unlock()
		return pim.Policy{}, ErrNotRunning
	}
	e, ok := s.findEligible(key)
	if !ok {
		s.mu.Unlock()
		return pim.Policy{}, &pim.Error{Code: pim.CodeNotEligible}
	}
	f := s.reading[key]
	if f == nil {
		f = newFlight(true)
		s.reading[key] = f
		values := context.WithoutCancel(ctx)
		s.spawn(func(run context.Context) {
			ctx, leave := until(values, run)
			defer leave()
			f.policy, f.err = s.readPolicy(ctx, e)
			close(f.done)
		})
	}
	s.mu.Unlock()
	if err := f.wait(ctx); err != nil {
		return pim.Policy{}, err
	}
	return f.policy, nil
}

func (s *Session) readPolicy(ctx context.Context, e pim.Eligibility) (pim.Policy, error) {
	key := e.Role.Key()
	src := s.source(e.Role.Kind)
	p, err := src.provider.Policy(ctx, e)
	s.answered(ctx, src.host, err)
	s.mu.Lock()
	delete(s.reading, key)
	if err != nil {
		s.mu.Unlock()
		return pim.Policy{}, fmt.Errorf("read the role's settings: %w", err)
	}
	p.ReadAt = s.clock.Now()
	if old := s.policies[key]; !p.Readable && learnt(old, p.ReadAt) {
		old.ReadAt = p.ReadAt
		p = old
	}
	next := maps.Clone(s.policies)
	if next == nil {
		next = map[pim.Key]pim.Policy{}
	}
	next[key] = p
	s.policies = next
	s.unsaved.policies = true
	s.publish()
	s.mu.Unlock()
	_ = s.save()
	return p, nil
}

// refusedBy is CodePolicy for the rules that an activation breaks by itself.
func refusedBy(broken []pim.Rule, a pim.Activation, now time.Time) error {
	err := &pim.Error{Code: pim.CodePolicy, Rules: broken}
	if slices.Contains(broken, pim.RuleEligibility) && a.Eligibility.End.After(now) {
		return &lateStartError{err}
	}
	return err
}

// lateStartError is CodePolicy for what would begin after the eligibility's end.
type lateStartError struct{ error }

func (e *lateStartError) Unwrap() error { return e.error }

// Sentence says for the person why not and what to do.
func (*lateStartError) Sentence() string {
	return "The eligibility ends before the role would begin then. Choose an earlier start, or ask an administrator for a longer eligibility."
}

// learnt says that a policy that could not be read holds what a refusal has taught.
func learnt(p pim.Policy, now time.Time) bool {
	return !p.Readable && !p.Learnt.IsZero() && now.Sub(p.Learnt) < policyAge
}

// doubtPolicy forgets a policy that the service has judged otherwise by. Of one that the
// person may not read, the refusal tells at least something.
func (s *Session) doubtPolicy(a pim.Activation, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := a.Eligibility.Role.Key()
	p := s.policies[key]
	if e, ok := errors.AsType[*pim.Error](err); ok {
		p = p.Learn(e.Rules, a.Duration, s.clock.Now())
	}
	next := maps.Clone(s.policies)
	if next == nil {
		next = map[pim.Key]pim.Policy{}
	}
	if next[key] = p; p.Learnt.IsZero() {
		delete(next, key)
	}
	s.policies = next
	s.unsaved.policies = true
}

// findEligible returns the eligibility of that key. s.mu is held.
func (s *Session) findEligible(key pim.Key) (pim.Eligibility, bool) {
	for _, list := range [][]pim.Eligibility{s.eligible, s.behind} {
		for _, e := range list {
			if e.Role.Key() == key {
				return e, true
			}
		}
	}
	return pim.Eligibility{}, false
}
