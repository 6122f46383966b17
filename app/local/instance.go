package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Instance is the right to be a profile's one agent. It is held through a locked
// file, which the system lets go when the process ends in whatever way.
type Instance struct {
	profile  string
	lock     *flock.Flock
	listener net.Listener
	secret   string
}

// Acquire makes this process the profile's agent and begins to listen, so that a
// client that finds the lock taken finds somebody to talk to within moments. The error
// is ErrRunning when another process is the agent. The profile must be prepared.
func Acquire(profile string) (*Instance, error) {
	lock := flock.New(filepath.Join(profile, lockName), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the profile: %w", err)
	}
	if !ok {
		return nil, ErrRunning
	}
	in := &Instance{profile: profile, lock: lock}
	if err := in.listen(); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return in, nil
}

// Join finds the profile's agent or makes this process the agent: exactly one of
// the results is set. It waits where another process is just beginning or ending to be it.
func Join(ctx context.Context, profile, face string) (*Client, *Instance, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := Dial(ctx, profile, face)
		if err == nil {
			return c, nil, nil
		}
		if !errors.Is(err, ErrNoAgent) {
			return nil, nil, err
		}
		in, err := Acquire(profile)
		if err == nil {
			return nil, in, nil
		}
		if !errors.Is(err, ErrRunning) {
			return nil, nil, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("%w, but it does not answer", ErrRunning)
		}
	}
}

// listen takes the place of a predecessor that has gone without cleaning up; the
// lock says that there is none alive.
func (in *Instance) listen() error {
	path, err := socketPath(in.profile, true)
	if err != nil {
		return fmt.Errorf("find a place for the agent's socket: %w", err)
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("remove an old socket: %w", err)
	}
	if err := os.Remove(tcpFile(in.profile)); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("remove an old address: %w", err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		if !noUnixSockets(err) {
			return fmt.Errorf("listen on the agent's socket: %w", err)
		}
		in.listener, in.secret, err = listenTCP(in.profile)
		return err
	}
	if err := protectSocket(path); err != nil {
		return errors.Join(fmt.Errorf("close the agent's socket to others: %w", err), l.Close())
	}
	in.listener = peerListener{l}
	return nil
}

// Close stops listening and lets another process be the agent. It may be called
// after Serve, which closes the listener too, and more than once.
func (in *Instance) Close() error {
	err := in.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	if in.secret != "" && in.lock.Locked() {
		err = errors.Join(err, os.Remove(tcpFile(in.profile)))
	}
	return errors.Join(err, in.lock.Unlock())
}

// peerListener accepts only this user's programs.
type peerListener struct{ *net.UnixListener }

type peerConn struct {
	*net.UnixConn
	peer Peer
}

func (l peerListener) Accept() (net.Conn, error) {
	for {
		c, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		peer, err := peerOf(c)
		if err == nil {
			return peerConn{c, peer}, nil
		}
		_ = c.Close()
	}
}
