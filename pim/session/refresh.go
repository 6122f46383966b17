package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"roletray/pim"
)

// How often the listings are read, on the computer's clock.
const (
	pollActive = 5 * time.Minute
	pollIdle   = 15 * time.Minute
	// pollLearning is so while a group's roles may appear.
	pollLearning = 30 * time.Second
	// pollWide is the least time between two reads of everything, which are slow.
	pollWide = 10 * time.Minute
	// pollFailed is the first pause after a read that failed; it doubles up to pollActive.
	pollFailed = 30 * time.Second
	// unaskedPause is how long a service is left alone that wants fewer calls and does not say for how long.
	unaskedPause = 30 * time.Second
)

// flight is a read that several callers wait for.
type flight struct {
	done chan struct{}
	// user says that a person asked for it, so that it also tries what needs a sign-in.
	user   bool
	err    error
	policy pim.Policy
}

func newFlight(user bool) *flight { return &flight{done: make(chan struct{}), user: user} }

func (f *flight) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Refresh reads all listings and waits until that is done; the reason is for the
// log. Callers at the same time share one read. It also tries again what paused for a
// sign-in, without a browser. The error joins those of the parts that could not be read;
// the snapshot has them too.
func (s *Session) Refresh(ctx context.Context, reason string) error {
	for {
		s.mu.Lock()
		if s.run == nil {
			s.mu.Unlock()
			return ErrNotRunning
		}
		f := s.refresh
		own := f == nil
		if own {
			s.log.Debug("refresh", "reason", reason)
			f = s.startRefresh(true)
		}
		s.mu.Unlock()
		// A background read that failed may have begun before the person signed in.
		if err := f.wait(ctx); err == nil || own || f.user || ctx.Err() != nil {
			return err
		}
	}
}

// paused says whether some service waits for a sign-in, and whether all do. s.mu is held.
func (s *Session) paused() (some, all bool) {
	all = len(s.hosts) > 0
	for _, h := range s.hosts {
		some = some || h.signIn != nil
		all = all && h.signIn != nil
	}
	return some, all
}

// startRefresh begins the one read of all listings. s.mu is held, and the session runs.
func (s *Session) startRefresh(user bool) *flight {
	f := newFlight(user)
	s.refresh = f
	s.dirty = true
	s.spawn(func(ctx context.Context) {
		err := s.readAll(ctx, user)
		s.mu.Lock()
		s.refresh = nil
		s.schedule(err)
		if ctx.Err() == nil {
			s.startWide()
			s.readGroups()
		}
		s.publish()
		s.mu.Unlock()
		s.saveSnapshot()
		f.err = err
		close(f.done)
		s.nudge()
	})
	s.nudge()
	return f
}

// schedule sets the time of the next read after one that ended with err. s.mu is held.
func (s *Session) schedule(err error) {
	pause := pollIdle
	if passing(err) {
		pause = min(pollFailed<<min(s.failures, 10), pollActive)
		s.failures++
	} else {
		s.failures = 0
		for _, src := range s.sources {
			if len(src.truth(s.ops, s.clock.Now())) > 0 {
				pause = pollActive
			}
		}
	}
	if len(s.watched) > 0 {
		pause = min(pause, pollLearning)
	}
	s.nextRefresh = time.Now().Add(pause)
	// There is nothing to read before the first service can be called again.
	var first *host
	for _, h := range s.hosts {
		if first == nil || h.notBefore.Before(first.notBefore) {
			first = h
		}
	}
	if first != nil && first.notBefore.After(s.nextRefresh) {
		s.nextRefresh = first.notBefore
	}
}

// passing says that err, or one that it joins, may be gone with the next try: a
// permission that is missing is not.
func passing(err error) bool {
	switch e := err.(type) {
	case nil:
		return false
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(e.Unwrap(), passing)
	case *pim.Error:
		return e.Code != pim.CodeConsent && e.Code != pim.CodeForbidden && e.Code != pim.CodeLicence
	}
	if inner := errors.Unwrap(err); inner != nil {
		return passing(inner)
	}
	return true
}

func (s *Session) readAll(ctx context.Context, user bool) error {
	errs := make([]error, len(s.sources))
	var wg sync.WaitGroup
	for i, src := range s.sources {
		wg.Go(func() { errs[i] = s.readSource(ctx, src, user) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// readSource reads everything of one kind. What was eligible before says where to look for
// active roles at once; the scopes that are new follow.
func (s *Session) readSource(ctx context.Context, src *source, user bool) error {
	s.mu.Lock()
	known := src.eligible
	err := s.barred(src.host, user)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	var errEligible, errActive, errRequests, errApprovals error
	var rest, first sync.WaitGroup
	rest.Go(func() { errRequests = s.readRequests(ctx, src) })
	rest.Go(func() { errApprovals = s.readApprovals(ctx, src) })
	whole := false
	first.Go(func() { whole, errActive = s.readActiveParts(ctx, src, known, false) })
	first.Go(func() { errEligible = s.readEligible(ctx, src) })
	first.Wait()

	s.mu.Lock()
	added := missingFrom(known, src.eligible)
	s.mu.Unlock()
	if errEligible == nil && len(added) > 0 && !whole && (errActive == nil || len(known) > 0) {
		errActive = errors.Join(errActive, s.readActive(ctx, src, added, false))
	}
	rest.Wait()
	s.mu.Lock()
	if errActive == nil && (errEligible == nil || len(known) > 0) {
		src.read(&src.activePart, s.clock.Now())
	} else if errActive == nil {
		src.activePart.Problem = pim.Explain(errEligible)
	} else {
		src.activePart.Problem = pim.Explain(errActive)
	}
	s.mu.Unlock()
	return errors.Join(errEligible, errActive, errRequests, errApprovals)
}

// barred says why the service must not be called now, or returns nil. s.mu is held.
func (s *Session) barred(h *host, user bool) error {
	if h.signIn != nil && !user {
		return h.signIn
	}
	if left := time.Until(h.notBefore); left > 0 {
		return &pim.Error{Code: pim.CodeThrottled, RetryAfter: left}
	}
	return nil
}

func missingFrom(known, all []pim.Eligibility) []pim.Eligibility {
	have := make(map[string]bool, len(known))
	for _, e := range known {
		have[string(e.Role.Key())] = true
	}
	var out []pim.Eligibility
	for _, e := range all {
		if !have[string(e.Role.Key())] {
			out = append(out, e)
		}
	}
	return out
}

func (s *Session) readEligible(ctx context.Context, src *source) error {
	all, err := s.listEligible(ctx, src)
	s.answered(ctx, src.host, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirty = true
	if err != nil {
		src.eligiblePart.Problem = pim.Explain(err)
		return fmt.Errorf("list eligible roles: %w", err)
	}
	sortEligible(all)
	s.noteEnded(missingFrom(all, src.eligible), s.clock.Now())
	src.eligible = all
	src.read(&src.eligiblePart, s.clock.Now())
	s.fromDisk = false
	s.collectEligible()
	s.learn()
	s.nudge()
	return nil
}

// listEligible lists what may be activated. Where nothing is known yet, a long
// list is shown as its pages come.
func (s *Session) listEligible(ctx context.Context, src *source) ([]pim.Eligibility, error) {
	pager, ok := src.provider.(pim.Pager)
	s.mu.Lock()
	ok = ok && len(src.eligible) == 0
	s.mu.Unlock()
	if !ok {
		return src.provider.Eligible(ctx)
	}
	var last []pim.Eligibility
	for all, err := range pager.EligiblePages(ctx) {
		if err != nil {
			return nil, err
		}
		last = all
		s.mu.Lock()
		src.eligible = slices.Clone(all)
		sortEligible(src.eligible)
		s.collectEligible()
		s.fromDisk, s.dirty = false, true
		s.mu.Unlock()
		s.nudge()
	}
	return last, nil
}

func (s *Session) readRequests(ctx context.Context, src *source) error {
	all, err := src.provider.Requests(ctx)
	s.answered(ctx, src.host, err)
	s.mu.Lock()
	s.dirty = true
	if err != nil {
		src.requestsPart.Problem = pim.Explain(err)
		s.mu.Unlock()
		return fmt.Errorf("list requests: %w", err)
	}
	src.requests = src.recallAll(all)
	src.read(&src.requestsPart, s.clock.Now())
	s.fromDisk = false
	s.lookAtChanged(src)
	s.mu.Unlock()
	s.readReviews(ctx, src)
	return nil
}

// lookAtChanged has the requests read again at once whose listed status is another than
// the one known from following them, as when somebody has decided meanwhile: the next look
// may be minutes away. s.mu is held.
func (s *Session) lookAtChanged(src *source) {
	for _, o := range s.ops {
		if r := o.op.Request; r != nil && o.op.Role.Kind == src.kind && !o.op.State.Over() &&
			slices.ContainsFunc(src.requests, func(l pim.Request) bool {
				return strings.EqualFold(l.ID, r.ID) && l.Status != r.Status
			}) {
			o.next, o.again = time.Now(), o.busy
			s.nudge()
		}
	}
}

// readActive reads active roles and shows each part as it comes. The error joins
// those of the parts that failed.
func (s *Session) readActive(ctx context.Context, src *source, eligible []pim.Eligibility, wide bool) error {
	_, err := s.readActiveParts(ctx, src, eligible, wide)
	return err
}

// readActiveParts is readActive, and says whether one part covered everything: such a kind
// needs no eligibility to look at.
func (s *Session) readActiveParts(ctx context.Context, src *source, eligible []pim.Eligibility, wide bool) (whole bool, err error) {
	started := s.clock.Now()
	var errs []error
	for part, err := range src.provider.Active(ctx, eligible, wide) {
		s.answered(ctx, src.host, err)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		whole = whole || part.Scope.ID == ""
		s.mu.Lock()
		s.noteEndedAssigned(src, s.clock.Now())
		if src.apply(part, s.ops, started, s.clock.Now()) {
			s.unsaved.journal = true
		}
		s.learn()
		s.dirty, s.fromDisk = true, false
		s.mu.Unlock()
		s.nudge()
	}
	if err := errors.Join(errs...); err != nil {
		return whole, fmt.Errorf("list active roles: %w", err)
	}
	return whole, nil
}

// startWide begins the slow read of everything where one is due. s.mu is held.
func (s *Session) startWide() {
	for _, src := range s.sources {
		if src.wide || s.barred(src.host, false) != nil || !src.lastWide.IsZero() && time.Since(src.lastWide) < pollWide {
			continue
		}
		src.wide, src.lastWide = true, time.Now()
		s.spawn(func(ctx context.Context) {
			// What it cannot read is no part of the snapshot: the scoped reads are.
			if err := s.readActive(ctx, src, nil, true); err != nil && ctx.Err() == nil {
				s.log.Info("could not look for active roles everywhere", "kind", src.kind, "error", err)
			}
			s.mu.Lock()
			src.wide = false
			s.mu.Unlock()
		})
	}
}

// answered notes what the outcome of a read says about its service.
func (s *Session) answered(ctx context.Context, h *host, err error) {
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e, _ := errors.AsType[*pim.Error](err); {
	case err == nil:
		s.signedIn(h)
	case e == nil:
	case e.Code == pim.CodeSignInNeeded, e.Code == pim.CodeStepUp:
		s.signInNeeded(h, e)
	case e.Code == pim.CodeThrottled:
		pause := e.RetryAfter
		if pause <= 0 {
			pause = unaskedPause
		}
		if until := time.Now().Add(pause); until.After(h.notBefore) {
			h.notBefore = until
		}
	}
}

// signedIn notes that the service takes the token. s.mu is held.
func (s *Session) signedIn(h *host) {
	if h.signIn != nil {
		h.signIn = nil
		s.dirty, s.nextRefresh = true, time.Now()
		s.nudge()
	}
}

// signInNeeded pauses all reads of the service until the person acts. s.mu is held.
func (s *Session) signInNeeded(h *host, e *pim.Error) {
	paused, _ := s.paused()
	h.signIn = &pim.Error{Code: pim.CodeSignInNeeded, Service: e.Service, CorrelationID: e.CorrelationID, Claims: e.Claims, Err: e.Err}
	s.dirty = true
	if !paused {
		s.events.put(pim.Event{
			Kind: pim.EventSignInNeeded, At: s.clock.Now(), AccountID: s.account.ID, Problem: pim.Explain(h.signIn),
		})
	}
}

// SignIn has the person meet what paused reads wait for, in the browser, and then reads.
// Where nothing waits it only reads.
func (s *Session) SignIn(ctx context.Context) error {
	ctx, leave, ok := s.enter(ctx)
	if !ok {
		return ErrNotRunning
	}
	defer leave()
	for _, h := range s.hosts {
		if _, err := s.signInHost(ctx, h); err != nil {
			return fmt.Errorf("sign in: %w", err)
		}
	}
	return s.Refresh(ctx, "signed in")
}

// signInHost has the person sign in where a service waits for that.
func (s *Session) signInHost(ctx context.Context, h *host) (context.Context, error) {
	s.mu.Lock()
	need := h.signIn
	s.mu.Unlock()
	if need == nil {
		return ctx, nil
	}
	return s.stepUp(ctx, h.audience, need.Claims, true)
}

// stepUp has the person meet the claims, after which the paused reads go on. With nobody there
// it is CodeStepUp where what the person did before does not suffice.
func (s *Session) stepUp(ctx context.Context, a pim.Audience, claims pim.Claims, interactive bool) (context.Context, error) {
	if s.stepper == nil {
		return nil, &pim.Error{Code: pim.CodeSignInNeeded, Claims: claims}
	}
	if !interactive {
		stepped, err := s.stepper.StepUpSilently(ctx, a, claims)
		if pim.CodeOf(err) == pim.CodeSignInNeeded {
			err = &pim.Error{Code: pim.CodeStepUp, Claims: claims, Err: err}
		}
		return stepped, err
	}
	stepped, err := s.stepper.StepUp(ctx, a, claims)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hosts[a]; h != nil {
		s.signedIn(h)
	}
	return stepped, nil
}
