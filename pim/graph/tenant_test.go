package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/graph"
	"roletray/pim/signin"
	"roletray/pim/tenant"
)

// company is a simulated tenant and a person who has signed in to it through MSAL.
type company struct {
	*tenant.Tenant
	client  *graph.Client
	account pim.Account
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
	options, err := signin.GraphClientOptions(service.Source(account.ID), cloud)
	if err != nil {
		t.Fatal(err)
	}
	options.Transport = chained{options.Transport}
	options.Retry.RetryDelay = time.Millisecond
	client, err := graph.New(graph.Params{UserID: account.UserID, Endpoint: cloud.Graph, Options: options, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	return company{c.Tenant, client, account}
}

// kinds are the two providers, each with one way to tell its requests in the log.
func (c company) kinds() map[string]pim.Provider {
	return map[string]pim.Provider{"directory": c.client.Directory(), "group": c.client.Groups()}
}

// eachKind runs a test in a tenant of its own for each kind of role.
func eachKind(t *testing.T, test func(t *testing.T, c company, p pim.Provider)) {
	t.Helper()
	for _, kind := range []string{"directory", "group"} {
		t.Run(kind, func(t *testing.T) {
			c := newCompany(t)
			test(t, c, c.kinds()[kind])
		})
	}
}

// set changes settings of the simulated Graph.
func (c company) set(t *testing.T, settings map[string]any) {
	t.Helper()
	c.steer(t, "PUT", "/settings", map[string]any{"graph": settings})
}

func (c company) steer(t *testing.T, method, path string, body any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.Info().Control+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Info().ControlSecret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s %s: %s %s", method, path, resp.Status, text)
	}
}

// eligible is the first eligibility whose settings satisfy want.
func eligible(t *testing.T, p pim.Provider, want func(pim.Eligibility, pim.Policy) bool) pim.Eligibility {
	t.Helper()
	list, err := p.Eligible(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		policy, err := p.Policy(t.Context(), e)
		if err != nil {
			t.Fatalf("%s at %s: %v", e.Role.Name, e.Role.Scope.ID, err)
		}
		if want(e, policy) {
			return e
		}
	}
	t.Fatal("no eligibility has such settings")
	return pim.Eligibility{}
}

func plain(_ pim.Eligibility, p pim.Policy) bool {
	return p.Readable && !p.MFARequired && p.AuthContext == "" && !p.ApprovalRequired && !p.TicketRequired
}

func needsApproval(_ pim.Eligibility, p pim.Policy) bool {
	return p.ApprovalRequired && !p.MFARequired && p.AuthContext == "" && !p.TicketRequired
}

func activation(e pim.Eligibility) pim.Activation {
	return pim.Activation{ID: uuid.NewString(), Eligibility: e, Duration: 30 * time.Minute, Justification: "a reason"}
}

// active reads the role's rows in force.
func active(t *testing.T, p pim.Provider, r pim.Role) []pim.Assignment {
	t.Helper()
	var found []pim.Assignment
	for part, err := range p.Active(t.Context(), nil, false) {
		if err != nil {
			t.Fatal(err)
		}
		if !part.Complete || !part.Covers(r.Scope) {
			t.Errorf("part is %+v", part)
		}
		for _, a := range part.Rows {
			if a.Role.Key() == r.Key() {
				found = append(found, a)
			}
		}
	}
	return found
}

func writeOf(a pim.Activation, at time.Time) pim.Write {
	return pim.Write{ID: a.ID, Action: pim.ActionActivate, Role: a.Role(), At: at, Start: a.Start, Duration: a.Duration}
}

func TestCycleAtTenant(t *testing.T) {
	eachKind(t, func(t *testing.T, c company, p pim.Provider) {
		ctx := t.Context()
		a := activation(eligible(t, p, plain))
		write := writeOf(a, c.Now())
		if err := p.Check(ctx, a); err != nil {
			t.Fatalf("check: %v", err)
		}
		if _, found, err := p.Find(ctx, write); err != nil || found {
			t.Fatalf("a check has left a request: %v, %v", found, err)
		}
		made, err := p.Activate(ctx, a)
		if err != nil {
			t.Fatal(err)
		}
		if made.Phase(c.Now()) != pim.PhaseDone || made.PrincipalID != c.account.UserID || made.Role != a.Role() {
			t.Errorf("request is %+v", made)
		}
		if found, ok, err := p.Find(ctx, write); err != nil || !ok || found.ID != made.ID {
			t.Errorf("find: %+v, %v, %v", found, ok, err)
		}
		if _, err := p.Activate(ctx, activation(a.Eligibility)); pim.CodeOf(err) != pim.CodeAlreadyActive {
			t.Errorf("a second activation: %v", err)
		}
		rows := active(t, p, a.Role())
		if len(rows) != 1 || rows[0].Type != pim.Activated || rows[0].End.IsZero() || rows[0].Role != a.Role() {
			t.Fatalf("active rows are %+v", rows)
		}
		d := pim.Deactivation{ID: uuid.NewString(), Assignment: rows[0]}
		c.Advance(2 * time.Minute)
		if _, err := p.Deactivate(ctx, d); pim.CodeOf(err) != pim.CodeTooEarly {
			t.Errorf("a deactivation after two minutes: %v", err)
		}
		c.set(t, map[string]any{"deactivateTooEarlyAs201": true})
		if early, err := p.Deactivate(ctx, d); err != nil || early.Phase(c.Now()) != pim.PhaseRefused {
			t.Errorf("a deactivation after two minutes with 201: %+v, %v", early, err)
		}
		c.Advance(4 * time.Minute)
		at := c.Now()
		ended, err := p.Deactivate(ctx, d)
		if err != nil || ended.Phase(c.Now()) != pim.PhaseDone || ended.Action != pim.ActionDeactivate {
			t.Fatalf("deactivation: %+v, %v", ended, err)
		}
		if found, ok, err := p.Find(ctx, pim.Write{Action: pim.ActionDeactivate, Role: a.Role(), At: at}); err != nil || !ok || found.ID != ended.ID {
			t.Errorf("find the deactivation: %+v, %v, %v", found, ok, err)
		}
		if rows := active(t, p, a.Role()); len(rows) != 0 {
			t.Errorf("still active: %+v", rows)
		}
		requests, err := p.Requests(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(requests) < 2 || requests[0].ID != ended.ID || !slices.ContainsFunc(requests, func(r pim.Request) bool {
			return r.ID == made.ID && r.Justification == "a reason" && r.Role == a.Role()
		}) {
			t.Errorf("requests are %+v", requests)
		}
	})
}

func TestExpiryAtTenant(t *testing.T) {
	eachKind(t, func(t *testing.T, c company, p pim.Provider) {
		a := activation(eligible(t, p, plain))
		made, err := p.Activate(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		rows := active(t, p, a.Role())
		if len(rows) != 1 || rows[0].End.Sub(made.EffectiveEnd()).Abs() > time.Minute {
			t.Fatalf("rows are %+v, the end of the request is %v", rows, made.EffectiveEnd())
		}
		c.Advance(a.Duration + time.Second)
		if rows := active(t, p, a.Role()); len(rows) != 0 {
			t.Errorf("after its end: %+v", rows)
		}
		_, err = p.Deactivate(t.Context(), pim.Deactivation{ID: uuid.NewString(), Assignment: rows[0]})
		wantCode(t, err, pim.CodeNotActive)
	})
}

func TestApprovalAtTenant(t *testing.T) {
	for _, decision := range []string{"approve", "deny"} {
		t.Run(decision, func(t *testing.T) {
			eachKind(t, func(t *testing.T, c company, p pim.Provider) {
				ctx := t.Context()
				a := activation(eligible(t, p, needsApproval))
				made, err := p.Activate(ctx, a)
				if err != nil {
					t.Fatal(err)
				}
				if made.Phase(c.Now()) != pim.PhaseWaiting || made.ApprovalID == "" || !made.Cancellable(c.Now()) {
					t.Fatalf("request is %+v", made)
				}
				if _, err := p.Activate(ctx, activation(a.Eligibility)); pim.CodeOf(err) != pim.CodePending {
					t.Errorf("a second request: %v", err)
				}
				c.steer(t, "POST", "/"+decision, map[string]string{"request": made.ID, "justification": "because"})
				now, err := p.Follow(ctx, made)
				if err != nil {
					t.Fatal(err)
				}
				want, rows := pim.PhaseDone, 1
				if decision == "deny" {
					want, rows = pim.PhaseRefused, 0
				}
				if now.ID != made.ID || now.Phase(c.Now()) != want || len(active(t, p, a.Role())) != rows {
					t.Errorf("request is %+v", now)
				}
			})
		})
	}
}

func TestPendingRequestIsCancelledAtTenant(t *testing.T) {
	eachKind(t, func(t *testing.T, c company, p pim.Provider) {
		made, err := p.Activate(t.Context(), activation(eligible(t, p, needsApproval)))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Cancel(t.Context(), made); err != nil {
			t.Fatal(err)
		}
		now, err := p.Follow(t.Context(), made)
		if err != nil || now.Phase(c.Now()) != pim.PhaseRefused || !strings.EqualFold(string(now.Status), "Canceled") {
			t.Errorf("after cancelling: %+v, %v", now, err)
		}
		if err := p.Cancel(t.Context(), made); err == nil {
			t.Error("a request was cancelled twice")
		}
	})
}

func TestScheduledActivationAtTenant(t *testing.T) {
	eachKind(t, func(t *testing.T, c company, p pim.Provider) {
		a := activation(eligible(t, p, plain))
		a.Start = c.Now().Add(time.Hour)
		write := writeOf(a, c.Now())
		made, err := p.Activate(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		if made.Phase(c.Now()) != pim.PhaseScheduled || len(active(t, p, a.Role())) != 0 {
			t.Errorf("request is %+v", made)
		}
		if found, ok, err := p.Find(t.Context(), write); err != nil || !ok || found.ID != made.ID {
			t.Errorf("find: %+v, %v, %v", found, ok, err)
		}
		c.Advance(time.Hour + time.Second)
		if rows := active(t, p, a.Role()); len(rows) != 1 {
			t.Errorf("after its start: %+v", rows)
		}
	})
}

func TestStepUpAtTenant(t *testing.T) {
	for _, form := range []string{"plain", "wrapped"} {
		t.Run(form, func(t *testing.T) {
			eachKind(t, func(t *testing.T, c company, p pim.Provider) {
				c.set(t, map[string]any{"errorForm": form})
				a := activation(eligible(t, p, func(_ pim.Eligibility, p pim.Policy) bool { return p.AuthContext != "" }))
				_, err := p.Activate(t.Context(), a)
				refused, ok := errors.AsType[*pim.Error](err)
				if !ok || refused.Code != pim.CodeStepUp || refused.Claims == "" {
					t.Fatalf("without a step-up: %v", err)
				}
				if strings.Contains(err.Error(), "acrs") || strings.Contains(pim.Explain(err).Details, "acrs") {
					t.Errorf("the claims are shown: %v", err)
				}
				ctx := signin.WithInteraction(signin.WithClaims(t.Context(), refused.Claims))
				made, err := p.Activate(ctx, a)
				if err != nil || made.Phase(c.Now()) != pim.PhaseDone {
					t.Errorf("with a step-up: %+v, %v", made, err)
				}
			})
		})
	}
}

func TestBrokenPolicyAtTenant(t *testing.T) {
	for _, wording := range []string{"brackets", "sentences"} {
		t.Run(wording, func(t *testing.T) {
			eachKind(t, func(t *testing.T, c company, p pim.Provider) {
				c.set(t, map[string]any{"policyWording": wording, "errorForm": "wrapped"})
				a := activation(eligible(t, p, func(_ pim.Eligibility, p pim.Policy) bool { return p.TicketRequired }))
				a.Duration = 23 * time.Hour
				_, err := p.Activate(t.Context(), a)
				wantCode(t, err, pim.CodePolicy)
				e, _ := errors.AsType[*pim.Error](err)
				for _, rule := range []pim.Rule{pim.RuleExpiration, pim.RuleTicketing} {
					if !slices.Contains(e.Rules, rule) {
						t.Errorf("rules are %v", e.Rules)
					}
				}
				wantCode(t, p.Check(t.Context(), a), pim.CodePolicy)
			})
		})
	}
}

func TestCheckThatIsTakenForARequestAtTenant(t *testing.T) {
	c := newCompany(t)
	p := c.client.Directory()
	a := activation(eligible(t, p, needsApproval))
	c.set(t, map[string]any{"validationOnly": "ignore"})
	err := p.Check(t.Context(), a)
	sent, ok := errors.AsType[*pim.SentError](err)
	if !ok {
		t.Fatalf("error is %v", err)
	}
	now, err := p.Follow(t.Context(), sent.Request)
	if err != nil || now.Phase(c.Now()) != pim.PhaseWaiting {
		t.Fatalf("%+v, %v", now, err)
	}
	if err := p.Cancel(t.Context(), now); err != nil {
		t.Error(err)
	}
	// The same of a group is judged here.
	g := c.client.Groups()
	if err := g.Check(t.Context(), activation(eligible(t, g, needsApproval))); err != nil {
		t.Error(err)
	}
	if requests, err := g.Requests(t.Context()); err != nil || len(requests) != 0 {
		t.Errorf("a check has left %+v, %v", requests, err)
	}
}

func TestWrongAccessAtTenant(t *testing.T) {
	c := newCompany(t)
	p := c.client.Groups()
	a := activation(eligible(t, p, func(e pim.Eligibility, policy pim.Policy) bool {
		return e.Role.Access == pim.AccessOwner && plain(e, policy)
	}))
	if _, err := p.Activate(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	c.Advance(6 * time.Minute)
	r := a.Role()
	r.Access = pim.AccessMember
	_, err := p.Deactivate(t.Context(), pim.Deactivation{ID: uuid.NewString(), Assignment: pim.Assignment{Role: r}})
	wantCode(t, err, pim.CodeNotActive)
}

func TestLostAnswerAtTenant(t *testing.T) {
	for name, fault := range map[string]tenant.Fault{
		"before it took effect": {CutBefore: true},
		"after it took effect":  {CutAfter: true},
		"unavailable":           {Status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, c company, p pim.Provider) {
				a := activation(eligible(t, p, plain))
				fault.Service, fault.Method, fault.PathContains = "graph", "POST", "assignmentScheduleRequests"
				if err := c.AddFaults(fault); err != nil {
					t.Fatal(err)
				}
				write := writeOf(a, c.Now())
				_, err := p.Activate(t.Context(), a)
				if code := pim.CodeOf(err); code != pim.CodeTimeout && code != pim.CodeUnavailable {
					t.Errorf("error is %v", err)
				}
				writes := 0
				for _, seen := range c.Log() {
					if seen.Service == "graph" && seen.Method == "POST" && strings.HasSuffix(strings.ToLower(seen.Path), "assignmentschedulerequests") {
						writes++
					}
				}
				if writes != 1 {
					t.Errorf("%d writes arrived", writes)
				}
				_, found, err := p.Find(t.Context(), write)
				if err != nil || found != fault.CutAfter {
					t.Errorf("found is %v, %v", found, err)
				}
			})
		})
	}
}

func TestDemoNamesAtTenant(t *testing.T) {
	c := newCompany(t)
	for _, p := range c.kinds() {
		list, err := p.Eligible(t.Context())
		if err != nil || len(list) < 9 {
			t.Fatalf("%d, %v", len(list), err)
		}
		for _, e := range list {
			if e.Role.Name == "" || e.Role.Name == e.Role.DefinitionID || e.Role.Scope.Name == "" || e.Via != pim.ViaDirect || e.ScheduleID == "" {
				t.Errorf("%+v", e)
			}
		}
	}
}

func TestOrganizationIsNamedAtTenant(t *testing.T) {
	names := func(c company) (eligible, active, waiting string) {
		t.Helper()
		list, err := c.client.Directory().Eligible(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if e.Role.Name == "Global Reader" {
				eligible = e.Role.Scope.Label()
			}
		}
		for part, err := range c.client.Directory().Active(t.Context(), nil, false) {
			if err != nil || len(part.Rows) == 0 {
				t.Fatalf("%+v, %v", part, err)
			}
			active = part.Rows[0].Role.Scope.Label()
		}
		approvals, err := c.client.Directory().Approvals(t.Context())
		if err != nil || len(approvals) == 0 {
			t.Fatalf("%+v, %v", approvals, err)
		}
		return eligible, active, approvals[0].Request.Role.Scope.Label()
	}
	c := newCompany(t)
	other := c.as(t, asker["directory"])
	if _, err := other.client.Directory().Activate(t.Context(), activation(eligible(t, other.client.Directory(), needsApproval))); err != nil {
		t.Fatal(err)
	}
	c.grant(t, baseSet()...)
	c = c.as(t, "")
	for range 2 {
		if a, b, w := names(c); a != "Halden Freight" || b != a || w != a {
			t.Errorf("the organisation is %q, %q and %q", a, b, w)
		}
	}
	asked := 0
	for _, seen := range c.Log() {
		if strings.HasSuffix(seen.Path, "/organization") {
			asked++
		}
	}
	if asked != 2 {
		t.Errorf("two people asked %d times", asked)
	}
	for _, fault := range []tenant.Fault{{Status: 403}, {Status: 503}, {CutBefore: true}} {
		fault.Service, fault.PathContains = "graph", "/organization"
		if err := c.AddFaults(fault); err != nil {
			t.Fatal(err)
		}
		if a, b, w := names(c.as(t, "")); a != "Directory" || b != a || w != a {
			t.Errorf("without its name the organisation is %q, %q and %q", a, b, w)
		}
		c.ClearFaults()
	}
}

// A batch's answers may be first pages.
func TestBatchedListsAreReadToTheirEndAtTenant(t *testing.T) {
	c := newCompany(t)
	c.set(t, map[string]any{"pageSize": 1})
	list, err := c.client.Groups().Eligible(t.Context())
	if err != nil || len(list) < 9 {
		t.Fatalf("%d, %v", len(list), err)
	}
	for _, e := range list {
		if e.Role.Scope.Name == "" {
			t.Errorf("%s has no name", e.Role.Scope.ID)
		}
		if policy, err := c.client.Groups().Policy(t.Context(), e); err != nil || !policy.Readable {
			t.Errorf("the settings of %s of %s are %+v, %v", e.Role.Name, e.Role.Scope.Label(), policy, err)
		}
	}
}

func TestGroupsThatMayGiveRolesAtTenant(t *testing.T) {
	c := newCompany(t)
	list, err := c.client.Groups().Eligible(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		if e.MayGiveRoles {
			got = append(got, e.Role.Name+" of "+e.Role.Scope.Name)
		}
	}
	if fmt.Sprint(got) != "[Member of Break Glass Operators]" {
		t.Errorf("%q", got)
	}
}

func TestUnnamedGroupsAtTenant(t *testing.T) {
	c := newCompany(t)
	if err := c.AddFaults(tenant.Fault{Service: "graph", PathContains: "/groups", Status: 403, Body: `{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}}`}); err != nil {
		t.Fatal(err)
	}
	list, err := c.client.Groups().Eligible(t.Context())
	if err != nil || len(list) == 0 {
		t.Fatalf("%d, %v", len(list), err)
	}
	for _, e := range list {
		if e.Role.Scope.Name != "" || e.Role.Scope.Label() != "group (id "+e.Role.Scope.ID[:8]+"…)" {
			t.Errorf("%+v", e.Role.Scope)
		}
	}
}

func TestUnreadablePoliciesAtTenant(t *testing.T) {
	eachKind(t, func(t *testing.T, c company, p pim.Provider) {
		e := eligible(t, p, plain)
		c.set(t, map[string]any{"policyRead": "role"})
		c.Advance(6 * time.Minute)
		if policy, err := p.Policy(t.Context(), e); err != nil || policy.Readable {
			t.Fatalf("%+v, %v", policy, err)
		}
		if made, err := p.Activate(t.Context(), activation(e)); err != nil {
			t.Errorf("activation: %+v, %v", made, err)
		}
	})
}

func TestOtherPolicyScopeTypeAtTenant(t *testing.T) {
	c := newCompany(t)
	c.set(t, map[string]any{"directoryScopeType": "Directory"})
	eligible(t, c.client.Directory(), plain)
}

func TestCappedListAtTenant(t *testing.T) {
	c := newCompanyOf(t, "large")
	c.set(t, map[string]any{"currentUserCap": 50})
	list, err := c.client.Directory().Eligible(t.Context())
	if err != nil || len(list) != 300 {
		t.Fatalf("%d eligibilities, %v", len(list), err)
	}
	cut := c.client.Directory().Cut
	if n := cut(pim.PartEligible); n != 0 {
		t.Errorf("what was read whole is doubted: %d", n)
	}
	c.set(t, map[string]any{"ownCollection": "refuse"})
	if list, err = c.client.Directory().Eligible(t.Context()); err != nil || len(list) != 50 {
		t.Fatalf("%d eligibilities, %v", len(list), err)
	}
	if n := cut(pim.PartEligible); n != 50 || cut(pim.PartActive) != 0 {
		t.Errorf("of what was cut %d rows are said to be shown", n)
	}
}

// Requests of one's own and those that wait for the person, of which there are 50 or more.
func TestCutRequestsAreDoubted(t *testing.T) {
	for _, test := range []struct {
		rows   int
		whole  bool
		doubts bool
	}{{49, false, false}, {50, false, true}, {50, true, false}, {51, false, false}} {
		s := newService(t, func(w http.ResponseWriter, c call) {
			if !strings.Contains(c.Path, "filterByCurrentUser") && !test.whole {
				refuse(w, 403, "UnauthorizedAccessException", "Attempted to perform an unauthorized operation.")
				return
			}
			rows := rowsOf(0, test.rows)
			for _, row := range rows {
				maps.Copy(row.(map[string]any), map[string]any{"status": "PendingApproval", "action": "selfActivate"})
			}
			sendJSON(w, 200, listOf(rows...))
		})
		for _, p := range []interface {
			pim.Provider
			pim.Decider
			pim.Cutter
		}{s.Directory(), s.Groups()} {
			if _, err := p.Requests(short(t)); err != nil || (p.Cut(pim.PartRequests) == 50) != test.doubts {
				t.Errorf("%d requests for %s, of which %d are said to be shown, %v", test.rows, p.Kind(), p.Cut(pim.PartRequests), err)
			}
			if _, err := p.Approvals(short(t)); err != nil || (p.Cut(pim.PartApprovals) == 50) != (test.rows == 50) {
				t.Errorf("%d requests for %s to decide, of which %d are said to be shown, %v", test.rows, p.Kind(), p.Cut(pim.PartApprovals), err)
			}
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
		Service: "graph", Method: "GET", Status: 401, Body: `{"error":{"code":"InvalidAuthenticationToken","message":"revoked"}}`,
		Header: map[string]string{"WWW-Authenticate": `Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwgInZhbHVlIjoiMTYwNDEwNjY1MSJ9fX0="`},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.client.Directory().Eligible(t.Context())
	wantCode(t, err, pim.CodeSignInNeeded)
	if after := pages(); after != before {
		t.Errorf("%d sign-in pages were opened", after-before)
	}
}

func TestThrottledBatchItemsAtTenant(t *testing.T) {
	c := newCompany(t)
	if _, err := c.client.Groups().Eligible(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.AddFaults(tenant.Fault{Service: "graph", Method: "GET", PathContains: "roleManagementPolicyAssignments", Status: 429, Times: 3}); err != nil {
		t.Fatal(err)
	}
	eligible(t, c.client.Groups(), plain)
	batches, items := 0, 0
	for _, seen := range c.Log() {
		if strings.HasSuffix(seen.Path, "$batch") {
			batches++
		}
		if seen.Batched {
			items++
		}
	}
	// Eight groups, and three of them again.
	if batches != 2 || items != 11 {
		t.Errorf("%d batches with %d items", batches, items)
	}
}

// chained is a transport that counts, for each chain in a context, requests and
// how many of them had to wait for one another.
type chained struct{ next policy.Transporter }

type chainKey struct{}

type chain struct {
	requests, over atomic.Int64
}

func (x chained) Do(req *http.Request) (*http.Response, error) {
	c, ok := req.Context().Value(chainKey{}).(*chain)
	if !ok {
		return x.next.Do(req)
	}
	c.requests.Add(1)
	depth := c.over.Load() + 1
	resp, err := x.next.Do(req)
	for old := c.over.Load(); depth > old && !c.over.CompareAndSwap(old, depth); old = c.over.Load() {
	}
	return resp, err
}

// refresh reads everything of both kinds at once.
func (c company) refresh(t *testing.T, policies bool) (requests, trips int64) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	run := func(read func(ctx context.Context) error) {
		all.Go(func() {
			var ch chain
			if err := read(context.WithValue(t.Context(), chainKey{}, &ch)); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			requests += ch.requests.Load()
			trips = max(trips, ch.over.Load())
		})
	}
	for _, p := range c.kinds() {
		run(func(ctx context.Context) error {
			list, err := p.Eligible(ctx)
			if !policies {
				return err
			}
			for _, e := range list {
				if _, err := p.Policy(ctx, e); err != nil {
					return err
				}
			}
			return err
		})
		run(func(ctx context.Context) error {
			for _, err := range p.Active(ctx, nil, true) {
				return err
			}
			return nil
		})
		run(func(ctx context.Context) error {
			_, err := p.Requests(ctx)
			return err
		})
	}
	all.Wait()
	return requests, trips
}

func TestRefreshTakesFewRequestsAtTenant(t *testing.T) {
	for _, test := range []struct {
		seed            string
		policies        bool
		requests, trips int64
	}{
		// Ten lists, of which two are for what groups bring, then the names of groups and units
		// that each may ask for.
		{"demo", false, 14, 2},
		// With one call for the settings of all roles, one for those of all groups.
		{"demo", true, 16, 3},
		// Three pages of roles, three of groups with the cap of a hundred a page. A page's names
		// come while the next page does, and which of the two is there first is chance.
		{"large", false, 24, 6},
	} {
		c := newCompanyOf(t, test.seed)
		requests, trips := c.refresh(t, test.policies)
		t.Logf("%s, role settings %v: %d requests, %d round trips one after another", test.seed, test.policies, requests, trips)
		if requests > test.requests || trips > test.trips {
			t.Errorf("%s: %d requests, %d round trips", test.seed, requests, trips)
		}
		again, _ := c.refresh(t, test.policies)
		t.Logf("%s again: %d requests", test.seed, again)
		if test.seed == "demo" && again != 10 {
			t.Errorf("%s again: %d requests", test.seed, again)
		}
	}
}
