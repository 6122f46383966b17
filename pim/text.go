package pim

import (
	"strings"
	"unicode"
)

// CleanText makes a text from a server safe to show on one line: invalid UTF-8,
// control, bidirectional and other invisible format characters go, every run of
// white space becomes one space, and what is longer than limit characters ends
// in an ellipsis. It escapes nothing: each place of display escapes for itself.
func CleanText(s string, limit int) string {
	visible := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	out := []rune(strings.Join(strings.Fields(visible), " "))
	if len(out) > limit {
		return strings.TrimRight(string(out[:max(limit-1, 0)]), " ") + "…"
	}
	return string(out)
}
