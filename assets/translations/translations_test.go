package translations_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"roletray/assets/translations"
)

// keysUsed reads every call of Say and Count in the program's faces. A key that is not
// a literal could not be compared, so it fails.
func keysUsed(t *testing.T) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	err := filepath.WalkDir("../../app", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || (method.Sel.Name != "Say" && method.Sel.Name != "Count") || isPackage(method.X, "strings", "bytes") {
				return true
			}
			literal, ok := call.Args[0].(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				t.Errorf("%s: the key must be a literal", fset.Position(call.Pos()))
				return true
			}
			key, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Error(err)
			}
			if method.Sel.Name == "Say" {
				keys[key] = true
			} else {
				keys[key+".one"], keys[key+".other"] = true, true
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) == 0 {
		t.Fatal("no key found; is ../../app still where the faces are?")
	}
	return keys
}

func isPackage(x ast.Expr, names ...string) bool {
	id, ok := x.(*ast.Ident)
	return ok && slices.Contains(names, id.Name)
}

func TestKeysAreThoseUsed(t *testing.T) {
	used := keysUsed(t)
	for _, language := range translations.Languages() {
		texts, err := translations.Texts(language)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range slices.Sorted(maps.Keys(used)) {
			if texts[k] == "" {
				t.Errorf("%s.json lacks %q", language, k)
			}
		}
		for _, k := range slices.Sorted(maps.Keys(texts)) {
			if !used[k] {
				t.Errorf("%s.json has %q, which nothing shows", language, k)
			}
		}
	}
}

var verb = regexp.MustCompile(`%(?:\[(\d)\])?\d*([a-z%])`)

// verbs are the verbs of a format by the argument that each formats.
func verbs(format string) map[int]string {
	found := map[int]string{}
	next := 1
	for _, m := range verb.FindAllStringSubmatch(format, -1) {
		if m[2] == "%" {
			continue
		}
		if m[1] != "" {
			next, _ = strconv.Atoi(m[1])
		}
		found[next] = m[2]
		next++
	}
	return found
}

func TestLanguagesFormatTheSameArguments(t *testing.T) {
	english, err := translations.Texts("en")
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range translations.Languages()[1:] {
		texts, err := translations.Texts(language)
		if err != nil {
			t.Fatal(err)
		}
		for k, text := range texts {
			if want, got := verbs(english[k]), verbs(text); !maps.Equal(want, got) {
				t.Errorf("%s %q formats %v, English %v", language, k, got, want)
			}
		}
	}
}

func TestFor(t *testing.T) {
	for _, tt := range []struct{ locales, want string }{
		{"de_AT.UTF-8", "Beenden"},
		{"de", "Beenden"},
		{"de.UTF-8", "Beenden"},
		{"en_US.UTF-8", "Quit"},
		{"C", "Quit"},
		{"", "Quit"},
		{"den", "Quit"},
		{"fr-FR de-DE en-GB", "Beenden"},
		{"en-GB de-DE", "Quit"},
		{"zh-Hans-CN", "Quit"},
	} {
		w, err := translations.For(strings.Fields(tt.locales)...)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Say("tray.quit"); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.locales, got, tt.want)
		}
	}
}

func TestWords(t *testing.T) {
	w, err := translations.For("en")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ got, want string }{
		{w.Count("sheet.button", 1), "Activate role"},
		{w.Count("sheet.button", 3), "Activate 3 roles"},
		{w.Say("active.until", "15:20"), "until 15:20"},
		{w.Say("active.until", "100%"), "until 100%"},
		{w.Say("no-such-key", 1), "no-such-key"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}
