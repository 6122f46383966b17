package pim

import "context"

// Call names one write in the logs of a service, for a support case.
type Call struct {
	// ID is a GUID that the client chose and sends along.
	ID string
	// Service is the service's own id of it, from its newest answer, or empty.
	Service string
}

// CorrelationID is what to ask the service's support with: the service's id, or the client's
// where no answer named one.
func (c *Call) CorrelationID() string {
	if c.Service != "" {
		return c.Service
	}
	return c.ID
}

type callKey struct{}

// WithCall names the writes of the returned context, which are made one after another.
// Providers set the Service of c when the service has answered.
func WithCall(ctx context.Context, c *Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallOf is the call of a context, or nil.
func CallOf(ctx context.Context) *Call {
	c, _ := ctx.Value(callKey{}).(*Call)
	return c
}
