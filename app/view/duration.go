package view

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// errDuration is what ParseDuration answers to everything it cannot read.
var errDuration = errors.New("not a duration such as 90, 1h30, 1:30 or 2 h")

var (
	durationClock = regexp.MustCompile(`^(\d{1,3}):([0-5]\d)$`)
	durationBare  = regexp.MustCompile(`^\d{1,4}$`)
	durationUnits = regexp.MustCompile(`^(?:(\d{1,3}(?:[.,]\d{1,2})?)\s*(?:h|hrs?|hours?|std|stunden?)\.?)?\s*(?:(\d{1,4})\s*(?:m|mins?|minutes?|minuten?)?\.?)?$`)
)

// ParseDuration reads what a person types for a duration: "90" and "90 min" are
// minutes, "2 h", "1.5h", "1h30" and "1:30" have hours. The result is whole
// minutes, above zero and below 42 days. The error does not depend on the text.
func ParseDuration(s string) (time.Duration, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	var hours float64
	var minutes int
	if m := durationClock.FindStringSubmatch(s); m != nil {
		hours, _ = strconv.ParseFloat(m[1], 64)
		minutes, _ = strconv.Atoi(m[2])
	} else if durationBare.MatchString(s) {
		minutes, _ = strconv.Atoi(s)
	} else if m := durationUnits.FindStringSubmatch(s); m != nil {
		hours, _ = strconv.ParseFloat(strings.ReplaceAll(m[1], ",", "."), 64)
		minutes, _ = strconv.Atoi(m[2])
	}
	d := time.Duration(math.Round(hours*60))*time.Minute + time.Duration(minutes)*time.Minute
	if d <= 0 {
		return 0, errDuration
	}
	return d, nil
}

// DurationEntry writes d the way ParseDuration reads it back: "1:30" hours.
func DurationEntry(d time.Duration) string {
	minutes := int(d / time.Minute)
	return strconv.Itoa(minutes/60) + ":" + strconv.Itoa(minutes%60/10) + strconv.Itoa(minutes%10)
}

// errStart is what ParseStart answers to everything it cannot read.
var errStart = errors.New("not a time such as 17:30 or 2027-01-31 9:00")

// ErrSkipped is what ParseStart answers to a time that no clock shows since summer time begins.
var ErrSkipped = errors.New("a time that the clocks skip, since summer time begins")

// ParseStart reads what a person types for a start: nothing for at once, which is the
// zero time; a clock time, which is its next occurrence after now; or a date and a clock time.
// Where the clocks show a time twice, it is the first that is after now.
func ParseStart(s string, now time.Time) (time.Time, error) {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse("15:04", s); err == nil {
		today := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
		start, err := onClock(today, now)
		over := !start.After(now)
		if err != nil {
			over = now.Hour()*60+now.Minute() > t.Hour()*60+t.Minute()
		}
		if over {
			return onClock(today.AddDate(0, 0, 1), now)
		}
		return start, err
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-1-2 15:04", "2.1.2006 15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return onClock(t, now)
		}
	}
	return time.Time{}, errStart
}

// StartEntry writes a start the way ParseStart reads it back at now.
func StartEntry(start, now time.Time) string {
	start = start.In(now.Location())
	clock := start.Format("15:04")
	if back, err := ParseStart(clock, now); err == nil && back.Equal(start) {
		return clock
	}
	return start.Format("2006-01-02 15:04")
}
