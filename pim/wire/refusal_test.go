package wire

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"roletray/pim"
)

const (
	c1        = `{"access_token":{"acrs":{"essential":true, "value":"c1"}}}`
	c1Message = `&claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%20%22value%22%3A%22c1%22%7D%7D%7D`
)

func body(code, message string) string {
	data, _ := json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": message}})
	return string(data)
}

func challenge(claims string) http.Header {
	return http.Header{"Www-Authenticate": {`PoP realm="a, claims=", Bearer realm="", authorization_uri="https://login.windows.net/common/oauth2/authorize", error="insufficient_claims", claims="` + claims + `"`}}
}

func TestRefusal(t *testing.T) {
	own := With(Codes{"subscriptionnotfound": pim.CodeNotFound, "requestdisallowedbyazure": pim.CodeForbidden})
	encoded := base64.StdEncoding.EncodeToString([]byte(c1))
	for _, tt := range []struct {
		name   string
		status int
		header http.Header
		body   string
		want   pim.Error
	}{
		{"active already", 400, nil, body("RoleAssignmentExists", "The Role assignment already exists."), pim.Error{Code: pim.CodeAlreadyActive, Message: "The Role assignment already exists."}},
		{"not active", 400, nil, body("RoleAssignmentDoesNotExist", ""), pim.Error{Code: pim.CodeNotActive}},
		{"pending", 400, nil, body("PendingRoleAssignmentRequest", ""), pim.Error{Code: pim.CodePending}},
		{"exists", 400, nil, body("roleassignmentrequestexists", ""), pim.Error{Code: pim.CodeDuplicate}},
		{
			"policy, in brackets", 400, nil,
			body("RoleAssignmentRequestPolicyValidationFailed", `The following policy rules failed: ["ExpirationRule","JustificationRule","MFARule","NewRule","ExpirationRule"]`),
			pim.Error{
				Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleExpiration, pim.RuleJustification, pim.RuleMFA, "NewRule"},
				Message: `The following policy rules failed: ["ExpirationRule","JustificationRule","MFARule","NewRule","ExpirationRule"]`,
			},
		},
		{
			"policy, in sentences", 400, nil,
			body("RoleAssignmentRequestPolicyValidationFailed", "The following policy rules failed: JustificationRule - Justification is required, TicketingRule - Ticket information is required, MfaRule - Multi-factor authentication is required"),
			pim.Error{
				Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleJustification, pim.RuleTicketing, pim.RuleMFA},
				Message: "The following policy rules failed: JustificationRule - Justification is required, TicketingRule - Ticket information is required, MfaRule - Multi-factor authentication is required",
			},
		},
		{
			"five minutes, as Microsoft spells it", 400, nil, body("ActiveDurationTooShort", "The Active duration is too short. Miniumum Required is 5 minutes."),
			pim.Error{Code: pim.CodeTooEarly, Message: "The Active duration is too short. Miniumum Required is 5 minutes."},
		},
		{"five minutes, under another code", 400, nil, body("BadRequest", "Minimum Required is 5 minutes."), pim.Error{Code: pim.CodeTooEarly, Message: "Minimum Required is 5 minutes."}},
		{"authentication context", 400, nil, body("RoleAssignmentRequestAcrsValidationFailed", c1Message), pim.Error{Code: pim.CodeStepUp, Claims: c1}},
		{"authentication context inside a text", 400, nil, body("RoleAssignmentRequestAcrsValidationFailed", "The policy failed "+c1Message+" for this role."), pim.Error{Code: pim.CodeStepUp, Claims: c1}},
		{"authentication context in the header", 400, challenge(encoded), body("RoleAssignmentRequestAcrsValidationFailed", ""), pim.Error{Code: pim.CodeStepUp, Claims: c1}},
		{"authentication context that cannot be read", 400, nil, body("RoleAssignmentRequestAcrsValidationFailed", "&claims=%7B%"), pim.Error{Code: pim.CodeStepUp}},
		{
			"wrapped", 400, nil, body("UnknownError", `{"errorCode":"RoleAssignmentRequestAcrsValidationFailed","message":"`+c1Message+`"}`),
			pim.Error{Code: pim.CodeStepUp, Claims: c1, Service: "RoleAssignmentRequestAcrsValidationFailed"},
		},
		{"mandatory MFA", 403, challenge(strings.TrimRight(encoded, "=")), body("RequestDisallowedByAzure", "MFA"), pim.Error{Code: pim.CodeStepUp, Claims: c1, Message: "MFA"}},
		{"mandatory MFA without claims", 403, nil, body("RequestDisallowedByAzure", "MFA"), pim.Error{Code: pim.CodeForbidden, Message: "MFA"}},
		{"continuous access evaluation", 401, challenge(encoded), body("InvalidAuthenticationToken", "x"), pim.Error{Code: pim.CodeSignInNeeded, Claims: c1, Message: "x"}},
		{"401 without a body", 401, nil, "", pim.Error{Code: pim.CodeSignInNeeded}},
		{"forbidden", 403, nil, body("AuthorizationFailed", "no"), pim.Error{Code: pim.CodeForbidden, Message: "no"}},
		{"forbidden with 400", 400, nil, body("InsufficientPermissions", "no"), pim.Error{Code: pim.CodeForbidden, Message: "no"}},
		{"unknown 403", 403, nil, body("Whatever", "no"), pim.Error{Code: pim.CodeForbidden, Message: "no"}},
		{"scope gone", 404, nil, body("SubscriptionNotFound", ""), pim.Error{Code: pim.CodeNotFound}},
		{"unknown 404", 404, nil, "<html>", pim.Error{Code: pim.CodeNotFound}},
		{"eligibility gone", 404, nil, body("RoleEligibilityDoesNotExist", ""), pim.Error{Code: pim.CodeNotEligible}},
		{"subject", 400, nil, body("SubjectNotFound", ""), pim.Error{Code: pim.CodeNotEligible}},
		{"licence", 403, nil, body("AadPremiumLicenseRequired", ""), pim.Error{Code: pim.CodeLicence}},
		{"throttled", 429, http.Header{"Retry-After": {"17"}}, "", pim.Error{Code: pim.CodeThrottled, RetryAfter: 17 * time.Second}},
		{"fault", 502, nil, "<html>Bad Gateway</html>", pim.Error{Code: pim.CodeUnavailable}},
		{
			"unknown", 400,
			http.Header{"X-Ms-Correlation-Request-Id": {"corr"}, "X-Ms-Request-Id": {"req"}},
			body("Never\u202eSeen", "\x1b[31mdo\n this"),
			pim.Error{Code: pim.CodeRejected, Service: "NeverSeen", Message: "[31mdo this", CorrelationID: "corr"},
		},
		{"code in the header only", 400, http.Header{"X-Ms-Error-Code": {"RoleAssignmentExists"}, "X-Ms-Request-Id": {"req"}}, "", pim.Error{Code: pim.CodeAlreadyActive, Service: "RoleAssignmentExists", CorrelationID: "req"}},
		{"without an envelope", 400, nil, `{"code":"RoleAssignmentExists","message":"m"}`, pim.Error{Code: pim.CodeAlreadyActive, Message: "m", Service: "RoleAssignmentExists"}},
		{"of another type", 400, nil, `{"error":{"code":"RoleAssignmentExists","message":5}}`, pim.Error{Code: pim.CodeAlreadyActive, Service: "RoleAssignmentExists"}},
		{"in the details", 400, nil, `{"error":{"code":"BadRequest","message":"m","details":[{"code":"x"},{"code":"RoleAssignmentExists","message":"d"}]}}`, pim.Error{Code: pim.CodeAlreadyActive, Message: "d", Service: "RoleAssignmentExists"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := own.Refusal(tt.status, tt.header, []byte(tt.body), time.Time{})
			tt.want.Status = tt.status
			if tt.want.Service == "" {
				tt.want.Service, _ = own.read([]byte(tt.body))
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Error(diff)
			}
			for _, s := range []string{got.Error(), pim.Explain(got).Text, pim.Explain(got).Details} {
				if strings.Contains(s, "acrs") || strings.Contains(s, "access_token") {
					t.Errorf("the claims are shown: %s", s)
				}
			}
		})
	}
}

func TestClaimsInMessage(t *testing.T) {
	for _, tt := range []struct{ name, message, want string }{
		{"as recorded", c1Message, c1},
		{"inside a text", "The policy failed " + c1Message + " for this role.", c1},
		{"more parameters", "x=1" + c1Message + "&y=2", c1},
		{"wrapped by Graph", `{"errorCode":"RoleAssignmentRequestAcrsValidationFailed","message":"` + c1Message + `"}`, c1},
		{"plain JSON", "claims=" + c1 + " and more", c1},
		{"plus for space", "&claims=" + url.QueryEscape(c1), c1},
		{"base64", "&claims=" + base64.StdEncoding.EncodeToString([]byte(c1)), c1},
		{"the second one", "claims=none &claims=%7B%22a%22%3A1%7D", `{"a":1}`},
		{"no claims", "The Role assignment already exists.", ""},
		{"empty", "&claims=", ""},
		{"bad escape", "&claims=%7B%2", ""},
		{"not an object", "&claims=%5B1%5D", ""},
		{"cut", `claims={"a":`, ""},
		{"far too long", "&claims=%7B%22a%22%3A%22" + strings.Repeat("a", maxClaims) + "%22%7D", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := claimsIn(tt.message); string(got) != tt.want {
				t.Errorf("got %q", string(got))
			}
		})
	}
}

func FuzzClaimsInMessage(f *testing.F) {
	f.Add("&claims=%7B%22a%22%3A1%7D")
	f.Add(`claims={"a":{}}claims=claims=`)
	f.Add("claims=e30")
	f.Fuzz(func(t *testing.T, message string) {
		got := claimsIn(message)
		var object map[string]any
		if got != "" && (len(got) > maxClaims || json.Unmarshal([]byte(got), &object) != nil || len(object) == 0) {
			t.Errorf("%q: got %q", message, string(got))
		}
	})
}

func FuzzRefusal(f *testing.F) {
	f.Add(400, body("RoleAssignmentRequestPolicyValidationFailed", `["ExpirationRule"]`), "", "1")
	f.Add(400, body("RoleAssignmentRequestAcrsValidationFailed", c1Message), "", "")
	f.Add(401, "{", `Bearer claims="eyJ4IjoxfQ"`, "Sun, 22 Nov 2026 12:00:00 GMT")
	f.Add(400, `{"error":{"error":{"code":null}},"details":null}`, "claims", "99999999999999999999")
	f.Fuzz(func(t *testing.T, status int, body, challenge, after string) {
		e := With(nil).Refusal(status, http.Header{"Www-Authenticate": {challenge}, "Retry-After": {after}}, []byte(body), time.Unix(0, 0))
		if e.Code == "" || e.RetryAfter < 0 || e.RetryAfter > longestPause || len(e.Rules) > 20 {
			t.Errorf("%+v", e)
		}
		if e.Claims != "" && !json.Valid([]byte(e.Claims)) {
			t.Errorf("claims are not JSON")
		}
		for _, s := range []string{e.Message, e.Service} {
			if len([]rune(s)) > 500 || strings.Contains(strings.ToLower(s), "claims=") || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("text %q", s)
			}
		}
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		header http.Header
		want   time.Duration
	}{
		{nil, 0},
		{http.Header{"Retry-After": {"3"}}, 3 * time.Second},
		{http.Header{"Retry-After": {"3"}, "Retry-After-Ms": {"20"}}, 20 * time.Millisecond},
		{http.Header{"X-Ms-Retry-After-Ms": {"30"}}, 30 * time.Millisecond},
		{http.Header{"Retry-After": {"Sun, 22 Nov 2026 12:01:00 GMT"}}, time.Minute},
		{http.Header{"Retry-After": {"Sun, 22 Nov 2026 11:01:00 GMT"}}, 0},
		{http.Header{"Retry-After": {"-1"}}, 0},
		{http.Header{"Retry-After": {"soon"}}, 0},
		{http.Header{"Retry-After": {"2000000000"}}, time.Hour},
		{http.Header{"Retry-After": {"Sun, 22 Nov 2126 12:01:00 GMT"}}, time.Hour},
	} {
		if got := RetryAfter(tt.header, now); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.header, got, tt.want)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"PT8H": 8 * time.Hour, "PT5H30M": 330 * time.Minute, "PT30M": 30 * time.Minute, "P1D": 24 * time.Hour,
		"P365D": 365 * 24 * time.Hour, "P1DT2H": 26 * time.Hour, "PT0.5H": 30 * time.Minute,
		"": 0, "PT": 0, "P": 0, "8h": 0, "-PT1H": 0, "PT8": 0, "PT99999999999999H": 0, "P9999999999Y": 0, "PT1.2.3H": 0, "PT0S": 0,
	} {
		if got := ParseDuration(s); got != want {
			t.Errorf("%q is %v, want %v", s, got, want)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	f.Add("P1DT2H3M4.5S")
	f.Fuzz(func(t *testing.T, s string) {
		if d := ParseDuration(s); d < 0 || d > 366*24*time.Hour {
			t.Errorf("%q is %v", s, d)
		}
	})
}
