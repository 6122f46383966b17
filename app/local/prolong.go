package local

import (
	"time"

	"roletray/pim"
)

// ContinueRequest has an active role go on after its end. What is zero is as the
// role was activated with. The answer is the pim.Plan.
type ContinueRequest struct {
	Account       string        `json:"account"`
	Key           pim.Key       `json:"key"`
	Duration      time.Duration `json:"duration,omitempty"`
	Justification string        `json:"justification,omitempty"`
	Ticket        pim.Ticket    `json:"ticket,omitzero"`
}

// ProlongRequest asks an administrator to let an eligibility last longer, or with
// Assigned an assignment that was given for a time: an extension before the end, a
// renewal after it. The answer is the pim.Operation.
type ProlongRequest struct {
	Account  string  `json:"account"`
	Key      pim.Key `json:"key"`
	Assigned bool    `json:"assigned,omitempty"`
	// End is the wished end; zero means as long again as it lasts now.
	End           time.Time `json:"end,omitzero"`
	Justification string    `json:"justification,omitempty"`
}

// ChildrenRequest asks for the scopes one level below a scope at which a role can
// be activated; a zero Scope is that of the eligibility.
type ChildrenRequest struct {
	Account string    `json:"account"`
	Key     pim.Key   `json:"key"`
	Scope   pim.Scope `json:"scope,omitzero"`
}

// ChildrenAnswer is the scopes, in the order of their names.
type ChildrenAnswer struct {
	Scopes []pim.Scope `json:"scopes"`
}
