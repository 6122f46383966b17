package tray

import "roletray/assets"

func stateIcon(state string) (regular, template []byte, err error) {
	if regular, err = assets.TrayPNG(state, assets.OnDark); err != nil {
		return nil, nil, err
	}
	template, err = assets.TrayPNG(state, assets.Template)
	return regular, template, err
}

func label(s string) string { return s }

// setTitle does nothing: a title would stand in the menu bar beside the icon.
func setTitle(string) {}

// Available is nil: macOS always has a menu bar.
func Available() error { return nil }
