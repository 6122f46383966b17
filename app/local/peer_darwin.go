package local

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// peerOf says who is at the other end of c, and refuses another user.
func peerOf(c *net.UnixConn) (Peer, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, fmt.Errorf("ask who is at the other end: %w", err)
	}
	var cred *unix.Xucred
	var credErr error
	var pid int
	if err := raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
		pid, _ = unix.GetsockoptInt(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERPID)
	}); err != nil {
		return Peer{}, fmt.Errorf("ask who is at the other end: %w", err)
	}
	if credErr != nil {
		return Peer{}, fmt.Errorf("ask who is at the other end: %w", credErr)
	}
	if int(cred.Uid) != os.Getuid() {
		return Peer{}, errOtherUser
	}
	return Peer{PID: pid, Program: programOf(pid)}, nil
}

func programOf(pid int) string {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return ""
	}
	return unix.ByteSliceToString(info.Proc.P_comm[:])
}
