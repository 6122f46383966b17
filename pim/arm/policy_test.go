package arm_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roletray/pim"
)

const reader = "/subscriptions/129ff972-28f8-46b8-a726-e497be039368/providers/Microsoft.Authorization/roleDefinitions/A1705BD2-3a8f-45a5-8683-466fcfd5cc24"

func readerEligibility() pim.Eligibility {
	return pim.Eligibility{Role: pim.Role{
		Kind: pim.KindAzure, DefinitionID: reader, Scope: pim.Scope{ID: "/subscriptions/129ff972-28f8-46b8-a726-e497be039368"},
	}}
}

func TestPolicyReadsMicrosoftsExample(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(w http.ResponseWriter, c call)
		calls  int
	}{
		{"filtered", func(w http.ResponseWriter, c call) {
			if c.Filter != "roleDefinitionId eq '"+reader+"'" {
				t.Errorf("filter %q", c.Filter)
			}
			send(w, 200, example(t, "GetRoleManagementPolicyAssignmentByScope", "200"))
		}, 1},
		{"the filter is refused", func(w http.ResponseWriter, c call) {
			if c.Filter != "" {
				refuse(w, 400, "InvalidFilter", "no")
				return
			}
			send(w, 200, example(t, "GetRoleManagementPolicyAssignmentByScope", "200"))
		}, 2},
		{"the filter brings nothing", func(w http.ResponseWriter, c call) {
			if c.Filter != "" {
				send(w, 200, listOf())
				return
			}
			send(w, 200, example(t, "GetRoleManagementPolicyAssignmentByScope", "200"))
		}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, tt.answer)
			got, err := s.Policy(short(t), readerEligibility())
			if err != nil {
				t.Fatal(err)
			}
			want := pim.Policy{
				Readable: true, MaxDuration: 7 * time.Hour,
				JustificationRequired: true, TicketRequired: true, MFARequired: true, ApprovalRequired: true,
				Approvers: []pim.Approver{
					{ID: "2385b0f3-5fa9-43cf-8ca4-b01dc97298cd", Name: "amansw_new_group", Group: true},
					{ID: "2f4913c9-d15b-406a-9946-1d66a28f2690", Name: "amansw_group", Group: true},
				},
				ReadAt: s.clock(),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if len(s.seen()) != tt.calls {
				t.Errorf("%d calls", len(s.seen()))
			}
		})
	}
}

func TestPolicyThatMayNotBeRead(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, call){
		"403": func(w http.ResponseWriter, _ call) { refuse(w, 403, "AuthorizationFailed", "no") },
		"refused twice": func(w http.ResponseWriter, c call) {
			refuse(w, map[bool]int{true: 400, false: 403}[c.Filter != ""], "X", "no")
		},
		"no such role": func(w http.ResponseWriter, _ call) { send(w, 200, listOf("null", `{"properties":null}`)) },
		"without rules": func(w http.ResponseWriter, _ call) {
			send(w, 200, listOf(`{"properties":{"roleDefinitionId":"`+reader+`","effectiveRules":null}}`))
		},
	} {
		s := newService(t, answer)
		if got, err := s.Policy(short(t), readerEligibility()); err != nil || !cmp.Equal(got, pim.Policy{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	s := newService(t, func(w http.ResponseWriter, _ call) { refuse(w, 500, "InternalServerError", "") })
	_, err := s.Policy(short(t), readerEligibility())
	wantCode(t, err, pim.CodeUnavailable)
}

func TestPolicyRulesAreKnownByIDAndType(t *testing.T) {
	row := `{"properties":{"roleDefinitionId":"` + reader + `","effectiveRules":[
		{"id":"Expiration_Admin_Assignment","ruleType":"RoleManagementPolicyExpirationRule","maximumDuration":"P90D"},
		{"id":"expiration_enduser_assignment","ruleType":"RoleManagementPolicyExpirationRule","maximumDuration":"P1D","target":{"caller":"somebody"}},
		{"id":"Enablement_EndUser_Assignment","ruleType":"RoleManagementPolicyEnablementRule","enabledRules":[null,"ticketing","Handstand"]},
		{"id":"AuthenticationContext_EndUser_Assignment","ruleType":"RoleManagementPolicyAuthenticationContextRule","isEnabled":true,"claimValue":"c1"},
		{"id":"Approval_EndUser_Assignment","ruleType":"RoleManagementPolicyApprovalRule","setting":null},
		{"id":"New_EndUser_Assignment","ruleType":"RoleManagementPolicyNewRule"},
		{"id":null,"ruleType":null}]}}`
	s := newService(t, func(w http.ResponseWriter, _ call) { send(w, 200, listOf(row)) })
	got, err := s.Policy(short(t), readerEligibility())
	want := pim.Policy{Readable: true, MaxDuration: 24 * time.Hour, TicketRequired: true, AuthContext: "c1", ReadAt: s.clock()}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v, %v", cmp.Diff(want, got), err)
	}
}
