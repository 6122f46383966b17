package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"roletray/app/desktoptest"
)

// entry waits for an entry at the top of the menu that begins with prefix and
// returns its label.
func entry(tray *desktoptest.Tray, prefix string) string {
	var label string
	tray.WaitMenu(prefix, func(menu []desktoptest.Entry) error {
		for _, e := range menu {
			if strings.HasPrefix(e.Label, prefix) && e.Enabled {
				label = e.Label
				return nil
			}
		}
		return fmt.Errorf("it is not in\n%s", desktoptest.Outline(menu))
	})
	return label
}

// TestOneClickAndReminder lives through an afternoon of the demo, whose clock runs
// a minute in each second: activate, deactivate, activate by one click in the tray, be reminded,
// and go on by the reminder's button.
func TestOneClickAndReminder(t *testing.T) {
	desktoptest.Require(t)
	notes := desktoptest.ServeNotifications(t)
	p := newProgram(t, nil, "--demo", "--speed", "60")
	p.start()
	tray := desktoptest.FindTray(t, p.agent.Process.Pid)

	p.must(0, "activate", "reader", "rg-portal-prod", "--duration", "30m", "--reason", "look at the portal")
	active := entry(tray, "Reader · rg-portal-prod · until ")

	// Locked for five minutes, then one click ends it.
	tray.WaitMenu("the end of the lock", func(menu []desktoptest.Entry) error {
		for _, e := range menu {
			if e.Label != active {
				continue
			}
			for _, c := range e.Children {
				if c.Label == "Deactivate" && c.Enabled {
					return nil
				}
			}
		}
		return fmt.Errorf("still locked in\n%s", desktoptest.Outline(menu))
	})
	tray.Click(active, "Deactivate")
	p.wantActive("Reader", "rg-portal-prod", false)

	// One click is one click: nothing is asked, and the tenant lists the role.
	clicked := time.Now()
	tray.Click(entry(tray, "↻ Reader · rg-portal-prod"))
	desktoptest.Eventually(t, "the tenant to list the role", func() error {
		s := p.status()
		for _, a := range s.Active {
			if a.Role == "Reader" && a.Scope == "rg-portal-prod" && a.Certainty == "listed" {
				return nil
			}
		}
		return fmt.Errorf("active are %v", s.Active)
	})
	t.Logf("listed %v after the click", time.Since(clicked).Round(time.Millisecond))
	var end time.Time
	for _, a := range p.status().Active {
		if a.Role == "Reader" && a.Scope == "rg-portal-prod" {
			end = a.End
		}
	}

	// The reminder comes with its buttons; the button makes the role go on.
	reminder := notes.Wait("the reminder", func(n desktoptest.Notification) bool { return strings.HasPrefix(n.Summary, "Reader ends at ") })
	var keys []string
	for _, a := range reminder.Actions {
		keys = append(keys, a.Label)
	}
	if got := strings.Join(keys, ", "); !strings.Contains(got, "Continue") || !strings.Contains(got, "Open") {
		t.Errorf("the reminder's buttons are %s", got)
	}
	notes.Press(reminder.ID, "reactivate")
	desktoptest.Eventually(t, "the role to go on past its end", func() error {
		s := p.status()
		for _, a := range s.Active {
			if a.Role == "Reader" && a.Scope == "rg-portal-prod" && a.End.After(end.Add(10*time.Minute)) {
				return nil
			}
		}
		return fmt.Errorf("active are %v, under way are %v", s.Active, s.Operations)
	})

	tray.Click("Quit")
	tray.WaitGone()
}
