package session_test

import (
	"context"
	"testing"
	"testing/synctest"

	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
)

// slowCancel holds a withdrawal back until go, and gives it up with its context.
type slowCancel struct {
	*service
	begun, goOn chan struct{}
}

func (c slowCancel) Cancel(ctx context.Context, r pim.Request) error {
	close(c.begun)
	select {
	case <-c.goOn:
		return c.service.Cancel(ctx, r)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestWithdrawalGoesOnWhenTheCallerGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.status = "PendingApproval"
		slow := slowCancel{f, make(chan struct{}), make(chan struct{})}
		r := runWith(t, t.TempDir(), session.Params{Providers: []pim.Provider{slow}})
		r.read()
		op := r.activate("owner")[0]
		if op.State != pim.OperationWaiting {
			t.Fatalf("%+v", op)
		}
		ctx, leave := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- r.Cancel(ctx, op.Request.ID, "cli") }()
		<-slow.begun
		leave()
		synctest.Wait()
		close(slow.goOn)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := len(f.made("cancel")); n != 1 {
			t.Errorf("%d withdrawn", n)
		}
		all := r.History()
		if last := all[len(all)-1]; last.Action != store.ActionCancel || last.State != pim.OperationDone {
			t.Errorf("history %+v", last)
		}
	})
}
