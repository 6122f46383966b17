package signin

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"roletray/pim"
)

// maxAnswer is the longest answer in bytes that is read from the sign-in service.
const maxAnswer = 1 << 20

// longestAnswer is the most bytes of one answer of a service that are read, unpacked.
// Thousands of roles are some megabytes.
const longestAnswer = 64 << 20

// bounded ends an answer that is longer than any real one with an error, since
// whoever reads it keeps it in memory.
type bounded struct{ *http.Transport }

// RoundTrip sends one request.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, longestAnswer)
	return resp, nil
}

// HTTPClient returns a client for the services of a cloud. It trusts the
// authorities in c.CAFile alone, if there is one, keeps no cookies, follows a
// redirect within one host only, reads answers of up to 64 MiB, and uses no proxy for this
// computer. Its own time limit of two minutes is the last resort: give each call a deadline.
func HTTPClient(c pim.Cloud) (*http.Client, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, badCAFile(err)
		}
		trust.RootCAs = x509.NewCertPool()
		if !trust.RootCAs.AppendCertsFromPEM(pem) {
			return nil, badCAFile(fmt.Errorf("no certificate in %s", c.CAFile))
		}
	}
	transport := &http.Transport{
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       trust,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: time.Minute,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   32,
		ForceAttemptHTTP2:     true,
	}
	if !c.Loopback() {
		transport.Proxy = http.ProxyFromEnvironment
	}
	return &http.Client{Transport: bounded{transport}, CheckRedirect: sameHost, Timeout: 2 * time.Minute}, nil
}

func badCAFile(err error) error {
	return because(failure(pim.CodeInternal, ErrRefused, "The cloud's CA file cannot be used; check that it exists and holds a certificate in PEM form."), err)
}

// sameHost refuses a redirect that leaves the first host, which might carry a token
// or a refresh token away.
func sameHost(r *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return fmt.Errorf("redirected %d times", len(via))
	}
	first := via[0].URL
	if !strings.EqualFold(r.URL.Scheme, first.Scheme) || !strings.EqualFold(r.URL.Host, first.Host) {
		return foreignHost(r.URL)
	}
	return nil
}

// foreignHost names the host alone, since a URL may hold more than may be shown.
func foreignHost(u *url.URL) error {
	e := failure(pim.CodeRejected, ErrForeignHost, "The service pointed to a computer that does not belong to it, so nothing was sent there; check the network, and report it if it stays.")
	return because(e, fmt.Errorf("%s://%s", pim.CleanText(u.Scheme, 20), pim.CleanText(u.Host, 100)))
}

// authorityClient is the HTTP client of MSAL. It talks to the authority only, so
// that no answer can direct a refresh token or a code elsewhere.
type authorityClient struct {
	*http.Client
	hosts []string
}

// microsoftHosts are the hosts that Microsoft's sign-in answers name besides the
// authority's own.
var microsoftHosts = []string{
	"login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net",
	"login.microsoftonline.us", "login.chinacloudapi.cn", "login.partner.microsoftonline.cn",
}

func newAuthorityClient(c pim.Cloud) (*authorityClient, error) {
	plain, err := HTTPClient(c)
	if err != nil {
		return nil, err
	}
	authority, err := url.Parse(c.Authority)
	if err != nil {
		return nil, fmt.Errorf("read the authority: %w", err)
	}
	a := &authorityClient{Client: plain, hosts: []string{strings.ToLower(authority.Host)}}
	if isMicrosoft(c) {
		a.hosts = append(a.hosts, microsoftHosts...)
	}
	return a, nil
}

// Do sends a request to the authority.
func (a *authorityClient) Do(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" || !slices.Contains(a.hosts, strings.ToLower(r.URL.Host)) {
		return nil, foreignHost(r.URL)
	}
	resp, err := a.Client.Do(r)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	return resp, nil
}

// isMicrosoft says whether the authority is one of Microsoft's own, which publish
// their metadata. Others are taken as they are.
func isMicrosoft(c pim.Cloud) bool {
	u, err := url.Parse(c.Authority)
	return err == nil && slices.Contains(microsoftHosts, strings.ToLower(u.Host))
}
