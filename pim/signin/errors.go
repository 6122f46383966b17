package signin

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	msal "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"

	"roletray/pim"
	"roletray/pim/keychain"
)

// What can go wrong; compare with [errors.Is]. Each comes in a [*pim.Error], and
// [pim.Explain] has a sentence for it.
var (
	// ErrSignInNeeded: no token can be had without the person. The error's Claims tell
	// what the sign-in must meet.
	ErrSignInNeeded = errors.New("sign-in needed")
	// ErrCancelled: the person, or the caller's context, called the sign-in off.
	ErrCancelled = errors.New("sign-in cancelled")
	// ErrTimeout: the person did not finish in time, or a service did not answer.
	ErrTimeout = errors.New("sign-in timed out")
	// ErrOffline: the sign-in service could not be reached.
	ErrOffline = errors.New("sign-in service not reached")
	// ErrRefused: the sign-in service refuses, and signing in again does not help.
	ErrRefused = errors.New("sign-in refused")
	// ErrOtherAccount: a prompt for one account was answered with another.
	ErrOtherAccount = errors.New("signed in as somebody else")
	// ErrUnknownAccount: no such account is signed in.
	ErrUnknownAccount = errors.New("account is not signed in")
	// ErrForeignHost: a token was about to be sent to a host that it is not for.
	ErrForeignHost = errors.New("foreign host")
	// ErrNoBrowser: no browser could be opened, and nobody could be told the address.
	ErrNoBrowser = errors.New("no browser")
	// ErrNoAzureCLI: the Azure CLI is not installed, or not for the requested use.
	ErrNoAzureCLI = errors.New("no usable Azure CLI")

	errClosed = errors.New("account or service is closed")
)

// reason is what is known about a failed sign-in or token request besides what a
// [pim.Error] holds, which wraps it. It wraps one of this package's errors.
type reason struct {
	kind     error
	sentence string
	cause    error // holds no secret; may be nil
}

func (r *reason) Error() string {
	if r.cause != nil {
		return r.kind.Error() + ": " + r.cause.Error()
	}
	return r.kind.Error()
}

// Unwrap returns the kind and the cause.
func (r *reason) Unwrap() []error {
	if r.cause != nil {
		return []error{r.kind, r.cause}
	}
	return []error{r.kind}
}

// Sentence says in one sentence for the user what happened and what to do.
func (r *reason) Sentence() string { return r.sentence }

// NonRetriable keeps azcore from trying the request again.
func (r *reason) NonRetriable() {}

// failure makes the error of a kind.
func failure(code pim.Code, kind error, sentence string) *pim.Error {
	return &pim.Error{Code: code, Err: &reason{kind: kind, sentence: sentence}}
}

// Sentences of more than one error.
const (
	signInSentence      = "Sign in again to go on."
	consentSentence     = "Your organisation has not yet allowed this application; ask an administrator to grant it consent."
	mfaSentence         = "Your organisation asks for more proof of who you are; sign in again and complete the prompt in the browser."
	expiredSentence     = "Your sign-in has expired or was revoked; sign in again."
	unconnectedSentence = "Entra roles and groups are not connected; sign in again and go through both pages, or ask an administrator for consent."
	cancelSentence      = "The sign-in was cancelled; sign in again when you want to."
	promptSentence      = "The prompt in the browser was cancelled, so nothing was sent; try again and complete it."
)

// signInNeeded is ErrSignInNeeded for a sign-in that must meet claims.
func signInNeeded(sentence string, claims pim.Claims) error {
	e := failure(pim.CodeSignInNeeded, ErrSignInNeeded, sentence)
	e.Claims = claims
	return e
}

// withClaims returns err with claims added to those it carries.
func withClaims(err error, claims pim.Claims) error {
	e, ok := errors.AsType[*pim.Error](err)
	if !ok || claims == "" {
		return err
	}
	c := *e
	c.Claims = claims.Merge(e.Claims)
	return &c
}

// calledOff says of a prompt for more proof that the person called off what that means: they
// are signed in as before.
func calledOff(err error) error {
	e, ok := errors.AsType[*pim.Error](err)
	if !ok || !errors.Is(err, ErrCancelled) {
		return err
	}
	c := *e
	c.Err = &reason{kind: ErrCancelled, sentence: promptSentence}
	return &c
}

// ClaimsOf returns the claims request that goes with [ErrSignInNeeded], or none.
func ClaimsOf(err error) pim.Claims {
	if e, ok := errors.AsType[*pim.Error](err); ok {
		return e.Claims
	}
	return ""
}

func unknownAccount() error {
	return failure(pim.CodeSignInNeeded, ErrUnknownAccount, "This account is not signed in; sign in first.")
}

// problem is what an error code of Microsoft Entra means to the person.
type problem struct {
	code     pim.Code
	kind     error
	sentence string
}

// problems are the codes of Microsoft's list "Microsoft Entra authentication and
// authorization error codes" that this application meets.
func problems(code int) (problem, bool) {
	switch code {
	case 65001, 90093, 90094:
		return problem{pim.CodeConsent, ErrRefused, consentSentence}, true
	case 65002:
		return problem{pim.CodeConsent, ErrRefused, "Microsoft does not let this built-in application read this service; sign in with an application that your organisation has registered."}, true
	case 65004:
		return problem{pim.CodeCancelled, ErrCancelled, "The permissions were not accepted, so nothing was signed in; sign in again to accept them."}, true
	case 700016:
		return problem{pim.CodeRejected, ErrRefused, "Your organisation does not know this application; check the client id and the tenant, or ask an administrator to add it."}, true
	case 7000218:
		return problem{pim.CodeRejected, ErrRefused, "This application is not registered as a public client; ask whoever registered it to allow public client flows."}, true
	case 50011:
		return problem{pim.CodeRejected, ErrRefused, "This application's registration lacks the redirect address http://localhost; ask whoever registered it to add it under mobile and desktop applications."}, true
	case 50105:
		return problem{pim.CodeForbidden, ErrRefused, "You are not assigned to this application; ask an administrator to assign it to you."}, true
	case 53000:
		return problem{pim.CodeForbidden, ErrRefused, "Your organisation wants a compliant device; sign in from one, or register this computer with your organisation."}, true
	case 53001:
		return problem{pim.CodeForbidden, ErrRefused, "Your organisation wants a computer that is joined to it; sign in from one."}, true
	case 53002, 53003:
		return problem{pim.CodeForbidden, ErrRefused, "A Conditional Access policy of your organisation blocks this sign-in; ask an administrator."}, true
	case 50057:
		return problem{pim.CodeForbidden, ErrRefused, "This user account is disabled; ask an administrator."}, true
	case 50020, 50034:
		return problem{pim.CodeForbidden, ErrRefused, "This user is not known in the organisation; choose another account or another tenant."}, true
	case 90002:
		return problem{pim.CodeRejected, ErrRefused, "The tenant does not exist; check the tenant id."}, true
	case 50072, 50074, 50076, 50079:
		return problem{pim.CodeSignInNeeded, ErrSignInNeeded, mfaSentence}, true
	case 50078, 50132, 50133, 50173, 70008, 70043, 70044, 700082, 700084:
		return problem{pim.CodeSignInNeeded, ErrSignInNeeded, expiredSentence}, true
	}
	return problem{}, false
}

// oauthProblem is what an OAuth error means, for codes that problems does not know.
func oauthProblem(name string) problem {
	switch name {
	case "access_denied":
		return problem{pim.CodeCancelled, ErrCancelled, cancelSentence}
	case "interaction_required", "login_required", "invalid_grant":
		return problem{pim.CodeSignInNeeded, ErrSignInNeeded, signInSentence}
	case "consent_required":
		return problem{pim.CodeConsent, ErrRefused, consentSentence}
	case "temporarily_unavailable", "server_error":
		return problem{pim.CodeUnavailable, ErrOffline, "Microsoft's sign-in service has a problem of its own; try again in a few minutes."}
	}
	return problem{pim.CodeRejected, ErrRefused, "Microsoft's sign-in service refuses this sign-in; copy the details for your administrator."}
}

// refusal is an error answer of the authorize page or the token endpoint.
type refusal struct {
	Name        string `json:"error"`
	Description string `json:"error_description"`
	Codes       []int  `json:"error_codes"`
	Correlation string `json:"correlation_id"`
	Claims      string `json:"claims"`
}

var aadsts = regexp.MustCompile(`AADSTS(\d{4,9})`)

// oauthName is the form of an OAuth error name; anything else is not repeated.
var oauthName = regexp.MustCompile(`^[a-z_]{1,40}$`)

// err turns a refusal into an error. The description is server text that may
// repeat what was sent, so only the code in it is used.
func (r refusal) err() *pim.Error {
	codes := r.Codes
	if m := aadsts.FindStringSubmatch(r.Description); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			codes = append([]int{n}, codes...)
		}
	}
	p, service := oauthProblem(r.Name), "unknown error"
	if oauthName.MatchString(r.Name) {
		service = r.Name
	}
	if len(codes) > 0 {
		service = fmt.Sprintf("AADSTS%d", codes[0])
	}
	for _, code := range codes {
		if known, ok := problems(code); ok {
			p, service = known, fmt.Sprintf("AADSTS%d", code)
			break
		}
	}
	e := failure(p.code, p.kind, p.sentence)
	e.Service = service
	e.CorrelationID = pim.CleanText(r.Correlation, 100)
	if claims, ok := claimsObject(r.Claims); ok {
		e.Claims = claims
	}
	return e
}

// explain turns an error of a context, the network, the keychain or MSAL into a
// [*pim.Error] of this package. What it does not know it returns as it is.
func explain(err error) error {
	if err == nil || isOurs(err) {
		return err
	}
	if k, ok := errors.AsType[*keychain.Error](err); ok {
		return failure(pim.CodeKeychain, k, k.Sentence())
	}
	var answer msal.CallErr
	var unreadable msal.InvalidJsonErr
	var certificate *tls.CertificateVerificationError
	var request *url.Error
	var network net.Error
	switch {
	case errors.As(err, &answer):
		return answerError(answer)
	case errors.Is(err, context.Canceled):
		return because(failure(pim.CodeCancelled, ErrCancelled, cancelSentence), context.Canceled)
	case errors.Is(err, context.DeadlineExceeded):
		return because(failure(pim.CodeTimeout, ErrTimeout, "The sign-in was not finished in time; try again."), context.DeadlineExceeded)
	case errors.As(err, &certificate):
		return failure(pim.CodeOffline, ErrOffline, "The sign-in service's certificate is not trusted; check the network's proxy or the cloud's CA file.")
	case errors.As(err, &unreadable):
		return failure(pim.CodeUnreadable, ErrOffline, "The sign-in service's answer could not be understood; check the network's proxy, and try again.")
	case errors.As(err, &request), errors.As(err, &network):
		return failure(pim.CodeOffline, ErrOffline, "The sign-in service could not be reached; check the network connection.")
	}
	return err
}

// because gives e a cause that holds no secret.
func because(e *pim.Error, cause error) *pim.Error {
	if r, ok := e.Err.(*reason); ok {
		r.cause = cause
	}
	return e
}

// msalError is explain for an error of MSAL, of which nothing else is kept: MSAL puts
// whole answers, tokens among them, into its texts.
func msalError(err error) error {
	if e := explain(err); e == nil || isOurs(e) {
		return e
	}
	return failure(pim.CodeInternal, ErrRefused, "The sign-in failed for a reason that is not known; try again.")
}

func isOurs(err error) bool {
	_, ok := errors.AsType[*reason](err)
	return ok || errors.Is(err, errClosed)
}

// answerError reads an error answer of the token endpoint or of discovery.
func answerError(answer msal.CallErr) error {
	status := 0
	var r refusal
	if answer.Resp != nil {
		status = answer.Resp.StatusCode
		if data, err := io.ReadAll(io.LimitReader(answer.Resp.Body, maxAnswer)); err == nil {
			// An answer that is no JSON leaves r empty, which is handled below.
			_ = json.Unmarshal(data, &r)
		}
	}
	if r.Name == "" && (status == http.StatusTooManyRequests || status >= http.StatusInternalServerError) {
		r.Name = "temporarily_unavailable"
	}
	e := r.err()
	e.Status = status
	return e
}
