package arm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	azcorearm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"roletray/pim"
	"roletray/pim/arm"
)

const (
	me           = "a3bb8764-cb92-4276-9d2a-ca1e895e55ea"
	subscription = "/subscriptions/dfa2a084-766f-4003-8ae1-c4aeb893a99f"
	contributor  = subscription + "/providers/Microsoft.Authorization/roleDefinitions/c8d4ff99-41c3-41a8-9f60-21dfdad59608"
	schedule     = subscription + "/providers/Microsoft.Authorization/RoleEligibilitySchedules/b1477448-2cc6-4ceb-93b4-54a202a89413"
	ours         = "fea7a502-9a96-4806-a26f-eee560e52045"
	pimPath      = "/providers/Microsoft.Authorization/"
)

// call is a request as the service saw it.
type call struct {
	Method, Path, Filter string
	Header               http.Header
	// JSON is the whole body, and Body what it holds of properties.
	JSON map[string]any
	Body struct {
		Properties map[string]any `json:"properties"`
	}
}

// service is a server that answers as a test says, and a Provider for it.
type service struct {
	*arm.Provider
	url string

	mu    sync.Mutex
	calls []call
	now   time.Time
}

func newService(t *testing.T, answer func(w http.ResponseWriter, c call), change ...func(*arm.Params)) *service {
	t.Helper()
	s := &service{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := call{Method: r.Method, Path: r.URL.Path, Filter: r.URL.Query().Get("$filter"), Header: r.Header}
		data, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		if len(data) > 0 {
			if err := errors.Join(json.Unmarshal(data, &c.Body), json.Unmarshal(data, &c.JSON)); err != nil {
				t.Errorf("the request's body %q: %v", data, err)
			}
		}
		version := "2020-10-01"
		switch {
		case strings.Contains(c.Path, "roleAssignmentApprovals"):
			version = "2021-01-01-preview"
		case strings.HasSuffix(c.Path, "/resources"):
			version = "2021-04-01"
		}
		if v := r.URL.Query().Get("api-version"); v != version {
			t.Errorf("api-version of %s is %q", c.Path, v)
		}
		s.mu.Lock()
		s.calls = append(s.calls, c)
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		answer(w, c)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	options := &azcorearm.ClientOptions{}
	options.Cloud = cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
		cloud.ResourceManager: {Endpoint: server.URL, Audience: server.URL},
	}}
	options.Transport = server.Client()
	options.Retry.RetryDelay = time.Millisecond
	p := arm.Params{UserID: strings.ToUpper(me), Options: options, Now: s.clock}
	for _, f := range change {
		f(&p)
	}
	var err error
	if s.Provider, err = arm.New(p); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *service) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *service) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *service) seen() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

func (s *service) count(method string) (n int) {
	for _, c := range s.seen() {
		if c.Method == method {
			n++
		}
	}
	return n
}

// example is the body of one of Microsoft's example answers.
func example(t *testing.T, name, status string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Responses map[string]struct{ Body json.RawMessage }
	}
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	body := e.Responses[status].Body
	if len(body) == 0 {
		t.Fatalf("%s has no answer %s", name, status)
	}
	return body
}

func send(w http.ResponseWriter, status int, body []byte) {
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	body, _ := json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": message}})
	send(w, status, body)
}

func exampleEligibility() pim.Eligibility {
	return pim.Eligibility{
		Role: pim.Role{
			Kind: pim.KindAzure, DefinitionID: contributor, Name: "Contributor",
			Scope: pim.Scope{ID: subscription, Name: "Pay-As-You-Go", Type: pim.ScopeSubscription},
		},
		ScheduleID: schedule, PrincipalID: me, Via: pim.ViaDirect,
		Condition: "@Resource[x] StringEqualsIgnoreCase 'foo'", ConditionVersion: "1.0",
	}
}

func exampleActivation() pim.Activation {
	return pim.Activation{ID: ours, Eligibility: exampleEligibility(), Duration: 8 * time.Hour, Justification: "a reason"}
}

func wantCode(t *testing.T, err error, want pim.Code) *pim.Error {
	t.Helper()
	if got := pim.CodeOf(err); got != want {
		t.Fatalf("code is %q, want %q: %v", got, want, err)
	}
	return asError(err)
}

// short ends a test that hangs.
func short(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// cut ends the connection without an answer.
func cut(http.ResponseWriter) { panic(http.ErrAbortHandler) }

func replace(body []byte, pairs ...string) []byte {
	for i := 0; i < len(pairs); i += 2 {
		if !bytes.Contains(body, []byte(pairs[i])) {
			panic(fmt.Sprintf("%q is not in the example", pairs[i]))
		}
		body = bytes.ReplaceAll(body, []byte(pairs[i]), []byte(pairs[i+1]))
	}
	return body
}
