package graph

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"roletray/pim"
	"roletray/pim/wire"
)

// plane is what directory roles and groups have in common: the same three
// families of objects at different addresses.
type plane struct {
	*Client
	kind pim.Kind
	// what names the kind in errors.
	what string
	// The collections, below the version: requests are those about assignments, and
	// prolongations those about eligibilities.
	eligibilities, assignments, requests, prolongations string
	// approvals are the places of approvals, each tried where the one before it does
	// not know the approval.
	approvals []approvalPlace
	// expand is the $expand of a list's rows.
	expand string
	// early are ids of names that nearly every list needs, which are read beside it.
	early []string
	// throughGroups says that roles of the kind can come with a group.
	throughGroups bool
	// role reads a row's role; it is false for one that cannot be told apart from
	// others.
	role func(roleIDs) (pim.Role, bool)
	// nameOf is the id of the name of a role's scope, or empty where it needs none.
	nameOf func(pim.Role) string
	// fill puts a role into the body of a write.
	fill func(*writeBody, pim.Role)

	mu sync.Mutex
	// seen is when each request was first known here, so that Find takes none for
	// the result of a later write.
	seen map[string]time.Time
	// barred is when the person was refused to read a collection.
	barred map[string]time.Time
	// cut are the parts of a snapshot whose last read may lack rows.
	cut map[string]bool
}

// Kind is the kind of role.
func (p *plane) Kind() pim.Kind { return p.kind }

// Eligible lists what the person may activate. A role that arrives more than once stays
// once: the direct one before any other, and of these the one that ends last. Where
// Graph cuts the list, or leaves out what a group brings, and refuses to show it in
// another way, the rest is missing; see Cut and ShowsGroupRoles.
func (p *plane) Eligible(ctx context.Context) ([]pim.Eligibility, error) {
	return wire.Last(p.EligiblePages(ctx))
}

// EligiblePages is Eligible as its pages come: each time all that is known by then, the
// last time everything. An error ends it. The names of a page's scopes are read while the next
// page is on its way.
func (p *plane) EligiblePages(ctx context.Context) iter.Seq2[[]pim.Eligibility, error] {
	return func(yield func([]pim.Eligibility, error) bool) {
		whole := false
		for h, err := range p.holding(ctx, p.eligibilities) {
			if err != nil {
				yield(nil, fmt.Errorf("list eligible %s: %w", p.what, p.explain(err, UseEligible)))
				return
			}
			if whole = h.whole; !yield(p.eligibilitiesOf(ctx, h.rows), nil) {
				return
			}
		}
		p.doubt(pim.PartEligible, !whole)
	}
}

func (p *plane) eligibilitiesOf(ctx context.Context, rows []instanceRow) []pim.Eligibility {
	var list []pim.Eligibility
	at := map[pim.Key]int{}
	for _, row := range rows {
		r, ok := p.role(row.roleIDs)
		if !ok {
			continue
		}
		e := row.eligibility(r)
		k := r.Key()
		if i, known := at[k]; !known {
			at[k] = len(list)
			list = append(list, e)
		} else if better(e, list[i]) {
			list[i] = e
		}
	}
	var roles []*pim.Role
	var principals []string
	for i := range list {
		roles, principals = append(roles, &list[i].Role), append(principals, p.principalName(list[i]))
	}
	names := p.nameRoles(ctx, roles, principals...)
	for i := range list {
		list[i].PrincipalName = names[principals[i]].DisplayName
		list[i].MayGiveRoles = list[i].Role.Access == pim.AccessMember && names[p.nameOf(list[i].Role)].RoleAssignable
	}
	return list
}

// principalName is the id of the name of the group that an eligibility comes
// through, or empty.
func (p *plane) principalName(e pim.Eligibility) string {
	if e.Via == pim.ViaDirect || e.PrincipalID == "" || e.PrincipalID == p.userID {
		return ""
	}
	return groupName + e.PrincipalID
}

func better(a, b pim.Eligibility) bool {
	if da, db := a.Via == pim.ViaDirect, b.Via == pim.ViaDirect; da != db {
		return da
	}
	return !b.End.IsZero() && (a.End.IsZero() || a.End.After(b.End))
}

// Active reads the roles in force in one part, which covers everything. It is
// not Complete when Graph may have cut the list. eligible and wide change nothing.
func (p *plane) Active(ctx context.Context, _ []pim.Eligibility, _ bool) iter.Seq2[pim.ActivePart, error] {
	return func(yield func(pim.ActivePart, error) bool) {
		all, err := wire.Last(p.holding(ctx, p.assignments))
		if err != nil {
			yield(pim.ActivePart{}, fmt.Errorf("list active %s: %w", p.what, p.explain(err, UseActive)))
			return
		}
		p.doubt(pim.PartActive, !all.whole)
		part := pim.ActivePart{Complete: all.whole}
		for _, row := range all.rows {
			if r, ok := p.role(row.roleIDs); ok {
				part.Rows = append(part.Rows, row.assignment(r))
			}
		}
		var roles []*pim.Role
		for i := range part.Rows {
			roles = append(roles, &part.Rows[i].Role)
		}
		p.nameRoles(ctx, roles)
		yield(part, nil)
	}
}

// collection is where requests about eligibilities, or about assignments, are kept.
func (p *plane) collection(ofEligibility bool) string {
	if ofEligibility {
		return p.prolongations
	}
	return p.requests
}

// Requests lists what the person has asked for themselves, the newest first. Those
// to prolong an eligibility are left out where they may not be read: even that
// takes the permission to send them, which is asked for only then.
func (p *plane) Requests(ctx context.Context) ([]pim.Request, error) {
	var prolongations []pim.Request
	var prolongationsWhole bool
	var noProlongations error
	var other sync.WaitGroup
	other.Go(func() { prolongations, prolongationsWhole, noProlongations = p.own(ctx, true) })
	list, whole, err := p.own(ctx, false)
	other.Wait()
	if err == nil && !refused(noProlongations) {
		err = noProlongations
	}
	if err != nil {
		return nil, fmt.Errorf("list requests for %s: %w", p.what, p.explain(err, UseRequests))
	}
	p.doubt(pim.PartRequests, !whole || noProlongations == nil && !prolongationsWhole)
	list = append(list, prolongations...)
	slices.SortStableFunc(list, newestFirst)
	var roles []*pim.Role
	for i := range list {
		roles = append(roles, &list[i].Role)
	}
	p.nameRoles(ctx, roles)
	return list, nil
}

// own reads the person's own requests in one collection, the newest first, without
// the names of their scopes, and says whether none can be missing.
func (p *plane) own(ctx context.Context, ofEligibility bool) (list []pim.Request, whole bool, err error) {
	all, whole, err := p.requestRows(ctx, p.collection(ofEligibility))
	if err != nil {
		return nil, false, err
	}
	for _, row := range all {
		r, ok := p.role(row.roleIDs)
		q := row.request(r)
		q.OfEligibility = ofEligibility
		if !ok || row.IsValidationOnly || !wire.PlainID(q.ID) || !strings.HasPrefix(string(q.Action), "self") || q.PrincipalID != "" && q.PrincipalID != p.userID {
			continue
		}
		list = append(list, q)
	}
	slices.SortStableFunc(list, newestFirst)
	p.note(list...)
	return list, whole, nil
}

// requestRows reads a collection's requests for the person. Where the list may have been
// cut, the collection itself is asked too; a refusal leaves it as it is, and not whole.
func (p *plane) requestRows(ctx context.Context, collection string) (all []requestRow, whole bool, err error) {
	all, err = rows(list[requestRow](ctx, p.Client, collection+currentUser+query("$expand", p.expand)))
	if err != nil || len(all) != capped {
		return all, true, err
	}
	more, err := rows(list[requestRow](ctx, p.Client, collection+query("$filter", "principalId eq "+quoted(p.userID), "$expand", p.expand)))
	if err != nil && !refused(err) {
		return nil, false, err
	}
	known := map[string]bool{}
	for _, row := range all {
		known[row.ID] = true
	}
	for _, row := range more {
		if !known[row.ID] {
			all = append(all, row)
		}
	}
	return all, err == nil, nil
}

// doubt notes whether the last read of a part may lack rows.
func (p *plane) doubt(part string, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut == nil {
		p.cut = map[string]bool{}
	}
	p.cut[part] = cut
}

// Cut is how many rows Graph showed of a part that it may have cut, or zero.
func (p *plane) Cut(part string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.cut[part] {
		return 0
	}
	return capped
}

func newestFirst(a, b pim.Request) int { return b.Created.Compare(a.Created) }

// note remembers when requests were first known.
func (p *plane) note(list ...pim.Request) {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil {
		p.seen = map[string]time.Time{}
	}
	for _, r := range list {
		if _, known := p.seen[r.ID]; !known {
			p.seen[r.ID] = now
		}
	}
}

// nameRoles gives the roles' scopes their names where there are any, and returns
// those together with the names of more, by their ids.
func (p *plane) nameRoles(ctx context.Context, roles []*pim.Role, more ...string) map[string]named {
	ids := slices.Clone(more)
	for _, r := range roles {
		ids = append(ids, p.nameOf(*r))
	}
	names := p.namesOf(ctx, slices.DeleteFunc(ids, func(id string) bool { return id == "" }))
	for _, r := range roles {
		if n := names[p.nameOf(*r)].DisplayName; n != "" {
			r.Scope.Name = n
		}
	}
	return names
}
