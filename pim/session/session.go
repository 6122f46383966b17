package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"roletray/pim"
	"roletray/pim/store"
)

// Stepper has the person meet a claims request.
type Stepper interface {
	// StepUp asks for a token for the service that meets the claims, in the
	// browser where it must, and returns a context whose requests carry that token.
	// Empty claims mean an ordinary sign-in. It ends with a *pim.Error of CodeCancelled when the
	// person calls it off.
	StepUp(ctx context.Context, a pim.Audience, claims pim.Claims) (context.Context, error)
	// StepUpSilently does so by what the person did before, without asking: never with a
	// browser. It ends with a *pim.Error of CodeSignInNeeded where that does not suffice.
	StepUpSilently(ctx context.Context, a pim.Audience, claims pim.Claims) (context.Context, error)
}

// Renewer gets new tokens, so that what became active counts.
type Renewer interface {
	// Renew replaces the cached token for the service, without the person.
	Renew(ctx context.Context, a pim.Audience) error
}

// Params are what a session works with.
type Params struct {
	Account pim.Account
	// Providers are the kinds of role, each once.
	Providers []pim.Provider
	// Stepper may be nil; then nothing is interactive.
	Stepper Stepper
	// Renewer may be nil; then a role may count only when the token has expired.
	Renewer Renewer
	Files   *store.AccountFiles
	// Clock is nil for the computer's.
	Clock Clock
	// Log is nil for none. No justification and no secret is logged.
	Log *slog.Logger
}

// ErrNotRunning is the error of every method that needs Run, outside of it.
var ErrNotRunning = errors.New("the account's session is not running")

// Session is one account. It is safe for concurrent use. New makes one; nothing
// is read or sent before Run.
type Session struct {
	account pim.Account
	sources []*source
	stepper Stepper
	renewer Renewer
	files   *store.AccountFiles
	clock   Clock
	log     *slog.Logger
	notices []error

	snapshot atomic.Pointer[pim.Snapshot]
	wake     chan struct{}
	events   *queue

	// saving keeps saves in order. It is taken before mu.
	saving sync.Mutex

	mu       sync.Mutex
	ran      bool
	run      context.Context // nil unless running
	work     sync.WaitGroup
	watchers map[chan struct{}]struct{}
	hosts    map[pim.Audience]*host
	eligible []pim.Eligibility
	ops      []*operation
	// checking has the roles that are being checked. It is replaced, never changed.
	checking []pim.Key
	policies map[pim.Key]pim.Policy // replaced, never changed
	recent   []store.Recent         // replaced, never changed
	// favorites, plans, ended and links are replaced, never changed.
	favorites []store.Favorite
	plans     []pim.Plan
	ended     store.Ended
	links     []pim.GroupLink
	// eligibleKeys are those of eligible, and behind the roles that groups would bring
	// as the newest snapshot shows them.
	eligibleKeys map[pim.Key]bool
	behind       []pim.Eligibility
	// watched are the groups that were activated a moment ago, groupsRead when it was
	// last asked what a group brings, by its id.
	watched    []groupWatch
	groupsRead map[string]time.Time
	// renewing says that new tokens are about to be got.
	renewing bool
	history  []store.Entry // replaced, never changed
	reading  map[pim.Key]*flight
	refresh  *flight
	fromDisk bool
	dirty    bool
	unsaved  unsaved
	failures int

	nextRefresh time.Time // on the computer's clock
	published   time.Time // on the computer's clock
	watch       sleepWatch
}

// New makes a session and shows what the account's files have kept. Files that
// are damaged or of a newer version are no error; see Notices.
func New(p Params) (*Session, error) {
	s := &Session{
		account:    p.Account,
		stepper:    p.Stepper,
		renewer:    p.Renewer,
		files:      p.Files,
		clock:      p.Clock,
		log:        p.Log,
		wake:       make(chan struct{}, 1),
		events:     newQueue(),
		watchers:   map[chan struct{}]struct{}{},
		hosts:      map[pim.Audience]*host{},
		reading:    map[pim.Key]*flight{},
		groupsRead: map[string]time.Time{},
		watch:      sleepWatch{wall: time.Now},
	}
	if s.clock == nil {
		s.clock = computerClock{}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.files == nil {
		return nil, errors.New("a session needs its files")
	}
	for _, provider := range p.Providers {
		if s.source(provider.Kind()) != nil {
			return nil, fmt.Errorf("two providers of kind %q", provider.Kind())
		}
		a := provider.Kind().Audience()
		if s.hosts[a] == nil {
			s.hosts[a] = &host{audience: a}
		}
		s.sources = append(s.sources, newSource(provider, s.hosts[a]))
	}
	if err := s.restore(); err != nil {
		return nil, err
	}
	return s, nil
}

// restore takes over what the files hold.
func (s *Session) restore() error {
	last, err := s.files.Snapshot.Load()
	s.notice(&err)
	history, errHistory := s.files.History.Load()
	s.notice(&errHistory)
	recent, errRecent := s.files.Recent.Load()
	s.notice(&errRecent)
	journal, errJournal := s.files.Journal.Load()
	s.notice(&errJournal)
	policies, errPolicies := s.files.Policies.Load()
	s.notice(&errPolicies)
	favorites, errFavorites := s.files.Favorites.Load()
	s.notice(&errFavorites)
	plans, errPlans := s.files.Plans.Load()
	s.notice(&errPlans)
	ended, errEnded := s.files.Ended.Load()
	s.notice(&errEnded)
	links, errLinks := s.files.Links.Load()
	s.notice(&errLinks)
	if err := errors.Join(err, errHistory, errRecent, errJournal, errPolicies, errFavorites, errPlans, errEnded, errLinks); err != nil {
		return fmt.Errorf("read the account's files: %w", err)
	}
	now := s.clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history, s.recent = history, recent
	s.favorites, s.ended, s.links = favorites, ended, links
	for _, p := range plans {
		// What was being sent when the program ended is in the journal, or was not sent.
		if p.State == pim.PlanSending {
			p.State = pim.PlanWaiting
		}
		if s.source(p.Role.Kind) != nil {
			s.plans = append(s.plans, p)
		}
	}
	s.policies = maps.Clone(policies)
	maps.DeleteFunc(s.policies, func(_ pim.Key, p pim.Policy) bool { return !fresh(p, now) && !learnt(p, now) })
	if last != nil {
		s.fromDisk = true
		for _, src := range s.sources {
			src.restore(last)
		}
	}
	s.collectEligible()
	for _, open := range journal {
		if s.source(open.Write.Role.Kind) != nil {
			o := restoreOperation(open)
			if r := o.op.Request; r != nil {
				*r = s.source(o.op.Role.Kind).recall(*r)
			}
			s.ops = append(s.ops, o)
		}
	}
	s.closeEntries()
	s.publish()
	return nil
}

// closeEntries ends the entries of the history whose actions ended with an earlier run of the
// program: an intent that is not in the journal was never sent, and is not sent now. s.mu is held.
func (s *Session) closeEntries() {
	for i, e := range s.history {
		if e.Request != "" || slices.ContainsFunc(s.ops, func(o *operation) bool { return o.op.ID == e.ID }) {
			continue
		}
		switch e.State {
		case pim.OperationPreparing, pim.OperationWaiting:
			e.Problem = pim.Explain(&leftError{&pim.Error{Code: pim.CodeCancelled}})
		case pim.OperationSending, pim.OperationResolving:
			e.Problem = pim.Explain(&pim.Error{Code: pim.CodeUnknownOutcome})
		default:
			continue
		}
		if !s.unsaved.history {
			s.history, s.unsaved.history = slices.Clone(s.history), true
		}
		e.State = pim.OperationFailed
		s.history[i] = e
	}
}

// leftError is CodeCancelled for what was not sent when Roletray ended.
type leftError struct{ error }

func (e *leftError) Unwrap() error { return e.error }

// Sentence says for the person what happened.
func (*leftError) Sentence() string {
	return "Roletray ended before this was sent. Nothing was sent."
}

// notice keeps an error that the session can live with, and clears it.
func (s *Session) notice(err *error) {
	_, damaged := errors.AsType[*store.DamagedError](*err)
	_, newer := errors.AsType[*store.NewerError](*err)
	if damaged || newer {
		s.log.Warn("a file of the account could not be used", "error", *err)
		s.notices = append(s.notices, *err)
		*err = nil
	}
}

// Notices are the files that New could not use: *store.DamagedError and
// *store.NewerError.
func (s *Session) Notices() []error { return s.notices }

// Account is the account.
func (s *Session) Account() pim.Account { return s.account }

// Snapshot is the newest state. It is never nil and must not be changed.
func (s *Session) Snapshot() *pim.Snapshot { return s.snapshot.Load() }

// Subscribe returns a channel that has a value whenever there is a snapshot that
// was not there at the last receive, and a function that ends it.
func (s *Session) Subscribe() (changed <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[ch] = struct{}{}
	return ch, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, ch)
	}
}

// Events returns the facts that must reach the person, each once, in order. There
// is one channel, for one receiver; it is closed when Run ends.
func (s *Session) Events() <-chan pim.Event { return s.events.out }

// History is what the person did, the oldest first. It must not be changed.
func (s *Session) History() []store.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.history
}

// Recent is what one click activates again, the newest first. It must not be changed.
func (s *Session) Recent() []store.Recent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recent
}

// source returns the source of a kind, or nil.
func (s *Session) source(k pim.Kind) *source {
	for _, src := range s.sources {
		if src.kind == k {
			return src
		}
	}
	return nil
}

// enter joins the running session: ctx ends with the caller's and with the
// session's, and leave must be called. It is false when the session is not running.
func (s *Session) enter(ctx context.Context) (joined context.Context, leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return nil, nil, false
	}
	s.work.Add(1)
	joined, release := until(ctx, s.run)
	return joined, func() { release(); s.work.Done() }, true
}

// until returns ctx, ended also by the end of the other.
func until(ctx, other context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(other, func() { cancel(context.Cause(other)) })
	return ctx, func() { stop(); cancel(nil) }
}

// spawn runs f in a goroutine that Run waits for. s.mu is held.
func (s *Session) spawn(f func(ctx context.Context)) bool {
	if s.run == nil {
		return false
	}
	ctx := s.run
	s.work.Go(func() { f(ctx) })
	return true
}

func (s *Session) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// longestNap bounds how late a sleep of the computer is noticed: the monotonic
// clock of a timer may stand still meanwhile.
const longestNap = 30 * time.Second

// Run reads and follows until ctx ends, and returns when everything that it started
// has stopped. It can be called once.
func (s *Session) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	if s.ran {
		s.mu.Unlock()
		return errors.New("the session has run already")
	}
	s.ran, s.run = true, ctx
	s.nextRefresh = time.Now()
	s.mu.Unlock()
	var pump sync.WaitGroup
	pump.Go(func() { s.events.pump(ctx) })

	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-timer.C:
		}
		timer.Reset(s.step())
	}

	s.mu.Lock()
	s.run = nil
	s.mu.Unlock()
	s.work.Wait()
	pump.Wait()
	_ = s.save()
	s.saveSnapshot()
	return nil
}

// step does what is due and returns how long until the next thing is.
func (s *Session) step() time.Duration {
	s.mu.Lock()
	defer func() {
		behind := s.unsaved != (unsaved{})
		s.mu.Unlock()
		if behind {
			_ = s.save()
		}
	}()
	now, tenant := time.Now(), s.clock.Now()
	next := now.Add(longestNap)
	sooner := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	if s.watch.jumped() {
		s.log.Info("the clock has jumped; reading again")
		s.nextRefresh = now
	}
	s.prune(tenant)
	s.trimEnded(tenant)
	for _, o := range s.ops {
		if at, ok := s.duePoll(o, now); ok {
			sooner(at)
		}
	}
	for _, p := range s.plans {
		if at, ok := s.duePlan(p, now, tenant); ok {
			sooner(at)
		}
	}
	if _, paused := s.paused(); s.refresh == nil && !paused {
		if !s.nextRefresh.After(now) {
			s.startRefresh(false)
		} else {
			sooner(s.nextRefresh)
		}
	}
	if ended(s.nextChange(), tenant) {
		s.publish()
	}
	if s.dirty {
		if at := s.published.Add(paintPause); at.After(now) {
			sooner(at)
		} else {
			s.publish()
		}
	}
	if change := s.nextChange(); !change.IsZero() {
		sooner(now.Add(max(s.clock.Real(change.Sub(tenant)), time.Millisecond)))
	}
	return max(next.Sub(now), 0)
}
