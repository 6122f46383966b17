//go:build !nowindow

package ui_test

import (
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"roletray/app/local"
	"roletray/app/view/viewtest"
	"roletray/app/window/ui"
	"roletray/pim"
)

// ask delivers a state with one more ask for the window.
func (u *opened) ask(state *local.State, sheet *local.Sheet) {
	u.raised++
	state.Raise, state.Sheet = u.raised, sheet
	u.Deliver(state)
}

// focused is the placeholder of the field that has the focus.
func (u *opened) focused() string {
	return ui.Hint(u.window.Canvas().Focused())
}

const (
	atReason   = "Why do you need the role?"
	atDuration = "90, 1h30 or 2 h"
	atTicket   = "Number"
)

// TestAskedSheets has the agent ask for sheets at the start of the window, as the tray's menu
// does for what its entries lack.
func TestAskedSheets(t *testing.T) {
	type wishes = map[string]string
	for _, tt := range []struct {
		name   string
		change func(*local.State)
		sheet  func(kind pim.Kind) local.Sheet
		shows  []string
		focus  string
		typed  string
		// sent has each role that is sent with its duration, reason and ticket.
		sent wishes
	}{
		{
			"a role that was never activated", func(*local.State) {},
			of("Owner", viewtest.Web, false),
			[]string{"Activate role", "Owner"},
			atReason, "because",
			wishes{"Owner": "1h0m0s because "},
		},
		{
			"a recent role without its ticket",
			func(s *local.State) {
				s.Recent = []local.Recent{{Account: viewtest.AccountID, Role: viewtest.Role("SQL DB Contributor", viewtest.Data), Duration: 90 * time.Minute, Justification: "nightly"}}
			},
			of("SQL DB Contributor", viewtest.Data, false),
			[]string{"nightly", "1 h 30 min"},
			atTicket, "T-1",
			wishes{"SQL DB Contributor": "1h30m0s nightly T-1"},
		},
		{
			"a role that did not go on",
			func(s *local.State) {
				s.Accounts[0].Plans = []pim.Plan{{Role: viewtest.Role("Owner", viewtest.Web), State: pim.PlanAsks, Duration: 2 * time.Hour, Justification: "the move"}}
			},
			of("Owner", viewtest.Web, false),
			[]string{"the move"},
			atDuration, "",
			wishes{"Owner": "2h0m0s the move "},
		},
		{
			"a favourite without its reason",
			favorite(fav("Owner", viewtest.Web, 2*time.Hour, "", "")),
			func(pim.Kind) local.Sheet { return local.Sheet{Account: viewtest.AccountID, Favorite: "asked"} },
			[]string{"Activate role", "Owner", "2 h"},
			atReason, "because",
			wishes{"Owner": "2h0m0s because "},
		},
		{
			"a bundle, all that is left of it",
			favorite(fav("Owner", viewtest.Web, 2*time.Hour, "", ""), fav("SQL DB Contributor", viewtest.Data, time.Hour, "on call", "T-9"),
				fav("Contributor", viewtest.Production, time.Hour, "on call", ""), fav("Gone", viewtest.Data, time.Hour, "", "")),
			func(pim.Kind) local.Sheet { return local.Sheet{Account: viewtest.AccountID, Favorite: "asked"} },
			[]string{"Activate 2 roles", "on call", "1 role is left out: you are no longer eligible for it."},
			atDuration, "",
			wishes{"Owner": "1h0m0s on call T-9", "SQL DB Contributor": "1h0m0s on call T-9"},
		},
		{
			"the end of a role",
			func(*local.State) {},
			of("Key Vault Secrets Officer", viewtest.Vault, true),
			[]string{"Continue role", "Active from 14:16 until 15:16."},
			atReason, "still restoring",
			wishes{"Key Vault Secrets Officer": "1h0m0s still restoring "},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			perKind(t, func(t *testing.T, kind pim.Kind) {
				state := viewtest.Demo()
				tt.change(state)
				u := open(t, nil, options{})
				u.ask(viewtest.AllOfKind(kind, state), new(tt.sheet(kind)))
				u.want(tt.shows...)
				if got := u.focused(); got != tt.focus {
					t.Errorf("the focus is at %q, want %q", got, tt.focus)
				}
				u.typeInto(tt.typed)
				u.shortcut(fyne.KeyReturn)
				got := wishes{}
				switch q := u.last().(type) {
				case local.ActivateRequest:
					for _, w := range q.Wishes {
						got[nameOf(state, w.Key)] = w.Duration.String() + " " + w.Justification + " " + w.Ticket.Number
					}
				case local.ContinueRequest:
					got[nameOf(state, q.Key)] = q.Duration.String() + " " + q.Justification + " " + q.Ticket.Number
				}
				if len(got) != len(tt.sent) {
					t.Errorf("sent %v, want %v", got, tt.sent)
				}
				for name, want := range tt.sent {
					if got[name] != want {
						t.Errorf("sent %v, want %v", got, tt.sent)
					}
				}
			})
		})
	}
}

func of(name string, scope pim.Scope, continues bool) func(pim.Kind) local.Sheet {
	return func(kind pim.Kind) local.Sheet {
		return local.Sheet{Account: viewtest.AccountID, Key: role(kind, name, scope).Key(), Continues: continues}
	}
}

func fav(name string, scope pim.Scope, d time.Duration, reason, ticket string) local.FavoriteRole {
	r := viewtest.Role(name, scope)
	return local.FavoriteRole{Role: r, Eligibility: r.Key(), Duration: d, Justification: reason, Ticket: pim.Ticket{Number: ticket}}
}

func favorite(roles ...local.FavoriteRole) func(*local.State) {
	return func(s *local.State) {
		s.Favorites = []local.Favorite{{Account: viewtest.AccountID, OwnFavorite: local.OwnFavorite{ID: "asked", Name: "Asked", Wishes: roles}}}
	}
}

// nameOf is the name of an eligible role.
func nameOf(state *local.State, key pim.Key) string {
	all := state.Accounts[0].Eligible
	if i := slices.IndexFunc(all, func(e pim.Eligibility) bool { return e.Role.Key() == key }); i >= 0 {
		return all[i].Role.Name
	}
	return string(key)
}

// TestSecondAskKeepsWhatWasTyped asks for sheets while one is open.
func TestSecondAskKeepsWhatWasTyped(t *testing.T) {
	owner, sql := of("Owner", viewtest.Web, false)(pim.KindAzure), of("SQL DB Contributor", viewtest.Data, false)(pim.KindAzure)
	u := open(t, viewtest.Demo(), options{})
	u.ask(viewtest.Demo(), &owner)
	u.ask(viewtest.Demo(), &sql)
	u.want("Ticket")
	u.key(fyne.KeyEscape)
	if u.window.Canvas().Overlays().Top() != nil {
		t.Error("a sheet into which nothing was typed comes back")
	}

	u.ask(viewtest.Demo(), &owner)
	u.typeInto("the first reason")
	u.ask(viewtest.Demo(), &owner)
	u.want("the first reason") // the same sheet stays
	u.ask(viewtest.Demo(), &sql)
	u.want("Ticket")
	if u.has("the first reason") {
		t.Error("the new sheet has the text of the other")
	}
	u.Deliver(viewtest.Demo())
	u.typeInto("another")
	u.key(fyne.KeyEscape)
	u.want("the first reason", "Owner")
	u.typeInto(", and more")
	u.shortcut(fyne.KeyReturn)
	q, ok := u.last().(local.ActivateRequest)
	if !ok || q.Wishes[0].Key != owner.Key || q.Wishes[0].Justification != "the first reason, and more" {
		t.Errorf("asked for %+v", u.last())
	}
	// What is sent is not in the way.
	u.ask(viewtest.Demo(), &sql)
	u.key(fyne.KeyEscape)
	if u.window.Canvas().Overlays().Top() != nil {
		t.Error("a sheet that has sent comes back")
	}
}

// TestSheetComesBackFromBeneathOneThatIsDone closes a sheet by the word that its role is active.
func TestSheetComesBackFromBeneathOneThatIsDone(t *testing.T) {
	owner, backup := of("Owner", viewtest.Web, false)(pim.KindAzure), of("Backup Operator", viewtest.Data, false)(pim.KindAzure)
	active := pim.Operation{ID: "new", Role: viewtest.Role("Backup Operator", viewtest.Data), Action: pim.ActionActivate, State: pim.OperationDone, Started: viewtest.Now, Changed: viewtest.Now}
	u := open(t, viewtest.Demo(), options{})
	u.agent.activate = func(local.ActivateRequest) (local.ActivateAnswer, error) {
		following := active
		following.State = pim.OperationFollowing
		return local.ActivateAnswer{Operations: []pim.Operation{following}}, nil
	}
	u.ask(viewtest.Demo(), &owner)
	u.typeInto("the first reason")
	u.ask(viewtest.Demo(), &backup)
	u.shortcut(fyne.KeyReturn)
	u.want("being activated…")
	done := viewtest.Demo()
	active.Changed = viewtest.Now.Add(time.Second)
	done.Accounts[0].Operations = append(done.Accounts[0].Operations, active)
	u.Deliver(done)
	u.want("the first reason")
	// It is still kept.
	u.ask(viewtest.Demo(), &backup)
	u.key(fyne.KeyEscape)
	u.want("the first reason")
}

// TestAskKeepsOtherDrawers has a decision under way when a sheet is asked for.
func TestAskKeepsOtherDrawers(t *testing.T) {
	u := open(t, viewtest.Full(), options{})
	u.decideFirst()
	u.typeInto("not during the freeze")
	u.ask(viewtest.Full(), &local.Sheet{Account: viewtest.AccountID, Favorite: "f2"})
	u.want("Activate role", "Owner")
	u.key(fyne.KeyEscape)
	u.want("not during the freeze")
	u.tap("Deny")
	if q, ok := u.last().(local.DecideRequest); !ok || q.Justification != "not during the freeze" {
		t.Errorf("asked for %+v", u.last())
	}
	if u.window.Canvas().Overlays().Top() != nil {
		t.Error("the drawer stays when all is decided")
	}
}

// TestFocusFollowsTheSettings opens a sheet before the role's settings are known.
func TestFocusFollowsTheSettings(t *testing.T) {
	sql := of("SQL DB Contributor", viewtest.Data, false)(pim.KindAzure)
	unread := func() *local.State {
		s := viewtest.Demo()
		s.Recent = []local.Recent{{Account: viewtest.AccountID, Role: viewtest.Role("SQL DB Contributor", viewtest.Data), Duration: time.Hour, Justification: "nightly"}}
		return s
	}
	for _, typed := range []string{"", "!"} {
		s := unread()
		s.Accounts[0].Policies = nil
		u := open(t, nil, options{})
		u.ask(s, &sql)
		u.typeInto(typed)
		before := u.focused()
		u.Deliver(unread())
		if got := u.focused(); typed == "" && got != atTicket || typed != "" && got != before {
			t.Errorf("after typing %q the focus is at %q, and was at %q", typed, got, before)
		}
	}
}
