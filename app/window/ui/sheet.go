//go:build !nowindow

package ui

import (
	"context"
	"slices"
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
	startBox      fyne.CanvasObject
	scope         *widget.RadioGroup
	scopeBox      *fyne.Container
	picker        *scopePicker
	start         *widget.RadioGroup
	startAt       *entry
	justification *entry
	reasons       *button
	ticketBox     *fyne.Container
	ticketLabel   *widget.Label
	ticket        *entry
	ticketSystem  *entry
	reasonLabel   *widget.Label
	notes         *fyne.Container
	until         *widget.Label
	problem       *widget.Label
	send          *button
	check         *button
	// names has the roles with what the newest check says of them: lines, or why it failed.
	names   *fyne.Container
	lines   []checkLine
	failed  *pim.Problem
	checked sheetCheck
	// continues says that the role goes on after its end, and again that it is to last as long
	// as the last time.
	continues, again bool

	// sending says that the agent is asked to have the role go on.
	sending bool
	// sent is when the wishes were sent, zero before.
	sent     time.Time
	answered bool
	answer   []pim.Operation
	err      *pim.Problem
	progress *fyne.Container
	// targets are the roles at the scopes that were asked for, by these wishes.
	targets []view.SheetRole
	wanted  []local.Wish
}

// openSheet opens the sheet for roles of an account, with answers where there are some.
func (u *UI) openSheet(account string, keys []pim.Key, answers view.Filled) {
	u.openSheetFor(&sheet{ui: u, account: account, keys: keys}, answers)
}

// openAgain opens the sheet of a recent role with all that it was activated with.
func (u *UI) openAgain(account string, key pim.Key) {
	u.openSheetFor(&sheet{ui: u, account: account, keys: []pim.Key{key}, again: true}, view.Filled{})
}

// openContinue opens the sheet for what follows the end of an active role.
func (u *UI) openContinue(account string, key pim.Key) {
	u.openSheetFor(&sheet{ui: u, account: account, keys: []pim.Key{key}, continues: true}, view.Filled{})
}

// openSheetFor leaves a sheet alone that is open for the same already.
func (u *UI) openSheetFor(s *sheet, answers view.Filled) {
	if open, ok := u.sheet.(*sheet); ok && !open.acted() && open.account == s.account && open.continues == s.continues && slices.Equal(open.keys, s.keys) {
		return
	}
	s.steps = map[time.Duration]*button{}
	s.model = s.newModel()
	s.build()
	s.duration.SetText(s.firstDuration())
	s.justification.SetText(s.model.Justification)
	s.ticket.SetText(s.model.Ticket.Number)
	s.ticketSystem.SetText(s.model.Ticket.System)
	s.prefill(answers)
	s.show()
	u.openDrawer(s)
	s.focusFirst()
	s.readPolicies()
}

func (s *sheet) newModel() view.Sheet {
	u := s.ui
	if s.continues {
		return view.NewContinueSheet(u.state, s.account, s.keys[0], u.now(), u.p.Words)
	}
	m := view.NewSheet(u.state, s.account, s.keys, u.now(), u.p.Words)
	m.Demand(s.checked.demands)
	return m
}

func (s *sheet) top() *fyne.Container { return s.overlay }
func (s *sheet) acted() bool          { return s.sending || !s.sent.IsZero() }

// prefill puts in the answers that there are.
func (s *sheet) prefill(p view.Filled) {
	if p.Duration > 0 {
		s.duration.SetText(entryText(s.ui.p.Words, min(p.Duration, s.model.Limit)))
	}
	if p.Justification != "" {
		s.justification.SetText(p.Justification)
	}
	if p.Ticket.Number != "" {
		s.ticket.SetText(p.Ticket.Number)
		s.ticketSystem.SetText(p.Ticket.System)
	}
	if p.Start.After(s.ui.now()) && !s.continues {
		s.start.SetSelected(s.start.Options[1])
		s.startAt.SetText(view.StartEntry(p.Start, s.ui.now()))
	}
	if p.Scope.ID != "" {
		s.narrow(p.Scope)
	}
}

// focus puts the focus on something in the sheet, once it is open.
func (s *sheet) focus(on fyne.Focusable) {
	if s.ui.sheet == drawer(s) {
		s.ui.p.Window.Canvas().Focus(on)
	}
}

// entryText writes a duration for the entry: as it is said, where that reads back.
func entryText(w view.Words, d time.Duration) string {
	text := view.Span(w, d)
	if back, err := view.ParseDuration(text); err == nil && back == d {
		return text
	}
	return view.DurationEntry(d)
}

// firstDuration is what the duration's entry begins with.
func (s *sheet) firstDuration() string {
	if s.again && s.model.Last > 0 {
		return entryText(s.ui.p.Words, s.model.Last)
	}
	return entryText(s.ui.p.Words, s.model.Default)
}

// readPolicies asks for what activating the roles needs; it arrives with the next state.
func (s *sheet) readPolicies() {
	for _, k := range s.model.Unread {
		s.readPolicy(k)
	}
}

func (s *sheet) readPolicy(k pim.Key) {
	s.ui.do(func(ctx context.Context, agent Agent) error {
		_, err := agent.Policy(ctx, local.RoleRequest{Account: s.account, Key: k})
		return err
	}, nil)
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
			s.focus(s.startAt)
		}
		s.show()
	}
	s.buildScope()
	s.justification = newMultiLine(s.ui, w.Say("sheet.justification-hint"))
	s.justification.OnChanged = changed
	s.reasons = newButton(s.ui, w.Say("sheet.reasons"), theme.HistoryIcon(), s.openReasons)
	s.reasons.Importance = widget.LowImportance
	s.ticket = newEntry(s.ui, w.Say("sheet.ticket-number"))
	s.ticket.OnChanged = changed
	s.ticketSystem = newEntry(s.ui, w.Say("sheet.ticket-system"))
	s.ticketSystem.OnChanged = changed
	s.reasonLabel = bold(wrapped(""))
	s.ticketLabel = bold(wrapped(""))
	s.ticketBox = container.NewVBox(s.ticketLabel, padded(0, 0, 4, 4, container.NewGridWithColumns(2, s.ticket, s.ticketSystem)))
	s.notes = container.New(tight{})
	s.until = wrapped("")
	s.problem = wrapped("")
	s.problem.Importance = widget.DangerImportance
	s.send = newButton(s.ui, "", nil, s.submit)
	s.send.Importance = widget.HighImportance

	s.check = newButton(s.ui, w.Say("verb.check"), nil, func() {
		if filled, ok := s.filled(); ok {
			s.runCheck(filled, nil)
		}
	})
	s.names = container.NewVBox()
	s.body = container.NewStack(s.form())
	dim := newScrim()
	side := on(theme.ColorNameOverlayBackground, 0, s.body)
	s.overlay = container.New(sideLayout{}, dim, side)
}

// reasonLimit is how much of a recent reason the choice shows.
const reasonLimit = 44

func (s *sheet) form() fyne.CanvasObject {
	w := s.ui.p.Words
	s.startBox = container.NewBorder(nil, nil, bold(widget.NewLabel(w.Say("sheet.start"))), nil, s.start)
	setVisible(s.startBox, !s.continues)
	setVisible(s.check, !s.continues)
	fields := container.NewVBox(
		s.names,
		spacer(4),
		bold(wrapped(w.Say("sheet.duration"))),
		padded(0, 0, 4, 4, container.NewBorder(nil, nil, nil, fixedWidth(96, s.duration), s.stepBox)),
		container.NewBorder(nil, nil, nil, s.reasons, s.reasonLabel), padded(0, 0, 4, 4, s.justification),
		s.ticketBox,
		s.scopeBox,
		s.startBox, padded(0, 0, 4, 4, s.startAt),
		spacer(8),
	)
	cancel := newButton(s.ui, w.Say("verb.cancel"), nil, s.ui.leaveSheet)
	var foot fyne.CanvasObject = container.NewVBox(
		widget.NewSeparator(),
		container.New(tight{}, s.notes, s.until, s.problem),
		container.NewHBox(s.check, layout.NewSpacer(), cancel, s.send),
	)
	s.scroll = container.NewVScroll(padded(0, 0, 0, 10, fields))
	if s.picker != nil {
		s.picker.search.onFocus = func(*entry) { reveal(s.scroll, s.picker.object) }
	}
	for _, e := range []*entry{s.duration, s.startAt, s.justification, s.ticket, s.ticketSystem} {
		e.onFocus = func(e *entry) { reveal(s.scroll, e) }
	}
	foot = padded(0, 14, 0, 0, foot)
	return padded(12, 0, 14, 14, container.NewBorder(drawerTitle(s.ui, s.model.Title), on(theme.ColorNameOverlayBackground, 0, foot), nil, nil, s.scroll))
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

// roleName has a role's names whole, however long they are, and what is to stand below them.
func (s *sheet) roleName(r view.SheetRole, below ...fyne.CanvasObject) fyne.CanvasObject {
	scope := wrapped(r.Scope)
	scope.SizeName = theme.SizeNameCaptionText
	scope.Importance = widget.LowImportance
	icon := padded(10, 0, 4, 0, container.NewVBox(widget.NewIcon(kindIcon(r.Kind))))
	return container.NewBorder(nil, nil, icon, nil, container.New(tight{}, append([]fyne.CanvasObject{bold(wrapped(r.Name)), scope}, below...)...))
}

func (s *sheet) entryValue() view.Entry {
	e := view.Entry{Duration: s.duration.Text, Justification: s.justification.Text}
	if s.start.Selected == s.start.Options[1] {
		if e.Start = s.startAt.Text; strings.TrimSpace(e.Start) == "" {
			e.Start = "?"
		}
	}
	if s.model.TicketOffered {
		e.TicketNumber, e.TicketSystem = s.ticket.Text, s.ticketSystem.Text
	}
	return e
}

// set takes over a new state.
func (s *sheet) set() {
	if !s.sent.IsZero() {
		s.showProgress()
		return
	}
	known, mine := len(s.model.Unread) == 0, s.ui.filledIn()
	untouched := s.duration.Text == s.firstDuration()
	s.model = s.newModel()
	if !known && untouched {
		s.duration.SetText(s.firstDuration())
	}
	s.show()
	if !known && !mine && len(s.model.Unread) == 0 {
		s.focusFirst() // what is asked for is known only now
	}
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
	label = w.Say("sheet.ticket-optional")
	if s.model.TicketRequired {
		label = w.Say("sheet.ticket")
	}
	setLabel(s.ticketLabel, label, widget.MediumImportance)
	setVisible(s.ticketBox, s.model.TicketOffered)
	s.notes.RemoveAll()
	for _, n := range s.model.Notes {
		if s.checked.findings != nil && n.Tone != view.ToneWarning {
			continue // the findings know better
		}
		l := wrapped(n.Text)
		l.Importance = importance(n.Tone)
		s.notes.Add(l)
	}
	setVisible(s.notes, len(s.notes.Objects) > 0)
	lines, done := s.checkLines()
	s.showRoles(lines)
	s.showButtons(done)
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
			b = newButton(s.ui, c.Label, nil, func() { s.duration.SetText(entryText(s.ui.p.Words, c.Duration)) })
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
	if text == "" && s.checked.warned {
		text, weight = u.p.Words.Say("check.leave"), widget.WarningImportance
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

// focusFirst puts the focus on the first answer that is missing, else on a reason that may be
// given, else on the duration, so that Enter sends.
func (s *sheet) focusFirst() {
	first := s.duration
	if _, problems := s.model.Check(s.entryValue(), s.ui.now(), s.ui.p.Words); len(problems) > 0 {
		first = s.field(problems[0].Field)
	} else if s.justification.Text == "" {
		first = s.justification
	}
	s.ui.p.Window.Canvas().Focus(first)
}

// submit does what the button says. Several roles are checked first, all of them: they are sent
// where nothing speaks against any, and else the button sends those that the check let pass.
func (s *sheet) submit() {
	if others := s.others(); others != nil && !s.acted() {
		var roles []view.SheetRole
		var wishes []local.Wish
		for _, i := range others {
			roles, wishes = append(roles, s.checked.roles[i]), append(wishes, s.checked.wishes[i])
		}
		s.sendWishes(roles, wishes)
		return
	}
	filled, ok := s.filled()
	if !ok || s.checked.running {
		return
	}
	if s.continues {
		s.sendContinue(filled)
		return
	}
	roles, wishes := s.roles(), s.wishes(filled)
	if len(wishes) > 1 {
		s.runCheck(filled, func() { s.sendWishes(roles, s.checked.wishes) })
		return
	}
	s.sendWishes(roles, wishes)
}

func (s *sheet) sendWishes(roles []view.SheetRole, wishes []local.Wish) {
	u := s.ui
	s.targets, s.wanted = roles, wishes
	s.sent = u.now()
	s.showProgress()
	s.ask(wishes, func(made []pim.Operation) { s.answer = made })
}

// ask sends wishes, and shows what became of them when took has taken over the answer.
func (s *sheet) ask(wishes []local.Wish, took func([]pim.Operation)) {
	u := s.ui
	req := local.ActivateRequest{Account: s.account, Wishes: wishes}
	var answer local.ActivateAnswer
	u.do(func(ctx context.Context, agent Agent) (err error) {
		answer, err = agent.Activate(ctx, req)
		return err
	}, func(err error) {
		s.answered = true
		took(answer.Operations)
		if err != nil {
			p := u.problem(err)
			s.err = &p
		}
		if u.sheet == s {
			s.showProgress()
		}
	})
}

// filled is what was put in; where something is wrong it says so at the field.
func (s *sheet) filled() (view.Filled, bool) {
	u := s.ui
	filled, problems := s.model.Check(s.entryValue(), u.now(), u.p.Words)
	if s.model.Problem != "" || s.acted() {
		return filled, false
	}
	if len(problems) > 0 {
		setLabel(s.problem, problems[0].Text, widget.DangerImportance)
		s.problem.Show()
		relayout(s.overlay)
		u.p.Window.Canvas().Focus(s.field(problems[0].Field))
		return filled, false
	}
	if s.isNarrow() && len(s.picker.chosen) == 0 {
		setLabel(s.problem, u.p.Words.Say("problem.no-scope"), widget.DangerImportance)
		s.problem.Show()
		relayout(s.overlay)
		u.p.Window.Canvas().Focus(s.picker.list)
		return filled, false
	}
	return filled, true
}

// roles are those of the model, or the one role at each of the scopes that are chosen.
func (s *sheet) roles() []view.SheetRole {
	if !s.isNarrow() || s.model.Narrows == nil {
		return s.model.Roles // the eligibility may have gone meanwhile, and the model says so
	}
	var out []view.SheetRole
	for _, scope := range s.picker.chosen {
		out = append(out, s.model.At(scope))
	}
	return out
}

func (s *sheet) wishes(f view.Filled) []local.Wish {
	var out []local.Wish
	for _, r := range s.roles() {
		w := local.Wish{
			Key: r.Eligibility, Scope: r.At, Start: f.Start, Duration: f.Duration, Justification: f.Justification, Ticket: f.Ticket,
		}
		w.Operation = s.sentByCheck(w)
		out = append(out, w)
	}
	return out
}

// buildScope makes the choice between the whole scope and narrower ones.
func (s *sheet) buildScope() {
	w := s.ui.p.Words
	s.scopeBox = container.NewVBox()
	if s.model.Narrows == nil {
		s.scopeBox.Hide()
		return
	}
	s.scope = newRadio([]string{w.Say("scope.whole"), w.Say("scope.narrower")}, nil)
	s.scope.Horizontal = true
	s.scope.SetSelected(s.scope.Options[0])
	s.picker = newScopePicker(s.ui, s.account, s.model.Narrows.Role.Key(), s.model.Narrows.Role.Scope, s.show)
	s.picker.object.Hide()
	s.scope.OnChanged = func(string) {
		setVisible(s.picker.object, s.isNarrow())
		if s.isNarrow() {
			s.picker.load(s.picker.root)
			relayout(s.overlay)
			s.focus(s.picker.search)
		}
		s.show()
	}
	s.scopeBox.Objects = []fyne.CanvasObject{
		container.NewBorder(nil, nil, bold(widget.NewLabel(w.Say("scope.label"))), nil, s.scope), padded(0, 0, 4, 4, s.picker.object),
	}
}

func (s *sheet) isNarrow() bool { return s.picker != nil && s.scope.Selected == s.scope.Options[1] }

func (s *sheet) isWhole(scope pim.Scope) bool {
	return s.model.Narrows != nil && strings.EqualFold(scope.ID, s.model.Narrows.Role.Scope.ID)
}

// narrow chooses a scope below the eligibility's.
func (s *sheet) narrow(scope pim.Scope) {
	if s.picker == nil || s.model.Narrows == nil || s.isWhole(scope) {
		return
	}
	s.scope.SetSelected(s.scope.Options[1])
	s.picker.choose(scope, true)
}

func (s *sheet) sendContinue(f view.Filled) {
	u := s.ui
	req := local.ContinueRequest{Account: s.account, Key: s.keys[0], Duration: f.Duration, Justification: f.Justification, Ticket: f.Ticket}
	s.sending = true
	s.show()
	u.do(func(ctx context.Context, agent Agent) error {
		_, err := agent.Continue(ctx, req)
		return err
	}, func(err error) {
		s.sending = false
		switch {
		case u.sheet != drawer(s):
			if err != nil {
				u.fail(err)
			}
		case err == nil:
			u.closeSheet()
		default:
			s.show()
			setLabel(s.problem, u.problem(err).Text, widget.DangerImportance)
			s.problem.Show()
			relayout(s.overlay)
		}
	})
}

// step says how far a part of an operation has come.
func (s *sheet) step(step pim.Step) fyne.CanvasObject {
	w := s.ui.p.Words
	text, tone := view.OperationStatus(w, pim.Operation{Action: pim.ActionActivate, State: step.State}, s.ui.now())
	if step.Operation == "" && !step.State.Over() {
		text, tone = w.Say("step.later"), view.ToneQuiet
	}
	l := wrapped(pim.CleanText(step.Role.Name+" · "+step.Role.Scope.Label(), 200) + ": " + text)
	l.Importance = importance(tone)
	return l
}

// offerBox offers the next wider scope, where the service refused one: it is sent with the
// same answers.
func (s *sheet) offerBox(i int, refused pim.Role, offer pim.Scope) fyne.CanvasObject {
	return container.NewHBox(newButton(s.ui, s.widerVerb(offer), nil, func() { s.sendWider(i, refused.At(offer)) }))
}

func (s *sheet) sendWider(i int, role pim.Role) {
	s.targets[i] = s.targets[i].Moved(role)
	w := &s.wanted[i]
	w.Scope, w.Operation = role.Scope, ""
	if i < len(s.answer) {
		s.answer[i] = pim.Operation{}
	}
	s.sent, s.answered = s.ui.now(), false
	s.showProgress()
	s.ask([]local.Wish{*w}, func(made []pim.Operation) {
		if i < len(s.answer) && len(made) == 1 {
			s.answer[i] = made[0]
		}
	})
}

// operation is the newest word on a role of the sheet.
func (s *sheet) operation(i int) (pim.Operation, bool) {
	key := s.targets[i].Key
	var found pim.Operation
	ok := false
	if i < len(s.answer) && s.answer[i].ID != "" {
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
	for i, r := range s.targets {
		box.Add(s.roleName(r))
		text, tone := w.Say("operation.sending"), view.ToneNormal
		var problem *pim.Problem
		var offer *pim.Scope
		o, ok := s.operation(i)
		switch {
		case ok:
			text, tone = view.OperationStatus(w, o, u.now())
			problem = o.Problem
			for _, step := range o.Steps {
				box.Add(padded(0, 0, 26, 0, s.step(step)))
			}
			if o.State == pim.OperationFailed {
				offer = o.Offer
			}
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
		if offer != nil {
			box.Add(padded(0, 0, 26, 0, s.offerBox(i, o.Role, *offer)))
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
	s.progress = container.NewBorder(drawerTitle(s.ui, s.model.Title), foot, nil, nil, container.NewVScroll(padded(0, 0, 0, 10, box)))
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
