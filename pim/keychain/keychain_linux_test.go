package keychain_test

import (
	"errors"
	"path/filepath"
	"testing"

	"roletray/pim/keychain"
)

// TestNoBus runs against the real library with no session bus.
func TestNoBus(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "nobody"))
	s := keychain.New(keychain.System(), "roletray-test")
	if err := s.Save(t.Context(), "acc", []byte("x")); !errors.Is(err, keychain.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
}
