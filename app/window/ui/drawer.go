//go:build !nowindow

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// drawer is a sheet at the window's right edge, over everything else.
type drawer interface {
	// top is the object that covers the window.
	top() *fyne.Container
	// set takes over a new state.
	set()
	// tick shows what time has changed.
	tick()
	// submit does what the drawer's main button does.
	submit()
	// acted says that the drawer has sent what it was for.
	acted() bool
}

// openDrawer shows a drawer in place of the one that is open.
func (u *UI) openDrawer(d drawer) {
	u.closeSheet()
	u.sheet = d
	c := u.p.Window.Canvas()
	c.Overlays().Add(d.top())
	d.top().Resize(c.Size())
	relayout(d.top())
	u.raiseSignInPage()
}

func (u *UI) closeSheet() {
	if u.sheet == nil {
		return
	}
	d := u.sheet
	u.sheet = nil
	u.p.Window.Canvas().Overlays().Remove(d.top())
	u.raiseSignInPage()
	if l := u.list(); d.acted() && l != nil {
		l.clearMarks()
	}
	u.focusSearch()
}

// form is a drawer with fields, a line for what is wrong and buttons. What it shows of the
// state is that of its opening.
type form struct {
	ui      *UI
	overlay *fyne.Container
	body    *fyne.Container
	scroll  *container.Scroll
	fields  *fyne.Container
	problem *widget.Label
	main    *button
	sent    bool
	// done is set when nothing can be sent any more.
	done bool
	// send is what the main button does.
	send func()
}

func newForm(u *UI, title string) *form {
	f := &form{ui: u, fields: container.NewVBox(), problem: wrapped("")}
	f.problem.Importance = widget.DangerImportance
	f.problem.Hide()
	f.scroll = container.NewVScroll(padded(0, 0, 0, 10, f.fields))
	f.body = container.NewStack()
	f.overlay = container.New(sideLayout{}, newScrim(), on(theme.ColorNameOverlayBackground, 0, padded(12, 14, 14, 14,
		container.NewBorder(drawerTitle(u, title), f.body, nil, nil, f.scroll))))
	return f
}

// drawerTitle is a drawer's first line, with a way out.
func drawerTitle(u *UI, text string) fyne.CanvasObject {
	exit := newButton(u, "", theme.CancelIcon(), u.closeSheet)
	exit.Importance = widget.LowImportance
	return container.NewBorder(nil, nil, nil, container.NewCenter(exit), heading(text))
}

// add puts a titled field below the others.
func (f *form) add(title string, field fyne.CanvasObject) {
	f.fields.Add(bold(wrapped(title)))
	f.fields.Add(padded(0, 0, 4, 4, field))
	if e, ok := field.(*entry); ok {
		e.onFocus = func(e *entry) { reveal(f.scroll, e) }
		if !e.MultiLine {
			e.OnSubmitted = func(string) { f.submit() }
		}
	}
}

// buttons puts the buttons below the fields, the last being the main one.
func (f *form) buttons(all ...*button) {
	box := container.NewHBox(layout.NewSpacer())
	for _, b := range all {
		box.Add(b)
	}
	f.main = all[len(all)-1]
	f.body.Objects = []fyne.CanvasObject{container.NewVBox(widget.NewSeparator(), container.New(tight{}, f.problem), box)}
	f.body.Refresh()
}

func (f *form) say(problem string) {
	setLabel(f.problem, problem, widget.DangerImportance)
	setVisible(f.problem, problem != "")
	relayout(f.overlay)
}

func (f *form) top() *fyne.Container { return f.overlay }
func (f *form) set()                 {}
func (f *form) tick()                {}
func (f *form) acted() bool          { return f.sent }
func (f *form) submit() {
	if f.send != nil && !f.done {
		f.send()
	}
}

// reveal scrolls a field into view.
func reveal(scroll *container.Scroll, e fyne.CanvasObject) {
	driver := fyne.CurrentApp().Driver()
	top := driver.AbsolutePositionForObject(e).Y - driver.AbsolutePositionForObject(scroll.Content).Y
	switch bottom := top + e.Size().Height; {
	case top < scroll.Offset.Y:
		scroll.ScrollToOffset(fyne.NewPos(0, top))
	case bottom > scroll.Offset.Y+scroll.Size().Height:
		scroll.ScrollToOffset(fyne.NewPos(0, bottom+theme.Padding()-scroll.Size().Height))
	}
}
