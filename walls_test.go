package main

import (
	"debug/elf"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestWalls holds the project's own code to the rules in walls_rules_test.go, whatever system
// and build tags a file is for.
func TestWalls(t *testing.T) {
	files, err := readTree(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d Go files found: this is not the project", len(files))
	}
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			for _, broken := range rule.check(files) {
				t.Error(broken)
			}
		})
	}
}

// TestWallsStand plants a violation of each rule, and near it what must still be allowed.
func TestWallsStand(t *testing.T) {
	const imports = "// Package x is one.\npackage x\nimport (\n"
	tests := []struct {
		name, rule string
		files      map[string]string
		want       []string // in the order of the files' names
	}{
		{
			"pim imports a service", "arrows point down",
			map[string]string{"pim/a.go": imports + "_ \"roletray/pim/arm\"\n_ \"strings\")"},
			[]string{"pim/a.go: pim may not import pim/arm"},
		},
		{
			"pim imports a desktop room", "arrows point down",
			map[string]string{
				"pim/session/a.go": imports + "_ \"roletray/app/view\")",
				"pim/session/b.go": imports + "_ \"roletray/pim\"\n_ \"roletray/pim/store\")",
			},
			[]string{"pim/session/a.go: pim/session may not import app/view"},
		},
		{
			"a service imports another", "arrows point down",
			map[string]string{
				"pim/arm/a.go":      imports + "_ \"roletray/pim/signin\")",
				"pim/arm/a_test.go": imports + "_ \"roletray/pim/tenant\"\n_ \"roletray/pim/signin\")",
			},
			[]string{"pim/arm/a.go: pim/arm may not import pim/signin"},
		},
		{
			"a window that is not a client", "arrows point down",
			map[string]string{"app/window/a.go": "//go:build !nowindow\n\n" + imports + "_ \"roletray/pim/session\"\n_ \"roletray/app/local\")"},
			[]string{"app/window/a.go: app/window may not import pim/session"},
		},
		{
			"the tenant knows what it stands in for", "the tenant stands alone",
			map[string]string{
				"pim/tenant/a.go":       imports + "_ \"roletray/pim/tenant/world\")",
				"pim/tenant/world/a.go": imports + "_ \"roletray/pim\")",
			},
			[]string{"pim/tenant/world/a.go: the tenant may not import pim"},
		},
		{
			"somebody reaches into the tenant", "the tenant stands alone",
			map[string]string{
				"app/agent/a.go":      imports + "_ \"roletray/pim/tenant\")",
				"app/agent/a_test.go": imports + "_ \"roletray/pim/tenant/world\")",
			},
			[]string{"app/agent/a_test.go: only the tenant may import pim/tenant/world"},
		},
		{
			"Fyne outside the window", "only the window is Fyne",
			map[string]string{
				"app/tray/a.go": imports + "_ \"fyne.io/fyne/v2\"\n_ \"fyne.io/systray\")",
				"app/view/a.go": "//go:build !nowindow\n\n" + imports + "_ \"fyne.io/fyne/v2/theme\")",
			},
			[]string{
				"app/tray/a.go: only app/window may import fyne.io/fyne/v2",
				"app/view/a.go: only app/window may import fyne.io/fyne/v2/theme",
			},
		},
		{
			"a window in the shipped tray program", "only the window is Fyne",
			map[string]string{
				"app/window/a.go": imports + "_ \"fyne.io/fyne/v2\")",
				"app/window/b.go": "//go:build linux && !nowindow\n\n" + imports + "_ \"fyne.io/fyne/v2\")",
				"app/window/c.go": "//go:build linux || !nowindow\n\n" + imports + "_ \"fyne.io/fyne/v2\")",
				"window.go":       imports + "_ \"roletray/app/window\")",
			},
			[]string{
				"app/window/a.go: fyne.io/fyne/v2 needs the build constraint !nowindow",
				"app/window/c.go: fyne.io/fyne/v2 needs the build constraint !nowindow",
				"window.go: roletray/app/window needs the build constraint !nowindow",
			},
		},
		{
			"test support in a program", "test support stays in tests",
			map[string]string{
				"app/cli/a.go":      imports + "_ \"roletray/app/desktoptest\"\n_ \"testing\")",
				"app/cli/a_test.go": imports + "_ \"roletray/app/desktoptest\"\n_ \"testing\")",
			},
			[]string{
				"app/cli/a.go: roletray/app/desktoptest is for tests",
				"app/cli/a.go: testing is for tests",
			},
		},
		{
			"unsafe calls", "no unsafe call",
			map[string]string{"app/window/a.go": `// Package x is one.
package x
func f(w App) {
	fyne.Do(nil)
	fyne.DoAndWait(nil)
	w.SendNotification(nil)
	w.ScheduleNotification(nil)
	exec.Command("xdg-open")
	exec.Command("powershell.exe", "-c")
	exec.CommandContext(ctx, "PowerShell")
}`},
			[]string{
				"app/window/a.go:5: DoAndWait stops for ever on the UI goroutine: use Do",
				"app/window/a.go:6: SendNotification runs text from servers as PowerShell: use app/notify",
				"app/window/a.go:7: ScheduleNotification runs text from servers as PowerShell: use app/notify",
				"app/window/a.go:9: PowerShell expands text from servers: call the system itself",
				"app/window/a.go:10: PowerShell expands text from servers: call the system itself",
			},
		},
		{
			"work at start", "no init",
			map[string]string{"pim/a.go": "// Package x is one.\npackage x\nfunc (t T) init() {}\nfunc init() {}"},
			[]string{"pim/a.go:4: init works before main can say no"},
		},
		{
			"no package comment", "every package says what it is for",
			map[string]string{
				"pim/a.go":       "package pim\n// F is.\nfunc F() {}",
				"pim/a_test.go":  "// Package pim is not described by its tests.\npackage pim",
				"pim/arm/a.go":   "package arm",
				"pim/arm/doc.go": "// Package arm is.\npackage arm",
			},
			[]string{"pim: no file has a package comment"},
		},
		{
			"a test sleeps", "tests do not sleep",
			map[string]string{
				"pim/a.go": imports + "\"time\")\nfunc f() { time.Sleep(1) }",
				"pim/a_test.go": imports + "\"time\"\n\"testing/synctest\")\nfunc TestF(t *testing.T) {\n" +
					"synctest.Test(t, func(t *testing.T) { time.Sleep(1) })\ntime.Sleep(1) }\nfunc (slow) Do() { time.Sleep(1) }",
				"pim/b_test.go": imports + "\"time\")\nfunc help() { time.Sleep(1) }",
			},
			[]string{
				"pim/a_test.go:8: wait for a condition with a deadline, or sleep inside synctest.Test",
				"pim/b_test.go:5: wait for a condition with a deadline, or sleep inside synctest.Test",
			},
		},
	}
	planted := map[string]bool{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var files []source
			for name, text := range tt.files {
				f, err := parse(name, []byte(text))
				if err != nil {
					t.Fatal(err)
				}
				files = append(files, f)
			}
			slices.SortFunc(files, func(a, b source) int { return strings.Compare(a.name, b.name) })
			i := slices.IndexFunc(rules, func(r rule) bool { return r.name == tt.rule })
			if i < 0 {
				t.Fatalf("no rule %q", tt.rule)
			}
			if got := rules[i].check(files); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
		planted[tt.rule] = true
	}
	for _, r := range rules {
		if !planted[r.name] {
			t.Errorf("nothing is planted against the rule %q", r.name)
		}
	}
}

// TestShippedProgram reads the tray program as it is shipped: it must load on a computer
// without any graphics library, and so on none at all.
func TestShippedProgram(t *testing.T) {
	deps, err := exec.Command("go", "list", "-deps", "-tags", "nowindow", ".").Output()
	if err != nil {
		t.Fatalf("list what it is made of: %v", err)
	}
	for pkg := range strings.Lines(string(deps)) {
		if strings.HasPrefix(pkg, "fyne.io/fyne/") || strings.HasPrefix(pkg, "github.com/go-gl/") {
			t.Errorf("it contains %s", strings.TrimSpace(pkg))
		}
	}
	if runtime.GOOS != "linux" {
		return // the libraries of other systems are not files that can be absent
	}
	program := filepath.Join(t.TempDir(), "roletray")
	build := exec.Command("go", "build", "-tags", "nowindow", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	if len(libraries) > 0 {
		t.Errorf("it loads %q", libraries)
	}
}

// source is one parsed file; its name is relative to the module, with slashes.
type source struct {
	name string
	fset *token.FileSet
	ast  *ast.File
}

func (s source) dir() string  { return path.Dir(s.name) }
func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

func parse(name string, text []byte) (source, error) {
	s := source{name: name, fset: token.NewFileSet()}
	var err error
	s.ast, err = parser.ParseFile(s.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	return s, err
}

// readTree parses every Go file of the module, in the order of their names.
func readTree(root string) ([]source, error) {
	var files []source
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if b := d.Name(); name != root && (b == "build" || b == "testdata" || b[0] == '.' || b[0] == '_') {
				return filepath.SkipDir
			}
			return nil
		case filepath.Ext(name) != ".go":
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := parse(filepath.ToSlash(name), text)
		if err != nil {
			return err
		}
		files = append(files, f)
		return nil
	})
	return files, err
}
