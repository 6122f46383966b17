//go:build !nowindow

package ui

import (
	"strings"

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
	// acted says that the drawer has sent what it was for, or is about to.
	acted() bool
	// leave is asked before the person closes it, and says whether it goes.
	leave() bool
	// closed tells that it has gone.
	closed()
}

// openDrawer shows a drawer in place of the one that is open, or over it where the person has
// filled something in: that comes back when the new one closes.
func (u *UI) openDrawer(d drawer) {
	if u.filledIn() {
		u.beneath = append(u.beneath, u.sheet)
	} else {
		u.closeTop()
	}
	u.sheet = d
	c := u.p.Window.Canvas()
	c.Overlays().Add(d.top())
	d.top().Resize(c.Size())
	relayout(d.top())
	u.opened = fieldsOf(d.top())
	u.raiseSignInPage()
}

// filledIn says whether something would be lost with the drawer that is open.
func (u *UI) filledIn() bool {
	return u.sheet != nil && !u.sheet.acted() && fieldsOf(u.sheet.top()) != u.opened
}

// setSheet has the open drawer take over a new state.
func (u *UI) setSheet() {
	d, mine := u.sheet, u.filledIn()
	if d == nil {
		return
	}
	d.set()
	if u.sheet == d && !mine { // else it has closed, or what has changed is the person's
		u.opened = fieldsOf(d.top())
	}
}

// fieldsOf are the texts and choices in the fields of a tree of containers.
func fieldsOf(o fyne.CanvasObject) string {
	switch o := o.(type) {
	case *fyne.Container:
		var all strings.Builder
		for _, child := range o.Objects {
			all.WriteString(fieldsOf(child))
		}
		return all.String()
	case *container.Scroll:
		return fieldsOf(o.Content)
	case *entry:
		return o.Text + "\x00"
	case *widget.RadioGroup:
		return o.Selected + "\x00"
	}
	return ""
}

// closeSheet closes the drawer that is shown. One that it was opened over comes back.
func (u *UI) closeSheet() {
	u.closeTop()
	if n := len(u.beneath); n > 0 {
		u.sheet, u.beneath = u.beneath[n-1], u.beneath[:n-1]
		u.opened = "" // it was kept for what is in its fields
		u.setSheet()
	}
	u.focusSearch()
}

func (u *UI) closeTop() {
	if u.sheet == nil {
		return
	}
	d := u.sheet
	u.sheet = nil
	d.closed()
	u.p.Window.Canvas().Overlays().Remove(d.top())
	u.raiseSignInPage()
	if l := u.list(); d.acted() && l != nil {
		l.clearMarks()
	}
}

// leaveSheet closes the drawer for the person, who may be held up by it.
func (u *UI) leaveSheet() {
	if u.sheet == nil || u.sheet.leave() {
		u.closeSheet()
	}
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
	exit := newButton(u, "", theme.CancelIcon(), u.leaveSheet)
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
func (f *form) acted() bool          { return f.sent || f.done }
func (f *form) leave() bool          { return true }
func (f *form) closed()              {}
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
