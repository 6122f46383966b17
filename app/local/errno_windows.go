package local

import (
	"errors"

	"golang.org/x/sys/windows"
)

// noUnixSockets says whether err means that the system has no Unix sockets, as
// before Windows 10 1803 and Server 2019, or refuses one at that place.
func noUnixSockets(err error) bool {
	return errors.Is(err, windows.WSAEAFNOSUPPORT) || errors.Is(err, windows.WSAEPROTONOSUPPORT) ||
		errors.Is(err, windows.WSAESOCKTNOSUPPORT) || errors.Is(err, windows.WSAEOPNOTSUPP) || errors.Is(err, windows.WSAEINVAL)
}

// nobodyListens says whether err means that no process serves the socket.
func nobodyListens(err error) bool {
	return errors.Is(err, windows.WSAECONNREFUSED) || errors.Is(err, windows.ERROR_FILE_NOT_FOUND) ||
		errors.Is(err, windows.ERROR_PATH_NOT_FOUND) || noUnixSockets(err)
}
