//go:build !nowindow

package ui

import (
	"context"
	"reflect"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
)

// sheetCheck is what a sheet knows of the newest check of its roles.
type sheetCheck struct {
	// running says that a check is under way, and callOff ends it.
	running bool
	callOff context.CancelFunc
	// roles and wishes are what is or was checked, and findings what was found, in their order.
	roles    []view.SheetRole
	wishes   []local.Wish
	findings []pim.Finding
	// demands are the rules that a check of the sheet has found broken.
	demands []pim.Rule
	// begun are the roles whose check the session has taken up.
	begun map[pim.Key]bool
	// err is why there are no findings, or nil.
	err *pim.Problem
	// warned says that the person was told, on the way out, of a check that was taken for a request.
	warned bool
}

// runCheck has the wishes judged without sending them, and says what was found for each. Where
// then is set it is called if nothing speaks against any of them.
func (s *sheet) runCheck(f view.Filled, then func()) {
	u := s.ui
	c := &s.checked
	if c.running {
		return
	}
	c.roles, c.wishes, c.findings, c.err = s.roles(), s.wishes(f), nil, nil
	c.running, c.begun = true, map[pim.Key]bool{}
	s.show()
	s.scroll.ScrollToTop()
	req := local.ActivateRequest{Account: s.account, Wishes: slices.Clone(c.wishes), Check: true}
	var answer local.ActivateAnswer
	c.callOff = u.begin(func(ctx context.Context, agent Agent) (err error) {
		answer, err = agent.Activate(ctx, req)
		return err
	}, func(err error) { s.endCheck(answer.Findings, err, then) })
}

func (s *sheet) endCheck(found []pim.Finding, err error, then func()) {
	u := s.ui
	c := &s.checked
	c.running = false
	calledOff := pim.CodeOf(err) == pim.CodeCancelled
	switch {
	case u.sheet != drawer(s):
		return
	case err == nil && len(found) == len(c.wishes):
		c.findings = found
		for i, f := range found {
			c.wishes[i].Operation = f.Operation
			c.demands = append(c.demands, f.Rules...)
		}
	case err == nil:
		c.err = pim.Explain(&pim.Error{Code: pim.CodeUnreadable})
	case !calledOff:
		p := u.problem(err)
		c.err = &p
	}
	filled, problems := s.model.Check(s.entryValue(), u.now(), u.p.Words)
	if then != nil && c.findings != nil && !slices.ContainsFunc(found, pim.Finding.Obstacle) && len(problems) == 0 && s.isChecked(s.wishes(filled)) {
		then()
		return
	}
	s.model = s.newModel()
	s.show()
	s.scroll.ScrollToTop()
	if calledOff {
		u.p.Window.Canvas().Focus(s.send)
		return
	}
	// What the service knows better than the settings that were read is read again.
	for i, f := range found {
		if len(f.Rules) > 0 {
			s.readPolicy(c.roles[i].Eligibility)
		}
	}
	if e := s.demanded(); e != nil {
		u.p.Window.Canvas().Focus(e)
	}
}

// demanded is the first field that a check asks for and that is empty, or nil.
func (s *sheet) demanded() *entry {
	for _, f := range []view.Field{view.FieldJustification, view.FieldTicket} {
		if s.isDemanded(f) && s.isEmpty(f) {
			return s.field(f)
		}
	}
	return nil
}

func (s *sheet) isDemanded(f view.Field) bool {
	switch f {
	case view.FieldJustification:
		return slices.Contains(s.checked.demands, pim.RuleJustification)
	case view.FieldTicket:
		return slices.Contains(s.checked.demands, pim.RuleTicketing)
	case view.FieldDuration, view.FieldStart:
	}
	return false
}

// isChecked says whether these very wishes were checked.
func (s *sheet) isChecked(wishes []local.Wish) bool {
	return s.checked.findings != nil && reflect.DeepEqual(wishes, s.checked.wishes)
}

// others are the wishes that a check has found no fault with, by their index, where it has
// found fault with some: what can be sent without them. There are none once anything was changed.
func (s *sheet) others() []int {
	if s.model.Problem != "" || s.checked.findings == nil {
		return nil
	}
	// What only the check demands keeps nobody from sending the others.
	filled, problems := s.model.Check(s.entryValue(), s.ui.now(), s.ui.p.Words)
	problems = slices.DeleteFunc(problems, func(p view.FieldProblem) bool { return s.isDemanded(p.Field) && s.isEmpty(p.Field) })
	if len(problems) > 0 || !s.isChecked(s.wishes(filled)) || !slices.ContainsFunc(s.checked.findings, pim.Finding.Obstacle) {
		return nil
	}
	var out []int
	unsent := false
	for i, f := range s.checked.findings {
		if !f.Obstacle() {
			out = append(out, i)
			unsent = unsent || f.Operation == ""
		}
	}
	if !unsent {
		return nil
	}
	return out
}

// sentByCheck is the operation that a check of the wish became, or empty.
func (s *sheet) sentByCheck(w local.Wish) string {
	for _, c := range s.checked.wishes {
		if c.Key == w.Key && c.Scope.ID == w.Scope.ID {
			return c.Operation
		}
	}
	return ""
}

// leave calls off the check under way in place of closing the sheet, and tells once of a
// check that was taken for a request.
func (s *sheet) leave() bool {
	c := &s.checked
	if c.running {
		c.callOff()
		return false
	}
	open := func(f pim.Finding) bool { return s.withdrawable(f) != "" }
	if s.acted() || c.warned || !slices.ContainsFunc(c.findings, open) {
		return true
	}
	c.warned = true
	s.show()
	s.scroll.ScrollToTop()
	return false
}

func (s *sheet) closed() {
	if s.checked.callOff != nil {
		s.checked.callOff()
	}
	if s.picker != nil {
		s.picker.stopSearch()
	}
}

// found is the newest word on the operation that a check became.
func (s *sheet) found(f pim.Finding) (pim.Operation, bool) {
	if a := s.ui.state.Account(s.account); a != nil && f.Operation != "" {
		for _, o := range a.Operations {
			if o.ID == f.Operation {
				return o, true
			}
		}
	}
	return pim.Operation{}, false
}

// withdrawable is the request that a check became, where it can be withdrawn.
func (s *sheet) withdrawable(f pim.Finding) string {
	if o, ok := s.found(f); ok && !o.State.Over() && o.Request != nil && o.Request.Cancellable(s.ui.now()) {
		return o.Request.ID
	}
	return ""
}

// checkLine is what stands below a role's name about its check.
type checkLine struct {
	role view.SheetRole
	text string
	tone view.Tone
	// request can be withdrawn, and offer chosen instead of the scope.
	request string
	offer   *pim.Scope
}

// checkLines says of each role how its check goes or went, and how many are done. Without a check the
// lines have names only.
func (s *sheet) checkLines() (lines []checkLine, done int) {
	w, c := s.ui.p.Words, &s.checked
	if !c.running && c.findings == nil {
		for _, r := range s.model.Roles {
			lines = append(lines, checkLine{role: r})
		}
		return lines, 0
	}
	var now []pim.Key
	if a := s.ui.state.Account(s.account); a != nil {
		now = a.Checking
	}
	for i, r := range c.roles {
		l := checkLine{role: r}
		switch {
		case c.findings == nil && slices.Contains(now, r.Key):
			c.begun[r.Key] = true
			fallthrough
		case c.findings == nil && !c.begun[r.Key]:
			l.text, l.tone = w.Say("check.checking"), view.ToneQuiet
		case c.findings == nil:
			l.text, l.tone = w.Say("check.checked"), view.ToneNormal
			done++
		default:
			f := c.findings[i]
			l.text, l.tone = view.FindingStatus(w, f)
			l.request = s.withdrawable(f)
			if o, ok := s.found(f); ok && o.State == pim.OperationFailed {
				l.text, l.tone = view.OperationStatus(w, o, s.ui.now())
			}
			if s.isNarrow() && slices.ContainsFunc(s.picker.chosen, func(p pim.Scope) bool { return p.ID == r.At.ID }) {
				l.offer = f.Offer
			}
		}
		lines = append(lines, l)
	}
	return lines, done
}

// showRoles shows the roles' names whole, however long they are, and what a check says of them.
func (s *sheet) showRoles(lines []checkLine) {
	if reflect.DeepEqual(lines, s.lines) && s.checked.err == s.failed {
		return
	}
	s.lines, s.failed = lines, s.checked.err
	s.names.RemoveAll()
	for _, l := range lines {
		if l.text == "" {
			s.names.Add(s.roleName(l.role))
			continue
		}
		text := wrapped(l.text)
		text.Importance = importance(l.tone)
		s.names.Add(s.roleName(l.role, text))
		var buttons []fyne.CanvasObject
		if l.request != "" {
			buttons = append(buttons, newButton(s.ui, s.ui.p.Words.Say("verb.cancel-request"), nil, func() {
				s.ui.act(view.CancelRequest{Account: s.account, Request: l.request})
			}))
		}
		if l.offer != nil {
			buttons = append(buttons, newButton(s.ui, s.widerVerb(*l.offer), nil, func() { s.choose(l.role.At, *l.offer) }))
		}
		if len(buttons) > 0 {
			s.names.Add(padded(0, 0, 26, 0, container.NewHBox(buttons...)))
		}
	}
	if s.checked.err != nil {
		s.names.Add(s.problemBox(*s.checked.err))
	}
}

func (s *sheet) widerVerb(offer pim.Scope) string {
	return s.ui.p.Words.Say("verb.try-wider", pim.CleanText(offer.Label(), 24))
}

// choose takes the next wider scope in place of one that was chosen.
func (s *sheet) choose(refused, offer pim.Scope) {
	s.picker.choose(refused, false)
	if s.isWhole(offer) {
		s.scope.SetSelected(s.scope.Options[0])
	} else {
		s.picker.choose(offer, true)
	}
	s.ui.p.Window.Canvas().Focus(s.send)
}

// showButtons shows what can be pressed now.
func (s *sheet) showButtons(done int) {
	w, c := s.ui.p.Words, &s.checked
	if c.running {
		s.check.set(w.Say("verb.check"), false, widget.LowImportance)
		text := w.Say("check.running")
		if len(c.wishes) > 1 {
			text = w.Say("check.progress", done, len(c.wishes))
		}
		s.send.set(text, false, widget.HighImportance)
		return
	}
	text := s.model.Button
	if s.isNarrow() && len(s.picker.chosen) > 0 {
		text = view.SheetButton(w, len(s.picker.chosen))
	}
	if others := s.others(); others != nil {
		n := 0
		for _, i := range others {
			if c.findings[i].Operation == "" {
				n++
			}
		}
		text = w.Say("sheet.button-some", n, len(c.findings))
	}
	s.send.set(text, s.model.Problem == "", widget.HighImportance)
	s.check.set(w.Say("verb.check"), s.model.Problem == "", widget.LowImportance)
}
