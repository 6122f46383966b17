package desktoptest_test

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/zalando/go-keyring"

	"roletray/app/desktoptest"
)

func TestTray(t *testing.T) {
	desktoptest.Require(t)
	program := startTrayProgram(t)
	tray := desktoptest.FindTray(t, program.Process.Pid)

	tray.WaitEntry("Activate", "Reader · rg_test")
	want := `  Activate
    Owner · rg-prod
  - Reader · rg_test
  ----
  Quiet
  Add later
  Notify
  Quit
`
	if diff := cmp.Diff(want, desktoptest.Outline(tray.Menu())); diff != "" {
		t.Errorf("menu (-want +got):\n%s", diff)
	}
	if got := tray.Title(); got != "Sample" {
		t.Errorf("title %q, want Sample", got)
	}
	if got := tray.Status(); got != "Active" {
		t.Errorf("status %q, want Active", got)
	}
	if got := tray.IconName(); got != "" {
		t.Errorf("icon name %q, want none", got)
	}
	if got, want := tray.Icon().At(8, 8), (color.NRGBA{R: 220, A: 255}); got != want {
		t.Errorf("icon is %v in the middle, want %v", got, want)
	}

	tray.Click("Activate", "Owner · rg-prod")
	waitTooltip(t, tray, "owner clicked")
	tray.Click("Quiet")
	tray.WaitMenu("the check mark", func([]desktoptest.Entry) error {
		if !tray.WaitEntry("Quiet").Checked {
			return fmt.Errorf("not checked")
		}
		return nil
	})
	tray.Click("Add later")
	tray.Click("Activate", "Adde")
	waitTooltip(t, tray, "added clicked")

	tray.Click("Quit")
	if err := program.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
	tray.WaitGone()
}

func waitTooltip(t *testing.T, tray *desktoptest.Tray, want string) {
	t.Helper()
	desktoptest.Eventually(t, fmt.Sprintf("tooltip %q", want), func() error {
		if title, _ := tray.Tooltip(); title != want {
			return fmt.Errorf("it is %q", title)
		}
		return nil
	})
}

func TestNotifications(t *testing.T) {
	desktoptest.Require(t)
	served := desktoptest.ServeNotifications(t)
	heard := desktoptest.ListenNotifications(t)
	tray := desktoptest.FindTray(t, startTrayProgram(t).Process.Pid)

	tray.Click("Notify")
	note := served.Wait("the reminder", func(n desktoptest.Notification) bool { return n.Summary == "Ends soon" })
	want := desktoptest.Notification{
		ID: 1, App: "Sample", Summary: "Ends soon", Body: "in 5 minutes", Timeout: -1,
		Actions: []desktoptest.Action{{Key: "reactivate", Label: "Reactivate"}},
	}
	if diff := cmp.Diff(want, note, cmpopts.IgnoreFields(desktoptest.Notification{}, "Hints")); diff != "" {
		t.Errorf("served notification (-want +got):\n%s", diff)
	}
	if got := note.Hints["urgency"].Value(); got != byte(2) {
		t.Errorf("urgency %v, want 2", got)
	}
	served.Press(note.ID, "reactivate")
	waitTooltip(t, tray, "pressed reactivate, closed 2")

	want.Closed = true
	got := heard.Wait("the closed reminder", func(n desktoptest.Notification) bool { return n.Closed })
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(desktoptest.Notification{}, "Hints")); diff != "" {
		t.Errorf("heard notification (-want +got):\n%s", diff)
	}
}

func TestSecrets(t *testing.T) {
	desktoptest.Require(t)
	for _, user := range []string{"b", "a"} {
		if err := keyring.Set("desktoptest", user, "the value of "+user); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := keyring.Delete("desktoptest", user); err != nil {
				t.Error(err)
			}
		})
	}
	var users []string
	for _, s := range desktoptest.Secrets(t, "desktoptest") {
		if s.Locked || s.Service != "desktoptest" || s.Label == "" {
			t.Errorf("unexpected %+v", s)
		}
		users = append(users, s.Username)
	}
	if diff := cmp.Diff([]string{"a", "b"}, users); diff != "" {
		t.Errorf("user names (-want +got):\n%s", diff)
	}
	if got := desktoptest.Secrets(t, "another"); len(got) != 0 {
		t.Errorf("items of another service: %+v", got)
	}

	desktoptest.LockKeyring(t)
	for _, s := range desktoptest.Secrets(t, "") {
		if !s.Locked {
			t.Errorf("%+v is not locked", s)
		}
	}
	desktoptest.UnlockKeyring(t)
	if got, err := keyring.Get("desktoptest", "a"); got != "the value of a" || err != nil {
		t.Errorf("after unlocking got %q, %v", got, err)
	}
}

// TestBrowser opens a page as a program does, fills a form and follows the redirect.
func TestBrowser(t *testing.T) {
	desktoptest.Require(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<!doctype html><form method="post" action="/signed-in"><input name="user" value="nobody"><button>Next</button></form>`)
	})
	mux.HandleFunc("POST /signed-in", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/done?user="+r.FormValue("user"), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /done", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<!doctype html><p id="late"></p><script>setTimeout(() => late.textContent = "Hello %s", 100)</script>`, r.FormValue("user"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	opener := desktoptest.NewOpener(t)
	if err := exec.Command(filepath.Join(opener.Dir, "xdg-open"), server.URL+"/?a=1&b=%20").Run(); err != nil {
		t.Fatal(err)
	}
	opened := opener.Next()
	if want := server.URL + "/?a=1&b=%20"; opened != want {
		t.Fatalf("opened %q, want %q", opened, want)
	}
	if n := opener.Opened(); n != 0 {
		t.Errorf("%d more addresses were opened", n)
	}
	if path := opener.Path(); !strings.HasPrefix(path, "PATH="+opener.Dir+":") {
		t.Errorf("the opener is not first in %q", path)
	}

	browser := desktoptest.NewBrowser(t)
	browser.Open(opened)
	browser.Fill("input[name=user]", "alice")
	browser.Click("button")
	if got := browser.WaitURL(`/done\?`); got != browser.URL() || !strings.HasSuffix(got, "user=alice") {
		t.Errorf("at %q", got)
	}
	browser.WaitText("#late", "Hello alice")
	if got := browser.Text("body"); got != "Hello alice" {
		t.Errorf("the page says %q", got)
	}
	shot := filepath.Join(t.TempDir(), "new", "page.png")
	browser.Screenshot(shot)
	wantPNG(t, shot, image.Point{})
}

// TestWindow shows a picture in a window of its own and looks at it.
func TestWindow(t *testing.T) {
	desktoptest.Require(t)
	cmd := exec.Command("display", "-title", "A (window)", "-size", "300x200", "xc:white")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	window := desktoptest.FindWindow(t, "A (window)")
	if got, want := window.Size(), image.Pt(300, 200); got != want {
		t.Errorf("size %v, want %v", got, want)
	}
	window.Resize(image.Pt(400, 250))
	shot := filepath.Join(t.TempDir(), "window.png")
	window.Screenshot(shot)
	wantPNG(t, shot, image.Pt(400, 250))
	desktoptest.Screenshot(t, shot)
	wantPNG(t, shot, image.Pt(1024, 768))

	window.Click(image.Pt(10, 10)) // opens the picture's menu of commands
	desktoptest.FindWindow(t, "Commands").Screenshot(shot)
	window.Key("q")
	desktoptest.WaitNoWindow(t, "A (window)")
}

// wantPNG checks that there is a picture, and its size unless that is zero.
func wantPNG(t *testing.T, path string, size image.Point) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if got := img.Bounds().Size(); size != (image.Point{}) && got != size {
		t.Errorf("picture of %v, want %v", got, size)
	}
}
