package tenant

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/google/uuid"
)

func TestControlGuards(t *testing.T) {
	tn := start(t, Options{Seed: "empty"})
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"right":        {func(*http.Request) {}, http.StatusOK},
		"no secret":    {func(r *http.Request) { r.Header.Del("Authorization") }, http.StatusUnauthorized},
		"wrong secret": {func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, http.StatusUnauthorized},
		"wrong scheme": {func(r *http.Request) { r.Header.Set("Authorization", "Basic "+tn.Info().ControlSecret) }, http.StatusUnauthorized},
		"from a page":  {func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1") }, http.StatusForbidden},
		"foreign host": {func(r *http.Request) { r.Host = "evil.example" }, http.StatusMisdirectedRequest},
	} {
		r := request(t, "GET", tn.Info().Control, tn.Info().ControlSecret, nil)
		c.change(r)
		if a := send(t, http.DefaultClient, r); a.status != c.want {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if n := len(tn.Info().ControlSecret); n < 43 {
		t.Errorf("the secret has only %d characters", n)
	}
}

func TestControlRefusesNonsense(t *testing.T) {
	tn := start(t, Options{Seed: "empty"})
	for _, c := range []struct {
		method, path, body, want string
	}{
		{"POST", "/advance", `{"seconds":-1}`, "above 0"},
		{"POST", "/advance", `{"secnods":1}`, "secnods"},
		{"POST", "/advance", `{"seconds":1} {}`, "more than one"},
		{"PUT", "/settings", `{"arm":{"nonsense":true}}`, "nonsense"},
		{"PUT", "/settings", `{"login":{"tokenLifetimeSeconds":-5}}`, "tokenLifetimeSeconds"},
		{"PUT", "/settings", `{"login":{"refuseConsent":["mail"]}}`, "refuseConsent"},
		{"PUT", "/settings", `{"graph":{"errorForm":"rude"}}`, "errorForm"},
		{"PUT", "/settings", `{"graph":{"nonsense":1}}`, "nonsense"},
		{"POST", "/faults", `[{"service":"mail","status":500}]`, "service must be"},
		{"POST", "/faults", `[{"service":"arm"}]`, "no effect"},
		{"POST", "/faults", `[{"service":"arm","status":42}]`, "status"},
		{"POST", "/faults", `[{"service":"arm","cutBefore":true,"cutAfter":true}]`, "exclude"},
		{"POST", "/faults", `[{"service":"arm","latencyMs":-1}]`, "latencyMs"},
		{"POST", "/faults", `[{"service":"arm","status":500,"times":-1}]`, "negative"},
		{"POST", "/revoke", `{"user":"nobody"}`, "no user"},
		{"POST", "/approve", `{"request":"x","approver":"nobody"}`, "no user"},
		{"POST", "/deny", `{"request":"x"}`, "no such request"},
	} {
		r := request(t, c.method, tn.Info().Control+c.path, tn.Info().ControlSecret, nil)
		r.Body = http.NoBody
		r = withBody(r, c.body)
		a := send(t, http.DefaultClient, r)
		if a.status < 400 || a.status > 499 || !strings.Contains(a.body, c.want) {
			t.Errorf("%s %s: %d %s", c.path, c.body, a.status, a.body)
		}
	}
}

func TestAdvance(t *testing.T) {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	tn := start(t, Options{Seed: "empty", Start: at})
	steer(t, tn, "POST", "/advance", map[string]any{"seconds": 3600})
	if now := tn.Now(); now.Before(at.Add(time.Hour)) || now.After(at.Add(time.Hour+time.Minute)) {
		t.Errorf("the clock shows %v", now)
	}
}

func TestSettingsChangeOnlyWhatIsNamed(t *testing.T) {
	tn := start(t, Options{Seed: "empty"})
	before := tn.settings()
	steer(t, tn, "PUT", "/settings", map[string]any{"arm": map[string]any{"activationLagSeconds": 30}, "login": map[string]any{"tokenLifetimeSeconds": 120}})
	want := before
	want.ARM.ActivationLagSeconds = 30
	if got := tn.settings(); got.ARM != want.ARM || got.Login.TokenLifetimeSeconds != 120 {
		t.Errorf("settings are %+v, want %+v", got, want)
	}
	res := signIn(t, tn, msal(t, tn, tn.Info().ClientID))
	claims := claimsOf(t, res.AccessToken)
	if life := claims["exp"].(float64) - claims["iat"].(float64); life != 120 {
		t.Errorf("the token is good for %v seconds", life)
	}
}

func TestFaults(t *testing.T) {
	tn := start(t, Options{})
	token := signIn(t, tn, msal(t, tn, tn.Info().ClientID)).AccessToken
	get := func() (answer, error) { return try(tn.Client(), request(t, "GET", eligibleURL(tn), token, nil)) }
	inject := func(f Fault) {
		t.Helper()
		steer(t, tn, "DELETE", "/faults", nil)
		f.Service = "arm"
		steer(t, tn, "POST", "/faults", []Fault{f})
	}
	want := func(status int) answer {
		t.Helper()
		a, err := get()
		if err != nil || a.status != status {
			t.Fatalf("got %d %s %v, want %d", a.status, a.body, err, status)
		}
		return a
	}

	inject(Fault{Status: 429, RetryAfter: "7", Times: 2, After: 1, PathContains: "ROLEELIGIBILITY"})
	want(200)
	for range 2 {
		if a := want(429); a.header.Get("Retry-After") != "7" || !strings.Contains(a.body, "TooManyRequests") {
			t.Errorf("%v %s", a.header, a.body)
		}
	}
	want(200)
	inject(Fault{Status: 503})
	if a := want(503); a.header.Get("Retry-After") != "" {
		t.Error("Retry-After without being asked for")
	}
	want(503)
	inject(Fault{Status: 500, Method: "PUT"})
	want(200)
	inject(Fault{Body: `{"value":[`, Header: map[string]string{"x-test": "yes"}})
	if a := want(200); a.body != `{"value":[` || a.header.Get("x-test") != "yes" {
		t.Errorf("%v %s", a.header, a.body)
	}
	inject(Fault{LatencyMs: 1, HoldMs: 1})
	want(200)
	for _, f := range []Fault{{CutBefore: true}, {CutAfter: true}} {
		inject(f)
		if a, err := get(); err == nil {
			t.Errorf("%+v: answered with %d", f, a.status)
		}
	}
	steer(t, tn, "DELETE", "/faults", nil)
	want(200)

	if err := tn.AddFaults(Fault{Service: "login", Status: 503, PathContains: "/token"}); err != nil {
		t.Fatal(err)
	}
	if _, err := msal(t, tn, tn.Info().ClientID).AcquireTokenInteractive(patience(t), armScope(tn), public.WithOpenURL(tn.Browser(""))); err == nil || !strings.Contains(err.Error(), "503") {
		t.Error("signed in against a broken token endpoint")
	}
}

// A write whose answer is lost has taken effect, one that never arrived has not.
func TestCutsAroundAWrite(t *testing.T) {
	tn := start(t, Options{})
	token := signIn(t, tn, msal(t, tn, tn.Info().ClientID)).AccessToken
	var listed struct {
		Value []struct {
			Properties struct {
				Scope, RoleDefinitionID, PrincipalID string
				RoleEligibilityScheduleID            string
			}
		}
	}
	send(t, tn.Client(), request(t, "GET", eligibleURL(tn), token, nil)).decode(t, &listed)
	arrived := func(name string) bool {
		for _, row := range listed.Value {
			a := send(t, tn.Client(), request(t, "GET", tn.Info().ARM+row.Properties.Scope+"/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/"+name+"?api-version=2020-10-01", token, nil))
			if a.status == http.StatusOK {
				return true
			}
		}
		return false
	}
	put := func(name string, f Fault) bool {
		f.Service, f.Method = "arm", "PUT"
		if err := tn.AddFaults(f); err != nil {
			t.Fatal(err)
		}
		defer tn.ClearFaults()
		for _, row := range listed.Value {
			p := row.Properties
			_, err := try(tn.Client(), request(t, "PUT", tn.Info().ARM+p.Scope+"/providers/Microsoft.Authorization/roleAssignmentScheduleRequests/"+name+"?api-version=2020-10-01", token, map[string]any{
				"properties": map[string]any{
					"principalId": tn.Info().Users[0].ID, "roleDefinitionId": p.RoleDefinitionID, "requestType": "SelfActivate",
					"justification": "test", "scheduleInfo": map[string]any{"expiration": map[string]any{"type": "AfterDuration", "duration": "PT30M"}},
				},
			}))
			if err == nil {
				t.Fatal("the connection was not cut")
			}
		}
		return arrived(name)
	}
	if put(uuid.NewString(), Fault{CutBefore: true}) {
		t.Error("a request that was cut off before took effect")
	}
	if !put(uuid.NewString(), Fault{CutAfter: true}) {
		t.Error("no request that was cut off after took effect")
	}
}

func TestLogKnowsTheTokenOfEachRequest(t *testing.T) {
	tn := start(t, Options{})
	c := msal(t, tn, tn.Info().ClientID)
	first := signIn(t, tn, c).AccessToken
	second := signIn(t, tn, c, stepUp()).AccessToken
	id := uuid.NewString()
	for _, token := range []string{first, second} {
		r := request(t, "GET", eligibleURL(tn), token, nil)
		r.Header.Set("x-ms-client-request-id", id)
		send(t, tn.Client(), r)
	}
	var log []Seen
	steer(t, tn, "GET", "/log", nil).decode(t, &log)
	var arm []Seen
	for _, s := range log {
		if s.Service == "arm" {
			arm = append(arm, s)
		}
	}
	if len(arm) != 2 {
		t.Fatalf("the log has %d requests to ARM", len(arm))
	}
	if arm[0].TokenID == arm[1].TokenID || arm[0].TokenID == "" || len(arm[0].Contexts) != 0 || len(arm[1].Contexts) != 1 ||
		arm[1].ClientRequestID != id || arm[1].Status != 200 || arm[1].Query == "" {
		t.Errorf("%+v", arm)
	}
	a := steer(t, tn, "GET", "", nil)
	var state struct {
		Clock struct {
			Now   time.Time
			Speed float64
		}
		Counters   map[string]int
		LastTokens map[string]string
	}
	a.decode(t, &state)
	const key = "arm GET /providers/Microsoft.Authorization/roleEligibilityScheduleInstances"
	if state.Counters[key] != 2 || state.LastTokens[key] != arm[1].TokenID || state.Clock.Speed != 1 || state.Clock.Now.IsZero() {
		t.Errorf("%+v", state)
	}
	for _, secret := range []string{first, second} {
		if strings.Contains(a.body, secret) {
			t.Error("a token is in the state")
		}
	}
}

func TestLogIsBounded(t *testing.T) {
	var rec record
	for range maxSeen + 10 {
		rec.add(Seen{Service: "arm", Method: "GET", Path: "/" + uuid.NewString()})
	}
	for i := range 2 * maxPatterns {
		rec.add(Seen{Service: "arm", Method: "GET", Path: "/x" + strings.Repeat("y", i)})
	}
	if n := len(rec.log()); n > maxSeen {
		t.Errorf("the log has %d entries", n)
	}
	counters, _ := rec.counts()
	if len(counters) > maxPatterns+1 || counters["arm GET /{id}"] != maxSeen+10 {
		t.Errorf("%d counters, %d of them for a GUID", len(counters), counters["arm GET /{id}"])
	}
}
