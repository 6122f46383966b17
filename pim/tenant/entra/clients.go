package entra

import (
	"slices"
	"strings"
)

// ClientID is the tenant's own registered application, which may ask for ARM
// and for Graph.
const ClientID = "5f0d4a3e-8c57-4b1f-9d3c-27f2a61c4e90"

// Microsoft's public clients that need no registration.
const (
	azureCLI   = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	graphCLI   = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
	armAppID   = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
	graphAppID = "00000003-0000-0000-c000-000000000000"
)

// client is an application that people sign in to.
type client struct {
	ID, Name string
	// Preauthorized applications get only what their vendor arranged, whatever
	// an administrator consents to.
	Preauthorized bool
	// Granted are the permissions consented to, by service.
	Granted map[string][]string
}

// pimScopes is what a client for all of Privileged Identity Management needs of
// Microsoft Graph, least privileged.
var pimScopes = []string{
	"User.Read",
	"GroupMember.Read.All",
	"RoleEligibilitySchedule.Read.Directory",
	"RoleAssignmentSchedule.ReadWrite.Directory",
	"RoleManagementPolicy.Read.Directory",
	"PrivilegedEligibilitySchedule.Read.AzureADGroup",
	"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
	"RoleManagementPolicy.Read.AzureADGroup",
}

// appScopes are what an administrator consented to for the tenant's own
// application: with pimScopes, what it takes to extend and renew an eligibility
// and to name administrative units and people.
var appScopes = slices.Concat(pimScopes, []string{
	"AdministrativeUnit.Read.All",
	"RoleEligibilitySchedule.ReadWrite.Directory",
	"PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
	"User.ReadBasic.All",
})

// graphScopes are further permissions that Graph knows and nobody consented to.
var graphScopes = []string{
	"AdministrativeUnit.Read.All",
	"Directory.Read.All",
	"Group.Read.All",
	"PrivilegedAssignmentSchedule.Read.AzureADGroup",
	"PrivilegedAssignmentSchedule.Remove.AzureADGroup",
	"PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
	"RoleAssignmentSchedule.Read.Directory",
	"RoleAssignmentSchedule.Remove.Directory",
	"RoleEligibilitySchedule.ReadWrite.Directory",
	"RoleManagement.Read.All",
	"RoleManagement.Read.Directory",
	"RoleManagement.ReadWrite.Directory",
	"RoleManagementPolicy.ReadWrite.AzureADGroup",
	"RoleManagementPolicy.ReadWrite.Directory",
	"User.ReadBasic.All",
}

// client finds an application by its id.
func (a *Authority) client(id string) (client, *signInError) {
	id = strings.ToLower(id)
	if slices.ContainsFunc(a.Settings().UnknownClients, func(u string) bool { return strings.EqualFold(u, id) }) {
		return client{}, errClient(id, a.Directory.Name)
	}
	consented := func(asked []string) []string {
		if granted := a.Settings().GrantedScopes; granted != nil {
			return granted
		}
		return asked
	}
	switch id {
	case ClientID:
		return client{ID: id, Name: "Roletray", Granted: map[string][]string{
			ServiceARM:   {"user_impersonation"},
			ServiceGraph: consented(appScopes),
		}}, nil
	case azureCLI:
		return client{ID: id, Name: "Microsoft Azure CLI", Preauthorized: true, Granted: map[string][]string{
			ServiceARM:   {"user_impersonation"},
			ServiceGraph: {"User.Read", "Group.Read.All", "Directory.Read.All"},
		}}, nil
	case graphCLI:
		return client{ID: id, Name: "Microsoft Graph Command Line Tools", Granted: map[string][]string{
			ServiceGraph: consented(pimScopes),
		}}, nil
	}
	return client{}, errClient(id, a.Directory.Name)
}

// target is the resource and the permissions that a scope parameter asks for.
type target struct {
	// Service is ServiceARM or ServiceGraph.
	Service string
	// Audience is claim aud.
	Audience string
	// Requested are the scopes as they came, told back to the client.
	Requested []string
	// Names are the permissions without their resource.
	Names []string
	// OpenID and Offline tell whether an ID token and a refresh token are wanted.
	OpenID, Offline bool
}

// parseScope reads a scope parameter: permissions of one resource, and the
// words of OpenID Connect. Permissions without a resource are Graph's.
func (a *Authority) parseScope(scope string) (target, *signInError) {
	t := target{}
	words := strings.Fields(scope)
	if len(words) == 0 {
		return target{}, errMissing("scope")
	}
	for _, word := range words {
		switch strings.ToLower(word) {
		case "openid":
			t.OpenID = true
			continue
		case "offline_access":
			t.Offline = true
			continue
		case "profile", "email":
			continue
		}
		resource, name := "", word
		if i := strings.LastIndex(word, "/"); i >= 0 {
			resource, name = strings.TrimRight(word[:i], "/"), word[i+1:]
		}
		service := a.service(resource)
		if service == "" {
			return target{}, signInErr("invalid_resource", 500011, "The resource principal named %s was not found in the tenant named %s. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.", clip(resource), a.Directory.Name)
		}
		if t.Service != "" && t.Service != service {
			return target{}, signInErr("invalid_scope", 28000, "Provided value for the input parameter scope is not valid because it contains more than one resource.")
		}
		t.Service = service
		t.Requested = append(t.Requested, word)
		t.Names = append(t.Names, name)
	}
	if t.Service == "" {
		t.Service = ServiceGraph
	}
	t.Audience = a.audience(t.Service)
	return t, nil
}

func (a *Authority) audience(service string) string {
	if service == ServiceARM {
		return a.ARM
	}
	return a.Graph
}

// service is which of the tenant's services a resource name means, or "".
// Names of Microsoft's real clouds are foreign here on purpose: a client that
// asks for one has mixed up its endpoints.
func (a *Authority) service(resource string) string {
	switch {
	case strings.EqualFold(resource, a.ARM), strings.EqualFold(resource, armAppID):
		return ServiceARM
	case resource == "", strings.EqualFold(resource, a.Graph), strings.EqualFold(resource, graphAppID):
		return ServiceGraph
	}
	return ""
}

// authorize tells whether the application may have what it asks for, and which
// permissions the token then carries: all that were consented to.
func (a *Authority) authorize(app client, t target) ([]string, *signInError) {
	granted, arranged := app.Granted[t.Service]
	if !arranged {
		return nil, errPreauthorization(app, resourceAppID(t.Service))
	}
	if len(granted) == 0 || slices.Contains(a.Settings().RefuseConsent, t.Service) {
		return nil, errConsent(app)
	}
	for _, name := range t.Names {
		has := func(scope string) bool { return strings.EqualFold(scope, name) }
		switch {
		case name == ".default" || slices.ContainsFunc(granted, has):
		case t.Service == ServiceARM || !slices.ContainsFunc(slices.Concat(pimScopes, graphScopes), has):
			return nil, signInErr("invalid_scope", 650053, "The application '%s' asked for scope '%s' that doesn't exist on the resource '%s'. Contact the app vendor.", app.Name, clip(name), resourceAppID(t.Service))
		case app.Preauthorized:
			return nil, errPreauthorization(app, resourceAppID(t.Service))
		default:
			return nil, errConsent(app)
		}
	}
	return granted, nil
}

func resourceAppID(service string) string {
	if service == ServiceARM {
		return armAppID
	}
	return graphAppID
}

// answered is the scope of a token answer: what the token is good for, and what
// was asked for in its own spelling, because clients compare the two.
func (t target) answered(granted []string) string {
	var words []string
	for _, g := range granted {
		words = append(words, t.Audience+"/"+g)
	}
	for _, r := range t.Requested {
		if !slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(w, r) }) {
			words = append(words, r)
		}
	}
	if t.OpenID {
		words = append(words, "openid", "profile", "email")
	}
	return strings.Join(words, " ")
}
