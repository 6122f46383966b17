package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"roletray/app/local"
	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
)

var _ local.Agent = (*Agent)(nil)

// Quit ends the agent.
func (a *Agent) Quit() { a.quit() }

// Refresh reads an account again, or all of them, and returns when that is done.
func (a *Agent) Refresh(ctx context.Context, req local.RefreshRequest) error {
	if req.Account != "" {
		r, err := a.session(req.Account)
		if err != nil {
			return err
		}
		return r.session.Refresh(ctx, "asked for")
	}
	var errs []error
	for _, r := range a.all() {
		errs = append(errs, r.session.Refresh(ctx, "asked for"))
	}
	return errors.Join(errs...)
}

func (a *Agent) all() []*running {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []*running
	for _, r := range a.sessions {
		all = append(all, r)
	}
	return all
}

// Policy is what activating a role asks for.
func (a *Agent) Policy(ctx context.Context, req local.RoleRequest) (pim.Policy, error) {
	r, err := a.session(req.Account)
	if err != nil {
		return pim.Policy{}, err
	}
	return r.session.Policy(ctx, req.Key)
}

// Activate asks for roles in the name of whoever calls. A person does, so a
// browser may open.
func (a *Agent) Activate(ctx context.Context, req local.ActivateRequest) (local.ActivateAnswer, error) {
	r, err := a.session(req.Account)
	if err != nil {
		return local.ActivateAnswer{}, err
	}
	if len(req.Wishes) == 0 {
		return local.ActivateAnswer{}, local.NewError(local.CodeBadRequest, "The call names no role; name one or more.")
	}
	if len(req.Wishes) > local.MostWishes {
		return local.ActivateAnswer{}, local.NewError(local.CodeBadRequest, fmt.Sprintf("The call names more than %d roles; send fewer at once.", local.MostWishes))
	}
	for _, w := range req.Wishes {
		if err := a.judgeReason(w.Justification); err != nil {
			return local.ActivateAnswer{}, err
		}
		if w.Duration < 0 || w.Duration > pim.LongestActivation {
			return local.ActivateAnswer{}, local.NewError(local.CodeBadRequest, "An activation lasts at most 24 hours; choose a shorter duration.")
		}
	}
	wishes := slices.Clone(req.Wishes)
	for i := range wishes {
		wishes[i].Client = local.PeerFrom(ctx).String()
	}
	if req.Check {
		return local.ActivateAnswer{Findings: r.session.CheckAll(ctx, wishes, true)}, ctx.Err()
	}
	if err := a.writable(ctx); err != nil {
		return local.ActivateAnswer{}, err
	}
	ops, err := r.session.Activate(ctx, wishes, true)
	return local.ActivateAnswer{Operations: ops}, err
}

// Deactivate ends a role.
func (a *Agent) Deactivate(ctx context.Context, req local.RoleRequest) (pim.Operation, error) {
	if err := a.writable(ctx); err != nil {
		return pim.Operation{}, err
	}
	r, err := a.session(req.Account)
	if err != nil {
		return pim.Operation{}, err
	}
	return r.session.Deactivate(ctx, req.Key, local.PeerFrom(ctx).String(), true)
}

// Cancel cancels a request.
func (a *Agent) Cancel(ctx context.Context, req local.CancelRequest) error {
	if err := a.writable(ctx); err != nil {
		return err
	}
	r, err := a.session(req.Account)
	if err != nil {
		return err
	}
	return r.session.Cancel(ctx, req.Request, local.PeerFrom(ctx).String())
}

// Wait returns the operation when it is known what becomes of it.
func (a *Agent) Wait(ctx context.Context, req local.WaitRequest) (pim.Operation, error) {
	r, err := a.session(req.Account)
	if err != nil {
		return pim.Operation{}, err
	}
	return r.session.Wait(ctx, req.Operation)
}

// SaveSettings keeps settings that make sense.
func (a *Agent) SaveSettings(ctx context.Context, s store.Settings) error {
	if err := a.writable(ctx); err != nil {
		return err
	}
	if err := s.Validate(); err != nil {
		return local.NewError(local.CodeBadRequest, sentence(err))
	}
	if err := a.settings.Save(s); err != nil {
		a.log.Error("could not save the settings", "error", err)
		return local.NewError(pim.CodeInternal, "The settings could not be saved; make room in the profile folder and try again.")
	}
	a.mu.Lock()
	a.current = s
	a.mu.Unlock()
	a.changed()
	return nil
}

// writable refuses a change that the settings keep from the command line. The window
// is known by its process where the system tells, since anybody can call themselves one.
func (a *Agent) writable(ctx context.Context) error {
	peer := local.PeerFrom(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	window := peer.Face == "window" && (peer.PID == 0 || peer.PID == a.window.pid)
	if window || peer.Face == "" || !a.current.CommandLineReads {
		return nil
	}
	return local.NewError(local.CodeReadOnly, "The settings let the command line only read; change that in the window's settings.")
}

// recent is the last activation of a role, if there is one.
func recent(s *session.Session, key pim.Key) (store.Recent, bool) {
	for _, r := range s.Recent() {
		if r.Role.Key() == key {
			return r, true
		}
	}
	return store.Recent{}, false
}
