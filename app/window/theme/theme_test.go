//go:build !nowindow

package theme_test

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"

	"roletray/app/window/theme"
	"roletray/pim/store"
)

func TestAllColoursAreDefined(t *testing.T) {
	for _, a := range []store.Appearance{store.AppearanceSystem, store.AppearanceLight, store.AppearanceDark} {
		test.AssertAllColorNamesDefined(t, theme.Theme{Appearance: a}, "roletray "+string(a))
	}
}

func TestAppearanceWinsOverTheSystem(t *testing.T) {
	name := fynetheme.ColorNameBackground
	system := theme.Theme{}
	if (theme.Theme{Appearance: store.AppearanceDark}).Color(name, fynetheme.VariantLight) != system.Color(name, fynetheme.VariantDark) {
		t.Error("dark is not dark on a light system")
	}
	if (theme.Theme{Appearance: store.AppearanceLight}).Color(name, fynetheme.VariantDark) != system.Color(name, fynetheme.VariantLight) {
		t.Error("light is not light on a dark system")
	}
}

// Text must be readable: 4.5 to 1 is the least that the Web Content Accessibility Guidelines allow.
func TestContrast(t *testing.T) {
	test.NewTempApp(t)
	pairs := []struct{ text, back fyne.ThemeColorName }{
		{fynetheme.ColorNameForeground, fynetheme.ColorNameBackground},
		{fynetheme.ColorNameForeground, fynetheme.ColorNameSelection},
		{fynetheme.ColorNameForeground, fynetheme.ColorNameButton},
		{fynetheme.ColorNameDisabled, fynetheme.ColorNameBackground},
		{fynetheme.ColorNameDisabled, fynetheme.ColorNameDisabledButton},
		{fynetheme.ColorNameDisabled, theme.ColorRail},
		{fynetheme.ColorNameDisabled, theme.ColorBadge},
		{fynetheme.ColorNamePlaceHolder, fynetheme.ColorNameInputBackground},
		{fynetheme.ColorNamePrimary, fynetheme.ColorNameBackground},
		{fynetheme.ColorNameForegroundOnPrimary, fynetheme.ColorNamePrimary},
		{fynetheme.ColorNameSuccess, fynetheme.ColorNameBackground},
		{fynetheme.ColorNameWarning, fynetheme.ColorNameBackground},
		{fynetheme.ColorNameWarning, theme.ColorBadge},
		{fynetheme.ColorNameError, fynetheme.ColorNameBackground},
		{fynetheme.ColorNameForeground, fynetheme.ColorNameOverlayBackground},
		{fynetheme.ColorNameDisabled, fynetheme.ColorNameOverlayBackground},
	}
	for name, variant := range test.KnownThemeVariants() {
		for _, p := range pairs {
			th := theme.Theme{}
			if c := contrast(th.Color(p.text, variant), th.Color(p.back, variant)); c < 4.5 {
				t.Errorf("%s: %s on %s has %.1f", name, p.text, p.back, c)
			}
		}
	}
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		f := float64(v) / 0xffff
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}
