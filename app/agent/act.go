package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"roletray/app/local"
	"roletray/app/notify"
	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
)

// judgeReason refuses a justification that says nothing, where the settings want that.
func (a *Agent) judgeReason(justification string) error {
	a.mu.Lock()
	strict := a.current.RefuseWeakReasons
	a.mu.Unlock()
	if strict && pim.WeakReason(justification) {
		return local.NewError(local.CodeBadRequest, "Say in a few words why you need the role; the settings refuse an empty or one-word reason.")
	}
	return nil
}

// writableSession is the account's session for somebody who may change something.
func (a *Agent) writableSession(ctx context.Context, account string) (*running, error) {
	if err := a.writable(ctx); err != nil {
		return nil, err
	}
	return a.session(account)
}

// Decide approves or denies what waits for the person. A failure stops no other
// decision.
func (a *Agent) Decide(ctx context.Context, req local.DecideRequest) (local.DecideAnswer, error) {
	r, err := a.writableSession(ctx, req.Account)
	switch {
	case err != nil:
		return local.DecideAnswer{}, err
	case len(req.Approvals) == 0:
		return local.DecideAnswer{}, local.NewError(local.CodeBadRequest, "The call names no request; name one or more.")
	case len(req.Approvals) > local.MostDecisions:
		return local.DecideAnswer{}, local.NewError(local.CodeBadRequest, fmt.Sprintf("The call names more than %d requests; decide fewer at once.", local.MostDecisions))
	}
	peer := local.PeerFrom(ctx)
	waiting := r.session.Snapshot().Approvals
	verdicts := make([]session.Verdict, len(req.Approvals))
	for i, p := range req.Approvals {
		verdicts[i] = session.Verdict{Kind: p.Kind, Approval: p.ID, Decision: pim.Decision{Approve: req.Approve, Justification: req.Justification}}
	}
	answer := local.DecideAnswer{Outcomes: make([]*pim.Problem, len(req.Approvals))}
	for i, err := range r.session.DecideAll(ctx, verdicts, peer.String(), true) {
		if err != nil {
			answer.Outcomes[i] = local.ProblemOf(err)
			continue
		}
		p := req.Approvals[i]
		decided := slices.IndexFunc(waiting, func(w pim.Approval) bool { return w.Request.Role.Kind == p.Kind && w.ID == p.ID })
		if peer.Face != "window" && decided >= 0 {
			a.tellDecision(waiting[decided], req.Approve, peer.String())
		}
	}
	return answer, ctx.Err()
}

// Continue has an active role go on after its end.
func (a *Agent) Continue(ctx context.Context, req local.ContinueRequest) (pim.Plan, error) {
	r, err := a.writableSession(ctx, req.Account)
	if err != nil {
		return pim.Plan{}, err
	}
	if req.Duration < 0 || req.Duration > pim.LongestActivation {
		return pim.Plan{}, local.NewError(local.CodeBadRequest, "An activation lasts at most 24 hours; choose a shorter duration.")
	}
	if req.Justification != "" {
		if err := a.judgeReason(req.Justification); err != nil {
			return pim.Plan{}, err
		}
	}
	return r.session.Continue(ctx, session.Wish{
		Key: req.Key, Duration: req.Duration, Justification: req.Justification, Ticket: req.Ticket, Client: local.PeerFrom(ctx).String(),
	}, true)
}

// DropPlan has a role end as it would have.
func (a *Agent) DropPlan(ctx context.Context, req local.RoleRequest) error {
	r, err := a.writableSession(ctx, req.Account)
	if err != nil {
		return err
	}
	peer := local.PeerFrom(ctx)
	plans := r.session.Snapshot().Plans
	if err := r.session.DropPlan(ctx, req.Key, peer.String()); err != nil {
		return err
	}
	i := slices.IndexFunc(plans, func(p pim.Plan) bool { return p.Key() == req.Key })
	if peer.Face != "window" && i >= 0 {
		role := plans[i].Role
		a.note(noted{account: r.account.ID, role: role}, notify.Note{
			Title: a.p.Words.Say("note.plan-dropped", roleName(role)), Body: a.askedBy(scopeName(role), peer.String()),
		})
	}
	return nil
}

// Prolong asks an administrator to let an eligibility or an assignment last longer.
func (a *Agent) Prolong(ctx context.Context, req local.ProlongRequest) (pim.Operation, error) {
	r, err := a.writableSession(ctx, req.Account)
	if err != nil {
		return pim.Operation{}, err
	}
	if err := a.judgeReason(req.Justification); err != nil {
		return pim.Operation{}, err
	}
	return r.session.Prolong(ctx, session.ProlongWish{
		Key: req.Key, Assigned: req.Assigned, End: req.End, Justification: req.Justification, Client: local.PeerFrom(ctx).String(),
	}, true)
}

// Children lists the scopes one level below a scope.
func (a *Agent) Children(ctx context.Context, req local.ChildrenRequest) (local.ChildrenAnswer, error) {
	r, err := a.session(req.Account)
	if err != nil {
		return local.ChildrenAnswer{}, err
	}
	children, err := r.session.Children(ctx, req.Key, req.Scope)
	return local.ChildrenAnswer{Scopes: slices.Concat([]pim.Scope{}, children)}, err
}

// SaveFavorites keeps an account's favourites.
func (a *Agent) SaveFavorites(ctx context.Context, req local.FavoritesRequest) error {
	r, err := a.writableSession(ctx, req.Account)
	if err != nil {
		return err
	}
	if err := store.ValidateFavorites(req.Favorites); err != nil {
		return local.NewError(local.CodeBadRequest, sentence(err))
	}
	err = r.session.SaveFavorites(ctx, req.Favorites)
	if err != nil && !errors.Is(err, session.ErrNotRunning) {
		a.log.Error("could not save the favourites", "account", req.Account, "error", err)
		return local.NewError(pim.CodeInternal, "The favourites could not be saved; make room in the profile folder and try again.")
	}
	return err
}
