package session_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
	"roletray/pim/session"
)

// suspended is the clock of a computer that slept while its timers stood still.
type suspended struct{ slept atomic.Int64 }

func (c *suspended) Now() time.Time                     { return time.Now().Add(time.Duration(c.slept.Load())) }
func (c *suspended) Real(d time.Duration) time.Duration { return d }

func TestPlanIsNotSentAfterASleepBetweenTwoTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		busy(f, time.Hour)
		c := &suspended{}
		r := runWith(t, t.TempDir(), session.Params{Clock: c}, f)
		r.read()
		r.activate("owner")
		p := r.plan("owner", true)
		time.Sleep(time.Until(p.At) + 5*time.Second)
		synctest.Wait()
		n := len(f.made("send"))
		if n < 3 {
			t.Fatalf("%d sent before the sleep", n)
		}
		c.slept.Store(int64(3 * time.Hour))
		f.set(func() { f.onSend = nil })
		s := r.until("the question", func(s *pim.Snapshot) bool { return len(s.Plans) == 1 && s.Plans[0].State == pim.PlanAsks })
		if sent := len(f.made("send")) - n; sent != 0 {
			t.Errorf("%d sent three hours late; plans %+v", sent, s.Plans)
		}
	})
}

func TestWriteIsNotSentAgainAfterASleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		c := &suspended{}
		r := runWith(t, t.TempDir(), session.Params{Clock: c}, f)
		r.read()
		f.set(func() {
			f.onSend = func(context.Context, int) (bool, error) {
				if c.slept.Swap(int64(8*time.Hour)) == 0 {
					return false, &pim.Error{Code: pim.CodeOffline}
				}
				return true, nil
			}
		})
		op := r.activate("owner")[0]
		if sent := len(f.made("send")); op.State != pim.OperationFailed || code(op) != pim.CodeOffline || sent != 1 {
			t.Errorf("%v, %+v, %d sent; wanted nothing sent eight hours after the person asked", op.State, op.Problem, sent)
		}
	})
}
