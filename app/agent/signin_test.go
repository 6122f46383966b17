package agent

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"roletray/app/local"
	"roletray/pim"
	"roletray/pim/tenant"
)

// TestBuiltInApplications signs in without an application of the organisation's own,
// which takes one for ARM and another for Graph. Where nobody consented to Graph, Azure
// roles work all the same, and nobody is asked to sign in again for it.
func TestBuiltInApplications(t *testing.T) {
	ten, err := tenant.Start(t.Context(), tenant.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ten.Close(); err != nil {
			t.Error(err)
		}
	})
	set := func(settings string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, ten.Info().Control+"/settings", strings.NewReader(settings))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+ten.Info().ControlSecret)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("settings: %s, %v", resp.Status, err)
		}
	}
	i := ten.Info()
	browse := ten.Browser("")
	pages := 0
	s := start(t, func(p *Params) {
		p.Demo = false
		p.Cloud = pim.Cloud{Name: "custom", Authority: i.Authority, ARM: i.ARM, Graph: i.Graph, CAFile: i.CAFile}
		p.OpenBrowser = func(url string) error {
			pages++
			_ = browse(url) // A refusal is told to the program too.
			return nil
		}
	})

	set(`{"login":{"refuseConsent":["graph"]}}`)
	s.must(t, "signin")
	if out := s.code(t, 0, "list"); !strings.Contains(out, "Contributor") || !strings.Contains(out, "It needs RoleEligibilitySchedule.Read.Directory") {
		t.Errorf("list says %s", out)
	}
	st := s.State()
	if st.Accounts[0].SignIn != nil {
		t.Errorf("a sign-in is asked for: %+v", st.Accounts[0].SignIn)
	}
	if len(st.Consents) != 1 || !strings.Contains(st.Consents[0].URL, "client_id=14d82eec-204b-4c2f-b7e8-296a70dab67e") {
		t.Errorf("consents %+v", st.Consents)
	}
	s.must(t, "activate", "contributor", "sandbox", "--reason", "a good reason")

	set(`{"login":{"refuseConsent":[]}}`)
	before := pages
	s.must(t, "signin")
	if pages != before+2 {
		t.Errorf("%d pages were shown, want one for each application", pages-before)
	}
	untilState(t, s, "every kind", func(st *local.State) bool {
		var kinds []pim.Kind
		for _, e := range st.Accounts[0].Eligible {
			if !slices.Contains(kinds, e.Role.Kind) {
				kinds = append(kinds, e.Role.Kind)
			}
		}
		return len(kinds) == 3 && len(st.Consents) == 0
	})
}

// TestSigningInAgain has one prompt serve what the reads of an account wait for.
func TestSigningInAgain(t *testing.T) {
	s := start(t, nil)
	s.must(t, "list")
	account := s.State().Accounts[0].Account
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.tenant.Info().Control+"/revoke", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.tenant.Info().ControlSecret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("revoke: %s, %v", resp.Status, err)
	}
	s.code(t, 4, "list", "--refresh")
	browse := s.tenant.Browser("")
	page := make(chan error, 1)
	go func() { page <- browse(<-s.pages) }()
	s.must(t, "signin", "--account", account.Username)
	if err := <-page; err != nil {
		t.Error(err)
	}
	if st := s.State(); st.Accounts[0].SignIn != nil || st.SigningIn {
		t.Errorf("still: %+v, signing in %v", st.Accounts[0].SignIn, st.SigningIn)
	}
	select {
	case url := <-s.pages:
		t.Errorf("another page opened: %s", url)
	default:
	}
}
