package pim

import (
	"strings"
	"time"
)

// Ticket is a reference into a ticket system.
type Ticket struct {
	Number string `json:"number,omitempty"`
	System string `json:"system,omitempty"`
}

// Label is the ticket as it is said: the system's name, where there is one, and the number.
func (t Ticket) Label() string { return strings.TrimSpace(t.System + " " + t.Number) }

// Action is what a request asks for.
type Action string

// The actions a person asks for. Others are an administrator's and kept as the
// service spells them, in lower case.
const (
	ActionActivate   Action = "selfactivate"
	ActionDeactivate Action = "selfdeactivate"
	ActionExtend     Action = "selfextend"
	ActionRenew      Action = "selfrenew"
)

// ParseAction folds the services' spellings of requestType and action.
func ParseAction(s string) Action { return Action(fold(s)) }

// Status is a request's status in the service's own word, compared without
// regard to case. Source: the status enumeration of the ARM swagger 2020-10-01 and Graph's
// request resource.
type Status string

// Phase is what a status means to the person who waits.
type Phase string

// The phases of a request.
const (
	// PhaseInProgress means that the service is still at work.
	PhaseInProgress Phase = "in-progress"
	// PhaseWaiting means that a person must decide.
	PhaseWaiting Phase = "waiting"
	// PhaseScheduled means granted, to begin later.
	PhaseScheduled Phase = "scheduled"
	// PhaseDone means that what was asked for is so.
	PhaseDone Phase = "done"
	// PhaseRefused means that it will not be: denied, failed, cancelled or
	// timed out.
	PhaseRefused Phase = "refused"
)

// Final says that the phase cannot change by itself any more. Scheduled is not final.
func (p Phase) Final() bool { return p == PhaseDone || p == PhaseRefused }

// Request is what somebody asked of the service.
type Request struct {
	// ID is the request's name: on ARM the GUID that the client chose.
	ID     string `json:"id"`
	Role   Role   `json:"role"`
	Action Action `json:"action"`
	Status Status `json:"status"`
	// Start is when it shall take effect; zero means at once.
	Start time.Time `json:"start,omitzero"`
	// Duration is how long; zero where End or nothing is given.
	Duration time.Duration `json:"duration,omitempty"`
	// End is the asked end where a moment and no duration was asked for.
	End           time.Time `json:"end,omitzero"`
	Justification string    `json:"justification,omitempty"`
	Ticket        Ticket    `json:"ticket,omitzero"`
	Created       time.Time `json:"created,omitzero"`
	// ApprovalID is the approval's id as the service gave it. Resource Manager gives it
	// only while the request waits.
	ApprovalID  string `json:"approvalId,omitempty"`
	PrincipalID string `json:"principalId,omitempty"`
	RequestorID string `json:"requestorId,omitempty"`
	// EligibilityScheduleID is the eligibility that the request draws on.
	EligibilityScheduleID string `json:"eligibilityScheduleId,omitempty"`
	// OfEligibility says that the request is about an eligibility itself, as its
	// prolongation is, and not about an assignment. The services keep the two apart.
	OfEligibility bool `json:"ofEligibility,omitempty"`
	// Review is who decided on it, where that could be read.
	Review Review `json:"decision,omitzero"`
}

// Phase is what the request's status means at the moment now. A status that is
// not known counts as in progress, so that it is read again.
func (r Request) Phase(now time.Time) Phase {
	switch fold(string(r.Status)) {
	case "pendingapproval", "pendingapprovalprovisioning", "pendingadmindecision":
		return PhaseWaiting
	case "granted", "schedulecreated":
		if r.Start.After(now) {
			return PhaseScheduled
		}
		return PhaseDone
	case "provisioned":
		if r.Action == ActionActivate && r.Start.After(now) {
			return PhaseScheduled
		}
		return PhaseDone
	case "revoked":
		// A deactivation has taken effect; what was given has been taken away.
		switch r.Action {
		case ActionActivate, ActionExtend, ActionRenew:
			return PhaseRefused
		}
		return PhaseDone
	case "denied", "admindenied", "failed", "failedasresourceislocked", "canceled", "timedout", "invalid":
		return PhaseRefused
	}
	return PhaseInProgress
}

// Problem says why a request that was refused will not be.
func (r Request) Problem() *Problem {
	p := &Problem{Code: CodeRejected, Details: "Request " + CleanText(r.ID, 100) + ": " + CleanText(string(r.Status), 50)}
	status := fold(string(r.Status))
	if r.Review.Result == ReviewExpired {
		status = "timedout" // The service may call it denied or failed.
	}
	switch status {
	case "denied", "admindenied":
		p.Text = "The request was denied. Ask your approver for the reason."
		if v := r.Review; v.Result == ReviewDenied {
			if p.Text = v.Sentence(); v.Reason == "" {
				p.Text += " Ask your approver for the reason."
			}
		}
	case "canceled":
		p.Code, p.Text = CodeCancelled, "The request was cancelled."
	case "timedout":
		p.Text = "Nobody decided in time. Send the request again if you still need the role."
	case "failedasresourceislocked":
		p.Text = "The resource is locked, so the service could not do it. Ask whoever set the lock to lift it."
	case "revoked":
		p.Text = "An administrator revoked it. Ask for the reason."
	default:
		p.Text = "The service could not do it. Try again, and copy the details for your administrator if it fails again."
	}
	return p
}

// Cancellable says whether the service lets the requestor cancel it: while a
// person has not decided, or before a scheduled start. Source: Microsoft Graph, "unifiedRoleAssignmentScheduleRequest:
// cancel".
func (r Request) Cancellable(now time.Time) bool {
	p := r.Phase(now)
	return p == PhaseWaiting || p == PhaseScheduled
}

// EffectiveStart is Start, or the creation time of a request that began at once.
func (r Request) EffectiveStart() time.Time {
	if r.Start.IsZero() {
		return r.Created
	}
	return r.Start
}

// EffectiveEnd is when what was asked for ends; zero means never or not known.
func (r Request) EffectiveEnd() time.Time {
	if !r.End.IsZero() || r.Duration == 0 {
		return r.End
	}
	return r.EffectiveStart().Add(r.Duration)
}

// Activation is the wish to activate a role.
type Activation struct {
	// ID is a GUID that the client chose before sending. On ARM it names the
	// request, which makes sending it again harmless.
	ID          string      `json:"id"`
	Eligibility Eligibility `json:"eligibility"`
	// Scope is a narrower scope than the eligibility's, or zero for its own.
	Scope Scope `json:"scope,omitzero"`
	// Start is when to begin; zero means at once.
	Start         time.Time     `json:"start,omitzero"`
	Duration      time.Duration `json:"duration"`
	Justification string        `json:"justification,omitempty"`
	Ticket        Ticket        `json:"ticket,omitzero"`
}

// Begins is when it begins that is asked for at the moment now.
func (a Activation) Begins(now time.Time) time.Time {
	if a.Start.After(now) {
		return a.Start
	}
	return now
}

// Role is the role at the scope that will be asked for.
func (a Activation) Role() Role {
	if a.Scope.ID == "" {
		return a.Eligibility.Role
	}
	return a.Eligibility.Role.At(a.Scope)
}

// Deactivation is the wish to end an activation early.
type Deactivation struct {
	// ID is a GUID that the client chose before sending.
	ID         string     `json:"id"`
	Assignment Assignment `json:"assignment"`
}
