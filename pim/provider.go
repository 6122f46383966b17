package pim

import (
	"context"
	"iter"
	"time"
)

// Provider is one kind of role at one account. Implementations are safe for
// concurrent use, return *Error for what the service refuses, and never send a
// write twice by themselves.
type Provider interface {
	// Kind is the kind of role.
	Kind() Kind
	// Eligible lists what the person may activate, without duplicates.
	Eligible(ctx context.Context) ([]Eligibility, error)
	// Active lists what is in force, in parts as they come: first those that the
	// eligibilities point at. With wide it also looks everywhere else, which may
	// take half a minute. An error of one part does not end the others.
	Active(ctx context.Context, eligible []Eligibility, wide bool) iter.Seq2[ActivePart, error]
	// Requests lists the person's own requests, the newest first.
	Requests(ctx context.Context) ([]Request, error)
	// Policy reads what activating e asks for. A policy that the person may not
	// read is Policy{} and no error.
	Policy(ctx context.Context, e Eligibility) (Policy, error)
	// Check has the service judge a without doing it. A *SentError says that the
	// service took it for a request all the same.
	Check(ctx context.Context, a Activation) error
	// Activate sends a once and returns the request as the service recorded it.
	// A status of the request, not the absence of an error, says whether the role is active.
	Activate(ctx context.Context, a Activation) (Request, error)
	// Deactivate sends d once.
	Deactivate(ctx context.Context, d Deactivation) (Request, error)
	// Cancel cancels a request that is Cancellable.
	Cancel(ctx context.Context, r Request) error
	// Follow reads r again.
	Follow(ctx context.Context, r Request) (Request, error)
	// Find looks for the request that a write of w has made, after its answer was
	// lost. It is false when the service has no such request yet.
	Find(ctx context.Context, w Write) (Request, bool, error)
}

// Pager is a kind of role whose eligibilities can be long lists. Implementations are
// safe for concurrent use.
type Pager interface {
	// EligiblePages is Eligible as its pages come: each time all that is known by
	// then, the last time everything. An error ends it.
	EligiblePages(ctx context.Context) iter.Seq2[[]Eligibility, error]
}

// Cutter is a kind of role whose service may cut lists without a word. Implementations
// are safe for concurrent use.
type Cutter interface {
	// Cut is how many rows the service showed where the last read of the named part of a
	// snapshot may lack some; zero where it lacks none.
	Cut(part string) int
}

// ActivePart is what one read of active roles has shown.
type ActivePart struct {
	// Scope is what the read covered: this scope and everything below it by path.
	// With an empty id it covered everything.
	Scope Scope
	// Complete says that a role within Scope that is missing here is not active.
	// A read that is known to lose rows is not complete.
	Complete bool
	Rows     []Assignment
}

// Covers says whether a role at s would be among the part's rows.
func (p ActivePart) Covers(s Scope) bool { return p.Scope.ID == "" || s.Within(p.Scope) }

// Write is a write as it is journalled before it is sent: everything that
// identifies it, and no justification.
type Write struct {
	// ID is the GUID that the client chose.
	ID     string    `json:"id"`
	Action Action    `json:"action"`
	Role   Role      `json:"role"`
	At     time.Time `json:"at"`
	// Start is the asked start; zero means at once.
	Start    time.Time     `json:"start,omitzero"`
	Duration time.Duration `json:"duration,omitempty"`
	// End is the wished end of a prolongation, which has no duration.
	End time.Time `json:"end,omitzero"`
	// OfEligibility is that of the request, see Request.
	OfEligibility bool `json:"ofEligibility,omitempty"`
}
