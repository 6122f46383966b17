package entra

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"roletray/pim/tenant/world"
)

// Rejection says why a request's token is not accepted: always a 401.
type Rejection struct {
	// Code and Message go into the service's own error envelope.
	Code, Message string
	// Challenge is the WWW-Authenticate header.
	Challenge string
}

func (r *Rejection) Error() string { return r.Code + ": " + r.Message }

// accessToken is what the services read of a token.
type accessToken struct {
	jwt.RegisteredClaims
	ObjectID string   `json:"oid"`
	AppID    string   `json:"appid"`
	Scopes   string   `json:"scp"`
	Contexts []string `json:"acrs"`
	Methods  []string `json:"amr"`
	Client   []string `json:"xms_cc"`
	TokenID  string   `json:"uti"`
}

// Authenticate checks the bearer token of a request to a service.
func (a *Authority) Authenticate(r *http.Request, service string) (world.Caller, *Rejection) {
	raw, ok := bearer(r)
	if !ok {
		return world.Caller{}, a.reject("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
	}
	var claims accessToken
	_, err := jwt.ParseWithClaims(raw, &claims,
		func(*jwt.Token) (any, error) { return &a.keys.private.PublicKey, nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(a.Issuer()), jwt.WithAudience(a.audience(service)),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(a.Clock.Now))
	switch {
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return world.Caller{}, a.reject("InvalidAuthenticationTokenAudience", "The access token has been obtained for wrong audience or resource.")
	case errors.Is(err, jwt.ErrTokenExpired):
		return world.Caller{}, a.reject("InvalidAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time. Lifetime validation failed, the token is expired.")
	case err != nil:
		return world.Caller{}, a.reject("InvalidAuthenticationToken", "The access token is invalid.")
	}
	a.mu.Lock()
	issued, known := a.issued[claims.TokenID]
	valid := a.revoked[claims.ObjectID].access
	a.mu.Unlock()
	if !known {
		return world.Caller{}, a.reject("InvalidAuthenticationToken", "The access token is invalid.")
	}
	caller := world.Caller{
		UserID: claims.ObjectID, ClientID: claims.AppID, TokenID: claims.TokenID,
		Scopes: strings.Fields(claims.Scopes), Contexts: claims.Contexts, Methods: claims.Methods,
		Capabilities: claims.Client, Issued: issued.issued,
	}
	// Without the capability a client is not challenged: its token stays good
	// until it expires.
	if !issued.issued.After(valid) && caller.HasCapability("cp1") {
		return world.Caller{}, a.challenge(service, valid)
	}
	return caller, nil
}

func (a *Authority) reject(code, message string) *Rejection {
	return &Rejection{Code: code, Message: message, Challenge: fmt.Sprintf(
		`Bearer authorization_uri="%s/%s", error="invalid_token", error_description="%s"`, a.Authority, a.Directory.TenantID, message)}
}

// challenge asks for a token issued after that moment, in the form of
// continuous access evaluation.
func (a *Authority) challenge(service string, valid time.Time) *Rejection {
	const message = "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"
	claims := fmt.Sprintf(`{"access_token":{"nbf":{"essential":true, "value":"%d"}}}`, valid.Unix())
	return &Rejection{Code: "InvalidAuthenticationToken", Message: message, Challenge: fmt.Sprintf(
		`Bearer realm="", authorization_uri="%s/common/oauth2/authorize", client_id="%s", errorDescription="%s", error="insufficient_claims", claims="%s"`,
		a.Authority, resourceAppID(service), message, base64.StdEncoding.EncodeToString([]byte(claims)))}
}

// Describe reads the id and the authentication contexts of a request's token
// without checking it, for a record of what was seen.
func Describe(r *http.Request) (tokenID string, contexts []string) {
	raw, ok := bearer(r)
	if !ok {
		return "", nil
	}
	var claims accessToken
	if _, _, err := jwt.NewParser().ParseUnverified(raw, &claims); err != nil {
		return "", nil
	}
	return clip(claims.TokenID), claims.Contexts
}

func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer") && token != ""
}
