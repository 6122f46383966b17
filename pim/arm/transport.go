package arm

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"roletray/pim"
)

// maxWait is the longest that a call waits because the service asked for a
// pause. A longer pause fails the call at once, so that the person is told.
const maxWait = 10 * time.Second

// longestPause bounds a Retry-After that makes no sense.
const longestPause = time.Hour

type policyFunc func(*policy.Request) (*http.Response, error)

func (f policyFunc) Do(req *policy.Request) (*http.Response, error) { return f(req) }

// sentKey is the context key of an *atomic.Bool that tells whether any of a
// request has gone out.
type sentKey struct{}

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

func isWrite(req *policy.Request) bool { return req.Raw().Method != http.MethodGet }

// filterKey is the context key of a filter for an operation whose client cannot
// send one.
type filterKey struct{}

func addFilter(req *policy.Request) (*http.Response, error) {
	if filter, ok := req.Raw().Context().Value(filterKey{}).(string); ok {
		query := req.Raw().URL.Query()
		query.Set("$filter", filter)
		req.Raw().URL.RawQuery = query.Encode()
	}
	return req.Next()
}

// gate obeys Retry-After for every call to the service, not only for the one
// that was told. A call in the pause waits for up to maxWait, or fails at once
// with CodeThrottled when the pause is longer.
type gate struct {
	now func() time.Time

	mu    sync.Mutex
	until time.Time
}

func (g *gate) Do(req *policy.Request) (*http.Response, error) {
	if err := g.wait(req.Raw().Context()); err != nil {
		return nil, err
	}
	resp, err := req.Next()
	if err == nil && (resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable) {
		g.close(retryAfter(resp.Header, g.now()))
	}
	return resp, err
}

func (g *gate) close(d time.Duration) {
	until := g.now().Add(d)
	g.mu.Lock()
	defer g.mu.Unlock()
	if until.After(g.until) {
		g.until = until
	}
}

func (g *gate) wait(ctx context.Context) error {
	g.mu.Lock()
	left := g.until.Sub(g.now())
	g.mu.Unlock()
	if left <= 0 {
		return nil
	}
	if left > maxWait {
		return &finalError{&pim.Error{Code: pim.CodeThrottled, RetryAfter: left}}
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// finalError keeps azcore's retry policy from trying again.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// NonRetriable marks the error for azcore.
func (*finalError) NonRetriable() {}

// exchange stands innermost, after the request has its token. It bounds one
// exchange, tells apart what kept it from an answer, and folds the success codes
// of writes into the single one that the client accepts.
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
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		switch req.Raw().Method {
		case http.MethodPut:
			resp.StatusCode = http.StatusCreated
		case http.MethodPost:
			resp.StatusCode = http.StatusOK
		}
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

// writing makes azcore's retry policy, which looks at no method, repeat only what
// the service has not begun.
func writing(ctx context.Context) context.Context {
	return policy.WithRetryOptions(ctx, policy.RetryOptions{
		MaxRetries:    1,
		MaxRetryDelay: maxWait,
		ShouldRetry: func(resp *http.Response, err error) bool {
			return err == nil && resp.StatusCode == http.StatusTooManyRequests && retryAfter(resp.Header, time.Time{}) > 0
		},
	})
}

// retryAfter reads how long the service asks to be left alone, at most
// longestPause, from the headers that Azure uses for it.
func retryAfter(h http.Header, now time.Time) time.Duration {
	for _, f := range []struct {
		name string
		unit time.Duration
	}{{"retry-after-ms", time.Millisecond}, {"x-ms-retry-after-ms", time.Millisecond}, {"retry-after", time.Second}} {
		v := h.Get(f.name)
		if n, err := strconv.ParseInt(v, 10, 32); err == nil {
			if n > 0 {
				return min(time.Duration(n)*f.unit, longestPause)
			}
			continue
		}
		if t, err := http.ParseTime(v); err == nil && t.After(now) {
			return min(t.Sub(now), longestPause)
		}
	}
	return 0
}
