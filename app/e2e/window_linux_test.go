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

	"roletray/app/desktoptest"
)

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
