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
)

// wish is the only one of the activation that was asked for last.
func (u *opened) wish() local.Wish {
	u.t.Helper()
	q, ok := u.last().(local.ActivateRequest)
	if !ok || len(q.Wishes) != 1 {
		u.t.Fatalf("asked for %+v", u.last())
	}
	return q.Wishes[0]
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
	u.typeInto("monthly run")
	u.tap("Activate role")
	u.want("Enter the ticket number.")
	u.typeInto("CHG-2")
	u.tap("Activate role")
	if got := u.wish(); got.Ticket.Number != "CHG-2" {
		t.Errorf("sent %+v", got)
	}
}
