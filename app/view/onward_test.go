package view_test

import (
	"slices"
	"testing"
	"time"

	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/pim"
)

// rowOf is the row with that id.
func rowOf(t *testing.T, rows []view.Row, id string) view.Row {
	t.Helper()
	i := slices.IndexFunc(rows, func(r view.Row) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("no row %q", id)
	}
	return rows[i]
}

func verbs(r view.Row) []string {
	var out []string
	for _, o := range r.More {
		out = append(out, o.Verb)
	}
	return out
}

func TestApprovals(t *testing.T) {
	w := words(t, "en")
	v := view.PresentWindow(viewtest.Full(), viewtest.Now, w, view.Look{})
	if v.Header.Deciding != 2 || len(v.Approvals) != 3 {
		t.Fatalf("%d to decide, %d rows", v.Header.Deciding, len(v.Approvals))
	}
	if own := v.Approvals[2]; own.Action != nil || own.Selectable {
		t.Errorf("one's own request can be decided: %+v", own)
	}
	want := view.OpenDecision{Account: viewtest.AccountID, Kind: pim.KindAzure, Approval: "a1"}
	if got := v.Approvals[0]; got.Action != view.Action(want) || !got.Selectable {
		t.Errorf("%+v", got)
	}
	// The first was asked 22 hours ago.
	later := view.PresentWindow(viewtest.Full(), viewtest.Now.Add(2*time.Hour), w, view.Look{})
	if got := later.Approvals[0]; got.Action != nil || got.Detail != "nobody decided in time" || later.Header.Deciding != 1 {
		t.Errorf("after its time: %+v, %d to decide", got, later.Header.Deciding)
	}
	found := view.PresentWindow(viewtest.Full(), viewtest.Now, w, view.Look{Search: "cleo"})
	if len(found.Approvals) != 1 {
		t.Errorf("%d rows for a requester's name", len(found.Approvals))
	}
	if _, ok := item(view.PresentTray(viewtest.Demo(), viewtest.Now, w).Menu, "approvals"); ok {
		t.Error("the tray speaks of approvals where there are none")
	}
}

// An extension waits for days; meanwhile the role can be activated as ever.
func TestProlongationDoesNotBlockActivation(t *testing.T) {
	state := viewtest.Full()
	s := state.Accounts[0]
	role := viewtest.Role("Monitoring Reader", viewtest.Web)
	s.Operations = append(s.Operations, pim.Operation{
		ID: "o30", Action: pim.ActionExtend, Role: role, State: pim.OperationWaiting, Started: viewtest.Now.Add(-time.Hour), Changed: viewtest.Now,
	})
	rows := view.PresentWindow(state, viewtest.Now, words(t, "en"), view.Look{}).Rows
	row := rowOf(t, rows, "eligible:"+string(role.Key()))
	if row.Action == nil || slices.Contains(verbs(row), "Ask to extend…") {
		t.Errorf("%q, more %q", row.Verb, verbs(row))
	}
}

func TestStepsAreOneRow(t *testing.T) {
	rows := view.PresentWindow(viewtest.Full(), viewtest.Now, words(t, "en"), view.Look{}).Rows
	row := rowOf(t, rows, "operation:o20")
	if row.Detail != "Step 1 of 2: Member · Payroll on call, waits for approval" {
		t.Errorf("detail %q", row.Detail)
	}
	if slices.ContainsFunc(rows, func(r view.Row) bool { return r.ID == "operation:o21" }) {
		t.Error("the step has a row of its own")
	}
}

func TestPlan(t *testing.T) {
	w := words(t, "en")
	contributor := viewtest.Role("Contributor", viewtest.Production).Key()
	row := rowOf(t, view.PresentWindow(viewtest.Full(), viewtest.Now, w, view.Look{}).Rows, "active:"+string(contributor))
	if row.Detail != "continues 15:20, if awake" || row.Note != "At 15:20 it is activated again for 2 h. Keep this computer awake and Roletray running until then." {
		t.Errorf("detail %q, note %q", row.Detail, row.Note)
	}
	if got := row.More[0].Action; got != view.Action(view.DropPlan{Account: viewtest.AccountID, Key: contributor}) {
		t.Errorf("offers %+v", row.More)
	}
	// Without a plan one click continues with the last answers.
	row = rowOf(t, view.PresentWindow(viewtest.Demo(), viewtest.Now, w, view.Look{}).Rows, "active:"+string(contributor))
	if got := row.More[0].Action; got != view.Action(view.Continue{Account: viewtest.AccountID, Key: contributor}) {
		t.Errorf("offers %+v", row.More)
	}
}

func TestFavoriteLeft(t *testing.T) {
	state := viewtest.Full()
	wishes := view.FavoriteLeft(state, state.Favorites[0], viewtest.Now)
	// Contributor is active already, which is as good.
	if len(wishes) != 2 || wishes[0].Key != viewtest.Role("Backup Operator", viewtest.Data).Key() || wishes[0].Duration != 2*time.Hour {
		t.Errorf("%+v", wishes)
	}
	state.Favorites[0].Account = "gone"
	if got := view.FavoriteLeft(state, state.Favorites[0], viewtest.Now); got != nil {
		t.Errorf("%+v for an account that is signed out", got)
	}
}

func TestFavoriteKeepsNarrowerScope(t *testing.T) {
	state := viewtest.Full()
	owner := viewtest.Role("Owner", viewtest.Data)
	state.Favorites[1].Wishes[0].Role = owner.At(viewtest.Vault)
	state.Favorites[1].Wishes[0].Eligibility = owner.Key()
	s := view.NewSheet(state, viewtest.AccountID, []pim.Key{owner.At(viewtest.Vault).Key()}, viewtest.Now, words(t, "en"))
	if len(s.Roles) != 1 || s.Roles[0].Eligibility != owner.Key() || s.Roles[0].At != viewtest.Vault {
		t.Errorf("%+v", s.Roles)
	}
}

func TestListsThatAreCutAreSaidToBe(t *testing.T) {
	state := viewtest.Full()
	banners := func() []view.Banner {
		return view.PresentWindow(state, viewtest.Now, words(t, "en"), view.Look{}).Banners
	}
	whole := banners()
	snapshot := *state.Accounts[0]
	snapshot.Parts = slices.Concat(snapshot.Parts, []pim.Part{
		{Name: pim.PartActive, Kind: pim.KindDirectory, At: viewtest.Now, Cut: 50}, {Name: pim.PartApprovals, Kind: pim.KindGroup, At: viewtest.Now, Cut: 50},
	})
	state.Accounts = []*pim.Snapshot{&snapshot}
	want := view.Banner{
		ID: "cut", Tone: view.ToneNormal,
		Text: "Microsoft Graph showed only the first 50; some may be missing: active roles (Entra), approvals (Groups).",
	}
	if got := banners(); len(got) != len(whole)+1 || got[len(whole)] != want {
		t.Errorf("%+v", got)
	}
}

func TestConsentIsSaidOnce(t *testing.T) {
	v := view.PresentWindow(viewtest.Full(), viewtest.Now, words(t, "en"), view.Look{})
	n := 0
	for _, b := range v.Banners {
		if b.Action == view.Action(view.CopyText{Text: "https://login.example/consent?client_id=1"}) {
			n++
		}
	}
	if n != 1 || len(v.Banners) != 2 {
		t.Errorf("%+v", v.Banners)
	}
}
