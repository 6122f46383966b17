package session_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
	"roletray/pim/session"
)

// reviewed is a service that says who decided. As Resource Manager does, it names an
// approval only while that is open.
type reviewed struct {
	*service
	// Under mu.
	reviews map[string]pim.Review
	// silent lets no answer come.
	silent bool
}

func withReviews(f *service) *reviewed {
	f.status = "PendingApproval"
	return &reviewed{service: f, reviews: map[string]pim.Review{}}
}

func (f *reviewed) Activate(ctx context.Context, a pim.Activation) (pim.Request, error) {
	r, err := f.service.Activate(ctx, a)
	r.ApprovalID = "approval of " + r.ID
	return r, err
}

func (f *reviewed) Reviewed(ctx context.Context, r pim.Request) (pim.Review, error) {
	f.mu.Lock()
	silent := f.silent
	f.mu.Unlock()
	if silent {
		<-ctx.Done()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.note(ctx, "reviewed", r.ID); err != nil {
		return pim.Review{}, err
	}
	if r.ApprovalID != "approval of "+r.ID {
		return pim.Review{}, &pim.Error{Code: pim.CodeNotFound}
	}
	return f.reviews[r.ID], context.Cause(ctx)
}

// decide settles a request.
func (f *reviewed) decide(id string, s pim.Status, v pim.Review) {
	f.set(func() {
		f.setStatus(id, s)
		f.reviews[id] = v
	})
}

func runReviewed(t *testing.T, dir string, f *reviewed) *rig {
	return runWith(t, dir, session.Params{Providers: []pim.Provider{f}})
}

func reviewOf(s *pim.Snapshot, id string) pim.Review {
	for _, r := range s.Requests {
		if r.ID == id {
			return r.Review
		}
	}
	return pim.Review{Result: "not listed"}
}

func over(s *pim.Snapshot) bool { return len(s.Operations) > 0 && s.Operations[0].State.Over() }

func TestWhoDecided(t *testing.T) {
	by := pim.Principal{ID: "c", Name: "Chidi Okafor"}
	for _, tt := range []struct {
		name   string
		status pim.Status
		review pim.Review
		// text is of the problem.
		text  string
		event pim.EventKind
	}{
		{"approved", "Provisioned", pim.Review{Result: pim.ReviewApproved, By: by, Reason: "go ahead"}, "", pim.EventActivated},
		{"denied", "Denied", pim.Review{Result: pim.ReviewDenied, By: by, Reason: "not today"}, "Denied by Chidi Okafor: not today.", pim.EventDenied},
		{"nobody in time", "Failed", pim.Review{Result: pim.ReviewExpired}, "Nobody decided in time. Send the request again if you still need the role.", pim.EventFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := withReviews(newService(pim.KindAzure, "owner"))
				r := runReviewed(t, t.TempDir(), f)
				r.read()
				id := r.activate("owner")[0].ID
				r.stop()
				tt.review.At = time.Now().UTC()
				f.decide(id, tt.status, tt.review)

				// It was decided while nothing ran.
				r = runReviewed(t, r.dir, f)
				s := r.until("the decision", over)
				synctest.Wait()
				op := s.Operations[0]
				if op.Request.Review != tt.review || reviewOf(s, id) != tt.review {
					t.Errorf("the action has %+v, the request %+v", op.Request.Review, reviewOf(s, id))
				}
				if text := textOf(op.Problem); text != tt.text {
					t.Errorf("the problem is %q", text)
				}
				r.mu.Lock()
				e := r.events[len(r.events)-1]
				r.mu.Unlock()
				if e.Kind != tt.event || e.Request.Review != tt.review || textOf(e.Problem) != tt.text {
					t.Errorf("told was %+v (%+v)", e, e.Problem)
				}
				if h := r.History(); len(h) != 1 || h[0].Review != tt.review || textOf(h[0].Problem) != tt.text {
					t.Errorf("recorded are %+v", h)
				}
				r.stop()

				// A decision does not change, so it is not read again.
				f.set(func() { f.err["requests"] = &pim.Error{Code: pim.CodeUnavailable} })
				r = runReviewed(t, r.dir, f)
				if got := reviewOf(r.read(), id); got != tt.review {
					t.Errorf("after a restart it is %+v", got)
				}
				f.set(func() { delete(f.err, "requests") })
				time.Sleep(time.Hour)
				if got := reviewOf(r.Snapshot(), id); got != tt.review {
					t.Errorf("after more reads it is %+v", got)
				}
				if h := r.History(); len(h) != 1 || h[0].Review != tt.review {
					t.Errorf("recorded are still %+v", h)
				}
				if n := len(f.made("reviewed")); n != 1 {
					t.Errorf("asked %d times", n)
				}
			})
		})
	}
}

func textOf(p *pim.Problem) string {
	if p == nil {
		return ""
	}
	return p.Text
}

// Nobody is asked who decided where nobody has.
func TestNobodyDecided(t *testing.T) {
	for status, text := range map[pim.Status]string{
		"TimedOut": "Nobody decided in time. Send the request again if you still need the role.",
		"Canceled": "The request was cancelled.",
	} {
		synctest.Test(t, func(t *testing.T) {
			f := withReviews(newService(pim.KindAzure, "owner"))
			r := runReviewed(t, t.TempDir(), f)
			r.read()
			id := r.activate("owner")[0].ID
			f.decide(id, status, pim.Review{})
			if s := r.until("its end", over); textOf(s.Operations[0].Problem) != text {
				t.Errorf("%s: %+v", status, s.Operations[0].Problem)
			}
			time.Sleep(time.Hour)
			if n := len(f.made("reviewed")); n != 0 {
				t.Errorf("%s: asked %d times", status, n)
			}
		})
	}
}

// A decision that cannot be read hides nothing and holds nothing up for long.
func TestDecisionThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		// calls are those for two requests in a run of many reads.
		calls int
	}{
		{"refused", &pim.Error{Code: pim.CodeForbidden}, 1},
		{"no consent", &pim.Error{Code: pim.CodeConsent}, 1},
		{"not found", &pim.Error{Code: pim.CodeNotFound}, 2},
		{"out of order", &pim.Error{Code: pim.CodeUnavailable}, 6},
		{"step-up", &pim.Error{Code: pim.CodeStepUp}, 6},
		{"silent", nil, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := withReviews(newService(pim.KindAzure, "owner", "reader"))
				f.silent, f.err["reviewed"] = tt.err == nil, tt.err
				r := runReviewed(t, t.TempDir(), f)
				r.read()
				var ids []string
				for _, name := range []string{"owner", "reader"} {
					ids = append(ids, r.activate(name)[0].ID)
				}
				decided := time.Now()
				for _, id := range ids {
					f.decide(id, "Denied", pim.Review{Result: pim.ReviewDenied, Reason: "no"})
				}
				s := r.until("the end of both", func(s *pim.Snapshot) bool {
					return len(s.Operations) == 2 && s.Operations[0].State.Over() && s.Operations[1].State.Over()
				})
				if late := time.Since(decided); late > 45*time.Second {
					t.Errorf("they ended after %v", late)
				}
				for _, op := range s.Operations {
					if op.State != pim.OperationFailed || textOf(op.Problem) != "The request was denied. Ask your approver for the reason." {
						t.Errorf("%+v (%+v)", op, op.Problem)
					}
				}
				r.stop()
				before := len(f.made("reviewed"))
				// Both are followed at the same time, so both may have asked.
				if before == 0 || before > max(tt.calls, 2) {
					t.Errorf("asked %d times", before)
				}

				r = runReviewed(t, r.dir, f)
				r.read()
				for range 8 {
					if err := r.Refresh(context.Background(), "test"); err != nil {
						t.Error(err)
					}
				}
				s = r.Snapshot()
				if len(s.Requests) != 2 || s.SignIn != nil || slices.ContainsFunc(s.Parts, func(p pim.Part) bool { return p.Problem != nil }) {
					t.Errorf("shown are %+v, %+v, %+v", s.Requests, s.SignIn, s.Parts)
				}
				if n := len(f.made("reviewed")) - before; n != tt.calls {
					t.Errorf("asked %d times in the next run", n)
				}
			})
		})
	}
}

// What could not be read at the end of a request is read with the list.
func TestDecisionThatIsReadLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := withReviews(newService(pim.KindAzure, "owner"))
		f.err["reviewed"] = &pim.Error{Code: pim.CodeUnavailable}
		r := runReviewed(t, t.TempDir(), f)
		r.read()
		id := r.activate("owner")[0].ID
		review := pim.Review{Result: pim.ReviewDenied, By: pim.Principal{Name: "Chidi Okafor"}, Reason: "not today"}
		f.decide(id, "Denied", review)
		if s := r.until("its end", over); s.Operations[0].Request.Review != (pim.Review{}) {
			t.Fatalf("%+v", s.Operations[0])
		}
		f.set(func() { delete(f.err, "reviewed") })
		if err := r.Refresh(context.Background(), "test"); err != nil {
			t.Fatal(err)
		}
		const text = "Denied by Chidi Okafor: not today."
		s := r.Snapshot()
		if op := s.Operations[0]; op.Request.Review != review || textOf(op.Problem) != text || reviewOf(s, id) != review {
			t.Errorf("%+v (%+v), %+v", op, op.Problem, reviewOf(s, id))
		}
		if h := r.History(); len(h) != 1 || h[0].Review != review || textOf(h[0].Problem) != text {
			t.Errorf("recorded are %+v", h)
		}

		// Also where the action itself is long forgotten.
		g := withReviews(newService(pim.KindAzure, "owner"))
		g.err["reviewed"] = &pim.Error{Code: pim.CodeUnavailable}
		r = runReviewed(t, t.TempDir(), g)
		r.read()
		id = r.activate("owner")[0].ID
		g.decide(id, "Denied", review)
		r.until("its end", over)
		r.stop()
		g.set(func() { delete(g.err, "reviewed") })
		r = runReviewed(t, r.dir, g)
		s = r.until("the decision", func(s *pim.Snapshot) bool { return reviewOf(s, id) == review })
		if h := r.History(); len(s.Operations) != 0 || len(h) != 1 || h[0].Review != review || textOf(h[0].Problem) != text {
			t.Errorf("recorded are %+v, under way %+v", h, s.Operations)
		}
	})
}

// A list is no reason for many calls.
func TestFewDecisionsAreReadWithAList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := withReviews(newService(pim.KindAzure, "owner"))
		request := func(i int, s pim.Status, age time.Duration) {
			id := fmt.Sprint("r", i)
			f.requests = append(f.requests, pim.Request{
				ID: id, ApprovalID: "approval of " + id, Role: roleOf(pim.KindAzure, "owner"), Action: pim.ActionActivate, Status: s, Created: time.Now().Add(-age),
			})
			f.reviews[id] = pim.Review{Result: pim.ReviewDenied, Reason: id}
		}
		for i := range 8 {
			request(i, "Denied", time.Duration(i)*time.Hour)
		}
		request(8, "Denied", 8*24*time.Hour)
		request(9, "Canceled", time.Hour)
		r := runReviewed(t, t.TempDir(), f)
		r.read()
		asked := func() (ids []string) {
			for _, c := range f.made("reviewed") {
				ids = append(ids, c.id)
			}
			return ids
		}
		if got := asked(); !slices.Equal(got, []string{"r0", "r1", "r2", "r3", "r4"}) {
			t.Errorf("the first list asked about %v", got)
		}
		for range 3 {
			if err := r.Refresh(context.Background(), "test"); err != nil {
				t.Fatal(err)
			}
		}
		if got := asked(); !slices.Equal(got, []string{"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"}) {
			t.Errorf("all of them asked about %v", got)
		}
		for i := range 10 {
			if got, want := reviewOf(r.Snapshot(), fmt.Sprint("r", i)).Result != "", i < 8; got != want {
				t.Errorf("r%d: known %v", i, got)
			}
		}
	})
}
