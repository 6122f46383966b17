package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxBatch is how many requests Graph takes in one batch.
const maxBatch = 20

// batchItem is one request of a batch.
type batchItem struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

// batchAnswer is one answer of a batch.
type batchAnswer struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// parseBatch reads the body of a batch. What is wrong with any request spoils
// the batch.
func parseBatch(body []byte) ([]batchItem, error) {
	var in struct {
		Requests []batchItem `json:"requests"`
	}
	if json.Unmarshal(body, &in) != nil || len(in.Requests) == 0 {
		return nil, badRequest("Invalid batch payload format.")
	}
	if len(in.Requests) > maxBatch {
		return nil, badRequest("Number of batch request steps exceeds the maximum value of %d.", maxBatch)
	}
	seen := map[string]bool{}
	for i, item := range in.Requests {
		if item.ID == "" || seen[item.ID] {
			return nil, badRequest("Request id is missing or not unique in the batch.")
		}
		for _, on := range item.DependsOn {
			if !seen[on] {
				return nil, badRequest("Request dependency id '%.100s' is not found in the preceding requests.", on)
			}
		}
		seen[item.ID] = true
		u, err := url.Parse(item.URL)
		if err != nil || item.URL == "" || u.IsAbs() || u.Host != "" {
			return nil, badRequest("The url of request '%.100s' must be relative to the version.", item.ID)
		}
		if !slices.Contains([]string{"GET", "POST", "PATCH", "PUT", "DELETE"}, strings.ToUpper(item.Method)) {
			return nil, badRequest("The method of request '%.100s' is not valid.", item.ID)
		}
		if hasBody(item.Body) && !item.typed() {
			return nil, badRequest("Write request id : %.100s does not contain Content-Type header or body.", item.ID)
		}
		in.Requests[i].Method = strings.ToUpper(item.Method)
	}
	return in.Requests, nil
}

func hasBody(b json.RawMessage) bool { return len(b) > 0 && string(b) != "null" }

func (i batchItem) typed() bool {
	for name := range i.Headers {
		if is(name, "Content-Type") {
			return true
		}
	}
	return false
}

type inBatchKey struct{}

// batch answers several requests in one. Each has a status of its own; one that
// depends on another that failed is not tried.
func (c *call) batch([]string) error {
	if c.r.Context().Value(inBatchKey{}) != nil {
		return badRequest("A batch cannot contain a batch.")
	}
	body, err := c.readBody()
	if err != nil {
		return err
	}
	items, err := parseBatch(body)
	if err != nil {
		return err
	}
	handler := c.s.Item(c.s)
	failed := map[string]bool{}
	answers := []batchAnswer{}
	for _, item := range items {
		a := batchAnswer{ID: item.ID}
		if slices.ContainsFunc(item.DependsOn, func(id string) bool { return failed[id] }) {
			a.Status = http.StatusFailedDependency
			a.Body = json.RawMessage(`{"error":{"code":"FailedDependency","message":"A request that this one depends on has failed."}}`)
		} else if a, err = c.serveItem(handler, item); err != nil {
			return err
		}
		failed[item.ID] = a.Status >= 400
		answers = append(answers, a)
	}
	writeJSON(c.w, http.StatusOK, map[string]any{"responses": answers})
	return nil
}

func (c *call) serveItem(handler http.Handler, item batchItem) (batchAnswer, error) {
	ctx := context.WithValue(c.r.Context(), inBatchKey{}, true)
	var body []byte
	if hasBody(item.Body) {
		body = item.Body
	}
	r, err := http.NewRequestWithContext(ctx, item.Method, c.s.Base+"/"+c.version+"/"+strings.TrimPrefix(item.URL, "/"), bytes.NewReader(body))
	if err != nil {
		return batchAnswer{}, badRequest("The url of request '%.100s' is not valid.", item.ID)
	}
	// The token is the batch's, for all of it.
	r.Header.Set("Authorization", c.r.Header.Get("Authorization"))
	for name, value := range item.Headers {
		if !is(name, "Authorization") {
			r.Header.Set(name, value)
		}
	}
	held := &itemAnswer{header: http.Header{}}
	handler.ServeHTTP(held, r)
	a := batchAnswer{ID: item.ID, Status: max(held.status, http.StatusOK), Headers: map[string]string{}}
	for name := range held.header {
		a.Headers[name] = held.header.Get(name)
	}
	switch text := held.body.Bytes(); {
	case len(text) == 0:
	case json.Valid(text):
		a.Body = text
	default:
		// Graph gives what is not JSON as base64 text, which is what encoding
		// bytes makes.
		a.Body, _ = json.Marshal(text) // bytes always marshal
	}
	return a, nil
}

// itemAnswer is an answer within a batch, before it is sent.
type itemAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *itemAnswer) Header() http.Header { return a.header }

func (a *itemAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *itemAnswer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}
