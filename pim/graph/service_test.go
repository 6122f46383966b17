package graph_test

import (
	"context"
	"encoding/json"
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

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"roletray/pim"
	"roletray/pim/graph"
)

const (
	me        = "071cc716-8147-4397-a5ba-b2105951cc0b"
	attribute = "8424c6f0-a189-499e-bbd0-26c1753c96d4"
	group     = "2b5ed229-4072-478d-9504-a047ebd4b07d"
	ours      = "fea7a502-9a96-4806-a26f-eee560e52045"

	directoryBase = "/v1.0/roleManagement/directory/"
	groupBase     = "/v1.0/identityGovernance/privilegedAccess/group/"
	mineSuffix    = "/filterByCurrentUser(on='principal')"
)

// call is a request as the service saw it.
type call struct {
	Method, Path string
	Query        map[string]string
	Header       http.Header
	Body         map[string]any
}

// service is a server that answers as a test says, and a Client for it. What the
// organisation is called it answers by itself, and counts apart.
type service struct {
	*graph.Client
	url string
	// organization is that name; where empty, it is refused.
	organization string

	mu    sync.Mutex
	calls []call
	now   time.Time
}

func newService(t *testing.T, answer func(w http.ResponseWriter, c call), change ...func(*graph.Params)) *service {
	t.Helper()
	s := &service{now: time.Date(2022, 4, 13, 8, 52, 0, 0, time.UTC)}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := call{Method: r.Method, Path: r.URL.Path, Query: map[string]string{}, Header: r.Header}
		for k, v := range r.URL.Query() {
			c.Query[k] = v[0]
		}
		data, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		if len(data) > 0 {
			if err := json.Unmarshal(data, &c.Body); err != nil {
				t.Errorf("the request's body %q: %v", data, err)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		if c.Path == "/v1.0/organization" {
			s.name(w, c)
			return
		}
		s.mu.Lock()
		s.calls = append(s.calls, c)
		s.mu.Unlock()
		answer(w, c)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	options := &policy.ClientOptions{Transport: server.Client()}
	options.Retry.RetryDelay = time.Millisecond
	p := graph.Params{UserID: strings.ToUpper(me), Endpoint: server.URL, Options: options, Now: s.clock}
	for _, f := range change {
		f(&p)
	}
	var err error
	if s.Client, err = graph.New(p); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *service) name(w http.ResponseWriter, c call) {
	if c.Query["$select"] != "id,displayName" || s.organization == "" {
		refuse(w, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
		return
	}
	sendJSON(w, 200, listOf(map[string]string{"id": "84841066-274d-4ec0-a5c1-276be684bdd3", "displayName": s.organization}))
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

// count is how many calls there were whose path ends so.
func (s *service) count(suffix string) (n int) {
	for _, c := range s.seen() {
		if strings.HasSuffix(c.Path, suffix) {
			n++
		}
	}
	return n
}

// example is one of Microsoft's example answers.
func example(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func send(w http.ResponseWriter, status int, body []byte) {
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func sendJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	send(w, status, body)
}

func listOf(rows ...any) map[string]any {
	if rows == nil {
		rows = []any{}
	}
	return map[string]any{"value": rows}
}

// noProlongations answers for the requests about eligibilities that there are none.
func noProlongations(answer func(w http.ResponseWriter, c call)) func(w http.ResponseWriter, c call) {
	return func(w http.ResponseWriter, c call) {
		if strings.Contains(strings.ToLower(c.Path), "eligibilityschedulerequests") {
			sendJSON(w, 200, listOf())
			return
		}
		answer(w, c)
	}
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	sendJSON(w, status, failure(code, message))
}

func failure(code, message string) map[string]any {
	return map[string]any{"error": map[string]any{"code": code, "message": message, "innerError": map[string]string{"request-id": "1"}}}
}

// wrapped is the form that puts PIM's own error into a message.
func wrapped(w http.ResponseWriter, status int, code, message string) {
	inner, _ := json.Marshal(map[string]string{"errorCode": code, "message": message})
	refuse(w, status, "UnknownError", string(inner))
}

func attributeRole() pim.Role {
	return pim.Role{
		Kind: pim.KindDirectory, DefinitionID: attribute, Name: "Attribute Assignment Administrator",
		Scope: pim.Scope{ID: "/", Name: "Contoso", Type: pim.ScopeDirectory},
	}
}

func groupRole() pim.Role {
	return pim.Role{
		Kind: pim.KindGroup, DefinitionID: "member", Name: "Member", Access: pim.AccessMember,
		Scope: pim.Scope{ID: group, Name: "On call", Type: pim.ScopeGroup},
	}
}

func activationOf(r pim.Role) pim.Activation {
	return pim.Activation{ID: ours, Eligibility: pim.Eligibility{Role: r, PrincipalID: me}, Duration: 5 * time.Hour, Justification: "a reason"}
}

func wantCode(t *testing.T, err error, want pim.Code) {
	t.Helper()
	if got := pim.CodeOf(err); got != want {
		t.Fatalf("code is %q, want %q: %v", got, want, err)
	}
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
