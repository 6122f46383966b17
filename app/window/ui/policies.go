//go:build !nowindow

package ui

import (
	"context"

	"roletray/app/local"
	"roletray/pim"
)

// How many policies are asked for at once, and how many may wait for it: those that were in
// view last.
const (
	policiesAtOnce  = 4
	policiesWaiting = 24
)

// policyReader asks for the policies of roles as they come into view. What it learns
// arrives with the agent's next state.
type policyReader struct {
	ui      *UI
	asked   map[local.RoleRequest]bool
	waiting []local.RoleRequest
	running int
}

// want asks for a policy, once.
func (p *policyReader) want(account string, key pim.Key) {
	r := local.RoleRequest{Account: account, Key: key}
	if p.asked[r] {
		return
	}
	p.asked[r] = true
	p.waiting = append(p.waiting, r)
	if n := len(p.waiting); n > policiesWaiting {
		delete(p.asked, p.waiting[0])
		p.waiting = p.waiting[1:]
	}
	p.next()
}

func (p *policyReader) next() {
	for p.running < policiesAtOnce && len(p.waiting) > 0 {
		r := p.waiting[len(p.waiting)-1]
		p.waiting = p.waiting[:len(p.waiting)-1]
		p.running++
		p.ui.do(func(ctx context.Context, agent Agent) error {
			_, err := agent.Policy(ctx, r)
			return err
		}, func(error) {
			// A policy that cannot be read now is asked for again when the sheet needs it.
			p.running--
			p.next()
		})
	}
}
