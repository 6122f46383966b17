package ledger

import (
	"slices"
	"strings"
	"time"
)

// Eligibility is a role that a principal may activate.
type Eligibility struct {
	// ID names the schedule and InstanceID what is in force of it.
	ID, InstanceID string
	// RequestID names the request that made it; an administrator's, so it is
	// not among the requests of this ledger.
	RequestID string
	Target    Target
	// Principal is the user's or group's object id in lower case.
	Principal string
	Start     time.Time
	// End is when it ends; zero means never.
	End                         time.Time
	Created, Updated            time.Time
	Condition, ConditionVersion string
}

// InForce reports whether the role may be activated at that moment.
func (e Eligibility) InForce(now time.Time) bool { return inForce(e.Start, e.End, now) }

// Current reports whether it is in force or will be.
func (e Eligibility) Current(now time.Time) bool { return e.End.IsZero() || now.Before(e.End) }

// Assignment is a role that is active, or will be or was.
type Assignment struct {
	ID, InstanceID   string
	RequestID        string
	Target           Target
	Principal        string
	Start, End       time.Time
	Created, Updated time.Time
	// Eligibility is the schedule that was activated; empty for a standing
	// assignment.
	Eligibility                 string
	EligibilityInstance         string
	Condition, ConditionVersion string
	// Stopped is when it was deactivated or its request was cancelled.
	Stopped time.Time
}

// Activated reports whether it came from an activation and not from an administrator.
func (a Assignment) Activated() bool { return a.Eligibility != "" }

// InForce reports whether the role is active at that moment.
func (a Assignment) InForce(now time.Time) bool {
	return a.Stopped.IsZero() && inForce(a.Start, a.End, now)
}

// Listed reports whether the listings show it as active, which lags behind.
func (a Assignment) Listed(now time.Time, t Timing) bool {
	if !inForce(a.Start, a.End, now) {
		return false
	}
	if !a.Activated() {
		return a.Stopped.IsZero()
	}
	begin := a.Start
	if a.Created.After(begin) {
		begin = a.Created
	}
	if now.Before(begin.Add(t.ActivationLag)) {
		return false
	}
	return a.Stopped.IsZero() || a.lingers(now, t)
}

// Scheduled reports whether it will begin later.
func (a Assignment) Scheduled(now time.Time) bool {
	return a.Stopped.IsZero() && now.Before(a.Start)
}

// lingers reports whether a deactivation is still being worked on.
func (a Assignment) lingers(now time.Time, t Timing) bool {
	return !a.Stopped.IsZero() && a.Stopped.After(a.Start) && now.Before(a.Stopped.Add(t.DeactivationLag))
}

func inForce(start, end, now time.Time) bool {
	return !now.Before(start) && (end.IsZero() || now.Before(end))
}

// Holder picks rows by who holds them. The zero value picks every row.
type Holder struct {
	// User picks what the user holds directly or through a group.
	User string
	// Principal picks what exactly this user or group holds.
	Principal string
}

// Eligibilities are the eligibilities in force or to come, oldest first.
func (l *Ledger) Eligibilities(h Holder) []Eligibility {
	now := l.p.Clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	return rows(l, h, l.eligible, l.eligibleOrder, func(e *Eligibility) bool { return e.Current(now) })
}

// Active are the assignments that the listings show as active, oldest first.
func (l *Ledger) Active(h Holder) []Assignment {
	now, timing := l.p.Clock.Now(), l.p.Timing()
	l.mu.Lock()
	defer l.mu.Unlock()
	return rows(l, h, l.assigned, l.assignedOrder, func(a *Assignment) bool { return a.Listed(now, timing) })
}

// Assignments are the assignments that are listed as active or scheduled.
func (l *Ledger) Assignments(h Holder) []Assignment {
	now, timing := l.p.Clock.Now(), l.p.Timing()
	l.mu.Lock()
	defer l.mu.Unlock()
	return rows(l, h, l.assigned, l.assignedOrder, func(a *Assignment) bool {
		return a.Listed(now, timing) || a.Scheduled(now)
	})
}

// InForce are the assignments that really are active, whatever the listings show.
func (l *Ledger) InForce(h Holder) []Assignment {
	now := l.p.Clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	return rows(l, h, l.assigned, l.assignedOrder, func(a *Assignment) bool { return a.InForce(now) })
}

// Eligibility is the one with that schedule or instance id, whether or not it
// is over.
func (l *Ledger) Eligibility(id string) (Eligibility, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.eligibleByID[strings.ToLower(id)]
	if !ok {
		return Eligibility{}, false
	}
	return *e, true
}

// Assignment is the one with that schedule or instance id, whether or not it is
// over.
func (l *Ledger) Assignment(id string) (Assignment, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, ok := l.assignedByID[strings.ToLower(id)]
	if !ok {
		return Assignment{}, false
	}
	return *a, true
}

func rows[T any](l *Ledger, h Holder, held map[string][]*T, all []*T, keep func(*T) bool) []T {
	var out []T
	add := func(list []*T) {
		out = slices.Grow(out, len(list))
		for _, r := range list {
			if keep(r) {
				out = append(out, *r)
			}
		}
	}
	switch {
	case h.User != "":
		for _, p := range l.holders(h.User) {
			add(held[p])
		}
	case h.Principal != "":
		add(held[strings.ToLower(h.Principal)])
	default:
		add(all)
	}
	return out
}

// IsListed reports whether the listings show the assignment as active now.
func (l *Ledger) IsListed(a Assignment) bool { return a.Listed(l.p.Clock.Now(), l.p.Timing()) }
