//go:build linux

package notify

import (
	"errors"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"roletray/app/desktoptest"
)

func connect(t *testing.T) *dbus.Conn {
	t.Helper()
	c, err := dbus.ConnectSessionBus()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

type call struct {
	replaces    uint32
	title, body string
	actions     []string
	urgency     byte
	expire      int32
}

// daemon is a notification service on the test's bus.
type daemon struct {
	can    []string
	calls  chan call
	closed chan uint32
	last   uint32
}

func (d *daemon) GetCapabilities() ([]string, *dbus.Error) { return d.can, nil }

func (d *daemon) Notify(_ string, replaces uint32, _, title, body string, actions []string, hints map[string]dbus.Variant, expire int32) (uint32, *dbus.Error) {
	urgency, _ := hints["urgency"].Value().(byte)
	d.calls <- call{replaces, title, body, actions, urgency, expire}
	if replaces != 0 {
		return replaces, nil
	}
	d.last++
	return d.last, nil
}

func (d *daemon) CloseNotification(id uint32) *dbus.Error {
	d.closed <- id
	return nil
}

func serve(t *testing.T, can ...string) (*daemon, *dbus.Conn) {
	t.Helper()
	c := connect(t)
	d := &daemon{can: can, calls: make(chan call, 16), closed: make(chan uint32, 16)}
	if err := c.Export(d, object, service); err != nil {
		t.Fatal(err)
	}
	if r, err := c.RequestName(service, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("own the service's name: %v %v", r, err)
	}
	return d, c
}

func newNotifier(t *testing.T) (*Notifier, <-chan [2]string) {
	t.Helper()
	acted := make(chan [2]string, 16)
	n, err := New(Params{AppName: "Roletray", AppID: "test", Acted: func(note, action string) { acted <- [2]string{note, action} }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n, acted
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func TestNoteReachesTheServiceAndItsButtonComesBack(t *testing.T) {
	desktoptest.PrivateBus(t)
	d, c := serve(t, "actions", "body", "body-markup")
	n, acted := newNotifier(t)
	note := Note{ID: "one", Title: "Owner ends", Body: "at <b>15:20</b> & later", Actions: []Action{{"reactivate", "Reactivate"}}, Urgent: true}
	if err := n.Send(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	got := receive(t, d.calls)
	if got.body != "at &lt;b&gt;15:20&lt;/b&gt; &amp; later" {
		t.Errorf("body %q is not escaped", got.body)
	}
	if len(got.actions) != 4 || got.actions[0] != Default || got.actions[2] != "reactivate" || got.actions[3] != "Reactivate" {
		t.Errorf("actions %q", got.actions)
	}
	if got.urgency != 2 || got.expire != 0 {
		t.Errorf("urgency %d, expiry %d: an urgent note must stay", got.urgency, got.expire)
	}

	// What is not for us, or malformed, does nothing; the real press comes through.
	for _, body := range [][]any{{uint32(99), "reactivate"}, {"no number", "reactivate"}, {uint32(1)}, {uint32(1), uint32(2)}, {}} {
		if err := c.Emit(object, service+".ActionInvoked", body...); err != nil {
			t.Fatal(err)
		}
	}
	forger := connect(t)
	if err := forger.Emit(object, service+".ActionInvoked", uint32(1), "forged"); err != nil {
		t.Fatal(err)
	}
	// The forger's signal must have passed the bus before the genuine one.
	if err := forger.BusObject().Call("org.freedesktop.DBus.GetId", 0).Err; err != nil {
		t.Fatal(err)
	}
	if err := c.Emit(object, service+".ActionInvoked", uint32(1), "reactivate"); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, acted); got != [2]string{"one", "reactivate"} {
		t.Errorf("acted on %q", got)
	}
	if len(acted) != 0 {
		t.Errorf("acted again on %q", <-acted)
	}
}

func TestNoteReplacesItsPredecessor(t *testing.T) {
	desktoptest.PrivateBus(t)
	d, c := serve(t, "body")
	n, _ := newNotifier(t)
	for range 2 {
		if err := n.Send(t.Context(), Note{ID: "one", Title: "T", Body: "a < b", Actions: []Action{{"x", "X"}}}); err != nil {
			t.Fatal(err)
		}
	}
	first, second := receive(t, d.calls), receive(t, d.calls)
	if first.replaces != 0 || second.replaces != 1 {
		t.Errorf("replaced %d, then %d", first.replaces, second.replaces)
	}
	if first.body != "a < b" {
		t.Errorf("body %q was escaped for a service without markup", first.body)
	}
	if len(first.actions) != 0 {
		t.Errorf("actions %q for a service without actions", first.actions)
	}
	if err := n.Withdraw(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	if id := receive(t, d.closed); id != 1 {
		t.Errorf("withdrew %d", id)
	}
	if err := c.Emit(object, service+".NotificationClosed", uint32(1), uint32(3)); err != nil {
		t.Fatal(err)
	}
	if err := n.Send(t.Context(), Note{ID: "one", Title: "T"}); err != nil {
		t.Fatal(err)
	}
	if again := receive(t, d.calls); again.replaces != 0 {
		t.Errorf("a note that is gone was replaced: %d", again.replaces)
	}
}

func TestNoServiceIsUnavailable(t *testing.T) {
	desktoptest.PrivateBus(t)
	n, _ := newNotifier(t)
	if err := n.Send(t.Context(), Note{ID: "one", Title: "T"}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}

func TestNoSessionBusIsUnavailable(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	if _, err := New(Params{}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}
