package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
)

// planJSON is a role that will go on after its end, in the output.
type planJSON struct {
	Account string  `json:"account"`
	Key     pim.Key `json:"key"`
	Role    string  `json:"role"`
	Scope   string  `json:"scope"`
	// At is when it is activated again, and Minutes for how long.
	At      time.Time     `json:"at"`
	Minutes int           `json:"minutes"`
	State   pim.PlanState `json:"state"`
	// Local says that this computer must be awake then.
	Local bool `json:"local"`
	// Approval says that somebody must approve it: a local plan asks the person then.
	Approval bool         `json:"approval,omitempty"`
	Request  string       `json:"request,omitempty"`
	Problem  *pim.Problem `json:"problem,omitempty"`
}

func planOf(account string, p pim.Plan) planJSON {
	return planJSON{
		Account: account, Key: p.Key(), Role: name(p.Role.Name), Scope: name(p.Role.Scope.Label()), At: p.At,
		Minutes: int(p.Duration / time.Minute), State: p.State, Local: p.Local, Approval: p.Approval, Request: p.Request, Problem: p.Problem,
	}
}

// planText says what a plan comes to.
func (a *app) planText(p planJSON, now time.Time) string {
	switch {
	case p.State == pim.PlanAsks && p.Problem != nil:
		return "does not continue by itself: " + clean(p.Problem.Text, 300)
	case p.State == pim.PlanAsks:
		return "does not continue by itself; activate it again"
	case p.State == pim.PlanSending:
		return "is being activated again"
	case p.Local && p.Approval:
		return "does not go on by itself, since each activation needs approval; you are asked again at " + a.moment(p.At, now)
	}
	text := "continues at " + a.moment(p.At, now)
	if p.Minutes > 0 {
		text += " for " + span(time.Duration(p.Minutes)*time.Minute)
	}
	if p.Approval {
		text += " once the request is approved"
	}
	return text
}

func (a *app) continueCommand() *cobra.Command {
	var duration, reason string
	var ticket pim.Ticket
	var drop bool
	c := &cobra.Command{
		Use: "continue ROLE", Short: "Continue an active role after its end, or with --drop not",
		Example: "roletray continue contributor sandbox --duration 1h", Args: someArgs("the role", "list --active"),
	}
	f := c.Flags()
	f.StringVar(&duration, "duration", "", "how long, such as 2h, 90 or 1:30 (default: as before)")
	f.StringVar(&reason, "reason", "", "the justification (default: as before)")
	f.StringVar(&ticket.Number, "ticket", "", "the ticket's number (default: as before)")
	f.StringVar(&ticket.System, "ticket-system", "", "the ticket's system")
	f.BoolVar(&drop, "drop", false, "have it end as it would have")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		req := local.ContinueRequest{Justification: strings.TrimSpace(reason), Ticket: ticket}
		if duration != "" {
			var err error
			if req.Duration, err = view.ParseDuration(duration); err != nil {
				return usagef("--duration %q is %s.", pim.CleanText(duration, 40), err)
			}
		}
		if drop && (duration != "" || reason != "" || ticket != (pim.Ticket{})) {
			return usagef("--drop goes alone.")
		}
		cl, err := a.connect(ctx)
		if err != nil {
			return err
		}
		defer cl.Close()
		state, err := ready(ctx, cl)
		if err != nil {
			return err
		}
		if drop {
			return a.dropPlan(ctx, cl, state, args)
		}
		return a.goOn(ctx, cl, state, args, req)
	})
	return c
}

// goOn makes the plan.
func (a *app) goOn(ctx context.Context, c *local.Client, s *local.State, args []string, req local.ContinueRequest) error {
	r, err := a.findActive(s, args, "there is nothing to continue; roletray extend --assigned asks for a later end")
	if err != nil {
		return err
	}
	if r.Assignment.End.IsZero() {
		return local.NewError(pim.CodeRejected, describe(r.Assignment.Role)+" has no end.")
	}
	req.Account, req.Key = r.account, r.Assignment.Role.Key()
	p, err := c.Continue(ctx, req)
	if err != nil {
		return err
	}
	out := planOf(r.account, p)
	if a.flags.json {
		return a.print(struct {
			Plan planJSON `json:"plan"`
		}{out})
	}
	text := describe(p.Role) + " " + a.planText(out, s.Now) + "."
	if p.Local && p.State == pim.PlanWaiting {
		text += " Keep this computer awake and Roletray running until then."
	}
	return a.done(text)
}

func (a *app) dropPlan(ctx context.Context, c *local.Client, s *local.State, args []string) error {
	snaps, err := a.accounts(s)
	if err != nil {
		return err
	}
	type plan struct {
		account string
		pim.Plan
	}
	var rows []plan
	for _, snap := range snaps {
		for _, p := range snap.Plans {
			rows = append(rows, plan{snap.Account.ID, p})
		}
	}
	p, err := one(s, Match(rows, args, func(p plan) pim.Role { return p.Role }), "role that continues", "status", args, func(p plan) candidate { return candidate{account: p.account, role: p.Role} })
	if err != nil {
		return err
	}
	if err := c.DropPlan(ctx, local.RoleRequest{Account: p.account, Key: p.Key()}); err != nil {
		return err
	}
	return a.done(describe(p.Role) + " ends at " + a.moment(p.At, s.Now) + ".")
}
