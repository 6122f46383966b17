package session

import (
	"context"
	"time"

	"roletray/pim"
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
	return s.refusedJob("", pim.ActionExtend, pim.Role{}, Wish{Client: w.Client}, &pim.Error{Code: pim.CodeNotEligible})
}
