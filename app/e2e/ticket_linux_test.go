package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"roletray/app/desktoptest"
)

// TestTicketInTheWindow is refused for want of a ticket by a service whose settings may not be
// read, and gives one on the second try, with the keyboard alone.
func TestTicketInTheWindow(t *testing.T) {
	tn, p, _, _ := signedIn(t)
	tn.breakWith(fault{Service: "arm", Method: http.MethodGet, PathContains: "roleManagementPolicyAssignments", Status: http.StatusForbidden})
	p.must(0, "window")
	w := desktoptest.FindWindow(t, "Roletray")
	w.Focus()
	history := func() string { return p.must(0, "history", "--search", "kubernetes", "--json") }

	desktoptest.Eventually(t, "the refusal", func() error {
		if strings.Contains(history(), "give a ticket number") {
			return nil
		}
		w.Key("Escape", "Escape")
		w.Type("kubernetes")
		w.Key("Return")
		w.Type("deploy 4711")
		w.Key("ctrl+Return")
		return fmt.Errorf("the history has %s", history())
	})
	// The menu of what was refused opens the sheet with the reason, and the cursor in the ticket.
	w.Key("Escape", "Return", "Down", "Return")
	desktoptest.Eventually(t, "the activation", func() error {
		w.Type("CHG-88")
		w.Key("ctrl+Return")
		if s := p.status(); !s.active("Azure Kubernetes Service Cluster Admin Role", "aks-robots-prod") {
			return fmt.Errorf("active are %v, under way are %v, the history has %s", s.Active, s.Operations, history())
		}
		return nil
	})
	var answer struct {
		History []struct {
			Justification, State string
			Ticket               struct{ Number string }
		}
	}
	if err := json.Unmarshal([]byte(history()), &answer); err != nil {
		t.Fatal(err)
	}
	newest := answer.History[0]
	if newest.State != "done" || newest.Justification != "deploy 4711" || !strings.HasPrefix(newest.Ticket.Number, "CHG-88") {
		t.Errorf("the history has %+v", answer.History)
	}
}
