package graph

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"strings"
	"sync"
)

// maxPages is more than any real list has.
const maxPages = 1000

// list yields the rows of a list to its end, page after page. An error is the
// last thing it yields.
func list[T any](ctx context.Context, c *Client, ref string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for rows, err := range pages[T](ctx, c, ref) {
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
		}
	}
}

// pages yields a list page by page to its end. An error is the last thing it yields.
func pages[T any](ctx context.Context, c *Client, ref string) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		seen := map[string]bool{}
		for ref != "" {
			body, err := c.get(ctx, ref)
			if err != nil {
				yield(nil, err)
				return
			}
			rows, next, err := page[T](body)
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(rows, nil) || next == "" {
				return
			}
			if ref, err = c.nextLink(next); err != nil {
				yield(nil, err)
				return
			}
			if seen[ref] || len(seen) == maxPages {
				yield(nil, unreadable("the list does not end"))
				return
			}
			seen[ref] = true
		}
	}
}

// ahead yields what a sequence does, with the next value on its way while one is
// dealt with. read gets a context that ends with the loop.
func ahead[T any](ctx context.Context, read func(context.Context) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		type pair struct {
			value T
			err   error
		}
		ctx, cancel := context.WithCancel(ctx)
		coming := make(chan pair)
		var reader sync.WaitGroup
		reader.Go(func() {
			defer close(coming)
			for value, err := range read(ctx) {
				select {
				case coming <- pair{value, err}:
				case <-ctx.Done():
					return
				}
			}
		})
		defer reader.Wait()
		defer cancel()
		for p := range coming {
			if !yield(p.value, p.err) {
				return
			}
		}
	}
}

// page reads one page of a list. A row that is null is left out.
func page[T any](body []byte) (rows []T, next string, err error) {
	var answer struct {
		Value []*T   `json:"value"`
		Next  string `json:"@odata.nextLink"`
	}
	if err := decode(body, &answer); err != nil {
		return nil, "", err
	}
	if answer.Value == nil {
		return nil, "", unreadable("the answer holds no list")
	}
	for _, row := range answer.Value {
		if row != nil {
			rows = append(rows, *row)
		}
	}
	return rows, answer.Next, nil
}

// listed are the rows of a list whose first page is the answer to an item of a batch.
// With an error it returns those before it.
func listed[T any](ctx context.Context, c *Client, a answer) ([]T, error) {
	if a.err != nil {
		return nil, a.err
	}
	found, next, err := page[T](a.body)
	if err != nil || next == "" {
		return found, err
	}
	if next, err = c.nextLink(next); err != nil {
		return found, err
	}
	for row, err := range list[T](ctx, c, next) {
		if err != nil {
			return found, err
		}
		found = append(found, row)
	}
	return found, nil
}

// nextLink refuses a link to a next page that leads away from the service, which
// would be asked with the person's token. It changes nothing else of it.
func (c *Client) nextLink(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", unreadable("the link to the next page is not a URL")
	}
	if !strings.EqualFold(u.Scheme, c.endpoint.Scheme) || !strings.EqualFold(u.Host, c.endpoint.Host) || u.User != nil {
		return "", unreadable("the link to the next page leads to another host")
	}
	return link, nil
}

// rows are the rows of a list until its end or an error.
func rows[T any](list iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for row, err := range list {
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, nil
}

// one reads an answer that is a single object.
func one[T any](body []byte) (T, error) {
	var row *T
	if err := json.Unmarshal(body, &row); err != nil || row == nil {
		var none T
		return none, unreadable("the answer holds no object")
	}
	return *row, nil
}
