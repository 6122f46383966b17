package cli

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// detach keeps the program from having a console, and from ending with this one.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		HideWindow:    true,
		CreationFlags: windows.CREATE_NO_WINDOW | windows.CREATE_NEW_PROCESS_GROUP,
	}
}
