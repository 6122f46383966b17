package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"roletray/app/cli"
	"roletray/app/local"
	"roletray/app/notify"
	"roletray/app/view"
	"roletray/assets/translations"
	"roletray/pim"
	"roletray/pim/keychain/keychaintest"
	"roletray/pim/store"
)

const patience = 30 * time.Second

// screen is a desktop that remembers what it was shown.
type screen struct {
	mu     sync.Mutex
	tray   view.Tray
	notes  []notify.Note
	shown  chan struct{}
	chosen func(view.Action)
	acted  func(note, action string)
}

func newScreen() *screen { return &screen{shown: make(chan struct{}, 1)} }

func (s *screen) desktop() Desktop {
	return Desktop{
		Tray:       func(chosen func(view.Action)) (Tray, error) { s.chosen = chosen; return s, nil },
		TrayHosted: func(ctx context.Context, changed func(bool)) error { changed(true); <-ctx.Done(); return ctx.Err() },
		Notifier:   func(acted func(note, action string)) (Notifier, error) { s.acted = acted; return s, nil },
	}
}

func (s *screen) Run(ctx context.Context) { <-ctx.Done() }

func (s *screen) Show(t view.Tray) {
	s.mu.Lock()
	s.tray = t
	s.mu.Unlock()
	s.ring()
}

func (s *screen) Send(_ context.Context, n notify.Note) error {
	s.mu.Lock()
	s.notes = append(s.notes, n)
	s.mu.Unlock()
	s.ring()
	return nil
}

func (s *screen) Withdraw(context.Context, string) error { return nil }

func (s *screen) Close() error { return nil }

func (s *screen) ring() {
	select {
	case s.shown <- struct{}{}:
	default:
	}
}

// until waits for something on the screen.
func (s *screen) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		done := ok()
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-s.shown:
		case <-deadline:
			s.mu.Lock()
			defer s.mu.Unlock()
			t.Fatalf("%s: not within %s; the notes are %+v, the tray %+v", what, patience, s.notes, s.tray)
		}
	}
}

// note waits for a note whose title has that text, and returns the newest.
func (s *screen) note(t *testing.T, title string) notify.Note {
	t.Helper()
	var found notify.Note
	s.until(t, "a note "+title, func() bool {
		for _, n := range s.notes {
			if strings.Contains(n.Title, title) {
				found = n
			}
		}
		return found.Title != ""
	})
	return found
}

func (s *screen) forgetNotes() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = nil
}

// item waits for an enabled entry of the tray's menu whose label has that text.
func (s *screen) item(t *testing.T, label string) view.Item {
	t.Helper()
	var found view.Item
	var look func(items []view.Item) bool
	look = func(items []view.Item) bool {
		return slices.ContainsFunc(items, func(i view.Item) bool {
			if strings.Contains(i.Label, label) && i.Enabled {
				found = i
				return true
			}
			return look(i.Children)
		})
	}
	s.until(t, "an entry "+label, func() bool { return look(s.tray.Menu) })
	return found
}

// running is an agent in this process.
type started struct {
	*Agent
	screen  *screen
	ring    *keychaintest.Ring
	profile string
	pages   chan string
	stop    func() error
}

// start runs an agent, to be stopped at the end of the test or before.
func start(t *testing.T, change func(*Params)) *started {
	t.Helper()
	s := &started{screen: newScreen(), ring: new(keychaintest.Ring), profile: t.TempDir(), pages: make(chan string, 8)}
	words, err := translations.For("en")
	if err != nil {
		t.Fatal(err)
	}
	p := Params{
		Profile: s.profile, Build: "test", Demo: true, Ring: s.ring, Desktop: s.screen.desktop(), Words: words,
		OpenBrowser: func(url string) error { s.pages <- url; return nil },
	}
	if change != nil {
		change(&p)
	}
	s.profile = p.Profile
	if err := local.PrepareProfile(p.Profile); err != nil {
		t.Fatal(err)
	}
	if p.Instance, err = local.Acquire(p.Profile); err != nil {
		t.Fatal(err)
	}
	if s.Agent, err = New(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	s.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			panic("the agent does not end")
		}
	})
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("the agent ended with %v", err)
		}
	})
	return s
}

// roletray carries out a command line.
func (s *started) roletray(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return commandLine(ctx, s.profile, args...)
}

func commandLine(ctx context.Context, profile string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = cli.Run(ctx, cli.Params{
		Version: "test", Stdout: &out, Stderr: &errs, Location: time.UTC,
		StartAgent: func(context.Context, string, []string) error { return local.ErrNoAgent },
	}, append(args, "--profile", profile))
	return code, out.String(), errs.String()
}

func (s *started) must(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := s.roletray(t, args...)
	if code != 0 {
		t.Fatalf("roletray %s: exit code %d: %s%s", strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

type listed struct {
	Roles []struct{ State, Role, Scope, ScopeID string }
}

func (s *started) active(t *testing.T, role, scope string) bool {
	t.Helper()
	var l listed
	if err := json.Unmarshal([]byte(s.must(t, "list", "--active", "--json")), &l); err != nil {
		t.Fatal(err)
	}
	for _, r := range l.Roles {
		if r.State != "active" {
			t.Errorf("list --active has %+v", r)
		}
		if r.Role == role && r.Scope == scope {
			return true
		}
	}
	return false
}

func TestDemoFromTheFirstStartToSigningOut(t *testing.T) {
	s := start(t, nil)
	var l listed
	if err := json.Unmarshal([]byte(s.must(t, "list", "--json")), &l); err != nil {
		t.Fatal(err)
	}
	if len(l.Roles) < 25 {
		t.Errorf("%d roles, want the demo company's", len(l.Roles))
	}
	out := s.must(t, "activate", "contributor", "sandbox", "--duration", "30m", "--reason", "a secret justification")
	if !strings.Contains(out, "Contributor · Development Sandbox is active until") {
		t.Errorf("activate said %q", out)
	}
	if !s.active(t, "Contributor", "Development Sandbox") {
		t.Error("the role is not listed as active")
	}
	n := s.screen.note(t, "Contributor is active until")
	if !strings.Contains(n.Body, "asked for by cli (") {
		t.Errorf("the note %q does not tell who asked", n.Body)
	}
	s.screen.item(t, "Contributor · Development Sandbox · until")
	if code, _, stderr := s.roletray(t, "deactivate", "contributor"); code != 1 || !strings.Contains(stderr, "first five minutes") {
		t.Errorf("deactivate: exit code %d: %s", code, stderr)
	}
	history, err := s.History(t.Context(), local.HistoryRequest{})
	if err != nil || len(history.Entries) == 0 || !strings.Contains(history.Entries[0].Client, "process") {
		t.Errorf("history %+v, %v", history, err)
	}
	select {
	case url := <-s.pages:
		t.Errorf("a browser opened at %s", url)
	default:
	}

	t.Run("a second agent is refused", func(t *testing.T) {
		if in, err := local.Acquire(s.profile); err == nil {
			_ = in.Close()
			t.Error("two agents for one profile")
		}
	})
	t.Run("nothing real", func(t *testing.T) {
		for args, says := range map[string]string{"signin --cloud public": "has no other cloud", "signin --azure-cli": "touches nothing real"} {
			if code, _, stderr := s.roletray(t, strings.Fields(args)...); code != 2 || !strings.Contains(stderr, says) {
				t.Errorf("%s: exit code %d: %s", args, code, stderr)
			}
		}
	})
	t.Run("no secret outside the keychain", func(t *testing.T) {
		if len(s.ring.Items()) == 0 {
			t.Error("the keychain is empty")
		}
		noSecrets(t, s.profile)
	})
	t.Run("sign out and in", func(t *testing.T) {
		s.must(t, "signout", "--forget-history")
		if items := s.ring.Items(); len(items) != 0 {
			t.Errorf("the keychain still has %d items", len(items))
		}
		if left, _ := filepath.Glob(filepath.Join(s.profile, "accounts", "*")); len(left) != 0 {
			t.Errorf("files are left: %v", left)
		}
		s.screen.item(t, "Sign in…")
		if code, _, _ := s.roletray(t, "list"); code != 4 {
			t.Errorf("list: exit code %d, want 4", code)
		}
		browse := s.tenant.Browser("")
		page := make(chan error, 1)
		go func() { page <- browse(<-s.pages) }()
		if out := s.must(t, "signin"); !strings.Contains(out, "Signed in as") {
			t.Errorf("signin said %q", out)
		}
		if err := <-page; err != nil {
			t.Error(err)
		}
		if !s.active(t, "Contributor", "Development Sandbox") {
			t.Error("the role is not listed as active any more")
		}
	})
	t.Run("quit", func(t *testing.T) {
		s.must(t, "quit")
		if err := s.stop(); err != nil {
			t.Error(err)
		}
		if _, err := local.Dial(t.Context(), s.profile, "cli"); err == nil {
			t.Error("somebody still answers")
		}
	})
}

// noSecrets reads every file of a profile.
func noSecrets(t *testing.T, profile string) {
	t.Helper()
	err := filepath.WalkDir(profile, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return unlessGone(err)
		}
		info, err := d.Info()
		if err != nil {
			return unlessGone(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return unlessGone(err)
		}
		if bytes.Contains(data, []byte("eyJ")) || bytes.Contains(data, []byte("refresh_token")) {
			t.Errorf("%s has a token", path)
		}
		if strings.Contains(path, "log") && bytes.Contains(data, []byte("secret justification")) {
			t.Errorf("%s has a justification", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReminderAndItsButton(t *testing.T) {
	s := start(t, func(p *Params) { p.Speed = 300 })
	for _, k := range kinds {
		t.Run(string(k.kind), func(t *testing.T) {
			s.screen.forgetNotes()
			s.must(t, with([]string{"activate", "--duration", "20m", "--reason", "x"}, k.easy...)...)
			n := s.screen.note(t, k.role+" ends at")
			if len(n.Actions) != 2 || n.Actions[0].ID != actionReactivate || n.Actions[1].ID != actionOpen {
				t.Fatalf("the reminder has the buttons %+v", n.Actions)
			}
			if !strings.Contains(n.Body, k.scope+" · ") || !strings.HasSuffix(n.Body, " left") {
				t.Errorf("the reminder says %q", n.Body)
			}
			s.screen.forgetNotes()
			s.screen.acted(n.ID, actionReactivate)
			s.screen.note(t, k.role+" continues at")
			s.screen.note(t, k.role+" is active until")
			if !s.active(t, k.role, k.scope) {
				t.Error("the role is not active again")
			}
		})
	}
}

func TestEndIsTold(t *testing.T) {
	s := start(t, func(p *Params) { p.Speed = 600 })
	if err := s.SaveSettings(t.Context(), func() store.Settings {
		d := store.DefaultSettings()
		d.Reminders = nil
		return d
	}()); err != nil {
		t.Fatal(err)
	}
	s.must(t, "activate", "contributor", "sandbox", "--duration", "10m", "--reason", "x")
	n := s.screen.note(t, "Contributor has ended")
	s.screen.forgetNotes()
	s.screen.acted(n.ID, actionReactivate)
	s.screen.note(t, "Contributor is active until")
	s.screen.forgetNotes()
	s.screen.note(t, "Contributor has ended")

	// A recent role in the tray sends at once with its stored answers.
	item := s.screen.item(t, "↻ Contributor")
	if _, ok := item.Action.(view.Activate); !ok {
		t.Fatalf("the recent role's action is %#v", item.Action)
	}
	s.screen.forgetNotes()
	s.screen.chosen(item.Action)
	s.screen.note(t, "Contributor is active until")
}

func untilState(t *testing.T, s *started, what string, ok func(*local.State) bool) {
	t.Helper()
	c, err := local.Dial(t.Context(), s.profile, "window")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// Some things are only looked at again after half a minute.
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	for st, err := range c.Watch(ctx) {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if ok(st) {
			return
		}
	}
}

func TestProfilesOfDemoAndRealDoNotMix(t *testing.T) {
	words, err := translations.For("en")
	if err != nil {
		t.Fatal(err)
	}
	try := func(profile string, demo bool) error {
		if err := local.PrepareProfile(profile); err != nil {
			t.Fatal(err)
		}
		a, err := New(t.Context(), Params{Profile: profile, Demo: demo, Ring: new(keychaintest.Ring), Words: words, Cloud: pim.Clouds()[0]})
		if err != nil {
			return err
		}
		a.signin.Close()
		return a.closeTenant()
	}
	demo, used := t.TempDir(), t.TempDir()
	if err := try(demo, true); err != nil {
		t.Fatal(err)
	}
	if err := try(demo, true); err != nil {
		t.Errorf("the demo's own profile: %v", err)
	}
	if err := try(demo, false); err == nil || !strings.Contains(err.Error(), "add --demo") {
		t.Errorf("real accounts in the demo's profile: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(used, "accounts", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(used, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := try(used, true); err == nil || !strings.Contains(err.Error(), "real accounts") {
		t.Errorf("the demo in a real profile: %v", err)
	}
}

func TestSettings(t *testing.T) {
	profile := t.TempDir()
	if err := os.Chmod(profile, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(profile, "settings.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, func(p *Params) { p.Profile = profile })
	s.must(t, "list")
	if out := s.must(t, "status"); !strings.Contains(out, "settings was damaged; it was moved aside") {
		t.Errorf("status says %q", out)
	}
	if aside, _ := filepath.Glob(path + ".damaged-*"); len(aside) != 1 {
		t.Errorf("moved aside: %v", aside)
	}
	quiet := store.DefaultSettings()
	quiet.CommandLineReads = true
	if err := s.SaveSettings(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"activate", "contributor", "sandbox", "--reason", "x"},
		{"signout"},
		{"extend", "contributor", "warehouse", "--reason", "x"},
		{"favorites", "add", "x", "contributor", "sandbox"},
	} {
		if code, _, stderr := s.roletray(t, args...); code != 1 || !strings.Contains(stderr, "only read") {
			t.Errorf("%v with read-only settings: exit code %d: %s", args, code, stderr)
		}
	}
	for _, args := range [][]string{{"list"}, {"approvals"}, {"history"}, {"favorites"}, {"scopes", "reader", "halden freight"}, {"check", "contributor", "sandbox", "--reason", "x"}} {
		s.must(t, args...)
	}
	c, err := local.Dial(t.Context(), s.profile, "window")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SaveSettings(t.Context(), store.DefaultSettings()); err == nil {
		t.Error("a program that only calls itself the window changed the settings")
	}
	err = s.SaveSettings(t.Context(), store.Settings{Duration: time.Second})
	if err == nil || !strings.Contains(err.Error(), "between 5 minutes and 24 hours.") {
		t.Errorf("SaveSettings = %v, want a sentence", err)
	}
}

// unlessGone forgives a file that went while the folder was read: locks come and go.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
