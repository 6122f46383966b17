package world

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Caller is what a valid access token says of the one who calls.
type Caller struct {
	// UserID is the object id, claim oid.
	UserID string
	// ClientID is the application that asked for the token, claim appid.
	ClientID string
	// TokenID is unique to the token, claim uti.
	TokenID string
	// Scopes are the delegated permissions, claim scp.
	Scopes []string
	// Contexts are the authentication contexts that were met, claim acrs.
	Contexts []string
	// Methods are the authentication methods, claim amr: pwd, mfa.
	Methods []string
	// Capabilities are the client's capabilities, claim xms_cc: cp1.
	Capabilities []string
	// Issued is when the token was issued.
	Issued time.Time
}

// HasCapability tells whether the client declared that capability, such as cp1,
// without which Microsoft sends no claims challenge.
func (c Caller) HasCapability(name string) bool {
	return slices.ContainsFunc(c.Capabilities, func(s string) bool { return strings.EqualFold(s, name) })
}

type callerKey struct{}

// WithCaller returns a context that carries the authenticated caller of a request.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom is the caller that WithCaller put in. It is false for a request
// that was not authenticated.
func CallerFrom(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}
