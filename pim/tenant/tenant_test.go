package tenant

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/golang-jwt/jwt/v5"
)

func start(t *testing.T, o Options) *Tenant {
	t.Helper()
	tn, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tn.Close(); err != nil {
			t.Error(err)
		}
	})
	return tn
}

// patience bounds what a test waits for; nothing here takes that long.
func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func msal(t *testing.T, tn *Tenant, clientID string, options ...public.Option) public.Client {
	t.Helper()
	in := tn.Info()
	c, err := public.New(clientID, append([]public.Option{
		public.WithAuthority(in.Authority + "/" + in.TenantID),
		public.WithInstanceDiscovery(false),
		public.WithHTTPClient(tn.Client()),
		public.WithClientCapabilities([]string{"cp1"}),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func armScope(tn *Tenant) []string { return []string{tn.Info().ARM + "/.default"} }

func claimsOf(t *testing.T, token string) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// answer is an HTTP answer read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) decode(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("%v in %d %s", err, a.status, a.body)
	}
}

func send(t *testing.T, c *http.Client, r *http.Request) answer {
	t.Helper()
	a, err := try(c, r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func try(c *http.Client, r *http.Request) (answer, error) {
	resp, err := c.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(b)}, err
}

func request(t *testing.T, method, address, token string, body any) *http.Request {
	t.Helper()
	var reader io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		reader = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(patience(t), method, address, reader)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// steer sends a command to the control endpoint, which must take it.
func steer(t *testing.T, tn *Tenant, method, path string, body any) answer {
	t.Helper()
	a := send(t, http.DefaultClient, request(t, method, tn.Info().Control+path, tn.Info().ControlSecret, body))
	if a.status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	return a
}

func post(t *testing.T, tn *Tenant, path string, form url.Values) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(patience(t), http.MethodPost, tn.Info().Authority+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(t, tn.Client(), r)
}

const eligible = "/providers/Microsoft.Authorization/roleEligibilityScheduleInstances?api-version=2020-10-01&$filter=asTarget()"

func eligibleURL(tn *Tenant) string { return tn.Info().ARM + eligible }

func signIn(t *testing.T, tn *Tenant, c public.Client, options ...public.AcquireInteractiveOption) public.AuthResult {
	t.Helper()
	res, err := c.AcquireTokenInteractive(patience(t), armScope(tn), append([]public.AcquireInteractiveOption{public.WithOpenURL(tn.Browser(""))}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func stepUp() public.AcquireInteractiveOption { return public.WithClaims(stepUpC1) }

func withBody(r *http.Request, body string) *http.Request {
	r.Body = io.NopCloser(strings.NewReader(body))
	r.ContentLength = int64(len(body))
	return r
}
