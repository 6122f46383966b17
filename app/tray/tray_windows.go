package tray

import (
	"strings"

	"golang.org/x/sys/windows/registry"

	"roletray/assets"
)

func stateIcon(state string) (regular, template []byte, err error) {
	c := assets.OnDark
	if lightTaskbar() {
		c = assets.OnLight
	}
	regular, err = assets.TrayICO(state, c)
	return regular, regular, err
}

// lightTaskbar reads the person's choice in Windows' settings; dark is the default.
func lightTaskbar() bool {
	k, err := registry.OpenKey(registry.CURRENT_USER, `Software\Microsoft\Windows\CurrentVersion\Themes\Personalize`, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	defer func() { _ = k.Close() }()
	v, _, err := k.GetIntegerValue("SystemUsesLightTheme")
	return err == nil && v == 1
}

// label keeps an ampersand from marking an access key.
func label(s string) string { return strings.ReplaceAll(s, "&", "&&") }

func setTitle(string) {}

// Available is nil: Windows always has a notification area.
func Available() error { return nil }
