package pim

import (
	"strings"
	"unicode"
)

// WeakReason says that a justification tells nothing: it is empty, one word, or
// the same word again and again. Of scripts that put no space between words, four
// letters are enough.
func WeakReason(s string) bool {
	words := map[string]bool{}
	for w := range strings.FieldsFuncSeq(fold(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) }) {
		words[w] = true
	}
	dense := map[rune]bool{}
	for _, r := range s {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) {
			dense[r] = true
		}
	}
	return len(words) < 2 && len(dense) < 4
}
