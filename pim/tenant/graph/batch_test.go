package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

type batched struct {
	ID      string
	Status  int
	Headers map[string]string
	Body    json.RawMessage
}

func (tn *tenant) batch(items ...properties) map[string]batched {
	tn.t.Helper()
	var out struct{ Responses []batched }
	tn.do(user(me), "POST", "/v1.0/$batch", properties{"requests": items}).want(tn.t, http.StatusOK, "").into(tn.t, &out)
	all := map[string]batched{}
	for _, r := range out.Responses {
		all[r.ID] = r
	}
	if len(all) != len(items) {
		tn.t.Errorf("%d requests have %d answers", len(items), len(all))
	}
	return all
}

func get(id, url string, more ...properties) properties {
	return properties{"id": id, "method": "GET", "url": url}.with(more...)
}

func TestBatch(t *testing.T) {
	tn := newTenant(t)
	post := func(id string, body properties, more ...properties) properties {
		return properties{
			"id": id, "method": "post", "url": strings.TrimPrefix(roleRequests, "/v1.0"), "body": body,
			"headers": properties{"Content-Type": "application/json", "client-request-id": "0c5d6b1e-1111-4222-8333-444455556666", "Authorization": "Bearer x"},
		}.with(more...)
	}
	all := tn.batch(
		get("list", "/roleManagement/directory/roleEligibilityScheduleInstances/filterByCurrentUser(on='principal')?$expand=roleDefinition&$top=2"),
		get("noslash", "me?$select=id"),
		post("do", askRole("selfActivate", plainRole)),
		post("again", askRole("selfActivate", plainRole), properties{"dependsOn": []string{"do"}}),
		get("after", "/me", properties{"dependsOn": []string{"again"}}),
		get("chain", "/me", properties{"dependsOn": []string{"after"}}),
		get("missing", "/groups/"+boss),
		get("batch", "/$batch", properties{"method": "POST", "body": properties{"requests": []any{}}, "headers": properties{"content-type": "application/json"}}),
	)
	for id, status := range map[string]int{"list": 200, "noslash": 200, "do": 201, "again": 400, "after": 424, "chain": 424, "missing": 404, "batch": 400} {
		if all[id].Status != status {
			t.Errorf("%s is %d %s", id, all[id].Status, all[id].Body)
		}
	}
	if h := all["do"].Headers; h["Client-Request-Id"] != "0c5d6b1e-1111-4222-8333-444455556666" || !strings.HasPrefix(h["Content-Type"], "application/json") {
		t.Errorf("the headers are %v", h)
	}
	var p page
	if err := json.Unmarshal(all["list"].Body, &p); err != nil || len(p.Value) != 2 || !strings.HasPrefix(p.NextLink, tn.server.URL+"/v1.0/roleManagement/") {
		t.Errorf("the list is %s", all["list"].Body)
	}
	if n := len(tn.list(user(me), strings.TrimPrefix(p.NextLink, tn.server.URL))); n != 5 {
		t.Errorf("the next pages have %d rows", n)
	}
	if len(tn.activeRoles()) != 1 {
		t.Error("the request had no effect")
	}
	var r object
	if err := json.Unmarshal(all["do"].Body, &r); err != nil {
		t.Fatal(err)
	}
	// An answer without a body has none here either.
	late := tn.activate(askRole("selfActivate", openRole))
	gone := tn.batch(properties{"id": "1", "method": "POST", "url": "/roleManagement/directory/roleAssignmentScheduleRequests/" + late.ID + "/cancel"})["1"]
	if gone.Status != http.StatusNoContent || gone.Body != nil {
		t.Errorf("the cancelling is %d %s", gone.Status, gone.Body)
	}
}

// What disturbs one request of a batch leaves the others alone.
func TestBatchItemsFailAlone(t *testing.T) {
	tn := newTenant(t)
	tn.item = func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/groups"):
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(http.StatusTooManyRequests)
				fmt.Fprint(w, `{"error":{"code":"TooManyRequests","message":"Slow down."}}`)
			case strings.HasSuffix(r.URL.Path, "/"+team):
				fmt.Fprint(w, "no JSON")
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
	all := tn.batch(get("1", "/groups"), get("2", "/me"), get("3", "/groups/"+team))
	if all["1"].Status != http.StatusTooManyRequests || all["1"].Headers["Retry-After"] != "7" || all["2"].Status != http.StatusOK {
		t.Errorf("the answers are %v", all)
	}
	if string(all["3"].Body) != `"bm8gSlNPTg=="` {
		t.Errorf("what is no JSON is %s", all["3"].Body)
	}
}

func TestBatchRefusals(t *testing.T) {
	tn := newTenant(t)
	many := []properties{}
	for i := range 21 {
		many = append(many, get(fmt.Sprint(i), "/me"))
	}
	tn.batch(many[:20]...)
	for name, body := range map[string]any{
		"none": properties{}, "no JSON": "x", "too many": properties{"requests": many},
		"no id":       properties{"requests": []properties{get("", "/me")}},
		"twice":       properties{"requests": []properties{get("1", "/me"), get("1", "/me")}},
		"dependency":  properties{"requests": []properties{get("1", "/me", properties{"dependsOn": []string{"2"}})}},
		"absolute":    properties{"requests": []properties{get("1", "https://elsewhere.example/me")}},
		"other host":  properties{"requests": []properties{get("1", "//elsewhere.example/me")}},
		"no url":      properties{"requests": []properties{get("1", "")}},
		"bad url":     properties{"requests": []properties{get("1", "/%zz")}},
		"method":      properties{"requests": []properties{{"id": "1", "method": "LOOK", "url": "/me"}}},
		"no type":     properties{"requests": []properties{{"id": "1", "method": "POST", "url": "/me", "body": properties{}}}},
		"too long":    properties{"requests": []properties{get("1", "/me?"+strings.Repeat("x", maxBody))}},
		"wrong types": properties{"requests": 1},
	} {
		if code, _ := tn.do(user(me), "POST", "/v1.0/$batch", body).code(); code != "BadRequest" && name != "too long" {
			t.Errorf("%s is answered with %q", name, code)
		}
	}
	tn.do(user(me), "GET", "/v1.0/$batch", nil).want(t, http.StatusMethodNotAllowed, "Request_BadRequest")
}
