//go:build !nowindow

package ui

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"roletray/app/view"
	wtheme "roletray/app/window/theme"
	"roletray/assets"
)

// rail is the column of pages at the left.
type rail struct {
	object fyne.CanvasObject
	items  []*railItem
}

func newRail(u *UI) *rail {
	w := u.p.Words
	item := func(page view.Page, text string, icon fyne.Resource) *railItem {
		return newRailItem(u, page, text, icon, func() { u.Show(page) })
	}
	r := &rail{items: []*railItem{
		item(view.PageRoles, w.Say("page.roles"), icon("roles")),
		item(view.PageRequests, w.Say("page.requests"), icon("requests")),
		item(view.PageApprovals, w.Say("page.approvals"), icon("approvals")),
		item(view.PageHistory, w.Say("page.history"), theme.HistoryIcon()),
		item(view.PageSettings, w.Say("page.settings"), theme.SettingsIcon()),
	}}
	logo := canvas.NewImageFromResource(fyne.NewStaticResource("icon.png", assets.Icon()))
	logo.FillMode = canvas.ImageFillContain
	logo.SetMinSize(fyne.NewSize(36, 36))
	r.object = on(wtheme.ColorRail, 0, padded(12, 10, 8, 8, container.NewVBox(
		container.NewCenter(logo), spacer(8), r.items[0], r.items[1], r.items[2], r.items[3], layout.NewSpacer(), r.items[4],
	)))
	return r
}

func (r *rail) set(page view.Page) {
	for _, i := range r.items {
		if selected := i.page == page; i.selected != selected {
			i.selected = selected
			i.Refresh()
		}
	}
}

func (r *rail) setBadge(page view.Page, count int) {
	for _, i := range r.items {
		if i.page == page && i.count != count {
			i.count = count
			i.Refresh()
		}
	}
}

// railItem is an icon over a word that opens a page.
type railItem struct {
	widget.BaseWidget
	keys     keyboard
	page     view.Page
	text     string
	icon     fyne.Resource
	tapped   func()
	count    int
	selected bool
	hovered  bool
	focused  bool
}

var (
	_ fyne.Focusable    = (*railItem)(nil)
	_ fyne.Tappable     = (*railItem)(nil)
	_ desktop.Hoverable = (*railItem)(nil)
)

func newRailItem(keys keyboard, page view.Page, text string, icon fyne.Resource, tapped func()) *railItem {
	i := &railItem{keys: keys, page: page, text: text, icon: icon, tapped: tapped}
	i.ExtendBaseWidget(i)
	return i
}

func (i *railItem) Tapped(*fyne.PointEvent)        { i.tapped() }
func (i *railItem) MouseIn(*desktop.MouseEvent)    { i.hovered = true; i.Refresh() }
func (i *railItem) MouseMoved(*desktop.MouseEvent) {}
func (i *railItem) MouseOut()                      { i.hovered = false; i.Refresh() }
func (i *railItem) FocusGained()                   { i.focused = true; i.Refresh() }
func (i *railItem) FocusLost()                     { i.focused = false; i.Refresh() }
func (i *railItem) TypedRune(rune)                 {}
func (i *railItem) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		i.tapped()
	default:
		i.keys.typedKey(ev)
	}
}

func (i *railItem) CreateRenderer() fyne.WidgetRenderer {
	r := &railItemRenderer{
		item: i, back: canvas.NewRectangle(nil), icon: widget.NewIcon(i.icon),
		text: canvas.NewText(i.text, nil), dot: canvas.NewRectangle(nil), count: canvas.NewText("", nil),
	}
	r.back.CornerRadius, r.dot.CornerRadius = 8, 8
	r.text.Alignment, r.count.Alignment = fyne.TextAlignCenter, fyne.TextAlignCenter
	r.count.TextStyle.Bold = true
	r.Refresh()
	return r
}

type railItemRenderer struct {
	item  *railItem
	back  *canvas.Rectangle
	icon  *widget.Icon
	text  *canvas.Text
	dot   *canvas.Rectangle
	count *canvas.Text
}

func (r *railItemRenderer) Destroy() {}
func (r *railItemRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.back, r.icon, r.text, r.dot, r.count}
}

func (r *railItemRenderer) MinSize() fyne.Size {
	text := fyne.MeasureText(r.item.text, theme.CaptionTextSize(), fyne.TextStyle{Bold: true})
	return fyne.NewSize(max(text.Width+10, 66*textScale()), text.Height+theme.IconInlineSize()+22)
}

func (r *railItemRenderer) Layout(s fyne.Size) {
	r.back.Resize(s)
	icon := theme.IconInlineSize() + 4
	r.icon.Resize(fyne.NewSquareSize(icon))
	r.icon.Move(fyne.NewPos((s.Width-icon)/2, 7))
	h := r.text.MinSize().Height
	r.text.Move(fyne.NewPos(0, s.Height-h-6))
	r.text.Resize(fyne.NewSize(s.Width, h))
	dot := fyne.MeasureText(r.count.Text, r.count.TextSize, r.count.TextStyle).Add(fyne.NewSize(9, 1))
	dot.Width = max(dot.Width, dot.Height)
	at := fyne.NewPos(min(s.Width/2+6, s.Width-dot.Width), 3)
	for _, o := range []fyne.CanvasObject{r.dot, r.count} {
		o.Move(at)
		o.Resize(dot)
	}
}

func (r *railItemRenderer) Refresh() {
	i := r.item
	r.back.FillColor = paint(wtheme.ColorRail)
	switch {
	case i.selected:
		r.back.FillColor = paint(theme.ColorNameSelection)
	case i.hovered:
		r.back.FillColor = paint(theme.ColorNameHover)
	}
	r.back.StrokeWidth = 0
	if i.focused {
		r.back.StrokeWidth, r.back.StrokeColor = 2, paint(theme.ColorNamePrimary)
	}
	r.text.TextSize, r.count.TextSize = theme.CaptionTextSize(), theme.CaptionTextSize()-1
	r.text.TextStyle.Bold = i.selected
	r.text.Color = paint(theme.ColorNameDisabled)
	if i.selected {
		r.text.Color = paint(theme.ColorNameForeground)
	}
	r.dot.FillColor, r.count.Color = paint(theme.ColorNameWarning), paint(theme.ColorNameForegroundOnWarning)
	r.count.Text = strconv.Itoa(i.count)
	setVisible(r.dot, i.count > 0)
	setVisible(r.count, i.count > 0)
	r.Layout(i.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}
