package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/pim"
)

type statusJSON struct {
	Running bool `json:"running"`
	// Starting says that what is missing may come yet.
	Starting bool          `json:"starting,omitempty"`
	Version  string        `json:"version,omitempty"`
	Demo     bool          `json:"demo,omitempty"`
	Now      time.Time     `json:"now,omitzero"`
	Accounts []accountJSON `json:"accounts"`
	Active   []roleJSON    `json:"active"`
	// Operations are the person's actions that are not over or ended a moment ago.
	Operations []operationJSON `json:"operations"`
	// Plans are the active roles that will go on after their end.
	Plans []planJSON `json:"plans"`
	// Approvals counts the requests that wait for the person's decision.
	Approvals int `json:"approvals"`
	// Prolongable counts what an administrator can be asked to extend or renew.
	Prolongable int      `json:"prolongable"`
	Notices     []string `json:"notices"`
	// Consents are what administrators are to grant.
	Consents []consentJSON `json:"consents"`
}

type consentJSON struct {
	Account     string     `json:"account"`
	Kinds       []pim.Kind `json:"kinds"`
	Permissions []string   `json:"permissions"`
	URL         string     `json:"url"`
}

// operationJSON is an action on a role in the output.
type operationJSON struct {
	Account   string             `json:"account"`
	Operation string             `json:"operation,omitempty"`
	Action    string             `json:"action"` // activate, deactivate, extend or renew
	Key       pim.Key            `json:"key"`
	Role      string             `json:"role"`
	Scope     string             `json:"scope"`
	State     pim.OperationState `json:"state,omitempty"`
	Request   string             `json:"request,omitempty"`
	Status    pim.Status         `json:"status,omitempty"`
	Start     time.Time          `json:"start,omitzero"`
	End       time.Time          `json:"end,omitzero"`
	Problem   *pim.Problem       `json:"problem,omitempty"`
	// Decision is who decided on the request, where that is known.
	Decision *reviewJSON `json:"decision,omitempty"`
	// Steps are set where a group had to be activated first.
	Steps []stepJSON `json:"steps,omitempty"`
	// Offer is the id of the next wider scope, where the service refused this one.
	Offer string `json:"offer,omitempty"`
}

type stepJSON struct {
	Key     pim.Key            `json:"key"`
	Role    string             `json:"role"`
	Scope   string             `json:"scope"`
	State   pim.OperationState `json:"state,omitempty"`
	Problem *pim.Problem       `json:"problem,omitempty"`
}

func operationOf(account string, o pim.Operation) operationJSON {
	out := operationJSON{
		Account: account, Operation: o.ID, Action: strings.TrimPrefix(string(o.Action), "self"), Key: o.Role.Key(),
		Role: name(o.Role.Name), Scope: name(o.Role.Scope.Label()), State: o.State, Problem: o.Problem,
	}
	if r := o.Request; r != nil {
		out.Request, out.Status = r.ID, pim.Status(name(string(r.Status)))
		out.Start, out.End, out.Decision = r.EffectiveStart(), r.EffectiveEnd(), reviewOf(r.Review)
	}
	for _, s := range o.Steps {
		out.Steps = append(out.Steps, stepJSON{s.Role.Key(), name(s.Role.Name), name(s.Role.Scope.Label()), s.State, s.Problem})
	}
	if o.Offer != nil {
		out.Offer = o.Offer.ID
	}
	return out
}

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Say what is active, who is signed in and whether Roletray runs", Args: noArgs,
		RunE: a.run(func(ctx context.Context, _ []string) error { return a.status(ctx) }),
	}
}

// status starts no agent: whether one runs is part of the answer.
func (a *app) status(ctx context.Context) error {
	out := statusJSON{Accounts: []accountJSON{}, Active: []roleJSON{}, Operations: []operationJSON{}, Plans: []planJSON{}, Notices: []string{}, Consents: []consentJSON{}}
	c, err := a.dial(ctx)
	if errors.Is(err, local.ErrNoAgent) {
		if a.flags.json {
			return a.print(out)
		}
		_, err := fmt.Fprintln(a.Stdout, "Roletray is not running.")
		return err
	}
	if err != nil {
		return err
	}
	defer c.Close()
	state, err := c.State(ctx)
	if err != nil {
		return err
	}
	out.Running, out.Starting, out.Version, out.Demo, out.Now = true, state.Starting, state.Build, state.Demo, state.Now
	for _, s := range state.Accounts {
		out.Accounts = append(out.Accounts, accountOf(s))
		for _, r := range s.Active {
			out.Active = append(out.Active, activeJSON(s.Account.ID, r))
		}
		for _, o := range s.Operations {
			out.Operations = append(out.Operations, operationOf(s.Account.ID, o))
		}
		for _, p := range s.Plans {
			out.Plans = append(out.Plans, planOf(s.Account.ID, p))
		}
		out.Approvals += len(s.Approvals)
		for _, p := range prolongable(s, state.Now) {
			if !p.Asked {
				out.Prolongable++
			}
		}
	}
	for _, n := range state.Notices {
		out.Notices = append(out.Notices, clean(n.Text, 300))
	}
	for _, c := range state.Consents {
		out.Consents = append(out.Consents, consentJSON(c))
	}
	if a.flags.json {
		return a.print(out)
	}
	return a.printStatus(out, ownersOf(state.Accounts))
}

func (a *app) printStatus(s statusJSON, accounts owners) error {
	title := "Roletray " + s.Version + " is running"
	if s.Demo {
		title += " with the demo company"
	}
	if _, err := fmt.Fprintln(a.Stdout, title+"."); err != nil {
		return err
	}
	for _, acc := range s.Accounts {
		line := "Signed in as " + acc.Username
		if acc.SignIn != nil {
			line = acc.Username + ": " + clean(acc.SignIn.Text, 300)
		}
		fmt.Fprintln(a.Stdout, line)
	}
	if s.Starting {
		fmt.Fprintln(a.Stdout, "It is still starting.")
	} else if len(s.Accounts) == 0 {
		fmt.Fprintln(a.Stdout, "Nobody is signed in; sign in with: roletray signin")
	}
	for _, n := range s.Notices {
		fmt.Fprintln(a.Stdout, n)
	}
	for _, c := range s.Consents {
		fmt.Fprintf(a.Stdout, "  %s\n  %s\n", strings.Join(c.Permissions, ", "), clean(c.URL, 3000))
	}
	switch s.Approvals {
	case 0:
	case 1:
		fmt.Fprintln(a.Stdout, "1 request waits for your decision; see: roletray approvals")
	default:
		fmt.Fprintf(a.Stdout, "%d requests wait for your decision; see: roletray approvals\n", s.Approvals)
	}
	switch s.Prolongable {
	case 0:
	case 1:
		fmt.Fprintln(a.Stdout, "1 role can be extended or renewed; see: roletray list")
	default:
		fmt.Fprintf(a.Stdout, "%d roles can be extended or renewed; see: roletray list\n", s.Prolongable)
	}
	// The status may be a sentence, so it comes last.
	rows := [][]string{append(accounts.header("WHAT", "ROLE", "SCOPE"), "STATUS")}
	for _, r := range s.Active {
		until := "no end"
		if !r.End.IsZero() {
			until = "until " + a.moment(r.End, s.Now)
		}
		if r.Certainty == pim.Unconfirmed {
			until += " (unconfirmed)"
		}
		rows = append(rows, append(accounts.row(r.Account, "active", r.Role, r.Scope), until))
	}
	for _, p := range s.Plans {
		rows = append(rows, append(accounts.row(p.Account, "continue", p.Role, p.Scope), a.planText(p, s.Now)))
	}
	for _, o := range s.Operations {
		if o.State != pim.OperationDone {
			rows = append(rows, append(accounts.row(o.Account, o.Action, o.Role, o.Scope), a.operationText(o, s.Now)))
		}
	}
	if len(rows) == 1 {
		return nil
	}
	return table(a.Stdout, rows)
}

// operationText says how far an operation has come.
func (a *app) operationText(o operationJSON, now time.Time) string {
	switch o.State {
	case pim.OperationPreparing:
		return "waits for the sign-in in the browser"
	case pim.OperationSending, pim.OperationFollowing:
		return "in progress"
	case pim.OperationResolving:
		return "the answer was lost; finding out whether it arrived"
	case pim.OperationWaiting:
		for _, s := range o.Steps {
			if s.State == pim.OperationWaiting && s.Key != o.Key {
				return "waiting for approval of " + s.Role + " · " + s.Scope + ", which it needs first"
			}
		}
		return "waiting for approval"
	case pim.OperationScheduled:
		return "begins at " + a.moment(o.Start, now)
	case pim.OperationFailed:
		switch {
		case o.Problem == nil:
			return "failed"
		case o.Problem.Code == pim.CodeCancelled && o.Request != "":
			return "cancelled"
		case o.Problem.Code == pim.CodeCancelled:
			return "called off"
		}
		text := "failed: " + clean(o.Problem.Text, 300)
		if o.Offer != "" {
			text += widerText(&pim.Scope{ID: o.Offer})
		}
		return text
	}
	return "done"
}
