package azure

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"roletray/pim/tenant/world"
)

// One row for each code, with the words where Microsoft's are known.
func TestRefusals(t *testing.T) {
	const taken = "0a000000-0000-4000-8000-000000000001"
	strong := world.Caller{UserID: sampleUser, Methods: []string{"pwd", "mfa"}, Capabilities: []string{"cp1"}}
	reasons := properties{"justification": "why", "ticketInfo": properties{"ticketNumber": "7", "ticketSystem": "s"}}
	activate := func(role string, more ...properties) any {
		return ask("SelfActivate", role, sampleSub, sampleUser, more...)
	}
	deactivate := ask("SelfDeactivate", plainRole, sampleSub, sampleUser)
	activePlain := func(tn *tenant) { tn.activate(plainRole, sampleSub) }
	for _, tt := range []struct {
		name    string
		before  func(tn *tenant)
		who     world.Caller
		method  string
		path    string
		body    any
		status  int
		code    string
		message string
	}{
		{name: "active already", before: activePlain, body: activate(plainRole), status: 400, code: "RoleAssignmentExists", message: "The Role assignment already exists."},
		{name: "active already, later start", before: activePlain, body: activate(plainRole, properties{"scheduleInfo": properties{"startDateTime": "2020-09-10T21:35:00Z"}}), status: 400, code: "RoleAssignmentExists"},
		{name: "still deactivating", before: func(tn *tenant) {
			tn.settings.DeactivationLagSeconds = 120
			tn.activate(plainRole, sampleSub)
			tn.clock.Advance(5 * time.Minute)
			tn.put(user(sampleUser), sampleSub, deactivate).want(tn.t, 201, "")
			tn.clock.Advance(119 * time.Second)
		}, body: activate(plainRole), status: 400, code: "RoleAssignmentExists"},
		{name: "not active", body: deactivate, status: 400, code: "RoleAssignmentDoesNotExist", message: "The Role assignment does not exist."},
		{name: "active too short to be seen", before: func(tn *tenant) { activePlain(tn); tn.clock.Advance(44 * time.Second) }, body: deactivate, status: 400, code: "RoleAssignmentDoesNotExist"},
		{name: "active too short", before: func(tn *tenant) { activePlain(tn); tn.clock.Advance(46 * time.Second) }, body: deactivate, status: 400, code: "ActiveDurationTooShort", message: "The Active duration is too short. Miniumum Required is 5 minutes."},
		{name: "waiting for approval", before: func(tn *tenant) { tn.activate(bossRole, sampleSub) }, body: activate(bossRole), status: 400, code: "PendingRoleAssignmentRequest", message: "There is already an existing pending Role assignment request."},
		{name: "scheduled already", before: func(tn *tenant) {
			tn.activate(plainRole, sampleSub, properties{"scheduleInfo": properties{"startDateTime": "2020-09-10T21:35:00Z"}})
		}, body: activate(plainRole), status: 400, code: "PendingRoleAssignmentRequest"},
		{name: "same name again", before: func(tn *tenant) {
			tn.do(user(sampleUser), "PUT", requestPath(sampleSub, taken), activate(plainRole)).want(tn.t, 201, "")
		}, path: requestPath(sampleSub, strings.ToUpper(taken)), body: activate(plainRole), status: 409, code: "RoleAssignmentRequestExists", message: "The role assignment request '" + taken + "' already exists."},
		{name: "same name again, the old answer", before: func(tn *tenant) {
			tn.settings.RepeatedPut = 400
			tn.do(user(sampleUser), "PUT", requestPath(sampleSub, taken), activate(plainRole)).want(tn.t, 201, "")
		}, path: requestPath(sampleSub, taken), body: activate(plainRole), status: 400, code: "RoleAssignmentRequestExists"},

		{name: "all rules", body: activate(ruledRole, lasting("PT31M")), status: 400, code: "RoleAssignmentRequestPolicyValidationFailed", message: `The following policy rules failed: ["ExpirationRule","JustificationRule","TicketingRule","MfaRule"]`},
		{name: "all rules, newer words", before: func(tn *tenant) { tn.settings.PolicyWording = "sentences" }, body: activate(ruledRole), status: 400, code: "RoleAssignmentRequestPolicyValidationFailed", message: "The following policy rules failed: JustificationRule - Justification is required, TicketingRule - Ticket information is required, MfaRule - Multi-factor authentication is required"},
		{name: "multifactor alone", body: activate(ruledRole, reasons), status: 400, code: "RoleAssignmentRequestPolicyValidationFailed", message: `The following policy rules failed: ["MfaRule"]`},
		{name: "too short", body: activate(plainRole, lasting("PT4M")), status: 400, code: "RoleAssignmentRequestPolicyValidationFailed", message: `The following policy rules failed: ["ExpirationRule"]`},
		{name: "without end", body: activate(plainRole, properties{"scheduleInfo": properties{"expiration": properties{"type": "NoExpiration"}}}), status: 400, code: "RoleAssignmentRequestPolicyValidationFailed"},
		{name: "end too late", body: activate(plainRole, properties{"scheduleInfo": properties{"expiration": properties{"type": "AfterDateTime", "endDateTime": "2020-09-10T05:36:00Z"}}}), status: 400, code: "RoleAssignmentRequestPolicyValidationFailed"},
		{name: "blank justification", who: strong, body: activate(ruledRole, reasons, properties{"justification": " "}), status: 400, code: "RoleAssignmentRequestPolicyValidationFailed", message: `The following policy rules failed: ["JustificationRule"]`},
		{name: "not eligible", body: activate(groupRole), status: 400, code: "RoleAssignmentRequestPolicyValidationFailed", message: `The following policy rules failed: ["EligibilityRule"]`},
		{name: "below the eligibility without a link", path: requestPath(groupOne, uuid.NewString()), body: activate(sampleRole), status: 400, code: "RoleAssignmentRequestPolicyValidationFailed"},
		{name: "linked to nothing", body: activate(plainRole, properties{"linkedRoleEligibilityScheduleId": uuid.NewString()}), status: 400, code: "RoleEligibilityDoesNotExist"},
		{name: "linked to the instance", body: activate(sampleRole, properties{"linkedRoleEligibilityScheduleId": "21e4b59a-0499-4fe0-a3c3-43a3055b773a"}), status: 400, code: "RoleEligibilityDoesNotExist"},
		{name: "linked to another role", body: activate(plainRole, properties{"linkedRoleEligibilityScheduleId": samplesLink}), status: 400, code: "RoleEligibilityDoesNotExist"},
		{name: "linked from outside", path: requestPath(otherSub, uuid.NewString()), body: activate(sampleRole, properties{"linkedRoleEligibilityScheduleId": samplesLink}), status: 400, code: "RoleEligibilityDoesNotExist"},
		{name: "another condition", body: activate(sampleRole, properties{"condition": "other"}), status: 400, code: "InvalidRoleAssignmentRequest"},
		{name: "authentication context", body: activate(stepUpRole), status: 400, code: "RoleAssignmentRequestAcrsValidationFailed", message: "&claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%20%22value%22%3A%22c1%22%7D%7D%7D"},
		{name: "authentication context without cp1", who: world.Caller{UserID: sampleUser, Contexts: []string{"c1"}}, body: activate(stepUpRole), status: 400, code: "RoleAssignmentRequestAcrsValidationFailed"},
		{name: "another authentication context", who: world.Caller{UserID: sampleUser, Contexts: []string{"c2"}, Capabilities: []string{"cp1"}}, body: activate(stepUpRole), status: 400, code: "RoleAssignmentRequestAcrsValidationFailed"},

		{name: "for another person", body: ask("SelfActivate", plainRole, sampleSub, boss), status: 403, code: "InsufficientPermissions"},
		{name: "for the group", path: requestPath(otherSub, uuid.NewString()), body: ask("SelfActivate", groupRole, otherSub, team), status: 403, code: "InsufficientPermissions"},
		{name: "for nobody", body: ask("SelfActivate", plainRole, sampleSub, uuid.NewString()), status: 400, code: "SubjectNotFound"},
		{name: "no such role", body: activate(uuid.NewString()), status: 400, code: "RoleNotFound"},
		{name: "role by GUID alone", body: properties{"properties": properties{"principalId": sampleUser, "requestType": "SelfActivate", "roleDefinitionId": plainRole}}, status: 400, code: "RoleNotFound"},
		{name: "locked", path: requestPath(groupTwo, uuid.NewString()), body: activate(plainRole), status: 400, code: "ResourceIsLocked"},
		{name: "an administrator's request", body: ask("AdminAssign", plainRole, sampleSub, sampleUser), status: 403, code: "AuthorizationFailed", message: "The client 'user@my-tenant.com' with object id '" + sampleUser + "' does not have authorization to perform action 'Microsoft.Authorization/roleAssignments/write' over scope '" + sampleSub + "' or the scope is invalid. If access was recently granted, please refresh your credentials."},
		{name: "no such request type", body: ask("SelfDestruct", plainRole, sampleSub, sampleUser), status: 400, code: "InvalidRoleAssignmentRequest"},
		{name: "activation as an eligibility", path: sampleSub + pim + "roleEligibilityScheduleRequests/" + uuid.NewString(), body: activate(plainRole), status: 400, code: "InvalidRoleAssignmentRequest"},
		{name: "name is no GUID", path: requestPath(sampleSub, "one"), body: activate(plainRole), status: 400, code: "InvalidRoleAssignmentRequest"},
		{name: "no JSON", body: "{", status: 400, code: "InvalidRequestContent"},
		{name: "no properties", body: "{}", status: 400, code: "InvalidRoleAssignmentRequest"},
		{name: "no principal", body: `{"properties":{"roleDefinitionId":"x","requestType":"SelfActivate"}}`, status: 400, code: "InvalidRoleAssignmentRequest", message: "The property 'principalId' is required."},
		{name: "duration is none", body: activate(plainRole, lasting("2 hours")), status: 400, code: "InvalidRoleAssignmentRequest"},
		{name: "duration beyond reason", body: activate(plainRole, lasting("P1000000000Y")), status: 400, code: "InvalidRoleAssignmentRequest"},
		{name: "too long", body: strings.Repeat(" ", maxBody+1), status: 413, code: "RequestContentTooLarge"},
		{name: "started already", before: func(tn *tenant) { tn.settings.PastStart = "refuse" }, body: activate(plainRole, properties{"scheduleInfo": properties{"startDateTime": "2020-09-09T21:34:59Z"}}), status: 400, code: "InvalidRoleAssignmentRequestSchedule"},

		{name: "no filter", method: "GET", path: pim + "roleEligibilityScheduleInstances", status: 403, code: "InsufficientPermissions", message: "The requestor " + sampleUser + " does not have permissions for this request. Please use $filter=asTarget() to filter on the requestor's assignments."},
		{name: "no filter, the other status", before: func(tn *tenant) { tn.settings.MissingFilter = 400 }, method: "GET", path: pim + "roleEligibilityScheduleInstances", status: 400, code: "InsufficientPermissions"},
		{name: "somebody else's", method: "GET", path: pim + "roleEligibilityScheduleInstances" + filter("assignedTo('"+boss+"')"), status: 403, code: "InsufficientPermissions"},
		{name: "one's own by id, refused", before: func(tn *tenant) { tn.settings.PrincipalFilter = "refuse" }, method: "GET", path: pim + "roleEligibilityScheduleInstances" + filter("principalId eq "+sampleUser), status: 403, code: "InsufficientPermissions"},
		{name: "unknown filter", method: "GET", path: pim + "roleEligibilityScheduleInstances" + filter("status eq 'Active'"), status: 400, code: "InvalidFilter"},
		{name: "filter of requests", method: "GET", path: pim + "roleEligibilityScheduleInstances" + filter("asApprover()"), status: 400, code: "InvalidFilter"},
		{name: "filters in the alternative", method: "GET", path: pim + "roleEligibilityScheduleInstances" + filter("asTarget() or atScope()"), status: 400, code: "InvalidFilter"},
		{name: "broken skip token", method: "GET", path: eligibleNow + "&$skiptoken=!", status: 400, code: "InvalidSkipToken"},
		{name: "no api-version", method: "GET", path: pim + "roleEligibilityScheduleInstances?api-version=", status: 400, code: "MissingApiVersionParameter"},
		{name: "unknown api-version", method: "GET", path: pim + "roleEligibilityScheduleInstances?api-version=2019-01-01", status: 400, code: "InvalidApiVersionParameter"},
		{name: "approvals of another api-version", method: "GET", path: pim + "roleAssignmentApprovals?api-version=2020-10-01", status: 400, code: "InvalidApiVersionParameter"},
		{name: "no such resource type", method: "GET", path: pim + "roleThings", status: 404, code: "InvalidResourceType"},
		{name: "no such method", method: "DELETE", path: pim + "roleEligibilityScheduleInstances", status: 405, code: "HttpMethodNotSupported"},
		{name: "no scope", method: "GET", path: "/here" + eligibleNow, status: 400, code: "InvalidScope"},
		{name: "no such subscription", method: "GET", path: "/subscriptions/" + taken + eligibleNow, status: 404, code: "SubscriptionNotFound"},
		{name: "no such management group", method: "GET", path: upper + "x" + eligibleNow, status: 404, code: "ResourceNotFound"},
		{name: "no such resource group", method: "GET", path: groupOne + "x" + eligibleNow, status: 404, code: "ResourceGroupNotFound"},
		{name: "no such resource", method: "GET", path: machine + "x" + eligibleNow, status: 404, code: "ResourceNotFound"},
		{name: "no such request", method: "GET", path: requestPath("", taken), status: 404, code: "ResourceNotFound"},
		{name: "settings not readable", method: "GET", path: groupTwo + pim + "roleManagementPolicyAssignments" + filter("roleDefinitionId eq '"+plainRole+"'"), status: 403, code: "AuthorizationFailed"},
		{name: "resources not readable", method: "GET", path: groupOne + "/resources?api-version=2021-04-01", who: user(stranger), status: 403, code: "AuthorizationFailed"},
		{name: "no licence", before: func(tn *tenant) { tn.settings.NoLicense = true }, method: "GET", path: eligibleNow, status: 400, code: "AadPremiumLicenseRequired"},

		{name: "extend what has ended", body: ask("SelfExtend", vmRole, otherSub, sampleUser), path: requestPath(otherSub, uuid.NewString()), before: func(tn *tenant) { tn.clock.Advance(6 * 24 * time.Hour) }, status: 400, code: "InvalidRoleAssignmentRequest"},
		{name: "extend what never ends", body: ask("SelfExtend", plainRole, otherSub, sampleUser), path: requestPath(otherSub, uuid.NewString()), status: 400, code: "InvalidRoleAssignmentRequest"},
		{name: "extend an activation", before: activePlain, body: ask("SelfExtend", plainRole, sampleSub, sampleUser), status: 400, code: "RoleAssignmentDoesNotExist"},
		{name: "extend what a group has", path: otherSub + pim + "roleEligibilityScheduleRequests/" + uuid.NewString(), body: ask("SelfExtend", groupRole, otherSub, sampleUser), status: 400, code: "RoleEligibilityDoesNotExist"},
		{name: "renew what has not ended", path: sampleSub + pim + "roleEligibilityScheduleRequests/" + uuid.NewString(), body: ask("SelfRenew", plainRole, sampleSub, sampleUser), status: 400, code: "InvalidRoleAssignmentRequest"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tn := newTenant(t)
			if tt.before != nil {
				tt.before(tn)
			}
			if tt.who.UserID == "" {
				tt.who = user(sampleUser)
			}
			if tt.method == "" {
				tt.method = "PUT"
			}
			if tt.path == "" {
				tt.path = requestPath(sampleSub, uuid.NewString())
			}
			a := tn.do(tt.who, tt.method, tt.path, tt.body).want(t, tt.status, tt.code)
			if _, message := a.code(); tt.message != "" && message != tt.message {
				t.Errorf("message %q", message)
			} else if message == "" {
				t.Error("no message")
			}
			for _, h := range []string{"X-Ms-Request-Id", "X-Ms-Correlation-Request-Id"} {
				if uuid.Validate(a.header.Get(h)) != nil {
					t.Errorf("%s is %q", h, a.header.Get(h))
				}
			}
		})
	}
}

func TestChallenges(t *testing.T) {
	tn := newTenant(t)
	// The step-up that the message asks for is what makes the second try succeed.
	_, message := tn.put(user(sampleUser), sampleSub, ask("SelfActivate", stepUpRole, sampleSub, sampleUser)).code()
	claims, err := url.QueryUnescape(strings.TrimPrefix(message, "&claims="))
	if err != nil || claims != `{"access_token":{"acrs":{"essential":true, "value":"c1"}}}` {
		t.Errorf("claims %q, %v", claims, err)
	}
	again := user(sampleUser)
	again.Contexts = []string{"c1"}
	tn.put(again, sampleSub, ask("SelfActivate", stepUpRole, sampleSub, sampleUser)).want(t, http.StatusCreated, "")

	strong := user(sampleUser)
	strong.Methods = []string{"pwd", "mfa"}
	tn.put(strong, sampleSub, ask("SelfActivate", ruledRole, sampleSub, sampleUser, lasting("PT30M"), properties{
		"justification": "why", "ticketInfo": properties{"ticketNumber": "7"},
	})).want(t, http.StatusCreated, "")

	tn.settings.MandatoryMFA = true
	a := tn.put(user(sampleUser), sampleSub, ask("SelfActivate", plainRole, sampleSub, sampleUser)).want(t, http.StatusForbidden, "RequestDisallowedByAzure")
	_, encoded, _ := strings.Cut(a.header.Get("WWW-Authenticate"), `claims="`)
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(encoded, `"`))
	if err != nil || !strings.Contains(string(raw), `"p1"`) {
		t.Errorf("challenge %q: %v", a.header.Get("WWW-Authenticate"), err)
	}
	tn.list(user(sampleUser), eligibleNow)
	tn.put(strong, sampleSub, ask("SelfActivate", plainRole, sampleSub, sampleUser)).want(t, http.StatusCreated, "")
}

func TestNoCaller(t *testing.T) {
	tn := newTenant(t)
	resp, err := tn.server.Client().Get(tn.server.URL + eligibleNow)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d", resp.StatusCode)
	}
}
