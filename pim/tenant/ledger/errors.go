package ledger

import "fmt"

// Code is why the service refuses, in Microsoft's words.
type Code string

// The codes of Microsoft's list of common errors for privileged roles, of its
// older governance API, and some that were observed in the field.
const (
	RoleAssignmentExists         Code = "RoleAssignmentExists"
	RoleAssignmentDoesNotExist   Code = "RoleAssignmentDoesNotExist"
	RoleEligibilityDoesNotExist  Code = "RoleEligibilityDoesNotExist"
	PendingRoleAssignmentRequest Code = "PendingRoleAssignmentRequest"
	RequestExists                Code = "RoleAssignmentRequestExists"
	PolicyValidationFailed       Code = "RoleAssignmentRequestPolicyValidationFailed"
	AcrsValidationFailed         Code = "RoleAssignmentRequestAcrsValidationFailed"
	ActiveDurationTooShort       Code = "ActiveDurationTooShort"
	InsufficientPermissions      Code = "InsufficientPermissions"
	AuthorizationFailed          Code = "AuthorizationFailed"
	SubjectNotFound              Code = "SubjectNotFound"
	InvalidRequest               Code = "InvalidRoleAssignmentRequest"
	InvalidSchedule              Code = "InvalidRoleAssignmentRequestSchedule"
	NotFound                     Code = "ResourceNotFound"
	Conflict                     Code = "Conflict"
	BadRequest                   Code = "BadRequest"
)

// Rule names a policy rule that an activation broke.
type Rule string

// The rules in the order in which the service names them.
const (
	ExpirationRule    Rule = "ExpirationRule"
	JustificationRule Rule = "JustificationRule"
	EligibilityRule   Rule = "EligibilityRule"
	TicketingRule     Rule = "TicketingRule"
	MFARule           Rule = "MfaRule"
)

// Error is a refusal. A face turns it into its protocol's answer.
type Error struct {
	Code Code
	// Detail is a sentence, where the code has no fixed one.
	Detail string
	// Rules are the rules broken, with PolicyValidationFailed.
	Rules []Rule
	// Context is the authentication context wanted, with AcrsValidationFailed.
	Context string
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return string(e.Code)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Detail)
}

func refuse(c Code) error { return &Error{Code: c} }

func refusef(c Code, format string, args ...any) error {
	return &Error{Code: c, Detail: fmt.Sprintf(format, args...)}
}
