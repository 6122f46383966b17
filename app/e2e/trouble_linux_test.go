package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roletray/app/desktoptest"
)

// signedIn is a person at a tenant on a real desktop, signed in with the browser.
func signedIn(t *testing.T) (*tenant, *program, *desktoptest.Opener, *desktoptest.Browser) {
	t.Helper()
	desktoptest.Require(t)
	opener := desktoptest.NewOpener(t)
	browser := desktoptest.NewBrowser(t)
	tn := startTenant(t)
	p := newProgram(t, opener, "--cloud", tn.file)
	p.start()
	if out, code := p.signIn(opener, browser, pickAda); code != 0 {
		t.Fatalf("signin ended with %d: %s", code, out)
	}
	p.must(0, "list")
	return tn, p, opener, browser
}

// background starts a command and returns a channel with what it printed and its
// exit code.
func (p *program) background(args ...string) <-chan result {
	done := make(chan result, 1)
	go func() {
		out, code := p.run(args...)
		done <- result{out, code}
	}()
	return done
}

type result struct {
	out  string
	code int
}

// TestStepUpInTheBrowser asks for an authentication context before the request,
// and sends the request with the token that met it.
func TestStepUpInTheBrowser(t *testing.T) {
	tn, p, opener, browser := signedIn(t)
	const role, scope = "Key Vault Administrator", "rg-dispatch-prod"

	// Called off: nothing is sent, and it is said.
	done := p.background("activate", role, "--duration", "1h", "--reason", "rotate the keys")
	browser.Open(opener.Next())
	browser.Click("#cancel")
	if r := <-done; r.code == 0 {
		t.Errorf("a cancelled prompt ended with 0: %s", r.out)
	}
	if puts := tn.log(http.MethodPut, "/roleAssignmentScheduleRequests/"); len(puts) != 0 {
		t.Errorf("a cancelled prompt sent %v", puts)
	}

	before := tn.log(http.MethodGet, "/roleEligibilityScheduleInstances")
	done = p.background("activate", role, "--duration", "1h", "--reason", "rotate the keys")
	browser.Open(opener.Next())
	browser.Click("#approve")
	if r := <-done; r.code != 0 {
		t.Fatalf("the activation ended with %d: %s", r.code, r.out)
	}
	p.wantActive(role, scope, true)
	puts := tn.log(http.MethodPut, "/roleAssignmentScheduleRequests/")
	if len(puts) != 1 || !slices.Contains(puts[0].ACRs, "c1") || puts[0].UTI == before[0].UTI {
		t.Errorf("the request went out as %+v", puts)
	}
}

// TestChallengeOpensNoBrowser revokes the person's tokens behind the agent's back.
func TestChallengeOpensNoBrowser(t *testing.T) {
	tn, p, opener, browser := signedIn(t)
	opened := opener.Opened()
	tn.control(http.MethodPost, "/revoke", map[string]string{}, nil)
	// A read that nobody asked for: the agent's own at its next start.
	p.stop()
	p.start()
	tray := desktoptest.FindTray(t, p.agent.Process.Pid)
	again := entry(tray, "Sign in again")
	if n := opener.Opened() - opened; n != 0 {
		t.Errorf("%d browser windows opened by themselves", n)
	}
	if out, code := p.run("list"); code != 4 || !strings.Contains(out, "ign in") {
		t.Errorf("list ended with %d, not 4: %s", code, out)
	}

	tray.Click(again)
	browser.Open(opener.Next())
	browser.Click("#account-0")
	desktoptest.Eventually(t, "the sign-in", func() error {
		if out, code := p.run("list"); code != 0 {
			return fmt.Errorf("list ends with %d: %s", code, out)
		}
		return nil
	})
}

// TestLostAnswer cuts the connection after the write took effect.
func TestLostAnswer(t *testing.T) {
	tn, p, _, _ := signedIn(t)
	tn.breakWith(fault{Service: "arm", Method: http.MethodPut, PathContains: "roleAssignmentScheduleRequests", Times: 1, CutAfter: true})
	p.must(0, "activate", "reader", "rg-portal-prod", "--duration", "30m", "--reason", "look")
	p.wantActive("Reader", "rg-portal-prod", true)
	if puts := tn.log(http.MethodPut, "/roleAssignmentScheduleRequests/"); len(puts) != 1 {
		t.Errorf("the request was sent %d times: %v", len(puts), puts)
	}
}

// TestKillBetweenJournalAndAnswer ends the agent as a power cut does, while the
// service has the request and the answer is on its way.
func TestKillBetweenJournalAndAnswer(t *testing.T) {
	tn, p, _, _ := signedIn(t)
	tn.breakWith(fault{Service: "arm", Method: http.MethodPut, PathContains: "roleAssignmentScheduleRequests", Times: 1, HoldMs: 60_000})
	done := p.background("activate", "reader", "rg-portal-prod", "--duration", "30m", "--reason", "look")
	desktoptest.Eventually(t, "the request at the tenant", func() error {
		var state struct {
			Faults []struct {
				Hits int `json:"hits"`
			} `json:"faults"`
		}
		tn.control(http.MethodGet, "", nil, &state)
		if len(state.Faults) != 1 || state.Faults[0].Hits != 1 {
			return fmt.Errorf("faults are %+v", state.Faults)
		}
		return nil
	})
	p.kill()
	<-done
	p.start()
	p.wantActive("Reader", "rg-portal-prod", true)
	if puts := tn.log(http.MethodPut, "/roleAssignmentScheduleRequests/"); len(puts) > 1 {
		t.Errorf("the request was sent %d times: %v", len(puts), puts)
	}
}

// TestLockedKeychain starts with a keychain that is locked and that nobody unlocks.
func TestLockedKeychain(t *testing.T) {
	_, p, _, _ := signedIn(t)
	p.stop()
	desktoptest.LockKeyring(t)
	unlocked := false
	unlock := func() {
		if !unlocked {
			unlocked = true
			desktoptest.UnlockKeyring(t)
			desktoptest.Dismiss(t, "Unlock Login Keyring")
		}
	}
	t.Cleanup(unlock)
	p.start()
	desktoptest.Eventually(t, "a word about the keychain", func() error {
		out, _ := p.run("list")
		out += strings.Join(p.status().Notices, "\n")
		if !strings.Contains(out, "keychain") && !strings.Contains(out, "keyring") {
			return fmt.Errorf("only said: %s", out)
		}
		return nil
	})
	p.stop()
	unlock()
	p.start()
	p.must(0, "list")
	if s := p.status(); len(s.Notices) != 0 || len(s.Accounts) != 1 {
		t.Errorf("after unlocking: %+v", s)
	}
}

// TestDamagedFiles spoils every file of the profile between two runs.
func TestDamagedFiles(t *testing.T) {
	_, p, _, _ := signedIn(t)
	p.must(0, "activate", "reader", "rg-portal-prod", "--duration", "30m", "--reason", "look")
	p.stop()
	spoiled, err := filepath.Glob(filepath.Join(p.profile, "accounts", "*", "*.json"))
	if err != nil || len(spoiled) == 0 {
		t.Fatalf("no files to spoil: %v", err)
	}
	for _, f := range append(spoiled, filepath.Join(p.profile, "settings.json")) {
		if err := os.WriteFile(f, []byte(`{"version":1,"data":{"cut`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.start()
	p.must(0, "list")
	p.wantActive("Reader", "rg-portal-prod", true)
	kept, err := filepath.Glob(filepath.Join(p.profile, "accounts", "*", "*.damaged-*"))
	if err != nil || len(kept) == 0 {
		t.Errorf("the damaged files were not kept: %v", err)
	}
	if s := p.status(); len(s.Notices) == 0 {
		t.Error("nothing is said of the damage")
	}
}

// TestWrongUse gives every way in something that it cannot use.
func TestWrongUse(t *testing.T) {
	desktoptest.Require(t)
	p := newProgram(t, nil)
	dir := t.TempDir()
	write := func(name string, content any) string {
		b, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := write("plain.json", map[string]string{"authority": "http://login.example", "arm": "https://arm.example", "graph": "https://graph.example"})
	for _, args := range [][]string{
		{"no-such-command"},
		{"list", "--no-such-flag"},
		{"list", "--cloud", filepath.Join(dir, "absent.json")},
		{"list", "--cloud", plain},
		{"list", "--demo", "--cloud", "public"},
		{"list", "--speed", "3"},
		{"activate"},
		{"activate", "reader", "--duration", "soon"},
		{"tenant", "--listen", "0.0.0.0:0"},
		{"tenant", "--seed", "none such"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			started := time.Now()
			out, code := p.run(args...)
			if code != 2 {
				t.Errorf("ended with %d, not 2", code)
			}
			if text := strings.TrimSpace(out); text == "" || strings.Contains(text, "goroutine ") || strings.Count(text, "\n") > 3 {
				t.Errorf("after %v it said %q", time.Since(started), text)
			}
		})
	}
}
