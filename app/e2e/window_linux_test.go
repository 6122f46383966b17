package e2e_test

import (
	"fmt"
	"image"
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
