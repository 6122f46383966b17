package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/store"
)

// Decide approves or denies somebody's request, one of the snapshot's Approvals, and
// returns when the service has said so and the list has been read again. The
// errors are *pim.Error: CodePolicy without a justification, which is always
// asked for, CodeForbidden for the person's own request, CodeDecided when it no longer waits.
// With interactive the person may be asked for a stronger sign-in.
func (s *Session) Decide(ctx context.Context, kind pim.Kind, approvalID string, d pim.Decision, client string, interactive bool) error {
	return s.decideOne(ctx, Verdict{Kind: kind, Approval: approvalID, Decision: d}, client, &prompts{}, interactive)
}

// Verdict is a decision about one of the snapshot's Approvals.
type Verdict struct {
	Kind     pim.Kind
	Approval string
	pim.Decision
}

// DecideAll is Decide for each, and returns their errors in their order. A failure stops no
// other, but what the person calls off at a prompt is called off for all that are not sent yet
// to the same service.
func (s *Session) DecideAll(ctx context.Context, verdicts []Verdict, client string, interactive bool) []error {
	errs := make([]error, len(verdicts))
	all := &prompts{}
	limit := make(chan struct{}, sendAtOnce)
	var wg sync.WaitGroup
	for i, v := range verdicts {
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			errs[i] = s.decideOne(ctx, v, client, all, interactive)
		})
	}
	wg.Wait()
	return errs
}

func (s *Session) decideOne(ctx context.Context, v Verdict, client string, all *prompts, interactive bool) error {
	ctx, leave, ok := s.enter(ctx)
	if !ok {
		return ErrNotRunning
	}
	defer leave()
	d := v.Decision
	d.Justification = strings.TrimSpace(d.Justification)
	if d.Justification == "" {
		return &pim.Error{Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleJustification}}
	}
	a, src, err := s.approval(v.Kind, v.Approval)
	if err != nil {
		return err
	}
	call := &pim.Call{ID: uuid.NewString()}
	err = s.decide(ctx, src, a, d, call, all, interactive)
	entry := store.Entry{
		ID: call.ID, CorrelationID: call.CorrelationID(), At: s.clock.Now(), Action: store.ActionDeny, Role: a.Request.Role,
		Start: a.Request.Start, Duration: a.Request.Duration, Justification: d.Justification, Ticket: a.Request.Ticket,
		Client: client, Requestor: a.Requestor, State: pim.OperationDone, Request: a.Request.ID,
	}
	if d.Approve {
		entry.Action = store.ActionApprove
	}
	s.conclude(entry, err)
	if errRead := s.readApprovals(ctx, src); errRead != nil {
		s.log.Debug("could not read approvals again", "error", errRead)
		s.mu.Lock()
		src.approvals = slices.DeleteFunc(slices.Clone(src.approvals), func(other pim.Approval) bool {
			return other.ID == a.ID && (err == nil || pim.CodeOf(err) == pim.CodeDecided)
		})
		s.mu.Unlock()
	}
	s.mu.Lock()
	s.publish()
	s.mu.Unlock()
	_ = s.save()
	return err
}

// approval finds what is to be decided.
func (s *Session) approval(kind pim.Kind, id string) (pim.Approval, *source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src := s.source(kind)
	if src == nil || src.decider == nil {
		return pim.Approval{}, nil, fmt.Errorf("decide a request: %w", &pim.Error{Code: pim.CodeNotFound})
	}
	i := slices.IndexFunc(src.approvals, func(a pim.Approval) bool { return strings.EqualFold(a.ID, id) })
	if i < 0 {
		return pim.Approval{}, nil, &goneError{&pim.Error{Code: pim.CodeDecided}}
	}
	a := src.approvals[i]
	if s.isMe(a.Requestor.ID) || s.isMe(a.Request.PrincipalID) || s.isMe(a.Request.RequestorID) {
		return pim.Approval{}, nil, &ownError{&pim.Error{Code: pim.CodeForbidden}}
	}
	return a, src, nil
}

func (s *Session) isMe(id string) bool { return id != "" && strings.EqualFold(id, s.account.UserID) }

// decide sends the decision. One that is being sent goes on when the caller goes away.
func (s *Session) decide(ctx context.Context, src *source, a pim.Approval, d pim.Decision, call *pim.Call, all *prompts, interactive bool) error {
	return s.stepping(ctx, src.host, all, interactive, func(values context.Context) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		s.mu.Lock()
		run := s.run
		s.mu.Unlock()
		if run == nil {
			return ErrNotRunning
		}
		sending, done := until(context.WithoutCancel(values), run)
		defer done()
		return src.decider.Decide(pim.WithCall(sending, call), a, d)
	})
}

// stepping sends something, and once again after the person met what the service asks of the
// token. What the batch came to before at a prompt of that service holds from the start.
func (s *Session) stepping(ctx context.Context, h *host, all *prompts, interactive bool, send func(context.Context) error) error {
	values, err := all.latest(ctx, h.audience)
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		err := send(values)
		s.noteWrite(h, err)
		claims, wanted := stepUpFor(err, pim.Policy{})
		if !wanted || !interactive || !first {
			return err
		}
		if values, err = s.stepUpOnce(ctx, all, prompt{h.audience, claims}, true); err != nil {
			return err
		}
	}
}

// conclude puts an action that is no operation into the history.
func (s *Session) conclude(entry store.Entry, err error) {
	if err != nil {
		entry.State, entry.Problem = pim.OperationFailed, pim.Explain(err)
		if e, ok := errors.AsType[*pim.Error](err); ok && e.CorrelationID != "" {
			entry.CorrelationID = e.CorrelationID
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history = store.PutEntry(s.history, entry)
	s.unsaved.history = true
}

// readApprovals reads what waits for the person's decision, where the kind knows such.
func (s *Session) readApprovals(ctx context.Context, src *source) error {
	if src.decider == nil {
		return nil
	}
	all, err := src.decider.Approvals(ctx)
	s.answered(ctx, src.host, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirty = true
	if err != nil {
		src.approvalsPart.Problem = pim.Explain(err)
		return fmt.Errorf("list requests to decide: %w", err)
	}
	for _, a := range all {
		known := slices.ContainsFunc(src.approvals, func(other pim.Approval) bool { return other.ID == a.ID })
		// What waits at the first look of all is no news.
		if !known && !src.approvalsPart.At.IsZero() {
			s.events.put(pim.Event{
				Kind: pim.EventApproval, At: s.clock.Now(), AccountID: s.account.ID, Role: a.Request.Role, Request: &a.Request,
			})
		}
	}
	src.approvals = all
	src.read(&src.approvalsPart, s.clock.Now())
	return nil
}

// goneError is CodeDecided for what no longer waits.
type goneError struct{ error }

func (e *goneError) Unwrap() error { return e.error }

// Sentence says for the person what happened.
func (*goneError) Sentence() string {
	return "This request no longer waits for a decision: it was decided, cancelled or timed out."
}

// ownError is CodeForbidden for the person's own request.
type ownError struct{ error }

func (e *ownError) Unwrap() error { return e.error }

// Sentence says for the person why not.
func (*ownError) Sentence() string {
	return "Nobody can decide a request of their own. Ask another approver."
}
