package view_test

import (
	"strings"
	"testing"
	"time"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/pim"
	"roletray/pim/store"
)

func recorded() local.HistoryEntry {
	return local.HistoryEntry{Account: viewtest.AccountID, Entry: store.Entry{
		ID: "guid-1", At: viewtest.Now, Action: pim.ActionActivate, Role: viewtest.Role("Owner", viewtest.Web), Duration: time.Hour,
		Justification: "Übernahme", Ticket: pim.Ticket{Number: "INC-1\u202e", System: "Jira"}, Client: "cli (roletray, process 4711)",
		Requestor: pim.Principal{ID: "u", Name: "Chidi Okafor"}, State: pim.OperationFailed, Status: "Failed",
		Problem: &pim.Problem{Code: pim.CodePolicy, Text: "The role's settings refuse this.", Details: "policy (x)"},
		Request: "request-2", CorrelationID: "correlation-3",
	}}
}

func TestHistorySearch(t *testing.T) {
	for _, search := range []string{
		"", "owner rg-web", "resourceGroups", "ubernahme", "INC-1", "jira", "process 4711", "chidi", "activate", "azure",
		"failed", "settings refuse", "guid-1", "request-2", "correlation-3", "owner jira 4711",
	} {
		if !view.HistorySearch(search)(recorded()) {
			t.Errorf("%q does not find it", search)
		}
		if rows, _ := view.PresentHistory([]local.HistoryEntry{recorded()}, viewtest.AccountID, search, viewtest.Now, words(t, "en")); len(rows) != 1 {
			t.Errorf("%q: %d rows are shown", search, len(rows))
		}
	}
	for _, search := range []string{"reader", "owner INC-2"} {
		if view.HistorySearch(search)(recorded()) {
			t.Errorf("%q finds it", search)
		}
	}
}

func TestHistoryTellsAllThatIsKept(t *testing.T) {
	rows, _ := view.PresentHistory([]local.HistoryEntry{recorded()}, viewtest.AccountID, "", viewtest.Now, words(t, "en"))
	want := "The role's settings refuse this.\nTicket: Jira INC-1\nSent by: cli (roletray, process 4711)\nRequest id: request-2\nCorrelation id: correlation-3"
	if got := rows[0].Note; got != want {
		t.Errorf("the note is %q, want %q", got, want)
	}
	if got := rows[0].Details; got != want+"\npolicy (x)" {
		t.Errorf("the details are %q", got)
	}
	bare := local.HistoryEntry{Account: viewtest.AccountID, Entry: store.Entry{ID: "guid-1", State: pim.OperationDone}}
	rows, _ = view.PresentHistory([]local.HistoryEntry{bare}, viewtest.AccountID, "", viewtest.Now, words(t, "en"))
	if got := rows[0].Note; strings.TrimSpace(got) != "Request id: guid-1" {
		t.Errorf("the note is %q", got)
	}
}
