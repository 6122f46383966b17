package graph

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// write is a condition as text again.
func (c *condition) write() string {
	switch c.op {
	case "and", "or":
		return "(" + c.left.write() + " " + c.op + " " + c.right.write() + ")"
	case "not":
		return "not (" + c.left.write() + ")"
	}
	var values []string
	for _, v := range c.values {
		text := "'" + strings.ReplaceAll(v.text, "'", "''") + "'"
		if v.null {
			text = "null"
		}
		values = append(values, text)
	}
	list := strings.Join(values, ",")
	if c.op == "in" {
		list = "(" + list + ")"
	}
	return strings.Join(c.path, "/") + " " + c.op + " " + list
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		"status eq 'PendingApproval'", "principalId eq 'x' and (a eq null or b ne true)", "id in ('a','b''c')", "not (a/b/c ge 2022-04-13T12:00:00Z)",
		"", "((", "a eq '", "a in (", "a in ()", "not not a eq b", "and eq or or or eq and",
	} {
		f.Add(s)
	}
	e := entity{"a": "x", "status": nil, "id": true, "b": entity{"c": "2022-04-13T12:00:00Z"}}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseFilter(s)
		if err != nil || c == nil {
			return
		}
		// What was understood means the same when it is written out again, as
		// long as the added parentheses do not nest too deep.
		again, err := parseFilter(c.write())
		if err != nil {
			if strings.Count(c.write(), "(") > maxDepth/2 {
				return
			}
			t.Fatalf("%q became %q: %v", s, c.write(), err)
		}
		if !reflect.DeepEqual(c, again) {
			t.Fatalf("%q became %q", s, c.write())
		}
		if c.match(e) != again.match(e) || c.alternatives() != again.alternatives() || len(c.properties()) == 0 {
			t.Fatalf("%q does not mean what %q means", s, c.write())
		}
	})
}

func writeExpansions(list []expansion) string {
	var parts []string
	for _, x := range list {
		var options []string
		if x.selected != nil {
			options = append(options, "$select="+strings.Join(x.selected, ","))
		}
		if x.inner != nil {
			options = append(options, "$expand="+writeExpansions(x.inner))
		}
		text := x.name
		if len(options) > 0 {
			text += "(" + strings.Join(options, ";") + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ",")
}

func FuzzExpand(f *testing.F) {
	for _, s := range []string{
		"roleDefinition", "policy($expand=rules)", "a,b($select=x,y;$expand=c($select=d)),e", "", "(", "a(", "a($expand=", "a()", "a($select=)", ",",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := parseExpand(s)
		if err != nil {
			return
		}
		again, err := parseExpand(writeExpansions(list))
		if err != nil || !reflect.DeepEqual(list, again) {
			t.Fatalf("%q became %q: %v", s, writeExpansions(list), err)
		}
	})
}

func FuzzBatch(f *testing.F) {
	for _, s := range []string{
		`{"requests":[{"id":"1","method":"GET","url":"/me"}]}`, `{"requests":[]}`, `{}`, `[]`, `{"requests":[{}]}`,
		`{"requests":[{"id":"1","method":"POST","url":"me","body":{},"headers":{"content-type":"x"}},{"id":"2","method":"GET","url":"x","dependsOn":["1"]}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := parseBatch(body)
		if err != nil {
			return
		}
		if len(items) == 0 || len(items) > maxBatch {
			t.Fatalf("%d requests were taken", len(items))
		}
		seen := map[string]bool{}
		for _, item := range items {
			if item.ID == "" || seen[item.ID] || item.Method != strings.ToUpper(item.Method) || strings.Contains(item.URL, "://") && strings.Index(item.URL, "://") < strings.IndexAny(item.URL+"?", "/?#") {
				t.Fatalf("%q was taken", item)
			}
			seen[item.ID] = true
		}
	})
}

func FuzzRequestBody(f *testing.F) {
	for _, b := range []any{
		askRole("selfActivate", plainRole, lasting("PT1H")), askGroup("selfExtend", team, "member", startingAt(noon, "P1Y")), properties{}, nil, []int{1},
	} {
		raw, err := json.Marshal(b)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	s := shape{"x", []string{"action", "principalId", "roleDefinitionId", "directoryScopeId", "groupId", "accessId", "justification", "isValidationOnly", "scheduleInfo", "ticketInfo"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := parseRequest(body, &s)
		if err != nil {
			return
		}
		schedule, wrong := b.ScheduleInfo.Parse()
		if wrong == "" && (schedule.Duration < 0 || schedule.Duration.Hours() > 24*3660) {
			t.Fatalf("%s lasts %v", body, schedule.Duration)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"/v1.0/me", "/v1.0/users('x')/y", "//", "/filterByCurrentUser(on='principal')", "/a(b", "/a)b("} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		segments := split(path)
		if len(segments) > 2*(strings.Count(path, "/")+1) {
			t.Fatalf("%q has the segments %q", path, segments)
		}
		for _, s := range segments {
			if on, ok := currentUser(s); ok && !strings.Contains(s, on) || !ok && on != "" {
				t.Fatalf("%q in %q", on, s)
			}
		}
	})
}
