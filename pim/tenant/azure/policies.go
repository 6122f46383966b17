package azure

import (
	"net/http"
	"strings"

	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/speech"
)

type policyAssignment struct {
	Scope                      string           `json:"scope"`
	RoleDefinitionID           string           `json:"roleDefinitionId"`
	PolicyID                   string           `json:"policyId"`
	EffectiveRules             []rule           `json:"effectiveRules"`
	PolicyAssignmentProperties assignmentDetail `json:"policyAssignmentProperties"`
}

type assignmentDetail struct {
	Scope          named  `json:"scope"`
	RoleDefinition named  `json:"roleDefinition"`
	Policy         policy `json:"policy"`
}

type policy struct {
	ID             string `json:"id"`
	LastModifiedBy person `json:"lastModifiedBy"`
}

type person struct {
	DisplayName string `json:"displayName"`
}

type policyProperties struct {
	Scope                 string `json:"scope"`
	IsOrganizationDefault bool   `json:"isOrganizationDefault"`
	LastModifiedBy        person `json:"lastModifiedBy"`
	Rules                 []rule `json:"rules"`
	EffectiveRules        []rule `json:"effectiveRules"`
	PolicyProperties      struct {
		Scope named `json:"scope"`
	} `json:"policyProperties"`
}

// rule is one of the 17 rules of a policy. Which fields are set depends on its
// type.
type rule struct {
	ID       string     `json:"id"`
	RuleType string     `json:"ruleType"`
	Target   ruleTarget `json:"target"`

	IsExpirationRequired *bool  `json:"isExpirationRequired,omitempty"`
	MaximumDuration      string `json:"maximumDuration,omitempty"`

	EnabledRules *[]string `json:"enabledRules,omitempty"`

	Setting *approvalSetting `json:"setting,omitempty"`

	IsEnabled  *bool   `json:"isEnabled,omitempty"`
	ClaimValue *string `json:"claimValue,omitempty"`

	NotificationType           string    `json:"notificationType,omitempty"`
	NotificationLevel          string    `json:"notificationLevel,omitempty"`
	RecipientType              string    `json:"recipientType,omitempty"`
	NotificationRecipients     *[]string `json:"notificationRecipients,omitempty"`
	IsDefaultRecipientsEnabled *bool     `json:"isDefaultRecipientsEnabled,omitempty"`
}

type ruleTarget struct {
	Caller     string   `json:"caller"`
	Operations []string `json:"operations"`
	Level      string   `json:"level"`
}

type approvalSetting struct {
	IsApprovalRequired               bool            `json:"isApprovalRequired"`
	IsApprovalRequiredForExtension   bool            `json:"isApprovalRequiredForExtension"`
	IsRequestorJustificationRequired bool            `json:"isRequestorJustificationRequired"`
	ApprovalMode                     string          `json:"approvalMode"`
	ApprovalStages                   []approvalStage `json:"approvalStages"`
}

type approvalStage struct {
	ApprovalStageTimeOutInDays      int       `json:"approvalStageTimeOutInDays"`
	IsApproverJustificationRequired bool      `json:"isApproverJustificationRequired"`
	EscalationTimeInMinutes         int       `json:"escalationTimeInMinutes"`
	PrimaryApprovers                []userSet `json:"primaryApprovers"`
	IsEscalationEnabled             bool      `json:"isEscalationEnabled"`
}

type userSet struct {
	ID          string `json:"id"`
	Description string `json:"description"`
	IsBackup    bool   `json:"isBackup"`
	UserType    string `json:"userType"`
}

// rules are the 17 rules of a policy, in the order of Microsoft's example. What
// concerns administrators is the same for every role.
func rules(p ledger.Policy) []rule {
	var out []rule
	for _, t := range []struct{ caller, level string }{
		{"Admin", "Eligibility"}, {"Admin", "Assignment"}, {"EndUser", "Assignment"},
	} {
		suffix := t.caller + "_" + t.level
		add := func(prefix, kind string, fill func(r *rule)) {
			r := rule{
				ID: prefix + "_" + suffix, RuleType: "RoleManagementPolicy" + kind + "Rule",
				Target: ruleTarget{Caller: t.caller, Operations: []string{"All"}, Level: t.level},
			}
			fill(&r)
			out = append(out, r)
		}
		if t.caller == "EndUser" {
			add("Approval", "Approval", func(r *rule) { r.Setting = approvalRule(p) })
			add("AuthenticationContext", "AuthenticationContext", func(r *rule) {
				r.IsEnabled, r.ClaimValue = ptr(p.Context != ""), &p.Context
			})
		}
		add("Enablement", "Enablement", func(r *rule) { r.EnabledRules = ptr(speech.EnabledRules(p, suffix)) })
		add("Expiration", "Expiration", func(r *rule) {
			r.IsExpirationRequired, r.MaximumDuration = ptr(t.caller == "EndUser"), "P365D"
			if t.caller == "EndUser" {
				r.MaximumDuration = isoDuration(p.MaximumDuration())
			}
		})
		for _, to := range []string{"Admin", "Requestor", "Approver"} {
			add("Notification_"+to, "Notification", func(r *rule) {
				r.NotificationType, r.NotificationLevel, r.RecipientType = "Email", "All", to
				r.NotificationRecipients, r.IsDefaultRecipientsEnabled = &[]string{}, ptr(true)
			})
		}
	}
	return out
}

func approvalRule(p ledger.Policy) *approvalSetting {
	s := &approvalSetting{
		IsApprovalRequired: p.NeedsApproval(), IsRequestorJustificationRequired: p.Justification, ApprovalMode: "SingleStage",
	}
	first := approvalStage{
		ApprovalStageTimeOutInDays: 1, IsApproverJustificationRequired: p.ApproverJustifies, PrimaryApprovers: []userSet{},
	}
	for _, a := range p.Approvers {
		kind := "User"
		if a.Group {
			kind = "Group"
		}
		first.PrimaryApprovers = append(first.PrimaryApprovers, userSet{ID: a.ID, Description: a.Name, UserType: kind})
	}
	s.ApprovalStages = []approvalStage{first}
	return s
}

func ptr[T any](v T) *T { return &v }

func (c *call) listPolicyAssignments([]string) error {
	list := c.s.roleOrder
	if filter := strings.TrimSpace(c.query["$filter"]); filter != "" {
		terms, _, err := parseFilter(filter)
		if err != nil || len(terms) != 1 || terms[0].name != "roledefinitionid" || terms[0].function {
			return invalidFilter(filter)
		}
		list = nil
		if r, ok := c.s.roles[strings.ToLower(lastPart(terms[0].arg))]; ok {
			list = []Role{r}
		}
	}
	if err := c.checkPolicyRead("roleManagementPolicyAssignments"); err != nil {
		return err
	}
	return writePage(c, list, c.policyAssignment)
}

func (c *call) getPolicyAssignment(names []string) error {
	policyID, roleID, _ := strings.Cut(strings.ToLower(names[0]), "_")
	role, ok := c.s.roles[roleID]
	if !ok || policyID != policyName(c.node, role) {
		return notFound("role management policy assignment", names[0])
	}
	if err := c.checkPolicyRead("roleManagementPolicyAssignments"); err != nil {
		return err
	}
	writeJSON(c.w, http.StatusOK, c.policyAssignment(role))
	return nil
}

func (c *call) listPolicies([]string) error {
	if err := c.checkPolicyRead("roleManagementPolicies"); err != nil {
		return err
	}
	return writePage(c, c.s.roleOrder, c.policy)
}

func (c *call) getPolicy(names []string) error {
	if err := c.checkPolicyRead("roleManagementPolicies"); err != nil {
		return err
	}
	for _, role := range c.s.roleOrder {
		if is(policyName(c.node, role), names[0]) {
			writeJSON(c.w, http.StatusOK, c.policy(role))
			return nil
		}
	}
	return notFound("role management policy", names[0])
}

func (c *call) checkPolicyRead(kind string) error {
	if c.s.unreadable[c.node.id] {
		return c.s.denied(c.caller, "Microsoft.Authorization/"+kind+"/read", c.node.prefix())
	}
	return nil
}

// refusePolicyWrite is for what administrators do with role settings.
func (c *call) refusePolicyWrite([]string) error {
	return c.s.denied(c.caller, "Microsoft.Authorization/roleManagementPolicies/write", c.node.prefix())
}

func policyName(n *node, r Role) string { return derived("policy", n.id, strings.ToLower(r.ID)) }

func (c *call) policyAssignment(role Role) resource {
	id := strings.ToLower(role.ID)
	g, n := c.s.expand(ledger.Target{Role: id, Scope: c.node.id}, "")
	p := policyName(n, role)
	out := policyAssignment{
		Scope: g.Scope, RoleDefinitionID: g.RoleDefinitionID,
		PolicyID:       at(n, "roleManagementPolicies", p, nil).ID,
		EffectiveRules: rules(c.s.books.Policy(ledger.Target{Role: id, Scope: n.id})),
		PolicyAssignmentProperties: assignmentDetail{
			Scope: g.ExpandedProperties.Scope, RoleDefinition: g.ExpandedProperties.RoleDefinition,
		},
	}
	out.PolicyAssignmentProperties.Policy = policy{ID: out.PolicyID, LastModifiedBy: person{"Admin"}}
	r := at(n, "roleManagementPolicyAssignment", p+"_"+id, out)
	r.Type = "Microsoft.Authorization/RoleManagementPolicyAssignment"
	return r
}

func (c *call) policy(role Role) resource {
	id := strings.ToLower(role.ID)
	g, n := c.s.expand(ledger.Target{Role: id, Scope: c.node.id}, "")
	list := rules(c.s.books.Policy(ledger.Target{Role: id, Scope: n.id}))
	out := policyProperties{Scope: g.Scope, LastModifiedBy: person{"Admin"}, Rules: list, EffectiveRules: list}
	out.PolicyProperties.Scope = g.ExpandedProperties.Scope
	r := at(n, "roleManagementPolicies", policyName(n, role), out)
	r.Type = "Microsoft.Authorization/RoleManagementPolicies"
	return r
}
