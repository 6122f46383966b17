// Package signin signs people in at Microsoft Entra and hands out access tokens
// for Azure Resource Manager and Microsoft Graph.
//
// An account signs in with the authorization code flow and PKCE in the system
// browser, through Microsoft's library MSAL, or uses the session that the Azure
// CLI already has. MSAL's token cache is kept in the operating system's keychain,
// one cache per account and application: signing out deletes exactly that
// account's items, a damaged item costs one account, and two applications never
// overwrite each other's tokens. Without a usable keychain tokens live in memory
// only, and [Service.Persistence] says so.
//
// A browser opens only for [Service.SignIn] and for a token request with
// Interactive set, that is, for a person's act. Everything else that needs the
// person fails with [ErrSignInNeeded].
//
// Requests are authorized by [Policy], not by azcore's BearerTokenPolicy, which
// keeps a token of its own until it is nearly expired: a token from a step-up would
// never reach the repeated request. See [ARMClientOptions].
//
// No token, authorization code or claim appears in a log, an error or a file.
package signin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"roletray/pim"
	"roletray/pim/keychain"
)

// Time limits of one sign-in in the browser and of one request without it.
const (
	interactiveLimit = 5 * time.Minute
	silentLimit      = time.Minute
)

// Params is what a Service needs.
type Params struct {
	// Dir is the folder for account records. It is created when the first is written.
	Dir string
	// Keychain keeps the tokens. Without it they are in memory only.
	Keychain *keychain.Store
	// OpenBrowser shows a URL to the person; nil means [OpenBrowser]. It gets
	// https URLs, and http ones of this computer, only. It may block for as long as
	// the browser runs.
	OpenBrowser func(url string) error
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Log gets what happens, without secrets; nil means nothing is logged.
	Log *slog.Logger
}

// Service holds the accounts. It is safe for concurrent use.
type Service struct {
	records     recordDir
	keychain    *keychain.Store
	openBrowser func(url string) error
	now         func() time.Time
	log         *slog.Logger
	warnings    []string
	signIns     flights[pim.Account]

	mu       sync.Mutex
	accounts map[string]*account
	closed   bool
}

// account is a signed-in account. It never changes; signing in again makes another.
type account struct {
	record  record
	session session
	flights *flights[Token]
	// changing is set while the account signs in again or out, and closed when that
	// is done. There is no session then, and the record may be empty.
	changing chan struct{}
}

// session gets tokens in one of the ways of pim.SignInMethod.
type session interface {
	// silent asks nobody. It returns ErrSignInNeeded where it would have to.
	silent(ctx context.Context, a pim.Audience, claims pim.Claims) (Token, error)
	// interactive may open a browser.
	interactive(ctx context.Context, a pim.Audience, claims pim.Claims) (Token, error)
	// persistence says why tokens are not kept beyond this process, or nil.
	persistence() error
	// close frees connections. No other call runs or follows.
	close()
}

// New reads the account records in p.Dir. A damaged record is moved aside and
// named by [Service.Warnings]; only an unreadable folder is an error.
func New(p Params) (*Service, error) {
	if p.Dir == "" {
		return nil, errors.New("open the accounts: no folder is given")
	}
	s := &Service{
		keychain:    p.Keychain,
		openBrowser: p.OpenBrowser,
		now:         p.Now,
		log:         p.Log,
		accounts:    make(map[string]*account),
	}
	if s.openBrowser == nil {
		s.openBrowser = OpenBrowser
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.records = recordDir{path: filepath.Join(p.Dir, "accounts"), now: s.now}
	records, warnings, err := s.records.load()
	if err != nil {
		return nil, fmt.Errorf("open the accounts: %w", err)
	}
	s.warnings = warnings
	for _, w := range warnings {
		s.log.Warn("account record", "problem", w)
	}
	for _, r := range records {
		s.accounts[r.Account.ID] = s.open(r)
	}
	return s, nil
}

// Warnings are sentences for the user about records that could not be used when
// the service started.
func (s *Service) Warnings() []string { return slices.Clone(s.warnings) }

// Accounts returns the signed-in accounts, ordered by user name and id.
func (s *Service) Accounts() []pim.Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]pim.Account, 0, len(s.accounts))
	for _, a := range s.accounts {
		if a.record.Account.ID != "" {
			all = append(all, a.record.Account)
		}
	}
	slices.SortFunc(all, func(a, b pim.Account) int {
		if c := strings.Compare(strings.ToLower(a.Username), strings.ToLower(b.Username)); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all
}

// Persistence returns nil if all tokens are kept in the keychain, or else why some
// are in memory only. [pim.Explain] puts it in words.
func (s *Service) Persistence() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.accounts {
		if a.session == nil {
			continue
		}
		if err := a.session.persistence(); err != nil {
			return err
		}
	}
	return nil
}

// Options say how to sign in.
type Options struct {
	Cloud pim.Cloud
	// Method is SignInBrowser when empty.
	Method pim.SignInMethod
	// LoginHint is a user name to offer on the page.
	LoginHint string
	// OpenBrowser shows the page of this sign-in; nil means as the service does.
	OpenBrowser func(url string) error
}

// SignIn signs a person in and keeps the account. It is for a person's act: with
// the browser method a browser opens, and the call waits until the person is
// through, ctx ends, or five minutes are over. Signing in again as the same person
// replaces the account's tokens. Equal calls at the same time are one.
//
// Errors are [ErrCancelled] (by the person or ctx), [ErrTimeout], and the others of
// this package; all have a sentence.
func (s *Service) SignIn(ctx context.Context, o Options) (pim.Account, error) {
	if o.Method == "" {
		o.Method = pim.SignInBrowser
	}
	key := strings.Join([]string{string(o.Method), o.Cloud.Authority, o.Cloud.TenantID, o.Cloud.ClientID, o.LoginHint}, "\x00")
	acc, err := s.signIns.do(ctx, key, interactiveLimit, func(ctx context.Context) (pim.Account, error) {
		switch o.Method {
		case pim.SignInBrowser:
			return s.signInBrowser(ctx, o)
		case pim.SignInAzureCLI:
			return s.signInCLI(ctx, o)
		}
		return pim.Account{}, fmt.Errorf("unknown method %q", o.Method)
	})
	if err != nil {
		err = fmt.Errorf("sign in: %w", explain(err))
		s.log.Info("sign-in failed", "method", o.Method, "error", err)
		return pim.Account{}, err
	}
	s.log.Info("signed in", "account", acc.ID, "method", o.Method)
	return acc, nil
}

// open makes the account of a record.
func (s *Service) open(r record) *account {
	var sess session
	var err error
	switch r.Account.Method {
	case pim.SignInBrowser:
		sess, err = s.newBrowserSession(r.Account)
	case pim.SignInAzureCLI:
		sess, err = newCLISession(r.Account, s.now)
	default:
		err = fmt.Errorf("unknown method %q", r.Account.Method)
	}
	if err != nil {
		s.log.Warn("account not opened", "account", r.Account.ID, "error", err)
		sess = brokenSession{explain(err)}
	}
	return &account{record: r, session: sess, flights: new(flights[Token])}
}

// find returns an account once it is not being changed.
func (s *Service) find(ctx context.Context, id string) (*account, error) {
	for {
		s.mu.Lock()
		a := s.accounts[id]
		s.mu.Unlock()
		switch {
		case a == nil:
			return nil, unknownAccount()
		case a.changing == nil:
			return a, nil
		}
		select {
		case <-a.changing:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take stops an account, if it exists, and keeps everybody else from it until put.
func (s *Service) take(ctx context.Context, id string) (old *account, err error) {
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return nil, errClosed
		}
		old = s.accounts[id]
		if old == nil || old.changing == nil {
			next := &account{changing: make(chan struct{})}
			if old != nil {
				next.record = old.record
			}
			s.accounts[id] = next
			s.mu.Unlock()
			if old != nil {
				old.stop()
			}
			return old, nil
		}
		s.mu.Unlock()
		select {
		case <-old.changing:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// put ends a take: with the account that is there from now on, or nil for none.
func (s *Service) put(id string, a *account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.accounts[id]
	if s.closed && a != nil {
		a.session.close()
		a = nil
	}
	if a == nil {
		delete(s.accounts, id)
	} else {
		s.accounts[id] = a
	}
	close(taken.changing)
}

// stop ends what the account is doing and waits for it.
func (a *account) stop() {
	a.flights.stop()
	a.session.close()
}

// brokenSession is of an account that cannot be used, for example because the
// cloud's CA file is gone. It can be listed and signed out.
type brokenSession struct{ err error }

func (b brokenSession) silent(context.Context, pim.Audience, pim.Claims) (Token, error) {
	return Token{}, b.err
}

func (b brokenSession) interactive(context.Context, pim.Audience, pim.Claims) (Token, error) {
	return Token{}, b.err
}

func (b brokenSession) persistence() error { return nil }

func (b brokenSession) close() {}

// keep stores what signing in has brought, puts the account in its place and, where
// that fails, what was there before.
func (s *Service) keep(ctx context.Context, acc pim.Account, store func(session) error) error {
	old, err := s.take(ctx, acc.ID)
	if err != nil {
		return err
	}
	// The record goes first: tokens in the keychain that no record knows of could not
	// be signed out.
	r := s.records.reload(record{Account: acc})
	r.Account = acc
	if err := s.records.save(r); err != nil {
		s.putBack(acc.ID, old)
		return fmt.Errorf("keep the account: %w", err)
	}
	next := s.open(r)
	if err := store(next.session); err != nil {
		next.session.close()
		if old == nil {
			err = errors.Join(err, s.records.remove(acc.ID))
		}
		s.putBack(acc.ID, old)
		return fmt.Errorf("keep the tokens: %w", err)
	}
	s.put(acc.ID, next)
	return nil
}

// putBack ends a take that came to nothing.
func (s *Service) putBack(id string, old *account) {
	if old == nil {
		s.put(id, nil)
		return
	}
	s.put(id, s.open(s.records.reload(old.record)))
}

// SignOut deletes the account's items in the keychain and its files. If the
// keychain holds tokens and cannot be reached, the account stays and the error says
// why. An unknown id is [ErrUnknownAccount].
func (s *Service) SignOut(ctx context.Context, accountID string) error {
	if _, err := s.find(ctx, accountID); err != nil {
		return fmt.Errorf("sign out: %w", explain(err))
	}
	old, err := s.take(ctx, accountID)
	if err != nil {
		return fmt.Errorf("sign out: %w", explain(err))
	}
	if old == nil {
		s.put(accountID, nil)
		return fmt.Errorf("sign out: %w", unknownAccount())
	}
	if err := s.forget(ctx, old.record); err != nil {
		s.putBack(accountID, old)
		return fmt.Errorf("sign out: %w", explain(err))
	}
	s.put(accountID, nil)
	s.log.Info("signed out", "account", accountID)
	return nil
}

// forget deletes all that is kept of an account.
func (s *Service) forget(ctx context.Context, r record) error {
	if r.Account.Method == pim.SignInBrowser && s.keychain != nil {
		for _, clientID := range clientIDs(r.Account.Cloud) {
			err := s.keychain.Delete(ctx, cacheName(r.Account.ID, clientID))
			// A keychain that never took anything has nothing to forget.
			if errors.Is(err, keychain.ErrUnavailable) && !s.records.reload(r).Stored {
				err = nil
			}
			if err != nil {
				return err
			}
		}
	}
	return s.records.remove(r.Account.ID)
}

// Close ends every running sign-in and token request and waits for them.
func (s *Service) Close() {
	s.signIns.stop()
	var idle []*account
	s.mu.Lock()
	s.closed = true
	for id, a := range s.accounts {
		if a.changing == nil { // the others end with their put
			idle = append(idle, a)
			delete(s.accounts, id)
		}
	}
	s.mu.Unlock()
	for _, a := range idle {
		a.stop()
	}
}

// accountID is the same whenever the same person signs in the same way, so that
// another sign-in replaces what is left of the former. It is safe in file names.
func accountID(c pim.Cloud, m pim.SignInMethod, tenantID, userID string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.Join(
		[]string{c.Authority, c.ClientID, string(m), tenantID, userID}, "\x00"))))
	return hex.EncodeToString(sum[:10])
}
