package session_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
	"roletray/pim/session"
)

const (
	claimsC1  = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	claimsC2  = `{"access_token":{"acrs":{"essential":true,"value":"c2"}}}`
	claimsMFA = `{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}`
	// bothClaims are c1 and MFA.
	bothClaims = `{"access_token":{"acrs":{"essential":true,"value":"c1"},"amr":{"essential":true,"values":["mfa"]}}}`
)

func TestStepUpBeforeSending(t *testing.T) {
	c1, c2, mfa := pim.Policy{Readable: true, AuthContext: "c1"}, pim.Policy{Readable: true, AuthContext: "c2"}, pim.Policy{Readable: true, MFARequired: true}
	none, both := pim.Policy{Readable: true}, pim.Policy{Readable: true, AuthContext: "c1", MFARequired: true}
	for _, tt := range []struct {
		name     string
		policies []pim.Policy
		prompts  []pim.Claims
		tokens   []string
	}{
		{"a context and MFA are one prompt", []pim.Policy{c1, c1, mfa, none}, []pim.Claims{bothClaims}, []string{"", "arm " + bothClaims, "arm " + bothClaims, "arm " + bothClaims}},
		{"MFA and a context too", []pim.Policy{mfa, none, c1}, []pim.Claims{bothClaims}, []string{"", "arm " + bothClaims, "arm " + bothClaims}},
		{"a role that wants both", []pim.Policy{both, mfa}, []pim.Claims{bothClaims}, []string{"arm " + bothClaims, "arm " + bothClaims}},
		{"MFA alone", []pim.Policy{mfa, mfa}, []pim.Claims{claimsMFA}, []string{"arm " + claimsMFA, "arm " + claimsMFA}},
		{"two contexts are two", []pim.Policy{c1, c2, mfa}, []pim.Claims{bothClaims, claimsC2}, []string{"arm " + claimsC2, "arm " + bothClaims, "arm " + bothClaims}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				names := []string{"a", "b", "c", "d"}[:len(tt.policies)]
				f := newService(pim.KindAzure, names...)
				for i, name := range names {
					f.policies[key(name)] = tt.policies[i]
				}
				r := run(t, t.TempDir(), f)
				r.read()
				for _, op := range r.activate(names...) {
					if op.State != pim.OperationDone {
						t.Errorf("%s: %+v", op.Role.Name, op.Problem)
					}
				}
				if !slices.Equal(r.browser.asked, tt.prompts) {
					t.Errorf("%d prompts: %#v", len(r.browser.asked), r.browser.asked)
				}
				var tokens []string
				for _, c := range f.made("send") {
					tokens = append(tokens, c.token)
				}
				slices.Sort(tokens)
				slices.Sort(tt.tokens)
				if !slices.Equal(tokens, tt.tokens) {
					t.Errorf("sent with %q, want %q", tokens, tt.tokens)
				}
			})
		})
	}
}

func TestStepUpOnChallenge(t *testing.T) {
	challenge := &pim.Error{Code: pim.CodeStepUp, Claims: claimsC1}
	for _, tt := range []struct {
		name        string
		errs        []error
		interactive bool
		refuse      error
		want        pim.Code
		sent        int
		prompts     int
	}{
		{"met", []error{challenge}, true, nil, "", 2, 1},
		{"sign-in needed", []error{&pim.Error{Code: pim.CodeSignInNeeded, Claims: claimsC1}}, true, nil, "", 2, 1},
		{"by the rule of the policy", []error{&pim.Error{Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleMFA}}}, true, nil, "", 2, 1},
		{"again after it was met", []error{challenge, challenge, challenge}, true, nil, pim.CodeStepUp, 2, 1},
		{"called off", []error{challenge}, true, &pim.Error{Code: pim.CodeCancelled}, pim.CodeCancelled, 1, 1},
		{"with nobody there", []error{challenge}, false, nil, pim.CodeStepUp, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				f.onSend = func(_ context.Context, n int) (bool, error) {
					if n <= len(tt.errs) {
						return false, tt.errs[n-1]
					}
					return true, nil
				}
				r := run(t, t.TempDir(), f)
				r.browser.refuse = tt.refuse
				r.read()
				ops, err := r.Activate(context.Background(), []session.Wish{{Key: key("owner"), Duration: time.Hour}}, tt.interactive)
				if err != nil {
					t.Fatal(err)
				}
				sends := f.made("send")
				if code(ops[0]) != tt.want || len(sends) != tt.sent || r.browser.count() != tt.prompts {
					t.Fatalf("%+v, %d sent, %d prompts", ops[0].Problem, len(sends), r.browser.count())
				}
				if len(sends) == 2 && (sends[1].token == "" || sends[0].id != sends[1].id) {
					t.Errorf("sends %+v", sends)
				}
			})
		})
	}
}

// The settings may have changed since they were read: the service's own claims count.
func TestChallengeAfterStepUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.policies[key("owner")] = pim.Policy{Readable: true, AuthContext: "c1"}
		other := pim.Claims(strings.ReplaceAll(claimsC1, "c1", "c2"))
		f.onSend = func(_ context.Context, n int) (bool, error) {
			return n == 2, map[bool]error{false: &pim.Error{Code: pim.CodeStepUp, Claims: other}}[n == 2]
		}
		r := run(t, t.TempDir(), f)
		r.read()
		if op := r.activate("owner")[0]; op.State != pim.OperationDone || !slices.Equal(r.browser.asked, []pim.Claims{claimsC1, other}) {
			t.Errorf("%+v, %d prompts", op.Problem, r.browser.count())
		}
		// One that the service refuses by is read again.
		n := len(f.made("policy"))
		time.Sleep(2 * time.Hour)
		if op := r.activate("owner")[0]; code(op) != pim.CodeStepUp || len(f.made("policy")) != n {
			t.Errorf("%+v", op.Problem)
		}
		r.activate("owner")
		if len(f.made("policy")) != n+1 {
			t.Error("the policy was not read again")
		}
	})
}

// The time to look for a write begins when it is sent, not when the person was asked.
func TestLostAnswerAfterALongPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.policies[key("owner")] = pim.Policy{Readable: true, AuthContext: "c1"}
		f.onSend = func(context.Context, int) (bool, error) { return false, &pim.Error{Code: pim.CodeTimeout} }
		r := run(t, t.TempDir(), f)
		r.browser.takes = 6 * time.Minute
		r.read()
		op := r.activate("owner")[0]
		time.Sleep(4 * time.Minute)
		if got := r.Snapshot().Operations[0]; got.ID != op.ID || got.State != pim.OperationResolving {
			t.Errorf("%+v (%+v)", got, got.Problem)
		}
	})
}

func TestRefreshAfterSignInDoesNotShareAnOlderFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		gate := make(chan struct{})
		f.set(func() { f.err["eligible"], f.gate = &pim.Error{Code: pim.CodeSignInNeeded}, gate })
		r.until("a background read", func(s *pim.Snapshot) bool { return s.Refreshing })
		synctest.Wait()
		done := make(chan error)
		go func() { done <- r.Refresh(context.Background(), "signed in") }()
		synctest.Wait()
		f.set(func() { f.gate = nil })
		close(gate)
		f.set(func() { clear(f.err) })
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestStepUpCalledOffOrUnattendedSendsNothing(t *testing.T) {
	for _, tt := range []struct {
		name        string
		interactive bool
		want        pim.Code
	}{
		{"called off", true, pim.CodeCancelled},
		{"unattended", false, pim.CodeStepUp},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner", "reader")
				f.policies[key("owner")] = pim.Policy{Readable: true, AuthContext: "c1"}
				r := run(t, t.TempDir(), f)
				r.browser.refuse = &pim.Error{Code: pim.CodeCancelled}
				r.read()
				ops, err := r.Activate(context.Background(), []session.Wish{{Key: key("owner")}, {Key: key("reader")}}, tt.interactive)
				if err != nil || code(ops[0]) != tt.want {
					t.Errorf("%+v, %v", ops[0].Problem, err)
				}
				if ops[1].State != pim.OperationDone || len(f.made("send")) != 1 {
					t.Errorf("the other role: %+v, %d sent", ops[1], len(f.made("send")))
				}
			})
		})
	}
}

// What the caller no longer waits for is not sent; what is being sent goes on.
func TestCallerGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		ctx, cancel := context.WithCancel(context.Background())
		f.onSend = func(send context.Context, _ int) (bool, error) { cancel(); return true, send.Err() }
		r := run(t, t.TempDir(), f)
		r.read()
		ops, err := r.Activate(ctx, []session.Wish{{Key: key("owner")}}, true)
		if err != nil || ops[0].State != pim.OperationDone {
			t.Errorf("%+v, %v", ops, err)
		}
		ops, err = r.Activate(ctx, []session.Wish{{Key: key("owner")}}, true)
		if err != nil || code(ops[0]) != pim.CodeCancelled || len(f.made("send")) != 1 {
			t.Errorf("%+v, %v, %d sent", ops, err, len(f.made("send")))
		}
	})
}

func TestBackgroundReadThatNeedsSignIn(t *testing.T) {
	for _, first := range []error{
		&pim.Error{Code: pim.CodeSignInNeeded, Claims: claimsC1},
		&pim.Error{Code: pim.CodeStepUp, Claims: claimsC1},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newService(pim.KindAzure, "owner")
			r := run(t, t.TempDir(), f)
			r.read()
			f.set(func() { f.err["eligible"], f.err["active"], f.err["requests"] = first, first, first })
			s := r.until("sign-in needed", func(s *pim.Snapshot) bool { return s.SignIn != nil })
			if s.SignIn.Code != pim.CodeSignInNeeded || len(s.Eligible) != 1 {
				t.Errorf("sign-in %+v, %d eligible", s.SignIn, len(s.Eligible))
			}
			synctest.Wait()
			reads, shown := len(f.made("eligible"))+len(f.made("active"))+len(f.made("requests")), r.Snapshot()
			time.Sleep(6 * time.Hour)
			if r.Snapshot() != shown {
				t.Error("something was done while the sign-in was needed")
			}
			if n := len(f.made("eligible")) + len(f.made("active")) + len(f.made("requests")); n != reads {
				t.Errorf("%d reads while the sign-in was needed", n-reads)
			}
			if want := []pim.EventKind{pim.EventSignInNeeded}; !slices.Equal(r.kinds(), want) || r.browser.count() != 0 {
				t.Errorf("events %v, %d prompts", r.kinds(), r.browser.count())
			}
			// A person's refresh tries, and asks for nothing.
			if err := r.Refresh(context.Background(), "person"); pim.CodeOf(err) != pim.CodeSignInNeeded && pim.CodeOf(err) != pim.CodeStepUp {
				t.Errorf("refresh: %v", err)
			}
			if r.browser.count() != 0 || r.Snapshot().SignIn == nil {
				t.Error("a refresh has opened a browser")
			}
			f.set(func() { clear(f.err) })
			if err := r.SignIn(context.Background()); err != nil || r.Snapshot().SignIn != nil {
				t.Errorf("after the sign-in: %v, %+v", err, r.Snapshot().SignIn)
			}
			if want := []pim.Claims{claimsC1}; !slices.Equal(r.browser.asked, want) {
				t.Errorf("prompts %v", r.browser.asked)
			}
			time.Sleep(time.Hour)
			if len(f.made("eligible")) < 3 {
				t.Error("polling did not go on")
			}
		})
	}
}

func TestFollowingPausesForASignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.status = "PendingApproval"
		r := run(t, t.TempDir(), f)
		r.read()
		r.activate("owner")
		f.set(func() {
			for _, name := range []string{"eligible", "active", "requests", "follow"} {
				f.err[name] = &pim.Error{Code: pim.CodeSignInNeeded}
			}
		})
		r.until("sign-in needed", func(s *pim.Snapshot) bool { return s.SignIn != nil })
		n := len(f.made("follow"))
		time.Sleep(time.Hour)
		if got := len(f.made("follow")); got != n {
			t.Errorf("followed %d times meanwhile", got-n)
		}
		f.set(func() { clear(f.err) })
		if err := r.SignIn(context.Background()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Minute)
		if len(f.made("follow")) == n {
			t.Error("following did not go on")
		}
	})
}

func TestActivationSignsInFirstWhereReadsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		needed := &pim.Error{Code: pim.CodeSignInNeeded}
		f.set(func() { f.err["eligible"], f.err["active"], f.err["requests"] = needed, needed, needed })
		r.until("sign-in needed", func(s *pim.Snapshot) bool { return s.SignIn != nil })
		f.set(func() { clear(f.err) })
		if op := r.activate("owner")[0]; op.State != pim.OperationDone || r.browser.count() != 1 {
			t.Errorf("%+v, %d prompts", op, r.browser.count())
		}
		if s := r.Snapshot(); s.SignIn != nil {
			t.Errorf("still %+v", s.SignIn)
		}
	})
}

func TestParallelBatchesShareNothingWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
		f := newService(pim.KindAzure, names...)
		var most, now int
		var mu sync.Mutex
		f.onSend = func(context.Context, int) (bool, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			now--
			mu.Unlock()
			return true, nil
		}
		r := run(t, t.TempDir(), f)
		r.read()
		for i, op := range r.activate(names...) {
			if op.State != pim.OperationDone || op.Role.Name != names[i] {
				t.Errorf("%d: %+v", i, op)
			}
		}
		if most != 4 {
			t.Errorf("%d writes at once", most)
		}
	})
}
