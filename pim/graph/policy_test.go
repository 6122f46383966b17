package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roletray/pim"
)

func eligibilityOf(r pim.Role) pim.Eligibility { return pim.Eligibility{Role: r} }

func TestDirectoryPolicyExample(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		if c.Query["$filter"] != "scopeId eq '/' and scopeType eq 'DirectoryRole'" || c.Query["$expand"] != "policy($expand=rules)" {
			t.Errorf("query is %v", c.Query)
		}
		send(w, 200, example(t, "policies.roleManagementPolicyAssignments.list.response-directoryRole-expanded"))
	})
	r := attributeRole()
	r.DefinitionID = "62E90394-69f5-4237-9190-012177145e10"
	r.Scope = pim.Scope{ID: "/administrativeUnits/x", Type: pim.ScopeAdministrativeUnit}
	got, err := s.Directory().Policy(short(t), eligibilityOf(r))
	if err != nil {
		t.Fatal(err)
	}
	want := pim.Policy{Readable: true, MaxDuration: 8 * time.Hour, MFARequired: true, JustificationRequired: true, ReadAt: s.clock()}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for range 20 {
		if got, err := s.Directory().Policy(short(t), eligibilityOf(attributeRole())); err != nil || got.Readable {
			t.Errorf("a role without settings has %+v, %v", got, err)
		}
	}
	if n := len(s.seen()); n != 1 {
		t.Errorf("%d calls", n)
	}
	s.advance(5 * time.Minute)
	if _, err := s.Directory().Policy(short(t), eligibilityOf(r)); err != nil || len(s.seen()) != 2 {
		t.Errorf("after five minutes: %d calls, %v", len(s.seen()), err)
	}
}

func TestGroupPolicyExample(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		if c.Query["$filter"] != "scopeId eq '"+group+"' and scopeType eq 'Group'" {
			t.Errorf("query is %v", c.Query)
		}
		send(w, 200, example(t, "policies.roleManagementPolicyAssignments.list.response-group-owner-expanded"))
	})
	owner := groupRole()
	owner.Access = pim.AccessOwner
	got, err := s.Groups().Policy(short(t), eligibilityOf(owner))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(examplePolicy(t, s.clock()), got); d != "" {
		t.Error(d)
	}
	if got, err := s.Groups().Policy(short(t), eligibilityOf(groupRole())); err != nil || got.Readable {
		t.Errorf("the member's are %+v, %v", got, err)
	}
	if n := len(s.seen()); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// examplePolicy is what the example's rules for one's own activation say, read
// from it in another way.
func examplePolicy(t *testing.T, now time.Time) pim.Policy {
	t.Helper()
	var e struct {
		Value []struct {
			Policy struct{ Rules []map[string]any }
		}
	}
	if err := json.Unmarshal(example(t, "policies.roleManagementPolicyAssignments.list.response-group-owner-expanded"), &e); err != nil {
		t.Fatal(err)
	}
	p := pim.Policy{Readable: true, ReadAt: now}
	for _, r := range e.Value[0].Policy.Rules {
		switch r["id"] {
		case "Expiration_EndUser_Assignment":
			if r["maximumDuration"] != "PT8H" {
				t.Fatalf("the example says %v", r["maximumDuration"])
			}
			p.MaxDuration = 8 * time.Hour
		case "Enablement_EndUser_Assignment":
			for _, rule := range r["enabledRules"].([]any) {
				p.MFARequired = p.MFARequired || rule == "MultiFactorAuthentication"
				p.JustificationRequired = p.JustificationRequired || rule == "Justification"
				p.TicketRequired = p.TicketRequired || rule == "Ticketing"
			}
		}
	}
	return p
}

// rule is a rule for one's own activation.
func rule(name string, fields map[string]any) map[string]any {
	r := map[string]any{"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicy" + name + "Rule", "id": name + "_EndUser_Assignment"}
	for k, v := range fields {
		r[k] = v
	}
	return r
}

func policyRow(role string, rules ...any) map[string]any {
	return map[string]any{"id": role, "roleDefinitionId": role, "policy": map[string]any{"rules": rules}}
}

func TestEveryRuleIsRead(t *testing.T) {
	approval := map[string]any{"setting": map[string]any{"isApprovalRequired": true, "approvalStages": []any{map[string]any{"primaryApprovers": []any{
		map[string]any{"@odata.type": "#microsoft.graph.singleUser", "userId": "AB", "description": "Ann\u202e"},
		map[string]any{"@odata.type": "#microsoft.graph.groupMembers", "groupId": "cd", "description": "Leads"},
	}}}}}
	s := newService(t, func(w http.ResponseWriter, c call) {
		sendJSON(w, 200, listOf(policyRow("member",
			rule("Expiration", map[string]any{"maximumDuration": "PT30M"}),
			rule("Enablement", map[string]any{"enabledRules": []string{"Ticketing"}}),
			rule("AuthenticationContext", map[string]any{"isEnabled": true, "claimValue": "c1"}),
			rule("Approval", approval),
			map[string]any{"@odata.type": "#microsoft.graph.unifiedRoleManagementPolicyExpirationRule", "id": "Expiration_Admin_Assignment", "maximumDuration": "P365D"},
			map[string]any{"@odata.type": "#microsoft.graph.somethingNew", "id": "Expiration_EndUser_Assignment", "maximumDuration": "PT1M"},
			nil,
		)))
	})
	got, err := s.Groups().Policy(short(t), eligibilityOf(groupRole()))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(pim.Policy{
		Readable: true, MaxDuration: 30 * time.Minute, TicketRequired: true, AuthContext: "c1", ApprovalRequired: true,
		Approvers: []pim.Approver{{ID: "ab", Name: "Ann"}, {ID: "cd", Name: "Leads", Group: true}}, ReadAt: s.clock(),
	}, got); d != "" {
		t.Error(d)
	}
}

func TestOtherScopeTypeIsTried(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		if strings.HasSuffix(c.Query["$filter"], "'Directory'") {
			sendJSON(w, 200, listOf(policyRow(attribute, rule("Expiration", map[string]any{"maximumDuration": "PT2H"}))))
			return
		}
		sendJSON(w, 200, listOf())
	})
	got, err := s.Directory().Policy(short(t), eligibilityOf(attributeRole()))
	if err != nil || got.MaxDuration != 2*time.Hour {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestUnreadablePolicyIsAValue(t *testing.T) {
	for _, code := range []string{"UnauthorizedAccessException", "PermissionScopeNotGranted", "Authorization_RequestDenied"} {
		s := newService(t, func(w http.ResponseWriter, c call) { wrapped(w, 403, code, "no") })
		for range 2 {
			if got, err := s.Directory().Policy(short(t), eligibilityOf(attributeRole())); err != nil || got.Readable {
				t.Errorf("%s: %+v, %v", code, got, err)
			}
			if got, err := s.Groups().Policy(short(t), eligibilityOf(groupRole())); err != nil || got.Readable {
				t.Errorf("%s: %+v, %v", code, got, err)
			}
		}
		if n := len(s.seen()); n != 2 {
			t.Errorf("%d calls", n)
		}
	}
}

func TestFailedPolicyIsAskedAgain(t *testing.T) {
	var s *service
	s = newService(t, func(w http.ResponseWriter, c call) {
		if len(s.seen()) == 1 {
			refuse(w, 400, "InvalidFilter", "The filter is not supported.")
			return
		}
		sendJSON(w, 200, listOf(policyRow(attribute, rule("Expiration", map[string]any{"maximumDuration": "PT2H"}))))
	})
	_, err := s.Directory().Policy(short(t), eligibilityOf(attributeRole()))
	wantCode(t, err, pim.CodeRejected)
	if got, err := s.Directory().Policy(short(t), eligibilityOf(attributeRole())); err != nil || !got.Readable {
		t.Errorf("%+v, %v", got, err)
	}
}

func groupNumber(i int) string { return fmt.Sprintf("00000000-0000-0000-0000-%012d", i) }

// answerBatch answers each item of a batch.
func answerBatch(w http.ResponseWriter, c call, answer func(url string) (status int, header map[string]string, body any)) (items int) {
	var answers []any
	for _, r := range c.Body["requests"].([]any) {
		r := r.(map[string]any)
		status, header, body := answer(r["url"].(string))
		answers = append([]any{map[string]any{"id": r["id"], "status": status, "headers": header, "body": body}}, answers...)
	}
	sendJSON(w, 200, map[string]any{"responses": answers})
	return len(answers)
}

func TestGroupPoliciesComeTogether(t *testing.T) {
	const groups = 45
	var mu sync.Mutex
	var batches []int
	s := newService(t, func(w http.ResponseWriter, c call) {
		switch {
		case strings.HasSuffix(c.Path, mineSuffix):
			var rows []any
			for i := range groups {
				rows = append(rows, map[string]any{"id": fmt.Sprint(i), "groupId": groupNumber(i), "accessId": "member"})
			}
			sendJSON(w, 200, listOf(rows...))
		case len(c.Body["requests"].([]any)) > 0 && strings.HasPrefix(c.Body["requests"].([]any)[0].(map[string]any)["url"].(string), "/groups"):
			answerBatch(w, c, func(string) (int, map[string]string, any) { return 200, nil, listOf() })
		default:
			n := answerBatch(w, c, func(url string) (int, map[string]string, any) {
				if strings.Contains(url, groupNumber(3)) {
					return 403, nil, failure("PermissionScopeNotGranted", "no")
				}
				return 200, nil, listOf(policyRow("member", rule("Expiration", map[string]any{"maximumDuration": "PT2H"})))
			})
			mu.Lock()
			batches = append(batches, n)
			mu.Unlock()
		}
	})
	list, err := s.Groups().Eligible(short(t))
	if err != nil || len(list) != groups {
		t.Fatalf("%d, %v", len(list), err)
	}
	var all sync.WaitGroup
	for i, e := range list {
		all.Go(func() {
			p, err := s.Groups().Policy(short(t), e)
			if err != nil || p.Readable != (i != 3) {
				t.Errorf("group %d: %+v, %v", i, p, err)
			}
		})
	}
	all.Wait()
	total := 0
	for _, n := range batches {
		total += n
	}
	if total != groups || len(batches) > 5 {
		t.Errorf("batches of %v", batches)
	}
}

func TestGroupCheckIsLocal(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		sendJSON(w, 200, listOf(policyRow("member", rule("Expiration", map[string]any{"maximumDuration": "PT2H"}), rule("Enablement", map[string]any{"enabledRules": []string{"Ticketing"}}))))
	})
	a := activationOf(groupRole())
	err := s.Groups().Check(short(t), a)
	wantCode(t, err, pim.CodePolicy)
	if text := pim.Explain(err).Text; !strings.Contains(text, "shorter duration") || !strings.Contains(text, "ticket") {
		t.Error(text)
	}
	a.Duration, a.Ticket.Number = time.Hour, "1"
	if err := s.Groups().Check(short(t), a); err != nil {
		t.Error(err)
	}
	for _, c := range s.seen() {
		if c.Method != "GET" {
			t.Errorf("a check has sent %+v", c)
		}
	}
}
