//go:build !nowindow

package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
)

// header is the line above a list: search, account, age.
type header struct {
	ui      *UI
	object  *fyne.Container
	search  *entry
	account *button
	refresh *button
	shown   view.Header
}

func newHeader(u *UI) *header {
	h := &header{ui: u}
	h.search = newEntry(u, u.p.Words.Say("header.search"))
	h.search.Icon = theme.SearchIcon()
	h.search.OnChanged = func(text string) {
		u.look.Search = text
		for _, l := range []*rowList{u.roles.list, u.requests.list, u.approvals.list, u.history.list} {
			l.leave()
		}
		u.update()
		u.history.update()
	}
	h.search.onKey = h.searchKey
	h.account = newButton(u, "", theme.AccountIcon(), h.openMenu)
	h.account.Alignment = widget.ButtonAlignLeading
	h.account.Importance = widget.LowImportance
	h.refresh = newButton(u, "", theme.ViewRefreshIcon(), u.refresh)
	h.refresh.Alignment = widget.ButtonAlignLeading
	h.refresh.Importance = widget.LowImportance
	h.object = container.NewBorder(nil, nil, nil, container.NewHBox(
		container.New(headerButton{180}, h.account), container.New(headerButton{228}, h.refresh),
	), h.search)
	return h
}

// headerButton has a width of its own, so that a text that changes moves nothing.
type headerButton struct{ width float32 }

func (l headerButton) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(l.width, o[0].MinSize().Height)
}

func (headerButton) Layout(o []fyne.CanvasObject, s fyne.Size) { o[0].Resize(s) }

// searchKey moves from the search into the list.
func (h *header) searchKey(ev *fyne.KeyEvent) bool {
	list := h.ui.list()
	switch ev.Name {
	case fyne.KeyDown:
		if list != nil && len(list.rows) > 0 {
			list.enter()
			h.ui.p.Window.Canvas().Focus(list)
		}
		return true
	case fyne.KeyReturn, fyne.KeyEnter:
		if list != nil && h.search.Text != "" {
			list.leave()
			if r, ok := list.current(); ok {
				if underWay(r) {
					h.ui.p.Window.Canvas().Focus(list)
				}
				list.enterRow(r)
			}
		}
		return true
	case fyne.KeyEscape:
		if h.search.Text != "" {
			h.search.SetText("")
			return true
		}
	}
	return false
}

func (h *header) set(v view.Header) {
	h.shown = v
	w := h.ui.p.Words
	text := w.Say("header.no-account")
	for _, a := range v.Accounts {
		if a.ID == v.Account {
			text = a.Short
		}
	}
	h.account.set(fitButton(h.account, text), true, widget.LowImportance)
	h.refresh.set(fitButton(h.refresh, v.Age), v.Account != "" && !v.Refreshing, widget.LowImportance)
}

// fitButton cuts a text to what a button with an icon has room for; before the first
// layout that is not known.
func fitButton(b *button, text string) string {
	room := b.Size().Width - theme.IconInlineSize() - 4*theme.InnerPadding()
	if b.Size().Width <= 0 {
		return text
	}
	return fit(text, room, theme.TextSize(), fyne.TextStyle{Bold: true})
}

// openMenu offers the accounts, and to sign in and out.
func (h *header) openMenu() {
	w := h.ui.p.Words
	var items []*fyne.MenuItem
	for _, a := range h.shown.Accounts {
		item := fyne.NewMenuItem(pim.CleanText(a.Label, 60), func() {
			h.ui.look.Account = a.ID
			h.ui.roles.list.clearMarks()
			h.ui.approvals.list.clearMarks()
			h.ui.update()
		})
		item.Checked = a.ID == h.shown.Account
		items = append(items, item)
	}
	if len(items) > 0 {
		items = append(items, fyne.NewMenuItemSeparator())
	}
	signIn := fyne.NewMenuItem(w.Say("verb.sign-in-another"), func() { h.ui.act(view.SignIn{}) })
	signIn.Disabled = h.shown.SigningIn
	items = append(items, signIn)
	if account := h.shown.Account; account != "" {
		items = append(items, fyne.NewMenuItem(w.Say("verb.sign-out"), func() { h.ui.signOut(account, false) }))
	}
	c := h.ui.p.Window.Canvas()
	widget.ShowPopUpMenuAtRelativePosition(fyne.NewMenu("", items...), c, fyne.NewPos(0, h.account.Size().Height), h.account)
}

func (u *UI) signOut(account string, forget bool) {
	u.do(func(ctx context.Context, agent Agent) error {
		return agent.SignOut(ctx, local.SignOutRequest{Account: account, ForgetHistory: forget})
	}, nil)
}
