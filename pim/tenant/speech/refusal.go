package speech

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/world"
)

// SayRules has broken rules named in sentences, the newer wording, in place of brackets.
const SayRules = "sentences"

var ruleSentences = map[ledger.Rule]string{
	ledger.ExpirationRule:    "The requested duration is not allowed",
	ledger.JustificationRule: "Justification is required",
	ledger.EligibilityRule:   "An eligible role assignment is required",
	ledger.TicketingRule:     "Ticket information is required",
	ledger.MFARule:           "Multi-factor authentication is required",
}

// Refusal is a refusal of the books as an HTTP status and a message. wording is how broken
// rules are named.
func Refusal(e *ledger.Error, wording string, caller world.Caller) (status int, message string) {
	status, message = http.StatusBadRequest, e.Detail
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
		message = "The following policy rules failed: " + brokenRules(e.Rules, wording)
	case ledger.AcrsValidationFailed:
		claims := fmt.Sprintf(`{"access_token":{"acrs":{"essential":true, "value":"%s"}}}`, e.Context)
		message = "&claims=" + strings.ReplaceAll(url.QueryEscape(claims), "+", "%20")
	case ledger.ActiveDurationTooShort:
		// The spelling is the service's own.
		message = "The Active duration is too short. Miniumum Required is 5 minutes."
	case ledger.InsufficientPermissions:
		status = http.StatusForbidden
		message = fmt.Sprintf("The requestor %s does not have permissions for this request.", caller.UserID)
	case ledger.NotFound:
		status = http.StatusNotFound
	case ledger.Conflict:
		status = http.StatusConflict
	}
	return status, message
}

func brokenRules(rules []ledger.Rule, wording string) string {
	if wording != SayRules {
		b, _ := json.Marshal(rules) // strings always marshal
		return string(b)
	}
	var said []string
	for _, r := range rules {
		said = append(said, string(r)+" - "+ruleSentences[r])
	}
	return strings.Join(said, ", ")
}
