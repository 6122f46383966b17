package pim_test

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"roletray/pim"
)

func TestCleanText(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		limit    int
		want     string
	}{
		{"plain", "Contributor", 20, "Contributor"},
		{"white space is one space", "  a\t\r\n b\u2028c ", 20, "a b c"},
		{"bidirectional overrides go", "rm\u202e fdp.exe\u2066x", 20, "rm fdp.exex"},
		{"controls go", "a\x00\x1b[31mb\u0085", 20, "a[31mb"},
		{"zero width goes", "o\u200bwner\ufeff", 20, "owner"},
		{"invalid UTF-8 goes", "a\xff\xfeb", 20, "ab"},
		{"cut", "abcdefghij", 5, "abcd…"},
		{"cut leaves no space before the ellipsis", "abc defghij", 5, "abc…"},
		{"exactly fits", "abcde", 5, "abcde"},
		{"characters count, not bytes", "äöüäö", 5, "äöüäö"},
		{"nothing fits", "abc", 0, "…"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := pim.CleanText(tt.in, tt.limit); got != tt.want {
				t.Errorf("CleanText(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
			}
		})
	}
}

func FuzzCleanText(f *testing.F) {
	f.Add("a \u202e b", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit %= 200
		if limit < 1 {
			limit = 1
		}
		got := pim.CleanText(s, limit)
		if utf8.RuneCountInString(got) > limit {
			t.Errorf("%d characters, limit %d", utf8.RuneCountInString(got), limit)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("%U stayed in %q", r, got)
			}
		}
	})
}
