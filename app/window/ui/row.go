//go:build !nowindow

package ui

import (
	"math"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"roletray/app/view"
	wtheme "roletray/app/window/theme"
)

// Widths of a row's columns at the plain text size. The names take what is left.
const (
	leadWidth   = 62
	middleWidth = 250
	buttonWidth = 156
	moreWidth   = 34
	// middleShare is the most of names and middle together that the middle takes.
	middleShare = 0.53
	rowGap      = 8
	// rightMargin keeps the scroll bar off the buttons.
	rightMargin = 14
	maxBadges   = 6
	// leastBadge is the narrowest badge that still says something.
	leastBadge = 34
)

// rowActions is what a row asks of the list that it is in.
type rowActions interface {
	keyboard
	// act does what the row's button says.
	act(view.Row)
	// offer shows what else can be done with a row, beside an object.
	offer(view.Row, fyne.CanvasObject)
	// mark selects the row for an activation of several, or takes it out.
	mark(view.Row, bool)
}

// roleRow shows one view.Row. It is reused for another as the list scrolls.
type roleRow struct {
	widget.BaseWidget
	actions rowActions
	row     view.Row

	check    *check
	icon     *widget.Icon
	picture  fyne.Resource
	title    *line
	scope    *line
	heading  *line
	status   *line
	detail   *line
	bar      *bar
	badges   []*badge
	more     *badge
	button   *button
	others   *button
	objects  []fyne.CanvasObject
	shown    int // how many badges are in use
	selected bool
}

func newRoleRow(actions rowActions) *roleRow {
	r := &roleRow{
		actions: actions,
		icon:    widget.NewIcon(nil),
		title:   newLine(theme.SizeNameText, theme.ColorNameForeground, true),
		scope:   newLine(theme.SizeNameCaptionText, theme.ColorNameDisabled, false),
		heading: newLine(theme.SizeNameCaptionText, theme.ColorNameDisabled, true),
		status:  newLine(theme.SizeNameText, theme.ColorNameForeground, true),
		detail:  newLine(theme.SizeNameCaptionText, theme.ColorNameDisabled, false),
		bar:     newBar(), more: newBadge(),
	}
	r.check = newCheck(actions, "", func(on bool) { r.actions.mark(r.row, on) })
	r.button = newButton(actions, "", nil, func() { r.actions.act(r.row) })
	r.others = newButton(actions, "", theme.MoreHorizontalIcon(), func() { r.actions.offer(r.row, r.others) })
	r.others.Importance = widget.LowImportance
	r.objects = []fyne.CanvasObject{r.check, r.icon, r.title, r.scope, r.heading, r.status, r.detail, r.bar, r.more, r.button, r.others}
	for range maxBadges {
		b := newBadge()
		r.badges = append(r.badges, b)
		r.objects = append(r.objects, b)
	}
	r.ExtendBaseWidget(r)
	return r
}

// set shows another row. It compares first: a list calls it for every visible row on every refresh.
func (r *roleRow) set(row view.Row, selected bool) {
	old := r.row
	r.row, r.selected = row, selected
	isHeading := row.Type == view.RowHeading
	for _, o := range []fyne.CanvasObject{r.icon, r.title, r.scope} {
		setVisible(o, !isHeading)
	}
	setVisible(r.heading, isHeading)
	setVisible(r.check, row.Selectable)
	setVisible(r.button, row.Verb != "")
	setVisible(r.others, len(row.More) > 0)
	setVisible(r.status, row.Status != "")
	setVisible(r.detail, row.Detail != "")
	setVisible(r.bar, row.Left >= 0)
	if isHeading {
		r.heading.set(row.Title, theme.ColorNameDisabled)
	} else {
		if old.Type != row.Type || old.Kind != row.Kind || r.picture == nil {
			r.picture = rowIcon(row)
			r.icon.SetResource(r.picture)
		}
		r.title.set(row.Title, theme.ColorNameForeground)
		r.scope.set(row.Scope, theme.ColorNameDisabled)
		r.status.set(row.Status, toneColor(row.Tone))
		detail := theme.ColorNameDisabled
		if row.Tone == view.ToneBad || (row.Type == view.RowActive && row.Tone == view.ToneWarning) {
			detail = toneColor(row.Tone)
		}
		r.detail.set(row.Detail, detail)
	}
	r.check.show(selected)
	r.bar.set(row.Left, row.Tone)
	weight := widget.MediumImportance
	if row.Type == view.RowRecent || row.Type == view.RowFavorite {
		weight = widget.HighImportance
	}
	if row.Verb != "" {
		r.button.set(row.Verb, row.Action != nil, weight)
	}
	for i, b := range r.badges {
		if i < len(row.Badges) {
			b.set(row.Badges[i])
		}
	}
	if old.Type != row.Type || old.Selectable != row.Selectable || (old.Left >= 0) != (row.Left >= 0) ||
		old.Status != row.Status || !slices.Equal(old.Badges, row.Badges) {
		r.arrange(r.Size())
	}
}

func (r *roleRow) MinSize() fyne.Size {
	s := textScale()
	return fyne.NewSize((leadWidth+buttonWidth+moreWidth+160)*s, r.height())
}

// height is two lines of text with the padding of a label above and below.
func (r *roleRow) height() float32 {
	return r.title.MinSize().Height + r.scope.MinSize().Height - theme.InnerPadding()*1.75
}

func (r *roleRow) CreateRenderer() fyne.WidgetRenderer { return rowRenderer{r} }

type rowRenderer struct{ row *roleRow }

func (rowRenderer) Destroy()                       {}
func (r rowRenderer) Layout(s fyne.Size)           { r.row.arrange(s) }
func (r rowRenderer) MinSize() fyne.Size           { return r.row.MinSize() }
func (r rowRenderer) Objects() []fyne.CanvasObject { return r.row.objects }
func (r rowRenderer) Refresh() {
	r.row.arrange(r.row.Size())
	for _, o := range r.row.objects {
		o.Refresh()
	}
}

// arrange puts everything in its column. Labels have padding of their own, so that
// the two lines of a row overlap by it.
func (r *roleRow) arrange(size fyne.Size) {
	if size.Width <= 0 {
		return
	}
	size.Width -= rightMargin
	s := textScale()
	pad := theme.InnerPadding()
	place := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(max(w, 0), h))
	}
	line1, line2 := r.title.MinSize().Height, r.scope.MinSize().Height
	second := size.Height - line2

	place(r.heading, 0, second, size.Width, line2)

	lead, button, others := leadWidth*s, buttonWidth*s, moreWidth*s
	checkSize := r.check.MinSize()
	place(r.check, 0, (size.Height-checkSize.Height)/2, checkSize.Width, checkSize.Height)
	iconSize := theme.IconInlineSize()
	place(r.icon, lead-iconSize-2, (size.Height-iconSize)/2, iconSize, iconSize)

	rest := size.Width - lead - button - others - rowGap
	middle := min(middleWidth*s, rest*middleShare)
	names := rest - middle
	place(r.title, lead, 0, names, line1)
	place(r.scope, lead, second, names, line2)

	x := lead + names
	if r.row.Verb == "" {
		middle += button + rowGap
	}
	if r.bar.Visible() {
		half := min(r.status.wanted(), middle*0.62)
		place(r.status, x, 0, half, line1)
		place(r.detail, x+half-pad, (line1-line2)/2, middle-half+pad, line2)
		place(r.bar, x+pad, second+line2/2-2, middle-2*pad, 4)
	} else {
		place(r.status, x, 0, middle, line1)
		place(r.detail, x, second, middle, line2)
	}
	r.arrangeBadges(x+pad, middle-2*pad, size.Height)
	height := r.button.MinSize().Height
	place(r.button, size.Width-button-others, (size.Height-height)/2, button, height)
	place(r.others, size.Width-others+2, (size.Height-height)/2, others-2, height)
}

// arrangeBadges puts as many badges as fit on two lines, or beside the status where there is
// one, and says how many are left out.
func (r *roleRow) arrangeBadges(x, width, height float32) {
	const gap = 4
	h := r.more.MinSize().Height
	lines := []float32{(height - 2*h - gap) / 2, (height + gap) / 2}
	total := -float32(gap)
	for i := range min(len(r.row.Badges), maxBadges) {
		total += r.badges[i].MinSize().Width + gap
	}
	if r.row.Status != "" {
		// After the status, on its line.
		taken := r.status.wanted() - theme.InnerPadding()
		x, width = x+taken, width-taken
		lines = []float32{(r.title.MinSize().Height - h) / 2}
	} else if total <= width {
		lines = []float32{(height - h) / 2}
	}
	r.shown = 0
	line, at := 0, float32(0)
	for i := range min(len(r.row.Badges), maxBadges) {
		w := min(r.badges[i].MinSize().Width, width)
		if w < leastBadge {
			break
		}
		if at > 0 && at+w > width {
			line, at = line+1, 0
		}
		if line >= len(lines) {
			break
		}
		r.badges[i].Move(fyne.NewPos(x+at, lines[line]))
		r.badges[i].Resize(fyne.NewSize(w, h))
		at += w + gap
		r.shown++
	}
	for i, b := range r.badges {
		setVisible(b, i < r.shown)
	}
	r.arrangeMore(x, at, width, lines[len(lines)-1], h)
}

func (r *roleRow) arrangeMore(x, at, width, y, h float32) {
	left := len(r.row.Badges) - r.shown
	setVisible(r.more, left > 0 && width >= leastBadge)
	if !r.more.Visible() {
		return
	}
	r.more.set(view.Badge{Text: "+" + string(rune('0'+min(left, 9))), Tone: view.ToneQuiet})
	w := r.more.MinSize().Width
	for r.shown > 0 && at+w > width {
		r.shown--
		at -= r.badges[r.shown].Size().Width + 4
		r.badges[r.shown].Hide()
	}
	r.more.Move(fyne.NewPos(x+max(at, 0), y))
	r.more.Resize(fyne.NewSize(w, h))
}

// bar drains from the left to the right as an activation runs out.
type bar struct {
	widget.BaseWidget
	left float64
	tone view.Tone
}

func newBar() *bar {
	b := &bar{left: -1}
	b.ExtendBaseWidget(b)
	return b
}

// set draws the bar anew where at least a pixel of it differs.
func (b *bar) set(left float64, tone view.Tone) {
	width := float64(b.Size().Width)
	if b.tone == tone && width > 0 && math.Round(b.left*width) == math.Round(left*width) {
		return
	}
	b.left, b.tone = left, tone
	b.Refresh()
}

func (b *bar) CreateRenderer() fyne.WidgetRenderer {
	r := &barRenderer{bar: b, track: canvas.NewRectangle(nil), fill: canvas.NewRectangle(nil)}
	r.track.CornerRadius, r.fill.CornerRadius = 2, 2
	r.Refresh()
	return r
}

type barRenderer struct {
	bar         *bar
	track, fill *canvas.Rectangle
}

func (r *barRenderer) Destroy()                     {}
func (r *barRenderer) MinSize() fyne.Size           { return fyne.NewSize(20, 4) }
func (r *barRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.track, r.fill} }
func (r *barRenderer) Layout(s fyne.Size) {
	r.track.Resize(s)
	r.fill.Resize(fyne.NewSize(s.Width*float32(max(r.bar.left, 0)), s.Height))
}

func (r *barRenderer) Refresh() {
	r.track.FillColor = paint(wtheme.ColorTrack)
	r.fill.FillColor = paint(toneColor(r.bar.tone))
	r.Layout(r.bar.Size())
	r.track.Refresh()
	r.fill.Refresh()
}

// badge is a short word in a rounded box.
type badge struct {
	widget.BaseWidget
	badge view.Badge
}

func newBadge() *badge {
	b := &badge{}
	b.ExtendBaseWidget(b)
	b.Hide()
	return b
}

func (b *badge) set(v view.Badge) {
	if b.badge != v {
		b.badge = v
		b.Refresh()
	}
}

func (b *badge) CreateRenderer() fyne.WidgetRenderer {
	r := &badgeRenderer{badge: b, back: canvas.NewRectangle(nil), text: canvas.NewText("", nil)}
	r.back.CornerRadius = 5
	r.Refresh()
	return r
}

type badgeRenderer struct {
	badge *badge
	back  *canvas.Rectangle
	text  *canvas.Text
}

func (r *badgeRenderer) Destroy()                     {}
func (r *badgeRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.back, r.text} }
func (r *badgeRenderer) MinSize() fyne.Size {
	return fyne.MeasureText(r.badge.badge.Text, theme.CaptionTextSize(), fyne.TextStyle{}).Add(fyne.NewSize(12, 2))
}

func (r *badgeRenderer) Layout(s fyne.Size) {
	r.back.Resize(s)
	r.text.Text = fit(r.badge.badge.Text, s.Width-12, r.text.TextSize, r.text.TextStyle)
	m := r.text.MinSize()
	r.text.Move(fyne.NewPos(6, (s.Height-m.Height)/2))
	r.text.Resize(fyne.NewSize(max(s.Width-12, 0), m.Height))
}

func (r *badgeRenderer) Refresh() {
	r.back.FillColor = paint(wtheme.ColorBadge)
	r.text.Color = paint(toneColor(r.badge.badge.Tone))
	r.text.TextSize = theme.CaptionTextSize()
	r.Layout(r.badge.Size())
	r.back.Refresh()
	r.text.Refresh()
}
