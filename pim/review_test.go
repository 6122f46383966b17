package pim_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"roletray/pim"
)

func TestParseReview(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.FixedZone("", 3600))
	by := pim.Principal{ID: "AB", Name: "Chidi\u202e Okafor"}
	said := pim.Review{By: pim.Principal{ID: "ab", Name: "Chidi Okafor"}, At: at.UTC(), Reason: "not today"}
	for _, tt := range []struct {
		status, result string
		want           pim.ReviewResult
	}{
		{"Completed", "Approve", pim.ReviewApproved},
		{"completed", "deny", pim.ReviewDenied},
		{"Expired", "NotReviewed", pim.ReviewExpired},
		// Withdrawn, or a word that is not known.
		{"Completed", "NotReviewed", ""},
		{"Completed", "Perhaps", ""},
		{"InProgress", "NotReviewed", ""},
		{"NotStarted", "Approve", ""},
		{"", "", ""},
	} {
		want := pim.Review{Result: tt.want}
		if tt.want == pim.ReviewApproved || tt.want == pim.ReviewDenied {
			want = said
			want.Result = tt.want
		}
		if got := pim.ParseReview(tt.status, tt.result, by, at, "not\ntoday "); got != want {
			t.Errorf("%s, %s: %+v, want %+v", tt.status, tt.result, got, want)
		}
	}
	long := pim.ParseReview("Completed", "Deny", pim.Principal{ID: strings.Repeat("i", 5000), Name: strings.Repeat("n", 5000)}, time.Time{}, strings.Repeat("ü", 5000))
	if n := utf8.RuneCountInString(long.By.ID + long.By.Name + long.Reason); n > 2200 || !long.At.IsZero() {
		t.Errorf("%d characters, at %v", n, long.At)
	}
}

func TestReviewSentence(t *testing.T) {
	chidi := pim.Principal{ID: "1", Name: "Chidi Okafor"}
	for _, tt := range []struct {
		review pim.Review
		want   string
	}{
		{pim.Review{}, ""},
		{pim.Review{Result: "escalated", By: chidi}, ""},
		{pim.Review{Result: pim.ReviewDenied, By: chidi, Reason: "not today"}, "Denied by Chidi Okafor: not today."},
		{pim.Review{Result: pim.ReviewDenied, By: chidi, Reason: "Why now?"}, "Denied by Chidi Okafor: Why now?"},
		{pim.Review{Result: pim.ReviewDenied, Reason: "not today."}, "Denied: not today."},
		{pim.Review{Result: pim.ReviewDenied}, "Denied."},
		{pim.Review{Result: pim.ReviewApproved, By: pim.Principal{ID: "1"}}, "Approved by somebody (id 1)."},
		{pim.Review{Result: pim.ReviewExpired}, "Nobody decided in time."},
		{pim.Review{Result: pim.ReviewDenied, By: pim.Principal{Name: "\u202eMallory\n"}, Reason: "a\u0007 b\r\n\tc"}, "Denied by Mallory: a b c."},
	} {
		if got := tt.review.Sentence(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.review, got, tt.want)
		}
	}
	long := pim.Review{Result: pim.ReviewDenied, By: pim.Principal{Name: strings.Repeat("n", 5000)}, Reason: strings.Repeat("ü", 5000)}.Sentence()
	if n := utf8.RuneCountInString(long); n > 420 || !strings.HasSuffix(long, "…") {
		t.Errorf("%d characters: %q", n, long)
	}
}

func TestProblemOfADecision(t *testing.T) {
	by := pim.Principal{Name: "Chidi Okafor"}
	for _, tt := range []struct {
		status pim.Status
		review pim.Review
		want   string
	}{
		{"Denied", pim.Review{}, "The request was denied. Ask your approver for the reason."},
		{"Denied", pim.Review{Result: pim.ReviewDenied, By: by, Reason: "not today"}, "Denied by Chidi Okafor: not today."},
		{"Denied", pim.Review{Result: pim.ReviewDenied, By: by}, "Denied by Chidi Okafor. Ask your approver for the reason."},
		{"Failed", pim.Review{Result: pim.ReviewExpired}, "Nobody decided in time. Send the request again if you still need the role."},
		{"Revoked", pim.Review{Result: pim.ReviewApproved, By: by, Reason: "go on"}, "An administrator revoked it. Ask for the reason."},
	} {
		if p := (pim.Request{ID: "r", Action: pim.ActionActivate, Status: tt.status, Review: tt.review}).Problem(); p.Text != tt.want || p.Code != pim.CodeRejected {
			t.Errorf("%s, %+v: %+v", tt.status, tt.review, p)
		}
	}
}

func TestReviewable(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		request pim.Request
		want    bool
	}{
		{pim.Request{Status: "Denied", ApprovalID: "a"}, true},
		{pim.Request{Status: "Provisioned", ApprovalID: "a"}, true},
		{pim.Request{Status: "Granted", ApprovalID: "a", Start: now.Add(time.Hour)}, true},
		{pim.Request{Status: "Failed", ApprovalID: "a"}, true},
		// Nobody was asked, nobody has decided, or not yet.
		{pim.Request{Status: "Provisioned"}, false},
		{pim.Request{Status: "Denied"}, false},
		{pim.Request{Status: "Canceled", ApprovalID: "a"}, false},
		{pim.Request{Status: "TimedOut", ApprovalID: "a"}, false},
		{pim.Request{Status: "PendingApproval", ApprovalID: "a"}, false},
		{pim.Request{Status: "PendingProvisioning", ApprovalID: "a"}, false},
	} {
		tt.request.Action = pim.ActionActivate
		if got := tt.request.Reviewable(now); got != tt.want {
			t.Errorf("%+v: %v", tt.request, got)
		}
	}
}
