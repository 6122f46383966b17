package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
	"roletray/pim/wire"
)

func seed(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no examples: %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, s := range []string{`{"value":[null,{}]}`, `{"value":{}}`, `null`, `{"value":[{"startDateTime":5,"scheduleInfo":{"startDateTime":"x","expiration":null}}],"@odata.nextLink":"::"}`, `{"responses":[{"id":"0","status":429,"headers":{"Retry-After":"3"}},{"id":"-1"},{"id":"x"}]}`} {
		f.Add([]byte(s))
	}
}

func testClient() *Client {
	endpoint, _ := url.Parse("https://graph.example")
	c := &Client{userID: "me", endpoint: endpoint, now: func() time.Time { return time.Unix(0, 0) }}
	c.directory, c.groups = newDirectory(c), newGroups(c)
	return c
}

// FuzzPage reads whatever comes as each list that there is.
func FuzzPage(f *testing.F) {
	seed(f)
	c := testClient()
	f.Fuzz(func(t *testing.T, body []byte) {
		instances, next, err := page[instanceRow](body)
		if err != nil && pim.CodeOf(err) != pim.CodeUnreadable {
			t.Errorf("error is %v", err)
		}
		if next != "" {
			if link, err := c.nextLink(next); err == nil {
				if u, err := url.Parse(link); err != nil || u.Host != "graph.example" || u.Scheme != "https" || u.User != nil {
					t.Errorf("followed %q", link)
				}
			}
		}
		for _, row := range instances {
			for _, p := range []*plane{&c.directory.plane, &c.groups.plane} {
				if r, ok := p.role(row.roleIDs); ok {
					safe(t, r.Name, r.Scope.Name)
					if r.Key() == "" || !wire.PlainID(r.Scope.ID) || r.Name == "" {
						t.Errorf("role %+v", r)
					}
					p.nameOf(r)
					row.eligibility(r)
					row.assignment(r)
				}
			}
		}
		requests, _, _ := page[requestRow](body)
		for _, row := range requests {
			q := row.request(pim.Role{})
			safe(t, q.Justification, string(q.Status), q.Ticket.Number, q.Ticket.System)
			if q.Duration < 0 {
				t.Errorf("duration %v", q.Duration)
			}
		}
		policies, _, _ := page[policyRow](body)
		for _, p := range c.policies(policies) {
			if !p.Readable || p.MaxDuration < 0 {
				t.Errorf("%+v", p)
			}
		}
	})
}

func safe(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if s != pim.CleanText(s, maxText) {
			t.Errorf("text %q", s)
		}
	}
}

func FuzzBatch(f *testing.F) {
	seed(f)
	c := testClient()
	nowhere, cancel := context.WithCancel(f.Context())
	cancel() // No link to a next page is followed.
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := batchAnswers(body)
		if err != nil {
			return
		}
		for i := range 3 {
			a := c.answerOf(got, i)
			if a.err != nil && pim.CodeOf(a.err) == pim.CodeInternal {
				t.Errorf("error is %v", a.err)
			}
			if _, ok := got[i]; !ok && a.err == nil {
				t.Error("an answer that did not come is no error")
			}
			_, _ = c.readNamed(nowhere, a, namesIn{single: i == 0, sole: i == 1})
		}
	})
}

func FuzzRefusal(f *testing.F) {
	f.Add(403, []byte(`{"error":{"code":"UnknownError","message":"{\"errorCode\":\"PermissionScopeNotGranted\",\"message\":\"x\"}"}}`))
	f.Add(400, []byte(`{"error":{"code":"UnknownError","message":"{\"errorCode\":5}"}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := codes.Refusal(status, nil, body, time.Unix(0, 0))
		safe(t, e.Service, e.Message)
		if e.Code == "" || e.Claims != "" && !json.Valid([]byte(e.Claims)) {
			t.Errorf("%+v", e)
		}
	})
}

// reads is a read that blocks until it is let go.
type reads struct {
	mu    sync.Mutex
	ids   [][]string
	let   chan struct{}
	until time.Time
}

func (r *reads) read(ctx context.Context, ids []string) map[string]loaded[string] {
	r.mu.Lock()
	r.ids = append(r.ids, slices.Clone(ids))
	r.mu.Unlock()
	select {
	case <-r.let:
	case <-ctx.Done():
		return nil
	}
	got := map[string]loaded[string]{}
	for _, id := range ids {
		got[id] = loaded[string]{value: "value of " + id, until: r.until}
	}
	return got
}

func TestLoaderGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reads{let: make(chan struct{}), until: time.Now().Add(time.Minute)}
		l := &loader[string]{now: time.Now, read: r.read, most: 20, slots: make(chan struct{}, 1)}
		var all sync.WaitGroup
		load := func(id string) {
			all.Go(func() {
				got, err := l.load(t.Context(), []string{id}, nil)
				if err != nil || got[id].value != "value of "+id {
					t.Errorf("%s: %+v, %v", id, got[id], err)
				}
			})
		}
		load("first")
		synctest.Wait()
		for i := range 30 {
			load(fmt.Sprint(i))
			load(fmt.Sprint(i))
		}
		synctest.Wait()
		close(r.let)
		all.Wait()
		var sizes []int
		for _, ids := range r.ids {
			sizes = append(sizes, len(ids))
		}
		if !slices.Equal(sizes, []int{1, 20, 10}) {
			t.Errorf("reads of %v", sizes)
		}
		load("first")
		all.Wait()
		time.Sleep(time.Minute)
		load("first")
		all.Wait()
		if len(r.ids) != 4 {
			t.Errorf("%d reads", len(r.ids))
		}
	})
}

func TestLoaderOutlivesItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reads{let: make(chan struct{})}
		l := &loader[string]{now: time.Now, read: r.read}
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := l.load(ctx, []string{"a"}, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("the reader: %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			got, err := l.load(t.Context(), []string{"a", "b"}, nil)
			if err != nil || got["a"].value == "" || got["b"].value == "" {
				t.Errorf("the other: %+v, %v", got, err)
			}
		})
		impatient, stop := context.WithCancel(t.Context())
		all.Go(func() {
			if _, err := l.load(impatient, []string{"a"}, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("who waits: %v", err)
			}
		})
		synctest.Wait()
		stop()
		cancel()
		synctest.Wait()
		close(r.let)
		all.Wait()
	})
}

func TestNamesAreAskedForInFewCalls(t *testing.T) {
	var ids []string
	for i := range 32 {
		ids = append(ids, fmt.Sprint(groupName, i))
	}
	ids = append(ids, unitName+"u'", userName+"1", objectName+"1", objectName+"2", tenantName, appName+"/A'")
	var asked []int
	for _, r := range nameReads(ids) {
		asked = append(asked, len(r.ids))
		if strings.ContainsAny(strings.Replace(r.path, currentUser, "", 1), " '") {
			t.Errorf("path is not escaped: %s", r.path)
		}
	}
	if !slices.Equal(asked, []int{15, 15, 1, 1, 1, 1, 2, 1, 2}) {
		t.Errorf("calls for %v", asked)
	}
}

// FuzzStages reads whatever comes as an approval.
func FuzzStages(f *testing.F) {
	seed(f)
	f.Add([]byte(`{"steps":[{"id":"..","status":"InProgress","assignedToMe":true}],"stages":[{"status":"Completed","reviewResult":"Approve","reviewedBy":{"id":"ME"},"reviewedDateTime":"2018-08-03T21:02:30.667Z","justification":"a\u202e\n"}]}`))
	c := testClient()
	f.Fuzz(func(t *testing.T, body []byte) {
		stages, err := readStages(body)
		if err != nil {
			if pim.CodeOf(err) != pim.CodeUnreadable {
				t.Errorf("error is %v", err)
			}
			return
		}
		for _, s := range stages {
			v := s.review()
			if v.Result != "" && !s.ended() || v.Sentence() != pim.CleanText(v.Sentence(), 500) {
				t.Errorf("%q is read as %+v", body, v)
			}
		}
		mine := slices.ContainsFunc(stages, func(s stage) bool {
			return s.ended() && s.ReviewedBy != nil && strings.EqualFold(s.ReviewedBy.ID, "me") && strings.EqualFold(s.Result, "Approve")
		})
		if err := c.groups.closed(stages, review{Result: "Approve"}); err == nil && (!mine || slices.ContainsFunc(stages, stage.open)) {
			t.Errorf("%q is taken for the person's approval", body)
		}
	})
}

func FuzzSegment(f *testing.F) {
	for _, s := range []string{"9f2b5ddb-a50e-44a1-a6f4-f616322262ea", "..", "a/b", "a?b#c", "%2e%2e", `a\b`, ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, id string) {
		path, err := segment(id)
		if err != nil {
			return
		}
		u, err := url.Parse("https://graph.example/v1.0/approvals/" + path + "/stages")
		if err != nil || u.RawQuery != "" || u.Fragment != "" || u.Host != "graph.example" || u.Path != "/v1.0/approvals/"+id+"/stages" || u.JoinPath().EscapedPath() != u.EscapedPath() {
			t.Errorf("%q became %q: %v, %v", id, path, u, err)
		}
	})
}
