package graph

import (
	"net/http"
	"strings"

	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/speech"
)

var (
	policyAssignmentShape = shape{"unifiedRoleManagementPolicyAssignment", []string{"id", "policyId", "scopeId", "scopeType", "roleDefinitionId"}}
	policyShape           = shape{"unifiedRoleManagementPolicy", []string{
		"id", "displayName", "description", "isOrganizationDefault", "scopeId", "scopeType", "lastModifiedDateTime", "lastModifiedBy",
	}}
	// ruleShape has only what every rule has: the rest belongs to derived types,
	// and cannot be selected without a cast.
	ruleShape = shape{"unifiedRoleManagementPolicyRule", []string{"id", "target"}}
)

// setting is the role settings of one role, or of one kind of access to a group.
type setting struct {
	plane  *plane
	target ledger.Target
	// scopeType is DirectoryRole, Directory or Group.
	scopeType string
}

// policyID and id are made as in Microsoft's examples.
func (s setting) policyID() string {
	if s.plane.group {
		return "Group_" + s.target.Role + "_" + derived("policy", s.target)
	}
	return s.scopeType + "_" + s.plane.s.Directory.TenantID + "_" + derived("policy", s.target)
}

func (s setting) role() string {
	if s.plane.group {
		return s.target.Access
	}
	return s.target.Role
}

func (s setting) scope() string {
	if s.plane.group {
		return s.target.Role
	}
	return "/"
}

func (s setting) id() string { return s.policyID() + "_" + s.role() }

// settingsFor are the role settings of the scopes, of the directory or of groups.
func (c *call) settingsFor(scopeType string, scopes []string) []setting {
	var out []setting
	if scopeType == "Group" {
		for _, id := range scopes {
			if _, ok := c.s.Directory.Group(id); !ok {
				continue
			}
			for _, access := range []string{member, owner} {
				t := ledger.Target{Role: strings.ToLower(id), Scope: "/", Access: access}
				out = append(out, setting{c.s.groups, t, scopeType})
			}
		}
		return out
	}
	for _, scope := range scopes {
		if scope != "/" || scopeType != c.settings.DirectoryScopeType {
			continue
		}
		for _, r := range c.s.roleOrder {
			out = append(out, setting{c.s.directory, ledger.Target{Role: strings.ToLower(r.ID), Scope: "/"}, scopeType})
		}
	}
	return out
}

// scopeTypes are the kinds of scope that there are, by their lower case.
var scopeTypes = map[string]string{"directoryrole": "DirectoryRole", "directory": "Directory", "group": "Group"}

// filteredSettings are those that a filter can mean, which must name scope and
// kind of scope. Settings of a kind that the tenant does not use are none.
func (c *call) filteredSettings(q query) ([]setting, error) {
	scopes, hasScope := q.filter.pinned("scopeId")
	kinds, hasKind := q.filter.pinned("scopeType")
	if !hasScope || !hasKind || len(kinds) == 0 {
		return nil, pimFault(http.StatusBadRequest, "InvalidFilter", "The filter must contain scopeId and scopeType.")
	}
	if c.settings.ManyScopes == "refuse" && len(scopes) > 1 {
		return nil, pimFault(http.StatusBadRequest, "InvalidFilter", "The filter must contain exactly one scopeId.")
	}
	var out []setting
	seen := map[string]bool{}
	for _, kind := range kinds {
		kind, known := scopeTypes[strings.ToLower(kind)]
		if !known {
			return nil, pimFault(http.StatusBadRequest, "InvalidScope", "The scope type '%.100s' is not valid.", kinds[0])
		}
		if err := c.mayReadPolicies(kind); err != nil {
			return nil, err
		}
		for _, s := range c.settingsFor(kind, scopes) {
			if !seen[s.id()] {
				seen[s.id()] = true
				out = append(out, s)
			}
		}
	}
	return out, nil
}

func (c *call) mayReadPolicies(scopeType string) error {
	permissions := readPolicies
	if scopeType == "Group" {
		permissions = readGroupPolicies
	}
	if err := c.need(permissions); err != nil {
		return err
	}
	if c.settings.PolicyRead == "role" && !c.s.hasRole(c.caller.UserID, readers) {
		return unauthorized()
	}
	return nil
}

func (c *call) policyAssignmentView() view[setting] {
	return view[setting]{
		shape: policyAssignmentShape, context: "policies/roleManagementPolicyAssignments",
		show: func(s setting) entity {
			return entity{
				"id": s.id(), "policyId": s.policyID(), "scopeId": s.scope(), "scopeType": s.scopeType, "roleDefinitionId": s.role(),
			}
		},
		expand: map[string]func(setting, expansion) (any, error){
			"policy": func(s setting, x expansion) (any, error) {
				v := policyView()
				selected, err := v.selection(strings.Join(x.selected, ","))
				if err != nil {
					return nil, err
				}
				return v.finish(s, v.show(s), query{selected: selected, expand: x.inner})
			},
		},
	}
}

func policyView() view[setting] {
	rules := func(s setting, x expansion) (any, error) {
		var out []any
		for _, r := range rules(s.plane.books.Policy(s.target), s.plane.group) {
			e, err := narrow(r, ruleShape, x)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	}
	return view[setting]{
		shape: policyShape, context: "policies/roleManagementPolicies",
		show: func(s setting) entity {
			return entity{
				"id": s.policyID(), "displayName": s.scopeType, "description": s.scopeType, "isOrganizationDefault": false,
				"scopeId": s.scope(), "scopeType": s.scopeType, "lastModifiedDateTime": nil,
				"lastModifiedBy": entity{"displayName": nil, "id": nil},
			}
		},
		expand: map[string]func(setting, expansion) (any, error){"rules": rules, "effectiveRules": rules},
	}
}

func (c *call) listPolicyAssignments([]string) error {
	return listSettings(c, c.policyAssignmentView())
}

func (c *call) listPolicies([]string) error { return listSettings(c, policyView()) }

func listSettings(c *call, v view[setting]) error {
	q, err := c.parse(&v.shape, "")
	if err != nil {
		// Who may not read at all learns nothing about the filter.
		if !c.has(readPolicies) && !c.has(readGroupPolicies) {
			return c.need(readPolicies)
		}
		return err
	}
	list, err := c.filteredSettings(q)
	if err != nil {
		return err
	}
	return writeList(c, v, q, list, 0)
}

// setting is the one whose policy or assignment has that id.
func (c *call) setting(id string, name func(setting) string) (setting, error) {
	kind, rest, _ := strings.Cut(id, "_")
	kind, ok := scopeTypes[strings.ToLower(kind)]
	if !ok {
		return setting{}, notFound(id)
	}
	if err := c.mayReadPolicies(kind); err != nil {
		return setting{}, err
	}
	scope := "/"
	if kind == "Group" {
		scope, _, _ = strings.Cut(rest, "_")
	}
	for _, s := range c.settingsFor(kind, []string{scope}) {
		if is(name(s), id) {
			return s, nil
		}
	}
	return setting{}, notFound(id)
}

func (c *call) getPolicyAssignment(names []string) error {
	s, err := c.setting(names[0], setting.id)
	if err != nil {
		return err
	}
	return writeOne(c, c.policyAssignmentView(), s, http.StatusOK)
}

func (c *call) getPolicy(names []string) error {
	s, err := c.setting(names[0], setting.policyID)
	if err != nil {
		return err
	}
	return writeOne(c, policyView(), s, http.StatusOK)
}

func (c *call) ruleView(policy string) view[entity] {
	return view[entity]{
		shape: ruleShape, context: "policies/roleManagementPolicies('" + policy + "')/rules",
		show: func(e entity) entity { return e },
	}
}

func (c *call) listRules(names []string) error {
	s, err := c.setting(names[0], setting.policyID)
	if err != nil {
		return err
	}
	q, err := c.parse(&ruleShape, "")
	if err != nil {
		return err
	}
	return writeList(c, c.ruleView(s.policyID()), q, rules(s.plane.books.Policy(s.target), s.plane.group), 0)
}

func (c *call) getRule(names []string) error {
	s, err := c.setting(names[0], setting.policyID)
	if err != nil {
		return err
	}
	for _, r := range rules(s.plane.books.Policy(s.target), s.plane.group) {
		if is(r["id"].(string), names[1]) {
			return writeOne(c, c.ruleView(s.policyID()), r, http.StatusOK)
		}
	}
	return notFound(names[1])
}

// rules are the 17 rules of a policy, in the order of Microsoft's example. What
// concerns administrators is the same for every role.
func rules(p ledger.Policy, group bool) []entity {
	operation := "all"
	if group {
		operation = "All"
	}
	var out []entity
	for _, t := range []struct{ caller, level, longest string }{
		{"Admin", "Eligibility", "P365D"}, {"Admin", "Assignment", "P180D"}, {"EndUser", "Assignment", isoDuration(p.MaximumDuration())},
	} {
		suffix := t.caller + "_" + t.level
		add := func(prefix, kind string, fields entity) {
			fields["@odata.type"] = "#microsoft.graph.unifiedRoleManagementPolicy" + kind + "Rule"
			fields["id"] = prefix + "_" + suffix
			fields["target"] = entity{
				"caller": t.caller, "operations": []string{operation}, "level": t.level,
				"inheritableSettings": []string{}, "enforcedSettings": []string{},
			}
			out = append(out, fields)
		}
		user := t.caller == "EndUser"
		add("Expiration", "Expiration", entity{"isExpirationRequired": user, "maximumDuration": t.longest})
		add("Enablement", "Enablement", entity{"enabledRules": speech.EnabledRules(p, suffix)})
		if user {
			add("Approval", "Approval", entity{"setting": approvalSetting(p)})
			add("AuthenticationContext", "AuthenticationContext", entity{"isEnabled": p.Context != "", "claimValue": orNull(p.Context)})
		}
		for _, to := range []string{"Admin", "Requestor", "Approver"} {
			add("Notification_"+to, "Notification", entity{
				"notificationType": "Email", "recipientType": to, "notificationLevel": "All",
				"isDefaultRecipientsEnabled": true, "notificationRecipients": []string{},
			})
		}
	}
	return out
}

func approvalSetting(p ledger.Policy) entity {
	approvers := []entity{}
	for _, a := range p.Approvers {
		if a.Group {
			approvers = append(approvers, entity{"@odata.type": "#microsoft.graph.groupMembers", "groupId": a.ID, "description": a.Name})
		} else {
			approvers = append(approvers, entity{"@odata.type": "#microsoft.graph.singleUser", "userId": a.ID, "description": a.Name})
		}
	}
	return entity{
		"isApprovalRequired": p.NeedsApproval(), "isApprovalRequiredForExtension": false,
		"isRequestorJustificationRequired": p.Justification, "approvalMode": "SingleStage",
		"approvalStages": []entity{{
			"approvalStageTimeOutInDays": 1, "isApproverJustificationRequired": p.ApproverJustifies,
			"escalationTimeInMinutes": 0, "isEscalationEnabled": false,
			"primaryApprovers": approvers, "escalationApprovers": []entity{},
		}},
	}
}
