package session

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/store"
)

// ProlongWish is an eligibility, or an assignment that an administrator gave for a
// time, that the person wants to last longer.
type ProlongWish struct {
	Key pim.Key `json:"key"`
	// Assigned says that the assignment is meant and not the eligibility.
	Assigned bool `json:"assigned,omitempty"`
	// End is the wished end; zero means as long again as it lasts now.
	End           time.Time `json:"end,omitzero"`
	Justification string    `json:"justification"`
	Client        string    `json:"client,omitempty"`
}

// Prolong asks an administrator for more time: an extension before the end, a
// renewal after it. It returns as Activate does; the operation then waits, often for days.
func (s *Session) Prolong(ctx context.Context, w ProlongWish, interactive bool) (pim.Operation, error) {
	ctx, leave, ok := s.enter(ctx)
	if !ok {
		return pim.Operation{}, ErrNotRunning
	}
	defer leave()
	j := s.newProlongation(w)
	if j.ready {
		s.perform(ctx, j, interactive)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return j.o.op, nil
}

func (s *Session) newProlongation(w ProlongWish) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	p := pim.Prolongation{ID: uuid.NewString(), Action: pim.ActionExtend, Justification: strings.TrimSpace(w.Justification)}
	var start, end time.Time
	var via pim.Via
	if w.Assigned {
		if a, ok := s.findAssigned(w.Key); ok {
			p.Assignment, start, end, via = &a, a.Start, a.End, a.Via
		}
	} else if e, ok := s.findProlongable(w.Key); ok {
		p.Eligibility, start, end, via = &e, e.Start, e.End, e.Via
	}
	role := p.Role()
	src := s.source(role.Kind)
	action, can := pim.CanProlong(end, via, now)
	if action != "" {
		p.Action = action
	}
	p.End = w.End
	if w.End.IsZero() && can {
		p.End = later(end, now).Add(end.Sub(start))
		if start.IsZero() {
			p.End = later(end, now).Add(usualTime)
		}
	}
	if p.Action == pim.ActionRenew {
		p.Start = now
	}
	wish := Wish{Justification: p.Justification, Client: w.Client}
	write := pim.Write{ID: p.ID, Action: p.Action, Role: role, Start: p.Start, End: p.End, OfEligibility: p.Eligibility != nil}
	running := s.openOperation(operationKey(write))
	switch {
	case role.Kind == "":
		return s.refusedJob(write, wish, false, &pim.Error{Code: pim.CodeNotEligible})
	case running != nil:
		return &job{o: running}
	case src.prolonger == nil || !can:
		return s.refusedJob(write, wish, false, cannotProlong(end, via, now))
	case p.Justification == "":
		return s.refusedJob(write, wish, false, &pim.Error{Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleJustification}})
	case !p.End.After(later(end, now)):
		return s.refusedJob(write, wish, false, &prolongError{"The new end has to be later than the present one. Choose a later day."})
	}
	o := s.begin(write, wish, false)
	o.entry.End = p.End
	return &job{o: o, src: src, ready: true, prolongation: p, prompts: &prompts{}}
}

// usualTime is what is asked for where it is not known how long it was given for.
const usualTime = 30 * 24 * time.Hour

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// prolongError is CodeRejected with the person's reason.
type prolongError struct{ sentence string }

func (e *prolongError) Error() string { return "ask for more time: " + e.sentence }

func (*prolongError) Unwrap() error { return &pim.Error{Code: pim.CodeRejected} }

// Sentence says for the person why not.
func (e *prolongError) Sentence() string { return e.sentence }

func cannotProlong(end time.Time, via pim.Via, now time.Time) error {
	switch {
	case end.IsZero():
		return &prolongError{"This has no end, so there is nothing to extend."}
	case via == pim.ViaGroup:
		return &prolongError{"This comes through a group. Ask for more time for the group instead."}
	case end.Sub(now) > pim.ExtendWindow:
		return &prolongError{"It is too early: more time can be asked for in the last 14 days."}
	case now.Sub(end) > pim.RenewWindow:
		return &prolongError{"It ended more than 30 days ago. Ask an administrator for a new one."}
	}
	return &prolongError{"The service cannot be asked for more time for this role. Ask an administrator."}
}

// findProlongable returns the eligibility of that key, also one that has ended. s.mu is held.
func (s *Session) findProlongable(key pim.Key) (pim.Eligibility, bool) {
	for _, list := range [][]pim.Eligibility{s.eligible, s.ended.Eligible} {
		for _, e := range list {
			if e.Role.Key() == key {
				return e, true
			}
		}
	}
	return pim.Eligibility{}, false
}

// findAssigned returns what an administrator assigned for a time, also what has
// ended. s.mu is held.
func (s *Session) findAssigned(key pim.Key) (pim.Assignment, bool) {
	for _, a := range s.snapshot.Load().Active {
		if a.Assignment.Role.Key() == key && a.Assignment.Type == pim.Assigned {
			return a.Assignment, true
		}
	}
	for _, a := range s.ended.Assigned {
		if a.Role.Key() == key {
			return a, true
		}
	}
	return pim.Assignment{}, false
}

// noteEnded remembers which of the eligibilities before came to their end, now that the
// listing has others. s.mu is held.
func (s *Session) noteEnded(before []pim.Eligibility, now time.Time) {
	for _, e := range before {
		if ended(e.End, now) && e.Via != pim.ViaGroup && e.Behind == "" {
			s.ended.Eligible = append(slices.Clone(s.ended.Eligible), e)
			s.unsaved.ended = true
		}
	}
}

// noteEndedAssigned does so for what was assigned. s.mu is held.
func (s *Session) noteEndedAssigned(src *source, now time.Time) {
	for k, r := range src.listed {
		a := r.assignment
		if !ended(a.End, now) {
			continue
		}
		delete(src.listed, k)
		if a.Type == pim.Assigned && a.Via != pim.ViaGroup {
			s.ended.Assigned = append(slices.Clone(s.ended.Assigned), a)
			s.unsaved.ended = true
		}
	}
}

// trimEnded forgets what can no longer be renewed, or need not be. s.mu is held.
func (s *Session) trimEnded(now time.Time) {
	seen := map[string]bool{}
	gone := func(key pim.Key, kind string, end time.Time, again bool) bool {
		id := kind + string(key)
		drop := again || seen[id] || now.Sub(end) > pim.RenewWindow
		seen[id] = true
		return drop
	}
	eligible := slices.DeleteFunc(slices.Clone(s.ended.Eligible), func(e pim.Eligibility) bool {
		return gone(e.Role.Key(), "e", e.End, s.eligibleKeys[e.Role.Key()])
	})
	assigned := slices.DeleteFunc(slices.Clone(s.ended.Assigned), func(a pim.Assignment) bool {
		return gone(a.Role.Key(), "a", a.End, s.source(a.Role.Kind) != nil && s.source(a.Role.Kind).listed[a.Role.Key()] != nil)
	})
	if len(eligible) != len(s.ended.Eligible) || len(assigned) != len(s.ended.Assigned) {
		s.ended = store.Ended{Eligible: eligible, Assigned: assigned}
		s.unsaved.ended, s.dirty = true, true
	}
}
