package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roletray/pim"
	"roletray/pim/store"
)

func TestSettings(t *testing.T) {
	f := store.OpenSettings(t.TempDir())
	s, err := f.Load()
	if err != nil || !slices.Equal(s.Reminders, []time.Duration{15 * time.Minute, 5 * time.Minute}) || s.Duration != time.Hour || s.CloseEndsAgent {
		t.Errorf("defaults %+v, %v", s, err)
	}
	s.Reminders = nil
	if err := f.Save(s); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Load(); err != nil || len(got.Reminders) != 0 {
		t.Errorf("no reminders became %v, %v", got.Reminders, err)
	}
	s.Duration = 0
	if err := f.Save(s); err == nil {
		t.Error("saved settings that are not valid")
	}
	if got, _ := f.Load(); got.Duration != time.Hour {
		t.Errorf("a refused save left %v", got.Duration)
	}
}

func TestDamagedSettingsAreTheDefaults(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "settings.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.OpenSettings(dir).Load()
	if diff := cmp.Diff(store.DefaultSettings(), s); diff != "" || !isDamaged(err) {
		t.Errorf("%v, %s", err, diff)
	}
}

func TestSettingsBounds(t *testing.T) {
	const hour = time.Hour
	for _, tt := range []struct {
		name  string
		in    store.Settings
		valid bool
		want  store.Settings
	}{
		{"fine", store.Settings{Reminders: []time.Duration{hour, time.Minute}, Duration: hour}, true, store.Settings{Reminders: []time.Duration{hour, time.Minute}, Duration: hour}},
		{"unknown appearance", store.Settings{Reminders: []time.Duration{}, Duration: hour, Appearance: "pink"}, false, store.Settings{Reminders: []time.Duration{}, Duration: hour}},
		{"zero", store.Settings{}, false, store.Settings{Reminders: []time.Duration{}, Duration: hour}},
		{"too short and too long", store.Settings{Reminders: []time.Duration{0, 48 * hour}, Duration: time.Second}, false, store.Settings{Reminders: []time.Duration{24 * hour, time.Minute}, Duration: 5 * time.Minute}},
		{"too many, out of order, twice", store.Settings{Reminders: []time.Duration{1 * hour, 2 * hour, 2 * hour, 3 * hour, 4 * hour, 5 * hour, 6 * hour}, Duration: 48 * hour}, false, store.Settings{Reminders: []time.Duration{6 * hour, 5 * hour, 4 * hour, 3 * hour, 2 * hour}, Duration: 24 * hour}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.in.Validate(); (err == nil) != tt.valid {
				t.Errorf("Validate: %v", err)
			}
			got := tt.in.Clamp()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if err := got.Validate(); err != nil {
				t.Errorf("what Clamp returns: %v", err)
			}
		})
	}
}

func TestAccountIDsAreFileNames(t *testing.T) {
	for _, id := range []string{"", ".", "..", "../x", "a/b", `a\b`, "a b", "ä", ".hidden"} {
		if _, err := store.OpenAccount(t.TempDir(), id); err == nil {
			t.Errorf("%q is taken", id)
		}
		if err := store.RemoveAccount(t.TempDir(), id, true); err == nil {
			t.Errorf("%q is removed", id)
		}
	}
	if _, err := store.OpenAccount(t.TempDir(), "0af3.b-c_D"); err != nil {
		t.Error(err)
	}
}

func TestRemoveAccount(t *testing.T) {
	dir := t.TempDir()
	for _, id := range []string{"a", "b"} {
		files, err := store.OpenAccount(dir, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{
			files.History.Save([]store.Entry{{ID: "1"}}), files.Recent.Save(nil), files.Journal.Save(nil),
			files.Snapshot.Save(&pim.Snapshot{}), files.Policies.Save(nil),
			os.WriteFile(files.Journal.Path()+".damaged-20260101T000000Z", nil, 0o600),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	left := func(id string) []string {
		var names []string
		entries, _ := os.ReadDir(filepath.Join(dir, "accounts", id))
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	if err := store.RemoveAccount(dir, "a", false); err != nil || !slices.Equal(left("a"), []string{"history.json"}) {
		t.Errorf("%v, left %v", err, left("a"))
	}
	if err := store.RemoveAccount(dir, "a", true); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "accounts", "a")); !os.IsNotExist(err) {
		t.Errorf("the folder: %v", err)
	}
	if err := store.RemoveAccount(dir, "a", true); err != nil {
		t.Errorf("once more: %v", err)
	}
	if len(left("b")) != 6 {
		t.Errorf("the other account has %v", left("b"))
	}
}

func TestLeftoversOfACrashGo(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "accounts", "a")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"history.json", "history.json123456", "history.json.damaged-20260101T000000Z"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.OpenAccount(dir, "a"); err != nil {
		t.Fatal(err)
	}
	var names []string
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"history.json", "history.json.damaged-20260101T000000Z"}; !slices.Equal(names, want) {
		t.Errorf("left %v, want %v", names, want)
	}
}

func TestPutEntry(t *testing.T) {
	var entries []store.Entry
	for i := range store.MaxHistory {
		entries = append(entries, store.Entry{ID: fmt.Sprint(i)})
	}
	for i := range 5 {
		entries = store.PutEntry(entries, store.Entry{ID: fmt.Sprint(store.MaxHistory + i)})
	}
	if len(entries) != store.MaxHistory || entries[0].ID != "5" {
		t.Fatalf("%d entries, the first %s", len(entries), entries[0].ID)
	}
	changed := store.PutEntry(entries, store.Entry{ID: "6", Client: "cli"})
	if len(changed) != store.MaxHistory || changed[1].Client != "cli" || entries[1].Client != "" {
		t.Errorf("%d entries, now %+v, before %+v", len(changed), changed[1], entries[1])
	}
}

func TestPutRecent(t *testing.T) {
	role := func(i int) pim.Role { return pim.Role{Kind: pim.KindAzure, DefinitionID: fmt.Sprint(i)} }
	var recent []store.Recent
	for i := range store.MaxRecent + 3 {
		recent = store.PutRecent(recent, store.Recent{Role: role(i)})
	}
	if len(recent) != store.MaxRecent || recent[0].Role != role(store.MaxRecent+2) {
		t.Fatalf("%d recent, the first %+v", len(recent), recent[0])
	}
	again := store.PutRecent(recent, store.Recent{Role: role(10), Duration: time.Hour})
	if len(again) != store.MaxRecent || again[0].Duration != time.Hour || again[1].Role != recent[0].Role {
		t.Errorf("%d recent: %+v", len(again), again[:2])
	}
}
