package desktoptest

import (
	"bufio"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Opener stands for the desktop's "open this address": an xdg-open that hands the address to
// the test instead of starting a browser, and returns at once as the real one does.
type Opener struct {
	// Dir holds the xdg-open, to be first in the PATH of the program under test.
	Dir string

	t    testing.TB
	urls chan string
}

// NewOpener makes an opener for the time of the test. Its addresses wait until [Opener.Next]
// takes them.
func NewOpener(t testing.TB) *Opener {
	t.Helper()
	o := &Opener{Dir: t.TempDir(), t: t, urls: make(chan string, 100)}
	pipe := filepath.Join(o.Dir, "opened")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatalf("make an opener: %v", err)
	}
	// <> opens the pipe without waiting for a reader.
	script := "#!/bin/sh\nprintf '%s\\n' \"$1\" 1<>\"${0%/*}/opened\"\n"
	if err := os.WriteFile(filepath.Join(o.Dir, "xdg-open"), []byte(script), 0o700); err != nil {
		t.Fatalf("make an opener: %v", err)
	}
	// Held open for writing too, so that it does not end when one xdg-open has written.
	r, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatalf("make an opener: %v", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			o.urls <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		r.Close()
		<-done
	})
	return o
}

// Path returns the setting of PATH, for the environment of the program under test, that puts
// the opener before every other.
func (o *Opener) Path() string {
	return "PATH=" + o.Dir + string(os.PathListSeparator) + os.Getenv("PATH")
}

// Next waits for the next address that a program opened.
func (o *Opener) Next() string {
	o.t.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	select {
	case url := <-o.urls:
		return url
	case <-deadline.C:
		o.t.Fatalf("no address was opened within %v", Patience)
		return ""
	}
}

// Opened reports how many addresses wait to be taken.
func (o *Opener) Opened() int {
	return len(o.urls)
}
