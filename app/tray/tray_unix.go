//go:build linux || freebsd || openbsd || netbsd

package tray

import (
	"strings"

	"fyne.io/systray"

	"roletray/assets"
)

// stateIcon takes the colouring for dark panels, which most are. Its rim keeps it
// visible on the others: the bus does not tell a panel's colour.
func stateIcon(state string) (regular, template []byte, err error) {
	regular, err = assets.TrayPNG(state, assets.OnDark)
	return regular, regular, err
}

// label keeps an underscore from marking an access key, as dbusmenu would have it.
func label(s string) string { return strings.ReplaceAll(s, "_", "__") }

// setTitle also gives the item its id on the bus, which panels remember it by.
func setTitle(name string) { systray.SetTitle(name) }
