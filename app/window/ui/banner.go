//go:build !nowindow

package ui

import (
	"fmt"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"roletray/app/view"
	wtheme "roletray/app/window/theme"
)

// maxBanners is how many banners are shown at once, the most pressing ones.
const maxBanners = 3

// bannerHeight is how high a banner's text may be at the plain text size, without scrolling.
const bannerHeight = 76

// dismiss takes away the banner of a failure.
type dismiss struct {
	view.Action
	id int
}

func failureID(id int) string { return fmt.Sprint("failure:", id) }

// bannerList shows the standing facts under the header.
type bannerList struct {
	ui    *UI
	box   *fyne.Container
	shown []view.Banner
}

func newBannerList(u *UI) *bannerList {
	return &bannerList{ui: u, box: container.NewVBox()}
}

// set says whether anything differs.
func (l *bannerList) set(banners []view.Banner) bool {
	if len(banners) > maxBanners {
		banners = banners[:maxBanners]
	}
	if slices.Equal(l.shown, banners) {
		return false
	}
	l.shown = banners
	l.box.RemoveAll()
	for _, b := range banners {
		l.box.Add(l.banner(b))
	}
	l.box.Refresh()
	return true
}

func (l *bannerList) banner(b view.Banner) fyne.CanvasObject {
	icon := theme.NewThemedResource(theme.InfoIcon())
	icon.ColorName = toneColor(b.Tone)
	if b.Tone == view.ToneBad || b.Tone == view.ToneWarning {
		icon = theme.NewThemedResource(theme.WarningIcon())
		icon.ColorName = toneColor(b.Tone)
	}
	buttons := container.NewVBox()
	if b.Details != "" {
		copyDetails := newButton(l.ui, l.ui.p.Words.Say("verb.copy-details"), nil, func() { l.ui.copyText(b.Text + "\n" + b.Details) })
		copyDetails.Importance = widget.LowImportance
		buttons.Add(copyDetails)
	}
	if b.Verb != "" {
		act := newButton(l.ui, b.Verb, nil, func() { l.ui.act(b.Action) })
		if _, dismisses := b.Action.(dismiss); dismisses {
			act.Importance = widget.LowImportance
		}
		buttons.Add(act)
	}
	text := wrapped(b.Text)
	return on(wtheme.ColorBadge, 6, container.NewBorder(nil, nil,
		padded(0, 0, 8, 0, container.NewCenter(widget.NewIcon(icon))), container.NewCenter(buttons),
		container.New(atMost{bannerHeight}, container.NewVScroll(text))))
}
