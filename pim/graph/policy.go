package graph

import (
	"strings"

	"roletray/pim"
	"roletray/pim/wire"
)

// policyRow binds a role to its settings. For a group, the role is the access.
type policyRow struct {
	RoleDefinitionID string `json:"roleDefinitionId"`
	Policy           *struct {
		Rules []ruleRow `json:"rules"`
	} `json:"policy"`
}

// ruleRow is a rule of any type; each type has its own fields.
type ruleRow struct {
	Type            string           `json:"@odata.type"`
	ID              string           `json:"id"`
	MaximumDuration string           `json:"maximumDuration"`
	EnabledRules    []string         `json:"enabledRules"`
	IsEnabled       bool             `json:"isEnabled"`
	ClaimValue      string           `json:"claimValue"`
	Setting         *approvalSetting `json:"setting"`
}

type approvalSetting struct {
	IsApprovalRequired bool `json:"isApprovalRequired"`
	ApprovalStages     []struct {
		PrimaryApprovers []struct {
			UserID      string `json:"userId"`
			GroupID     string `json:"groupId"`
			Description string `json:"description"`
		} `json:"primaryApprovers"`
	} `json:"approvalStages"`
}

// policies are the settings for one's own activation, by role in lower case.
func (c *Client) policies(found []policyRow) map[string]pim.Policy {
	all := map[string]pim.Policy{}
	for _, row := range found {
		if row.Policy == nil || len(row.Policy.Rules) == 0 {
			continue
		}
		p := readRules(row.Policy.Rules)
		p.ReadAt = c.now()
		all[strings.ToLower(row.RoleDefinitionID)] = p
	}
	return all
}

// readRules reads the rules for one's own activation. They are known by id and
// type; their target is spelled differently from service to service.
func readRules(rules []ruleRow) pim.Policy {
	out := pim.Policy{Readable: true}
	for _, r := range rules {
		switch {
		case r.is("Expiration"):
			out.MaxDuration = wire.ParseDuration(r.MaximumDuration)
		case r.is("Enablement"):
			enable(&out, r.EnabledRules)
		case r.is("AuthenticationContext") && r.IsEnabled:
			out.AuthContext = pim.CleanText(r.ClaimValue, maxName)
		case r.is("Approval") && r.Setting != nil && r.Setting.IsApprovalRequired:
			out.ApprovalRequired = true
			out.Approvers = approvers(*r.Setting)
		}
	}
	return out
}

func (r ruleRow) is(name string) bool {
	return strings.EqualFold(r.ID, name+"_EndUser_Assignment") &&
		strings.EqualFold(r.Type, "#microsoft.graph.unifiedRoleManagementPolicy"+name+"Rule")
}

func enable(p *pim.Policy, rules []string) {
	for _, r := range rules {
		switch strings.ToLower(r) {
		case "multifactorauthentication":
			p.MFARequired = true
		case "justification":
			p.JustificationRequired = true
		case "ticketing":
			p.TicketRequired = true
		}
	}
}

func approvers(s approvalSetting) []pim.Approver {
	var list []pim.Approver
	for _, stage := range s.ApprovalStages {
		for _, a := range stage.PrimaryApprovers {
			list = append(list, pim.Approver{
				ID:    strings.ToLower(a.UserID + a.GroupID),
				Name:  pim.CleanText(a.Description, maxName),
				Group: a.GroupID != "",
			})
		}
	}
	return list
}
