package tenant

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Names of the services, in faults and in the log.
const (
	serviceARM   = "arm"
	serviceGraph = "graph"
	serviceLogin = "login"
)

// Fault is something that goes wrong with requests to a service.
type Fault struct {
	// Service is arm, graph or login.
	Service string `json:"service"`
	// Method and PathContains choose the requests, without regard to case.
	// Empty means all.
	Method       string `json:"method,omitempty"`
	PathContains string `json:"pathContains,omitempty"`
	// Times is how many requests it hits; zero means until it is cleared.
	Times int `json:"times,omitempty"`
	// After is how many matching requests go well before the first hit.
	After int `json:"after,omitempty"`

	// LatencyMs is a wait before the request is looked at; HoldMs one after it
	// took effect and before it is answered.
	LatencyMs int `json:"latencyMs,omitempty"`
	HoldMs    int `json:"holdMs,omitempty"`
	// Status answers in place of the service, with RetryAfter if not empty.
	Status     int    `json:"status,omitempty"`
	RetryAfter string `json:"retryAfter,omitempty"`
	// CutBefore and CutAfter cut the connection without an answer, before or
	// after the request took effect.
	CutBefore bool `json:"cutBefore,omitempty"`
	CutAfter  bool `json:"cutAfter,omitempty"`
	// Body replaces the body of the answer. Without a Status the request takes
	// effect all the same.
	Body string `json:"body,omitempty"`
	// Header is added to the answer.
	Header map[string]string `json:"header,omitempty"`
}

// maxWaitMs bounds the waits, so that a slip of the finger does not hang a test
// run for good.
const maxWaitMs = 10 * 60 * 1000

func (f Fault) validate() error {
	switch {
	case f.Service != serviceARM && f.Service != serviceGraph && f.Service != serviceLogin:
		return fmt.Errorf("service must be %q, %q or %q, not %q", serviceARM, serviceGraph, serviceLogin, f.Service)
	case f.Times < 0 || f.After < 0:
		return errors.New("times and after cannot be negative")
	case f.LatencyMs < 0 || f.LatencyMs > maxWaitMs || f.HoldMs < 0 || f.HoldMs > maxWaitMs:
		return fmt.Errorf("latencyMs and holdMs must be between 0 and %d", maxWaitMs)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status must be between 200 and 599, not %d", f.Status)
	case f.CutBefore && f.CutAfter:
		return errors.New("cutBefore and cutAfter exclude each other")
	case f.LatencyMs == 0 && f.HoldMs == 0 && f.Status == 0 && !f.CutBefore && !f.CutAfter && f.Body == "" && len(f.Header) == 0:
		return errors.New("the fault has no effect: set latencyMs, holdMs, status, cutBefore, cutAfter, body or header")
	}
	return nil
}

func (f Fault) matches(service string, r *http.Request) bool {
	return f.Service == service &&
		(f.Method == "" || strings.EqualFold(f.Method, r.Method)) &&
		strings.Contains(strings.ToLower(r.URL.Path), strings.ToLower(f.PathContains))
}

// faultState is a fault with how often it matched and hit so far.
type faultState struct {
	Fault
	Matched int `json:"matched"`
	Hits    int `json:"hits"`
}

// faults is the list of what goes wrong. The zero value is empty.
type faults struct {
	mu   sync.Mutex
	list []*faultState
}

func (f *faults) add(list []Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range list {
		f.list = append(f.list, &faultState{Fault: fault})
	}
}

func (f *faults) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = nil
}

func (f *faults) state() []faultState {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]faultState, len(f.list))
	for i, s := range f.list {
		list[i] = *s
	}
	return list
}

// take is the first fault that hits the request; the zero Fault where none does.
func (f *faults) take(service string, r *http.Request) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.list {
		if !s.matches(service, r) || s.Times > 0 && s.Hits >= s.Times {
			continue
		}
		s.Matched++
		if s.Matched > s.After {
			s.Hits++
			return s.Fault
		}
	}
	return Fault{}
}

// serve lets the fault happen to a request.
func (f Fault) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if !wait(r, f.LatencyMs) || f.CutBefore {
		panic(http.ErrAbortHandler)
	}
	held := &heldAnswer{header: http.Header{}}
	if f.Status == 0 {
		next.ServeHTTP(held, r)
	} else {
		held.status = f.Status
		held.header.Set("Content-Type", "application/json; charset=utf-8")
		held.body.WriteString(envelope(f.Service, f.Status))
	}
	if f.Body != "" {
		held.body.Reset()
		held.body.WriteString(f.Body)
	}
	if f.RetryAfter != "" {
		held.header.Set("Retry-After", f.RetryAfter)
	}
	for name, value := range f.Header {
		held.header.Set(name, value)
	}
	if !wait(r, f.HoldMs) || f.CutAfter {
		panic(http.ErrAbortHandler)
	}
	held.release(w)
}

// wait is false if the client or the tenant gave up meanwhile.
func wait(r *http.Request, ms int) bool {
	if ms == 0 {
		return true
	}
	timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// envelope is the body of an error in the service's own form.
func envelope(service string, status int) string {
	code := strings.ReplaceAll(http.StatusText(status), " ", "")
	var body any = map[string]any{"error": map[string]string{"code": code, "message": toldTo(status)}}
	if service == serviceLogin {
		body = map[string]any{
			"error":             "temporarily_unavailable",
			"error_description": "AADSTS90033: A transient error has occurred. Please try again.",
			"error_codes":       []int{90033},
		}
	}
	b, err := json.Marshal(body)
	if err != nil {
		return ""
	}
	return string(b)
}

func toldTo(status int) string {
	return fmt.Sprintf("The simulated tenant was told to answer %d.", status)
}

// heldAnswer is an answer that was written and not sent.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header { return h.header }

func (h *heldAnswer) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *heldAnswer) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return h.body.Write(b)
}

func (h *heldAnswer) release(w http.ResponseWriter) {
	h.WriteHeader(http.StatusOK)
	maps.Copy(w.Header(), h.header)
	w.Header().Del("Content-Length")
	w.WriteHeader(h.status)
	_, _ = w.Write(h.body.Bytes())
}
