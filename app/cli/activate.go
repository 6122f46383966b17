package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
)

// activation is what the flags of activate and check say.
type activation struct {
	scopes, also            []string
	favorite                string
	duration, reason, start string
	ticket                  pim.Ticket
	check, noWait           bool
	noCheck, yes            bool
}

// flags adds those that activate and check have in common.
func (w *activation) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&w.scopes, "scope", nil, "a word of the scope, or the full `ID` of a narrower one such as a resource group; several times for several")
	f.StringArrayVar(&w.also, "also", nil, "another `ROLE` beside, in quotes where it has several words; several times for several")
	f.StringVar(&w.favorite, "favorite", "", "the roles of a favourite, by its `NAME`")
	f.StringVar(&w.duration, "duration", "", "how long, such as 2h, 90 or 1:30 (default: the usual duration of the settings)")
	f.StringVar(&w.reason, "reason", "", "the justification")
	f.StringVar(&w.ticket.Number, "ticket", "", "the ticket's number")
	f.StringVar(&w.ticket.System, "ticket-system", "", "the ticket's system")
	f.StringVar(&w.start, "start", "", "when to begin, such as 17:30 or \"2027-01-31 9:00\" (default: now)")
}

func (a *app) activateCommand() *cobra.Command {
	var w activation
	c := &cobra.Command{
		Use: "activate ROLE", Short: "Activate roles, each named by any words of its name and scope",
		Example: "roletray activate contributor sandbox --duration 2h --reason \"deploy 4711\"",
		Args:    w.args,
	}
	w.flags(c)
	c.Flags().BoolVar(&w.check, "check", false, "only have the service judge it")
	c.Flags().BoolVar(&w.noCheck, "no-check", false, "send several roles without a check of all of them before")
	c.Flags().BoolVar(&w.yes, "yes", false, "where the check finds fault with some of several roles, activate the others without asking")
	c.Flags().BoolVar(&w.noWait, "no-wait", false, "do not wait until the role is active")
	c.RunE = a.run(func(ctx context.Context, args []string) error { return a.activate(ctx, args, w) })
	return c
}

func (a *app) checkCommand() *cobra.Command {
	w := activation{check: true}
	c := &cobra.Command{
		Use: "check ROLE", Short: "Have the service judge an activation without doing it",
		Example: "roletray check contributor sandbox --also \"global reader\"",
		Args:    w.args,
	}
	w.flags(c)
	c.RunE = a.run(func(ctx context.Context, args []string) error { return a.activate(ctx, args, w) })
	return c
}

// args wants a role that is named in one of the ways there are.
func (w *activation) args(c *cobra.Command, args []string) error {
	if w.favorite != "" || len(w.also) > 0 {
		return nil
	}
	return someArgs("the role", "list")(c, args)
}

// target is one role to be activated.
type target struct {
	account string
	// role is at the scope that is wanted.
	role        pim.Role
	eligibility *pim.Eligibility // nil where it is gone
	wish        local.Wish
	// refused is what a check has found that speaks against sending it, or nil.
	refused *pim.Finding
}

func (a *app) activate(ctx context.Context, args []string, w activation) error {
	var duration time.Duration
	if w.duration != "" {
		var err error
		if duration, err = view.ParseDuration(w.duration); err != nil {
			return usagef("--duration %q is %s.", pim.CleanText(w.duration, 40), err)
		}
	}
	// Whether the clocks skip it is for the tenant's clock to say.
	if _, err := view.ParseStart(w.start, time.Now()); err != nil && !errors.Is(err, view.ErrSkipped) {
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
	targets, err := a.targets(state, args, w)
	if err != nil {
		return err
	}
	// The tenant's clock may not be the computer's.
	now := state.Now.In(a.Location)
	start, err := view.ParseStart(w.start, now)
	if err != nil {
		return usagef("--start %q is %s.", pim.CleanText(w.start, 40), err)
	}
	if !start.IsZero() && start.Before(now) {
		return usagef("--start %s is over; choose a later time.", a.moment(start, now))
	}
	for i := range targets {
		wish := &targets[i].wish
		wish.Start = start
		if duration != 0 {
			wish.Duration = duration
		}
		if reason := strings.TrimSpace(w.reason); reason != "" {
			wish.Justification = reason
		}
		if w.ticket != (pim.Ticket{}) {
			wish.Ticket = w.ticket
		}
	}
	if err := a.judge(ctx, c, targets, state.Settings.Duration, now); err != nil {
		return err
	}
	told := false
	if len(targets) > 1 && !w.check && !w.noCheck {
		if told, err = a.checkFirst(ctx, c, targets, w.yes); err != nil {
			return err
		}
	}
	results, err := a.send(ctx, c, targets, w.check)
	if err != nil {
		return err
	}
	if w.check {
		return a.results(results, now)
	}
	for i := range results {
		results[i].recall(state)
		results[i].told = told && targets[i].refused != nil
	}
	if err := a.wait(ctx, c, results, w.noWait); err != nil {
		return err
	}
	for i := range results {
		if err := a.goWider(ctx, c, targets[i], &results[i], w.noWait); err != nil {
			return err
		}
	}
	return a.results(results, now)
}

// checkFirst has all targets judged before any is sent, and marks those that would fail. Where
// somebody is there to be asked, it tells them what was found, which told says then, and whether
// to go on with the others is theirs.
func (a *app) checkFirst(ctx context.Context, c *local.Client, targets []target, yes bool) (told bool, err error) {
	checked, err := a.send(ctx, c, targets, true)
	if err != nil {
		return false, err
	}
	left := len(targets)
	for i, r := range checked {
		targets[i].wish.Operation = r.finding.Operation
		if r.finding.Obstacle() {
			targets[i].refused = &r.finding
			left--
		}
	}
	if left == len(targets) || left == 0 || yes || !a.asks() {
		return false, nil
	}
	for _, r := range checked {
		_, text := r.checkText()
		fmt.Fprintln(a.Stderr, text)
	}
	if yes, err = a.Ask(ctx, fmt.Sprintf("Activate %d of %d roles?", left, len(targets))); err != nil || yes {
		return true, err
	}
	for _, r := range checked {
		if r.finding.Operation != "" {
			if err := a.takeBack(ctx, c, r); err != nil {
				return true, err
			}
		}
	}
	fmt.Fprintln(a.Stderr, "Nothing was activated.")
	return true, outcome(exitFailed)
}

// takeBack offers to withdraw what the service has taken a check for.
func (a *app) takeBack(ctx context.Context, c *local.Client, r result) error {
	o, err := c.Wait(ctx, local.WaitRequest{Account: r.account, Operation: r.finding.Operation})
	if err != nil {
		return err
	}
	if o.Request == nil || o.State.Over() {
		fmt.Fprintf(a.Stderr, "%s: %s\n", describe(o.Role), clean(r.finding.Problem.Text, 500))
		return nil
	}
	if yes, err := a.Ask(ctx, "Withdraw the request for "+describe(o.Role)+"?"); err != nil || !yes {
		return err
	}
	return c.Cancel(ctx, local.CancelRequest{Account: r.account, Request: o.Request.ID})
}

// goWider offers the next wider scope for what was refused at its own, until the person has
// enough or the service agrees.
func (a *app) goWider(ctx context.Context, c *local.Client, t target, r *result, noWait bool) error {
	for r.operation.Offer != nil && r.operation.State == pim.OperationFailed && a.asks() {
		up := *r.operation.Offer
		if !r.told {
			fmt.Fprintln(a.Stderr, describe(r.operation.Role)+": "+clean(r.operation.Problem.Text, 300))
		}
		r.told = true
		yes, err := a.Ask(ctx, "Activate "+describe(t.eligibility.Role.At(up))+" instead?")
		if err != nil || !yes {
			return err
		}
		t.role, t.wish.Scope, t.refused = t.eligibility.Role.At(up), up, nil
		again, err := a.send(ctx, c, []target{t}, false)
		if err != nil {
			return err
		}
		if err := a.wait(ctx, c, again, noWait); err != nil {
			return err
		}
		*r = again[0]
	}
	return nil
}

// targets are the roles that the command line names, each once.
func (a *app) targets(s *local.State, args []string, w activation) ([]target, error) {
	var out []target
	have := map[string]bool{}
	add := func(t target) {
		id := t.account + "\x00" + string(t.wish.Key) + "\x00" + string(t.role.Key())
		if !have[id] {
			have[id] = true
			out = append(out, t)
		}
	}
	find := func(words []string, scope string) error {
		e, narrower, err := a.findEligible(s, words, scope)
		if err != nil {
			return err
		}
		t := target{account: e.account, role: e.Role, eligibility: &e.Eligibility, wish: local.Wish{Key: e.Role.Key(), Scope: narrower}}
		if narrower.ID != "" {
			t.role = e.Role.At(narrower)
		}
		add(t)
		return nil
	}
	if len(args) > 0 {
		scopes := w.scopes
		if len(scopes) == 0 {
			scopes = []string{""}
		}
		for _, scope := range scopes {
			if err := find(args, scope); err != nil {
				return nil, err
			}
		}
	} else if len(w.scopes) > 0 {
		return nil, usagef("--scope is of the role that the command names first; name one, or leave it out.")
	}
	for _, words := range w.also {
		if err := find([]string{words}, ""); err != nil {
			return nil, err
		}
	}
	if w.favorite == "" {
		return out, nil
	}
	f, err := a.findFavorite(s, w.favorite)
	if err != nil {
		return nil, err
	}
	snap := s.Account(f.Account)
	for i, wish := range f.AsWishes() {
		t := target{account: f.Account, role: f.Wishes[i].Role, wish: wish}
		for _, e := range snap.Eligible {
			if e.Role.Key() == wish.Key {
				t.eligibility = &e
			}
		}
		add(t)
	}
	return out, nil
}

// judge completes the durations, and refuses what the roles' settings are known to
// refuse, before anything is sent.
func (a *app) judge(ctx context.Context, c *local.Client, targets []target, usual time.Duration, now time.Time) error {
	policies := make([]pim.Policy, len(targets))
	reads, ctx := errgroup.WithContext(ctx)
	reads.SetLimit(8)
	for i, t := range targets {
		if t.eligibility != nil {
			reads.Go(func() (err error) {
				policies[i], err = c.Policy(ctx, local.RoleRequest{Account: t.account, Key: t.wish.Key})
				return err
			})
		}
	}
	if err := reads.Wait(); err != nil {
		return err
	}
	for i := range targets {
		t, p := &targets[i], policies[i]
		if t.eligibility == nil {
			continue
		}
		activation := pim.Activation{Eligibility: *t.eligibility, Start: t.wish.Start, Justification: t.wish.Justification, Ticket: t.wish.Ticket}
		limit := p.Limit(t.eligibility.End, activation.Begins(now))
		if t.wish.Duration == 0 {
			t.wish.Duration = min(usual, limit)
		}
		activation.Duration = t.wish.Duration
		broken := p.Check(activation, now)
		if slices.Contains(broken, pim.RuleEligibility) && t.eligibility.End.After(now) {
			return usagef("The eligibility for %s ends before that start; choose an earlier --start.", describe(t.role))
		}
		for _, r := range broken {
			switch r {
			case pim.RuleExpiration:
				return usagef("%s lasts at most %s; choose a shorter --duration.", describe(t.role), span(limit))
			case pim.RuleJustification:
				return usagef("%s needs a justification; give one with --reason.", describe(t.role))
			case pim.RuleTicketing:
				return usagef("%s needs a ticket; give its number with --ticket.", describe(t.role))
			case pim.RuleEligibility:
				return usagef("The eligibility for %s has ended; ask an administrator for it.", describe(t.role))
			}
		}
	}
	return nil
}

// send asks for the targets, account by account, and returns what became of each.
// One that is no longer eligible fails here.
func (a *app) send(ctx context.Context, c *local.Client, targets []target, check bool) ([]result, error) {
	results := make([]result, len(targets))
	byAccount := map[string][]int{}
	var order []string
	for i, t := range targets {
		results[i] = result{account: t.account, operation: pim.Operation{Action: pim.ActionActivate, Role: t.role}, checked: check}
		refused := t.refused
		if t.eligibility == nil {
			gone := pim.NewFinding(&pim.Error{Code: pim.CodeNotEligible})
			refused = &gone
		}
		if refused != nil {
			results[i].found(*refused)
			results[i].operation.State = pim.OperationFailed
			continue
		}
		if byAccount[t.account] == nil {
			order = append(order, t.account)
		}
		byAccount[t.account] = append(byAccount[t.account], i)
	}
	for _, account := range order {
		req := local.ActivateRequest{Account: account, Check: check}
		for _, i := range byAccount[account] {
			req.Wishes = append(req.Wishes, targets[i].wish)
		}
		answer, err := c.Activate(ctx, req)
		if err != nil {
			return nil, err
		}
		got := len(answer.Operations)
		if check {
			got = len(answer.Findings)
		}
		if got != len(req.Wishes) {
			return nil, errors.New("the agent gave no answer about a role; see roletray status")
		}
		for n, i := range byAccount[account] {
			if check {
				results[i].found(answer.Findings[n])
			} else {
				results[i].operation = answer.Operations[n]
			}
		}
	}
	return results, nil
}
