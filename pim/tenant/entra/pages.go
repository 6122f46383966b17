package entra

import (
	"embed"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"roletray/pim/tenant/world"
)

//go:embed pages
var pageFiles embed.FS

// maxAccounts is how many accounts a page lists; the rest is typed.
const maxAccounts = 12

// page is what the templates show.
type page struct {
	Nonce string
	// Kind is the page's name, stable for programs that act on it.
	Kind   string
	Title  string
	Tenant string
	App    string
	Action string
	User   world.User
	// Problem is told above the form.
	Problem string
	// Accounts are offered, the signed in ones first.
	Accounts []account
	Hint     string
	Contexts []string
	// Values are posted to Action without a further question.
	Values map[string]string
}

type account struct {
	world.User
	SignedIn bool
}

// Initials stand in for a picture.
func (a account) Initials() string {
	var letters []rune
	for word := range strings.FieldsSeq(a.Name) {
		if len(letters) < 2 {
			letters = append(letters, []rune(word)[0])
		}
	}
	return string(letters)
}

// Browser is what a person sees, over plain http on loopback, so that no
// browser warns of an unknown certificate.
func (a *Authority) Browser() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/authorize", a.authorizePage)
	mux.HandleFunc("GET /{tenant}/oauth2/v2.0/logout", a.logout)
	mux.HandleFunc("GET /signin/{transaction}", a.show)
	mux.HandleFunc("POST /signin/{transaction}", a.act)
	mux.HandleFunc("GET /devicelogin", func(w http.ResponseWriter, _ *http.Request) { a.devicePage(w, "") })
	mux.HandleFunc("POST /devicelogin", a.enterCode)
	return mux
}

var stepTitles = map[step]string{
	stepBlocked: "Sorry, this application cannot sign you in",
	stepAccount: "Pick an account",
	stepMFA:     "Approve sign-in",
	stepContext: "More proof is needed",
}

func (a *Authority) stepPage(w http.ResponseWriter, t *transaction, problem string) {
	current := a.step(t)
	p := page{
		Kind: string(current), Title: stepTitles[current], App: t.client.Name,
		Action: a.Pages + "/signin/" + t.id, User: t.user, Problem: problem, Hint: t.hint,
		Contexts: t.claims.Contexts.Values,
	}
	status := http.StatusOK
	switch {
	case current == stepBlocked:
		p.Problem = t.blocked.Error()
	case current == stepAccount:
		p.Accounts = a.accounts(t)
	}
	if problem != "" {
		status = http.StatusBadRequest
	}
	a.render(w, status, p)
}

// accounts are those to offer: signed in, hinted, then the directory's.
func (a *Authority) accounts(t *transaction) []account {
	var list []account
	for _, u := range a.signedIn(t.browser) {
		list = append(list, account{User: u, SignedIn: true})
	}
	add := func(u world.User) {
		if len(list) < maxAccounts && !slices.ContainsFunc(list, func(have account) bool { return have.ID == u.ID }) {
			list = append(list, account{User: u})
		}
	}
	if u, ok := a.Directory.User(t.hint); ok {
		add(u)
	}
	for _, u := range a.Directory.Users {
		add(u)
	}
	return list
}

func (a *Authority) devicePage(w http.ResponseWriter, problem string) {
	status := http.StatusOK
	if problem != "" {
		status = http.StatusBadRequest
	}
	a.render(w, status, page{Kind: "device", Title: "Enter code", Action: a.Pages + "/devicelogin", Problem: problem})
}

func (a *Authority) errorPage(w http.ResponseWriter, e *signInError) {
	a.render(w, http.StatusBadRequest, page{Kind: "error", Title: "Sorry, sign-in did not work", Problem: e.Error()})
}

// answer brings values to the program: at its redirect address in the way that
// it asked for, or with a last page when the program is on another device.
func (a *Authority) answer(w http.ResponseWriter, t *transaction, values url.Values) {
	if t.device != nil {
		a.mu.Lock()
		declined := t.device.declined
		a.mu.Unlock()
		p := page{Kind: "done", Title: "You have signed in", App: t.client.Name}
		if declined {
			p = page{Kind: "declined", Title: "The sign-in was canceled", App: t.client.Name}
		}
		a.render(w, http.StatusOK, p)
		return
	}
	if t.state != "" {
		values.Set("state", t.state)
	}
	if t.mode == "form_post" {
		p := page{Kind: "response", Title: "Working…", Action: t.redirect, App: t.client.Name, Values: map[string]string{}}
		for name := range values {
			p.Values[name] = values.Get(name)
		}
		a.render(w, http.StatusOK, p)
		return
	}
	u, err := url.Parse(t.redirect)
	if err != nil {
		a.errorPage(w, errMalformed())
		return
	}
	q := u.Query()
	for name := range values {
		q.Set(name, values.Get(name))
	}
	u.RawQuery = q.Encode()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", u.String())
	w.WriteHeader(http.StatusFound)
}

// logout signs every account of the browser out, and returns to a program on
// this computer that asked for it.
func (a *Authority) logout(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookieName); err == nil {
		a.mu.Lock()
		delete(a.browsers, c.Value)
		a.mu.Unlock()
	}
	if to := r.URL.Query().Get("post_logout_redirect_uri"); loopbackRedirect(to) {
		http.Redirect(w, r, to, http.StatusFound)
		return
	}
	a.render(w, http.StatusOK, page{Kind: "signedout", Title: "You signed out of your account"})
}

func (a *Authority) render(w http.ResponseWriter, status int, p page) {
	p.Nonce = secret()
	p.Tenant = a.Directory.Name
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	// The answer goes to a program on this computer, at any port.
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'nonce-"+p.Nonce+
		"'; script-src 'nonce-"+p.Nonce+"'; form-action 'self' http://localhost:* http://127.0.0.1:*")
	w.WriteHeader(status)
	// An error here is a browser that hung up.
	_ = a.pages.ExecuteTemplate(w, "layout.html", p)
}
