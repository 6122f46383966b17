package session_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
)

// A role that was active already is read again afterwards, by a session that has no
// request of its own for it.
func TestActiveAlreadyAndReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		f.set(func() {
			f.onSend = func(context.Context, int) (bool, error) { return false, &pim.Error{Code: pim.CodeAlreadyActive} }
			f.listed[key("owner")] = pim.Assignment{
				Role: roleOf(pim.KindAzure, "owner"), Type: pim.Activated, Start: time.Now().Add(-time.Minute), End: time.Now().Add(time.Hour),
			}
		})
		if op := r.activate("owner")[0]; op.State != pim.OperationDone {
			t.Fatalf("%+v", op)
		}
		if err := r.Refresh(context.Background(), "test"); err != nil {
			t.Fatal(err)
		}
		if got := r.certainty("owner"); got != pim.Listed {
			t.Errorf("shown as %q", got)
		}
	})
}

// Whoever refreshes the list sees a decision then, and not when the request's turn comes.
func TestRefreshShowsADecisionAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.status = "PendingApproval"
		r := run(t, t.TempDir(), f)
		r.read()
		id := r.activate("owner")[0].ID
		time.Sleep(30*time.Minute + 7*time.Second) // No other look at anything is under way then.
		f.set(func() { f.setStatus(id, "Denied") })
		decided := time.Now()
		if err := r.Refresh(context.Background(), "test"); err != nil {
			t.Fatal(err)
		}
		r.until("the decision", func(s *pim.Snapshot) bool { return s.Operations[0].State == pim.OperationFailed })
		if after := time.Since(decided); after > time.Second {
			t.Errorf("shown after %v", after)
		}
	})
}

// So do those whose refresh meets an older look at the request that is still under way.
func TestRefreshShowsADecisionAfterALookThatWasTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.status, f.slow = "PendingApproval", 5*time.Second
		r := run(t, t.TempDir(), f)
		r.read()
		id := r.activate("owner")[0].ID
		time.Sleep(31 * time.Second) // The first look is after 30 seconds.
		if n := len(f.made("follow")); n != 1 {
			t.Fatalf("looked %d times", n)
		}
		f.set(func() { f.setStatus(id, "Denied") })
		decided := time.Now()
		if err := r.Refresh(context.Background(), "test"); err != nil {
			t.Fatal(err)
		}
		r.until("the decision", func(s *pim.Snapshot) bool { return s.Operations[0].State == pim.OperationFailed })
		if after := time.Since(decided); after > 2*f.slow {
			t.Errorf("shown after %v", after)
		}
	})
}
