//go:build !nowindow

package ui_test

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/pim"
	"roletray/pim/store"
)

// wish is the only one of the activation that was asked for last.
func (u *opened) wish() local.Wish {
	u.t.Helper()
	q, ok := u.last().(local.ActivateRequest)
	if !ok || len(q.Wishes) != 1 {
		u.t.Fatalf("asked for %+v; there is %q", u.last(), u.texts())
	}
	w := q.Wishes[0]
	w.Start = w.Start.UTC()
	return w
}

// Activating again keeps the duration of the last time; a sheet for a role begins with the setting.
func TestAgainKeepsTheDuration(t *testing.T) {
	backup := viewtest.Role("Backup Operator", viewtest.Data)
	state := viewtest.Demo()
	state.Accounts[0].Policies[backup.Key()] = pim.Policy{Readable: true, MaxDuration: 8 * time.Hour, TicketRequired: true}
	u := open(t, state, options{size: fyne.NewSize(1024, 1500)})
	if !u.tapIn("Activate…", "Weekly restore test") {
		t.Fatal("no button")
	}
	u.typeInto("T-1")
	u.tap("Activate role")
	want := local.Wish{Key: backup.Key(), Duration: 2 * time.Hour, Justification: "Weekly restore test", Ticket: pim.Ticket{Number: "T-1"}}
	if got := u.wish(); got != want {
		t.Errorf("again: %+v, want %+v", got, want)
	}
	u = open(t, state, options{})
	u.Act(view.OpenSheet{Account: viewtest.AccountID, Key: backup.Key()})
	u.typeInto("T-1")
	u.tap("Activate role")
	want.Duration = time.Hour
	if got := u.wish(); got != want {
		t.Errorf("anew: %+v, want %+v", got, want)
	}
}

// The settings of Payroll Support cannot be read: the window offers a ticket, and sends it
// without being asked, also one that is remembered. A refusal for want of one makes it required.
func TestTicketWhereTheSettingsCannotBeRead(t *testing.T) {
	payroll := viewtest.Role("Payroll Support", viewtest.Data)
	state := viewtest.Demo()
	state.Recent = []local.Recent{{Account: viewtest.AccountID, Role: payroll, Duration: time.Hour, Justification: "monthly run", Ticket: pim.Ticket{Number: "CHG-1", System: "Jira"}}}
	sheetOf := func() *opened {
		u := open(t, state, options{})
		u.Act(view.OpenSheet{Account: viewtest.AccountID, Key: payroll.Key()})
		return u
	}
	u := sheetOf()
	u.want("Ticket", "CHG-1", "Jira")
	u.tap("Activate role")
	if got := u.wish(); got.Ticket != (pim.Ticket{Number: "CHG-1", System: "Jira"}) {
		t.Errorf("the remembered ticket is not sent: %+v", got)
	}

	state.Recent = nil
	u = sheetOf()
	u.typeInto("monthly run")
	u.tap("Activate role")
	if got := u.wish(); got.Ticket != (pim.Ticket{}) || got.Justification != "monthly run" {
		t.Errorf("sent %+v", got)
	}
	state.Accounts[0].Policies[payroll.Key()] = pim.Policy{}.Learn([]pim.Rule{pim.RuleTicketing}, time.Hour, viewtest.Now)
	u = sheetOf()
	u.want("Ticket (required)")
	u.tap("Activate role")
	u.want("Enter the ticket number.")
	u.typeInto("CHG-2")
	u.tap("Activate role")
	if got := u.wish(); got.Ticket.Number != "CHG-2" {
		t.Errorf("sent %+v", got)
	}
}

// Whoever is refused at a narrow scope goes on at a wider one with all that they had filled in.
func TestWiderScopeKeepsWhatWasFilledIn(t *testing.T) {
	sql := viewtest.Role("SQL DB Contributor", viewtest.Data)
	server := pim.Scope{ID: viewtest.Data.ID + "/providers/Microsoft.Sql/servers/sql-01", Name: "sql-01", Type: "Microsoft.Sql/servers"}
	database := pim.Scope{ID: server.ID + "/databases/orders", Name: "orders", Type: "Microsoft.Sql/servers/databases"}
	refused := pim.Operation{
		ID: "refused", Role: sql.At(database), Action: pim.ActionActivate, State: pim.OperationFailed, Started: viewtest.Now, Changed: viewtest.Now,
		Problem: pim.Explain(&pim.Error{Code: pim.CodeForbidden}), Offer: &server,
	}
	asked := local.Wish{
		Key: sql.Key(), Scope: database, Start: time.Date(2026, 11, 22, 17, 30, 0, 0, time.UTC), Duration: 2 * time.Hour,
		Justification: "move the orders", Ticket: pim.Ticket{Number: "CHG-88", System: "Jira"},
	}
	wider := asked
	wider.Scope = server
	children := func(local.ChildrenRequest) []pim.Scope { return []pim.Scope{server, database} }

	t.Run("from the sheet", func(t *testing.T) {
		u := open(t, viewtest.Demo(), options{size: fyne.NewSize(1024, 1500)})
		u.agent.children = children
		u.Act(view.OpenSheet{Account: viewtest.AccountID, Key: sql.Key()})
		u.typeInto("move the orders")
		u.window.Canvas().FocusNext()
		u.typeInto("CHG-88")
		u.window.Canvas().FocusNext()
		u.typeInto("Jira")
		u.tap("2 h")
		u.choose("Narrower…")
		u.typeInto("orders")
		u.key(fyne.KeyDown)
		u.key(fyne.KeySpace)
		u.choose("At a time")
		u.typeInto("17:30")
		u.agent.activate = func(local.ActivateRequest) (local.ActivateAnswer, error) {
			return local.ActivateAnswer{Operations: []pim.Operation{refused}}, nil
		}
		u.tap("Activate role")
		if got := u.wish(); got != asked {
			t.Fatalf("asked for %+v, want %+v", got, asked)
		}
		u.tap("Activate at sql-01")
		if got := u.wish(); got != wider {
			t.Errorf("asked for %+v, want %+v", got, wider)
		}
	})

	state := viewtest.Demo()
	state.Accounts[0].Operations = []pim.Operation{refused}
	entry := local.HistoryEntry{Account: viewtest.AccountID, Entry: store.Entry{
		ID: "refused", At: viewtest.Now, Action: pim.ActionActivate, Role: refused.Role, State: pim.OperationFailed,
		Start: asked.Start, Duration: asked.Duration, Justification: asked.Justification, Ticket: asked.Ticket,
	}}
	t.Run("from the row", func(t *testing.T) {
		u := open(t, state, options{size: fyne.NewSize(1024, 1500)})
		u.agent.children, u.agent.history = children, []local.HistoryEntry{history()[0], entry}
		u.tap("Activate…")
		u.tap("Activate role")
		if got := u.wish(); got != wider {
			t.Errorf("asked for %+v, want %+v", got, wider)
		}
	})
	t.Run("from the row, when the start is over", func(t *testing.T) {
		u := open(t, state, options{size: fyne.NewSize(1024, 1500)})
		u.agent.children, u.agent.history = children, []local.HistoryEntry{entry}
		u.clock = u.clock.Add(4 * time.Hour)
		u.tap("Activate…")
		u.tap("Activate role")
		now := wider
		now.Start = time.Time{}
		if got := u.wish(); got != now {
			t.Errorf("asked for %+v, want %+v", got, now)
		}
	})
	t.Run("without an offer", func(t *testing.T) {
		again := refused
		again.Role, again.Offer = sql, nil
		state.Accounts[0].Operations = []pim.Operation{again}
		u := open(t, state, options{size: fyne.NewSize(1024, 1500)})
		u.agent.history = []local.HistoryEntry{entry}
		u.tap("Try again…")
		u.tap("Activate role")
		same := asked
		same.Scope = pim.Scope{}
		if got := u.wish(); got != same {
			t.Errorf("asked for %+v, want %+v", got, same)
		}
	})
}
