package session

import (
	"context"
	"sync"

	"roletray/pim"
)

// queue hands events on without ever making the sender wait or losing one.
type queue struct {
	out  chan pim.Event
	more chan struct{}

	mu      sync.Mutex
	waiting []pim.Event
}

func newQueue() *queue {
	return &queue{out: make(chan pim.Event), more: make(chan struct{}, 1)}
}

func (q *queue) put(e pim.Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, e)
	select {
	case q.more <- struct{}{}:
	default:
	}
}

func (q *queue) take() []pim.Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.waiting
	q.waiting = nil
	return all
}

// pump moves events to out until ctx ends, then closes it.
func (q *queue) pump(ctx context.Context) {
	defer close(q.out)
	for {
		for _, e := range q.take() {
			select {
			case q.out <- e:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-q.more:
		case <-ctx.Done():
			return
		}
	}
}
