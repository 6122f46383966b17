//go:build !nowindow

package ui

import (
	"context"
	"errors"
	"strings"

	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/pim"
)

// openProlong shows the drawer that asks an administrator for more time.
func (u *UI) openProlong(a view.OpenProlong) {
	w := u.p.Words
	title, text := w.Say("prolong.renew"), w.Say("prolong.ended", view.Moment(w, a.End, u.now()))
	if a.Extend {
		title, text = w.Say("prolong.extend"), w.Say("prolong.ends", view.Moment(w, a.End, u.now()))
	}
	f := newForm(u, title)
	for _, r := range u.shown.Rows {
		if r.Key == a.Key && r.Type != view.RowFavorite {
			scope := wrapped(r.Scope)
			scope.SizeName, scope.Importance = theme.SizeNameCaptionText, widget.LowImportance
			f.fields.Add(container.New(tight{}, bold(wrapped(r.Title)), scope))
			break
		}
	}
	f.fields.Add(wrapped(text))
	reason := newMultiLine(u, w.Say("prolong.hint"))
	until := newEntry(u, w.Say("prolong.until-hint"))
	f.add(w.Say("sheet.justification"), reason)
	f.add(w.Say("prolong.until"), until)
	send := newButton(u, w.Say("verb.send"), nil, f.submit)
	send.Importance = widget.HighImportance
	f.buttons(newButton(u, w.Say("verb.cancel"), nil, u.closeSheet), send)
	f.send = func() {
		req := local.ProlongRequest{Account: a.Account, Key: a.Key, Assigned: a.Assigned, Justification: strings.TrimSpace(reason.Text)}
		end, err := view.ParseStart(until.Text, u.now())
		switch {
		case req.Justification == "":
			f.say(w.Say("problem.prolong"))
			u.p.Window.Canvas().Focus(reason)
			return
		case u.state.Settings.RefuseWeakReasons && pim.WeakReason(req.Justification):
			f.say(w.Say("problem.weak-reason"))
			u.p.Window.Canvas().Focus(reason)
			return
		case errors.Is(err, view.ErrSkipped):
			f.say(w.Say("problem.start-skipped"))
			u.p.Window.Canvas().Focus(until)
			return
		case err != nil || !end.IsZero() && (!end.After(u.now()) || a.Extend && !end.After(a.End)):
			f.say(w.Say("problem.until"))
			u.p.Window.Canvas().Focus(until)
			return
		}
		req.End = end
		f.run(func(ctx context.Context, agent Agent) error {
			o, err := agent.Prolong(ctx, req)
			if err == nil && o.Problem != nil {
				err = &local.Error{Problem: *o.Problem}
			}
			return err
		})
	}
	u.openDrawer(f)
	u.p.Window.Canvas().Focus(reason)
}

// run sends what the form is for, and closes it when that has gone well.
func (f *form) run(call func(context.Context, Agent) error) {
	u := f.ui
	f.done = true
	f.main.Disable()
	f.say("")
	u.do(call, func(err error) {
		f.done = false
		f.main.Enable()
		switch {
		case err == nil && u.isOpen(f):
			f.sent = true
			u.closeSheet()
		case err == nil:
		case u.isOpen(f):
			f.say(u.problem(err).Text)
		default:
			u.fail(err)
		}
	})
}

// isOpen says whether a form is the drawer that is shown.
func (u *UI) isOpen(f *form) bool { return u.sheet != nil && u.sheet.top() == f.overlay }
