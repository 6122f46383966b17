package signin

import (
	"context"
	"errors"
	"sync"
	"time"

	"roletray/pim"
)

// flights runs equal calls as one. A call goes on for as long as somebody waits
// for it. The zero value is ready.
type flights[T any] struct {
	mu      sync.Mutex
	running map[string]*flight[T]
	stopped bool
	wg      sync.WaitGroup
}

type flight[T any] struct {
	cancel  context.CancelFunc
	waiters int
	page    unopened
	done    chan struct{}
	value   T
	err     error
}

// do returns the result of work, or of an equal call that is running already. The
// work ends after limit, and as soon as the context of every caller has ended. A
// sign-in page that no browser shows is told to every caller. A call that stop ended is errClosed.
func (f *flights[T]) do(ctx context.Context, key string, limit time.Duration, work func(context.Context) (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	f.mu.Lock()
	if f.stopped {
		f.mu.Unlock()
		return none, errClosed
	}
	call := f.running[key]
	joined := call != nil
	if call == nil {
		workCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		call = &flight[T]{cancel: cancel, done: make(chan struct{})}
		workCtx = pim.WithSignInPage(workCtx, call.page.show)
		call.page.join(ctx)
		if f.running == nil {
			f.running = make(map[string]*flight[T])
		}
		f.running[key] = call
		f.wg.Go(func() {
			defer cancel()
			call.value, call.err = work(workCtx)
			f.mu.Lock()
			f.leave(key, call)
			f.mu.Unlock()
			close(call.done)
		})
	}
	call.waiters++
	f.mu.Unlock()
	if joined {
		call.page.join(ctx)
	}

	select {
	case <-call.done:
		if f.isStopped() && errors.Is(call.err, context.Canceled) {
			return none, errClosed
		}
		return call.value, call.err
	case <-ctx.Done():
		f.mu.Lock()
		if call.waiters--; call.waiters == 0 {
			call.cancel()
			f.leave(key, call)
		}
		f.mu.Unlock()
		return none, ctx.Err()
	}
}

// leave lets the next equal call start anew.
func (f *flights[T]) leave(key string, call *flight[T]) {
	if f.running[key] == call {
		delete(f.running, key)
	}
}

func (f *flights[T]) isStopped() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stopped
}

// stop ends all calls, waits for them and refuses new ones.
func (f *flights[T]) stop() {
	f.mu.Lock()
	f.stopped = true
	for _, call := range f.running {
		call.cancel()
	}
	f.mu.Unlock()
	f.wg.Wait()
}
