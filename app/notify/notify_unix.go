//go:build linux || freebsd || openbsd || netbsd

package notify

import (
	"context"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"
)

const (
	service = "org.freedesktop.Notifications"
	object  = "/org/freedesktop/Notifications"
)

// Notifier sends notes by the Desktop Notifications Specification. It is safe
// for concurrent use. The service may start and end at any time.
type Notifier struct {
	params Params
	conn   *dbus.Conn
	done   chan struct{}

	mu    sync.Mutex
	shown map[string]uint32 // the service's number of each note
}

// New connects to the session bus. It fails with ErrUnavailable where there is
// none. Close it when done.
func New(p Params) (*Notifier, error) {
	if !hasSessionBus() {
		return nil, fmt.Errorf("%w: there is no session bus", ErrUnavailable)
	}
	// A connection of our own: the shared one is closed by the tray when it ends.
	conn, err := dbus.ConnectSessionBus()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	// Only the service itself may tell that a button was pressed.
	if err := conn.AddMatchSignal(dbus.WithMatchSender(service), dbus.WithMatchInterface(service), dbus.WithMatchObjectPath(object)); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	n := &Notifier{params: p, conn: conn, done: make(chan struct{}), shown: map[string]uint32{}}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	go n.listen(signals)
	return n, nil
}

// hasSessionBus keeps the library from starting a bus of its own that nobody ends.
func hasSessionBus() bool {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, "bus"))
	return err == nil
}

// Send shows the note. It fails with ErrUnavailable where no service answers.
func (n *Notifier) Send(ctx context.Context, note Note) error {
	note = note.clean()
	svc := n.conn.Object(service, object)
	var can []string
	if err := svc.CallWithContext(ctx, service+".GetCapabilities", 0).Store(&can); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	body := note.Body
	if slices.Contains(can, "body-markup") {
		body = html.EscapeString(body)
	}
	actions := []string{}
	if slices.Contains(can, "actions") {
		for _, a := range append([]Action{{ID: Default, Label: n.params.OpenLabel}}, note.Actions...) {
			actions = append(actions, a.ID, a.Label)
		}
	}
	urgency, expire := byte(1), int32(-1)
	if note.Urgent {
		urgency, expire = 2, 0
	}
	hints := map[string]dbus.Variant{
		"urgency":       dbus.MakeVariant(urgency),
		"desktop-entry": dbus.MakeVariant(n.params.AppID),
	}

	// One note at a time, so that two with one ID cannot both be new.
	n.mu.Lock()
	defer n.mu.Unlock()
	var id uint32
	err := svc.CallWithContext(ctx, service+".Notify", 0, n.params.AppName, n.shown[note.ID], n.params.IconPath,
		note.Title, body, actions, hints, expire).Store(&id)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	n.shown[note.ID] = id
	return nil
}

// Withdraw takes the note with that ID away, if it is still there.
func (n *Notifier) Withdraw(ctx context.Context, id string) error {
	n.mu.Lock()
	number, ok := n.shown[id]
	delete(n.shown, id)
	n.mu.Unlock()
	if !ok {
		return nil
	}
	if err := n.conn.Object(service, object).CallWithContext(ctx, service+".CloseNotification", 0, number).Err; err != nil {
		return fmt.Errorf("withdraw a notification: %w", err)
	}
	return nil
}

// Close ends the connection and waits for the last call of Acted.
func (n *Notifier) Close() error {
	err := n.conn.Close()
	<-n.done
	return err
}

func (n *Notifier) listen(signals <-chan *dbus.Signal) {
	defer close(n.done)
	for s := range signals {
		if len(s.Body) < 2 {
			continue
		}
		number, ok := s.Body[0].(uint32)
		if !ok {
			continue
		}
		switch strings.TrimPrefix(s.Name, service+".") {
		case "ActionInvoked":
			if action, ok := s.Body[1].(string); ok {
				n.acted(number, action)
			}
		case "NotificationClosed":
			n.forget(number)
		}
	}
}

func (n *Notifier) acted(number uint32, action string) {
	n.mu.Lock()
	var note string
	found := false
	for id, shown := range n.shown {
		if shown == number {
			note, found = id, true
		}
	}
	n.mu.Unlock()
	if found && n.params.Acted != nil {
		n.params.Acted(note, action)
	}
}

func (n *Notifier) forget(number uint32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, shown := range n.shown {
		if shown == number {
			delete(n.shown, id)
		}
	}
}
