package agent

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roletray/app/local"
	"roletray/app/notify"
	"roletray/app/view"
	"roletray/pim"
	"roletray/pim/store"
	"roletray/pim/tenant"
)

// join signs another person of the demo company in.
func (s *started) join(t *testing.T, who string) {
	t.Helper()
	browse := s.tenant.Browser(who + "@haldenfreight.example")
	page := make(chan error, 1)
	go func() { page <- browse(<-s.pages) }()
	s.must(t, "signin")
	if err := <-page; err != nil {
		t.Fatal(err)
	}
}

// code carries out a command line that ends with that code, and returns what it said.
func (s *started) code(t *testing.T, want int, args ...string) string {
	t.Helper()
	code, stdout, stderr := s.roletray(t, args...)
	if code != want {
		t.Fatalf("roletray %s: exit code %d, want %d: %s%s", strings.Join(args, " "), code, want, stdout, stderr)
	}
	return stdout + stderr
}

// kindOf is roles of one kind that the demo company's people have.
type kindOf struct {
	kind pim.Kind
	// easy is Ada's, with nothing asked for, and pending is hers and needs Dana's word; role
	// and scope are what a list has for easy, and denied for pending.
	easy, pending       []string
	role, scope, denied string
	// asked is somebody else's and needs Ada's word: by and who are that person, and
	// shown is what names the role in a list.
	asked          []string
	by, who, shown string
	// ending is an eligibility of Ada's that ends within two weeks.
	ending []string
}

var kinds = []kindOf{
	{
		pim.KindAzure,
		[]string{"contributor", "sandbox"},
		[]string{"owner", "logistics"},
		"Contributor", "Development Sandbox", "Owner",
		[]string{"website contributor"},
		"chidi", "Chidi Okafor", "Website Contributor",
		[]string{"contributor", "warehouse"},
	},
	{
		pim.KindDirectory,
		[]string{"global reader"},
		[]string{"intune"},
		"Global Reader", "Halden Freight", "Intune Administrator",
		[]string{"teams administrator"},
		"chidi", "Chidi Okafor", "Teams Administrator",
		[]string{"groups administrator"},
	},
	{
		pim.KindGroup,
		[]string{"owner", "contractors"},
		[]string{"incident"},
		"Owner", "External Contractors", "Member",
		[]string{"depot managers"},
		"emil", "Emil Novák", "Depot Managers",
		[]string{"finance reporting"},
	},
}

// What the tests read of the commands' output.
type (
	rolesJSON struct {
		Roles []struct{ Key, Kind, State string }
	}
	resultsJSON struct {
		Results []struct {
			Outcome, Key, Request string
			SettingsOnly          bool
		}
	}
	plansJSON struct {
		Plan struct {
			Key     string
			Minutes int
			Local   bool
			State   pim.PlanState
		}
	}
	scopesJSON  struct{ Scopes []struct{ ID string } }
	historyJSON struct {
		History []struct {
			Action, Client, Requestor string
			Decision                  struct{ Result, By, Reason string }
		}
	}
)

func parse[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func with(words []string, more ...string) []string { return slices.Concat(words, more) }

// TestEachKindFromListToEnd does with a role of each kind what a person alone does.
func TestEachKindFromListToEnd(t *testing.T) {
	s := start(t, nil)
	for _, k := range kinds {
		t.Run(string(k.kind), func(t *testing.T) {
			l := parse[rolesJSON](t, s.must(t, "list", "--eligible", "--json"))
			if !slices.ContainsFunc(l.Roles, func(r struct{ Key, Kind, State string }) bool { return r.Kind == string(k.kind) }) {
				t.Fatalf("no role of the kind is listed: %+v", l)
			}
			if out := parse[resultsJSON](t, s.must(t, with([]string{"check"}, with(k.easy, "--reason", "a good reason", "--json")...)...)); out.Results[0].Outcome != "ok" ||
				out.Results[0].SettingsOnly != (k.kind == pim.KindGroup) {
				t.Errorf("check: %+v", out)
			}
			out := parse[resultsJSON](t, s.must(t, with([]string{"activate"}, with(k.easy, "--reason", "a good reason", "--duration", "1h", "--json")...)...))
			if out.Results[0].Outcome != "done" {
				t.Fatalf("activate: %+v", out)
			}
			key := out.Results[0].Key
			if again := parse[resultsJSON](t, s.must(t, with([]string{"activate"}, with(k.easy, "--reason", "a good reason", "--json")...)...)); again.Results[0].Outcome != "done" {
				t.Errorf("activating what is active: %+v", again)
			}
			s.code(t, 1, with([]string{"deactivate"}, k.easy...)...)

			plan := parse[plansJSON](t, s.must(t, with([]string{"continue"}, with(k.easy, "--duration", "30m", "--json")...)...)).Plan
			if plan.Key != key || plan.Minutes != 30 || !plan.Local || plan.State != pim.PlanWaiting {
				t.Errorf("continue: %+v", plan)
			}
			if status := s.must(t, "status"); !strings.Contains(status, "continues at") {
				t.Errorf("status does not tell of the plan: %s", status)
			}
			s.must(t, with([]string{"continue", "--drop"}, k.easy...)...)

			s.tenant.Advance(6 * time.Minute)
			if out := s.must(t, with([]string{"deactivate"}, k.easy...)...); !strings.Contains(out, "not active any more") {
				t.Errorf("deactivate said %q", out)
			}

			pending := parse[resultsJSON](t, s.code(t, 3, with([]string{"activate"}, with(k.pending, "--reason", "a good reason", "--json")...)...))
			if pending.Results[0].Outcome != "waiting" {
				t.Errorf("activate: %+v", pending)
			}
			if out := s.must(t, "cancel", pending.Results[0].Request); !strings.Contains(out, "cancelled") {
				t.Errorf("cancel said %q", out)
			}
			if status := s.must(t, "status"); strings.Contains(status, "failed: The request was cancelled") {
				t.Errorf("status calls a cancelled request failed: %s", status)
			}
			extended := parse[resultsJSON](t, s.code(t, 3, with([]string{"extend"}, with(k.ending, "--days", "30", "--reason", "still on the team", "--json")...)...))
			if extended.Results[0].Outcome != "waiting" {
				t.Errorf("extend: %+v", extended)
			}
			if requests := s.must(t, "requests"); !strings.Contains(requests, "extend") {
				t.Errorf("the extension is not among the requests: %s", requests)
			}
		})
	}
	t.Run("history", func(t *testing.T) {
		done := map[string]int{}
		for _, e := range parse[historyJSON](t, s.must(t, "history", "--json")).History {
			done[e.Action]++
			if !strings.Contains(e.Client, "process") {
				t.Errorf("%s does not tell who asked: %q", e.Action, e.Client)
			}
		}
		for _, action := range []string{"activate", "deactivate", "cancel", "continue", "drop-plan", "extend"} {
			if done[action] < len(kinds) {
				t.Errorf("the history has %v, want %s for each kind", done, action)
			}
		}
		// One came too early.
		if found := parse[historyJSON](t, s.must(t, "history", "--search", "global reader deactivate", "--json")).History; len(found) == 0 || found[0].Action != "deactivate" {
			t.Errorf("the search found %+v", found)
		}
		if csv := s.must(t, "history", "--csv"); !strings.HasPrefix(csv, `"time","action","kind"`) || !strings.Contains(csv, "Global Reader") ||
			strings.Contains(s.must(t, "history", "--csv", "--search", "global reader"), "Contributor") {
			t.Errorf("as CSV: %s", csv)
		}
	})
}

// TestDecisions has people of the company decide what others ask for.
func TestDecisions(t *testing.T) {
	s := start(t, nil)
	s.must(t, "list")
	for _, who := range []string{"chidi", "emil", "dana"} {
		s.join(t, who)
	}
	for _, k := range kinds {
		s.code(t, 3, with([]string{"activate", "--account", k.by, "--reason", "a good reason"}, k.asked...)...)
		s.code(t, 3, with([]string{"activate", "--account", "ada", "--reason", "a good reason"}, k.pending...)...)
	}
	waiting := s.must(t, "approvals", "--account", "ada", "--refresh")
	if strings.Contains(waiting, "Ada Lindqvist") {
		t.Errorf("Ada can decide her own: %s", waiting)
	}
	if n := s.screen.note(t, "requests wait for your decision"); len(n.Actions) != 1 || n.Actions[0].ID != actionOpen {
		t.Errorf("the note about approvals is %+v", n)
	}
	if status := s.must(t, "status"); !strings.Contains(status, "wait for your decision") {
		t.Errorf("status: %s", status)
	}
	for _, k := range kinds {
		if !strings.Contains(waiting, k.who) || !strings.Contains(waiting, k.shown) {
			t.Errorf("%s of %s is missing: %s", k.shown, k.who, waiting)
		}
		approved := s.must(t, "approve", strings.Join(k.asked, " "), "--account", "ada", "--reason", "agreed")
		if !strings.Contains(approved, "for "+k.who+" is approved") {
			t.Errorf("approve said %q", approved)
		}
		denied := s.must(t, "deny", strings.Join(k.pending, " "), "--account", "dana", "--reason", "not today")
		if !strings.Contains(denied, "for Ada Lindqvist is denied") {
			t.Errorf("deny said %q", denied)
		}
		if code, _, stderr := s.roletray(t, "approve", strings.Join(k.asked, " "), "--account", "ada", "--reason", "again"); code != 2 || !strings.Contains(stderr, "no request that waits") {
			t.Errorf("approving again: exit code %d: %s", code, stderr)
		}
	}
	s.screen.note(t, "You approved")
	s.screen.note(t, "You denied")
	for _, e := range parse[historyJSON](t, s.must(t, "history", "--search", "agreed approve", "--account", "ada", "--json")).History {
		if e.Action != "approve" || !slices.ContainsFunc(kinds, func(k kindOf) bool { return k.who == e.Requestor }) {
			t.Errorf("the history has %+v", e)
		}
	}
	// Whoever asked hears of it with the next look at what waits.
	untilState(t, s, "the decisions", func(st *local.State) bool {
		granted, denied := 0, 0
		for _, a := range st.Accounts {
			for _, r := range a.Active {
				role := r.Assignment.Role
				if r.Assignment.Type == pim.Activated && slices.ContainsFunc(kinds, func(k kindOf) bool { return role.Name == k.shown || role.Scope.Name == k.shown }) {
					granted++
				}
			}
			for _, o := range a.Operations {
				if o.State == pim.OperationFailed && o.Request != nil && strings.Contains(strings.ToLower(string(o.Request.Status)), "denied") {
					denied++
				}
			}
		}
		return granted == len(kinds) && denied == len(kinds)
	})
	// What was approved once needs approval again, and no plan says otherwise.
	for _, k := range kinds {
		if said := s.must(t, with([]string{"continue", "--account", k.by}, k.asked...)...); !strings.Contains(said, "each activation needs approval") {
			t.Errorf("continue said %q", said)
		}
	}
	s.screen.note(t, "you will be asked again at")
	for _, k := range kinds {
		if n := s.screen.note(t, k.denied+" was denied"); n.Body != "Denied by Dana Petrova: not today." {
			t.Errorf("the note about a denial says %q", n.Body)
		}
	}
	s.screen.until(t, "a note of who approved", func() bool {
		return slices.ContainsFunc(s.screen.notes, func(n notify.Note) bool {
			return strings.Contains(n.Title, "is active until") && strings.Contains(n.Body, " · Approved by Ada Lindqvist: agreed.")
		})
	})
	// The history tells it, and finds it.
	for search, want := range map[string]string{"petrova today": "denied", "lindqvist agreed": "approved"} {
		found := parse[historyJSON](t, s.must(t, "history", "--search", search, "--json")).History
		n := 0
		for _, e := range found {
			if e.Action == "activate" && e.Decision.Result == want && strings.Contains(strings.ToLower(e.Decision.By+e.Decision.Reason), strings.Fields(search)[0]) {
				n++
			}
		}
		if n != len(kinds) {
			t.Errorf("%q finds %+v", search, found)
		}
	}
	requests := s.must(t, "requests", "--all")
	for _, said := range []string{"denied by Dana Petrova: not today", "done, approved by Ada Lindqvist: agreed"} {
		if n := strings.Count(requests, said); n != len(kinds) {
			t.Errorf("%d requests are %q: %s", n, said, requests)
		}
	}
}

// TestSeveralKindsAtOnceAndOn activates three kinds with one command and has them go on.
func TestSeveralKindsAtOnceAndOn(t *testing.T) {
	s := start(t, func(p *Params) { p.Speed = 120 })
	s.must(t, "favorites", "add", "On call", "contributor", "sandbox", "--also", "global reader", "--also", "owner contractors", "--duration", "10m", "--reason", "on call duty")
	if out := s.must(t, "favorites"); !strings.Contains(out, "On call") || !strings.Contains(out, "External Contractors") {
		t.Errorf("favorites: %s", out)
	}
	out := parse[resultsJSON](t, s.must(t, "activate", "--favorite", "on call", "--json"))
	if len(out.Results) != len(kinds) {
		t.Fatalf("activate: %+v", out)
	}
	for _, r := range out.Results {
		if r.Outcome != "done" {
			t.Fatalf("activate: %+v", out)
		}
	}
	if f := s.State().Favorites; len(f) != 1 || len(f[0].Wishes) != len(kinds) {
		t.Errorf("favourites %+v", f)
	}
	for _, k := range kinds {
		s.must(t, with([]string{"continue"}, k.easy...)...)
	}
	s.screen.forgetNotes()
	for _, role := range []string{"Contributor", "Global Reader", "Owner"} {
		s.screen.note(t, role+" is active until")
	}
	s.screen.mu.Lock()
	defer s.screen.mu.Unlock()
	for _, n := range s.screen.notes {
		if strings.Contains(n.Title, "has ended") || strings.Contains(n.Title, "failed") {
			t.Errorf("a role that goes on was announced so: %+v", n)
		}
	}
}

func TestNarrowerScopes(t *testing.T) {
	s := start(t, nil)
	l := parse[scopesJSON](t, s.must(t, "scopes", "reader", "halden freight", "--json"))
	if len(l.Scopes) < 2 {
		t.Fatalf("scopes: %+v", l)
	}
	out := parse[resultsJSON](t, s.must(t, "activate", "reader", "--scope", l.Scopes[0].ID, "--scope", l.Scopes[1].ID, "--json"))
	if len(out.Results) != 2 || out.Results[0].Outcome != "done" || out.Results[1].Outcome != "done" || out.Results[0].Key == out.Results[1].Key {
		t.Fatalf("activate: %+v", out)
	}
	if out := s.must(t, "scopes", "global", "reader"); !strings.Contains(out, "no narrower scope") {
		t.Errorf("scopes of a directory role: %s", out)
	}
}

// TestMissingConsent has an administrator take back what Graph needs, through the
// control that the demo tells of in its mark.
func TestMissingConsent(t *testing.T) {
	s := start(t, nil)
	s.must(t, "list")
	data, err := os.ReadFile(filepath.Join(s.profile, demoMark))
	if err != nil {
		t.Fatal(err)
	}
	info := parse[tenant.Info](t, string(data))
	control := func(method, path, body string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, info.Control+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+info.ControlSecret)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", path, resp.Status, err)
		}
	}
	control(http.MethodPut, "/settings", `{"login":{"grantedScopes":["User.Read"]}}`)
	// The tokens from before still have it.
	control(http.MethodPost, "/revoke", `{"keepRefreshTokens":true}`)
	out := s.code(t, 0, "list", "--refresh")
	if !strings.Contains(out, "Contributor") || !strings.Contains(out, "Ask an administrator to grant RoleEligibilitySchedule.Read.Directory") {
		t.Errorf("list says %s", out)
	}
	st := s.State()
	if len(st.Consents) != 1 || !slices.Equal(st.Consents[0].Kinds, []pim.Kind{pim.KindDirectory, pim.KindGroup}) ||
		!slices.Contains(st.Consents[0].Permissions, "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup") || !strings.Contains(st.Consents[0].URL, "/adminconsent?client_id="+info.ClientID) {
		t.Errorf("consents %+v", st.Consents)
	}
	if i := slices.IndexFunc(st.Notices, func(n local.Notice) bool { return strings.HasPrefix(n.ID, "consent:") }); i < 0 || !strings.Contains(st.Notices[i].Details, st.Consents[0].URL) {
		t.Errorf("notices %+v", st.Notices)
	}
	if out := s.must(t, "status"); !strings.Contains(out, st.Consents[0].URL) {
		t.Errorf("status does not tell what to ask for: %s", out)
	}
	s.must(t, "activate", "contributor", "sandbox", "--reason", "a good reason")
}

// TestWeakReasons keeps reasons that say nothing from every way of asking.
func TestWeakReasons(t *testing.T) {
	s := start(t, nil)
	s.must(t, "activate", "contributor", "sandbox", "--reason", "test")
	strict := store.DefaultSettings()
	strict.RefuseWeakReasons = true
	if err := s.SaveSettings(t.Context(), strict); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"activate", "global", "reader"},
		{"activate", "global", "reader", "--reason", "test"},
		{"check", "global", "reader", "--reason", "test"},
		{"continue", "contributor", "--reason", "test"},
		{"extend", "contributor", "warehouse", "--reason", "test"},
	} {
		if code, _, stderr := s.roletray(t, args...); code != 2 || !strings.Contains(stderr, "in a few words") {
			t.Errorf("%v: exit code %d: %s", args, code, stderr)
		}
	}
	s.must(t, "activate", "global", "reader", "--reason", "look at the sign-in log")
}

// TestTrayOfFavoritesAndPlans goes through the tray what takes one click there.
func TestTrayOfFavoritesAndPlans(t *testing.T) {
	s := start(t, nil)
	all := []string{"favorites", "add", "On call", "--duration", "1h", "--reason", "on call duty", "shift", "planner"}
	for _, k := range kinds {
		s.must(t, with([]string{"favorites", "add", "The " + string(k.kind)}, with(k.easy, "--duration", "1h", "--reason", "on call duty")...)...)
		all = append(all, "--also", strings.Join(k.ending, " "))
	}
	click := func(t *testing.T, label string) {
		t.Helper()
		s.screen.chosen(s.screen.item(t, label).Action)
	}
	for _, k := range kinds {
		t.Run(string(k.kind), func(t *testing.T) {
			s.screen.forgetNotes()
			click(t, "★ The "+string(k.kind))
			s.screen.note(t, k.role+" is active until")
			s.screen.item(t, k.role+" · "+k.scope+" · until")
			click(t, "Continue at")
			s.screen.note(t, k.role+" continues at")
			click(t, "Do not continue at")
			untilState(t, s, "no plan", func(st *local.State) bool { return len(st.Accounts[0].Plans) == 0 })
			s.tenant.Advance(6 * time.Minute)
			s.must(t, "list", "--refresh")
			click(t, "Deactivate")
			s.screen.note(t, k.role+" was deactivated")
		})
	}
	s.screen.forgetNotes()
	s.must(t, all...)
	click(t, "★ On call (4 roles)")
	for _, role := range []string{"Shift Planner", "Contributor", "Groups Administrator", "Member"} {
		s.screen.note(t, role+" is active until")
	}
	for _, e := range parse[historyJSON](t, s.must(t, "history", "--json")).History {
		if e.Client != "tray" {
			t.Errorf("the history says that %q asked", e.Client)
		}
	}
	s.screen.chosen(view.ActivateFavorite{Account: s.State().Accounts[0].Account.ID, Favorite: "none"})
	if n := s.screen.note(t, "Roletray"); !strings.Contains(n.Body, "favourite is gone") {
		t.Errorf("the note says %q", n.Body)
	}
}
