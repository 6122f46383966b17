package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
)

// tree is scopes by what they lie below, as the agent would tell.
type tree struct {
	below map[string][]pim.Scope
	// fail judges a read in place of the tree.
	fail func(pim.Scope) error

	mu     sync.Mutex
	asked  []string
	flight int
	most   int
}

func (f *tree) children(ctx context.Context, s pim.Scope) ([]pim.Scope, error) {
	f.mu.Lock()
	f.asked = append(f.asked, s.ID)
	f.flight++
	f.most = max(f.most, f.flight)
	fail := f.fail
	f.mu.Unlock()
	defer func() { f.mu.Lock(); f.flight--; f.mu.Unlock() }()
	select {
	case <-time.After(time.Second): // in a bubble of synctest
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if fail != nil {
		if err := fail(s); err != nil {
			return nil, err
		}
	}
	return f.below[s.ID], nil
}

func at(kind pim.ScopeType, format string, args ...any) pim.Scope {
	return pim.Scope{ID: fmt.Sprintf(format, args...), Type: kind}
}

// company is a management group with subscriptions, of which one comes twice, their groups, and a
// resource in each.
func company(subscriptions, groups int) (*tree, pim.Scope) {
	top := at(pim.ScopeManagementGroup, "/mg")
	f := &tree{below: map[string][]pim.Scope{}}
	for i := range subscriptions {
		sub := at(pim.ScopeSubscription, "/subscriptions/%d", i)
		f.below[top.ID] = append(f.below[top.ID], sub)
		for j := range groups {
			group := at(pim.ScopeResourceGroup, "%s/resourceGroups/%d", sub.ID, j)
			f.below[sub.ID] = append(f.below[sub.ID], group)
			f.below[group.ID] = []pim.Scope{at("Microsoft.Sql/servers", "%s/providers/Microsoft.Sql/servers/x", group.ID)}
		}
	}
	f.below[top.ID] = append(f.below[top.ID], at(pim.ScopeSubscription, "/SUBSCRIPTIONS/0"))
	return f, top
}

func TestWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, top := company(10, 3)
		known := map[string][]pim.Scope{"/subscriptions/3": f.below["/subscriptions/3"]}
		var said []string
		found := 0
		w := Walk{Children: f.children, Known: known, Read: func(l Level) {
			found += len(l.Scopes)
			said = append(said, fmt.Sprintf("%s %d of %d", l.Type, l.Done, l.Of))
		}}
		if err := w.From(t.Context(), top); err != nil {
			t.Fatal(err)
		}
		if want := 1 + 10 + 10*3 + 10*3; found != want {
			t.Errorf("%d scopes, want %d", found, want)
		}
		if len(f.asked) != 1+9+30 || f.most != levelsAtOnce {
			t.Errorf("%d reads, %d at once", len(f.asked), f.most)
		}
		depth := 0
		for _, id := range f.asked {
			n := strings.Count(id, "/")
			if n < depth {
				t.Fatalf("%s was read after a deeper one: %v", id, f.asked)
			}
			depth = n
		}
		for _, want := range []string{"managementgroup 0 of 1", "subscription 0 of 10", "subscription 10 of 10", "resourcegroup 7 of 30"} {
			if !slices.Contains(said, want) {
				t.Errorf("never said %q: %q", want, said)
			}
		}
	})
}

func TestWalkStops(t *testing.T) {
	throttled := func(after time.Duration) error {
		return &Error{Problem: pim.Problem{Code: pim.CodeThrottled}, RetryAfter: after}
	}
	for _, tt := range []struct {
		name string
		most int
		// fail judges the second subscription, the n-th time.
		fail  func(n int) error
		err   error
		code  pim.Code
		reads int
	}{
		{name: "at the bound", most: 12, err: ErrBound, reads: 12},
		{name: "where the person may not read", fail: func(int) error { return NewError(pim.CodeForbidden, "x") }, reads: 1 + 10 + 27},
		{name: "for a pause", fail: func(n int) error {
			if n == 1 {
				return throttled(30 * time.Second)
			}
			return nil
		}, reads: 1 + 10 + 1 + 30},
		{name: "before a long pause", fail: func(int) error { return throttled(time.Hour) }, code: pim.CodeThrottled},
		{name: "without a network", fail: func(int) error { return NewError(pim.CodeOffline, "x") }, code: pim.CodeOffline},
		{name: "without an agent", fail: func(int) error { return ErrLost }, err: ErrLost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, top := company(10, 3)
				n := 0
				f.fail = func(s pim.Scope) error {
					if tt.fail == nil || s.ID != "/subscriptions/1" {
						return nil
					}
					n++
					return tt.fail(n)
				}
				w := Walk{Children: f.children, Most: tt.most, Read: func(Level) {}}
				began := time.Now()
				err := w.From(t.Context(), top)
				if tt.err != nil && !errors.Is(err, tt.err) || tt.err == nil && tt.code == "" && err != nil || tt.code != "" && ProblemOf(err).Code != tt.code {
					t.Errorf("ended with %v", err)
				}
				if tt.reads > 0 && len(f.asked) != tt.reads {
					t.Errorf("%d reads, want %d", len(f.asked), tt.reads)
				}
				if tt.name == "for a pause" && time.Since(began) < 30*time.Second {
					t.Errorf("the pause was %s", time.Since(began))
				}
			})
		})
	}
}

func TestWalkThatIsCalledOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, top := company(10, 3)
		ctx, cancel := context.WithCancel(t.Context())
		w := Walk{Children: f.children, Read: func(l Level) {
			if l.Type == pim.ScopeSubscription && l.Done == 4 {
				cancel()
			}
		}}
		if err := w.From(ctx, top); !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
		if len(f.asked) > 1+8 {
			t.Errorf("%d reads", len(f.asked))
		}
	})
}

// What the service said of a pause reaches the one who walks.
func TestPauseArrives(t *testing.T) {
	agent := newRecorder()
	c := serve(t, acquire(t), agent)
	for wanted, want := range map[time.Duration]time.Duration{0: 0, 1500 * time.Millisecond: 2 * time.Second, time.Minute: time.Minute} {
		agent.fail = fmt.Errorf("list: %w", &pim.Error{Code: pim.CodeThrottled, RetryAfter: wanted})
		_, err := c.Children(t.Context(), ChildrenRequest{})
		if e, ok := errors.AsType[*Error](err); !ok || e.Problem.Code != pim.CodeThrottled || e.RetryAfter != want {
			t.Errorf("%s: %+v", wanted, err)
		}
	}
}
