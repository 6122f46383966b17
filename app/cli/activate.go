package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
	"roletray/pim/session"
)

// activation is what the flags of the command say.
type activation struct {
	scope, duration, reason, start string
	ticket                         pim.Ticket
	check, noWait                  bool
}

// resultJSON is what became of an activation or a deactivation.
type resultJSON struct {
	// Outcome is done, waiting, scheduled, failed, sent, or for a check ok or refused.
	Outcome string `json:"outcome"`
	operationJSON
}

func (a *app) activateCommand() *cobra.Command {
	var w activation
	c := &cobra.Command{
		Use: "activate ROLE", Short: "Activate a role, named by any words of its name and scope",
		Example: "roletray activate contributor rg-prod --duration 2h --reason \"deploy 4711\"",
		Args:    someArgs("the role"),
	}
	f := c.Flags()
	f.StringVar(&w.scope, "scope", "", "a word of the scope, or the full `ID` of a narrower one such as a resource group")
	f.StringVar(&w.duration, "duration", "", "how long, such as 2h, 90 or 1:30 (default: the usual duration of the settings)")
	f.StringVar(&w.reason, "reason", "", "the justification")
	f.StringVar(&w.ticket.Number, "ticket", "", "the ticket's number")
	f.StringVar(&w.ticket.System, "ticket-system", "", "the ticket's system")
	f.StringVar(&w.start, "start", "", "when to begin, such as 17:30 or \"2027-01-31 9:00\" (default: now)")
	f.BoolVar(&w.check, "check", false, "only have the service judge it")
	f.BoolVar(&w.noWait, "no-wait", false, "do not wait until the role is active")
	c.RunE = a.run(func(ctx context.Context, args []string) error { return a.activate(ctx, args, w) })
	return c
}

// eligible is an eligibility with whose it is.
type eligible struct {
	account string
	pim.Eligibility
}

func (a *app) activate(ctx context.Context, args []string, w activation) error {
	var duration time.Duration
	if w.duration != "" {
		var err error
		if duration, err = view.ParseDuration(w.duration); err != nil {
			return usagef("--duration %q is %s.", pim.CleanText(w.duration, 40), err)
		}
	}
	if _, err := view.ParseStart(w.start, time.Now()); err != nil {
		return usagef("--start %q is %s.", pim.CleanText(w.start, 40), err)
	}
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	state, err := ready(ctx, c)
	if err != nil {
		return err
	}
	e, scope, err := a.findEligible(state, args, w.scope)
	if err != nil {
		return err
	}
	// The tenant's clock may not be the computer's.
	now := state.Now.In(a.Location)
	start, err := view.ParseStart(w.start, now)
	if err != nil {
		return err
	}
	if !start.IsZero() && start.Before(now) {
		return usagef("--start %s is over; choose a later time.", a.moment(start, now))
	}
	policy, err := c.Policy(ctx, local.RoleRequest{Account: e.account, Key: e.Role.Key()})
	if err != nil {
		return err
	}
	wish := session.Wish{
		Key: e.Role.Key(), Scope: scope, Start: start, Duration: duration,
		Justification: strings.TrimSpace(w.reason), Ticket: w.ticket,
	}
	if duration == 0 {
		wish.Duration = min(state.Settings.Duration, policy.Limit(e.End, now))
	}
	if err := a.judge(policy, wish, e, now); err != nil {
		return err
	}
	req := local.ActivateRequest{Account: e.account, Wishes: []session.Wish{wish}, Check: w.check}
	answer, err := c.Activate(ctx, req)
	if err != nil {
		return err
	}
	role := e.Role
	if scope.ID != "" {
		role = role.At(scope)
	}
	if w.check {
		return a.checked(e.account, role, answer)
	}
	if len(answer.Operations) != 1 {
		return errors.New("the agent gave no answer about the role; see roletray status")
	}
	return a.follow(ctx, c, e.account, answer.Operations[0], w.noWait, now)
}

// judge refuses what the role's settings are known to refuse, before anything is sent.
func (a *app) judge(p pim.Policy, w session.Wish, e eligible, now time.Time) error {
	broken := p.Check(pim.Activation{
		Eligibility: e.Eligibility, Duration: w.Duration, Justification: w.Justification, Ticket: w.Ticket,
	}, now)
	for _, r := range broken {
		switch r {
		case pim.RuleExpiration:
			return usagef("%s lasts at most %s; choose a shorter --duration.", describe(e.Role), span(p.Limit(e.End, now)))
		case pim.RuleJustification:
			return usagef("%s needs a justification; give one with --reason.", describe(e.Role))
		case pim.RuleTicketing:
			return usagef("%s needs a ticket; give its number with --ticket.", describe(e.Role))
		case pim.RuleEligibility:
			return usagef("The eligibility for %s has ended; ask an administrator for it.", describe(e.Role))
		}
	}
	return nil
}

// findEligible is the one eligibility that the words and the scope name, and the
// narrower scope where it is one.
func (a *app) findEligible(s *local.State, words []string, scope string) (eligible, pim.Scope, error) {
	snaps, err := a.accounts(s)
	if err != nil {
		return eligible{}, pim.Scope{}, err
	}
	var rows []eligible
	signIn := false
	for _, snap := range snaps {
		signIn = signIn || snap.SignIn != nil
		for _, e := range snap.Eligible {
			rows = append(rows, eligible{snap.Account.ID, e})
		}
	}
	if len(rows) == 0 && signIn {
		return eligible{}, pim.Scope{}, signInNeeded("Sign in again to go on, with: roletray signin")
	}
	role := func(e eligible) pim.Role { return e.Role }
	narrower := pim.Scope{}
	if strings.HasPrefix(scope, "/") {
		var exact, above []eligible
		wanted := pim.Scope{ID: strings.TrimRight(scope, "/")}
		for _, e := range rows {
			switch {
			case strings.EqualFold(e.Role.Scope.ID, wanted.ID):
				exact = append(exact, e)
			case e.Role.Kind == pim.KindAzure && wanted.Within(e.Role.Scope):
				above = append(above, e)
			}
		}
		if found := Match(exact, words, role); len(found) > 0 {
			rows = exact
		} else {
			rows, narrower = above, wanted
		}
	} else if scope != "" {
		rows = Match(rows, append([]string{scope}, words...), role)
	}
	e, err := one(Match(rows, words, role), "role that may be activated", words, func(e eligible) string { return describe(e.Role) })
	return e, narrower, err
}

func (a *app) checked(account string, role pim.Role, answer local.ActivateAnswer) error {
	out := resultJSON{Outcome: "ok", operationJSON: operationJSON{
		Account: account, Action: "activate", Key: role.Key(), Role: name(role.Name), Scope: name(role.Scope.Label()),
	}}
	for _, f := range answer.Findings {
		if f != nil {
			out.Outcome, out.Problem = "refused", f
		}
	}
	text := "The service would activate " + describe(role) + "."
	if out.Problem != nil {
		text = describe(role) + ": " + clean(out.Problem.Text, 500)
	}
	if err := a.result(out, text); err != nil || out.Problem == nil {
		return err
	}
	return outcomeOf(*out.Problem)
}

// follow waits until it is known what becomes of o, and says it.
func (a *app) follow(ctx context.Context, c *local.Client, account string, o pim.Operation, noWait bool, now time.Time) error {
	if !noWait && !settled(o) {
		fmt.Fprintf(a.Stderr, "%s: sent; waiting for the service.\n", describe(o.Role))
		done, err := c.Wait(ctx, local.WaitRequest{Account: account, Operation: o.ID})
		if ctx.Err() != nil {
			fmt.Fprintln(a.Stderr, "Interrupted; the request itself goes on. See it with: roletray status")
			return outcome(exitInterrupted)
		}
		if err != nil {
			return err
		}
		o = done
	}
	out := resultJSON{Outcome: string(o.State), operationJSON: operationOf(account, o)}
	text := describe(o.Role) + ": " + a.operationText(out.operationJSON, now)
	code := exitDone
	switch o.State {
	case pim.OperationDone:
		switch {
		case o.Action == pim.ActionDeactivate:
			text = describe(o.Role) + " is not active any more."
		case out.End.IsZero():
			text = describe(o.Role) + " is active."
		default:
			text = describe(o.Role) + " is active until " + a.moment(out.End, now) + "."
		}
	case pim.OperationWaiting:
		code = exitWaiting
	case pim.OperationFailed:
		code = exitFailed
		if o.Problem != nil {
			code = int(outcomeOf(*o.Problem))
		}
	case pim.OperationScheduled:
	default:
		out.Outcome = "sent"
	}
	if err := a.result(out, text); err != nil || code == exitDone {
		return err
	}
	return outcome(code)
}

func settled(o pim.Operation) bool {
	return o.State.Over() || o.State == pim.OperationWaiting || o.State == pim.OperationScheduled
}

func outcomeOf(p pim.Problem) outcome {
	if p.Code == pim.CodeSignInNeeded || p.Code == pim.CodeStepUp {
		return exitSignIn
	}
	return exitFailed
}

// result says what became of it: failures are for the error output.
func (a *app) result(r resultJSON, text string) error {
	if a.flags.json {
		return a.print(struct {
			Results []resultJSON `json:"results"`
		}{[]resultJSON{r}})
	}
	out := a.Stdout
	if r.Problem != nil {
		out = a.Stderr
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

func (a *app) deactivateCommand() *cobra.Command {
	var noWait bool
	c := &cobra.Command{
		Use: "deactivate ROLE", Short: "End an active role early",
		Example: "roletray deactivate contributor rg-prod", Args: someArgs("the role"),
	}
	c.Flags().BoolVar(&noWait, "no-wait", false, "do not wait until the role is not active any more")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		cl, err := a.connect(ctx)
		if err != nil {
			return err
		}
		defer cl.Close()
		state, err := ready(ctx, cl)
		if err != nil {
			return err
		}
		snaps, err := a.accounts(state)
		if err != nil {
			return err
		}
		type active struct {
			account string
			pim.ActiveRole
		}
		var rows []active
		for _, s := range snaps {
			for _, r := range s.Active {
				if r.Assignment.Type == pim.Activated {
					rows = append(rows, active{s.Account.ID, r})
				}
			}
		}
		r, err := one(Match(rows, args, func(r active) pim.Role { return r.Assignment.Role }), "active role", args,
			func(r active) string { return describe(r.Assignment.Role) })
		if err != nil {
			return err
		}
		if from := r.Assignment.DeactivatableAt(); from.After(state.Now) {
			return local.NewError(pim.CodeTooEarly, describe(r.Assignment.Role)+" cannot be deactivated in its first five minutes; try again at "+
				from.In(a.Location).Format("15:04:05")+".")
		}
		o, err := cl.Deactivate(ctx, local.RoleRequest{Account: r.account, Key: r.Assignment.Role.Key()})
		if err != nil {
			return err
		}
		return a.follow(ctx, cl, r.account, o, noWait, state.Now)
	})
	return c
}

// span says a duration in hours and minutes.
func span(d time.Duration) string {
	h, m := int(d/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case h == 0:
		return fmt.Sprintf("%d min", m)
	case m == 0:
		return fmt.Sprintf("%d h", h)
	}
	return fmt.Sprintf("%d h %d min", h, m)
}
