package session_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
)

// service is a provider that keeps everything in memory, for the rules about
// time. Its fields are set before the session runs, or under mu.
type service struct {
	kind pim.Kind

	mu       sync.Mutex
	eligible []pim.Eligibility
	listed   map[pim.Key]pim.Assignment
	// also are more rows of the listing.
	also     []pim.Assignment
	requests []pim.Request
	policies map[pim.Key]pim.Policy
	// lag is how late the listing shows a write.
	lag time.Duration
	// slow is how long the answer to Follow takes.
	slow time.Duration
	// behind is how late the service's clock is.
	behind time.Duration
	later  []change
	// incomplete makes the scoped reads lose the right to drop rows.
	incomplete bool
	// status is what a write becomes; Provisioned or Revoked where empty.
	status pim.Status
	// err is what every call of that name returns.
	err map[string]error
	// onSend judges a write in place of the service: with keep it is recorded all
	// the same.
	onSend func(ctx context.Context, n int) (keep bool, err error)
	calls  []call
	// gate holds back the answers of Eligible.
	gate chan struct{}
}

type change struct {
	at time.Time
	do func()
}

type call struct {
	name string
	at   time.Time
	id   string
	// token is what the context carried.
	token string
}

func newService(kind pim.Kind, names ...string) *service {
	f := &service{kind: kind, listed: map[pim.Key]pim.Assignment{}, policies: map[pim.Key]pim.Policy{}, err: map[string]error{}}
	for _, name := range names {
		role := roleOf(kind, name)
		f.eligible = append(f.eligible, pim.Eligibility{Role: role, ID: "e-" + name, ScheduleID: "s-" + name})
		f.policies[role.Key()] = pim.Policy{Readable: true, MaxDuration: 8 * time.Hour}
	}
	return f
}

func roleOf(kind pim.Kind, name string) pim.Role {
	return pim.Role{Kind: kind, DefinitionID: "/roleDefinitions/" + name, Name: name, Scope: pim.Scope{ID: "/subscriptions/" + name, Name: "Sub " + name}}
}

func key(name string) pim.Key { return roleOf(pim.KindAzure, name).Key() }

type tokenKey struct{}

func (f *service) note(ctx context.Context, name, id string) error {
	token, _ := ctx.Value(tokenKey{}).(string)
	f.calls = append(f.calls, call{name: name, at: time.Now(), id: id, token: token})
	now := time.Now()
	f.later = slices.DeleteFunc(f.later, func(c change) bool {
		if c.at.After(now) {
			return false
		}
		c.do()
		return true
	})
	return f.err[name]
}

func (f *service) made(name string) []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []call
	for _, c := range f.calls {
		if c.name == name {
			out = append(out, c)
		}
	}
	return out
}

func (f *service) set(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

func (f *service) Kind() pim.Kind { return f.kind }

func (f *service) Eligible(ctx context.Context) ([]pim.Eligibility, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err, gate := f.note(ctx, "eligible", ""), f.gate
	if gate != nil {
		f.mu.Unlock()
		<-gate
		f.mu.Lock()
	}
	return slices.Clone(f.eligible), err
}

func (f *service) Active(ctx context.Context, eligible []pim.Eligibility, wide bool) iter.Seq2[pim.ActivePart, error] {
	return func(yield func(pim.ActivePart, error) bool) {
		name, scopes := "active", []pim.Scope{}
		for _, e := range eligible {
			scopes = append(scopes, e.Role.Scope)
		}
		if wide {
			name, scopes = "wide", append(scopes, pim.Scope{})
		}
		f.mu.Lock()
		err := f.note(ctx, name, "")
		var parts []pim.ActivePart
		for _, s := range scopes {
			part := pim.ActivePart{Scope: s, Complete: s.ID != "" && !f.incomplete}
			for _, a := range slices.AppendSeq(slices.Clone(f.also), maps.Values(f.listed)) {
				if part.Covers(a.Role.Scope) {
					part.Rows = append(part.Rows, a)
				}
			}
			parts = append(parts, part)
		}
		f.mu.Unlock()
		if err != nil {
			yield(pim.ActivePart{}, err)
			return
		}
		for _, p := range parts {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (f *service) Requests(ctx context.Context) ([]pim.Request, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests), f.note(ctx, "requests", "")
}

func (f *service) Policy(ctx context.Context, e pim.Eligibility) (pim.Policy, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.policies[e.Role.Key()], f.note(ctx, "policy", "")
}

func (f *service) Check(ctx context.Context, _ pim.Activation) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.note(ctx, "check", "")
}

func (f *service) write(ctx context.Context, r pim.Request, list func()) (pim.Request, error) {
	f.mu.Lock()
	err := f.note(ctx, "send", r.ID)
	n, judge := 0, f.onSend
	for _, c := range f.calls {
		if c.name == "send" {
			n++
		}
	}
	f.mu.Unlock()
	keep := err == nil
	if judge != nil {
		keep, err = judge(ctx, n)
	}
	if !keep {
		return pim.Request{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r.Created = time.Now().Add(-f.behind)
	if f.status != "" {
		r.Status = f.status
	}
	f.requests = append(f.requests, r)
	if r.Phase(time.Now()) == pim.PhaseDone {
		f.later = append(f.later, change{time.Now().Add(f.lag), list})
	}
	return r, err
}

func (f *service) Activate(ctx context.Context, a pim.Activation) (pim.Request, error) {
	role := a.Role()
	r := pim.Request{ID: a.ID, Role: role, Action: pim.ActionActivate, Status: "Provisioned", Start: a.Start, Duration: a.Duration, Justification: a.Justification, Ticket: a.Ticket}
	sent := time.Now()
	return f.write(ctx, r, func() {
		f.listed[role.Key()] = pim.Assignment{Role: role, ID: "a-" + a.ID, Type: pim.Activated, Start: sent, End: sent.Add(a.Duration)}
	})
}

func (f *service) Deactivate(ctx context.Context, d pim.Deactivation) (pim.Request, error) {
	role := d.Assignment.Role
	r := pim.Request{ID: d.ID, Role: role, Action: pim.ActionDeactivate, Status: "Revoked"}
	return f.write(ctx, r, func() { delete(f.listed, role.Key()) })
}

func (f *service) find(id string) (pim.Request, bool) {
	i := slices.IndexFunc(f.requests, func(r pim.Request) bool { return r.ID == id })
	if i < 0 {
		return pim.Request{}, false
	}
	return f.requests[i], true
}

func (f *service) Cancel(ctx context.Context, r pim.Request) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.note(ctx, "cancel", r.ID); err != nil {
		return err
	}
	f.setStatus(r.ID, "Canceled")
	return nil
}

func (f *service) setStatus(id string, s pim.Status) {
	for i := range f.requests {
		if f.requests[i].ID == id {
			f.requests[i].Status = s
		}
	}
}

func (f *service) Follow(ctx context.Context, r pim.Request) (pim.Request, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.note(ctx, "follow", r.ID); err != nil {
		return pim.Request{}, err
	}
	got, ok := f.find(r.ID)
	f.mu.Unlock()
	<-time.After(f.slow)
	f.mu.Lock()
	if !ok {
		return pim.Request{}, &pim.Error{Code: pim.CodeNotFound}
	}
	return got, nil
}

func (f *service) Find(ctx context.Context, w pim.Write) (pim.Request, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.note(ctx, "find", w.ID); err != nil {
		return pim.Request{}, false, err
	}
	r, ok := f.find(w.ID)
	return r, ok, nil
}

// browser is the person who meets claims.
type browser struct {
	mu     sync.Mutex
	asked  []pim.Claims
	refuse error
	takes  time.Duration
	// silent says that what the person did before suffices.
	silent bool
}

func (b *browser) StepUpSilently(ctx context.Context, a pim.Audience, claims pim.Claims) (context.Context, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.silent {
		return nil, &pim.Error{Code: pim.CodeSignInNeeded, Claims: claims}
	}
	return context.WithValue(ctx, tokenKey{}, fmt.Sprintf("%s %s", a, string(claims))), nil
}

func (b *browser) StepUp(ctx context.Context, a pim.Audience, claims pim.Claims) (context.Context, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, claims)
	<-time.After(b.takes) // in a bubble of synctest
	if b.refuse != nil {
		return nil, b.refuse
	}
	return context.WithValue(ctx, tokenKey{}, fmt.Sprintf("%s %s", a, string(claims))), nil
}

func (b *browser) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.asked)
}

// rig is a running session and what it works with.
type rig struct {
	*session.Session
	t       *testing.T
	dir     string
	browser *browser
	stop    func()

	mu     sync.Mutex
	events []pim.Event
}

// run starts a session on the files in dir. It stops with the test.
func run(t *testing.T, dir string, services ...*service) *rig {
	t.Helper()
	return runWith(t, dir, session.Params{}, services...)
}

func runWith(t *testing.T, dir string, p session.Params, services ...*service) *rig {
	t.Helper()
	files, err := store.OpenAccount(dir, "a")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: dir, browser: &browser{}}
	p.Account.ID, p.Files, p.Stepper = "a", files, r.browser
	for _, f := range services {
		p.Providers = append(p.Providers, f)
	}
	r.Session, err = session.New(p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		for e := range r.Events() {
			r.mu.Lock()
			r.events = append(r.events, e)
			r.mu.Unlock()
		}
	})
	r.stop = func() { cancel(); wg.Wait() }
	t.Cleanup(r.stop)
	return r
}

// until waits for a snapshot that satisfies ok.
func (r *rig) until(what string, ok func(*pim.Snapshot) bool) *pim.Snapshot {
	r.t.Helper()
	changed, stop := r.Subscribe()
	defer stop()
	deadline := time.After(24 * time.Hour)
	for {
		if s := r.Snapshot(); ok(s) {
			return s
		}
		select {
		case <-changed:
		case <-deadline:
			r.t.Fatalf("no snapshot with %s; the last has active %v, operations %v", what, r.Snapshot().Active, r.Snapshot().Operations)
		}
	}
}

func (r *rig) read() *pim.Snapshot {
	r.t.Helper()
	return r.until("everything read", func(s *pim.Snapshot) bool { return !s.FromDisk && !s.Refreshing && len(s.Eligible) > 0 })
}

func (r *rig) activate(names ...string) []pim.Operation {
	r.t.Helper()
	var wishes []session.Wish
	for _, n := range names {
		wishes = append(wishes, session.Wish{Key: key(n), Duration: time.Hour, Justification: "because", Client: "cli"})
	}
	ops, err := r.Activate(context.Background(), wishes, true)
	if err != nil {
		r.t.Fatal(err)
	}
	return ops
}

func (r *rig) certainty(name string) pim.Certainty {
	for _, a := range r.Snapshot().Active {
		if a.Assignment.Role.Key() == key(name) {
			return a.Certainty
		}
	}
	return ""
}

func (r *rig) kinds() []pim.EventKind {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []pim.EventKind
	for _, e := range r.events {
		out = append(out, e.Kind)
	}
	return out
}

// copyFiles is the profile as a crash at this moment would leave it.
func (r *rig) copyFiles() string {
	r.t.Helper()
	to := r.t.TempDir()
	if err := os.CopyFS(to, os.DirFS(r.dir)); err != nil {
		r.t.Fatal(err)
	}
	return to
}

func code(o pim.Operation) pim.Code {
	if o.Problem == nil {
		return ""
	}
	return o.Problem.Code
}
