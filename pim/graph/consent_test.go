package graph_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/graph"
	"roletray/pim/wire"
)

func TestMissingConsentSaysWhatToAskFor(t *testing.T) {
	for name, test := range map[string]struct {
		call func(s *service) error
		want []string
		says string
	}{
		"eligible roles": {func(s *service) error {
			_, err := s.Directory().Eligible(t.Context())
			return err
		}, []string{"RoleEligibilitySchedule.Read.Directory"}, "Entra roles"},
		"active roles": {func(s *service) error {
			for _, err := range s.Directory().Active(t.Context(), nil, false) {
				return err
			}
			return nil
		}, []string{"RoleAssignmentSchedule.ReadWrite.Directory"}, "Entra roles"},
		"requests for roles": {func(s *service) error {
			_, err := s.Directory().Requests(t.Context())
			return err
		}, []string{"RoleAssignmentSchedule.ReadWrite.Directory"}, "Entra roles"},
		"eligible groups": {func(s *service) error {
			_, err := s.Groups().Eligible(t.Context())
			return err
		}, []string{"PrivilegedEligibilitySchedule.Read.AzureADGroup"}, "groups"},
		"activate a group": {func(s *service) error {
			_, err := s.Groups().Activate(t.Context(), activationOf(groupRole()))
			return err
		}, []string{"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"}, "groups"},
		"extend a role": {func(s *service) error {
			e := pim.Eligibility{Role: attributeRole()}
			_, err := s.Directory().Prolong(t.Context(), pim.Prolongation{Action: pim.ActionExtend, Eligibility: &e, End: s.clock()})
			return err
		}, []string{"RoleEligibilitySchedule.ReadWrite.Directory"}, "Entra roles"},
		"renew a group": {func(s *service) error {
			e := pim.Eligibility{Role: groupRole()}
			_, err := s.Groups().Prolong(t.Context(), pim.Prolongation{Action: pim.ActionRenew, Eligibility: &e, End: s.clock()})
			return err
		}, []string{"PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup"}, "groups"},
		"extend an assignment": {func(s *service) error {
			a := pim.Assignment{Role: groupRole()}
			_, err := s.Groups().Prolong(t.Context(), pim.Prolongation{Action: pim.ActionExtend, Assignment: &a, End: s.clock()})
			return err
		}, []string{"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"}, "groups"},
		"follow an extension": {func(s *service) error {
			_, err := s.Directory().Follow(t.Context(), pim.Request{ID: "1", OfEligibility: true})
			return err
		}, []string{"RoleEligibilitySchedule.ReadWrite.Directory"}, "Entra roles"},
		"cancel an extension": {func(s *service) error {
			return s.Directory().Cancel(t.Context(), pim.Request{ID: "1", OfEligibility: true})
		}, []string{"RoleEligibilitySchedule.ReadWrite.Directory"}, "Entra roles"},
		"requests to decide": {func(s *service) error {
			_, err := s.Groups().Approvals(t.Context())
			return err
		}, []string{"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"}, "groups"},
		"decide for a role": {func(s *service) error {
			return s.Directory().Decide(t.Context(), pim.Approval{ID: "1"}, pim.Decision{})
		}, []string{"RoleAssignmentSchedule.ReadWrite.Directory"}, "Entra roles"},
		"what a group brings": {func(s *service) error {
			_, err := s.Directory().RolesOf(t.Context(), group)
			return err
		}, []string{"RoleEligibilitySchedule.Read.Directory"}, "Entra roles"},
		"check a role": {func(s *service) error {
			return s.Directory().Check(t.Context(), activationOf(attributeRole()))
		}, []string{"RoleAssignmentSchedule.ReadWrite.Directory"}, "Entra roles"},
	} {
		for form, refuse := range map[string]func(http.ResponseWriter, int, string, string){"plain": refuse, "wrapped": wrapped} {
			t.Run(name+" "+form, func(t *testing.T) {
				s := newService(t, func(w http.ResponseWriter, _ call) {
					refuse(w, 403, "PermissionScopeNotGranted", "Authorization failed due to missing permission scope X.")
				})
				err := test.call(s)
				wantCode(t, err, pim.CodeConsent)
				e, ok := errors.AsType[*graph.ConsentError](err)
				if !ok || !slices.Equal(e.Permissions, test.want) {
					t.Fatalf("error is %v", err)
				}
				text := pim.Explain(err).Text
				if !strings.Contains(text, test.want[0]) || !strings.Contains(text, test.says) || strings.Count(text, ". ") != 1 {
					t.Error(text)
				}
			})
		}
	}
}

// said is what a sign-in says that has no token to give.
type said struct{ error }

func (said) Sentence() string { return "Sign in with a registered application." }

func TestRefusedSignInSaysWhatToAskFor(t *testing.T) {
	s := newService(t, func(http.ResponseWriter, call) { t.Error("a call without a token") }, func(p *graph.Params) {
		p.Options.PerRetryPolicies = []policy.Policy{wire.Func(func(*policy.Request) (*http.Response, error) {
			return nil, final{&pim.Error{Code: pim.CodeConsent, Err: said{errors.New("AADSTS65002")}}}
		})}
	})
	_, err := s.Groups().Eligible(short(t))
	wantCode(t, err, pim.CodeConsent)
	if text := pim.Explain(err).Text; text != "Sign in with a registered application. It needs PrivilegedEligibilitySchedule.Read.AzureADGroup." {
		t.Error(text)
	}
}

// final keeps azcore from trying again.
type final struct{ error }

func (final) NonRetriable()   {}
func (f final) Unwrap() error { return f.error }

func TestScopesCoverEveryUse(t *testing.T) {
	names, ids := map[string]bool{}, map[string]bool{}
	for _, p := range slices.Concat(graph.Scopes(), graph.LaterScopes()) {
		if _, err := uuid.Parse(p.ID); err != nil || names[p.Name] || ids[p.ID] || len(p.Uses) == 0 || p.Why == "" {
			t.Errorf("%+v", p)
		}
		names[p.Name], ids[p.ID] = true, true
	}
	// What each kind of role needs for each use has exactly one permission.
	for _, kind := range []pim.Kind{pim.KindDirectory, pim.KindGroup} {
		for _, use := range []graph.Use{graph.UseEligible, graph.UseActive, graph.UseRequests, graph.UseAct, graph.UseDecide, graph.UseProlong, graph.UsePolicy, graph.UseNames} {
			n := 0
			for _, p := range slices.Concat(graph.Scopes(), graph.LaterScopes()) {
				if p.Kind == kind && slices.Contains(p.Uses, use) {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%d permissions for %s of %s", n, use, kind)
			}
		}
	}
}

func TestConsentURL(t *testing.T) {
	cloud, _ := pim.CloudNamed("usgov")
	got := graph.ConsentURL(cloud, "the app", "contoso.us", []string{"User.Read", "GroupMember.Read.All"})
	u, err := url.Parse(got)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Host != "login.microsoftonline.us" || u.Path != "/contoso.us/v2.0/adminconsent" || q.Get("client_id") != "the app" ||
		q.Get("scope") != "https://graph.microsoft.us/User.Read https://graph.microsoft.us/GroupMember.Read.All" || q.Get("redirect_uri") != "http://localhost" {
		t.Error(got)
	}
	if strings.Contains(got, "+") {
		t.Errorf("a space is no plus here: %s", got)
	}
	if got := graph.ConsentURL(cloud, "app", "", nil); !strings.Contains(got, "/organizations/v2.0/adminconsent?client_id=app&redirect_uri=") {
		t.Error(got)
	}
	if got := graph.ConsentURL(cloud, "", "x", nil); got != "" {
		t.Error(got)
	}
}

func TestGraphRefusals(t *testing.T) {
	c1 := `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`
	for _, test := range []struct {
		status        int
		code, message string
		want          pim.Code
	}{
		{400, "RoleAssignmentExists", "The Role assignment already exists.", pim.CodeAlreadyActive},
		{400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.", pim.CodeNotActive},
		{400, "PendingRoleAssignmentRequest", "There is already an existing pending Role assignment request.", pim.CodePending},
		{400, "RoleAssignmentRequestExists", "", pim.CodePending},
		{400, "ActiveDurationTooShort", "The Active duration is too short. Miniumum Required is 5 minutes.", pim.CodeTooEarly},
		{400, "RoleAssignmentRequestPolicyValidationFailed", `The following policy rules failed: ["JustificationRule"]`, pim.CodePolicy},
		{400, "RoleAssignmentRequestPolicyValidationFailed", "The following policy rules failed: JustificationRule - Justification is required", pim.CodePolicy},
		{400, "RoleAssignmentRequestAcrsValidationFailed", "&claims=" + url.QueryEscape(c1), pim.CodeStepUp},
		{403, "UnauthorizedAccessException", "Attempted to perform an unauthorized operation.", pim.CodeForbidden},
		{403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", pim.CodeForbidden},
		{400, "AadPremiumLicenseRequired", "The tenant needs a licence.", pim.CodeLicence},
		{404, "Request_ResourceNotFound", "", pim.CodeNotFound},
		{400, "SubjectNotFound", "", pim.CodeNotEligible},
		{400, "InvalidRoleAssignmentRequest", "The role assignment request is invalid.", pim.CodeRejected},
		{401, "InvalidAuthenticationToken", "Lifetime validation failed.", pim.CodeSignInNeeded},
	} {
		for form, refuse := range map[string]func(http.ResponseWriter, int, string, string){"plain": refuse, "wrapped": wrapped} {
			t.Run(test.code+" "+form, func(t *testing.T) {
				s := newService(t, func(w http.ResponseWriter, _ call) {
					w.Header().Set("request-id", "0f")
					refuse(w, test.status, test.code, test.message)
				})
				_, err := s.Directory().Activate(short(t), activationOf(attributeRole()))
				wantCode(t, err, test.want)
				e, _ := errors.AsType[*pim.Error](err)
				if e.Service != test.code || e.Status != test.status || e.CorrelationID != "0f" {
					t.Errorf("%+v", e)
				}
				if test.want == pim.CodePolicy && !slices.Equal(e.Rules, []pim.Rule{pim.RuleJustification}) {
					t.Errorf("rules are %v", e.Rules)
				}
				if test.want == pim.CodeStepUp && (!json.Valid([]byte(e.Claims)) || string(e.Claims) != c1 || strings.Contains(err.Error(), "acrs")) {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

func TestParamsAreChecked(t *testing.T) {
	for name, p := range map[string]graph.Params{
		"nobody":       {Endpoint: "https://graph.microsoft.com"},
		"nowhere":      {UserID: me},
		"unauthorized": {UserID: me, Endpoint: "https://graph.microsoft.com"},
	} {
		if _, err := graph.New(p); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
