package session_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
	"roletray/pim/session"
)

// What follows has gone wrong in other programs.

// After a deactivation Azure goes on to say that the role is active.
func TestRoleAssignmentExistsForTwoMinutesAfterADeactivation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		r.activate("owner")
		time.Sleep(10 * time.Minute)
		if op, err := r.Deactivate(context.Background(), key("owner"), "cli", true); err != nil || op.State != pim.OperationDone {
			t.Fatalf("%+v, %v", op, err)
		}
		until := time.Now().Add(2 * time.Minute)
		f.set(func() {
			f.onSend = func(context.Context, int) (bool, error) {
				if time.Now().Before(until) {
					return false, &pim.Error{Code: pim.CodeAlreadyActive, Service: "RoleAssignmentExists"}
				}
				return true, nil
			}
		})
		if op := r.activate("owner")[0]; code(op) != pim.CodeAlreadyActive || r.certainty("owner") != "" {
			t.Errorf("at once: %+v, shown %q: it is not active, whatever the service says", op.Problem, r.certainty("owner"))
		}
		time.Sleep(2 * time.Minute)
		if op := r.activate("owner")[0]; op.State != pim.OperationDone {
			t.Errorf("later: %+v", op.Problem)
		}
	})
}

// A fresh activation is not known yet where it is to be ended. It stays shown as active.
func TestRoleAssignmentDoesNotExistInTheFirst45Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.lag = time.Minute
		r := run(t, t.TempDir(), f)
		r.read()
		// The service's clock is ahead, so that the five minutes seem over.
		f.listed[key("owner")] = pim.Assignment{Role: roleOf(pim.KindAzure, "owner"), Type: pim.Activated, Start: time.Now().Add(-5 * time.Minute), End: time.Now().Add(time.Hour)}
		if err := r.Refresh(context.Background(), "test"); err != nil {
			t.Fatal(err)
		}
		f.set(func() {
			f.onSend = func(context.Context, int) (bool, error) {
				return false, &pim.Error{Code: pim.CodeNotActive, Service: "RoleAssignmentDoesNotExist"}
			}
		})
		op, err := r.Deactivate(context.Background(), key("owner"), "cli", true)
		if err != nil || code(op) != pim.CodeNotActive || r.certainty("owner") == "" {
			t.Errorf("%+v, %v, shown %q", op.Problem, err, r.certainty("owner"))
		}
	})
}

// Where the own record has the role, it is not said to be inactive: it is too early.
func TestRoleAssignmentDoesNotExistForWhatWasJustActivated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		// By its own start, the five minutes are over.
		f.lag, f.behind = time.Minute, 6*time.Minute
		r := run(t, t.TempDir(), f)
		r.read()
		r.activate("owner")
		f.set(func() {
			f.onSend = func(context.Context, int) (bool, error) {
				return false, &pim.Error{Code: pim.CodeNotActive, Service: "RoleAssignmentDoesNotExist", Message: "The Role assignment does not exist."}
			}
		})
		time.Sleep(45 * time.Second)
		op, err := r.Deactivate(context.Background(), key("owner"), "cli", true)
		if err != nil || code(op) != pim.CodeTooEarly || r.certainty("owner") == "" || len(f.made("send")) != 2 {
			t.Fatalf("%+v, %v, shown %q, %d sent", op.Problem, err, r.certainty("owner"), len(f.made("send")))
		}
		if want := "A role cannot be deactivated in its first five minutes. Try again in 5 min."; op.Problem.Text != want || !strings.Contains(op.Problem.Details, "RoleAssignmentDoesNotExist") {
			t.Errorf("%+v", op.Problem)
		}
		time.Sleep(4*time.Minute + 15*time.Second)
		if op, err := r.Deactivate(context.Background(), key("owner"), "cli", true); err != nil || code(op) != pim.CodeNotActive {
			t.Errorf("%+v, %v", op.Problem, err)
		}
	})
}

// A start that passes while the person signs in is no failure: the provider leaves it out,
// and the session follows what the service made of it.
func TestStartThatHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.policies[key("owner")] = pim.Policy{Readable: true, AuthContext: "c1"}
		r := run(t, t.TempDir(), f)
		r.browser.takes = 2 * time.Minute
		r.read()
		start := time.Now().Add(time.Minute)
		ops, err := r.Activate(context.Background(), []session.Wish{{Key: key("owner"), Start: start, Duration: time.Hour}}, true)
		if err != nil || ops[0].State != pim.OperationDone || r.certainty("owner") == "" {
			t.Errorf("%+v (%+v), %v", ops[0], ops[0].Problem, err)
		}
	})
}

// Ordinary people may not read the settings of many roles. Then the service
// decides, and its refusal teaches the limit.
func TestPolicyThatMayNotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.policies[key("owner")] = pim.Policy{}
		f.onSend = func(_ context.Context, n int) (bool, error) {
			if n == 1 {
				return false, &pim.Error{Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleExpiration}}
			}
			return true, nil
		}
		r := run(t, t.TempDir(), f)
		r.read()
		ask := func(d time.Duration) pim.Operation {
			ops, err := r.Activate(context.Background(), []session.Wish{{Key: key("owner"), Duration: d}}, true)
			if err != nil {
				t.Fatal(err)
			}
			return ops[0]
		}
		if op := ask(8 * time.Hour); code(op) != pim.CodePolicy {
			t.Fatalf("%+v", op)
		}
		for range 2 {
			p, err := r.Policy(context.Background(), key("owner"))
			if err != nil || p.Readable || p.MaxDuration != 4*time.Hour || p.Learnt.IsZero() {
				t.Errorf("%+v, %v", p, err)
			}
			// It is read again, cannot be again, and what was learnt stays: through a restart too.
			time.Sleep(time.Hour)
			r.stop()
			r = run(t, r.dir, f)
			r.read()
		}
		// It forbids nothing: the organisation may have changed it.
		if op := ask(8 * time.Hour); op.State != pim.OperationDone {
			t.Errorf("%+v", op.Problem)
		}
		time.Sleep(25 * time.Hour)
		if p, err := r.Policy(context.Background(), key("owner")); err != nil || p.MaxDuration != 0 {
			t.Errorf("a day later: %+v, %v", p, err)
		}
	})
}

// Yesterday's request with the same reason is not the answer to today's, whose own was
// lost.
func TestYesterdaysRequestWithTheSameReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.requests = []pim.Request{{
			ID: "yesterday", Role: roleOf(pim.KindAzure, "owner"), Action: pim.ActionActivate, Status: "Provisioned",
			Duration: time.Hour, Justification: "because", Created: time.Now().Add(-24 * time.Hour),
		}}
		f.onSend = func(context.Context, int) (bool, error) { return false, &pim.Error{Code: pim.CodeTimeout} }
		r := run(t, t.TempDir(), f)
		r.read()
		op, err := r.Wait(context.Background(), r.activate("owner")[0].ID)
		if err != nil || code(op) != pim.CodeUnknownOutcome || r.certainty("owner") != "" {
			t.Errorf("%+v (%+v), %v", op, op.Problem, err)
		}
	})
}

// The service says that there is a request of the very GUID that was sent: an earlier
// sending has arrived.
func TestConflictThatNamesTheOwnGUID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.onSend = func(context.Context, int) (bool, error) { return true, &pim.Error{Code: pim.CodeDuplicate} }
		r := run(t, t.TempDir(), f)
		r.read()
		op, err := r.Wait(context.Background(), r.activate("owner")[0].ID)
		if err != nil || op.State != pim.OperationDone || r.certainty("owner") == "" || len(f.made("send")) != 1 {
			t.Errorf("%+v (%+v), %v, %d sent", op, op.Problem, err, len(f.made("send")))
		}
	})
}

// A slow answer is no reason to send again.
func TestWriteAnsweredAfter30Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.onSend = func(context.Context, int) (bool, error) {
			time.Sleep(30 * time.Second)
			return true, &pim.Error{Code: pim.CodeTimeout}
		}
		r := run(t, t.TempDir(), f)
		r.read()
		op, err := r.Wait(context.Background(), r.activate("owner")[0].ID)
		if err != nil || op.State != pim.OperationDone || len(f.made("send")) != 1 {
			t.Errorf("%+v (%+v), %v, %d sent", op, op.Problem, err, len(f.made("send")))
		}
	})
}

// One role that is active already spoils no batch, and one that fails stops no other.
func TestBatchWithOneActiveAndOneRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := []string{"a", "b", "c", "d", "e", "f"}
		f := newService(pim.KindAzure, names...)
		f.listed[key("a")] = pim.Assignment{Role: roleOf(pim.KindAzure, "a"), Type: pim.Activated, End: time.Now().Add(time.Hour)}
		r := run(t, t.TempDir(), f)
		r.read()
		under, most := 0, 0
		f.set(func() {
			f.onSend = func(context.Context, int) (bool, error) {
				f.mu.Lock()
				under++
				most = max(most, under)
				f.mu.Unlock()
				time.Sleep(time.Second)
				f.mu.Lock()
				defer f.mu.Unlock()
				under--
				return true, nil
			}
		})
		f.policies[key("b")] = pim.Policy{Readable: true, MaxDuration: time.Minute}
		ops := r.activate(names...)
		var got []string
		for _, op := range ops {
			got = append(got, fmt.Sprintf("%s %s", op.Role.Name, op.State))
		}
		if want := []string{"a done", "b failed", "c done", "d done", "e done", "f done"}; !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		if most != 4 {
			t.Errorf("%d sent at once", most)
		}
	})
}

// Azure's service refuses some narrower scopes: then the next one up is offered.
func TestRefusedAtANarrowerScopeOffersTheNextOneUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := full(newService(pim.KindAzure, "owner"))
		top := f.eligible[0].Role.Scope
		group := pim.Scope{ID: top.ID + "/resourceGroups/g", Name: "g", Type: pim.ScopeResourceGroup}
		f.children[top.ID] = []pim.Scope{group}
		f.onSend = func(context.Context, int) (bool, error) { return false, &pim.Error{Code: pim.CodeForbidden} }
		r := runFull(t, t.TempDir(), session.Params{}, f)
		r.read()
		children, err := r.Children(context.Background(), key("owner"), pim.Scope{})
		if err != nil || !slices.Equal(children, f.children[top.ID]) {
			t.Fatalf("%+v, %v", children, err)
		}
		at := func(s pim.Scope) pim.Operation {
			ops, err := r.Activate(context.Background(), []session.Wish{{Key: key("owner"), Scope: s, Duration: time.Hour}}, true)
			if err != nil {
				t.Fatal(err)
			}
			return ops[0]
		}
		vm := pim.Scope{ID: group.ID + "/providers/Microsoft.Compute/virtualMachines/v"}
		if op := at(vm); code(op) != pim.CodeForbidden || op.Offer == nil || op.Offer.ID != group.ID {
			t.Errorf("%+v offers %+v", op.Problem, op.Offer)
		}
		if op := at(group); op.Offer == nil || *op.Offer != top {
			t.Errorf("%+v offers %+v", op.Problem, op.Offer)
		}
		if op := at(pim.Scope{}); op.Offer != nil {
			t.Errorf("at the eligibility's own scope it offers %+v", op.Offer)
		}
	})
}

// Parallel challenges are one prompt for the person.
func TestParallelChallengesAreOnePrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "a", "b", "c", "d", "e")
		f.onSend = func(ctx context.Context, _ int) (bool, error) {
			if token, _ := ctx.Value(tokenKey{}).(string); token == "" {
				return false, fmt.Errorf("wrapped: %w", &pim.Error{Code: pim.CodeStepUp, Claims: claimsC1})
			}
			return true, nil
		}
		r := run(t, t.TempDir(), f)
		r.browser.takes = time.Second
		r.read()
		for _, op := range r.activate("a", "b", "c", "d", "e") {
			if op.State != pim.OperationDone {
				t.Errorf("%s: %+v", op.Role.Name, op.Problem)
			}
		}
		if r.browser.count() != 1 {
			t.Errorf("%d prompts", r.browser.count())
		}
		// One that is called off is not asked for again.
		r.browser.refuse = &pim.Error{Code: pim.CodeCancelled}
		f.set(func() { clear(f.listed) })
		time.Sleep(2 * time.Hour)
		for _, op := range r.activate("a", "b", "c", "d", "e") {
			if code(op) != pim.CodeCancelled {
				t.Errorf("%s: %+v", op.Role.Name, op.Problem)
			}
		}
		if r.browser.count() != 2 {
			t.Errorf("%d prompts", r.browser.count())
		}
	})
}

// cutService shows only the first rows of some lists.
type cutService struct {
	*fullService
	parts map[string]int
}

func (f cutService) Cut(part string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.parts[part]
}

func TestListsThatAreCutAreSaidToBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := cutService{full(newService(pim.KindDirectory, "admin")), map[string]int{pim.PartEligible: 50, pim.PartApprovals: 50}}
		r := runWith(t, t.TempDir(), session.Params{Providers: []pim.Provider{f}})
		check := func(when string) {
			t.Helper()
			r.read()
			if err := r.Refresh(context.Background(), "test"); err != nil {
				t.Error(err)
			}
			for _, p := range r.Snapshot().Parts {
				if p.Cut != f.parts[p.Name] || p.At.IsZero() {
					t.Errorf("%s the part is %+v", when, p)
				}
			}
		}
		check("cut")
		f.set(func() { delete(f.parts, pim.PartEligible); f.parts[pim.PartRequests] = 50 })
		check("cut elsewhere")
	})
}

// sentService takes a check for a request.
type sentService struct{ *service }

func (f sentService) Check(ctx context.Context, a pim.Activation) error {
	r, err := f.Activate(ctx, a)
	if err != nil {
		return err
	}
	return &pim.SentError{Request: r}
}

func TestCheckThatWasTakenForARequestIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindDirectory)
		role := roleOf(pim.KindDirectory, "admin")
		f.eligible, f.status = []pim.Eligibility{{Role: role}}, "PendingApproval"
		groups := newService(pim.KindGroup)
		groups.eligible = []pim.Eligibility{{Role: membership("team")}}
		r := runWith(t, t.TempDir(), session.Params{Providers: []pim.Provider{sentService{f}}}, groups)
		r.until("both kinds", func(s *pim.Snapshot) bool { return len(s.Eligible) == 2 && !s.Refreshing })
		found := r.CheckAll(context.Background(), []session.Wish{
			{Key: role.Key(), Duration: time.Hour, Client: "cli"},
			{Key: membership("team").Key(), Duration: time.Hour},
			{Key: membership("team").Key(), Duration: 48 * time.Hour},
			{Key: "nothing"},
		}, true)
		if f := found[0]; f.Problem == nil || f.Operation == "" {
			t.Errorf("%+v", f)
		}
		if f := found[1]; f.Problem != nil || !f.Local || len(groups.made("check")) != 0 {
			t.Errorf("a group: %+v", f)
		}
		if f := found[2]; f.Problem == nil || f.Problem.Code != pim.CodePolicy {
			t.Errorf("too long: %+v", f)
		}
		if f := found[3]; f.Problem == nil || f.Problem.Code != pim.CodeNotEligible {
			t.Errorf("unknown: %+v", f)
		}
		ops := r.Snapshot().Operations
		if len(ops) != 1 || ops[0].ID != found[0].Operation || ops[0].State != pim.OperationWaiting {
			t.Fatalf("operations %+v", ops)
		}
		if err := r.Cancel(context.Background(), ops[0].Request.ID, "cli"); err != nil || r.Snapshot().Operations[0].State != pim.OperationFailed {
			t.Errorf("%v, %+v", err, r.Snapshot().Operations)
		}
		synctest.Wait()
		if want := []pim.EventKind{pim.EventSent, pim.EventWaiting, pim.EventCancelled}; !slices.Equal(r.kinds(), want) {
			t.Errorf("events %v", r.kinds())
		}
	})
}
