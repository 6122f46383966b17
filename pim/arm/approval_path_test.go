package arm

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/google/go-cmp/cmp"

	"roletray/pim"
)

func TestApprovalPath(t *testing.T) {
	const want = "providers/Microsoft.Authorization/roleAssignmentApprovals/1"
	for id, path := range map[string]string{
		"1":               want,
		"/" + want:        want,
		"//" + want + "/": want,
		"/subscriptions/s/" + strings.ToLower(want):                        "subscriptions/s/" + strings.ToLower(want),
		"/providers/Microsoft.Authorization/roleAssignmentApprovals/a b?c": "providers/Microsoft.Authorization/roleAssignmentApprovals/a%20b%3Fc",
		"":                          "",
		"/":                         "",
		"..":                        "",
		"a/b":                       "",
		"/x" + want:                 "",
		want + "/stages/2":          "",
		want + "/../2":              "",
		"/subscriptions/1":          "",
		want + "\u202e":             "",
		"roleAssignmentApprovals/1": "",
	} {
		got, err := approvalPath(id)
		if got != path || (err == nil) != (path != "") {
			t.Errorf("%q is %q, %v", id, got, err)
		}
	}
}

func FuzzApprovalPath(f *testing.F) {
	f.Add("/providers/Microsoft.Authorization/roleAssignmentApprovals/488a6d0e-0a63-4946-86e3-1f5bbc934661")
	f.Add("488a6d0e?x#y")
	f.Add("/providers/Microsoft.Authorization/roleAssignmentApprovals/../x")
	f.Fuzz(func(t *testing.T, id string) {
		path, err := approvalPath(id)
		if err != nil {
			return
		}
		parent, name, _ := strings.Cut(strings.ToLower("/"+path), strings.ToLower("/"+approvals)+"/")
		for {
			next, rest, more := strings.Cut(name, strings.ToLower(approvals)+"/")
			if !more {
				break
			}
			parent, name = parent+next, rest
		}
		if name == "" || strings.ContainsAny(path, "?# ") || strings.ContainsAny(name, "/\\") || strings.Contains("/"+path+"/", "/../") {
			t.Errorf("%q became %q", id, path)
		}
	})
}

func FuzzStage(f *testing.F) {
	f.Add(`{"id":"/a/stages/1","properties":{"status":"InProgress","assignedToMe":true}}`)
	f.Add(`{"name":"..","properties":{"status":"Completed","reviewResult":"Approve","reviewedBy":{"principalId":"me","principalName":"M\u202e"},"reviewedDateTime":"2018-08-03T21:02:30.667Z","justification":"a\n"}}`)
	p := &Provider{userID: "me"}
	f.Fuzz(func(t *testing.T, body string) {
		var s stage
		if json.Unmarshal([]byte(body), &s) != nil {
			return
		}
		if name, err := s.pathName(); err == nil && (name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/?#")) {
			t.Errorf("%q names the stage %q", body, name)
		}
		if v := s.review(); v.Result != "" && !s.ended() || v.Sentence() != pim.CleanText(v.Sentence(), 500) {
			t.Errorf("%q is read as %+v", body, v)
		}
		err := p.closed([]stage{s}, review{Result: "Approve"})
		if err == nil && (s.open() || !strings.EqualFold(s.Properties.ReviewedBy.PrincipalID, "me")) {
			t.Errorf("%q is taken for the person's approval", body)
		}
	})
}

// Every member that is read or sent must survive the way from one collection's type to the other's.
func TestEligibilityRequestIsReadLikeAnAssignmentRequest(t *testing.T) {
	const row = `{"name":"n","id":"i","properties":{"scope":"/subscriptions/1","roleDefinitionId":"/r/2","principalId":"P","requestorId":"Q",
		"requestType":"SelfRenew","status":"Granted","approvalId":"a","justification":"j","createdOn":"2026-11-22T12:00:00Z",
		"scheduleInfo":{"startDateTime":"2026-11-23T12:00:00Z","expiration":{"type":"AfterDateTime","endDateTime":"2026-12-22T12:00:00Z","duration":"PT1H"}},
		"ticketInfo":{"ticketNumber":"1","ticketSystem":"s"},
		"expandedProperties":{"scope":{"displayName":"S","type":"subscription"},"roleDefinition":{"displayName":"R"}}}}`
	var ofAssignment armauthorization.RoleAssignmentScheduleRequest
	var ofEligibility armauthorization.RoleEligibilityScheduleRequest
	for _, v := range []any{&ofAssignment, &ofEligibility} {
		if err := json.Unmarshal([]byte(row), v); err != nil {
			t.Fatal(err)
		}
	}
	converted := fromEligibility(ofEligibility)
	got, ok := request(&converted, true)
	want, _ := request(&ofAssignment, true)
	if diff := cmp.Diff(want, got); diff != "" || !ok || got.Ticket == (pim.Ticket{}) {
		t.Errorf("%v: %s", ok, diff)
	}
	empty := fromEligibility(armauthorization.RoleEligibilityScheduleRequest{})
	if _, ok := request(&empty, true); ok {
		t.Error("a row without properties is a request")
	}
}
