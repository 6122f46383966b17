package graph_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Graph refuses a filter with more than 15 alternatives as InvalidFilter.
func TestNoFilterHasMoreThan15Alternatives(t *testing.T) {
	const groups, most = 45, 15
	var mu sync.Mutex
	var filters []string
	filterOf := func(address string) {
		u, err := url.Parse(address)
		if err != nil {
			t.Errorf("asked for %q: %v", address, err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if f := u.Query().Get("$filter"); f != "" {
			filters = append(filters, f)
		}
	}
	s := newService(t, func(w http.ResponseWriter, c call) {
		if strings.HasSuffix(c.Path, mineSuffix) {
			var rows []any
			for i := range groups {
				rows = append(rows, map[string]any{"id": fmt.Sprint(i), "groupId": groupNumber(i), "accessId": "member"})
			}
			sendJSON(w, 200, listOf(rows...))
			return
		}
		answerBatch(w, c, func(address string) (int, map[string]string, any) {
			filterOf(address)
			if strings.HasPrefix(address, "/groups") {
				return 200, nil, listOf()
			}
			return 200, nil, listOf(policyRow("member", rule("Expiration", map[string]any{"maximumDuration": "PT2H"})))
		})
	})
	list, err := s.Groups().Eligible(short(t))
	if err != nil || len(list) != groups {
		t.Fatalf("%d, %v", len(list), err)
	}
	var all sync.WaitGroup
	for _, e := range list {
		all.Go(func() {
			if p, err := s.Groups().Policy(short(t), e); err != nil || !p.Readable {
				t.Errorf("%s: %+v, %v", e.Role.Scope.ID, p, err)
			}
		})
	}
	all.Wait()
	if len(filters) < groups/most {
		t.Fatalf("filters were %q", filters)
	}
	for _, f := range filters {
		if n := strings.Count(f, " or ") + strings.Count(f, ",") + 1; n > most {
			t.Errorf("%d alternatives in %q", n, f)
		}
	}
}
