package tenant

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

const (
	rolesPath  = "/v1.0/roleManagement/directory/"
	groupsPath = "/v1.0/identityGovernance/privilegedAccess/group/"
	mine       = "/filterByCurrentUser(on='principal')"
)

// graphToken signs Ada in and gives a token for Graph.
func graphToken(t *testing.T, tn *Tenant, c public.Client) (token string, who public.Account) {
	t.Helper()
	res := signIn(t, tn, c)
	silent, err := c.AcquireTokenSilent(patience(t), []string{tn.Info().Graph + "/.default"}, public.WithSilentAccount(res.Account))
	if err != nil {
		t.Fatal(err)
	}
	return silent.AccessToken, res.Account
}

type rowOfGraph struct {
	ID, Status, GroupID, AccessID, RoleDefinitionID, DirectoryScopeID, MemberType string
}

func graphDo(t *testing.T, tn *Tenant, token, method, path string, body any) answer {
	t.Helper()
	return send(t, tn.Client(), request(t, method, tn.Info().Graph+path, token, body))
}

func graphRows(t *testing.T, tn *Tenant, token, path string) []rowOfGraph {
	t.Helper()
	a := graphDo(t, tn, token, "GET", path, nil)
	var p struct{ Value []rowOfGraph }
	if a.decode(t, &p); a.status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	return p.Value
}

func errorCode(t *testing.T, a answer) string {
	t.Helper()
	var e struct {
		Error struct {
			Code       string
			InnerError map[string]string
		}
	}
	a.decode(t, &e)
	if e.Error.InnerError["request-id"] != a.header.Get("request-id") {
		t.Errorf("the envelope is %s", a.body)
	}
	return e.Error.Code
}

func TestTokenForGraphReachesEverything(t *testing.T) {
	tn := start(t, Options{})
	token, _ := graphToken(t, tn, msal(t, tn, tn.Info().ClientID))
	if n := len(graphRows(t, tn, token, rolesPath+"roleEligibilityScheduleInstances"+mine)); n != 12 {
		t.Errorf("Ada has %d directory roles", n)
	}
	if n := len(graphRows(t, tn, token, groupsPath+"eligibilityScheduleInstances"+mine)); n != 9 {
		t.Errorf("Ada can join %d groups", n)
	}
	if n := len(graphRows(t, tn, token, "/v1.0/directory/administrativeUnits")); n != 2 {
		t.Errorf("%d units have names", n)
	}
	steer(t, tn, "PUT", "/settings", map[string]any{"graph": map[string]any{"currentUserCap": 5, "errorForm": "wrapped"}})
	if n := len(graphRows(t, tn, token, rolesPath+"roleEligibilityScheduleInstances"+mine)); n != 5 {
		t.Errorf("the cap leaves %d", n)
	}
}

// Consent is taken away from the token, and with it what it was good for.
func TestConsentTakenAway(t *testing.T) {
	tn := start(t, Options{})
	c := msal(t, tn, tn.Info().ClientID)
	few := map[string]any{"login": map[string]any{"grantedScopes": []string{"User.Read", "RoleEligibilitySchedule.Read.Directory"}}}
	steer(t, tn, "PUT", "/settings", few)
	token, who := graphToken(t, tn, c)
	if n := len(graphRows(t, tn, token, rolesPath+"roleEligibilityScheduleInstances"+mine)); n != 12 {
		t.Errorf("what is granted lists %d", n)
	}
	for _, path := range []string{groupsPath + "eligibilityScheduleInstances" + mine, rolesPath + "roleAssignmentScheduleRequests" + mine} {
		if a := graphDo(t, tn, token, "GET", path, nil); a.status != http.StatusForbidden || errorCode(t, a) != "PermissionScopeNotGranted" {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	ask := func(scope string) error {
		_, err := c.AcquireTokenSilent(patience(t), []string{tn.Info().Graph + "/" + scope}, public.WithSilentAccount(who))
		return err
	}
	if err := ask("PrivilegedEligibilitySchedule.Read.AzureADGroup"); err == nil || !strings.Contains(err.Error(), "AADSTS65001") {
		t.Errorf("a permission that nobody granted: %v", err)
	}
	steer(t, tn, "PUT", "/settings", map[string]any{"login": map[string]any{"grantedScopes": []string{}}})
	if err := ask("RoleManagement.Read.All"); err == nil || !strings.Contains(err.Error(), "AADSTS65001") {
		t.Errorf("with nothing granted: %v", err)
	}
	steer(t, tn, "PUT", "/settings", map[string]any{"login": map[string]any{"grantedScopes": nil}})
	if err := ask("PrivilegedEligibilitySchedule.Read.AzureADGroup"); err != nil {
		t.Errorf("with consent again: %v", err)
	}
}

func TestFaultsInABatch(t *testing.T) {
	tn := start(t, Options{Seed: "empty"})
	token, _ := graphToken(t, tn, msal(t, tn, tn.Info().ClientID))
	steer(t, tn, "POST", "/faults", []map[string]any{{"service": "graph", "pathContains": "/groups", "status": 429, "retryAfter": "9", "times": 1}})
	batch := map[string]any{"requests": []map[string]any{
		{"id": "1", "method": "GET", "url": "/groups"}, {"id": "2", "method": "GET", "url": "/me"}, {"id": "3", "method": "GET", "url": "/groups"},
	}}
	a := graphDo(t, tn, token, "POST", "/v1.0/$batch", batch)
	var out struct {
		Responses []struct {
			ID      string
			Status  int
			Headers map[string]string
			Body    struct {
				Error struct {
					Code       string
					InnerError map[string]string
				}
			}
		}
	}
	a.decode(t, &out)
	if a.status != http.StatusOK || len(out.Responses) != 3 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	first := out.Responses[0]
	if first.Status != 429 || first.Headers["Retry-After"] != "9" || first.Body.Error.Code != "TooManyRequests" || first.Body.Error.InnerError["request-id"] == "" {
		t.Errorf("the first is %+v", first)
	}
	if out.Responses[1].Status != 200 || out.Responses[2].Status != 200 {
		t.Errorf("the others are %+v", out.Responses[1:])
	}
	batched := 0
	for _, s := range tn.Log() {
		if s.Batched {
			batched++
		}
	}
	if batched != 3 {
		t.Errorf("%d requests of the batch are in the log", batched)
	}
	// A fault on the batch itself fails it whole.
	steer(t, tn, "POST", "/faults", []map[string]any{{"service": "graph", "pathContains": "$batch", "status": 503, "times": 1}})
	if a := graphDo(t, tn, token, "POST", "/v1.0/$batch", batch); a.status != 503 || errorCode(t, a) != "ServiceUnavailable" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// Joining a group for a while brings Ada the group's Azure roles.
func TestGroupBringsAzureRole(t *testing.T) {
	tn := start(t, Options{})
	c := msal(t, tn, tn.Info().ClientID)
	token, who := graphToken(t, tn, c)
	arm, err := c.AcquireTokenSilent(patience(t), armScope(tn), public.WithSilentAccount(who))
	if err != nil {
		t.Fatal(err)
	}
	groups := graphRows(t, tn, token, "/v1.0/groups?$filter="+url.QueryEscape("displayName eq 'Azure Platform Owners'"))
	if len(groups) != 1 {
		t.Fatalf("the groups are %+v", groups)
	}
	group := groups[0].ID
	through := func() (kinds []string) {
		for _, kind := range []string{"roleEligibilityScheduleInstances", "roleAssignmentScheduleInstances"} {
			a := send(t, tn.Client(), request(t, "GET", tn.Info().ARM+strings.Replace(eligible, "roleEligibilityScheduleInstances", kind, 1), arm.AccessToken, nil))
			var p struct {
				Value []struct {
					Properties struct{ PrincipalID, MemberType string }
				}
			}
			a.decode(t, &p)
			for _, r := range p.Value {
				if r.Properties.PrincipalID == group && r.Properties.MemberType == "Group" {
					kinds = append(kinds, kind)
				}
			}
		}
		return slices.Compact(kinds)
	}
	if kinds := through(); len(kinds) != 0 {
		t.Fatalf("before: %v", kinds)
	}
	a := graphDo(t, tn, token, "POST", groupsPath+"assignmentScheduleRequests", map[string]any{
		"action": "selfActivate", "principalId": tn.Info().Users[0].ID, "groupId": group, "accessId": "member", "justification": "why",
	})
	if a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if kinds := through(); len(kinds) != 2 {
		t.Errorf("during: %v", kinds)
	}
}

// The control endpoint decides on requests of Graph as on those of ARM.
func TestControlDecidesOnGroups(t *testing.T) {
	tn := start(t, Options{})
	token, _ := graphToken(t, tn, msal(t, tn, tn.Info().ClientID))
	groups := graphRows(t, tn, token, "/v1.0/groups?$filter="+url.QueryEscape("displayName eq 'Incident Response'"))
	a := graphDo(t, tn, token, "POST", groupsPath+"assignmentScheduleRequests", map[string]any{
		"action": "selfActivate", "principalId": tn.Info().Users[0].ID, "groupId": groups[0].ID, "accessId": "member", "justification": "why",
	})
	var r rowOfGraph
	if a.decode(t, &r); r.Status != "PendingApproval" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	steer(t, tn, "POST", "/approve", map[string]any{"request": r.ID, "justification": "fine"})
	if graphDo(t, tn, token, "GET", groupsPath+"assignmentScheduleRequests/"+r.ID, nil).decode(t, &r); r.Status != "Provisioned" {
		t.Errorf("it is %s", r.Status)
	}
}
