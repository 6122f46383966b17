//go:build unix

package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
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
		if err := os.WriteFile(script, []byte("#!/bin/sh\necho started >> "+count+"\n"+body+"\n"), 0o700); err != nil {
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
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho started >> "+count+"\nread line < "+fifo+"\necho $line\n"), 0o700); err != nil {
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
