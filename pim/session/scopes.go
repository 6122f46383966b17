package session

import (
	"context"
	"fmt"
	"strings"

	"roletray/pim"
)

// Children lists the scopes one level below scope at which the eligible role of that key
// can be activated; a zero scope stands for the eligibility's own. A kind without narrower scopes has
// none. The errors are *pim.Error: CodeNotEligible for a key that is not eligible, and
// the service's.
func (s *Session) Children(ctx context.Context, key pim.Key, scope pim.Scope) ([]pim.Scope, error) {
	ctx, leave, ok := s.enter(ctx)
	if !ok {
		return nil, ErrNotRunning
	}
	defer leave()
	s.mu.Lock()
	e, found := s.findEligible(key)
	s.mu.Unlock()
	if !found {
		return nil, &pim.Error{Code: pim.CodeNotEligible}
	}
	if scope.ID == "" {
		scope = e.Role.Scope
	}
	src := s.source(e.Role.Kind)
	if src.scopes == nil {
		return nil, nil
	}
	children, err := src.scopes.Children(ctx, scope)
	s.answered(ctx, src.host, err)
	if err != nil {
		return nil, fmt.Errorf("list the scopes below a scope: %w", err)
	}
	return children, nil
}

// wider is the next wider scope for an activation that the service refused at its own, or
// nil. s.mu is held.
func (s *Session) wider(a pim.Activation) *pim.Scope {
	up, ok := a.Scope.Up(a.Eligibility.Role.Scope)
	if !ok || a.Scope.ID == "" {
		return nil
	}
	for _, e := range s.eligible {
		if up.Name == "" && strings.EqualFold(e.Role.Scope.ID, up.ID) {
			up.Name = e.Role.Scope.Name
		}
	}
	return &up
}
