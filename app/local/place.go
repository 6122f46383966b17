package local

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
)

// maxSocketPath is the longest path that every system takes for a socket: macOS
// has room for 104 bytes with the final zero, Linux for 108.
const maxSocketPath = 100

// DefaultProfile is the folder of a person's profile where none was chosen: in
// the user's configuration, on Windows in the part that does not roam. The demo
// has one of its own.
func DefaultProfile(demo bool) (string, error) {
	base, err := configDir()
	if err != nil {
		return "", fmt.Errorf("find the folder for settings: %w", err)
	}
	if demo {
		return filepath.Join(base, "roletray-demo"), nil
	}
	return filepath.Join(base, "roletray"), nil
}

// lockName is the file in a profile that its agent holds locked. It also marks a
// folder as a profile.
const lockName = "agent.lock"

// PrepareProfile makes the profile folder where it is missing and lets nobody
// but this user into it. A folder with other things in it is not closed to
// others, since that could be anything: it is refused unless it is private already.
func PrepareProfile(profile string) error {
	if err := os.MkdirAll(profile, 0o700); err != nil {
		return fmt.Errorf("make the profile folder: %w", err)
	}
	entries, err := os.ReadDir(profile)
	if err != nil {
		return fmt.Errorf("read the profile folder: %w", err)
	}
	_, err = os.Stat(filepath.Join(profile, lockName))
	if len(entries) == 0 || err == nil {
		return protect(profile)
	}
	if err := checkPrivate(profile); err != nil {
		return fmt.Errorf("the folder cannot be a profile: %w", err)
	}
	return nil
}

// socketPath is where the agent of a profile listens. A profile that was chosen
// by the person has its socket inside, unless the path would be too long; the
// default ones have theirs in the user's runtime folder. With create the folder is made.
func socketPath(profile string, create bool) (string, error) {
	abs, err := filepath.Abs(profile)
	if err != nil {
		return "", fmt.Errorf("find the profile folder: %w", err)
	}
	if !isDefault(abs) {
		if path := filepath.Join(abs, "agent.sock"); len(path) <= maxSocketPath {
			return path, checkFolder(abs)
		}
	}
	dir := runtimeDir()
	if create {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", fmt.Errorf("make the runtime folder: %w", err)
		}
	}
	if err := checkFolder(dir); err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(abs))
	path := filepath.Join(dir, hex.EncodeToString(sum[:6])+".sock")
	if len(path) > maxSocketPath {
		return "", fmt.Errorf("the path of the agent's socket is too long: %s; choose a shorter profile folder with --profile", path)
	}
	return path, nil
}

func isDefault(profile string) bool {
	for _, demo := range []bool{false, true} {
		if d, err := DefaultProfile(demo); err == nil && d == profile {
			return true
		}
	}
	return false
}
