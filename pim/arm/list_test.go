package arm_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roletray/pim"
)

func TestEligibleReadsMicrosoftsExample(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, _ call) {
		send(w, 200, example(t, "GetRoleEligibilityScheduleInstancesByScope", "200"))
	})
	got, err := s.Eligible(short(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []pim.Eligibility{{
		Role: pim.Role{
			Kind:         pim.KindAzure,
			DefinitionID: subscription + pimPath + "roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c",
			Name:         "Contributor",
			Scope:        pim.Scope{ID: subscription, Name: "Pay-As-You-Go", Type: pim.ScopeSubscription},
		},
		ID:          subscription + pimPath + "RoleEligibilityScheduleInstances/21e4b59a-0499-4fe0-a3c3-43a3055b773a",
		ScheduleID:  schedule,
		PrincipalID: me, PrincipalName: "User Account", Via: pim.ViaDirect,
		Start:            time.Date(2020, 9, 10, 0, 32, 36, 860_000_000, time.UTC),
		End:              time.Date(2021, 9, 10, 0, 31, 41, 477_000_000, time.UTC),
		Condition:        "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:ContainerName] StringEqualsIgnoreCase 'foo_storage_container'",
		ConditionVersion: "1.0",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	c := s.seen()[0]
	if c.Path != pimPath+"roleEligibilityScheduleInstances" || c.Filter != "asTarget()" {
		t.Errorf("asked %s with filter %q", c.Path, c.Filter)
	}
	if c.Header.Get("x-ms-client-request-id") == "" || !strings.HasPrefix(c.Header.Get("User-Agent"), "roletray ") {
		t.Errorf("headers are %v", c.Header)
	}
}

func eligibleRow(id, scope, definition, via, end string) string {
	if end != "null" {
		end = `"` + end + `"`
	}
	return fmt.Sprintf(`{"id":%q,"properties":{"scope":%q,"roleDefinitionId":%q,"memberType":%q,"endDateTime":%s,"principalId":null,"expandedProperties":null}}`, id, scope, definition, via, end)
}

func listOf(rows ...string) []byte { return []byte(`{"value":[` + strings.Join(rows, ",") + `]}`) }

func TestEligibilityOfManagementGroupArrivesOncePerSubscription(t *testing.T) {
	const group = "/providers/Microsoft.Management/managementGroups/prod"
	var rows []string
	for i := range 30 {
		definition := fmt.Sprintf("/subscriptions/%d/providers/Microsoft.Authorization/roleDefinitions/B24988AC-6180-42A0-AB88-20F7382DD24C", i)
		scope, via := group, "Inherited"
		if i%2 == 1 {
			scope = strings.ToUpper(group)
		}
		if i == 17 {
			via = "Group"
		}
		rows = append(rows, eligibleRow(fmt.Sprint(i), scope, definition, via, "2027-01-01T00:00:00Z"))
	}
	rows = append(rows,
		eligibleRow("other", subscription, contributor, "Direct", "2027-01-01T00:00:00Z"),
		eligibleRow("other for ever", subscription, strings.ToUpper(contributor), "Direct", "null"),
		eligibleRow("other by group", subscription, contributor, "Group", "null"))
	s := newService(t, func(w http.ResponseWriter, _ call) { send(w, 200, listOf(rows...)) })
	got, err := s.Eligible(short(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 {
		t.Fatalf("%d eligibilities", len(got))
	}
	if got[0].ID != "17" || got[0].Via != pim.ViaGroup || got[0].Role.Scope.Type != pim.ScopeManagementGroup {
		t.Errorf("first is %+v", got[0])
	}
	if got[1].ID != "other for ever" || !got[1].End.IsZero() {
		t.Errorf("second is %+v", got[1])
	}
}

func TestEligibleToleratesWhatItDoesNotKnow(t *testing.T) {
	long := strings.Repeat("ä", 120)
	body, err := json.Marshal(map[string]any{"value": []any{
		nil,
		map[string]any{"id": "no properties"},
		map[string]any{"properties": map[string]any{"scope": nil, "roleDefinitionId": nil}},
		map[string]any{"properties": map[string]any{"scope": "/subscriptions/a\u202eb", "roleDefinitionId": "r"}},
		map[string]any{"properties": map[string]any{
			"scope": "/subscriptions/1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm", "roleDefinitionId": "r",
			"memberType": "Sideways", "status": "Pondering", "surprise": []int{1},
			"expandedProperties": map[string]any{"scope": nil, "roleDefinition": map[string]any{"displayName": long, "type": "customrole"}, "principal": map[string]any{"displayName": "Evil\u202e\n Group"}},
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := newService(t, func(w http.ResponseWriter, _ call) { send(w, 200, body) })
	got, err := s.Eligible(short(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 {
		t.Fatalf("%d eligibilities: %+v", len(got), got)
	}
	e := got[0]
	if e.Role.Name != long || !e.Role.Custom || e.Via != "sideways" || e.PrincipalName != "Evil Group" || e.Role.Scope.Type != "Microsoft.Compute/virtualMachines" {
		t.Errorf("eligibility is %+v", e)
	}
}

func TestPages(t *testing.T) {
	page := func(next string) []byte {
		data, _ := json.Marshal(map[string]any{"value": []any{}, "nextLink": next})
		return data
	}
	last := listOf(eligibleRow("1", subscription, contributor, "Direct", "null"))
	for _, tt := range []struct {
		name string
		next func(url string, n int) string
		want pim.Code
	}{
		{"absolute", func(url string, _ int) string {
			return url + pimPath + "roleEligibilityScheduleInstances?api-version=2020-10-01&$skiptoken=a%2Fb"
		}, ""},
		{"relative", func(string, int) string {
			return pimPath + "roleEligibilityScheduleInstances?api-version=2020-10-01&$skiptoken=2"
		}, ""},
		{"a loop", func(url string, _ int) string { return url + "/same?api-version=2020-10-01" }, pim.CodeUnreadable},
		{"without end", func(url string, n int) string { return fmt.Sprintf("%s/p%d?api-version=2020-10-01", url, n) }, pim.CodeUnreadable},
		{"foreign host", func(string, int) string { return "https://127.0.0.1:1/steal?api-version=2020-10-01" }, pim.CodeUnreadable},
		{"foreign host without scheme", func(string, int) string { return "//evil.example/steal" }, pim.CodeUnreadable},
		{"without TLS", func(url string, _ int) string { return strings.Replace(url, "https:", "http:", 1) + "/x" }, pim.CodeUnreadable},
		{"user in the address", func(url string, _ int) string { return strings.Replace(url, "https://", "https://u@", 1) + "/x" }, pim.CodeUnreadable},
		{"nonsense", func(string, int) string { return "https://%zz" }, pim.CodeUnreadable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s *service
			s = newService(t, func(w http.ResponseWriter, _ call) {
				n := len(s.seen())
				if n == 2 && tt.want == "" {
					send(w, 200, last)
					return
				}
				send(w, 200, page(tt.next(s.url, n)))
			})
			got, err := s.Eligible(short(t))
			if pim.CodeOf(err) != tt.want {
				t.Fatalf("error is %v, want code %q", err, tt.want)
			}
			if tt.want == "" && len(got) != 1 {
				t.Errorf("eligibilities are %+v", got)
			}
			if n := len(s.seen()); n > 1000 {
				t.Errorf("%d pages were asked for", n)
			}
		})
	}
}

func TestAnswerWithoutListIsNotAnEmptyList(t *testing.T) {
	for _, body := range []string{"", "{}", `{"value":null}`, `{"value":"x"}`, `[`, "<html>sign in to the network</html>", `{"value":[{"properties":{"endDateTime":"yesterday"}}]}`} {
		s := newService(t, func(w http.ResponseWriter, _ call) { send(w, 200, []byte(body)) })
		got, err := s.Eligible(short(t))
		if pim.CodeOf(err) != pim.CodeUnreadable {
			t.Errorf("body %q: %+v, %v", body, got, err)
		}
	}
}

func TestRequestsAskTwiceAndMerge(t *testing.T) {
	body := example(t, "GetRoleAssignmentScheduleRequestByScope", "200")
	newer := replace(body, "fea7a502-9a96-4806-a26f-eee560e52045", "11111111-9a96-4806-a26f-eee560e52045", `"createdOn": "2020-09-09T21:35:27.91Z"`, `"createdOn": "2020-10-09T21:35:27.91Z"`)
	for _, tt := range []struct {
		name      string
		requestor func(http.ResponseWriter)
		want      []string
	}{
		{"both answer", func(w http.ResponseWriter) { send(w, 200, newer) }, []string{"11111111-9a96-4806-a26f-eee560e52045", ours}},
		{"the same rows", func(w http.ResponseWriter) { send(w, 200, body) }, []string{ours}},
		{"one filter is refused", func(w http.ResponseWriter) { refuse(w, 400, "InvalidFilter", "no") }, []string{ours}},
		{"somebody else's", func(w http.ResponseWriter) {
			send(w, 200, replace(newer, `"principalId": "`+me, `"principalId": "00000000-cb92-4276-9d2a-ca1e895e55ea`))
		}, []string{ours}},
		{"an administrator's", func(w http.ResponseWriter) { send(w, 200, replace(newer, "SelfActivate", "AdminAssign")) }, []string{ours}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, c call) {
				switch {
				case strings.Contains(c.Path, "Eligibility"):
					send(w, 200, listOf())
				case c.Filter == "asRequestor()":
					tt.requestor(w)
				case c.Filter == "asTarget()":
					send(w, 200, body)
				default:
					t.Errorf("filter %q", c.Filter)
				}
			})
			got, err := s.Requests(short(t))
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, r := range got {
				ids = append(ids, r.ID)
			}
			if diff := cmp.Diff(tt.want, ids); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRequestsFallBackWhenBothListsAreEmpty(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		if c.Filter == "principalId eq "+me {
			send(w, 200, example(t, "GetRoleAssignmentScheduleRequestByScope", "200"))
			return
		}
		send(w, 200, listOf())
	})
	got, err := s.Requests(short(t))
	if err != nil || len(got) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	r := got[0]
	if r.ID != ours || r.Action != pim.ActionActivate || r.Status != "Provisioned" || r.Duration != 8*time.Hour ||
		!r.Start.IsZero() || r.EffectiveEnd() != time.Date(2020, 9, 10, 5, 35, 27, 910_000_000, time.UTC) {
		t.Errorf("request is %+v", r)
	}
}

func TestRequestsFailWhenAListIsMissing(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		if c.Filter == "asTarget()" {
			refuse(w, 503, "ServiceUnavailable", "later")
			return
		}
		send(w, 200, example(t, "GetRoleAssignmentScheduleRequestByScope", "200"))
	})
	_, err := s.Requests(short(t))
	wantCode(t, err, pim.CodeUnavailable)
}

func TestReadsAreRetried(t *testing.T) {
	for name, fail := range map[string]func(http.ResponseWriter){
		"503": func(w http.ResponseWriter) { refuse(w, 503, "ServiceUnavailable", "later") },
		"429 with a short pause": func(w http.ResponseWriter) {
			w.Header().Set("retry-after-ms", "1")
			refuse(w, 429, "TooManyRequests", "later")
		},
		"cut connection": func(w http.ResponseWriter) { cut(w) },
	} {
		t.Run(name, func(t *testing.T) {
			var s *service
			s = newService(t, func(w http.ResponseWriter, _ call) {
				if len(s.seen()) < 3 {
					fail(w)
					return
				}
				send(w, 200, listOf())
			})
			if _, err := s.Eligible(short(t)); err != nil {
				t.Error(err)
			}
		})
	}
}
