package graph

import (
	"net/http"
	"slices"
	"strings"

	"roletray/pim/tenant/ledger"
)

// Permissions of which one suffices, least privileged first, by Microsoft's
// permission reference.
var (
	readRoles    = []string{"RoleManagement.Read.Directory", "RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory"}
	readPolicies = []string{
		"RoleManagementPolicy.Read.Directory", "RoleManagement.Read.All", "RoleManagement.Read.Directory",
		"RoleManagement.ReadWrite.Directory", "RoleManagementPolicy.ReadWrite.Directory",
	}
	readGroupPolicies = []string{"RoleManagementPolicy.Read.AzureADGroup", "RoleManagementPolicy.ReadWrite.AzureADGroup"}
	readUsers         = []string{"User.ReadBasic.All", "User.Read.All", "Directory.Read.All"}
	readGroups        = []string{"GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"}
	readOrganization  = []string{"User.Read", "Organization.Read.All", "Directory.Read.All"}
	readUnits         = []string{"AdministrativeUnit.Read.All", "Directory.Read.All"}
)

// permissions are those for one collection of the plane.
func (p *plane) permissions(f ledger.Family, l level) (read, post, cancel []string) {
	name, end := "RoleAssignmentSchedule", ".Directory"
	if f == ledger.OfEligibility {
		name = "RoleEligibilitySchedule"
	}
	if p.group {
		name, end = strings.Replace(name, "Role", "Privileged", 1), ".AzureADGroup"
		all := name + ".ReadWrite" + end
		return []string{name + ".Read" + end, all}, []string{all, name + ".Remove" + end}, []string{all}
	}
	all := name + ".ReadWrite" + end
	if l != requests {
		return append([]string{name + ".Read" + end, all}, readRoles...), nil, nil
	}
	// Requests are read with what they are written with.
	write := []string{all, "RoleManagement.ReadWrite.Directory"}
	if f == ledger.OfAssignment {
		return write, append(slices.Clone(write), name+".Remove"+end), write
	}
	return write, write, write
}

// has reports whether the token carries one of the permissions.
func (c *call) has(permissions []string) bool {
	return slices.ContainsFunc(c.caller.Scopes, func(have string) bool {
		return slices.ContainsFunc(permissions, func(want string) bool { return is(have, want) })
	})
}

// need refuses role management to a token without any of the permissions.
func (c *call) need(permissions []string) error {
	if c.has(permissions) {
		return nil
	}
	return pimFault(http.StatusForbidden, "PermissionScopeNotGranted",
		"Authorization failed due to missing permission scope %s.", strings.Join(permissions, ","))
}

// needDirectory refuses an object of the directory to a token without any of the
// permissions.
func (c *call) needDirectory(permissions []string) error {
	if c.has(permissions) {
		return nil
	}
	return faultf(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
}
