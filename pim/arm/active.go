package arm

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"

	"roletray/pim"
)

const (
	// maxReads is how many reads of active roles are under way at most.
	maxReads = 32
	// activeBound is how long all of them together may take.
	activeBound = 30 * time.Second
)

// Active reads the roles in force at every scope that eligible names, up to 32
// scopes at once, and yields each part when it comes. A read that takes longer
// than Params.FirstWait makes way for those that wait and is asked again after
// them. After 30 seconds what is left is yielded as errors, with the scope that
// the part would have covered. An ended ctx yields one error and no more.
//
// With wide the whole tenant is read beside them and yielded last. That read
// takes up to half a minute and has been seen to lose rows, so it is never
// Complete.
func (p *Provider) Active(ctx context.Context, eligible []pim.Eligibility, wide bool) iter.Seq2[pim.ActivePart, error] {
	return func(yield func(pim.ActivePart, error) bool) {
		scopes := coveringScopes(eligible)
		bounded, cancel := context.WithTimeout(ctx, activeBound)
		var running sync.WaitGroup
		defer running.Wait()
		defer cancel()

		results := make(chan activeResult, len(scopes))
		last := make(chan activeResult, 1)
		workers := min(maxReads, len(scopes))
		if wide {
			workers = min(maxReads-1, len(scopes))
			running.Go(func() { last <- p.readActive(bounded, pim.Scope{}) })
		}
		queue := &scopeQueue{first: scopes}
		for range workers {
			running.Go(func() { p.work(bounded, queue, results) })
		}
		for range scopes {
			r := <-results
			if ctx.Err() != nil {
				yield(pim.ActivePart{}, fmt.Errorf("list active Azure roles: %w", ctx.Err()))
				return
			}
			if !yield(r.part, r.err) {
				return
			}
		}
		if wide {
			r := <-last
			yield(r.part, r.err)
		}
	}
}

type activeResult struct {
	part pim.ActivePart
	err  error
}

// work reads scopes until the queue has no more.
func (p *Provider) work(ctx context.Context, queue *scopeQueue, results chan<- activeResult) {
	for {
		scope, patient, ok := queue.next()
		if !ok {
			return
		}
		read, cancel := context.WithCancel(ctx)
		timer := time.AfterFunc(p.firstWait, func() {
			if !patient && queue.waiting() {
				cancel()
			}
		})
		r := p.readActive(read, scope)
		timer.Stop()
		if gaveWay := r.err != nil && read.Err() != nil && ctx.Err() == nil; gaveWay {
			queue.again(scope)
		} else {
			results <- r
		}
		cancel()
	}
}

// readActive reads one scope, or the whole tenant for the zero scope.
func (p *Provider) readActive(ctx context.Context, scope pim.Scope) activeResult {
	r := activeResult{part: pim.ActivePart{Scope: scope}}
	path, err := scopePath(scope.ID)
	if err == nil {
		r.part.Rows, err = p.activeRows(ctx, path)
	}
	if err != nil {
		r.err = fmt.Errorf("list active Azure roles at %q: %w", scope.ID, err)
		return r
	}
	r.part.Complete = path != root
	return r
}

func (p *Provider) activeRows(ctx context.Context, path string) ([]pim.Assignment, error) {
	pager := p.assignments.NewListForScopePager(path, &armauthorization.RoleAssignmentScheduleInstancesClientListForScopeOptions{Filter: to.Ptr(mine)})
	all, err := rows(ctx, p, pager, func(r *armauthorization.RoleAssignmentScheduleInstancesClientListForScopeResponse) ([]*armauthorization.RoleAssignmentScheduleInstance, *string) {
		return r.Value, r.NextLink
	})
	if err != nil {
		return nil, err
	}
	var list []pim.Assignment
	seen := map[string]bool{}
	for _, row := range all {
		a, ok := assignment(row)
		id := strings.ToLower(a.ID)
		if !ok || id != "" && seen[id] {
			continue
		}
		seen[id] = true
		list = append(list, a)
	}
	return list, nil
}

// coveringScopes are the scopes of eligible, without those that a read of another
// one covers. The tenant's own scope is left to the wide read.
func coveringScopes(eligible []pim.Eligibility) []pim.Scope {
	given := map[string]bool{}
	for _, e := range eligible {
		given[scopeKey(e.Role.Scope.ID)] = true
	}
	var scopes []pim.Scope
	done := map[string]bool{}
	for _, e := range eligible {
		k := scopeKey(e.Role.Scope.ID)
		if k != "" && !done[k] && !coveredByParent(k, given) {
			scopes = append(scopes, e.Role.Scope)
		}
		done[k] = true
	}
	return scopes
}

func scopeKey(id string) string { return strings.TrimRight(strings.ToLower(id), "/") }

func coveredByParent(key string, given map[string]bool) bool {
	for i := strings.LastIndexByte(key, '/'); i > 0; i = strings.LastIndexByte(key, '/') {
		key = key[:i]
		if given[key] {
			return true
		}
	}
	return false
}

// scopeQueue hands out scopes to read: each once, then those that gave way.
type scopeQueue struct {
	mu    sync.Mutex
	first []pim.Scope
	later []pim.Scope
}

// next takes the next scope. It is patient when the scope has been tried before.
func (q *scopeQueue) next() (scope pim.Scope, patient, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case len(q.first) > 0:
		scope, q.first = q.first[0], q.first[1:]
		return scope, false, true
	case len(q.later) > 0:
		scope, q.later = q.later[0], q.later[1:]
		return scope, true, true
	}
	return pim.Scope{}, false, false
}

func (q *scopeQueue) waiting() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.first) > 0
}

func (q *scopeQueue) again(s pim.Scope) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.later = append(q.later, s)
}
