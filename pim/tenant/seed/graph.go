package seed

import (
	"fmt"
	"strings"
	"time"

	"roletray/pim/tenant/graph"
	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/world"
)

// Microsoft's built-in directory roles, by the ids of their templates.
const (
	globalAdministrator      = "62e90394-69f5-4237-9190-012177145e10"
	privilegedRoleAdmin      = "e8611ab8-c189-46e8-94e1-60213ab1f814"
	globalReader             = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
	userAdministrator        = "fe930be7-5e62-47db-91af-98c3a49a38b1"
	groupsAdministrator      = "fdd7a751-b60b-444a-984c-02652fe8fa1c"
	helpdeskAdministrator    = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
	exchangeAdministrator    = "29232cdf-9323-42fd-ade2-1d097af3e4de"
	sharePointAdministrator  = "f28a1f50-f6e7-4571-818b-6a12f2af6b6c"
	teamsAdministrator       = "69091246-20e8-4a56-aa4d-066075b2a7a8"
	securityAdministrator    = "194ae4cb-b126-40b2-bd5b-6091b380977d"
	directorySecurityReader  = "5d6b6bb7-de71-4623-b4af-96380a352509"
	securityOperator         = "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f"
	applicationAdministrator = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
	cloudApplicationAdmin    = "158c047a-c907-4556-b7ef-446551a6b5f7"
	conditionalAccessAdmin   = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"
	intuneAdministrator      = "3a2c62db-5318-420d-8d74-23affee5d9d5"
	authenticationAdmin      = "c4e39bd9-1100-46d3-8c65-fb160da0071f"
	privilegedAuthentication = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
	billingAdministrator     = "b0f54661-2d74-4c50-afa3-1ec803f12efe"
	complianceAdministrator  = "17315797-102d-40b4-93e0-432062caca18"
	reportsReader            = "4a5d8f65-41da-4de4-8968-e035b65339cf"
	cloudDeviceAdministrator = "7698a772-787b-4ac8-901f-60d6b08affd2"
	powerPlatformAdmin       = "11648597-926c-4cf3-9c36-bcebb0ba8dcc"
	directoryReaders         = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
	messageCenterReader      = "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b"
	licenseAdministrator     = "4d6ac14f-3453-41d0-bef9-a3e0c569773a"
	passwordAdministrator    = "966707d0-3269-4727-9be2-8c3a10f19b9d"
	attributeDefinitionAdmin = "8424c6f0-a189-499e-bbd0-26c1753c96d4"
)

// shiftPlanner is a directory role of the company's own.
var shiftPlanner = id("directory role shift planner")

func directoryRoles() []graph.Role {
	return []graph.Role{
		{ID: globalAdministrator, Name: "Global Administrator", Description: "Can manage all aspects of Microsoft Entra ID and Microsoft services that use Microsoft Entra identities."},
		{ID: privilegedRoleAdmin, Name: "Privileged Role Administrator", Description: "Can manage role assignments in Microsoft Entra ID, and all aspects of Privileged Identity Management."},
		{ID: globalReader, Name: "Global Reader", Description: "Can read everything that a Global Administrator can, but not update anything."},
		{ID: userAdministrator, Name: "User Administrator", Description: "Can manage all aspects of users and groups, including resetting passwords for limited admins."},
		{ID: groupsAdministrator, Name: "Groups Administrator"},
		{ID: helpdeskAdministrator, Name: "Helpdesk Administrator"},
		{ID: exchangeAdministrator, Name: "Exchange Administrator"},
		{ID: sharePointAdministrator, Name: "SharePoint Administrator"},
		{ID: teamsAdministrator, Name: "Teams Administrator"},
		{ID: securityAdministrator, Name: "Security Administrator"},
		{ID: directorySecurityReader, Name: "Security Reader"},
		{ID: securityOperator, Name: "Security Operator"},
		{ID: applicationAdministrator, Name: "Application Administrator"},
		{ID: cloudApplicationAdmin, Name: "Cloud Application Administrator"},
		{ID: conditionalAccessAdmin, Name: "Conditional Access Administrator"},
		{ID: intuneAdministrator, Name: "Intune Administrator"},
		{ID: authenticationAdmin, Name: "Authentication Administrator"},
		{ID: privilegedAuthentication, Name: "Privileged Authentication Administrator"},
		{ID: billingAdministrator, Name: "Billing Administrator"},
		{ID: complianceAdministrator, Name: "Compliance Administrator"},
		{ID: reportsReader, Name: "Reports Reader"},
		{ID: cloudDeviceAdministrator, Name: "Cloud Device Administrator"},
		{ID: powerPlatformAdmin, Name: "Power Platform Administrator"},
		{ID: directoryReaders, Name: "Directory Readers"},
		{ID: messageCenterReader, Name: "Message Center Reader"},
		{ID: licenseAdministrator, Name: "License Administrator"},
		{ID: passwordAdministrator, Name: "Password Administrator"},
		{ID: attributeDefinitionAdmin, Name: "Attribute Definition Administrator"},
		{ID: shiftPlanner, Name: "Shift Planner", Custom: true},
	}
}

// The administrative units of the company.
var (
	depotsNorth = id("unit depots north")
	headOffice  = id("unit head office")
)

const unitsPath = "/administrativeUnits/"

func units() []graph.Unit {
	return []graph.Unit{{ID: depotsNorth, Name: "Depots North"}, {ID: headOffice, Name: "Head Office"}}
}

// askAnyAdministrator wants an approval and names nobody to give it.
var askAnyAdministrator = ledger.Policy{Approval: true, Justification: true, ApproverJustifies: true, Maximum: time.Hour}

// Graph makes up the directory roles and groups of the organisation of that
// name, to go with what New makes.
func Graph(name string, start time.Time) (*graph.Data, error) {
	start = start.UTC().Truncate(time.Second)
	switch name {
	case "demo":
		return demoGraph(start), nil
	case "large":
		return largeGraph(start), nil
	case "empty":
		return emptyGraph(start), nil
	}
	return nil, fmt.Errorf("no seed %q: choose one of %s", name, strings.Join(Names(), ", "))
}

// emptyGraph has the people who run the directory and nothing to activate.
func emptyGraph(start time.Time) *graph.Data {
	since := start.Add(-300 * day)
	return &graph.Data{
		Roles: directoryRoles(), Units: units(), DefaultPolicy: justified,
		RoleAssignments: []graph.RoleGrant{
			{Role: privilegedRoleAdmin, Principal: bjorn, Start: since},
			{Role: globalAdministrator, Principal: dana, Start: since},
		},
	}
}

func demoGraph(start time.Time) *graph.Data {
	d := emptyGraph(start)
	since := start.Add(-30 * day)
	until := func(lasts time.Duration) time.Time {
		if lasts == never {
			return time.Time{}
		}
		return start.Add(lasts)
	}
	eligible := func(role, scope, who string, lasts time.Duration) {
		d.RoleEligibilities = append(d.RoleEligibilities, graph.RoleGrant{Role: role, Scope: scope, Principal: who, Start: since, End: until(lasts)})
	}
	for _, p := range []struct {
		role   string
		policy ledger.Policy
	}{
		{globalAdministrator, askAnyAdministrator},
		{globalReader, none},
		{userAdministrator, ticketed},
		{exchangeAdministrator, mfa},
		{securityAdministrator, stepUp},
		{conditionalAccessAdmin, stepUp},
		{intuneAdministrator, approved},
		{teamsAdministrator, approvedByAda},
		{reportsReader, halfHour},
		{messageCenterReader, none},
	} {
		d.RolePolicies = append(d.RolePolicies, graph.RolePolicy{Role: p.role, Policy: p.policy})
	}
	eligible(globalAdministrator, "/", ada, 90*day)
	eligible(globalReader, "/", ada, never)
	eligible(userAdministrator, "/", ada, 180*day)
	eligible(helpdeskAdministrator, unitsPath+depotsNorth, ada, never)
	eligible(exchangeAdministrator, "/", ada, never)
	eligible(securityAdministrator, "/", ada, 60*day)
	eligible(conditionalAccessAdmin, "/", ada, never)
	eligible(intuneAdministrator, "/", ada, 30*day)
	eligible(groupsAdministrator, "/", ada, 6*day)
	eligible(applicationAdministrator, "/", ada, never)
	eligible(reportsReader, "/", ada, never)
	eligible(shiftPlanner, "/", ada, 120*day)
	eligible(teamsAdministrator, "/", chidi, 60*day)
	// What a group brings to who joins it for a while.
	eligible(privilegedAuthentication, "/", breakGlass, never)

	assigned := func(role, who string, end time.Time) {
		d.RoleAssignments = append(d.RoleAssignments, graph.RoleGrant{Role: role, Principal: who, Start: start.Add(-100 * day), End: end})
	}
	assigned(messageCenterReader, ada, time.Time{})
	assigned(directoryReaders, ada, start.Add(9*day))
	assigned(sharePointAdministrator, breakGlass, time.Time{})

	join := func(group, access, who string, lasts time.Duration, p ledger.Policy) {
		d.GroupEligibilities = append(d.GroupEligibilities, graph.GroupGrant{Group: group, Access: access, Principal: who, Start: since, End: until(lasts)})
		d.GroupPolicies = append(d.GroupPolicies, graph.GroupPolicy{Group: group, Access: access, Policy: p})
	}
	join(breakGlass, "member", ada, 90*day, ticketed)
	join(azureOwners, "member", ada, never, justified)
	join(databases, "member", ada, 45*day, mfa)
	join(databases, "owner", ada, never, justified)
	join(reporting, "member", ada, 8*day, none)
	join(contractors, "owner", ada, never, none)
	join(incidents, "member", ada, never, approved)
	join(customs, "member", ada, 200*day, stepUp)
	join(nightShift, "member", ada, never, halfHour)
	join(depotManagers, "owner", emil, never, approvedByAda)
	d.GroupAssignments = []graph.GroupGrant{
		{Group: depotManagers, Access: "member", Principal: ada, Start: start.Add(-60 * day), End: start.Add(20 * day)},
	}
	return d
}

// largeGroups is how many groups Ada of large can join.
const largeGroups = 200

func largeDirectory() *world.Directory {
	d := directory()
	for i := range largeGroups {
		d.Groups = append(d.Groups, world.Group{ID: largeGroup(i), Name: fmt.Sprintf("Depot %02d Team %02d", i/10+1, i%10+1), RoleAssignable: i%20 == 0})
	}
	return d
}

func largeGroup(i int) string { return id(fmt.Sprint("large group ", i)) }

// largeGraph gives Ada 25 directory roles in the directory and in eleven of its
// units, and 200 groups.
func largeGraph(start time.Time) *graph.Data {
	d := emptyGraph(start)
	scopes := []string{"/"}
	d.Units = nil
	for i := range 11 {
		u := graph.Unit{ID: id(fmt.Sprint("large unit ", i)), Name: fmt.Sprintf("Region %02d", i+1)}
		d.Units = append(d.Units, u)
		scopes = append(scopes, unitsPath+u.ID)
	}
	since := start.Add(-30 * day)
	end := func(i int) time.Time {
		if i%3 == 0 {
			return time.Time{}
		}
		return start.Add(time.Duration(30*(i%3)) * day)
	}
	for i, scope := range scopes {
		for j, r := range d.Roles[2:27] {
			d.RoleEligibilities = append(d.RoleEligibilities, graph.RoleGrant{Role: r.ID, Scope: scope, Principal: ada, Start: since, End: end(i + j)})
		}
	}
	for i := range largeGroups {
		access := "member"
		if i%10 == 9 {
			access = "owner"
		}
		d.GroupEligibilities = append(d.GroupEligibilities, graph.GroupGrant{Group: largeGroup(i), Access: access, Principal: ada, Start: since, End: end(i)})
	}
	return d
}
