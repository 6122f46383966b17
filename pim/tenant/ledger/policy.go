package ledger

import "time"

// DefaultMaximum is the longest activation where a policy names none.
const DefaultMaximum = 8 * time.Hour

// minimum is the shortest activation that the service takes.
const minimum = 5 * time.Minute

// Policy is the role settings for activations. The zero value asks for nothing
// and allows DefaultMaximum.
type Policy struct {
	// Maximum is the longest activation; zero means DefaultMaximum.
	Maximum       time.Duration
	Justification bool
	Ticket        bool
	MFA           bool
	// Context is the authentication context that a token must have met, such
	// as c1; empty for none.
	Context string
	// Approval makes somebody agree to each activation even where Approvers
	// names nobody: then administrators decide, see ReviewAsAdministrator.
	Approval bool
	// Approvers decide on each activation.
	Approvers []Approver
	// ApproverJustifies makes the approver give a reason.
	ApproverJustifies bool
}

// Approver is a user or a group that may decide.
type Approver struct {
	ID    string
	Name  string
	Group bool
}

// MaximumDuration is the longest activation.
func (p Policy) MaximumDuration() time.Duration {
	if p.Maximum <= 0 {
		return DefaultMaximum
	}
	return p.Maximum
}

// NeedsApproval reports whether somebody has to agree to an activation.
func (p Policy) NeedsApproval() bool { return p.Approval || len(p.Approvers) > 0 }
