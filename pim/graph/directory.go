package graph

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/wire"
)

// Directory is a pim.Provider, with everything else that a provider can be but a
// pim.ScopeBrowser, for Microsoft Entra directory roles, in the whole
// directory, in administrative units and on single objects. It is safe for
// concurrent use.
type Directory struct {
	plane
	// settings are the role settings of the whole directory, by role, under one id.
	settings *loader[map[string]pim.Policy]
}

var (
	_ pim.Provider     = (*Directory)(nil)
	_ pim.Pager        = (*Directory)(nil)
	_ pim.Decider      = (*Directory)(nil)
	_ pim.ReviewReader = (*Directory)(nil)
	_ pim.Prolonger    = (*Directory)(nil)
	_ pim.GroupReader  = (*Directory)(nil)
	_ pim.Cutter       = (*Directory)(nil)
)

// The collections of directory roles, below the version, and what of them is the
// person's own.
const (
	directoryBase     = "/roleManagement/directory/"
	directoryEligible = directoryBase + "roleEligibilityScheduleInstances"
	directoryActive   = directoryBase + "roleAssignmentScheduleInstances"
	currentUser       = "/filterByCurrentUser(on='principal')"
)

func newDirectory(c *Client) *Directory {
	d := &Directory{
		plane: plane{
			Client: c, kind: pim.KindDirectory, what: "Entra roles",
			eligibilities: directoryEligible,
			assignments:   directoryActive,
			requests:      directoryBase + "roleAssignmentScheduleRequests",
			prolongations: directoryBase + "roleEligibilityScheduleRequests",
			approvals:     []approvalPlace{{beta, directoryBase + "roleAssignmentApprovals", "steps"}},
			expand:        "roleDefinition",
			throughGroups: true,
			early:         []string{tenantName},
		},
	}
	d.role, d.nameOf, d.fill = readDirectoryRole, scopeName, fillDirectory
	d.settings = &loader[map[string]pim.Policy]{now: c.now, read: d.readSettings}
	return d
}

func readDirectoryRole(ids roleIDs) (pim.Role, bool) {
	r := pim.Role{Kind: pim.KindDirectory, DefinitionID: ids.RoleDefinitionID, Scope: directoryScope(ids)}
	if def := ids.RoleDefinition; def != nil {
		r.Name = pim.CleanText(def.DisplayName, maxName)
		r.Custom = def.IsBuiltIn != nil && !*def.IsBuiltIn
	}
	if r.Name == "" {
		r.Name = pim.CleanText(pim.Unnamed("role", r.DefinitionID), maxName)
	}
	return r, wire.PlainID(r.DefinitionID) && wire.PlainID(r.Scope.ID)
}

const unitPrefix = "/administrativeunits/"

// directoryScope is a row's scope, with its id as Graph gave it. That of the whole
// directory is called so where the organisation's name is not known.
func directoryScope(ids roleIDs) pim.Scope {
	switch id := ids.DirectoryScopeID; {
	case id == "/":
		return pim.Scope{ID: id, Name: "Directory", Type: pim.ScopeDirectory}
	case strings.HasPrefix(strings.ToLower(id), unitPrefix):
		return pim.Scope{ID: id, Type: pim.ScopeAdministrativeUnit}
	case id != "":
		return pim.Scope{ID: id, Type: pim.ScopeObject}
	}
	return pim.Scope{ID: ids.AppScopeID, Type: pim.ScopeApp}
}

// scopeName is the id of the name of a directory role's scope.
func scopeName(r pim.Role) string {
	switch id := strings.ToLower(r.Scope.ID); r.Scope.Type {
	case pim.ScopeDirectory:
		return tenantName
	case pim.ScopeApp:
		return appName + r.Scope.ID // As Graph gave it, since a filter is to find it.
	case pim.ScopeAdministrativeUnit:
		return unitName + strings.TrimPrefix(id, unitPrefix)
	case pim.ScopeObject:
		// Graph takes GUIDs only, and one that is none would spoil the others.
		if object, err := uuid.Parse(strings.Trim(id, "/")); err == nil {
			return objectName + object.String()
		}
	}
	return ""
}

func fillDirectory(body *writeBody, r pim.Role) {
	body.RoleDefinitionID = r.DefinitionID
	if r.Scope.Type == pim.ScopeApp {
		body.AppScopeID = r.Scope.ID
	} else {
		body.DirectoryScopeID = r.Scope.ID
	}
}

// Check has the service judge a without doing it. Where the service does not say
// that it only judged, it has taken a for a request: the error is then a
// *pim.SentError with that request. Like a request, a check is never repeated.
func (d *Directory) Check(ctx context.Context, a pim.Activation) error {
	body := d.activation(a)
	body.IsValidationOnly = true
	made, validated, err := d.create(ctx, a.ID, body, a.Role(), false)
	if err == nil && !validated {
		err = &pim.SentError{Request: made}
	}
	if err != nil {
		return fmt.Errorf("check an Entra role's activation: %w", d.explain(err, UseAct))
	}
	return nil
}

// policyAge is how long role settings are believed without reading them again.
const policyAge = 5 * time.Minute

// Policy reads what activating e asks for. The settings of all roles come with
// one call, which serves everybody who asks within five minutes. A role in an
// administrative unit has the settings of the role in the directory. A refusal to
// read settings is pim.Policy{} and no error.
func (d *Directory) Policy(ctx context.Context, e pim.Eligibility) (pim.Policy, error) {
	got, err := d.settings.load(ctx, []string{""}, nil)
	if err == nil {
		err = got[""].err
	}
	if err != nil {
		return pim.Policy{}, fmt.Errorf("read the settings of Entra roles: %w", err)
	}
	return got[""].value[strings.ToLower(e.Role.DefinitionID)], nil
}

func (d *Directory) readSettings(ctx context.Context, _ []string) map[string]loaded[map[string]pim.Policy] {
	var all map[string]pim.Policy
	var err error
	// Either scopeType is in use, and the wrong one finds nothing.
	for _, scopeType := range []string{"DirectoryRole", "Directory"} {
		var found []policyRow
		if found, err = rows(list[policyRow](ctx, d.Client, policyPath("/", scopeType))); err != nil {
			break
		}
		if all = d.policies(found); len(all) > 0 {
			break
		}
	}
	return map[string]loaded[map[string]pim.Policy]{"": d.settled(all, err)}
}

// settled is what was read of role settings, kept for its time.
func (c *Client) settled(all map[string]pim.Policy, err error) loaded[map[string]pim.Policy] {
	switch code := pim.CodeOf(err); {
	case code == pim.CodeForbidden, code == pim.CodeConsent:
		all = nil // Not readable, which is a value.
	case err != nil:
		return loaded[map[string]pim.Policy]{err: err}
	}
	return loaded[map[string]pim.Policy]{value: all, until: c.now().Add(policyAge)}
}

func policyPath(scopeID, scopeType string) string {
	return "/policies/roleManagementPolicyAssignments" + query(
		"$filter", "scopeId eq "+quoted(scopeID)+" and scopeType eq "+quoted(scopeType),
		"$expand", "policy($expand=rules)")
}
