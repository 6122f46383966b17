//go:build !linux && !darwin && !windows

package local

import "net"

// peerOf knows nothing here: that the peer belongs to this user follows from the
// folder of the socket.
func peerOf(*net.UnixConn) (Peer, error) { return Peer{}, nil }
