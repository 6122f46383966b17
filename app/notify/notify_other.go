//go:build !linux && !freebsd && !openbsd && !netbsd && !windows && !(darwin && cgo)

package notify

import "context"

// Notifier shows nothing: this build has no way to.
type Notifier struct{}

// New fails with ErrUnavailable.
func New(Params) (*Notifier, error) { return nil, ErrUnavailable }

// Send fails with ErrUnavailable.
func (n *Notifier) Send(context.Context, Note) error { return ErrUnavailable }

// Withdraw does nothing.
func (n *Notifier) Withdraw(context.Context, string) error { return nil }

// Close does nothing.
func (n *Notifier) Close() error { return nil }
