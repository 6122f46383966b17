package view

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// letters that have no decomposition into a base letter and a mark.
var plainLetters = strings.NewReplacer("ß", "ss", "ø", "o", "ł", "l", "đ", "d", "ı", "i", "æ", "ae", "œ", "oe")

// Fold makes texts comparable that differ only in case or in diacritics.
func Fold(s string) string {
	s = strings.ToLower(s)
	ascii := true
	for i := range len(s) {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return s
	}
	return plainLetters.Replace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s)))
}

// query is a search as it is matched: every word must occur somewhere.
type query struct {
	whole string
	words []string
}

func newQuery(s string) query {
	f := strings.Join(strings.Fields(Fold(s)), " ")
	return query{whole: f, words: strings.Fields(f)}
}

func (q query) empty() bool { return q.whole == "" }

// matches says whether every word occurs in one of the texts.
func (q query) matches(texts ...string) bool {
	if q.empty() {
		return true
	}
	hay := Fold(strings.Join(texts, "\n"))
	for _, w := range q.words {
		if !strings.Contains(hay, w) {
			return false
		}
	}
	return true
}

// rank orders matches: 0 the title begins with the search, 1 a word of it does, 2 the rest.
func (q query) rank(title string) int {
	t := Fold(title)
	switch {
	case strings.HasPrefix(t, q.whole):
		return 0
	case strings.Contains(t, " "+q.whole):
		return 1
	}
	return 2
}
