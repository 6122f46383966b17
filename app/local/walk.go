package local

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"roletray/pim"
)

// The bounds of a walk.
const (
	// MostLevels is how many levels one walk reads.
	MostLevels = 200
	// levelsAtOnce is how many reads of a walk are under way together.
	levelsAtOnce = 4
	// longestPause is how long a walk waits for a service that wants fewer calls.
	longestPause = time.Minute
)

// ErrBound says that a walk has read as many levels as it may, and that there are more.
var ErrBound = errors.New("there are more scopes than one search reads")

// Walk reads the scopes below one level by level, the nearest first, for somebody who looks
// for a scope by its name.
type Walk struct {
	// Children reads the scopes one level below another, as the agent's call of that name.
	Children func(context.Context, pim.Scope) ([]pim.Scope, error)
	// Known are levels that were read before, by WalkKey of what they lie below.
	Known map[string][]pim.Scope
	// Most is how many levels are read beside those; zero means MostLevels.
	Most int
	// Read is told of each level as it comes, one at a time, and of the first one of a depth before.
	Read func(Level)

	mu   sync.Mutex
	seen map[string]bool
	left int
	step Level
}

// Level is how far a walk has come.
type Level struct {
	// Below is the scope whose level was read, and Scopes is that. Where the walk only
	// begins a depth, Done is 0 and neither means anything.
	Below  pim.Scope
	Scopes []pim.Scope
	// Type is what the scopes have in common whose levels are being read, or empty. Of
	// them there are Of, and Done are read.
	Type     pim.ScopeType
	Done, Of int
}

// WalkKey is what tells a scope from all others.
func WalkKey(s pim.Scope) string { return strings.ToLower(strings.TrimRight(s.ID, "/")) }

// From reads everything below top and returns nil, or ErrBound, or why it could not go on. It
// waits where the service asks for a pause of up to a minute. A level that the person may not
// read is passed over.
func (w *Walk) From(ctx context.Context, top pim.Scope) error {
	w.seen, w.left = map[string]bool{WalkKey(top): true}, w.Most
	if w.left == 0 {
		w.left = MostLevels
	}
	depth := []pim.Scope{top}
	for len(depth) > 0 {
		var next []pim.Scope
		w.step = Level{Type: depth[0].Type, Of: len(depth)}
		for _, s := range depth {
			if s.Type != w.step.Type {
				w.step.Type = ""
			}
		}
		w.Read(w.step)
		reads, within := errgroup.WithContext(ctx)
		reads.SetLimit(levelsAtOnce)
		for _, s := range depth {
			scopes, known := w.Known[WalkKey(s)]
			if known {
				w.took(s, scopes, &next)
				continue
			}
			reads.Go(func() error {
				scopes, err := w.read(within, s)
				switch {
				case errors.Is(err, ErrBound):
					return nil // what is under way is still worth having
				case err == nil:
					w.took(s, scopes, &next)
				}
				return err
			})
		}
		if err := reads.Wait(); err != nil {
			return err
		}
		if w.left < 0 {
			return ErrBound
		}
		depth = next
	}
	return nil
}

func (w *Walk) read(ctx context.Context, s pim.Scope) ([]pim.Scope, error) {
	w.mu.Lock()
	w.left--
	over := w.left < 0
	w.mu.Unlock()
	if over {
		return nil, ErrBound
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		scopes, err := w.Children(ctx, s)
		e, told := errors.AsType[*Error](err)
		switch {
		case told && (e.Problem.Code == pim.CodeForbidden || e.Problem.Code == pim.CodeNotFound):
			return nil, nil
		case told && e.Problem.Code == pim.CodeThrottled && e.RetryAfter > 0 && e.RetryAfter <= longestPause:
		default:
			return scopes, err
		}
		pause := time.NewTimer(e.RetryAfter)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, ctx.Err()
		}
	}
}

// took tells of a level, and adds to next what is to be read below it.
func (w *Walk) took(below pim.Scope, scopes []pim.Scope, next *[]pim.Scope) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.step.Done++
	step := w.step
	step.Below, step.Scopes = below, scopes
	w.Read(step)
	for _, s := range scopes {
		switch s.Type {
		case pim.ScopeManagementGroup, pim.ScopeSubscription, pim.ScopeResourceGroup:
			if key := WalkKey(s); !w.seen[key] {
				w.seen[key] = true
				*next = append(*next, s)
			}
		}
	}
}
