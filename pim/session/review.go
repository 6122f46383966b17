package session

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"roletray/pim"
	"roletray/pim/store"
)

const (
	// reviewAge is how old a request may be whose decision is still read.
	reviewAge = 7 * 24 * time.Hour
	// reviewsEach is how many decisions are read with one list of requests, and
	// reviewTries how often one is asked for.
	reviewsEach = 5
	reviewTries = 3
	// reviewWait is how long the end of a request, or a list, waits to learn who decided.
	reviewWait = 10 * time.Second
)

// approved is what is known of the approval of a request of the person's own, and how
// often it was asked for who decided.
type approved struct {
	approvalID string
	review     pim.Review
	tries      int
}

// recall adds to a request of the person's own, as it was just read, what is known of its
// approval and no longer in it: a decision is read once, and Resource Manager does not
// name the approval of what is decided. The session's lock is held.
func (src *source) recall(r pim.Request) pim.Request {
	known := src.approved[strings.ToLower(r.ID)]
	r.ApprovalID = cmp.Or(r.ApprovalID, known.approvalID)
	r.Review = cmp.Or(r.Review, known.review)
	if r.ApprovalID != "" {
		known.approvalID, known.review = r.ApprovalID, r.Review
		src.approved[strings.ToLower(r.ID)] = known
	}
	return r
}

// recallAll is recall for a list, which it does not change.
func (src *source) recallAll(all []pim.Request) []pim.Request {
	out := make([]pim.Request, len(all))
	for i, r := range all {
		out[i] = src.recall(r)
	}
	return out
}

// reviewDue says that it may be asked who decided on r, and is not known. s.mu is held.
func (s *Session) reviewDue(src *source, r pim.Request) bool {
	now := s.clock.Now()
	return src.reviews != nil && !src.reviewsRefused && r.Review.Result == "" && r.Reviewable(now) && now.Sub(r.Created) <= reviewAge &&
		src.approved[strings.ToLower(r.ID)].tries < reviewTries && s.barred(src.host, false) == nil
}

// readReviews reads who decided on the newest of the listed requests, as far as that is not
// known. Those that an operation follows are read with it.
func (s *Session) readReviews(ctx context.Context, src *source) {
	ctx, cancel := context.WithTimeout(ctx, reviewWait)
	defer cancel()
	s.mu.Lock()
	var todo []pim.Request
	for _, r := range src.requests {
		followed := slices.ContainsFunc(s.ops, func(o *operation) bool { return o.isOf(r) && !o.op.State.Over() })
		if len(todo) < reviewsEach && !followed && s.reviewDue(src, r) {
			todo = append(todo, r)
		}
	}
	s.mu.Unlock()
	for _, r := range todo {
		s.nudge() // The list is shown meanwhile.
		if ctx.Err() != nil {
			return
		}
		s.readReview(ctx, src, r)
	}
}

func (o *operation) isOf(r pim.Request) bool {
	return o.op.Request != nil && o.op.Role.Kind == r.Role.Kind && strings.EqualFold(o.op.Request.ID, r.ID)
}

// readReview reads who decided on r, if that is due. That it cannot be read is no error: all
// else about the request is known. Who is refused once is not asked again in this run.
func (s *Session) readReview(ctx context.Context, src *source, r pim.Request) {
	id := strings.ToLower(r.ID)
	s.mu.Lock()
	r = src.recall(r)
	due := s.reviewDue(src, r)
	if due {
		known := src.approved[id]
		known.tries++
		src.approved[id] = known
	}
	s.mu.Unlock()
	if !due {
		return
	}
	within, cancel := context.WithTimeout(ctx, reviewWait)
	defer cancel()
	review, err := src.reviews.Reviewed(within, r)
	code := pim.CodeOf(err)
	if code == pim.CodeThrottled {
		s.answered(ctx, src.host, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch code {
	case "":
		r.Review = review
		s.reviewed(src, r)
		return
	case pim.CodeForbidden, pim.CodeConsent:
		src.reviewsRefused = true
	case pim.CodeNotFound:
		known := src.approved[id]
		known.tries = reviewTries
		src.approved[id] = known
	}
	s.log.Debug("could not read who decided on a request", "error", err)
}

// reviewed takes over who decided on r, also where its end has been told. s.mu is held.
func (s *Session) reviewed(src *source, r pim.Request) {
	if r.Review.Result == "" {
		return
	}
	src.recall(r)
	src.requests = src.recallAll(src.requests)
	s.dirty = true
	for _, o := range s.ops {
		if !o.isOf(r) || !o.op.State.Over() {
			continue
		}
		now := src.recall(*o.op.Request)
		o.op.Request = &now
		if o.op.State == pim.OperationFailed {
			o.op.Problem = now.Problem()
		}
		s.record(o)
	}
	i := slices.IndexFunc(s.history, func(e store.Entry) bool {
		return e.Role.Kind == src.kind && strings.EqualFold(e.Request, r.ID) && e.Action == r.Action && e.State.Over() && e.Review.Result == ""
	})
	if i < 0 {
		return
	}
	e := s.history[i]
	e.Review = r.Review
	if e.State == pim.OperationFailed {
		e.Problem = r.Problem()
	}
	s.history = store.PutEntry(s.history, e)
	s.unsaved.history = true
}
