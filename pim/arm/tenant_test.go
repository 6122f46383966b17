package arm_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/arm"
	"roletray/pim/signin"
	"roletray/pim/tenant"
)

// company is a simulated tenant and a person who has signed in to it through MSAL.
type company struct {
	*tenant.Tenant
	provider *arm.Provider
	account  pim.Account
}

func newCompany(t *testing.T) company { return newCompanyOf(t, "demo") }

func newCompanyOf(t *testing.T, seed string) company {
	t.Helper()
	tn, err := tenant.Start(t.Context(), tenant.Options{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tn.Close(); err != nil {
			t.Error(err)
		}
	})
	return company{Tenant: tn}.as(t, "")
}

// as is the same company, with somebody else signed in.
func (c company) as(t *testing.T, upn string) company {
	t.Helper()
	info := c.Info()
	cloud := pim.Cloud{
		Name: "custom", Authority: info.Authority, ARM: info.ARM, Graph: info.Graph,
		TenantID: info.TenantID, ClientID: info.ClientID, CAFile: info.CAFile,
	}
	service, err := signin.New(signin.Params{Dir: t.TempDir(), OpenBrowser: c.Browser(upn)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	account, err := service.SignIn(ctx, signin.Options{Cloud: cloud})
	if err != nil {
		t.Fatal(err)
	}
	options, err := signin.ARMClientOptions(service.Source(account.ID), cloud)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := arm.New(arm.Params{UserID: account.UserID, Options: options, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return company{c.Tenant, provider, account}
}

// control sends body to the tenant's control endpoint.
func (c company) control(t *testing.T, method, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.Info().Control+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Info().ControlSecret)
	resp, err := c.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s %s: %s %s", method, path, resp.Status, text)
	}
}

// writes counts what was sent to the service with a method.
func (c company) writes(method string) (n int) {
	for _, seen := range c.Log() {
		if seen.Service == "arm" && seen.Method == method {
			n++
		}
	}
	return n
}

// eligible is the first eligibility whose settings satisfy want.
func (c company) eligible(t *testing.T, want func(pim.Eligibility, pim.Policy) bool) pim.Eligibility {
	t.Helper()
	list, err := c.provider.Eligible(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		p, err := c.provider.Policy(t.Context(), e)
		if err != nil {
			t.Fatalf("%s at %s: %v", e.Role.Name, e.Role.Scope.ID, err)
		}
		if want(e, p) {
			return e
		}
	}
	t.Fatal("no eligibility has such settings")
	return pim.Eligibility{}
}

func plain(_ pim.Eligibility, p pim.Policy) bool {
	return p.Readable && !p.MFARequired && p.AuthContext == "" && !p.ApprovalRequired && !p.TicketRequired
}

func activation(e pim.Eligibility) pim.Activation {
	return pim.Activation{ID: uuid.NewString(), Eligibility: e, Duration: 30 * time.Minute, Justification: "a reason"}
}

// active reads the parts that the role's scope is in.
func (c company) active(t *testing.T, r pim.Role) []pim.Assignment {
	t.Helper()
	var found []pim.Assignment
	for part, err := range c.provider.Active(t.Context(), []pim.Eligibility{{Role: r}}, false) {
		if err != nil {
			t.Fatal(err)
		}
		if !part.Complete || !part.Covers(r.Scope) {
			t.Errorf("part %+v does not cover %s", part.Scope, r.Scope.ID)
		}
		for _, a := range part.Rows {
			if a.Role.Key() == r.Key() {
				found = append(found, a)
			}
		}
	}
	return found
}

func TestCycleAtTenant(t *testing.T) {
	c := newCompany(t)
	ctx := t.Context()
	e := c.eligible(t, plain)
	a := activation(e)
	if err := c.provider.Check(ctx, a); err != nil {
		t.Fatalf("check: %v", err)
	}
	write := pim.Write{ID: a.ID, Action: pim.ActionActivate, Role: a.Role()}
	if _, found, err := c.provider.Find(ctx, write); err != nil || found {
		t.Fatalf("a check has left a request: %v, %v", found, err)
	}
	made, err := c.provider.Activate(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	if made.ID != a.ID || made.Phase(c.Now()) != pim.PhaseDone || made.PrincipalID != c.account.UserID {
		t.Errorf("request is %+v", made)
	}
	if found, ok, err := c.provider.Find(ctx, write); err != nil || !ok || found.Status != made.Status {
		t.Errorf("find: %+v, %v, %v", found, ok, err)
	}
	if again, err := c.provider.Activate(ctx, a); err != nil || again.ID != a.ID {
		t.Errorf("the same activation again: %+v, %v", again, err)
	}
	second := activation(e)
	if _, err := c.provider.Activate(ctx, second); pim.CodeOf(err) != pim.CodeAlreadyActive {
		t.Errorf("a second activation: %v", err)
	}
	rows := c.active(t, e.Role)
	if len(rows) != 1 || rows[0].Type != pim.Activated || rows[0].End.IsZero() {
		t.Fatalf("active rows are %+v", rows)
	}
	d := pim.Deactivation{ID: uuid.NewString(), Assignment: rows[0]}
	c.Advance(2 * time.Minute)
	if _, err := c.provider.Deactivate(ctx, d); pim.CodeOf(err) != pim.CodeTooEarly {
		t.Errorf("a deactivation after two minutes: %v", err)
	}
	c.Advance(4 * time.Minute)
	d.ID = uuid.NewString()
	ended, err := c.provider.Deactivate(ctx, d)
	if err != nil || ended.Phase(c.Now()) != pim.PhaseDone || ended.Action != pim.ActionDeactivate {
		t.Fatalf("deactivation: %+v, %v", ended, err)
	}
	c.Advance(10 * time.Minute)
	if rows := c.active(t, e.Role); len(rows) != 0 {
		t.Errorf("still active: %+v", rows)
	}
	requests, err := c.provider.Requests(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ids := func(r pim.Request) string { return r.ID }
	if len(requests) < 2 || ids(requests[0]) != d.ID || !slices.ContainsFunc(requests, func(r pim.Request) bool { return r.ID == a.ID && r.Justification == "a reason" }) {
		t.Errorf("requests are %+v", requests)
	}
}

func TestPendingRequestIsCancelledAtTenant(t *testing.T) {
	c := newCompany(t)
	ctx := t.Context()
	e := c.eligible(t, func(_ pim.Eligibility, p pim.Policy) bool {
		return p.ApprovalRequired && !p.MFARequired && p.AuthContext == ""
	})
	made, err := c.provider.Activate(ctx, activation(e))
	if err != nil {
		t.Fatal(err)
	}
	if made.Phase(c.Now()) != pim.PhaseWaiting || made.ApprovalID == "" || !made.Cancellable(c.Now()) {
		t.Fatalf("request is %+v", made)
	}
	if _, err := c.provider.Activate(ctx, activation(e)); pim.CodeOf(err) != pim.CodePending {
		t.Errorf("a second request: %v", err)
	}
	if err := c.provider.Cancel(ctx, made); err != nil {
		t.Fatal(err)
	}
	now, err := c.provider.Follow(ctx, made)
	if err != nil || now.Phase(c.Now()) != pim.PhaseRefused || !strings.EqualFold(string(now.Status), "Canceled") {
		t.Errorf("after cancelling: %+v, %v", now, err)
	}
	if err := c.provider.Cancel(ctx, made); err == nil {
		t.Error("a request was cancelled twice")
	}
}

func TestScheduledActivationAtTenant(t *testing.T) {
	c := newCompany(t)
	a := activation(c.eligible(t, plain))
	a.Start = c.Now().Add(time.Hour)
	made, err := c.provider.Activate(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if made.Phase(c.Now()) != pim.PhaseScheduled {
		t.Errorf("request is %+v", made)
	}
}

func TestStepUpAtTenant(t *testing.T) {
	c := newCompany(t)
	e := c.eligible(t, func(_ pim.Eligibility, p pim.Policy) bool { return p.AuthContext != "" })
	a := activation(e)
	_, err := c.provider.Activate(t.Context(), a)
	refused, ok := errors.AsType[*pim.Error](err)
	if !ok || refused.Code != pim.CodeStepUp || refused.Claims == "" {
		t.Fatalf("without a step-up: %v", err)
	}
	if strings.Contains(err.Error(), "acrs") || strings.Contains(pim.Explain(err).Details, "acrs") {
		t.Errorf("the claims are shown: %v", err)
	}
	ctx := signin.WithInteraction(signin.WithClaims(t.Context(), refused.Claims))
	made, err := c.provider.Activate(ctx, a)
	if err != nil || made.Phase(c.Now()) != pim.PhaseDone {
		t.Errorf("with a step-up: %+v, %v", made, err)
	}
}

func TestUnreadablePolicyAtTenant(t *testing.T) {
	c := newCompany(t)
	e := c.eligible(t, func(_ pim.Eligibility, p pim.Policy) bool { return !p.Readable })
	if made, err := c.provider.Activate(t.Context(), activation(e)); err != nil {
		t.Errorf("activation: %+v, %v", made, err)
	}
}

func TestLostAnswerAtTenant(t *testing.T) {
	for name, fault := range map[string]tenant.Fault{
		"before it took effect": {Service: "arm", Method: "PUT", CutBefore: true},
		"after it took effect":  {Service: "arm", Method: "PUT", CutAfter: true},
		"unavailable":           {Service: "arm", Method: "PUT", Status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCompany(t)
			a := activation(c.eligible(t, plain))
			if err := c.AddFaults(fault); err != nil {
				t.Fatal(err)
			}
			_, err := c.provider.Activate(t.Context(), a)
			if code := pim.CodeOf(err); code != pim.CodeTimeout && code != pim.CodeUnavailable {
				t.Errorf("error is %v", err)
			}
			if puts := c.writes("PUT"); puts != 1 {
				t.Errorf("%d writes arrived", puts)
			}
			_, found, err := c.provider.Find(t.Context(), pim.Write{ID: a.ID, Role: a.Role()})
			if err != nil || found != fault.CutAfter {
				t.Errorf("found is %v, %v", found, err)
			}
		})
	}
}

func TestLargeTenantIsReadInPages(t *testing.T) {
	c := newCompanyOf(t, "large")
	list, err := c.provider.Eligible(t.Context())
	if err != nil || len(list) != 5000 {
		t.Fatalf("%d eligibilities, %v", len(list), err)
	}
	parts := 0
	for part, err := range c.provider.Active(t.Context(), list, true) {
		if err != nil {
			t.Fatal(err)
		}
		if parts++; part.Scope.ID == "" && part.Complete {
			t.Error("the tenant's part is called complete")
		}
	}
	covered := map[string]bool{}
	for _, e := range list {
		covered[strings.ToLower(e.Role.Scope.ID)] = true
	}
	if parts < 2 || parts > len(covered)+1 {
		t.Errorf("%d parts for %d scopes", parts, len(covered))
	}
}

func TestLinkToAnotherHostGetsNoTokenAtTenant(t *testing.T) {
	c := newCompany(t)
	graph := c.Info().Graph
	err := c.AddFaults(tenant.Fault{
		Service: "arm", Method: "GET", PathContains: "roleEligibilityScheduleInstances", Times: 1,
		Body: `{"value":[],"nextLink":"` + graph + `/v1.0/me"}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.provider.Eligible(t.Context())
	if pim.CodeOf(err) != pim.CodeUnreadable {
		t.Errorf("error is %v", err)
	}
	for _, seen := range c.Log() {
		if seen.Service == "graph" {
			t.Errorf("the other host was asked: %+v", seen)
		}
	}
}

func TestChallengeOnReadOpensNoBrowserAtTenant(t *testing.T) {
	c := newCompany(t)
	pages := func() (n int) {
		for _, seen := range c.Log() {
			if seen.Service == "login" && strings.Contains(seen.Path, "authorize") {
				n++
			}
		}
		return n
	}
	before := pages()
	if before == 0 {
		t.Fatal("the sign-in is not in the log")
	}
	err := c.AddFaults(tenant.Fault{
		Service: "arm", Method: "GET", Status: 401, Body: `{"error":{"code":"InvalidAuthenticationToken","message":"revoked"}}`,
		Header: map[string]string{"WWW-Authenticate": `Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwgInZhbHVlIjoiMTYwNDEwNjY1MSJ9fX0="`},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.provider.Eligible(t.Context()); pim.CodeOf(err) != pim.CodeSignInNeeded {
		t.Errorf("error is %v", err)
	}
	if after := pages(); after != before {
		t.Errorf("%d sign-in pages were opened", after-before)
	}
}

func TestReducedScopeAtTenant(t *testing.T) {
	c := newCompany(t)
	e := c.eligible(t, func(e pim.Eligibility, p pim.Policy) bool {
		return plain(e, p) && e.Role.Scope.Type == pim.ScopeSubscription
	})
	list, err := c.provider.Eligible(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(o pim.Eligibility) bool {
		return o.Role.Scope.Type == pim.ScopeResourceGroup && o.Role.Scope.Within(e.Role.Scope)
	})
	if i < 0 {
		t.Fatalf("no scope below %s is known", e.Role.Scope.ID)
	}
	a := activation(e)
	a.Scope = list[i].Role.Scope
	made, err := c.provider.Activate(t.Context(), a)
	if err != nil || made.Role.Scope != a.Scope {
		t.Fatalf("%+v, %v", made, err)
	}
	rows := c.active(t, e.Role.At(a.Scope))
	if len(rows) != 1 {
		t.Errorf("active rows are %+v", rows)
	}
}

func TestReducedScopeThatMayNotBeReadIsForbiddenAtTenant(t *testing.T) {
	c := newCompany(t)
	c.control(t, "PUT", "/settings", `{"arm":{"reducedNeedsRead":true}}`)
	e := c.eligible(t, func(e pim.Eligibility, p pim.Policy) bool {
		return plain(e, p) && e.Role.Name == "Owner" && e.Role.Scope.Type == pim.ScopeSubscription
	})
	children, err := c.provider.Children(t.Context(), e.Role.Scope)
	if err != nil || len(children) == 0 {
		t.Fatalf("children are %+v, %v", children, err)
	}
	a := activation(e)
	a.Scope = children[0]
	_, err = c.provider.Activate(t.Context(), a)
	wantCode(t, err, pim.CodeForbidden)
	if n := c.writes("PUT"); n != 1 {
		t.Errorf("%d writes", n)
	}
	// The next scope up, under a GUID of its own.
	if made, err := c.provider.Activate(t.Context(), activation(e)); err != nil || made.Role.Key() != e.Role.Key() {
		t.Errorf("at the scope above: %+v, %v", made, err)
	}
}
