//go:build !nowindow

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"roletray/pim"
)

// signInPage is the address of a sign-in page that no browser could be opened for, over
// everything else until the call that needs it is over.
type signInPage struct {
	overlay *fyne.Container
	copied  *button
}

func (u *UI) newSignInPage(address string) *signInPage {
	w := u.p.Words
	text := widget.NewLabel(pim.CleanText(address, len(address)))
	text.Wrapping, text.Selectable = fyne.TextWrapBreak, true
	shown := container.NewVScroll(text)
	shown.SetMinSize(fyne.NewSize(0, 110*textScale()))
	exit := newButton(u, w.Say("verb.close"), nil, u.closeSignInPage)
	exit.Importance = widget.LowImportance
	copied := newButton(u, w.Say("verb.copy-address"), nil, func() { u.copyText(address) })
	copied.Importance = widget.HighImportance
	return &signInPage{copied: copied, overlay: container.NewStack(newScrim(), container.New(centred{460}, card(padded(8, 8, 8, 8, container.NewVBox(
		heading(w.Say("page-address.title")), wrapped(w.Say("page-address.text")), shown,
		container.NewHBox(layout.NewSpacer(), exit, copied),
	)))))}
}

// showSignInPage shows an address in place of the one before.
func (u *UI) showSignInPage(p *signInPage) {
	u.closeSignInPage()
	u.signInPage = p
	u.raiseSignInPage()
	u.p.Window.Canvas().Focus(p.copied)
}

// raiseSignInPage keeps it over a sheet that opens or closes.
func (u *UI) raiseSignInPage() {
	if u.signInPage == nil {
		return
	}
	c := u.p.Window.Canvas()
	c.Overlays().Remove(u.signInPage.overlay)
	c.Overlays().Add(u.signInPage.overlay)
	u.signInPage.overlay.Resize(c.Size())
	relayout(u.signInPage.overlay)
}

func (u *UI) closeSignInPage() {
	if u.signInPage != nil {
		u.p.Window.Canvas().Overlays().Remove(u.signInPage.overlay)
		u.signInPage = nil
	}
}
