package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"roletray/app/desktoptest"
)

// TestStepUpFromTrayAndWindow clicks favourites in the tray whose roles want an authentication
// context: one that has every answer, and one for whose reason the window asks.
func TestStepUpFromTrayAndWindow(t *testing.T) {
	desktoptest.Require(t)
	for _, k := range kinds {
		t.Run(k.name+"/tray", func(t *testing.T) {
			notes := desktoptest.ServeNotifications(t)
			tn, p, opener, browser := signedIn(t)
			p.must(0, of("favorites", append([]string{"add", "Keys"}, k.context...), "--duration", "1h", "--reason", "rotate the keys")...)
			tray := desktoptest.FindTray(t, p.agent.Process.Pid)
			tray.Click("★ Keys")
			browser.Open(opener.Next())
			browser.Text("#page-context")
			browser.Click("#cancel")
			notes.Wait("that it was called off", func(n desktoptest.Notification) bool {
				return strings.HasPrefix(n.Summary, k.strong[0]) && strings.Contains(n.Body, "cancelled, so nothing was sent")
			})
			if sent := tn.log(k.method, k.path); len(sent) != 0 {
				t.Fatalf("a prompt that was called off sent %+v", sent)
			}
			tray.Click("★ Keys")
			approve(t, tn, p, opener, browser, k)
		})
		t.Run(k.name+"/window", func(t *testing.T) {
			desktoptest.ServeNotifications(t)
			tn, p, opener, browser := signedIn(t)
			p.must(0, of("favorites", append([]string{"add", "Keys"}, k.context...), "--duration", "1h")...)
			desktoptest.FindTray(t, p.agent.Process.Pid).Click("★ Keys")
			w := desktoptest.FindWindow(t, "Roletray")
			send(t, w, "rotate the keys", "the prompt", func() error {
				if opener.Opened() == 0 {
					return fmt.Errorf("no page was opened; under way are %+v", p.status().Operations)
				}
				return nil
			})
			if sent := tn.log(k.method, k.path); len(sent) != 0 {
				t.Fatalf("it was sent before the prompt: %+v", sent)
			}
			approve(t, tn, p, opener, browser, k)
			w.Close()
			desktoptest.WaitNoWindow(t, "Roletray")
		})
	}
}

// approve completes the prompt for an authentication context, and looks at what was sent then.
func approve(t *testing.T, tn *tenant, p *program, opener *desktoptest.Opener, browser *desktoptest.Browser, k kind) {
	t.Helper()
	browser.Open(opener.Next())
	browser.Text("#page-context")
	browser.Click("#approve")
	p.wantActive(k.strong[0], k.strong[1], true)
	if sent := tn.log(k.method, k.path); len(sent) != 1 || sent[0].Status != http.StatusCreated || !slices.Contains(sent[0].ACRs, "c1") {
		t.Errorf("sent was %+v", sent)
	}
	if n := opener.Opened(); n != 0 {
		t.Errorf("%d more prompts", n)
	}
}
