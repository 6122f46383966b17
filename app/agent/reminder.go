package agent

import (
	"path/filepath"
	"strconv"
	"time"

	"roletray/app/local"
	"roletray/app/notify"
	"roletray/app/view"
	"roletray/pim"
	"roletray/pim/store"
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
	// page is the window's page that its button opens, or empty.
	page string
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
			Actions: []notify.Action{a.continueAction(), a.openAction()},
		})
	}
	return next
}
