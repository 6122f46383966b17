// Package translations has every text that Roletray shows, in every language
// that it speaks. A text is a fmt format; one whose arguments may come in another order uses
// explicit indexes such as %[2]s. A key that is counted has the forms key.one and
// key.other.
package translations

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

//go:embed *.json
var files embed.FS

// Languages are the languages that there are texts in, as BCP 47 tags. The first
// is complete and stands in for what another lacks.
func Languages() []string { return []string{"en", "de"} }

// Words are the texts of one language.
type Words struct {
	texts, fallback map[string]string
}

// For returns the texts in the language of the first locale, such as "de_AT.UTF-8" or
// "de-CH", that there are texts for, or the first of Languages where there is none.
func For(locales ...string) (*Words, error) {
	fallback, err := Texts(Languages()[0])
	if err != nil {
		return nil, err
	}
	w := &Words{texts: fallback, fallback: fallback}
	for _, locale := range locales {
		base, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
		base, _, _ = strings.Cut(base, ".")
		if slices.Contains(Languages(), base) {
			w.texts, err = Texts(base)
			return w, err
		}
	}
	return w, nil
}

// Texts returns the texts of one of Languages by key.
func Texts(language string) (map[string]string, error) {
	b, err := files.ReadFile(language + ".json")
	if err != nil {
		return nil, fmt.Errorf("read the translations: %w", err)
	}
	var texts map[string]string
	if err := json.Unmarshal(b, &texts); err != nil {
		return nil, fmt.Errorf("read the translation %q: %w", language, err)
	}
	return texts, nil
}

// Say returns the text of key with args in its verbs. A text that is missing
// shows as its key.
func (w *Words) Say(key string, args ...any) string {
	text, ok := w.texts[key]
	if !ok {
		if text, ok = w.fallback[key]; !ok {
			return key
		}
	}
	if len(args) == 0 || !strings.Contains(text, "%") {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// Count returns the text of key for n things, with n before args in its verbs.
func (w *Words) Count(key string, n int, args ...any) string {
	form := key + ".other"
	if n == 1 {
		form = key + ".one"
	}
	return w.Say(form, append([]any{n}, args...)...)
}
