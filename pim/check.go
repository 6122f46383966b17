package pim

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
