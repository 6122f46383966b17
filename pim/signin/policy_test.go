package signin_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	azruntime "github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"

	"roletray/pim"
	"roletray/pim/signin"
	"roletray/pim/tenant"
)

// eligible is the path of a list that every token may read.
const eligible = "/providers/Microsoft.Authorization/roleEligibilityScheduleInstances?api-version=2020-10-01&$filter=asTarget()"

// transport notes the Authorization header of each request.
type transport struct {
	*http.Client
	mu   sync.Mutex
	sent []string
}

func (tr *transport) Do(r *http.Request) (*http.Response, error) {
	tr.mu.Lock()
	tr.sent = append(tr.sent, r.Header.Get("Authorization"))
	tr.mu.Unlock()
	return tr.Client.Do(r)
}

// wire makes a pipeline with the policy alone, as a client of Graph has it.
func (b *bench) wire(source signin.TokenSource, a pim.Audience) (azruntime.Pipeline, *transport) {
	b.t.Helper()
	client, err := signin.HTTPClient(b.cloud)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(client.CloseIdleConnections)
	tr := &transport{Client: client}
	return azruntime.NewPipeline("test", "v1.0.0", azruntime.PipelineOptions{}, &policy.ClientOptions{
		Transport:        tr,
		Retry:            policy.RetryOptions{MaxRetries: 2, RetryDelay: 1, MaxRetryDelay: 1},
		PerRetryPolicies: []policy.Policy{signin.Policy(source, b.cloud, a)},
	}), tr
}

func (b *bench) do(ctx context.Context, p azruntime.Pipeline, method, url string) (*http.Response, error) {
	b.t.Helper()
	req, err := azruntime.NewRequest(ctx, method, url)
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPut {
		if err := req.SetBody(streaming.NopCloser(bytes.NewReader([]byte(`{"properties":{}}`))), "application/json"); err != nil {
			b.t.Fatal(err)
		}
	}
	resp, err := p.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	return resp, err
}

func TestPolicy(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	p, _ := b.wire(s.Source(acc.ID), pim.AudienceARM)
	resp, err := b.do(t.Context(), p, http.MethodGet, b.cloud.ARM+eligible)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
}

// TestARMClientOptions uses a client of armauthorization with no credential.
func TestARMClientOptions(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	options, err := signin.ARMClientOptions(s.Source(acc.ID), b.cloud)
	if err != nil {
		t.Fatal(err)
	}
	client, err := armauthorization.NewRoleEligibilityScheduleInstancesClient(nil, options)
	if err != nil {
		t.Fatal(err)
	}
	filter := "asTarget()"
	pager := client.NewListForScopePager("", &armauthorization.RoleEligibilityScheduleInstancesClientListForScopeOptions{Filter: &filter})
	n := 0
	for pager.More() {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Value)
	}
	if n == 0 {
		t.Error("no eligibility was listed")
	}
}

// TestGraphClientOptions reads with a pipeline that knows no credential but the options.
func TestGraphClientOptions(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	options, err := signin.GraphClientOptions(s.Source(acc.ID), b.cloud)
	if err != nil {
		t.Fatal(err)
	}
	p := azruntime.NewPipeline("test", "v1.0.0", azruntime.PipelineOptions{}, options)
	resp, err := b.do(t.Context(), p, http.MethodGet, b.cloud.Graph+"/v1.0/me")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
	// A token goes to the cloud's own Graph only.
	if resp, err := b.do(t.Context(), p, http.MethodGet, b.cloud.ARM+eligible); err == nil {
		t.Errorf("sent to another host: %v", resp.Status)
	}
	broken := b.cloud
	broken.CAFile = "no such file"
	if _, err := signin.GraphClientOptions(s.Source(acc.ID), broken); err == nil {
		t.Error("a certificate that cannot be read is none")
	}
}

// TestChallenge revokes the tokens but not the sign-in: the request succeeds with a
// new token, once, and with no browser.
func TestChallenge(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	p, tr := b.wire(s.Source(acc.ID), pim.AudienceARM)
	old := b.token(s, acc, pim.AudienceARM)
	opened := b.opened.Load()
	b.control(http.MethodPost, "/revoke", `{"keepRefreshTokens":true}`)
	resp, err := b.do(t.Context(), p, http.MethodGet, b.cloud.ARM+eligible)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
	if len(tr.sent) != 2 || tr.sent[0] != "Bearer "+old.Value || tr.sent[1] == tr.sent[0] {
		t.Errorf("%d requests were sent, or the wrong tokens", len(tr.sent))
	}
	if b.opened.Load() != opened {
		t.Error("a challenge on a background read opened a browser")
	}
	if now := b.token(s, acc, pim.AudienceARM); "Bearer "+now.Value != tr.sent[1] {
		t.Error("the new token is not the one given out from now on")
	}
}

// TestChallengeNeedsPerson revokes the sign-in too.
func TestChallengeNeedsPerson(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	p, tr := b.wire(s.Source(acc.ID), pim.AudienceARM)
	b.token(s, acc, pim.AudienceARM)
	opened := b.opened.Load()
	b.control(http.MethodPost, "/revoke", `{}`)
	_, err := b.do(t.Context(), p, http.MethodGet, b.cloud.ARM+eligible)
	b.wantError(err, signin.ErrSignInNeeded, pim.CodeSignInNeeded)
	if signin.ClaimsOf(err) == "" {
		t.Error("the error carries no claims")
	}
	if b.opened.Load() != opened || len(tr.sent) != 1 {
		t.Errorf("%d browsers, %d requests", b.opened.Load()-opened, len(tr.sent))
	}
	b.tenant.Advance(2e9)
	resp, err := b.do(signin.WithInteraction(t.Context()), p, http.MethodGet, b.cloud.ARM+eligible)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
	if b.opened.Load() != opened+1 {
		t.Errorf("%d browsers opened, want 1", b.opened.Load()-opened)
	}
}

// TestEndlessChallenge has a service that is never content: the request is sent
// twice, not for ever.
func TestEndlessChallenge(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	p, tr := b.wire(s.Source(acc.ID), pim.AudienceARM)
	for _, status := range []int{401, 403} {
		tr.sent = nil
		if err := b.tenant.AddFaults(tenant.Fault{Service: "arm", Status: status, Header: map[string]string{
			"WWW-Authenticate": `Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwgInZhbHVlIjoiMTYwNDEwNjY1MSJ9fX0="`,
		}}); err != nil {
			t.Fatal(err)
		}
		_, err := b.do(t.Context(), p, http.MethodGet, b.cloud.ARM+eligible)
		b.wantError(err, signin.ErrSignInNeeded, pim.CodeSignInNeeded)
		if len(tr.sent) != 2 {
			t.Errorf("%d: %d requests were sent", status, len(tr.sent))
		}
		b.tenant.ClearFaults()
	}
	// Without claims a refusal is an answer like any other.
	if err := b.tenant.AddFaults(tenant.Fault{Service: "arm", Status: 401, Header: map[string]string{"WWW-Authenticate": "Bearer"}}); err != nil {
		t.Fatal(err)
	}
	resp, err := b.do(t.Context(), p, http.MethodGet, b.cloud.ARM+eligible)
	if err != nil || resp.StatusCode != 401 {
		t.Errorf("%v, %v", resp, err)
	}
}

// TestRetryWithStepUp fails a request of a step-up once: the retry carries the same
// token, and nobody is asked twice.
func TestRetryWithStepUp(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	source := s.Source(acc.ID)
	p, tr := b.wire(source, pim.AudienceARM)
	opened := b.opened.Load()
	ctx, err := source.StepUp(t.Context(), pim.AudienceARM, contextC1)
	if err != nil {
		t.Fatal(err)
	}
	for _, ctx := range []context.Context{ctx, signin.WithClaims(t.Context(), contextC1)} {
		tr.sent = nil
		if err := b.tenant.AddFaults(tenant.Fault{Service: "arm", Status: 503, Times: 1}); err != nil {
			t.Fatal(err)
		}
		resp, err := b.do(ctx, p, http.MethodGet, b.cloud.ARM+eligible)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%v, %v", resp, err)
		}
		if len(tr.sent) != 2 || tr.sent[0] != tr.sent[1] {
			t.Errorf("%d requests were sent, or with different tokens", len(tr.sent))
		}
		tok := signin.Token{Value: strings.TrimPrefix(tr.sent[0], "Bearer ")}
		if acrs, ok := claimsOf(t, tok)["acrs"].([]any); !ok || len(acrs) == 0 || acrs[0] != "c1" {
			t.Errorf("acrs %v", acrs)
		}
		b.tenant.ClearFaults()
	}
	if b.opened.Load() != opened+1 {
		t.Errorf("%d browsers opened, want 1", b.opened.Load()-opened)
	}
}

// TestStepUpSilently meets claims by what the person did before, and only so.
func TestStepUpSilently(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	source := s.Source(acc.ID)
	opened := b.opened.Load()
	if _, err := source.StepUpSilently(t.Context(), pim.AudienceARM, contextC1); !errors.Is(err, signin.ErrSignInNeeded) || b.opened.Load() != opened {
		t.Fatalf("%v, %d browsers opened", err, b.opened.Load()-opened)
	}
	if _, err := source.StepUp(t.Context(), pim.AudienceARM, contextC1); err != nil {
		t.Fatal(err)
	}
	ctx, err := source.StepUpSilently(t.Context(), pim.AudienceARM, contextC1)
	if err != nil {
		t.Fatal(err)
	}
	p, tr := b.wire(source, pim.AudienceARM)
	if resp, err := b.do(ctx, p, http.MethodGet, b.cloud.ARM+eligible); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", resp, err)
	}
	tok := signin.Token{Value: strings.TrimPrefix(tr.sent[0], "Bearer ")}
	if acrs, ok := claimsOf(t, tok)["acrs"].([]any); !ok || len(acrs) == 0 || acrs[0] != "c1" || b.opened.Load() != opened+1 {
		t.Errorf("acrs %v, %d browsers opened", acrs, b.opened.Load()-opened)
	}
}

// fixed is a source that gives one token.
type fixed struct{}

func (fixed) Token(context.Context, pim.Audience, signin.TokenRequest) (signin.Token, error) {
	return signin.Token{Value: "the-token"}, nil
}

// TestForeignHost sends nothing to a host that the token is not for.
func TestForeignHost(t *testing.T) {
	b := newBench(t)
	p, tr := b.wire(fixed{}, pim.AudienceARM)
	for _, url := range []string{
		"https://evil.example/providers",
		b.cloud.Graph + "/v1.0/me",
		b.cloud.Authority + "/x",
		strings.Replace(b.cloud.ARM, "https:", "http:", 1) + "/x",
		strings.Replace(b.cloud.ARM, "https://", "https://user@", 1) + "/x",
		b.cloud.ARM + ".evil.example/x",
	} {
		req, err := azruntime.NewRequest(t.Context(), http.MethodGet, url)
		if err != nil {
			continue // azcore itself refuses it
		}
		_, err = p.Do(req)
		b.wantError(err, signin.ErrForeignHost, pim.CodeRejected)
	}
	if len(tr.sent) != 0 {
		t.Errorf("%d requests were sent", len(tr.sent))
	}
}

// TestRedirect is redirected to another host and, with a method that keeps its body,
// on the same one.
func TestRedirect(t *testing.T) {
	b := newBench(t)
	var got []string
	evil := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
	}))
	defer evil.Close()
	p, tr := b.wire(fixed{}, pim.AudienceARM)
	for _, target := range []string{evil.URL, b.cloud.Graph + "/v1.0/me"} {
		for _, status := range []int{302, 307} {
			tr.sent = nil
			if err := b.tenant.AddFaults(tenant.Fault{Service: "arm", Status: status, Header: map[string]string{"Location": target + "/x"}}); err != nil {
				t.Fatal(err)
			}
			_, err := b.do(t.Context(), p, http.MethodPut, b.cloud.ARM+"/x")
			b.wantError(err, signin.ErrForeignHost, pim.CodeRejected)
			if len(tr.sent) != 1 {
				t.Errorf("%d requests were sent", len(tr.sent))
			}
			b.tenant.ClearFaults()
		}
	}
	if len(got) != 0 {
		t.Errorf("the other host got %d requests", len(got))
	}
}

// TestBodyIsRepeated has the challenge on a write.
func TestBodyIsRepeated(t *testing.T) {
	var bodies []string
	answers := []int{401, 200}
	client := doer(func(r *http.Request) (*http.Response, error) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, string(data))
		resp := &http.Response{StatusCode: answers[0], Header: http.Header{}, Body: http.NoBody, Request: r}
		if answers[0] == 401 {
			resp.Header.Set("WWW-Authenticate", `Bearer error="insufficient_claims", claims="eyJhIjp7ImIiOjF9fQ=="`)
		}
		answers = answers[1:]
		return resp, nil
	})
	c := pim.Clouds()[0]
	p := azruntime.NewPipeline("test", "v1.0.0", azruntime.PipelineOptions{}, &policy.ClientOptions{
		Transport: client, PerRetryPolicies: []policy.Policy{signin.Policy(fixed{}, c, pim.AudienceARM)},
	})
	b := &bench{t: t}
	if _, err := b.do(t.Context(), p, http.MethodPut, c.ARM+"/x"); err != nil {
		t.Fatal(err)
	}
	if len(bodies) != 2 || bodies[0] == "" || bodies[0] != bodies[1] {
		t.Errorf("bodies %q", bodies)
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }
