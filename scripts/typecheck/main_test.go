package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func module(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

const (
	mod  = "module example.test/m\n\ngo 1.26\n"
	good = "package m\n\n// #include <Cocoa/Cocoa.h>\nimport \"C\"\n\nfunc f() int { return int(C.NSAnything(1)) }\n"
)

func TestFindsWhatIsWrongOnAnotherSystem(t *testing.T) {
	module(t, map[string]string{
		"go.mod": mod, "m.go": "package m\n", "good_darwin.go": good,
		"bad_darwin.go": "package m\n\nfunc g() string { return f() }\n",
	})
	problems, checked, err := check("darwin", "arm64", "", []string{"./..."})
	if err != nil {
		t.Fatal(err)
	}
	if checked != 1 || len(problems) != 1 || !strings.Contains(problems[0], "bad_darwin.go:3:") {
		t.Errorf("%d packages, problems %q", checked, problems)
	}
	if problems, _, err := check("windows", "amd64", "", []string{"./..."}); err != nil || len(problems) != 0 {
		t.Errorf("for a system that the file is not built for: %q, %v", problems, err)
	}
}

func TestTakesCForGranted(t *testing.T) {
	module(t, map[string]string{"go.mod": mod, "good_darwin.go": good})
	problems, checked, err := check("darwin", "arm64", "", []string{"./..."})
	if err != nil || checked != 1 || len(problems) != 0 {
		t.Errorf("%d packages, problems %q, %v", checked, problems, err)
	}
}

func TestSaysWhatIsMissing(t *testing.T) {
	module(t, map[string]string{"go.mod": mod, "m.go": "package m\n\nimport _ \"example.test/m/absent\"\n"})
	problems, _, err := check("darwin", "arm64", "", []string{"./..."})
	if err != nil || len(problems) == 0 {
		t.Errorf("problems %q, %v", problems, err)
	}
}
