//go:build !nowindow

package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"roletray/app/view"
)

// keyboard gets the keys and shortcuts that a focused widget has no use for; Fyne
// gives them to nobody else.
type keyboard interface {
	// typedKey says whether it took the key.
	typedKey(*fyne.KeyEvent) bool
	// typedShortcut says whether it took the shortcut.
	typedShortcut(fyne.Shortcut) bool
}

// button is a button that Enter presses as well, and that lets Esc pass.
type button struct {
	widget.Button
	keys keyboard
}

func newButton(keys keyboard, text string, icon fyne.Resource, tapped func()) *button {
	b := &button{keys: keys}
	b.Text, b.Icon, b.OnTapped = text, icon, tapped
	b.ExtendBaseWidget(b)
	return b
}

func (b *button) TypedKey(ev *fyne.KeyEvent) {
	switch ev.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		b.Tapped(nil)
	default:
		if !b.keys.typedKey(ev) {
			b.Button.TypedKey(ev)
		}
	}
}

// set changes the button only where it differs, since every change costs a repaint.
func (b *button) set(text string, enabled bool, importance widget.Importance) {
	if b.Text != text || b.Importance != importance {
		b.Text, b.Importance = text, importance
		b.Refresh()
	}
	if enabled == b.Disabled() {
		if enabled {
			b.Enable()
		} else {
			b.Disable()
		}
	}
}

// check is a check box that lets keys pass.
type check struct {
	widget.Check
	keys keyboard
}

func newCheck(keys keyboard, text string, changed func(bool)) *check {
	c := &check{keys: keys}
	c.Text, c.OnChanged = text, changed
	c.ExtendBaseWidget(c)
	return c
}

func (c *check) TypedKey(ev *fyne.KeyEvent) {
	if !c.keys.typedKey(ev) {
		c.Check.TypedKey(ev)
	}
}

// show sets the mark without telling anybody.
func (c *check) show(checked bool) {
	if c.Checked == checked {
		return
	}
	changed := c.OnChanged
	c.OnChanged = nil
	c.SetChecked(checked)
	c.OnChanged = changed
}

// entry is a text field that hands on shortcuts and the keys it has no use for.
type entry struct {
	widget.Entry
	keys keyboard
	// onKey sees each key first and says whether it took it.
	onKey func(*fyne.KeyEvent) bool
	// onFocus is called when the field gets the focus.
	onFocus func(*entry)
}

func newEntry(keys keyboard, placeholder string) *entry {
	e := &entry{keys: keys}
	e.PlaceHolder = placeholder
	e.ExtendBaseWidget(e)
	return e
}

func newMultiLine(keys keyboard, placeholder string) *entry {
	e := newEntry(keys, placeholder)
	e.MultiLine = true
	e.Wrapping = fyne.TextWrapWord
	e.SetMinRowsVisible(2)
	return e
}

// FocusGained brings the field into view where it is in a sheet that scrolls.
func (e *entry) FocusGained() {
	e.Entry.FocusGained()
	if e.onFocus != nil {
		e.onFocus(e)
	}
}

func (e *entry) TypedKey(ev *fyne.KeyEvent) {
	if e.onKey != nil && e.onKey(ev) {
		return
	}
	if ev.Name == fyne.KeyEscape && e.keys.typedKey(ev) {
		return
	}
	e.Entry.TypedKey(ev)
}

func (e *entry) TypedShortcut(s fyne.Shortcut) {
	if !e.keys.typedShortcut(s) {
		e.Entry.TypedShortcut(s)
	}
}

// AcceptsTab lets Tab leave a field of several lines too.
func (e *entry) AcceptsTab() bool { return false }

// choice is a select box that lets Esc pass.
type choice struct {
	widget.Select
	keys keyboard
}

func newChoice(keys keyboard, options []string, changed func(string)) *choice {
	c := &choice{keys: keys}
	c.Options, c.OnChanged = options, changed
	c.ExtendBaseWidget(c)
	return c
}

func (c *choice) TypedKey(ev *fyne.KeyEvent) {
	if ev.Name != fyne.KeyEscape || !c.keys.typedKey(ev) {
		c.Select.TypedKey(ev)
	}
}

// radio is a group of which one is chosen.
func newRadio(options []string, changed func(string)) *widget.RadioGroup {
	r := widget.NewRadioGroup(options, changed)
	r.Required = true
	return r
}

// caption is a small quiet text on one line.
func caption(text string) *widget.Label {
	l := oneLine(text)
	l.SizeName = theme.SizeNameCaptionText
	l.Importance = widget.LowImportance
	return l
}

func oneLine(text string) *widget.Label {
	l := widget.NewLabel(text)
	l.Truncation = fyne.TextTruncateEllipsis
	return l
}

func wrapped(text string) *widget.Label {
	l := widget.NewLabel(text)
	l.Wrapping = fyne.TextWrapWord
	return l
}

func bold(l *widget.Label) *widget.Label {
	l.TextStyle.Bold = true
	return l
}

func heading(text string) *widget.Label {
	l := bold(wrapped(text))
	l.SizeName = theme.SizeNameHeadingText
	return l
}

// setLabel changes a label only where it differs.
func setLabel(l *widget.Label, text string, importance widget.Importance) {
	if l.Text != text || l.Importance != importance {
		l.Text, l.Importance = text, importance
		l.Refresh()
	}
}

func importance(t view.Tone) widget.Importance {
	switch t {
	case view.ToneQuiet:
		return widget.LowImportance
	case view.ToneGood:
		return widget.SuccessImportance
	case view.ToneWarning:
		return widget.WarningImportance
	case view.ToneBad:
		return widget.DangerImportance
	case view.ToneNormal:
	}
	return widget.MediumImportance
}

func toneColor(t view.Tone) fyne.ThemeColorName {
	switch t {
	case view.ToneQuiet:
		return theme.ColorNameDisabled
	case view.ToneGood:
		return theme.ColorNameSuccess
	case view.ToneWarning:
		return theme.ColorNameWarning
	case view.ToneBad:
		return theme.ColorNameError
	case view.ToneNormal:
	}
	return theme.ColorNameForeground
}

func setVisible(o fyne.CanvasObject, visible bool) {
	switch {
	case visible && !o.Visible():
		o.Show()
	case !visible && o.Visible():
		o.Hide()
	}
}

// paint is the theme's colour of a name at this moment.
func paint(name fyne.ThemeColorName) color.Color {
	settings := fyne.CurrentApp().Settings()
	return settings.Theme().Color(name, settings.ThemeVariant())
}

// textScale is how much larger text is than in the plain theme.
func textScale() float32 { return theme.TextSize() / 14 }

// panel is a rectangle in a theme colour that follows the theme.
type panel struct {
	widget.BaseWidget
	fill   fyne.ThemeColorName
	radius float32
	// bordered draws a thin line around it.
	bordered bool
}

func newPanel(fill fyne.ThemeColorName, radius float32) *panel {
	p := &panel{fill: fill, radius: radius}
	p.ExtendBaseWidget(p)
	return p
}

func (p *panel) CreateRenderer() fyne.WidgetRenderer {
	r := &panelRenderer{panel: p, rect: canvas.NewRectangle(nil)}
	r.rect.CornerRadius = p.radius
	r.paint()
	return r
}

type panelRenderer struct {
	panel *panel
	rect  *canvas.Rectangle
}

func (r *panelRenderer) Destroy()                     {}
func (r *panelRenderer) Layout(s fyne.Size)           { r.rect.Resize(s) }
func (r *panelRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *panelRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rect} }
func (r *panelRenderer) Refresh()                     { r.paint(); r.rect.Refresh() }

func (r *panelRenderer) paint() {
	r.rect.FillColor = paint(r.panel.fill)
	if r.panel.bordered {
		r.rect.StrokeColor, r.rect.StrokeWidth = paint(theme.ColorNameSeparator), 1
	}
}

// on puts content on a panel.
func on(fill fyne.ThemeColorName, radius float32, content fyne.CanvasObject) fyne.CanvasObject {
	return container.NewStack(newPanel(fill, radius), content)
}

// card puts content on a bordered panel.
func card(content fyne.CanvasObject) fyne.CanvasObject {
	p := newPanel(theme.ColorNameOverlayBackground, 8)
	p.bordered = true
	return container.NewStack(p, content)
}

// fixed gives its only object a width of its own, in units of the plain text size.
type fixed struct{ width float32 }

func fixedWidth(width float32, o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(fixed{width}, o)
}

func (f fixed) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(f.width*textScale(), objects[0].MinSize().Height)
}

func (f fixed) Layout(objects []fyne.CanvasObject, size fyne.Size) { objects[0].Resize(size) }

// relayout lays out a tree of containers from the top. Fyne's driver does so with the next
// frame when a size has changed; this does it at once, and twice, since a text that
// wraps knows its height only after its width.
func relayout(o fyne.CanvasObject) {
	for range 2 {
		layoutTree(o)
	}
}

func layoutTree(o fyne.CanvasObject) {
	switch c := o.(type) {
	case *fyne.Container:
		if c.Layout != nil {
			c.Layout.Layout(c.Objects, c.Size())
		}
		for _, child := range c.Objects {
			layoutTree(child)
		}
	case *container.Scroll:
		// A text that wraps has a height only once it has its width.
		c.Content.Resize(fyne.NewSize(c.Size().Width, c.Content.Size().Height))
		c.Content.Resize(c.Content.MinSize().Max(c.Size()))
		layoutTree(c.Content)
		c.Refresh()
	}
}

func spacer(height float32) fyne.CanvasObject {
	r := canvas.NewRectangle(color.Transparent)
	r.SetMinSize(fyne.NewSize(1, height))
	return r
}

func padded(top, bottom, left, right float32, o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedLayout(top, bottom, left, right), o)
}
