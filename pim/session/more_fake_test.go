package session_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"roletray/pim"
)

// fullService is a service that can do everything.
type fullService struct {
	*service
	// Under mu.
	approvals []pim.Approval
	onDecide  func(n int) error
	// onDecideWith judges by the token that a decision comes with.
	onDecideWith func(token string) error
	children     map[string][]pim.Scope
	brings       map[string][]pim.GroupRole
	// hides says that its lists leave out what comes with a group.
	hides bool
}

func full(f *service) *fullService {
	return &fullService{service: f, children: map[string][]pim.Scope{}, brings: map[string][]pim.GroupRole{}}
}

func (f *fullService) Approvals(ctx context.Context) ([]pim.Approval, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.approvals), f.note(ctx, "approvals", "")
}

func (f *fullService) Decide(ctx context.Context, a pim.Approval, _ pim.Decision) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.note(ctx, "decide", a.ID); err != nil {
		return err
	}
	n := 0
	for _, c := range f.calls {
		if c.name == "decide" {
			n++
		}
	}
	if f.onDecide != nil {
		if err := f.onDecide(n); err != nil {
			return err
		}
	}
	if f.onDecideWith != nil {
		token, _ := ctx.Value(tokenKey{}).(string)
		if err := f.onDecideWith(token); err != nil {
			return err
		}
	}
	f.approvals = slices.DeleteFunc(f.approvals, func(other pim.Approval) bool { return other.ID == a.ID })
	return nil
}

func (f *fullService) Prolong(ctx context.Context, p pim.Prolongation) (pim.Request, error) {
	r := pim.Request{
		ID: p.ID, Role: p.Role(), Action: p.Action, Status: "PendingAdminDecision", Start: p.Start, End: p.End,
		Justification: p.Justification, OfEligibility: p.Eligibility != nil,
	}
	return f.write(ctx, r, func() {})
}

func (f *fullService) Children(ctx context.Context, s pim.Scope) ([]pim.Scope, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.children[s.ID], f.note(ctx, "children", s.ID)
}

func (f *fullService) RolesOf(ctx context.Context, group string) ([]pim.GroupRole, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.brings[strings.ToLower(group)], f.note(ctx, "rolesof", group)
}

func (f *fullService) ShowsGroupRoles() bool { return !f.hides }

// renewals counts the tokens that were renewed.
type renewals struct {
	mu sync.Mutex
	at []time.Time
}

func (r *renewals) Renew(context.Context, pim.Audience) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = append(r.at, time.Now())
	return nil
}

func (r *renewals) first() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at[0]
}

func (r *renewals) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.at)
}
