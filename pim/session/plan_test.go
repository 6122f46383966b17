package session_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
)

// busy makes a service refuse an activation of what it still has as active, for
// lag after its end, the way that the real ones do.
func busy(f *service, lag time.Duration) {
	f.onSend = func(context.Context, int) (bool, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, a := range f.listed {
			if time.Now().Before(a.End.Add(lag)) {
				return false, &pim.Error{Code: pim.CodeAlreadyActive, Service: "RoleAssignmentExists"}
			}
		}
		return true, nil
	}
}

func (r *rig) plan(name string, interactive bool) pim.Plan {
	r.t.Helper()
	p, err := r.Continue(context.Background(), session.Wish{Key: key(name), Client: "cli"}, interactive)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// planned is a role that is active for an hour and shall go on.
func planned(t *testing.T, f *service) (*rig, pim.Plan) {
	t.Helper()
	r := run(t, t.TempDir(), f)
	r.read()
	if op := r.activate("owner")[0]; op.State != pim.OperationDone {
		t.Fatalf("%+v", op)
	}
	return r, r.plan("owner", true)
}

func TestPlanIsQueuedByTheService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		end := time.Now().Add(time.Hour)
		r.activate("owner")
		f.set(func() { f.status = "Granted" })
		p := r.plan("owner", true)
		if p.Local || p.Request == "" || !p.At.Equal(end) || p.Duration != time.Hour || p.Justification != "because" {
			t.Fatalf("%+v", p)
		}
		sends := f.made("send")
		if plans := r.Snapshot().Plans; len(sends) != 2 || len(plans) != 1 || plans[0].Request != p.Request || plans[0].Key() != key("owner") {
			t.Fatalf("%d sent, plans %+v", len(sends), plans)
		}
		if start := f.requests[1].Start; !start.After(end) || start.Sub(end) > 2*time.Second {
			t.Errorf("starts %v after the end", start.Sub(end))
		}
		if err := r.DropPlan(context.Background(), key("owner"), "cli"); err != nil {
			t.Fatal(err)
		}
		if plans := r.Snapshot().Plans; len(plans) != 0 || len(f.made("cancel")) != 1 {
			t.Errorf("plans %+v, %d cancelled", plans, len(f.made("cancel")))
		}
		if err := r.DropPlan(context.Background(), key("owner"), "cli"); pim.CodeOf(err) != pim.CodeNotFound {
			t.Errorf("dropped again: %v", err)
		}
	})
}

func TestPlanIsKeptHereAndCarriedOut(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(map[bool]string{false: "running on", true: "through a restart"}[restart], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				busy(f, 2*time.Minute)
				end := time.Now().Add(time.Hour)
				r, p := planned(t, f)
				if !p.Local || p.State != pim.PlanWaiting || !p.At.Equal(end) {
					t.Fatalf("%+v", p)
				}
				synctest.Wait()
				if want := []pim.EventKind{pim.EventActivated, pim.EventPlanned}; !slices.Equal(r.kinds(), want) {
					t.Errorf("events %v", r.kinds())
				}
				if restart {
					r.stop()
					r = run(t, r.dir, f)
					if plans := r.Snapshot().Plans; len(plans) != 1 || !plans[0].At.Equal(p.At) || plans[0].Justification != "because" {
						t.Fatalf("after the restart: %+v", plans)
					}
				}
				n := len(f.made("send"))
				s := r.until("the role on", func(s *pim.Snapshot) bool {
					return len(s.Plans) == 0 && len(s.Active) == 1 && s.Active[0].Assignment.End.After(end.Add(time.Minute))
				})
				if late := time.Since(end); late < 2*time.Minute || late > 2*time.Minute+20*time.Second {
					t.Errorf("went on %v after the end", late)
				}
				if a := s.Active[0].Assignment; time.Until(a.End) < 59*time.Minute || len(f.made("send"))-n < 5 {
					t.Errorf("ends %v; %d sent", a.End, len(f.made("send"))-n)
				}
				synctest.Wait()
				for _, k := range r.kinds() {
					if k == pim.EventFailed || k == pim.EventEnded {
						t.Errorf("events %v", r.kinds())
					}
				}
				var actions []pim.Action
				for _, e := range r.History() {
					actions = append(actions, e.Action)
					if e.State != pim.OperationDone {
						t.Errorf("history %+v", e)
					}
				}
				if want := []pim.Action{pim.ActionActivate, store.ActionPlan, pim.ActionActivate}; !slices.Equal(actions, want) {
					t.Errorf("history %v, want %v", actions, want)
				}
			})
		})
	}
}

func TestPlanThatNeedsThePersonAsks(t *testing.T) {
	for _, tt := range []struct {
		name string
		// before is done when the plan is made.
		before func(*service)
		sent   int
		want   pim.Code
	}{
		{"approval", func(f *service) {
			f.policies[key("owner")] = pim.Policy{Readable: true, MaxDuration: time.Hour, ApprovalRequired: true}
		}, 0, pim.CodeRejected},
		{"step-up by the policy", func(f *service) {
			f.policies[key("owner")] = pim.Policy{Readable: true, MaxDuration: time.Hour, AuthContext: "c1"}
		}, 0, pim.CodeStepUp},
		{"step-up by the service", func(f *service) {
			f.onSend = func(context.Context, int) (bool, error) {
				return false, &pim.Error{Code: pim.CodeStepUp, Claims: claimsC1}
			}
		}, 1, pim.CodeStepUp},
		{"RoleAssignmentExists for more than three minutes", func(f *service) { busy(f, time.Hour) }, 12, pim.CodeAlreadyActive},
		{"refused", func(f *service) {
			f.onSend = func(context.Context, int) (bool, error) { return false, &pim.Error{Code: pim.CodeNotEligible} }
		}, 1, pim.CodeNotEligible},
		{"offline", func(f *service) {
			f.onSend = func(context.Context, int) (bool, error) { return false, &pim.Error{Code: pim.CodeOffline} }
		}, 22, pim.CodeOffline},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				busy(f, 2*time.Minute)
				end := time.Now().Add(time.Hour)
				r, _ := planned(t, f)
				// The settings are read anew when they are a day old.
				f.set(func() { tt.before(f) })
				dir := r.dir
				r.stop()
				removePolicies(t, dir)
				r = run(t, dir, f)
				n := len(f.made("send"))
				s := r.until("the question", func(s *pim.Snapshot) bool { return len(s.Plans) == 1 && s.Plans[0].State == pim.PlanAsks })
				if s.Plans[0].Problem.Code != tt.want || len(f.made("send"))-n != tt.sent || r.browser.count() != 0 {
					t.Errorf("%+v, %d sent, %d prompts", s.Plans[0].Problem, len(f.made("send"))-n, r.browser.count())
				}
				if late := time.Since(end); late > 3*time.Minute+20*time.Second {
					t.Errorf("asked %v after the end", late)
				}
				synctest.Wait()
				asked := 0
				for _, k := range r.kinds() {
					if k == pim.EventFailed {
						t.Errorf("events %v", r.kinds())
					}
					if k == pim.EventPlanAsks {
						asked++
					}
				}
				if asked != 1 {
					t.Errorf("events %v", r.kinds())
				}
				// The person's own act ends the question.
				f.set(func() {
					f.onSend = nil
					clear(f.listed)
				})
				if op := r.activate("owner")[0]; op.State == pim.OperationFailed {
					t.Fatalf("%+v", op.Problem)
				}
				r.until("no plan", func(s *pim.Snapshot) bool { return len(s.Plans) == 0 })
			})
		})
	}
}

// A plan steps up by what the person did before, and never opens a browser.
func TestPlanStepsUpWithoutThePerson(t *testing.T) {
	for _, tt := range []struct {
		name     string
		readable bool
	}{
		{"by the policy", true},
		{"on the service's challenge", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				if tt.readable {
					f.policies[key("owner")] = pim.Policy{Readable: true, MaxDuration: time.Hour, AuthContext: "c1"}
				} else {
					f.policies[key("owner")] = pim.Policy{}
				}
				busy(f, time.Minute)
				judge := f.onSend
				f.onSend = func(ctx context.Context, n int) (bool, error) {
					if token, _ := ctx.Value(tokenKey{}).(string); token == "" {
						return false, &pim.Error{Code: pim.CodeStepUp, Claims: claimsC1}
					}
					return judge(ctx, n)
				}
				end := time.Now().Add(time.Hour)
				r, p := planned(t, f)
				if !p.Local || p.Approval {
					t.Fatalf("%+v", p)
				}
				r.browser.mu.Lock()
				r.browser.silent = true
				r.browser.mu.Unlock()
				prompts := r.browser.count()
				r.until("the role on", func(s *pim.Snapshot) bool {
					return len(s.Plans) == 0 && len(s.Active) == 1 && s.Active[0].Assignment.End.After(end.Add(time.Minute))
				})
				if r.browser.count() != prompts {
					t.Errorf("%d prompts with nobody there", r.browser.count()-prompts)
				}
				sends := f.made("send")
				if last := sends[len(sends)-1]; last.token != "arm "+claimsC1 {
					t.Errorf("sent with %q", last.token)
				}
			})
		})
	}
}

// Where each activation needs approval, the plan says beforehand that it will ask.
func TestPlanThatNeedsApprovalSaysSo(t *testing.T) {
	for _, queued := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			f := newService(pim.KindAzure, "owner")
			f.policies[key("owner")] = pim.Policy{Readable: true, MaxDuration: time.Hour, ApprovalRequired: true}
			r := run(t, t.TempDir(), f)
			r.read()
			r.activate("owner")
			busy(f, 0)
			if queued {
				f.set(func() { f.onSend, f.status = nil, "PendingApproval" })
			}
			p := r.plan("owner", true)
			plans := r.Snapshot().Plans
			if !p.Approval || p.Local == queued || len(plans) != 1 || !plans[0].Approval {
				t.Errorf("queued %t: %+v, shown %+v", queued, p, plans)
			}
		})
	}
}

func TestPlanThatWasMissedIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		busy(f, 0)
		r, p := planned(t, f)
		r.stop()
		time.Sleep(time.Hour + pim.PlanGrace + time.Minute)
		n := len(f.made("send"))
		r = run(t, r.dir, f)
		s := r.until("the question", func(s *pim.Snapshot) bool { return len(s.Plans) == 1 && s.Plans[0].State == pim.PlanAsks })
		if len(f.made("send")) != n || !s.Plans[0].At.Equal(p.At) {
			t.Errorf("%d sent, %+v", len(f.made("send"))-n, s.Plans[0])
		}
		time.Sleep(25 * time.Hour)
		r.until("the question gone", func(s *pim.Snapshot) bool { return len(s.Plans) == 0 })
	})
}

func TestPlanIsDropped(t *testing.T) {
	for _, how := range []string{"by the person", "with the role"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				busy(f, 0)
				r, _ := planned(t, f)
				if how == "by the person" {
					if err := r.DropPlan(context.Background(), key("owner"), "cli"); err != nil {
						t.Fatal(err)
					}
				} else {
					time.Sleep(10 * time.Minute)
					f.set(func() { f.onSend = nil })
					if op, err := r.Deactivate(context.Background(), key("owner"), "cli", true); err != nil || op.State != pim.OperationDone {
						t.Fatalf("%+v, %v", op, err)
					}
				}
				if plans := r.Snapshot().Plans; len(plans) != 0 {
					t.Errorf("plans %+v", plans)
				}
				n := len(f.made("send"))
				r.stop()
				r = run(t, r.dir, f)
				time.Sleep(2 * time.Hour)
				if len(f.made("send")) != n || r.certainty("owner") != "" {
					t.Errorf("%d sent", len(f.made("send"))-n)
				}
			})
		})
	}
}

func TestPlanIsReplacedOnlyByOneThatIsKept(t *testing.T) {
	calledOff := func(r *rig, f *service) {
		f.set(func() { f.policies[key("owner")] = pim.Policy{Readable: true, AuthContext: "c1"} })
		r.browser.refuse = &pim.Error{Code: pim.CodeCancelled}
	}
	refused := func(_ *rig, f *service) {
		f.onSend = func(context.Context, int) (bool, error) { return false, &pim.Error{Code: pim.CodeRejected} }
	}
	for _, tt := range []struct {
		name   string
		queued bool
		before func(*rig, *service)
		want   pim.Code
		// What there is afterwards: the duration of the plan, whether it is kept here,
		// and how many requests were withdrawn.
		duration  time.Duration
		local     bool
		cancelled int
	}{
		{"kept here, by another", false, func(*rig, *service) {}, "", 30 * time.Minute, true, 0},
		{"kept here, by a queued one", false, func(_ *rig, f *service) { f.onSend, f.status = nil, "Granted" }, "", 30 * time.Minute, false, 0},
		{"kept here, called off", false, calledOff, pim.CodeCancelled, time.Hour, true, 0},
		{"kept here, refused", false, refused, pim.CodeRejected, time.Hour, true, 0},
		{"queued, by another", true, func(*rig, *service) {}, "", 30 * time.Minute, false, 1},
		{"queued, called off", true, calledOff, pim.CodeCancelled, time.Hour, false, 0},
		{"queued, refused", true, refused, pim.CodeRejected, time.Hour, true, 1},
		{"queued, and cannot be withdrawn", true, func(_ *rig, f *service) {
			f.set(func() { f.err["cancel"] = &pim.Error{Code: pim.CodeForbidden} })
		}, pim.CodeForbidden, time.Hour, false, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				r := run(t, t.TempDir(), f)
				r.read()
				r.activate("owner")
				if tt.queued {
					f.set(func() { f.status = "Granted" })
				} else {
					busy(f, 0)
				}
				if p := r.plan("owner", true); p.Local == tt.queued || p.Duration != time.Hour {
					t.Fatalf("%+v", p)
				}
				// The settings are read anew.
				dir := r.dir
				r.stop()
				removePolicies(t, dir)
				r = run(t, dir, f)
				r.read()
				tt.before(r, f)
				_, err := r.Continue(context.Background(), session.Wish{Key: key("owner"), Duration: 30 * time.Minute, Client: "cli"}, true)
				if pim.CodeOf(err) != tt.want || len(f.made("cancel")) != tt.cancelled {
					t.Errorf("%v, %d withdrawn", err, len(f.made("cancel")))
				}
				for range 2 {
					plans := r.Snapshot().Plans
					if len(plans) != 1 || plans[0].Duration != tt.duration || plans[0].Local != tt.local || plans[0].Justification != "because" || plans[0].State != pim.PlanWaiting {
						t.Errorf("plans %+v", plans)
					}
					r.stop()
					r = run(t, dir, f)
				}
			})
		})
	}
}

func TestPlanNearTheEndOfTheEligibility(t *testing.T) {
	for _, tt := range []struct {
		name     string
		end      time.Duration // after the activation's
		want     pim.Code
		duration time.Duration
	}{
		{"long before it", 3 * time.Hour, "", time.Hour},
		{"with less left than before", 25 * time.Minute, "", 25 * time.Minute},
		{"at it", 0, pim.CodePolicy, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				f.eligible[0].End = time.Now().Add(time.Hour + tt.end)
				busy(f, 0)
				r := run(t, t.TempDir(), f)
				r.read()
				r.activate("owner")
				p, err := r.Continue(context.Background(), session.Wish{Key: key("owner"), Client: "cli"}, true)
				if pim.CodeOf(err) != tt.want || err == nil && p.Duration != tt.duration {
					t.Errorf("%+v, %v", p, err)
				}
				if err != nil && !strings.HasPrefix(pim.Explain(err).Text, "The eligibility ends before the role would begin then.") {
					t.Errorf("%+v", pim.Explain(err))
				}
			})
		})
	}
}

func TestPlanNeedsAnActiveRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		for k, want := range map[pim.Key]pim.Code{key("owner"): pim.CodeNotActive, "nothing": pim.CodeNotEligible} {
			if _, err := r.Continue(context.Background(), session.Wish{Key: k}, true); pim.CodeOf(err) != want {
				t.Errorf("%s: %v", k, err)
			}
		}
		// Cancelled in the browser: nothing is kept and nothing sent.
		r.activate("owner")
		n := len(f.made("send"))
		f.set(func() { f.policies[key("owner")] = pim.Policy{Readable: true, AuthContext: "c1"} })
		r.browser.refuse = &pim.Error{Code: pim.CodeCancelled}
		time.Sleep(25*time.Hour + time.Minute) // Not at the moment of a read of the session's own.
		f.set(func() {
			f.listed[key("owner")] = pim.Assignment{Role: roleOf(pim.KindAzure, "owner"), Type: pim.Activated, End: time.Now().Add(time.Hour)}
		})
		if err := r.Refresh(context.Background(), "test"); err != nil {
			t.Fatal(err)
		}
		_, err := r.Continue(context.Background(), session.Wish{Key: key("owner")}, true)
		if pim.CodeOf(err) != pim.CodeCancelled || len(r.Snapshot().Plans) != 0 || len(f.made("send")) != n {
			t.Errorf("%v, plans %+v, %d sent", err, r.Snapshot().Plans, len(f.made("send"))-n)
		}
	})
}
