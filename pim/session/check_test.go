package session_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
	"roletray/pim/session"
)

// checkedService has a dry run of its own for each role.
type checkedService struct {
	*service
	check func(context.Context, pim.Activation) error
}

func (f checkedService) Check(ctx context.Context, a pim.Activation) error {
	f.mu.Lock()
	_ = f.note(ctx, "check", a.ID)
	f.mu.Unlock()
	return f.check(ctx, a)
}

func checking(t *testing.T, f *service, check func(context.Context, pim.Activation) error) *rig {
	t.Helper()
	r := runWith(t, t.TempDir(), session.Params{Providers: []pim.Provider{checkedService{f, check}}})
	r.until("everything read", func(s *pim.Snapshot) bool { return !s.FromDisk && !s.Refreshing && len(s.Eligible) > 0 })
	return r
}

func wish(name string) session.Wish {
	return session.Wish{Key: key(name), Duration: time.Hour, Justification: "because"}
}

func TestCheckAllTellsWhatSendingWouldMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "fine", "approved", "active", "mfa", "refused", "busy", "ended")
		f.policies[key("approved")] = pim.Policy{Readable: true, ApprovalRequired: true, AuthContext: "c1", MaxDuration: time.Hour}
		r := checking(t, f, func(_ context.Context, a pim.Activation) error {
			switch a.Eligibility.Role.Name {
			case "active":
				return &pim.Error{Code: pim.CodeAlreadyActive}
			case "mfa":
				return &pim.Error{Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleMFA}}
			case "refused":
				return &pim.Error{Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleTicketing}}
			}
			return nil
		})
		f.set(func() { f.status = "PendingApproval" })
		r.activate("busy")
		f.set(func() { f.status = "" })
		later := wish("active")
		later.Start = time.Now().Add(time.Hour)
		found := r.CheckAll(context.Background(), []session.Wish{
			wish("fine"), wish("approved"), wish("active"), wish("mfa"), wish("refused"), wish("busy"), later,
		}, false)
		for i, want := range []pim.Finding{
			{},
			{StepUp: true, Approval: true},
			{Already: true},
			{StepUp: true},
			{Rules: []pim.Rule{pim.RuleTicketing}},
			{Already: true, Local: true},
			{},
		} {
			got := found[i]
			if refused := i == 4 || i == 6; got.Obstacle() != refused || (got.Problem != nil) != refused {
				t.Errorf("%d: %+v (%+v)", i, got, got.Problem)
			}
			if got.StepUp != want.StepUp || got.Approval != want.Approval || got.Already != want.Already || got.Local != want.Local || !slices.Equal(got.Rules, want.Rules) {
				t.Errorf("%d: %+v, want %+v", i, got, want)
			}
		}
		if n := len(f.made("send")); n != 1 {
			t.Errorf("%d requests, want the first one only", n)
		}
		if c := r.Snapshot().Checking; len(c) > 0 {
			t.Errorf("still being checked: %v", c)
		}
	})
}

// The settings may have been changed since they were read: a check reads them again before it
// finds fault, as sending does.
func TestCheckReadsSettingsAgainBeforeItFindsFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.policies[key("owner")] = pim.Policy{Readable: true, MaxDuration: 30 * time.Minute}
		r := checking(t, f, func(context.Context, pim.Activation) error { return nil })
		if found := r.CheckAll(context.Background(), []session.Wish{wish("owner")}, true); !found[0].Obstacle() {
			t.Errorf("%+v", found[0])
		}
		f.set(func() { f.policies[key("owner")] = pim.Policy{Readable: true, MaxDuration: 2 * time.Hour} })
		time.Sleep(time.Minute)
		if found := r.CheckAll(context.Background(), []session.Wish{wish("owner")}, true); found[0].Obstacle() {
			t.Errorf("%+v (%+v)", found[0], found[0].Problem)
		}
	})
}

func TestCheckLearnsTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.policies[key("owner")] = pim.Policy{}
		r := checking(t, f, func(context.Context, pim.Activation) error {
			return &pim.Error{Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleExpiration}}
		})
		r.CheckAll(context.Background(), []session.Wish{wish("owner")}, true)
		if p := r.Snapshot().Policies[key("owner")]; p.MaxDuration != 30*time.Minute {
			t.Errorf("the settings are %+v", p)
		}
	})
}

func TestCheckRefusedAtANarrowerScopeOffersTheNextOneUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := checking(t, f, func(context.Context, pim.Activation) error { return &pim.Error{Code: pim.CodeForbidden} })
		w := wish("owner")
		w.Scope = pim.Scope{ID: "/subscriptions/owner/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"}
		found := r.CheckAll(context.Background(), []session.Wish{w, wish("owner")}, true)
		if o := found[0].Offer; o == nil || o.Name != "rg" || !found[0].Obstacle() {
			t.Errorf("%+v offers %+v", found[0], o)
		}
		if found[1].Offer != nil {
			t.Errorf("offers %+v above the eligibility", found[1].Offer)
		}
	})
}

// Whoever calls a check off does not call off what the service made of it.
func TestCheckThatIsCalledOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "a", "b", "c", "d", "e", "f")
		r := checking(t, f, func(ctx context.Context, a pim.Activation) error {
			time.Sleep(time.Minute)
			if a.Eligibility.Role.Name != "a" {
				return ctx.Err()
			}
			made, err := f.Activate(ctx, a)
			if err != nil {
				return err
			}
			return &pim.SentError{Request: made}
		})
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, func() {
			if n := len(r.Snapshot().Checking); n != 6 {
				t.Errorf("%d roles are being checked", n)
			}
			cancel()
		})
		began := time.Now()
		found := r.CheckAll(ctx, []session.Wish{wish("a"), wish("b"), wish("c"), wish("d"), wish("e"), wish("f")}, true)
		if took := time.Since(began); took != time.Second {
			t.Errorf("the check ended after %s", took)
		}
		for i, f := range found {
			if f.Problem == nil || f.Problem.Code != pim.CodeCancelled || f.Obstacle() {
				t.Errorf("%d: %+v (%+v)", i, f, f.Problem)
			}
		}
		if n := len(r.Snapshot().Checking); n != 0 {
			t.Errorf("%d roles are still being checked", n)
		}
		r.until("the request that a check became", func(s *pim.Snapshot) bool {
			return len(s.Operations) == 1 && s.Operations[0].State == pim.OperationDone && s.Operations[0].Role.Name == "a"
		})
		if n := len(f.made("check")); n != 4 {
			t.Errorf("%d checks began", n)
		}
	})
}

// What a check was taken for is not sent again, nor checked.
func TestWishThatACheckHasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner", "reader")
		f.status = "PendingApproval"
		r := runWith(t, t.TempDir(), session.Params{Providers: []pim.Provider{sentService{f}}})
		r.until("everything read", func(s *pim.Snapshot) bool { return !s.FromDisk && !s.Refreshing && len(s.Eligible) > 0 })
		w := wish("owner")
		w.Operation = r.CheckAll(context.Background(), []session.Wish{w}, true)[0].Operation
		if again := r.CheckAll(context.Background(), []session.Wish{w}, true)[0]; again.Operation != w.Operation || again.Problem == nil || again.Obstacle() {
			t.Errorf("checked again: %+v", again)
		}
		ops, err := r.Activate(context.Background(), []session.Wish{w, wish("reader")}, true)
		if err != nil || ops[0].ID != w.Operation || ops[1].State != pim.OperationWaiting {
			t.Errorf("%+v, %v", ops, err)
		}
		if n := len(f.made("send")); n != 2 {
			t.Errorf("%d requests, want one for each role", n)
		}
		if err := r.Cancel(context.Background(), ops[0].Request.ID, "cli"); err != nil {
			t.Fatal(err)
		}
		// Withdrawn, and then wanted after all.
		ops, err = r.Activate(context.Background(), []session.Wish{w}, true)
		if err != nil || ops[0].ID == w.Operation || ops[0].State != pim.OperationWaiting {
			t.Errorf("%+v, %v", ops, err)
		}
	})
}
