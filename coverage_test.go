package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// namedTest is a test as docs/coverage.md names it: folder, function and perhaps a subtest.
var namedTest = regexp.MustCompile("`([a-z][a-z0-9/]*)\\.(Test[A-Za-z0-9_]*)(?:/([^`]*))?`")

var testLike = regexp.MustCompile(`Test[A-Z]`)

// TestCoverageNamesTests holds docs/coverage.md to the tests that there are: whoever renames
// one changes the document too. Every cell of a table says something, and only "n/a" and
// "not covered" may stand without a test.
func TestCoverageNamesTests(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("docs", "coverage.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]map[string]bool{}
	named, rows := 0, 0
	for i, line := range strings.Split(string(text), "\n") {
		for _, m := range namedTest.FindAllStringSubmatch(line, -1) {
			folder, name := m[1], m[2]
			if tests[folder] == nil {
				tests[folder] = testsIn(t, folder)
			}
			if !tests[folder][name] {
				t.Errorf("line %d names %s.%s, which there is not", i+1, folder, name)
			}
			if kind := kindOfRow(line); kind != "" && namesOther(m[3], kind) {
				t.Errorf("line %d is about %s and names %s.%s/%s", i+1, kind, folder, name, m[3])
			}
			named++
		}
		// What looks like a test and is not understood would never be checked.
		if rest := namedTest.ReplaceAllString(line, ""); testLike.MatchString(rest) {
			t.Errorf("line %d names a test in another form than `folder.TestName`: %s", i+1, line)
		}
		cells, ok := cellsOf(line)
		if !ok {
			continue
		}
		rows++
		for _, cell := range cells {
			if !namedTest.MatchString(cell) && !strings.Contains(cell, "n/a: ") && !strings.Contains(cell, "not covered: ") {
				t.Errorf("line %d has a cell with neither a test nor a reason: %q", i+1, cell)
			}
		}
	}
	if rows < 50 || named < 100 {
		t.Errorf("%d rows name %d tests: this is not the matrix", rows, named)
	}
}

var kinds = []string{"azure", "directory", "group"}

// kindOfRow is the kind of role that a row of the matrix is about, or empty.
func kindOfRow(line string) string {
	if cells := strings.Split(line, " | "); len(cells) > 1 && slices.Contains(kinds, cells[1]) {
		return cells[1]
	}
	return ""
}

// namesOther says whether a subtest is for another kind: its name is one or ends with one.
func namesOther(subtest, kind string) bool {
	return slices.ContainsFunc(strings.Split(subtest, "/"), func(name string) bool {
		last := name[strings.LastIndex(name, "_")+1:]
		return last != kind && slices.Contains(kinds, last)
	})
}

// cellsOf are the cells of a table's row that have to name tests: not those that say what
// the row is about, and none of the head.
func cellsOf(line string) ([]string, bool) {
	if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") || strings.HasPrefix(line, "| Action ") || strings.HasPrefix(line, "| Lesson ") {
		return nil, false
	}
	cells := strings.Split(strings.Trim(line, "| "), " | ")
	if len(cells) == 2 {
		return cells[1:], true
	}
	return cells[min(2, len(cells)):], true
}

// testsIn lists the test functions of a folder, whatever system they are for.
func testsIn(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(folder), "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Errorf("%s has no tests: %v", folder, err)
	}
	found := map[string]bool{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				found[fn.Name.Name] = true
			}
		}
	}
	return found
}
