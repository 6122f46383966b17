package local

import "roletray/pim"

// MostDecisions is how many approvals one DecideRequest may name.
const MostDecisions = 100

// DecideRequest approves or denies what waits for the person at one account.
type DecideRequest struct {
	Account string `json:"account"`
	// Approvals are the ids of the approvals.
	Approvals     []string `json:"approvals"`
	Approve       bool     `json:"approve,omitempty"`
	Justification string   `json:"justification,omitempty"`
}

// DecideAnswer has one outcome for each approval, in their order: nil where the
// decision was taken.
type DecideAnswer struct {
	Outcomes []*pim.Problem `json:"outcomes"`
}
