package wire

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"roletray/pim"
)

// Configure adds the package's policies to the options of a pipeline, around
// those that are there, and sets how reads are repeated. now is the clock of
// pauses; timeout bounds one exchange with the service, without the time that it
// takes to get a token. The Gate is the pipeline's.
func Configure(o *policy.ClientOptions, now func() time.Time, timeout time.Duration) *Gate {
	if o.Telemetry.ApplicationID == "" {
		o.Telemetry.ApplicationID = "roletray"
	}
	if o.Retry.MaxRetries == 0 {
		o.Retry.MaxRetries = 2
	}
	o.Retry.MaxRetryDelay = MaxWait
	o.Retry.ShouldRetry = retryRead
	gate := &Gate{now: now}
	o.PerCallPolicies = slices.Concat([]policy.Policy{Func(outcome)}, o.PerCallPolicies)
	o.PerRetryPolicies = slices.Concat([]policy.Policy{gate}, o.PerRetryPolicies, []policy.Policy{exchange{timeout: timeout}})
	return gate
}

// Func is a pipeline policy in one function.
type Func func(*policy.Request) (*http.Response, error)

// Do calls f.
func (f Func) Do(req *policy.Request) (*http.Response, error) { return f(req) }

type (
	// sentKey is the context key of an *atomic.Bool that tells whether any of a
	// request has gone out.
	sentKey struct{}
	readKey struct{}
)

// Writing is for the context of a request that changes something. It makes
// azcore's retry policy, which looks at no method, repeat only what the service
// has not begun: an answer 429 that says when to come again.
func Writing(ctx context.Context) context.Context {
	return policy.WithRetryOptions(ctx, policy.RetryOptions{
		MaxRetries:    1,
		MaxRetryDelay: MaxWait,
		ShouldRetry: func(resp *http.Response, err error) bool {
			return err == nil && resp.StatusCode == http.StatusTooManyRequests && RetryAfter(resp.Header, time.Time{}) > 0
		},
	})
}

// Reading is for the context of a request that changes nothing although its
// method is not GET.
func Reading(ctx context.Context) context.Context { return context.WithValue(ctx, readKey{}, true) }

func isWrite(req *policy.Request) bool {
	reads, _ := req.Raw().Context().Value(readKey{}).(bool)
	return req.Raw().Method != http.MethodGet && !reads
}

// Naming is the pipeline's policy that sends the id of a write's pim.Call in headers, and
// notes the id that the service gives it. Sources: Azure Resource Manager's "Common API request
// headers" and Microsoft Graph's "Best practices", on client-request-id.
func Naming(headers ...string) Func {
	return func(req *policy.Request) (*http.Response, error) {
		call := pim.CallOf(req.Raw().Context())
		if call == nil || !isWrite(req) {
			return req.Next()
		}
		for _, name := range headers {
			req.Raw().Header.Set(name, call.ID)
		}
		resp, err := req.Next()
		if err == nil {
			call.Service = correlationID(resp.Header)
		}
		return resp, err
	}
}

// outcome stands outermost. It marks every error that a policy returned, so that
// what is left is an answer that could not be decoded, and it corrects the retry
// policy, which replaces the error of a write that was under way by that of the
// ended context.
func outcome(req *policy.Request) (*http.Response, error) {
	var sent atomic.Bool
	ctx := req.Raw().Context()
	resp, err := req.WithContext(context.WithValue(ctx, sentKey{}, &sent)).Next()
	if err == nil {
		return resp, nil
	}
	if ctx.Err() != nil && sent.Load() && isWrite(req) {
		err = &pim.Error{Code: pim.CodeTimeout, Err: err}
	}
	return nil, &transportError{err}
}

// transportError is an error of the pipeline, as opposed to one of decoding.
type transportError struct{ error }

func (e *transportError) Unwrap() error { return e.error }

// exchange stands innermost, after the request has its token. It bounds one
// exchange and tells apart what kept it from an answer.
type exchange struct{ timeout time.Duration }

func (x exchange) Do(req *policy.Request) (*http.Response, error) {
	parent := req.Raw().Context()
	sent, _ := parent.Value(sentKey{}).(*atomic.Bool)
	ctx, cancel := context.WithTimeout(parent, x.timeout)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	resp, err := req.WithContext(ctx).Next()
	if err != nil {
		if parent.Err() != nil {
			return nil, parent.Err()
		}
		return nil, unanswered(err, isWrite(req), sent.Load())
	}
	return resp, nil
}

// unanswered is the error of an exchange without an answer. For a write it is
// CodeTimeout where it may have taken effect and CodeOffline where nothing of it
// went out; for a read the two mean what they say.
func unanswered(err error, write, sent bool) error {
	e := &pim.Error{Code: pim.CodeOffline, Err: err}
	var timeout net.Error
	slow := errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
	if write && sent || !write && slow {
		e.Code = pim.CodeTimeout
	}
	return e
}

// retryRead says whether a read is worth another try: after an answer that the
// service itself calls passing, or a connection that broke, but not where none
// could be made.
func retryRead(resp *http.Response, err error) bool {
	if err != nil {
		e, ok := errors.AsType[*pim.Error](err)
		dial, isOp := errors.AsType[*net.OpError](err)
		return ok && e.Code == pim.CodeOffline && !(isOp && dial.Op == "dial")
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
