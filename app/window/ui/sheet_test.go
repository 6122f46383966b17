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
