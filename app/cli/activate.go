package cli

import (
	"context"
	"errors"
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
		Example: "roletray activate contributor rg-prod --duration 2h --reason \"deploy 4711\"",
		Args:    w.args,
	}
	w.flags(c)
	c.Flags().BoolVar(&w.check, "check", false, "only have the service judge it")
	c.Flags().BoolVar(&w.noWait, "no-wait", false, "do not wait until the role is active")
	c.RunE = a.run(func(ctx context.Context, args []string) error { return a.activate(ctx, args, w) })
	return c
}

func (a *app) checkCommand() *cobra.Command {
	w := activation{check: true}
	c := &cobra.Command{
		Use: "check ROLE", Short: "Have the service judge an activation without doing it",
		Example: "roletray check contributor rg-prod --also \"global reader\"",
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
	results, err := a.send(ctx, c, targets, w.check)
	if err != nil {
		return err
	}
	if w.check {
		return a.results(results, now)
	}
	for i := range results {
		results[i].recall(state)
	}
	return a.follow(ctx, c, results, w.noWait, now)
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
		limit := p.Limit(t.eligibility.End, now)
		if t.wish.Duration == 0 {
			t.wish.Duration = min(usual, limit)
		}
		for _, r := range p.Check(pim.Activation{
			Eligibility: *t.eligibility, Duration: t.wish.Duration, Justification: t.wish.Justification, Ticket: t.wish.Ticket,
		}, now) {
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
		if t.eligibility == nil {
			results[i].operation.State = pim.OperationFailed
			results[i].operation.Problem = pim.Explain(&pim.Error{Code: pim.CodeNotEligible})
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
				f := answer.Findings[n]
				results[i].operation.Problem, results[i].operation.ID, results[i].local = f.Problem, f.Operation, f.Local
			} else {
				results[i].operation = answer.Operations[n]
			}
		}
	}
	return results, nil
}
