package signin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	extcache "github.com/AzureAD/microsoft-authentication-extensions-for-go/cache"
	msalcache "github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"roletray/pim"
)

// The public clients of Azure CLI and of Microsoft Graph Command Line Tools, which
// serve where an organisation has registered no application of its own. Azure CLI's
// has no consent for the Graph scopes of PIM.
const (
	azureCLIClient  = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	graphToolClient = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
)

// ClientID is the application that gets tokens for a.
func ClientID(c pim.Cloud, a pim.Audience) string {
	switch {
	case c.ClientID != "":
		return c.ClientID
	case a == pim.AudienceGraph:
		return graphToolClient
	}
	return azureCLIClient
}

// clientIDs are all applications of a cloud, each once.
func clientIDs(c pim.Cloud) []string {
	arm, graph := ClientID(c, pim.AudienceARM), ClientID(c, pim.AudienceGraph)
	if arm == graph {
		return []string{arm}
	}
	return []string{arm, graph}
}

// cacheName names the token cache of an account and an application in the keychain
// and in files.
func cacheName(accountID, clientID string) string {
	return accountID + "-" + strings.ToLower(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, clientID))
}

// scopes asks for every permission of the service that the application has
// consent for.
func scopes(c pim.Cloud, a pim.Audience) []string {
	return []string{c.Endpoint(a) + "/.default"}
}

// anyTenant signs in a work or school account at its home tenant.
const anyTenant = "organizations"

// newClient makes MSAL's client of one application. An empty tenant is the
// account's own.
func newClient(c pim.Cloud, clientID, tenant string, http *authorityClient, cache msalcache.ExportReplace) (public.Client, error) {
	if tenant == "" {
		tenant = anyTenant
	}
	return public.New(clientID,
		public.WithAuthority(c.Authority+"/"+tenant),
		public.WithCache(cache),
		public.WithClientCapabilities([]string{"cp1"}),
		public.WithHTTPClient(http),
		public.WithInstanceDiscovery(isMicrosoft(c)),
	)
}

// signInBrowser signs somebody in and keeps the account.
func (s *Service) signInBrowser(ctx context.Context, o Options) (pim.Account, error) {
	http, err := newAuthorityClient(o.Cloud)
	if err != nil {
		return pim.Account{}, err
	}
	defer http.CloseIdleConnections()
	client := ClientID(o.Cloud, pim.AudienceARM)
	cache := new(memoryCache)
	msal, err := newClient(o.Cloud, client, o.Cloud.TenantID, http, cache)
	if err != nil {
		return pim.Account{}, msalError(err)
	}
	var acc pim.Account
	err = s.browserFlow(ctx, msal, flow{
		clientID: client,
		scopes:   scopes(o.Cloud, pim.AudienceARM),
		hint:     o.LoginHint,
		prompt:   "select_account",
		open:     o.OpenBrowser,
	}, func(r public.AuthResult) error {
		acc = pim.Account{
			HomeID:   r.Account.HomeAccountID,
			UserID:   strings.ToLower(r.IDToken.Oid),
			TenantID: strings.ToLower(r.IDToken.TenantID),
			Username: pim.CleanText(r.Account.PreferredUsername, 200),
			Name:     pim.CleanText(r.IDToken.Name, 200),
			Cloud:    o.Cloud,
			Method:   pim.SignInBrowser,
		}
		if acc.UserID == "" || acc.TenantID == "" || acc.HomeID == "" {
			return failure(pim.CodeUnreadable, ErrRefused, "The sign-in service did not say who you are; sign in with a work or school account.")
		}
		acc.ID = accountID(o.Cloud, pim.SignInBrowser, acc.TenantID, acc.UserID)
		return s.keepTokens(ctx, acc, client, cache.data)
	})
	if err != nil {
		return pim.Account{}, err
	}
	return acc, nil
}

// keepTokens keeps the account of a sign-in with its tokens.
func (s *Service) keepTokens(ctx context.Context, acc pim.Account, clientID string, tokens []byte) error {
	return s.keep(ctx, acc, func(sess session) error {
		b, ok := sess.(*browserSession)
		if !ok {
			return errors.New("the account cannot be opened")
		}
		return b.apps[clientID].cache.Write(ctx, tokens)
	})
}

// browserSession gets tokens from MSAL, for an account that signed in with a
// browser.
type browserSession struct {
	service *Service
	account pim.Account
	http    *authorityClient
	apps    map[string]*app // by client id
}

// app is one application of an account.
type app struct {
	msal  public.Client
	cache *tokenCache
}

func (s *Service) newBrowserSession(acc pim.Account) (*browserSession, error) {
	http, err := newAuthorityClient(acc.Cloud)
	if err != nil {
		return nil, err
	}
	b := &browserSession{service: s, account: acc, http: http, apps: make(map[string]*app)}
	markStored := sync.OnceFunc(func() { s.markStored(acc.ID) })
	for _, id := range clientIDs(acc.Cloud) {
		name := cacheName(acc.ID, id)
		cache := &tokenCache{store: s.keychain, name: name, log: s.log, stored: markStored}
		// The file only carries a time, so that MSAL need not read the keychain for
		// each request.
		ext, err := extcache.New(cache, filepath.Join(s.records.path, name+".time"))
		if err != nil {
			return nil, fmt.Errorf("open the token cache: %w", err)
		}
		msal, err := newClient(acc.Cloud, id, acc.TenantID, http, ext)
		if err != nil {
			return nil, msalError(err)
		}
		b.apps[id] = &app{msal: msal, cache: cache}
	}
	return b, nil
}

// markStored notes in the record that the keychain holds tokens.
func (s *Service) markStored(accountID string) {
	r, err := s.records.read(accountID)
	if err == nil && !r.Stored {
		r.Stored = true
		err = s.records.save(r)
	}
	if err != nil {
		s.log.Warn("account record not written", "account", accountID, "error", err)
	}
}

func (b *browserSession) app(a pim.Audience) *app { return b.apps[ClientID(b.account.Cloud, a)] }

func (b *browserSession) silent(ctx context.Context, a pim.Audience, claims pim.Claims) (Token, error) {
	app := b.app(a)
	options := []public.AcquireSilentOption{
		public.WithSilentAccount(public.Account{HomeAccountID: b.account.HomeID}),
	}
	if claims != "" {
		options = append(options, public.WithClaims(forMSAL(claims)))
	}
	r, err := app.msal.AcquireTokenSilent(ctx, scopes(b.account.Cloud, a), options...)
	if err != nil {
		return Token{}, b.silentError(a, err)
	}
	return Token{Value: r.AccessToken, Expires: r.ExpiresOn}, nil
}

// silentError tells a refusal that the person can mend from one that nobody can.
func (b *browserSession) silentError(a pim.Audience, err error) error {
	// MSAL has no type for an empty cache.
	if err.Error() == "no token found" {
		problem := b.app(a).cache.problem()
		switch {
		case problem != nil:
			return signInNeeded(pim.Explain(problem).Text, "")
		case ClientID(b.account.Cloud, a) != ClientID(b.account.Cloud, pim.AudienceARM):
			// The account signed in to another application, and works without this one.
			return failure(pim.CodeConsent, ErrSignInNeeded, unconnectedSentence)
		}
		return signInNeeded(signInSentence, "")
	}
	err = msalError(err)
	r, ok := errors.AsType[*reason](err)
	if !ok || pim.CodeOf(err) != pim.CodeConsent {
		return err
	}
	// The page in the browser asks for the consent, or says who can give it.
	r.kind = errors.Join(ErrSignInNeeded, r.kind)
	return err
}

func (b *browserSession) interactive(ctx context.Context, a pim.Audience, claims pim.Claims) (Token, error) {
	app := b.app(a)
	var tok Token
	err := b.service.browserFlow(startAfresh(ctx), app.msal, flow{
		clientID: ClientID(b.account.Cloud, a),
		scopes:   scopes(b.account.Cloud, a),
		hint:     b.account.Username,
		claims:   claims,
	}, func(r public.AuthResult) error {
		if !strings.EqualFold(r.Account.HomeAccountID, b.account.HomeID) {
			// Whoever answered is not to stay in this account's cache.
			if err := app.msal.RemoveAccount(startAfresh(ctx), r.Account); err != nil {
				b.service.log.Warn("other account not removed", "account", b.account.ID, "error", msalError(err))
			}
			return failure(pim.CodeCancelled, ErrOtherAccount, "You signed in as "+pim.CleanText(r.Account.PreferredUsername, 100)+
				", but this is for "+b.account.Username+"; try again and choose that account.")
		}
		tok = Token{Value: r.AccessToken, Expires: r.ExpiresOn}
		return nil
	})
	return tok, err
}

func (b *browserSession) persistence() error {
	for _, app := range b.apps {
		if err := app.cache.problem(); err != nil {
			return err
		}
	}
	return nil
}

func (b *browserSession) close() { b.http.CloseIdleConnections() }

// flow is one visit to the sign-in page.
type flow struct {
	clientID string
	scopes   []string
	hint     string
	claims   pim.Claims
	open     func(url string) error // nil is the service's
	prompt   string                 // as OpenID Connect names it; empty lets the service decide
}

// browserFlow opens the browser, waits for its answer, trades the code for tokens
// and calls accept. The page in the browser then says how it went.
func (s *Service) browserFlow(ctx context.Context, msal public.Client, f flow, accept func(public.AuthResult) error) error {
	lb, err := listen()
	if err != nil {
		return err
	}
	defer lb.close()

	var options []public.AuthCodeURLOption
	if f.hint != "" {
		options = append(options, public.WithLoginHint(f.hint))
	}
	if f.claims != "" {
		options = append(options, public.WithClaims(forMSAL(f.claims)))
	}
	asked := append([]string{"openid", "offline_access", "profile"}, f.scopes...)
	page, err := msal.AuthCodeURL(ctx, f.clientID, lb.redirect, asked, options...)
	if err != nil {
		return msalError(err)
	}
	if page, err = lb.authorizeURL(page, f.prompt); err != nil {
		return err
	}
	if f.open == nil {
		f.open = s.openBrowser
	}
	a, err := lb.wait(ctx, f.open, page)
	if err != nil {
		return explain(err)
	}
	err = s.redeem(ctx, msal, lb, f, a, accept)
	a.tell(err)
	return err
}

// redeem trades the browser's answer for tokens.
func (s *Service) redeem(ctx context.Context, msal public.Client, lb *loopback, f flow, a answer, accept func(public.AuthResult) error) error {
	if a.code == "" {
		return a.refusal.err()
	}
	options := []public.AcquireByAuthCodeOption{public.WithChallenge(lb.verifier)}
	if f.claims != "" {
		options = append(options, public.WithClaims(forMSAL(f.claims)))
	}
	r, err := msal.AcquireTokenByAuthCode(ctx, a.code, lb.redirect, f.scopes, options...)
	if err != nil {
		return msalError(err)
	}
	return accept(r)
}
