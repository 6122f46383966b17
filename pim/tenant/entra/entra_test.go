package entra

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roletray/pim/tenant/world"
)

func TestParseClaims(t *testing.T) {
	cases := []struct {
		raw  string
		want ClaimsRequest
	}{
		{``, ClaimsRequest{}},
		{`{}`, ClaimsRequest{}},
		{`{"id_token":{"acrs":{"value":"c1"}}}`, ClaimsRequest{}},
		{`{"access_token":{"acrs":null}}`, ClaimsRequest{}},
		{`{"access_token":{"acrs":{"essential":true, "value":"c1"}}}`, ClaimsRequest{Contexts: Demand{true, []string{"c1"}}}},
		{
			`{"access_token":{"acrs":{"essential":true,"values":["p1","c2"]},"xms_cc":{"values":["cp1"]}}}`,
			ClaimsRequest{Contexts: Demand{true, []string{"p1", "c2"}}, Capabilities: []string{"cp1"}},
		},
		{`{"access_token":{"amr":{"essential":true,"values":["mfa"]}}}`, ClaimsRequest{Methods: Demand{true, []string{"mfa"}}}},
		{`{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}`, ClaimsRequest{NotBefore: time.Unix(1604106651, 0).UTC()}},
		{`{"access_token":{"nbf":{"value":1604106651}}}`, ClaimsRequest{NotBefore: time.Unix(1604106651, 0).UTC()}},
		{`{"access_token":{"unknown":{"value":"x"}}}`, ClaimsRequest{}},
	}
	for _, c := range cases {
		c.want.Raw = c.raw
		got, err := ParseClaims(c.raw)
		if err != nil {
			t.Errorf("%s: %v", c.raw, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.raw, diff)
		}
	}
	for _, raw := range []string{
		`[]`, `"x"`, `{`, `{"access_token":[]}`, `{"access_token":{"acrs":"c1"}}`, `{"access_token":{"acrs":{"value":{}}}}`,
		`{"access_token":{"nbf":{"value":"soon"}}}`, `{"access_token":{"nbf":{"value":-1}}}`, `{"access_token":{"acrs":{"values":"c1"}}}`,
		`{"a":"` + strings.Repeat("x", maxClaims) + `"}`,
	} {
		if got, err := ParseClaims(raw); err == nil {
			t.Errorf("%.60s: taken as %+v", raw, got)
		}
	}
}

func FuzzParseClaims(f *testing.F) {
	f.Add(`{"access_token":{"acrs":{"essential":true,"value":"c1"},"xms_cc":{"values":["cp1"]},"nbf":{"value":1}}}`)
	f.Add(`{"access_token":{"amr":{"values":["mfa",2]}}}`)
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := ParseClaims(raw)
		if err != nil {
			return
		}
		if got.Raw != raw {
			t.Error("the request was changed")
		}
		if !got.Contexts.MetBy(got.Contexts.Values) {
			t.Error("its own values do not meet a demand")
		}
	})
}

func newTestAuthority(tb testing.TB, wall func() time.Time) *Authority {
	tb.Helper()
	a, err := New(Params{
		Clock: world.NewClock(time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), 1),
		Directory: &world.Directory{
			TenantID: "9c0d1e2f-0000-4000-8000-000000000001", Name: "Test", Domain: "test.example",
			Users: []world.User{{ID: "9c0d1e2f-0000-4000-8000-000000000002", Name: "Ada", UPN: "ada@test.example"}},
		},
		Authority: "https://127.0.0.1:1", ARM: "https://127.0.0.1:2", Graph: "https://127.0.0.1:3", Pages: "http://127.0.0.1:4",
		Wall: wall,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// Whatever a token request holds, it is either refused or names a client and a
// service of the tenant.
func FuzzTokenRequest(f *testing.F) {
	a := newTestAuthority(f, nil)
	f.Add("grant_type=refresh_token&client_id=" + ClientID + "&scope=https://127.0.0.1:2//.default+openid&refresh_token=x")
	f.Add("grant_type=authorization_code&client_id=04b07795-8ddb-461a-bbee-02f9e1bf7b46&scope=User.Read&claims=%7B%7D")
	f.Add("grant_type=device_code&client_id=x&scope=/")
	f.Fuzz(func(t *testing.T, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		req, e := a.readToken(form)
		if e != nil {
			if e.Code == 0 || e.OAuth == "" {
				t.Errorf("an error without a code: %+v", e)
			}
			return
		}
		if req.app.ID == "" {
			t.Error("no client")
		}
		if form.Get("scope") != "" && req.target.Audience != a.ARM && req.target.Audience != a.Graph {
			t.Errorf("audience %q", req.target.Audience)
		}
		if granted, e := a.authorize(req.app, req.target); e == nil && len(granted) == 0 {
			t.Error("authorized for nothing")
		}
	})
}

func TestScopeNamesOneResource(t *testing.T) {
	a := newTestAuthority(t, nil)
	for scope, want := range map[string]string{
		"https://127.0.0.1:2/.default openid":           ServiceARM,
		"https://127.0.0.1:2//.default":                 ServiceARM,
		"https://127.0.0.1:2/user_impersonation":        ServiceARM,
		"797f4846-ba00-4fd7-ba43-dac1f8f63013/.default": ServiceARM,
		"User.Read": ServiceGraph,
		"https://127.0.0.1:3/User.Read GroupMember.Read.All": ServiceGraph,
		"openid profile": ServiceGraph,
		"https://127.0.0.1:2/.default https://127.0.0.1:3/Mail": "",
		"https://management.azure.com/.default":                 "",
		"":                                                      "",
	} {
		got, e := a.parseScope(scope)
		if got.Service != want || (want == "") != (e != nil) {
			t.Errorf("%q: %q %v, want %q", scope, got.Service, e, want)
		}
	}
}

// Codes age by the computer's clock, however fast the tenant's runs.
func TestCodesExpire(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	a := newTestAuthority(t, func() time.Time { return now })
	app, e := a.client(ClientID)
	if e != nil {
		t.Fatal(e)
	}
	a.codes["x"] = &authorizationCode{grant: grant{clientID: ClientID}, created: now, redirect: "http://localhost:1"}
	a.devices["x"] = &deviceRequest{client: app, created: now, userCode: "ABC"}
	req := func(name string) *tokenRequest {
		return &tokenRequest{app: app, form: url.Values{name: {"x"}, "redirect_uri": {"http://localhost:1"}, "code_verifier": {"v"}}}
	}
	if _, e := a.redeemDevice(req("device_code")); e.Code != 70016 {
		t.Errorf("pending device code: %v", e)
	}
	now = now.Add(deviceLifetime + time.Second)
	if _, _, e := a.redeemCode(req("code")); e.Code != 70008 {
		t.Errorf("old code: %v", e)
	}
	if _, e := a.redeemDevice(req("device_code")); e.OAuth != "expired_token" {
		t.Errorf("old device code: %v", e)
	}
	if a.device("ABC") != nil {
		t.Error("an old user code is taken")
	}
	now = now.Add(2 * deviceLifetime)
	a.forget()
	if len(a.codes)+len(a.devices) > 0 {
		t.Error("old codes are kept")
	}
}

func TestPreauthorizedClientsGetNoMore(t *testing.T) {
	a := newTestAuthority(t, nil)
	for _, c := range []struct {
		client, scope string
		code          int
	}{
		{azureCLI, "https://127.0.0.1:2/.default", 0},
		{azureCLI, "https://127.0.0.1:3/.default", 0},
		{azureCLI, "RoleAssignmentSchedule.ReadWrite.Directory", 65002},
		{graphCLI, "RoleAssignmentSchedule.ReadWrite.Directory", 0},
		{graphCLI, "https://127.0.0.1:2/.default", 65002},
		{graphCLI, "Directory.Read.All", 65001},
		{ClientID, "https://127.0.0.1:2/nonsense", 650053},
	} {
		app, e := a.client(strings.ToUpper(c.client))
		if e != nil {
			t.Fatal(e)
		}
		target, e := a.parseScope(c.scope)
		if e != nil {
			t.Fatal(e)
		}
		granted, e := a.authorize(app, target)
		if e == nil && (c.code != 0 || slices.Contains(granted, ".default")) || e != nil && e.Code != c.code {
			t.Errorf("%s for %s: %v %v", app.Name, c.scope, granted, e)
		}
	}
}
