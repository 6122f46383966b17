package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
)

// prolongableJSON is an eligibility or an assignment that ends soon, or ended a short while ago.
type prolongableJSON struct {
	Account string   `json:"account"`
	Key     pim.Key  `json:"key"`
	Role    string   `json:"role"`
	Kind    pim.Kind `json:"kind"`
	Scope   string   `json:"scope"`
	ScopeID string   `json:"scopeId"`
	// Action is extend or renew: the command that asks for it.
	Action string `json:"action"`
	// Assigned says that an administrator assigned the role, which the command's --assigned is for.
	Assigned bool      `json:"assigned"`
	End      time.Time `json:"end"`
	// Asked says that such a request is open already.
	Asked bool `json:"asked"`
}

// prolongable is what an account can ask to be extended or renewed, the next to end first.
func prolongable(s *pim.Snapshot, now time.Time) []prolongableJSON {
	asked := func(k pim.Key) bool {
		return slices.ContainsFunc(s.Requests, func(r pim.Request) bool {
			return r.Role.Key() == k && (r.Action == pim.ActionExtend || r.Action == pim.ActionRenew) && !r.Phase(now).Final()
		}) || slices.ContainsFunc(s.Operations, func(o pim.Operation) bool {
			return o.Role.Key() == k && (o.Action == pim.ActionExtend || o.Action == pim.ActionRenew) && !o.State.Over()
		})
	}
	var out []prolongableJSON
	add := func(r pim.Role, via pim.Via, end time.Time, assigned bool) {
		action, ok := pim.CanProlong(end, via, now)
		if !ok {
			return
		}
		out = append(out, prolongableJSON{
			s.Account.ID, r.Key(), name(r.Name), r.Kind, name(r.Scope.Label()), r.Scope.ID,
			strings.TrimPrefix(string(action), "self"), assigned, end, asked(r.Key()),
		})
	}
	for _, e := range slices.Concat(s.Eligible, s.Ended) {
		add(e.Role, e.Via, e.End, false)
	}
	for _, a := range s.Active {
		if a.Assignment.Type == pim.Assigned {
			add(a.Assignment.Role, a.Assignment.Via, a.Assignment.End, true)
		}
	}
	for _, a := range s.EndedAssigned {
		add(a.Role, a.Via, a.End, true)
	}
	slices.SortStableFunc(out, func(x, y prolongableJSON) int { return x.End.Compare(y.End) })
	return out
}

// printProlongable is the second table of list.
func (a *app) printProlongable(accounts owners, all []prolongableJSON, now time.Time) error {
	if len(all) == 0 {
		return nil
	}
	rows := [][]string{accounts.header("ROLE", "SCOPE", "KIND", "ENDS", "HOW")}
	for _, p := range all {
		how := "roletray " + p.Action + " ROLE"
		if p.Assigned {
			how += " --assigned"
		}
		if p.Asked {
			how = "asked for already"
		}
		ends := a.moment(p.End, now)
		if !p.End.After(now) {
			ends = "ended " + ends
		}
		rows = append(rows, accounts.row(p.Account, short(p.Role), short(p.Scope), kindName(p.Kind), ends, how))
	}
	if _, err := fmt.Fprintln(a.Stdout, "\nCan be extended or renewed:"); err != nil {
		return err
	}
	return table(a.Stdout, rows)
}

// prolongation is what the flags of extend and renew say.
type prolongation struct {
	action        pim.Action
	until, reason string
	days          int
	assigned      bool
	noWait        bool
}

func (a *app) prolongCommand(action pim.Action) *cobra.Command {
	w := prolongation{action: action}
	c := &cobra.Command{
		Use: "extend ROLE", Short: "Ask an administrator to extend an eligibility that ends within 14 days",
		Example: "roletray extend contributor warehouse --days 90 --reason \"still on the team\"", Args: someArgs("the role", "list"),
	}
	if action == pim.ActionRenew {
		c.Use, c.Short = "renew ROLE", "Ask an administrator to renew an eligibility that ended within the last 30 days"
		c.Example = "roletray renew contributor warehouse --days 90 --reason \"back on the team\""
	}
	f := c.Flags()
	f.StringVar(&w.until, "until", "", "the wished end, such as 2027-01-31 or \"2027-01-31 9:00\"")
	f.IntVar(&w.days, "days", 0, "the wished end, in `N` days from the present one or from today, whichever is later (default: as long again)")
	f.StringVar(&w.reason, "reason", "", "the justification")
	f.BoolVar(&w.assigned, "assigned", false, "the role that an administrator assigned for a time, not the eligibility")
	f.BoolVar(&w.noWait, "no-wait", false, "do not wait until the service has taken it")
	c.RunE = a.run(func(ctx context.Context, args []string) error { return a.prolong(ctx, args, w) })
	return c
}

// lasting is an eligibility or an assignment with an end, and whose it is.
type lasting struct {
	account string
	role    pim.Role
	via     pim.Via
	end     time.Time
}

func (a *app) prolong(ctx context.Context, args []string, w prolongation) error {
	const most = 3650
	switch {
	case w.until != "" && w.days != 0:
		return usagef("--until and --days exclude each other; choose one.")
	case w.days < 0 || w.days > most:
		return usagef("--days must be between 1 and %d.", most)
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
	rows, err := a.lasting(state, w)
	if err != nil {
		return err
	}
	what := "eligibility with an end"
	switch {
	case w.action == pim.ActionRenew && w.assigned:
		what = "assignment that ended within the last month"
	case w.action == pim.ActionRenew:
		what = "eligibility that ended within the last month"
	case w.assigned:
		what = "role that was assigned for a time"
	}
	l, err := one(state, Match(rows, args, func(l lasting) pim.Role { return l.role }), what, "list", args, func(l lasting) candidate { return candidate{account: l.account, role: l.role} })
	if err != nil {
		return err
	}
	now := state.Now.In(a.Location)
	if action, ok := pim.CanProlong(l.end, l.via, now); !ok || action != w.action {
		if l.via == pim.ViaGroup {
			return local.NewError(pim.CodeRejected, describe(l.role)+" comes through a group; ask whoever manages the group.")
		}
		return local.NewError(pim.CodeRejected, describe(l.role)+" lasts until "+a.moment(l.end, now)+" and can be extended from "+
			a.moment(l.end.Add(-pim.ExtendWindow), now)+"; try again then.")
	}
	end, err := w.end(l, now)
	if err != nil {
		return err
	}
	o, err := c.Prolong(ctx, local.ProlongRequest{
		Account: l.account, Key: l.role.Key(), Assigned: w.assigned, End: end, Justification: strings.TrimSpace(w.reason),
	})
	if err != nil {
		return err
	}
	r := result{account: l.account, operation: o}
	r.recall(state)
	return a.follow(ctx, c, []result{r}, w.noWait, now)
}

// lasting lists what the command may be about.
func (a *app) lasting(s *local.State, w prolongation) ([]lasting, error) {
	snaps, err := a.accounts(s)
	if err != nil {
		return nil, err
	}
	var out []lasting
	for _, snap := range snaps {
		eligible, assigned := snap.Eligible, snap.EndedAssigned
		if w.action == pim.ActionRenew {
			eligible = snap.Ended
		} else {
			assigned = nil
			for _, r := range snap.Active {
				if r.Assignment.Type == pim.Assigned {
					assigned = append(assigned, r.Assignment)
				}
			}
		}
		for _, e := range eligible {
			if !w.assigned && !e.End.IsZero() {
				out = append(out, lasting{snap.Account.ID, e.Role, e.Via, e.End})
			}
		}
		for _, as := range assigned {
			if w.assigned && !as.End.IsZero() {
				out = append(out, lasting{snap.Account.ID, as.Role, as.Via, as.End})
			}
		}
	}
	return out, nil
}

// end is the wished end; zero leaves it to the agent.
func (w prolongation) end(l lasting, now time.Time) (time.Time, error) {
	from := now
	if l.end.After(now) {
		from = l.end.In(now.Location())
	}
	switch {
	case w.until == "" && w.days == 0:
		return time.Time{}, nil
	case w.until == "":
		return from.AddDate(0, 0, w.days), nil
	}
	end, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(w.until), now.Location())
	if err == nil {
		end = end.AddDate(0, 0, 1).Add(-time.Minute) // The whole day.
	} else if end, err = view.ParseStart(w.until, now); errors.Is(err, view.ErrSkipped) {
		return end, usagef("--until %q is %s.", pim.CleanText(w.until, 40), err)
	} else if err != nil {
		return end, usagef("--until %q is not a time such as 2027-01-31 or 2027-01-31 9:00.", pim.CleanText(w.until, 40))
	}
	if !end.After(from) {
		return end, usagef("--until must be later than the present end and today; choose a later day.")
	}
	return end, nil
}
