package local

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// configDir is the local part of the application data: a roaming one would carry
// one computer's journal to another.
func configDir() (string, error) { return os.UserCacheDir() }

func runtimeDir() string {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	return filepath.Join(base, "roletray-run")
}

// protect gives dir a list of who may enter, the user and the system, that is
// not inherited from above and is inherited by everything inside.
func protect(dir string) error {
	return setAccess(dir, "OICI")
}

func protectSocket(path string) error { return setAccess(path, "") }

func setAccess(path, inherit string) error {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fmt.Errorf("find the current user: %w", err)
	}
	sd, err := windows.SecurityDescriptorFromString(fmt.Sprintf(
		"D:P(A;%s;FA;;;SY)(A;%s;FA;;;%s)", inherit, inherit, user.User.Sid))
	if err != nil {
		return fmt.Errorf("describe who may use %s: %w", path, err)
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("describe who may use %s: %w", path, err)
	}
	err = windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, dacl, nil)
	if err != nil {
		return fmt.Errorf("close %s to other users: %w", path, err)
	}
	return nil
}

// checkFolder asks that dir exists and belongs to this user or to the
// administrators, whom a user who is one of them creates files as.
func checkFolder(dir string) error {
	sd, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return &os.PathError{Op: "read the owner of", Path: dir, Err: err}
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return fmt.Errorf("read the owner of %s: %w", dir, err)
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fmt.Errorf("find the current user: %w", err)
	}
	if !owner.Equals(user.User.Sid) && !owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) {
		return fmt.Errorf("%s belongs to another user; choose another folder with --profile", dir)
	}
	return nil
}

// checkPrivate refuses every folder: whom its access list lets in is not worth
// finding out, since a profile is made in an empty or a new one.
func checkPrivate(dir string) error {
	return fmt.Errorf("%s has other files in it; choose an empty or a new folder with --profile", dir)
}
