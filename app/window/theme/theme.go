//go:build !nowindow

package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"roletray/pim/store"
)

// Colours of the window's own widgets.
const (
	// ColorRail lies behind the rail of pages.
	ColorRail fyne.ThemeColorName = "roletray.rail"
	// ColorTrack lies behind a draining bar.
	ColorTrack fyne.ThemeColorName = "roletray.track"
	// ColorBadge lies behind a badge of ordinary weight.
	ColorBadge fyne.ThemeColorName = "roletray.badge"
	// ColorScrim dims what lies behind a sheet.
	ColorScrim fyne.ThemeColorName = "roletray.scrim"
)

// Theme is the window's theme. The zero value follows the system.
type Theme struct {
	// Appearance chooses between light and dark.
	Appearance store.Appearance
	// TextScale enlarges all text; zero and 1 leave it as it is.
	TextScale float32
}

var _ fyne.Theme = Theme{}

// Color returns the colour of a name. Unknown names have Fyne's colour.
func (t Theme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	switch t.Appearance {
	case store.AppearanceLight:
		variant = theme.VariantLight
	case store.AppearanceDark:
		variant = theme.VariantDark
	case store.AppearanceSystem:
	}
	if c, ok := palette(name, variant == theme.VariantLight); ok {
		return c
	}
	return theme.DefaultTheme().Color(name, variant)
}

// Font returns Fyne's font.
func (Theme) Font(style fyne.TextStyle) fyne.Resource { return theme.DefaultTheme().Font(style) }

// Icon returns Fyne's icon.
func (Theme) Icon(name fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(name) }

// Size returns the size of a name in device independent pixels.
func (t Theme) Size(name fyne.ThemeSizeName) float32 {
	scale := t.TextScale
	if scale <= 0 {
		scale = 1
	}
	switch name {
	case theme.SizeNameText:
		return 14 * scale
	case theme.SizeNameCaptionText:
		return 12 * scale
	case theme.SizeNameSubHeadingText:
		return 16 * scale
	case theme.SizeNameHeadingText:
		return 20 * scale
	case theme.SizeNameInlineIcon:
		return 18 * scale
	case theme.SizeNamePadding:
		return 4
	case theme.SizeNameInnerPadding:
		return 8
	case theme.SizeNameInputRadius, theme.SizeNameButtonRadius, theme.SizeNameSelectionRadius:
		return 6
	case theme.SizeNameScrollBar:
		return 10
	case theme.SizeNameScrollBarSmall:
		return 4
	}
	return theme.DefaultTheme().Size(name)
}

// palette has a colour for light and one for dark. Text colours have a contrast of at least
// 4.5 to 1 on the background.
func palette(name fyne.ThemeColorName, light bool) (color.Color, bool) {
	pick := func(l, d uint32) (color.Color, bool) {
		v := d
		if light {
			v = l
		}
		return color.NRGBA{R: uint8(v >> 24), G: uint8(v >> 16), B: uint8(v >> 8), A: uint8(v)}, true
	}
	switch name {
	case theme.ColorNameBackground:
		return pick(0xf9fafcff, 0x11161fff)
	case ColorRail:
		return pick(0xedf1f6ff, 0x0b0f16ff)
	case ColorTrack:
		return pick(0xdde3ecff, 0x2b3546ff)
	case ColorBadge:
		return pick(0xe7ecf3ff, 0x232c3bff)
	case ColorScrim:
		return pick(0x0f172a66, 0x000000a0)
	case theme.ColorNameForeground:
		return pick(0x131a26ff, 0xe7ecf3ff)
	case theme.ColorNameDisabled, theme.ColorNamePlaceHolder:
		return pick(0x59667aff, 0x98a5b8ff)
	case theme.ColorNameButton:
		return pick(0xe7ecf3ff, 0x232c3bff)
	case theme.ColorNameDisabledButton:
		return pick(0xf0f3f7ff, 0x1a212dff)
	case theme.ColorNameInputBackground:
		return pick(0xf2f5f9ff, 0x1d2532ff)
	case theme.ColorNameInputBorder:
		return pick(0xa3afbfff, 0x52617aff)
	case theme.ColorNameMenuBackground, theme.ColorNameOverlayBackground:
		return pick(0xffffffff, 0x19202bff)
	case theme.ColorNameHeaderBackground:
		return pick(0xedf1f6ff, 0x0b0f16ff)
	case theme.ColorNamePrimary, theme.ColorNameHyperlink:
		return pick(0x1f5fd6ff, 0x7aa9ffff)
	case theme.ColorNameForegroundOnPrimary:
		return pick(0xffffffff, 0x0b1424ff)
	case theme.ColorNameFocus:
		return pick(0x1f5fd655, 0x7aa9ff55)
	case theme.ColorNameSelection:
		return pick(0xd9e6fbff, 0x23385cff)
	case theme.ColorNameHover:
		return pick(0x131a260f, 0xe7ecf312)
	case theme.ColorNamePressed:
		return pick(0x131a2622, 0xe7ecf326)
	case theme.ColorNameSeparator:
		return pick(0xdfe5edff, 0x263040ff)
	case theme.ColorNameScrollBar:
		return pick(0x59667a99, 0x98a5b899)
	case theme.ColorNameSuccess:
		return pick(0x1a7a3eff, 0x4fd07fff)
	case theme.ColorNameWarning:
		return pick(0xa4500aff, 0xf2b445ff)
	case theme.ColorNameError:
		return pick(0xb3241fff, 0xff8a80ff)
	case theme.ColorNameForegroundOnSuccess, theme.ColorNameForegroundOnWarning, theme.ColorNameForegroundOnError:
		return pick(0xffffffff, 0x11161fff)
	}
	return nil, false
}
