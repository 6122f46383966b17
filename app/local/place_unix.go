//go:build unix

package local

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

func configDir() (string, error) { return os.UserConfigDir() }

// runtimeDir is for what lasts no longer than the login: XDG_RUNTIME_DIR where
// the desktop gives one, else a folder of this user's in the temporary one.
func runtimeDir() string {
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) && checkFolder(dir) == nil {
		return filepath.Join(dir, "roletray")
	}
	return filepath.Join(os.TempDir(), "roletray-"+strconv.Itoa(os.Getuid()))
}

func protect(dir string) error {
	if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // A folder needs its execute bit.
		return fmt.Errorf("close the profile folder to others: %w", err)
	}
	return nil
}

func protectSocket(path string) error { return os.Chmod(path, 0o600) }

// checkFolder says whether dir is a folder that only this user can enter. Without
// that, somebody else could have put a socket there.
func checkFolder(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s is not a folder; remove it and try again", dir)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) != os.Getuid() {
		return fmt.Errorf("%s belongs to another user; remove it or choose another folder with --profile", dir)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is open to other users; run chmod 700 on it and try again", dir)
	}
	return nil
}

func checkPrivate(dir string) error { return checkFolder(dir) }
