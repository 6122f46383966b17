package agent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"roletray/app/local"
	"roletray/app/notify"
	"roletray/app/view"
)

func TestDesktopWithoutAnything(t *testing.T) {
	var mu sync.Mutex
	var said []string
	s := start(t, func(p *Params) {
		p.Tell = func(line string) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, line)
		}
		p.Desktop = Desktop{
			Tray:     func(func(view.Action)) (Tray, error) { return nil, errors.New("there is no session bus") },
			Notifier: func(func(note, action string)) (Notifier, error) { return nil, notify.ErrUnavailable },
		}
	})
	s.must(t, "activate", "contributor", "sandbox", "--reason", "x")
	state := s.State()
	for _, id := range []string{"tray", "notifications"} {
		i := slices.IndexFunc(state.Notices, func(n local.Notice) bool { return n.ID == id })
		if i < 0 {
			t.Fatalf("nothing is said about the %s: %+v", id, state.Notices)
		}
		mu.Lock()
		if !slices.Contains(said, state.Notices[i].Text) {
			t.Errorf("%q was not said to whoever started it", state.Notices[i].Text)
		}
		mu.Unlock()
	}
	if state.TrayHosted {
		t.Error("there is no tray and it counts as hosted")
	}
	if code, _, stderr := s.roletray(t, "window"); code != 1 || !strings.Contains(stderr, "no window") {
		t.Errorf("window: exit code %d: %s", code, stderr)
	}
}

func TestTrayHostComesAndGoes(t *testing.T) {
	changes := make(chan bool)
	s := start(t, func(p *Params) {
		p.Desktop.TrayHosted = func(ctx context.Context, changed func(bool)) error {
			for {
				select {
				case hosted := <-changes:
					changed(hosted)
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
	})
	for _, hosted := range []bool{true, false, true} {
		changes <- hosted
		untilState(t, s, "the tray", func(st *local.State) bool { return st.TrayHosted == hosted })
	}
}

func TestTrayWithoutItsBus(t *testing.T) {
	s := start(t, func(p *Params) {
		p.Desktop.TrayHosted = func(context.Context, func(bool)) error { return errors.New("the bus is gone") }
	})
	untilState(t, s, "a notice", func(st *local.State) bool {
		return slices.ContainsFunc(st.Notices, func(n local.Notice) bool { return n.ID == "tray" && n.Details == "the bus is gone" })
	})
}

// TestChoicesThatFail shows each failure to the person.
func TestChoicesThatFail(t *testing.T) {
	s := start(t, nil)
	s.must(t, "list")
	account := s.State().Accounts[0].Account.ID
	for _, tt := range []struct {
		action view.Action
		says   string
	}{
		{view.CancelRequest{Account: account, Request: "none"}, "Refresh the list"},
		{view.Deactivate{Account: "nobody", Key: "k"}, "not signed in"},
		{view.Open{Page: view.PageRoles}, "no window"},
		{view.Activate{Account: account, Key: "k"}, "no window"},
	} {
		s.screen.forgetNotes()
		s.screen.chosen(tt.action)
		if n := s.screen.note(t, "Roletray"); !strings.Contains(n.Body, tt.says) {
			t.Errorf("%#v: the note says %q, want %q", tt.action, n.Body, tt.says)
		}
	}
	s.screen.chosen(view.Quit{})
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}
