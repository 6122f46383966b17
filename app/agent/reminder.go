package agent

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"roletray/app/local"
	"roletray/app/notify"
	"roletray/app/view"
	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
)

// The buttons of notes.
const (
	actionOpen       = "open"
	actionReactivate = "reactivate"
)

// told is what has been announced: the end of the role by the reminder's mark.
type told map[string]time.Time

func openTold(profile string) *store.File[told] {
	return store.NewFile[told](filepath.Join(profile, "reminders.json"), 1, nil)
}

// Reminder is an end that is to be announced now.
type Reminder struct {
	Account string
	Role    pim.Role
	End     time.Time
	// Marks are what is announced by it: its own lead time and the longer ones
	// that were missed.
	Marks []string
}

// Due returns the reminders that the lead times ask for at now and that were not
// told, and the first moment at which there may be another, or zero. A lead time
// that is not shorter than the whole activation does not count: that would announce the end
// at the start. Of several that are due, as after a sleep, one reminder is made.
func Due(accounts []*pim.Snapshot, leads []time.Duration, isTold func(mark string) bool, now time.Time) (due []Reminder, next time.Time) {
	for _, s := range accounts {
		for _, active := range s.Active {
			as := active.Assignment
			if as.Type != pim.Activated || as.End.IsZero() || !as.End.After(now) {
				continue
			}
			r := Reminder{Account: s.Account.ID, Role: as.Role, End: as.End}
			for _, lead := range leads {
				at := as.End.Add(-lead)
				if !at.After(as.Start) {
					continue
				}
				if at.After(now) {
					if next.IsZero() || at.Before(next) {
						next = at
					}
					continue
				}
				if m := mark(s.Account.ID, as.Role.Key(), as.End, lead); !isTold(m) {
					r.Marks = append(r.Marks, m)
				}
			}
			if len(r.Marks) > 0 {
				due = append(due, r)
			}
		}
	}
	return due, next
}

// mark names one announcement. The listings give an end with other fractions of a
// second than the request did, so it counts to the minute.
func mark(account string, key pim.Key, end time.Time, lead time.Duration) string {
	return account + "|" + string(key) + "|" + strconv.FormatInt(end.Round(time.Minute).Unix(), 10) + "|" + lead.String()
}

// noted is what a note on the screen is about.
type noted struct {
	account string
	role    pim.Role
	end     time.Time
	// at is when it was shown, on the agent's clock.
	at time.Time
	// used says that its button was pressed.
	used bool
}

// remind announces what is due, and returns when something may be next.
func (a *Agent) remind(state *local.State, now time.Time) time.Time {
	a.mu.Lock()
	due, next := Due(state.Accounts, state.Settings.Reminders, func(m string) bool { return !a.reminders[m].IsZero() }, now)
	for _, r := range due {
		for _, m := range r.Marks {
			a.reminders[m] = r.End
		}
	}
	for m, end := range a.reminders {
		if now.Sub(end) > 24*time.Hour {
			delete(a.reminders, m)
		}
	}
	all := told{}
	for m, end := range a.reminders {
		all[m] = end
	}
	a.mu.Unlock()
	if len(due) == 0 {
		return next
	}
	// Told first: after a crash in between, no reminder is better than the same at
	// each start.
	if err := a.told.Save(all); err != nil {
		a.log.Warn("could not keep what was announced", "error", err)
	}
	w := a.p.Words
	for _, r := range due {
		a.note(noted{account: r.Account, role: r.Role, end: r.End}, notify.Note{
			Title:   w.Say("note.ends", roleName(r.Role), a.moment(r.End, now)),
			Body:    w.Say("note.left", scopeName(r.Role), view.Span(w, r.End.Sub(now).Round(time.Minute))),
			Actions: []notify.Action{a.reactivateAction(), a.openAction()},
		})
	}
	return next
}

// note shows a note about a role, in the place of an older one about the same.
func (a *Agent) note(about noted, n notify.Note) {
	n.ID = "role|" + about.account + "|" + string(about.role.Key())
	about.at = a.clock.Now()
	a.mu.Lock()
	a.notes[n.ID] = about
	a.mu.Unlock()
	a.send(n)
}

func roleName(r pim.Role) string { return pim.CleanText(r.Name, 80) }

func scopeName(r pim.Role) string { return pim.CleanText(r.Scope.Label(), 80) }

func (a *Agent) moment(t, now time.Time) string {
	return view.Moment(a.p.Words, t, now.In(time.Local))
}

// happened tells the person what a session reports.
func (a *Agent) happened(r *running, e pim.Event) {
	w, now := a.p.Words, a.clock.Now()
	role, body := roleName(e.Role), scopeName(e.Role)
	if strings.HasPrefix(e.Client, "cli") {
		body = w.Say("note.asked-by", body, pim.CleanText(e.Client, 80))
	}
	n := notify.Note{Body: body}
	switch e.Kind {
	case pim.EventActivated:
		n.Title = w.Say("note.activated", role)
		if !e.End.IsZero() {
			n.Title = w.Say("note.activated-until", role, a.moment(e.End, now))
		}
	case pim.EventScheduled:
		start := now
		if e.Request != nil {
			start = e.Request.EffectiveStart()
		}
		n.Title = w.Say("note.scheduled", role, a.moment(start, now))
	case pim.EventWaiting:
		n.Title = w.Say("note.waiting", role)
	case pim.EventDenied:
		n.Title, n.Actions = w.Say("note.denied", role), []notify.Action{a.openAction()}
	case pim.EventFailed:
		if a.willRetry(r, e) {
			return
		}
		n.Title, n.Actions = w.Say("note.failed", role), []notify.Action{a.openAction()}
		if e.Problem != nil {
			n.Body = e.Problem.Text
		}
	case pim.EventDeactivated:
		n.Title = w.Say("note.deactivated", role)
	case pim.EventCancelled:
		n.Title = w.Say("note.cancelled", role)
	case pim.EventEnded:
		if a.planned(r.account.ID, e.Role.Key()) {
			return
		}
		n.Title, n.Actions = w.Say("note.ended", role), []notify.Action{a.reactivateAction(), a.openAction()}
	case pim.EventSignInNeeded:
		n = notify.Note{
			ID: "sign-in|" + r.account.ID, Title: w.Say("note.sign-in"),
			Body: w.Say("note.sign-in-text", pim.CleanText(r.account.Username, 80)), Actions: []notify.Action{a.openAction()},
		}
		a.send(n)
		return
	default:
		return
	}
	a.note(noted{account: r.account.ID, role: e.Role, end: e.End}, n)
}

// acted does what a note's button asks for.
func (a *Agent) acted(id, action string) {
	a.mu.Lock()
	about, known := a.notes[id]
	fresh := known && !about.used && a.clock.Now().Sub(about.at) <= buttonLife
	if action == actionReactivate && known {
		about.used = true
		a.notes[id] = about
	}
	a.mu.Unlock()
	var err error
	switch {
	case action == actionReactivate && fresh:
		err = a.reactivate(about)
	case action == actionReactivate && known:
		err = a.Show(a.ctx, local.ShowRequest{Prefill: a.prefillFor(about.account, about.role.Key())})
	default:
		err = a.Show(a.ctx, local.ShowRequest{})
	}
	if err != nil && a.ctx.Err() == nil {
		a.log.Warn("the button of a note failed", "action", action, "error", err)
		a.send(notify.Note{ID: "tray", Title: "Roletray", Body: local.ProblemOf(err).Text})
	}
}

const (
	// buttonLife is how long the button of a note sends by itself.
	buttonLife = 15 * time.Minute
	// endGrace is how long after a role's end the service may still take it for
	// active, and retryPause how often it is asked meanwhile.
	endGrace   = 3 * time.Minute
	retryPause = 15 * time.Second
)

// reactivate sends a role's stored answers again, once it has ended. What they do
// not suffice for, a step-up or an approval is left to the person in the window.
func (a *Agent) reactivate(about noted) error {
	r, err := a.session(about.account)
	if err != nil {
		return err
	}
	key := about.role.Key()
	ask := func() error {
		return a.Show(a.ctx, local.ShowRequest{Prefill: a.prefillFor(about.account, key)})
	}
	w, policy, ok := a.answers(r, key)
	if !ok || policy.StepUpClaims() != "" {
		return ask()
	}
	w.Client = "reminder"
	end, active := activeEnd(r.session.Snapshot(), key)
	if active && policy.ApprovalRequired {
		return ask()
	}
	if active {
		a.send(notify.Note{
			ID: "plan|" + about.account + "|" + string(key), Title: a.p.Words.Say("note.continues", roleName(about.role), a.moment(end, a.clock.Now())),
			Body: a.p.Words.Say("note.continues-text"),
		})
	}
	a.plan(about.account, key, true)
	defer a.plan(about.account, key, false)
	deadline := a.clock.Now()
	if active {
		deadline = end
		if !a.sleep(end.Sub(a.clock.Now())) {
			return nil
		}
		if a.clock.Now().After(end.Add(endGrace)) {
			return ask() // The computer slept through it.
		}
	}
	deadline = deadline.Add(endGrace)
	for {
		ops, err := r.session.Activate(a.ctx, []session.Wish{w}, false)
		if errors.Is(err, session.ErrNotRunning) {
			return nil // The person has signed out meanwhile.
		}
		if err != nil {
			return err
		}
		p := ops[0].Problem
		switch {
		case p == nil:
			return nil
		case p.Code == pim.CodeStepUp || p.Code == pim.CodeSignInNeeded:
			return ask()
		case p.Code != pim.CodeAlreadyActive || !a.clock.Now().Add(retryPause).Before(deadline):
			return nil // The session has said why.
		}
		if !a.sleep(retryPause) {
			return nil
		}
	}
}

// sleep waits for d of the agent's clock, and is false when the agent ends.
func (a *Agent) sleep(d time.Duration) bool {
	until := a.clock.Now().Add(d)
	for {
		left := until.Sub(a.clock.Now())
		if left <= 0 {
			return true
		}
		// In short naps, so that a sleep of the computer is noticed.
		t := time.NewTimer(min(max(a.clock.Real(left), time.Millisecond), longestNap))
		select {
		case <-t.C:
		case <-a.ctx.Done():
			t.Stop()
			return false
		}
	}
}

func activeEnd(s *pim.Snapshot, key pim.Key) (time.Time, bool) {
	i := slices.IndexFunc(s.Active, func(r pim.ActiveRole) bool { return r.Assignment.Role.Key() == key })
	if i < 0 {
		return time.Time{}, false
	}
	return s.Active[i].Assignment.End, !s.Active[i].Assignment.End.IsZero()
}

// plan notes that a role is about to be activated again.
func (a *Agent) plan(account string, key pim.Key, on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if on {
		a.plans[account+"|"+string(key)] = true
	} else {
		delete(a.plans, account+"|"+string(key))
	}
}

func (a *Agent) planned(account string, key pim.Key) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.plans[account+"|"+string(key)]
}

// willRetry says whether a failure is one that a plan gets over.
func (a *Agent) willRetry(r *running, e pim.Event) bool {
	return e.Client == "reminder" && e.Problem != nil && e.Problem.Code == pim.CodeAlreadyActive && a.planned(r.account.ID, e.Role.Key())
}
