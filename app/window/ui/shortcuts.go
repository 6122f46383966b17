//go:build !nowindow

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"roletray/app/view"
)

// shortcuts is the one table of what Ctrl, or Cmd on a Mac, does with a key.
func (u *UI) shortcuts() map[fyne.KeyName]func() {
	return map[fyne.KeyName]func(){
		fyne.KeyF:     u.findShortcut,
		fyne.KeyR:     u.refresh,
		fyne.KeyW:     u.p.Window.Close,
		fyne.KeyQ:     u.p.Window.Close,
		fyne.KeyComma: func() { u.closeSheet(); u.Show(view.PageSettings) },
		fyne.KeyReturn: func() {
			if u.sheet != nil {
				u.sheet.submit()
			}
		},
		fyne.Key1: func() { u.closeSheet(); u.Show(view.PageRoles) },
		fyne.Key2: func() { u.closeSheet(); u.Show(view.PageRequests) },
		fyne.Key3: func() { u.closeSheet(); u.Show(view.PageApprovals) },
		fyne.Key4: func() { u.closeSheet(); u.Show(view.PageHistory) },
	}
}

func (u *UI) addShortcuts() {
	c := u.p.Window.Canvas()
	for key, f := range u.shortcuts() {
		c.AddShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) { f() })
	}
	c.SetOnTypedKey(func(ev *fyne.KeyEvent) { u.typedKey(ev) })
}

func (u *UI) findShortcut() {
	u.closeSheet()
	if u.page == view.PageSettings {
		u.Show(view.PageRoles)
	}
	u.focusSearch()
}

// typedShortcut serves a focused field, which gets the shortcut instead of the window.
func (u *UI) typedShortcut(s fyne.Shortcut) bool {
	custom, ok := s.(*desktop.CustomShortcut)
	if !ok || custom.Modifier != fyne.KeyModifierShortcutDefault {
		return false
	}
	f, ok := u.shortcuts()[custom.KeyName]
	if ok {
		f()
	}
	return ok
}

// typedKey does what Esc means: it closes what lies over the window, or gives the search back.
func (u *UI) typedKey(ev *fyne.KeyEvent) bool {
	if ev.Name != fyne.KeyEscape {
		return false
	}
	switch {
	case u.signInPage != nil:
		u.closeSignInPage()
	case u.sheet != nil:
		u.leaveSheet()
	case u.page == view.PageSettings:
		u.Show(view.PageRoles)
	case u.list() != nil && len(u.list().marked) > 0:
		u.list().clearMarks()
	default:
		if l := u.list(); l != nil {
			l.leave()
		}
		u.header.search.SetText("")
		u.focusSearch()
	}
	return true
}
