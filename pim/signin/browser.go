package signin

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/pkg/browser"

	"roletray/pim"
)

// OpenBrowser opens a URL in the person's browser. It may block for as long as the
// browser runs. An error may repeat the URL.
func OpenBrowser(url string) error {
	if !hasScreen(runtime.GOOS, os.Getenv) {
		return errors.New("there is no display for a browser")
	}
	return browser.OpenURL(url)
}

// hasScreen says whether a browser has somewhere to show itself. Without a display,
// xdg-open falls back to browsers for a terminal, which run unseen and count as opened.
// Whoever sets BROWSER has chosen one that works.
func hasScreen(system string, getenv func(string) string) bool {
	if system == "windows" || system == "darwin" {
		return true
	}
	return slices.ContainsFunc([]string{"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"}, func(name string) bool { return getenv(name) != "" })
}

// unopened is the page of a sign-in that no browser has shown, and those who wait for
// that sign-in.
type unopened struct {
	mu     sync.Mutex
	page   pim.Page
	askers []func(pim.Page) bool
}

// join has whoever asks with ctx told too.
func (u *unopened) join(ctx context.Context) {
	show := pim.SignInPage(ctx)
	if show == nil {
		return
	}
	u.mu.Lock()
	u.askers = append(u.askers, show)
	page := u.page
	u.mu.Unlock()
	if page.URL != "" {
		show(page)
	}
}

// show tells everybody, and says whether there was anybody.
func (u *unopened) show(page pim.Page) (told bool) {
	u.mu.Lock()
	u.page = page
	askers := slices.Clone(u.askers)
	u.mu.Unlock()
	for _, show := range askers {
		told = show(page) || told
	}
	return told
}
