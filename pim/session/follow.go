package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/store"
)

// unknownAfter is how long a write whose answer was lost is looked for.
const unknownAfter = 5 * time.Minute

// pauses are those between two looks at a request, on the computer's clock; the last one stays.
var (
	pausesWorking = []time.Duration{2 * time.Second, 3 * time.Second, 5 * time.Second, 8 * time.Second, 13 * time.Second, 21 * time.Second, 34 * time.Second, time.Minute}
	pausesWaiting = []time.Duration{30 * time.Second, 30 * time.Second, time.Minute, time.Minute, 2 * time.Minute}
	pausesVerify  = []time.Duration{2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute}
)

// pauseScheduled is how often a scheduled request is looked at, since it may be cancelled.
const pauseScheduled = 15 * time.Minute

func pollPause(o *operation, tries int) time.Duration {
	pauses := pausesWorking
	switch o.op.State {
	case pim.OperationWaiting:
		if prolongs(o.op.Action) {
			return pauseScheduled // An administrator takes days.
		}
		pauses = pausesWaiting
	case pim.OperationDone:
		pauses = pausesVerify
	}
	return pauses[min(tries, len(pauses)-1)]
}

// change moves an operation to another state and begins its pauses anew. s.mu is held.
func (s *Session) change(o *operation, state pim.OperationState) {
	if o.op.State != state {
		o.tries = 0
	}
	o.op.State = state
	o.op.Changed = s.clock.Now()
	s.record(o)
	s.publish()
}

func (s *Session) setState(o *operation, state pim.OperationState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change(o, state)
}

// record brings journal and history up to the operation. s.mu is held.
func (s *Session) record(o *operation) {
	s.unsaved.journal = true
	if o.quiet {
		return
	}
	if o.entry.ID == "" {
		i := slices.IndexFunc(s.history, func(e store.Entry) bool { return e.ID == o.op.ID })
		if i < 0 {
			o.entry = store.Entry{ID: o.op.ID, At: o.op.Started, Action: o.op.Action, Role: o.op.Role, Start: o.write.Start, End: o.write.End, Duration: o.write.Duration, Client: o.op.Client}
		} else {
			o.entry = s.history[i]
		}
	}
	o.entry.State, o.entry.Problem = o.op.State, o.op.Problem
	if r := o.op.Request; r != nil {
		o.entry.Request, o.entry.Status, o.entry.Review = r.ID, r.Status, r.Review
	} else if o.op.State == pim.OperationDone {
		o.entry.State, o.entry.Start, o.entry.Duration = store.StateAlreadyActive, time.Time{}, 0
		o.entry.Justification, o.entry.Ticket = "", pim.Ticket{}
	}
	s.history = store.PutEntry(s.history, o.entry)
	s.unsaved.history = true
}

// advance takes over the service's word on an operation. s.mu is held.
func (s *Session) advance(o *operation, r pim.Request) {
	now := s.clock.Now()
	before := o.op.State
	r = s.source(o.op.Role.Kind).recall(r)
	o.op.Request, o.quiet = &r, false
	switch r.Phase(now) {
	case pim.PhaseWaiting:
		o.waited = true
		s.change(o, pim.OperationWaiting)
		if before != pim.OperationWaiting {
			s.announce(o, pim.EventWaiting)
		}
	case pim.PhaseScheduled:
		s.change(o, pim.OperationScheduled)
		if before != pim.OperationScheduled {
			s.announce(o, pim.EventScheduled)
			if o.op.Action == pim.ActionActivate {
				s.remember(o)
			}
		}
	case pim.PhaseDone:
		s.finish(o, pim.OperationDone, nil)
	case pim.PhaseRefused:
		s.finish(o, pim.OperationFailed, s.refusal(o, r))
	default:
		s.change(o, pim.OperationFollowing)
	}
	o.next = s.nextPoll(o)
	s.nudge()
}

// nextPoll is when an operation is looked at next. s.mu is held.
func (s *Session) nextPoll(o *operation) time.Time {
	if o.op.State == pim.OperationScheduled {
		left := s.clock.Real(o.op.Request.Start.Sub(s.clock.Now()))
		return time.Now().Add(min(max(left, time.Second), pauseScheduled))
	}
	return time.Now().Add(pollPause(o, o.tries))
}

// refusal says why a request that will not be is so.
func (s *Session) refusal(o *operation, r pim.Request) *pim.Problem {
	var active pim.Assignment
	if row := s.source(o.op.Role.Kind).listed[o.key]; row != nil {
		active = row.assignment
	} else if record := records(s.ops, o.op.Role.Kind)[o.key]; record != nil && record.op.Action == pim.ActionActivate {
		active = record.assignment()
	}
	// The service may accept a deactivation that comes too early, and fail it.
	if from := active.DeactivatableAt(); o.op.Action == pim.ActionDeactivate && from.After(o.op.Started) {
		return pim.Explain(&pim.Error{Code: pim.CodeTooEarly, RetryAfter: max(from.Sub(s.clock.Now()), 0)})
	}
	return r.Problem()
}

// finish ends an operation. s.mu is held.
func (s *Session) finish(o *operation, state pim.OperationState, problem *pim.Problem) {
	now := s.clock.Now()
	o.op.Problem = problem
	if o.quiet {
		// The slice that a save is going through stays as it is.
		o.op.State = state
		s.ops = slices.DeleteFunc(slices.Clone(s.ops), func(other *operation) bool { return other == o })
		s.unsaved.journal = true
		s.publish()
		return
	}
	if state == pim.OperationFailed {
		s.change(o, state)
		// What its group came to has been told.
		if _, told := errors.AsType[*groupFirstError](o.err); o.group == nil || o.group.op.State == pim.OperationDone && !told {
			s.announce(o, failureEvent(o))
		}
		return
	}
	if o.op.Request != nil && !prolongs(o.op.Action) {
		o.settled = now
	}
	if o.op.Action == pim.ActionDeactivate {
		s.forgetPlan(o.key)
	}
	s.change(o, state)
	s.nextRefresh = minTime(s.nextRefresh, time.Now().Add(pollActive))
	switch {
	case o.op.Action == pim.ActionDeactivate:
		s.announce(o, pim.EventDeactivated)
	case prolongs(o.op.Action):
		s.announce(o, pim.EventProlonged)
		s.nextRefresh = time.Now()
	case o.op.Request == nil:
	default:
		s.watchGroup(o)
		s.renewLater()
		s.remember(o)
		if !ended(o.assignment().End, now) {
			s.announce(o, pim.EventActivated)
		}
	}
}

func failureEvent(o *operation) pim.EventKind {
	if r := o.op.Request; r != nil {
		switch strings.ToLower(string(r.Status)) {
		case "denied", "admindenied":
			return pim.EventDenied
		case "canceled":
			return pim.EventCancelled
		}
	}
	return pim.EventFailed
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// fail ends an operation with an error. s.mu is held.
func (s *Session) fail(o *operation, err error) {
	o.err = err
	s.finish(o, pim.OperationFailed, pim.Explain(err))
	if e, ok := errors.AsType[*pim.Error](err); ok && e.CorrelationID != "" {
		o.entry.CorrelationID = e.CorrelationID
		s.record(o)
	}
}

func (s *Session) failed(o *operation, err error) {
	s.mu.Lock()
	s.fail(o, err)
	s.mu.Unlock()
	_ = s.save()
}

// announce raises an event about an operation. s.mu is held.
func (s *Session) announce(o *operation, kind pim.EventKind) {
	e := pim.Event{
		Kind: kind, At: s.clock.Now(), AccountID: s.account.ID, Role: o.op.Role,
		Request: o.op.Request, Problem: o.op.Problem, Client: o.op.Client,
	}
	if kind == pim.EventActivated {
		e.End = o.assignment().End
	}
	s.events.put(e)
}

// remember puts a successful activation among the recent ones. s.mu is held.
func (s *Session) remember(o *operation) {
	s.recent = store.PutRecent(s.recent, store.Recent{
		Role: o.op.Role, Eligibility: o.entry.Eligibility, Duration: o.entry.Duration,
		Justification: o.entry.Justification, Ticket: o.entry.Ticket, Used: s.clock.Now(),
	})
	s.unsaved.recent = true
}

// saveJournal writes the journal. s.saving is held.
func (s *Session) saveJournal() error {
	s.mu.Lock()
	var open []store.Open
	for _, o := range s.ops {
		if o.journalled() {
			open = append(open, o.open())
		}
	}
	s.mu.Unlock()
	return s.files.Journal.Save(open)
}

// duePoll starts the look at an operation that is due, or says when it will be.
// s.mu is held.
func (s *Session) duePoll(o *operation, now time.Time) (time.Time, bool) {
	var look func(context.Context, *operation)
	switch o.op.State {
	case pim.OperationResolving:
		look = s.find
	case pim.OperationFollowing, pim.OperationWaiting, pim.OperationScheduled:
		look = s.follow
	case pim.OperationDone:
		if o.confirmed || o.settled.IsZero() {
			return time.Time{}, false
		}
		look = func(ctx context.Context, o *operation) { s.verifyRole(ctx, o.op.Role) }
	default:
		return time.Time{}, false
	}
	if o.op.State != pim.OperationResolving && o.op.State != pim.OperationDone && o.op.Request == nil {
		return time.Time{}, false // It waits for its group.
	}
	h := s.source(o.op.Role.Kind).host
	if o.busy || h.signIn != nil {
		return time.Time{}, false
	}
	if h.notBefore.After(o.next) {
		o.next = h.notBefore
	}
	if o.next.After(now) {
		return o.next, true
	}
	o.busy = s.spawn(func(ctx context.Context) {
		look(ctx, o)
		s.mu.Lock()
		o.busy = false
		o.tries++
		o.next = s.nextPoll(o)
		if o.again {
			o.again, o.next = false, time.Now()
		}
		s.mu.Unlock()
		_ = s.save()
		s.nudge()
	})
	return time.Time{}, false
}

// follow reads an operation's request again.
func (s *Session) follow(ctx context.Context, o *operation) {
	s.mu.Lock()
	src, last := s.source(o.op.Role.Kind), *o.op.Request
	s.mu.Unlock()
	r, err := src.provider.Follow(ctx, last)
	s.answered(ctx, src.host, err)
	if err == nil {
		s.readReview(ctx, src, r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case o.op.State.Over():
	case pim.CodeOf(err) == pim.CodeNotFound && s.clock.Now().Sub(o.write.At) >= unknownAfter:
		s.fail(o, err)
	case err != nil:
		s.log.Debug("could not follow a request", "error", err)
	default:
		s.advance(o, r)
	}
}

// find looks for the request of a write whose answer was lost.
func (s *Session) find(ctx context.Context, o *operation) {
	s.mu.Lock()
	src, w := s.source(o.op.Role.Kind), o.write
	s.mu.Unlock()
	asked := s.clock.Now()
	r, found, err := src.provider.Find(ctx, w)
	s.answered(ctx, src.host, err)
	if err == nil && found {
		s.readReview(ctx, src, r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		s.log.Debug("could not look for a request", "error", err)
	case found:
		s.advance(o, r)
	case asked.Sub(w.At) >= unknownAfter:
		s.fail(o, &pim.Error{Code: pim.CodeUnknownOutcome})
	}
}

// verify reads the active roles again soon where that role is. s.mu is held.
func (s *Session) verify(role pim.Role) {
	s.spawn(func(ctx context.Context) { s.verifyRole(ctx, role) })
}

func (s *Session) verifyNow(role pim.Role) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verify(role)
}

// verifyRole reads active roles at the scopes of the eligibilities that a role may come from.
func (s *Session) verifyRole(ctx context.Context, role pim.Role) {
	s.mu.Lock()
	src := s.source(role.Kind)
	var at []pim.Eligibility
	for _, e := range src.eligible {
		if e.Role.At(role.Scope).Key() == role.Key() && role.Scope.Within(e.Role.Scope) {
			at = append(at, e)
		}
	}
	barred := s.barred(src.host, false)
	s.mu.Unlock()
	if len(at) == 0 || barred != nil {
		return
	}
	if err := s.readActive(ctx, src, at, false); err != nil {
		s.log.Debug("could not read active roles", "error", err)
	}
}

// settling is how long the service may still deny a role, or refuse to end it, that by the own
// record became active less than five minutes ago.
func (s *Session) settling(o *operation) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	record := records(s.ops, o.op.Role.Kind)[o.key]
	if o.op.Action != pim.ActionDeactivate || record == nil || record.op.Action != pim.ActionActivate {
		return 0
	}
	return max(record.settled.Add(pim.MinimumActive).Sub(s.clock.Now()), 0)
}

// forget drops the own record of a role that the service does not call active,
// once it had the time to know.
func (s *Session) forget(key pim.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	for _, o := range s.ops {
		if o.key == key && o.op.State == pim.OperationDone && !now.Before(o.settled.Add(maxLag)) {
			o.settled = time.Time{}
			s.unsaved.journal, s.dirty = true, true
		}
	}
}

// Cancel cancels a request of the person that is waiting or scheduled, and returns when
// the service has done so. The errors are *pim.Error: CodeNotFound for a request
// that the snapshot does not have, CodeRejected for one that cannot be cancelled any more.
func (s *Session) Cancel(ctx context.Context, request, client string) error {
	ctx, leave, ok := s.enter(ctx)
	if !ok {
		return ErrNotRunning
	}
	defer leave()
	return s.cancel(ctx, request, client)
}

func (s *Session) cancel(ctx context.Context, request, client string) error {
	r, src, err := s.cancellable(request)
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	run := s.run
	s.mu.Unlock()
	if run == nil {
		return ErrNotRunning
	}
	// What has begun goes on when the caller goes away.
	ctx, done := until(context.WithoutCancel(ctx), run)
	defer done()
	call := &pim.Call{ID: uuid.NewString()}
	entry := store.Entry{
		ID: call.ID, At: s.clock.Now(), Action: store.ActionCancel, Role: r.Role,
		Client: client, Request: r.ID, State: pim.OperationDone,
	}
	err = src.provider.Cancel(pim.WithCall(ctx, call), r)
	entry.CorrelationID = call.CorrelationID()
	s.noteWrite(src.host, err)
	// Its own status tells whether it was cancelled, whatever the answer was.
	after, errFollow := src.provider.Follow(ctx, r)
	if errFollow == nil && after.Phase(s.clock.Now()) == pim.PhaseRefused {
		err = nil
	} else if errFollow == nil && err == nil {
		after, errFollow = r, errors.New("not cancelled yet")
	}
	if err != nil {
		entry.State, entry.Problem = pim.OperationFailed, pim.Explain(err)
	}
	s.mu.Lock()
	s.history = store.PutEntry(s.history, entry)
	s.unsaved.history = true
	if errFollow == nil {
		src.requests = overlay(slices.Clone(src.requests), after)
		for _, o := range s.ops {
			if o.op.Request != nil && strings.EqualFold(o.op.Request.ID, after.ID) && !o.op.State.Over() {
				s.advance(o, after)
			}
		}
	}
	s.publish()
	s.mu.Unlock()
	_ = s.save()
	s.nudge()
	return err
}

func (s *Session) cancellable(id string) (pim.Request, *source, error) {
	for _, r := range s.Snapshot().Requests {
		if !strings.EqualFold(r.ID, id) {
			continue
		}
		if !r.Cancellable(s.clock.Now()) {
			return r, nil, &pim.Error{Code: pim.CodeRejected, Message: "the request is no longer waiting, so it cannot be cancelled"}
		}
		return r, s.source(r.Role.Kind), nil
	}
	return pim.Request{}, nil, &pim.Error{Code: pim.CodeNotFound}
}
