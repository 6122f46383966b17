package desktoptest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	notifyIface = "org.freedesktop.Notifications"
	notifyPath  = dbus.ObjectPath("/org/freedesktop/Notifications")
)

// Notification is one call of Notify, as the Desktop Notifications Specification 1.2 has it.
type Notification struct {
	ID       uint32 // zero while a listening test has not yet seen the daemon's answer
	App      string
	Replaces uint32
	Icon     string
	Summary  string
	Body     string
	Actions  []Action
	Hints    map[string]dbus.Variant
	Timeout  int32 // milliseconds; -1 leaves it to the daemon, 0 is never
	Closed   bool
}

// Action is a button of a notification; the key "default" is a click on the notification.
type Action struct {
	Key, Label string
}

// Notifications holds what programs told the user. It is safe for concurrent use.
type Notifications struct {
	t    testing.TB
	conn *dbus.Conn

	mu   sync.Mutex
	list []Notification
}

// ServeNotifications makes the test the session's notification daemon until it ends. The
// session must have none (scripts/desktop-session --notifier none).
func ServeNotifications(t testing.TB) *Notifications {
	t.Helper()
	n := &Notifications{t: t, conn: sessionBus(t)}
	if err := n.conn.Export((*daemon)(n), notifyPath, notifyIface); err != nil {
		t.Fatalf("serve notifications: %v", err)
	}
	reply, err := n.conn.RequestName(notifyIface, dbus.NameFlagDoNotQueue)
	if err != nil {
		t.Fatalf("serve notifications: %v", err)
	}
	if reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal("the session has a notification daemon already: start it with --notifier none")
	}
	return n
}

// All returns every notification so far, oldest first.
func (n *Notifications) All() []Notification {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.list)
}

// Wait waits for a notification that accept takes, and returns the oldest such.
func (n *Notifications) Wait(what string, accept func(Notification) bool) Notification {
	n.t.Helper()
	var found Notification
	Eventually(n.t, what, func() error {
		all := n.All()
		i := slices.IndexFunc(all, accept)
		if i < 0 {
			return fmt.Errorf("it is not among %+v", all)
		}
		found = all[i]
		return nil
	})
	return found
}

// Press does what the daemon does when the user presses the button with that key: it reports
// the action and closes the notification. Only for a test that serves notifications.
func (n *Notifications) Press(id uint32, key string) {
	n.t.Helper()
	if err := n.press(id, key); err != nil {
		n.t.Fatalf("press %q on notification %d: %v", key, id, err)
	}
}

func (n *Notifications) press(id uint32, key string) error {
	n.mu.Lock()
	i := n.index(id)
	if i < 0 || n.list[i].Closed {
		n.mu.Unlock()
		return errors.New("it is not shown")
	}
	if !slices.ContainsFunc(n.list[i].Actions, func(a Action) bool { return a.Key == key }) {
		n.mu.Unlock()
		return fmt.Errorf("it has only %v", n.list[i].Actions)
	}
	n.mu.Unlock()
	if err := n.conn.Emit(notifyPath, notifyIface+".ActionInvoked", id, key); err != nil {
		return err
	}
	return n.close(id, ClosedByUser)
}

// CloseReason says why a notification went, in the specification's numbers.
type CloseReason uint32

// The reasons that a daemon reports.
const (
	ClosedByTime    CloseReason = 1
	ClosedByUser    CloseReason = 2
	ClosedByProgram CloseReason = 3
)

// Close closes a notification as the daemon does. Only for a test that serves notifications.
func (n *Notifications) Close(id uint32, why CloseReason) {
	n.t.Helper()
	if err := n.close(id, why); err != nil {
		n.t.Fatalf("close notification %d: %v", id, err)
	}
}

func (n *Notifications) close(id uint32, why CloseReason) error {
	n.mu.Lock()
	i := n.index(id)
	if i < 0 || n.list[i].Closed {
		n.mu.Unlock()
		return errors.New("it is not shown")
	}
	n.list[i].Closed = true
	n.mu.Unlock()
	return n.conn.Emit(notifyPath, notifyIface+".NotificationClosed", id, uint32(why))
}

// index finds the newest notification with an id; one that replaces another takes its id.
func (n *Notifications) index(id uint32) int {
	for i := len(n.list) - 1; i >= 0; i-- {
		if n.list[i].ID == id {
			return i
		}
	}
	return -1
}

// daemon is the exported D-Bus object.
type daemon Notifications

func (d *daemon) GetCapabilities() ([]string, *dbus.Error) {
	return []string{"actions", "body", "body-markup", "persistence"}, nil
}

func (d *daemon) GetServerInformation() (name, vendor, version, spec string, err *dbus.Error) {
	return "desktoptest", "roletray", "1", "1.2", nil
}

func (d *daemon) Notify(app string, replaces uint32, icon, summary, body string, actions []string, hints map[string]dbus.Variant, timeout int32) (uint32, *dbus.Error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	note := newNotification(app, replaces, icon, summary, body, actions, hints, timeout)
	note.ID = replaces
	if i := (*Notifications)(d).index(replaces); i >= 0 {
		d.list[i].Closed = true
	}
	if note.ID == 0 {
		note.ID = uint32(len(d.list)) + 1
	}
	d.list = append(d.list, note)
	return note.ID, nil
}

func (d *daemon) CloseNotification(id uint32) *dbus.Error {
	if err := (*Notifications)(d).close(id, ClosedByProgram); err != nil {
		return dbus.MakeFailedError(err)
	}
	return nil
}

func newNotification(app string, replaces uint32, icon, summary, body string, actions []string, hints map[string]dbus.Variant, timeout int32) Notification {
	n := Notification{App: app, Replaces: replaces, Icon: icon, Summary: summary, Body: body, Hints: hints, Timeout: timeout}
	for pair := range slices.Chunk(actions, 2) {
		if len(pair) == 2 {
			n.Actions = append(n.Actions, Action{Key: pair[0], Label: pair[1]})
		}
	}
	return n
}

// ListenNotifications records what programs tell the session's own notification daemon. Press
// and Close are not for it: there the daemon's windows are clicked.
func ListenNotifications(t testing.TB) *Notifications {
	t.Helper()
	n := &Notifications{t: t, conn: sessionBus(t)}
	messages := make(chan *dbus.Message, 100)
	n.conn.Eavesdrop(messages)
	rules := []string{
		"type='method_call',interface='" + notifyIface + "'",
		"type='method_return'",
		"type='signal',interface='" + notifyIface + "'",
	}
	// The answer to this goes to the eavesdropper too, and so never to the call.
	n.conn.BusObject().Go("org.freedesktop.DBus.Monitoring.BecomeMonitor", 0, nil, rules, uint32(0))
	if err := waitAnswer(messages); err != nil {
		t.Fatalf("listen to notifications: %v", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.listen(messages)
	}()
	t.Cleanup(func() {
		n.conn.Close() // closes messages
		<-done
	})
	return n
}

// waitAnswer waits for the first answer to a call, and returns the error that it carries.
func waitAnswer(messages <-chan *dbus.Message) error {
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	for {
		select {
		case m := <-messages:
			switch {
			case m == nil:
				return errors.New("the bus ended the connection")
			case m.Type == dbus.TypeMethodReply:
				return nil
			case m.Type == dbus.TypeError:
				return dbus.Error{Name: m.Headers[dbus.FieldErrorName].String(), Body: m.Body}
			}
		case <-deadline.C:
			return errors.New("the bus does not answer")
		}
	}
}

// listen pairs each Notify with the answer that carries its id.
func (n *Notifications) listen(messages <-chan *dbus.Message) {
	type call struct {
		sender string
		serial uint32
	}
	asked := map[call]int{}
	for m := range messages {
		n.mu.Lock()
		member, _ := m.Headers[dbus.FieldMember].Value().(string)
		switch {
		case m.Type == dbus.TypeMethodCall && member == "Notify":
			var (
				app, icon, summary, body string
				replaces                 uint32
				actions                  []string
				hints                    map[string]dbus.Variant
				timeout                  int32
			)
			if dbus.Store(m.Body, &app, &replaces, &icon, &summary, &body, &actions, &hints, &timeout) == nil {
				sender, _ := m.Headers[dbus.FieldSender].Value().(string)
				asked[call{sender, m.Serial()}] = len(n.list)
				n.list = append(n.list, newNotification(app, replaces, icon, summary, body, actions, hints, timeout))
			}
		case m.Type == dbus.TypeMethodReply:
			to, _ := m.Headers[dbus.FieldDestination].Value().(string)
			serial, _ := m.Headers[dbus.FieldReplySerial].Value().(uint32)
			if i, ok := asked[call{to, serial}]; ok {
				delete(asked, call{to, serial})
				if dbus.Store(m.Body, &n.list[i].ID) != nil {
					n.t.Errorf("the notification daemon answered %v", m.Body)
				}
			}
		case m.Type == dbus.TypeSignal && member == "NotificationClosed":
			var id, why uint32
			if dbus.Store(m.Body, &id, &why) == nil {
				if i := n.index(id); i >= 0 {
					n.list[i].Closed = true
				}
			}
		}
		n.mu.Unlock()
	}
}
