//go:build unix

package store_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"roletray/pim/store"
)

func TestFileIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	path := filepath.Join(dir, "note.json")
	f := store.NewFile[note](path, 1, nil)
	if err := f.Save(note{}); err != nil {
		t.Fatal(err)
	}
	// Somebody has opened it up meanwhile.
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(note{}); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]fs.FileMode{dir: 0o700, path: 0o600} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", p, info.Mode(), err)
		}
	}
}
