//go:build unix

package agent

import (
	"strings"
	"testing"
	"time"

	"roletray/app/local"
	"roletray/app/notify"
	"roletray/app/view"
	"roletray/pim/store"
)

// TestClicksThatLackAnswers has settings that refuse weak reasons, so that the stored answers of
// every role lack one: whatever is clicked opens the window with the sheet for just that.
func TestClicksThatLackAnswers(t *testing.T) {
	s := start(t, func(p *Params) {
		p.WindowCommand = func() ([]string, error) { return []string{"sleep", "600"}, nil }
	})
	s.must(t, "list")
	account := s.State().Accounts[0].Account.ID
	raised := 0
	// asked waits for one more ask for the window, by something that is clicked.
	asked := func(t *testing.T, click func(), want local.Sheet) {
		t.Helper()
		want.Account = account
		raised++
		click()
		untilState(t, s, "the window is asked for", func(st *local.State) bool { return st.Raise == raised })
		if got := s.State(); got.Sheet == nil || *got.Sheet != want || got.Page != "" {
			t.Errorf("the window is asked for %+v on page %q, want %+v", got.Sheet, got.Page, want)
		}
	}
	strict := store.DefaultSettings()
	strict.RefuseWeakReasons = true

	var all []string
	for _, k := range kinds {
		s.must(t, with([]string{"activate", "--duration", "20m", "--reason", "x"}, k.easy...)...)
		s.must(t, with([]string{"favorites", "add", "The " + string(k.kind)}, k.ending...)...)
		all = append(all, "--also", strings.Join(k.ending, " "))
	}
	s.must(t, with([]string{"favorites", "add", "All", "acrpush"}, all...)...)
	if err := s.SaveSettings(t.Context(), strict); err != nil {
		t.Fatal(err)
	}
	choose := func(label string) func() {
		return func() { s.screen.chosen(s.screen.item(t, label).Action) }
	}
	id := func(name string) string {
		for _, f := range s.State().Favorites {
			if f.Name == name {
				return f.ID
			}
		}
		return ""
	}
	asked(t, choose("★ All"), local.Sheet{Favorite: id("All")})
	for _, k := range kinds {
		t.Run(string(k.kind), func(t *testing.T) {
			name := "The " + string(k.kind)
			asked(t, choose("★ "+name), local.Sheet{Favorite: id(name)})
			asked(t, func() { s.screen.chosen(view.ActivateFavorite{Account: account, Favorite: id(name)}) }, local.Sheet{Favorite: id(name)})

			st := s.State()
			for _, r := range st.Recent {
				if r.Role.Kind != k.kind {
					continue
				}
				key := r.Role.Key()
				for _, action := range []view.Action{view.Continue{Account: account, Key: key}, view.OpenContinue{Account: account, Key: key}} {
					asked(t, func() { s.screen.chosen(action) }, local.Sheet{Key: key, Continues: true})
				}
				for _, action := range []view.Action{view.Activate{Account: account, Key: key}, view.OpenSheet{Account: account, Key: key}} {
					asked(t, func() { s.screen.chosen(action) }, local.Sheet{Key: key})
				}
			}
		})
	}

	// The reminders' buttons ask how the roles go on, and once these have ended for their activation.
	s.screen.forgetNotes()
	s.tenant.Advance(10 * time.Minute)
	if err := s.SaveSettings(t.Context(), strict); err != nil {
		t.Fatal(err)
	}
	reminders := map[string]notify.Note{}
	for _, k := range kinds {
		for _, r := range s.State().Recent {
			if r.Role.Kind == k.kind {
				n := s.screen.note(t, r.Role.Name+" ends at")
				reminders[r.Role.Name] = n
				asked(t, func() { s.screen.acted(n.ID, actionReactivate) }, local.Sheet{Key: r.Role.Key(), Continues: true})
			}
		}
	}
	s.tenant.Advance(11 * time.Minute)
	s.must(t, "list", "--refresh")
	for _, r := range s.State().Recent {
		s.screen.note(t, r.Role.Name+" has ended")
		asked(t, func() { s.screen.acted(reminders[r.Role.Name].ID, actionReactivate) }, local.Sheet{Key: r.Role.Key()})
	}
	if len(reminders) != len(kinds) {
		t.Errorf("%d reminders", len(reminders))
	}
}
