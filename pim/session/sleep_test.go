package session

import (
	"context"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
	"roletray/pim/store"
)

// counter is a provider that counts reads.
type counter struct {
	pim.Provider
	reads atomic.Int32
}

func (*counter) Kind() pim.Kind { return pim.KindAzure }

func (c *counter) Eligible(context.Context) ([]pim.Eligibility, error) {
	c.reads.Add(1)
	return nil, nil
}

func (*counter) Requests(context.Context) ([]pim.Request, error) { return nil, nil }

func (*counter) Active(context.Context, []pim.Eligibility, bool) iter.Seq2[pim.ActivePart, error] {
	return func(func(pim.ActivePart, error) bool) {}
}

// A sleep of the computer moves the wall clock and leaves the timers behind.
func TestReadsAgainAfterSleep(t *testing.T) {
	for _, jump := range []time.Duration{3 * time.Hour, -3 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			files, err := store.OpenAccount(t.TempDir(), "a")
			if err != nil {
				t.Fatal(err)
			}
			c := &counter{}
			s, err := New(Params{Account: pim.Account{ID: "a"}, Files: files, Providers: []pim.Provider{c}})
			if err != nil {
				t.Fatal(err)
			}
			var slept atomic.Int64
			s.watch.wall = func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error)
			go func() { done <- s.Run(ctx) }()
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if n := c.reads.Load(); n != 1 {
				t.Fatalf("%d reads before", n)
			}
			slept.Store(int64(jump))
			time.Sleep(longestNap + time.Second)
			synctest.Wait()
			if n := c.reads.Load(); n != 2 {
				t.Errorf("%d reads after a jump of %v, want 2", n, jump)
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}
