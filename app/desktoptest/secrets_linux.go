package desktoptest

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/godbus/dbus/v5"
)

const (
	secretsName = "org.freedesktop.secrets"
	secretsPath = dbus.ObjectPath("/org/freedesktop/secrets")
	loginPath   = dbus.ObjectPath("/org/freedesktop/secrets/collection/login")
)

// Secret describes one item of the keyring, without its value.
type Secret struct {
	Label      string
	Service    string
	Username   string
	Attributes map[string]string
	Locked     bool
}

// Secrets returns the keyring's items of one service, sorted by user name; with service "" the
// items of all.
func Secrets(t testing.TB, service string) []Secret {
	t.Helper()
	secrets, err := listSecrets(sessionBus(t), service)
	if err != nil {
		t.Fatalf("list the keyring: %v", err)
	}
	return secrets
}

func listSecrets(conn *dbus.Conn, service string) ([]Secret, error) {
	want := map[string]string{}
	if service != "" {
		want["service"] = service
	}
	var unlocked, locked []dbus.ObjectPath
	if err := conn.Object(secretsName, secretsPath).
		Call("org.freedesktop.Secret.Service.SearchItems", 0, want).Store(&unlocked, &locked); err != nil {
		return nil, err
	}
	var secrets []Secret
	for _, path := range slices.Concat(unlocked, locked) {
		item := conn.Object(secretsName, path)
		s := Secret{Locked: slices.Contains(locked, path)}
		if err := item.StoreProperty("org.freedesktop.Secret.Item.Attributes", &s.Attributes); err != nil {
			return nil, fmt.Errorf("attributes of %s: %w", path, err)
		}
		if err := item.StoreProperty("org.freedesktop.Secret.Item.Label", &s.Label); err != nil {
			return nil, fmt.Errorf("label of %s: %w", path, err)
		}
		s.Service, s.Username = s.Attributes["service"], s.Attributes["username"]
		secrets = append(secrets, s)
	}
	slices.SortFunc(secrets, func(a, b Secret) int { return cmp.Compare(a.Username, b.Username) })
	return secrets, nil
}

// LockKeyring locks the login keyring, as a session does after a while. Its password is "test".
func LockKeyring(t testing.TB) {
	t.Helper()
	var locked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	if err := sessionBus(t).Object(secretsName, secretsPath).
		Call("org.freedesktop.Secret.Service.Lock", 0, []dbus.ObjectPath{loginPath}).Store(&locked, &prompt); err != nil {
		t.Fatalf("lock the keyring: %v", err)
	}
	if !slices.Contains(locked, loginPath) {
		t.Fatalf("the keyring wants to ask before it locks (%s)", prompt)
	}
}

// UnlockKeyring unlocks the login keyring with its password, as signing in to the session does.
func UnlockKeyring(t testing.TB) {
	t.Helper()
	conn := sessionBus(t)
	service := conn.Object(secretsName, secretsPath)
	var (
		output  dbus.Variant
		session dbus.ObjectPath
	)
	if err := service.Call("org.freedesktop.Secret.Service.OpenSession", 0, "plain", dbus.MakeVariant("")).Store(&output, &session); err != nil {
		t.Fatalf("unlock the keyring: %v", err)
	}
	password := struct {
		Session     dbus.ObjectPath
		Parameters  []byte
		Value       []byte
		ContentType string
	}{session, nil, []byte("test"), "text/plain"}
	// The one way without a prompt; it is gnome-keyring's own, for PAM and tests.
	if err := service.Call("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.UnlockWithMasterPassword", 0, loginPath, password).Err; err != nil {
		t.Fatalf("unlock the keyring: %v", err)
	}
}
