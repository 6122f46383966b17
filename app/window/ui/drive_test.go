//go:build !nowindow

package ui_test

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"roletray/app/view"
	"roletray/pim"
)

func typeName(o any) string { return fmt.Sprintf("%T", o) }

// typeInto types into the field that has the focus.
func (u *opened) typeInto(text string) {
	u.t.Helper()
	f := u.window.Canvas().Focused()
	if f == nil {
		u.t.Fatal("nothing has the focus")
	}
	for _, r := range text {
		f.TypedRune(r)
	}
}

// search types into the search field, which has the focus.
func (u *opened) search(text string) {
	u.t.Helper()
	u.typeInto(text)
}

// shortcut presses Ctrl, or Cmd on a Mac, with a key.
func (u *opened) shortcut(key fyne.KeyName) {
	s := &desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault}
	if f, ok := u.window.Canvas().Focused().(fyne.Shortcutable); ok {
		f.TypedShortcut(s)
		return
	}
	if c, ok := u.window.Canvas().(fyne.Shortcutable); ok {
		c.TypedShortcut(s)
	}
}

// mark marks the rows with these numbers with the cursor and Space.
func (u *opened) mark(rows ...int) {
	at := 0
	u.key(fyne.KeyHome)
	for _, r := range rows {
		for ; at < r; at++ {
			u.key(fyne.KeyDown)
		}
		u.key(fyne.KeySpace)
	}
}

// sheet opens the sheet of the eligible role with that name.
func (u *opened) sheet(name string) {
	u.t.Helper()
	u.search(name)
	if !u.tapIn("Activate…", name) {
		u.t.Fatalf("no way to activate %s; there is %q", name, u.texts())
	}
}

// textsOf are the texts that an object shows.
func (u *opened) textsOf(o fyne.CanvasObject) map[string]bool {
	texts := map[string]bool{}
	walk(placed{object: o}, func(p placed) {
		if c, ok := p.object.(*canvas.Text); ok {
			texts[c.Text] = true
		}
	})
	return texts
}

// offer chooses what a role offers beside its button, or by it.
func (u *opened) offer(key pim.Key, verb string) {
	u.t.Helper()
	for _, r := range u.Rows() {
		for _, o := range append(r.More, view.Offer{Verb: r.Verb, Action: r.Action}) {
			if r.Key == key && o.Verb == verb {
				u.Act(o.Action)
				return
			}
		}
	}
	u.t.Fatalf("%s does not offer %q", key, verb)
}
