package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"roletray/pim"
	"roletray/pim/wire"
)

const (
	// maxBatch is how many requests Graph takes in one batch.
	maxBatch = 20
	// maxBatches is how many batches are under way at once.
	maxBatches = 4
	// batchTries is how often a part of a batch is sent that is throttled.
	batchTries = 3
)

// item is one read of a batch.
type item struct {
	// path is below the version.
	path string
	// body makes the read a POST.
	body any
}

// answer is what came of an item: a body, or an error of the kind that a request
// of its own would have given.
type answer struct {
	body json.RawMessage
	err  error
}

// batch sends reads, 20 at a time, and returns their answers in the same order.
// Those that are throttled are sent again after the pause that they were told;
// the others are not. An item alone is sent as the request that it is.
func (c *Client) batch(ctx context.Context, items []item) []answer {
	answers := make([]answer, len(items))
	var group errgroup.Group
	group.SetLimit(maxBatches)
	for start := 0; start < len(items); start += maxBatch {
		end := min(start+maxBatch, len(items))
		group.Go(func() error {
			c.chunk(ctx, items[start:end], answers[start:end])
			return nil
		})
	}
	_ = group.Wait() // Each answer has its own error.
	return answers
}

func (c *Client) chunk(ctx context.Context, items []item, answers []answer) {
	if len(items) == 1 {
		method := http.MethodGet
		if items[0].body != nil {
			method = http.MethodPost
		}
		answers[0].body, answers[0].err = c.send(wire.Reading(ctx), method, items[0].path, uuid.NewString(), items[0].body)
		return
	}
	left := make([]int, len(items))
	for i := range left {
		left[i] = i
	}
	for try := range batchTries {
		body, err := c.send(wire.Reading(ctx), http.MethodPost, "/$batch", uuid.NewString(), batchBody(items, left))
		var got map[int]batchAnswer
		if err == nil {
			got, err = batchAnswers(body)
		}
		if err != nil {
			for _, i := range left {
				answers[i].err = err
			}
			return
		}
		for _, i := range left {
			answers[i] = c.answerOf(got, i)
		}
		left = slices.DeleteFunc(left, func(i int) bool { return pim.CodeOf(answers[i].err) != pim.CodeThrottled })
		if len(left) == 0 {
			return
		}
		c.closeFor(answers, left, try)
	}
}

// closeFor begins the pause that throttled items ask for.
func (c *Client) closeFor(answers []answer, left []int, try int) {
	for _, i := range left {
		pause := c.pause << try
		if e, ok := errors.AsType[*pim.Error](answers[i].err); ok && e.RetryAfter > 0 {
			pause = e.RetryAfter
		}
		c.gate.Close(pause)
	}
}

func (c *Client) answerOf(got map[int]batchAnswer, i int) answer {
	a, ok := got[i]
	switch {
	case !ok:
		return answer{err: unreadable("the batch lacks an answer")}
	case a.Status < 200 || a.Status > 299:
		header := http.Header{}
		for k, v := range a.Headers {
			header.Set(k, v)
		}
		return answer{err: codes.Refusal(a.Status, header, a.Body, c.now())}
	}
	return answer{body: a.Body}
}

type batchRequest struct {
	ID      string            `json:"id"`
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    any               `json:"body,omitempty"`
}

func batchBody(items []item, which []int) any {
	requests := make([]batchRequest, 0, len(which))
	for _, i := range which {
		r := batchRequest{ID: strconv.Itoa(i), Method: http.MethodGet, URL: items[i].path}
		if items[i].body != nil {
			r.Method, r.Body = http.MethodPost, items[i].body
			r.Headers = map[string]string{"Content-Type": "application/json"}
		}
		requests = append(requests, r)
	}
	return map[string]any{"requests": requests}
}

type batchAnswer struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

// batchAnswers reads the answer to a batch, by the numbers of the items. They
// come in any order.
func batchAnswers(body []byte) (map[int]batchAnswer, error) {
	var in struct {
		Responses []batchAnswer `json:"responses"`
	}
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	if in.Responses == nil {
		return nil, unreadable("the answer is no batch")
	}
	got := map[int]batchAnswer{}
	for _, r := range in.Responses {
		if i, err := strconv.Atoi(r.ID); err == nil {
			got[i] = r
		}
	}
	return got, nil
}
