//go:build !linux && !freebsd && !openbsd && !netbsd

package tray

import "context"

// WatchHost calls changed once with true, since this desktop always shows tray
// icons, and waits for ctx to end.
func WatchHost(ctx context.Context, changed func(hosted bool)) error {
	changed(true)
	<-ctx.Done()
	return ctx.Err()
}
