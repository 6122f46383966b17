package agent

import (
	"strings"
	"testing"

	"roletray/app/local"
	"roletray/pim/tenant"
)

// Whoever may not read a role's settings learns from the refusal that a ticket is needed, gives
// one, and is asked for one at once the next time.
func TestTicketWhereTheSettingsCannotBeRead(t *testing.T) {
	s := start(t, nil)
	for _, service := range []string{"arm", "graph"} {
		if err := s.tenant.AddFaults(tenant.Fault{Service: service, Method: "GET", PathContains: "roleManagementPolicyAssignments", Status: 403}); err != nil {
			t.Fatal(err)
		}
	}
	for _, role := range [][]string{{"contributor", "logistics"}, {"user administrator"}, {"break"}} {
		t.Run(strings.Join(role, " "), func(t *testing.T) {
			activate := with([]string{"activate", "--reason", "deploy 4711", "--duration", "30m"}, role...)
			if out := s.code(t, 1, activate...); !strings.Contains(out, "give a ticket number") {
				t.Errorf("the service's refusal is told as %s", out)
			}
			puts := writes(s.tenant)
			if out := s.code(t, 2, activate...); !strings.Contains(out, "needs a ticket; give its number with --ticket") {
				t.Errorf("the second time it says %s", out)
			}
			if n := writes(s.tenant); n != puts {
				t.Errorf("%d requests were sent that are sure to be refused", n-puts)
			}
			s.must(t, with(activate, "--ticket", "CHG-88", "--ticket-system", "Jira")...)
			answer, err := s.History(t.Context(), local.HistoryRequest{Search: "CHG-88 " + strings.Join(role, " "), Most: 1})
			if err != nil || len(answer.Entries) != 1 || answer.Entries[0].Ticket.System != "Jira" {
				t.Errorf("the history has %+v: %v", answer, err)
			}
		})
	}
}

// writes counts the requests for roles that have reached the tenant.
func writes(ten *tenant.Tenant) int {
	n := 0
	for _, seen := range ten.Log() {
		if (seen.Method == "PUT" || seen.Method == "POST") && strings.Contains(strings.ToLower(seen.Path), "schedulerequests") {
			n++
		}
	}
	return n
}
