package tray_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"log/slog"
	"os"
	"testing"
	"time"

	"roletray/app/desktoptest"
	"roletray/app/tray"
	"roletray/app/view"
	"roletray/assets"
)

func receive[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(desktoptest.Patience):
		t.Fatalf("waited for %s", what)
		panic("unreachable")
	}
}

func menu(end string, active bool) []view.Item {
	var items []view.Item
	if active {
		items = append(items,
			view.Item{ID: "active|a", Label: "Contributor · rg_prod " + end, Enabled: true, Children: []view.Item{
				{ID: "deactivate|a", Label: "Deactivate", Enabled: end != "until 15:20", Action: view.Deactivate{Account: "1", Key: "a"}},
			}},
			view.Item{ID: "line", Separator: true})
	}
	return append(items,
		view.Item{ID: "recent|b", Label: "↻ Owner · 2 h", Enabled: true, Action: view.Activate{Account: "1", Key: "b"}},
		view.Item{ID: "quit", Label: "Quit", Enabled: true, Action: view.Quit{}})
}

// TestTray is one test, since a process has one tray.
func TestTray(t *testing.T) {
	desktoptest.PrivateBus(t)
	desktoptest.ServeTrayHost(t)

	chosen := make(chan view.Action, 8)
	tr, err := tray.New(tray.Params{Name: "Roletray", Chosen: func(a view.Action) { chosen <- a }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	tr.Show(view.Tray{Icon: view.IconIdle, Tooltip: "Roletray: nothing is active", Menu: menu("", false)})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tr.Run(ctx)
	}()
	defer func() {
		stop()
		receive(t, "the tray to end", ended)
	}()

	got := desktoptest.FindTray(t, os.Getpid())
	got.WaitEntry("↻ Owner · 2 h")
	if got.Title() != "Roletray" {
		t.Errorf("title %q", got.Title())
	}
	if _, text := got.Tooltip(); text != "Roletray: nothing is active" {
		if title, _ := got.Tooltip(); title != "Roletray: nothing is active" {
			t.Errorf("tooltip %q %q", title, text)
		}
	}
	wantIcon(t, got, "idle")
	got.Click("↻ Owner · 2 h")
	if a := receive(t, "the click", chosen); a != (view.Activate{Account: "1", Key: "b"}) {
		t.Errorf("a click meant %#v", a)
	}

	// Another shape.
	tr.Show(view.Tray{Icon: view.IconActive, Tooltip: "Contributor", Menu: menu("until 15:20", true)})
	if e := got.WaitEntry("Contributor · rg_prod until 15:20", "Deactivate"); e.Enabled {
		t.Error("a disabled entry can be chosen")
	}
	wantIcon(t, got, "active")

	// The same shape with other words: entries stay and change.
	tr.Show(view.Tray{Icon: view.IconActive, Tooltip: "Contributor", Menu: menu("until 16:20", true)})
	if e := got.WaitEntry("Contributor · rg_prod until 16:20", "Deactivate"); !e.Enabled {
		t.Error("an entry stayed disabled")
	}
	got.Click("Contributor · rg_prod until 16:20", "Deactivate")
	if a := receive(t, "the click", chosen); a != (view.Deactivate{Account: "1", Key: "a"}) {
		t.Errorf("a click meant %#v", a)
	}
	got.Click("Quit")
	if a := receive(t, "the click", chosen); a != (view.Quit{}) {
		t.Errorf("a click meant %#v", a)
	}
}

func wantIcon(t *testing.T, tr *desktoptest.Tray, state string) {
	t.Helper()
	b, err := assets.TrayPNG(state, assets.OnDark)
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	desktoptest.Eventually(t, "the icon of "+state, func() error {
		got := tr.Icon()
		if got == nil || got.Bounds().Size() != want.Bounds().Size() {
			return errors.New("no icon of that size")
		}
		for y := range want.Bounds().Dy() {
			for x := range want.Bounds().Dx() {
				if !sameColour(got, want, x, y) {
					return fmt.Errorf("differs at %d,%d", x, y)
				}
			}
		}
		return nil
	})
}

// sameColour compares what is opaque; transparent pixels have no colour.
func sameColour(a, b image.Image, x, y int) bool {
	_, _, _, aa := a.At(x, y).RGBA()
	_, _, _, ba := b.At(x, y).RGBA()
	if aa>>8 != ba>>8 {
		return false
	}
	if aa>>8 != 0xff {
		return true
	}
	return a.At(x, y) == b.At(x, y) || fmt.Sprint(a.At(x, y).RGBA()) == fmt.Sprint(b.At(x, y).RGBA())
}

func TestWatchHost(t *testing.T) {
	desktoptest.PrivateBus(t)
	ctx, stop := context.WithCancel(t.Context())
	hosted := make(chan bool, 8)
	ended := make(chan error, 1)
	go func() { ended <- tray.WatchHost(ctx, func(h bool) { hosted <- h }) }()
	if receive(t, "the first answer", hosted) {
		t.Error("an empty bus has a host")
	}
	host := desktoptest.ServeTrayHost(t)
	if !receive(t, "the host's arrival", hosted) {
		t.Error("the host was not seen")
	}
	host.Close()
	if receive(t, "the host's end", hosted) {
		t.Error("the host's end was not seen")
	}
	stop()
	if err := receive(t, "the end", ended); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestNoSessionBusMeansNoTray(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if tray.Available() == nil {
		t.Fatal("a tray without a session bus")
	}
	tr, err := tray.New(tray.Params{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	tr.Show(view.Tray{})
	tr.Run(ctx) // returns, though there is nothing to run
}
