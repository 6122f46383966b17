package entra

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// tokenRequest is a request to the token endpoint whose form is right.
type tokenRequest struct {
	grantType string
	app       client
	// target is zero where no scope was named.
	target target
	claims ClaimsRequest
	form   url.Values
	// clientInfo asks for client_info in the answer.
	clientInfo bool
}

// readForm reads a form of bounded size. A parameter that comes twice is an
// error, by RFC 6749, 3.2.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *signInError) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, errMalformed()
	}
	for _, values := range r.PostForm {
		if len(values) > 1 {
			return nil, errMalformed()
		}
	}
	return r.PostForm, nil
}

func (a *Authority) readToken(form url.Values) (tokenRequest, *signInError) {
	req := tokenRequest{grantType: form.Get("grant_type"), form: form, clientInfo: form.Get("client_info") == "1"}
	if req.grantType == "" {
		return req, errMissing("grant_type")
	}
	if form.Get("client_id") == "" {
		return req, errMissing("client_id")
	}
	var e *signInError
	if req.app, e = a.client(form.Get("client_id")); e != nil {
		return req, e
	}
	if form.Get("scope") != "" {
		if req.target, e = a.parseScope(form.Get("scope")); e != nil {
			return req, e
		}
	}
	claims, err := ParseClaims(form.Get("claims"))
	if err != nil {
		return req, errMalformed()
	}
	req.claims = claims
	return req, nil
}

func (a *Authority) token(w http.ResponseWriter, r *http.Request) {
	form, e := readForm(w, r)
	if e != nil {
		a.writeError(w, r, e)
		return
	}
	req, e := a.readToken(form)
	if e != nil {
		a.writeError(w, r, e)
		return
	}
	var g grant
	nonce := ""
	switch req.grantType {
	case "authorization_code":
		g, nonce, e = a.redeemCode(&req)
	case "refresh_token":
		g, e = a.redeemRefresh(req)
	case deviceGrant, "device_code":
		g, e = a.redeemDevice(&req)
	default:
		e = signInErr("unsupported_grant_type", 70003, "The app requested an unsupported grant type '%s'.", clip(req.grantType))
	}
	if e == nil && req.target.Service == "" {
		e = errMissing("scope")
	}
	if e != nil {
		a.writeError(w, r, e)
		return
	}
	granted, e := a.authorize(req.app, req.target)
	if e == nil && !g.meets(req.claims, a.Clock.Now()) {
		e = errStepUp(resourceAppID(req.target.Service), req.claims.Raw)
	}
	if e != nil {
		a.writeError(w, r, e)
		return
	}
	answer, err := a.issue(req, g, granted, nonce)
	if err != nil {
		fail := signInErr("server_error", 90033, "A transient error has occurred. Please try again.")
		fail.Status = http.StatusInternalServerError
		a.writeError(w, r, fail)
		return
	}
	w.Header().Set("client-request-id", correlationID(r))
	writeJSON(w, http.StatusOK, answer)
}

func (a *Authority) redeemCode(req *tokenRequest) (grant, string, *signInError) {
	for _, name := range []string{"code", "redirect_uri", "code_verifier"} {
		if req.form.Get(name) == "" {
			return grant{}, "", errMissing(name)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	code, ok := a.codes[req.form.Get("code")]
	switch {
	case !ok || code.grant.clientID != req.app.ID:
		return grant{}, "", errGrant()
	case code.redeemed:
		return grant{}, "", signInErr("invalid_grant", 54005, "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.")
	case a.Wall().Sub(code.created) > codeLifetime:
		return grant{}, "", errExpiredGrant()
	}
	code.redeemed = true
	if code.redirect != req.form.Get("redirect_uri") {
		return grant{}, "", signInErr("invalid_grant", 500112, "The reply address '%s' does not match the reply address '%s' provided when requesting Authorization code.", clip(req.form.Get("redirect_uri")), clip(code.redirect))
	}
	sum := sha256.Sum256([]byte(req.form.Get("code_verifier")))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(challenge), []byte(code.challenge)) != 1 {
		return grant{}, "", signInErr("invalid_grant", 501481, "The Code_Verifier does not match the code_challenge supplied in the authorization request.")
	}
	if a.revoked[code.grant.user.ID].refresh.After(code.grant.at) {
		return grant{}, "", errRevoked(code.grant.at, a.revoked[code.grant.user.ID].refresh)
	}
	if req.target.Service == "" {
		req.target = code.target
	}
	req.claims.Capabilities = union(req.claims.Capabilities, code.claims.Capabilities)
	return code.grant, code.nonce, nil
}

func (a *Authority) redeemRefresh(req tokenRequest) (grant, *signInError) {
	if req.form.Get("refresh_token") == "" {
		return grant{}, errMissing("refresh_token")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.refresh[req.form.Get("refresh_token")]
	if !ok || t.grant.clientID != req.app.ID {
		return grant{}, errGrant()
	}
	if at := a.revoked[t.grant.user.ID].refresh; !t.issued.After(at) {
		return grant{}, errRevoked(t.issued, at)
	}
	if a.Clock.Now().Sub(t.issued) > refreshLifetime {
		return grant{}, errExpiredGrant()
	}
	return t.grant, nil
}

func (a *Authority) redeemDevice(req *tokenRequest) (grant, *signInError) {
	if req.form.Get("device_code") == "" {
		return grant{}, errMissing("device_code")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	d, ok := a.devices[req.form.Get("device_code")]
	switch {
	case !ok || d.client.ID != req.app.ID || d.redeemed:
		return grant{}, signInErr("bad_verification_code", 70018, "Invalid verification code due to user typing in a wrong user code for device code flow, or the code was used.")
	case d.declined:
		return grant{}, signInErr("authorization_declined", 70021, "The end-user denied the authorization request.")
	case a.Wall().Sub(d.created) > deviceLifetime:
		return grant{}, signInErr("expired_token", 70020, "The provided value for the 'code' or 'refresh_token' parameter isn't valid. The code has expired.")
	case d.grant == nil:
		return grant{}, signInErr("authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending. Continue polling.")
	}
	d.redeemed = true
	if req.target.Service == "" {
		req.target = d.target
	}
	req.claims.Capabilities = union(req.claims.Capabilities, d.claims.Capabilities)
	return *d.grant, nil
}

func errGrant() *signInError {
	return signInErr("invalid_grant", 70000, "Provided grant is invalid or malformed.")
}

func errExpiredGrant() *signInError {
	return signInErr("invalid_grant", 70008, "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.")
}

func errRevoked(issued, valid time.Time) *signInError {
	const form = "2006-01-02T15:04:05.0000000Z"
	return signInErr("invalid_grant", 50173, "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '%s' and the TokensValidFrom date (before which tokens are not valid) for this user is '%s'.", issued.Format(form), valid.Format(form))
}

// issue makes the answer of the token endpoint.
func (a *Authority) issue(req tokenRequest, g grant, granted []string, nonce string) (map[string]any, error) {
	now := a.Clock.Now()
	lifetime := a.lifetime()
	uti := secret()[:22]
	access, err := a.keys.sign(a.accessClaims(req, g, granted, uti, now, lifetime))
	if err != nil {
		return nil, fmt.Errorf("sign the access token: %w", err)
	}
	// Programs count expires_in by their computer's clock, which may be slower
	// than the tenant's.
	seconds := max(1, int(lifetime.Seconds()/a.Clock.Speed()))
	answer := map[string]any{
		"token_type":     "Bearer",
		"scope":          req.target.answered(granted),
		"expires_in":     seconds,
		"ext_expires_in": seconds,
		"refresh_in":     max(1, seconds/2),
		"access_token":   access,
	}
	if req.target.OpenID {
		id, err := a.keys.sign(a.idClaims(req, g, nonce, now, lifetime))
		if err != nil {
			return nil, fmt.Errorf("sign the ID token: %w", err)
		}
		answer["id_token"] = id
	}
	if req.clientInfo {
		info, err := json.Marshal(map[string]string{"uid": g.user.ID, "utid": a.Directory.TenantID})
		if err != nil {
			return nil, fmt.Errorf("encode client_info: %w", err)
		}
		answer["client_info"] = base64.RawURLEncoding.EncodeToString(info)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget()
	a.issued[uti] = issuedToken{issued: now, expires: now.Add(lifetime)}
	if req.target.Offline || req.grantType == "refresh_token" {
		token := "1." + secret() + secret()
		a.refresh[token] = refreshToken{grant: g, issued: now}
		answer["refresh_token"] = token
	}
	return answer, nil
}

func (a *Authority) accessClaims(req tokenRequest, g grant, granted []string, uti string, now time.Time, lifetime time.Duration) jwt.MapClaims {
	c := jwt.MapClaims{
		"aud": req.target.Audience, "iss": a.Issuer(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(lifetime).Unix(),
		"acr": "1", "amr": g.methods,
		"appid": req.app.ID, "app_displayname": req.app.Name, "appidacr": "0", "idtyp": "user",
		"ipaddr": "127.0.0.1", "name": g.user.Name,
		"oid": g.user.ID, "tid": a.Directory.TenantID, "sub": subject(g.user.ID, req.target.Service), "sid": g.session,
		"upn": g.user.UPN, "unique_name": g.user.UPN, "preferred_username": g.user.UPN,
		"scp": strings.Join(granted, " "), "uti": uti, "ver": "1.0",
	}
	if len(g.contexts) > 0 {
		c["acrs"] = g.contexts
	}
	if len(req.claims.Capabilities) > 0 {
		c["xms_cc"] = req.claims.Capabilities
	}
	return c
}

func (a *Authority) idClaims(req tokenRequest, g grant, nonce string, now time.Time, lifetime time.Duration) jwt.MapClaims {
	c := jwt.MapClaims{
		"aud": req.app.ID, "iss": a.Issuer(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(lifetime).Unix(), "auth_time": g.at.Unix(),
		"name": g.user.Name, "preferred_username": g.user.UPN, "upn": g.user.UPN,
		"oid": g.user.ID, "tid": a.Directory.TenantID, "sub": subject(g.user.ID, req.app.ID), "sid": g.session,
		"uti": secret()[:22], "ver": "2.0",
	}
	if nonce != "" {
		c["nonce"] = nonce
	}
	return c
}

// lifetime of a new access token, by the tenant's clock.
func (a *Authority) lifetime() time.Duration {
	if s := a.Settings().TokenLifetimeSeconds; s > 0 {
		return time.Duration(s) * time.Second
	}
	spread, err := rand.Int(rand.Reader, big.NewInt(30*60))
	if err != nil {
		panic(err) // crypto/rand does not fail on any supported system.
	}
	return time.Hour + time.Duration(spread.Int64())*time.Second
}

// subject is the pairwise claim sub: one for each user and recipient.
func subject(user, recipient string) string {
	sum := sha256.Sum256([]byte(user + "|" + recipient))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
