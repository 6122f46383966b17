package session

import (
	"context"

	"roletray/pim"
)

// Continue has the active role of w go on after its end, with what the last activation
// was sent with where w leaves it out. The service is asked to queue that; where it refuses since the
// role is active, the session keeps the plan itself, on disk too, and carries it out at the
// end: for three minutes past the service's word that the role is still active, never more
// than five minutes late, and never with a browser. What needs the person then raises
// EventPlanAsks. A plan for the role that is there already is replaced.
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

// DropPlan gives up the plan for a role, and withdraws the service's request where it is
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

func (s *Session) keepOn(context.Context, Wish, bool) (pim.Plan, error) {
	return pim.Plan{}, &pim.Error{Code: pim.CodeNotActive}
}

func (s *Session) dropPlan(context.Context, pim.Key, string) error {
	return &pim.Error{Code: pim.CodeNotFound}
}
