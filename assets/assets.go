// Package assets holds the pictures and translations that are built into the
// program. All icons are rendered from one drawing, roletray.svg.
package assets

import (
	"embed"
	"fmt"
)

//go:generate go run ./gen

//go:embed tray
var tray embed.FS

//go:embed icon.png
var icon []byte

// Icon is the application's icon, a PNG of 512 pixels.
func Icon() []byte { return icon }

// Colouring is what a tray icon is drawn to be seen on.
type Colouring string

// The colourings. Those for light and dark panels carry a contrasting rim, so
// that they stay visible on the other kind as well.
const (
	OnLight Colouring = "on-light"
	OnDark  Colouring = "on-dark"
	// Template is black and alpha only, for macOS to colour.
	Template Colouring = "template"
)

// TrayStates are the states that there is an icon for. They differ in shape as
// well as in colour.
func TrayStates() []string {
	return []string{"signed-out", "idle", "active", "expiring", "attention", "offline"}
}

// TrayPNG returns the tray icon of a state as a PNG of 64 pixels. It fails for a
// state that is not among TrayStates.
func TrayPNG(state string, c Colouring) ([]byte, error) {
	return read(state, c, "png")
}

// TrayICO returns the tray icon of a state as an ICO with the sizes that Windows
// shows. There is none in the Template colouring.
func TrayICO(state string, c Colouring) ([]byte, error) {
	return read(state, c, "ico")
}

func read(state string, c Colouring, ext string) ([]byte, error) {
	b, err := tray.ReadFile("tray/" + state + "-" + string(c) + "." + ext)
	if err != nil {
		return nil, fmt.Errorf("no tray icon for %s %s: %w", state, c, err)
	}
	return b, nil
}
