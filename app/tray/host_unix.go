//go:build linux || freebsd || openbsd || netbsd

package tray

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/godbus/dbus/v5"
)

const watcher = "org.kde.StatusNotifierWatcher"

// Available says why there can be no tray, or nil. Without a session bus the
// library would start one of its own that nobody ends.
func Available() error {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return nil
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		if _, err := os.Stat(filepath.Join(dir, "bus")); err == nil {
			return nil
		}
	}
	return errors.New("there is no session bus")
}

// WatchHost calls changed with whether the desktop has a host that shows tray
// icons: once at first and then at each change, until ctx ends. It is called on one goroutine.
func WatchHost(ctx context.Context, changed func(hosted bool)) error {
	if err := Available(); err != nil {
		return fmt.Errorf("watch for a tray: %w", err)
	}
	conn, err := dbus.ConnectSessionBus(dbus.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("watch for a tray: %w", err)
	}
	defer func() { _ = conn.Close() }()
	err = errors.Join(
		conn.AddMatchSignal(dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, watcher)),
		conn.AddMatchSignal(dbus.WithMatchSender(watcher), dbus.WithMatchInterface(watcher)),
	)
	if err != nil {
		return fmt.Errorf("watch for a tray: %w", err)
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)

	hosted := hasHost(ctx, conn)
	changed(hosted)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case _, ok := <-signals:
			if !ok {
				return fmt.Errorf("watch for a tray: %w", dbus.ErrClosed)
			}
			if now := hasHost(ctx, conn); now != hosted {
				hosted = now
				changed(hosted)
			}
		}
	}
}

func hasHost(ctx context.Context, conn *dbus.Conn) bool {
	var owned bool
	if err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, watcher).Store(&owned); err != nil || !owned {
		return false
	}
	var v dbus.Variant
	err := conn.Object(watcher, "/StatusNotifierWatcher").CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0,
		watcher, "IsStatusNotifierHostRegistered").Store(&v)
	registered, ok := v.Value().(bool)
	// A watcher that does not say counts as a host.
	return err != nil || !ok || registered
}
