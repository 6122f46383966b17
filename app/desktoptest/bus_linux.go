package desktoptest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// PrivateBus makes an empty session bus the test's own until it ends, for tests that need a bus
// and no desktop. Without dbus-daemon the test is skipped; where CI=true it fails.
func PrivateBus(t *testing.T) {
	t.Helper()
	program, err := exec.LookPath("dbus-daemon")
	if err != nil {
		const how = "dbus-daemon is not installed: run scripts/deps desktop"
		if os.Getenv("CI") == "true" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	// Nothing is started on demand: a bus of the usual kind would bring up the
	// notification service and keyring that are installed.
	config := filepath.Join(t.TempDir(), "bus.conf")
	if err := os.WriteFile(config, []byte(busConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command(program, "--config-file="+config, "--nofork", "--print-address")
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Signal(syscall.SIGTERM) // on which it removes its socket; it may have ended
		_ = daemon.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("read the bus's address: %v", err)
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", strings.TrimSpace(address))
}

// TrayHost is a panel that shows tray icons, as far as a program can tell.
type TrayHost struct {
	conn  *dbus.Conn
	props *prop.Properties

	mu    sync.Mutex
	items []string
}

// ServeTrayHost makes the test the session's tray host until it ends or Close is called.
func ServeTrayHost(t testing.TB) *TrayHost {
	t.Helper()
	h := &TrayHost{conn: sessionBus(t)}
	props, err := prop.Export(h.conn, "/StatusNotifierWatcher", prop.Map{watcherName: {
		"RegisteredStatusNotifierItems":  {Value: []string{}, Emit: prop.EmitTrue},
		"IsStatusNotifierHostRegistered": {Value: true, Emit: prop.EmitTrue},
		"ProtocolVersion":                {Value: int32(0), Emit: prop.EmitTrue},
	}})
	if err != nil {
		t.Fatalf("be a tray host: %v", err)
	}
	h.props = props
	if err := h.conn.Export((*watcher)(h), "/StatusNotifierWatcher", watcherName); err != nil {
		t.Fatalf("be a tray host: %v", err)
	}
	if r, err := h.conn.RequestName(watcherName, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("be the tray host: answer %v, %v", r, err)
	}
	return h
}

// Close makes the tray host go away.
func (h *TrayHost) Close() { _ = h.conn.Close() }

type watcher TrayHost

func (w *watcher) RegisterStatusNotifierItem(sender dbus.Sender, item string) *dbus.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.items = append(w.items, string(sender)+item)
	w.props.SetMust(watcherName, "RegisteredStatusNotifierItems", append([]string(nil), w.items...))
	return nil
}
