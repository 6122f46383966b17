package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"roletray/pim"
	"roletray/pim/arm"
	"roletray/pim/graph"
	"roletray/pim/session"
	"roletray/pim/signin"
	"roletray/pim/store"
	"roletray/pim/tenant"
)

// patience bounds every wait of these tests.
const patience = 45 * time.Second

// office is a simulated tenant and a person who is signed in to it, by the way
// that the program takes: MSAL, TLS and Azure's own client.
type office struct {
	t       testing.TB
	tenant  *tenant.Tenant
	account pim.Account
	source  *signin.Source
	cloud   pim.Cloud
	// opened counts the times that a browser was opened.
	opened atomic.Int32
}

func newOffice(t testing.TB, seed string) *office {
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
	return person(t, tn, "")
}

// person is somebody of a tenant, the first one where upn is empty.
func person(t testing.TB, tn *tenant.Tenant, upn string) *office {
	t.Helper()
	o := &office{t: t, tenant: tn}
	browser := tn.Browser(upn)
	service, err := signin.New(signin.Params{Dir: t.TempDir(), OpenBrowser: func(url string) error {
		o.opened.Add(1)
		return browser(url)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	info := tn.Info()
	o.cloud = pim.Cloud{
		Name: "custom", Authority: info.Authority, ARM: info.ARM, Graph: info.Graph,
		TenantID: info.TenantID, ClientID: info.ClientID, CAFile: info.CAFile,
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	o.account, err = service.SignIn(ctx, signin.Options{Cloud: o.cloud})
	if err != nil {
		t.Fatal(err)
	}
	o.source = service.Source(o.account.ID)
	return o
}

func (o *office) provider() *arm.Provider {
	o.t.Helper()
	options, err := signin.ARMClientOptions(o.source, o.cloud)
	if err != nil {
		o.t.Fatal(err)
	}
	p, err := arm.New(arm.Params{UserID: o.account.UserID, Options: options, Now: o.tenant.Now})
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

type tenantClock struct{ *tenant.Tenant }

func (c tenantClock) Real(d time.Duration) time.Duration {
	return time.Duration(float64(d) / c.Speed())
}

// desk is a running session on the files in dir.
type desk struct {
	*session.Session
	*office
	dir  string
	stop func()
}

// all are the providers of every kind.
func (o *office) all() []pim.Provider {
	o.t.Helper()
	options, err := signin.GraphClientOptions(o.source, o.cloud)
	if err != nil {
		o.t.Fatal(err)
	}
	c, err := graph.New(graph.Params{UserID: o.account.UserID, Endpoint: o.cloud.Graph, Options: options, Now: o.tenant.Now})
	if err != nil {
		o.t.Fatal(err)
	}
	return []pim.Provider{o.provider(), c.Directory(), c.Groups()}
}

func (o *office) run(dir string) *desk {
	o.t.Helper()
	return o.runWith(dir, o.provider())
}

func (o *office) runWith(dir string, providers ...pim.Provider) *desk {
	o.t.Helper()
	files, err := store.OpenAccount(dir, o.account.ID)
	if err != nil {
		o.t.Fatal(err)
	}
	s, err := session.New(session.Params{
		Account: o.account, Providers: providers, Stepper: o.source, Renewer: o.source,
		Files: files, Clock: tenantClock{o.tenant},
	})
	if err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	d := &desk{Session: s, office: o, dir: dir, stop: func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			o.t.Error(err)
		}
	}}
	o.t.Cleanup(d.stop)
	return d
}

func (d *desk) until(what string, ok func(*pim.Snapshot) bool) *pim.Snapshot {
	d.t.Helper()
	changed, stop := d.Subscribe()
	defer stop()
	deadline := time.After(patience)
	for {
		if s := d.Snapshot(); ok(s) {
			return s
		}
		select {
		case <-changed:
		case <-deadline:
			s := d.Snapshot()
			d.t.Fatalf("no snapshot with %s; the last has %d eligible, active %+v, operations %+v, parts %+v", what, len(s.Eligible), s.Active, s.Operations, s.Parts)
		}
	}
}

func (d *desk) read() *desk {
	d.t.Helper()
	d.until("everything read", func(s *pim.Snapshot) bool { return !s.FromDisk && !s.Refreshing && len(s.Eligible) > 0 })
	return d
}

func (d *desk) refresh() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return d.Refresh(ctx, "test")
}

func (d *desk) role(name, scope string) pim.Role {
	d.t.Helper()
	for _, e := range d.Snapshot().Eligible {
		if e.Role.Name == name && strings.Contains(e.Role.Scope.Label(), scope) {
			return e.Role
		}
	}
	var all []string
	for _, e := range d.Snapshot().Eligible {
		all = append(all, e.Role.Name+" at "+e.Role.Scope.Label())
	}
	d.t.Fatalf("nobody is eligible for %s at %s, but for %q", name, scope, all)
	return pim.Role{}
}

func (d *desk) activate(r pim.Role) pim.Operation {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ops, err := d.Activate(ctx, []session.Wish{{
		Key: r.Key(), Duration: 30 * time.Minute, Justification: "a test", Ticket: pim.Ticket{Number: "T-1"}, Client: "cli",
	}}, true)
	if err != nil {
		d.t.Fatal(err)
	}
	return ops[0]
}

func (d *desk) wait(id string) pim.Operation {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	op, err := d.Wait(ctx, id)
	if err != nil {
		d.t.Fatalf("%v; the operation is %+v", err, op)
	}
	return op
}

func (d *desk) active(r pim.Role) pim.Certainty {
	for _, a := range d.Snapshot().Active {
		if a.Assignment.Role.Key() == r.Key() {
			return a.Certainty
		}
	}
	return ""
}

func (o *office) puts() []tenant.Seen {
	var out []tenant.Seen
	for _, s := range o.tenant.Log() {
		if s.Service == "arm" && s.Method == http.MethodPut {
			out = append(out, s)
		}
	}
	return out
}

func (o *office) fault(f tenant.Fault) {
	o.t.Helper()
	f.Service = "arm"
	if err := o.tenant.AddFaults(f); err != nil {
		o.t.Fatal(err)
	}
}

// control steers the tenant over its control endpoint.
func (o *office) control(method, path string, body any) {
	o.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		o.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(o.t.Context(), method, o.tenant.Info().Control+path, bytes.NewReader(b))
	if err != nil {
		o.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+o.tenant.Info().ControlSecret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(resp.Body)
		o.t.Fatalf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
}

func (o *office) settings(arm map[string]any) {
	o.t.Helper()
	o.control(http.MethodPut, "/settings", map[string]any{"arm": arm})
}

func TestTenantActivateAndEnd(t *testing.T) {
	o := newOffice(t, "demo")
	o.settings(map[string]any{"activationLagSeconds": 180, "deactivationLagSeconds": 240})
	d := o.run(t.TempDir()).read()
	owner := d.role("Owner", "Sandbox")
	op := d.activate(owner)
	if op.State != pim.OperationDone || d.active(owner) != pim.Recorded {
		t.Fatalf("%+v, shown %q", op, d.active(owner))
	}
	end := op.Request.EffectiveEnd()
	if left := end.Sub(o.tenant.Now()); left < 29*time.Minute || left > 30*time.Minute {
		t.Errorf("ends in %v", left)
	}
	if err := d.refresh(); err != nil || d.active(owner) != pim.Recorded {
		t.Errorf("while the listing lags: %v, %q", err, d.active(owner))
	}
	ctx := context.Background()
	if early, err := d.Deactivate(ctx, owner.Key(), "cli", true); err != nil || code(early) != pim.CodeTooEarly || len(o.puts()) != 1 {
		t.Errorf("in the first five minutes: %+v, %v, %d writes", early, err, len(o.puts()))
	}
	o.tenant.Advance(5*time.Minute + time.Second)
	if err := d.refresh(); err != nil || d.active(owner) != pim.Listed {
		t.Errorf("after the lag: %v, %q", err, d.active(owner))
	}
	if op, err := d.Deactivate(ctx, owner.Key(), "cli", true); err != nil || op.State != pim.OperationDone {
		t.Errorf("%+v, %v", op, err)
	}
	if err := d.refresh(); err != nil || d.active(owner) != "" {
		t.Errorf("deactivated and still listed: %v, %q", err, d.active(owner))
	}
	// The service still works on it, and the listing that has the role is not believed.
	if op := d.activate(owner); code(op) != pim.CodeAlreadyActive || d.active(owner) != "" {
		t.Errorf("again at once: %+v, shown %q", op.Problem, d.active(owner))
	}
	o.tenant.Advance(5 * time.Minute)
	if op := d.activate(owner); op.State != pim.OperationDone {
		t.Errorf("again later: %+v", op.Problem)
	}
	o.tenant.Advance(31 * time.Minute)
	if err := d.refresh(); err != nil || d.active(owner) != "" {
		t.Errorf("after its end: %v, %q", err, d.active(owner))
	}
}

func TestTenantWriteCutAfterItTookEffect(t *testing.T) {
	o := newOffice(t, "demo")
	d := o.run(t.TempDir()).read()
	owner := d.role("Owner", "Sandbox")
	o.fault(tenant.Fault{Method: http.MethodPut, Times: 1, CutAfter: true})
	op := d.wait(d.activate(owner).ID)
	if op.State != pim.OperationDone || d.active(owner) == "" || len(o.puts()) != 1 {
		t.Errorf("%+v, shown %q, %d writes", op, d.active(owner), len(o.puts()))
	}
}

func TestTenantKilledBetweenJournalAndAnswer(t *testing.T) {
	for _, arrived := range []bool{true, false} {
		t.Run(map[bool]string{true: "it arrived", false: "it did not"}[arrived], func(t *testing.T) {
			o := newOffice(t, "demo")
			first := o.run(t.TempDir()).read()
			owner := first.role("Owner", "Sandbox")
			f := tenant.Fault{Method: http.MethodPut, Times: 1}
			if arrived {
				f.HoldMs = int(patience / time.Millisecond)
			} else {
				f.LatencyMs = int(patience / time.Millisecond)
			}
			o.fault(f)
			answered := make(chan pim.Operation, 1)
			go func() {
				ops, err := first.Activate(context.Background(), []session.Wish{{Key: owner.Key(), Client: "cli"}}, true)
				if err != nil || len(ops) != 1 {
					t.Error(err)
					close(answered)
					return
				}
				answered <- ops[0]
			}()
			s := first.until("the write under way", func(s *pim.Snapshot) bool {
				return len(s.Operations) == 1 && s.Operations[0].State == pim.OperationSending
			})
			write := pim.Write{ID: s.Operations[0].ID, Action: pim.ActionActivate, Role: owner}
			provider, journal := o.provider(), filepath.Join(first.dir, "accounts", o.account.ID, "journal.json")
			for deadline := time.Now().Add(patience); ; {
				if time.Now().After(deadline) {
					t.Fatal("the write is not under way")
				}
				if b, _ := os.ReadFile(journal); !bytes.Contains(b, []byte(write.ID)) {
					continue
				}
				if _, found, err := provider.Find(t.Context(), write); err != nil {
					t.Fatal(err)
				} else if found || !arrived {
					break
				}
			}
			// The files are as kill -9 would leave them; nothing of the first session is
			// told to the second.
			crashed := (&rig{t: t, dir: first.dir}).copyFiles()
			first.stop()
			<-answered
			o.tenant.ClearFaults()

			second := o.run(crashed)
			if ops := second.Snapshot().Operations; len(ops) != 1 || ops[0].ID != write.ID || ops[0].State != pim.OperationResolving && !arrived {
				t.Fatalf("after the restart: %+v", ops)
			}
			if !arrived {
				o.tenant.Advance(6 * time.Minute)
			}
			op := second.wait(write.ID)
			if arrived && (op.State != pim.OperationDone || second.active(owner) == "") {
				t.Errorf("%+v, shown %q", op, second.active(owner))
			}
			if !arrived && code(op) != pim.CodeUnknownOutcome {
				t.Errorf("%+v", op)
			}
			if n := len(o.puts()); n > 1 {
				t.Errorf("%d writes", n)
			}
		})
	}
}

func TestTenantChallengeOnBackgroundRead(t *testing.T) {
	o := newOffice(t, "demo")
	d := o.run(t.TempDir()).read()
	opened := o.opened.Load()
	o.control(http.MethodPost, "/revoke", map[string]any{"user": o.account.Username})
	// The clock of the tenant has to move for a token to be older than the revocation.
	o.tenant.Advance(2 * time.Second)
	if err := d.refresh(); err == nil {
		t.Error("a revoked token was taken")
	}
	s := d.until("sign-in needed", func(s *pim.Snapshot) bool { return s.SignIn != nil })
	if s.SignIn.Code != pim.CodeSignInNeeded || len(s.Eligible) == 0 || o.opened.Load() != opened {
		t.Errorf("%+v, %d eligible, browser opened %d times", s.SignIn, len(s.Eligible), o.opened.Load()-opened)
	}
	select {
	case e := <-d.Events():
		if e.Kind != pim.EventSignInNeeded {
			t.Errorf("event %+v", e)
		}
	case <-time.After(patience):
		t.Error("no event")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := d.SignIn(ctx); err != nil || d.Snapshot().SignIn != nil || o.opened.Load() == opened {
		t.Errorf("%v, %+v, browser opened %d times", err, d.Snapshot().SignIn, o.opened.Load()-opened)
	}
}

func TestTenantStepUp(t *testing.T) {
	t.Run("known from the policy", func(t *testing.T) {
		o := newOffice(t, "demo")
		d := o.run(t.TempDir()).read()
		opened := o.opened.Load()
		if op := d.activate(d.role("Security Admin", "")); op.State != pim.OperationDone {
			t.Fatalf("%+v", op.Problem)
		}
		puts := o.puts()
		if len(puts) != 1 || !slices.Contains(puts[0].Contexts, "c1") || o.opened.Load() != opened+1 {
			t.Errorf("%+v, browser opened %d times", puts, o.opened.Load()-opened)
		}
	})
	t.Run("on the service's challenge", func(t *testing.T) {
		o := newOffice(t, "demo")
		o.fault(tenant.Fault{PathContains: "roleManagementPolicyAssignments", Status: http.StatusForbidden})
		d := o.run(t.TempDir()).read()
		opened := o.opened.Load()
		if op := d.activate(d.role("Security Admin", "")); op.State != pim.OperationDone {
			t.Fatalf("%+v", op.Problem)
		}
		puts := o.puts()
		if len(puts) != 2 || slices.Contains(puts[0].Contexts, "c1") || !slices.Contains(puts[1].Contexts, "c1") ||
			puts[0].TokenID == puts[1].TokenID || puts[0].Path != puts[1].Path || o.opened.Load() != opened+1 {
			t.Errorf("%+v, browser opened %d times", puts, o.opened.Load()-opened)
		}
	})
	t.Run("with nobody there", func(t *testing.T) {
		o := newOffice(t, "demo")
		d := o.run(t.TempDir()).read()
		opened := o.opened.Load()
		ops, err := d.Activate(context.Background(), []session.Wish{{Key: d.role("Security Admin", "").Key(), Duration: time.Hour, Justification: "x"}}, false)
		if err != nil || code(ops[0]) != pim.CodeStepUp || len(o.puts()) != 0 || o.opened.Load() != opened {
			t.Errorf("%+v, %v, %d writes", ops, err, len(o.puts()))
		}
	})
}

// Azure's mandatory multi-factor authentication refuses writes, and a check, with a challenge.
func TestTenantMandatoryMFA(t *testing.T) {
	for _, tt := range []struct {
		name        string
		interactive bool
		refused     bool
		prompts     int32
	}{
		{"met", true, false, 1},
		{"with nobody there", false, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for what, do := range map[string]func(d *desk, w session.Wish) *pim.Problem{
				"check": func(d *desk, w session.Wish) *pim.Problem {
					f := d.CheckAll(t.Context(), []session.Wish{w, w}, tt.interactive)[0]
					if f.StepUp == tt.refused && f.Problem == nil && tt.refused {
						return &pim.Problem{Code: pim.CodeStepUp} // It says that sending would ask for more.
					}
					return f.Problem
				},
				"activate": func(d *desk, w session.Wish) *pim.Problem {
					ops, err := d.Activate(t.Context(), []session.Wish{w}, tt.interactive)
					if err != nil {
						t.Fatal(err)
					}
					if !tt.refused {
						return d.wait(ops[0].ID).Problem
					}
					return ops[0].Problem
				},
			} {
				t.Run(what, func(t *testing.T) {
					o := newOffice(t, "demo")
					d := o.run(t.TempDir()).read()
					o.settings(map[string]any{"mandatoryMfa": true})
					opened := o.opened.Load()
					problem := do(d, session.Wish{Key: d.role("Owner", "Sandbox").Key(), Duration: 30 * time.Minute, Justification: "a test", Client: "cli"})
					if (problem != nil) != tt.refused || problem != nil && problem.Code != pim.CodeSignInNeeded && problem.Code != pim.CodeStepUp {
						t.Errorf("%+v", problem)
					}
					if n := o.opened.Load() - opened; n != tt.prompts {
						t.Errorf("%d prompts", n)
					}
					// The reads need none of that.
					if err := d.refresh(); err != nil || d.Snapshot().SignIn != nil {
						t.Errorf("%v, sign-in %+v", err, d.Snapshot().SignIn)
					}
					select {
					case e := <-d.Events():
						if e.Kind == pim.EventSignInNeeded {
							t.Errorf("event %+v", e)
						}
					default:
					}
				})
			}
		})
	}
}

func TestTenantThrottledWrite(t *testing.T) {
	o := newOffice(t, "demo")
	d := o.run(t.TempDir()).read()
	owner := d.role("Owner", "Sandbox")
	o.fault(tenant.Fault{Method: http.MethodPut, Times: 1, Status: http.StatusTooManyRequests, RetryAfter: "1"})
	op := d.wait(d.activate(owner).ID)
	puts := o.puts()
	if op.State != pim.OperationDone || len(puts) != 2 || puts[1].Time.Sub(puts[0].Time) < time.Second {
		t.Errorf("%+v (%+v), writes %+v", op, op.Problem, puts)
	}
}

func TestTenantApproval(t *testing.T) {
	o := newOffice(t, "demo")
	d := o.run(t.TempDir()).read()
	owner := d.role("Owner", "Logistics")
	op := d.activate(owner)
	if op.State != pim.OperationWaiting || d.active(owner) != "" {
		t.Fatalf("%+v (%+v)", op, op.Problem)
	}
	if err := d.Cancel(context.Background(), op.Request.ID, "cli"); err != nil {
		t.Fatal(err)
	}
	if got := d.Snapshot().Operations[0]; got.State != pim.OperationFailed || code(got) != pim.CodeCancelled {
		t.Errorf("withdrawn: %+v", got)
	}
	op = d.activate(owner)
	if op.State != pim.OperationWaiting {
		t.Fatalf("%+v (%+v)", op, op.Problem)
	}
	dir := d.dir
	d.stop()
	o.control(http.MethodPost, "/approve", map[string]any{"request": op.Request.ID, "justification": "go ahead"})
	d = o.run(dir)
	s := d.until("the decision", func(s *pim.Snapshot) bool {
		return slices.ContainsFunc(s.Operations, func(got pim.Operation) bool { return got.ID == op.ID && got.State == pim.OperationDone })
	})
	if len(s.Operations) == 0 || d.active(owner) == "" {
		t.Errorf("approved: %+v, shown %q", s.Operations, d.active(owner))
	}
}

// Where the service keeps to itself who decided, all else is shown as ever.
func TestTenantDecisionThatMayNotBeRead(t *testing.T) {
	o := newOffice(t, "demo")
	o.settings(map[string]any{"ownApproval": "refuse"})
	d := o.run(t.TempDir()).read()
	op := d.activate(d.role("Owner", "Logistics"))
	o.control(http.MethodPost, "/deny", map[string]any{"request": op.Request.ID, "justification": "not today"})
	if err := d.refresh(); err != nil {
		t.Fatal(err)
	}
	s := d.until("the decision", func(s *pim.Snapshot) bool {
		return slices.ContainsFunc(s.Operations, func(got pim.Operation) bool { return got.ID == op.ID && got.State == pim.OperationFailed })
	})
	for _, got := range s.Operations {
		if got.ID == op.ID && (got.Request.Status != "Denied" || got.Request.Review != pim.Review{} || !strings.Contains(got.Problem.Text, "Ask your approver")) {
			t.Errorf("%+v (%+v)", got, got.Problem)
		}
	}
	if err := d.refresh(); err != nil || !slices.ContainsFunc(d.Snapshot().Requests, func(r pim.Request) bool { return r.ID == op.Request.ID }) {
		t.Errorf("listed are %+v, %v", d.Snapshot().Requests, err)
	}
	refused := 0
	for _, c := range o.tenant.Log() {
		if c.Status == http.StatusForbidden && strings.Contains(c.Path, "roleAssignmentApprovals") {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("asked %d times", refused)
	}
}

func TestTenantPartsThatFail(t *testing.T) {
	o := newOffice(t, "demo")
	d := o.run(t.TempDir()).read()
	n := len(d.Snapshot().Eligible)
	o.fault(tenant.Fault{PathContains: "roleEligibilityScheduleInstances", Body: `{"value":[{`})
	if err := d.refresh(); pim.CodeOf(err) != pim.CodeUnreadable {
		t.Errorf("refresh: %v", err)
	}
	s := d.Snapshot()
	if len(s.Eligible) != n {
		t.Errorf("%d eligible, want the %d of before", len(s.Eligible), n)
	}
	for _, p := range s.Parts {
		if (p.Problem != nil) != (p.Name == "eligible") {
			t.Errorf("part %+v: %+v", p, p.Problem)
		}
	}
}

func TestTenantLarge(t *testing.T) {
	o := newOffice(t, "large")
	dir := t.TempDir()
	d := o.run(dir).read()
	s := d.Snapshot()
	seen := map[pim.Key]bool{}
	for _, e := range s.Eligible {
		seen[e.Role.Key()] = true
	}
	if len(s.Eligible) != 5000 || len(seen) != 5000 {
		t.Errorf("%d eligible, %d keys", len(s.Eligible), len(seen))
	}
	for _, p := range s.Parts {
		if p.Problem != nil || p.At.IsZero() {
			t.Errorf("part %+v: %+v", p, p.Problem)
		}
	}
	owner := s.Eligible[0].Role
	if op := d.wait(d.activate(owner).ID); op.State != pim.OperationDone || d.active(owner) == "" {
		t.Errorf("%+v (%+v)", op, op.Problem)
	}
	d.stop()
	if s := o.run(dir).Snapshot(); !s.FromDisk && len(s.Active) == 0 || len(s.Eligible) != 5000 || len(s.Active) != 1 {
		t.Errorf("first paint: %d eligible, active %+v", len(s.Eligible), s.Active)
	}
}
