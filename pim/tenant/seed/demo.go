package seed

import (
	"time"

	"roletray/pim/tenant/azure"
	"roletray/pim/tenant/ledger"
)

const day = 24 * time.Hour

// The kinds of policy.
var (
	none      = ledger.Policy{}
	justified = ledger.Policy{Justification: true}
	ticketed  = ledger.Policy{Justification: true, Ticket: true, Maximum: 4 * time.Hour}
	mfa       = ledger.Policy{MFA: true, Justification: true}
	stepUp    = ledger.Policy{Context: "c1", Justification: true, Maximum: 4 * time.Hour}
	halfHour  = ledger.Policy{Maximum: 30 * time.Minute}
	approved  = ledger.Policy{
		Justification: true, Maximum: 2 * time.Hour, ApproverJustifies: true,
		Approvers: []ledger.Approver{{ID: approvers, Name: "Privileged Access Approvers", Group: true}},
	}
	approvedByAda = ledger.Policy{
		Justification: true, ApproverJustifies: true,
		Approvers: []ledger.Approver{{ID: ada, Name: "Ada Lindqvist"}, {ID: dana, Name: "Dana Petrova"}},
	}
)

// condition restricts a storage role to one container.
const condition = "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'labels'))"

// never stands for an eligibility without an end.
const never = time.Duration(0)

func demo(start time.Time) *azure.Data {
	d := &azure.Data{
		Scopes: scopes(), Roles: roles(),
		DefaultPolicy: justified,
		Unreadable:    []string{treasury},
	}
	// Every scope has settings of its own for a role, so they are given with it.
	eligible := func(role, scope, who string, lasts time.Duration, p ledger.Policy) *azure.Eligibility {
		e := azure.Eligibility{Role: role, Scope: scope, Principal: who, Start: start.Add(-30 * day)}
		if lasts != never {
			e.End = start.Add(lasts)
		}
		d.Eligibilities = append(d.Eligibilities, e)
		d.Policies = append(d.Policies, azure.Policy{Role: role, Scope: scope, Policy: p})
		return &d.Eligibilities[len(d.Eligibilities)-1]
	}

	eligible(reader, company, ada, never, none)
	eligible(securityReader, company, security, never, none)
	eligible(costContributor, company, ada, 90*day, justified)
	eligible(securityAdmin, production, ada, 60*day, stepUp)
	eligible(networkContrib, production, platform, never, justified)

	eligible(owner, logistics, ada, 30*day, approved)
	eligible(contributor, logistics, ada, 180*day, ticketed)
	eligible(userAccessAdmin, logistics, ada, 12*day, approved)
	eligible(monitorContrib, logistics, platform, never, none)
	eligible(keyVaultAdmin, dispatch, ada, 120*day, stepUp)
	eligible(vmAdminLogin, vm1, ada, never, mfa)
	eligible(vmAdminLogin, vm2, ada, never, mfa)
	eligible(vmContributor, vm1, ada, never, none)
	eligible(sqlContributor, database, ada, 45*day, halfHour)
	e := eligible(blobContributor, labels, ada, never, justified)
	e.Condition, e.ConditionVersion = condition, "2.0"

	eligible(contributor, warehouse, ada, 5*day, justified)
	eligible(backupOperator, warehouse, platform, never, none)
	eligible(aksClusterAdmin, cluster, ada, 200*day, ticketed)
	eligible(robotOperator, robots, ada, never, justified)
	eligible(longName, robots, ada, 14*day, none)
	eligible(reader, portal, ada, never, none)

	eligible(owner, sandbox, ada, never, none)
	eligible(contributor, sandbox, ada, never, none)
	eligible(storageAccount, devData, ada, never, none)
	eligible(sandboxClean, sandbox, ada, 25*day, none)
	eligible(registryPush, registry, ada, never, none)

	eligible(contributor, shared, ada, 365*day, mfa)
	eligible(tagContributor, shared, ada, 13*day, justified)
	eligible(dnsContributor, dns, platform, never, justified)
	eligible(automationOperate, automation, ada, never, halfHour)
	eligible(logReader, workspace, ada, never, none)
	eligible(secretsOfficer, treasury, ada, 75*day, none)
	eligible(contributor, treasury, ada, never, justified)

	// What a group brings to who joins it for a while.
	eligible(owner, shared, azureOwners, never, justified)

	eligible(reader, company, bjorn, never, none)
	eligible(reader, sandbox, chidi, 60*day, none)
	eligible(owner, logistics, chidi, 60*day, approved)
	eligible(websiteContrib, portal, chidi, never, approvedByAda)

	d.Assignments = []azure.Assignment{
		{Role: reader, Scope: shared, Principal: ada, Start: start.Add(-200 * day)},
		{Role: monitorReader, Scope: logistics, Principal: ada, Start: start.Add(-80 * day), End: start.Add(10 * day)},
		{Role: reader, Scope: company, Principal: dana, Start: start.Add(-300 * day)},
		{Role: monitorContrib, Scope: warehouse, Principal: azureOwners, Start: start.Add(-300 * day)},
	}
	return d
}

// large fills 500 scopes with ten roles each.
func large(start time.Time) *azure.Data {
	all, filled := largeScopes()
	d := &azure.Data{Scopes: all, Roles: roles(), DefaultPolicy: justified}
	few := []string{
		owner, contributor, reader, networkContrib, vmContributor,
		storageAccount, keyVaultAdmin, monitorContrib, backupOperator, tagContributor,
	}
	for i, scope := range filled {
		for j, role := range few {
			e := azure.Eligibility{Role: role, Scope: scope, Principal: ada, Start: start.Add(-30 * day)}
			if n := (i + j) % 3; n > 0 {
				e.End = start.Add(time.Duration(30*n) * day)
			}
			d.Eligibilities = append(d.Eligibilities, e)
		}
	}
	return d
}
