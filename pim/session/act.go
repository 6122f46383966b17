package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/store"
)

// Wish is a role that the person wants active.
type Wish struct {
	// Key is the eligibility's, or that of a recent activation.
	Key pim.Key `json:"key"`
	// Scope is a narrower scope than the eligibility's, or zero for its own.
	Scope pim.Scope `json:"scope,omitzero"`
	// Start is when to begin; zero means at once.
	Start time.Time `json:"start,omitzero"`
	// Duration is how long; zero means the policy's default.
	Duration      time.Duration `json:"duration,omitempty"`
	Justification string        `json:"justification,omitempty"`
	Ticket        pim.Ticket    `json:"ticket,omitzero"`
	// Client is who asks: tray, window, cli, reminder.
	Client string `json:"client,omitempty"`
	// Operation is set where a check of this very wish was taken for a request: that is
	// what becomes of the wish, and nothing more is sent or checked.
	Operation string `json:"operation,omitempty"`
}

// quietly is how a plan is activated: without a trace, unless the service takes it.
type quietly struct {
	// replaces is the person's open request that it takes the place of, or empty.
	replaces string
}

// sendAtOnce is how many writes of one batch are under way together.
const sendAtOnce = 4

// Activate sends what the wishes ask for and returns one operation for each, in
// their order, when each has been answered or has failed: not when the roles are
// active, which Wait and the snapshots tell. A wish for a role that is being
// worked on already gets that operation. Without interactive nothing that needs
// the person is sent. The error is only ErrNotRunning or the context's; what
// happens to a role is in its operation.
func (s *Session) Activate(ctx context.Context, wishes []Wish, interactive bool) ([]pim.Operation, error) {
	ctx, leave, ok := s.enter(ctx)
	if !ok {
		return nil, ErrNotRunning
	}
	defer leave()
	jobs := s.activate(ctx, wishes, interactive, nil)
	out := make([]pim.Operation, len(jobs))
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, j := range jobs {
		out[i] = j.o.op
	}
	return out, nil
}

// activate is Activate, or with quiet what a plan does.
func (s *Session) activate(ctx context.Context, wishes []Wish, interactive bool, quiet *quietly) []*job {
	jobs := make([]*job, len(wishes))
	s.mu.Lock()
	for i, w := range wishes {
		if o := s.sentByCheck(w); o != nil {
			jobs[i] = &job{o: o}
			continue
		}
		jobs[i] = s.newActivation(w, quiet)
	}
	s.mu.Unlock()
	all := slices.Clone(jobs)
	for _, j := range jobs {
		if j.group != nil {
			all = append(all, j.group)
		}
	}
	prompts := &prompts{}
	for _, j := range all {
		j.prompts = prompts
	}
	values := s.prepare(ctx, all, interactive)
	limit := make(chan struct{}, sendAtOnce)
	var wg sync.WaitGroup
	for _, j := range all {
		if j.ready {
			limit <- struct{}{}
			wg.Go(func() {
				defer func() { <-limit }()
				s.perform(values, j, interactive)
			})
		}
	}
	wg.Wait()
	for _, j := range jobs {
		if j.group != nil {
			s.goOnLater(values, j, interactive)
		}
	}
	return jobs
}

// Deactivate ends an active role early, as Activate begins one.
func (s *Session) Deactivate(ctx context.Context, key pim.Key, client string, interactive bool) (pim.Operation, error) {
	ctx, leave, ok := s.enter(ctx)
	if !ok {
		return pim.Operation{}, ErrNotRunning
	}
	defer leave()
	j := s.newDeactivation(key, client)
	if j.ready {
		s.perform(ctx, j, interactive)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return j.o.op, nil
}

// job is the sending of one operation.
type job struct {
	o     *operation
	src   *source
	ready bool // nothing speaks against sending
	// What is sent: one of these, by the operation's action.
	activation   pim.Activation
	deactivation pim.Deactivation
	prolongation pim.Prolongation
	policy       pim.Policy
	// fit shortens an activation to what the policy allows.
	fit bool
	// replaces is the request to withdraw before sending, since the service takes one at a time.
	replaces string
	withdrew bool
	// group is the activation of the group that brings the role, or nil.
	group *job
	// notYet is until when the service may not know yet that the person is eligible.
	notYet  time.Time
	prompts *prompts
	// stepped carries a token that meets the policy, or is nil; met is the claims.
	stepped context.Context
	met     pim.Claims
}

func (j *job) send(ctx context.Context) (pim.Request, error) {
	switch j.o.write.Action {
	case pim.ActionActivate:
		return j.src.provider.Activate(ctx, j.activation)
	case pim.ActionDeactivate:
		return j.src.provider.Deactivate(ctx, j.deactivation)
	}
	return j.src.prolonger.Prolong(ctx, j.prolongation)
}

// prompts are the step-ups of one batch: the person is asked for each once.
type prompts struct {
	mu    sync.Mutex
	asked []*answer
}

type prompt struct {
	audience pim.Audience
	claims   pim.Claims
}

type answer struct {
	prompt
	done    chan struct{}
	stepped context.Context
	err     error
}

// stepUpOnce is stepUp, or what one for the same or more came to earlier in the batch.
func (s *Session) stepUpOnce(ctx context.Context, all *prompts, p prompt, interactive bool) (context.Context, error) {
	all.mu.Lock()
	i := slices.IndexFunc(all.asked, func(a *answer) bool { return a.audience == p.audience && a.claims.Covers(p.claims) })
	var a *answer
	if i >= 0 {
		a = all.asked[i]
	} else {
		a = &answer{prompt: p, done: make(chan struct{})}
		all.asked = append(all.asked, a)
	}
	all.mu.Unlock()
	if i < 0 {
		a.stepped, a.err = s.stepUp(ctx, p.audience, p.claims, interactive)
		close(a.done)
	}
	return a.wait(ctx)
}

// wait returns ctx with what the answer brought.
func (a *answer) wait(ctx context.Context) (context.Context, error) {
	select {
	case <-a.done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if a.err != nil {
		return nil, a.err
	}
	// Whoever was asked may be gone; ctx always ends.
	stepped, _ := until(context.WithoutCancel(a.stepped), ctx)
	return stepped, nil
}

// latest is what the newest prompt of the batch for that service came to, or ctx where there
// was none. It waits for one that is under way.
func (all *prompts) latest(ctx context.Context, audience pim.Audience) (context.Context, error) {
	all.mu.Lock()
	var last *answer
	for _, a := range all.asked {
		if a.audience == audience {
			last = a
		}
	}
	all.mu.Unlock()
	if last == nil {
		return ctx, nil
	}
	return last.wait(ctx)
}

// newActivation begins an activation. s.mu is held.
func (s *Session) newActivation(w Wish, plan *quietly) *job {
	quiet, replaces := plan != nil, ""
	if quiet {
		replaces = plan.replaces
	}
	e, scope, found := s.resolve(w)
	a := pim.Activation{
		ID: uuid.NewString(), Eligibility: e, Scope: scope, Start: w.Start, Duration: w.Duration,
		Justification: w.Justification, Ticket: w.Ticket,
	}
	role := a.Role()
	write := pim.Write{ID: a.ID, Action: pim.ActionActivate, Role: role, Start: w.Start, Duration: w.Duration}
	running := s.openOperation(role.Key())
	if running != nil && running.op.Request != nil && running.op.Request.ID == replaces {
		running = nil
	}
	switch {
	case !found:
		return s.refusedJob(write, w, quiet, &pim.Error{Code: pim.CodeNotEligible})
	case running != nil && running.op.Action == pim.ActionActivate:
		return &job{o: running}
	case running != nil:
		return s.refusedJob(write, w, quiet, &pim.Error{Code: pim.CodePending})
	case e.Behind != "" && (quiet || !w.Start.IsZero()):
		return s.refusedJob(write, w, quiet, &groupFirstError{&pim.Error{Code: pim.CodeNotEligible}, e.BehindName})
	}
	o := s.begin(write, w, quiet)
	o.entry.Eligibility = e.Role.Key()
	j := &job{o: o, src: s.source(role.Kind), ready: e.Behind == "", activation: a, replaces: replaces}
	if e.Behind != "" {
		w.Key, w.Scope = e.Behind, pim.Scope{}
		j.group = s.newActivation(w, nil)
		j.group.fit = true
		o.group = j.group.o
		s.publish()
	}
	return j
}

// resolve finds the eligibility that a wish is for. s.mu is held.
func (s *Session) resolve(w Wish) (pim.Eligibility, pim.Scope, bool) {
	if e, ok := s.findEligible(w.Key); ok {
		if strings.EqualFold(w.Scope.ID, e.Role.Scope.ID) {
			w.Scope = pim.Scope{}
		}
		return e, w.Scope, true
	}
	for _, r := range s.recent {
		if r.Role.Key() == w.Key {
			if e, ok := s.findEligible(r.Eligibility); ok {
				return e, r.Role.Scope, true
			}
			return pim.Eligibility{Role: r.Role}, pim.Scope{}, false
		}
	}
	// An activation at a narrower scope, made elsewhere.
	for _, a := range s.snapshot.Load().Active {
		if a.Assignment.Role.Key() != w.Key || a.Assignment.EligibilityScheduleID == "" {
			continue
		}
		for _, e := range s.eligible {
			if e.Role.Kind == a.Assignment.Role.Kind && sameID(e.ScheduleID, a.Assignment.EligibilityScheduleID) {
				return e, a.Assignment.Role.Scope, true
			}
		}
	}
	return pim.Eligibility{}, pim.Scope{}, false
}

// sameID compares what a service gives as a path here and as its last part there.
func sameID(a, b string) bool {
	last := func(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }
	return strings.EqualFold(last(a), last(b))
}

func (s *Session) newDeactivation(key pim.Key, client string) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := Wish{Client: client}
	write := pim.Write{ID: uuid.NewString(), Action: pim.ActionDeactivate}
	var active pim.Assignment
	for _, a := range s.snapshot.Load().Active {
		if a.Assignment.Role.Key() == key {
			active = a.Assignment
		}
	}
	if running := s.openOperation(key); running != nil {
		if running.op.Action == pim.ActionDeactivate {
			return &job{o: running}
		}
		write.Role = running.op.Role
		return s.refusedJob(write, w, false, &pim.Error{Code: pim.CodePending})
	}
	write.Role = active.Role
	switch {
	case active.Role.Kind == "":
		return s.refusedJob(write, w, false, &pim.Error{Code: pim.CodeNotActive})
	case active.Type != pim.Activated:
		return s.refusedJob(write, w, false, &pim.Error{
			Code: pim.CodeRejected, Message: "an administrator assigned this role, and only an administrator can end it",
		})
	case active.DeactivatableAt().After(s.clock.Now()):
		return s.refusedJob(write, w, false, &pim.Error{Code: pim.CodeTooEarly, RetryAfter: active.DeactivatableAt().Sub(s.clock.Now())})
	}
	return &job{
		o: s.begin(write, w, false), src: s.source(active.Role.Kind), ready: true, prompts: &prompts{},
		deactivation: pim.Deactivation{ID: write.ID, Assignment: active},
	}
}

// openOperation is the operation on that role that is not over, or nil. s.mu is held.
func (s *Session) openOperation(key pim.Key) *operation {
	for _, o := range s.ops {
		if o.key == key && !o.op.State.Over() {
			return o
		}
	}
	return nil
}

// begin makes an operation and shows it, unless it is quiet. s.mu is held.
func (s *Session) begin(write pim.Write, w Wish, quiet bool) *operation {
	now := s.clock.Now()
	write.At = now
	o := &operation{
		op: pim.Operation{
			ID: write.ID, Action: write.Action, Role: write.Role, State: pim.OperationPreparing,
			Started: now, Changed: now, Client: w.Client,
		},
		write: write,
		key:   operationKey(write),
		quiet: quiet,
		entry: store.Entry{
			ID: write.ID, At: now, Action: write.Action, Role: write.Role, Start: write.Start, Duration: write.Duration,
			Justification: w.Justification, Ticket: w.Ticket, Client: w.Client, State: pim.OperationPreparing,
		},
	}
	s.ops = append(s.ops, o)
	s.publish()
	return o
}

// refusedJob is an operation that fails before anything is sent. s.mu is held.
func (s *Session) refusedJob(write pim.Write, w Wish, quiet bool, err error) *job {
	o := s.begin(write, w, quiet)
	s.fail(o, err)
	return &job{o: o}
}

// prepare reads policies, judges the activations by them and has the person meet
// what they ask of the token: once for each service, and once more for each further
// authentication context, since one token cannot be asked for with two. It returns the
// context to go on with, and clears ready where nothing may be sent.
func (s *Session) prepare(ctx context.Context, jobs []*job, interactive bool) context.Context {
	hosts := map[*host]bool{}
	for _, j := range jobs {
		if j.ready {
			hosts[j.src.host] = true
		}
	}
	for h := range hosts {
		if !interactive {
			break
		}
		stepped, err := s.signInHost(ctx, h)
		if err != nil {
			s.failAll(jobs, err, func(j *job) bool { return j.src.host == h })
			continue
		}
		ctx = stepped
	}
	var wg sync.WaitGroup
	for _, j := range jobs {
		if j.ready {
			wg.Go(func() { s.judge(ctx, j) })
		}
	}
	wg.Wait()

	var needs []prompt
	need := map[*job]int{}
	for _, j := range jobs {
		claims := j.policy.StepUpClaims()
		if !j.ready || claims == "" {
			continue
		}
		i := slices.IndexFunc(needs, func(n prompt) bool {
			_, together := n.claims.Join(claims)
			return together && n.audience == j.src.host.audience
		})
		if i < 0 {
			i, needs = len(needs), append(needs, prompt{audience: j.src.host.audience})
		}
		needs[i].claims, _ = needs[i].claims.Join(claims)
		need[j] = i
	}
	for i, n := range needs {
		concerned := func(j *job) bool { at, needed := need[j]; return needed && at == i }
		for _, j := range jobs {
			if !j.ready || !concerned(j) {
				continue
			}
			stepped, err := s.stepUpOnce(ctx, j.prompts, n, interactive)
			if err != nil {
				s.failAll(jobs, err, concerned)
				break
			}
			j.stepped, j.met = stepped, n.claims
		}
	}
	return ctx
}

// judge completes an activation by the role's policy, and fails what the policy is sure to
// refuse.
func (s *Session) judge(ctx context.Context, j *job) {
	var broken []pim.Rule
	j.policy, broken = s.rules(ctx, &j.activation, j.fit)
	s.mu.Lock()
	defer s.mu.Unlock()
	j.o.write.Duration, j.o.entry.Duration = j.activation.Duration, j.activation.Duration
	if len(broken) > 0 {
		j.ready = false
		s.fail(j.o, refusedBy(broken, j.activation, s.clock.Now()))
	} else if err := context.Cause(ctx); err != nil {
		j.ready = false
		s.fail(j.o, err)
	}
}

// rules completes an activation by the role's policy, shortened with fit to what that allows,
// and returns what the policy is sure to refuse. A policy that cannot be read forbids nothing.
func (s *Session) rules(ctx context.Context, a *pim.Activation, fit bool) (pim.Policy, []pim.Rule) {
	key, now := a.Eligibility.Role.Key(), s.clock.Now()
	complete := func(p pim.Policy) pim.Activation {
		c := *a
		if c.Duration == 0 {
			c.Duration = p.DefaultDuration(a.Eligibility.End, a.Begins(now))
		}
		if fit {
			c.Duration = min(c.Duration, p.Limit(a.Eligibility.End, a.Begins(now)))
		}
		return c
	}
	p, _ := s.Policy(ctx, key)
	if broken := p.Check(complete(p), now); len(broken) > 0 && p.ReadAt.Before(now) {
		// It may have been changed since.
		if again, err := s.policy(ctx, key, now); err == nil {
			p = again
		}
	}
	*a = complete(p)
	return p, p.Check(*a, now)
}

func (s *Session) failAll(jobs []*job, err error, which func(*job) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range jobs {
		if j.ready && which(j) {
			j.ready = false
			s.fail(j.o, err)
		}
	}
}

// perform sends a job, at most once again where the first sending surely had no
// effect: after the person met the service's claims, or after the service could not be
// reached at all or asked to wait.
func (s *Session) perform(ctx context.Context, j *job, interactive bool) {
	if j.replaces != "" {
		if err := s.cancel(ctx, j.replaces, j.o.op.Client); err != nil {
			s.failed(j.o, err)
			return
		}
		j.withdrew = true
	}
	values := ctx
	if j.stepped != nil {
		values = j.stepped
	}
	stepped, resent := false, false
	for early := 0; ; {
		began := s.clock.Now()
		r, err := s.sendOnce(values, j)
		if err == nil {
			s.mu.Lock()
			s.advance(j.o, r)
			s.mu.Unlock()
			break
		}
		claims, wanted := stepUpFor(err, j.policy)
		pause, harmless := unsent(err)
		tooSoon := s.tooSoon(j, err)
		switch {
		case wanted && (interactive || claims != "") && !stepped && (j.stepped == nil || !j.met.Covers(claims)):
			stepped = true
			if pim.CodeOf(err) == pim.CodePolicy {
				s.doubtPolicy(j.activation, err)
			}
			s.setState(j.o, pim.OperationPreparing)
			next, errStep := s.stepUpOnce(ctx, j.prompts, prompt{j.src.host.audience, claims}, interactive)
			switch {
			case errStep == nil:
				values = next
				continue
			case interactive || pim.CodeOf(errStep) != pim.CodeStepUp:
				s.failed(j.o, errStep)
				return
			}
		case harmless && !resent, tooSoon:
			if tooSoon {
				pause = pausesWorking[min(early, len(pausesWorking)-1)]
				early++
			} else {
				resent = true
			}
			s.setState(j.o, pim.OperationPreparing)
			if errPause := sleep(ctx, pause); errPause != nil {
				s.failed(j.o, errPause)
				return
			}
			// After a sleep of the computer nobody may want it any more.
			if s.clock.Real(s.clock.Now().Sub(began)) > pause+longestPatience {
				s.failed(j.o, err)
				return
			}
			continue
		}
		s.settleError(values, j, err)
		break
	}
	_ = s.save()
	s.nudge()
}

// sendOnce journals a job and sends it. A send that has begun goes on when the
// caller goes away.
func (s *Session) sendOnce(values context.Context, j *job) (pim.Request, error) {
	if err := context.Cause(values); err != nil {
		return pim.Request{}, unsentError{err}
	}
	s.mu.Lock()
	run := s.run
	if run == nil {
		s.mu.Unlock()
		return pim.Request{}, unsentError{ErrNotRunning}
	}
	// The person may have taken minutes; what is looked for later began here.
	j.o.write.At = s.clock.Now()
	call := &pim.Call{ID: j.o.write.ID}
	j.o.entry.CorrelationID = call.ID
	s.change(j.o, pim.OperationSending)
	s.mu.Unlock()
	if err := s.save(); err != nil {
		return pim.Request{}, unsentError{&pim.Error{Code: pim.CodeJournal, Err: err}}
	}
	ctx, leave := until(context.WithoutCancel(values), run)
	defer leave()
	r, err := j.send(pim.WithCall(ctx, call))
	s.mu.Lock()
	j.o.entry.CorrelationID = call.CorrelationID()
	s.mu.Unlock()
	return r, err
}

// unsentError is an error from before anything was sent.
type unsentError struct{ error }

func (e unsentError) Unwrap() error { return e.error }

// stepUpFor says whether the person can do something about err, and what.
func stepUpFor(err error, p pim.Policy) (pim.Claims, bool) {
	e, ok := errors.AsType[*pim.Error](err)
	if !ok {
		return "", false
	}
	claims := e.Claims
	switch {
	case e.Code == pim.CodeSignInNeeded:
	case e.Code == pim.CodeStepUp:
		if claims == "" {
			claims = p.StepUpClaims()
		}
	case e.Code == pim.CodePolicy && slices.Equal(e.Rules, []pim.Rule{pim.RuleMFA}):
		claims = pim.Policy{MFARequired: true}.StepUpClaims()
	default:
		return "", false
	}
	return claims, true
}

const (
	// longestPatience is how long a write waits for a service that wants fewer calls.
	longestPatience = time.Minute
	// offlinePause is how long it waits for a service that could not be reached.
	offlinePause = 2 * time.Second
)

// tooSoon says that the service refused a role since it does not know yet that its group,
// which was activated a moment ago, has brought it.
func (s *Session) tooSoon(j *job, err error) bool {
	e, _ := errors.AsType[*pim.Error](err)
	return e != nil && (e.Code == pim.CodeNotEligible || e.Code == pim.CodePolicy && slices.Equal(e.Rules, []pim.Rule{pim.RuleEligibility})) &&
		s.clock.Now().Before(j.notYet)
}

// unsent says whether err means that the write surely had no effect and may be sent again
// after the pause.
func unsent(err error) (time.Duration, bool) {
	e, _ := errors.AsType[*pim.Error](err)
	if e != nil && e.Code == pim.CodeThrottled {
		return e.RetryAfter, e.RetryAfter > 0 && e.RetryAfter <= longestPatience
	}
	return offlinePause, pim.CodeOf(err) == pim.CodeOffline
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// settleError decides what a failed sending means.
func (s *Session) settleError(ctx context.Context, j *job, err error) {
	_, nothingSent := errors.AsType[unsentError](err)
	code := pim.CodeOf(err)
	if !nothingSent && ctx.Err() == nil {
		s.noteWrite(j.src.host, err)
	}
	if code == pim.CodeStepUp || code == pim.CodePolicy {
		s.doubtPolicy(j.activation, err)
	}
	if code == pim.CodeForbidden && j.activation.Scope.ID != "" {
		s.mu.Lock()
		j.o.op.Offer = s.wider(j.activation)
		s.mu.Unlock()
	}
	switch {
	case nothingSent, j.o.quiet && code == pim.CodeAlreadyActive:
		s.failed(j.o, err)
	case code == pim.CodeAlreadyActive && j.o.write.Action == pim.ActionActivate && j.o.write.Start.IsZero():
		if s.agreesActive(ctx, j) {
			s.mu.Lock()
			s.finish(j.o, pim.OperationDone, nil)
			s.mu.Unlock()
			return
		}
		s.failed(j.o, err)
	case code == pim.CodeNotActive && s.settling(j.o) > 0:
		e, _ := errors.AsType[*pim.Error](err)
		early := *e
		early.Code, early.RetryAfter = pim.CodeTooEarly, s.settling(j.o)
		s.failed(j.o, &early)
	case code == pim.CodeNotActive:
		s.forget(j.o.key)
		s.failed(j.o, err)
		s.verifyNow(j.o.op.Role)
	case code == pim.CodeDuplicate, lost(code):
		s.mu.Lock()
		j.o.quiet = false
		s.change(j.o, pim.OperationResolving)
		j.o.tries, j.o.next = 0, time.Now().Add(pollPause(j.o, 0))
		if code == pim.CodeDuplicate {
			j.o.next = time.Now()
		}
		s.mu.Unlock()
	default:
		s.failed(j.o, err)
	}
}

// noteWrite notes what a refused write says about its service. That a write asks for a
// stronger token, as with mandatory multi-factor authentication, does not concern the reads:
// where their own token is refused too, the next of them finds that.
func (s *Session) noteWrite(h *host, err error) {
	if pim.CodeOf(err) == pim.CodeThrottled {
		s.answered(context.Background(), h, err)
	}
}

// lost says that a write with this outcome may have taken effect.
func lost(c pim.Code) bool {
	switch c {
	case pim.CodeTimeout, pim.CodeUnavailable, pim.CodeUnreadable,
		pim.CodeCancelled, pim.CodeUnknownOutcome, pim.CodeInternal:
		return true
	}
	return false
}

// agreesActive says whether the role that the service calls active is so by the
// listing, read again where it was not.
func (s *Session) agreesActive(ctx context.Context, j *job) bool {
	listed := func() bool {
		return slices.ContainsFunc(s.Snapshot().Active, func(a pim.ActiveRole) bool {
			return a.Assignment.Role.Key() == j.o.key && a.Certainty != pim.Unconfirmed
		})
	}
	if listed() {
		return true
	}
	if err := s.readActive(ctx, j.src, []pim.Eligibility{j.activation.Eligibility}, false); err != nil {
		return false
	}
	s.mu.Lock()
	s.publish()
	s.mu.Unlock()
	return listed()
}

// Wait returns an operation when it is over, waits for a person's decision or is
// scheduled. An id that is not in the snapshot is a *pim.Error of CodeNotFound.
func (s *Session) Wait(ctx context.Context, operation string) (pim.Operation, error) {
	changed, stop := s.Subscribe()
	defer stop()
	for {
		all := s.Snapshot().Operations
		i := slices.IndexFunc(all, func(o pim.Operation) bool { return o.ID == operation })
		if i < 0 {
			return pim.Operation{}, &pim.Error{Code: pim.CodeNotFound}
		}
		if o := all[i]; o.State.Over() || o.State == pim.OperationWaiting || o.State == pim.OperationScheduled {
			return o, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return all[i], context.Cause(ctx)
		}
	}
}
