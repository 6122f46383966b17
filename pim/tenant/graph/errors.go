package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"roletray/pim/tenant/ledger"
)

// fault is an answer that says no.
type fault struct {
	status  int
	code    string
	message string
	// ofPIM tells what role management refuses, which the settings may wrap.
	ofPIM bool
}

func (f *fault) Error() string { return f.code + ": " + f.message }

// faultf is a refusal by Graph itself.
func faultf(status int, code, format string, args ...any) *fault {
	return &fault{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// pimFault is a refusal by role management.
func pimFault(status int, code, format string, args ...any) *fault {
	f := faultf(status, code, format, args...)
	f.ofPIM = true
	return f
}

func badRequest(format string, args ...any) *fault {
	return faultf(http.StatusBadRequest, "BadRequest", format, args...)
}

func unauthorized() *fault {
	return pimFault(http.StatusForbidden, "UnauthorizedAccessException", "Attempted to perform an unauthorized operation.")
}

func notFound(id string) *fault {
	return pimFault(http.StatusNotFound, string(ledger.NotFound), "The resource '%.100s' could not be found.", id)
}

// noObject is how Graph says that the directory has no such object.
func noObject(id string) *fault {
	return faultf(http.StatusNotFound, "Request_ResourceNotFound", "Resource '%.100s' does not exist or one of its queried reference-property objects are not present.", id)
}

// ruleSentences is the newer wording of broken policy rules.
var ruleSentences = map[ledger.Rule]string{
	ledger.ExpirationRule:    "The requested duration is not allowed",
	ledger.JustificationRule: "Justification is required",
	ledger.EligibilityRule:   "An eligible role assignment is required",
	ledger.TicketingRule:     "Ticket information is required",
	ledger.MFARule:           "Multi-factor authentication is required",
}

// asFault says a refusal of the books in the words of Graph.
func (c *call) asFault(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	var e *ledger.Error
	if !errors.As(err, &e) {
		return faultf(http.StatusInternalServerError, "generalException", "%v", err)
	}
	status, message := http.StatusBadRequest, e.Detail
	switch e.Code {
	case ledger.RoleAssignmentExists:
		message = "The Role assignment already exists."
	case ledger.RoleAssignmentDoesNotExist:
		message = "The Role assignment does not exist."
	case ledger.RoleEligibilityDoesNotExist:
		message = "The Role eligibility does not exist."
	case ledger.PendingRoleAssignmentRequest:
		message = "There is already an existing pending Role assignment request."
	case ledger.PolicyValidationFailed:
		message = "The following policy rules failed: " + brokenRules(e.Rules, c.settings.PolicyWording)
	case ledger.AcrsValidationFailed:
		claims := fmt.Sprintf(`{"access_token":{"acrs":{"essential":true, "value":"%s"}}}`, e.Context)
		message = "&claims=" + strings.ReplaceAll(url.QueryEscape(claims), "+", "%20")
	case ledger.ActiveDurationTooShort:
		// The spelling is the service's own.
		message = "The Active duration is too short. Miniumum Required is 5 minutes."
	case ledger.InsufficientPermissions:
		status = http.StatusForbidden
		message = fmt.Sprintf("The requestor %s does not have permissions for this request.", c.caller.UserID)
	case ledger.NotFound:
		status = http.StatusNotFound
	case ledger.Conflict:
		status = http.StatusConflict
	}
	return pimFault(status, string(e.Code), "%s", message)
}

func brokenRules(rules []ledger.Rule, wording string) string {
	if wording != "sentences" {
		b, _ := json.Marshal(rules) // strings always marshal
		return string(b)
	}
	var said []string
	for _, r := range rules {
		said = append(said, string(r)+" - "+ruleSentences[r])
	}
	return strings.Join(said, ", ")
}

// refuse answers with a fault, in the form that the settings want.
func (c *call) refuse(f *fault) {
	code, message := f.code, f.message
	if f.ofPIM && c.settings.ErrorForm == "wrapped" {
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(map[string]string{"errorCode": code, "message": message}) // strings always encode
		code, message = "UnknownError", strings.TrimSpace(b.String())
	}
	c.s.writeError(c.w, c.id, f.status, code, message)
}

// Error answers a request in Graph's error envelope.
func (s *Service) Error(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	s.writeError(w, mark(w, r), status, code, message)
}

func (s *Service) writeError(w http.ResponseWriter, id requestID, status int, code, message string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{
		"code": code, "message": message,
		"innerError": map[string]string{
			"date": s.Clock.Now().Format("2006-01-02T15:04:05"), "request-id": id.own, "client-request-id": id.client,
		},
	}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // the other side has gone; there is nobody to tell
}
