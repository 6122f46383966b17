package ledger

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"roletray/pim/tenant/world"
)

const (
	// leastActive is how long a role stays active at least.
	leastActive = 5 * time.Minute
	// extendFrom is how long before its end an assignment may be extended.
	extendFrom = 14 * 24 * time.Hour
	// renewUntil is how long after its end an assignment may be renewed.
	renewUntil = 30 * 24 * time.Hour
)

// Submit takes a request in, decides what can be decided at once, and returns
// it as it stands. A refusal is an *Error, and nothing is kept.
func (l *Ledger) Submit(caller world.Caller, s Submission) (Request, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.p.Clock.Now()
	l.settle(now)

	if _, ok := l.requestByID[s.ID]; ok && !s.DryRun {
		return Request{}, refusef(RequestExists, "The role assignment request '%s' already exists.", s.ID)
	}
	if err := l.checkSubject(caller, s.Principal); err != nil {
		return Request{}, err
	}
	r := &Request{
		ID: s.ID, Family: s.Family, Action: s.Action, Target: s.Target, Principal: s.Principal,
		Requestor: strings.ToLower(caller.UserID), Created: now, Schedule: s.Schedule,
		Justification: s.Justification, Ticket: s.Ticket,
		Condition: s.Condition, ConditionVersion: s.ConditionVersion,
	}
	var commit func()
	var err error
	switch {
	case s.Action == SelfActivate && s.Family == OfAssignment:
		commit, err = l.activate(r, caller, s, now)
	case s.Action == SelfDeactivate && s.Family == OfAssignment:
		commit, err = l.deactivate(r, now)
	case s.Action == SelfExtend || s.Action == SelfRenew:
		err = l.prolong(r, now)
	default:
		err = refusef(AuthorizationFailed, "%s", s.Action)
	}
	if err != nil {
		return Request{}, err
	}
	if s.DryRun {
		return r.copy(), nil
	}
	if commit != nil {
		commit()
	}
	l.requests = append(l.requests, r)
	l.requestByID[r.ID] = r
	switch r.Status {
	case PendingApproval, PendingAdminDecision, Granted:
		l.open[r.ID] = r
	}
	return r.copy(), nil
}

func (l *Ledger) checkSubject(caller world.Caller, principal string) error {
	if strings.EqualFold(caller.UserID, principal) {
		return nil
	}
	if _, ok := l.p.Directory.User(principal); ok {
		return refuse(InsufficientPermissions)
	}
	if _, ok := l.p.Directory.Group(principal); ok {
		return refuse(InsufficientPermissions)
	}
	return refusef(SubjectNotFound, "The subject '%s' was not found.", principal)
}

// activate checks in this order: already active or waiting, the policy's rules,
// and last the authentication context.
func (l *Ledger) activate(r *Request, caller world.Caller, s Submission, now time.Time) (func(), error) {
	if err := l.checkFree(r, now); err != nil {
		return nil, err
	}
	e, err := l.findEligibility(r, s.Linked, now)
	if err != nil {
		return nil, err
	}
	policy := l.policy(r.Target)
	if e != nil {
		policy = l.policy(e.Target)
	}
	duration, ok := r.Schedule.length(policy.MaximumDuration(), now)
	var broken []Rule
	if !ok {
		broken = append(broken, ExpirationRule)
	}
	if policy.Justification && strings.TrimSpace(r.Justification) == "" {
		broken = append(broken, JustificationRule)
	}
	if e == nil {
		broken = append(broken, EligibilityRule)
	}
	if policy.Ticket && strings.TrimSpace(r.Ticket.Number) == "" {
		broken = append(broken, TicketingRule)
	}
	if policy.MFA && !slices.Contains(caller.Methods, "mfa") {
		broken = append(broken, MFARule)
	}
	if len(broken) > 0 {
		return nil, &Error{Code: PolicyValidationFailed, Rules: broken}
	}
	if e.Condition != "" {
		if r.Condition == "" {
			r.Condition, r.ConditionVersion = e.Condition, e.ConditionVersion
		} else if r.Condition != e.Condition {
			return nil, refusef(InvalidRequest, "The condition differs from the condition of the eligible role assignment.")
		}
	}
	if policy.Context != "" &&
		(!slices.Contains(caller.Contexts, policy.Context) || !caller.HasCapability("cp1")) {
		return nil, &Error{Code: AcrsValidationFailed, Context: policy.Context}
	}

	r.Linked = e.ID
	if r.TargetSchedule = s.ScheduleID; r.TargetSchedule == "" {
		r.TargetSchedule = uuid.NewString()
	}
	if r.Schedule.Expiration == "" {
		r.Schedule.Expiration, r.Schedule.Duration = AfterDuration, duration
	}
	if policy.NeedsApproval() {
		r.Status = PendingApproval
		r.Approval = &Approval{
			ID: uuid.NewString(), StageID: uuid.NewString(),
			Approvers: policy.Approvers, MustJustify: policy.ApproverJustifies,
		}
		return func() { l.byApproval[r.Approval.ID] = r }, nil
	}
	a := l.begin(r, e, now)
	return func() { l.addAssignment(a) }, nil
}

// begin makes the assignment that a request leads to, and sets the request's
// status. The end of the eligibility ends the assignment too.
func (l *Ledger) begin(r *Request, e *Eligibility, now time.Time) *Assignment {
	start := r.Schedule.start(now)
	end := start.Add(r.Schedule.Duration)
	if r.Schedule.Expiration == AfterDateTime {
		end = r.Schedule.End
	}
	if !e.End.IsZero() && e.End.Before(end) {
		end = e.End
	}
	r.Status = Provisioned
	if start.After(now) {
		r.Status = Granted
	}
	return &Assignment{
		ID: r.TargetSchedule, InstanceID: uuid.NewString(), RequestID: r.ID,
		Target: r.Target, Principal: r.Principal, Start: start, End: end, Created: now, Updated: now,
		Eligibility: e.ID, EligibilityInstance: e.InstanceID,
		Condition: r.Condition, ConditionVersion: r.ConditionVersion,
	}
}

// checkFree refuses what is active, ending or asked for already.
func (l *Ledger) checkFree(r *Request, now time.Time) error {
	timing := l.p.Timing()
	for _, a := range l.assigned[r.Principal] {
		if a.Target != r.Target {
			continue
		}
		if a.InForce(now) && timing.Queue && !a.End.IsZero() && !r.Schedule.start(now).Before(a.End) {
			continue
		}
		if a.InForce(now) || a.lingers(now, timing) {
			return refuse(RoleAssignmentExists)
		}
	}
	return l.checkNonePending(r)
}

func (l *Ledger) checkNonePending(r *Request) error {
	for _, o := range l.open {
		if o.Family == r.Family && o.Principal == r.Principal && o.Target == r.Target {
			return refuse(PendingRoleAssignmentRequest)
		}
	}
	return nil
}

// findEligibility is the eligibility to activate, or nil without an error where
// the requestor has none for the target.
func (l *Ledger) findEligibility(r *Request, linked string, now time.Time) (*Eligibility, error) {
	start := r.Schedule.start(now)
	for _, p := range l.holders(r.Principal) {
		for _, e := range l.eligible[p] {
			if linked != "" && e.ID != linked {
				continue
			}
			if linked == "" && e.Target != r.Target {
				continue
			}
			if e.InForce(now) && e.InForce(start) &&
				e.Target.Role == r.Target.Role && e.Target.Access == r.Target.Access && l.Within(r.Target.Scope, e.Target.Scope) {
				return e, nil
			}
		}
	}
	if linked != "" {
		return nil, refuse(RoleEligibilityDoesNotExist)
	}
	return nil, nil
}

func (l *Ledger) deactivate(r *Request, now time.Time) (func(), error) {
	timing := l.p.Timing()
	for _, a := range l.assigned[r.Principal] {
		if a.Target != r.Target || !a.Activated() || !a.InForce(now) {
			continue
		}
		age := now.Sub(a.Start)
		switch {
		case age < timing.NotYet:
			return nil, refuse(RoleAssignmentDoesNotExist)
		case age < leastActive && timing.TooEarlyFails:
			r.Status, r.TargetSchedule, r.Linked = Failed, a.ID, a.Eligibility
			return nil, nil
		case age < leastActive:
			return nil, refuse(ActiveDurationTooShort)
		}
		r.Status, r.TargetSchedule, r.Linked = Revoked, a.ID, a.Eligibility
		return func() { a.Stopped = now }, nil
	}
	return nil, refuse(RoleAssignmentDoesNotExist)
}

// prolong asks an administrator for more time of what an administrator gave to
// the user directly.
func (l *Ledger) prolong(r *Request, now time.Time) error {
	id, end, err := l.prolongable(r)
	if err != nil {
		return err
	}
	switch {
	case end.IsZero():
		return refusef(InvalidRequest, "A permanent assignment cannot be extended or renewed.")
	case r.Action == SelfExtend && (now.Before(end.Add(-extendFrom)) || !now.Before(end)):
		return refusef(InvalidRequest, "An assignment can be extended within 14 days before it ends.")
	case r.Action == SelfRenew && (now.Before(end) || now.After(end.Add(renewUntil))):
		return refusef(InvalidRequest, "An assignment can be renewed within 30 days after it ended.")
	}
	if err := l.checkNonePending(r); err != nil {
		return err
	}
	r.TargetSchedule, r.Status = id, PendingAdminDecision
	return nil
}

func (l *Ledger) prolongable(r *Request) (id string, end time.Time, err error) {
	if r.Family == OfEligibility {
		for _, e := range l.eligible[r.Principal] {
			if e.Target == r.Target {
				return e.ID, e.End, nil
			}
		}
		return "", time.Time{}, refuse(RoleEligibilityDoesNotExist)
	}
	for _, a := range l.assigned[r.Principal] {
		if a.Target == r.Target && !a.Activated() {
			return a.ID, a.End, nil
		}
	}
	return "", time.Time{}, refuse(RoleAssignmentDoesNotExist)
}

// start is when the schedule begins; a moment that has passed means now.
func (s Schedule) start(now time.Time) time.Time {
	if s.Start.After(now) {
		return s.Start
	}
	return now
}

// length is how long the schedule lasts, and whether the policy allows that.
func (s Schedule) length(most time.Duration, now time.Time) (time.Duration, bool) {
	var d time.Duration
	switch s.Expiration {
	case "":
		return most, true
	case AfterDuration:
		d = s.Duration
	case AfterDateTime:
		d = s.End.Sub(s.start(now))
	default:
		return 0, false
	}
	return d, d >= minimum && d <= most
}
