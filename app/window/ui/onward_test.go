//go:build !nowindow

package ui_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/app/window/ui"
	"roletray/pim"
)

func secrets() pim.Key { return viewtest.Role("Key Vault Secrets Officer", viewtest.Vault).Key() }

// findings finds fault with the first wish and judges the second by itself.
func findings(q local.ActivateRequest) (local.ActivateAnswer, error) {
	a := local.ActivateAnswer{Findings: make([]pim.Finding, len(q.Wishes))}
	a.Findings[0] = pim.Finding{Local: true}
	return a, nil
}

// decideFirst opens the decision of the oldest request.
func (u *opened) decideFirst() {
	u.Show(view.PageApprovals)
	u.key(fyne.KeyDown)
	u.key(fyne.KeyReturn)
}

// editFirst chooses the first entry of the menu of a favourite.
func (u *opened) editFirst(name string) {
	u.search(name)
	u.key(fyne.KeyDown)
	u.key(fyne.KeyRight)
	u.key(fyne.KeyDown)
	u.key(fyne.KeyReturn)
}

// openScopes opens the sheet of an eligible role at its narrower scopes, two levels deep.
func (u *opened) openScopes() {
	u.agent.children = func(q local.ChildrenRequest) []pim.Scope {
		if q.Scope.ID == viewtest.Data.ID {
			return []pim.Scope{viewtest.Vault, {ID: viewtest.Data.ID + "/providers/Microsoft.Sql/servers/sql-01", Name: "sql-01"}}
		}
		return nil
	}
	u.Act(view.OpenSheet{Account: viewtest.AccountID, Key: viewtest.Role("SQL DB Contributor", viewtest.Data).Key()})
	u.choose("Narrower…")
}

// choose chooses an option of a group of them.
func (u *opened) choose(option string) {
	u.t.Helper()
	found := false
	u.walk(func(p placed) {
		if r, ok := p.object.(*widget.RadioGroup); ok && slices.Contains(r.Options, option) && !found {
			found = true
			r.SetSelected(option)
		}
	})
	if !found {
		u.t.Fatalf("no option %q", option)
	}
}

func (u *opened) last() any { return u.agent.calls[len(u.agent.calls)-1] }

func (u *opened) wantLast(want any) {
	u.t.Helper()
	if got := u.last(); !reflect.DeepEqual(got, want) {
		u.t.Errorf("asked for %+v, want %+v", got, want)
	}
}

func TestDecide(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		u := open(t, full(kind), options{})
		u.shortcut(fyne.Key3)
		u.want("Boris Boss", "CHG-88", "Your own request: somebody else has to decide it.")
		u.key(fyne.KeyDown)
		u.key(fyne.KeySpace)
		u.key(fyne.KeyDown)
		u.key(fyne.KeySpace)
		u.key(fyne.KeyDown)
		u.key(fyne.KeySpace) // one's own cannot be marked
		u.want("2 requests selected")
		u.tap("Decide…")
		u.want("Decide 2 requests", "Boris Boss asks for 2 h.", "Reason: Review alerts", "Ticket: Jira CHG-88")
		u.tap("Approve")
		u.want("Say why you approve or deny.")
		u.typeInto("agreed")
		already := &pim.Problem{Code: pim.CodeDecided, Text: "x"}
		u.agent.decide = func(local.DecideRequest) local.DecideAnswer {
			return local.DecideAnswer{Outcomes: []*pim.Problem{nil, already}}
		}
		u.tap("Approve")
		u.wantLast(local.DecideRequest{
			Account: viewtest.AccountID, Approve: true, Justification: "agreed",
			Approvals: []local.ApprovalRef{{Kind: kind, ID: "a1"}, {Kind: kind, ID: "a2"}},
		})
		u.want("approved", "Somebody else has decided this already.")
		u.tap("Close")
		if u.has("selected") {
			t.Error("the marks stay after a decision")
		}
	})
}

func TestDenyOne(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		u := open(t, full(kind), options{})
		u.decideFirst()
		u.typeInto("not now")
		u.tap("Deny")
		u.wantLast(local.DecideRequest{
			Account: viewtest.AccountID, Justification: "not now", Approvals: []local.ApprovalRef{{Kind: kind, ID: "a1"}},
		})
		if u.window.Canvas().Overlays().Top() != nil {
			t.Error("the sheet stays when all is decided")
		}
	})
}

func TestPlans(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		u := open(t, full(kind), options{size: fyne.NewSize(1024, 1500)})
		u.want("continues 15:20, if awake", "did not continue")
		contributor := role(kind, "Contributor", viewtest.Production).Key()
		u.Act(view.DropPlan{Account: viewtest.AccountID, Key: contributor})
		u.wantLast(dropped{local.RoleRequest{Account: viewtest.AccountID, Key: contributor}})
		u.Act(view.OpenContinue{Account: viewtest.AccountID, Key: role(kind, "Key Vault Secrets Officer", viewtest.Vault).Key()})
		u.want("Continue role", "Continue at 14:16", "Active from 14:16 until 15:16.")
		u.typeInto("still restoring")
		u.tap("Continue at 14:16")
		u.wantLast(local.ContinueRequest{Account: viewtest.AccountID, Key: role(kind, "Key Vault Secrets Officer", viewtest.Vault).Key(), Duration: time.Hour, Justification: "still restoring"})
		if u.has("Continue role") {
			t.Error("the sheet stays when the plan is made")
		}
	})
}

func TestNarrowerScopes(t *testing.T) {
	u := open(t, viewtest.Full(), options{})
	sql := viewtest.Role("SQL DB Contributor", viewtest.Data)
	u.openScopes()
	u.want("kv-payroll", "sql-01")
	u.typeInto("sql")
	if u.has("kv-payroll") {
		t.Error("a scope that does not match is shown")
	}
	u.key(fyne.KeyDown) // into the list
	u.key(fyne.KeySpace)
	u.want("1 scope chosen: sql-01")
	u.key(fyne.KeyEscape)
	u.openScopes()
	u.tap("Activate role")
	u.want("Say why you need the role.")
	u.typeInto("nightly restore")
	u.window.Canvas().FocusNext() // number
	u.typeInto("T-1")
	u.tap("Activate role")
	u.want("Choose at least one scope.")
	u.key(fyne.KeySpace)
	u.key(fyne.KeyDown)
	u.key(fyne.KeySpace)
	u.want("2 scopes chosen: kv-payroll, sql-01")
	u.tap("Activate 2 roles")
	want := local.Wish{Key: sql.Key(), Scope: viewtest.Vault, Duration: time.Hour, Justification: "nightly restore", Ticket: pim.Ticket{Number: "T-1"}}
	q, ok := u.last().(local.ActivateRequest)
	if !ok || len(q.Wishes) != 2 || !reflect.DeepEqual(q.Wishes[0], want) {
		t.Errorf("asked for %+v", u.last())
	}
}

func TestCheckSaysWhatItFound(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		u := open(t, full(kind), options{})
		u.agent.activate = func(local.ActivateRequest) (local.ActivateAnswer, error) {
			return local.ActivateAnswer{Findings: []pim.Finding{{Local: kind == pim.KindGroup}}}, nil
		}
		name := "Cost Reader"
		if kind == pim.KindGroup {
			name = "Monitoring Reader" // no group brings another
		}
		u.sheet(name)
		if got := u.has("First activates the group Payroll on call."); got != (kind != pim.KindGroup) {
			t.Errorf("the group that brings the role is named: %v", got)
		}
		u.typeInto("Monthly report")
		u.tap("Check")
		u.want("Nothing speaks against it.")
		if got := u.has("Judged by the role's settings only; the service has no dry run for it."); got != (kind == pim.KindGroup) {
			t.Errorf("it is told as judged by the settings only: %v", got)
		}
		if q, ok := u.last().(local.ActivateRequest); !ok || !q.Check || !strings.HasPrefix(string(q.Wishes[0].Key), string(kind)+"|") {
			t.Errorf("asked for %+v", u.last())
		}
	})
}

func TestWeakReasonIsRefused(t *testing.T) {
	state := viewtest.Full()
	state.Settings.RefuseWeakReasons = true
	u := open(t, state, options{})
	u.Act(view.OpenSheet{Account: viewtest.AccountID, Key: viewtest.Role("Owner", viewtest.Web).Key()})
	u.typeInto("test")
	u.tap("Activate role")
	u.want("Say the reason in more than a word.")
	u.typeInto(" of the plan")
	u.tap("Activate role")
	if _, ok := u.last().(local.ActivateRequest); !ok {
		t.Errorf("asked for %+v", u.last())
	}
}

func TestFavorites(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		u := open(t, full(kind), options{size: fyne.NewSize(1024, 1500)})
		u.want("Favourites", "On call", "3 roles")
		if !u.tapIn("Activate", "On call this week") {
			t.Fatal("no button")
		}
		if q, ok := u.last().(local.ActivateRequest); !ok || len(q.Wishes) != 2 || q.Wishes[0].Justification != "On call this week" {
			t.Errorf("asked for %+v", u.last())
		}
		u.Show(view.PageRoles)
		u.editFirst("on call")
		u.want("Edit favourite", "Backup Operator")
		u.typeInto("!")
		u.tap("Save")
		q, ok := u.last().(local.FavoritesRequest)
		if !ok || len(q.Favorites) != 3 || q.Favorites[0].Name != "On call!" || len(q.Favorites[0].Wishes) != 3 {
			t.Errorf("saved %+v", u.last())
		}
		u.Act(view.MoveFavorite{Account: viewtest.AccountID, Favorite: "f1", By: 1})
		if q := u.last().(local.FavoritesRequest); q.Favorites[0].ID != "f2" || q.Favorites[1].ID != "f1" {
			t.Errorf("saved %+v", q)
		}
		u.Act(view.RemoveFavorite{Account: viewtest.AccountID, Favorite: "f2"})
		if q := u.last().(local.FavoritesRequest); len(q.Favorites) != 2 {
			t.Errorf("saved %+v", q)
		}
		u.Act(view.Star{Account: viewtest.AccountID, Key: role(kind, "Virtual Machine Contributor", viewtest.Development).Key()})
		if q := u.last().(local.FavoritesRequest); len(q.Favorites) != 4 || q.Favorites[3].Wishes[0].Justification != "Patch jump host" {
			t.Errorf("saved %+v", q)
		}
	})
}

// A second of a countdown makes no row anew, and nothing moves by itself.
func TestTickIsCheap(t *testing.T) {
	u := open(t, viewtest.Full(), options{size: fyne.NewSize(1024, 1500)})
	rows := u.NewRows()
	u.clock = u.clock.Add(time.Second)
	u.Tick()
	u.want("7:59 min")
	if *rows > 0 {
		t.Errorf("%d rows were made anew for a second", *rows)
	}
	if ui.Still(fyne.CurrentApp()).Settings().ShowAnimations() {
		t.Error("carets blink")
	}
}

type closing struct {
	strings.Builder
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

// TestHistory lists what was done with roles of each kind.
func TestHistory(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		u := open(t, demo(kind), options{})
		u.agent.history = historyOf(kind)
		u.Show(view.PageHistory)
		u.want("Contributor", "Owner", "INC-4711 restore")
		u.search("rg-web")
		u.want("Owner", "denied")
		if u.has("Contributor") {
			t.Error("what does not match is still shown")
		}
	})
}

func TestExportWritesTheFile(t *testing.T) {
	agent := &recorder{export: "time,role\n"}
	file := &closing{}
	req := local.ExportRequest{Format: local.ExportCSV}
	req.Search = "owner"
	if err := ui.WriteExport(t.Context(), agent, req, file); err != nil || file.String() != "time,role\n" || !file.closed {
		t.Errorf("wrote %q, closed %v: %v", file.String(), file.closed, err)
	}
	if !reflect.DeepEqual(agent.calls, []any{req}) {
		t.Errorf("asked for %+v", agent.calls)
	}
	agent.err = local.NewError(pim.CodeOffline, "x")
	file = &closing{}
	if err := ui.WriteExport(t.Context(), agent, req, file); err == nil || !file.closed || file.Len() > 0 {
		t.Errorf("wrote %q, closed %v: %v", file.String(), file.closed, err)
	}
}

func TestExportAsksForAFile(t *testing.T) {
	u := open(t, viewtest.Full(), options{})
	u.Show(view.PageHistory)
	u.tap("Export CSV…")
	u.want("Save")
}

func TestProlong(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		for _, tt := range []struct {
			search, verb string
			want         local.ProlongRequest
		}{
			{"website", "Renew…", local.ProlongRequest{Key: role(kind, "Website Contributor", viewtest.Web).Key()}},
			{"exchange", "Extend…", local.ProlongRequest{Key: role(kind, "Exchange Administrator", viewtest.Directory).Key(), Assigned: true}},
			{"owner rg-web", "Extend…", local.ProlongRequest{Key: role(kind, "Owner", viewtest.Web).Key()}},
		} {
			u := open(t, full(kind), options{})
			u.search(tt.search)
			u.offer(tt.want.Key, tt.verb)
			u.tap("Send")
			u.want("Say why you need it longer.")
			u.typeInto("still on the team")
			u.tap("Send")
			tt.want.Account, tt.want.Justification = viewtest.AccountID, "still on the team"
			u.wantLast(tt.want)
		}
	})
}

func TestConsentAddressIsCopied(t *testing.T) {
	u := open(t, viewtest.Full(), options{})
	u.want("RoleAssignmentSchedule.ReadWrite.Directory", "requests for Groups")
	u.tap("Copy consent address")
	if got := fyne.CurrentApp().Clipboard().Content(); got != "https://login.example/consent?client_id=1" {
		t.Errorf("copied %q", got)
	}
}
