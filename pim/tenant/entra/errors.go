package entra

import (
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

// signInError is an error in the words of the identity platform. The codes and
// the first sentence are those of Microsoft's list of AADSTS error codes.
type signInError struct {
	// OAuth is the error of RFC 6749, on which a client decides.
	OAuth string
	// Code is the number after AADSTS.
	Code     int
	Text     string
	SubError string
	// Claims is what a step-up has to ask for.
	Claims string
	Status int
}

func (e *signInError) Error() string { return fmt.Sprintf("AADSTS%d: %s", e.Code, e.Text) }

func signInErr(oauth string, code int, format string, args ...any) *signInError {
	return &signInError{OAuth: oauth, Code: code, Text: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

func errTenant(name string) *signInError {
	return signInErr("invalid_tenant", 90002, "Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", clip(name))
}

func errMissing(name string) *signInError {
	return signInErr("invalid_request", 900144, "The request body must contain the following parameter: '%s'.", name)
}

func errClient(id, tenant string) *signInError {
	return signInErr("unauthorized_client", 700016, "Application with identifier '%s' was not found in the directory '%s'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.", clip(id), tenant)
}

func errConsent(app client) *signInError {
	e := signInErr("invalid_grant", 65001, "The user or administrator has not consented to use the application with ID '%s' named '%s'. Send an interactive authorization request for this user and resource.", app.ID, app.Name)
	e.SubError = "consent_required"
	return e
}

func errPreauthorization(app client, resource string) *signInError {
	return signInErr("invalid_grant", 65002, "Consent between first party application '%s' and first party resource '%s' must be configured via preauthorization - applications owned and operated by Microsoft must get approval from the API owner before requesting tokens for that API.", app.ID, resource)
}

// errStepUp says that only a person can meet the claims.
func errStepUp(resource, claims string) *signInError {
	e := signInErr("interaction_required", 50076, "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '%s'.", resource)
	e.SubError = "basic_action"
	e.Claims = claims
	return e
}

func errMalformed() *signInError {
	return signInErr("invalid_request", 9002313, "Invalid request. Request is malformed or invalid.")
}

func errCanceled() *signInError {
	e := signInErr("access_denied", 65004, "User declined to consent to access the app. (authentication_canceled)")
	e.SubError = "cancel"
	return e
}

// clip bounds text of a request that is told back.
func clip(s string) string {
	if len(s) > 100 {
		return s[:100]
	}
	return s
}

// description is the error_description: the sentence and what support asks for.
func (a *Authority) description(e *signInError, trace, correlation string) string {
	return fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s", e.Error(), trace, correlation, a.timestamp())
}

func (a *Authority) timestamp() string { return a.Clock.Now().Format("2006-01-02 15:04:05Z") }

// writeError answers a program, as the token endpoint does.
func (a *Authority) writeError(w http.ResponseWriter, r *http.Request, e *signInError) {
	trace := uuid.NewString()
	correlation := correlationID(r)
	body := map[string]any{
		"error":             e.OAuth,
		"error_description": a.description(e, trace, correlation),
		"error_codes":       []int{e.Code},
		"timestamp":         a.timestamp(),
		"trace_id":          trace,
		"correlation_id":    correlation,
		"error_uri":         fmt.Sprintf("%s/error?code=%d", a.Authority, e.Code),
	}
	if e.SubError != "" {
		body["suberror"] = e.SubError
	}
	if e.Claims != "" {
		body["claims"] = e.Claims
	}
	w.Header().Set("x-ms-request-id", trace)
	writeJSON(w, e.Status, body)
}

func correlationID(r *http.Request) string {
	if id, err := uuid.Parse(r.Header.Get("client-request-id")); err == nil {
		return id.String()
	}
	return uuid.NewString()
}

// Steps that a person or a program takes in real time, by the computer's clock:
// a fast tenant clock must not take the time to click away.
const (
	codeLifetime        = 10 * time.Minute
	transactionLifetime = time.Hour
	deviceLifetime      = 15 * time.Minute
	browserLifetime     = 24 * time.Hour
)

// refreshLifetime is by the tenant's clock, and starts anew with every token.
const refreshLifetime = 90 * 24 * time.Hour
