package signin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"roletray/pim"
	"roletray/pim/keychain"
	"roletray/pim/keychain/keychaintest"
	"roletray/pim/signin"
	"roletray/pim/tenant"
)

// contextC1 asks for an authentication context of the simulated tenant.
const contextC1 = pim.Claims(`{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`)

// bench is a tenant and a person with a browser, a keychain and a folder.
type bench struct {
	t      *testing.T
	tenant *tenant.Tenant
	cloud  pim.Cloud
	user   tenant.User
	ring   *keychaintest.Ring
	dir    string
	opened atomic.Int32

	browsing sync.Mutex // a person does one thing at a time
	browser  func(url string) error

	mu   sync.Mutex
	told bytes.Buffer // what was logged and what errors said
}

// Write takes the log.
func (b *bench) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.told.Write(p)
}

func newBench(t *testing.T) *bench {
	t.Helper()
	tn, err := tenant.Start(t.Context(), tenant.Options{Seed: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tn.Close(); err != nil {
			t.Error(err)
		}
	})
	info := tn.Info()
	b := &bench{
		t: t, tenant: tn, user: info.Users[0], ring: new(keychaintest.Ring), dir: t.TempDir(),
		cloud: pim.Cloud{
			Name: "custom", Authority: info.Authority, ARM: info.ARM, Graph: info.Graph,
			TenantID: info.TenantID, ClientID: info.ClientID, CAFile: info.CAFile,
		},
		browser: tn.Browser(info.Users[0].UPN),
	}
	t.Cleanup(b.noSecretTold)
	return b
}

// service starts a service over the bench's folder and keychain, as a start of the
// program does.
func (b *bench) service() *signin.Service {
	b.t.Helper()
	s, err := signin.New(signin.Params{
		Dir:      b.dir,
		Keychain: keychain.New(b.ring, "roletray-test", keychain.WithLockFile(filepath.Join(b.dir, "keychain.lock"))),
		OpenBrowser: func(url string) error {
			b.opened.Add(1)
			b.browsing.Lock()
			defer b.browsing.Unlock()
			return b.browser(url)
		},
		Log: slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(s.Close)
	return s
}

// use changes what the person does with a page, from the next one on.
func (b *bench) use(browser func(url string) error) {
	b.browsing.Lock()
	defer b.browsing.Unlock()
	b.browser = browser
}

func (b *bench) signIn(s *signin.Service) pim.Account {
	b.t.Helper()
	acc, err := s.SignIn(b.t.Context(), signin.Options{Cloud: b.cloud})
	if err != nil {
		b.t.Fatal(err)
	}
	return acc
}

// token gets a token that must come without a browser.
func (b *bench) token(s *signin.Service, acc pim.Account, a pim.Audience) signin.Token {
	b.t.Helper()
	before := b.opened.Load()
	tok, err := s.Source(acc.ID).Token(b.t.Context(), a, signin.TokenRequest{})
	if err != nil {
		b.t.Fatal(err)
	}
	if b.opened.Load() != before {
		b.t.Error("a browser opened for a silent request")
	}
	return tok
}

// wantError checks an error and all that it says.
func (b *bench) wantError(err, want error, code pim.Code) {
	b.t.Helper()
	if !errors.Is(err, want) {
		b.t.Fatalf("got %v, want %v", err, want)
	}
	p := pim.Explain(err)
	if p.Code != code {
		b.t.Errorf("code %q, want %q", p.Code, code)
	}
	if p.Text == "" || !strings.HasSuffix(p.Text, ".") {
		b.t.Errorf("sentence %q", p.Text)
	}
	fmt.Fprintf(b, "%v %+v %#v %s %+v\n", err, err, err, p.Text, p)
}

// noSecretTold looks for every token that was issued in the log, the errors and the
// files.
func (b *bench) noSecretTold() {
	var secrets []string
	store := keychain.New(b.ring, "roletray-test")
	for name := range b.ring.Items() {
		name = strings.TrimPrefix(name, "roletray-test/")
		if strings.Contains(name, "/") {
			continue
		}
		data, err := store.Load(context.Background(), name)
		if err != nil {
			continue
		}
		var cache map[string]map[string]struct {
			Secret string `json:"secret"`
		}
		if err := json.Unmarshal(data, &cache); err != nil {
			b.t.Fatal(err)
		}
		for _, kind := range cache {
			for _, item := range kind {
				if item.Secret != "" {
					secrets = append(secrets, item.Secret)
				}
			}
		}
	}
	told := b.told.Bytes()
	err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		told = append(told, data...)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, secret := range secrets {
		if bytes.Contains(told, []byte(secret)) {
			b.t.Errorf("a token of %d bytes is in the log, an error or a file", len(secret))
		}
	}
	for _, mark := range []string{"eyJ0", "eyJh", "acrs", `"essential"`, "refresh_token", "code_verifier", "?code="} {
		if bytes.Contains(told, []byte(mark)) {
			b.t.Errorf("%q is in the log, an error or a file", mark)
		}
	}
}

// control calls the tenant's control endpoint.
func (b *bench) control(method, path, body string) {
	b.t.Helper()
	info := b.tenant.Info()
	req, err := http.NewRequestWithContext(b.t.Context(), method, info.Control+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+info.ControlSecret)
	resp, err := b.tenant.Client().Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b.t.Fatalf("%s %s: %s", method, path, resp.Status)
	}
}

func claimsOf(t *testing.T, tok signin.Token) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(tok.Value, claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestSignIn(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	want := pim.Account{
		ID: acc.ID, HomeID: acc.HomeID, UserID: b.user.ID, TenantID: b.cloud.TenantID,
		Username: b.user.UPN, Name: b.user.Name, Cloud: b.cloud, Method: pim.SignInBrowser,
	}
	if acc != want || len(acc.ID) != 20 || acc.HomeID == "" {
		t.Errorf("got  %+v\nwant %+v", acc, want)
	}
	if err := s.Persistence(); err != nil {
		t.Errorf("persistence: %v", err)
	}

	tok := b.token(s, acc, pim.AudienceARM)
	claims := claimsOf(t, tok)
	if aud := fmt.Sprint(claims["aud"]); strings.TrimSuffix(aud, "/") != b.cloud.ARM {
		t.Errorf("audience %s", aud)
	}
	if cc := fmt.Sprint(claims["xms_cc"]); cc != "[cp1]" {
		t.Errorf("capabilities %s", cc)
	}
	if !tok.Expires.After(time.Now()) {
		t.Errorf("expires %s", tok.Expires)
	}
	if again := b.token(s, acc, pim.AudienceARM); again.Value != tok.Value {
		t.Error("the second token is not from the cache")
	}
	if aud := fmt.Sprint(claimsOf(t, b.token(s, acc, pim.AudienceGraph))["aud"]); strings.TrimSuffix(aud, "/") != b.cloud.Graph {
		t.Errorf("audience for Graph is %s", aud)
	}
	if runtime.GOOS != "windows" {
		info, err := os.Stat(filepath.Join(b.dir, "accounts", acc.ID+".json"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("record: %v, %v", info, err)
		}
	}

	if second := b.signIn(s); second != acc || len(s.Accounts()) != 1 {
		t.Errorf("signing in again made %+v of %+v", s.Accounts(), acc)
	}
}

// TestBuiltInClients uses the public clients, one for each service.
func TestBuiltInClients(t *testing.T) {
	b := newBench(t)
	b.cloud.ClientID = ""
	b.cloud.TenantID = ""
	s := b.service()
	acc := b.signIn(s)
	if acc.TenantID != b.tenant.Info().TenantID {
		t.Errorf("tenant %s", acc.TenantID)
	}
	if id := claimsOf(t, b.token(s, acc, pim.AudienceARM))["appid"]; id != "04b07795-8ddb-461a-bbee-02f9e1bf7b46" {
		t.Errorf("application for ARM is %v", id)
	}
	source := s.Source(acc.ID)
	_, err := source.Token(t.Context(), pim.AudienceGraph, signin.TokenRequest{})
	b.wantError(err, signin.ErrSignInNeeded, pim.CodeConsent)
	tok, err := source.Token(t.Context(), pim.AudienceGraph, signin.TokenRequest{Interactive: true})
	if err != nil {
		t.Fatal(err)
	}
	if id := claimsOf(t, tok)["appid"]; id != "14d82eec-204b-4c2f-b7e8-296a70dab67e" {
		t.Errorf("application for Graph is %v", id)
	}
	if err := s.SignOut(t.Context(), acc.ID); err != nil || len(b.ring.Items()) != 0 {
		t.Errorf("sign-out: %v, %d items left", err, len(b.ring.Items()))
	}
}

func TestRestart(t *testing.T) {
	b := newBench(t)
	first := b.service()
	acc := b.signIn(first)
	tok := b.token(first, acc, pim.AudienceARM)
	first.Close()
	if _, err := first.Source(acc.ID).Token(t.Context(), pim.AudienceARM, signin.TokenRequest{}); !errors.Is(err, signin.ErrUnknownAccount) {
		t.Errorf("after Close: %v", err)
	}

	b.use(func(string) error { t.Error("a browser opened after a restart"); return nil })
	s := b.service()
	if got := s.Accounts(); len(got) != 1 || got[0] != acc {
		t.Fatalf("accounts %+v", got)
	}
	if got := b.token(s, acc, pim.AudienceARM); got.Value != tok.Value {
		t.Error("the token of before the restart was not in the keychain")
	}
	b.token(s, acc, pim.AudienceGraph)
	if w := s.Warnings(); len(w) != 0 {
		t.Errorf("warnings %q", w)
	}
}

func TestRenew(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	old := map[pim.Audience]signin.Token{}
	for _, a := range []pim.Audience{pim.AudienceARM, pim.AudienceGraph} {
		old[a] = b.token(s, acc, a)
	}
	opened := b.opened.Load()
	if err := s.Source(acc.ID).Renew(t.Context(), pim.AudienceARM); err != nil {
		t.Fatal(err)
	}
	now := b.token(s, acc, pim.AudienceARM)
	if now.Value == old[pim.AudienceARM].Value {
		t.Error("the token is the same")
	}
	if b.token(s, acc, pim.AudienceARM).Value != now.Value || b.token(s, acc, pim.AudienceGraph).Value != old[pim.AudienceGraph].Value {
		t.Error("the new token was not kept, or the other service's was not")
	}
	if b.opened.Load() != opened {
		t.Error("a browser opened")
	}
	b.wantError(s.Source("nobody").Renew(t.Context(), pim.AudienceARM), signin.ErrUnknownAccount, pim.CodeSignInNeeded)
}

func TestSignOut(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	b.token(s, acc, pim.AudienceGraph)
	if len(b.ring.Items()) == 0 {
		t.Fatal("nothing was kept in the keychain")
	}
	if err := s.SignOut(t.Context(), acc.ID); err != nil {
		t.Fatal(err)
	}
	if items := b.ring.Items(); len(items) != 0 {
		t.Errorf("%d items are left in the keychain", len(items))
	}
	entries, err := os.ReadDir(filepath.Join(b.dir, "accounts"))
	if err != nil || len(entries) != 0 {
		t.Errorf("files left: %v, %v", entries, err)
	}
	if len(s.Accounts()) != 0 {
		t.Error("the account is still listed")
	}
	_, err = s.Source(acc.ID).Token(t.Context(), pim.AudienceARM, signin.TokenRequest{})
	b.wantError(err, signin.ErrUnknownAccount, pim.CodeSignInNeeded)
	b.wantError(s.SignOut(t.Context(), acc.ID), signin.ErrUnknownAccount, pim.CodeSignInNeeded)
	if len(b.service().Accounts()) != 0 {
		t.Error("the account is back after a restart")
	}
}

// TestSignOutLocked keeps the account while its tokens cannot be deleted.
func TestSignOutLocked(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	b.ring.Fail(errors.New("failed to unlock correct collection '/org/freedesktop/secrets/collection/login'"))
	b.wantError(s.SignOut(t.Context(), acc.ID), keychain.ErrLocked, pim.CodeKeychain)
	if len(s.Accounts()) != 1 {
		t.Fatal("the account is gone, its tokens are not")
	}
	b.ring.Fail(nil)
	b.token(s, acc, pim.AudienceARM)
	if err := s.SignOut(t.Context(), acc.ID); err != nil || len(b.ring.Items()) != 0 {
		t.Errorf("sign-out: %v, %d items left", err, len(b.ring.Items()))
	}
}

func TestStepUp(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	source := s.Source(acc.ID)
	plain := b.token(s, acc, pim.AudienceARM)
	before := b.opened.Load()

	_, err := source.Token(t.Context(), pim.AudienceARM, signin.TokenRequest{Claims: contextC1})
	b.wantError(err, signin.ErrSignInNeeded, pim.CodeSignInNeeded)
	if got := signin.ClaimsOf(err); !strings.Contains(string(got), `"c1"`) {
		t.Error("the error does not carry the claims")
	}
	if b.opened.Load() != before {
		t.Fatal("a browser opened without a person's act")
	}

	var wg sync.WaitGroup
	tokens := make([]signin.Token, 5)
	for i := range tokens {
		wg.Go(func() {
			tok, err := source.Token(t.Context(), pim.AudienceARM, signin.TokenRequest{Claims: contextC1, Interactive: true})
			if err != nil {
				t.Error(err)
			}
			tokens[i] = tok
		})
	}
	wg.Wait()
	if n := b.opened.Load() - before; n != 1 {
		t.Errorf("%d browsers opened for one step-up", n)
	}
	for _, tok := range tokens {
		if acrs := fmt.Sprint(claimsOf(t, tok)["acrs"]); !strings.Contains(acrs, "c1") {
			t.Errorf("acrs %s", acrs)
		}
	}
	if now := b.token(s, acc, pim.AudienceARM); now.Value == plain.Value {
		t.Error("the token from before the step-up is still given out")
	}
}

// TestStepUpIsCalledOff cancels a prompt: the person stays signed in, and is told no other.
func TestStepUpIsCalledOff(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	before := b.token(s, acc, pim.AudienceARM)
	for _, answer := range []url.Values{
		{"error": {"access_denied"}, "error_subcode": {"cancel"}},
		{"error": {"access_denied"}, "error_description": {"AADSTS65004: User declined to consent to access the app."}},
	} {
		b.use(answerWith(answer))
		_, err := s.Source(acc.ID).Token(t.Context(), pim.AudienceARM, signin.TokenRequest{Claims: contextC1, Interactive: true})
		b.wantError(err, signin.ErrCancelled, pim.CodeCancelled)
		if text := pim.Explain(err).Text; !strings.HasPrefix(text, "The prompt in the browser was cancelled, so nothing was sent") {
			t.Errorf("it says %q", text)
		}
	}
	if now := b.token(s, acc, pim.AudienceARM); now.Value != before.Value {
		t.Error("the token is another one")
	}
}

// TestOtherAccount answers a prompt for one account with another.
func TestOtherAccount(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	b.use(b.tenant.Browser(b.tenant.Info().Users[1].UPN))
	_, err := s.Source(acc.ID).Token(t.Context(), pim.AudienceARM, signin.TokenRequest{Claims: contextC1, Interactive: true})
	b.wantError(err, signin.ErrOtherAccount, pim.CodeCancelled)
	if got := claimsOf(t, b.token(s, acc, pim.AudienceARM))["oid"]; got != b.user.ID {
		t.Errorf("the account's token is now of %v", got)
	}

	other := b.signIn(s)
	if other.ID == acc.ID || len(s.Accounts()) != 2 {
		t.Errorf("accounts %+v", s.Accounts())
	}
	if err := s.SignOut(t.Context(), other.ID); err != nil {
		t.Fatal(err)
	}
	b.token(s, acc, pim.AudienceARM)
}

// answerWith is a browser that posts values to the program that waits.
func answerWith(values url.Values) func(string) error {
	return func(page string) error {
		u, err := url.Parse(page)
		if err != nil {
			return err
		}
		q := u.Query()
		if values.Get("state") == "" {
			values.Set("state", q.Get("state"))
		}
		resp, err := http.PostForm(q.Get("redirect_uri"), values)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
}

func TestNotSignedIn(t *testing.T) {
	b := newBench(t)
	s := b.service()
	try := func(ctx context.Context) error {
		_, err := s.SignIn(ctx, signin.Options{Cloud: b.cloud})
		return err
	}

	b.use(answerWith(url.Values{"error": {"access_denied"}, "error_subcode": {"cancel"}}))
	b.wantError(try(t.Context()), signin.ErrCancelled, pim.CodeCancelled)

	b.use(answerWith(url.Values{"error": {"access_denied"}, "error_description": {"AADSTS90094: admin consent <script>"}}))
	b.wantError(try(t.Context()), signin.ErrRefused, pim.CodeConsent)

	b.use(answerWith(url.Values{"code": {"never-issued"}}))
	b.wantError(try(t.Context()), signin.ErrSignInNeeded, pim.CodeSignInNeeded)

	b.use(func(string) error { return errors.New("exec: xdg-open: not found ?code=") })
	b.wantError(try(t.Context()), signin.ErrNoBrowser, pim.CodeInternal)

	ctx, cancel := context.WithCancel(t.Context())
	b.use(func(string) error { cancel(); return nil })
	b.wantError(try(ctx), signin.ErrCancelled, pim.CodeCancelled)

	ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	b.use(func(string) error { return nil })
	b.wantError(try(ctx), signin.ErrTimeout, pim.CodeTimeout)

	if len(s.Accounts()) != 0 || len(b.ring.Items()) != 0 {
		t.Error("something was kept of sign-ins that failed")
	}
	b.use(b.tenant.Browser(b.user.UPN))
	b.signIn(s)
}

// TestAuthorityFaults has the sign-in service fail under a silent request.
func TestAuthorityFaults(t *testing.T) {
	tests := []struct {
		name  string
		fault tenant.Fault
		want  error
		code  pim.Code
	}{
		{"unavailable", tenant.Fault{Status: 503}, signin.ErrOffline, pim.CodeUnavailable},
		{"throttled", tenant.Fault{Status: 429, Body: "slow down"}, signin.ErrOffline, pim.CodeUnavailable},
		{"cut", tenant.Fault{CutBefore: true}, signin.ErrOffline, pim.CodeOffline},
		{"cut after", tenant.Fault{CutAfter: true}, signin.ErrOffline, pim.CodeOffline},
		{"broken", tenant.Fault{Body: `{"access_token":"eyJ0never.eyJ0shown","refresh_token":"1.`}, signin.ErrOffline, pim.CodeUnreadable},
		{"page of a proxy", tenant.Fault{Status: 403, Body: "<html>refresh_token</html>"}, signin.ErrRefused, pim.CodeRejected},
		{"redirect", tenant.Fault{Status: 307, Header: map[string]string{"Location": "https://evil.example/token"}}, signin.ErrForeignHost, pim.CodeRejected},
		{"expired", tenant.Fault{Status: 400, Body: `{"error":"invalid_grant","error_description":"AADSTS70008: …","error_codes":[70008]}`}, signin.ErrSignInNeeded, pim.CodeSignInNeeded},
		{"consent", tenant.Fault{Status: 400, Body: `{"error":"invalid_grant","error_codes":[65001],"suberror":"consent_required"}`}, signin.ErrSignInNeeded, pim.CodeConsent},
		{"device", tenant.Fault{Status: 400, Body: `{"error":"interaction_required","error_codes":[53000]}`}, signin.ErrRefused, pim.CodeForbidden},
	}
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	source := s.Source(acc.ID)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.fault.Service, tt.fault.PathContains = "login", "/token"
			if err := b.tenant.AddFaults(tt.fault); err != nil {
				t.Fatal(err)
			}
			defer b.tenant.ClearFaults()
			_, err := source.Token(t.Context(), pim.AudienceGraph, signin.TokenRequest{})
			b.wantError(err, tt.want, tt.code)
		})
	}
	b.token(s, acc, pim.AudienceGraph)
}

func TestRevoked(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	b.control(http.MethodPost, "/revoke", `{}`)
	_, err := s.Source(acc.ID).Token(t.Context(), pim.AudienceGraph, signin.TokenRequest{})
	b.wantError(err, signin.ErrSignInNeeded, pim.CodeSignInNeeded)
	if text := pim.Explain(err).Text; !strings.Contains(text, "revoked") {
		t.Errorf("sentence %q", text)
	}
	// The tenant counts whole seconds; wait for its clock to leave the one of the
	// revocation.
	b.tenant.Advance(2 * time.Second)
	if _, err := s.Source(acc.ID).Token(t.Context(), pim.AudienceGraph, signin.TokenRequest{Interactive: true}); err != nil {
		t.Fatal(err)
	}
}

// TestLockedKeychain signs in while the keychain is locked, restarts with a locked
// one, and unlocks it.
func TestLockedKeychain(t *testing.T) {
	locked := errors.New("failed to unlock correct collection '/org/freedesktop/secrets/collection/login'")
	b := newBench(t)
	s := b.service()
	b.ring.Fail(locked)
	acc := b.signIn(s)
	b.wantError(s.Persistence(), keychain.ErrLocked, pim.CodeKeychain)
	b.token(s, acc, pim.AudienceARM)
	b.token(s, acc, pim.AudienceGraph)
	b.ring.Fail(nil)
	if len(b.ring.Items()) != 0 {
		t.Fatal("a locked keychain took items")
	}

	// The next token to be kept goes to the keychain again.
	if _, err := s.Source(acc.ID).Token(t.Context(), pim.AudienceARM, signin.TokenRequest{Claims: contextC1, Interactive: true}); err != nil {
		t.Fatal(err)
	}
	if err := s.Persistence(); err != nil {
		t.Errorf("persistence after unlocking: %v", err)
	}
	s.Close()

	b.ring.Fail(locked)
	s = b.service()
	opened := b.opened.Load()
	_, err := s.Source(acc.ID).Token(t.Context(), pim.AudienceARM, signin.TokenRequest{Interactive: true})
	b.wantError(err, keychain.ErrLocked, pim.CodeKeychain)
	if b.opened.Load() != opened {
		t.Error("a locked keychain opened a browser")
	}
	b.ring.Fail(nil)
	b.token(s, acc, pim.AudienceARM)
}

func TestNoKeychain(t *testing.T) {
	b := newBench(t)
	b.ring.Fail(errors.New("The name org.freedesktop.secrets was not provided by any .service files"))
	s := b.service()
	acc := b.signIn(s)
	b.wantError(s.Persistence(), keychain.ErrUnavailable, pim.CodeKeychain)
	b.token(s, acc, pim.AudienceARM)
	// Nothing was ever stored, so there is nothing to be left behind.
	if err := s.SignOut(t.Context(), acc.ID); err != nil {
		t.Fatal(err)
	}

	none, err := signin.New(signin.Params{Dir: t.TempDir(), OpenBrowser: b.tenant.Browser(b.user.UPN)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(none.Close)
	acc = b.signIn(none)
	b.wantError(none.Persistence(), keychain.ErrUnavailable, pim.CodeKeychain)
	b.token(none, acc, pim.AudienceGraph)
	if err := none.SignOut(t.Context(), acc.ID); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedKeychain(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	s.Close()
	for name := range b.ring.Items() {
		service, item, _ := strings.Cut(name, "/")
		if err := b.ring.Set(service, item, "damaged"); err != nil {
			t.Fatal(err)
		}
	}
	s = b.service()
	source := s.Source(acc.ID)
	_, err := source.Token(t.Context(), pim.AudienceARM, signin.TokenRequest{})
	b.wantError(err, signin.ErrSignInNeeded, pim.CodeSignInNeeded)
	if text := pim.Explain(err).Text; !strings.Contains(text, "damaged") {
		t.Errorf("sentence %q", text)
	}
	if _, err := source.Token(t.Context(), pim.AudienceARM, signin.TokenRequest{Interactive: true}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	b.token(b.service(), acc, pim.AudienceARM)
}

func TestDamagedRecord(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "cut": `{"version":1,"acc`, "other id": `{"version":1,"account":{"id":"x","userId":"u","tenantId":"t"}}`,
		"no version": `{"account":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			s := b.service()
			acc := b.signIn(s)
			s.Close()
			file := filepath.Join(b.dir, "accounts", acc.ID+".json")
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			s = b.service()
			if len(s.Accounts()) != 0 || len(s.Warnings()) != 1 {
				t.Fatalf("accounts %+v, warnings %q", s.Accounts(), s.Warnings())
			}
			aside, err := filepath.Glob(file + ".damaged-*")
			if err != nil || len(aside) != 1 {
				t.Fatalf("moved aside: %v, %v", aside, err)
			}
			if again := b.signIn(s); again.ID != acc.ID {
				t.Error("the same person got another id")
			}
			if err := s.SignOut(t.Context(), acc.ID); err != nil || len(b.ring.Items()) != 0 {
				t.Errorf("sign-out: %v, %d items", err, len(b.ring.Items()))
			}
		})
	}
}

func TestNewerRecord(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	s.Close()
	file := filepath.Join(b.dir, "accounts", acc.ID+".json")
	if err := os.WriteFile(file, []byte(`{"version":99,"account":"else"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s = b.service()
	if len(s.Accounts()) != 0 || len(s.Warnings()) != 1 {
		t.Errorf("accounts %+v, warnings %q", s.Accounts(), s.Warnings())
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// TestUntrustedCertificate reaches the tenant without trusting its CA, and with a
// CA file that cannot be used.
func TestUntrustedCertificate(t *testing.T) {
	b := newBench(t)
	s := b.service()
	b.cloud.CAFile = ""
	_, err := s.SignIn(t.Context(), signin.Options{Cloud: b.cloud})
	b.wantError(err, signin.ErrOffline, pim.CodeOffline)
	if !strings.Contains(pim.Explain(err).Text, "certificate") {
		t.Errorf("sentence %q", pim.Explain(err).Text)
	}
	for _, content := range []string{"", "no certificate"} {
		b.cloud.CAFile = filepath.Join(t.TempDir(), "ca.pem")
		if content != "" {
			if err := os.WriteFile(b.cloud.CAFile, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, err = s.SignIn(t.Context(), signin.Options{Cloud: b.cloud})
		b.wantError(err, signin.ErrRefused, pim.CodeInternal)
	}
}

// TestTokenIsHidden prints a token in every way.
func TestTokenIsHidden(t *testing.T) {
	tok := signin.Token{Value: "eyJ0.secret", Expires: time.Unix(1, 0)}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		fmt.Fprintf(&out, verb+"\n", tok)
		fmt.Fprintf(&out, verb+"\n", &tok)
		fmt.Fprintf(&out, verb+"\n", []signin.Token{tok})
		fmt.Fprintf(&out, verb+"\n", struct{ T signin.Token }{tok})
	}
	data, err := json.Marshal(map[string]any{"t": tok, "p": &tok})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(data)
	out.WriteString(tok.String())
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("x", "t", tok, "p", &tok, "s", struct{ T signin.Token }{tok})
	}
	if s := out.String(); strings.Contains(s, "eyJ0") || strings.Contains(s, "secret") || strings.Contains(s, fmt.Sprintf("%x", "secret")) {
		t.Errorf("the value shows:\n%s", s)
	}
}

// TestUnusableAccount loses the CA file of an account's cloud: the account is listed,
// says what is wrong, and can be signed out.
func TestUnusableAccount(t *testing.T) {
	b := newBench(t)
	pem, err := os.ReadFile(b.cloud.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	b.cloud.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(b.cloud.CAFile, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	s := b.service()
	acc := b.signIn(s)
	s.Close()
	if err := os.Remove(b.cloud.CAFile); err != nil {
		t.Fatal(err)
	}
	s = b.service()
	if len(s.Accounts()) != 1 {
		t.Fatalf("accounts %+v", s.Accounts())
	}
	_, err = s.Source(acc.ID).Token(t.Context(), pim.AudienceARM, signin.TokenRequest{Interactive: true})
	b.wantError(err, signin.ErrRefused, pim.CodeInternal)
	if err := s.SignOut(t.Context(), acc.ID); err != nil || len(b.ring.Items()) != 0 {
		t.Errorf("sign-out: %v, %d items", err, len(b.ring.Items()))
	}
}

// held is a keychain whose deletions wait.
type held struct {
	keychain.Ring
	began, release chan struct{}
}

func (h held) Delete(service, name string) error {
	h.began <- struct{}{}
	<-h.release
	return h.Ring.Delete(service, name)
}

// TestCloseWhileSigningOut leaves nobody waiting.
func TestCloseWhileSigningOut(t *testing.T) {
	b := newBench(t)
	ring := held{b.ring, make(chan struct{}), make(chan struct{})}
	s, err := signin.New(signin.Params{Dir: b.dir, Keychain: keychain.New(ring, "roletray-test"), OpenBrowser: b.browser})
	if err != nil {
		t.Fatal(err)
	}
	acc := b.signIn(s)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.SignOut(t.Context(), acc.ID); err != nil {
			t.Error(err)
		}
	})
	<-ring.began
	wg.Go(func() {
		if _, err := s.Source(acc.ID).Token(t.Context(), pim.AudienceARM, signin.TokenRequest{}); !errors.Is(err, signin.ErrUnknownAccount) {
			t.Errorf("got %v, want ErrUnknownAccount", err)
		}
	})
	s.Close()
	go func() {
		for range ring.began { // the other items
			continue
		}
	}()
	close(ring.release)
	wg.Wait()
	close(ring.began)
	if n := len(b.ring.Items()); n != 0 {
		t.Errorf("%d items left", n)
	}
}

// TestAllAtOnce signs in, out and asks for tokens at the same time. Whatever the
// order, what is left at the end is one account that works, or none and no items.
func TestAllAtOnce(t *testing.T) {
	b := newBench(t)
	s := b.service()
	acc := b.signIn(s)
	source := s.Source(acc.ID)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				_, err := source.Token(t.Context(), pim.AudienceGraph, signin.TokenRequest{})
				if err != nil && pim.CodeOf(err) != pim.CodeSignInNeeded {
					t.Error(err)
				}
			}
		})
	}
	wg.Go(func() {
		for range 3 {
			if _, err := s.SignIn(t.Context(), signin.Options{Cloud: b.cloud, OpenBrowser: b.tenant.Browser(b.user.UPN)}); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for range 3 {
			if err := s.SignOut(t.Context(), acc.ID); err != nil && !errors.Is(err, signin.ErrUnknownAccount) {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	if len(s.Accounts()) == 0 {
		if n := len(b.ring.Items()); n != 0 {
			t.Errorf("%d items belong to nobody", n)
		}
		b.signIn(s)
	}
	b.token(s, acc, pim.AudienceARM)
}
