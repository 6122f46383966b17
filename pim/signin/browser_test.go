package signin

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
)

func TestHasScreen(t *testing.T) {
	for _, tt := range []struct {
		system string
		env    map[string]string
		want   bool
	}{
		{"linux", nil, false},
		{"linux", map[string]string{"DISPLAY": ":0"}, true},
		{"linux", map[string]string{"WAYLAND_DISPLAY": "wayland-0"}, true},
		{"linux", map[string]string{"BROWSER": "wslview"}, true},
		{"freebsd", nil, false},
		{"windows", nil, true},
		{"darwin", nil, true},
	} {
		if got := hasScreen(tt.system, func(name string) string { return tt.env[name] }); got != tt.want {
			t.Errorf("%s with %v: %v", tt.system, tt.env, got)
		}
	}
}

// TestUnopenedPageReachesEveryCaller has two callers of one sign-in, the second of which comes when
// no browser has opened already.
func TestUnopenedPageReachesEveryCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flights[int]
		work := func(ctx context.Context) (int, error) {
			if !pim.SignInPage(ctx)(pim.Page{URL: "page"}) {
				return 0, errors.New("nobody was told")
			}
			time.Sleep(time.Minute)
			return 1, nil
		}
		if _, err := f.do(t.Context(), "a", time.Hour, work); err == nil {
			t.Error("a page that nobody was told of is awaited")
		}
		var mu sync.Mutex
		var told []string
		var wg sync.WaitGroup
		for _, who := range []string{"window", "cli"} {
			ctx := pim.WithSignInPage(t.Context(), func(p pim.Page) bool {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, who+" "+p.URL)
				return true
			})
			wg.Go(func() {
				if n, err := f.do(ctx, "a", time.Hour, work); n != 1 || err != nil {
					t.Errorf("%s got %d, %v", who, n, err)
				}
			})
			synctest.Wait()
		}
		wg.Wait()
		if want := []string{"window page", "cli page"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// TestBrowserThatShowsNothing is opened, but nobody comes from it.
func TestBrowserThatShowsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lb := &loopback{answers: make(chan answer)}
		told := make(chan pim.Page, 1)
		ctx := pim.WithSignInPage(t.Context(), func(p pim.Page) bool { told <- p; return true })
		var wg sync.WaitGroup
		wg.Go(func() {
			if a, err := lb.wait(ctx, func(string) error { return nil }, "page"); a.code != "good" || err != nil {
				t.Errorf("got %+v, %v", a, err)
			}
		})
		if p := <-told; p != (pim.Page{URL: "page", Unseen: true}) {
			t.Errorf("told %+v", p)
		}
		lb.answers <- answer{code: "good"}
		wg.Wait()
	})
}
