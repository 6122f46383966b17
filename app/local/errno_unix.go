//go:build unix

package local

import (
	"errors"
	"syscall"
)

// noUnixSockets says whether err means that the system has no Unix sockets.
func noUnixSockets(err error) bool { return errors.Is(err, syscall.EAFNOSUPPORT) }

// nobodyListens says whether err means that no process serves the socket.
func nobodyListens(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT)
}
