package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"roletray/app/desktoptest"
)

// signIn goes through "roletray signin" with a real browser. Done by the given
// steps in the page, it returns what the command printed and its exit code.
func (p *program) signIn(opener *desktoptest.Opener, browser *desktoptest.Browser, steps func(*desktoptest.Browser)) (string, int) {
	p.t.Helper()
	done := p.background("signin")
	browser.Open(opener.Next())
	steps(browser)
	r := <-done
	return r.out, r.code
}

func pickAda(b *desktoptest.Browser) { b.Click("#account-0") }

// TestFromSignInToRestart is the way of a new user on a real desktop: sign in with
// the browser, see the roles in the tray, activate one, restart.
func TestFromSignInToRestart(t *testing.T) {
	desktoptest.Require(t)
	notes := desktoptest.ServeNotifications(t)
	opener := desktoptest.NewOpener(t)
	browser := desktoptest.NewBrowser(t)
	tn := startTenant(t)
	p := newProgram(t, opener, "--cloud", tn.file)
	p.start()

	tray := desktoptest.FindTray(t, p.agent.Process.Pid)
	tray.WaitEntry("Sign in…")
	if out, code := p.run("list"); code != 4 {
		t.Fatalf("list without an account ended with %d, not 4:\n%s", code, out)
	}

	// Called off in the browser: nothing changes, and it is said.
	out, code := p.signIn(opener, browser, func(b *desktoptest.Browser) { b.Click("#cancel") })
	if code == 0 || strings.Contains(out, "Signed in") {
		t.Errorf("a cancelled sign-in ended with %d: %s", code, out)
	}
	if n := len(p.status().Accounts); n != 0 {
		t.Fatalf("%d accounts after a cancelled sign-in", n)
	}

	if out, code := p.signIn(opener, browser, pickAda); code != 0 {
		t.Fatalf("signin ended with %d: %s", code, out)
	}
	tray.WaitMenu("eligible roles", func(menu []desktoptest.Entry) error {
		for _, e := range menu {
			if e.Label == "Activate" && len(e.Children) > 10 {
				return nil
			}
		}
		return fmt.Errorf("no roles to activate in\n%s", desktoptest.Outline(menu))
	})

	// The tokens are in the Secret Service and nowhere on disk.
	if len(desktoptest.Secrets(t, p.keychain())) == 0 {
		t.Error("the Secret Service holds nothing of Roletray")
	}
	noSecretOnDisk(t, p.profile)

	p.must(0, "activate", "reader", "rg-portal-prod", "--duration", "30m", "--reason", "look at the portal")
	p.wantActive("Reader", "rg-portal-prod", true)
	if puts := tn.log(http.MethodPut, "/roleAssignmentScheduleRequests/"); len(puts) != 1 || puts[0].Status != http.StatusCreated {
		t.Errorf("the tenant saw %v", puts)
	}
	notes.Wait("that the role is active", func(n desktoptest.Notification) bool { return strings.Contains(n.Summary, "is active until") })
	tray.WaitMenu("the active role", func(menu []desktoptest.Entry) error {
		for _, e := range menu {
			if strings.HasPrefix(e.Label, "Reader · rg-portal-prod · until ") {
				return nil
			}
		}
		return fmt.Errorf("it is not in\n%s", desktoptest.Outline(menu))
	})

	// A restart asks nothing.
	opened := opener.Opened()
	p.stop()
	tray.WaitGone()
	p.start()
	p.must(0, "list")
	p.wantActive("Reader", "rg-portal-prod", true)
	if s := p.status(); len(s.Accounts) != 1 || s.Accounts[0].Username != tn.Users[0].UPN {
		t.Errorf("accounts after a restart: %v", s.Accounts)
	}
	if opener.Opened() != opened {
		t.Error("a restart opened the browser")
	}

	// Signing out leaves nothing behind.
	p.must(0, "signout")
	if left := desktoptest.Secrets(t, p.keychain()); len(left) != 0 {
		t.Errorf("signing out left %d items in the Secret Service", len(left))
	}
	if out, code := p.run("list"); code != 4 {
		t.Errorf("list after signing out ended with %d, not 4:\n%s", code, out)
	}
}
