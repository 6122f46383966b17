package pim

import (
	"context"
	"time"
)

// Principal is a person or a group.
type Principal struct {
	ID string `json:"id"`
	// Name is the display name, or empty where the service gave none.
	Name string `json:"name,omitempty"`
}

// DecisionTime is how long an activation waits for a decision before it times
// out. It is fixed. Source: Microsoft's documentation, "Approve or deny requests for Azure resource
// roles in PIM".
const DecisionTime = 24 * time.Hour

// Approval is somebody's request that waits for the person's decision.
type Approval struct {
	// ID is the approval's id as the service gave it.
	ID string `json:"id"`
	// Request is what is asked for. Its Justification and Ticket are the
	// requestor's own words.
	Request Request `json:"request"`
	// Requestor is who asks.
	Requestor Principal `json:"requestor"`
}

// Expires is when the request times out undecided.
func (a Approval) Expires() time.Time { return a.Request.Created.Add(DecisionTime) }

// Decision is what an approver says.
type Decision struct {
	Approve       bool   `json:"approve"`
	Justification string `json:"justification,omitempty"`
}

// Decider is a kind of role whose requests can be decided. Implementations are
// safe for concurrent use.
type Decider interface {
	// Approvals lists the requests that wait for the person, the oldest first.
	// The person's own are not among them: nobody decides those.
	Approvals(ctx context.Context) ([]Approval, error)
	// Decide sends the decision once. It fails with CodeDecided when somebody
	// was faster, and with CodeForbidden when the person may not decide.
	Decide(ctx context.Context, a Approval, d Decision) error
}

// Prolongation is the wish that an administrator lets an eligibility, or an
// assignment that was given for a time, last longer.
type Prolongation struct {
	// ID is a GUID that the client chose before sending.
	ID string `json:"id"`
	// Action is ActionExtend before the end and ActionRenew after it.
	Action Action `json:"action"`
	// Eligibility or Assignment is what shall last longer; the other is nil.
	Eligibility *Eligibility `json:"eligibility,omitempty"`
	Assignment  *Assignment  `json:"assignment,omitempty"`
	// Start and End are the wished time. Start is zero for an extension.
	Start         time.Time `json:"start,omitzero"`
	End           time.Time `json:"end"`
	Justification string    `json:"justification,omitempty"`
}

// Role is the role that shall last longer.
func (p Prolongation) Role() Role {
	if p.Assignment != nil {
		return p.Assignment.Role
	}
	if p.Eligibility != nil {
		return p.Eligibility.Role
	}
	return Role{}
}

// When a prolongation can be asked for. Source: Microsoft's documentation, "Extend or renew Azure resource
// role assignments in PIM".
const (
	ExtendWindow = 14 * 24 * time.Hour
	RenewWindow  = 30 * 24 * time.Hour
)

// CanProlong says which of ActionExtend and ActionRenew can be asked for what
// ends at end and is held by via. It is false when neither can: without an end, too early, too
// late, or for what is held through a group.
func CanProlong(end time.Time, via Via, now time.Time) (Action, bool) {
	switch {
	case end.IsZero() || via == ViaGroup:
		return "", false
	case now.Before(end):
		return ActionExtend, end.Sub(now) <= ExtendWindow
	default:
		return ActionRenew, now.Sub(end) <= RenewWindow
	}
}

// Prolonger is a kind of role whose eligibilities and assignments can be
// extended and renewed. Implementations are safe for concurrent use.
type Prolonger interface {
	// Prolong sends p once and returns the request, which waits for an administrator.
	Prolong(ctx context.Context, p Prolongation) (Request, error)
}

// ScopeBrowser is a kind of role that can be activated at narrower scopes than
// its eligibility's. Implementations are safe for concurrent use.
type ScopeBrowser interface {
	// Children lists the scopes one level below s, in the order of their names.
	Children(ctx context.Context, s Scope) ([]Scope, error)
}
