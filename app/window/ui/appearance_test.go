//go:build !nowindow

package ui_test

import (
	"image"
	"testing"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/pim/store"
)

// TestAppearanceReachesEveryPage changes the colours while a page is not on the screen: it looks
// afterwards as if they had been so from the start.
func TestAppearanceReachesEveryPage(t *testing.T) {
	in := func(a store.Appearance) *local.State {
		s := viewtest.Full()
		s.Settings.Appearance = a
		return s
	}
	for page, from := range map[view.Page]view.Page{
		view.PageRoles: view.PageSettings, view.PageRequests: view.PageSettings, view.PageApprovals: view.PageSettings,
		view.PageHistory: view.PageSettings, view.PageSettings: view.PageRoles,
	} {
		t.Run(string(page), func(t *testing.T) {
			look := func(states ...*local.State) *image.NRGBA {
				u := open(t, states[0], options{})
				u.agent.history = history()
				u.Show(page)
				u.Show(from)
				for _, s := range states[1:] {
					u.Deliver(s)
				}
				u.Show(page)
				return u.window.Canvas().Capture().(*image.NRGBA)
			}
			got, want := look(in(store.AppearanceLight), in(store.AppearanceDark)), look(in(store.AppearanceDark), in(store.AppearanceDark))
			differ := 0
			for i := range want.Pix {
				if got.Pix[i] != want.Pix[i] {
					differ++
				}
			}
			if differ > 0 {
				t.Errorf("%d of %d values differ", differ, len(want.Pix))
			}
		})
	}
}
