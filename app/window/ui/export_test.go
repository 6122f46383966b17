//go:build !nowindow

package ui

import (
	"fyne.io/fyne/v2"

	"roletray/app/view"
)

// WriteExport is what a chosen file is written by.
var WriteExport = writeExport

// Act does what a row or a menu offers.
func (u *UI) Act(a view.Action) { u.act(a) }

// ShowSignInPage shows an address as a call does that no browser opens for.
func (u *UI) ShowSignInPage(address string) { u.showSignInPage(u.newSignInPage(address)) }

// NewRows counts the widgets that the list of roles makes from now on.
func (u *UI) NewRows() *int {
	n := 0
	create := u.roles.list.CreateItem
	u.roles.list.CreateItem = func() fyne.CanvasObject { n++; return create() }
	return &n
}

// Hint is what a field says while it is empty, or nothing for anything else.
func Hint(f fyne.Focusable) string {
	if e, ok := f.(*entry); ok {
		return e.PlaceHolder
	}
	return ""
}

// Rows are those of the page of roles.
func (u *UI) Rows() []view.Row { return u.shown.Rows }
