package graph

import (
	"context"
	"iter"
	"sync"
	"time"
)

const (
	// capped is where filterByCurrentUser has been seen to stop without a word.
	capped = 50
	// barredAge is how long a collection that the person may not read is left alone.
	barredAge = time.Hour
)

// held is what is known of the person's rows of a collection.
type held struct {
	rows []instanceRow
	// whole says that no row of the person's own may be missing.
	whole bool
}

// holding yields the person's rows of a collection: as each page comes all that are
// known by then, and last everything that can be had. An error ends it.
//
// filterByCurrentUser leaves out what comes with a group (contract, section 4.1), and may
// stop at 50 rows. The collection itself has both, where people may read it for
// themselves, of which there are reports either way (section 9, rows 5 and 6).
func (p *plane) holding(ctx context.Context, collection string) iter.Seq2[held, error] {
	return func(yield func(held, error) bool) {
		var others []instanceRow
		var readable bool
		var errOthers error
		readOthers := func(ctx context.Context) { others, readable, errOthers = p.whole(ctx, collection) }
		var reader sync.WaitGroup
		defer reader.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		if p.throughGroups {
			reader.Go(func() { readOthers(ctx) })
		}
		if len(p.early) > 0 {
			reader.Go(func() { p.namesOf(ctx, p.early) })
		}
		var h held
		for rows, err := range ahead(ctx, func(ctx context.Context) iter.Seq2[[]instanceRow, error] {
			return pages[instanceRow](ctx, p.Client, collection+currentUser+query("$expand", p.expand))
		}) {
			if err != nil {
				yield(held{}, err)
				return
			}
			if h.rows = append(h.rows, rows...); !yield(h, nil) {
				return
			}
		}
		h.whole = len(h.rows) != capped
		if p.throughGroups {
			reader.Wait()
		} else if !h.whole {
			readOthers(ctx)
		}
		if errOthers != nil {
			yield(held{}, errOthers)
			return
		}
		h.whole = h.whole || readable
		known := map[string]bool{}
		for _, row := range h.rows {
			known[row.ID] = true
		}
		for _, row := range others {
			if !known[row.ID] {
				h.rows = append(h.rows, row)
			}
		}
		yield(h, nil)
	}
}

// whole reads the rows of a collection that are the person's in any way. It is not
// readable to everybody; who may not is not asked again for a while.
func (p *plane) whole(ctx context.Context, collection string) (all []instanceRow, readable bool, err error) {
	p.mu.Lock()
	barred := p.barred[collection]
	p.mu.Unlock()
	if !barred.IsZero() && p.now().Sub(barred) < barredAge {
		return nil, false, nil
	}
	all, err = rows(list[instanceRow](ctx, p.Client, collection+query("$filter", "principalId eq "+quoted(p.userID), "$expand", p.expand)))
	if err != nil && !refused(err) {
		return nil, false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.barred, collection)
	if err != nil {
		if p.barred == nil {
			p.barred = map[string]time.Time{}
		}
		p.barred[collection] = p.now()
	}
	return all, err == nil, nil
}

// ShowsGroupRoles says whether Eligible and Active show what comes with a group, as far
// as the last reads have told.
func (p *plane) ShowsGroupRoles() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.barred) == 0
}
