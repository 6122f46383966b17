package agent

import (
	stdlog "log"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLogIsReplacedWhenItHasGrown(t *testing.T) {
	profile := t.TempDir()
	log, closeLog, err := OpenLog(profile)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("x", 10_000)
	for range 3 * maxLog / len(line) {
		log.Info("begin", "text", line)
	}
	stdlog.Print("a library's line")
	log.Info("the last line")
	if err := closeLog(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"roletray.log", "roletray.log.1", "crash.txt"} {
		info, err := os.Stat(filepath.Join(profile, "log", name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > maxLog || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has %d bytes and mode %v", name, info.Size(), info.Mode())
		}
	}
	data, err := os.ReadFile(filepath.Join(profile, "log", "roletray.log"))
	if err != nil || !strings.Contains(string(data), "the last line") || !strings.Contains(string(data), `msg="a library's line"`) {
		t.Errorf("the newest line is missing (%v)", err)
	}
}
