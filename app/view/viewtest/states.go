// Package viewtest has states to show in tests: a demo day, one with very long names,
// and one with thousands of roles.
package viewtest

import (
	"fmt"
	"strings"
	"time"

	"roletray/app/local"
	"roletray/pim"
	"roletray/pim/store"
)

// Now is the moment that the states are made for: a Sunday afternoon at UTC.
var Now = time.Date(2026, time.November, 22, 14, 8, 0, 0, time.UTC)

// The account of the states, and the ids in it.
const (
	AccountID    = "contoso-ann"
	production   = "/subscriptions/11111111-1111-1111-1111-111111111111"
	development  = "/subscriptions/22222222-2222-2222-2222-222222222222"
	managedGroup = "/providers/Microsoft.Management/managementGroups/"
)

func scope(id, name string, t pim.ScopeType) pim.Scope {
	return pim.Scope{ID: id, Name: name, Type: t}
}

// The scopes of the demo state.
var (
	Production  = scope(production, "Production", pim.ScopeSubscription)
	Development = scope(development, "Development", pim.ScopeSubscription)
	Web         = scope(production+"/resourceGroups/rg-web", "rg-web", pim.ScopeResourceGroup)
	Data        = scope(production+"/resourceGroups/rg-data", "rg-data", pim.ScopeResourceGroup)
	Vault       = scope(production+"/resourceGroups/rg-data/providers/Microsoft.KeyVault/vaults/kv-payroll", "kv-payroll", "Microsoft.KeyVault/vaults")
	Platform    = scope(managedGroup+"platform", "Platform", pim.ScopeManagementGroup)
	Directory   = scope("/", "Contoso", pim.ScopeDirectory)
)

// Role makes a role whose definition is known by its name.
func Role(name string, s pim.Scope) pim.Role {
	kind := pim.KindAzure
	if s.Type == pim.ScopeDirectory {
		kind = pim.KindDirectory
	}
	return pim.Role{Kind: kind, Name: name, DefinitionID: "role-" + strings.ReplaceAll(strings.ToLower(name), " ", "-"), Scope: s}
}

// Account is the signed-in account of the states.
func Account() pim.Account {
	return pim.Account{
		ID: AccountID, UserID: "ann", TenantID: "33333333-3333-3333-3333-333333333333",
		Username: "ann@contoso.example", Name: "Ann Admin", Method: pim.SignInBrowser,
	}
}

// Demo is an ordinary afternoon: roles active, ending soon and unconfirmed, requests in
// every phase, recent roles, and eligibilities with every policy.
func Demo() *local.State {
	now := Now
	contributor, reader, secrets := Role("Contributor", Production), Role("Reader", Platform), Role("Key Vault Secrets Officer", Vault)
	owner, uaa := Role("Owner", Web), Role("User Access Administrator", Production)
	network, backup := Role("Network Contributor", Web), Role("Backup Operator", Data)
	vm, sql := Role("Virtual Machine Contributor", Development), Role("SQL DB Contributor", Data)
	global := Role("Security Administrator", Directory)
	custom := Role("Payroll Support", Data)
	custom.Custom = true

	active := func(r pim.Role, start, end time.Duration) pim.ActiveRole {
		return pim.ActiveRole{Certainty: pim.Listed, Assignment: pim.Assignment{
			Role: r, ID: "active-" + r.Name, Type: pim.Activated, Start: now.Add(start), End: now.Add(end),
		}}
	}
	unconfirmed := active(reader, -90*time.Minute, 150*time.Minute)
	unconfirmed.Certainty, unconfirmed.UnconfirmedSince = pim.Unconfirmed, now.Add(-6*time.Minute)

	waiting := pim.Request{
		ID: "r1", Role: uaa, Action: pim.ActionActivate, Status: "PendingApproval", Created: now.Add(-12 * time.Minute),
		Duration: 2 * time.Hour, Justification: "INC-4711 restore access",
	}
	scheduled := pim.Request{
		ID: "r2", Role: network, Action: pim.ActionActivate, Status: "Granted", Created: now.Add(-time.Hour),
		Start: now.Add(3 * time.Hour), Duration: time.Hour, Justification: "Firewall change tonight",
	}
	boris := pim.Principal{ID: "boris", Name: "Boris Boss"}
	approved := pim.Review{Result: pim.ReviewApproved, By: boris, At: now.Add(-47 * time.Minute)}
	denied := pim.Review{Result: pim.ReviewDenied, By: boris, At: now.Add(-25 * time.Hour), Reason: "Not during the freeze; ask again on Monday"}
	s := &pim.Snapshot{
		Account: Account(), At: now.Add(-12 * time.Second),
		Active: []pim.ActiveRole{
			active(contributor, -48*time.Minute, 72*time.Minute),
			active(secrets, -2*time.Minute, 8*time.Minute),
			unconfirmed,
		},
		Eligible: []pim.Eligibility{
			{Role: backup, ID: "e1"},
			{Role: contributor, ID: "e2"},
			{Role: secrets, ID: "e3"},
			{Role: network, ID: "e4"},
			{Role: owner, ID: "e5", End: now.Add(50 * time.Hour)},
			{Role: custom, ID: "e6", Via: pim.ViaGroup, PrincipalName: "Payroll on call"},
			{Role: reader, ID: "e7"},
			{Role: global, ID: "e8"},
			{Role: sql, ID: "e9"},
			{Role: uaa, ID: "e10"},
			{Role: vm, ID: "e11", Via: pim.ViaGroup},
		},
		Requests: []pim.Request{
			waiting, scheduled,
			{ID: "r3", Role: contributor, Action: pim.ActionActivate, Status: "Provisioned", Created: now.Add(-48 * time.Minute), Duration: 2 * time.Hour, Justification: "Deploy 3.2", Review: approved},
			{ID: "r4", Role: owner, Action: pim.ActionActivate, Status: "Denied", Created: now.Add(-26 * time.Hour), Duration: time.Hour, Justification: "Test", Review: denied},
			{ID: "r5", Role: sql, Action: pim.ActionDeactivate, Status: "Revoked", Created: now.Add(-50 * time.Hour)},
			{ID: "r6", Role: vm, Action: pim.ActionActivate, Status: "Canceled", Created: now.Add(-70 * time.Hour), Duration: 4 * time.Hour},
		},
		Policies: map[pim.Key]pim.Policy{
			backup.Key():  {Readable: true, MaxDuration: 8 * time.Hour, JustificationRequired: true},
			owner.Key():   {Readable: true, MaxDuration: 4 * time.Hour, JustificationRequired: true, ApprovalRequired: true, MFARequired: true, Approvers: []pim.Approver{{Name: "Boris Boss"}, {Name: "Platform owners", Group: true}}},
			custom.Key():  {},
			global.Key():  {Readable: true, MaxDuration: 2 * time.Hour, AuthContext: "c1", JustificationRequired: true},
			sql.Key():     {Readable: true, MaxDuration: 8 * time.Hour, TicketRequired: true, JustificationRequired: true},
			vm.Key():      {Readable: true, MaxDuration: 30 * time.Minute},
			network.Key(): {Readable: true, MaxDuration: 8 * time.Hour},
			uaa.Key():     {Readable: true, MaxDuration: 2 * time.Hour, ApprovalRequired: true},
		},
		Operations: []pim.Operation{
			{ID: "r1", Action: pim.ActionActivate, Role: uaa, State: pim.OperationWaiting, Request: &waiting, Started: now.Add(-12 * time.Minute), Changed: now.Add(-11 * time.Minute), Client: "window"},
			{
				ID: "o2", Action: pim.ActionActivate, Role: sql, State: pim.OperationFailed, Started: now.Add(-2 * time.Minute), Changed: now.Add(-2 * time.Minute), Client: "tray",
				Problem: &pim.Problem{Code: pim.CodePolicy, Text: "The role's settings refuse this: give a ticket number.", Details: "policy (RoleAssignmentRequestPolicyValidationFailed)\nCorrelation id: 5f0c"},
			},
		},
		Parts: []pim.Part{
			{Name: "eligible", Kind: pim.KindAzure, At: now.Add(-12 * time.Second)},
			{Name: "active", Kind: pim.KindAzure, At: now.Add(-12 * time.Second)},
			{Name: "requests", Kind: pim.KindAzure, At: now.Add(-12 * time.Second)},
		},
	}
	return &local.State{
		Build: "test", Now: now, Speed: 1, Accounts: []*pim.Snapshot{s}, TrayHosted: true,
		Settings: store.DefaultSettings(),
		Recent: []local.Recent{
			{Account: AccountID, Role: backup, Duration: 2 * time.Hour, Justification: "Weekly restore test", Used: now.Add(-3 * time.Hour)},
			{Account: AccountID, Role: vm, Duration: 2 * time.Hour, Justification: "Patch jump host", Used: now.Add(-4 * time.Hour)},
			{Account: AccountID, Role: contributor, Duration: 2 * time.Hour, Justification: "Deploy 3.2", Used: now.Add(-48 * time.Minute)},
		},
	}
}

// Troubled is a demo day on which much is wrong: a list from yesterday, a sign-in that is
// needed, a part that fails, and standing notices.
func Troubled() *local.State {
	state := Demo()
	s := *state.Accounts[0]
	s.FromDisk, s.Refreshing = true, true
	s.At = Now.Add(-20 * time.Hour)
	s.SignIn = &pim.Problem{Code: pim.CodeSignInNeeded, Text: "Sign in again to go on."}
	s.Parts = []pim.Part{
		{Name: "eligible", Kind: pim.KindAzure, At: Now.Add(-20 * time.Hour), Problem: &pim.Problem{Code: pim.CodeThrottled, Text: "The service asks for fewer calls. Wait a minute and try again."}},
		{Name: "active", Kind: pim.KindAzure, At: Now.Add(-20 * time.Hour), Problem: &pim.Problem{Code: pim.CodeThrottled, Text: "The service asks for fewer calls. Wait a minute and try again."}},
		{Name: "requests", Kind: pim.KindAzure, At: Now.Add(-20 * time.Hour)},
	}
	state.Accounts = []*pim.Snapshot{&s}
	state.TrayHosted = false
	state.Notices = []local.Notice{
		{ID: "tray", Text: "This desktop shows no tray icons. Install the AppIndicator extension, or keep this window open."},
	}
	return state
}

// SignedOut is the state of a new profile.
func SignedOut() *local.State {
	return &local.State{Build: "test", Now: Now, Speed: 1, TrayHosted: true, Settings: store.DefaultSettings()}
}

// Long is the demo state with names as long and as foreign as they come.
func Long() *local.State {
	state := Demo()
	s := *state.Accounts[0]
	names := []string{
		strings.Repeat("Extraordinarily Privileged Contributor ", 4),
		strings.Repeat("特権ロール管理者", 18),
		strings.Repeat("مسؤول الوصول المميز ", 8),
		strings.Repeat("Donaudampfschifffahrtsgesellschaft", 4),
		"a" + strings.Repeat("\u0301", 40) + " " + strings.Repeat("👩‍💻", 30),
	}
	long := func(r pim.Role, i int) pim.Role {
		r.Name = names[i%len(names)]
		r.Scope.Name = strings.Repeat(names[(i+1)%len(names)], 2)
		return r
	}
	s.Account.Name = strings.Repeat("Wolfeschlegelsteinhausenbergerdorff ", 4)
	s.Account.Username = strings.Repeat("very-long-name", 9) + "@contoso.example"
	s.Active, s.Eligible, s.Requests, s.Operations = nil, nil, nil, nil
	for i, a := range state.Accounts[0].Active {
		a.Assignment.Role = long(a.Assignment.Role, i)
		s.Active = append(s.Active, a)
	}
	for i, e := range state.Accounts[0].Eligible {
		e.Role = long(e.Role, i)
		e.PrincipalName = strings.Repeat("Group ", 30)
		e.Via = pim.ViaGroup
		e.Role.Custom = true
		s.Eligible = append(s.Eligible, e)
	}
	for i, q := range state.Accounts[0].Requests {
		q.Role = long(q.Role, i)
		q.Justification = strings.Repeat("because ", 40)
		if q.Review.Result != "" {
			q.Review.By.Name, q.Review.Reason = names[i%len(names)], strings.Repeat("not today ", 400)
		}
		s.Requests = append(s.Requests, q)
	}
	for i, o := range state.Accounts[0].Operations {
		o.Role = long(o.Role, i)
		if o.Problem != nil {
			o.Problem = &pim.Problem{Code: o.Problem.Code, Text: "The service refused: " + strings.Repeat("the role assignment request failed ", 8) + ".", Details: strings.Repeat("detail ", 100)}
		}
		s.Operations = append(s.Operations, o)
	}
	state.Accounts = []*pim.Snapshot{&s}
	for i := range state.Recent {
		state.Recent[i].Role = long(state.Recent[i].Role, i)
		state.Recent[i].Justification = strings.Repeat("because ", 40)
	}
	state.Notices = []local.Notice{{ID: "long", Text: strings.Repeat("The keychain of this computer is locked and stays so. ", 6)}}
	return state
}

// Large is a state with n eligible roles.
func Large(n int) *local.State {
	state := Demo()
	s := *state.Accounts[0]
	s.Eligible = nil
	s.Policies = map[pim.Key]pim.Policy{}
	for i := range n {
		sub := scope(fmt.Sprintf("/subscriptions/%08d-0000-0000-0000-000000000000", i/10), fmt.Sprintf("Subscription %04d", i/10), pim.ScopeSubscription)
		r := Role(fmt.Sprintf("Role %02d of Zürich", i%10), sub)
		s.Eligible = append(s.Eligible, pim.Eligibility{Role: r, ID: fmt.Sprint("e", i)})
		s.Policies[r.Key()] = pim.Policy{Readable: true, MaxDuration: 8 * time.Hour, MFARequired: i%2 == 0}
	}
	state.Accounts = []*pim.Snapshot{&s}
	return state
}
