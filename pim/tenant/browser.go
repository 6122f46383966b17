package tenant

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// Browser returns a function that does with the address of a sign-in page what
// a person does in a browser: it picks the user, approves what is asked for and
// brings the answer to the program that waits for it. Single sign-on works from
// one call of the function to the next. An empty user is the tenant's first one.
//
// The function goes to this computer only. It returns an error if a page cannot
// be passed; it is not safe for concurrent use.
func (t *Tenant) Browser(user string) func(address string) error {
	if user == "" && len(t.info.Users) > 0 {
		user = t.info.Users[0].UPN
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return func(string) error { return fmt.Errorf("open the browser: %w", err) }
	}
	p := person{user: user, client: &http.Client{
		Jar: jar, Transport: t.transport, Timeout: time.Minute,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxPages {
				return errors.New("too many redirects")
			}
			return onLoopback(r.URL)
		},
	}}
	return p.signIn
}

// maxPages bounds a sign-in, which has four pages at most.
const maxPages = 10

// person goes through the pages of a sign-in.
type person struct {
	user   string
	client *http.Client
	// cancelAt is the page on which this person changes their mind: account,
	// mfa or context.
	cancelAt string
}

func (p person) signIn(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("open the sign-in page: %w", err)
	}
	if err := onLoopback(u); err != nil {
		return fmt.Errorf("open the sign-in page: %w", err)
	}
	next := func() (*http.Response, error) { return p.client.Get(address) }
	for range maxPages {
		resp, err := next()
		if err != nil {
			return fmt.Errorf("open the sign-in page: %w", err)
		}
		doc, err := html.Parse(io.LimitReader(resp.Body, 1<<20))
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			return fmt.Errorf("read the sign-in page: %w", err)
		}
		kind, simulated := strings.CutPrefix(attribute(find(doc, "body", ""), "id"), "page-")
		if !simulated {
			return nil // The program that waits has answered.
		}
		action, values, err := p.act(kind, doc)
		if err != nil || action == "" {
			return err
		}
		target, err := resp.Request.URL.Parse(action)
		if err != nil {
			return fmt.Errorf("read the sign-in page: %w", err)
		}
		if err := onLoopback(target); err != nil {
			return err
		}
		next = func() (*http.Response, error) { return p.client.PostForm(target.String(), values) }
	}
	return errors.New("the sign-in does not come to an end")
}

// act is what this person does on a page: where the form goes and what with. An
// empty address means that there is nothing left to do.
func (p person) act(kind string, doc *html.Node) (string, url.Values, error) {
	form := find(doc, "form", kind)
	values := hidden(form)
	switch kind {
	case "account":
		if find(doc, "p", "problem") != nil {
			return "", nil, errors.New(text(find(doc, "p", "problem")))
		}
		values.Set("user", p.user)
	case "mfa", "context":
		values.Set("action", "approve")
	case "blocked":
		values.Set("action", "cancel")
	case "response":
	case "done", "declined", "signedout":
		return "", nil, nil
	default:
		return "", nil, fmt.Errorf("the sign-in page says: %s", text(find(doc, "p", "problem")))
	}
	if kind == p.cancelAt {
		values.Set("action", "cancel")
	}
	return attribute(form, "action"), values, nil
}

func onLoopback(u *url.URL) error {
	if host := u.Hostname(); host != "localhost" && host != "127.0.0.1" && host != "::1" {
		return fmt.Errorf("%q is not on this computer", u.Host)
	}
	return nil
}

// find is the first element with that name and id; an empty id means any.
func find(root *html.Node, name, id string) *html.Node {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == name && (id == "" || attribute(n, "id") == id) {
			return n
		}
	}
	return nil
}

func attribute(n *html.Node, name string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// hidden are the values that a form carries without being asked.
func hidden(form *html.Node) url.Values {
	values := url.Values{}
	if form == nil {
		return values
	}
	for n := range form.Descendants() {
		if n.Type == html.ElementNode && n.Data == "input" && attribute(n, "type") == "hidden" {
			values.Set(attribute(n, "name"), attribute(n, "value"))
		}
	}
	return values
}

func text(n *html.Node) string {
	if n == nil {
		return "nothing that can be understood"
	}
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}
