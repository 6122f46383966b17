package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"roletray/app/desktoptest"
)

// send types into the field that the window's sheet has the focus at and sends it, until that has
// had its effect: the first keys may come before the window is ready for them.
func send(t *testing.T, w *desktoptest.Window, text, what string, done func() error) {
	t.Helper()
	desktoptest.Eventually(t, what, func() error {
		if err := done(); err == nil {
			return nil
		}
		w.Type(text)
		w.Key("ctrl+Return")
		return done()
	})
}

// TestTrayAsksInTheWindow clicks favourites that lack the reason: the window asks for it, and
// comes to the front with the next while it is open.
func TestTrayAsksInTheWindow(t *testing.T) {
	desktoptest.Require(t)
	desktoptest.ServeNotifications(t)
	p := newProgram(t, nil, "--demo")
	p.start()
	p.must(0, "favorites", "add", "Costs", "cost", "management", "contributor", "--duration", "45m")
	p.must(0, "favorites", "add", "Morning", "blob", "data", "--also", "helpdesk", "--also", "owner fleet database", "--duration", "30m", "--ticket", "CHG-7")
	tray := desktoptest.FindTray(t, p.agent.Process.Pid)
	active := func(want ...[2]string) func() error {
		return func() error {
			s := p.status()
			for _, r := range want {
				if !s.active(r[0], r[1]) {
					return fmt.Errorf("active are %v, under way are %v", s.Active, s.Operations)
				}
			}
			return nil
		}
	}

	tray.Click("★ Costs")
	w := desktoptest.FindWindow(t, "Roletray")
	send(t, w, "month end", "the favourite", active([2]string{"Cost Management Contributor", "Halden Freight"}))

	tray.Click("★ Morning (3 roles)")
	send(t, w, "morning round", "the bundle", active(
		[2]string{"Storage Blob Data Contributor", "haldenlabels"}, [2]string{"Helpdesk Administrator", "Depots North"}, [2]string{"Owner", "Fleet Database Admins"},
	))
	// What was stored went out with what was typed, of which the first keys may have come too early.
	for search, want := range map[string]string{"cost management": "end", "helpdesk": "round"} {
		h := read[told](p, 0, "history", "--search", search).History
		if len(h) != 1 || !strings.HasSuffix(h[0].Justification, want) || !strings.HasPrefix(h[0].Client, "window") {
			t.Errorf("the history of %s is %+v", search, h)
		}
	}
	for _, a := range p.status().Active {
		if left := time.Until(a.End); a.Role == "Cost Management Contributor" && (left < 30*time.Minute || left > 45*time.Minute) {
			t.Errorf("it ends in %v", left)
		}
	}
	w.Close()
	desktoptest.WaitNoWindow(t, "Roletray")
}

// TestActivateInTheWindow chooses a role in the tray's menu and fills in the sheet
// that opens, with the keyboard alone.
func TestActivateInTheWindow(t *testing.T) {
	desktoptest.Require(t)
	desktoptest.ServeNotifications(t)
	p := newProgram(t, nil, "--demo")
	p.start()
	tray := desktoptest.FindTray(t, p.agent.Process.Pid)
	var label string
	tray.WaitMenu("the role", func(menu []desktoptest.Entry) error {
		for _, e := range menu {
			if e.Label != "Activate" {
				continue
			}
			for _, c := range e.Children {
				if strings.HasPrefix(c.Label, "Owner · Development Sandbox") {
					label = c.Label
					return nil
				}
			}
		}
		return fmt.Errorf("it is not in\n%s", desktoptest.Outline(menu))
	})
	tray.Click("Activate", label)
	w := desktoptest.FindWindow(t, "Roletray")
	w.Resize(image.Pt(800, 600))
	w.Focus()
	// The sheet has the cursor in the reason; the activation follows the role that
	// was chosen, whatever was typed before the window was ready.
	desktoptest.Eventually(t, "the activation", func() error {
		w.Key("ctrl+Return")
		if s := p.status(); !s.active("Owner", "Development Sandbox") {
			return fmt.Errorf("active are %v, under way are %v", s.Active, s.Operations)
		}
		return nil
	})
	w.Close()
	desktoptest.WaitNoWindow(t, "Roletray")

	// Closed is closed, and the next ask opens it again.
	tray.Click("Open Roletray…")
	w = desktoptest.FindWindow(t, "Roletray")
	w.Key("ctrl+q")
	desktoptest.WaitNoWindow(t, "Roletray")
	p.must(0, "status")
}

// TestSeveralInTheWindow has two roles checked by the service before any is sent. It finds fault
// with one; the next press sends the other.
func TestSeveralInTheWindow(t *testing.T) {
	desktoptest.Require(t)
	desktoptest.ServeNotifications(t)
	p := newProgram(t, nil, "--demo")
	p.start()
	p.must(0, "list")
	mark, err := os.ReadFile(filepath.Join(p.profile, "demo"))
	if err != nil {
		t.Fatal(err)
	}
	tn := &tenant{t: t}
	if err := json.Unmarshal(mark, tn); err != nil {
		t.Fatal(err)
	}
	tn.breakWith(fault{
		Service: "arm", Method: http.MethodPost, PathContains: "/validate", Times: 1, Status: http.StatusBadRequest,
		Body: `{"error":{"code":"RoleAssignmentRequestPolicyValidationFailed","message":"The following policy rules failed: [\"TicketingRule\"]"}}`,
	})
	checks := func() int { return len(tn.log(http.MethodPost, "/validate")) }
	sent := func() int { return len(tn.log(http.MethodPut, "/roleAssignmentScheduleRequests/")) }

	p.must(0, "window")
	w := desktoptest.FindWindow(t, "Roletray")
	w.Resize(image.Pt(800, 600))
	w.Focus()
	desktoptest.Eventually(t, "a check of both roles", func() error {
		if n := checks(); n > 0 {
			if n != 2 {
				return fmt.Errorf("%d were checked", n)
			}
			return nil
		}
		w.Key("Escape", "Escape", "Escape")
		w.Type("development sandbox")
		w.Key("Down", "space", "Down", "space", "Return")
		w.Type("see to it")
		w.Key("ctrl+Return")
		return errors.New("nothing was checked")
	})
	if n := sent(); n != 0 {
		t.Fatalf("%d requests although the check found fault", n)
	}
	// The button sends the other now.
	desktoptest.Eventually(t, "the other role", func() error {
		if sent() == 0 {
			w.Key("ctrl+Return")
		}
		if s := p.status(); len(s.Operations) != 1 || s.Operations[0].State != "done" {
			return fmt.Errorf("under way are %v", s.Operations)
		}
		return nil
	})
	if n, m := checks(), sent(); n != 2 || m != 1 {
		t.Errorf("%d checks and %d requests", n, m)
	}
}
