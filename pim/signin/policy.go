package signin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"roletray/pim"
)

type (
	claimsKey      struct{}
	interactionKey struct{}
)

// stepUp is a claims request and the token that met it, which all requests of one
// context share: the repeated request carries the very token of the step-up, and a
// retry does not ask for another.
type stepUp struct {
	claims pim.Claims

	mu     sync.Mutex
	tokens map[pim.Audience]Token
}

// WithClaims makes [Policy] ask for tokens that meet claims, for all requests of the
// returned context, and use no token from before.
func WithClaims(ctx context.Context, claims pim.Claims) context.Context {
	if claims == "" {
		return ctx
	}
	return context.WithValue(ctx, claimsKey{}, &stepUp{claims: claims, tokens: make(map[pim.Audience]Token)})
}

// WithInteraction allows a browser to open for the requests of the returned context.
// It is for a person's act only.
func WithInteraction(ctx context.Context) context.Context {
	return context.WithValue(ctx, interactionKey{}, true)
}

// Policy authorizes requests to the service a of cloud c with tokens of source. Put
// it among the per-retry policies: every try asks the source, and MSAL's cache is the
// only one.
//
// It refuses with [ErrForeignHost] to attach a token to a URL that is not the
// service's, such as a nextLink elsewhere. On a claims challenge it asks for a token
// that meets it and repeats the request once; no browser opens unless the context has
// [WithInteraction], else the error is [ErrSignInNeeded] with the claims.
func Policy(source TokenSource, c pim.Cloud, a pim.Audience) policy.Policy {
	return &authorization{source: source, cloud: c, audience: a}
}

type authorization struct {
	source   TokenSource
	cloud    pim.Cloud
	audience pim.Audience
}

// Do authorizes one try.
func (p *authorization) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	ctx := raw.Context()
	if a, ok := p.cloud.AudienceOf(raw.URL); !ok || a != p.audience || raw.URL.Scheme != "https" {
		return nil, fmt.Errorf("authorize a request: %w", foreignHost(raw.URL))
	}
	_, interactive := ctx.Value(interactionKey{}).(bool)
	tok, asked, err := p.token(ctx, interactive)
	if err != nil {
		return nil, nonRetriable{err}
	}
	raw.Header.Set("Authorization", "Bearer "+tok.Value)
	resp, err := req.Next()
	if err != nil {
		return nil, err
	}
	claims, challenged := challengeOf(resp)
	if !challenged {
		return resp, nil
	}

	drain(resp)
	claims = asked.Merge(claims)
	tok, err = p.source.Token(ctx, p.audience, TokenRequest{Claims: claims, Interactive: interactive})
	if err != nil {
		return nil, nonRetriable{err}
	}
	p.remember(ctx, tok)
	if err := req.RewindBody(); err != nil {
		return nil, nonRetriable{err}
	}
	raw.Header.Set("Authorization", "Bearer "+tok.Value)
	if resp, err = req.Next(); err != nil {
		return nil, err
	}
	if again, challenged := challengeOf(resp); challenged {
		drain(resp)
		return nil, signInNeeded(mfaSentence, claims.Merge(again))
	}
	return resp, nil
}

// token returns the token for a first try, and the claims that it meets.
func (p *authorization) token(ctx context.Context, interactive bool) (Token, pim.Claims, error) {
	s, ok := ctx.Value(claimsKey{}).(*stepUp)
	if !ok {
		tok, err := p.source.Token(ctx, p.audience, TokenRequest{Interactive: interactive})
		return tok, "", err
	}
	s.mu.Lock()
	tok, ok := s.tokens[p.audience]
	s.mu.Unlock()
	if ok && time.Now().Before(tok.Expires) {
		return tok, s.claims, nil
	}
	tok, err := p.source.Token(ctx, p.audience, TokenRequest{Claims: s.claims, Interactive: interactive})
	if err == nil {
		p.remember(ctx, tok)
	}
	return tok, s.claims, err
}

// StepUp has the person meet claims, in a browser where that is needed, and returns a
// context whose requests carry the very token that this gave. With no claims it is an
// ordinary sign-in. Use it for a person's act only.
func (s *Source) StepUp(ctx context.Context, a pim.Audience, claims pim.Claims) (context.Context, error) {
	return s.meet(ctx, a, TokenRequest{Claims: claims, Interactive: true})
}

// StepUpSilently is StepUp without the person: it opens no browser, and is [ErrSignInNeeded]
// where what the person did before does not suffice.
func (s *Source) StepUpSilently(ctx context.Context, a pim.Audience, claims pim.Claims) (context.Context, error) {
	return s.meet(ctx, a, TokenRequest{Claims: claims})
}

func (s *Source) meet(ctx context.Context, a pim.Audience, r TokenRequest) (context.Context, error) {
	tok, err := s.Token(ctx, a, r)
	if err != nil {
		return nil, fmt.Errorf("step up: %w", err)
	}
	met := &stepUp{claims: r.Claims, tokens: map[pim.Audience]Token{a: tok}}
	return context.WithValue(ctx, claimsKey{}, met), nil
}

// remember keeps the token for the other requests of a context with claims.
func (p *authorization) remember(ctx context.Context, tok Token) {
	if s, ok := ctx.Value(claimsKey{}).(*stepUp); ok {
		s.mu.Lock()
		s.tokens[p.audience] = tok
		s.mu.Unlock()
	}
}

// challengeOf returns the claims that a refusal asks for. Microsoft Graph and Azure
// Resource Manager also send 403 with a challenge, for Conditional Access and for
// Azure's mandatory multi-factor authentication.
func challengeOf(resp *http.Response) (pim.Claims, bool) {
	if resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusForbidden {
		return "", false
	}
	return ParseChallenge(resp.Header.Values("WWW-Authenticate"))
}

// drain lets the connection be used again.
func drain(resp *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	_ = resp.Body.Close()
}

// nonRetriable keeps azcore from repeating a request that has no token.
type nonRetriable struct{ error }

func (nonRetriable) NonRetriable()   {}
func (n nonRetriable) Unwrap() error { return n.error }

// GraphClientOptions returns the options for a client of Microsoft Graph, which
// authorize every try. They may be changed and are not shared.
func GraphClientOptions(source TokenSource, c pim.Cloud) (*policy.ClientOptions, error) {
	client, err := HTTPClient(c)
	if err != nil {
		return nil, err
	}
	o := &policy.ClientOptions{Transport: client, PerRetryPolicies: []policy.Policy{Policy(source, c, pim.AudienceGraph)}}
	o.Telemetry.ApplicationID = "roletray"
	return o, nil
}

// ARMClientOptions returns the options for clients of Azure Resource Manager, such as
// those of armauthorization. Give them a nil credential: azcore's BearerTokenPolicy
// then does nothing, and [Policy], which the options hold, authorizes every try. The
// options may be changed and are not shared.
func ARMClientOptions(source TokenSource, c pim.Cloud) (*arm.ClientOptions, error) {
	client, err := HTTPClient(c)
	if err != nil {
		return nil, err
	}
	o := new(arm.ClientOptions)
	o.Cloud = cloud.Configuration{
		ActiveDirectoryAuthorityHost: c.Authority,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: c.ARM, Audience: c.ARM},
		},
	}
	o.Transport = client
	o.PerRetryPolicies = []policy.Policy{Policy(source, c, pim.AudienceARM)}
	o.Telemetry.ApplicationID = "roletray"
	// Roletray reads and asks; it does not change what a subscription has registered.
	o.DisableRPRegistration = true
	return o, nil
}
