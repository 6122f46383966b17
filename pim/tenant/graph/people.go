package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"roletray/pim/tenant/world"
)

var (
	userShape = shape{"user", []string{
		"businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
		"preferredLanguage", "surname", "userPrincipalName", "id",
	}}
	groupShape = shape{"group", []string{
		"id", "displayName", "description", "isAssignableToRole", "securityEnabled", "mailEnabled", "mailNickname", "groupTypes", "visibility",
	}}
	organizationShape = shape{"organization", []string{"id", "displayName", "verifiedDomains"}}

	unitShape = shape{"administrativeUnit", []string{"id", "displayName", "description", "visibility"}}
	roleShape = shape{"unifiedRoleDefinition", []string{
		"id", "description", "displayName", "isBuiltIn", "isEnabled", "resourceScopes", "templateId", "version", "rolePermissions",
	}}
	objectShape = shape{"directoryObject", []string{"id", "displayName"}}
)

func showUser(u world.User) entity {
	given, surname, _ := strings.Cut(u.Name, " ")
	return entity{
		"businessPhones": []string{}, "displayName": u.Name, "givenName": given, "jobTitle": nil, "mail": u.UPN,
		"mobilePhone": nil, "officeLocation": nil, "preferredLanguage": nil, "surname": surname,
		"userPrincipalName": u.UPN, "id": u.ID,
	}
}

func showGroup(g world.Group) entity {
	return entity{
		"id": g.ID, "displayName": g.Name, "description": nil, "isAssignableToRole": g.RoleAssignable, "securityEnabled": true,
		"mailEnabled": false, "mailNickname": strings.ReplaceAll(strings.ToLower(g.Name), " ", "-"), "groupTypes": []string{}, "visibility": nil,
	}
}

func showOrganization(d *world.Directory) entity {
	domain := entity{"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": true, "isInitial": true, "name": d.Domain, "type": "Managed"}
	return entity{"id": d.TenantID, "displayName": d.Name, "verifiedDomains": []entity{domain}}
}

func showUnit(u Unit) entity {
	return entity{"id": u.ID, "displayName": u.Name, "description": nil, "visibility": nil}
}

func showRole(r Role) entity {
	return entity{
		"id": r.ID, "description": orNull(r.Description), "displayName": r.Name, "isBuiltIn": !r.Custom, "isEnabled": true,
		"resourceScopes": []string{"/"}, "templateId": r.ID, "version": "1", "rolePermissions": []entity{},
	}
}

// role is the definition with that id in lower case, or nil.
func (s *Service) role(id string) entity {
	r, ok := s.roles[id]
	if !ok {
		return nil
	}
	return showRole(r)
}

// getMe is the caller's own user object, with the properties that Graph gives
// without $select.
func (c *call) getMe([]string) error {
	if err := c.needDirectory(append([]string{"User.Read"}, readUsers...)); err != nil {
		return err
	}
	return c.writeUser(c.caller.UserID)
}

func userView() view[world.User] {
	return view[world.User]{shape: userShape, context: "users", show: showUser}
}

func (c *call) listUsers([]string) error {
	if err := c.needDirectory(readUsers); err != nil {
		return err
	}
	q, err := c.parse(&userShape, "Request_UnsupportedQuery")
	if err != nil {
		return err
	}
	return writeList(c, userView(), q, c.s.Directory.Users, 0)
}

func (c *call) getUser(names []string) error {
	u, ok := c.s.Directory.User(names[0])
	permissions := readUsers
	if ok && is(u.ID, c.caller.UserID) {
		permissions = append([]string{"User.Read"}, readUsers...)
	}
	if err := c.needDirectory(permissions); err != nil {
		return err
	}
	return c.writeUser(names[0])
}

func (c *call) writeUser(id string) error {
	u, ok := c.s.Directory.User(id)
	if !ok {
		return noObject(id)
	}
	return writeOne(c, userView(), u, http.StatusOK)
}

// listOrganization has the one organisation, with as much as User.Read shows of it:
// see Microsoft's page "List organization".
func (c *call) listOrganization([]string) error {
	if err := c.needDirectory(readOrganization); err != nil {
		return err
	}
	q, err := c.parse(&organizationShape, "Request_UnsupportedQuery")
	if err != nil {
		return err
	}
	v := view[*world.Directory]{shape: organizationShape, context: "organization", show: showOrganization}
	return writeList(c, v, q, []*world.Directory{c.s.Directory}, 0)
}

func groupView() view[world.Group] {
	return view[world.Group]{shape: groupShape, context: "groups", show: showGroup}
}

func (c *call) listGroups([]string) error {
	if err := c.needDirectory(readGroups); err != nil {
		return err
	}
	q, err := c.parse(&groupShape, "Request_UnsupportedQuery")
	if err != nil {
		return err
	}
	return writeList(c, groupView(), q, c.s.Directory.Groups, 0)
}

func (c *call) getGroup(names []string) error {
	if err := c.needDirectory(readGroups); err != nil {
		return err
	}
	g, ok := c.s.Directory.Group(names[0])
	if !ok {
		return noObject(names[0])
	}
	return writeOne(c, groupView(), g, http.StatusOK)
}

func unitView() view[Unit] {
	return view[Unit]{shape: unitShape, context: "directory/administrativeUnits", show: showUnit}
}

func (c *call) listUnits([]string) error {
	if err := c.needDirectory(readUnits); err != nil {
		return err
	}
	q, err := c.parse(&unitShape, "Request_UnsupportedQuery")
	if err != nil {
		return err
	}
	return writeList(c, unitView(), q, c.s.Data.Units, 0)
}

func (c *call) getUnit(names []string) error {
	if err := c.needDirectory(readUnits); err != nil {
		return err
	}
	u, ok := c.s.units[strings.ToLower(names[0])]
	if !ok {
		return noObject(names[0])
	}
	return writeOne(c, unitView(), u, http.StatusOK)
}

func roleView() view[Role] {
	return view[Role]{shape: roleShape, context: "roleManagement/directory/roleDefinitions", show: showRole}
}

func (c *call) listRoles([]string) error {
	if err := c.need(append(slices.Clone(readRoles), "Directory.Read.All")); err != nil {
		return err
	}
	q, err := c.parse(&roleShape, "")
	if err != nil {
		return err
	}
	return writeList(c, roleView(), q, c.s.roleOrder, 0)
}

func (c *call) getRole(names []string) error {
	if err := c.need(append(slices.Clone(readRoles), "Directory.Read.All")); err != nil {
		return err
	}
	r, ok := c.s.roles[strings.ToLower(names[0])]
	if !ok {
		return notFound(names[0])
	}
	return writeOne(c, roleView(), r, http.StatusOK)
}

// object is an object of the directory with that id and its shape. The name is
// there only for who may read it.
func (c *call) object(id string) (entity, shape, bool) {
	e, s, may := entity(nil), shape{}, false
	if u, ok := c.s.Directory.User(id); ok && is(u.ID, id) {
		e, s, may = showUser(u), userShape, c.has(readUsers)
	} else if g, ok := c.s.Directory.Group(id); ok {
		e, s, may = showGroup(g), groupShape, c.has(readGroups)
	} else if u, ok := c.s.units[strings.ToLower(id)]; ok {
		e, s, may = showUnit(u), unitShape, c.has(readUnits)
	} else {
		return nil, objectShape, false
	}
	if !may {
		e = entity{"id": e["id"]}
	}
	e["@odata.type"] = "#microsoft.graph." + s.name
	return e, s, true
}

func (c *call) principal(id string, x expansion) (any, error) {
	e, s, ok := c.object(id)
	if !ok {
		return nil, nil
	}
	return narrow(e, s, x)
}

func (c *call) directoryScope(scope string, x expansion) (any, error) {
	e, s, ok := c.object(scope[strings.LastIndex(scope, "/")+1:])
	if !ok {
		return nil, nil
	}
	return narrow(e, s, x)
}

func (c *call) expandGroup(id string, x expansion) (any, error) {
	switch c.settings.ExpandGroup {
	case "refuse":
		return nil, pimFault(http.StatusBadRequest, "InvalidRequest", "The expansion of 'group' is not supported.")
	case "empty":
		return nil, nil
	}
	return c.principal(id, x)
}

// getByIDs resolves objects of the directory. Those that there are not are left
// out. Source of the permission: Microsoft's page "directoryObject: getByIds".
func (c *call) getByIDs([]string) error {
	if err := c.needDirectory([]string{"Directory.Read.All"}); err != nil {
		return err
	}
	body, err := c.readBody()
	if err != nil {
		return err
	}
	var in struct {
		IDs   []string `json:"ids"`
		Types []string `json:"types"`
	}
	if json.Unmarshal(body, &in) != nil {
		return malformed()
	}
	if len(in.IDs) == 0 || len(in.IDs) > 1000 {
		return faultf(http.StatusBadRequest, "Request_BadRequest", "The number of ids must be between 1 and 1000.")
	}
	value := []entity{}
	for _, id := range in.IDs {
		e, s, ok := c.object(id)
		if ok && (len(in.Types) == 0 || slices.ContainsFunc(in.Types, func(t string) bool { return is(t, s.name) || is(t, objectShape.name) })) {
			value = append(value, e)
		}
	}
	writeJSON(c.w, http.StatusOK, map[string]any{"@odata.context": c.context("directoryObjects", nil), "value": value})
	return nil
}
