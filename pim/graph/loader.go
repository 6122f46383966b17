package graph

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// loader reads values by id and keeps them for a while. Calls for the same id
// share one read, and what is wanted at the same time is read together. The read
// happens in the goroutine of a caller; when that one gives up, another takes over.
type loader[V any] struct {
	now func() time.Time
	// read reads the values of ids; what it leaves out counts as the zero loaded.
	read func(ctx context.Context, ids []string) map[string]loaded[V]
	// most bounds how many ids that others want or may want are read along; zero
	// means none.
	most int
	// slots bounds reads under way, so that what is wanted meanwhile gathers; nil
	// means no bound.
	slots chan struct{}

	mu      sync.Mutex
	kept    map[string]loaded[V]
	flights map[string]*flight[V]
	wanted  map[string]int
}

// loaded is a value or why there is none, and until when that may be kept; the
// zero time means for those who wait now.
type loaded[V any] struct {
	value V
	err   error
	until time.Time
}

type flight[V any] struct {
	done chan struct{}
	// got is valid after done.
	got map[string]loaded[V]
	// abandoned says, after done, that the caller who read has given up.
	abandoned bool
}

// load returns what is known of ids, reading what is not. along are ids worth
// reading in the same call. The error is that of ctx alone.
func (l *loader[V]) load(ctx context.Context, ids, along []string) (map[string]loaded[V], error) {
	got := map[string]loaded[V]{}
	holding := false
	defer func() {
		if holding {
			<-l.slots
		}
	}()
	for {
		l.mu.Lock()
		mine, other := l.missing(ids, got)
		switch {
		case len(mine) == 0 && other == nil:
			l.mu.Unlock()
			return got, nil
		case len(mine) == 0:
			l.mu.Unlock()
			if err := await(ctx, other, got); err != nil {
				return got, err
			}
		case l.slots != nil && !holding:
			l.want(mine, 1)
			l.mu.Unlock()
			select {
			case l.slots <- struct{}{}:
				holding = true
			case <-ctx.Done():
			}
			l.mu.Lock()
			l.want(mine, -1)
			l.mu.Unlock()
			if !holding {
				return got, ctx.Err()
			}
		default:
			f := l.depart(&mine, along)
			l.mu.Unlock()
			f.got = l.read(ctx, mine)
			l.land(f, mine, ctx.Err() != nil)
			if err := ctx.Err(); err != nil {
				return got, err
			}
			maps.Copy(got, f.got)
		}
	}
}

// missing are the ids that nobody reads, and a flight that has one of the others.
// What is kept goes into got. l.mu is held.
func (l *loader[V]) missing(ids []string, got map[string]loaded[V]) (mine []string, other *flight[V]) {
	for _, id := range ids {
		if _, ok := got[id]; ok {
			continue
		}
		if k, ok := l.fresh(id); ok {
			got[id] = k
		} else if f := l.flights[id]; f != nil {
			other = f
		} else if !slices.Contains(mine, id) {
			mine = append(mine, id)
		}
	}
	return mine, other
}

func (l *loader[V]) fresh(id string) (loaded[V], bool) {
	k, ok := l.kept[id]
	return k, ok && l.now().Before(k.until)
}

func (l *loader[V]) want(ids []string, n int) {
	if l.wanted == nil {
		l.wanted = map[string]int{}
	}
	for _, id := range ids {
		if l.wanted[id] += n; l.wanted[id] <= 0 {
			delete(l.wanted, id)
		}
	}
}

// depart begins a flight with mine, what others want, and along, as far as there
// is room. l.mu is held.
func (l *loader[V]) depart(mine *[]string, along []string) *flight[V] {
	for id := range l.wanted {
		l.board(mine, id)
	}
	for _, id := range along {
		l.board(mine, id)
	}
	if l.flights == nil {
		l.flights, l.kept = map[string]*flight[V]{}, map[string]loaded[V]{}
	}
	f := &flight[V]{done: make(chan struct{})}
	for _, id := range *mine {
		l.flights[id] = f
	}
	return f
}

func (l *loader[V]) board(mine *[]string, id string) {
	if _, fresh := l.fresh(id); len(*mine) < l.most && !fresh && l.flights[id] == nil && !slices.Contains(*mine, id) {
		*mine = append(*mine, id)
	}
}

// land ends a flight. What the read has left out counts as brought, so that
// nobody asks again at once.
func (l *loader[V]) land(f *flight[V], ids []string, abandoned bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.abandoned = abandoned
	if f.got == nil {
		f.got = map[string]loaded[V]{}
	}
	for _, id := range ids {
		delete(l.flights, id)
		k := f.got[id]
		f.got[id] = k
		if !abandoned && !k.until.IsZero() {
			l.kept[id] = k
		}
	}
	close(f.done)
}

// await takes over what another caller's flight brings. Where that caller has
// given up, nothing is taken over.
func await[V any](ctx context.Context, f *flight[V], got map[string]loaded[V]) error {
	select {
	case <-f.done:
		if !f.abandoned {
			maps.Copy(got, f.got)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
