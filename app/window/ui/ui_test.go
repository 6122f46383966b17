//go:build !nowindow

package ui_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/pim"
	"roletray/pim/store"
)

// Nothing may stand outside what it is in, whatever the size, the text and the names: what
// does is cut off or covers something else.
func TestNothingIsClipped(t *testing.T) {
	states := map[string]func() *local.State{"demo": viewtest.Demo, "long": viewtest.Long, "troubled": viewtest.Troubled, "full": viewtest.Full, "full-long": viewtest.FullLong, "signed-out": viewtest.SignedOut}
	pages := map[string]func(*opened){
		"roles":    func(*opened) {},
		"detail":   func(u *opened) { u.key(fyne.KeyDown) },
		"requests": func(u *opened) { u.Show(view.PageRequests) },
		"history":  func(u *opened) { u.agent.history = history(); u.Show(view.PageHistory) },
		"settings": func(u *opened) { u.Show(view.PageSettings) },
		"approvals": func(u *opened) {
			u.Show(view.PageApprovals)
			u.key(fyne.KeyDown)
			u.key(fyne.KeySpace)
		},
		"decision": func(u *opened) { u.decideFirst() },
		"favorite": func(u *opened) { u.Act(view.EditFavorite{Account: viewtest.AccountID, Favorite: "f1"}) },
		"prolong": func(u *opened) {
			u.Act(view.OpenProlong{Account: viewtest.AccountID, Key: viewtest.Role("Website Contributor", viewtest.Web).Key()})
		},
		"continue": func(u *opened) { u.Act(view.OpenContinue{Account: viewtest.AccountID, Key: secrets()}) },
		"scopes": func(u *opened) {
			u.agent.children = func(q local.ChildrenRequest) []pim.Scope { return []pim.Scope{viewtest.Vault, viewtest.Data} }
			u.Act(view.OpenWider{Account: viewtest.AccountID, Key: viewtest.Role("SQL DB Contributor", viewtest.Data).Key(), Scope: viewtest.Vault})
		},
		"sheet": func(u *opened) {
			u.key(fyne.KeyDown)
			u.key(fyne.KeyEnd)
			u.key(fyne.KeyReturn)
		},
	}
	small, large := fyne.NewSize(800, 600), fyne.NewSize(1024, 768)
	for _, o := range []options{{size: small, language: "en"}, {size: small, language: "de", scale: 1.5}, {size: large, language: "de"}, {size: large, language: "en", scale: 1.5}} {
		for name, state := range states {
			for page, visit := range pages {
				s := state()
				if o.scale > 1 {
					s.Settings.Appearance = store.AppearanceDark
				}
				u := open(t, s, o)
				visit(u)
				where := fmt.Sprintf("%s %s at %v and %v", name, page, o.size, o.scale)
				u.walk(func(p placed) { inside(t, p, where) })
				if got := u.window.Canvas().Size(); got != o.size {
					t.Errorf("%s: the window is %v", where, got)
				}
			}
		}
	}
}

// inside fails for an object that is not within its parent, but for what scrolls.
func inside(t *testing.T, p placed, where string) {
	t.Helper()
	const slack = 1.5
	if strings.Contains(p.parent, "Shadow") || strings.Contains(typeName(p.object), "entryContent") {
		return // a field of one line scrolls sideways
	}
	scrolls := strings.Contains(p.parent, "Scroll") // up and down only
	size := p.object.Size()
	if text, ok := p.object.(*canvas.Text); ok {
		size = text.MinSize() // what is drawn, whatever room it has
	}
	to := p.at.Add(size)
	if p.at.X < p.from.X-slack || to.X > p.to.X+slack || !scrolls && (p.at.Y < p.from.Y-slack || to.Y > p.to.Y+slack) {
		text := ""
		if l, ok := p.object.(*widget.Label); ok {
			text = l.Text
		}
		t.Errorf("%s: %s %.20q at %v to %v is outside its %s, %v to %v", where, typeName(p.object), text, p.at, to, p.parent, p.from, p.to)
	}
}

func TestRolesPage(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		u := open(t, demo(kind), options{size: fyne.NewSize(1024, 1400)})
		u.want("In progress", "Active now", "Recent", "Eligible", "Key Vault Secrets Officer", "8:00 min", "1 h 12 min", "until 15:20",
			"unconfirmed since 14:02", "Deactivate in 3:00", "Weekly restore test", "ends in 2 days", "step-up", "10 s ago", "Ann Admin")
		if f := u.window.Canvas().Focused(); typeName(f) != "*ui.entry" {
			t.Errorf("the focus is on %s, not on the search", typeName(f))
		}
	})
}

// What is shown follows the clock by calls of Tick alone.
func TestCountdown(t *testing.T) {
	state := viewtest.Demo()
	state.Speed = 60
	u := open(t, state, options{size: fyne.NewSize(1024, 900)})
	u.want("1 h 12 min")
	if u.wake <= 0 || u.wake > time.Second {
		t.Errorf("wakes after %v", u.wake)
	}
	u.clock = u.clock.Add(2 * time.Second) // two minutes of the agent's
	u.Tick()
	u.want("1 h 10 min", "6:00 min", "Deactivate in 1:00")
	u.clock = u.clock.Add(6 * time.Second)
	u.Tick()
	if u.has("Key Vault Secrets Officer") && u.has("until 14:16") {
		t.Error("a role is still shown after its end")
	}
	u.SetForeground(false)
	if u.wake < time.Second/2 {
		t.Errorf("wakes every %v in the background", u.wake)
	}
}

func TestSearchNarrowsAndEnterOpensTheSheet(t *testing.T) {
	u := open(t, viewtest.Demo(), options{})
	u.search("owner")
	u.want("Owner", "rg-web › Production")
	if u.has("Backup Operator") {
		t.Error("what does not match is still shown")
	}
	u.key(fyne.KeyReturn)
	u.want("Activate role", "Needs approval by Boris Boss", "Reason (required)")
	u.key(fyne.KeyEscape)
	if u.has("Reason (required)") {
		t.Error("Esc does not close the sheet")
	}
	u.key(fyne.KeyEscape)
	u.want("Backup Operator")
}

func TestTypingInTheListGoesOnInTheSearch(t *testing.T) {
	u := open(t, viewtest.Demo(), options{})
	u.search("back")
	u.key(fyne.KeyDown)
	u.typeInto("x")
	u.want("Nothing matches your search", "backx")
}

func TestActivate(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		sql := role(kind, "SQL DB Contributor", viewtest.Data)
		u := open(t, demo(kind), options{})
		u.agent.activate = func(local.ActivateRequest) (local.ActivateAnswer, error) {
			return local.ActivateAnswer{Operations: []pim.Operation{{ID: "new", Role: sql, Action: pim.ActionActivate, State: pim.OperationFollowing, Started: viewtest.Now, Changed: viewtest.Now}}}, nil
		}
		u.sheet("SQL DB Contributor")
		u.tap("2 h")
		u.tap("Activate role")
		u.want("Say why you need the role.")
		if slices.ContainsFunc(u.agent.calls, func(c any) bool { _, ok := c.(local.ActivateRequest); return ok }) {
			t.Fatal("it was sent without a reason")
		}
		u.typeInto("because")
		u.tap("Activate role")
		u.want("Enter the ticket number.")
		u.typeInto("T-1")
		u.want("Active until 16:08.")
		u.shortcut(fyne.KeyReturn)
		u.want("being activated…")
		want := local.ActivateRequest{Account: viewtest.AccountID, Wishes: []local.Wish{{
			Key: sql.Key(), Duration: 2 * time.Hour, Justification: "because", Ticket: pim.Ticket{Number: "T-1"},
		}}}
		if got := u.agent.calls[len(u.agent.calls)-1]; !reflect.DeepEqual(got, want) {
			t.Errorf("asked for %+v, want %+v", got, want)
		}
		done := demo(kind)
		s := *done.Accounts[0]
		s.Operations = append(slices.Clone(s.Operations), pim.Operation{ID: "new", Role: sql, Action: pim.ActionActivate, State: pim.OperationDone, Started: viewtest.Now, Changed: viewtest.Now.Add(time.Second)})
		done.Accounts = []*pim.Snapshot{&s}
		u.Deliver(done)
		if u.has("being activated…") || u.window.Canvas().Overlays().Top() != nil {
			t.Error("the sheet stays when the role is active")
		}
	})
}

func TestActivateLater(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		u := open(t, demo(kind), options{})
		u.sheet("Backup Operator")
		u.tap("2 h")
		u.choose("At a time")
		u.typeInto("17:30")
		u.want("Active from 17:30 until 19:30.")
		u.shortcut(fyne.KeyReturn)
		u.wantLast(local.ActivateRequest{Account: viewtest.AccountID, Wishes: []local.Wish{{
			Key: role(kind, "Backup Operator", viewtest.Data).Key(), Start: time.Date(2026, time.November, 22, 17, 30, 0, 0, time.UTC).Local(),
			Duration: 2 * time.Hour, Justification: "Weekly restore test",
		}}})
	})
}

func TestActivationThatFailsIsToldInWords(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		u := open(t, demo(kind), options{})
		u.agent.activate = func(local.ActivateRequest) (local.ActivateAnswer, error) {
			return local.ActivateAnswer{}, local.NewError(pim.CodeOffline, "The service could not be reached. Check the network connection.")
		}
		u.sheet("Backup Operator")
		u.tap("Activate role")
		u.want("not activated", "The service could not be reached. Check the network connection.")
		u.tap("Copy details")
		u.tap("Close")
		u.want("Eligible")
	})
}

func TestSeveralRoles(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		u := open(t, demo(kind), options{size: fyne.NewSize(800, 1400)})
		u.key(fyne.KeyDown)
		u.mark(9, 10)
		u.want("2 roles selected")
		u.tap("Activate 2 roles")
		u.want("Activate 2 roles", "Owner", "Payroll Support")
		u.typeInto("because")
		u.tap("Activate 2 roles")
		req, ok := u.agent.calls[len(u.agent.calls)-1].(local.ActivateRequest)
		if !ok || len(req.Wishes) != 2 {
			t.Fatalf("asked for %+v", u.agent.calls)
		}
		for _, w := range req.Wishes {
			if !strings.HasPrefix(string(w.Key), string(kind)+"|") {
				t.Errorf("asked for %s, which is of another kind", w.Key)
			}
		}
		u.key(fyne.KeyEscape)
		if u.has("selected") {
			t.Error("the marks stay after sending")
		}
	})
}

func TestRecentIsOneClick(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		u := open(t, demo(kind), options{size: fyne.NewSize(800, 1400)})
		if !u.tapIn("Activate", "Weekly restore test") {
			t.Fatal("no button")
		}
		want := local.ActivateRequest{Account: viewtest.AccountID, Wishes: []local.Wish{{
			Key: role(kind, "Backup Operator", viewtest.Data).Key(), Duration: 2 * time.Hour, Justification: "Weekly restore test",
		}}}
		if got := u.agent.calls[len(u.agent.calls)-1]; !reflect.DeepEqual(got, want) {
			t.Errorf("asked for %+v, want %+v", got, want)
		}
	})
}

func TestDeactivateAndCancel(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		u := open(t, demo(kind), options{size: fyne.NewSize(800, 1400)})
		if !u.tapIn("Deactivate", "until 15:20") {
			t.Fatal("no button")
		}
		contributor := role(kind, "Contributor", viewtest.Production).Key()
		if got, want := u.agent.calls[len(u.agent.calls)-1], (deactivation{local.RoleRequest{Account: viewtest.AccountID, Key: contributor}}); got != want {
			t.Errorf("asked for %+v, want %+v", got, want)
		}
		u.agent.err = local.NewError(pim.CodeOffline, "The service could not be reached. Check the network connection.")
		if !u.tapIn("Cancel request", "User Access Administrator") {
			t.Fatal("no button")
		}
		if got, want := u.agent.calls[len(u.agent.calls)-1], (local.CancelRequest{Account: viewtest.AccountID, Request: "r1"}); got != want {
			t.Errorf("asked for %+v, want %+v", got, want)
		}
		u.want("The service could not be reached. Check the network connection.")
		u.tap("Dismiss")
		if u.has("could not be reached") {
			t.Error("the failure stays")
		}
	})
}

// ending are the calls that take away what the person has or has asked for.
func (u *opened) ending() []any {
	return slices.DeleteFunc(slices.Clone(u.agent.calls), func(c any) bool {
		switch c.(type) {
		case deactivation, local.CancelRequest, dropped:
			return false
		}
		return true
	})
}

func TestEnterInTheListEndsNothing(t *testing.T) {
	for _, page := range []view.Page{view.PageRoles, view.PageRequests} {
		for row := range 8 {
			u := open(t, viewtest.Full(), options{size: fyne.NewSize(800, 1400)})
			u.Show(page)
			for range row + 1 {
				u.key(fyne.KeyDown)
			}
			u.key(fyne.KeyReturn)
			u.key(fyne.KeyReturn)
			if got := u.ending(); len(got) > 0 {
				t.Errorf("%s: Enter twice on row %d asks for %+v", page, row, got)
			}
		}
	}
}

func TestEnterInTheSearchEndsNothing(t *testing.T) {
	for _, tt := range []struct {
		page           view.Page
		search, button string
		want           any
	}{
		{view.PageRoles, "Reader Platform", "Deactivate", deactivation{local.RoleRequest{
			Account: viewtest.AccountID, Key: viewtest.Role("Reader", viewtest.Platform).Key(),
		}}},
		{view.PageRoles, "User Access", "Cancel request", local.CancelRequest{Account: viewtest.AccountID, Request: "r1"}},
		{view.PageRequests, "User Access", "Cancel request", local.CancelRequest{Account: viewtest.AccountID, Request: "r1"}},
	} {
		u := open(t, viewtest.Demo(), options{})
		u.Show(tt.page)
		u.search(tt.search)
		u.key(fyne.KeyReturn)
		if got := u.ending(); len(got) > 0 {
			t.Errorf("%q: Enter asks for %+v", tt.search, got)
		}
		u.want(tt.button)
		u.key(fyne.KeyUp) // the last of the menu
		u.key(fyne.KeyReturn)
		if got := u.ending(); len(got) != 1 || got[0] != tt.want {
			t.Errorf("%q: the menu asks for %+v, want %+v", tt.search, got, tt.want)
		}
	}
}

func TestShortcuts(t *testing.T) {
	u := open(t, viewtest.Demo(), options{})
	u.shortcut(fyne.KeyComma)
	u.want("Reminders", "Appearance", "When this window closes", "ann@contoso.example")
	u.key(fyne.KeyEscape)
	u.want("Active now")
	u.shortcut(fyne.Key2)
	u.want("denied", "cancelled", "waits for approval")
	u.shortcut(fyne.KeyR)
	if got, want := u.agent.calls[len(u.agent.calls)-1], (local.RefreshRequest{Account: viewtest.AccountID}); got != want {
		t.Errorf("asked for %+v, want %+v", got, want)
	}
}

// A row says who decided as far as it has room, and the pane below it all of it.
func TestWhoDecided(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		u := open(t, demo(kind), options{})
		u.showDenied()
		u.want("Approved by Boris Boss · asked 13:20 · 2 h")
		u.want("denied · Denied by Boris Boss: Not during the freeze; ask again on Monday · asked 21 Nov 12:08 · 1 h · activation")
		u.agent.history = historyOf(kind)
		u.Show(view.PageHistory)
		u.key(fyne.KeyDown)
		u.key(fyne.KeyDown)
		u.want("Denied by Boris Boss: Not during the freeze.")
	})
}

func TestEverythingIsReachedByTab(t *testing.T) {
	u := open(t, viewtest.Demo(), options{})
	seen := map[string]bool{}
	for range 60 {
		f := u.window.Canvas().Focused()
		if f == nil {
			t.Fatal("the focus is lost")
		}
		seen[typeName(f)] = true
		u.window.Canvas().FocusNext()
	}
	for _, want := range []string{"*ui.entry", "*ui.button", "*ui.rowList", "*ui.railItem"} {
		if !seen[want] {
			t.Errorf("Tab never comes to a %s; it came to %v", want, seen)
		}
	}
}

func TestSettingsAreSavedAtOnce(t *testing.T) {
	u := open(t, viewtest.Demo(), options{size: fyne.NewSize(800, 1400)})
	u.Show(view.PageSettings)
	if len(u.agent.calls) > 0 && reflect.TypeOf(u.agent.calls[len(u.agent.calls)-1]) == reflect.TypeFor[store.Settings]() {
		t.Fatal("showing the settings saves them")
	}
	u.check("30 min", true)
	want := store.DefaultSettings()
	want.Reminders = []time.Duration{30 * time.Minute, 15 * time.Minute, 5 * time.Minute}
	if got := u.agent.calls[len(u.agent.calls)-1]; !reflect.DeepEqual(got, want) {
		t.Errorf("saved %+v, want %+v", got, want)
	}
}

func TestAgentAsksForPageAndSheet(t *testing.T) {
	state := viewtest.Demo()
	state.Raise, state.Page = 1, "settings"
	u := open(t, state, options{})
	u.want("Reminders")
	again := viewtest.Demo()
	again.Raise = 2
	again.Sheet = &local.Sheet{Account: viewtest.AccountID, Key: viewtest.Role("Backup Operator", viewtest.Data).Key()}
	u.Deliver(again)
	u.want("Activate role", "Weekly restore test", "Active until 16:08.")
	u.key(fyne.KeyEscape)
	u.Deliver(again)
	if u.window.Canvas().Overlays().Top() != nil {
		t.Error("the same ask opens the sheet twice")
	}
}

func TestOtherBuildAndLostAgent(t *testing.T) {
	state := viewtest.Demo()
	state.Build = "other"
	u := open(t, state, options{})
	u.want("of different builds")
	u.Lost()
	u.want("agent has ended")
	u.Deliver(viewtest.Demo())
	if u.has("agent has ended") {
		t.Error("it still says so when an agent answers again")
	}
	u.agent.err = errors.Join(errors.New("x"), local.ErrLost)
	u.shortcut(fyne.KeyR)
	u.want("agent has ended")
}

func TestPoliciesOfRowsInViewAreRead(t *testing.T) {
	state := viewtest.Large(5000)
	state.Accounts[0].Policies = nil
	u := open(t, state, options{})
	n := 0
	for _, c := range u.agent.calls {
		if _, ok := c.(local.RoleRequest); ok {
			n++
		}
	}
	if n == 0 || n > 30 {
		t.Errorf("%d policies were asked for", n)
	}
}

// A list of 5,000 has no more widgets than one of 50.
func TestLargeListIsCheap(t *testing.T) {
	count := func(n int) (widgets int) {
		u := open(t, viewtest.Large(n), options{})
		u.walk(func(placed) { widgets++ })
		return widgets
	}
	if small, large := count(50), count(5000); large > small+5 {
		t.Errorf("%d widgets for 5,000 roles, %d for 50", large, small)
	}
}

func BenchmarkDeliver5000(b *testing.B) {
	state := viewtest.Large(5000)
	u := open(b, state, options{})
	for b.Loop() {
		u.Deliver(state)
	}
}

// check ticks or clears a check box.
func (u *opened) check(text string, on bool) {
	u.t.Helper()
	found := false
	u.walk(func(p placed) {
		if c, ok := p.object.(interface {
			SetChecked(bool)
			fyne.Widget
		}); ok && !found && u.textsOf(p.object)[text] {
			found = true
			c.SetChecked(on)
		}
	})
	if !found {
		u.t.Fatalf("no check box %q", text)
	}
}
