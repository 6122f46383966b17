package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"roletray/app/local"
	"roletray/pim"
	"roletray/pim/arm"
	"roletray/pim/graph"
	"roletray/pim/signin"
)

// providers are the kinds of role that an account's sign-in reaches.
func (a *Agent) providers(acc pim.Account, source *signin.Source) ([]pim.Provider, error) {
	armOptions, err := signin.ARMClientOptions(source, acc.Cloud)
	if err != nil {
		return nil, err
	}
	azure, err := arm.New(arm.Params{UserID: acc.UserID, Options: armOptions, Now: a.clock.Now})
	if err != nil {
		return nil, err
	}
	if acc.Method == pim.SignInAzureCLI {
		return []pim.Provider{azure}, nil // Its session has no token for Graph.
	}
	graphOptions, err := signin.GraphClientOptions(source, acc.Cloud)
	if err != nil {
		return nil, err
	}
	client, err := graph.New(graph.Params{UserID: acc.UserID, Endpoint: acc.Cloud.Graph, Options: graphOptions, Now: a.clock.Now})
	if err != nil {
		return nil, err
	}
	return []pim.Provider{azure, client.Directory(), client.Groups()}, nil
}

// connectGraph has the person sign in to Graph too where that takes another
// application than ARM. Azure roles work without it.
func (a *Agent) connectGraph(ctx context.Context, acc pim.Account) {
	c := acc.Cloud
	if acc.Method != pim.SignInBrowser || signin.ClientID(c, pim.AudienceGraph) == signin.ClientID(c, pim.AudienceARM) {
		return
	}
	if _, err := a.signin.Source(acc.ID).Token(ctx, pim.AudienceGraph, signin.TokenRequest{Interactive: true}); err != nil {
		a.log.Info("microsoft graph is not connected", "account", acc.ID, "error", err)
	}
}

// consentOf says what an administrator is to grant before every part of s can be
// read, or returns nil where that is not what is missing.
func consentOf(s *pim.Snapshot) *local.Consent {
	var kinds []pim.Kind
	for _, p := range s.Parts {
		if p.Problem != nil && p.Problem.Code == pim.CodeConsent && p.Kind.Audience() == pim.AudienceGraph && !slices.Contains(kinds, p.Kind) {
			kinds = append(kinds, p.Kind)
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	c := &local.Consent{Account: s.Account.ID, Kinds: kinds}
	for _, p := range graph.Scopes() {
		if p.Kind == "" || slices.Contains(kinds, p.Kind) {
			c.Permissions = append(c.Permissions, p.Name)
		}
	}
	cloud := s.Account.Cloud
	c.URL = graph.ConsentURL(cloud, signin.ClientID(cloud, pim.AudienceGraph), s.Account.TenantID, c.Permissions)
	return c
}

// consentNotice says it to the person.
func consentNotice(s *pim.Snapshot, c *local.Consent) local.Notice {
	return local.Notice{
		ID: "consent:" + c.Account,
		Text: fmt.Sprintf("Some roles of %s cannot be read: have an administrator open the address in the details and grant what it asks for, then sign in again.",
			pim.CleanText(s.Account.Username, 80)),
		Details: "Permissions: " + strings.Join(c.Permissions, ", ") + "\n" + c.URL,
	}
}
