package keychain

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
	keyring "github.com/zalando/go-keyring"
)

// Error is a kind of failure of a keychain. Compare with [errors.Is].
type Error struct {
	text     string
	sentence string
}

func (e *Error) Error() string { return e.text }

// Sentence says in one sentence for the user what is wrong and what to do.
func (e *Error) Sentence() string { return e.sentence }

// The ways in which a keychain fails.
var (
	ErrNotFound = &Error{
		"not in the keychain",
		"Nothing is stored in the keychain for this account; sign in again.",
	}
	ErrLocked = &Error{
		"the keychain is locked",
		"Your keychain is locked; unlock it and try again.",
	}
	ErrUnavailable = &Error{
		"no usable keychain",
		"No keychain can be used on this computer, so you stay signed in only until Roletray quits; " +
			"on Linux start a Secret Service such as gnome-keyring or KWallet.",
	}
	ErrTooBig = &Error{
		"too big for the keychain",
		"The keychain does not take an item of this size; sign out of accounts you no longer use.",
	}
	ErrCorrupt = &Error{
		"the stored secret is damaged",
		"What the keychain holds for this account is damaged; sign in again.",
	}
	ErrTimeout = &Error{
		"the keychain does not answer",
		"The keychain does not answer; look for a window that asks for its password, and try again.",
	}
)

// securityLocked are the exit codes of macOS' security tool for a keychain that
// stays locked: the low byte of the framework's errSecInteractionNotAllowed,
// errSecAuthFailed and errSecUserCanceled.
var securityLocked = []int{36, 51, 128}

// classify turns an error of the operating system's keychain, mostly a plain
// text, into one that wraps an [Error]. What it does not know is an unusable
// keychain.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var known *Error
	var bus dbus.Error
	var exit *exec.ExitError
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, keyring.ErrNotFound):
		return ErrNotFound
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return ErrTooBig
	case strings.Contains(err.Error(), "failed to unlock correct collection"),
		errors.As(err, &bus) && bus.Name == "org.freedesktop.Secret.Error.IsLocked",
		errors.As(err, &exit) && slices.Contains(securityLocked, exit.ExitCode()):
		return fmt.Errorf("%w: %w", ErrLocked, err)
	default:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
}
