//go:build !nowindow

package ui_test

import (
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/pim"
	"roletray/pim/store"
)

// screens are the states of the window worth looking at.
var screens = []struct {
	name  string
	state func() *local.State
	then  func(*opened)
}{
	{"roles", viewtest.Demo, nil},
	{"search", viewtest.Demo, func(u *opened) { u.search("rg-data") }},
	{"selected", viewtest.Demo, func(u *opened) { u.key(fyne.KeyDown); u.mark(8, 9, 12) }},
	{"sheet", viewtest.Demo, func(u *opened) { u.sheet("Owner") }},
	{"sheet-ticket", viewtest.Demo, func(u *opened) { u.sheet("SQL DB Contributor") }},
	{"sheet-several", viewtest.Demo, func(u *opened) {
		u.key(fyne.KeyDown)
		u.mark(8, 9, 12)
		u.tap("Activate 3 roles")
	}},
	{"sheet-progress", viewtest.Demo, func(u *opened) {
		u.agent.activate = func(q local.ActivateRequest) (local.ActivateAnswer, error) {
			return local.ActivateAnswer{Operations: []pim.Operation{{
				ID: "new", Role: viewtest.Role("Security Administrator", viewtest.Directory), Action: pim.ActionActivate, State: pim.OperationFailed,
				Started: viewtest.Now, Changed: viewtest.Now,
				Problem: &pim.Problem{Code: pim.CodePolicy, Text: "The role's settings refuse this: choose a shorter duration.", Details: "x"},
			}}}, nil
		}
		u.sheet("Security Administrator")
		u.typeInto("because it is needed")
		u.tap("Activate role")
	}},
	{"requests", viewtest.Demo, func(u *opened) { u.Show(view.PageRequests) }},
	{"requests-decided", viewtest.Demo, func(u *opened) { u.showDenied() }},
	{"requests-decided-long", viewtest.Long, func(u *opened) { u.showDenied() }},
	{"history-decided", viewtest.Demo, func(u *opened) {
		u.agent.history = history()
		u.Show(view.PageHistory)
		u.key(fyne.KeyDown)
		u.key(fyne.KeyDown)
	}},
	{"history", viewtest.Demo, func(u *opened) { u.agent.history = history(); u.Show(view.PageHistory) }},
	{"settings", viewtest.Demo, func(u *opened) { u.Show(view.PageSettings) }},
	{"troubled", viewtest.Troubled, nil},
	{"signed-out", viewtest.SignedOut, nil},
	{"sign-in-page", viewtest.SignedOut, func(u *opened) { u.ShowSignInPage(signInAddress) }},
	{"connecting", func() *local.State { return nil }, nil},
	{"no-match", viewtest.Demo, func(u *opened) { u.search("xyz") }},
	{"full", viewtest.Full, nil},
	{"full-detail", viewtest.Full, func(u *opened) { u.search("contributor"); u.key(fyne.KeyDown) }},
	{"full-menu", viewtest.Full, func(u *opened) { u.search("key vault"); u.key(fyne.KeyDown); u.key(fyne.KeyRight) }},
	{"approvals", viewtest.Full, func(u *opened) { u.Show(view.PageApprovals); u.key(fyne.KeyDown); u.key(fyne.KeySpace) }},
	{"approvals-empty", viewtest.Demo, func(u *opened) { u.Show(view.PageApprovals) }},
	{"approvals-long", viewtest.FullLong, func(u *opened) { u.Show(view.PageApprovals); u.key(fyne.KeyDown) }},
	{"decision", viewtest.Full, func(u *opened) { u.decideFirst() }},
	{"decision-already", viewtest.Full, func(u *opened) {
		u.agent.decide = func(local.DecideRequest) local.DecideAnswer {
			return local.DecideAnswer{Outcomes: []*pim.Problem{{Code: pim.CodeDecided, Text: "x"}}}
		}
		u.decideFirst()
		u.typeInto("Change window agreed")
		u.tap("Approve")
	}},
	{"favorite", viewtest.Full, func(u *opened) { u.editFirst("backup") }},
	{"prolong", viewtest.Full, func(u *opened) { u.search("website"); u.tap("Renew…") }},
	{"continue", viewtest.Full, func(u *opened) { u.Act(view.OpenContinue{Account: viewtest.AccountID, Key: secrets()}) }},
	{"sheet-scopes", viewtest.Full, func(u *opened) { u.openScopes() }},
	{"sheet-check", viewtest.Full, func(u *opened) {
		u.agent.activate = findings
		u.sheet("Cost Reader")
		u.typeInto("Monthly report")
		u.tap("Check")
	}},
	{"sheet-checking", viewtest.Demo, func(u *opened) {
		u.openThree()
		keys := u.keysOfSheet()
		u.hold()
		u.tap("Activate 3 roles")
		u.checking(keys...)
		u.checking(keys[1:]...)
	}},
	{"sheet-findings", viewtest.Demo, func(u *opened) {
		u.judging(map[int]pim.Finding{1: pim.NewFinding(&pim.Error{Code: pim.CodePending}), 2: {StepUp: true}})
		u.openThree()
		u.tap("Activate 3 roles")
	}},
	{"sheet-finding-ticket", viewtest.Demo, func(u *opened) {
		u.judging(map[int]pim.Finding{0: {Already: true}, 1: ticket()})
		u.openThree()
		u.tap("Activate 3 roles")
	}},
	{"sheet-finding-sent", viewtest.Demo, func(u *opened) { u.takenForARequest(); u.key(fyne.KeyEscape) }},
	{"sheet-offer", viewtest.Full, func(u *opened) { u.refusedScope() }},
	{"sheet-search", viewtest.Full, func(u *opened) { u.deep(20, 24); u.typeInto("19-rg-2") }},
	{"long", viewtest.Long, nil},
	{"long-sheet", viewtest.Long, func(u *opened) { u.search("Extra"); u.tap("Activate…") }},
}

func history() []local.HistoryEntry {
	var out []local.HistoryEntry
	add := func(name string, s pim.Scope, ago time.Duration, a pim.Action, state pim.OperationState) {
		e := local.HistoryEntry{Account: viewtest.AccountID}
		e.Entry = store.Entry{ID: name, At: viewtest.Now.Add(-ago), Action: a, Role: viewtest.Role(name, s), Duration: time.Hour, Justification: "INC-4711 restore", State: state}
		out = append(out, e)
	}
	add("Contributor", viewtest.Production, time.Hour, pim.ActionActivate, pim.OperationDone)
	add("Owner", viewtest.Web, 26*time.Hour, pim.ActionActivate, pim.OperationFailed)
	add("Reader", viewtest.Platform, 200*time.Hour, pim.ActionDeactivate, pim.OperationDone)
	denied := pim.Request{Status: "Denied", Review: pim.Review{Result: pim.ReviewDenied, By: pim.Principal{ID: "b", Name: "Boris Boss"}, Reason: "Not during the freeze"}}
	out[1].Status, out[1].Review, out[1].Problem = denied.Status, denied.Review, denied.Problem()
	return out
}

// showDenied goes to the fourth of the requests, which was denied.
func (u *opened) showDenied() {
	u.Show(view.PageRequests)
	for range 4 {
		u.key(fyne.KeyDown)
	}
}

// TestScreenshots writes every screen in light and dark to the folder that
// ROLETRAY_SCREENSHOTS names, or to one that goes with the test.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("ROLETRAY_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, appearance := range []store.Appearance{store.AppearanceLight, store.AppearanceDark} {
		for _, s := range screens {
			t.Run(s.name+"-"+string(appearance), func(t *testing.T) {
				state := s.state()
				if state == nil {
					state = viewtest.SignedOut()
					state.Starting = true
				}
				state.Settings.Appearance = appearance
				u := open(t, state, options{})
				if s.then != nil {
					s.then(u)
				}
				f, err := os.Create(filepath.Join(dir, s.name+"-"+string(appearance)+".png"))
				if err != nil {
					t.Fatal(err)
				}
				img := u.window.Canvas().Capture()
				if b := img.Bounds(); b.Dx() != 800 || b.Dy() != 600 {
					t.Errorf("the picture is %v", b)
				}
				if err := png.Encode(f, img); err != nil {
					t.Fatal(err)
				}
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
