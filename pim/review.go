package pim

import (
	"context"
	"strings"
	"time"
)

// ReviewResult is what an approval has come to.
type ReviewResult string

// The ends of an approval.
const (
	ReviewApproved ReviewResult = "approved"
	ReviewDenied   ReviewResult = "denied"
	// ReviewExpired means that nobody decided in time.
	ReviewExpired ReviewResult = "expired"
)

// Review is what the approval of a request of the person's own has come to. The zero
// value means that it is not known. Comparable.
type Review struct {
	Result ReviewResult `json:"result"`
	// By is who decided; the zero value where nobody did or the service does not say.
	By Principal `json:"by,omitzero"`
	// At is when; zero where the service does not say.
	At time.Time `json:"at,omitzero"`
	// Reason is the approver's own words.
	Reason string `json:"reason,omitempty"`
}

// ParseReview reads one stage of an approval: its status and reviewResult in the
// service's words, and who has reviewed it, when and why. It is zero for a stage that
// nobody has decided, be it open or closed by a withdrawal. Sources: the ARM swagger
// 2021-01-01-preview of approvals, and Graph's approvalStage.
func ParseReview(status, result string, by Principal, at time.Time, reason string) Review {
	v := Review{
		By: Principal{ID: strings.ToLower(CleanText(by.ID, maxReviewer)), Name: CleanText(by.Name, maxReviewer)},
		At: at.UTC(), Reason: CleanText(reason, maxReviewReason),
	}
	switch status, result = fold(status), fold(result); {
	case status == "expired":
		return Review{Result: ReviewExpired}
	case status == "completed" && result == "approve":
		v.Result = ReviewApproved
	case status == "completed" && result == "deny":
		v.Result = ReviewDenied
	default:
		return Review{}
	}
	return v
}

// The most characters that are kept of an approver's name and words, and of the words in
// a sentence.
const (
	maxReviewer       = 100
	maxReviewReason   = 2000
	maxSentenceReason = 300
)

// Words are the reviewer and the reason as a sentence has room for them, safe to
// show. The reason ends as a sentence does, or is empty.
func (v Review) Words() (by, reason string) {
	by, reason = CleanText(v.By.Label(), maxReviewer), CleanText(v.Reason, maxSentenceReason)
	if reason != "" && reason == strings.TrimRight(reason, ".!?…") {
		reason += "."
	}
	return by, reason
}

// Sentence says who decided and why, as far as that is known. It is empty where
// nothing is.
func (v Review) Sentence() string {
	by, reason := v.Words()
	var said string
	switch v.Result {
	case ReviewApproved:
		said = "Approved"
	case ReviewDenied:
		said = "Denied"
	case ReviewExpired:
		return "Nobody decided in time."
	default:
		return ""
	}
	if by != "" {
		said += " by " + by
	}
	if reason == "" {
		return said + "."
	}
	return said + ": " + reason
}

// ReviewReader is a kind of role that can say who decided on a request of the
// person's own. Implementations are safe for concurrent use.
type ReviewReader interface {
	// Reviewed reads what the approval of r has come to; zero while nobody has
	// decided. Microsoft documents who may decide on an approval and not whether
	// the requestor may read it, so CodeForbidden and CodeNotFound are to be expected.
	Reviewed(ctx context.Context, r Request) (Review, error)
}

// Reviewable says that somebody may have decided on the request, and that it has come far
// enough to ask who: its approval is known, and it is over or granted. What was withdrawn
// or has timed out nobody has decided.
func (r Request) Reviewable(now time.Time) bool {
	status := fold(string(r.Status))
	if r.ApprovalID == "" || status == "canceled" || status == "timedout" {
		return false
	}
	p := r.Phase(now)
	return p.Final() || p == PhaseScheduled
}
