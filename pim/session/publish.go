package session

import (
	"slices"
	"strings"
	"time"

	"roletray/pim"
)

// paintPause is the least time between two snapshots that show parts of one read.
const paintPause = 100 * time.Millisecond

// publish makes the state of this moment the newest snapshot. s.mu is held.
func (s *Session) publish() {
	now := s.clock.Now()
	next := &pim.Snapshot{
		Account: s.account, At: now, FromDisk: s.fromDisk, Refreshing: s.refresh != nil,
		Policies: s.policies, Links: s.links, Checking: s.checking,
		Ended: s.ended.Eligible, EndedAssigned: s.ended.Assigned,
	}
	for _, src := range s.sources {
		next.Active = append(next.Active, src.truth(s.ops, now)...)
		next.Requests = append(next.Requests, src.requests...)
		next.Parts = append(next.Parts, src.eligiblePart, src.activePart, src.requestsPart)
		if src.decider != nil {
			next.Approvals = append(next.Approvals, src.approvals...)
			next.Parts = append(next.Parts, src.approvalsPart)
		}
		if e := src.host.signIn; e != nil && next.SignIn == nil {
			next.SignIn = pim.Explain(e)
		}
	}
	next.Active = append(next.Active, s.brought(next.Active)...)
	sortActive(next.Active)
	next.Eligible = s.unknownGroups(s.eligible)
	if s.behind = s.behindGroups(next.Active); len(s.behind) > 0 {
		next.Eligible = append(slices.Clone(next.Eligible), s.behind...)
		sortEligible(next.Eligible)
	}
	for _, o := range s.ops {
		if !o.quiet && (!o.op.State.Over() || now.Sub(o.op.Changed) < keepOver) {
			op := o.op
			op.Steps = o.steps()
			next.Operations = append(next.Operations, op)
		}
		if o.op.Request != nil {
			next.Requests = overlay(next.Requests, *o.op.Request)
		}
	}
	slices.SortStableFunc(next.Requests, func(a, b pim.Request) int { return b.Created.Compare(a.Created) })
	slices.SortStableFunc(next.Approvals, func(a, b pim.Approval) int { return a.Request.Created.Compare(b.Request.Created) })
	next.Plans = append(slices.Clone(s.plans), queued(next.Active, next.Requests, now)...)
	slices.SortStableFunc(next.Plans, func(a, b pim.Plan) int { return a.At.Compare(b.At) })
	s.announceEnds(next, now)
	s.snapshot.Store(next)
	s.dirty, s.published = false, time.Now()
	for ch := range s.watchers {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// keepOver is how long an operation that is over stays in the snapshot.
const keepOver = 10 * time.Minute

// overlay puts an own request, followed by its id, over the listing's idea of it.
func overlay(all []pim.Request, r pim.Request) []pim.Request {
	for i := range all {
		if all[i].Role.Kind == r.Role.Kind && strings.EqualFold(all[i].ID, r.ID) {
			all[i] = r
			return all
		}
	}
	return append(all, r)
}

// announceEnds raises an event for every role that has come to its end since the
// last snapshot.
func (s *Session) announceEnds(next *pim.Snapshot, now time.Time) {
	last := s.snapshot.Load()
	if last == nil || s.run == nil {
		return
	}
	still := map[pim.Key]bool{}
	for _, a := range next.Active {
		still[a.Assignment.Role.Key()] = true
	}
	for _, a := range last.Active {
		if !ended(a.Assignment.End, now) || still[a.Assignment.Role.Key()] {
			continue
		}
		// One that goes on is no news.
		if p, planned := planOf(last.Plans, a.Assignment.Role.Key()); !planned || p.State == pim.PlanAsks {
			s.events.put(pim.Event{
				Kind: pim.EventEnded, At: now, AccountID: s.account.ID,
				Role: a.Assignment.Role, End: a.Assignment.End,
			})
		}
		s.verify(a.Assignment.Role)
		if isMembership(a.Assignment.Role) {
			s.nextRefresh = time.Now() // What it brought has ended too.
		}
	}
}

// nextChange is the first moment at which the snapshot changes by time alone, on
// the tenant's clock; zero for never. s.mu is held.
func (s *Session) nextChange() time.Time {
	var first time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	snap := s.snapshot.Load()
	for _, a := range snap.Active {
		sooner(a.Assignment.End)
	}
	for _, o := range s.ops {
		if !o.settled.IsZero() {
			if t := o.settled.Add(maxLag); t.After(snap.At) {
				sooner(t)
			}
		}
	}
	return first
}

// collectEligible joins the eligibilities of all kinds. s.mu is held.
func (s *Session) collectEligible() {
	var all []pim.Eligibility
	for _, src := range s.sources {
		all = append(all, src.eligible...)
	}
	sortEligible(all)
	s.eligible = all
	s.eligibleKeys = make(map[pim.Key]bool, len(all))
	for _, e := range all {
		s.eligibleKeys[e.Role.Key()] = true
	}
}

// prune forgets operations that are over and not needed as records. s.mu is held.
func (s *Session) prune(now time.Time) {
	newest := map[*operation]bool{}
	for _, src := range s.sources {
		for _, o := range records(s.ops, src.kind) {
			newest[o] = true
		}
	}
	before := len(s.ops)
	s.ops = slices.DeleteFunc(s.ops, func(o *operation) bool {
		if !o.op.State.Over() || now.Sub(o.op.Changed) < keepOver || o.busy {
			return false
		}
		if o.op.State == pim.OperationFailed || o.settled.IsZero() || !newest[o] || o.confirmed {
			return true
		}
		if o.op.Action == pim.ActionActivate {
			return ended(o.assignment().End, now)
		}
		listed := s.source(o.op.Role.Kind).listed[o.key]
		return listed == nil || ended(listed.assignment.End, now)
	})
	if len(s.ops) != before {
		s.unsaved.journal, s.dirty = true, true
	}
}

// unsaved says which files are behind the state.
type unsaved struct{ journal, history, recent, policies, plans, ended, links bool }

// save writes the files that are behind, and returns when the journal is on disk or
// could not be written. What could not is tried again with the next change.
func (s *Session) save() error {
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	todo := s.unsaved
	s.unsaved = unsaved{}
	history, recent, policies := s.history, s.recent, s.policies
	plans, ended, links := s.plans, s.ended, s.links
	s.mu.Unlock()
	keep := func(name string, flag *bool, err error) {
		if err == nil {
			return
		}
		s.log.Warn("could not save", "what", name, "error", err)
		s.mu.Lock()
		*flag = true
		s.mu.Unlock()
	}
	var err error
	if todo.journal {
		err = s.saveJournal()
		keep("journal", &s.unsaved.journal, err)
	}
	if todo.history {
		keep("history", &s.unsaved.history, s.files.History.Save(history))
	}
	if todo.recent {
		keep("recent", &s.unsaved.recent, s.files.Recent.Save(recent))
	}
	if todo.policies {
		keep("policies", &s.unsaved.policies, s.files.Policies.Save(policies))
	}
	if todo.plans {
		keep("plans", &s.unsaved.plans, s.files.Plans.Save(plans))
	}
	if todo.ended {
		keep("ended", &s.unsaved.ended, s.files.Ended.Save(ended))
	}
	if todo.links {
		keep("links", &s.unsaved.links, s.files.Links.Save(links))
	}
	return err
}

// saveSnapshot keeps what the listings have shown for the next start. Own records
// are in the journal.
func (s *Session) saveSnapshot() {
	s.saving.Lock()
	defer s.saving.Unlock()
	snap := *s.Snapshot()
	if snap.FromDisk {
		return
	}
	snap.Operations, snap.Policies, snap.SignIn, snap.Refreshing = nil, nil, nil, false
	snap.Plans, snap.Ended, snap.EndedAssigned, snap.Links, snap.Checking = nil, nil, nil, nil, nil // They have their own files.
	if err := s.files.Snapshot.Save(&snap); err != nil {
		s.log.Warn("could not save", "what", "snapshot", "error", err)
	}
}
