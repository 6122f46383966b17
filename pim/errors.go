package pim

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code is what went wrong, as a program branches on it.
type Code string

// The codes of an Error.
const (
	// CodeSignInNeeded: no token can be had without the person.
	CodeSignInNeeded Code = "sign-in-needed"
	// CodeStepUp: the service wants a token that meets the error's Claims.
	CodeStepUp Code = "step-up"
	// CodeConsent: the application lacks a permission that an administrator grants.
	CodeConsent Code = "consent"
	// CodeAlreadyActive: the role is active, or a deactivation is still being worked on.
	CodeAlreadyActive Code = "already-active"
	// CodeNotActive: there is nothing to deactivate, or the service does not know of it yet.
	CodeNotActive Code = "not-active"
	// CodePending: a request for the role is open already.
	CodePending Code = "pending"
	// CodeDuplicate: a request with this very id has arrived before.
	CodeDuplicate Code = "duplicate"
	// CodePolicy: the role's settings refuse; Rules says which of them.
	CodePolicy Code = "policy"
	// CodeTooEarly: an activation may not be ended in its first five minutes.
	CodeTooEarly Code = "too-early"
	// CodeForbidden: the caller may not do or read this.
	CodeForbidden Code = "forbidden"
	// CodeNotEligible: the eligibility is gone.
	CodeNotEligible Code = "not-eligible"
	// CodeNotFound: the service does not know the thing.
	CodeNotFound Code = "not-found"
	// CodeLicence: the organisation lacks the licence that PIM needs.
	CodeLicence Code = "licence"
	// CodeDecided: somebody else has decided the request already.
	CodeDecided Code = "decided"
	// CodeThrottled: too many calls; RetryAfter says when to go on, if told.
	CodeThrottled Code = "throttled"
	// CodeUnavailable: the service has a fault of its own.
	CodeUnavailable Code = "unavailable"
	// CodeOffline: the service could not be reached.
	CodeOffline Code = "offline"
	// CodeTimeout: no answer came in time; a write may have taken effect.
	CodeTimeout Code = "timeout"
	// CodeUnreadable: the answer made no sense.
	CodeUnreadable Code = "unreadable"
	// CodeRejected: the service refused for a reason of its own, see Message.
	CodeRejected Code = "rejected"
	// CodeUnknownOutcome: whether a write took effect could not be found out.
	CodeUnknownOutcome Code = "unknown-outcome"
	// CodeCancelled: the person called it off.
	CodeCancelled Code = "cancelled"
	// CodeKeychain: the keychain cannot be used; Message says why.
	CodeKeychain Code = "keychain"
	// CodeJournal: the journal could not be written, so nothing was sent.
	CodeJournal Code = "journal"
	// CodeInternal: everything that has no code.
	CodeInternal Code = "internal"
)

// Error is a failure of a service, told apart by Code. Message comes from the
// service and is sanitised by NewError's callers through CleanText.
type Error struct {
	Code Code
	// Service is the service's own error code.
	Service string
	// Message is the service's own text, made safe to show. It is never a claims challenge.
	Message string
	// Rules are the policy rules that failed, for CodePolicy.
	Rules []Rule
	// Status is the HTTP status, or zero.
	Status int
	// RetryAfter is how long the service asked to be left alone or, with CodeTooEarly,
	// how much is left of the five minutes; zero where that is not known.
	RetryAfter time.Duration
	// CorrelationID is the service's id of the call, for a support case.
	CorrelationID string
	// Claims is the claims request to meet, for CodeStepUp and CodeSignInNeeded.
	// It is kept out of every text.
	Claims Claims
	// Err is the cause, or nil.
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	if e.Service != "" {
		b.WriteString(" (" + e.Service + ")")
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	} else if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first Error in err's chain. It is empty for nil
// and CodeInternal for an error without a code; an ended context counts as cancelled
// or timed out.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	switch {
	case errors.Is(err, context.Canceled):
		return CodeCancelled
	case errors.Is(err, context.DeadlineExceeded):
		return CodeTimeout
	}
	return CodeInternal
}

// Problem is an error as a person reads it.
type Problem struct {
	Code Code `json:"code"`
	// Text is one sentence that says what happened and what to do.
	Text string `json:"text"`
	// Details are lines to copy into a support case. They hold no secret.
	Details string `json:"details,omitempty"`
}

// Explain says err in words. It returns nil for nil.
func Explain(err error) *Problem {
	if err == nil {
		return nil
	}
	p := &Problem{Code: CodeOf(err), Details: CleanText(err.Error(), 2000)}
	e, _ := errors.AsType[*Error](err)
	if e == nil {
		e = &Error{}
	}
	if e.CorrelationID != "" {
		p.Details += "\nCorrelation id: " + CleanText(e.CorrelationID, 100)
	}
	// An error that knows better than its code what to tell says so itself.
	if s, ok := errors.AsType[interface {
		error
		Sentence() string
	}](err); ok {
		p.Text = s.Sentence()
	} else {
		p.Text = sentence(p.Code, e)
	}
	return p
}

func sentence(c Code, e *Error) string {
	switch c {
	case CodeSignInNeeded:
		return "Sign in again to go on."
	case CodeStepUp:
		return "This role asks for a stronger sign-in. Activate it again and complete the prompt in the browser."
	case CodeConsent:
		return "Your organisation has not allowed this application to read these roles. Ask an administrator for consent."
	case CodeAlreadyActive:
		return "This role is already active, or its deactivation is still being processed. Try again in a minute if you cannot use it."
	case CodeNotActive:
		return "The service does not see this role as active yet. Try again in a minute."
	case CodePending:
		return "A request for this role is already waiting. Follow or cancel it under Requests."
	case CodeDuplicate:
		return "The service already has this request."
	case CodePolicy:
		return policySentence(e.Rules)
	case CodeTooEarly:
		if e.RetryAfter > 0 {
			return "A role cannot be deactivated in its first five minutes. Try again in " + minutes(e.RetryAfter) + "."
		}
		return "A role cannot be deactivated in its first five minutes. Try again then."
	case CodeForbidden:
		return "You may not do this at this scope. Ask whoever manages the scope for access."
	case CodeNotEligible:
		return "You are no longer eligible for this role. Refresh the list, or ask an administrator for the eligibility."
	case CodeNotFound:
		return "The service does not know this role or scope any more. Refresh the list."
	case CodeLicence:
		return "Your organisation lacks the Microsoft Entra ID P2 licence that this needs. Ask an administrator."
	case CodeDecided:
		return "Somebody else has decided this request already. Refresh the list to see how."
	case CodeThrottled:
		return "The service asks for fewer calls. Wait a minute and try again."
	case CodeUnavailable:
		return "The service has a problem of its own. Try again in a few minutes."
	case CodeOffline:
		return "The service could not be reached. Check the network connection."
	case CodeTimeout:
		return "The service did not answer in time. Try again."
	case CodeUnreadable:
		return "The service's answer could not be understood. Try again, and report it if it stays."
	case CodeUnknownOutcome:
		return "It is not known whether the request arrived. Look at Requests before you send it again."
	case CodeCancelled:
		return "It was called off. Nothing was sent."
	case CodeKeychain:
		return "The keychain cannot be used, so the sign-in lasts only until Roletray ends. Unlock or start the keychain and sign in again."
	case CodeJournal:
		return "The journal could not be written, so nothing was sent. Check that the disk has room and try again."
	case CodeRejected:
		if e.Message != "" {
			text := strings.TrimRight(CleanText(e.Message, 300), ". ")
			if !strings.HasSuffix(text, "…") {
				text += "."
			}
			return "The service refused: " + text
		}
		return "The service refused the request. Copy the details for your administrator."
	}
	return "Something went wrong. Copy the details and try again."
}

// minutes is d in whole minutes, or seconds where it is no more than one, never less than d.
func minutes(d time.Duration) string {
	if d <= time.Minute {
		return fmt.Sprintf("%d s", (d+time.Second-1)/time.Second)
	}
	return fmt.Sprintf("%d min", (d+time.Minute-1)/time.Minute)
}

func policySentence(rules []Rule) string {
	words := map[Rule]string{
		RuleExpiration:    "choose a shorter duration",
		RuleJustification: "give a justification",
		RuleTicketing:     "give a ticket number",
		RuleMFA:           "sign in with multi-factor authentication",
		RuleEligibility:   "ask an administrator, since the eligibility does not allow this",
	}
	var todo []string
	for _, r := range rules {
		if w := words[r]; w != "" {
			todo = append(todo, w)
		}
	}
	switch len(todo) {
	case 0:
		return "The role's settings do not allow this. Copy the details for your administrator."
	case 1:
		return "The role's settings refuse this: " + todo[0] + "."
	}
	return "The role's settings refuse this: " + strings.Join(todo[:len(todo)-1], ", ") + " and " + todo[len(todo)-1] + "."
}
