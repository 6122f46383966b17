//go:build !nowindow

package ui

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"roletray/app/local"
	"roletray/app/view"
	wtheme "roletray/app/window/theme"
	"roletray/pim"
)

// sheetWidth is how wide the sheet is at the plain text size, where the window lets it.
const sheetWidth = 430

// sheet is the activation of one or more roles, at the window's right edge. First it is a
// form, then it shows how far each role has come.
type sheet struct {
	ui      *UI
	account string
	keys    []pim.Key
	model   view.Sheet
	overlay *fyne.Container
	scroll  *container.Scroll
	body    *fyne.Container

	duration      *entry
	steps         map[time.Duration]*button
	stepBox       *fyne.Container
	start         *widget.RadioGroup
	startAt       *entry
	justification *entry
	reasons       *button
	ticketBox     *fyne.Container
	ticket        *entry
	ticketSystem  *entry
	reasonLabel   *widget.Label
	notes         *fyne.Container
	until         *widget.Label
	problem       *widget.Label
	send          *button

	// sent is when the wishes were sent, zero before.
	sent     time.Time
	answered bool
	answer   []pim.Operation
	err      *pim.Problem
	progress *fyne.Container
}

// openSheet opens the sheet for roles of an account, with answers where there are some.
func (u *UI) openSheet(account string, keys []pim.Key, prefill *local.Prefill) {
	if u.sheet != nil {
		u.closeSheet()
	}
	s := &sheet{ui: u, account: account, keys: keys, steps: map[time.Duration]*button{}}
	s.model = view.NewSheet(u.state, account, keys, u.now(), u.p.Words)
	s.build()
	s.duration.SetText(s.entryText(s.model.Default))
	s.justification.SetText(s.model.Justification)
	s.ticket.SetText(s.model.Ticket.Number)
	s.ticketSystem.SetText(s.model.Ticket.System)
	if prefill != nil {
		s.prefill(prefill)
	}
	s.show()
	u.sheet = s
	c := u.p.Window.Canvas()
	c.Overlays().Add(s.overlay)
	s.overlay.Resize(c.Size())
	relayout(s.overlay)
	s.focusFirst()
	s.readPolicies()
}

func (s *sheet) prefill(p *local.Prefill) {
	if p.Duration > 0 {
		s.duration.SetText(s.entryText(min(p.Duration, s.model.Limit)))
	}
	if p.Justification != "" {
		s.justification.SetText(p.Justification)
	}
	if p.Ticket.Number != "" {
		s.ticket.SetText(p.Ticket.Number)
		s.ticketSystem.SetText(p.Ticket.System)
	}
}

func (u *UI) closeSheet() {
	if u.sheet == nil {
		return
	}
	s := u.sheet
	u.sheet = nil
	u.p.Window.Canvas().Overlays().Remove(s.overlay)
	if !s.sent.IsZero() {
		u.roles.list.clearMarks()
	}
	u.focusSearch()
}

// entryText writes a duration for the entry: as it is said, where that reads back.
func (s *sheet) entryText(d time.Duration) string {
	text := view.Span(s.ui.p.Words, d)
	if back, err := view.ParseDuration(text); err == nil && back == d {
		return text
	}
	return view.DurationEntry(d)
}

// readPolicies asks for what activating the roles needs; it arrives with the next state.
func (s *sheet) readPolicies() {
	for _, k := range s.model.Unread {
		s.ui.do(func(ctx context.Context, agent Agent) error {
			_, err := agent.Policy(ctx, local.RoleRequest{Account: s.account, Key: k})
			return err
		}, nil)
	}
}

func (s *sheet) build() {
	w := s.ui.p.Words
	changed := func(string) { s.show() }
	s.duration = newEntry(s.ui, w.Say("sheet.duration-hint"))
	s.duration.OnChanged = changed
	s.duration.OnSubmitted = func(string) { s.submit() }
	s.stepBox = container.New(&flow{gap: 4})
	s.start = newRadio([]string{w.Say("sheet.start-now"), w.Say("sheet.start-at")}, nil)
	s.start.Horizontal = true
	s.startAt = newEntry(s.ui, w.Say("sheet.start-hint"))
	s.startAt.OnChanged = changed
	s.startAt.OnSubmitted = func(string) { s.submit() }
	s.startAt.Hide()
	s.start.SetSelected(s.start.Options[0])
	s.start.OnChanged = func(choice string) {
		later := choice == s.start.Options[1]
		setVisible(s.startAt, later)
		if later {
			s.ui.p.Window.Canvas().Focus(s.startAt)
		}
		s.show()
	}
	s.justification = newMultiLine(s.ui, w.Say("sheet.justification-hint"))
	s.justification.OnChanged = changed
	s.reasons = newButton(s.ui, w.Say("sheet.reasons"), theme.HistoryIcon(), s.openReasons)
	s.reasons.Importance = widget.LowImportance
	s.ticket = newEntry(s.ui, w.Say("sheet.ticket-number"))
	s.ticket.OnChanged = changed
	s.ticketSystem = newEntry(s.ui, w.Say("sheet.ticket-system"))
	s.ticketSystem.OnChanged = changed
	s.reasonLabel = bold(wrapped(""))
	s.ticketBox = container.NewVBox(bold(wrapped(w.Say("sheet.ticket"))), container.NewGridWithColumns(2, s.ticket, s.ticketSystem))
	s.notes = container.New(tight{})
	s.until = wrapped("")
	s.problem = wrapped("")
	s.problem.Importance = widget.DangerImportance
	s.send = newButton(s.ui, "", nil, s.submit)
	s.send.Importance = widget.HighImportance

	s.body = container.NewStack(s.form())
	dim := newScrim()
	side := on(theme.ColorNameOverlayBackground, 0, s.body)
	s.overlay = container.New(sideLayout{}, dim, side)
}

// reasonLimit is how much of a recent reason the choice shows.
const reasonLimit = 44

func (s *sheet) form() fyne.CanvasObject {
	w := s.ui.p.Words
	fields := container.NewVBox(
		s.roleNames(),
		spacer(4),
		bold(wrapped(w.Say("sheet.duration"))),
		padded(0, 0, 4, 4, container.NewBorder(nil, nil, nil, fixedWidth(96, s.duration), s.stepBox)),
		container.NewBorder(nil, nil, nil, s.reasons, s.reasonLabel), padded(0, 0, 4, 4, s.justification),
		padded(0, 0, 4, 4, s.ticketBox),
		container.NewBorder(nil, nil, bold(widget.NewLabel(w.Say("sheet.start"))), nil, s.start), padded(0, 0, 4, 4, s.startAt),
		spacer(8),
	)
	cancel := newButton(s.ui, w.Say("verb.cancel"), nil, s.ui.closeSheet)
	foot := container.NewVBox(
		widget.NewSeparator(),
		container.New(tight{}, s.notes, s.until, s.problem),
		container.NewHBox(layout.NewSpacer(), cancel, s.send),
	)
	s.scroll = container.NewVScroll(padded(0, 0, 0, 10, fields))
	for _, e := range []*entry{s.duration, s.startAt, s.justification, s.ticket, s.ticketSystem} {
		e.onFocus = s.reveal
	}
	return padded(12, 14, 14, 14, container.NewBorder(s.title(s.model.Title), on(theme.ColorNameOverlayBackground, 0, foot), nil, nil, s.scroll))
}

// openReasons offers the recent reasons.
func (s *sheet) openReasons() {
	var items []*fyne.MenuItem
	for _, r := range s.model.Reasons {
		items = append(items, fyne.NewMenuItem(pim.CleanText(r, reasonLimit), func() { s.justification.SetText(r) }))
	}
	c := s.ui.p.Window.Canvas()
	widget.ShowPopUpMenuAtRelativePosition(fyne.NewMenu("", items...), c, fyne.NewPos(0, s.reasons.Size().Height), s.reasons)
}

// reveal scrolls a field into view.
func (s *sheet) reveal(e *entry) {
	driver := fyne.CurrentApp().Driver()
	top := driver.AbsolutePositionForObject(e).Y - driver.AbsolutePositionForObject(s.scroll.Content).Y
	switch bottom := top + e.Size().Height; {
	case top < s.scroll.Offset.Y:
		s.scroll.ScrollToOffset(fyne.NewPos(0, top))
	case bottom > s.scroll.Offset.Y+s.scroll.Size().Height:
		s.scroll.ScrollToOffset(fyne.NewPos(0, bottom+theme.Padding()-s.scroll.Size().Height))
	}
}

// title is the sheet's first line, with a way out.
func (s *sheet) title(text string) fyne.CanvasObject {
	exit := newButton(s.ui, "", theme.CancelIcon(), s.ui.closeSheet)
	exit.Importance = widget.LowImportance
	return container.NewBorder(nil, nil, nil, container.NewCenter(exit), heading(text))
}

// roleNames has the names whole, however long they are.
func (s *sheet) roleNames() fyne.CanvasObject {
	box := container.NewVBox()
	for _, r := range s.model.Roles {
		box.Add(s.roleName(r))
	}
	return box
}

func (s *sheet) roleName(r view.SheetRole) fyne.CanvasObject {
	scope := wrapped(r.Scope)
	scope.SizeName = theme.SizeNameCaptionText
	scope.Importance = widget.LowImportance
	icon := padded(10, 0, 4, 0, container.NewVBox(widget.NewIcon(kindIcon(r.Kind))))
	return container.NewBorder(nil, nil, icon, nil, container.New(tight{}, bold(wrapped(r.Name)), scope))
}

func (s *sheet) entryValue() view.Entry {
	e := view.Entry{Duration: s.duration.Text, Justification: s.justification.Text}
	if s.start.Selected == s.start.Options[1] {
		if e.Start = s.startAt.Text; strings.TrimSpace(e.Start) == "" {
			e.Start = "?"
		}
	}
	if s.model.TicketRequired {
		e.TicketNumber, e.TicketSystem = s.ticket.Text, s.ticketSystem.Text
	}
	return e
}

// set takes over a new state.
func (s *sheet) set() {
	u := s.ui
	if !s.sent.IsZero() {
		s.showProgress()
		return
	}
	known := len(s.model.Unread) == 0
	untouched := s.duration.Text == s.entryText(s.model.Default)
	s.model = view.NewSheet(u.state, s.account, s.keys, u.now(), u.p.Words)
	if !known && untouched {
		s.duration.SetText(s.entryText(s.model.Default))
	}
	s.show()
}

// tick shows what time has changed.
func (s *sheet) tick() {
	if s.sent.IsZero() && s.until.Visible() {
		s.showUntil()
	}
}

// show puts the model into the form.
func (s *sheet) show() {
	w := s.ui.p.Words
	s.showSteps()
	label := w.Say("sheet.justification-optional")
	if s.model.JustificationRequired {
		label = w.Say("sheet.justification")
	}
	setLabel(s.reasonLabel, label, widget.MediumImportance)
	setVisible(s.reasons, len(s.model.Reasons) > 0)
	setVisible(s.ticketBox, s.model.TicketRequired)
	s.notes.RemoveAll()
	for _, n := range s.model.Notes {
		l := wrapped(n.Text)
		l.Importance = importance(n.Tone)
		s.notes.Add(l)
	}
	setVisible(s.notes, len(s.model.Notes) > 0)
	s.send.set(s.model.Button, s.model.Problem == "", widget.HighImportance)
	s.showUntil()
	relayout(s.overlay)
}

func (s *sheet) showSteps() {
	chosen, _ := view.ParseDuration(s.duration.Text)
	if len(s.stepBox.Objects) != len(s.model.Durations) {
		s.stepBox.RemoveAll()
		clear(s.steps)
	}
	for i, c := range s.model.Durations {
		b := s.steps[c.Duration]
		if b == nil {
			b = newButton(s.ui, c.Label, nil, func() { s.duration.SetText(s.entryText(c.Duration)) })
			s.steps[c.Duration] = b
			if i < len(s.stepBox.Objects) {
				s.stepBox.Objects[i] = b
			} else {
				s.stepBox.Add(b)
			}
		}
		weight := widget.MediumImportance
		if c.Duration == chosen {
			weight = widget.HighImportance
		}
		b.set(c.Label, true, weight)
	}
}

// showUntil says when the role would end, or what is wrong with what was typed.
func (s *sheet) showUntil() {
	u := s.ui
	filled, problems := s.model.Check(s.entryValue(), u.now(), u.p.Words)
	text := s.model.Problem
	if text == "" && len(problems) > 0 {
		text = problems[0].Text
	}
	// What is still empty is no mistake before the button is pressed.
	quiet := len(problems) > 0 && s.model.Problem == "" && s.isEmpty(problems[0].Field)
	weight := widget.DangerImportance
	if quiet {
		weight = widget.LowImportance
	}
	setLabel(s.problem, text, weight)
	setVisible(s.problem, text != "")
	if len(problems) == 0 {
		setLabel(s.until, s.model.Until(filled, u.now(), u.p.Words), widget.MediumImportance)
	}
	setVisible(s.until, len(problems) == 0 && s.model.Problem == "")
}

func (s *sheet) isEmpty(f view.Field) bool {
	switch f {
	case view.FieldDuration:
		return s.duration.Text == ""
	case view.FieldStart:
		return s.startAt.Text == ""
	case view.FieldJustification:
		return strings.TrimSpace(s.justification.Text) == ""
	case view.FieldTicket:
		return strings.TrimSpace(s.ticket.Text) == ""
	}
	return false
}

func (s *sheet) field(f view.Field) *entry {
	switch f {
	case view.FieldStart:
		return s.startAt
	case view.FieldJustification:
		return s.justification
	case view.FieldTicket:
		return s.ticket
	case view.FieldDuration:
	}
	return s.duration
}

// focusFirst puts the focus where something is still to be entered, else on the duration, so
// that Enter sends.
func (s *sheet) focusFirst() {
	c := s.ui.p.Window.Canvas()
	if s.justification.Text == "" {
		c.Focus(s.justification)
		return
	}
	if _, problems := s.model.Check(s.entryValue(), s.ui.now(), s.ui.p.Words); len(problems) > 0 {
		c.Focus(s.field(problems[0].Field))
		return
	}
	c.Focus(s.duration)
}

func (s *sheet) submit() {
	u := s.ui
	filled, problems := s.model.Check(s.entryValue(), u.now(), u.p.Words)
	if s.model.Problem != "" || !s.sent.IsZero() {
		return
	}
	if len(problems) > 0 {
		setLabel(s.problem, problems[0].Text, widget.DangerImportance)
		u.p.Window.Canvas().Focus(s.field(problems[0].Field))
		return
	}
	req := local.ActivateRequest{Account: s.account}
	for _, r := range s.model.Roles {
		req.Wishes = append(req.Wishes, local.Wish{
			Key: r.Key, Start: filled.Start, Duration: filled.Duration, Justification: filled.Justification, Ticket: filled.Ticket,
		})
	}
	s.sent = u.now()
	s.showProgress()
	var answer local.ActivateAnswer
	u.do(func(ctx context.Context, agent Agent) (err error) {
		answer, err = agent.Activate(ctx, req)
		return err
	}, func(err error) {
		s.answered, s.answer = true, answer.Operations
		if err != nil {
			p := u.problem(err)
			s.err = &p
		}
		if u.sheet == s {
			s.showProgress()
		}
	})
}

// operation is the newest word on a role of the sheet.
func (s *sheet) operation(i int) (pim.Operation, bool) {
	key := s.model.Roles[i].Key
	var found pim.Operation
	ok := false
	if i < len(s.answer) {
		found, ok = s.answer[i], true
	}
	if a := s.ui.state.Account(s.account); a != nil {
		for _, o := range a.Operations {
			mine := o.ID == found.ID || (!ok && !o.Started.Before(s.sent.Add(-2*time.Second)))
			if o.Role.Key() == key && mine && !o.Changed.Before(found.Changed) {
				found, ok = o, true
			}
		}
	}
	return found, ok
}

// showProgress shows how far each role has come, and closes the sheet when all are active.
func (s *sheet) showProgress() {
	u, w := s.ui, s.ui.p.Words
	box := container.NewVBox()
	done := true
	for i, r := range s.model.Roles {
		box.Add(s.roleName(r))
		text, tone := w.Say("operation.sending"), view.ToneNormal
		var problem *pim.Problem
		switch o, ok := s.operation(i); {
		case ok:
			text, tone = view.OperationStatus(w, o, u.now())
			problem = o.Problem
			done = done && o.State == pim.OperationDone
		case s.err != nil:
			text, tone, done = w.Say("operation.failed"), view.ToneBad, false
		default:
			done = false
		}
		status := wrapped(text)
		status.Importance = importance(tone)
		box.Add(padded(0, 0, 26, 0, container.New(tight{}, status)))
		if problem != nil {
			box.Add(padded(0, 0, 26, 0, s.problemBox(*problem)))
		}
		box.Add(spacer(6))
	}
	if s.err != nil {
		box.Add(s.problemBox(*s.err))
	}
	if done && s.answered {
		u.closeSheet()
		return
	}
	shut := newButton(u, w.Say("verb.close"), nil, u.closeSheet)
	foot := container.NewVBox(widget.NewSeparator(), container.NewHBox(layout.NewSpacer(), shut))
	first := s.progress == nil
	s.progress = container.NewBorder(s.title(s.model.Title), foot, nil, nil, container.NewVScroll(padded(0, 0, 0, 10, box)))
	s.body.Objects = []fyne.CanvasObject{padded(12, 14, 14, 14, s.progress)}
	s.body.Refresh()
	relayout(s.overlay)
	if first || u.p.Window.Canvas().Focused() == nil {
		u.p.Window.Canvas().Focus(shut)
	}
}

func (s *sheet) problemBox(p pim.Problem) fyne.CanvasObject {
	text := wrapped(p.Text)
	copyDetails := newButton(s.ui, s.ui.p.Words.Say("verb.copy-details"), theme.ContentCopyIcon(), func() {
		s.ui.copyText(p.Text + "\n" + p.Details)
	})
	copyDetails.Importance = widget.LowImportance
	return container.NewVBox(container.New(tight{}, text), container.NewHBox(copyDetails))
}

// scrim dims what lies behind the sheet and takes its taps.
type scrim struct{ *panel }

func newScrim() fyne.CanvasObject { return &scrim{newPanel(wtheme.ColorScrim, 0)} }

func (*scrim) Tapped(*fyne.PointEvent) {}

// sideLayout puts the second object at the right edge over the first.
type sideLayout struct{}

func (sideLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(min(sheetWidth*textScale(), 480), o[1].MinSize().Height)
}

func (sideLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Resize(s)
	width := min(sheetWidth*textScale(), s.Width*0.9)
	o[1].Move(fyne.NewPos(s.Width-width, 0))
	o[1].Resize(fyne.NewSize(width, s.Height))
}

// flow puts objects beside each other and breaks lines where they do not fit.
type flow struct {
	gap float32
	// width is that of the last layout, which decides the height.
	width float32
}

func (f *flow) arrange(objects []fyne.CanvasObject, width float32, place func(fyne.CanvasObject, fyne.Position, fyne.Size)) float32 {
	var x, y, line float32
	for _, o := range objects {
		m := o.MinSize()
		if x > 0 && x+m.Width > width {
			x, y = 0, y+line+f.gap
			line = 0
		}
		place(o, fyne.NewPos(x, y), m)
		x += m.Width + f.gap
		line = max(line, m.Height)
	}
	return y + line
}

// Layout puts the objects in their places.
func (f *flow) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	f.width = s.Width
	f.arrange(objects, s.Width, func(o fyne.CanvasObject, at fyne.Position, size fyne.Size) {
		o.Move(at)
		o.Resize(size)
	})
}

// MinSize is the height at the width of the last layout; before one, that of a single line.
func (f *flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := f.width
	if width <= 0 {
		width = 10000
	}
	var widest float32
	height := f.arrange(objects, width, func(_ fyne.CanvasObject, _ fyne.Position, m fyne.Size) { widest = max(widest, m.Width) })
	return fyne.NewSize(widest, height)
}

// tight stacks labels with their paddings overlapping.
type tight struct{}

func (tight) overlap() float32 { return theme.InnerPadding() * 1.25 }

func (t tight) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if o.Visible() {
			m := o.MinSize()
			size.Width = max(size.Width, m.Width)
			size.Height += m.Height - t.overlap()
		}
	}
	size.Height += t.overlap()
	return size
}

func (t tight) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	var y float32
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		h := o.MinSize().Height
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(s.Width, h))
		y += h - t.overlap()
	}
}
