package view

import (
	"slices"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Span says a duration in its two largest units, rounded down: "2 d 3 h", "1 h 12 min", "12 min".
// Seconds count only below a minute. What is not positive is "0 min".
func Span(w Words, d time.Duration) string {
	d = max(d, 0)
	days, hours, minutes := int(d/day), int(d%day/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case days > 0 && hours > 0:
		return w.Say("span.days-hours", days, hours)
	case days > 0:
		return w.Say("span.days", days)
	case hours > 0 && minutes > 0:
		return w.Say("span.hours-minutes", hours, minutes)
	case hours > 0:
		return w.Say("span.hours", hours)
	case minutes == 0 && d >= time.Second:
		return w.Say("span.seconds", int(d/time.Second))
	}
	return w.Say("span.minutes", minutes)
}

// secondsBelow is where a countdown with seconds begins to show them.
const secondsBelow = 10 * time.Minute

// remaining says what is left until end, rounded up so that it never says less than nothing
// before the end, and when that text changes.
func remaining(w Words, end, now time.Time, seconds bool) (string, time.Time) {
	left := end.Sub(now)
	if seconds && left < secondsBelow {
		s := (left + time.Second - 1).Truncate(time.Second)
		next := end.Add(time.Second - s)
		if s < time.Minute {
			return Span(w, s), next
		}
		return w.Say("span.minutes-seconds", int(s/time.Minute), int(s%time.Minute/time.Second)), next
	}
	m := (left + time.Minute - 1).Truncate(time.Minute)
	return Span(w, m), end.Add(time.Minute - m)
}

// instants are the moments at which the clocks of a place show what wall shows, the first first:
// none in the hour that summer time skips, two in the one that it repeats.
func instants(wall time.Time, place *time.Location) []time.Time {
	wall = time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), time.UTC)
	var out []time.Time
	// The clocks of a day before and a day after differ where they change in between.
	for _, near := range []time.Duration{-day, day} {
		_, offset := wall.Add(near).In(place).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second).In(place)
		if _, shown := t.Zone(); shown == offset && !slices.ContainsFunc(out, t.Equal) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// onClock is the moment at which the clocks of now's place show what wall shows: the first
// after now where there are two, or else the last. Where there is none it is ErrSkipped.
func onClock(wall, now time.Time) (time.Time, error) {
	all := instants(wall, now.Location())
	if len(all) == 0 {
		return time.Time{}, ErrSkipped
	}
	for _, t := range all {
		if t.After(now) {
			return t, nil
		}
	}
	return all[len(all)-1], nil
}

// Clock says the time of day: "15:20", and where the clocks show that twice also which it is:
// "02:30 (+02:00)".
func Clock(t time.Time) string {
	if len(instants(t, t.Location())) > 1 {
		return t.Format("15:04 (-07:00)")
	}
	return t.Format("15:04")
}

// Moment says a point in time as briefly as it is clear at now: "15:20", "Tue 15:20", "24 Nov
// 15:20", "24 Nov 2027".
func Moment(w Words, t, now time.Time) string {
	t = t.In(now.Location())
	clock := Clock(t)
	weekday := strings.Fields(w.Say("time.weekdays"))
	month := strings.Fields(w.Say("time.months"))
	switch days := calendarDays(now, t); {
	case midnight(t).Equal(midnight(now)):
		return clock
	case days > 0 && days <= 6:
		return w.Say("time.weekday", at(weekday, int(t.Weekday())), clock)
	case t.Year() == now.Year():
		return w.Say("time.date", t.Day(), at(month, int(t.Month())-1), clock)
	}
	return w.Say("time.date-year", t.Day(), at(month, int(t.Month())-1), t.Year())
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// calendarDays counts the midnights from a to b. The hours take in those that summer time
// adds or takes.
func calendarDays(a, b time.Time) int {
	return int((midnight(b).Sub(midnight(a)) + 12*time.Hour) / day)
}

// ageStep is how often an age in seconds changes: each change repaints the window.
const ageStep = 10 * time.Second

// age says how long ago t was, and when that text changes.
func age(w Words, t, now time.Time, seconds bool) (string, time.Time) {
	past := max(now.Sub(t), 0)
	tomorrow := midnight(now).AddDate(0, 0, 1)
	switch days := calendarDays(t.In(now.Location()), now); {
	case past >= time.Hour && days > 1:
		return w.Say("age.days", days), tomorrow
	case past >= time.Hour && days == 1:
		return w.Say("age.yesterday"), tomorrow
	case past >= time.Hour:
		return w.Say("age.at", Clock(t.In(now.Location()))), tomorrow
	case past >= time.Minute:
		return w.Say("age.minutes", int(past/time.Minute)), t.Add(past.Truncate(time.Minute) + time.Minute)
	case seconds && past >= ageStep:
		return w.Say("age.seconds", int(past.Truncate(ageStep)/time.Second)), t.Add(past.Truncate(ageStep) + ageStep)
	case seconds:
		return w.Say("age.now"), t.Add(ageStep)
	}
	return w.Say("age.now"), t.Add(time.Minute)
}

// wake collects moments and keeps the first that is still to come.
type wake struct {
	now  time.Time
	next time.Time
}

func (k *wake) at(t time.Time) {
	if t.After(k.now) && (k.next.IsZero() || t.Before(k.next)) {
		k.next = t
	}
}
