package pim

// Finding is what a check of one activation came to.
type Finding struct {
	// Problem is what speaks against it, or nil.
	Problem *Problem `json:"problem,omitempty"`
	// Local says that only the role's settings were judged, since the service has
	// no dry run for it.
	Local bool `json:"local,omitempty"`
	// Operation is set where the service took the check for a request: it is
	// followed, and can be cancelled or ended.
	Operation string `json:"operation,omitempty"`
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
