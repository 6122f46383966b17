package entra

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"roletray/pim/tenant/world"
)

// transaction is one sign-in under way in a browser. Its id is a secret that
// only that browser knows, so no other site can act in it.
type transaction struct {
	// mu serialises what the person does; it is taken before Authority.mu.
	mu      sync.Mutex
	ended   bool
	id      string
	browser string
	created time.Time
	client  client
	target  target
	claims  ClaimsRequest
	prompt  string
	hint    string

	// Where the answer goes: to a program's redirect address, or to a device.
	redirect  string
	mode      string
	state     string
	challenge string
	nonce     string
	device    *deviceRequest

	// What the person has done so far.
	user  world.User
	proof proof
	// blocked is an error that the person sees before the program does.
	blocked *signInError
}

// step is what a transaction waits for.
type step string

const (
	stepBlocked step = "blocked"
	stepAccount step = "account"
	stepMFA     step = "mfa"
	stepContext step = "context"
	stepDone    step = "done"
)

// step is what the person has to do next.
func (a *Authority) step(t *transaction) step {
	switch {
	case t.blocked != nil:
		return stepBlocked
	case t.user.ID == "":
		return stepAccount
	case !t.claims.Contexts.MetBy(t.proof.contexts):
		return stepContext
	case !t.claims.Methods.MetBy(t.proof.methods),
		a.Settings().RequireMFA && !slices.Contains(t.proof.methods, "mfa"):
		return stepMFA
	}
	return stepDone
}

// authorizePage starts a sign-in. What could send a person to a stranger's address
// is answered with a page; all other errors go back to the program.
func (a *Authority) authorizePage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !a.knowsTenant(r.PathValue("tenant")) {
		a.errorPage(w, errTenant(r.PathValue("tenant")))
		return
	}
	app, e := a.client(q.Get("client_id"))
	if e != nil {
		a.errorPage(w, e)
		return
	}
	redirect := q.Get("redirect_uri")
	if !loopbackRedirect(redirect) {
		a.errorPage(w, signInErr("invalid_request", 50011, "The redirect URI '%s' specified in the request does not match the redirect URIs configured for the application '%s'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.", clip(redirect), app.ID))
		return
	}
	t := &transaction{
		id: secret(), browser: a.browser(w, r), created: a.Wall(), client: app,
		prompt: q.Get("prompt"), hint: q.Get("login_hint"),
		redirect: redirect, mode: q.Get("response_mode"), state: q.Get("state"),
		challenge: q.Get("code_challenge"), nonce: q.Get("nonce"),
	}
	if e := a.readAuthorize(t, q); e != nil {
		a.answer(w, t, a.failure(t, e))
		return
	}
	a.enter(t)
	if t.prompt == "none" {
		switch a.step(t) {
		case stepBlocked:
			a.answer(w, t, a.failure(t, t.blocked))
		case stepAccount:
			a.answer(w, t, a.failure(t, signInErr("login_required", 50058, "A silent sign-in request was sent but no user is signed in.")))
		case stepDone:
			a.answer(w, t, a.complete(t))
		default:
			a.answer(w, t, a.failure(t, errStepUp(resourceAppID(t.target.Service), t.claims.Raw)))
		}
		return
	}
	a.keep(t)
	a.proceed(w, r, t)
}

// readAuthorize checks the parameters whose errors the program is told.
func (a *Authority) readAuthorize(t *transaction, q url.Values) *signInError {
	switch t.mode {
	case "":
		t.mode = "query"
	case "query", "form_post":
	default:
		mode := t.mode
		t.mode = "query"
		return signInErr("invalid_request", 900144, "The response_mode '%s' is not supported.", clip(mode))
	}
	if q.Get("response_type") != "code" {
		return signInErr("unsupported_response_type", 700054, "response_type '%s' is not enabled for the application.", clip(q.Get("response_type")))
	}
	if q.Get("code_challenge_method") != "S256" || len(t.challenge) < 43 || len(t.challenge) > 128 {
		return signInErr("invalid_request", 9002325, "Proof Key for Code Exchange is required for authorization code redemption: code_challenge with code_challenge_method S256.")
	}
	if !slices.Contains([]string{"", "none", "login", "select_account", "consent"}, t.prompt) {
		return signInErr("invalid_request", 90023, "Unsupported 'prompt' value.")
	}
	return a.readRequest(t, q)
}

// readRequest checks what a browser sign-in and a device sign-in have in common.
func (a *Authority) readRequest(t *transaction, q url.Values) *signInError {
	var e *signInError
	if t.target, e = a.parseScope(q.Get("scope")); e != nil {
		return e
	}
	claims, err := ParseClaims(q.Get("claims"))
	if err != nil {
		return errMalformed()
	}
	t.claims = claims
	_, t.blocked = a.authorize(t.client, t.target)
	return nil
}

// loopbackRedirect tells whether an address is on this computer, where a
// native application listens (RFC 8252, 7.3): any port, plain http.
func loopbackRedirect(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Scheme == "http" && u.User == nil && u.Fragment == "" &&
		(u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1")
}

// enter chooses the account without asking where single sign-on allows it.
func (a *Authority) enter(t *transaction) {
	if t.prompt == "login" || t.prompt == "select_account" || t.device != nil {
		return
	}
	signedIn := a.signedIn(t.browser)
	for _, u := range signedIn {
		if len(signedIn) == 1 && t.hint == "" || strings.EqualFold(u.UPN, t.hint) {
			a.choose(t, u)
		}
	}
}

// choose sets the account, with what it proved in this browser before.
func (a *Authority) choose(t *transaction, u world.User) {
	t.user = u
	t.proof = proof{methods: []string{"pwd"}}
	if t.prompt == "login" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if known, ok := a.session(t.browser).accounts[u.ID]; ok {
		t.proof = known
	}
}

func (a *Authority) keep(t *transaction) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget()
	a.transactions[t.id] = t
}

// proceed shows the next page, or ends the sign-in.
func (a *Authority) proceed(w http.ResponseWriter, r *http.Request, t *transaction) {
	if a.step(t) != stepDone {
		http.Redirect(w, r, a.Pages+"/signin/"+t.id, http.StatusSeeOther)
		return
	}
	a.end(w, t, a.complete(t))
}

// end answers the program and forgets the transaction.
func (a *Authority) end(w http.ResponseWriter, t *transaction, values url.Values) {
	t.ended = true
	a.mu.Lock()
	delete(a.transactions, t.id)
	a.mu.Unlock()
	a.answer(w, t, values)
}

// complete records what was proved and makes the answer to the program.
func (a *Authority) complete(t *transaction) url.Values {
	a.mu.Lock()
	defer a.mu.Unlock()
	session := a.session(t.browser)
	known := session.accounts[t.user.ID]
	session.accounts[t.user.ID] = proof{
		methods:  union(known.methods, t.proof.methods),
		contexts: union(known.contexts, t.proof.contexts),
	}
	g := grant{
		user: t.user, clientID: t.client.ID, session: uuid.NewString(),
		methods: t.proof.methods, contexts: t.proof.contexts, at: a.Clock.Now(),
	}
	if t.device != nil {
		t.device.grant = &g
		return nil
	}
	code := "1." + secret()
	a.codes[code] = &authorizationCode{
		grant: g, target: t.target, claims: t.claims, redirect: t.redirect,
		challenge: t.challenge, nonce: t.nonce, created: a.Wall(),
	}
	return url.Values{"code": {code}, "session_state": {g.session}}
}

// failure makes the answer of an error to the program.
func (a *Authority) failure(t *transaction, e *signInError) url.Values {
	if t.device != nil {
		a.mu.Lock()
		defer a.mu.Unlock()
		t.device.declined = true
		return nil
	}
	v := url.Values{
		"error":             {e.OAuth},
		"error_description": {a.description(e, uuid.NewString(), uuid.NewString())},
	}
	if e.SubError != "" {
		v.Set("error_subcode", e.SubError)
	}
	return v
}

// transaction finds the one in the path, if it is this browser's.
func (a *Authority) transaction(r *http.Request) (*transaction, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.transactions[r.PathValue("transaction")]
	if !ok || t.browser != cookie.Value || a.Wall().Sub(t.created) > transactionLifetime {
		return nil, false
	}
	return t, true
}

// act takes what the person did on a page.
func (a *Authority) act(w http.ResponseWriter, r *http.Request) {
	form, e := readForm(w, r)
	if e != nil {
		a.errorPage(w, e)
		return
	}
	t, ok := a.transaction(r)
	if !ok {
		a.errorPage(w, errTransaction())
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	current := a.step(t)
	switch action := form.Get("action"); {
	case t.ended:
		a.errorPage(w, errTransaction())
		return
	case action == "cancel" && current == stepBlocked:
		a.end(w, t, a.failure(t, t.blocked))
		return
	case action == "cancel":
		a.end(w, t, a.failure(t, errCanceled()))
		return
	case current == stepAccount && form.Has("user"):
		name := strings.TrimSpace(form.Get("user"))
		u, ok := a.Directory.User(name)
		if !ok {
			a.stepPage(w, t, "There is no account “"+clip(name)+"” in this tenant. Choose one of the list.")
			return
		}
		a.choose(t, u)
	case action == "approve" && form.Get("step") == string(current):
		t.proof.methods = union(t.proof.methods, []string{"mfa"})
		if current == stepContext {
			t.proof.contexts = union(t.proof.contexts, t.claims.Contexts.Values)
		}
	}
	a.proceed(w, r, t)
}

func (a *Authority) show(w http.ResponseWriter, r *http.Request) {
	t, ok := a.transaction(r)
	if !ok {
		a.errorPage(w, errTransaction())
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	a.stepPage(w, t, "")
}

func errTransaction() *signInError {
	return signInErr("invalid_request", 90014, "This sign-in has ended or belongs to another browser. Start it again from the application.")
}

// maxForm bounds the body of a form, of a page or of a token request.
const maxForm = 64 << 10
