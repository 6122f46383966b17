package arm

import (
	"context"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"

	"roletray/pim"
	"roletray/pim/wire"
)

// Policy reads what activating e asks for, at the scope of the eligibility. It
// asks for this role's settings only, with a filter that the service takes but
// does not document, and for the whole scope's where the filter is refused or
// brings nothing. A refusal to read settings is pim.Policy{} and no error.
func (p *Provider) Policy(ctx context.Context, e pim.Eligibility) (pim.Policy, error) {
	path, err := scopePath(e.Role.Scope.ID)
	if err != nil {
		return pim.Policy{}, fmt.Errorf("read the settings of an Azure role: %w", err)
	}
	filter := "roleDefinitionId eq '" + strings.ReplaceAll(e.Role.DefinitionID, "'", "''") + "'"
	policy, err := p.readPolicy(context.WithValue(ctx, filterKey{}, filter), path, e.Role)
	if pim.CodeOf(err) == pim.CodeRejected || err == nil && !policy.Readable {
		policy, err = p.readPolicy(ctx, path, e.Role)
	}
	switch {
	case pim.CodeOf(err) == pim.CodeForbidden:
		return pim.Policy{}, nil
	case err != nil:
		return pim.Policy{}, fmt.Errorf("read the settings of an Azure role: %w", err)
	}
	return policy, nil
}

func (p *Provider) readPolicy(ctx context.Context, path string, r pim.Role) (pim.Policy, error) {
	all, err := rows(ctx, p, p.policies.NewListForScopePager(path, nil), func(r *armauthorization.RoleManagementPolicyAssignmentsClientListForScopeResponse) ([]*armauthorization.RoleManagementPolicyAssignment, *string) {
		return r.Value, r.NextLink
	})
	if err != nil {
		return pim.Policy{}, err
	}
	for _, row := range all {
		if row != nil && row.Properties != nil && strings.EqualFold(lastSegment(deref(row.Properties.RoleDefinitionID)), lastSegment(r.DefinitionID)) {
			return p.policy(row.Properties.EffectiveRules), nil
		}
	}
	return pim.Policy{}, nil
}

// policy reads the rules for one's own activation. They are known by id and
// type; their target is spelled differently from service to service.
func (p *Provider) policy(rules []armauthorization.RoleManagementPolicyRuleClassification) pim.Policy {
	out := pim.Policy{Readable: len(rules) > 0, ReadAt: p.now()}
	for _, rule := range rules {
		switch r := rule.(type) {
		case *armauthorization.RoleManagementPolicyExpirationRule:
			if isRule(r.ID, "Expiration") {
				out.MaxDuration = wire.ParseDuration(deref(r.MaximumDuration))
			}
		case *armauthorization.RoleManagementPolicyEnablementRule:
			if isRule(r.ID, "Enablement") {
				enable(&out, r.EnabledRules)
			}
		case *armauthorization.RoleManagementPolicyAuthenticationContextRule:
			if isRule(r.ID, "AuthenticationContext") && deref(r.IsEnabled) {
				out.AuthContext = text(r.ClaimValue, maxName)
			}
		case *armauthorization.RoleManagementPolicyApprovalRule:
			if isRule(r.ID, "Approval") && r.Setting != nil && deref(r.Setting.IsApprovalRequired) {
				out.ApprovalRequired = true
				out.Approvers = approvers(r.Setting.ApprovalStages)
			}
		}
	}
	if !out.Readable {
		return pim.Policy{}
	}
	return out
}

func isRule(id *string, name string) bool {
	return strings.EqualFold(deref(id), name+"_EndUser_Assignment")
}

func enable(p *pim.Policy, rules []*armauthorization.EnablementRules) {
	for _, r := range rules {
		switch strings.ToLower(string(deref(r))) {
		case "multifactorauthentication":
			p.MFARequired = true
		case "justification":
			p.JustificationRequired = true
		case "ticketing":
			p.TicketRequired = true
		}
	}
}

func approvers(stages []*armauthorization.ApprovalStage) []pim.Approver {
	var list []pim.Approver
	for _, stage := range stages {
		for _, a := range deref(stage).PrimaryApprovers {
			if a != nil {
				list = append(list, pim.Approver{
					ID:    strings.ToLower(deref(a.ID)),
					Name:  text(a.Description, maxName),
					Group: strings.EqualFold(string(deref(a.UserType)), "Group"),
				})
			}
		}
	}
	return list
}
