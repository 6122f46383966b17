package viewtest

import (
	"slices"
	"strings"
	"time"

	"roletray/app/local"
	"roletray/pim"
)

// OnCall is the group of the full state whose membership brings roles.
var OnCall = scope("44444444-4444-4444-4444-444444444444", "Payroll on call", pim.ScopeGroup)

// Member is the membership of a group.
func Member(group pim.Scope) pim.Role {
	return pim.Role{Kind: pim.KindGroup, Name: "Member", DefinitionID: "member", Access: pim.AccessMember, Scope: group}
}

// Full is the demo day with everything else that a person can meet: all kinds of role, requests
// to decide, plans, favourites, groups that bring roles, ends that can be put off, and a part
// for which consent is missing.
func Full() *local.State {
	now := Now
	state := Demo()
	s := *state.Accounts[0]
	contributor, reader := Role("Contributor", Production), Role("Reader", Platform)
	backup, owner := Role("Backup Operator", Data), Role("Owner", Web)
	security, exchange := Role("Security Administrator", Directory), Role("Exchange Administrator", Directory)
	member := Member(OnCall)

	s.Approvals = []pim.Approval{
		{
			ID: "a1", Requestor: pim.Principal{ID: "boris", Name: "Boris Boss"},
			Request: pim.Request{
				ID: "q1", Role: owner, Action: pim.ActionActivate, Status: "PendingApproval", Created: now.Add(-22 * time.Hour),
				Duration: 2 * time.Hour, Justification: "CHG-88 move the shop to the new plan", Ticket: pim.Ticket{Number: "CHG-88", System: "Jira"},
			},
		},
		{
			ID: "a2", Requestor: pim.Principal{ID: "cleo", Name: "Cleo Clerk"},
			Request: pim.Request{
				ID: "q2", Role: security, Action: pim.ActionActivate, Status: "PendingApproval", Created: now.Add(-9 * time.Minute),
				Start: now.Add(4 * time.Hour), Duration: time.Hour, Justification: "Review alerts",
			},
		},
		{
			ID: "a3", Requestor: pim.Principal{ID: "ann", Name: "Ann Admin"},
			Request: pim.Request{ID: "q3", Role: member, Action: pim.ActionActivate, Status: "PendingApproval", Created: now.Add(-3 * time.Minute), Duration: time.Hour},
		},
	}
	s.Plans = []pim.Plan{
		{Role: contributor, Eligibility: contributor.Key(), At: now.Add(72 * time.Minute), Duration: 2 * time.Hour, Local: true, State: pim.PlanWaiting},
		{
			Role: security, Eligibility: security.Key(), At: now.Add(-4 * time.Minute), Duration: time.Hour, Local: true, State: pim.PlanAsks,
			Problem: &pim.Problem{Code: pim.CodeStepUp, Text: "This role asks for a stronger sign-in. Activate it again and complete the prompt in the browser."},
		},
	}
	s.Active = append(slices.Clone(s.Active), pim.ActiveRole{Certainty: pim.Listed, Assignment: pim.Assignment{
		Role: exchange, ID: "assigned", Type: pim.Assigned, Via: pim.ViaDirect, Start: now.Add(-2000 * time.Hour), End: now.Add(100 * time.Hour),
	}})
	s.Eligible = append(slices.Clone(s.Eligible),
		pim.Eligibility{Role: member, ID: "e20", MayGiveRoles: true},
		pim.Eligibility{Role: Role("Cost Reader", Data), ID: "e21", Via: pim.ViaGroup, PrincipalName: "Payroll on call", Behind: member.Key(), BehindName: "Payroll on call"},
		pim.Eligibility{Role: Role("Monitoring Reader", Web), ID: "e22", End: now.Add(5 * 24 * time.Hour)},
	)
	s.Ended = []pim.Eligibility{{Role: Role("Website Contributor", Web), ID: "e30", Via: pim.ViaDirect, End: now.Add(-60 * time.Hour)}}
	extension := pim.Request{ID: "r20", Role: Role("Monitoring Reader", Web), Action: pim.ActionExtend, Status: "PendingAdminDecision", Created: now.Add(-time.Hour), OfEligibility: true}
	s.Requests = append(slices.Clone(s.Requests), extension)
	denied := pim.Request{
		ID: "r23", Role: Role("Cost Contributor", Production), Action: pim.ActionActivate, Status: "Denied", Created: now.Add(-5 * time.Minute), Duration: time.Hour,
		Review: pim.Review{Result: pim.ReviewDenied, By: pim.Principal{ID: "cleo", Name: "Cleo Clerk"}, At: now.Add(-time.Minute), Reason: "Not today"},
	}
	s.Operations = append(slices.Clone(s.Operations),
		pim.Operation{
			ID: "o23", Action: pim.ActionActivate, Role: denied.Role, State: pim.OperationFailed, Started: denied.Created, Changed: now.Add(-time.Minute),
			Request: &denied, Problem: denied.Problem(),
		},
		pim.Operation{
			ID: "o20", Action: pim.ActionActivate, Role: Role("Log Analytics Reader", Data), State: pim.OperationPreparing, Started: now.Add(-20 * time.Second), Changed: now.Add(-10 * time.Second),
			Steps: []pim.Step{{Role: member, State: pim.OperationWaiting, Operation: "o21"}, {Role: Role("Log Analytics Reader", Data), State: pim.OperationPreparing}},
		},
		pim.Operation{ID: "o21", Action: pim.ActionActivate, Role: member, State: pim.OperationWaiting, Started: now.Add(-20 * time.Second), Changed: now.Add(-10 * time.Second)},
		pim.Operation{
			ID: "o22", Action: pim.ActionActivate, Role: Role("Owner", Vault), State: pim.OperationFailed, Started: now.Add(-time.Minute), Changed: now.Add(-time.Minute), Offer: &Data,
			Problem: &pim.Problem{Code: pim.CodeForbidden, Text: "You may not do this at this scope. Ask whoever manages the scope for access."},
		},
	)
	s.Eligible = append(s.Eligible, pim.Eligibility{Role: Role("Owner", Data), ID: "e23"})
	at := now.Add(-12 * time.Second)
	s.Parts = append(slices.Clone(s.Parts),
		pim.Part{Name: "eligible", Kind: pim.KindDirectory, At: at},
		pim.Part{Name: "approvals", Kind: pim.KindDirectory, Problem: &pim.Problem{Code: pim.CodeConsent, Text: "Your organisation has not allowed this application to read these roles. Ask an administrator for consent."}},
		pim.Part{Name: "requests", Kind: pim.KindGroup, At: at, Problem: &pim.Problem{Code: pim.CodeThrottled, Text: "The service asks for fewer calls. Wait a minute and try again."}},
	)
	state.Accounts = []*pim.Snapshot{&s}
	state.Consents = []local.Consent{{
		Account: AccountID, Kinds: []pim.Kind{pim.KindDirectory},
		Permissions: []string{"RoleAssignmentSchedule.ReadWrite.Directory"}, URL: "https://login.example/consent?client_id=1",
	}}
	state.Notices = []local.Notice{{ID: "consent:" + AccountID, Text: "Some roles cannot be read: have an administrator open the address."}}
	wish := func(r pim.Role, d time.Duration, why string) local.FavoriteRole {
		return local.FavoriteRole{Role: r, Eligibility: r.Key(), Duration: d, Justification: why}
	}
	state.Favorites = []local.Favorite{
		{Account: AccountID, OwnFavorite: local.OwnFavorite{ID: "f1", Name: "On call", Wishes: []local.FavoriteRole{
			wish(backup, 2*time.Hour, "On call this week"), wish(Role("Monitoring Reader", Web), 2*time.Hour, "On call this week"), wish(contributor, 2*time.Hour, "On call this week"),
		}}},
		{Account: AccountID, OwnFavorite: local.OwnFavorite{ID: "f2", Name: "Owner", Wishes: []local.FavoriteRole{wish(owner, 0, "")}}},
		{Account: AccountID, OwnFavorite: local.OwnFavorite{ID: "f3", Name: "Left behind", Wishes: []local.FavoriteRole{wish(Role("Gone", Web), time.Hour, "x"), wish(reader, time.Hour, "x")}}},
	}
	return state
}

// FullLong is the full state with names as long as they come.
func FullLong() *local.State {
	state := Full()
	s := *state.Accounts[0]
	name := strings.Repeat("Extraordinarily Privileged Contributor ", 4)
	foreign := strings.Repeat("Donaudampfschifffahrtsgesellschaft", 4)
	s.Approvals = slices.Clone(s.Approvals)
	for i := range s.Approvals {
		a := &s.Approvals[i]
		a.Requestor.Name, a.Request.Role.Name, a.Request.Role.Scope.Name = foreign, name, foreign
		a.Request.Justification, a.Request.Ticket.Number = strings.Repeat("because ", 60), strings.Repeat("1234567890", 9)
	}
	s.Eligible = slices.Clone(s.Eligible)
	for i := range s.Eligible {
		if s.Eligible[i].Behind != "" {
			s.Eligible[i].BehindName = foreign
		}
	}
	s.Operations = slices.Clone(s.Operations)
	for i := range s.Operations {
		s.Operations[i].Role.Name = name
	}
	state.Accounts = []*pim.Snapshot{&s}
	state.Favorites = slices.Clone(state.Favorites)
	for i := range state.Favorites {
		state.Favorites[i].Name = strings.Repeat("On call and more ", 4)
	}
	state.Consents[0].Permissions = []string{strings.Repeat("RoleAssignmentSchedule.ReadWrite.Directory, ", 5)}
	return state
}
