// Package seed makes up the organisations with which a simulated tenant can
// begin. Everything is invented but the built-in roles, which have Microsoft's
// names and GUIDs. The same name and start always give the same ids.
package seed

import (
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"roletray/pim/tenant/azure"
	"roletray/pim/tenant/world"
)

// Names are the seeds there are.
func Names() []string { return []string{"demo", "large", "empty"} }

// New makes up the organisation of that name as it stands at start:
//
//   - demo: a company where Ada, the first user, has some thirty eligibilities of
//     every kind for Azure roles;
//   - large: 5,000 eligibilities of Ada's in 500 scopes;
//   - empty: the company of demo where nobody is eligible for anything.
func New(name string, start time.Time) (*world.Directory, *azure.Data, error) {
	start = start.UTC().Truncate(time.Second)
	switch name {
	case "demo":
		return directory(), demo(start), nil
	case "large":
		return largeDirectory(), large(start), nil
	case "empty":
		return directory(), &azure.Data{Scopes: scopes(), Roles: roles()}, nil
	}
	return nil, nil, fmt.Errorf("no seed %q: choose one of %s", name, strings.Join(Names(), ", "))
}

// id derives a GUID from a name.
func id(name string) string {
	space := uuid.MustParse("f5a4ee1c-6d1d-5f6c-8f0a-8c1a5a3c0b77")
	return uuid.NewSHA1(space, []byte(name)).String()
}

// The people, by their first names.
var (
	ada   = id("user ada")
	bjorn = id("user bjorn")
	chidi = id("user chidi")
	dana  = id("user dana")
	emil  = id("user emil")

	platform  = id("group platform")
	security  = id("group security")
	approvers = id("group approvers")

	breakGlass    = id("group break glass")
	azureOwners   = id("group azure owners")
	databases     = id("group databases")
	reporting     = id("group reporting")
	contractors   = id("group contractors")
	incidents     = id("group incidents")
	customs       = id("group customs")
	nightShift    = id("group night shift")
	depotManagers = id("group depot managers")
)

func directory() *world.Directory {
	const domain = "haldenfreight.example"
	user := func(guid, name, mail string, groups ...string) world.User {
		return world.User{ID: guid, Name: name, UPN: mail + "@" + domain, Groups: groups}
	}
	return &world.Directory{
		TenantID: id("tenant"), Name: "Halden Freight", Domain: domain,
		Users: []world.User{
			user(ada, "Ada Lindqvist", "ada", platform, security),
			user(bjorn, "Björn Aalto", "bjorn", approvers),
			user(chidi, "Chidi Okafor", "chidi"),
			user(dana, "Dana Petrova", "dana", approvers, platform),
			user(emil, "Emil Novák", "emil"),
		},
		Groups: []world.Group{
			{ID: platform, Name: "Platform Engineers"},
			{ID: security, Name: "Security Operations"},
			{ID: approvers, Name: "Privileged Access Approvers"},
			{ID: breakGlass, Name: "Break Glass Operators", RoleAssignable: true},
			{ID: azureOwners, Name: "Azure Platform Owners"},
			{ID: databases, Name: "Fleet Database Admins"},
			{ID: reporting, Name: "Finance Reporting"},
			{ID: contractors, Name: "External Contractors"},
			{ID: incidents, Name: "Incident Response"},
			{ID: customs, Name: "Customs Data Stewards"},
			{ID: nightShift, Name: "Night Shift Dispatch"},
			{ID: depotManagers, Name: "Depot Managers"},
		},
	}
}
