package local

import "roletray/pim"

// MostDecisions is how many approvals one DecideRequest may name.
const MostDecisions = 100

// DecideRequest approves or denies what waits for the person at one account. The
// one who asked can read the justification, which is required.
type DecideRequest struct {
	Account       string        `json:"account"`
	Approvals     []ApprovalRef `json:"approvals"`
	Approve       bool          `json:"approve,omitempty"`
	Justification string        `json:"justification"`
}

// ApprovalRef names one of a snapshot's approvals: the kind of its role and its id.
type ApprovalRef struct {
	Kind pim.Kind `json:"kind"`
	ID   string   `json:"id"`
}

// DecideAnswer has one outcome for each approval, in their order: nil where the
// decision was taken.
type DecideAnswer struct {
	Outcomes []*pim.Problem `json:"outcomes"`
}
