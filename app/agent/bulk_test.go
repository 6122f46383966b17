package agent

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"roletray/pim"
	"roletray/pim/tenant"
)

// office is a running agent of somebody who has signed in to a tenant of its own.
type office struct {
	*started
	ten *tenant.Tenant
}

func openOffice(t *testing.T, seed string) *office {
	t.Helper()
	ten, err := tenant.Start(t.Context(), tenant.Options{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ten.Close(); err != nil {
			t.Error(err)
		}
	})
	i := ten.Info()
	browse := ten.Browser("")
	o := &office{ten: ten, started: start(t, func(p *Params) {
		p.Demo = false
		p.Cloud = pim.Cloud{Name: "custom", Authority: i.Authority, ARM: i.ARM, Graph: i.Graph, TenantID: i.TenantID, ClientID: i.ClientID, CAFile: i.CAFile}
		p.OpenBrowser = browse
	})}
	o.must(t, "signin")
	return o
}

// control changes how the tenant behaves.
func (o *office) control(t *testing.T, method, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, o.ten.Info().Control+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+o.ten.Info().ControlSecret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, resp.Status, err)
	}
}

type checkedJSON struct {
	Results []struct {
		Outcome, Role, Scope, Operation, Request, Offer string
		Checked, SettingsOnly, StepUp, Approval         bool
		Rules                                           []pim.Rule
		Problem                                         *pim.Problem
	}
}

// several are one role of each kind that the demo company's first person activates freely.
var several = []string{"owner sandbox", "--also", "global reader", "--also", "member finance reporting"}

// Each kind is checked by the service or by its settings before any is sent.
func TestSeveralKindsAreCheckedBeforeTheyAreSent(t *testing.T) {
	o := openOffice(t, "demo")
	state := o.code(t, 0, "list")
	if !strings.Contains(state, "Global Reader") {
		t.Fatalf("list: %s", state)
	}
	// What only the service knows is in the way of the directory role; the other two go on.
	o.control(t, http.MethodPost, "/faults", `[{"service":"graph","method":"POST","pathContains":"/roleManagement/directory/roleAssignmentScheduleRequests","status":400,
		"body":"{\"error\":{\"code\":\"RoleAssignmentRequestPolicyValidationFailed\",\"message\":\"The following policy rules failed: [\\\"TicketingRule\\\"]\"}}"}]`)
	out := parse[checkedJSON](t, o.code(t, 1, with([]string{"activate"}, with(several, "--reason", "a good reason", "--duration", "30m", "--json")...)...))
	if len(out.Results) != 3 {
		t.Fatalf("%+v", out)
	}
	for i, want := range []string{"done", "failed", "done"} {
		if out.Results[i].Outcome != want {
			t.Errorf("%s: %+v", out.Results[i].Role, out.Results[i])
		}
	}
	if r := out.Results[1]; !r.Checked || !slices.Equal(r.Rules, []pim.Rule{pim.RuleTicketing}) || r.Request != "" {
		t.Errorf("the directory role: %+v (%+v)", r, r.Problem)
	}
	o.control(t, http.MethodDelete, "/faults", "")
	// Two are active now, which is no fault of theirs.
	again := parse[checkedJSON](t, o.must(t, with([]string{"activate"}, with(several, "--reason", "a good reason", "--duration", "30m", "--json")...)...))
	for _, r := range again.Results {
		if r.Outcome != "done" || r.Checked {
			t.Errorf("again: %+v", r)
		}
	}
}

// A service that takes a check for a request gets no second one.
func TestCheckOfSeveralThatIsTakenForARequest(t *testing.T) {
	o := openOffice(t, "demo")
	o.control(t, http.MethodPut, "/settings", `{"graph":{"validationOnly":"ignore"}}`)
	out := parse[checkedJSON](t, o.must(t, with([]string{"activate"}, with(several, "--reason", "a good reason", "--duration", "30m", "--json")...)...))
	if out.Results[1].Outcome != "done" || out.Results[1].Request == "" {
		t.Fatalf("%+v", out)
	}
	requests := parse[struct {
		Requests []struct{ Role, Request, Action string }
	}](t, o.must(t, "requests", "--all", "--refresh", "--json"))
	n := 0
	for _, r := range requests.Requests {
		if r.Role == "Global Reader" && r.Action == "activate" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d requests: %+v", n, requests.Requests)
	}
}

// A scope that the service refuses is left for the next one up until one is granted.
func TestRefusedScopeGoesUp(t *testing.T) {
	o := openOffice(t, "demo")
	o.control(t, http.MethodPut, "/settings", `{"arm":{"reducedNeedsRead":true}}`)
	found := parse[scopesJSON](t, o.must(t, "scopes", "reader", "halden freight", "--search", "rg-robots", "--json"))
	if len(found.Scopes) != 1 {
		t.Fatalf("found %+v", found)
	}
	at := found.Scopes[0].ID
	var way []string
	for range 4 {
		code, stdout, stderr := o.roletray(t, "activate", "reader", "halden freight", "--scope", at, "--reason", "a good reason", "--json")
		out := parse[checkedJSON](t, stdout)
		if code == 0 {
			if len(way) < 2 || out.Results[0].Scope != "Halden Freight" {
				t.Errorf("granted after %v: %+v", way, out)
			}
			return
		}
		if out.Results[0].Offer == "" || out.Results[0].Problem.Code != pim.CodeForbidden {
			t.Fatalf("%s: %+v %s", at, out, stderr)
		}
		check := parse[checkedJSON](t, o.code(t, 1, "check", "reader", "halden freight", "--scope", at, "--reason", "a good reason", "--json"))
		if check.Results[0].Outcome != "refused" || check.Results[0].Offer != out.Results[0].Offer {
			t.Errorf("the check: %+v", check)
		}
		way, at = append(way, at), out.Results[0].Offer
	}
	t.Errorf("never granted: %v", way)
}

type searchJSON struct {
	Scopes   []struct{ ID, Name string }
	Complete bool
}

// A search goes through management groups, subscriptions, groups and resources, and
// waits where the service asks it to.
func TestSearchOfScopes(t *testing.T) {
	o := openOffice(t, "demo")
	search := func(args ...string) searchJSON {
		t.Helper()
		return parse[searchJSON](t, o.must(t, with([]string{"scopes", "reader", "halden freight", "--json", "--search"}, args...)...))
	}
	// Whoever cannot read a resource group does not see what is in it.
	if found := search("aks-robots"); len(found.Scopes) != 0 || !found.Complete {
		t.Errorf("before: %+v", found)
	}
	o.must(t, "activate", "reader", "halden freight", "--reason", "a good reason")
	o.control(t, http.MethodPost, "/faults", `[{"service":"arm","method":"GET","pathContains":"eligibleChildResources","status":429,"retryAfter":"1","times":2,"after":2}]`)
	if found := search("ROBOTS"); len(found.Scopes) != 2 || !found.Complete || !strings.HasSuffix(found.Scopes[1].ID, "/managedClusters/aks-robots-prod") {
		t.Errorf("found %+v", found)
	}
	if found := search("rg-", "--limit", "1"); len(found.Scopes) != 0 || found.Complete {
		t.Errorf("at the limit: %+v", found)
	}
	o.control(t, http.MethodPost, "/faults", `[{"service":"arm","method":"GET","pathContains":"eligibleChildResources","status":429,"retryAfter":"600","after":3}]`)
	code, stdout, stderr := o.roletray(t, "scopes", "reader", "halden freight", "--search", "production", "--json")
	if found := parse[searchJSON](t, stdout); code != 1 || len(found.Scopes) == 0 || found.Complete || !strings.Contains(stderr, "the search stopped. The service asks for fewer calls.") {
		t.Errorf("exit code %d: %+v, %s", code, found, stderr)
	}
}

// The widest level of the simulated tenant.
func TestSearchOfALargeTenant(t *testing.T) {
	o := openOffice(t, "large")
	found := parse[searchJSON](t, o.must(t, "scopes", "owner", "depot 17", "--search", "depot17-2", "--json"))
	if len(found.Scopes) != 5 || !found.Complete {
		t.Errorf("found %+v", found)
	}
}
