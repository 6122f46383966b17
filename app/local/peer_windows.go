package local

import (
	"net"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// sioPeerPID is SIO_AF_UNIX_GETPEERPID. Source: afunix.h of the Windows SDK.
const sioPeerPID = 0x58000100

// peerOf says which program is at the other end of c. That it belongs to this
// user follows from the access list of the socket.
func peerOf(c *net.UnixConn) (Peer, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, nil
	}
	var pid, n uint32
	var ioErr error
	if err := raw.Control(func(fd uintptr) {
		ioErr = windows.WSAIoctl(windows.Handle(fd), sioPeerPID, nil, 0,
			(*byte)(unsafe.Pointer(&pid)), uint32(unsafe.Sizeof(pid)), &n, nil, 0)
	}); err != nil || ioErr != nil {
		return Peer{}, nil
	}
	return Peer{PID: int(pid), Program: programOf(pid)}, nil
}

func programOf(pid uint32) string {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return ""
	}
	defer windows.CloseHandle(h) //nolint:errcheck // Nothing was written.
	buf := make([]uint16, windows.MAX_LONG_PATH)
	n := uint32(len(buf))
	if err := windows.QueryFullProcessImageName(h, 0, &buf[0], &n); err != nil {
		return ""
	}
	return filepath.Base(windows.UTF16ToString(buf[:n]))
}
