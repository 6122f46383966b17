package wire

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"roletray/pim"
)

// Codes are what a service's error codes mean, by their names in lower case. They
// must not be changed once in use.
type Codes map[string]pim.Code

// With returns the codes that all of Privileged Identity Management uses and
// those of own, which win. Sources: Microsoft's list "Privileged role common
// errors" and codes observed in the field.
func With(own Codes) Codes {
	all := Codes{
		"roleassignmentexists":                        pim.CodeAlreadyActive,
		"roleassignmentscheduleexists":                pim.CodeAlreadyActive,
		"roleassignmentdoesnotexist":                  pim.CodeNotActive,
		"pendingroleassignmentrequest":                pim.CodePending,
		"roleassignmentrequestexists":                 pim.CodeDuplicate,
		"roleassignmentschedulerequestexists":         pim.CodeDuplicate,
		"roleassignmentrequestpolicyvalidationfailed": pim.CodePolicy,
		"roleassignmentrequestacrsvalidationfailed":   pim.CodeStepUp,
		"activedurationtooshort":                      pim.CodeTooEarly,
		"insufficientpermissions":                     pim.CodeForbidden,
		"authorizationfailed":                         pim.CodeForbidden,
		"unauthorizedaccessexception":                 pim.CodeForbidden,
		"permissionscopenotgranted":                   pim.CodeConsent,
		"subjectnotfound":                             pim.CodeNotEligible,
		"rolenotfound":                                pim.CodeNotEligible,
		"roledefinitiondoesnotexist":                  pim.CodeNotEligible,
		"roleeligibilitydoesnotexist":                 pim.CodeNotEligible,
		"roleeligibilityschedulerequestnotfound":      pim.CodeNotEligible,
		"aadpremiumlicenserequired":                   pim.CodeLicence,
		"toomanyrequests":                             pim.CodeThrottled,
		"throttled":                                   pim.CodeThrottled,
		"resourcenotfound":                            pim.CodeNotFound,
		"roleassignmentschedulerequestnotfound":       pim.CodeNotFound,
		"invalidauthenticationtoken":                  pim.CodeSignInNeeded,
		"expiredauthenticationtoken":                  pim.CodeSignInNeeded,
		"resourceislocked":                            pim.CodeRejected,
	}
	maps.Copy(all, own)
	return all
}

// Known says whether a code of the service explains its refusal.
func (c Codes) Known(service string) bool {
	_, ok := c[strings.ToLower(service)]
	return ok
}

// Translate turns an error of a pipeline, or of a client on it, into a
// *pim.Error. What a policy returned, such as one that could get no token,
// passes as it is. An error of neither kind is CodeUnreadable.
func (c Codes) Translate(err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*transportError](err); ok {
		return e.error
	}
	if e, ok := errors.AsType[*pim.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*azcore.ResponseError](err); ok {
		var header http.Header
		var body []byte
		if e.RawResponse != nil {
			header = e.RawResponse.Header
			body, _ = runtime.Payload(e.RawResponse) // Already read by azcore.
		}
		return c.Refusal(e.StatusCode, header, body, time.Now())
	}
	return &pim.Error{Code: pim.CodeUnreadable, Err: err}
}

// envelope is an error body in every form it has been seen in: with and without
// the outer member, and PIM's own inside the message.
type envelope struct {
	Error *envelope `json:"error"`

	Code      string     `json:"code"`
	ErrorCode string     `json:"errorCode"`
	Message   string     `json:"message"`
	Details   []envelope `json:"details"`
}

// read finds the code and message that say most.
func (c Codes) read(body []byte) (code, message string) {
	var e envelope
	// Of a body in another form, such as a gateway's page, what fits is taken, and
	// otherwise the status speaks.
	_ = json.Unmarshal(body, &e)
	if e.Error != nil {
		e = *e.Error
	}
	var inner envelope
	if strings.HasPrefix(e.Message, "{") && json.Unmarshal([]byte(e.Message), &inner) == nil && inner.ErrorCode != "" {
		return inner.ErrorCode, inner.Message
	}
	if e.Code == "" {
		e.Code = e.ErrorCode
	}
	if !c.Known(e.Code) {
		for _, d := range e.Details {
			if c.Known(d.Code) {
				return d.Code, d.Message
			}
		}
	}
	return e.Code, e.Message
}

// Refusal says what an answer without success means. now is for a Retry-After
// that names a moment. No part of a claims challenge gets into its texts.
func (c Codes) Refusal(status int, header http.Header, body []byte, now time.Time) *pim.Error {
	service, message := c.read(body)
	if service == "" {
		service = header.Get("x-ms-error-code")
	}
	e := &pim.Error{
		Status:        status,
		Service:       shown(service, 100),
		RetryAfter:    RetryAfter(header, now),
		CorrelationID: correlationID(header),
	}
	e.Claims = claimsIn(message)
	if e.Claims == "" {
		e.Claims = claimsInHeader(header)
	}
	e.Message = shown(message, 500)
	e.Code = c.meaning(status, service, message, e.Claims != "")
	if e.Code == pim.CodePolicy {
		e.Rules = rulesIn(message)
	}
	return e
}

// correlationID is the service's id of a call, or empty.
func correlationID(header http.Header) string {
	for _, name := range []string{"x-ms-correlation-request-id", "x-ms-request-id", "request-id"} {
		if id := pim.CleanText(header.Get(name), 100); id != "" {
			return id
		}
	}
	return ""
}

// shown is a text of the service made safe to show, or nothing where it speaks of claims.
func shown(s string, limit int) string {
	s = pim.CleanText(s, limit)
	if lower := strings.ToLower(s); strings.Contains(lower, "claims") || strings.Contains(lower, "access_token") {
		return ""
	}
	return s
}

func (c Codes) meaning(status int, service, message string, claims bool) pim.Code {
	code, ok := c[strings.ToLower(service)]
	switch {
	case status == http.StatusUnauthorized:
		return pim.CodeSignInNeeded
	case status == http.StatusTooManyRequests:
		return pim.CodeThrottled
	case status >= 500:
		return pim.CodeUnavailable
	case claims:
		return pim.CodeStepUp
	case ok:
		return code
	// Seen under other codes too, always with this text.
	case strings.Contains(strings.ToLower(message), "required is 5 minutes"):
		return pim.CodeTooEarly
	case status == http.StatusForbidden:
		return pim.CodeForbidden
	case status == http.StatusNotFound:
		return pim.CodeNotFound
	case status == http.StatusRequestTimeout:
		return pim.CodeTimeout
	}
	return pim.CodeRejected
}

// claimsIn finds the claims request that PIM puts, URL-encoded, into a message:
// "&claims=%7B…", with or without a text around it. Plain JSON and base64 do too.
func claimsIn(message string) pim.Claims {
	for {
		_, after, found := strings.Cut(message, "claims=")
		if !found {
			return ""
		}
		message = after
		if strings.HasPrefix(after, "{") {
			var plain json.RawMessage
			if json.NewDecoder(strings.NewReader(after)).Decode(&plain) == nil {
				if c := claims(plain); c != "" {
					return c
				}
			}
			continue
		}
		encoded := after
		if end := strings.IndexAny(after, "& \t\r\n\"'\\<>"); end >= 0 {
			encoded = after[:end]
		}
		if decoded, err := url.QueryUnescape(encoded); err == nil {
			if c := claims([]byte(decoded)); c != "" {
				return c
			}
		}
		if c := encodedClaims(encoded); c != "" {
			return c
		}
	}
}

var claimsParameter = regexp.MustCompile(`(?i)(?:^|[\s,])claims\s*=\s*"([^"]*)"`)

// claimsInHeader reads the claims request of a challenge. A header may carry several.
func claimsInHeader(h http.Header) pim.Claims {
	for _, v := range h.Values("WWW-Authenticate") {
		for _, m := range claimsParameter.FindAllStringSubmatch(v, -1) {
			if c := encodedClaims(m[1]); c != "" {
				return c
			}
		}
	}
	return ""
}

// encodedClaims reads base64 in either of its alphabets, with padding or without.
func encodedClaims(s string) pim.Claims {
	decoded, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "=")))
	if err != nil {
		return ""
	}
	return claims(decoded)
}

// maxClaims is the longest claims request in bytes that is taken from a service.
const maxClaims = 16 << 10

// claims returns data if it is a JSON object.
func claims(data []byte) pim.Claims {
	var object map[string]json.RawMessage
	if len(data) > maxClaims || json.Unmarshal(data, &object) != nil || len(object) == 0 {
		return ""
	}
	return pim.Claims(data)
}

var ruleName = regexp.MustCompile(`\b[A-Za-z]{1,40}Rule\b`)

// rulesIn reads the rules that failed from a message in either of its wordings:
// a JSON list of names, or names with an explanation each.
func rulesIn(message string) []pim.Rule {
	var rules []pim.Rule
	seen := map[string]bool{}
	for _, name := range ruleName.FindAllString(message, -1) {
		if seen[strings.ToLower(name)] || len(rules) == 20 {
			continue
		}
		seen[strings.ToLower(name)] = true
		rule := pim.Rule(name)
		for _, r := range []pim.Rule{pim.RuleExpiration, pim.RuleJustification, pim.RuleTicketing, pim.RuleMFA, pim.RuleEligibility} {
			if strings.EqualFold(name, string(r)) {
				rule = r
			}
		}
		rules = append(rules, rule)
	}
	return rules
}
