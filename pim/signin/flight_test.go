package signin

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestFlights merges equal calls, lets one caller leave without ending the others'
// work, and ends it when the last has left.
func TestFlights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f flights[int]
		runs := 0
		work := func(ctx context.Context) (int, error) {
			runs++
			select {
			case <-time.After(time.Minute):
				return runs, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := f.do(hasty, "a", time.Hour, work); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("hasty caller: %v", err)
			}
		})
		for range 3 {
			wg.Go(func() {
				if n, err := f.do(t.Context(), "a", time.Hour, work); n != 1 || err != nil {
					t.Errorf("got %d, %v", n, err)
				}
			})
		}
		wg.Wait()
		if runs != 1 {
			t.Errorf("%d runs", runs)
		}

		started := time.Now()
		hasty, cancel2 := context.WithTimeout(t.Context(), time.Second)
		defer cancel2()
		if _, err := f.do(hasty, "a", time.Hour, work); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("only caller: %v", err)
		}
		if n, err := f.do(t.Context(), "a", time.Hour, work); n != 3 || err != nil {
			t.Errorf("a call after an abandoned one: %d, %v", n, err)
		}
		if _, err := f.do(t.Context(), "a", time.Second, work); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("limit: %v", err)
		}
		if d := time.Since(started); d != time.Minute+2*time.Second {
			t.Errorf("took %s", d)
		}

		wg.Go(func() {
			if _, err := f.do(t.Context(), "b", time.Hour, work); !errors.Is(err, errClosed) {
				t.Errorf("stopped: %v", err)
			}
		})
		synctest.Wait()
		f.stop()
		wg.Wait()
		if _, err := f.do(t.Context(), "b", time.Hour, work); !errors.Is(err, errClosed) {
			t.Errorf("after stop: %v", err)
		}
	})
}
