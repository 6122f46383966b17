// Package entra is the sign-in authority of the simulated tenant: OpenID
// discovery, the pages that a person sees, the token endpoint, and the check of
// bearer tokens for the services beside it.
//
// It speaks the parts of the Microsoft identity platform v2.0 that a public
// client uses: authorization code with PKCE, refresh token, device code, claims
// requests, continuous access evaluation. There are no passwords: whoever
// chooses an account has it. It must therefore never be reachable from another
// computer; package tenant listens on loopback only.
package entra

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"roletray/pim/tenant/world"
)

// Params is what an Authority needs.
type Params struct {
	Clock     *world.Clock
	Directory *world.Directory
	// Authority is the https base of discovery and tokens, without a path.
	Authority string
	// Pages is the plain http base of what a person sees, without a path.
	Pages string
	// ARM and Graph are the bases of the services that tokens are issued for.
	ARM, Graph string
	// Settings are the current switches, asked for at every request. Nil means
	// the zero Settings.
	Settings func() Settings
	// Wall is the computer's clock, for the steps that a person or a program
	// does in real time. Nil means time.Now.
	Wall func() time.Time
}

// Settings are switches of the sign-in authority.
type Settings struct {
	// TokenLifetimeSeconds is how long an access token is good for, by the
	// tenant's clock. Zero means 60 to 90 minutes, drawn for each token.
	TokenLifetimeSeconds int `json:"tokenLifetimeSeconds"`
	// RequireMFA asks for the second factor at every new sign-in, not only when
	// a request demands it.
	RequireMFA bool `json:"requireMfa"`
	// RefuseConsent names services ("arm", "graph") that nobody consented to.
	RefuseConsent []string `json:"refuseConsent"`
	// GrantedScopes are the permissions of Graph that an administrator consented
	// to. Null means all that the application asks for; a client of Microsoft's
	// that is arranged for in advance keeps what it has.
	GrantedScopes []string `json:"grantedScopes"`
	// UnknownClients are application ids that the tenant does not know.
	UnknownClients []string `json:"unknownClients"`
}

// Validate returns an error that names the first setting out of range.
func (s Settings) Validate() error {
	if s.TokenLifetimeSeconds < 0 || s.TokenLifetimeSeconds > 24*60*60 {
		return errors.New("tokenLifetimeSeconds must be between 0 and 86400")
	}
	for _, name := range s.RefuseConsent {
		if name != ServiceARM && name != ServiceGraph {
			return fmt.Errorf("refuseConsent knows %q and %q, not %q", ServiceARM, ServiceGraph, name)
		}
	}
	return nil
}

// Names of the services that tokens are issued for.
const (
	ServiceARM   = "arm"
	ServiceGraph = "graph"
)

// Authority is the sign-in authority. It is safe for concurrent use.
type Authority struct {
	Params
	keys  *signingKey
	pages *template.Template

	mu sync.Mutex
	// transactions are the sign-ins under way in a browser.
	transactions map[string]*transaction
	// browsers are the single sign-on sessions, by cookie.
	browsers map[string]*browserSession
	codes    map[string]*authorizationCode
	devices  map[string]*deviceRequest
	refresh  map[string]refreshToken
	// issued holds when each access token was issued, by uti: finer than the
	// whole seconds in the token, so that revocation can be exact.
	issued  map[string]issuedToken
	revoked map[string]revocation
}

// New makes an authority with a fresh signing key.
func New(p Params) (*Authority, error) {
	keys, err := newSigningKey()
	if err != nil {
		return nil, fmt.Errorf("make the signing key: %w", err)
	}
	pages, err := template.ParseFS(pageFiles, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("read the pages: %w", err)
	}
	if p.Settings == nil {
		p.Settings = func() Settings { return Settings{} }
	}
	if p.Wall == nil {
		p.Wall = time.Now
	}
	return &Authority{
		Params:       p,
		keys:         keys,
		pages:        pages,
		transactions: map[string]*transaction{},
		browsers:     map[string]*browserSession{},
		codes:        map[string]*authorizationCode{},
		devices:      map[string]*deviceRequest{},
		refresh:      map[string]refreshToken{},
		issued:       map[string]issuedToken{},
		revoked:      map[string]revocation{},
	}, nil
}

// Issuer is claim iss of every token.
func (a *Authority) Issuer() string { return a.Authority + "/" + a.Directory.TenantID + "/v2.0" }

// API is what programs speak to, over TLS: discovery, keys, tokens.
func (a *Authority) API() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", a.tenanted(a.openIDConfiguration))
	mux.HandleFunc("GET /{tenant}/discovery/v2.0/keys", a.tenanted(a.jwks))
	mux.HandleFunc("GET /common/discovery/instance", a.instanceDiscovery)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", a.tenanted(a.token))
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/devicecode", a.tenanted(a.deviceCode))
	// A client that builds the addresses of pages itself is sent to where they are.
	toPages := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, a.Pages+r.URL.RequestURI(), http.StatusFound)
	}
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", toPages)
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/logout", toPages)
	return mux
}

// tenanted lets only the names of this tenant through.
func (a *Authority) tenanted(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !a.knowsTenant(r.PathValue("tenant")) {
			a.writeError(w, r, errTenant(r.PathValue("tenant")))
			return
		}
		next(w, r)
	}
}

func (a *Authority) knowsTenant(name string) bool {
	for _, known := range []string{a.Directory.TenantID, a.Directory.Domain, "organizations", "common"} {
		if known != "" && strings.EqualFold(name, known) {
			return true
		}
	}
	return false
}

func (a *Authority) openIDConfiguration(w http.ResponseWriter, r *http.Request) {
	tenant := r.PathValue("tenant")
	writeJSON(w, http.StatusOK, map[string]any{
		"token_endpoint":                        a.Authority + "/" + tenant + "/oauth2/v2.0/token",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		"jwks_uri":                              a.Authority + "/" + tenant + "/discovery/v2.0/keys",
		"response_modes_supported":              []string{"query", "form_post"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"response_types_supported":              []string{"code"},
		"scopes_supported":                      []string{"openid", "profile", "email", "offline_access"},
		"issuer":                                a.Issuer(),
		"request_uri_parameter_supported":       false,
		"authorization_endpoint":                a.Pages + "/" + tenant + "/oauth2/v2.0/authorize",
		"device_authorization_endpoint":         a.Authority + "/" + tenant + "/oauth2/v2.0/devicecode",
		"end_session_endpoint":                  a.Pages + "/" + tenant + "/oauth2/v2.0/logout",
		"http_logout_supported":                 true,
		"code_challenge_methods_supported":      []string{"S256"},
		"claims_supported": []string{
			"sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver",
		},
		"tenant_region_scope":        nil,
		"cloud_instance_name":        hostOf(a.Authority),
		"cloud_graph_host_name":      hostOf(a.Graph),
		"msgraph_host":               hostOf(a.Graph),
		"rbac_url":                   a.Pages,
		"claims_parameter_supported": true,
	})
}

func (a *Authority) instanceDiscovery(w http.ResponseWriter, r *http.Request) {
	host := hostOf(a.Authority)
	writeJSON(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": a.Authority + "/" + a.Directory.TenantID + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []map[string]any{
			{"preferred_network": host, "preferred_cache": host, "aliases": []string{host}},
		},
	})
}

func (a *Authority) jwks(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"keys": []any{a.keys.jwk(a.Issuer())}})
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Host
}

// secret is a random text of 256 bits, safe in a URL and in a cookie.
func secret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store, no-cache")
	w.Header().Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
