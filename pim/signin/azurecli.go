package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"roletray/pim"
)

// signInCLI keeps the account that the Azure CLI is signed in with.
func (s *Service) signInCLI(ctx context.Context, o Options) (pim.Account, error) {
	acc := pim.Account{Cloud: o.Cloud, Method: pim.SignInAzureCLI, TenantID: o.Cloud.TenantID}
	sess, err := newCLISession(acc, s.now)
	if err != nil {
		return pim.Account{}, err
	}
	tok, err := sess.silent(ctx, pim.AudienceARM, "")
	if err != nil {
		return pim.Account{}, err
	}
	id, ok := tokenClaims(tok)
	if !ok || id.UserID == "" || id.TenantID == "" {
		return pim.Account{}, failure(pim.CodeUnreadable, ErrNoAzureCLI, "The Azure CLI's token does not say who you are; run “az login” with your own account and try again.")
	}
	acc.UserID, acc.TenantID, acc.Username, acc.Name = id.UserID, id.TenantID, id.Username, id.Name
	acc.HomeID = id.UserID + "." + id.TenantID
	acc.ID = accountID(o.Cloud, pim.SignInAzureCLI, acc.TenantID, acc.UserID)
	// From now on the account is this person's at this tenant, whoever the CLI signs in
	// next. The CLI keeps its tokens itself.
	return acc, s.keep(ctx, acc, func(session) error { return nil })
}

// cliSession gets tokens from the Azure CLI, which keeps them itself.
type cliSession struct {
	account pim.Account
	cred    *azidentity.AzureCLICredential
	now     func() time.Time

	mu    sync.Mutex
	token Token // each run of the CLI takes a second, so the last token is kept
}

// renewal is how long before its end a token of the CLI is no longer used.
const renewal = 5 * time.Minute

func newCLISession(acc pim.Account, now func() time.Time) (*cliSession, error) {
	cred, err := azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: acc.TenantID})
	if err != nil {
		return nil, fmt.Errorf("use the Azure CLI: %w", err)
	}
	return &cliSession{account: acc, cred: cred, now: now}, nil
}

func (c *cliSession) silent(ctx context.Context, a pim.Audience, claims pim.Claims) (Token, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a != pim.AudienceARM {
		return Token{}, failure(pim.CodeConsent, ErrNoAzureCLI, "The Azure CLI's session serves Azure roles only; sign in with the browser for Entra roles and groups.")
	}
	if claims != "" {
		// The CLI takes no claims, but the person can meet them there; then its cached
		// token is a new one.
		c.token = Token{}
		return Token{}, signInNeeded("This needs a stronger sign-in than the Azure CLI's session; sign in with the browser, or run “az login” again.", claims)
	}
	if c.now().Add(renewal).Before(c.token.Expires) {
		return c.token, nil
	}
	got, err := c.cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: scopes(c.account.Cloud, a)})
	if err != nil {
		return Token{}, cliError(ctx, err)
	}
	tok := Token{Value: got.Token, Expires: got.ExpiresOn}
	if id, ok := tokenClaims(tok); c.account.UserID != "" && (!ok || id.UserID != c.account.UserID) {
		return Token{}, failure(pim.CodeSignInNeeded, ErrSignInNeeded, "The Azure CLI is now signed in as somebody else; run “az login” as "+c.account.Username+", or sign in again here.")
	}
	c.token = tok
	return tok, nil
}

// interactive cannot open a browser: the session is the CLI's to renew.
func (c *cliSession) interactive(ctx context.Context, a pim.Audience, claims pim.Claims) (Token, error) {
	return c.silent(ctx, a, claims)
}

func (c *cliSession) persistence() error { return nil }

func (c *cliSession) close() {}

// cliError puts a failure of the CLI in words. Its output is not kept: it is a
// program's text, and may hold a claims challenge.
func cliError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return explain(ctx.Err())
	}
	var failed *azidentity.AuthenticationFailedError
	text := err.Error()
	switch {
	case strings.Contains(text, "executable not found"):
		return failure(pim.CodeSignInNeeded, ErrNoAzureCLI, "The Azure CLI is not installed, or not in the PATH; install it and run “az login”, or sign in with the browser.")
	case strings.Contains(text, "az login"), aadsts.MatchString(text):
		e := failure(pim.CodeSignInNeeded, ErrSignInNeeded, "The Azure CLI has no valid session; run “az login” and try again.")
		if m := aadsts.FindString(text); m != "" {
			e.Service = m
		}
		return e
	case errors.As(err, &failed):
		return failure(pim.CodeInternal, ErrNoAzureCLI, "The Azure CLI gave no token; run “az account get-access-token” to see why.")
	}
	return failure(pim.CodeUnreadable, ErrNoAzureCLI, "The Azure CLI's answer could not be understood; update it, or sign in with the browser.")
}
