package session

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"roletray/pim"
)

// host is a service that several kinds of role may share. The session's lock
// guards it.
type host struct {
	audience pim.Audience
	// signIn is why nothing can be read without the person, or nil.
	signIn *pim.Error
	// notBefore is when the service lets itself be called again, on the computer's clock.
	notBefore time.Time
}

// source is one kind of role and what was read of it. The session's lock guards it.
type source struct {
	provider pim.Provider
	kind     pim.Kind
	host     *host
	// What the provider can do beside that; nil where it cannot.
	decider   pim.Decider
	prolonger pim.Prolonger
	scopes    pim.ScopeBrowser
	groups    pim.GroupReader
	reviews   pim.ReviewReader
	cutter    pim.Cutter

	eligible  []pim.Eligibility // replaced, never changed
	requests  []pim.Request     // replaced, never changed
	approvals []pim.Approval    // replaced, never changed
	listed    map[pim.Key]*row

	eligiblePart, activePart, requestsPart, approvalsPart pim.Part

	// approved has what is known of approvals, by the request's id in lower case.
	approved map[string]approved
	// reviewsRefused says that the person may not read who decided on their requests.
	reviewsRefused bool

	// groupsRefused is when the person was refused to read what groups bring.
	groupsRefused time.Time

	lastWide time.Time // on the computer's clock
	wide     bool
}

// row is what a listing has shown.
type row struct {
	assignment pim.Assignment
	seen       time.Time
	// missed is when a read that may lose rows began to lack a row that no other
	// read covers; zero while it did not.
	missed time.Time
}

func newSource(p pim.Provider, h *host) *source {
	k := p.Kind()
	src := &source{
		provider: p, kind: k, host: h, listed: map[pim.Key]*row{}, approved: map[string]approved{},
		eligiblePart:  pim.Part{Name: pim.PartEligible, Kind: k},
		activePart:    pim.Part{Name: pim.PartActive, Kind: k},
		requestsPart:  pim.Part{Name: pim.PartRequests, Kind: k},
		approvalsPart: pim.Part{Name: pim.PartApprovals, Kind: k},
	}
	src.decider, _ = p.(pim.Decider)
	src.prolonger, _ = p.(pim.Prolonger)
	src.scopes, _ = p.(pim.ScopeBrowser)
	src.groups, _ = p.(pim.GroupReader)
	src.reviews, _ = p.(pim.ReviewReader)
	src.cutter, _ = p.(pim.Cutter)
	return src
}

// read notes that a part was read whole at now, or as far as the service shows it.
func (src *source) read(part *pim.Part, now time.Time) {
	part.At, part.Problem, part.Cut = now, nil, 0
	if src.cutter != nil {
		part.Cut = src.cutter.Cut(part.Name)
	}
}

// restore takes over what an earlier run has read.
func (src *source) restore(last *pim.Snapshot) {
	for _, e := range last.Eligible {
		if e.Role.Kind == src.kind && e.Behind == "" {
			src.eligible = append(src.eligible, e)
		}
	}
	for _, r := range last.Requests {
		if r.Role.Kind == src.kind {
			src.requests = append(src.requests, src.recall(r))
		}
	}
	for _, a := range last.Approvals {
		if a.Request.Role.Kind == src.kind {
			src.approvals = append(src.approvals, a)
		}
	}
	for _, p := range last.Parts {
		if p.Kind != src.kind {
			continue
		}
		switch p.Name {
		case pim.PartEligible:
			src.eligiblePart = p
		case pim.PartActive:
			src.activePart = p
		case pim.PartRequests:
			src.requestsPart = p
		case pim.PartApprovals:
			src.approvalsPart = p
		}
	}
	for _, a := range last.Active {
		if a.Assignment.Role.Kind == src.kind && a.Certainty != pim.Recorded {
			src.listed[a.Assignment.Role.Key()] = &row{assignment: a.Assignment, seen: src.activePart.At, missed: a.UnconfirmedSince}
		}
	}
}

func ended(end, now time.Time) bool { return !end.IsZero() && !end.After(now) }

// apply takes over one part of a read of active roles that began at started. Its
// word on an own action that was over by then counts as the listing's answer to it;
// the result says whether there was one that agrees.
func (src *source) apply(part pim.ActivePart, ops []*operation, started, now time.Time) (agreed bool) {
	shown := map[pim.Key]pim.Assignment{}
	for _, a := range part.Rows {
		if ended(a.End, now) {
			continue
		}
		k := a.Role.Key()
		if other, ok := shown[k]; !ok || better(a, other) {
			shown[k] = a
		}
	}
	for k, a := range shown {
		old := src.listed[k]
		if old != nil && !old.seen.Before(started) && better(old.assignment, a) {
			a = old.assignment
		}
		src.listed[k] = &row{assignment: a, seen: now}
	}
	for _, o := range ops {
		a, there := shown[o.key]
		// One without a record, as where the role was active already, has nothing to confirm.
		if o.confirmed || o.settled.IsZero() || o.op.State != pim.OperationDone || o.op.Role.Kind != src.kind || started.Before(o.settled) || !part.Covers(o.op.Role.Scope) {
			continue
		}
		switch {
		case o.op.Action == pim.ActionActivate:
			o.confirmed = there && !o.outdates(a)
		case !there:
			// The own word and the listing's agree, so a read that may lose rows is enough.
			o.confirmed = true
			delete(src.listed, o.key)
		}
		agreed = agreed || o.confirmed
	}
	for k, r := range src.listed {
		if _, there := shown[k]; there || !part.Covers(r.assignment.Role.Scope) {
			continue
		}
		if part.Complete {
			delete(src.listed, k)
		} else if r.missed.IsZero() && r.seen.Before(started) && !src.covers(r.assignment.Role.Scope) {
			r.missed = now
		}
	}
	return agreed
}

// covers says whether the reads at the eligibilities' scopes tell about a scope. That of
// the whole tenant has no read of its own.
func (src *source) covers(scope pim.Scope) bool {
	return slices.ContainsFunc(src.eligible, func(e pim.Eligibility) bool {
		return strings.Trim(e.Role.Scope.ID, "/") != "" && scope.Within(e.Role.Scope)
	})
}

// better says which of two rows for one role to show: the one that can be
// deactivated, then the one that lasts longer.
func better(a, b pim.Assignment) bool {
	if a.Type != b.Type {
		return a.Type == pim.Activated
	}
	return !b.End.IsZero() && (a.End.IsZero() || a.End.After(b.End))
}

// truth is what is active: the listing, overridden by the own records while it may lag.
func (src *source) truth(ops []*operation, now time.Time) []pim.ActiveRole {
	active := map[pim.Key]pim.ActiveRole{}
	for k, r := range src.listed {
		switch {
		case ended(r.assignment.End, now):
		case r.missed.IsZero():
			active[k] = pim.ActiveRole{Assignment: r.assignment, Certainty: pim.Listed}
		default:
			active[k] = pim.ActiveRole{Assignment: r.assignment, Certainty: pim.Unconfirmed, UnconfirmedSince: r.missed}
		}
	}
	for k, o := range records(ops, src.kind) {
		listed, there := active[k]
		deadline := o.settled.Add(maxLag)
		late := !now.Before(deadline)
		if o.op.Action == pim.ActionDeactivate {
			switch {
			case !there || listed.Assignment.Start.After(o.settled):
			case !late:
				delete(active, k)
			case !o.confirmed:
				listed.Certainty, listed.UnconfirmedSince = pim.Unconfirmed, deadline
				active[k] = listed
			}
			continue
		}
		own := o.assignment()
		switch {
		case ended(own.End, now), there && !o.outdates(listed.Assignment):
		case !late:
			active[k] = pim.ActiveRole{Assignment: own, Certainty: pim.Recorded}
		case !o.confirmed:
			active[k] = pim.ActiveRole{Assignment: own, Certainty: pim.Unconfirmed, UnconfirmedSince: deadline}
		}
	}
	out := make([]pim.ActiveRole, 0, len(active))
	for _, a := range active {
		out = append(out, a)
	}
	return out
}

// maxLag is how long an own record overrides a listing.
const maxLag = 10 * time.Minute

// records are the newest actions that took effect, for each role of a kind.
func records(ops []*operation, kind pim.Kind) map[pim.Key]*operation {
	out := map[pim.Key]*operation{}
	for _, o := range ops {
		if o.op.Role.Kind == kind && o.op.State == pim.OperationDone && !o.settled.IsZero() {
			if other := out[o.key]; other == nil || !o.settled.Before(other.settled) {
				out[o.key] = o
			}
		}
	}
	return out
}

func sortEligible(all []pim.Eligibility) {
	slices.SortStableFunc(all, func(a, b pim.Eligibility) int { return compareRoles(a.Role, b.Role) })
}

func compareRoles(a, b pim.Role) int {
	return cmp.Or(
		cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)),
		cmp.Compare(strings.ToLower(a.Scope.Label()), strings.ToLower(b.Scope.Label())),
		cmp.Compare(a.Key(), b.Key()),
	)
}

// sortActive puts the first to end first, and those without an end last.
func sortActive(all []pim.ActiveRole) {
	slices.SortFunc(all, func(a, b pim.ActiveRole) int {
		x, y := a.Assignment.End, b.Assignment.End
		switch {
		case x.IsZero() != y.IsZero():
			if x.IsZero() {
				return 1
			}
			return -1
		case !x.Equal(y):
			return x.Compare(y)
		}
		return compareRoles(a.Assignment.Role, b.Assignment.Role)
	})
}
