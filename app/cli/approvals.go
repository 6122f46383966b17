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
	"roletray/pim"
)

// approvalJSON is a request that waits for the person, in the output.
type approvalJSON struct {
	Account   string   `json:"account"`
	Approval  string   `json:"approval"`
	Request   string   `json:"request"`
	Key       pim.Key  `json:"key"`
	Role      string   `json:"role"`
	Kind      pim.Kind `json:"kind"`
	Scope     string   `json:"scope"`
	ScopeID   string   `json:"scopeId"`
	Requestor string   `json:"requestor"`
	// RequestorID is the requestor's object id.
	RequestorID   string     `json:"requestorId,omitempty"`
	Justification string     `json:"justification,omitempty"`
	Ticket        pim.Ticket `json:"ticket,omitzero"`
	Created       time.Time  `json:"created,omitzero"`
	Start         time.Time  `json:"start,omitzero"`
	End           time.Time  `json:"end,omitzero"`
	// Minutes is how long the role would be active, where a duration was asked for.
	Minutes int `json:"minutes,omitempty"`
	// Expires is when the request times out.
	Expires time.Time `json:"expires,omitzero"`
}

func approvalOf(account string, p pim.Approval) approvalJSON {
	r := p.Request
	out := approvalJSON{
		Account: account, Approval: p.ID, Request: r.ID, Key: r.Role.Key(), Role: name(r.Role.Name), Kind: r.Role.Kind,
		Scope: name(r.Role.Scope.Label()), ScopeID: r.Role.Scope.ID, Requestor: name(p.Requestor.Label()), RequestorID: p.Requestor.ID,
		Justification: clean(r.Justification, 500), Ticket: cleanTicket(r.Ticket), Created: r.Created, Start: r.Start, End: r.End,
		Minutes: int(r.Duration / time.Minute),
	}
	if !r.Created.IsZero() {
		out.Expires = p.Expires()
	}
	return out
}

// cleanTicket is somebody else's ticket, made safe to show.
func cleanTicket(t pim.Ticket) pim.Ticket {
	return pim.Ticket{Number: name(t.Number), System: name(t.System)}
}

// approval is an approval with whose decision it waits for.
type approval struct {
	account string
	pim.Approval
}

func (a *app) approvals(s *local.State) ([]approval, error) {
	snaps, err := a.accounts(s)
	if err != nil {
		return nil, err
	}
	var out []approval
	for _, snap := range snaps {
		for _, p := range snap.Approvals {
			out = append(out, approval{snap.Account.ID, p})
		}
	}
	return out, nil
}

func (a *app) approvalsCommand() *cobra.Command {
	var again bool
	cmd := &cobra.Command{
		Use: "approvals", Short: "List the requests that wait for your decision, the oldest first", Args: noArgs,
		RunE: a.run(func(ctx context.Context, _ []string) error {
			c, err := a.connect(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			state, err := refreshed(ctx, c, again)
			if err != nil {
				return err
			}
			all, err := a.approvals(state)
			if err != nil {
				return err
			}
			snaps, err := a.accounts(state)
			if err != nil {
				return err
			}
			return a.printApprovals(all, cutParts(snaps, pim.PartApprovals), state)
		}),
	}
	refreshFlag(cmd, &again)
	return cmd
}

func (a *app) printApprovals(all []approval, cut []cutJSON, state *local.State) error {
	out := make([]approvalJSON, 0, len(all))
	for _, p := range all {
		out = append(out, approvalOf(p.account, p.Approval))
	}
	if a.flags.json {
		return a.print(struct {
			Approvals []approvalJSON `json:"approvals"`
			Cut       []cutJSON      `json:"cut,omitempty"`
		}{out, cut})
	}
	a.tellCut(cut)
	if len(out) == 0 {
		_, err := fmt.Fprintln(a.Stdout, "No request waits for your decision.")
		return err
	}
	now, accounts := state.Now, ownersOf(state.Accounts)
	rows := [][]string{accounts.header("ASKED", "WHO", "ROLE", "SCOPE", "FOR", "TIMES OUT", "TICKET", "REASON", "REQUEST")}
	for _, p := range out {
		length := ""
		switch {
		case p.Minutes > 0:
			length = span(time.Duration(p.Minutes) * time.Minute)
		case !p.End.IsZero():
			length = "until " + a.moment(p.End, now)
		}
		rows = append(rows, accounts.row(
			p.Account, a.moment(p.Created, now), p.Requestor, p.Role, p.Scope, length, a.moment(p.Expires, now), p.Ticket.Label(), pim.CleanText(p.Justification, 60), p.Request,
		))
	}
	return table(a.Stdout, rows)
}

// decisionJSON is what became of a decision.
type decisionJSON struct {
	// Outcome is approved, denied or failed.
	Outcome string `json:"outcome"`
	approvalJSON
	Problem *pim.Problem `json:"problem,omitempty"`
}

func (a *app) decideCommand(approve bool) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "deny REQUEST|ROLE", Short: "Deny requests that wait for your decision",
		Example: "roletray deny 1f0c53ab --reason \"not during the freeze\"", Args: someArgs("the request, or its role and who asks for it", "approvals"),
	}
	if approve {
		c.Use, c.Short = "approve REQUEST|ROLE", "Approve requests that wait for your decision"
		c.Example = "roletray approve 1f0c53ab \"owner emil\" --reason \"agreed in the stand-up\""
	}
	c.Flags().StringVar(&reason, "reason", "", "why you decide so; the one who asked can read it")
	c.RunE = a.run(func(ctx context.Context, args []string) error {
		if strings.TrimSpace(reason) == "" {
			return usagef("Say why with --reason; the one who asked can read it.")
		}
		return a.decide(ctx, args, approve, strings.TrimSpace(reason))
	})
	return c
}

func (a *app) decide(ctx context.Context, args []string, approve bool, reason string) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	var chosen []approval
	for _, again := range []bool{false, true} {
		state, err := refreshed(ctx, c, again)
		if err != nil {
			return err
		}
		all, err := a.approvals(state)
		if err != nil {
			return err
		}
		// What is not found may have come since the last read.
		if chosen, err = choose(state, all, args); err == nil {
			break
		}
		if again {
			return err
		}
	}
	out := make([]decisionJSON, len(chosen))
	byAccount := map[string][]int{}
	for i, p := range chosen {
		out[i].approvalJSON = approvalOf(p.account, p.Approval)
		byAccount[p.account] = append(byAccount[p.account], i)
	}
	for account, mine := range byAccount {
		req := local.DecideRequest{Account: account, Approve: approve, Justification: reason}
		for _, i := range mine {
			req.Approvals = append(req.Approvals, local.ApprovalRef{Kind: chosen[i].Request.Role.Kind, ID: chosen[i].ID})
		}
		answer, err := c.Decide(ctx, req)
		if err != nil {
			return err
		}
		if len(answer.Outcomes) != len(mine) {
			return errors.New("the agent gave no answer about a request; see roletray approvals")
		}
		for n, i := range mine {
			out[i].Problem = answer.Outcomes[n]
		}
	}
	return a.printDecisions(out, approve)
}

// choose finds the approvals that the arguments name: each by an id or its beginning, or by
// words of the role and of who asks.
func choose(s *local.State, all []approval, args []string) ([]approval, error) {
	var out []approval
	for _, arg := range args {
		found := slices.DeleteFunc(slices.Clone(all), func(p approval) bool {
			return !beginsWith(p.ID, arg) && !beginsWith(p.Request.ID, arg)
		})
		if len(found) == 0 {
			// Who asks counts as a part of the scope's name.
			found = Match(all, []string{arg}, func(p approval) pim.Role {
				r := p.Request.Role
				r.Scope.Name = r.Scope.Label() + "\n" + p.Requestor.Label()
				return r
			})
		}
		p, err := one(s, found, "request that waits for your decision", "approvals", []string{arg}, func(p approval) candidate {
			return candidate{account: p.account, role: p.Request.Role, id: p.Request.ID, who: p.Requestor.Label()}
		})
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(o approval) bool { return o.account == p.account && o.ID == p.ID }) {
			out = append(out, p)
		}
	}
	return out, nil
}

func (a *app) printDecisions(out []decisionJSON, approve bool) error {
	done, worst := "denied", exitDone
	if approve {
		done = "approved"
	}
	for i := range out {
		d := &out[i]
		d.Outcome = done
		text := d.Role + " · " + d.Scope + " for " + d.Requestor
		if d.Problem == nil {
			if !a.flags.json {
				fmt.Fprintf(a.Stdout, "%s is %s.\n", text, done)
			}
			continue
		}
		d.Outcome = "failed"
		if worst != exitSignIn {
			worst = int(outcomeOf(*d.Problem))
		}
		if !a.flags.json {
			fmt.Fprintf(a.Stderr, "%s: %s\n", text, clean(d.Problem.Text, 500))
		}
	}
	if a.flags.json {
		err := a.print(struct {
			Results []decisionJSON `json:"results"`
		}{out})
		if err != nil {
			return err
		}
	}
	if worst == exitDone {
		return nil
	}
	return outcome(worst)
}
