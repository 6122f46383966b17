package wire

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"roletray/pim"
)

// MaxWait is the longest that a call waits because the service asked for a
// pause. A longer pause fails the call at once, so that the person is told.
const MaxWait = 10 * time.Second

// longestPause bounds a Retry-After that makes no sense.
const longestPause = time.Hour

// Gate is the pause that a service has asked for. It holds for every call to the
// service, not only for the one that was told. It is safe for concurrent use.
type Gate struct {
	now func() time.Time

	mu    sync.Mutex
	until time.Time
	pause time.Duration // the last one's length
}

// Do is the pipeline's policy. A call in the pause waits for up to MaxWait, or
// fails at once with CodeThrottled when the pause is longer.
func (g *Gate) Do(req *policy.Request) (*http.Response, error) {
	if err := g.wait(req.Raw().Context()); err != nil {
		return nil, err
	}
	resp, err := req.Next()
	if err == nil && (resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable) {
		g.Close(RetryAfter(resp.Header, g.now()))
	}
	return resp, err
}

// Close begins a pause of d, or lengthens the one that there is.
func (g *Gate) Close(d time.Duration) {
	until := g.now().Add(d)
	g.mu.Lock()
	defer g.mu.Unlock()
	if until.After(g.until) {
		g.until, g.pause = until, d
	}
}

func (g *Gate) wait(ctx context.Context) error {
	now := g.now()
	g.mu.Lock()
	if g.until.Sub(now) > g.pause {
		g.until = now.Add(g.pause) // The clock was set back.
	}
	left := g.until.Sub(now)
	g.mu.Unlock()
	if left <= 0 {
		return nil
	}
	if left > MaxWait {
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

// RetryAfter reads how long the service asks to be left alone, from the headers
// that Microsoft's services use for it: at most an hour, and zero where it does
// not say.
func RetryAfter(h http.Header, now time.Time) time.Duration {
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
