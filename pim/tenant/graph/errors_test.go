package graph

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"roletray/pim/tenant/world"
)

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name, path string
		body       any
		status     int
		code       string
	}{
		{"no JSON", roleRequests, "{", 400, "BadRequest"},
		{"null", roleRequests, "null", 400, "BadRequest"},
		{"wrong type", roleRequests, properties{"action": 1}, 400, "BadRequest"},
		{"misspelt", roleRequests, askRole("selfActivate", plainRole, properties{"justificaton": "x"}), 400, "BadRequest"},
		{"field of groups", roleRequests, askRole("selfActivate", plainRole, properties{"accessId": "member"}), 400, "BadRequest"},
		{"too long", roleRequests, `{"justification":"` + strings.Repeat("x", maxBody) + `"}`, 413, "RequestEntityTooLarge"},
		{"action", roleRequests, askRole("selfDestruct", plainRole), 400, "InvalidRoleAssignmentRequest"},
		{"administrator", roleRequests, askRole("adminAssign", plainRole), 403, "UnauthorizedAccessException"},
		{"administrator of groups", groupRequests, askGroup("adminRemove", team, "member"), 403, "UnauthorizedAccessException"},
		{"principal", roleRequests, askRole("selfActivate", plainRole, properties{"principalId": "user@my-tenant.com"}), 400, "InvalidRoleAssignmentRequest"},
		{"another principal", roleRequests, askRole("selfActivate", plainRole, properties{"principalId": boss}), 403, "InsufficientPermissions"},
		{"unknown principal", roleRequests, askRole("selfActivate", plainRole, properties{"principalId": uuid.NewString()}), 400, "SubjectNotFound"},
		{"role", roleRequests, askRole("selfActivate", uuid.NewString()), 400, "RoleNotFound"},
		{"scope", roleRequests, askRole("selfActivate", plainRole, properties{"directoryScopeId": "/x"}), 400, "InvalidScope"},
		{"no scope", roleRequests, properties{"action": "selfActivate", "principalId": me, "roleDefinitionId": plainRole}, 400, "InvalidScope"},
		{"start", roleRequests, askRole("selfActivate", plainRole, properties{"scheduleInfo": properties{"startDateTime": "soon"}}), 400, "InvalidRoleAssignmentRequest"},
		{"duration", roleRequests, askRole("selfActivate", plainRole, lasting("1h")), 400, "InvalidRoleAssignmentRequest"},
		{"negative", roleRequests, askRole("selfActivate", plainRole, lasting("-PT1H")), 400, "InvalidRoleAssignmentRequest"},
		{"end", roleRequests, askRole("selfActivate", plainRole, properties{"scheduleInfo": properties{"expiration": properties{"type": "afterDateTime"}}}), 400, "InvalidRoleAssignmentRequest"},
		{"expiration", roleRequests, askRole("selfActivate", plainRole, properties{"scheduleInfo": properties{"expiration": properties{"type": "never"}}}), 400, "InvalidRoleAssignmentRequest"},
		{"endless", roleRequests, askRole("selfActivate", plainRole, properties{"scheduleInfo": properties{"expiration": properties{"type": "noExpiration"}}}), 400, "RoleAssignmentRequestPolicyValidationFailed"},
		{"too long a time", roleRequests, askRole("selfActivate", plainRole, lasting("PT9H")), 400, "RoleAssignmentRequestPolicyValidationFailed"},
		{"longer than the unit's", roleRequests, askRole("selfActivate", unitRole, lasting("PT3H"), properties{"directoryScopeId": unitScope}), 400, "RoleAssignmentRequestPolicyValidationFailed"},
		{"wrong scope", roleRequests, askRole("selfActivate", unitRole), 400, "RoleAssignmentExists"},
		{"narrower scope", roleRequests, askRole("selfActivate", stepUpRole, properties{"directoryScopeId": unitScope}), 400, "RoleAssignmentRequestPolicyValidationFailed"},
		{"not active", roleRequests, askRole("selfDeactivate", plainRole), 400, "RoleAssignmentDoesNotExist"},
		{"context", roleRequests, askRole("selfActivate", stepUpRole), 400, "RoleAssignmentRequestAcrsValidationFailed"},
		{"group", groupRequests, askGroup("selfActivate", uuid.NewString(), "member"), 400, "ResourceNotFound"},
		{"access", groupRequests, askGroup("selfActivate", team, "guest"), 400, "InvalidRoleAssignmentRequest"},
		{"wrong access", groupRequests, askGroup("selfDeactivate", bosses, "member"), 400, "RoleAssignmentDoesNotExist"},
		{"not eligible", groupRequests, askGroup("selfActivate", bosses, "member"), 400, "RoleAssignmentRequestPolicyValidationFailed"},
		{"activating an eligibility", directory + "roleEligibilityScheduleRequests", askRole("selfActivate", plainRole), 400, "InvalidRoleAssignmentRequest"},
		{"extending what is endless", directory + "roleEligibilityScheduleRequests", askRole("selfExtend", ruledRole), 400, "InvalidRoleAssignmentRequest"},
		{"extending nothing", directory + "roleEligibilityScheduleRequests", askRole("selfExtend", privileged), 400, "RoleEligibilityDoesNotExist"},
		{"cancelling nothing", roleRequests + "/" + uuid.NewString() + "/cancel", nil, 404, "ResourceNotFound"},
		{"no such segment", "/v1.0/roleManagement/directory/roleAssignmentApprovals/x/steps", nil, 400, "BadRequest"},
		{"no version", "/v2.0/me", nil, 400, "BadRequest"},
		{"nothing", "/", nil, 400, "BadRequest"},
		{"method", "/v1.0/me", nil, 405, "Request_BadRequest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			newTenant(t).do(user(me), "POST", tt.path, tt.body).want(t, tt.status, tt.code)
		})
	}
}

// A wrong access is not the one that is active.
func TestAccessMatters(t *testing.T) {
	tn := newTenant(t)
	tn.activate(askGroup("selfActivate", team, "member"))
	tn.clock.Advance(10 * 60e9)
	tn.do(user(me), "POST", groupRequests, askGroup("selfDeactivate", team, "owner")).want(t, http.StatusBadRequest, "RoleAssignmentDoesNotExist")
	tn.do(user(me), "POST", groupRequests, askGroup("selfDeactivate", team, "Member")).want(t, http.StatusCreated, "")
}

func TestBrokenRulesAreNamed(t *testing.T) {
	tn := newTenant(t)
	for wording, want := range map[string]string{
		"brackets":  `The following policy rules failed: ["ExpirationRule","JustificationRule","TicketingRule","MfaRule"]`,
		"sentences": "The following policy rules failed: ExpirationRule - The requested duration is not allowed, JustificationRule - Justification is required, TicketingRule - Ticket information is required, MfaRule - Multi-factor authentication is required",
	} {
		tn.settings.PolicyWording = wording
		for path, body := range map[string]properties{
			roleRequests: askRole("selfActivate", ruledRole, lasting("PT1H")), groupRequests: askGroup("selfActivate", bosses, "owner", lasting("PT1H")),
		} {
			_, message := tn.do(user(me), "POST", path, body).want(t, http.StatusBadRequest, "RoleAssignmentRequestPolicyValidationFailed").code()
			if message != want {
				t.Errorf("%s: %s", wording, message)
			}
		}
	}
	strong := user(me)
	strong.Methods = []string{"pwd", "mfa"}
	tn.do(strong, "POST", roleRequests, askRole("selfActivate", ruledRole, lasting("PT30M"), properties{
		"justification": "why", "ticketInfo": properties{"ticketNumber": "1"},
	})).want(t, http.StatusCreated, "")
}

func TestAuthenticationContext(t *testing.T) {
	tn := newTenant(t)
	const want = `&claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%20%22value%22%3A%22c1%22%7D%7D%7D`
	_, message := tn.do(user(me), "POST", roleRequests, askRole("selfActivate", stepUpRole)).want(t, http.StatusBadRequest, "RoleAssignmentRequestAcrsValidationFailed").code()
	if message != want {
		t.Errorf("it says %s", message)
	}
	tn.settings.ErrorForm = "wrapped"
	_, message = tn.do(user(me), "POST", roleRequests, askRole("selfActivate", stepUpRole)).want(t, http.StatusBadRequest, "UnknownError").code()
	if message != `{"errorCode":"RoleAssignmentRequestAcrsValidationFailed","message":"`+want+`"}` {
		t.Errorf("wrapped it says %s", message)
	}
	stepped := user(me)
	stepped.Contexts, stepped.Capabilities = []string{"c1"}, nil
	tn.do(stepped, "POST", roleRequests, askRole("selfActivate", stepUpRole)).want(t, http.StatusBadRequest, "UnknownError")
	stepped.Capabilities = []string{"cp1"}
	tn.do(stepped, "POST", roleRequests, askRole("selfActivate", stepUpRole)).want(t, http.StatusCreated, "")
}

// Each call works with the least permission, and not without.
func TestPermissions(t *testing.T) {
	const (
		eligible      = "RoleEligibilitySchedule.Read.Directory"
		active        = "RoleAssignmentSchedule.Read.Directory"
		activeWrite   = "RoleAssignmentSchedule.ReadWrite.Directory"
		eligibleWrite = "RoleEligibilitySchedule.ReadWrite.Directory"
		gEligible     = "PrivilegedEligibilitySchedule.Read.AzureADGroup"
		gActive       = "PrivilegedAssignmentSchedule.Read.AzureADGroup"
		gActiveWrite  = "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"
		gEligWrite    = "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup"
		policies      = "/v1.0/policies/roleManagementPolicyAssignments"
	)
	ofRoles, ofTeam := filter("scopeId eq '/' and scopeType eq 'DirectoryRole'"), filter("scopeId eq '"+team+"' and scopeType eq 'Group'")
	for _, tt := range []struct {
		method, path string
		body         any
		good, bad    []string
		status       int
	}{
		{"GET", directory + "roleEligibilityScheduleInstances" + mine, nil, []string{eligible, eligibleWrite, "RoleManagement.Read.All"}, []string{active}, 200},
		{"GET", directory + "roleAssignmentScheduleInstances" + mine, nil, []string{active, activeWrite, "RoleManagement.Read.Directory"}, []string{eligible}, 200},
		{"GET", roleRequests + mine, nil, []string{activeWrite, "RoleManagement.ReadWrite.Directory"}, []string{active, "RoleManagement.Read.All"}, 200},
		{"POST", roleRequests, askRole("selfDeactivate", plainRole), []string{activeWrite, "RoleAssignmentSchedule.Remove.Directory"}, []string{active}, 400},
		{"POST", roleRequests + "/x/cancel", nil, []string{activeWrite}, []string{active, "RoleAssignmentSchedule.Remove.Directory"}, 404},
		{"POST", groupRequests + "/x/cancel", nil, []string{gActiveWrite}, []string{gActive, "PrivilegedAssignmentSchedule.Remove.AzureADGroup"}, 404},
		{"GET", directory + "roleEligibilityScheduleRequests" + mine, nil, []string{eligibleWrite}, []string{eligible}, 200},
		{"POST", directory + "roleEligibilityScheduleRequests", askRole("selfRenew", ruledRole), []string{eligibleWrite}, []string{eligible, activeWrite}, 400},
		{"GET", groups + "eligibilityScheduleInstances" + mine, nil, []string{gEligible, gEligWrite}, []string{gActive, eligible}, 200},
		{"GET", groups + "assignmentScheduleInstances" + mine, nil, []string{gActive, gActiveWrite}, []string{gEligible}, 200},
		{"GET", groupRequests + mine, nil, []string{gActive, gActiveWrite}, []string{gEligible}, 200},
		{"POST", groupRequests, askGroup("selfDeactivate", team, "member"), []string{gActiveWrite, "PrivilegedAssignmentSchedule.Remove.AzureADGroup"}, []string{gActive}, 400},
		{"POST", groups + "eligibilityScheduleRequests", askGroup("selfRenew", crew, "member"), []string{gEligWrite}, []string{gEligible, gActiveWrite}, 400},
		{"GET", policies + ofRoles, nil, []string{"RoleManagementPolicy.Read.Directory", "RoleManagement.Read.All"}, []string{"RoleManagementPolicy.Read.AzureADGroup"}, 200},
		{"GET", policies + ofTeam, nil, []string{"RoleManagementPolicy.Read.AzureADGroup"}, []string{"RoleManagementPolicy.Read.Directory"}, 200},
		{"GET", "/beta/roleManagement/directory/roleAssignmentApprovals/x", nil, []string{activeWrite}, []string{active}, 404},
		{"PATCH", "/beta/roleManagement/directory/roleAssignmentApprovals/x/steps/y", properties{"reviewResult": "Deny"}, []string{activeWrite}, []string{active}, 404},
		{"GET", groups + "assignmentApprovals/x", nil, []string{gActive}, []string{gEligible}, 404},
		{"PATCH", groups + "assignmentApprovals/x/stages/y", properties{"reviewResult": "Deny"}, []string{gActiveWrite}, []string{gActive}, 404},
	} {
		tn := newTenant(t)
		for _, scope := range tt.good {
			if a := tn.do(with(user(me), scope), tt.method, tt.path, tt.body); a.status != tt.status {
				t.Errorf("%s %s with %s: %d %s", tt.method, tt.path, scope, a.status, a.body)
			}
		}
		for _, scope := range append(tt.bad, "User.Read") {
			tn.do(with(user(me), scope), tt.method, tt.path, tt.body).want(t, http.StatusForbidden, "PermissionScopeNotGranted")
		}
		tn.settings.ErrorForm = "wrapped"
		_, message := tn.do(with(user(me)), tt.method, tt.path, tt.body).want(t, http.StatusForbidden, "UnknownError").code()
		var inner struct{ ErrorCode, Message string }
		if err := json.Unmarshal([]byte(message), &inner); err != nil || inner.ErrorCode != "PermissionScopeNotGranted" || !strings.Contains(inner.Message, tt.good[0]) {
			t.Errorf("%s wrapped says %s", tt.path, message)
		}
	}
}

func TestEnvelope(t *testing.T) {
	tn := newTenant(t)
	a := tn.do(user(me), "GET", "/v1.0/nothing", nil).want(t, http.StatusBadRequest, "BadRequest")
	var e struct {
		Error struct {
			InnerError map[string]string
		}
	}
	a.into(t, &e)
	inner := e.Error.InnerError
	if inner["client-request-id"] != clientID || inner["request-id"] != a.header.Get("request-id") || !strings.HasPrefix(inner["date"], "2022-04-13T12:00") {
		t.Errorf("the inner error is %v", inner)
	}
}

func TestNobodyIsRefused(t *testing.T) {
	tn := newTenant(t)
	w := httptest.NewRecorder()
	tn.service.ServeHTTP(w, httptest.NewRequest("GET", "/v1.0/me", nil))
	answer{w.Code, w.Header(), w.Body.Bytes()}.want(t, http.StatusUnauthorized, "InvalidAuthenticationToken")
	ghost := user(uuid.NewString())
	tn.do(ghost, "GET", "/v1.0/me", nil).want(t, http.StatusNotFound, "Request_ResourceNotFound")
}

func TestNoLicense(t *testing.T) {
	tn := newTenant(t)
	tn.settings.NoLicense = true
	tn.do(user(me), "GET", roleRequests+mine, nil).want(t, http.StatusBadRequest, "AadPremiumLicenseRequired")
	tn.do(user(me), "GET", "/v1.0/me", nil).want(t, http.StatusOK, "")
	tn.do(user(me), "GET", "/v1.0/groups", nil).want(t, http.StatusOK, "")
}

func TestSettingsAreChecked(t *testing.T) {
	if err := DefaultSettings().Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Settings){
		"pageSize": func(s *Settings) { s.PageSize = -1 }, "errorForm": func(s *Settings) { s.ErrorForm = "x" },
		"futureStart": func(s *Settings) { s.FutureStart = "" }, "ownApproval": func(s *Settings) { s.OwnApproval = "no" },
	} {
		s := DefaultSettings()
		change(&s)
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), name+" is ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDataMustFitTogether(t *testing.T) {
	for name, change := range map[string]func(*Data){
		"role":      func(d *Data) { d.RoleEligibilities[0].Role = "x" },
		"scope":     func(d *Data) { d.RoleAssignments[0].Scope = "/x" },
		"principal": func(d *Data) { d.GroupEligibilities[0].Principal = "x" },
		"group":     func(d *Data) { d.GroupAssignments[0].Group = "x" },
		"access":    func(d *Data) { d.GroupPolicies[0].Access = "x" },
		"policy":    func(d *Data) { d.RolePolicies[0].Role = "x" },
	} {
		dir, data := company()
		change(data)
		if err := data.Check(dir); err == nil {
			t.Errorf("a wrong %s was taken", name)
		}
	}
	New(Params{Clock: world.NewClock(noon, 1), Directory: &world.Directory{}})
}
