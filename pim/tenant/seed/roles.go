package seed

import "roletray/pim/tenant/azure"

// Microsoft's built-in roles.
const (
	owner             = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	contributor       = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	reader            = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	userAccessAdmin   = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
	networkContrib    = "4d97b98b-1d4f-4787-a291-c67834d212e7"
	vmContributor     = "9980e02c-c2be-4d73-94e8-173b1dc7cf3c"
	vmAdminLogin      = "1c0163c0-47e6-4577-8991-ea5c82e286e4"
	blobContributor   = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
	storageAccount    = "17d1049b-9a84-46fb-8f53-869881c3d3ab"
	keyVaultAdmin     = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
	secretsOfficer    = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
	sqlContributor    = "9b7fa17d-e63e-47b0-bb0a-15c516ac86ec"
	monitorContrib    = "749f88d5-cbae-40b8-bcfc-e573ddc772fa"
	monitorReader     = "43d0d8ad-25c7-4714-9337-8ba259a9fe05"
	logReader         = "73c42c96-874c-492b-b04d-ab87d138a893"
	backupOperator    = "00c29273-979b-4161-815c-10b084fb9324"
	costContributor   = "434105ed-43f6-45c7-a02f-909b2ba83430"
	securityAdmin     = "fb1c8493-542b-48eb-b624-b4c8fea62acd"
	securityReader    = "39bc4728-0917-49c7-9d2c-d95423bc2eb4"
	aksClusterAdmin   = "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8"
	dnsContributor    = "befefa01-2a29-4197-83a8-272ff33ce314"
	websiteContrib    = "de139f84-1756-47ae-9be6-808fbbe84772"
	registryPush      = "8311e382-0749-4cb8-b61a-304f252e45ec"
	automationOperate = "d3881f73-407a-4167-8283-e981cbba0404"
	tagContributor    = "4a9ae827-6dc8-4573-8ac7-8239d42aa03f"
)

// The company's own roles.
var (
	robotOperator = id("role robot operator")
	sandboxClean  = id("role sandbox cleaner")
	longName      = id("role with a long name")
)

func roles() []azure.Role {
	return []azure.Role{
		{ID: owner, Name: "Owner"},
		{ID: contributor, Name: "Contributor"},
		{ID: reader, Name: "Reader"},
		{ID: userAccessAdmin, Name: "User Access Administrator"},
		{ID: networkContrib, Name: "Network Contributor"},
		{ID: vmContributor, Name: "Virtual Machine Contributor"},
		{ID: vmAdminLogin, Name: "Virtual Machine Administrator Login"},
		{ID: blobContributor, Name: "Storage Blob Data Contributor"},
		{ID: storageAccount, Name: "Storage Account Contributor"},
		{ID: keyVaultAdmin, Name: "Key Vault Administrator"},
		{ID: secretsOfficer, Name: "Key Vault Secrets Officer"},
		{ID: sqlContributor, Name: "SQL DB Contributor"},
		{ID: monitorContrib, Name: "Monitoring Contributor"},
		{ID: monitorReader, Name: "Monitoring Reader"},
		{ID: logReader, Name: "Log Analytics Reader"},
		{ID: backupOperator, Name: "Backup Operator"},
		{ID: costContributor, Name: "Cost Management Contributor"},
		{ID: securityAdmin, Name: "Security Admin"},
		{ID: securityReader, Name: "Security Reader"},
		{ID: aksClusterAdmin, Name: "Azure Kubernetes Service Cluster Admin Role"},
		{ID: dnsContributor, Name: "DNS Zone Contributor"},
		{ID: websiteContrib, Name: "Website Contributor"},
		{ID: registryPush, Name: "AcrPush"},
		{ID: automationOperate, Name: "Automation Operator"},
		{ID: tagContributor, Name: "Tag Contributor"},
		{ID: robotOperator, Name: "Warehouse Robot Operator", Custom: true},
		{ID: sandboxClean, Name: "Sandbox Cleaner", Custom: true},
		// 120 characters, to see what long names do to a layout.
		{ID: longName, Custom: true, Name: "Emergency Conveyor, Sorter and Automated Storage Maintenance Coordinator for Night and Weekend Shifts (Region Northwest)"},
	}
}
