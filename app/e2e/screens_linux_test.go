package e2e_test

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"roletray/app/desktoptest"
)

// TestScreens goes through the window of the demo, light and dark, and leaves a
// picture of each screen in $ROLETRAY_SCREENSHOTS.
func TestScreens(t *testing.T) {
	desktoptest.Require(t)
	desktoptest.ServeNotifications(t)
	dir := os.Getenv("ROLETRAY_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	bright := map[string]float64{}
	for _, appearance := range []string{"light", "dark"} {
		t.Run(appearance, func(t *testing.T) {
			p := newProgram(t, nil, "--demo")
			settings := `{"version":1,"data":{"appearance":"` + appearance + `","reminders":[900000000000,300000000000]}}`
			if err := os.WriteFile(filepath.Join(p.profile, "settings.json"), []byte(settings), 0o600); err != nil {
				t.Fatal(err)
			}
			p.start()
			p.must(0, "activate", "reader", "rg-portal-prod", "--duration", "30m", "--reason", "look at the portal")
			p.must(0, "activate", "Log Analytics Reader", "--duration", "2h", "--reason", "INC-4711 slow orders")
			p.must(3, "activate", "User Access Administrator", "--duration", "1h", "--reason", "grant the new team access")
			p.must(0, "window")
			w := desktoptest.FindWindow(t, "Roletray")
			w.Resize(image.Pt(960, 680))
			w.Focus()
			least := 0.16
			shoot := func(name string) {
				t.Helper()
				path := filepath.Join(dir, "demo-"+name+"-"+appearance+".png")
				// A picture counts when two in a row are the same: everything is painted.
				var last image.Image
				desktoptest.Eventually(t, "a still picture of "+name, func() error {
					w.Screenshot(path)
					now := decode(t, path)
					still := last != nil && same(last, now)
					last = now
					// A window that is not painted yet, or still connects, is nearly empty.
					switch n := drawn(now); {
					case n < least:
						return fmt.Errorf("only %.2f of it is drawn on", n)
					case !still:
						return errors.New("the picture still changes")
					}
					return nil
				})
				bright[name+appearance] = brightness(last)
			}
			shoot("roles")
			least = 0.1
			w.Type("vault")
			shoot("search")
			w.Key("Escape")
			for _, page := range []struct{ key, name string }{{"ctrl+2", "requests"}, {"ctrl+3", "approvals"}, {"ctrl+4", "history"}, {"ctrl+comma", "settings"}, {"ctrl+1", "roles-again"}} {
				w.Key(page.key)
				shoot(page.name)
			}
			w.Type("Key Vault Admin")
			w.Key("Return")
			shoot("sheet")
		})
	}
	for _, name := range []string{"roles", "search", "requests", "history", "settings", "sheet"} {
		if light, dark := bright[name+"light"], bright[name+"dark"]; light < dark+0.4 {
			t.Errorf("%s is %.2f bright in light and %.2f in dark", name, light, dark)
		}
	}
}

func decode(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // Only read from.
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// same says whether nearly all pixels are equal; a cursor blinks and a countdown runs.
func same(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	differ := 0
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if a.At(x, y) != b.At(x, y) {
				differ++
			}
		}
	}
	return differ*200 < a.Bounds().Dx()*a.Bounds().Dy()
}

// drawn is which part of a picture has another colour than most of it.
func drawn(img image.Image) float64 {
	count := map[[3]uint32]int{}
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			count[[3]uint32{r, g, b}]++
		}
	}
	return 1 - float64(slices.Max(slices.Collect(maps.Values(count))))/float64(img.Bounds().Dx()*img.Bounds().Dy())
}

// brightness is 0 for black and 1 for white.
func brightness(img image.Image) float64 {
	var sum, n float64
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y += 4 {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x += 4 {
			r, g, b, _ := img.At(x, y).RGBA()
			sum += float64(r+g+b) / 3 / 0xffff
			n++
		}
	}
	return sum / n
}
