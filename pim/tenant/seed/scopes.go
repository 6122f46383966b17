package seed

import (
	"fmt"

	"roletray/pim/tenant/azure"
)

const groupsPath = "/providers/Microsoft.Management/managementGroups/"

// The scopes of the company.
var (
	company    = groupsPath + "halden"
	production = groupsPath + "halden-production"

	logistics = "/subscriptions/" + id("subscription logistics")
	warehouse = "/subscriptions/" + id("subscription warehouse")
	sandbox   = "/subscriptions/" + id("subscription sandbox")
	shared    = "/subscriptions/" + id("subscription shared")

	dispatch   = logistics + "/resourceGroups/rg-dispatch-prod"
	tracking   = logistics + "/resourceGroups/rg-tracking-prod"
	robots     = warehouse + "/resourceGroups/rg-robots-prod"
	portal     = warehouse + "/resourceGroups/rg-portal-prod"
	devData    = sandbox + "/resourceGroups/rg-data-dev"
	dns        = shared + "/resourceGroups/rg-dns"
	automation = shared + "/resourceGroups/rg-automation"
	treasury   = shared + "/resourceGroups/rg-treasury"

	vm1       = dispatch + "/providers/Microsoft.Compute/virtualMachines/vm-dispatch-01"
	vm2       = dispatch + "/providers/Microsoft.Compute/virtualMachines/vm-dispatch-02"
	database  = tracking + "/providers/Microsoft.Sql/servers/sql-tracking-prod"
	labels    = tracking + "/providers/Microsoft.Storage/storageAccounts/haldenlabels"
	cluster   = robots + "/providers/Microsoft.ContainerService/managedClusters/aks-robots-prod"
	site      = portal + "/providers/Microsoft.Web/sites/halden-portal"
	registry  = devData + "/providers/Microsoft.ContainerRegistry/registries/haldendev"
	workspace = automation + "/providers/Microsoft.OperationalInsights/workspaces/log-halden"
	safe      = treasury + "/providers/Microsoft.KeyVault/vaults/kv-treasury"
)

func scopes() []azure.Scope {
	list := []azure.Scope{
		{ID: company, Name: "Halden Freight"},
		{ID: production, Name: "Halden Production", Parent: company},
		{ID: logistics, Name: "Logistics Production", Parent: production},
		{ID: warehouse, Name: "Warehouse Production", Parent: production},
		{ID: sandbox, Name: "Development Sandbox", Parent: company},
		{ID: shared, Name: "Shared Services", Parent: company},
	}
	for _, path := range []string{
		dispatch, tracking, robots, portal, devData, dns, automation, treasury,
		vm1, vm2, database, labels, cluster, site, registry, workspace, safe,
	} {
		list = append(list, azure.Scope{ID: path})
	}
	return list
}

// largeScopes are 20 subscriptions and 480 resource groups below one management
// group.
func largeScopes() (all []azure.Scope, filled []string) {
	all = append(all, azure.Scope{ID: company, Name: "Halden Freight"})
	for s := range 20 {
		sub := "/subscriptions/" + id(fmt.Sprint("large subscription ", s))
		all = append(all, azure.Scope{ID: sub, Name: fmt.Sprintf("Depot %02d", s+1), Parent: company})
		filled = append(filled, sub)
		for g := range 24 {
			group := fmt.Sprintf("%s/resourceGroups/rg-depot%02d-%02d", sub, s+1, g+1)
			all = append(all, azure.Scope{ID: group})
			filled = append(filled, group)
		}
	}
	return all, filled
}
