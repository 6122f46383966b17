package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"roletray/pim"
)

// Token is an access token. However it is printed, logged or encoded, its value
// does not show.
type Token struct {
	Value   string
	Expires time.Time
}

const hidden = "[token]"

// String hides the value.
func (Token) String() string { return hidden }

// GoString hides the value.
func (Token) GoString() string { return hidden }

// Format hides the value for every verb.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the value, also in JSON.
func (Token) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the value.
func (Token) LogValue() slog.Value { return slog.StringValue(hidden) }

// TokenRequest says what a token is needed for.
type TokenRequest struct {
	// Claims is the claims request that the token must meet, from a challenge or a
	// policy. A token from the cache does not do then.
	Claims pim.Claims
	// Interactive allows a browser to open. Set it for a person's act only.
	Interactive bool
}

// TokenSource gives tokens of one account. Implementations are safe for concurrent
// use.
type TokenSource interface {
	Token(ctx context.Context, a pim.Audience, r TokenRequest) (Token, error)
}

// Source is the TokenSource of one account of a Service. It stays valid when the
// account signs in again.
type Source struct {
	service   *Service
	accountID string
}

// Source returns the tokens of an account. For an unknown account each request is
// [ErrUnknownAccount].
func (s *Service) Source(accountID string) *Source {
	return &Source{service: s, accountID: accountID}
}

// Token returns a token for a, from the cache if it meets the request. It fails with
// [ErrSignInNeeded] where only the person can help and r.Interactive is not set.
// With r.Interactive it tries without the person first, then opens a browser and
// waits up to five minutes. Equal requests at the same time are one.
func (s *Source) Token(ctx context.Context, a pim.Audience, r TokenRequest) (Token, error) {
	for {
		acc, err := s.service.find(ctx, s.accountID)
		var tok Token
		if err == nil {
			tok, err = s.from(ctx, acc, a, r)
		}
		switch {
		case err == nil:
			return tok, nil
		case errors.Is(err, errClosed):
			continue // The account has just signed in again, or out.
		}
		err = fmt.Errorf("get a token for %s: %w", a, explain(err))
		s.service.log.Info("no token", "account", s.accountID, "error", err)
		return Token{}, err
	}
}

// afresh is a claims request that asks for nothing. With any claims, MSAL leaves the
// token in its cache aside and gets a new one in its place.
const afresh pim.Claims = `{"access_token":{}}`

// Renew puts a new token for a in the place of the cached one, with the refresh token
// and never with the person, so that what the person was given meanwhile counts. The
// errors are those of Token. The Azure CLI's session has a cache of its own, which this leaves.
func (s *Source) Renew(ctx context.Context, a pim.Audience) error {
	acc, err := s.service.find(ctx, s.accountID)
	if err == nil {
		if _, foreign := acc.session.(*cliSession); foreign {
			return nil
		}
		_, err = s.Token(ctx, a, TokenRequest{Claims: afresh})
	}
	if err != nil {
		return fmt.Errorf("renew a token: %w", err)
	}
	return nil
}

// from gets a token of the account as it is now. It is errClosed if that changes.
func (s *Source) from(ctx context.Context, acc *account, a pim.Audience, r TokenRequest) (Token, error) {
	key := string(a) + "\x00" + string(r.Claims)
	tok, err := acc.flights.do(ctx, "silent\x00"+key, silentLimit, func(ctx context.Context) (Token, error) {
		return acc.silent(ctx, a, r.Claims)
	})
	if !r.Interactive || !errors.Is(err, ErrSignInNeeded) {
		return tok, err
	}
	claims := ClaimsOf(err)
	return acc.flights.do(ctx, "interactive\x00"+key, interactiveLimit, func(ctx context.Context) (Token, error) {
		s.service.log.Info("browser prompt", "account", s.accountID, "audience", a, "stepUp", claims != "")
		tok, err := acc.session.interactive(ctx, a, claims)
		if claims != "" && ctx.Err() == nil {
			err = calledOff(err)
		}
		return tok, err
	})
}

func (a *account) silent(ctx context.Context, aud pim.Audience, claims pim.Claims) (Token, error) {
	tok, err := a.session.silent(ctx, aud, claims)
	switch {
	case errors.Is(err, ErrSignInNeeded):
		return Token{}, withClaims(err, claims)
	case err != nil:
		return Token{}, err
	case !meets(tok, claims):
		return Token{}, signInNeeded(mfaSentence, claims)
	}
	return tok, nil
}

// meets says whether a token carries the authentication contexts that claims asks
// for. The service that issues tokens should see to that itself; this keeps a
// request from being refused, and the person from being asked nothing, for ever. A
// token or a claims request that cannot be read is not held against them.
func meets(tok Token, claims pim.Claims) bool {
	want := claims.Contexts()
	have, ok := tokenClaims(tok)
	if !ok || len(want) == 0 {
		return true
	}
	for _, w := range want {
		for _, h := range have.Contexts {
			if strings.EqualFold(w, h) {
				return true
			}
		}
	}
	return false
}
