package desktoptest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// Patience is how long anything here waits before it fails the test. It is long, since a
// loaded machine is slow; nothing takes that long when it works.
const Patience = 20 * time.Second

// Require skips the test when it does not run in a session of scripts/desktop-session. Where
// CI=true the test fails instead.
func Require(t testing.TB) {
	t.Helper()
	if os.Getenv("ROLETRAY_DESKTOP_TEST") == "1" {
		return
	}
	const how = "needs a desktop session: run it through scripts/desktop-session (make e2e)"
	if os.Getenv("CI") == "true" {
		t.Fatal(how)
	}
	t.Skip(how)
}

// Program returns the path of a program that "make build" built, such as "roletray". Its folder
// is in ROLETRAY_BUILD. The test fails when it is not there.
func Program(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(os.Getenv("ROLETRAY_BUILD"), name)
	if !filepath.IsAbs(path) {
		t.Fatalf("ROLETRAY_BUILD must be the absolute path of the folder with %s (make e2e sets it)", name)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no built program: %v", err)
	}
	return path
}

// Eventually calls try until it returns nil, and fails the test with its last error when that
// takes longer than [Patience].
func Eventually(t testing.TB, what string, try func() error) {
	t.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	tick := time.NewTicker(30 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited %v for %s: %v", Patience, what, err)
		}
	}
}

// sessionBus opens a connection of the test's own to the session bus.
func sessionBus(t testing.TB) *dbus.Conn {
	t.Helper()
	conn, err := dbus.ConnectSessionBus()
	if err != nil {
		t.Fatalf("connect to the session bus: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// tool runs a program of the desktop and returns what it printed.
func tool(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("%s %q: %w: %s", name, args, err, exit.Stderr)
	}
	return string(out), err
}
