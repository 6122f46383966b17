package graph_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/graph"
	"roletray/pim/tenant"
)

// asker is whose request of each kind Ada is an approver of. Dana is another.
var asker = map[string]string{"directory": "chidi@haldenfreight.example", "group": "emil@haldenfreight.example"}

var nameOf = map[string]string{"directory": "Chidi Okafor", "group": "Emil Novák"}

const dana = "dana@haldenfreight.example"

// eachAsked runs a test in a tenant of its own for each kind of role, where
// somebody else has asked for what Ada is an approver of.
func eachAsked(t *testing.T, test func(t *testing.T, ada, asker company, kind string, asked pim.Request)) {
	t.Helper()
	for kind, who := range asker {
		t.Run(kind, func(t *testing.T) {
			ada := newCompany(t)
			other := ada.as(t, who)
			p := other.kinds()[kind]
			asked, err := p.Activate(t.Context(), activation(eligible(t, p, needsApproval)))
			if err != nil || asked.Phase(ada.Now()) != pim.PhaseWaiting {
				t.Fatalf("request is %+v, %v", asked, err)
			}
			test(t, ada, other, kind, asked)
		})
	}
}

func (c company) decider(kind string) pim.Decider { return c.kinds()[kind].(pim.Decider) }

func (c company) reviews(kind string) pim.ReviewReader { return c.kinds()[kind].(pim.ReviewReader) }

// waiting is the one request that waits for a person.
func waiting(t *testing.T, c company, kind string) pim.Approval {
	t.Helper()
	list, err := c.decider(kind).Approvals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 {
		t.Fatalf("what waits is %+v", list)
	}
	return list[0]
}

// decisions counts what was sent of them.
func (c company) decisions() (n int) {
	for _, seen := range c.Log() {
		if seen.Service == "graph" && seen.Method == "PATCH" {
			n++
		}
	}
	return n
}

func TestDecisionAtTenant(t *testing.T) {
	for name, want := range map[string]pim.Phase{"approve": pim.PhaseDone, "deny": pim.PhaseRefused} {
		t.Run(name, func(t *testing.T) {
			eachAsked(t, func(t *testing.T, ada, asker company, kind string, asked pim.Request) {
				if list, err := asker.decider(kind).Approvals(t.Context()); err != nil || len(list) != 0 {
					t.Errorf("the requestor's own: %+v, %v", list, err)
				}
				a := waiting(t, ada, kind)
				if a.Requestor != (pim.Principal{ID: asker.account.UserID, Name: nameOf[kind]}) || a.Request.Justification != "a reason" ||
					a.Request.ID != asked.ID || a.Request.Role != asked.Role || a.Request.Role.Scope.Name == "" ||
					a.Request.Duration != 30*time.Minute || !a.Expires().Equal(asked.Created.Add(24*time.Hour)) {
					t.Errorf("approval is %+v", a)
				}
				d := pim.Decision{Approve: name == "approve", Justification: "because"}
				if err := ada.decider(kind).Decide(t.Context(), a, d); err != nil {
					t.Fatal(err)
				}
				now, err := asker.kinds()[kind].Follow(t.Context(), asked)
				if err != nil || now.Phase(ada.Now()) != want || !now.Reviewable(ada.Now()) {
					t.Errorf("the request is %+v, %v", now, err)
				}
				// Whoever asked is told who has decided, when and why.
				told := pim.Review{Result: pim.ReviewDenied, By: pim.Principal{ID: ada.account.UserID, Name: "Ada Lindqvist"}, Reason: "because"}
				if d.Approve {
					told.Result = pim.ReviewApproved
				}
				said, err := asker.reviews(kind).Reviewed(t.Context(), now)
				if err != nil || said.At.Before(asked.Created) || said.At.After(ada.Now()) {
					t.Errorf("decided at %v, %v", said.At, err)
				}
				if said.At = (time.Time{}); said != told {
					t.Errorf("the requestor is told %+v, want %+v", said, told)
				}
				if list, err := ada.decider(kind).Approvals(t.Context()); err != nil || len(list) != 0 {
					t.Errorf("still waiting: %+v, %v", list, err)
				}
				if err := ada.decider(kind).Decide(t.Context(), a, d); err != nil {
					t.Errorf("the same decision again: %v", err)
				}
				d.Approve = !d.Approve
				wantCode(t, ada.decider(kind).Decide(t.Context(), a, d), pim.CodeDecided)
				if n := ada.decisions(); n != 1 {
					t.Errorf("%d decisions were sent", n)
				}
			})
		})
	}
}

// grant is what an administrator has consented to from now on.
func (c company) grant(t *testing.T, permissions ...string) {
	t.Helper()
	c.steer(t, "PUT", "/settings", map[string]any{"login": map[string]any{"grantedScopes": permissions}})
}

// baseSet are the names of graph.Scopes without those named.
func baseSet(without ...string) []string {
	var names []string
	for _, p := range graph.Scopes() {
		if !slices.Contains(without, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names
}

func TestRequestorIsNamedWithTheBaseSetAtTenant(t *testing.T) {
	eachAsked(t, func(t *testing.T, ada, asker company, kind string, _ pim.Request) {
		ada.grant(t, baseSet()...)
		if a := waiting(t, ada.as(t, ""), kind); a.Requestor.Label() != nameOf[kind] {
			t.Errorf("the requestor is %q", a.Requestor.Label())
		}
		// $expand is refused in some tenants; then the name comes by a call of its own.
		if err := ada.AddFaults(tenant.Fault{
			Service: "graph", PathContains: "on='approver'", Status: 400, Times: 1,
			Body: `{"error":{"code":"BadRequest","message":"The expansion is not supported."}}`,
		}); err != nil {
			t.Fatal(err)
		}
		if a := waiting(t, ada.as(t, ""), kind); a.Requestor.Label() != nameOf[kind] {
			t.Errorf("without $expand the requestor is %q", a.Requestor.Label())
		}
		ada.grant(t, baseSet("User.ReadBasic.All")...)
		if a := waiting(t, ada.as(t, ""), kind); a.Requestor.Label() != "somebody (id "+asker.account.UserID[:8]+"…)" {
			t.Errorf("who may not be read is %q", a.Requestor.Label())
		}
	})
}

func TestOneOfTwoApproversIsFasterAtTenant(t *testing.T) {
	eachAsked(t, func(t *testing.T, ada, asker company, kind string, asked pim.Request) {
		dana := ada.as(t, dana)
		a := waiting(t, ada, kind)
		if err := dana.decider(kind).Decide(t.Context(), waiting(t, dana, kind), pim.Decision{Approve: true, Justification: "mine"}); err != nil {
			t.Fatal(err)
		}
		err := ada.decider(kind).Decide(t.Context(), a, pim.Decision{Approve: true, Justification: "too late"})
		wantCode(t, err, pim.CodeDecided)
		if text := pim.Explain(err).Text; !strings.Contains(text, "Somebody else") {
			t.Errorf("the person reads %q", text)
		}
		if now, err := asker.kinds()[kind].Follow(t.Context(), asked); err != nil || now.Phase(ada.Now()) != pim.PhaseDone {
			t.Errorf("the request is %+v, %v", now, err)
		}
	})
}

func TestApproversJustificationIsAskedForAtTenant(t *testing.T) {
	eachAsked(t, func(t *testing.T, ada, _ company, kind string, _ pim.Request) {
		err := ada.decider(kind).Decide(t.Context(), waiting(t, ada, kind), pim.Decision{Approve: true})
		wantCode(t, err, pim.CodeRejected)
		if text := pim.Explain(err).Text; !strings.Contains(text, "justification") {
			t.Errorf("the person reads %q", text)
		}
		waiting(t, ada, kind)
	})
}

func TestOwnRequestIsNotDecidedAtTenant(t *testing.T) {
	eachKind(t, func(t *testing.T, ada company, p pim.Provider) {
		made, err := p.Activate(t.Context(), activation(eligible(t, p, needsApproval)))
		if err != nil {
			t.Fatal(err)
		}
		calls := len(ada.Log())
		decide := p.(pim.Decider).Decide
		own := pim.Approval{ID: made.ApprovalID, Request: made, Requestor: pim.Principal{ID: strings.ToUpper(ada.account.UserID)}}
		for _, a := range []pim.Approval{own, {ID: own.ID, Request: made}, {ID: own.ID, Requestor: own.Requestor}} {
			wantCode(t, decide(t.Context(), a, pim.Decision{Approve: true, Justification: "please"}), pim.CodeForbidden)
		}
		if n := len(ada.Log()); n != calls {
			t.Errorf("%d calls were made", n-calls)
		}
		// Without its requestor's name it is the service that refuses.
		wantCode(t, decide(t.Context(), pim.Approval{ID: own.ID}, pim.Decision{Approve: true}), pim.CodeForbidden)
		if a := waiting(t, ada.as(t, dana), string(p.Kind())); a.Request.ID != made.ID || a.Requestor.ID != ada.account.UserID {
			t.Errorf("approval is %+v", a)
		}
	})
}

func TestRequestThatNobodyDecidedAtTenant(t *testing.T) {
	eachAsked(t, func(t *testing.T, ada, _ company, kind string, _ pim.Request) {
		a := waiting(t, ada, kind)
		ada.Advance(25 * time.Hour)
		ada = ada.as(t, "") // The tokens have expired with it.
		if v, err := ada.as(t, asker[kind]).reviews(kind).Reviewed(t.Context(), a.Request); err != nil || v != (pim.Review{Result: pim.ReviewExpired}) {
			t.Errorf("the requestor is told %+v, %v", v, err)
		}
		err := ada.decider(kind).Decide(t.Context(), a, pim.Decision{Approve: true, Justification: "late"})
		wantCode(t, err, pim.CodeDecided)
		if text := pim.Explain(err).Text; !strings.Contains(text, "in time") {
			t.Errorf("the person reads %q", text)
		}
	})
}

func TestReviewNotToBeHadAtTenant(t *testing.T) {
	eachAsked(t, func(t *testing.T, ada, asker company, kind string, asked pim.Request) {
		if v, err := asker.reviews(kind).Reviewed(t.Context(), asked); err != nil || v != (pim.Review{}) {
			t.Errorf("while it waits: %+v, %v", v, err)
		}
		if err := ada.decider(kind).Decide(t.Context(), waiting(t, ada, kind), pim.Decision{Justification: "because"}); err != nil {
			t.Fatal(err)
		}
		ada.set(t, map[string]any{"ownApproval": "refuse"})
		_, err := asker.reviews(kind).Reviewed(t.Context(), asked)
		wantCode(t, err, pim.CodeForbidden)
		ada.set(t, map[string]any{"ownApproval": "allow"})
		_, err = asker.reviews(kind).Reviewed(t.Context(), pim.Request{ApprovalID: uuid.NewString()})
		wantCode(t, err, pim.CodeNotFound)
		calls := len(ada.Log())
		if v, err := asker.reviews(kind).Reviewed(t.Context(), pim.Request{ApprovalID: "../x"}); err == nil || len(ada.Log()) != calls {
			t.Errorf("what is no approval is %+v, after %d calls", v, len(ada.Log())-calls)
		}
	})
}

func TestLostDecisionAtTenant(t *testing.T) {
	for name, tt := range map[string]struct {
		fault tenant.Fault
		want  pim.Code
	}{
		"before it took effect": {tenant.Fault{CutBefore: true}, pim.CodeUnknownOutcome},
		"after it took effect":  {tenant.Fault{CutAfter: true}, ""},
		"unavailable":           {tenant.Fault{Status: 503}, pim.CodeUnknownOutcome},
		"conflict":              {tenant.Fault{Status: 409, Body: `{"error":{"code":"Conflict","message":"completed"}}`}, pim.CodeDecided},
		"throttled":             {tenant.Fault{Status: 429}, pim.CodeThrottled},
	} {
		t.Run(name, func(t *testing.T) {
			eachAsked(t, func(t *testing.T, ada, asker company, kind string, asked pim.Request) {
				a := waiting(t, ada, kind)
				tt.fault.Service, tt.fault.Method = "graph", "PATCH"
				if err := ada.AddFaults(tt.fault); err != nil {
					t.Fatal(err)
				}
				err := ada.decider(kind).Decide(t.Context(), a, pim.Decision{Approve: true, Justification: "because"})
				if pim.CodeOf(err) != tt.want {
					t.Errorf("code is %q, want %q: %v", pim.CodeOf(err), tt.want, err)
				}
				if n := ada.decisions(); n != 1 {
					t.Errorf("%d decisions were sent", n)
				}
				if now, err := asker.kinds()[kind].Follow(t.Context(), asked); err != nil || (now.Phase(ada.Now()) == pim.PhaseDone) != tt.fault.CutAfter {
					t.Errorf("the request is %+v, %v", now, err)
				}
			})
		})
	}
}

// Where v1.0 does not know the approval of a group, beta does.
func TestGroupApprovalFallsBackToStepsAtTenant(t *testing.T) {
	for name, fault := range map[string]tenant.Fault{
		"not found":         {Method: "GET", Status: 404, Body: `{"error":{"code":"ResourceNotFound","message":"gone"}}`},
		"not understood":    {Method: "GET", Status: 400, Body: `{"error":{"code":"BadRequest","message":"no property stages"}}`},
		"no stages shown":   {Method: "GET", Status: 200, Body: `{"id":"1"}`},
		"decision refused":  {Method: "PATCH", Status: 400, Body: `{"error":{"code":"BadRequest","message":"no segment stages"}}`},
		"decision lost way": {Method: "PATCH", Status: 404, Body: `{"error":{"code":"ItemNotFound","message":"no segment stages"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			ada := newCompany(t)
			emil := ada.as(t, asker["group"])
			asked, err := emil.client.Groups().Activate(t.Context(), activation(eligible(t, emil.client.Groups(), needsApproval)))
			if err != nil {
				t.Fatal(err)
			}
			fault.Service, fault.PathContains = "graph", "/v1.0/identityGovernance/privilegedAccess/group/assignmentApprovals/"
			if err := ada.AddFaults(fault); err != nil {
				t.Fatal(err)
			}
			a := waiting(t, ada, "group")
			if err := ada.client.Groups().Decide(t.Context(), a, pim.Decision{Approve: true, Justification: "because"}); err != nil {
				t.Fatal(err)
			}
			if now, err := emil.client.Groups().Follow(t.Context(), asked); err != nil || now.Phase(ada.Now()) != pim.PhaseDone {
				t.Errorf("the request is %+v, %v", now, err)
			}
			if v, err := emil.client.Groups().Reviewed(t.Context(), asked); err != nil || v.Result != pim.ReviewApproved || v.By.Name != "Ada Lindqvist" {
				t.Errorf("the requestor is told %+v, %v", v, err)
			}
		})
	}
}

const (
	other      = "d96ea738-3b95-4ae7-9e19-78a083066d5b"
	approvalID = "9f2b5ddb-a50e-44a1-a6f4-f616322262ea"
	theStage   = "d4fa4045-4716-436d-aec5-57b0a713f095"
	approvers  = "/filterByCurrentUser(on='approver')"
)

func replace(data []byte, pairs ...string) []byte {
	return []byte(strings.NewReplacer(pairs...).Replace(string(data)))
}

func pending(t *testing.T, pairs ...string) []byte {
	return replace(example(t, "directory.roleAssignmentScheduleRequests.filterByCurrentUser.approver.response-pending"), pairs...)
}

func TestApprovals(t *testing.T) {
	named := `"principalId": "` + other + `", "principal": {"id": "` + other + `", "displayName": "%s"}`
	for _, tt := range []struct {
		name string
		body []byte
		want []pim.Principal
	}{
		{"waits", pending(t), []pim.Principal{{ID: other}}},
		{"decided", pending(t, "PendingApproval", "Denied"), nil},
		{"an extension", pending(t, "PendingApproval", "PendingAdminDecision"), nil},
		{"a check", pending(t, `"isValidationOnly": false`, `"isValidationOnly": true`), nil},
		{"one's own", pending(t, other, strings.ToUpper(me)), nil},
		{"one's own without a requestor", pending(t, other, me, `"user"`, `"nobody"`), nil},
		{"for somebody else", pending(t, `"principalId": "`+other, `"principalId": "`+me), []pim.Principal{{ID: other}}},
		{"with a name", pending(t, `"principalId": "`+other+`"`, fmt.Sprintf(named, "Chidi Okafor")), []pim.Principal{{ID: other, Name: "Chidi Okafor"}}},
		{"with the requestor's name", pending(t, `"displayName": null`, `"displayName": "Chidi Okafor"`), []pim.Principal{{ID: other, Name: "Chidi Okafor"}}},
		{"with a name to mislead", pending(t, `"principalId": "`+other+`"`, fmt.Sprintf(named, `\u202eevil\u0000 `+strings.Repeat("x", 300))), []pim.Principal{{ID: other, Name: "evil " + strings.Repeat("x", 250) + "…"}}},
		{"without an approval", pending(t, `"approvalId": "`+approvalID+`"`, `"approvalId": null`), []pim.Principal{{ID: other}}},
		{"with something else for an approval", pending(t, `"approvalId": "`+approvalID+`"`, `"approvalId": "../me"`), nil},
		{"no rows", []byte(`{"value":[null,{}]}`), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, c call) {
				switch {
				case c.Path == "/v1.0/$batch":
					refuse(w, 403, "Authorization_RequestDenied", "")
				case c.Path != directoryBase+"roleAssignmentScheduleRequests"+approvers || c.Query["$filter"] != "status eq 'PendingApproval'" || c.Query["$expand"] != "roleDefinition,principal":
					t.Errorf("asked %s with %q", c.Path, c.Query)
					fallthrough
				default:
					send(w, 200, tt.body)
				}
			})
			list, err := s.Directory().Approvals(short(t))
			if err != nil {
				t.Fatal(err)
			}
			var got []pim.Principal
			for _, a := range list {
				got = append(got, a.Requestor)
				if a.ID != approvalID || a.Request.ApprovalID != approvalID {
					t.Errorf("approval is %+v", a)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// $expand of what lies in the directory is refused in some tenants; the names come
// with one more call then, if they may be read.
func TestNamesOfRequestorsInOneCall(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		switch {
		case strings.HasSuffix(c.Path, "/$batch"):
			var responses []any
			for _, r := range c.Body["requests"].([]any) {
				in := r.(map[string]any)
				names := listOf(map[string]any{"id": group, "displayName": "On call"})
				if strings.HasPrefix(in["url"].(string), "/users?") {
					names = listOf(map[string]any{"id": strings.ToUpper(other), "displayName": "Chidi Okafor"}, map[string]any{"id": me})
				}
				responses = append(responses, map[string]any{"id": in["id"], "status": 200, "body": names})
			}
			sendJSON(w, 200, map[string]any{"responses": responses})
		case c.Query["$expand"] == "principal":
			refuse(w, 400, "BadRequest", "The expansion is not supported.")
		default:
			if len(c.Query) != 0 {
				t.Errorf("asked with %q", c.Query)
			}
			row := func(id, who, created string) map[string]any {
				return map[string]any{"id": id, "groupId": group, "accessId": "member", "status": "PendingApproval", "action": "selfActivate", "principalId": who, "createdDateTime": created}
			}
			sendJSON(w, 200, listOf(
				row("3", other, "2022-04-13T08:00:00Z"), row("1", "somebody", "2022-04-13T06:00:00Z"), row("2", other, "2022-04-13T07:00:00Z"),
				row("3", other, "2022-04-13T08:00:00Z"),
			))
		}
	})
	list, err := s.Groups().Approvals(short(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range list {
		got = append(got, a.ID+" "+a.Requestor.Label()+" "+a.Request.Role.Scope.Name)
	}
	if diff := cmp.Diff([]string{"1 somebody (id somebody) On call", "2 Chidi Okafor On call", "3 Chidi Okafor On call"}, got); diff != "" {
		t.Error(diff)
	}
	if n := s.count("/$batch"); n != 1 || len(s.seen()) != 3 {
		t.Errorf("%d calls", len(s.seen()))
	}
}

func TestDecideSendsMicrosoftsExample(t *testing.T) {
	for _, tt := range []struct {
		kind, example, approval, stage, expand string
	}{
		{
			"group", "group.assignmentApprovals.get.response-docs",
			groupBase + "assignmentApprovals/" + approvalID, "/stages/" + theStage, "stages",
		},
		{
			"directory", "beta.directory.roleAssignmentApprovals.get.response-entra-docs",
			"/beta/roleManagement/directory/roleAssignmentApprovals/" + approvalID, "/steps/<approval-step-ID-GUID>", "steps",
		},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, c call) {
				if c.Method == "GET" {
					send(w, 200, example(t, tt.example))
					return
				}
				w.WriteHeader(204)
			})
			a := pim.Approval{ID: approvalID, Requestor: pim.Principal{ID: other}}
			if err := decidersOf(s)[tt.kind].Decide(short(t), a, pim.Decision{Approve: true, Justification: "OK"}); err != nil {
				t.Fatal(err)
			}
			calls := s.seen()
			if len(calls) != 2 || calls[0].Path != tt.approval || calls[0].Query["$expand"] != tt.expand || calls[1].Method != "PATCH" || calls[1].Path != tt.approval+tt.stage {
				t.Fatalf("calls are %+v", calls)
			}
			if diff := cmp.Diff(map[string]any{"reviewResult": "Approve", "justification": "OK"}, calls[1].Body); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func decidersOf(s *service) map[string]pim.Decider {
	return map[string]pim.Decider{"directory": s.Directory(), "group": s.Groups()}
}

func open(t *testing.T) []byte { return example(t, "group.assignmentApprovals.get.response-docs") }

// completed is Microsoft's example of an approval after somebody's decision.
func completed(t *testing.T, by, result string) []byte {
	return replace(open(t), `"InProgress"`, `"Completed"`, `"NotReviewed"`, `"`+result+`"`, `"reviewedBy": null`, `"reviewedBy": {"id":"`+by+`","displayName":"X"}`)
}

func TestStageThatIsNotOpen(t *testing.T) {
	for _, tt := range []struct {
		name string
		body []byte
		want pim.Code
	}{
		{"decided by another", completed(t, other, "Approve"), pim.CodeDecided},
		{"decided otherwise", completed(t, me, "Deny"), pim.CodeDecided},
		{"decided so by the person", completed(t, strings.ToUpper(me), "approve"), ""},
		{"withdrawn", replace(open(t), `"InProgress"`, `"Completed"`), pim.CodeDecided},
		{"nobody decided", replace(open(t), `"InProgress"`, `"Expired"`), pim.CodeDecided},
		{"being completed", replace(open(t), `"InProgress"`, `"Completing"`), pim.CodeDecided},
		{"somebody else's", replace(open(t), "true", "false"), pim.CodeForbidden},
		{"no stages", []byte(`{"stages":[]}`), pim.CodeDecided},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for kind := range asker {
				s := newService(t, func(w http.ResponseWriter, _ call) { send(w, 200, tt.body) })
				err := decidersOf(s)[kind].Decide(short(t), pim.Approval{ID: approvalID}, pim.Decision{Approve: true})
				if pim.CodeOf(err) != tt.want {
					t.Errorf("%s: code is %q, want %q: %v", kind, pim.CodeOf(err), tt.want, err)
				}
				if n := len(s.seen()); n != 1 {
					t.Errorf("%s: %d calls", kind, n)
				}
			}
		})
	}
}

func TestReviewed(t *testing.T) {
	decided := func(pairs ...string) []byte {
		return replace(open(t), append(pairs, `"InProgress"`, `"Completed"`, `"NotReviewed"`, `"Deny"`)...)
	}
	nameless := decided(`"reviewedBy": null`, `"reviewedBy": {"id":"`+other+`","displayName":null}`)
	for _, tt := range []struct {
		name string
		body []byte
		want pim.Review
	}{
		{
			"by name", decided(`"reviewedBy": null`, `"reviewedBy": {"id":"A","displayName":"Chidi\nOkafor"}`,
				`"reviewedDateTime": null`, `"reviewedDateTime": "2018-08-03T21:02:30.667Z"`, `"justification": ""`, `"justification": "not\u202e today"`),
			pim.Review{Result: pim.ReviewDenied, By: pim.Principal{ID: "a", Name: "Chidi Okafor"}, At: time.Date(2018, 8, 3, 21, 2, 30, 667e6, time.UTC), Reason: "not today"},
		},
		{"named by the directory", nameless, pim.Review{Result: pim.ReviewDenied, By: pim.Principal{ID: other, Name: "Dana"}}},
		{"by nobody known", decided(), pim.Review{Result: pim.ReviewDenied}},
		{"open", open(t), pim.Review{}},
		{"nobody in time", replace(open(t), `"InProgress"`, `"Expired"`), pim.Review{Result: pim.ReviewExpired}},
		{"withdrawn", replace(open(t), `"InProgress"`, `"Completed"`), pim.Review{}},
		{"no stages", []byte(`{"stages":[]}`), pim.Review{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for kind, want := range map[string]string{
				"directory": "/beta/roleManagement/directory/roleAssignmentApprovals/" + approvalID,
				"group":     "/v1.0/identityGovernance/privilegedAccess/group/assignmentApprovals/" + approvalID,
			} {
				s := newService(t, func(w http.ResponseWriter, c call) {
					if c.Path == "/v1.0/users" {
						sendJSON(w, 200, listOf(map[string]any{"id": other, "displayName": "Dana"}))
						return
					}
					send(w, 200, tt.body)
				})
				got, err := decidersOf(s)[kind].(pim.ReviewReader).Reviewed(short(t), pim.Request{ApprovalID: approvalID})
				if err != nil || got != tt.want {
					t.Errorf("%s: %+v, %v", kind, got, err)
				}
				if c := s.seen()[0]; c.Method != "GET" || c.Path != want {
					t.Errorf("%s: asked for %+v", kind, c)
				}
			}
		})
	}
}

func TestApprovalThatCannotBeRead(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter)
		want   pim.Code
		// again says that the other place is asked too.
		again bool
	}{
		"not there":   {func(w http.ResponseWriter) { refuse(w, 404, "ResourceNotFound", "") }, pim.CodeNotFound, true},
		"no approval": {func(w http.ResponseWriter) { send(w, 200, []byte(`{}`)) }, pim.CodeUnreadable, true},
		"nothing":     {func(w http.ResponseWriter) { send(w, 200, nil) }, pim.CodeUnreadable, true},
		"broken":      {func(w http.ResponseWriter) { send(w, 200, []byte(`{"stages":`)) }, pim.CodeUnreadable, true},
		"forbidden":   {func(w http.ResponseWriter) { refuse(w, 403, "UnauthorizedAccessException", "") }, pim.CodeForbidden, false},
		"step-up": {func(w http.ResponseWriter) {
			refuse(w, 400, "RoleAssignmentRequestAcrsValidationFailed", "&claims=%7B%22access_token%22%3A%7B%7D%7D")
		}, pim.CodeStepUp, false},
		"stage without an id": {func(w http.ResponseWriter) { send(w, 200, replace(open(t), theStage, "..")) }, pim.CodeInternal, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, _ call) { tt.answer(w) })
			wantCode(t, s.Groups().Decide(short(t), pim.Approval{ID: approvalID}, pim.Decision{Approve: true}), tt.want)
			want := 1
			if tt.again {
				want = 2
			}
			if calls := s.seen(); len(calls) != want || slices.ContainsFunc(calls, func(c call) bool { return c.Method != "GET" }) {
				t.Errorf("%d calls", len(calls))
			}
		})
	}
}

func TestDecisionWhoseAnswerIsLost(t *testing.T) {
	conflict := func(w http.ResponseWriter) { refuse(w, 409, "Conflict", "") }
	approved := func(w http.ResponseWriter) { send(w, 200, completed(t, me, "Approve")) }
	for _, tt := range []struct {
		name         string
		write, after func(http.ResponseWriter)
		want         pim.Code
	}{
		{"taken", cut, approved, ""},
		{"taken, says a gateway's error", func(w http.ResponseWriter) { send(w, 504, nil) }, approved, ""},
		{"taken, says a conflict", conflict, approved, ""},
		{"somebody was faster", cut, func(w http.ResponseWriter) { send(w, 200, completed(t, other, "Approve")) }, pim.CodeDecided},
		{"the person has said otherwise", cut, func(w http.ResponseWriter) { send(w, 200, completed(t, me, "Deny")) }, pim.CodeDecided},
		{"still open", cut, func(w http.ResponseWriter) { send(w, 200, open(t)) }, pim.CodeUnknownOutcome},
		{"the stage is gone", cut, func(w http.ResponseWriter) { send(w, 200, []byte(`{"stages":[]}`)) }, pim.CodeUnknownOutcome},
		{"it cannot be read", cut, func(w http.ResponseWriter) { refuse(w, 404, "ResourceNotFound", "") }, pim.CodeUnknownOutcome},
		{"a conflict, and it cannot be read", conflict, func(w http.ResponseWriter) { refuse(w, 404, "", "") }, pim.CodeDecided},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s *service
			s = newService(t, func(w http.ResponseWriter, c call) {
				switch {
				case c.Method != "GET":
					tt.write(w)
				case len(s.seen()) == 1:
					send(w, 200, open(t))
				default:
					tt.after(w)
				}
			})
			err := s.Groups().Decide(short(t), pim.Approval{ID: approvalID}, pim.Decision{Approve: true})
			if pim.CodeOf(err) != tt.want {
				t.Errorf("code is %q, want %q: %v", pim.CodeOf(err), tt.want, err)
			}
			writes := 0
			for _, c := range s.seen() {
				if c.Method == "PATCH" {
					writes++
				}
			}
			if writes != 1 {
				t.Errorf("%d writes", writes)
			}
		})
	}
}

func TestApprovalThatIsNoneIsNotAsked(t *testing.T) {
	s := newService(t, func(http.ResponseWriter, call) {})
	for _, id := range []string{"", "/", "..", "a/b", `a\b`, "\u202e", approvalID + "/stages/1", strings.Repeat("x", 3000)} {
		for kind, d := range decidersOf(s) {
			if err := d.Decide(short(t), pim.Approval{ID: id}, pim.Decision{Approve: true}); err == nil {
				t.Errorf("%q was decided by %s", id, kind)
			}
		}
	}
	if n := len(s.seen()); n != 0 {
		t.Errorf("%d calls", n)
	}
}
