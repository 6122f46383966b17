package view_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/pim"
	"roletray/pim/store"
)

func TestDecided(t *testing.T) {
	boris := pim.Principal{ID: "b", Name: "Boris Boss"}
	for _, tt := range []struct {
		review pim.Review
		en, de string
	}{
		{pim.Review{}, "", ""},
		{pim.Review{Result: pim.ReviewExpired}, "", ""},
		{pim.Review{Result: pim.ReviewDenied, By: boris, Reason: "not today"}, "Denied by Boris Boss: not today.", "Abgelehnt von Boris Boss: not today."},
		{pim.Review{Result: pim.ReviewDenied, Reason: "no!"}, "Denied: no!", "Abgelehnt: no!"},
		{pim.Review{Result: pim.ReviewApproved, By: boris}, "Approved by Boris Boss.", "Genehmigt von Boris Boss."},
		{pim.Review{Result: pim.ReviewApproved}, "Approved.", "Genehmigt."},
		{pim.Review{Result: pim.ReviewDenied, By: pim.Principal{Name: "%s\u202e"}, Reason: "%d\n%s"}, "Denied by %s: %d %s.", "Abgelehnt von %s: %d %s."},
	} {
		for language, want := range map[string]string{"en": tt.en, "de": tt.de} {
			if got := view.Decided(words(t, language), tt.review); got != want {
				t.Errorf("%s: %q, want %q", language, got, want)
			}
		}
	}
	long := view.Decided(words(t, "en"), pim.Review{Result: pim.ReviewDenied, By: pim.Principal{Name: strings.Repeat("n", 9000)}, Reason: strings.Repeat("r", 9000)})
	if n := utf8.RuneCountInString(long); n > 420 {
		t.Errorf("%d characters", n)
	}
}

func TestWhyNot(t *testing.T) {
	problem := &pim.Problem{Text: "It failed."}
	by := pim.Principal{Name: "Boris Boss"}
	for _, tt := range []struct {
		problem *pim.Problem
		review  pim.Review
		want    string
	}{
		{nil, pim.Review{Result: pim.ReviewDenied, By: by}, ""},
		{problem, pim.Review{}, "It failed."},
		// It was approved, and failed all the same.
		{problem, pim.Review{Result: pim.ReviewApproved, By: by}, "It failed."},
		{problem, pim.Review{Result: pim.ReviewExpired}, "It failed."},
		{problem, pim.Review{Result: pim.ReviewDenied, By: by}, "Abgelehnt von Boris Boss."},
	} {
		if got := view.WhyNot(words(t, "de"), tt.problem, tt.review); got != tt.want {
			t.Errorf("%+v: %q", tt.review, got)
		}
	}
}

func TestHistorySaysWhoDecided(t *testing.T) {
	entry := func(id string, state pim.OperationState, status pim.Status, v pim.Review, p *pim.Problem) local.HistoryEntry {
		return local.HistoryEntry{Account: "a", Entry: store.Entry{
			ID: id, At: viewtest.Now, Action: pim.ActionActivate, Role: viewtest.Role("Owner", viewtest.Web), State: state, Status: status, Review: v, Problem: p,
		}}
	}
	by := pim.Principal{ID: "b", Name: "Boris Boss"}
	denied := pim.Request{Status: "Denied", Review: pim.Review{Result: pim.ReviewDenied, By: by, Reason: "not today"}}
	entries := []local.HistoryEntry{
		entry("1", pim.OperationDone, "Provisioned", pim.Review{Result: pim.ReviewApproved, By: by, Reason: "go ahead"}, nil),
		entry("2", pim.OperationFailed, "Denied", denied.Review, denied.Problem()),
		entry("3", pim.OperationFailed, "Failed", pim.Review{Result: pim.ReviewExpired}, pim.Request{Status: "TimedOut"}.Problem()),
	}
	rows, _ := view.PresentHistory(entries, "", "", viewtest.Now, words(t, "en"))
	for i, want := range []struct{ status, note string }{
		{"done", "Approved by Boris Boss: go ahead."},
		{"denied", "Denied by Boris Boss: not today."},
		{"nobody decided in time", "Nobody decided in time. Send the request again if you still need the role."},
	} {
		if rows[i].Status != want.status || rows[i].Note != want.note+"\nRequest id: "+entries[i].ID {
			t.Errorf("%d: %q, %q", i, rows[i].Status, rows[i].Note)
		}
	}
	for search, n := range map[string]int{"boris": 2, "ahead": 1, "nobody there": 0} {
		if found, _ := view.PresentHistory(entries, "", search, viewtest.Now, words(t, "en")); len(found) != n {
			t.Errorf("%q finds %d", search, len(found))
		}
	}
}
