//go:build !nowindow

package ui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
)

// decision is the drawer that approves or denies requests of others.
type decision struct {
	*form
	account  string
	rows     []view.Row
	asked    []local.ApprovalRef
	outcomes []*widget.Label
	reason   *entry
}

// openDecision shows the requests that these actions are about, as far as they still wait.
func (u *UI) openDecision(account string, wanted []view.OpenDecision) {
	w := u.p.Words
	d := &decision{form: newForm(u, w.Count("decide.title", len(wanted))), account: account}
	for _, r := range u.shown.Approvals {
		if a, ok := r.Action.(view.OpenDecision); ok && slices.Contains(wanted, a) {
			d.rows = append(d.rows, r)
			d.asked = append(d.asked, local.ApprovalRef{Kind: a.Kind, ID: a.Approval})
		}
	}
	for _, r := range d.rows {
		d.fields.Add(d.request(r))
	}
	if len(d.rows) == 0 {
		d.fields.Add(wrapped(w.Say("decide.gone")))
		d.done = true
		d.finish()
	} else {
		d.reason = newMultiLine(u, w.Say("decide.hint"))
		d.add(w.Say("decide.reason"), d.reason)
		approve := newButton(u, w.Say("verb.approve"), nil, func() { d.decide(true) })
		approve.Importance = widget.HighImportance
		deny := newButton(u, w.Say("verb.deny"), nil, func() { d.decide(false) })
		deny.Importance = widget.DangerImportance
		d.buttons(newButton(u, w.Say("verb.cancel"), nil, u.closeSheet), deny, approve)
		d.send = func() { d.decide(true) }
	}
	u.openDrawer(d)
	if d.reason != nil {
		u.p.Window.Canvas().Focus(d.reason)
	}
}

// request says who asks for what and why, with nothing cut off.
func (d *decision) request(r view.Row) fyne.CanvasObject {
	scope := wrapped(r.Scope)
	scope.SizeName = theme.SizeNameCaptionText
	scope.Importance = widget.LowImportance
	outcome := wrapped("")
	outcome.Hide()
	d.outcomes = append(d.outcomes, outcome)
	box := container.New(tight{}, bold(wrapped(r.Title)), scope)
	for line := range strings.SplitSeq(r.Note, "\n") {
		box.Add(wrapped(line))
	}
	box.Add(outcome)
	return container.NewBorder(nil, nil, padded(10, 0, 4, 0, container.NewVBox(widget.NewIcon(kindIcon(r.Kind)))), nil, box)
}

func (d *decision) decide(approve bool) {
	u, w := d.ui, d.ui.p.Words
	if d.done {
		return
	}
	reason := strings.TrimSpace(d.reason.Text)
	if reason == "" {
		d.say(w.Say("problem.decision"))
		u.p.Window.Canvas().Focus(d.reason)
		return
	}
	d.done, d.sent = true, true
	d.say("")
	req := local.DecideRequest{Account: d.account, Approvals: d.asked, Approve: approve, Justification: reason}
	for i := range d.rows {
		d.tell(i, w.Say("decide.sending"), view.ToneQuiet)
	}
	d.reason.Disable()
	d.finish()
	var answer local.DecideAnswer
	u.do(func(ctx context.Context, agent Agent) (err error) {
		answer, err = agent.Decide(ctx, req)
		return err
	}, func(err error) {
		failed := d.told(answer.Outcomes, approve, err)
		switch {
		case u.sheet != drawer(d):
			if err != nil {
				u.fail(err)
			}
		case !failed:
			u.closeSheet()
		default:
			relayout(d.overlay)
		}
	})
}

// told shows what became of each request and says whether any was not decided.
func (d *decision) told(outcomes []*pim.Problem, approve bool, err error) (failed bool) {
	w := d.ui.p.Words
	for i := range d.rows {
		var problem *pim.Problem
		if err != nil {
			p := d.ui.problem(err)
			problem = &p
		} else if i < len(outcomes) {
			problem = outcomes[i]
		}
		switch {
		case problem == nil && approve:
			d.tell(i, w.Say("decide.approved"), view.ToneGood)
		case problem == nil:
			d.tell(i, w.Say("decide.denied"), view.ToneGood)
		case problem.Code == pim.CodeDecided:
			failed = true
			d.tell(i, w.Say("decide.already"), view.ToneWarning)
		default:
			failed = true
			d.tell(i, problem.Text, view.ToneBad)
		}
	}
	return failed
}

func (d *decision) tell(i int, text string, tone view.Tone) {
	setLabel(d.outcomes[i], text, importance(tone))
	d.outcomes[i].Show()
}

// finish leaves only the way out.
func (d *decision) finish() {
	shut := newButton(d.ui, d.ui.p.Words.Say("verb.close"), nil, d.ui.closeSheet)
	d.buttons(shut)
	relayout(d.overlay)
	if d.ui.sheet == drawer(d) {
		d.ui.p.Window.Canvas().Focus(shut)
	}
}
