package tenant

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"roletray/pim/tenant/entra"
)

// Seen is one request in the log. Of a token it holds the id only.
type Seen struct {
	// Time is when it arrived, by the tenant's clock.
	Time    time.Time `json:"time"`
	Service string    `json:"service"`
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Query   string    `json:"query,omitempty"`
	// Batched tells a request that came in a batch, which is in the log too.
	Batched bool `json:"batched,omitempty"`
	// Status is zero where the connection was cut without an answer.
	Status int `json:"status"`
	// TokenID and Contexts are claims uti and acrs of the bearer token.
	TokenID  string   `json:"uti,omitempty"`
	Contexts []string `json:"acrs,omitempty"`
	// ClientRequestID is the header x-ms-client-request-id or client-request-id.
	ClientRequestID string `json:"clientRequestId,omitempty"`
}

const (
	maxSeen     = 10_000
	maxPatterns = 1_000
)

// record is what the tenant remembers of the requests. The zero value is empty.
type record struct {
	mu       sync.Mutex
	seen     []Seen
	counters map[string]int
	tokens   map[string]string
}

func newSeen(service string, now time.Time, r *http.Request) Seen {
	s := Seen{Time: now, Service: service, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery}
	s.TokenID, s.Contexts = entra.Describe(r)
	for _, name := range []string{"x-ms-client-request-id", "client-request-id"} {
		if id := r.Header.Get(name); id != "" && s.ClientRequestID == "" {
			s.ClientRequestID = fmt.Sprintf("%.100s", id)
		}
	}
	return s
}

func (rec *record) add(s Seen) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if len(rec.seen) >= maxSeen {
		rec.seen = slices.Delete(rec.seen, 0, maxSeen/10)
	}
	rec.seen = append(rec.seen, s)
	key := s.Service + " " + s.Method + " " + pattern(s.Path)
	if _, known := rec.counters[key]; !known && len(rec.counters) >= maxPatterns {
		key = s.Service + " " + s.Method + " …"
	}
	if rec.counters == nil {
		rec.counters, rec.tokens = map[string]int{}, map[string]string{}
	}
	rec.counters[key]++
	if s.TokenID != "" {
		rec.tokens[key] = s.TokenID
	}
}

func (rec *record) log() []Seen {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.seen)
}

// counts are the number of requests and the id of the last token, by service,
// method and path, with every GUID in the path written as {id}.
func (rec *record) counts() (counters map[string]int, tokens map[string]string) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return maps.Clone(rec.counters), maps.Clone(rec.tokens)
}

func pattern(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if _, err := uuid.Parse(s); err == nil {
			segments[i] = "{id}"
		}
	}
	return strings.Join(segments, "/")
}
