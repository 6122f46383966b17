package cli

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/natefinch/atomic"
	"github.com/spf13/cobra"

	"roletray/app/local"
	"roletray/pim"
	"roletray/pim/store"
)

// historyJSON is an entry of the history in the output.
type historyJSON struct {
	Account       string             `json:"account"`
	ID            string             `json:"id"`
	At            time.Time          `json:"at"`
	Action        string             `json:"action"`
	Key           pim.Key            `json:"key"`
	Role          string             `json:"role"`
	Kind          pim.Kind           `json:"kind"`
	Scope         string             `json:"scope"`
	ScopeID       string             `json:"scopeId"`
	Start         time.Time          `json:"start,omitzero"`
	End           time.Time          `json:"end,omitzero"`
	Minutes       int                `json:"minutes,omitempty"`
	Justification string             `json:"justification,omitempty"`
	Ticket        pim.Ticket         `json:"ticket,omitzero"`
	State         pim.OperationState `json:"state"`
	Status        pim.Status         `json:"status,omitempty"`
	Problem       *pim.Problem       `json:"problem,omitempty"`
	// Decision is who decided on the person's own request, where that is known.
	Decision *reviewJSON `json:"decision,omitempty"`
	review   pim.Review
	// Requestor is who asked for what was decided, and RequestorID their object id.
	Requestor     string `json:"requestor,omitempty"`
	RequestorID   string `json:"requestorId,omitempty"`
	Client        string `json:"client,omitempty"`
	Request       string `json:"request,omitempty"`
	CorrelationID string `json:"correlationId,omitempty"`
}

func historyOf(e local.HistoryEntry) historyJSON {
	return historyJSON{
		Account: e.Account, ID: e.ID, At: e.At, Action: strings.TrimPrefix(string(e.Action), "self"), Key: e.Role.Key(),
		Role: name(e.Role.Name), Kind: e.Role.Kind, Scope: name(e.Role.Scope.Label()), ScopeID: e.Role.Scope.ID,
		Start: e.Start, End: e.End, Minutes: int(e.Duration / time.Minute), Justification: clean(e.Justification, 500), Ticket: cleanTicket(e.Ticket),
		State: e.State, Status: pim.Status(name(string(e.Status))), Problem: e.Problem, Decision: reviewOf(e.Review), review: e.Review, Client: name(e.Client), Requestor: requestor(e), RequestorID: e.Requestor.ID,
		Request: e.Request, CorrelationID: e.CorrelationID,
	}
}

func (a *app) historyCommand() *cobra.Command {
	var search, output string
	var csv bool
	var most int
	c := &cobra.Command{
		Use: "history", Short: "List what was done from this computer, and why, the newest first", Args: noArgs,
		Example: "roletray history --search \"owner 4711\" --csv --output history.csv",
	}
	f := c.Flags()
	f.StringVar(&search, "search", "", "only what has each of these `WORDS` somewhere")
	f.IntVar(&most, "limit", 0, "only the newest `N`")
	f.BoolVar(&csv, "csv", false, "print a table for spreadsheets, safe against formulas")
	f.StringVar(&output, "output", "", "write to `FILE` instead, which only you can read")
	c.RunE = a.run(func(ctx context.Context, _ []string) error {
		switch {
		case csv && a.flags.json:
			return usagef("--csv and --json exclude each other; choose one.")
		case most < 0:
			return usagef("--limit must be above 0.")
		}
		req := local.HistoryRequest{Search: search, Most: most}
		text, n, err := a.history(ctx, req, csv)
		if err != nil {
			return err
		}
		if output == "" {
			_, err := a.Stdout.Write(text)
			return err
		}
		if err := atomic.WriteFile(output, bytes.NewReader(text)); err != nil {
			return local.NewError(pim.CodeInternal, fmt.Sprintf("The file %q cannot be written; choose another with --output.", pim.CleanText(output, 200)))
		}
		return a.done(fmt.Sprintf("%d entries are written to %s.", n, clean(output, 300)))
	})
	return c
}

// history is what the command prints or writes, and how many entries it has.
func (a *app) history(ctx context.Context, req local.HistoryRequest, csv bool) (text []byte, n int, err error) {
	c, err := a.connect(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	state, err := c.State(ctx)
	if err != nil {
		return nil, 0, err
	}
	if a.flags.account != "" {
		acc, err := a.oneAccount(state)
		if err != nil {
			return nil, 0, err
		}
		req.Account = acc.ID
	}
	answer, err := c.History(ctx, req)
	if err != nil {
		return nil, 0, err
	}
	n = len(answer.Entries)
	if csv {
		file, err := c.Export(ctx, local.ExportRequest{HistoryRequest: req, Format: local.ExportCSV})
		return []byte(file.Text), n, err
	}
	out := make([]historyJSON, 0, n)
	for _, e := range answer.Entries {
		out = append(out, historyOf(e))
	}
	var b bytes.Buffer
	if a.flags.json {
		err := printTo(&b, struct {
			History []historyJSON `json:"history"`
		}{out})
		return b.Bytes(), n, err
	}
	if n == 0 {
		return []byte("Nothing is recorded.\n"), 0, nil
	}
	accounts := ownersOf(state.Accounts)
	rows := [][]string{accounts.header("TIME", "ACTION", "ROLE", "SCOPE", "OUTCOME", "REASON")}
	for _, e := range out {
		rows = append(rows, accounts.row(e.Account, a.moment(e.At, state.Now), e.actionText(), e.Role, e.Scope, withDecision(e.outcomeText(), e.review), pim.CleanText(e.Justification, 60)))
	}
	err = table(&b, rows)
	return b.Bytes(), n, err
}

// actionText is the command that did it.
func (e historyJSON) actionText() string {
	if e.Action == string(store.ActionDropPlan) {
		return "continue --drop"
	}
	return e.Action
}

func (e historyJSON) outcomeText() string {
	if e.State == pim.OperationFailed && e.Problem != nil && e.Problem.Code == pim.CodeCancelled {
		return "cancelled"
	}
	return string(e.State)
}

func requestor(e local.HistoryEntry) string {
	if e.Requestor.ID == "" {
		return ""
	}
	return name(e.Requestor.Label())
}
