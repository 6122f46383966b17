package arm_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roletray/pim"
	"roletray/pim/arm"
	"roletray/pim/tenant"
)

const (
	bjorn = "bjorn@haldenfreight.example"
	chidi = "chidi@haldenfreight.example"
)

// website asks for the role of Chidi's that Ada is an approver of.
func website(t *testing.T, chidi company) pim.Request {
	t.Helper()
	e := chidi.eligible(t, func(e pim.Eligibility, _ pim.Policy) bool { return e.Role.Name == "Website Contributor" })
	made, err := chidi.provider.Activate(t.Context(), activation(e))
	if err != nil {
		t.Fatal(err)
	}
	if made.Phase(chidi.Now()) != pim.PhaseWaiting {
		t.Fatalf("request is %+v", made)
	}
	return made
}

// waiting is the one request that waits for a person.
func waiting(t *testing.T, c company) pim.Approval {
	t.Helper()
	list, err := c.provider.Approvals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 {
		t.Fatalf("what waits is %+v", list)
	}
	return list[0]
}

func TestDecisionAtTenant(t *testing.T) {
	for _, tt := range []struct {
		name    string
		approve bool
		answer  string
		want    pim.Phase
	}{
		{"approve", true, "200", pim.PhaseDone},
		{"approve, answered without a body", true, "204", pim.PhaseDone},
		{"deny", false, "200", pim.PhaseRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ada := newCompany(t)
			ada.control(t, "PUT", "/settings", `{"arm":{"approvalAnswer":`+tt.answer+`}}`)
			chidi := ada.as(t, chidi)
			asked := website(t, chidi)
			if list, err := chidi.provider.Approvals(t.Context()); err != nil || len(list) != 0 {
				t.Errorf("the requestor's own: %+v, %v", list, err)
			}
			a := waiting(t, ada)
			if a.Requestor != (pim.Principal{ID: chidi.account.UserID, Name: "Chidi Okafor"}) || a.Request.Justification != "a reason" ||
				a.Request.ID != asked.ID || a.Request.Role.Name != "Website Contributor" || a.Request.Role.Scope.Name != "rg-portal-prod" ||
				a.Request.Duration != 30*time.Minute || !a.Expires().Equal(asked.Created.Add(24*time.Hour)) {
				t.Errorf("approval is %+v", a)
			}
			d := pim.Decision{Approve: tt.approve, Justification: "because"}
			if err := ada.provider.Decide(t.Context(), a, d); err != nil {
				t.Fatal(err)
			}
			now, err := chidi.provider.Follow(t.Context(), asked)
			if err != nil || now.Phase(ada.Now()) != tt.want {
				t.Errorf("the request is %+v, %v", now, err)
			}
			// Whoever asked is told who has decided, when and why.
			want := pim.Review{Result: pim.ReviewDenied, By: pim.Principal{ID: ada.account.UserID, Name: "Ada Lindqvist"}, Reason: "because"}
			if tt.approve {
				want.Result = pim.ReviewApproved
			}
			said, err := chidi.provider.Reviewed(t.Context(), asked)
			if err != nil || said.At.Before(asked.Created) || said.At.After(ada.Now()) {
				t.Errorf("decided at %v, %v", said.At, err)
			}
			if said.At = (time.Time{}); said != want {
				t.Errorf("the requestor is told %+v, want %+v", said, want)
			}
			if list, err := ada.provider.Approvals(t.Context()); err != nil || len(list) != 0 {
				t.Errorf("still waiting: %+v, %v", list, err)
			}
			if err := ada.provider.Decide(t.Context(), a, d); err != nil {
				t.Errorf("the same decision again: %v", err)
			}
			d.Approve = !d.Approve
			wantCode(t, ada.provider.Decide(t.Context(), a, d), pim.CodeDecided)
			if n := ada.writes("PATCH"); n != 1 {
				t.Errorf("%d decisions were sent", n)
			}
		})
	}
}

func TestOneOfTwoApproversIsFasterAtTenant(t *testing.T) {
	ada := newCompany(t)
	asked := website(t, ada.as(t, chidi))
	dana := ada.as(t, "dana@haldenfreight.example")
	a := waiting(t, ada)
	if err := dana.provider.Decide(t.Context(), waiting(t, dana), pim.Decision{Approve: true, Justification: "mine"}); err != nil {
		t.Fatal(err)
	}
	err := ada.provider.Decide(t.Context(), a, pim.Decision{Approve: true, Justification: "too late"})
	wantCode(t, err, pim.CodeDecided)
	if text := pim.Explain(err).Text; !strings.Contains(text, "Somebody else") {
		t.Errorf("the person reads %q", text)
	}
	if now, err := dana.provider.Follow(t.Context(), asked); err != nil || now.Phase(ada.Now()) != pim.PhaseDone {
		t.Errorf("the request is %+v, %v", now, err)
	}
}

func TestApproversJustificationIsAskedForAtTenant(t *testing.T) {
	ada := newCompany(t)
	website(t, ada.as(t, chidi))
	err := ada.provider.Decide(t.Context(), waiting(t, ada), pim.Decision{Approve: true})
	if e := wantCode(t, err, pim.CodeRejected); !strings.Contains(e.Message, "justification") {
		t.Errorf("error is %v", err)
	}
	waiting(t, ada)
}

func TestOwnRequestIsNotDecidedAtTenant(t *testing.T) {
	ada := newCompany(t)
	e := ada.eligible(t, func(e pim.Eligibility, p pim.Policy) bool { return e.Role.Name == "Owner" && p.ApprovalRequired })
	made, err := ada.provider.Activate(t.Context(), activation(e))
	if err != nil {
		t.Fatal(err)
	}
	calls := len(ada.Log())
	own := pim.Approval{ID: made.ApprovalID, Request: made, Requestor: pim.Principal{ID: strings.ToUpper(ada.account.UserID)}}
	for _, a := range []pim.Approval{own, {ID: own.ID, Request: made}, {ID: own.ID, Requestor: own.Requestor}} {
		wantCode(t, ada.provider.Decide(t.Context(), a, pim.Decision{Approve: true, Justification: "please"}), pim.CodeForbidden)
	}
	if n := len(ada.Log()); n != calls {
		t.Errorf("%d calls were made", n-calls)
	}
	// Without its requestor's name it is the service that refuses.
	wantCode(t, ada.provider.Decide(t.Context(), pim.Approval{ID: own.ID}, pim.Decision{Approve: true}), pim.CodeForbidden)
	if a := waiting(t, ada.as(t, bjorn)); a.Request.ID != made.ID || a.Requestor.Name != "Ada Lindqvist" {
		t.Errorf("approval is %+v", a)
	}
}

func TestRequestThatNobodyDecidedAtTenant(t *testing.T) {
	ada := newCompany(t)
	website(t, ada.as(t, chidi))
	a := waiting(t, ada)
	ada.Advance(25 * time.Hour)
	ada = ada.as(t, "") // The tokens have expired with it.
	if v, err := ada.as(t, chidi).provider.Reviewed(t.Context(), a.Request); err != nil || v != (pim.Review{Result: pim.ReviewExpired}) {
		t.Errorf("the requestor is told %+v, %v", v, err)
	}
	err := ada.provider.Decide(t.Context(), a, pim.Decision{Approve: true, Justification: "late"})
	wantCode(t, err, pim.CodeDecided)
	if text := pim.Explain(err).Text; !strings.Contains(text, "in time") {
		t.Errorf("the person reads %q", text)
	}
}

func TestReviewNotToBeHadAtTenant(t *testing.T) {
	ada := newCompany(t)
	asker := ada.as(t, chidi)
	asked := website(t, asker)
	if v, err := asker.provider.Reviewed(t.Context(), asked); err != nil || v != (pim.Review{}) {
		t.Errorf("while it waits: %+v, %v", v, err)
	}
	if err := ada.provider.Decide(t.Context(), waiting(t, ada), pim.Decision{Justification: "because"}); err != nil {
		t.Fatal(err)
	}
	ada.control(t, "PUT", "/settings", `{"arm":{"ownApproval":"refuse"}}`)
	_, err := asker.provider.Reviewed(t.Context(), asked)
	wantCode(t, err, pim.CodeForbidden)
	asked.ApprovalID = "/providers/Microsoft.Authorization/roleAssignmentApprovals/" + asked.ID
	_, err = asker.provider.Reviewed(t.Context(), asked)
	wantCode(t, err, pim.CodeNotFound)
	ada.control(t, "PUT", "/settings", `{"arm":{"ownApproval":"allow"}}`)
	calls := len(ada.Log())
	for _, id := range []string{"", "/subscriptions/s", "../../x"} {
		if v, err := asker.provider.Reviewed(t.Context(), pim.Request{ID: asked.ID, Status: "Denied", ApprovalID: id}); err == nil {
			t.Errorf("the approval %q is %+v", id, v)
		}
	}
	if n := len(ada.Log()); n != calls {
		t.Errorf("%d calls about what is no approval", n-calls)
	}
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
			ada := newCompany(t)
			asked := website(t, ada.as(t, chidi))
			a := waiting(t, ada)
			tt.fault.Service, tt.fault.Method = "arm", "PATCH"
			if err := ada.AddFaults(tt.fault); err != nil {
				t.Fatal(err)
			}
			err := ada.provider.Decide(t.Context(), a, pim.Decision{Approve: true, Justification: "because"})
			if pim.CodeOf(err) != tt.want {
				t.Errorf("code is %q, want %q: %v", pim.CodeOf(err), tt.want, err)
			}
			if n := ada.writes("PATCH"); n != 1 {
				t.Errorf("%d decisions were sent", n)
			}
			if now, err := ada.provider.Follow(t.Context(), asked); err != nil || (now.Phase(ada.Now()) == pim.PhaseDone) != tt.fault.CutAfter {
				t.Errorf("the request is %+v, %v", now, err)
			}
		})
	}
}

const (
	other        = "99999999-cb92-4276-9d2a-ca1e895e55ea"
	approvalID   = "/providers/Microsoft.Authorization/roleAssignmentApprovals/488a6d0e-0a63-4946-86e3-1f5bbc934661"
	approvalPath = "/providers/Microsoft.Authorization/roleAssignmentApprovals/488a6d0e-0a63-4946-86e3-1f5bbc934661"
	// The stage's GUID is not the approval's, nor the name beside its id.
	stagePath = approvalPath + "/stages/4135f961-be78-4005-8101-c72a5af307a2"
)

// pending is Microsoft's example of a request, made one that waits.
func pending(t *testing.T) []byte {
	return replace(example(t, "GetRoleAssignmentScheduleRequestByScope", "200"),
		`"status": "Provisioned"`, `"status": "PendingApproval"`, `"approvalId": null`, `"approvalId": "`+approvalID+`"`,
		`"requestorId": "`+me, `"requestorId": "`+other, `"principalId": "`+me, `"principalId": "`+other)
}

// asApprover() at a subscription leaves out what is asked for at management groups.
func TestAsApproverAtASubscriptionMissingManagementGroups(t *testing.T) {
	const group = "/providers/Microsoft.Management/managementGroups/prod"
	s := newService(t, func(w http.ResponseWriter, c call) {
		if c.Path != strings.TrimSuffix(pimPath, "/")+"/roleAssignmentScheduleRequests" || c.Filter != "asApprover()" {
			t.Errorf("asked %s with %q", c.Path, c.Filter)
		}
		send(w, 200, replace(pending(t), `"scope": "`+subscription+`"`, `"scope": "`+group+`"`))
	})
	list, err := s.Approvals(short(t))
	if err != nil || len(list) != 1 || list[0].Request.Role.Scope.ID != group {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestApprovals(t *testing.T) {
	for _, tt := range []struct {
		name string
		body func() []byte
		want []pim.Principal
	}{
		{"waits", func() []byte { return pending(t) }, []pim.Principal{{ID: other, Name: "User Account"}}},
		{"decided", func() []byte { return replace(pending(t), "PendingApproval", "Denied") }, nil},
		{"an extension", func() []byte { return replace(pending(t), "PendingApproval", "PendingAdminDecision") }, nil},
		{"one's own", func() []byte {
			return replace(pending(t), `"requestorId": "`+other, `"requestorId": "`+strings.ToUpper(me))
		}, nil},
		{"one's own without a requestor", func() []byte {
			return replace(pending(t), `"requestorId": "`+other+`"`, `"requestorId": null`, `"principalId": "`+other, `"principalId": "`+me)
		}, nil},
		{"for somebody else", func() []byte {
			return replace(pending(t), `"requestorId": "`+other, `"requestorId": "11111111-cb92-4276-9d2a-ca1e895e55ea`)
		}, []pim.Principal{{ID: "11111111-cb92-4276-9d2a-ca1e895e55ea"}}},
		{"without a display name", func() []byte { return replace(pending(t), `"User Account"`, "null") }, []pim.Principal{{ID: other, Name: "user@my-tenant.com"}}},
		{"with a name to mislead", func() []byte {
			return replace(pending(t), "User Account", `\u202eevil\u0000 `+strings.Repeat("x", 300))
		}, []pim.Principal{{ID: other, Name: "evil " + strings.Repeat("x", 250) + "…"}}},
		{"without an approval", func() []byte { return replace(pending(t), `"`+approvalID+`"`, "null") }, nil},
		{"with something else for an approval", func() []byte { return replace(pending(t), approvalID, subscription) }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, _ call) { send(w, 200, tt.body()) })
			list, err := s.Approvals(short(t))
			if err != nil {
				t.Fatal(err)
			}
			var got []pim.Principal
			for _, a := range list {
				got = append(got, a.Requestor)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOldestApprovalIsFirstAndEachOnce(t *testing.T) {
	newer := string(pending(t))
	older := string(replace([]byte(newer), "488a6d0e", "00000000", "2020-09-09T21:35:27.91Z", "2020-09-08T21:35:27.91Z"))
	row := func(s string) string {
		s = s[strings.Index(s, "[")+1:]
		return s[:strings.LastIndex(s, "]")]
	}
	s := newService(t, func(w http.ResponseWriter, _ call) { send(w, 200, listOf(row(newer), row(older), row(newer))) })
	list, err := s.Approvals(short(t))
	if err != nil || len(list) != 2 || list[1].ID != approvalID {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestDecideSendsMicrosoftsExample(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, c call) {
		if c.Method == "GET" {
			send(w, 200, example(t, "GetRoleAssignmentApprovalById", "200"))
			return
		}
		send(w, 200, example(t, "PatchRoleAssignmentApprovalStepById", "200"))
	})
	a := pim.Approval{ID: approvalID, Requestor: pim.Principal{ID: other}}
	if err := s.Decide(short(t), a, pim.Decision{Approve: true, Justification: "I trust this person."}); err != nil {
		t.Fatal(err)
	}
	calls := s.seen()
	if len(calls) != 2 || calls[0].Path != approvalPath || calls[1].Method != "PATCH" || calls[1].Path != stagePath {
		t.Fatalf("calls are %+v", calls)
	}
	if diff := cmp.Diff(map[string]any{"reviewResult": "Approve", "justification": "I trust this person."}, calls[1].JSON); diff != "" {
		t.Error(diff)
	}
}

func TestDecisionIsWrappedWhereTheFlatOneIsRefused(t *testing.T) {
	a := pim.Approval{ID: "488a6d0e-0a63-4946-86e3-1f5bbc934661", Requestor: pim.Principal{ID: other}}
	for _, tt := range []struct {
		name  string
		flat  func(http.ResponseWriter)
		calls int
		want  pim.Code
	}{
		{"refused", func(w http.ResponseWriter) { refuse(w, 400, "InvalidRequestContent", "no") }, 3, ""},
		{"refused without a word", func(w http.ResponseWriter) { send(w, 400, nil) }, 3, ""},
		{"step-up", func(w http.ResponseWriter) {
			refuse(w, 400, "RoleAssignmentRequestAcrsValidationFailed", "&claims=%7B%22access_token%22%3A%7B%7D%7D")
		}, 2, pim.CodeStepUp},
		{"forbidden", func(w http.ResponseWriter) { refuse(w, 403, "Whatever", "no") }, 2, pim.CodeForbidden},
		{"gone", func(w http.ResponseWriter) { refuse(w, 404, "ResourceNotFound", "no") }, 2, pim.CodeNotFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, c call) {
				switch c.Method {
				case "GET":
					send(w, 200, example(t, "GetRoleAssignmentApprovalById", "200"))
				case "PATCH":
					tt.flat(w)
				default:
					send(w, 204, nil)
				}
			})
			err := s.Decide(short(t), a, pim.Decision{Justification: "no"})
			if pim.CodeOf(err) != tt.want || len(s.seen()) != tt.calls {
				t.Fatalf("%d calls, %v", len(s.seen()), err)
			}
			if tt.calls == 3 {
				c := s.seen()[2]
				want := map[string]any{"properties": map[string]any{"reviewResult": "Deny", "justification": "no"}}
				if diff := cmp.Diff(want, c.JSON); diff != "" || c.Method != "PUT" || c.Path != stagePath {
					t.Errorf("sent %s %s: %s", c.Method, c.Path, diff)
				}
			}
		})
	}
}

// completed is Microsoft's example of an approval after somebody's decision.
func completed(t *testing.T, by, result string) []byte {
	return replace(example(t, "GetRoleAssignmentApprovalById", "200"),
		`"InProgress"`, `"Completed"`, `"NotReviewed"`, `"`+result+`"`, `"reviewedBy": null`, `"reviewedBy": {"principalId":"`+by+`"}`)
}

func TestStageThatIsNotOpen(t *testing.T) {
	open := example(t, "GetRoleAssignmentApprovalById", "200")
	for _, tt := range []struct {
		name string
		body []byte
		want pim.Code
	}{
		{"decided by another", completed(t, other, "Approve"), pim.CodeDecided},
		{"decided otherwise", completed(t, me, "Deny"), pim.CodeDecided},
		{"decided so by the person", completed(t, strings.ToUpper(me), "approve"), ""},
		{"withdrawn", replace(open, `"InProgress"`, `"Completed"`), pim.CodeDecided},
		{"nobody decided", replace(open, `"InProgress"`, `"Expired"`), pim.CodeDecided},
		{"being completed", replace(open, `"InProgress"`, `"Completing"`), pim.CodeDecided},
		{"somebody else's", replace(open, "true", "false"), pim.CodeForbidden},
		{"no stages", []byte(`{"properties":{"stages":[]}}`), pim.CodeDecided},
		{"no approval", []byte(`{}`), pim.CodeUnreadable},
		{"nothing", nil, pim.CodeUnreadable},
		{"broken", []byte(`{"properties":`), pim.CodeUnreadable},
		{"a stage without a name", replace(open, "stages/4135f961-be78-4005-8101-c72a5af307a2", "stages/.."), pim.CodeUnreadable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, _ call) { send(w, 200, tt.body) })
			err := s.Decide(short(t), pim.Approval{ID: approvalID}, pim.Decision{Approve: true})
			if pim.CodeOf(err) != tt.want {
				t.Errorf("code is %q, want %q: %v", pim.CodeOf(err), tt.want, err)
			}
			if n := len(s.seen()); n != 1 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

func TestReviewed(t *testing.T) {
	open := example(t, "GetRoleAssignmentApprovalById", "200")
	review := func(pairs ...string) []byte {
		return replace(open, append(pairs, `"InProgress"`, `"Completed"`, `"NotReviewed"`, `"Deny"`)...)
	}
	stages := func(all ...string) []byte {
		return []byte(`{"properties":{"stages":[` + strings.Join(all, ",") + `]}}`)
	}
	const (
		approved = `{"properties":{"status":"Completed","reviewResult":"Approve","reviewedBy":{"principalName":"First"}}}`
		denied   = `{"properties":{"status":"Completed","reviewResult":"Deny","reviewedBy":{"principalName":"Second"}}}`
		idle     = `{"properties":{"status":"NotStarted","reviewResult":"NotReviewed"}}`
	)
	for _, tt := range []struct {
		name string
		body []byte
		want pim.Review
	}{
		{
			"by name", review(`"reviewedBy": null`, `"reviewedBy": {"principalId":"A","principalName":"Chidi\nOkafor","userPrincipalName":"c@x.example"}`,
				`"reviewedDateTime": null`, `"reviewedDateTime": "2018-08-03T21:02:30.667Z"`, `"justification": ""`, `"justification": "not\u202e today"`),
			pim.Review{Result: pim.ReviewDenied, By: pim.Principal{ID: "a", Name: "Chidi Okafor"}, At: time.Date(2018, 8, 3, 21, 2, 30, 667e6, time.UTC), Reason: "not today"},
		},
		{
			"by address", review(`"reviewedBy": null`, `"reviewedBy": {"userPrincipalName":"c@x.example"}`, `"reviewedDateTime": null`, `"reviewedDateTime": "yesterday"`),
			pim.Review{Result: pim.ReviewDenied, By: pim.Principal{Name: "c@x.example"}},
		},
		{"by nobody known", review(), pim.Review{Result: pim.ReviewDenied}},
		{"open", open, pim.Review{}},
		{"nobody in time", replace(open, `"InProgress"`, `"Expired"`), pim.Review{Result: pim.ReviewExpired}},
		{"withdrawn", replace(open, `"InProgress"`, `"Completed"`), pim.Review{}},
		{"approved and then denied", stages(approved, denied, idle), pim.Review{Result: pim.ReviewDenied, By: pim.Principal{Name: "Second"}}},
		{"no stages", stages(), pim.Review{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, _ call) { send(w, 200, tt.body) })
			got, err := s.Reviewed(short(t), pim.Request{ApprovalID: approvalID})
			if err != nil || got != tt.want {
				t.Errorf("%+v, %v", got, err)
			}
			if c := s.seen(); len(c) != 1 || c[0].Method != "GET" || c[0].Path != approvalID {
				t.Errorf("asked for %+v", c)
			}
		})
	}
}

func TestApprovalThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct {
		answer func(http.ResponseWriter)
		want   pim.Code
	}{
		{func(w http.ResponseWriter) { refuse(w, 404, "ResourceNotFound", "") }, pim.CodeNotFound},
		{func(w http.ResponseWriter) { refuse(w, 403, "AuthorizationFailed", "") }, pim.CodeForbidden},
		{func(w http.ResponseWriter) { refuse(w, 500, "InternalServerError", "") }, pim.CodeUnavailable},
		{cut, pim.CodeOffline},
	} {
		s := newService(t, func(w http.ResponseWriter, _ call) { tt.answer(w) })
		err := s.Decide(short(t), pim.Approval{ID: approvalID}, pim.Decision{Approve: true})
		wantCode(t, err, tt.want)
		_, err = s.Approvals(short(t))
		wantCode(t, err, tt.want)
		_, err = s.Reviewed(short(t), pim.Request{ApprovalID: approvalID})
		wantCode(t, err, tt.want)
		if n := len(s.seen()); s.count("GET") != n {
			t.Errorf("%d writes", n-s.count("GET"))
		}
	}
}

func TestDecisionWhoseAnswerIsLost(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(http.ResponseWriter)
		after func(http.ResponseWriter)
		want  pim.Code
	}{
		{"taken", cut, func(w http.ResponseWriter) { send(w, 200, completed(t, me, "Approve")) }, ""},
		{"taken, says a gateway's error", func(w http.ResponseWriter) { send(w, 504, nil) }, func(w http.ResponseWriter) { send(w, 200, completed(t, me, "Approve")) }, ""},
		{"taken, says a conflict", func(w http.ResponseWriter) { refuse(w, 409, "Conflict", "") }, func(w http.ResponseWriter) { send(w, 200, completed(t, me, "Approve")) }, ""},
		{"somebody was faster", cut, func(w http.ResponseWriter) { send(w, 200, completed(t, other, "Approve")) }, pim.CodeDecided},
		{"the person has said otherwise", cut, func(w http.ResponseWriter) { send(w, 200, completed(t, me, "Deny")) }, pim.CodeDecided},
		{"still open", cut, func(w http.ResponseWriter) { send(w, 200, example(t, "GetRoleAssignmentApprovalById", "200")) }, pim.CodeUnknownOutcome},
		{"the stage is gone", cut, func(w http.ResponseWriter) { send(w, 200, []byte(`{"properties":{"stages":[]}}`)) }, pim.CodeUnknownOutcome},
		{"it cannot be read", cut, func(w http.ResponseWriter) { refuse(w, 404, "ResourceNotFound", "") }, pim.CodeUnknownOutcome},
		{"a conflict, and it cannot be read", func(w http.ResponseWriter) { refuse(w, 409, "Conflict", "") }, func(w http.ResponseWriter) { refuse(w, 404, "", "") }, pim.CodeDecided},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s *service
			s = newService(t, func(w http.ResponseWriter, c call) {
				switch {
				case c.Method != "GET":
					tt.write(w)
				case len(s.seen()) == 1:
					send(w, 200, example(t, "GetRoleAssignmentApprovalById", "200"))
				default:
					tt.after(w)
				}
			})
			err := s.Decide(short(t), pim.Approval{ID: approvalID}, pim.Decision{Approve: true})
			if pim.CodeOf(err) != tt.want {
				t.Errorf("code is %q, want %q: %v", pim.CodeOf(err), tt.want, err)
			}
			if n := s.count("PATCH") + s.count("PUT"); n != 1 {
				t.Errorf("%d writes", n)
			}
		})
	}
}

func TestDecisionThatNeverWentOutIsOffline(t *testing.T) {
	ctx := short(t)
	var cutOff atomic.Bool
	s := newService(t, func(w http.ResponseWriter, _ call) {
		cutOff.Store(true)
		w.Header().Set("Connection", "close")
		send(w, 200, example(t, "GetRoleAssignmentApprovalById", "200"))
	}, func(p *arm.Params) {
		tr := p.Options.Transport.(*http.Client).Transport.(*http.Transport).Clone()
		tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if cutOff.Load() {
				return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ENETUNREACH}
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		p.Options.Transport = &http.Client{Transport: tr}
	})
	wantCode(t, s.Decide(ctx, pim.Approval{ID: approvalID}, pim.Decision{Approve: true}), pim.CodeOffline)
}

func TestApprovalThatIsNoneIsNotAsked(t *testing.T) {
	s := newService(t, func(http.ResponseWriter, call) {})
	for _, id := range []string{"", "/", "..", subscription, approvalID + "/stages/1", approvalID + "/..", "/providers/Microsoft.Authorization/roleAssignmentApprovals"} {
		if err := s.Decide(short(t), pim.Approval{ID: id}, pim.Decision{Approve: true}); err == nil {
			t.Errorf("%q was decided", id)
		}
	}
	if n := len(s.seen()); n != 0 {
		t.Errorf("%d calls", n)
	}
}
