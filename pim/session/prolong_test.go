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

func TestProlong(t *testing.T) {
	const day = 24 * time.Hour
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // When the bubble's clock begins.
	for _, tt := range []struct {
		name     string
		given    pim.Eligibility
		assigned bool
		wish     session.ProlongWish
		want     pim.Code
		action   pim.Action
		end      time.Time
	}{
		{"soon to end", pim.Eligibility{Start: start.Add(-20 * day), End: start.Add(10 * day)}, false, session.ProlongWish{Justification: "still on it"}, "", pim.ActionExtend, start.Add(40 * day)},
		{"until a day", pim.Eligibility{End: start.Add(10 * day)}, false, session.ProlongWish{Justification: "still on it", End: start.Add(15 * day)}, "", pim.ActionExtend, start.Add(15 * day)},
		{"an assignment", pim.Eligibility{Start: start.Add(-20 * day), End: start.Add(10 * day)}, true, session.ProlongWish{Justification: "still on it"}, "", pim.ActionExtend, start.Add(40 * day)},
		{"too early", pim.Eligibility{End: start.Add(20 * day)}, false, session.ProlongWish{Justification: "still on it"}, pim.CodeRejected, "", time.Time{}},
		{"for ever", pim.Eligibility{}, false, session.ProlongWish{Justification: "still on it"}, pim.CodeRejected, "", time.Time{}},
		{"through a group", pim.Eligibility{End: start.Add(10 * day), Via: pim.ViaGroup}, false, session.ProlongWish{Justification: "still on it"}, pim.CodeRejected, "", time.Time{}},
		{"without a reason", pim.Eligibility{End: start.Add(10 * day)}, false, session.ProlongWish{}, pim.CodePolicy, "", time.Time{}},
		{"to before its end", pim.Eligibility{End: start.Add(10 * day)}, false, session.ProlongWish{Justification: "still on it", End: start.Add(9 * day)}, pim.CodeRejected, "", time.Time{}},
		{"unknown", pim.Eligibility{End: start.Add(10 * day)}, false, session.ProlongWish{Key: "nothing", Justification: "still on it"}, pim.CodeNotEligible, "", time.Time{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := full(newService(pim.KindAzure, "owner"))
				tt.given.Role = f.eligible[0].Role
				if tt.assigned {
					f.listed[key("owner")] = pim.Assignment{Role: tt.given.Role, Type: pim.Assigned, Start: tt.given.Start, End: tt.given.End}
				} else {
					f.eligible[0] = tt.given
				}
				r := runFull(t, t.TempDir(), session.Params{}, f)
				r.read()
				if tt.wish.Key == "" {
					tt.wish.Key = key("owner")
				}
				tt.wish.Assigned, tt.wish.Client = tt.assigned, "cli"
				op, err := r.Prolong(context.Background(), tt.wish, true)
				if err != nil || code(op) != tt.want {
					t.Fatalf("%+v (%+v), %v", op, op.Problem, err)
				}
				if tt.want != "" {
					if len(f.made("send")) != 0 {
						t.Error("it was sent")
					}
					return
				}
				if op.State != pim.OperationWaiting || op.Action != tt.action || !op.Request.End.Equal(tt.end) || op.Request.OfEligibility == tt.assigned {
					t.Errorf("%+v, request %+v", op, op.Request)
				}
				// It is in nobody's way, and once.
				if again, err := r.Prolong(context.Background(), tt.wish, true); err != nil || again.ID != op.ID {
					t.Errorf("again: %+v, %v", again, err)
				}
				if act := r.activate("owner")[0]; act.State != pim.OperationDone {
					t.Errorf("activation meanwhile: %+v", act.Problem)
				}
				r.stop()
				r = runFull(t, r.dir, session.Params{}, f)
				time.Sleep(2 * day)
				if n := len(f.made("follow")); n < 100 || n > 250 {
					t.Errorf("followed %d times in two days", n)
				}
				f.set(func() { f.setStatus(op.ID, "Provisioned") })
				r.until("the decision", func(s *pim.Snapshot) bool {
					return slices.ContainsFunc(s.Operations, func(o pim.Operation) bool { return o.ID == op.ID && o.State == pim.OperationDone })
				})
				synctest.Wait()
				if !slices.Contains(r.kinds(), pim.EventProlonged) || len(r.Recent()) != 1 {
					t.Errorf("events %v, recent %+v", r.kinds(), r.Recent())
				}
				if h := r.History(); h[0].Action != tt.action || !h[0].End.Equal(tt.end) || h[0].State != pim.OperationDone || h[0].Justification != "still on it" {
					t.Errorf("history %+v", h[0])
				}
			})
		})
	}
}

func TestProlongationIsWithdrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := full(newService(pim.KindAzure, "owner"))
		f.eligible[0].End = time.Now().Add(time.Hour)
		r := runFull(t, t.TempDir(), session.Params{}, f)
		r.read()
		op, err := r.Prolong(context.Background(), session.ProlongWish{Key: key("owner"), End: time.Now().Add(48 * time.Hour), Justification: "still on it"}, true)
		if err != nil || op.State != pim.OperationWaiting {
			t.Fatalf("%+v, %v", op, err)
		}
		if err := r.Cancel(context.Background(), op.Request.ID, "cli"); err != nil {
			t.Fatal(err)
		}
		if got := r.Snapshot().Operations[0]; code(got) != pim.CodeCancelled {
			t.Errorf("%+v", got)
		}
	})
}

func TestWhatEndedCanBeRenewed(t *testing.T) {
	const day = 24 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		f := full(newService(pim.KindAzure, "owner", "reader", "other"))
		end := time.Now().Add(time.Hour)
		f.eligible[0].Start, f.eligible[0].End = end.Add(-10*day), end
		f.listed[key("reader")] = pim.Assignment{Role: roleOf(pim.KindAzure, "reader"), Type: pim.Assigned, End: end}
		r := runFull(t, t.TempDir(), session.Params{}, f)
		r.read()
		r.stop()
		// It ends while the program is not running.
		time.Sleep(2 * time.Hour)
		f.set(func() {
			f.eligible = f.eligible[1:]
			delete(f.listed, key("reader"))
		})
		r = runFull(t, r.dir, session.Params{}, f)
		s := r.until("what ended", func(s *pim.Snapshot) bool { return len(s.Ended) == 1 && len(s.EndedAssigned) == 1 })
		if s.Ended[0].Role.Key() != key("owner") || s.EndedAssigned[0].Role.Key() != key("reader") {
			t.Errorf("%+v, %+v", s.Ended, s.EndedAssigned)
		}
		r.stop()
		r = runFull(t, r.dir, session.Params{}, f)
		r.read()
		op, err := r.Prolong(context.Background(), session.ProlongWish{Key: key("owner"), Justification: "once more"}, true)
		if err != nil || op.State != pim.OperationWaiting || op.Action != pim.ActionRenew || op.Request.End.Sub(op.Request.Start) < 10*day-time.Minute {
			t.Errorf("%+v (%+v), %v", op, op.Problem, err)
		}
		time.Sleep(pim.RenewWindow)
		r.until("nothing to renew", func(s *pim.Snapshot) bool { return len(s.Ended) == 0 && len(s.EndedAssigned) == 0 })
	})
}
