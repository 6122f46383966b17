//go:build unix

package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"roletray/app/local"
	"roletray/app/view"
)

func TestWindow(t *testing.T) {
	dir := t.TempDir()
	count := filepath.Join(dir, "count")
	script := filepath.Join(dir, "window")
	// A stand-in for the window's program: it notes its start and waits for its end.
	write := func(body string) {
		if err := os.WriteFile(script, []byte("#!/bin/sh\necho started >> "+count+"\necho open\n"+body+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	fifo := filepath.Join(dir, "end")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	write("read line < " + fifo + "\nexit $line")
	s := start(t, func(p *Params) {
		p.WindowCommand = func() ([]string, error) { return []string{script}, nil }
	})
	s.must(t, "list")
	s.must(t, "window")
	s.must(t, "window")
	if n := s.State().Raise; n != 2 {
		t.Errorf("raise is %d, want 2", n)
	}
	s.screen.chosen(view.OpenSheet{Account: s.State().Accounts[0].Account.ID, Key: "k"})
	untilState(t, s, "the sheet is asked for", func(st *local.State) bool {
		return st.Sheet != nil && st.Sheet.Key == "k" && st.Raise == 3
	})
	// It crashes.
	if err := os.WriteFile(fifo, []byte("7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.screen.note(t, "The window ended unexpectedly")
	untilState(t, s, "a notice", func(st *local.State) bool {
		return slices.ContainsFunc(st.Notices, func(n local.Notice) bool { return n.ID == "window" })
	})
	s.must(t, "list")
	// It opens again, and the notice goes.
	s.must(t, "window")
	untilState(t, s, "no notice", func(st *local.State) bool {
		return !slices.ContainsFunc(st.Notices, func(n local.Notice) bool { return n.ID == "window" })
	})
	waitFor(t, "a second start", func() bool {
		data, err := os.ReadFile(count)
		return err == nil && strings.Count(string(data), "started") == 2
	})
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// TestWindowAskedForWhileItCloses has a window that has met only the first ask for it
// when it ends, though there was a second.
func TestWindowAskedForWhileItCloses(t *testing.T) {
	dir := t.TempDir()
	count, fifo := filepath.Join(dir, "count"), filepath.Join(dir, "end")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir, "window")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho started >> "+count+"\necho open\nread line < "+fifo+"\necho $line\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := start(t, func(p *Params) {
		p.WindowCommand = func() ([]string, error) { return []string{script}, nil }
	})
	starts := func(want int) {
		t.Helper()
		waitFor(t, "a start", func() bool {
			data, err := os.ReadFile(count)
			return err == nil && strings.Count(string(data), "started") == want
		})
	}
	closes := func(met string) {
		t.Helper()
		if err := os.WriteFile(fifo, []byte(met+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.must(t, "list")
	s.must(t, "window")
	starts(1)
	s.must(t, "window")
	closes("1")
	starts(2)
	// Closed before it has met anything, it still is what the person has closed.
	closes("0")
	waitFor(t, "the end", func() bool {
		s.Agent.mu.Lock()
		defer s.Agent.mu.Unlock()
		return !s.Agent.window.running
	})
	s.must(t, "window")
	starts(3)
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// TestWindowThatDoesNotOpen has whoever asks for a window learn why there is none, and one who
// asks while it still tries too.
func TestWindowThatDoesNotOpen(t *testing.T) {
	dir := t.TempDir()
	script, fifo := filepath.Join(dir, "window"), filepath.Join(dir, "go")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	body := "#!/bin/sh\nread line < " + fifo + "\necho 'driver: failed to open' >&2\necho 'There is no display here; use the command line.' >&2\nexit 1\n"
	if err := os.WriteFile(script, []byte(body), 0o700); err != nil {
		t.Fatal(err)
	}
	s := start(t, func(p *Params) {
		p.WindowCommand = func() ([]string, error) { return []string{script}, nil }
	})
	s.must(t, "list")
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			code, stdout, stderr := s.roletray(t, "window")
			if code != 1 || stdout != "" || stderr != "There is no display here; use the command line.\n" {
				t.Errorf("exit code %d: %q, %q", code, stdout, stderr)
			}
		})
	}
	waitFor(t, "both ask", func() bool { return s.State().Raise == 2 })
	s.must(t, "status") // Nobody else waits.
	if err := os.WriteFile(fifo, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	// The tray has no answer but a note.
	s.screen.chosen(view.Open{Page: view.PageSettings})
	if err := os.WriteFile(fifo, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := s.screen.note(t, "Roletray"); n.Body != "There is no display here; use the command line." {
		t.Errorf("the note says %q", n.Body)
	}
	if err := os.Remove(script); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the end of the last try", func() bool {
		s.Agent.mu.Lock()
		defer s.Agent.mu.Unlock()
		return !s.Agent.window.running
	})
	if code, _, stderr := s.roletray(t, "window"); code != 1 || !strings.Contains(stderr, "could not be started") {
		t.Errorf("no program: exit code %d: %s", code, stderr)
	}
}
