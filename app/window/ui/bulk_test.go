//go:build !nowindow

package ui_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/pim"
)

// openThree opens the sheet for three roles, with a reason.
func (u *opened) openThree() {
	u.key(fyne.KeyDown)
	u.mark(9, 10, 11)
	u.tap("Activate 3 roles")
	u.typeInto("monthly review")
}

// judging has checks find fault by the index of the wish, and everything else be activated.
func (u *opened) judging(found map[int]pim.Finding) {
	u.agent.activate = func(q local.ActivateRequest) (a local.ActivateAnswer, err error) {
		for i, w := range q.Wishes {
			if q.Check {
				a.Findings = append(a.Findings, found[i])
				continue
			}
			a.Operations = append(a.Operations, pim.Operation{
				ID: fmt.Sprint("new", i), Role: pim.Role{Name: string(w.Key)}, Action: pim.ActionActivate, State: pim.OperationFollowing,
				Started: viewtest.Now, Changed: viewtest.Now,
			})
		}
		return a, nil
	}
}

// activations are what the agent was asked to check, and to send.
func (u *opened) activations() (checked, sent []local.ActivateRequest) {
	for _, c := range u.agent.calls {
		if q, ok := c.(local.ActivateRequest); ok && q.Check {
			checked = append(checked, q)
		} else if ok {
			sent = append(sent, q)
		}
	}
	return checked, sent
}

func ticket() pim.Finding {
	return pim.NewFinding(&pim.Error{Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleTicketing}})
}

func TestSeveralAreCheckedAndThenSent(t *testing.T) {
	u := open(t, viewtest.Demo(), options{})
	u.judging(map[int]pim.Finding{0: {Already: true}, 1: {StepUp: true, Approval: true}, 2: pim.NewFinding(&pim.Error{Code: pim.CodeUnavailable})})
	u.openThree()
	u.tap("Activate 3 roles")
	checked, sent := u.activations()
	if len(checked) != 1 || len(checked[0].Wishes) != 3 || len(sent) != 1 || len(sent[0].Wishes) != 3 {
		t.Fatalf("checked %+v, sent %+v", checked, sent)
	}
	u.want("being activated…")
}

func TestSheetAsksForWhatACheckMisses(t *testing.T) {
	u := open(t, viewtest.Demo(), options{size: fyne.NewSize(1024, 1200)})
	u.judging(map[int]pim.Finding{0: ticket(), 2: {StepUp: true}})
	u.openThree()
	u.tap("Activate 3 roles")
	if _, sent := u.activations(); len(sent) > 0 {
		t.Fatalf("sent %+v", sent)
	}
	u.want("The role's settings refuse this: give a ticket number.", "Nothing speaks against it.", "May ask for a stronger sign-in.", "Ticket (required)")
	u.want("Activate 2 of 3 roles")
	// What is missing has the focus; with it the check goes through.
	u.typeInto("T-1")
	u.want("Activate 3 roles")
	u.judging(nil)
	u.hold()
	u.tap("Activate 3 roles")
	u.Deliver(viewtest.Demo())
	u.run()
	checked, sent := u.activations()
	if len(checked) != 2 || checked[1].Wishes[0].Ticket.Number != "T-1" || len(sent) != 1 || len(sent[0].Wishes) != 3 {
		t.Fatalf("checked %+v, sent %+v", checked, sent)
	}
}

// Whoever has no ticket can leave out the role that asks for one.
func TestSheetSendsTheOthersWithoutWhatOneAsksFor(t *testing.T) {
	u := open(t, viewtest.Demo(), options{size: fyne.NewSize(1024, 1200)})
	u.judging(map[int]pim.Finding{0: ticket()})
	u.openThree()
	u.tap("Activate 3 roles")
	u.tap("Activate 2 of 3 roles")
	checked, sent := u.activations()
	if len(checked) != 1 || len(sent) != 1 || !reflect.DeepEqual(sent[0].Wishes, checked[0].Wishes[1:]) {
		t.Errorf("checked %+v, sent %+v", checked, sent)
	}
}

func TestSheetSendsTheOthersByOnePress(t *testing.T) {
	u := open(t, viewtest.Demo(), options{size: fyne.NewSize(1024, 1200)})
	u.judging(map[int]pim.Finding{1: pim.NewFinding(&pim.Error{Code: pim.CodePending})})
	u.openThree()
	u.shortcut(fyne.KeyReturn)
	checked, _ := u.activations()
	all := checked[0].Wishes
	u.want("A request for this role is already waiting. Follow or cancel it under Requests.")
	u.typeInto("!")
	u.want("Activate 3 roles") // not the same wishes any more
	u.key(fyne.KeyBackspace)
	u.tap("Activate 2 of 3 roles")
	checked, sent := u.activations()
	if len(checked) != 1 || len(sent) != 1 || len(sent[0].Wishes) != 2 || sent[0].Wishes[0].Key != all[0].Key || sent[0].Wishes[1].Key != all[2].Key {
		t.Errorf("sent %+v, want %+v without the second", sent, all)
	}
	u.want("being activated…")
}

func TestSheetWithNothingLeftToSendChecksAgain(t *testing.T) {
	u := open(t, viewtest.Demo(), options{size: fyne.NewSize(1024, 1200)})
	f := pim.NewFinding(&pim.Error{Code: pim.CodePending})
	u.judging(map[int]pim.Finding{0: f, 1: f, 2: f})
	u.openThree()
	u.tap("Activate 3 roles")
	u.tap("Activate 3 roles")
	if checked, sent := u.activations(); len(checked) != 2 || len(sent) > 0 {
		t.Errorf("%d checks, sent %+v", len(checked), sent)
	}
}

func TestCheckThatFailsIsToldInWords(t *testing.T) {
	u := open(t, viewtest.Demo(), options{size: fyne.NewSize(1024, 1200)})
	u.agent.activate = func(local.ActivateRequest) (local.ActivateAnswer, error) {
		return local.ActivateAnswer{}, local.NewError(pim.CodeOffline, "The service could not be reached.")
	}
	u.openThree()
	u.tap("Activate 3 roles")
	u.want("The service could not be reached.", "Activate 3 roles")
}

func TestOneRoleIsNotCheckedFirst(t *testing.T) {
	u := open(t, viewtest.Demo(), options{})
	u.judging(nil)
	u.sheet("Security Administrator")
	u.typeInto("monthly review")
	u.tap("Activate role")
	if checked, sent := u.activations(); len(checked) > 0 || len(sent) != 1 {
		t.Errorf("checked %+v, sent %+v", checked, sent)
	}
}

// change delivers the first state with a change to its account.
func (u *opened) change(change func(*pim.Snapshot)) {
	state, s := *u.first, *u.first.Accounts[0]
	change(&s)
	state.Accounts = []*pim.Snapshot{&s}
	u.Deliver(&state)
}

// checking delivers that these roles are being checked.
func (u *opened) checking(keys ...pim.Key) {
	u.change(func(s *pim.Snapshot) { s.Checking = keys })
}

func TestCheckShowsHowFarItIsAndIsCalledOff(t *testing.T) {
	u := open(t, viewtest.Demo(), options{size: fyne.NewSize(1024, 1200)})
	u.openThree()
	keys := u.keysOfSheet()
	u.hold()
	u.tap("Activate 3 roles")
	u.want("being checked…", "Checked 0 of 3…")
	u.checking(keys...)
	u.checking(keys[0], keys[2])
	u.want("being checked…", "checked", "Checked 1 of 3…")
	if u.tapIn("Activate 3 roles", "") || u.tapIn("Check", "") {
		t.Error("something else can be sent meanwhile")
	}
	u.agent.activate = func(local.ActivateRequest) (local.ActivateAnswer, error) {
		t.Helper()
		return local.ActivateAnswer{}, context.Canceled
	}
	u.key(fyne.KeyEscape)
	u.want("Reason (required)") // the sheet stays
	u.run()
	u.want("Activate 3 roles")
	if u.has("Checked") || u.has("being checked") {
		t.Error("the check still seems to go on")
	}
	if _, sent := u.activations(); len(sent) > 0 {
		t.Errorf("sent %+v", sent)
	}
	u.key(fyne.KeyEscape)
	if u.has("Reason (required)") {
		t.Error("the sheet stays")
	}
}

// keysOfSheet are the roles that the sheet asks for, by a check that finds nothing.
func (u *opened) keysOfSheet() []pim.Key {
	u.t.Helper()
	u.agent.activate = func(q local.ActivateRequest) (local.ActivateAnswer, error) {
		return local.ActivateAnswer{Findings: make([]pim.Finding, len(q.Wishes))}, nil
	}
	u.tap("Check")
	var keys []pim.Key
	for _, w := range u.last().(local.ActivateRequest).Wishes {
		keys = append(keys, w.Key)
	}
	return keys
}

// What was changed while the check ran was not checked, and is not sent.
func TestChangeDuringTheCheckIsNotSent(t *testing.T) {
	u := open(t, viewtest.Demo(), options{})
	u.openThree()
	u.judging(nil)
	u.hold()
	u.shortcut(fyne.KeyReturn)
	u.typeInto(" and more")
	u.run()
	if checked, sent := u.activations(); len(checked) != 1 || len(sent) > 0 {
		t.Errorf("%d checks, sent %+v", len(checked), sent)
	}
	u.want("Activate 3 roles")
}

// takenForARequest opens the sheet for three roles and checks them: of the first that becomes a
// request, and the second is refused.
func (u *opened) takenForARequest() (keys []pim.Key) {
	u.openThree()
	keys = u.keysOfSheet()
	u.judging(map[int]pim.Finding{
		0: {Operation: "sent", Problem: pim.Explain(&pim.SentError{})}, 1: pim.NewFinding(&pim.Error{Code: pim.CodePending}),
	})
	u.tap("Activate 3 roles")
	u.change(func(s *pim.Snapshot) {
		s.Operations = append(slices.Clone(s.Operations), pim.Operation{
			ID: "sent", Action: pim.ActionActivate, State: pim.OperationWaiting, Started: viewtest.Now, Changed: viewtest.Now,
			Request: &pim.Request{ID: "r-sent", Action: pim.ActionActivate, Status: "PendingApproval"},
		})
	})
	return keys
}

func TestCheckThatWasTakenForARequestIsOfferedForCancelling(t *testing.T) {
	u := open(t, viewtest.Demo(), options{size: fyne.NewSize(1024, 1200)})
	keys := u.takenForARequest()
	u.want("it took this for a request", "Activate 1 of 3 roles")
	u.key(fyne.KeyEscape)
	u.want("A check was taken for a request, which goes on.")
	u.tap("Cancel request")
	u.wantLast(local.CancelRequest{Account: viewtest.AccountID, Request: "r-sent"})
	u.tap("Activate 1 of 3 roles")
	_, sent := u.activations()
	if len(sent) != 1 || len(sent[0].Wishes) != 2 || sent[0].Wishes[0].Key != keys[0] || sent[0].Wishes[0].Operation != "sent" || sent[0].Wishes[1].Operation != "" {
		t.Errorf("sent %+v", sent)
	}
}

// refusedScope activates a role at a narrower scope, which the service refuses.
func (u *opened) refusedScope() {
	sql := viewtest.Role("SQL DB Contributor", viewtest.Data)
	u.openScopes()
	u.key(fyne.KeyDown)
	u.key(fyne.KeySpace) // kv-payroll
	u.agent.activate = func(q local.ActivateRequest) (local.ActivateAnswer, error) {
		o := pim.Operation{ID: "o1", Role: sql.At(q.Wishes[0].Scope), Action: pim.ActionActivate, State: pim.OperationFollowing, Started: viewtest.Now, Changed: viewtest.Now}
		if q.Wishes[0].Scope.ID == viewtest.Vault.ID {
			o.ID, o.State, o.Offer, o.Problem = "o0", pim.OperationFailed, &viewtest.Data, pim.Explain(&pim.Error{Code: pim.CodeForbidden})
		}
		return local.ActivateAnswer{Operations: []pim.Operation{o}}, nil
	}
	u.tap("Activate role")
	u.typeInto("nightly restore")
	u.window.Canvas().FocusNext()
	u.typeInto("T-1")
	u.tap("Activate role")
}

func TestRefusedScopeIsActivatedWiderByOnePress(t *testing.T) {
	u := open(t, viewtest.Full(), options{size: fyne.NewSize(1024, 1200)})
	u.refusedScope()
	u.want("not activated", "You may not do this at this scope.", "kv-payroll")
	u.tap("Activate at " + pim.CleanText(viewtest.Data.Label(), 24))
	u.wantLast(local.ActivateRequest{Account: viewtest.AccountID, Wishes: []local.Wish{{
		Key: viewtest.Role("SQL DB Contributor", viewtest.Data).Key(), Scope: viewtest.Data, Duration: time.Hour, Justification: "nightly restore", Ticket: pim.Ticket{Number: "T-1"},
	}}})
	u.want("being activated…", viewtest.Data.Label())
	if u.has("not activated") {
		t.Error("the refusal stays")
	}
}

func TestRefusedScopeOfSeveralIsChosenWider(t *testing.T) {
	u := open(t, viewtest.Full(), options{size: fyne.NewSize(1024, 1200)})
	u.openScopes()
	u.agent.activate = func(q local.ActivateRequest) (local.ActivateAnswer, error) {
		f := pim.NewFinding(&pim.Error{Code: pim.CodeForbidden})
		f.Offer = &viewtest.Data
		return local.ActivateAnswer{Findings: []pim.Finding{f, {}}}, nil
	}
	u.key(fyne.KeyDown)
	u.key(fyne.KeySpace)
	u.key(fyne.KeyDown)
	u.key(fyne.KeySpace)
	u.tap("Activate 2 roles")
	u.typeInto("nightly restore")
	u.window.Canvas().FocusNext()
	u.typeInto("T-1")
	u.tap("Activate 2 roles")
	u.want("Activate 1 of 2 roles", "You may not do this at this scope.")
	u.tap("Activate at " + pim.CleanText(viewtest.Data.Label(), 24))
	u.judging(nil)
	u.tap("Activate role")
	_, sent := u.activations()
	if len(sent) != 1 || len(sent[0].Wishes) != 1 || sent[0].Wishes[0].Scope.ID != "" {
		t.Errorf("sent %+v", sent)
	}
}

// deep gives an eligibility at a management group with subscriptions and groups below it.
func (u *opened) deep(subscriptions, groups int) {
	scope := func(kind pim.ScopeType, id string) pim.Scope {
		return pim.Scope{ID: id, Name: id[strings.LastIndex(id, "/")+1:], Type: kind}
	}
	u.agent.children = func(q local.ChildrenRequest) (out []pim.Scope) {
		switch q.Scope.Type {
		case pim.ScopeManagementGroup:
			for i := range subscriptions {
				out = append(out, scope(pim.ScopeSubscription, fmt.Sprintf("/subscriptions/sub-%02d", i)))
			}
		case pim.ScopeSubscription:
			for i := range groups {
				out = append(out, scope(pim.ScopeResourceGroup, fmt.Sprintf("%s/resourceGroups/%s-rg-%02d", q.Scope.ID, q.Scope.Name, i)))
			}
		}
		return out
	}
	u.Act(view.OpenSheet{Account: viewtest.AccountID, Key: viewtest.Role("Reader", viewtest.Platform).Key()})
	u.choose("Narrower…")
}

func (u *opened) reads() int {
	n := 0
	for _, c := range u.agent.calls {
		if _, ok := c.(local.ChildrenRequest); ok {
			n++
		}
	}
	return n
}

func TestSearchGoesDown(t *testing.T) {
	u := open(t, viewtest.Full(), options{size: fyne.NewSize(1024, 1200)})
	u.deep(12, 3)
	u.want("sub-00")
	if u.reads() != 1 {
		t.Fatalf("%d reads before the search", u.reads())
	}
	said := map[string]bool{}
	u.done = func() {
		for _, text := range u.texts() {
			said[text] = true
		}
	}
	u.typeInto("sub-07-rg-02")
	u.done = nil
	u.want("sub-07-rg-02", "sub-07")
	if u.has("sub-07-rg-01") || u.has("sub-06") {
		t.Errorf("what does not match is shown: %q", u.texts())
	}
	if !said["Searching 5 of 12 subscriptions…"] || !said["Searching 20 of 36 resource groups…"] {
		t.Errorf("said on the way: %v", said)
	}
	if u.reads() != 1+12+36 {
		t.Errorf("%d reads", u.reads())
	}
	u.key(fyne.KeyDown)
	u.key(fyne.KeyDown)
	u.key(fyne.KeySpace)
	u.want("1 scope chosen: sub-07-rg-02")
}

func TestSearchKeepsCursorAndChoice(t *testing.T) {
	u := open(t, viewtest.Full(), options{size: fyne.NewSize(1024, 1200)})
	u.deep(3, 2)
	u.hold()
	u.typeInto("-0")
	u.key(fyne.KeyDown) // into the list, at sub-00
	u.key(fyne.KeyDown)
	u.key(fyne.KeySpace)
	u.want("1 scope chosen: sub-01")
	u.run() // what lies below sub-00 moves sub-01 down
	u.want("sub-00-rg-01")
	u.key(fyne.KeySpace)
	if u.has("chosen") {
		t.Errorf("the cursor was not on sub-01 any more: %q", u.texts())
	}
}

func TestSearchStopsAtItsBound(t *testing.T) {
	u := open(t, viewtest.Full(), options{size: fyne.NewSize(1024, 1200)})
	u.deep(20, 24)
	u.typeInto("19-rg-23")
	u.want("The search stopped after 200 scopes. Enter goes on.", "sub-19-rg-23")
	if n := u.reads(); n != 1+local.MostLevels {
		t.Errorf("%d reads", n)
	}
	u.key(fyne.KeyReturn)
	u.key(fyne.KeyReturn)
	if n := u.reads(); n != 1+20+480 || u.has("stopped") {
		t.Errorf("%d reads, %q", n, u.texts())
	}
}

func TestSearchIsCalledOff(t *testing.T) {
	for name, away := range map[string]func(*opened){
		"with the text":  func(u *opened) { u.key(fyne.KeyBackspace) },
		"with the sheet": func(u *opened) { u.key(fyne.KeyEscape) },
	} {
		t.Run(name, func(t *testing.T) {
			u := open(t, viewtest.Full(), options{})
			u.deep(3, 2)
			u.hold()
			u.typeInto("x")
			u.want("Searching")
			away(u)
			u.run()
			if u.reads() != 1 || u.has("Searching") {
				t.Errorf("%d reads; %q", u.reads(), u.texts())
			}
		})
	}
}

func TestSearchSaysWhyItStopped(t *testing.T) {
	u := open(t, viewtest.Full(), options{size: fyne.NewSize(1024, 1200)})
	u.deep(3, 2)
	u.agent.err = &local.Error{Problem: *pim.Explain(&pim.Error{Code: pim.CodeThrottled}), RetryAfter: time.Hour}
	u.typeInto("rg")
	u.want("The search stopped: The service asks for fewer calls.")
	u.agent.err = nil
	u.key(fyne.KeyReturn)
	u.want("sub-00-rg-00")
}
