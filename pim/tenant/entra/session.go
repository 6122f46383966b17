package entra

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"roletray/pim/tenant/world"
)

// grant is what a person proved to the authority for one application. It does
// not change; a step-up makes a new one.
type grant struct {
	user     world.User
	clientID string
	// session is claim sid.
	session string
	// methods and contexts are claims amr and acrs.
	methods, contexts []string
	// at is when the person signed in, by the tenant's clock.
	at time.Time
}

// meets tells whether the grant fulfils the claims at that moment.
func (g grant) meets(c ClaimsRequest, now time.Time) bool {
	return (!c.Contexts.Essential || c.Contexts.MetBy(g.contexts)) &&
		(!c.Methods.Essential || c.Methods.MetBy(g.methods)) &&
		!c.NotBefore.After(now)
}

// authorizationCode is good once, for the program that holds the verifier.
type authorizationCode struct {
	grant     grant
	target    target
	claims    ClaimsRequest
	redirect  string
	challenge string
	nonce     string
	created   time.Time
	redeemed  bool
}

// refreshToken is good for every resource. As on the real platform a new one
// comes with each answer and the old one stays good until it expires or is
// revoked.
type refreshToken struct {
	grant  grant
	issued time.Time
}

type issuedToken struct{ issued, expires time.Time }

// revocation is when a user's tokens were revoked.
type revocation struct{ refresh, access time.Time }

// Revoke makes tokens of a user issued until now invalid: refresh tokens at the
// token endpoint (unless keepRefresh), access tokens by a challenge to clients
// that declared cp1. An empty user means everybody. It returns false for a user
// that is not in the directory.
func (a *Authority) Revoke(user string, keepRefresh bool) bool {
	users := a.Directory.Users
	if user != "" {
		u, ok := a.Directory.User(user)
		if !ok {
			return false
		}
		users = []world.User{u}
	}
	now := a.Clock.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, u := range users {
		r := a.revoked[u.ID]
		r.access = now
		if !keepRefresh {
			r.refresh = now
		}
		a.revoked[u.ID] = r
	}
	if !keepRefresh {
		for _, b := range a.browsers {
			for _, u := range users {
				delete(b.accounts, u.ID)
			}
		}
	}
	return true
}

// browserSession is who is signed in in one browser.
type browserSession struct {
	// accounts holds what each user proved, by object id.
	accounts map[string]proof
	used     time.Time
}

type proof struct{ methods, contexts []string }

// cookieName is the single sign-on cookie on the pages' origin.
const cookieName = "simulated-tenant-session"

// browser is the id of the browser's session, which it starts where there is
// none.
func (a *Authority) browser(w http.ResponseWriter, r *http.Request) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, err := r.Cookie(cookieName); err == nil && a.browsers[c.Value] != nil {
		a.session(c.Value)
		return c.Value
	}
	id := secret()
	a.session(id)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return id
}

// session is the browser session with that id. The caller holds the lock.
func (a *Authority) session(id string) *browserSession {
	b := a.browsers[id]
	if b == nil {
		b = &browserSession{accounts: map[string]proof{}}
		a.browsers[id] = b
	}
	b.used = a.Wall()
	return b
}

// signedIn are the accounts that are signed in in that browser, in the order
// of the directory.
func (a *Authority) signedIn(browser string) []world.User {
	a.mu.Lock()
	defer a.mu.Unlock()
	var users []world.User
	accounts := a.session(browser).accounts
	for _, u := range a.Directory.Users {
		if _, ok := accounts[u.ID]; ok {
			users = append(users, u)
		}
	}
	return users
}

// forget drops what is past its time. The caller holds the lock.
func (a *Authority) forget() {
	wall, now := a.Wall(), a.Clock.Now()
	maps.DeleteFunc(a.transactions, func(_ string, t *transaction) bool { return wall.Sub(t.created) > transactionLifetime })
	maps.DeleteFunc(a.browsers, func(_ string, b *browserSession) bool { return wall.Sub(b.used) > browserLifetime })
	maps.DeleteFunc(a.codes, func(_ string, c *authorizationCode) bool { return wall.Sub(c.created) > 2*codeLifetime })
	maps.DeleteFunc(a.devices, func(_ string, d *deviceRequest) bool { return wall.Sub(d.created) > 2*deviceLifetime })
	maps.DeleteFunc(a.refresh, func(_ string, t refreshToken) bool { return now.Sub(t.issued) > 2*refreshLifetime })
	maps.DeleteFunc(a.issued, func(_ string, t issuedToken) bool { return now.After(t.expires) })
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.ContainsFunc(out, func(s string) bool { return strings.EqualFold(s, v) }) {
			out = append(out, v)
		}
	}
	return out
}
