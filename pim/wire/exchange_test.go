package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"roletray/pim"
)

// service stands in for the network: it answers each try in turn, the last one
// for ever.
type service struct {
	tries []func(*http.Request) (*http.Response, error)
	calls int
}

func (s *service) Do(req *http.Request) (*http.Response, error) {
	i := min(s.calls, len(s.tries)-1)
	s.calls++
	return s.tries[i](req)
}

// took says that the request has gone out.
func took(req *http.Request) {
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.WroteHeaders != nil {
		trace.WroteHeaders()
	}
}

func status(code int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		took(req)
		resp := &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: req}
		for i := 0; i < len(header); i += 2 {
			resp.Header.Set(header[i], header[i+1])
		}
		return resp, nil
	}
}

func cut(req *http.Request) (*http.Response, error) {
	took(req)
	return nil, io.ErrUnexpectedEOF
}

func unreachable(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Err: errors.New("no route")}
}

// silence lasts until the call is given up.
func silence(req *http.Request) (*http.Response, error) {
	took(req)
	<-req.Context().Done()
	return nil, req.Context().Err()
}

func do(ctx context.Context, method string, s *service) (*http.Response, error) {
	o := &policy.ClientOptions{Transport: s}
	Configure(o, time.Now, 30*time.Second)
	req, err := runtime.NewRequest(ctx, method, "https://service.example/thing")
	if err != nil {
		return nil, err
	}
	resp, err := runtime.NewPipeline("test", "v1", runtime.PipelineOptions{}, o).Do(req)
	return resp, With(nil).Translate(err)
}

func TestExchanges(t *testing.T) {
	type answer = func(*http.Request) (*http.Response, error)
	write := func(ctx context.Context) (context.Context, string) { return Writing(ctx), "POST" }
	read := func(ctx context.Context) (context.Context, string) { return ctx, "GET" }
	readByPost := func(ctx context.Context) (context.Context, string) { return Reading(ctx), "POST" }
	for name, test := range map[string]struct {
		how    func(context.Context) (context.Context, string)
		tries  []answer
		code   pim.Code
		status int
		calls  int
	}{
		"a read goes on after a fault":           {read, []answer{status(503), cut, status(200)}, "", 200, 3},
		"a read gives up":                        {read, []answer{status(503)}, "", 503, 3},
		"a read without a network":               {read, []answer{unreachable}, pim.CodeOffline, 0, 1},
		"a read without an answer":               {read, []answer{silence}, pim.CodeTimeout, 0, 1},
		"a read by POST goes on":                 {readByPost, []answer{status(500), cut, status(200)}, "", 200, 3},
		"a write stops at a fault":               {write, []answer{status(503), status(201)}, "", 503, 1},
		"a write stops when it is cut":           {write, []answer{cut, status(201)}, pim.CodeTimeout, 0, 1},
		"a write without an answer":              {write, []answer{silence, status(201)}, pim.CodeTimeout, 0, 1},
		"a write without a network":              {write, []answer{unreachable, status(201)}, pim.CodeOffline, 0, 1},
		"a write that was not begun":             {write, []answer{status(429, "Retry-After", "3"), status(201)}, "", 201, 2},
		"a write that was not begun, for longer": {write, []answer{status(429, "Retry-After", "30"), status(201)}, "", 429, 1},
		"a write that is not told when":          {write, []answer{status(429), status(201)}, "", 429, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{tries: test.tries}
				ctx, method := test.how(t.Context())
				resp, err := do(ctx, method, s)
				if pim.CodeOf(err) != test.code || s.calls != test.calls {
					t.Errorf("%v after %d calls", err, s.calls)
				}
				if err == nil && resp.StatusCode != test.status {
					t.Errorf("status is %d", resp.StatusCode)
				}
			})
		})
	}
}

func TestWriteThatIsGivenUpMayHaveArrived(t *testing.T) {
	for name, test := range map[string]struct {
		method string
		code   pim.Code
	}{"write": {"POST", pim.CodeTimeout}, "read": {"GET", pim.CodeCancelled}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				if _, err := do(ctx, test.method, &service{tries: []func(*http.Request) (*http.Response, error){silence}}); pim.CodeOf(err) != test.code {
					t.Errorf("error is %v", err)
				}
			})
		})
	}
}

func TestErrorOfAPolicyPassesAsItIs(t *testing.T) {
	refused := errors.New("no token")
	o := &policy.ClientOptions{Transport: &service{}, PerRetryPolicies: []policy.Policy{
		Func(func(*policy.Request) (*http.Response, error) { return nil, &finalError{refused} }),
	}}
	Configure(o, time.Now, time.Second)
	req, err := runtime.NewRequest(t.Context(), "GET", "https://service.example/thing")
	if err != nil {
		t.Fatal(err)
	}
	_, err = runtime.NewPipeline("test", "v1", runtime.PipelineOptions{}, o).Do(req)
	if err = With(nil).Translate(err); !errors.Is(err, refused) || pim.CodeOf(err) != pim.CodeInternal {
		t.Errorf("error is %v", err)
	}
}

func TestGateHoldsForEveryCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{tries: []func(*http.Request) (*http.Response, error){status(200)}}
		o := &policy.ClientOptions{Transport: s}
		gate := Configure(o, time.Now, time.Second)
		pipeline := runtime.NewPipeline("test", "v1", runtime.PipelineOptions{}, o)
		call := func() error {
			req, err := runtime.NewRequest(t.Context(), "GET", "https://service.example/thing")
			if err != nil {
				return err
			}
			_, err = pipeline.Do(req)
			return With(nil).Translate(err)
		}
		gate.Close(time.Minute)
		gate.Close(time.Second) // A shorter pause does not end a longer one.
		err := call()
		if e, _ := errors.AsType[*pim.Error](err); pim.CodeOf(err) != pim.CodeThrottled || e.RetryAfter != time.Minute || s.calls != 0 {
			t.Errorf("%v after %d calls", err, s.calls)
		}
		time.Sleep(55 * time.Second)
		before := time.Now()
		if err := call(); err != nil || time.Since(before) != 5*time.Second || s.calls != 1 {
			t.Errorf("%v after %v and %d calls", err, time.Since(before), s.calls)
		}
	})
}

func TestPauseOutlastsNoClockThatIsSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := time.Now()
		gate := &Gate{now: func() time.Time { return clock }}
		gate.Close(8 * time.Second)
		clock = clock.Add(-3 * time.Hour)
		began := time.Now()
		if err := gate.wait(t.Context()); err != nil {
			t.Errorf("a pause of 8 s became one of %v", err)
		}
		if took := time.Since(began); took != 8*time.Second {
			t.Errorf("waited %v", took)
		}
	})
}
