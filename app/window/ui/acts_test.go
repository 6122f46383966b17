//go:build !nowindow

package ui_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/pim"
	"roletray/pim/store"
)

// ofEachKind are eligible roles of the full state.
var ofEachKind = map[pim.Kind]pim.Role{
	pim.KindAzure:     viewtest.Role("Owner", viewtest.Data),
	pim.KindDirectory: viewtest.Role("Security Administrator", viewtest.Directory),
	pim.KindGroup:     viewtest.Member(viewtest.OnCall),
}

func TestStartAtATime(t *testing.T) {
	for kind, role := range ofEachKind {
		t.Run(string(kind), func(t *testing.T) {
			u := open(t, viewtest.Full(), options{})
			u.Act(view.OpenSheet{Account: viewtest.AccountID, Key: role.Key()})
			u.typeInto("tonight's release")
			u.choose("At a time")
			u.tap("Activate role")
			u.want("Enter a time such as 17:30, or 2027-01-31 9:00.")
			u.typeInto("21:15")
			u.want("Active from 21:15 until 22:15.")
			u.tap("Activate role")
			want := local.Wish{
				Key: role.Key(), Start: time.Date(2026, 11, 22, 21, 15, 0, 0, time.UTC), Duration: time.Hour, Justification: "tonight's release",
			}
			if got := u.wish(); got != want {
				t.Errorf("asked for %+v, want %+v", got, want)
			}

			// Whoever thinks better of it begins at once.
			u = open(t, viewtest.Full(), options{})
			u.Act(view.OpenSheet{Account: viewtest.AccountID, Key: role.Key()})
			u.typeInto("tonight's release")
			u.choose("At a time")
			u.typeInto("21:15")
			u.choose("Now")
			u.tap("Activate role")
			if want.Start = (time.Time{}); u.wish() != want {
				t.Errorf("asked for %+v, want %+v", u.wish(), want)
			}
		})
	}
}

func TestWeakReasonsAreRefusedByTheSettings(t *testing.T) {
	state := viewtest.Demo()
	u := open(t, state, options{size: fyne.NewSize(800, 1400)})
	u.Show(view.PageSettings)
	for _, on := range []bool{true, false} {
		u.check("Refuse reasons of a single word", on)
		want := store.DefaultSettings()
		want.RefuseWeakReasons = on
		if got := u.last(); !reflect.DeepEqual(got, want) {
			t.Fatalf("saved %+v, want %+v", got, want)
		}
		next := viewtest.Demo()
		next.Settings = want
		u.Deliver(next)
		u.Act(view.OpenSheet{Account: viewtest.AccountID, Key: viewtest.Role("Owner", viewtest.Web).Key()})
		u.typeInto("test")
		u.tap("Activate role")
		if got := u.has("Say the reason in more than a word."); got != on {
			t.Errorf("set %v: refused %v; there is %q", on, got, u.texts())
		}
		if _, sent := u.last().(local.ActivateRequest); sent == on {
			t.Errorf("set %v: the last call was %+v", on, u.last())
		}
		u.key(fyne.KeyEscape)
	}
}

// Each of two roles shows how far it has come itself, and what became of it.
func TestTwoRolesInOneSheet(t *testing.T) {
	owner, payroll := viewtest.Role("Owner", viewtest.Web), viewtest.Role("Payroll Support", viewtest.Data)
	at := func(r pim.Role, state pim.OperationState, after time.Duration) pim.Operation {
		return pim.Operation{ID: "of " + r.Name, Role: r, Action: pim.ActionActivate, State: state, Started: viewtest.Now, Changed: viewtest.Now.Add(after)}
	}
	u := open(t, viewtest.Demo(), options{size: fyne.NewSize(800, 1400)})
	u.agent.activate = func(q local.ActivateRequest) (local.ActivateAnswer, error) {
		if q.Check {
			return local.ActivateAnswer{Findings: make([]pim.Finding, len(q.Wishes))}, nil
		}
		return local.ActivateAnswer{Operations: []pim.Operation{at(owner, pim.OperationWaiting, 0), at(payroll, pim.OperationFollowing, 0)}}, nil
	}
	u.key(fyne.KeyDown)
	u.mark(9, 10)
	u.tap("Activate 2 roles")

	u.typeInto("migration")
	u.tap("Activate 2 roles")
	// below is the first of the texts that are told of a role.
	below := func(r pim.Role, texts ...string) string {
		all := u.texts()
		for _, text := range all[max(slices.Index(all, r.Name), 0):] {
			if slices.Contains(texts, text) {
				return text
			}
		}
		return ""
	}
	want := func(ofOwner, ofPayroll string) {
		t.Helper()
		states := []string{"waits for approval", "being activated…", "active", "not activated"}
		if a, b := below(owner, states...), below(payroll, states...); a != ofOwner || b != ofPayroll {
			t.Errorf("%s %q, %s %q; want %q and %q; there is %q", owner.Name, a, payroll.Name, b, ofOwner, ofPayroll, u.texts())
		}
	}
	want("waits for approval", "being activated…")
	deliver := func(operations ...pim.Operation) {
		state := viewtest.Demo()
		state.Accounts[0].Operations = operations
		u.Deliver(state)
	}
	deliver(at(owner, pim.OperationWaiting, 0), at(payroll, pim.OperationDone, time.Second))
	want("waits for approval", "active")
	failed := at(owner, pim.OperationFailed, 2*time.Second)
	failed.Problem = &pim.Problem{Code: pim.CodeRejected, Text: "Boris Boss has denied it."}
	deliver(failed, at(payroll, pim.OperationDone, time.Second))
	want("not activated", "active")
	if got := below(owner, "Boris Boss has denied it.", payroll.Name); got != "Boris Boss has denied it." {
		t.Errorf("the denial is told below %q", got)
	}
	// Once both are active there is nothing more to tell.
	deliver(at(owner, pim.OperationDone, 3*time.Second), at(payroll, pim.OperationDone, time.Second))
	if u.window.Canvas().Overlays().Top() != nil {
		t.Error("the sheet stays when both are active")
	}
}

func TestExtend(t *testing.T) {
	owner := viewtest.Role("Owner", viewtest.Web)
	u := open(t, viewtest.Full(), options{size: fyne.NewSize(1024, 768)})
	u.search("Owner rg-web")
	u.key(fyne.KeyDown)
	u.key(fyne.KeyEnd)
	u.key(fyne.KeyRight)
	u.want("Extend…")
	u.key(fyne.KeyDown)
	u.key(fyne.KeyDown)
	u.key(fyne.KeyReturn)
	u.want("Extend", "Ends Tue 16:08.")
	u.typeInto("the project goes on")
	u.window.Canvas().FocusNext()
	u.typeInto("2026-11-24 16:08")
	u.tap("Send")
	u.want("Enter a date and time such as 2027-01-31 9:00.") // no later than it ends already
	u.key(fyne.KeyEnd)
	for range len("2026-11-24 16:08") {
		u.key(fyne.KeyBackspace)
	}
	u.typeInto("2027-01-31 9:00")
	u.tap("Send")
	u.wantLast(local.ProlongRequest{
		Account: viewtest.AccountID, Key: owner.Key(), Justification: "the project goes on", End: time.Date(2027, 1, 31, 9, 0, 0, 0, time.Local),
	})
}

// The service's dry run of an Azure role may refuse whoever may not do it there.
func TestCheckThatIsForbidden(t *testing.T) {
	owner := viewtest.Role("Owner", viewtest.Data)
	u := open(t, viewtest.Full(), options{})
	u.agent.activate = func(q local.ActivateRequest) (local.ActivateAnswer, error) {
		return local.ActivateAnswer{Findings: []pim.Finding{{Problem: pim.Explain(&pim.Error{Code: pim.CodeForbidden, Status: 403})}}}, nil
	}
	u.Act(view.OpenSheet{Account: viewtest.AccountID, Key: owner.Key()})
	u.typeInto("look around")
	u.tap("Check")
	u.want("You may not do this at this scope. Ask whoever manages the scope for access.")
	if u.has("Nothing speaks against it.") || u.has("Judged by the role's settings only") {
		t.Errorf("there is %q", u.texts())
	}
	q, ok := u.last().(local.ActivateRequest)
	if want := []local.Wish{{Key: owner.Key(), Duration: time.Hour, Justification: "look around"}}; !ok || !q.Check || !reflect.DeepEqual(q.Wishes, want) {
		t.Errorf("asked for %+v", u.last())
	}
	// It was only a check: the same can be sent.
	u.agent.activate = nil
	u.tap("Activate role")
	if q, ok := u.last().(local.ActivateRequest); !ok || q.Check {
		t.Errorf("asked for %+v", u.last())
	}
}

func TestDenyEachKind(t *testing.T) {
	for kind, role := range ofEachKind {
		t.Run(string(kind), func(t *testing.T) {
			state := viewtest.Full()
			state.Accounts[0].Approvals = []pim.Approval{{
				ID: "a-" + string(kind), Requestor: pim.Principal{ID: "boris", Name: "Boris Boss"},
				Request: pim.Request{ID: "q", Role: role, Action: pim.ActionActivate, Status: "PendingApproval", Created: viewtest.Now.Add(-time.Minute), Duration: time.Hour},
			}}
			u := open(t, state, options{})
			u.decideFirst()
			u.want("Boris Boss asks for 1 h.", role.Name)
			u.tap("Deny")
			u.want("Say why you approve or deny.")
			u.typeInto("not during the freeze")
			u.tap("Deny")
			u.wantLast(local.DecideRequest{
				Account: viewtest.AccountID, Justification: "not during the freeze",
				Approvals: []local.ApprovalRef{{Kind: kind, ID: "a-" + string(kind)}},
			})
			if u.window.Canvas().Overlays().Top() != nil {
				t.Error("the sheet stays when all is decided")
			}
		})
	}
}
