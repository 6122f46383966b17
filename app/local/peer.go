package local

import (
	"context"
	"errors"
	"fmt"
)

// Peer is the program at the other end of a connection.
type Peer struct {
	// Face is what the program says it is: window or cli.
	Face string
	// PID is its process id, or zero where the system does not tell.
	PID int
	// Program is the file name of its executable, or empty where it is not known.
	Program string
}

// String describes the peer for the history, such as "cli (roletray, process 4711)".
func (p Peer) String() string {
	switch {
	case p.PID != 0 && p.Program != "":
		return fmt.Sprintf("%s (%s, process %d)", p.Face, p.Program, p.PID)
	case p.PID != 0:
		return fmt.Sprintf("%s (process %d)", p.Face, p.PID)
	}
	return p.Face
}

type peerKey struct{}

// PeerFrom returns the program that the call being served comes from.
func PeerFrom(ctx context.Context) Peer {
	p, _ := ctx.Value(peerKey{}).(Peer)
	return p
}

var errOtherUser = errors.New("the program at the other end belongs to another user")
