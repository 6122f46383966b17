package ledger

import (
	"strings"
	"time"
)

// Family says whether a request is about an assignment or an eligibility.
type Family int

// The two families.
const (
	OfAssignment Family = iota
	OfEligibility
)

// Action is what a request asks for.
type Action string

// What users ask for themselves. Everything else is an administrator's.
const (
	SelfActivate   Action = "SelfActivate"
	SelfDeactivate Action = "SelfDeactivate"
	SelfExtend     Action = "SelfExtend"
	SelfRenew      Action = "SelfRenew"
)

// Status is where a request stands.
type Status string

// The statuses that this service gives, of the 22 that Microsoft defines.
const (
	Provisioned          Status = "Provisioned"
	Granted              Status = "Granted"
	PendingApproval      Status = "PendingApproval"
	PendingAdminDecision Status = "PendingAdminDecision"
	Denied               Status = "Denied"
	AdminDenied          Status = "AdminDenied"
	Canceled             Status = "Canceled"
	TimedOut             Status = "TimedOut"
	Revoked              Status = "Revoked"
	Failed               Status = "Failed"
)

// approvalTime is how long approvers have.
const approvalTime = 24 * time.Hour

// Expiration is how a schedule says its end.
type Expiration string

// The ways to say an end. The empty one leaves it to the policy.
const (
	AfterDuration Expiration = "AfterDuration"
	AfterDateTime Expiration = "AfterDateTime"
	NoExpiration  Expiration = "NoExpiration"
)

// Schedule is when a role is wanted.
type Schedule struct {
	// Start is zero for now.
	Start      time.Time
	Expiration Expiration
	// Duration goes with AfterDuration.
	Duration time.Duration
	// End goes with AfterDateTime.
	End time.Time
}

// Ticket is a reference into some other system.
type Ticket struct{ Number, System string }

// Request is what somebody asked and what came of it.
type Request struct {
	ID        string
	Family    Family
	Action    Action
	Status    Status
	Target    Target
	Principal string
	Requestor string
	Created   time.Time
	Schedule  Schedule
	// TargetSchedule is the schedule that it made or is about.
	TargetSchedule string
	// Linked is the eligibility that is activated.
	Linked                      string
	Justification               string
	Ticket                      Ticket
	Condition, ConditionVersion string
	// Approval is nil where nobody had to agree.
	Approval *Approval
}

// Submission is a request as it comes in.
type Submission struct {
	// ID names the request: a GUID in lower case.
	ID string
	// ScheduleID names the schedule that an activation makes, in lower case;
	// empty means a new GUID.
	ScheduleID string
	Family     Family
	Action     Action
	Target     Target
	Principal  string
	// Linked is the schedule id of the eligibility to activate. It may be empty
	// where the eligibility is for the same target.
	Linked                      string
	Schedule                    Schedule
	Justification               string
	Ticket                      Ticket
	Condition, ConditionVersion string
	// DryRun checks everything and keeps nothing.
	DryRun bool
}

// Request is the one with that id.
func (l *Ledger) Request(id string) (Request, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(l.p.Clock.Now())
	r, ok := l.requestByID[strings.ToLower(id)]
	if !ok {
		return Request{}, false
	}
	return r.copy(), true
}

// Requests are the requests of a family for which keep is true, oldest first.
// Of the ledger's methods keep may call only Within and CanDecide.
func (l *Ledger) Requests(f Family, keep func(*Request) bool) []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(l.p.Clock.Now())
	var out []Request
	for _, r := range l.requests {
		if r.Family == f && keep(r) {
			out = append(out, r.copy())
		}
	}
	return out
}

// Cancel takes back a request that waits or is scheduled. Only its requestor may.
func (l *Ledger) Cancel(f Family, userID, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.p.Clock.Now()
	l.settle(now)
	r, ok := l.requestByID[strings.ToLower(id)]
	if !ok || r.Family != f {
		return refusef(NotFound, "The role request '%s' could not be found.", id)
	}
	if r.Requestor != strings.ToLower(userID) {
		return refuse(InsufficientPermissions)
	}
	switch r.Status {
	case PendingApproval, PendingAdminDecision, Granted:
	default:
		return refusef(InvalidRequest, "The role request '%s' is in status '%s' and cannot be canceled.", r.ID, r.Status)
	}
	if a, ok := l.assignedByID[r.TargetSchedule]; ok && r.Status == Granted {
		a.Stopped = now
	}
	l.close(r, Canceled)
	return nil
}

// settle brings every open request up to date.
func (l *Ledger) settle(now time.Time) {
	for _, r := range l.open {
		switch r.Status {
		case PendingApproval:
			if !now.Before(r.Created.Add(approvalTime)) {
				l.close(r, TimedOut)
			}
		case Granted:
			if a, ok := l.assignedByID[r.TargetSchedule]; ok && !now.Before(a.Start) {
				l.close(r, Provisioned)
			}
		}
	}
}

func (l *Ledger) close(r *Request, s Status) {
	r.Status = s
	delete(l.open, r.ID)
}

func (r *Request) copy() Request {
	c := *r
	if r.Approval != nil {
		a := *r.Approval
		c.Approval = &a
	}
	return c
}
