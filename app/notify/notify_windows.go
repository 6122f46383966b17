package notify

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"git.sr.ht/~jackmordaunt/go-toast/v2/wintoast"
)

// activator is this application's own COM class: the library's default is
// shared by every program that uses it.
const activator = "{7B1B6C0E-6C35-4E0B-9C63-2E6A8B0C41D5}"

// Notifier shows toasts through COM. It never falls back to a script. It is safe
// for concurrent use.
type Notifier struct {
	params Params
	work   chan func()
	quit   chan struct{}
	done   chan struct{}
	close  sync.Once
}

// New registers the application's id for toasts in the user's registry. It fails
// with ErrUnavailable where that is refused. Close it when done.
func New(p Params) (*Notifier, error) {
	err := wintoast.SetAppData(wintoast.AppData{AppID: p.AppID, GUID: activator, IconPath: p.IconPath})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	wintoast.SetActivationCallback(func(_, arguments string, _ []wintoast.UserData) {
		if note, action, ok := parseToastArguments(arguments); ok && p.Acted != nil {
			p.Acted(note, action)
		}
	})
	n := &Notifier{params: p, work: make(chan func()), quit: make(chan struct{}), done: make(chan struct{})}
	go n.run()
	return n, nil
}

// run makes all COM calls from one thread, as COM wants them.
func (n *Notifier) run() {
	runtime.LockOSThread()
	defer close(n.done)
	for {
		select {
		case f := <-n.work:
			f()
		case <-n.quit:
			return
		}
	}
}

// Send shows the note. It fails with ErrUnavailable where Windows refuses it.
func (n *Notifier) Send(ctx context.Context, note Note) error {
	x, err := toastXML(note.clean(), n.params.IconPath)
	if err != nil {
		return err
	}
	answer := make(chan error, 1)
	select {
	case n.work <- func() { answer <- wintoast.Push(n.params.AppID, x) }:
	case <-ctx.Done():
		return ctx.Err()
	case <-n.done:
		return ErrUnavailable
	}
	select {
	case err := <-answer:
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Withdraw does nothing: the library cannot take a toast away.
func (n *Notifier) Withdraw(context.Context, string) error { return nil }

// Close ends the notifier's thread. A later Send fails.
func (n *Notifier) Close() error {
	n.close.Do(func() { close(n.quit) })
	<-n.done
	return nil
}
