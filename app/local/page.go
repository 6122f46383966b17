package local

import (
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"sync"
	"time"

	"roletray/pim"
)

// pageHeader says in a call that its face can show the address of a sign-in page, and
// in an informational answer to that call, before the real one, what the address is. So it reaches
// whoever asked and nobody else.
const pageHeader = "Roletray-Page"

// unseenHeader is beside an address that a browser was opened for.
const unseenHeader = "Roletray-Page-Unseen"

const yes = "?1"

// maxPage bounds an address. One with claims has some 2,000 characters.
const maxPage = 12 << 10

// pageAnswer sends informational answers until the call is over.
type pageAnswer struct {
	mu   sync.Mutex
	w    http.ResponseWriter
	over bool
}

func (p *pageAnswer) send(page pim.Page) (told bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over || len(page.URL) > maxPage {
		return false
	}
	rc := http.NewResponseController(p.w)
	_ = rc.SetWriteDeadline(time.Now().Add(writeTimeout))
	p.w.Header().Set(pageHeader, page.URL)
	if page.Unseen {
		p.w.Header().Set(unseenHeader, yes)
	}
	p.w.WriteHeader(http.StatusProcessing)
	p.w.Header().Del(pageHeader)
	p.w.Header().Del(unseenHeader)
	_ = rc.SetWriteDeadline(time.Time{})
	return true
}

// end has nothing more sent.
func (p *pageAnswer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}

// takePages has a call's informational answers shown by whoever makes it.
func takePages(r *http.Request) *http.Request {
	show := pim.SignInPage(r.Context())
	if show == nil {
		return r
	}
	r.Header.Set(pageHeader, yes)
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
			if address := h.Get(pageHeader); isPage(address) {
				show(pim.Page{URL: address, Unseen: h.Get(unseenHeader) != ""})
			}
			return nil
		},
	}))
}

// isPage says whether an address may be shown to be opened.
func isPage(address string) bool {
	u, err := url.Parse(address)
	return err == nil && len(address) <= maxPage && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && pim.CleanText(address, maxPage) == address
}
