package view_test

import (
	"slices"
	"testing"
	"time"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/assets/translations"
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
	if row.Action == nil || slices.Contains(verbs(row), "Extend…") {
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

// What needs approval each time does not continue by itself, and nothing says so: not the row,
// the menu or the sheet, before the plan or after.
func TestPlanThatNeedsApproval(t *testing.T) {
	w := words(t, "en")
	contributor := viewtest.Role("Contributor", viewtest.Production).Key()
	for _, tt := range []struct {
		name            string
		planned, queued bool
		row, note       string
		verb            string
		entry, inEntry  string
	}{
		{"before", false, false, "", "", "Ask me again at 15:20", "Contributor · Production · until 15:20", "Ask me again at 15:20"},
		{
			"kept here", true, false, "asks you 15:20",
			"At 15:20 Roletray asks you, since each activation needs approval. Keep this computer awake and Roletray running until then.",
			"Do not continue at 15:20", "Contributor · Production · asks you 15:20", "Do not continue at 15:20",
		},
		{
			"queued", true, true, "continues 15:20, if approved", "At 15:20 it is activated again for 2 h, if the request is approved by then.",
			"Do not continue at 15:20", "Contributor · Production · continues 15:20, if approved", "Do not continue at 15:20",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			state := viewtest.Full()
			s := state.Accounts[0]
			policy := s.Policies[contributor]
			policy.Readable, policy.ApprovalRequired = true, true
			s.Policies[contributor] = policy
			if tt.planned {
				s.Plans[0].Approval, s.Plans[0].Local = true, !tt.queued
			} else {
				s.Plans = nil
			}
			row := rowOf(t, view.PresentWindow(state, viewtest.Now, w, view.Look{}).Rows, "active:"+string(contributor))
			if tt.planned && (row.Detail != tt.row || row.Note != tt.note) || row.More[0].Verb != tt.verb {
				t.Errorf("%q, %q, offers %q", row.Detail, row.Note, verbs(row))
			}
			entry, ok := item(view.PresentTray(state, viewtest.Now, w).Menu, "active:"+viewtest.AccountID+":"+string(contributor))
			if !ok || entry.Label != tt.entry || entry.Children[0].Label != tt.inEntry {
				t.Errorf("%+v", entry)
			}
			sheet := view.NewContinueSheet(state, viewtest.AccountID, contributor, viewtest.Now, w)
			if sheet.Button != "Ask me again at 15:20" || sheet.Notes[0].Text != w.Say("sheet.continue-asks") {
				t.Errorf("%q, %+v", sheet.Button, sheet.Notes)
			}
		})
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

// TestFavoriteSheet has what a bundle asks about, and what it has to answer for all of it.
func TestFavoriteSheet(t *testing.T) {
	backup, gone := viewtest.Role("Backup Operator", viewtest.Data), viewtest.Role("Gone", viewtest.Web)
	state := viewtest.Full()
	f := state.Favorites[0]
	f.Wishes[0].Justification, f.Wishes[0].Duration = "", 0
	f.Wishes[1].Ticket = pim.Ticket{Number: "T-1"}
	f.Wishes = append(f.Wishes, local.FavoriteRole{Role: gone, Eligibility: gone.Key(), Duration: 30 * time.Minute, Justification: "the last"})
	keys, answers := view.FavoriteSheet(state, f, viewtest.Now)
	// Contributor is active already.
	if want := []pim.Key{backup.Key(), viewtest.Role("Monitoring Reader", viewtest.Web).Key(), gone.Key()}; !slices.Equal(keys, want) {
		t.Errorf("roles %q, want %q", keys, want)
	}
	if want := (view.Filled{Duration: 30 * time.Minute, Justification: "On call this week", Ticket: pim.Ticket{Number: "T-1"}}); answers != want {
		t.Errorf("answers %+v, want %+v", answers, want)
	}
	f.Account = "gone"
	if keys, _ := view.FavoriteSheet(state, f, viewtest.Now); keys != nil {
		t.Errorf("roles %q for an account that is signed out", keys)
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
		Text: "Microsoft Graph showed only the first 50; some may be missing: active Entra roles, approvals for Groups.",
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

// TestProlongedIsSaidAsPIMDoes tells an extension from a renewal.
func TestProlongedIsSaidAsPIMDoes(t *testing.T) {
	words, err := translations.For("en")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		action pim.Action
		state  pim.OperationState
		want   string
	}{
		{pim.ActionExtend, pim.OperationFollowing, "asking to extend…"},
		{pim.ActionExtend, pim.OperationDone, "extended"},
		{pim.ActionExtend, pim.OperationFailed, "not extended"},
		{pim.ActionRenew, pim.OperationFollowing, "asking to renew…"},
		{pim.ActionRenew, pim.OperationDone, "renewed"},
		{pim.ActionRenew, pim.OperationFailed, "not renewed"},
	} {
		if got, _ := view.OperationStatus(words, pim.Operation{Action: tt.action, State: tt.state}, viewtest.Now); got != tt.want {
			t.Errorf("%s, %s: %q, want %q", tt.action, tt.state, got, tt.want)
		}
	}
}
