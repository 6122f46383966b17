package keychain

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"github.com/godbus/dbus/v5"
	keyring "github.com/zalando/go-keyring"
)

// TestClassify has the texts that go-keyring 0.2.8 and gnome-keyring gave in a
// real session.
func TestClassify(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want *Error
	}{
		{"missing", keyring.ErrNotFound, ErrNotFound},
		{"too big", keyring.ErrSetDataTooBig, ErrTooBig},
		{"no daemon", dbus.Error{
			Name: "org.freedesktop.DBus.Error.ServiceUnknown",
			Body: []any{"The name org.freedesktop.secrets was not provided by any .service files"},
		}, ErrUnavailable},
		{"locked or prompt dismissed", errors.New("failed to unlock correct collection '/org/freedesktop/secrets/collection/login'"), ErrLocked},
		{"item locked", dbus.Error{Name: "org.freedesktop.Secret.Error.IsLocked", Body: []any{"Cannot get secret of a locked object"}}, ErrLocked},
		{"no bus", errors.New("dial unix /nonexistent: connect: no such file or directory"), ErrUnavailable},
		{"no dbus-launch", errors.New(`exec: "dbus-launch": executable file not found in $PATH`), ErrUnavailable},
		{"unknown", errors.New("something new"), ErrUnavailable},
		{"classified", fmt.Errorf("x: %w", ErrCorrupt), ErrCorrupt},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := classify(tt.err)
			if !errors.Is(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			var e *Error
			if !errors.As(got, &e) || e.Sentence() == "" {
				t.Errorf("%v has no sentence", got)
			}
		})
	}
	if err := classify(nil); err != nil {
		t.Errorf("classify(nil) = %v", err)
	}
}

func FuzzParseHead(f *testing.F) {
	for _, size := range []int{0, 1, 5_000, MaxSize} {
		f.Add(head{slot: size % 2, size: size, sum: sha256.Sum256([]byte{byte(size)})}.String())
	}
	f.Add("")
	f.Add("1 a 9 9 ")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHead(text)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("%v does not wrap ErrCorrupt", err)
			}
			return
		}
		if h.size < 0 || h.size > MaxSize || h.slot < 0 || h.slot >= slots {
			t.Errorf("head out of range: %+v", h)
		}
		again, err := parseHead(h.String())
		if err != nil || again != h {
			t.Errorf("%q does not survive a round trip: %v", text, err)
		}
	})
}
