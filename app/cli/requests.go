package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/pim"
)

// requestJSON is a request in the output.
type requestJSON struct {
	Account string     `json:"account"`
	Request string     `json:"request"`
	Action  string     `json:"action"`
	Key     pim.Key    `json:"key"`
	Role    string     `json:"role"`
	Scope   string     `json:"scope"`
	Phase   pim.Phase  `json:"phase"`
	Status  pim.Status `json:"status"`
	Created time.Time  `json:"created,omitzero"`
	Start   time.Time  `json:"start,omitzero"`
	End     time.Time  `json:"end,omitzero"`
	// Cancellable says that roletray cancel can cancel it.
	Cancellable   bool       `json:"cancellable"`
	Justification string     `json:"justification,omitempty"`
	Ticket        pim.Ticket `json:"ticket,omitzero"`
	// Decision is who decided on it, where that is known.
	Decision *reviewJSON `json:"decision,omitempty"`
	review   pim.Review
}

// reviewJSON is who decided on a request of the person's own, in the output.
type reviewJSON struct {
	Result pim.ReviewResult `json:"result"` // approved, denied, or expired: nobody decided in time
	By     string           `json:"by,omitempty"`
	At     time.Time        `json:"at,omitzero"`
	Reason string           `json:"reason,omitempty"`
}

func reviewOf(v pim.Review) *reviewJSON {
	if v.Result == "" {
		return nil
	}
	return &reviewJSON{Result: v.Result, By: name(v.By.Label()), At: v.At, Reason: clean(v.Reason, 500)}
}

// withDecision adds to a word for how far a request has come who decided on it.
func withDecision(word string, v pim.Review) string {
	said := pim.CleanText(strings.TrimSuffix(v.Sentence(), "."), 80)
	if said == "" {
		return word
	}
	return word + ", " + strings.ToLower(said[:1]) + said[1:]
}

func (a *app) requestsCommand() *cobra.Command {
	var all, again bool
	c := &cobra.Command{
		Use: "requests", Short: "List your requests, the newest first", Args: noArgs,
		RunE: a.run(func(ctx context.Context, _ []string) error { return a.requests(ctx, all, again) }),
	}
	c.Flags().BoolVar(&all, "all", false, "also what is over, instead of only what is not decided or not begun")
	refreshFlag(c, &again)
	return c
}

func (a *app) requests(ctx context.Context, all, again bool) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	state, err := refreshed(ctx, c, again)
	if err != nil {
		return err
	}
	snaps, err := a.accounts(state)
	if err != nil {
		return err
	}
	out := []requestJSON{}
	for _, s := range snaps {
		for _, r := range s.Requests {
			phase := r.Phase(state.Now)
			if !all && phase.Final() {
				continue
			}
			out = append(out, requestJSON{
				Account: s.Account.ID, Request: r.ID, Action: strings.TrimPrefix(string(r.Action), "self"),
				Key: r.Role.Key(), Role: name(r.Role.Name), Scope: name(r.Role.Scope.Label()),
				Phase: phase, Status: pim.Status(name(string(r.Status))), Created: r.Created,
				Start: r.EffectiveStart(), End: r.EffectiveEnd(), Cancellable: r.Cancellable(state.Now),
				Justification: clean(r.Justification, 500), Ticket: cleanTicket(r.Ticket), Decision: reviewOf(r.Review), review: r.Review,
			})
		}
	}
	cut := cutParts(snaps, pim.PartRequests)
	if a.flags.json {
		return a.print(struct {
			Requests []requestJSON `json:"requests"`
			Cut      []cutJSON     `json:"cut,omitempty"`
		}{out, cut})
	}
	a.tellCut(cut)
	if len(out) == 0 {
		text := "No request is open; roletray requests --all shows those that are over."
		if all {
			text = "No requests."
		}
		_, err := fmt.Fprintln(a.Stdout, text)
		return err
	}
	words := map[pim.Phase]string{
		pim.PhaseInProgress: "in progress", pim.PhaseWaiting: "waiting for approval", pim.PhaseScheduled: "scheduled",
		pim.PhaseDone: "done", pim.PhaseRefused: "not granted",
	}
	accounts := ownersOf(snaps)
	rows := [][]string{accounts.header("ASKED", "ACTION", "ROLE", "SCOPE", "STATUS", "REQUEST")}
	for _, r := range out {
		rows = append(rows, accounts.row(r.Account, a.moment(r.Created, state.Now), name(r.Action), r.Role, r.Scope, withDecision(words[r.Phase], r.review), r.Request))
	}
	return table(a.Stdout, rows)
}

// request is a request with whose it is.
type request struct {
	account string
	pim.Request
}

func (a *app) cancelCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "cancel REQUEST|ROLE", Short: "Cancel a request that waits or is scheduled",
		Example: "roletray cancel owner sandbox", Args: someArgs("the request or its role", "requests"),
	}
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
		var open []request
		for _, s := range snaps {
			for _, r := range s.Requests {
				if r.Cancellable(state.Now) {
					open = append(open, request{s.Account.ID, r})
				}
			}
		}
		found := byID(open, args)
		if len(found) == 0 {
			found = Match(open, args, func(r request) pim.Role { return r.Role })
		}
		r, err := one(state, found, "request that can be cancelled", "requests", args, func(r request) candidate {
			return candidate{account: r.account, role: r.Role, id: r.ID}
		})
		if err != nil {
			return err
		}
		if err := cl.Cancel(ctx, local.CancelRequest{Account: r.account, Request: r.ID}); err != nil {
			return err
		}
		return a.done("The request for " + describe(r.Role) + " is cancelled.")
	})
	return c
}

// byID finds a request by its id or the beginning of it.
func byID(open []request, args []string) []request {
	if len(args) != 1 {
		return nil
	}
	var out []request
	for _, r := range open {
		if beginsWith(r.ID, args[0]) {
			out = append(out, r)
		}
	}
	return out
}

// beginsWith says whether an id begins with a text of eight characters or more.
func beginsWith(id, text string) bool {
	const least = 8
	return len(text) >= least && len(text) <= len(id) && strings.EqualFold(id[:len(text)], text)
}

func describe(r pim.Role) string { return name(r.Name) + " · " + name(r.Scope.Label()) }

// candidate is a row as it is told apart from others that fit as well.
type candidate struct {
	account string
	role    pim.Role
	id      string // of the request, where it is one
	who     string // asks for it, where that is somebody else
}

// one is the only row, or wrong use that says what to do. The command in where shows
// all there are.
func one[T any](s *local.State, found []T, what, where string, args []string, row func(T) candidate) (T, error) {
	var zero T
	asked := pim.CleanText(strings.Join(args, " "), 100)
	switch len(found) {
	case 0:
		return zero, usagef("There is no %s that matches %q; roletray %s shows what there is.", what, asked, where)
	case 1:
		return found[0], nil
	}
	const most = 20
	several := slices.ContainsFunc(found, func(f T) bool { return row(f).account != row(found[0]).account })
	var b strings.Builder
	for i, f := range found {
		if i == most {
			fmt.Fprintf(&b, "\n  and %d more", len(found)-most)
			break
		}
		c := row(f)
		b.WriteString("\n  ")
		if c.id != "" {
			b.WriteString(c.id + "  ")
		}
		b.WriteString(describe(c.role) + " (" + kindName(c.role.Kind) + ")")
		if c.who != "" {
			b.WriteString("  " + name(c.who))
		}
		if snap := s.Account(c.account); several && snap != nil {
			b.WriteString("  " + name(snap.Account.Username))
		}
	}
	how := "add a word of its scope or kind"
	if several {
		how += ", or choose the account with --account"
	}
	return zero, usagef("%q could be any of %d; %s:%s", asked, len(found), how, b.String())
}
