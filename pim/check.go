package pim

import (
	"errors"
	"slices"
)

// Finding is what a check of one activation came to.
type Finding struct {
	// Problem is what the check met, or nil where nothing speaks against the activation.
	// See Obstacle for whether it does.
	Problem *Problem `json:"problem,omitempty"`
	// Unknown says that Problem kept the service from judging, and that nothing is known
	// against the activation.
	Unknown bool `json:"unknown,omitempty"`
	// Rules are the rules of the role's settings that refuse it.
	Rules []Rule `json:"rules,omitempty"`
	// Local says that only the role's settings were judged, since the service has
	// no dry run for it.
	Local bool `json:"local,omitempty"`
	// Already says that the role is active, or that a request for it is under way.
	Already bool `json:"already,omitempty"`
	// StepUp says that a stronger sign-in may be asked for first, and Approval that
	// somebody has to approve.
	StepUp   bool `json:"stepUp,omitempty"`
	Approval bool `json:"approval,omitempty"`
	// Operation is set where the service took the check for a request: it is
	// followed, and can be cancelled or ended. Problem says so.
	Operation string `json:"operation,omitempty"`
	// Offer is the next wider scope to try, where the service refuses this one.
	Offer *Scope `json:"offer,omitempty"`
}

// Obstacle says whether the request would fail.
func (f Finding) Obstacle() bool { return f.Problem != nil && !f.Unknown && f.Operation == "" }

// NewFinding says what err, which checking an activation came to, means for sending it.
// What is active already, and what the person can meet in the browser, is no problem.
func NewFinding(err error) Finding {
	f := Finding{Problem: Explain(err)}
	switch code := CodeOf(err); code {
	case CodeAlreadyActive:
		return Finding{Already: true}
	case CodeStepUp, CodeSignInNeeded:
		return Finding{StepUp: true}
	case CodePolicy:
		if e, ok := errors.AsType[*Error](err); ok {
			f.Rules = e.Rules
		}
		if slices.Equal(f.Rules, []Rule{RuleMFA}) {
			return Finding{StepUp: true}
		}
	case CodeThrottled, CodeUnavailable, CodeOffline, CodeTimeout, CodeUnreadable, CodeCancelled, CodeInternal:
		f.Unknown = true
	}
	return f
}

// SentError says that the service took a check for a request and has begun to
// carry it out. Whoever gets it follows Request and offers to cancel it.
type SentError struct {
	// Request is what the service recorded.
	Request Request
}

func (e *SentError) Error() string {
	return "the service took a check for the request " + CleanText(e.Request.ID, 100)
}

// Sentence says for the person what happened and what to do.
func (e *SentError) Sentence() string {
	return "The service did not only check: it took this for a request. Look under Requests and cancel it, or deactivate the role, if you do not want it."
}
