package signin

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"roletray/pim"
)

// loopback receives the browser's answer on this computer. MSAL has such a server
// too, but with a page of its own that cannot be changed, and one that says
// "complete" before the code was accepted.
type loopback struct {
	redirect string // where the browser is sent, http://localhost:port
	verifier string // PKCE
	state    string
	answers  chan answer
	over     chan struct{} // closed when no answer is awaited any more
	server   *http.Server
	served   chan struct{}
}

// answer is one form post of the browser.
type answer struct {
	code    string
	refusal refusal
	result  chan error    // takes what the page is to say
	shown   chan struct{} // closed when the page is written
}

// tell shows the person how it went.
func (a answer) tell(err error) {
	a.result <- err
	select {
	case <-a.shown:
	case <-time.After(2 * time.Second): // a browser that does not read
	}
}

//go:embed page.html
var pageText string

// listen starts the server on a free port.
func listen() (*loopback, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the browser's answer: %w", err)
	}
	lb := &loopback{
		redirect: fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port),
		verifier: base64.RawURLEncoding.EncodeToString(randomBytes(32)),
		state:    rand.Text(),
		answers:  make(chan answer),
		over:     make(chan struct{}),
		served:   make(chan struct{}),
	}
	lb.server = &http.Server{
		Handler:           http.HandlerFunc(lb.handle),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		MaxHeaderBytes:    64 << 10,
	}
	go func() {
		defer close(lb.served)
		// It always ends with an error; an unexpected one shows as no answer.
		_ = lb.server.Serve(l)
	}()
	return lb, nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	// crypto/rand does not return errors since Go 1.24.
	_, _ = rand.Read(b)
	return b
}

// close ends the server.
func (lb *loopback) close() {
	close(lb.over)
	_ = lb.server.Close()
	<-lb.served
}

// authorizeURL adds to MSAL's URL what its own interactive flow would: PKCE, the
// state, the prompt, and that the code comes in a form and never in an address.
func (lb *loopback) authorizeURL(from, prompt string) (string, error) {
	u, err := url.Parse(from)
	if err != nil {
		return "", fmt.Errorf("read the sign-in page's address: %w", err)
	}
	if !mayOpen(u) {
		return "", foreignHost(u)
	}
	challenge := sha256.Sum256([]byte(lb.verifier))
	q := u.Query()
	q.Set("state", lb.state)
	q.Set("code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:]))
	q.Set("code_challenge_method", "S256")
	q.Set("response_mode", "form_post")
	if prompt != "" {
		q.Set("prompt", prompt)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// mayOpen says whether a browser may be sent to u: to https, and to http on this
// computer, where a simulated tenant has its pages.
func mayOpen(u *url.URL) bool {
	if u.Host == "" || u.User != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && local
}

// handle takes the browser's form. Whatever does not belong to this sign-in gets a
// page that says so and ends nothing: any page in the browser can send requests
// here.
func (lb *loopback) handle(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	if "http://"+r.Host != lb.redirect || r.URL.Path != "/" {
		showPage(w, http.StatusNotFound, "Nothing here", "This address only receives the answer of a sign-in page.")
		return
	}
	if r.Method != http.MethodPost {
		showPage(w, http.StatusMethodNotAllowed, "Sign-in is not complete", "The answer came in an unsafe form. Go back to Roletray and sign in again.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
	if err := r.ParseForm(); err != nil {
		showPage(w, http.StatusBadRequest, "Sign-in is not complete", "The answer could not be read. Go back to Roletray and sign in again.")
		return
	}
	a := answer{
		code:    r.PostForm.Get("code"),
		refusal: refusal{Name: r.PostForm.Get("error"), Description: r.PostForm.Get("error_description")},
		result:  make(chan error, 1),
		shown:   make(chan struct{}),
	}
	if subtle.ConstantTimeCompare([]byte(r.PostForm.Get("state")), []byte(lb.state)) != 1 || a.code == "" && a.refusal.Name == "" {
		showPage(w, http.StatusBadRequest, "This sign-in is over", "The answer belongs to another sign-in. Go back to Roletray and sign in again.")
		return
	}
	select {
	case lb.answers <- a:
	case <-lb.over:
		return
	}
	defer close(a.shown)
	select {
	case err := <-a.result:
		if err != nil {
			showPage(w, http.StatusOK, "Sign-in did not succeed", pim.Explain(err).Text)
			return
		}
		showPage(w, http.StatusOK, "You are signed in", "You can close this page and go back to Roletray.")
	case <-lb.over:
	}
}

// showPage sends the whole page before it returns, since the server may be closed
// right after.
func showPage(w http.ResponseWriter, status int, title, text string) {
	var page bytes.Buffer
	t, err := template.New("page").Parse(pageText)
	if err == nil {
		err = t.Execute(&page, struct{ Title, Text string }{title, text})
	}
	if err != nil {
		http.Error(w, title+". "+text, status)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(page.Len()))
	w.WriteHeader(status)
	// The browser may be gone; there is nobody else to tell.
	_, _ = w.Write(page.Bytes())
	_ = http.NewResponseController(w).Flush()
}

// unseenAfter is when a page without an answer may be one that the browser never showed.
const unseenAfter = 15 * time.Second

// wait opens the browser at page and returns its answer. Where none opens, whoever asked
// is told the address and can open it; only with nobody to tell that is an error.
func (lb *loopback) wait(ctx context.Context, open func(string) error, page string) (answer, error) {
	// An opener may block until the browser ends, which may be never; it is not
	// waited for.
	opened := make(chan error, 1)
	go func() { opened <- open(page) }()
	show := pim.SignInPage(ctx)
	unseen := time.NewTimer(unseenAfter)
	defer unseen.Stop()
	for {
		select {
		case a := <-lb.answers:
			return a, nil
		case err := <-opened:
			opened = nil
			if err == nil {
				continue
			}
			unseen.Stop()
			// The error may repeat the page's address, with its state.
			if show == nil || !show(pim.Page{URL: page}) {
				return answer{}, errNoBrowserOpened()
			}
		case <-unseen.C:
			if show != nil {
				show(pim.Page{URL: page, Unseen: true})
			}
		case <-ctx.Done():
			return answer{}, ctx.Err()
		}
	}
}

func errNoBrowserOpened() error {
	return failure(pim.CodeInternal, ErrNoBrowser, "No browser could be opened on this computer; try again in Roletray's window or on its command line, which then show the address to open.")
}
