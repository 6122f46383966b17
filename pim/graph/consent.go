package graph

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"roletray/pim"
)

// Use is what a permission is needed for.
type Use string

// The uses of permissions.
const (
	UseSignIn   Use = "sign-in"
	UseEligible Use = "eligible"
	UseActive   Use = "active"
	UseRequests Use = "requests"
	// UseAct is activating, deactivating and cancelling.
	UseAct Use = "act"
	// UseDecide is listing and deciding what waits for the person's decision.
	UseDecide Use = "decide"
	// UseProlong is extending and renewing eligibilities, and reading the requests
	// for that. For assignments it is UseAct.
	UseProlong Use = "prolong"
	// UsePolicy is reading role settings. Without it the service decides.
	UsePolicy Use = "policy"
	// UseNames is showing groups, administrative units and people by name. Without it
	// they show by id.
	UseNames Use = "names"
)

// Permission is a delegated permission of Microsoft Graph that an administrator
// grants to the application.
type Permission struct {
	// Name is what it is called, such as User.Read.
	Name string
	// ID is the permission's id in an app registration.
	ID string
	// Kind is the kind of role that it is for, or empty for all.
	Kind pim.Kind
	// Uses are what it is needed for. Where all of them are UsePolicy and
	// UseNames, the rest works without it.
	Uses []Use
	// Why is a sentence for the administrator.
	Why string
}

// Scopes are the permissions that this package and the sign-in before it always
// use, the least for each use: the base set. What else there is, is in LaterScopes.
// Sources: Microsoft Graph's permissions reference, and for role settings of
// groups the page "List roleManagementPolicyAssignments".
func Scopes() []Permission {
	return []Permission{
		{"User.Read", "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "", []Use{UseSignIn, UseNames}, "Signs the person in, reads their own profile, and shows the organisation by name."},
		{"RoleEligibilitySchedule.Read.Directory", "eb0788c2-6d4e-4658-8c9e-c0fb8053f03d", pim.KindDirectory, []Use{UseEligible}, "Lists the Entra roles that the person may activate."},
		{"RoleAssignmentSchedule.ReadWrite.Directory", "8c026be3-8e26-4774-9372-8d5d6f21daff", pim.KindDirectory, []Use{UseActive, UseRequests, UseAct, UseDecide}, "Lists the person's active Entra roles and requests, activates, deactivates and cancels for them, and decides requests that they are an approver of. Even reading requests needs it."},
		{"RoleManagementPolicy.Read.Directory", "3de2cdbe-0ff5-47d5-bdee-7f45b4749ead", pim.KindDirectory, []Use{UsePolicy}, "Shows before an activation what an Entra role's settings ask for."},
		{"PrivilegedEligibilitySchedule.Read.AzureADGroup", "8f44f93d-ecef-46ae-a9bf-338508d44d6b", pim.KindGroup, []Use{UseEligible}, "Lists the group memberships and ownerships that the person may activate."},
		{"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup", "06dbc45d-6708-4ef0-a797-f797ee68bf4b", pim.KindGroup, []Use{UseActive, UseRequests, UseAct, UseDecide}, "Lists the person's active group memberships, ownerships and requests, activates, deactivates and cancels for them, and decides requests that they are an approver of."},
		{"RoleManagementPolicy.Read.AzureADGroup", "7e26fdff-9cb1-4e56-bede-211fe0e420e8", pim.KindGroup, []Use{UsePolicy}, "Shows before an activation what a group's settings ask for."},
		{"GroupMember.Read.All", "bc024368-1153-4739-b217-4326f2e966d0", pim.KindGroup, []Use{UseNames}, "Shows groups by name."},
		{"User.ReadBasic.All", "b340eb25-3456-403f-be2f-af7a0d370277", "", []Use{UseNames}, "Shows an approver by name who asks for a role. Without it some requests show the beginning of the person's id."},
		{"AdministrativeUnit.Read.All", "3361d15d-be43-4de6-b441-3c746d05163d", pim.KindDirectory, []Use{UseNames}, "Shows administrative units by name."},
	}
}

// LaterScopes are the permissions that are used only where they were granted: not
// part of the base set, and named when what needs them is refused. Everything in
// Scopes works without them. Source: Microsoft Graph's permissions reference.
func LaterScopes() []Permission {
	return []Permission{
		{"RoleEligibilitySchedule.ReadWrite.Directory", "62ade113-f8e0-4bf9-a6ba-5acb31db32fd", pim.KindDirectory, []Use{UseProlong}, "Asks an administrator to extend or renew the person's eligibility for an Entra role, and follows that request."},
		{"PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup", "ba974594-d163-484e-ba39-c330d5897667", pim.KindGroup, []Use{UseProlong}, "Asks an administrator to extend or renew the person's eligibility for a group, and follows that request."},
	}
}

// ConsentURL is where an administrator grants the named permissions to the
// application clientID for a whole tenant; an empty tenant means that of the
// administrator. The browser ends at http://localhost, which need not answer. It
// is empty without an application. Source: Microsoft's "Admin consent on the
// Microsoft identity platform".
func ConsentURL(c pim.Cloud, clientID, tenant string, permissions []string) string {
	if clientID == "" {
		return ""
	}
	if tenant == "" {
		tenant = "organizations"
	}
	full := make([]string, len(permissions))
	for i, name := range permissions {
		full[i] = c.Graph + "/" + name
	}
	return c.Authority + "/" + url.PathEscape(tenant) + "/v2.0/adminconsent" +
		query("client_id", clientID, "scope", strings.Join(full, " "), "redirect_uri", "http://localhost")
}

// ConsentError is a *pim.Error of CodeConsent that says which permissions are to
// be granted.
type ConsentError struct {
	Kind pim.Kind
	// Permissions are the names of those that the failed call needs at least.
	Permissions []string
	Err         error
}

func (e *ConsentError) Error() string {
	return e.Err.Error() + " (needs " + strings.Join(e.Permissions, ", ") + ")"
}

// Unwrap returns the refusal.
func (e *ConsentError) Unwrap() error { return e.Err }

// Sentence says for the person what to ask for, after what the sign-in has to say
// about the application, if it has.
func (e *ConsentError) Sentence() string {
	permissions := strings.Join(e.Permissions, " and ")
	if why, ok := errors.AsType[interface {
		error
		Sentence() string
	}](e.Err); ok {
		return why.Sentence() + " It needs " + permissions + "."
	}
	kind := "Entra roles"
	if e.Kind == pim.KindGroup {
		kind = "groups"
	}
	return "Your organisation has not allowed this application to use " + kind +
		". Ask an administrator to grant " + permissions + "."
}

// useOf is use, or UseProlong for what is about an eligibility itself.
func useOf(ofEligibility bool, use Use) Use {
	if ofEligibility {
		return UseProlong
	}
	return use
}

// explain adds to a lack of consent what is to be granted.
func (p *plane) explain(err error, use Use) error {
	if pim.CodeOf(err) != pim.CodeConsent {
		return err
	}
	e := &ConsentError{Kind: p.kind, Err: err}
	for _, s := range slices.Concat(Scopes(), LaterScopes()) {
		if s.Kind == p.kind && slices.Contains(s.Uses, use) {
			e.Permissions = append(e.Permissions, s.Name)
		}
	}
	return e
}
