package tenant

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

const stepUpC1 = `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`

func TestInteractiveSignInGivesATokenThatARMTakes(t *testing.T) {
	tn := start(t, Options{})
	c := msal(t, tn, tn.Info().ClientID)
	user := tn.Info().Users[1]
	res, err := c.AcquireTokenInteractive(patience(t), armScope(tn), public.WithOpenURL(tn.Browser(user.UPN)))
	if err != nil {
		t.Fatal(err)
	}
	if res.Account.PreferredUsername != user.UPN || res.Account.HomeAccountID != user.ID+"."+tn.Info().TenantID {
		t.Errorf("account is %+v, want that of %s", res.Account, user.UPN)
	}
	claims := claimsOf(t, res.AccessToken)
	for name, want := range map[string]any{
		"aud": tn.Info().ARM, "oid": user.ID, "tid": tn.Info().TenantID, "upn": user.UPN, "name": user.Name,
		"scp": "user_impersonation", "xms_cc": []any{"cp1"}, "amr": []any{"pwd"},
	} {
		if diff := cmp.Diff(want, claims[name]); diff != "" {
			t.Errorf("claim %s: %s", name, diff)
		}
	}
	if claims["acrs"] != nil {
		t.Errorf("acrs is %v without a step-up", claims["acrs"])
	}
	if a := send(t, tn.Client(), request(t, "GET", eligibleURL(tn), res.AccessToken, nil)); a.status != http.StatusOK {
		t.Errorf("ARM answers %d %s", a.status, a.body)
	}
	if a := send(t, tn.Client(), request(t, "GET", tn.Info().Graph+"/v1.0/me", res.AccessToken, nil)); a.status != http.StatusUnauthorized {
		t.Errorf("Graph takes ARM's token: %d", a.status)
	}
}

func TestOneRefreshTokenServesBothAudiences(t *testing.T) {
	tn := start(t, Options{})
	c := msal(t, tn, tn.Info().ClientID)
	res := signIn(t, tn, c)
	graph, err := c.AcquireTokenSilent(patience(t), []string{tn.Info().Graph + "/User.Read"}, public.WithSilentAccount(res.Account))
	if err != nil {
		t.Fatal(err)
	}
	a := send(t, tn.Client(), request(t, "GET", tn.Info().Graph+"/v1.0/me?$select=id", graph.AccessToken, nil))
	var me struct {
		ID string `json:"id"`
	}
	a.decode(t, &me)
	if me.ID != tn.Info().Users[0].ID {
		t.Errorf("/me is %s", a.body)
	}
	if a := send(t, tn.Client(), request(t, "GET", eligibleURL(tn), graph.AccessToken, nil)); a.status != http.StatusUnauthorized || !strings.Contains(a.body, "InvalidAuthenticationTokenAudience") {
		t.Errorf("ARM takes Graph's token: %d %s", a.status, a.body)
	}
	for path, want := range map[string]string{"/v1.0/nonsense": "Resource not found for the segment", "/v3/me": "Invalid version"} {
		a := send(t, tn.Client(), request(t, "GET", tn.Info().Graph+path, graph.AccessToken, nil))
		if a.status != http.StatusBadRequest || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestExpiredTokenIsRefused(t *testing.T) {
	tn := start(t, Options{})
	c := msal(t, tn, tn.Info().ClientID)
	res := signIn(t, tn, c)
	if left := time.Until(res.ExpiresOn); left < 59*time.Minute || left > 91*time.Minute {
		t.Errorf("the token is good for %v", left)
	}
	tn.Advance(91 * time.Minute)
	a := send(t, tn.Client(), request(t, "GET", eligibleURL(tn), res.AccessToken, nil))
	if a.status != http.StatusUnauthorized || !strings.Contains(a.body, "expired") {
		t.Errorf("ARM takes an expired token: %d %s", a.status, a.body)
	}
}

func TestExpiryCountsByTheComputersClock(t *testing.T) {
	tn := start(t, Options{Speed: 10})
	res := signIn(t, tn, msal(t, tn, tn.Info().ClientID))
	if left := time.Until(res.ExpiresOn); left > 9*time.Minute+5*time.Second {
		t.Errorf("at tenfold speed the client thinks the token good for %v", left)
	}
}

func TestStepUp(t *testing.T) {
	tn := start(t, Options{})
	c := msal(t, tn, tn.Info().ClientID)
	first := signIn(t, tn, c)
	_, err := c.AcquireTokenSilent(patience(t), armScope(tn), public.WithSilentAccount(first.Account), public.WithClaims(stepUpC1))
	if err == nil || !strings.Contains(err.Error(), "interaction_required") || !strings.Contains(err.Error(), "AADSTS50076") {
		t.Fatalf("a silent step-up gives %v", err)
	}
	second := signIn(t, tn, c, public.WithClaims(stepUpC1), public.WithLoginHint(first.Account.PreferredUsername))
	claims := claimsOf(t, second.AccessToken)
	if diff := cmp.Diff([]any{"c1"}, claims["acrs"]); diff != "" {
		t.Errorf("acrs: %s", diff)
	}
	if diff := cmp.Diff([]any{"cp1"}, claims["xms_cc"]); diff != "" {
		t.Errorf("xms_cc: %s", diff)
	}
	third, err := c.AcquireTokenSilent(patience(t), armScope(tn), public.WithSilentAccount(second.Account), public.WithClaims(stepUpC1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]any{"c1"}, claimsOf(t, third.AccessToken)["acrs"]); diff != "" {
		t.Errorf("acrs after a refresh: %s", diff)
	}
	if third.AccessToken == second.AccessToken {
		t.Error("a silent request with claims gave the cached token")
	}
}

func TestMFAByClaims(t *testing.T) {
	tn := start(t, Options{})
	res := signIn(t, tn, msal(t, tn, tn.Info().ClientID), public.WithClaims(`{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}`))
	if diff := cmp.Diff([]any{"pwd", "mfa"}, claimsOf(t, res.AccessToken)["amr"]); diff != "" {
		t.Error(diff)
	}
}

func TestCancel(t *testing.T) {
	tn := start(t, Options{})
	steer(t, tn, "PUT", "/settings", map[string]any{"login": map[string]any{"requireMfa": true}})
	for _, at := range []string{"account", "mfa", "context"} {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		p := person{user: tn.Info().Users[0].UPN, cancelAt: at, client: &http.Client{Jar: jar}}
		options := []public.AcquireInteractiveOption{public.WithOpenURL(p.signIn)}
		if at == "context" {
			options = append(options, public.WithClaims(stepUpC1))
		}
		_, err = msal(t, tn, tn.Info().ClientID).AcquireTokenInteractive(patience(t), armScope(tn), options...)
		if err == nil || !strings.Contains(err.Error(), "authentication_canceled") {
			t.Errorf("cancel at %s gives %v", at, err)
		}
	}
}

func TestDeviceCode(t *testing.T) {
	tn := start(t, Options{})
	c := msal(t, tn, tn.Info().ClientID)
	dc, err := c.AcquireTokenByDeviceCode(patience(t), armScope(tn))
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	enter := func(code string) answer {
		resp, err := browser.PostForm(dc.Result.VerificationURL, url.Values{"otc": {code}})
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return answer{status: resp.StatusCode, body: resp.Request.URL.String()}
	}
	if a := enter("WRONGCODE"); a.status != http.StatusBadRequest {
		t.Errorf("a wrong code is answered with %d", a.status)
	}
	p := person{user: tn.Info().Users[0].UPN, client: browser}
	if err := p.signIn(enter(strings.ToLower(dc.Result.UserCode)).body); err != nil {
		t.Fatal(err)
	}
	res, err := dc.AuthenticationResult(patience(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := claimsOf(t, res.AccessToken)["upn"]; got != tn.Info().Users[0].UPN {
		t.Errorf("signed in as %v", got)
	}

	declined, err := c.AcquireTokenByDeviceCode(patience(t), armScope(tn))
	if err != nil {
		t.Fatal(err)
	}
	p.cancelAt = "account"
	if err := p.signIn(enter(declined.Result.UserCode).body); err != nil {
		t.Fatal(err)
	}
	if _, err := declined.AuthenticationResult(patience(t)); err == nil || !strings.Contains(err.Error(), "authorization_declined") {
		t.Errorf("a declined sign-in gives %v", err)
	}
}

// authorization is a sign-in without MSAL, to do what MSAL never does.
type authorization struct {
	tn       *Tenant
	verifier string
	query    url.Values
	// got receives what the redirect listener was sent.
	got    chan *http.Request
	client *http.Client
}

func newAuthorization(t *testing.T, tn *Tenant) *authorization {
	t.Helper()
	a := &authorization{tn: tn, verifier: strings.Repeat("v", 43), got: make(chan *http.Request, 1)}
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		a.got <- r
	}))
	t.Cleanup(app.Close)
	sum := sha256.Sum256([]byte(a.verifier))
	a.query = url.Values{
		"client_id": {tn.Info().ClientID}, "response_type": {"code"}, "redirect_uri": {app.URL},
		"scope":          {armScope(tn)[0] + " openid offline_access"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
		"state": {"state & <more>"}, "login_hint": {tn.Info().Users[0].UPN},
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	a.client = &http.Client{Jar: jar}
	return a
}

func (a *authorization) address() string {
	pages := strings.TrimSuffix(a.tn.Info().Control, "/control")
	return pages + "/" + a.tn.Info().TenantID + "/oauth2/v2.0/authorize?" + a.query.Encode()
}

// run signs in and returns what the program was sent.
func (a *authorization) run(t *testing.T) (*http.Request, error) {
	t.Helper()
	if err := (person{user: a.tn.Info().Users[0].UPN, client: a.client}).signIn(a.address()); err != nil {
		return nil, err
	}
	select {
	case r := <-a.got:
		return r, nil
	case <-patience(t).Done():
		t.Fatal("the program was not answered")
		return nil, nil
	}
}

func (a *authorization) redemption(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "client_id": {a.tn.Info().ClientID}, "code": {code},
		"redirect_uri": {a.query.Get("redirect_uri")}, "code_verifier": {a.verifier}, "scope": {a.query.Get("scope")},
	}
}

func (a *authorization) token(t *testing.T, form url.Values) (string, oauthError, map[string]any) {
	t.Helper()
	got := post(t, a.tn, "/organizations/oauth2/v2.0/token", form)
	var e oauthError
	var all map[string]any
	got.decode(t, &e)
	got.decode(t, &all)
	refresh, _ := all["refresh_token"].(string)
	return refresh, e, all
}

type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Codes       []int  `json:"error_codes"`
	Claims      string `json:"claims"`
}

func TestResponseModes(t *testing.T) {
	tn := start(t, Options{})
	for mode, method := range map[string]string{"": "GET", "query": "GET", "form_post": "POST"} {
		a := newAuthorization(t, tn)
		if mode != "" {
			a.query.Set("response_mode", mode)
		}
		r, err := a.run(t)
		if err != nil {
			t.Fatal(err)
		}
		if r.Method != method || r.Form.Get("state") != "state & <more>" || r.Form.Get("code") == "" {
			t.Errorf("mode %q: %s with %v", mode, r.Method, r.Form)
		}
		if _, e, answer := a.token(t, a.redemption(r.Form.Get("code"))); e.Error != "" || answer["id_token"] == nil {
			t.Errorf("mode %q: %+v", mode, e)
		}
	}
}

func TestSingleSignOn(t *testing.T) {
	tn := start(t, Options{})
	a := newAuthorization(t, tn)
	a.query.Set("prompt", "none")
	wantError := func(want string) {
		t.Helper()
		r, err := a.run(t)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Form.Get("error"); got != want {
			t.Fatalf("error is %q, want %q: %v", got, want, r.Form)
		}
	}
	wantError("login_required")
	a.query.Set("prompt", "login")
	wantError("")
	a.query.Set("prompt", "none")
	wantError("")
	a.query.Set("claims", stepUpC1)
	wantError("interaction_required")
	a.query.Set("prompt", "consent")
	wantError("")
	a.query.Set("prompt", "none")
	wantError("")
	pages := strings.TrimSuffix(tn.Info().Control, "/control")
	resp, err := a.client.Get(pages + "/common/oauth2/v2.0/logout")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	wantError("login_required")
	a.query.Set("prompt", "create")
	wantError("invalid_request")
}

func TestCodeIsGoodOnceAndForItsVerifier(t *testing.T) {
	tn := start(t, Options{})
	cases := []struct {
		name   string
		change func(url.Values)
		code   int
	}{
		{"wrong verifier", func(v url.Values) { v.Set("code_verifier", strings.Repeat("w", 43)) }, 501481},
		{"no verifier", func(v url.Values) { v.Del("code_verifier") }, 900144},
		{"other redirect", func(v url.Values) { v.Set("redirect_uri", "http://localhost:1") }, 500112},
		{"other client", func(v url.Values) { v.Set("client_id", "04b07795-8ddb-461a-bbee-02f9e1bf7b46") }, 70000},
		{"no such code", func(v url.Values) { v.Set("code", "x") }, 70000},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := newAuthorization(t, tn)
			r, err := a.run(t)
			if err != nil {
				t.Fatal(err)
			}
			form := a.redemption(r.Form.Get("code"))
			c.change(form)
			if _, e, _ := a.token(t, form); !slices.Equal(e.Codes, []int{c.code}) {
				t.Errorf("got %+v, want %d", e, c.code)
			}
		})
	}
	a := newAuthorization(t, tn)
	r, err := a.run(t)
	if err != nil {
		t.Fatal(err)
	}
	form := a.redemption(r.Form.Get("code"))
	if _, e, _ := a.token(t, form); e.Error != "" {
		t.Fatalf("%+v", e)
	}
	if _, e, _ := a.token(t, form); !slices.Equal(e.Codes, []int{54005}) {
		t.Errorf("the second time: %+v", e)
	}
}

// Where the program cannot be trusted to be the one that asks, a person sees
// the error and nobody is redirected.
func TestAuthorizeErrorsOnAPage(t *testing.T) {
	tn := start(t, Options{})
	for name, c := range map[string]struct{ parameter, value, want string }{
		"foreign redirect": {"redirect_uri", "https://example.com/", "AADSTS50011"},
		"look-alike":       {"redirect_uri", "http://localhost.example.com/", "AADSTS50011"},
		"user info":        {"redirect_uri", "http://localhost@example.com/", "AADSTS50011"},
		"unknown client":   {"client_id", "11111111-1111-1111-1111-111111111111", "AADSTS700016"},
	} {
		a := newAuthorization(t, tn)
		a.query.Set(c.parameter, c.value)
		if _, err := a.run(t); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAuthorizeErrorsToTheProgram(t *testing.T) {
	tn := start(t, Options{})
	for name, c := range map[string]struct{ parameter, value, want string }{
		"plain challenge":   {"code_challenge_method", "plain", "AADSTS9002325"},
		"no challenge":      {"code_challenge", "", "AADSTS9002325"},
		"implicit":          {"response_type", "token", "AADSTS700054"},
		"fragment":          {"response_mode", "fragment", "AADSTS900144"},
		"two resources":     {"scope", armScope(tn)[0] + " User.Read", "AADSTS28000"},
		"foreign resource":  {"scope", "https://management.azure.com/.default", "AADSTS500011"},
		"unknown scope":     {"scope", "Nonsense.Read", "AADSTS650053"},
		"not consented":     {"scope", "RoleManagement.ReadWrite.Directory", "AADSTS65001"},
		"no scope":          {"scope", "", "AADSTS900144"},
		"claims not JSON":   {"claims", "{", "AADSTS9002313"},
		"graph CLI and ARM": {"client_id", "14d82eec-204b-4c2f-b7e8-296a70dab67e", "AADSTS65002"},
	} {
		a := newAuthorization(t, tn)
		a.query.Set(c.parameter, c.value)
		r, err := a.run(t)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.Contains(r.Form.Get("error_description"), c.want) || r.Form.Get("state") != "state & <more>" {
			t.Errorf("%s: %v", name, r.Form)
		}
	}
}

func TestFirstPartyClients(t *testing.T) {
	tn := start(t, Options{})
	cli := msal(t, tn, "04b07795-8ddb-461a-bbee-02f9e1bf7b46")
	res := signIn(t, tn, cli)
	silent := func(scope string) error {
		_, err := cli.AcquireTokenSilent(patience(t), []string{tn.Info().Graph + "/" + scope}, public.WithSilentAccount(res.Account))
		return err
	}
	if err := silent("User.Read"); err != nil {
		t.Error(err)
	}
	if err := silent("RoleAssignmentSchedule.ReadWrite.Directory"); err == nil || !strings.Contains(err.Error(), "AADSTS65002") {
		t.Errorf("Azure CLI gets a scope of PIM: %v", err)
	}
	graph := msal(t, tn, "14d82eec-204b-4c2f-b7e8-296a70dab67e")
	if _, err := graph.AcquireTokenInteractive(patience(t), []string{tn.Info().Graph + "/.default"}, public.WithOpenURL(tn.Browser(""))); err != nil {
		t.Error(err)
	}
	if _, err := graph.AcquireTokenInteractive(patience(t), armScope(tn), public.WithOpenURL(tn.Browser(""))); err == nil || !strings.Contains(err.Error(), "AADSTS65002") {
		t.Errorf("the Graph tools get ARM: %v", err)
	}
}

func TestTokenErrors(t *testing.T) {
	tn := start(t, Options{})
	a := newAuthorization(t, tn)
	r, err := a.run(t)
	if err != nil {
		t.Fatal(err)
	}
	refresh, e, _ := a.token(t, a.redemption(r.Form.Get("code")))
	if refresh == "" {
		t.Fatalf("no refresh token: %+v", e)
	}
	form := func(change func(url.Values)) url.Values {
		v := url.Values{
			"grant_type": {"refresh_token"}, "client_id": {tn.Info().ClientID}, "refresh_token": {refresh},
			"scope": {a.query.Get("scope")},
		}
		change(v)
		return v
	}
	check := func(name string, change func(url.Values), oauth string, code int) {
		t.Helper()
		_, e, _ := a.token(t, form(change))
		if e.Error != oauth || !slices.Equal(e.Codes, []int{code}) {
			t.Errorf("%s: %+v, want %s %d", name, e, oauth, code)
		}
	}
	set := func(name, value string) func(url.Values) { return func(v url.Values) { v.Set(name, value) } }
	check("grant type", set("grant_type", "password"), "unsupported_grant_type", 70003)
	check("no grant type", set("grant_type", ""), "invalid_request", 900144)
	check("twice", func(v url.Values) { v.Add("scope", "x") }, "invalid_request", 9002313)
	check("unknown token", set("refresh_token", "x"), "invalid_grant", 70000)
	check("unknown client", set("client_id", "x"), "unauthorized_client", 700016)
	check("claims", set("claims", "[]"), "invalid_request", 9002313)
	check("foreign resource", set("scope", "https://graph.microsoft.com/.default"), "invalid_resource", 500011)
	_, e, _ = a.token(t, form(set("claims", stepUpC1)))
	if e.Error != "interaction_required" || e.Claims != stepUpC1 {
		t.Errorf("step-up: %+v", e)
	}

	again, e, _ := a.token(t, form(func(url.Values) {}))
	if again == "" || again == refresh {
		t.Fatalf("the refresh token was not rotated: %+v", e)
	}
	steer(t, tn, "PUT", "/settings", map[string]any{"login": map[string]any{"refuseConsent": []string{"arm"}}})
	check("consent", func(url.Values) {}, "invalid_grant", 65001)
	steer(t, tn, "PUT", "/settings", map[string]any{"login": map[string]any{"refuseConsent": []string{}, "unknownClients": []string{tn.Info().ClientID}}})
	check("client taken away", func(url.Values) {}, "unauthorized_client", 700016)
	steer(t, tn, "PUT", "/settings", map[string]any{"login": map[string]any{"unknownClients": []string{}}})
	tn.Advance(91 * 24 * time.Hour)
	check("expired", func(url.Values) {}, "invalid_grant", 70008)
	steer(t, tn, "POST", "/revoke", map[string]any{"user": tn.Info().Users[0].UPN})
	check("revoked", func(url.Values) {}, "invalid_grant", 50173)

	for path, want := range map[string]int{"/elsewhere.example/oauth2/v2.0/token": 90002, "/" + tn.Info().TenantID + "/oauth2/v2.0/token": 50173} {
		var e oauthError
		post(t, tn, path, form(func(url.Values) {})).decode(t, &e)
		if !slices.Equal(e.Codes, []int{want}) {
			t.Errorf("%s: %+v", path, e)
		}
	}
}

func TestRevocationChallengesCapableClients(t *testing.T) {
	tn := start(t, Options{})
	capable := msal(t, tn, tn.Info().ClientID)
	plain := msal(t, tn, tn.Info().ClientID, public.WithClientCapabilities(nil))
	old, oldPlain := signIn(t, tn, capable), signIn(t, tn, plain)
	steer(t, tn, "POST", "/revoke", map[string]any{"keepRefreshTokens": true})
	a := send(t, tn.Client(), request(t, "GET", eligibleURL(tn), old.AccessToken, nil))
	challenge := a.header.Get("WWW-Authenticate")
	if a.status != http.StatusUnauthorized || !strings.Contains(challenge, `error="insufficient_claims"`) {
		t.Fatalf("a revoked token: %d %s", a.status, challenge)
	}
	if a := send(t, tn.Client(), request(t, "GET", eligibleURL(tn), oldPlain.AccessToken, nil)); a.status != http.StatusOK {
		t.Errorf("a client without cp1 was challenged: %d %s", a.status, a.body)
	}
	_, encoded, _ := strings.Cut(challenge, `claims="`)
	claims, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(encoded, `"`))
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := capable.AcquireTokenSilent(patience(t), armScope(tn), public.WithSilentAccount(old.Account), public.WithClaims(string(claims)))
	if err != nil {
		t.Fatal(err)
	}
	if a := send(t, tn.Client(), request(t, "GET", eligibleURL(tn), fresh.AccessToken, nil)); a.status != http.StatusOK {
		t.Errorf("the new token: %d %s", a.status, a.body)
	}
	steer(t, tn, "POST", "/revoke", nil)
	_, err = capable.AcquireTokenSilent(patience(t), armScope(tn), public.WithSilentAccount(old.Account), public.WithClaims(string(claims)))
	if err == nil || !strings.Contains(err.Error(), "AADSTS50173") {
		t.Errorf("after everything was revoked: %v", err)
	}
}

func TestForgedTokens(t *testing.T) {
	tn, other := start(t, Options{}), start(t, Options{})
	token := signIn(t, other, msal(t, other, other.Info().ClientID)).AccessToken
	good := signIn(t, tn, msal(t, tn, tn.Info().ClientID)).AccessToken
	parts := strings.Split(good, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
	tampered := parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(payload), `"idtyp":"user"`, `"idtyp":"app"`, 1))) + "." + parts[2]
	for name, tok := range map[string]string{"absent": "", "nonsense": "x", "of another tenant": token, "unsigned": none, "tampered": tampered} {
		a := send(t, tn.Client(), request(t, "GET", eligibleURL(tn), tok, nil))
		if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" || !json.Valid([]byte(a.body)) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

func TestDiscovery(t *testing.T) {
	tn := start(t, Options{})
	for _, tenant := range []string{tn.Info().TenantID, "organizations", "common"} {
		a := send(t, tn.Client(), request(t, "GET", tn.Info().Authority+"/"+tenant+"/v2.0/.well-known/openid-configuration", "", nil))
		var doc struct {
			Authorize string `json:"authorization_endpoint"`
			Token     string `json:"token_endpoint"`
			Keys      string `json:"jwks_uri"`
		}
		a.decode(t, &doc)
		if !strings.HasPrefix(doc.Authorize, "http://127.0.0.1:") || !strings.HasPrefix(doc.Token, tn.Info().Authority) {
			t.Errorf("%s: %+v", tenant, doc)
		}
		var keys struct {
			Keys []map[string]any `json:"keys"`
		}
		send(t, tn.Client(), request(t, "GET", doc.Keys, "", nil)).decode(t, &keys)
		if len(keys.Keys) != 1 || keys.Keys[0]["kty"] != "RSA" {
			t.Errorf("keys are %v", keys)
		}
	}
	if a := send(t, tn.Client(), request(t, "GET", tn.Info().Authority+"/contoso.example/v2.0/.well-known/openid-configuration", "", nil)); a.status != http.StatusBadRequest {
		t.Errorf("a foreign tenant: %d", a.status)
	}
	var instance struct {
		Endpoint string `json:"tenant_discovery_endpoint"`
		Metadata []any  `json:"metadata"`
	}
	send(t, tn.Client(), request(t, "GET", tn.Info().Authority+"/common/discovery/instance?api-version=1.1", "", nil)).decode(t, &instance)
	if instance.Endpoint == "" || len(instance.Metadata) != 1 {
		t.Errorf("instance metadata is %+v", instance)
	}
}

// A sign-in belongs to the browser that began it.
func TestPagesNeedTheirBrowser(t *testing.T) {
	tn := start(t, Options{})
	a := newAuthorization(t, tn)
	resp, err := a.client.Get(a.address())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	page := resp.Request.URL.String()
	if resp.StatusCode != http.StatusOK || !strings.Contains(page, "/signin/") {
		t.Fatalf("%d %s", resp.StatusCode, page)
	}
	stranger, err := http.PostForm(page, url.Values{"user": {tn.Info().Users[0].UPN}})
	if err != nil {
		t.Fatal(err)
	}
	stranger.Body.Close()
	if stranger.StatusCode != http.StatusBadRequest {
		t.Errorf("a stranger is answered with %d", stranger.StatusCode)
	}
	unknown, err := a.client.PostForm(page, url.Values{"user": {"nobody@example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	unknown.Body.Close()
	if unknown.StatusCode != http.StatusBadRequest {
		t.Errorf("an unknown account is answered with %d", unknown.StatusCode)
	}
	r := request(t, "GET", page, "", nil)
	r.Host = "evil.example"
	if got := send(t, a.client, r); got.status != http.StatusMisdirectedRequest {
		t.Errorf("a foreign host is answered with %d", got.status)
	}
}

// Enter in a field presses the first button of its form: never Cancel.
func TestEnterGoesOn(t *testing.T) {
	tn := start(t, Options{Seed: "empty"})
	a := newAuthorization(t, tn)
	a.query.Set("claims", stepUpC1)
	pages := strings.TrimSuffix(tn.Info().Control, "/control")
	for address, want := range map[string]string{a.address(): "account next", pages + "/devicelogin": "device next"} {
		got := send(t, a.client, request(t, "GET", address, "", nil))
		doc, err := html.Parse(strings.NewReader(got.body))
		if err != nil {
			t.Fatal(err)
		}
		form, button, _ := strings.Cut(want, " ")
		if id := attribute(find(find(doc, "form", form), "button", ""), "id"); id != button {
			t.Errorf("the first button of form %s is %q", form, id)
		}
		if find(doc, "p", "simulated") == nil {
			t.Errorf("form %s does not say that the tenant is simulated", form)
		}
	}
}
