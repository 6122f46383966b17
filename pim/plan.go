package pim

import "time"

// Plan is a role that will go on after its end: it is activated again then. The
// services lengthen no running activation, so there is a moment in between.
type Plan struct {
	// Role is the role at the scope that is active, and Eligibility what it draws on.
	Role        Role `json:"role"`
	Eligibility Key  `json:"eligibility"`
	// At is when the role ends that is active now: when the next activation begins.
	At            time.Time     `json:"at"`
	Duration      time.Duration `json:"duration"`
	Justification string        `json:"justification,omitempty"`
	Ticket        Ticket        `json:"ticket,omitzero"`
	Client        string        `json:"client,omitempty"`
	// Local says that this program keeps the plan, since the service takes no
	// request for later: the computer must be awake and the program running then.
	Local bool `json:"local,omitempty"`
	// Approval says that somebody must approve it: a plan that this program keeps asks the
	// person when its time has come, and the service's request waits for the decision.
	Approval bool `json:"approval,omitempty"`
	// Request is the service's queued request, where it keeps the plan.
	Request string    `json:"request,omitempty"`
	State   PlanState `json:"state"`
	// Problem is why it is not carried out by itself, with PlanAsks.
	Problem *Problem `json:"problem,omitempty"`
}

// PlanState is how far a plan has come.
type PlanState string

// The states of a plan. One that is carried out is an operation and no plan any more.
const (
	// PlanWaiting: its time has not come.
	PlanWaiting PlanState = "waiting"
	// PlanSending: the role has ended, and the next activation is being sent until
	// the service takes it.
	PlanSending PlanState = "sending"
	// PlanAsks: the person has to do it, for a stronger sign-in, an approval, or
	// because its time was missed. It goes when the role is activated or it is dropped.
	PlanAsks PlanState = "asks"
)

// Key is the role's.
func (p Plan) Key() Key { return p.Role.Key() }

// PlanGrace is how long after its time a plan is still carried out by itself.
const PlanGrace = 5 * time.Minute
