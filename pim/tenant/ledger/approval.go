package ledger

import (
	"strings"
	"time"

	"roletray/pim/tenant/world"
)

// Result is what an approver said.
type Result string

// What an approver can have said.
const (
	NotReviewed Result = "NotReviewed"
	Approve     Result = "Approve"
	Deny        Result = "Deny"
)

// Approval is the one stage in which somebody agrees to a request.
type Approval struct {
	ID, StageID string
	Approvers   []Approver
	// MustJustify makes the approver give a reason.
	MustJustify   bool
	Result        Result
	Reviewer      world.User
	Reviewed      time.Time
	Justification string
}

// CanDecide reports whether the user is an approver of the request. Nobody is
// of their own. It looks only at what does not change.
func (l *Ledger) CanDecide(r *Request, userID string) bool {
	if r.Approval == nil || r.Requestor == strings.ToLower(userID) {
		return false
	}
	for _, a := range r.Approval.Approvers {
		if l.Holds(userID, a.ID) {
			return true
		}
	}
	return false
}

// AdministratorsDecide reports whether the user may decide as an administrator,
// because the policy names no approver.
func (r *Request) AdministratorsDecide(userID string) bool {
	return r.Approval != nil && len(r.Approval.Approvers) == 0 && r.Requestor != strings.ToLower(userID)
}

// ByApproval is the request with that approval.
func (l *Ledger) ByApproval(id string) (Request, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(l.p.Clock.Now())
	r, ok := l.byApproval[strings.ToLower(id)]
	if !ok {
		return Request{}, false
	}
	return r.copy(), true
}

// Review enters an approver's decision. The first one settles it.
func (l *Ledger) Review(userID, approvalID, stageID string, result Result, justification string) (Request, error) {
	return l.review(userID, approvalID, stageID, result, justification, false)
}

// ReviewAsAdministrator is Review by somebody who decides where a policy names
// no approver.
func (l *Ledger) ReviewAsAdministrator(userID, approvalID, stageID string, result Result, justification string) (Request, error) {
	return l.review(userID, approvalID, stageID, result, justification, true)
}

func (l *Ledger) review(userID, approvalID, stageID string, result Result, justification string, administrator bool) (Request, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.p.Clock.Now()
	l.settle(now)
	r, ok := l.byApproval[strings.ToLower(approvalID)]
	if !ok || r.Approval.StageID != strings.ToLower(stageID) {
		return Request{}, refusef(NotFound, "The approval stage '%s' could not be found.", stageID)
	}
	if !l.CanDecide(r, userID) && !(administrator && r.AdministratorsDecide(userID)) {
		return Request{}, refuse(InsufficientPermissions)
	}
	if r.Status != PendingApproval {
		return Request{}, refusef(Conflict, "The approval '%s' has been completed already: the request is in status '%s'.", r.Approval.ID, r.Status)
	}
	if r.Approval.MustJustify && strings.TrimSpace(justification) == "" {
		return Request{}, refusef(BadRequest, "A justification is required to review this request.")
	}
	reviewer, _ := l.p.Directory.User(userID)
	r.Approval.Result, r.Approval.Reviewer = result, reviewer
	r.Approval.Reviewed, r.Approval.Justification = now, justification
	if result != Approve {
		l.close(r, Denied)
		return r.copy(), nil
	}
	e := l.eligibleByID[r.Linked]
	a := l.begin(r, e, now)
	if !a.End.After(a.Start) {
		l.close(r, Failed)
		return r.copy(), nil
	}
	l.addAssignment(a)
	if r.Status == Provisioned {
		delete(l.open, r.ID)
	}
	return r.copy(), nil
}

// DecideProlongation enters an administrator's decision on a request to extend
// or renew. Microsoft has no public call for it.
func (l *Ledger) DecideProlongation(id string, approve bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.p.Clock.Now()
	l.settle(now)
	r, ok := l.requestByID[strings.ToLower(id)]
	if !ok {
		return refusef(NotFound, "The role request '%s' could not be found.", id)
	}
	if r.Status != PendingAdminDecision {
		return refusef(Conflict, "The role request '%s' is in status '%s'.", r.ID, r.Status)
	}
	if !approve {
		l.close(r, AdminDenied)
		return nil
	}
	if e, ok := l.eligibleByID[r.TargetSchedule]; ok && r.Family == OfEligibility {
		e.End, e.Updated = r.Schedule.newEnd(e.End, now), now
	}
	if a, ok := l.assignedByID[r.TargetSchedule]; ok && r.Family == OfAssignment {
		a.End, a.Updated = r.Schedule.newEnd(a.End, now), now
	}
	l.close(r, Provisioned)
	return nil
}

// newEnd is the end after a prolongation of what ends or ended at old.
func (s Schedule) newEnd(old, now time.Time) time.Time {
	from := old
	if now.After(from) {
		from = now
	}
	switch {
	case s.Expiration == NoExpiration:
		return time.Time{}
	case s.Expiration == AfterDateTime && s.End.After(from):
		return s.End
	case s.Expiration == AfterDuration && s.Duration > 0:
		return from.Add(s.Duration)
	}
	return from.AddDate(1, 0, 0)
}
