package agent

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"roletray/app/local"
	"roletray/app/notify"
	"roletray/app/view"
	"roletray/pim"
	"roletray/pim/session"
)

// hostGrace is how long after the login a desktop may take to show its tray.
const hostGrace = 10 * time.Second

const (
	noTrayText = "This desktop shows no tray icon; use the window and the command line, or install its extension for AppIndicator and log in again."
	noNoteText = "This desktop shows no notifications, so reminders appear only in the tray and the window."
)

// openDesktop makes tray and notifications, and says which of them there cannot be.
func (a *Agent) openDesktop() {
	if a.p.Desktop.Notifier != nil {
		var err error
		a.notifier, err = a.p.Desktop.Notifier(func(note, action string) {
			a.spawn(func() { a.acted(note, action) })
		})
		if err != nil {
			a.notifier = nil
			a.missing("notifications", noNoteText, err)
		}
	}
	if a.p.Desktop.Tray != nil {
		var err error
		a.tray, err = a.p.Desktop.Tray(func(action view.Action) {
			a.spawn(func() { a.chosen(action) })
		})
		if err != nil {
			a.tray = nil
			a.missing("tray", noTrayText, err)
		}
	}
	if a.tray != nil && a.p.Desktop.TrayHosted != nil {
		a.work.Go(a.watchHost)
	}
}

// missing says what this desktop lacks, once for as long as it does.
func (a *Agent) missing(id, text string, err error) {
	n := local.Notice{ID: id, Text: text}
	if err != nil {
		n.Details = pim.CleanText(err.Error(), 500)
	}
	if a.addNotice(n) {
		a.log.Info("missing on this desktop", "what", id, "error", err)
		a.p.Tell(text)
	}
}

// watchHost follows whether the desktop shows the tray, and says so when it does not.
func (a *Agent) watchHost() {
	hosts := make(chan bool, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- a.p.Desktop.TrayHosted(a.ctx, func(hosted bool) {
			select {
			case hosts <- hosted:
			case <-a.ctx.Done():
			}
		})
	}()
	patience := time.NewTimer(hostGrace)
	defer patience.Stop()
	hosted := false
	for {
		select {
		case hosted = <-hosts:
			a.mu.Lock()
			a.hosted = hosted
			a.mu.Unlock()
			if hosted {
				a.removeNotice("tray")
			} else {
				patience.Reset(hostGrace)
			}
			a.changed()
		case <-patience.C:
			if !hosted {
				a.missing("tray", noTrayText, nil)
			}
		case err := <-ended:
			if a.ctx.Err() == nil {
				a.missing("tray", noTrayText, err)
			}
			return
		}
	}
}

// chosen does what an entry of the tray asks for.
func (a *Agent) chosen(action view.Action) {
	var err error
	switch c := action.(type) {
	case view.Activate:
		err = a.again(c.Account, c.Key)
	case view.Deactivate:
		var r *running
		if r, err = a.session(c.Account); err == nil {
			_, err = r.session.Deactivate(a.ctx, c.Key, "tray", true)
		}
	case view.CancelRequest:
		var r *running
		if r, err = a.session(c.Account); err == nil {
			err = r.session.Cancel(a.ctx, c.Request, "tray")
		}
	case view.Continue:
		err = a.goOn(c.Account, c.Key)
	case view.DropPlan:
		var r *running
		if r, err = a.session(c.Account); err == nil {
			err = r.session.DropPlan(a.ctx, c.Key, "tray")
		}
	case view.ActivateFavorite:
		err = a.activateFavorite(c)
	case view.OpenSheet:
		err = a.showSheet(local.Sheet{Account: c.Account, Key: c.Key})
	case view.OpenContinue:
		err = a.showSheet(local.Sheet{Account: c.Account, Key: c.Key, Continues: true})
	case view.OpenFavorite:
		err = a.showSheet(local.Sheet{Account: c.Account, Favorite: c.Favorite})
	case view.Open:
		err = a.Show(a.ctx, local.ShowRequest{Page: string(c.Page)})
	case view.SignIn:
		_, err = a.SignIn(a.ctx, local.SignInRequest{Account: c.Account})
	case view.Quit:
		a.quit()
	}
	if err != nil && a.ctx.Err() == nil {
		a.log.Warn("a choice in the tray failed", "error", err)
		a.send(notify.Note{ID: "tray", Title: "Roletray", Body: local.ProblemOf(err).Text, Actions: []notify.Action{a.openAction()}})
	}
}

// again activates a recent role with its stored answers; where something is
// missing the window asks for it.
func (a *Agent) again(account string, key pim.Key) error {
	r, err := a.session(account)
	if err != nil {
		return err
	}
	w, _, ok := a.answers(r, key)
	if !ok {
		return a.showSheet(local.Sheet{Account: account, Key: key})
	}
	w.Client = "tray"
	_, err = r.session.Activate(a.ctx, []session.Wish{w}, true)
	return err
}

// goOn has an active role go on after its end with its stored answers; where something
// is missing the window asks for it.
func (a *Agent) goOn(account string, key pim.Key) error {
	r, err := a.session(account)
	if err != nil {
		return err
	}
	w, _, ok := a.answers(r, key)
	if !ok {
		return a.showSheet(local.Sheet{Account: account, Key: key, Continues: true})
	}
	w.Client = "tray"
	_, err = r.session.Continue(a.ctx, w, true)
	return err
}

// activateFavorite activates what a favourite holds and is not active yet; where
// something is missing the window asks for it.
func (a *Agent) activateFavorite(c view.ActivateFavorite) error {
	r, err := a.session(c.Account)
	if err != nil {
		return err
	}
	state := a.State()
	i := slices.IndexFunc(state.Favorites, func(f local.Favorite) bool { return f.Account == c.Account && f.ID == c.Favorite })
	if i < 0 {
		return local.NewError(local.CodeNoRole, "This favourite is gone; choose another.")
	}
	wishes := view.FavoriteLeft(state, state.Favorites[i], state.Now)
	for j, w := range wishes {
		wishes[j].Client = "tray"
		if !a.suffices(r, w) {
			return a.showSheet(local.Sheet{Account: c.Account, Favorite: c.Favorite})
		}
	}
	_, err = r.session.Activate(a.ctx, wishes, true)
	return err
}

// suffices says whether a wish for an eligible role has everything that the role's
// settings ask for now.
func (a *Agent) suffices(r *running, w session.Wish) bool {
	policy, err := r.session.Policy(a.ctx, w.Key)
	if err != nil || a.judgeReason(w.Justification) != nil {
		return false
	}
	now := a.clock.Now()
	for _, e := range r.session.Snapshot().Eligible {
		if e.Role.Key() == w.Key {
			d := w.Duration
			if d == 0 {
				d = policy.DefaultDuration(e.End, now)
			}
			return d <= policy.Limit(e.End, now) && len(policy.Check(pim.Activation{
				Eligibility: e, Duration: d, Justification: w.Justification, Ticket: w.Ticket,
			}, now)) == 0
		}
	}
	return false
}

// answers are what the last activation of a role was sent with, and whether they
// suffice for the role's policy now.
func (a *Agent) answers(r *running, key pim.Key) (session.Wish, pim.Policy, bool) {
	last, ok := recent(r.session, key)
	if !ok {
		return session.Wish{}, pim.Policy{}, false
	}
	policy, err := r.session.Policy(a.ctx, last.Eligibility)
	if err != nil {
		return session.Wish{}, policy, false
	}
	w := session.Wish{Key: key, Duration: last.Duration, Justification: last.Justification, Ticket: last.Ticket}
	same := w
	same.Key = last.Eligibility
	return w, policy, a.suffices(r, same)
}

// send shows a note where there are notifications.
func (a *Agent) send(n notify.Note) {
	if a.notifier == nil {
		return
	}
	ctx, cancel := context.WithTimeout(a.ctx, 10*time.Second)
	defer cancel()
	if err := a.notifier.Send(ctx, n); err != nil && a.ctx.Err() == nil {
		a.missing("notifications", noNoteText, err)
		return
	}
	a.removeNotice("notifications")
}

func (a *Agent) openAction() notify.Action {
	return notify.Action{ID: actionOpen, Label: a.p.Words.Say("verb.open")}
}

// reactivateAction activates a role that has ended again.
func (a *Agent) reactivateAction() notify.Action {
	return notify.Action{ID: actionReactivate, Label: a.p.Words.Say("verb.again")}
}

// continueAction has a role that is about to end continue.
func (a *Agent) continueAction() notify.Action {
	return notify.Action{ID: actionReactivate, Label: a.p.Words.Say("verb.continue-after")}
}

func sentence(err error) string {
	s := pim.CleanText(err.Error(), 300)
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + strings.TrimSuffix(s[n:], ".") + "."
}
