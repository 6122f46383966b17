package view_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/assets/translations"
	"roletray/pim"
)

var update = flag.Bool("update", false, "write the golden files anew")

func words(t testing.TB, language string) view.Words {
	t.Helper()
	w, err := translations.For(language)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// golden compares v, written as JSON with the type of each action, with a file.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestGolden(t *testing.T) {
	states := map[string]*local.State{
		"demo": viewtest.Demo(), "troubled": viewtest.Troubled(), "signed-out": viewtest.SignedOut(), "long": viewtest.Long(), "connecting": nil,
		"full": viewtest.Full(), "full-long": viewtest.FullLong(),
	}
	for name, state := range states {
		for _, language := range translations.Languages() {
			w := words(t, language)
			golden(t, "tray-"+name+"-"+language, view.PresentTray(state, viewtest.Now, w))
			golden(t, "window-"+name+"-"+language, view.PresentWindow(state, viewtest.Now, w, view.Look{Seconds: true}))
		}
	}
}

// at changes a demo state.
func demo(change func(s *pim.Snapshot, state *local.State)) *local.State {
	state := viewtest.Demo()
	change(state.Accounts[0], state)
	return state
}

func item(menu []view.Item, id string) (view.Item, bool) {
	for _, i := range menu {
		if i.ID == id {
			return i, true
		}
		if c, ok := item(i.Children, id); ok {
			return c, true
		}
	}
	return view.Item{}, false
}

func TestTrayMenuIsSound(t *testing.T) {
	for name, state := range map[string]*local.State{
		"demo": viewtest.Demo(), "troubled": viewtest.Troubled(), "long": viewtest.Long(), "full": viewtest.Full(), "full long": viewtest.FullLong(), "large": viewtest.Large(100), "signed out": viewtest.SignedOut(), "none": nil,
	} {
		t.Run(name, func(t *testing.T) {
			seen := map[string]bool{}
			var walk func(items []view.Item, depth int)
			walk = func(items []view.Item, depth int) {
				if depth > 2 {
					t.Fatal("more than two levels")
				}
				for i, it := range items {
					if seen[it.ID] {
						t.Errorf("two entries have the id %q", it.ID)
					}
					seen[it.ID] = true
					if it.Separator && (i == 0 || i == len(items)-1 || items[i-1].Separator) {
						t.Errorf("a separator separates nothing at %d", i)
					}
					if !it.Separator && it.Label == "" {
						t.Errorf("%q has no label", it.ID)
					}
					if utf8.RuneCountInString(it.Label) > 140 {
						t.Errorf("%q is too long for a menu", it.Label)
					}
					if it.Enabled != (it.Action != nil || len(it.Children) > 0) && it.Action == nil {
						t.Errorf("%q can be chosen and does nothing", it.Label)
					}
					if len(it.Children) > 0 {
						walk(it.Children, depth+1)
					}
				}
			}
			menu := view.PresentTray(state, viewtest.Now, words(t, "en")).Menu
			walk(menu, 1)
			if quit, ok := item(menu, "quit"); !ok || quit.Action != (view.Quit{}) || menu[len(menu)-1].ID != "quit" {
				t.Error("Quit is not the last entry")
			}
		})
	}
}

func TestTrayActivateIsCapped(t *testing.T) {
	menu := view.PresentTray(viewtest.Large(43), viewtest.Now, words(t, "en")).Menu
	activate, ok := item(menu, "activate")
	if !ok {
		t.Fatal("no Activate")
	}
	if len(activate.Children) != 22 {
		t.Errorf("%d entries, want 20, a separator and All", len(activate.Children))
	}
	if last := activate.Children[21]; last.Label != "All 43…" || last.Action != (view.Open{Page: view.PageRoles}) {
		t.Errorf("the last entry is %+v", last)
	}
}

func TestTrayActivateIsFairToEachKind(t *testing.T) {
	group := pim.Scope{ID: "g", Name: "On call", Type: "group"}
	state := viewtest.Large(43)
	s := state.Accounts[0]
	add := func(n int, kind pim.Kind, scope pim.Scope) {
		for i := range n {
			r := viewtest.Role("Extra "+strconv.Itoa(i), scope)
			r.Kind = kind
			s.Eligible = append(s.Eligible, pim.Eligibility{Role: r, ID: string(kind) + strconv.Itoa(i)})
		}
	}
	add(12, pim.KindDirectory, viewtest.Directory)
	add(3, pim.KindGroup, group)
	last := s.Eligible[42].Role
	state.Recent = []local.Recent{{Account: viewtest.AccountID, Role: last, Duration: time.Hour, Used: viewtest.Now.Add(-time.Hour)}}

	menu, _ := item(view.PresentTray(state, viewtest.Now, words(t, "en")).Menu, "activate")
	counts := map[pim.Kind]int{}
	var groups []pim.Kind
	for i, c := range menu.Children {
		sheet, ok := c.Action.(view.OpenSheet)
		if !ok {
			continue
		}
		if i == 0 && sheet.Key != last.Key() {
			t.Errorf("the first is %s, want the recent one", sheet.Key)
		}
		kind := pim.Kind(strings.Split(string(sheet.Key), "|")[0])
		counts[kind]++
		if i > 0 && menu.Children[i-1].Separator {
			groups = append(groups, kind)
		}
	}
	if diff := cmp.Diff(map[pim.Kind]int{pim.KindAzure: 9, pim.KindDirectory: 8, pim.KindGroup: 3}, counts); diff != "" {
		t.Errorf("the share of each kind (-want +got):\n%s", diff)
	}
	if want := []pim.Kind{pim.KindAzure, pim.KindDirectory, pim.KindGroup}; !slices.Equal(groups, want) {
		t.Errorf("the groups are %q, want %q", groups, want)
	}
}

func TestTrayIcon(t *testing.T) {
	quiet := func(s *pim.Snapshot) {
		s.Operations, s.Active = nil, s.Active[:1]
	}
	offline := &pim.Problem{Code: pim.CodeOffline, Text: "x"}
	for _, tt := range []struct {
		name  string
		state *local.State
		after time.Duration
		want  view.Icon
	}{
		{"no state", nil, 0, view.IconSignedOut},
		{"signed out", viewtest.SignedOut(), 0, view.IconSignedOut},
		{"nothing active", demo(func(s *pim.Snapshot, _ *local.State) { quiet(s); s.Active = nil }), 0, view.IconIdle},
		{"active", demo(func(s *pim.Snapshot, _ *local.State) { quiet(s) }), 0, view.IconActive},
		{"just before the lead", demo(func(s *pim.Snapshot, _ *local.State) { quiet(s) }), 57*time.Minute - time.Second, view.IconActive},
		{"at the lead", demo(func(s *pim.Snapshot, _ *local.State) { quiet(s) }), 57 * time.Minute, view.IconExpiring},
		{"at the end", demo(func(s *pim.Snapshot, _ *local.State) { quiet(s) }), 72 * time.Minute, view.IconIdle},
		{"an own lead", demo(func(s *pim.Snapshot, state *local.State) {
			quiet(s)
			state.Settings.Reminders = []time.Duration{2 * time.Minute}
		}), 57 * time.Minute, view.IconActive},
		{"failed", viewtest.Demo(), 0, view.IconAttention},
		{"sign-in needed", demo(func(s *pim.Snapshot, _ *local.State) { quiet(s); s.SignIn = offline }), 0, view.IconAttention},
		{"unconfirmed", demo(func(s *pim.Snapshot, _ *local.State) { s.Operations = nil }), 0, view.IconAttention},
		{"offline", demo(func(s *pim.Snapshot, _ *local.State) {
			quiet(s)
			for i := range s.Parts {
				s.Parts[i].Problem = offline
			}
		}), 0, view.IconOffline},
		{"one part offline", demo(func(s *pim.Snapshot, _ *local.State) { quiet(s); s.Parts[0].Problem = offline }), 0, view.IconActive},
		{"standing assignments are not active", demo(func(s *pim.Snapshot, _ *local.State) {
			quiet(s)
			s.Active[0].Assignment.Type = pim.Assigned
		}), 0, view.IconIdle},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := view.PresentTray(tt.state, viewtest.Now.Add(tt.after), words(t, "en")).Icon; got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// What the person took back asks for no attention and has one name wherever it is listed.
func TestCancelledIsQuiet(t *testing.T) {
	role := viewtest.Role("Owner", viewtest.Web)
	request := &pim.Request{ID: "w", Role: role, Action: pim.ActionActivate, Status: "Canceled", Created: viewtest.Now}
	for _, tt := range []struct {
		name    string
		request *pim.Request
		problem *pim.Problem
		want    map[string]string
	}{
		{"cancelled", request, request.Problem(), map[string]string{"en": "cancelled", "de": "zurückgezogen"}},
		{"cancelled without a problem", request, nil, map[string]string{"en": "cancelled", "de": "zurückgezogen"}},
		{"sign-in called off", nil, pim.Explain(&pim.Error{Code: pim.CodeCancelled}), map[string]string{"en": "called off", "de": "abgebrochen"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			entry := local.HistoryEntry{Account: viewtest.AccountID}
			entry.ID, entry.At, entry.Action, entry.Role, entry.State, entry.Problem = "h", viewtest.Now, pim.ActionActivate, role, pim.OperationFailed, tt.problem
			state := demo(func(s *pim.Snapshot, _ *local.State) {
				s.Active = s.Active[:1]
				s.Operations = []pim.Operation{{
					ID: "w", Action: pim.ActionActivate, Role: role, State: pim.OperationFailed, Started: viewtest.Now, Changed: viewtest.Now, Request: tt.request, Problem: tt.problem,
				}}
				s.Requests = nil
				if tt.request != nil {
					s.Requests = []pim.Request{*tt.request}
					entry.Request, entry.Status = tt.request.ID, tt.request.Status
				}
			})
			for language, want := range tt.want {
				w := words(t, language)
				tray := view.PresentTray(state, viewtest.Now, w)
				if _, ok := item(tray.Menu, "failed:w"); ok || tray.Icon != view.IconActive {
					t.Errorf("the tray shows it, or the icon %s", tray.Icon)
				}
				v := view.PresentWindow(state, viewtest.Now, w, view.Look{Search: "owner"})
				history, _ := view.PresentHistory([]local.HistoryEntry{entry}, viewtest.AccountID, "", viewtest.Now, w)
				rows := slices.DeleteFunc(slices.Concat(v.Rows, v.Requests, history), func(r view.Row) bool {
					return r.Type != view.RowOperation && r.Type != view.RowRequest
				})
				if len(rows) < 2 {
					t.Fatalf("only %d rows tell of it", len(rows))
				}
				for _, r := range rows {
					if r.Status != want || r.Tone != view.ToneQuiet {
						t.Errorf("%s: %q in tone %d, want %q", r.ID, r.Status, r.Tone, want)
					}
				}
			}
		})
	}
}

// What is shown must not change before Next: the tray would be wrong until then.
func TestNextIsTheFirstChange(t *testing.T) {
	w := words(t, "en")
	state := viewtest.Demo()
	check := func(t *testing.T, from time.Time, next time.Time, show func(time.Time) any) {
		if !next.After(from) {
			t.Fatalf("next %s is not after %s", next, from)
		}
		before := show(next.Add(-time.Nanosecond))
		if diff := cmp.Diff(show(from), before); diff != "" {
			t.Errorf("from %s it changes before %s:\n%s", from, next, diff)
		}
	}
	tray := func(now time.Time) any { v := view.PresentTray(state, now, w); v.Next = time.Time{}; return v }
	now := viewtest.Now
	for range 20 {
		next := view.PresentTray(state, now, w).Next
		if next.IsZero() {
			break
		}
		check(t, now, next, tray)
		now = next
	}
	for _, seconds := range []bool{false, true} {
		look := view.Look{Seconds: seconds}
		window := func(now time.Time) any {
			v := view.PresentWindow(state, now, w, look)
			v.Next = time.Time{}
			for i := range v.Rows {
				v.Rows[i].Left = 0 // the bar drains all the time; it is drawn when something else changes
			}
			return v
		}
		now := viewtest.Now.Add(300 * time.Millisecond)
		for range 400 {
			next := view.PresentWindow(state, now, w, look).Next
			check(t, now, next, window)
			now = next
		}
	}
}

// perKind runs a test for each kind of role.
func perKind(t *testing.T, test func(*testing.T, pim.Kind)) {
	for _, kind := range viewtest.Kinds {
		t.Run(string(kind), func(t *testing.T) { test(t, kind) })
	}
}

func TestRecentIsOneClickOnlyWhenComplete(t *testing.T) {
	backup := viewtest.Role("Backup Operator", viewtest.Data)
	activates := func(k pim.Key) view.Action { return view.Activate{Account: viewtest.AccountID, Key: k} }
	asks := func(k pim.Key) view.Action { return view.OpenSheet{Account: viewtest.AccountID, Key: k} }
	for _, tt := range []struct {
		name   string
		change func(*pim.Snapshot, *local.State)
		want   func(pim.Key) view.Action
	}{
		{"complete", func(*pim.Snapshot, *local.State) {}, activates},
		{"no reason stored", func(_ *pim.Snapshot, s *local.State) { s.Recent[0].Justification = " " }, asks},
		{"a weak reason, where those are refused", func(_ *pim.Snapshot, s *local.State) {
			s.Recent[0].Justification, s.Settings.RefuseWeakReasons = "restore", true
		}, asks},
		{"longer than allowed", func(_ *pim.Snapshot, s *local.State) { s.Recent[0].Duration = 9 * time.Hour }, asks},
		{"no ticket stored", func(s *pim.Snapshot, _ *local.State) {
			p := s.Policies[backup.Key()]
			p.TicketRequired = true
			s.Policies[backup.Key()] = p
		}, asks},
		{"eligibility ends first", func(s *pim.Snapshot, _ *local.State) { s.Eligible[0].End = viewtest.Now.Add(time.Hour) }, asks},
		{"policy unreadable", func(s *pim.Snapshot, _ *local.State) { s.Policies[backup.Key()] = pim.Policy{} }, activates},
		{"no longer eligible", func(s *pim.Snapshot, _ *local.State) { s.Eligible = s.Eligible[1:] }, func(pim.Key) view.Action { return nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			perKind(t, func(t *testing.T, kind pim.Kind) {
				menu := view.PresentTray(viewtest.AllOfKind(kind, demo(tt.change)), viewtest.Now, words(t, "en")).Menu
				key := viewtest.OfKind(kind, backup).Key()
				got, _ := item(menu, "recent:"+viewtest.AccountID+":"+string(key))
				if want := tt.want(key); got.Action != want {
					t.Errorf("%#v, want %#v", got.Action, want)
				}
			})
		})
	}
}

// TestTrayAsksForWhatIsMissing has what lacks an answer open the sheet for just that.
func TestTrayAsksForWhatIsMissing(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		key := func(name string, s pim.Scope) pim.Key { return viewtest.OfKind(kind, viewtest.Role(name, s)).Key() }
		state := viewtest.Full()
		state.Favorites[0].Wishes[0].Justification = ""
		state.Accounts[0].Operations = nil
		menu := view.PresentTray(viewtest.AllOfKind(kind, state), viewtest.Now, words(t, "en")).Menu
		at := viewtest.AccountID + ":"
		secrets, security := key("Key Vault Secrets Officer", viewtest.Vault), key("Security Administrator", viewtest.Directory)
		backup := key("Backup Operator", viewtest.Data)
		for id, want := range map[string]view.Action{
			"favorite:" + at + "f1":                        view.OpenFavorite{Account: viewtest.AccountID, Favorite: "f1"},
			"favorite:" + at + "f2":                        view.OpenFavorite{Account: viewtest.AccountID, Favorite: "f2"},
			"active:" + at + string(secrets) + ":continue": view.OpenContinue{Account: viewtest.AccountID, Key: secrets},
			"plan:" + at + string(security):                view.OpenSheet{Account: viewtest.AccountID, Key: security},
			"eligible:" + at + string(backup):              view.OpenSheet{Account: viewtest.AccountID, Key: backup},
		} {
			got, ok := item(menu, id)
			if !ok || got.Action != want || !strings.HasSuffix(got.Label, "…") {
				t.Errorf("%s: %+v, want %#v", id, got, want)
			}
		}
	})
}

func TestDeactivateIsLockedForFiveMinutes(t *testing.T) {
	perKind(t, func(t *testing.T, kind pim.Kind) {
		key := viewtest.OfKind(kind, viewtest.Role("Key Vault Secrets Officer", viewtest.Vault)).Key()
		id := "active:" + viewtest.AccountID + ":" + string(key) + ":deactivate"
		state, w := viewtest.AllOfKind(kind, viewtest.Demo()), words(t, "en")
		for after, want := range map[time.Duration]string{0: "Deactivate (from 14:11)", 3 * time.Minute: "Deactivate"} {
			got, _ := item(view.PresentTray(state, viewtest.Now.Add(after), w).Menu, id)
			if got.Label != want || got.Enabled != (want == "Deactivate") {
				t.Errorf("after %s: %+v", after, got)
			}
		}
		locked := func(after time.Duration) view.Row {
			return rowOf(t, view.PresentWindow(state, viewtest.Now.Add(after), w, view.Look{}).Rows, "active:"+string(key))
		}
		if r := locked(0); r.Verb != "Deactivate in 3 min" || r.Action != nil {
			t.Errorf("at once: %q %v", r.Verb, r.Action)
		}
		if r := locked(3 * time.Minute); r.Verb != "Deactivate" || r.Action == nil {
			t.Errorf("after: %q %v", r.Verb, r.Action)
		}
	})
}

func titles(rows []view.Row, t view.RowType) []string {
	var out []string
	for _, r := range rows {
		if r.Type == t {
			out = append(out, r.Title)
		}
	}
	return out
}

func TestSearch(t *testing.T) {
	state := viewtest.Demo()
	state.Accounts[0].Eligible[0].Role.Scope.Name = "Größe-Café"
	for _, tt := range []struct {
		search string
		kind   pim.Kind
		want   []string
	}{
		{"", pim.KindDirectory, []string{"Security Administrator"}},
		{"backup", "", []string{"Backup Operator"}},
		{"BACKUP opera", "", []string{"Backup Operator"}},
		{"groesse", "", nil},
		{"grosse cafe", "", []string{"Backup Operator"}},
		{"entra", "", []string{"Security Administrator"}},
		{"contributor", "", []string{"SQL DB Contributor", "Virtual Machine Contributor"}},
		{"on call", "", []string{"Payroll Support"}},
		{"11111111-1111", "", []string{"Backup Operator", "Owner", "Payroll Support", "SQL DB Contributor"}},
		{"contoso.example owner", "", []string{"Owner"}},
		{"nothing like it", "", nil},
	} {
		v := view.PresentWindow(state, viewtest.Now, words(t, "en"), view.Look{Search: tt.search, Kind: tt.kind})
		got := titles(v.Rows, view.RowEligible)
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q %s: %q, want %q", tt.search, tt.kind, got, tt.want)
		}
		if (len(v.Rows) == 0) != (v.Empty != nil) {
			t.Errorf("%q: %d rows and empty %v", tt.search, len(v.Rows), v.Empty)
		}
	}
}

func TestSearchPutsTitlesFirst(t *testing.T) {
	state := demo(func(s *pim.Snapshot, _ *local.State) {
		s.Active, s.Operations, s.Requests = nil, nil, nil
		s.Eligible = []pim.Eligibility{
			{Role: viewtest.Role("A role on a reader's scope", viewtest.Platform)},
			{Role: viewtest.Role("Cost Reader", viewtest.Data)},
			{Role: viewtest.Role("Reader", viewtest.Data)},
		}
	})
	v := view.PresentWindow(state, viewtest.Now, words(t, "en"), view.Look{Search: "reader"})
	got := titles(v.Rows, view.RowEligible)
	if want := []string{"Reader", "A role on a reader's scope", "Cost Reader"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNoTextIsUntranslated(t *testing.T) {
	w := words(t, "de")
	b, err := json.Marshal(view.PresentWindow(viewtest.Troubled(), viewtest.Now, w, view.Look{}))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "%!") {
		t.Errorf("a text is formatted wrongly: %s", b)
	}
}

func BenchmarkPresentWindow5000(b *testing.B) {
	state, w := viewtest.Large(5000), words(b, "en")
	for b.Loop() {
		view.PresentWindow(state, viewtest.Now, w, view.Look{Seconds: true})
	}
}

func BenchmarkPresentWindow5000Search(b *testing.B) {
	state, w := viewtest.Large(5000), words(b, "en")
	for b.Loop() {
		view.PresentWindow(state, viewtest.Now, w, view.Look{Seconds: true, Search: "zurich 07"})
	}
}

func BenchmarkPresentTray5000(b *testing.B) {
	state, w := viewtest.Large(5000), words(b, "en")
	for b.Loop() {
		view.PresentTray(state, viewtest.Now, w)
	}
}
