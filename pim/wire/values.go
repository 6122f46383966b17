package wire

import (
	"iter"
	"strings"
	"time"
	"unicode"

	"github.com/sosodev/duration"
)

// ParseDuration reads an ISO 8601 duration. It is zero, which means not known,
// for anything that is not a duration between zero and a year.
func ParseDuration(s string) time.Duration {
	d, err := duration.Parse(s)
	if err != nil || d.Negative {
		return 0
	}
	// ToTimeDuration overflows silently, so the size is judged in floating point.
	hours := d.Years*24*365 + d.Months*24*365/12 + d.Weeks*24*7 + d.Days*24 + d.Hours + d.Minutes/60 + d.Seconds/3600
	if !(hours > 0 && hours <= 24*366) {
		return 0
	}
	return d.ToTimeDuration()
}

// FormatDuration is d as the services take it, in whole seconds.
func FormatDuration(d time.Duration) string { return duration.Format(d.Truncate(time.Second)) }

// PlainID says whether an id from a service can be used and compared: not empty,
// of sane length and all of it visible.
func PlainID(id string) bool {
	return id != "" && len(id) <= 2048 &&
		!strings.ContainsFunc(id, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) })
}

// Last is the last value of a sequence that ends with an error or without one.
func Last[T any](seq iter.Seq2[T, error]) (T, error) {
	var last T
	for value, err := range seq {
		if err != nil {
			var none T
			return none, err
		}
		last = value
	}
	return last, nil
}
