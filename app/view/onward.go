package view

import (
	"strings"
	"time"

	"roletray/app/local"
	"roletray/pim"
)

// canContinue says whether an activation can go on after its end, and whether what it was
// sent with suffices for that.
func (r *roles) canContinue(a pim.Assignment, recents []recentAnswer, now time.Time) (can, oneClick bool) {
	if a.Type != pim.Activated || a.End.IsZero() || !a.End.After(now) {
		return false, false
	}
	for _, c := range recents {
		if c.key == a.Role.Key() {
			return true, c.oneClick
		}
	}
	return r.eligibilityOf(a.Role) != nil, false
}

// asksThen says that going on with a role needs the person then, for each activation needs
// approval.
func (r *roles) asksThen(role pim.Role) bool {
	e := r.eligibilityOf(role)
	return e != nil && r.snapshot.Policies[e.Role.Key()].ApprovalRequired
}

// recentAnswer is a role that was activated before, and whether its answers still suffice.
type recentAnswer struct {
	key      pim.Key
	oneClick bool
}

// answers are the account's recent roles that are still eligible.
func (r *roles) answers(all []local.Recent, now time.Time) []recentAnswer {
	var out []recentAnswer
	for _, c := range all {
		if c.Account == r.account.ID && r.source(c) != nil {
			out = append(out, recentAnswer{c.Role.Key(), r.oneClick(c, now)})
		}
	}
	return out
}

// onward offers what can be done about the end of an active role, and says what was decided.
func (p *windowPresenter) onward(row *Row, a pim.Assignment) {
	row.More = p.star(*row)
	if p.roles.eligibilityOf(a.Role) == nil {
		row.More = nil
	}
	at := Moment(p.words, a.End, p.now)
	if plan, ok := p.roles.plans[row.Key]; ok && plan.State != pim.PlanAsks {
		row.Detail = p.words.Say("active.continues", Moment(p.words, plan.At, p.now))
		row.Note = p.words.Say("plan.note", Moment(p.words, plan.At, p.now), Span(p.words, plan.Duration))
		switch {
		case plan.Local && plan.Approval:
			row.Detail = p.words.Say("active.asks", Moment(p.words, plan.At, p.now))
			row.Note = p.words.Say("plan.note-asks", Moment(p.words, plan.At, p.now)) + " " + p.words.Say("plan.awake")
		case plan.Approval:
			row.Detail = p.words.Say("active.continues-approved", Moment(p.words, plan.At, p.now))
			row.Note = p.words.Say("plan.note-approved", Moment(p.words, plan.At, p.now), Span(p.words, plan.Duration))
		case plan.Local:
			row.Detail = p.words.Say("active.continues-awake", Moment(p.words, plan.At, p.now))
			row.Note += " " + p.words.Say("plan.awake")
		}
		row.More = append([]Offer{{p.words.Say("verb.drop-plan", at), DropPlan{row.Account, row.Key}}}, row.More...)
		return
	}
	switch can, oneClick := p.roles.canContinue(a, p.answers(), p.now); {
	case oneClick && p.roles.asksThen(a.Role):
		row.More = append([]Offer{
			{p.words.Say("verb.ask-then", at), Continue{row.Account, row.Key}},
			{p.words.Say("verb.ask-then-more", at), OpenContinue{row.Account, row.Key}},
		}, row.More...)
	case can && p.roles.asksThen(a.Role):
		row.More = append([]Offer{{p.words.Say("verb.ask-then-more", at), OpenContinue{row.Account, row.Key}}}, row.More...)
	case oneClick:
		row.More = append([]Offer{
			{p.words.Say("verb.continue", at), Continue{row.Account, row.Key}},
			{p.words.Say("verb.continue-otherwise", at), OpenContinue{row.Account, row.Key}},
		}, row.More...)
	case can:
		row.More = append([]Offer{{p.words.Say("verb.continue-more", at), OpenContinue{row.Account, row.Key}}}, row.More...)
	}
}

func (p *windowPresenter) answers() []recentAnswer { return p.roles.answers(p.state.Recent, p.now) }

// planRows are the plans that need the person.
func (p *windowPresenter) planRows() []Row {
	var rows []Row
	for _, plan := range p.snapshot.Plans {
		if plan.State == pim.PlanWaiting {
			p.wake.at(plan.At)
			continue
		}
		row := p.row(RowOperation, "plan:"+string(plan.Key()), plan.Role)
		if !p.wanted(plan.Role, row.Scope) {
			continue
		}
		row.Status, row.Tone = p.words.Say("plan.sending"), ToneNormal
		if plan.State == pim.PlanAsks {
			row.Status, row.Tone = p.words.Say("plan.asks"), ToneWarning
			row.Verb, row.Action = p.words.Say("verb.activate-more"), OpenSheet{row.Account, row.Key}
			row.More = []Offer{{p.words.Say("verb.dismiss"), DropPlan{row.Account, row.Key}}}
		}
		if plan.Problem != nil {
			row.Detail, row.Details = plan.Problem.Text, plan.Problem.Details
		}
		rows = append(rows, row)
	}
	return rows
}

// steps says which step of an operation is under way, and all of them.
func (p *windowPresenter) steps(o pim.Operation) (current, all string) {
	var lines []string
	for i, s := range o.Steps {
		text, _ := OperationStatus(p.words, pim.Operation{Action: pim.ActionActivate, State: s.State}, p.now)
		if s.Operation == "" && !s.State.Over() {
			text = p.words.Say("step.later")
		}
		line := p.words.Say("step", i+1, len(o.Steps), roleName(s.Role)+" · "+p.roles.names.text(s.Role), text)
		lines = append(lines, line)
		if current == "" && !s.State.Over() {
			current = line
		}
	}
	return current, strings.Join(lines, "\n")
}

// prolong offers to ask for more time where the service allows that now.
func (p *windowPresenter) prolong(row *Row, end time.Time, via pim.Via, assigned bool) {
	if !end.IsZero() {
		p.wake.at(end.Add(-pim.ExtendWindow))
	}
	action, ok := pim.CanProlong(end, via, p.now)
	if !ok || p.roles.prolonging[row.Key] {
		return
	}
	offer := Offer{p.words.Say("verb.renew"), OpenProlong{row.Account, row.Key, assigned, false, end}}
	if action == pim.ActionExtend {
		offer = Offer{p.words.Say("verb.extend"), OpenProlong{row.Account, row.Key, assigned, true, end}}
	}
	row.More = append(row.More, offer)
}

// endedRows are what came to its end lately and can be renewed.
func (p *windowPresenter) endedRows() []Row {
	var rows []Row
	add := func(r pim.Role, end time.Time, via pim.Via, assigned bool) {
		row := p.row(RowEnded, "ended:"+string(r.Key()), r)
		if assigned {
			row.ID = "ended-assigned:" + string(r.Key())
		}
		if !p.wanted(r, row.Scope) {
			return
		}
		row.Status, row.Tone = p.words.Say("ended.at", Moment(p.words, end, p.now)), ToneQuiet
		row.Detail = p.words.Say("ended.eligibility")
		if assigned {
			row.Detail = p.words.Say("ended.assignment")
		}
		p.prolong(&row, end, via, assigned)
		if len(row.More) > 0 {
			row.Verb, row.Action, row.More = row.More[0].Verb, row.More[0].Action, nil
		}
		if p.roles.prolonging[row.Key] {
			row.Badges = []Badge{{p.words.Say("badge.prolonging"), ToneQuiet}}
		}
		rows = append(rows, row)
	}
	for _, e := range p.snapshot.Ended {
		add(e.Role, e.End, e.Via, false)
	}
	for _, a := range p.snapshot.EndedAssigned {
		add(a.Role, a.End, a.Via, true)
	}
	return rows
}
