package desktoptest

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Window is a window on the session's screen.
type Window struct {
	t  testing.TB
	id string
}

// FindWindow waits until a window with exactly that title is visible.
func FindWindow(t testing.TB, title string) *Window {
	t.Helper()
	w := &Window{t: t}
	Eventually(t, fmt.Sprintf("a visible window %q", title), func() error {
		ids, err := windows(title)
		if err != nil {
			return err
		}
		w.id = ids[0]
		return nil
	})
	return w
}

// WaitNoWindow waits until no window with exactly that title is visible.
func WaitNoWindow(t testing.TB, title string) {
	t.Helper()
	Eventually(t, fmt.Sprintf("no visible window %q", title), func() error {
		if ids, err := windows(title); err == nil {
			return fmt.Errorf("there is %v", ids)
		}
		return nil
	})
}

// windows returns at least one id, or an error.
func windows(title string) ([]string, error) {
	out, err := tool("xdotool", "search", "--onlyvisible", "--name", "^"+regexp.QuoteMeta(title)+"$")
	if err != nil {
		return nil, err
	}
	ids := strings.Fields(out)
	if len(ids) == 0 {
		return nil, errors.New("none is visible")
	}
	return ids, nil
}

func (w *Window) do(name string, args ...string) string {
	w.t.Helper()
	out, err := tool(name, args...)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// Size returns width and height of the content, in pixels.
func (w *Window) Size() image.Point {
	w.t.Helper()
	values := map[string]int{}
	for line := range strings.Lines(w.do("xdotool", "getwindowgeometry", "--shell", w.id)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if n, err := strconv.Atoi(value); err == nil {
			values[name] = n
		}
	}
	return image.Pt(values["WIDTH"], values["HEIGHT"])
}

// Resize asks for a size and waits until the window has it.
func (w *Window) Resize(size image.Point) {
	w.t.Helper()
	w.do("xdotool", "windowsize", w.id, strconv.Itoa(size.X), strconv.Itoa(size.Y))
	Eventually(w.t, fmt.Sprintf("a window of %v", size), func() error {
		if got := w.Size(); got != size {
			return fmt.Errorf("it is %v", got)
		}
		return nil
	})
}

// Focus raises the window and gives it the keyboard.
func (w *Window) Focus() {
	w.t.Helper()
	w.do("xdotool", "windowactivate", "--sync", w.id)
}

// Type types ASCII text into the window.
func (w *Window) Type(text string) {
	w.t.Helper()
	w.Focus()
	w.do("env", "LANG=C.UTF-8", "xdotool", "type", "--delay", "20", "--", text)
}

// Key presses keys by their X names, such as "Return" or "ctrl+f".
func (w *Window) Key(names ...string) {
	w.t.Helper()
	w.Focus()
	w.do("xdotool", append([]string{"key", "--delay", "20", "--"}, names...)...)
}

// Click clicks with the first mouse button at a point of the content.
func (w *Window) Click(at image.Point) {
	w.t.Helper()
	// Without the pause the click can land where the pointer was before.
	w.do("xdotool", "mousemove", "--window", w.id, strconv.Itoa(at.X), strconv.Itoa(at.Y), "sleep", "0.2", "click", "1")
}

// Close asks the window to close, as its button does.
func (w *Window) Close() {
	w.t.Helper()
	id, err := strconv.ParseUint(w.id, 10, 32)
	if err != nil {
		w.t.Fatalf("window id: %v", err)
	}
	w.do("wmctrl", "-i", "-c", fmt.Sprintf("0x%x", id))
}

// Screenshot writes a picture of the window as PNG.
func (w *Window) Screenshot(path string) {
	w.t.Helper()
	w.do("import", "-window", w.id, pngPath(w.t, path))
}

// Screenshot writes a picture of the whole screen as PNG.
func Screenshot(t testing.TB, path string) {
	t.Helper()
	if _, err := tool("import", "-window", "root", pngPath(t, path)); err != nil {
		t.Fatal(err)
	}
}

// pngPath makes the folder of a picture, and keeps import from guessing the format.
func pngPath(t testing.TB, path string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	return "png:" + path
}

// Dismiss presses Escape in every visible window of that title until there is none, as for
// questions that a program may or may not have asked.
func Dismiss(t testing.TB, title string) {
	t.Helper()
	Eventually(t, "the end of "+title, func() error {
		ids, err := windows(title)
		if err != nil || len(ids) == 0 {
			return nil
		}
		if _, err := tool("xdotool", "windowactivate", "--sync", ids[0], "key", "Escape"); err != nil {
			return err
		}
		return fmt.Errorf("%d are there", len(ids))
	})
}
