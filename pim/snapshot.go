package pim

import "time"

// Snapshot is everything known of one account at one moment. It is immutable:
// whoever has one may read it from any goroutine and must not change it.
type Snapshot struct {
	Account Account `json:"account"`
	// At is when the snapshot was made.
	At time.Time `json:"at"`
	// FromDisk says that nothing of it was read since the program started.
	FromDisk bool `json:"fromDisk,omitempty"`
	// Refreshing says that a read is under way.
	Refreshing bool `json:"refreshing,omitempty"`
	// SignIn is set when the person must sign in before anything can be read or sent.
	SignIn *Problem `json:"signIn,omitempty"`
	// Eligible are the roles that may be activated, each key once, sorted by name and scope.
	Eligible []Eligibility `json:"eligible,omitempty"`
	// Active are the roles in force, each key once, the first to end first.
	Active []ActiveRole `json:"active,omitempty"`
	// Requests are the person's own requests, the newest first.
	Requests []Request `json:"requests,omitempty"`
	// Approvals are the requests that wait for the person's decision, the oldest first.
	Approvals []Approval `json:"approvals,omitempty"`
	// Plans are the roles that will go on after their end, the first to do so first.
	Plans []Plan `json:"plans,omitempty"`
	// Ended are eligibilities, and EndedAssigned assignments given by an
	// administrator, that ended within RenewWindow: they can be renewed.
	Ended         []Eligibility `json:"ended,omitempty"`
	EndedAssigned []Assignment  `json:"endedAssigned,omitempty"`
	// Links say which groups are known to bring which roles.
	Links []GroupLink `json:"links,omitempty"`
	// Policies are those read so far.
	Policies map[Key]Policy `json:"policies,omitempty"`
	// Operations are the person's actions that are not over, and those that
	// ended in the last minutes.
	Operations []Operation `json:"operations,omitempty"`
	// Checking are the roles that are being checked, at the scopes that were asked for.
	Checking []Key `json:"checking,omitempty"`
	// Parts say how old each part of the snapshot is and why.
	Parts []Part `json:"parts,omitempty"`
}

// ActiveRole is an assignment and how sure it is.
type ActiveRole struct {
	Assignment Assignment `json:"assignment"`
	Certainty  Certainty  `json:"certainty"`
	// UnconfirmedSince is set with Unconfirmed: when the listing began to be the
	// only word and a contrary one.
	UnconfirmedSince time.Time `json:"unconfirmedSince,omitzero"`
}

// Certainty says what a row rests on.
type Certainty string

// The grounds of a row.
const (
	// Listed: the service's listing shows it.
	Listed Certainty = "listed"
	// Recorded: an own request says so, and the listing may lag behind.
	Recorded Certainty = "recorded"
	// Unconfirmed: an own request said so, and the listing still contradicts it
	// after the time that it may lag.
	Unconfirmed Certainty = "unconfirmed"
)

// OperationState is how far an action has come.
type OperationState string

// The states of an operation.
const (
	// OperationPreparing: waiting for a token, perhaps for the person in a browser.
	OperationPreparing OperationState = "preparing"
	// OperationSending: sent, no answer yet.
	OperationSending OperationState = "sending"
	// OperationResolving: the answer was lost; the service is asked what it has.
	OperationResolving OperationState = "resolving"
	// OperationFollowing: accepted, not final.
	OperationFollowing OperationState = "following"
	// OperationWaiting: a person must approve.
	OperationWaiting OperationState = "waiting"
	// OperationScheduled: granted, begins later.
	OperationScheduled OperationState = "scheduled"
	OperationDone      OperationState = "done"
	OperationFailed    OperationState = "failed"
)

// Over says that the operation will not change any more.
func (s OperationState) Over() bool { return s == OperationDone || s == OperationFailed }

// Operation is one action of the person on one role.
type Operation struct {
	// ID is the GUID of the write.
	ID      string         `json:"id"`
	Action  Action         `json:"action"`
	Role    Role           `json:"role"`
	State   OperationState `json:"state"`
	Problem *Problem       `json:"problem,omitempty"`
	// Request is the service's record, once there is one. An activation that is done
	// without one changed nothing of its own: the role was active already, or came
	// with its group.
	Request *Request  `json:"request,omitempty"`
	Started time.Time `json:"started"`
	Changed time.Time `json:"changed"`
	// Client is who asked: tray, window, cli, reminder.
	Client string `json:"client,omitempty"`
	// Steps are set where more than one is needed, in their order: first the group
	// that brings the role, then the role.
	Steps []Step `json:"steps,omitempty"`
	// Offer is the next wider scope to try, where the service refused this one.
	Offer *Scope `json:"offer,omitempty"`
}

// Step is one part of an operation.
type Step struct {
	Role  Role           `json:"role"`
	State OperationState `json:"state"`
	// Operation is the id of the operation that carries the step out, or empty
	// while it has not begun.
	Operation string   `json:"operation,omitempty"`
	Problem   *Problem `json:"problem,omitempty"`
}

// Part is one source of a snapshot.
type Part struct {
	// Name says which.
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// At is when it was last read whole; zero means never.
	At time.Time `json:"at,omitzero"`
	// Problem is why the newest read failed, or nil.
	Problem *Problem `json:"problem,omitempty"`
	// Cut is how many rows the service showed of a list that may be longer, see Cutter;
	// zero where it showed all.
	Cut int `json:"cut,omitempty"`
}

// The names of parts.
const (
	PartEligible  = "eligible"
	PartActive    = "active"
	PartRequests  = "requests"
	PartApprovals = "approvals"
)

// Event is a fact that happened once and should reach the person.
type Event struct {
	Kind      EventKind `json:"kind"`
	At        time.Time `json:"at"`
	AccountID string    `json:"accountId"`
	Role      Role      `json:"role,omitzero"`
	Request   *Request  `json:"request,omitempty"`
	Problem   *Problem  `json:"problem,omitempty"`
	// End is when the role ends, where the event is about an active role.
	End    time.Time `json:"end,omitzero"`
	Client string    `json:"client,omitempty"`
}

// EventKind says what happened.
type EventKind string

// The events.
const (
	EventActivated   EventKind = "activated"
	EventScheduled   EventKind = "scheduled"
	EventWaiting     EventKind = "waiting"
	EventDenied      EventKind = "denied"
	EventFailed      EventKind = "failed"
	EventDeactivated EventKind = "deactivated"
	EventCancelled   EventKind = "cancelled"
	// EventEnded: an active role came to its end.
	EventEnded EventKind = "ended"
	// EventApproval: somebody asks for the person's decision; Request says for what.
	EventApproval EventKind = "approval"
	// EventPlanned: a role will go on at End.
	EventPlanned EventKind = "planned"
	// EventPlanAsks: a role was to go on by itself and needs the person; Problem says why.
	EventPlanAsks EventKind = "plan-asks"
	// EventProlonged: an eligibility or assignment lasts longer.
	EventProlonged EventKind = "prolonged"
	// EventSent: a check was taken for a request, which Request is.
	EventSent EventKind = "sent"
	// EventSignInNeeded: nothing more can be read or sent until the person signs in.
	EventSignInNeeded EventKind = "sign-in-needed"
)
