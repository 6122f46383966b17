package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roletray/app/cli"
	"roletray/app/local"
	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
)

var update = flag.Bool("update", false, "write the golden files")

// scripted is an agent with one state and one answer to everything.
type scripted struct {
	mu        sync.Mutex
	state     local.State
	operation pim.Operation
	findings  []pim.Finding
	outcomes  []*pim.Problem
	plan      pim.Plan
	children  []pim.Scope
	history   []local.HistoryEntry
	policy    pim.Policy
	// What was asked for.
	wishes []session.Wish
	sent   [][]session.Wish
	checks int
	// wider has the service refuse rg-web, and name the scope above it.
	wider       bool
	cancelled   string
	deactivated pim.Key
	decided     local.DecideRequest
	continued   local.ContinueRequest
	dropped     pim.Key
	prolonged   local.ProlongRequest
	below       pim.Scope
	favorites   []local.OwnFavorite
	searched    local.HistoryRequest
	shows       int
	quits       int
	// blocked makes Wait last until its caller goes away, after saying so.
	blocked chan struct{}
}

func (s *scripted) State() *local.State                  { return &s.state }
func (s *scripted) Subscribe() (<-chan struct{}, func()) { return nil, func() {} }
func (s *scripted) Quit()                                { s.quits++ }

func (s *scripted) Show(context.Context, local.ShowRequest) error {
	s.shows++
	return nil
}

func (s *scripted) Refresh(context.Context, local.RefreshRequest) error { return nil }
func (s *scripted) SignOut(context.Context, local.SignOutRequest) error { return nil }
func (s *scripted) SaveSettings(context.Context, store.Settings) error  { return nil }

func (s *scripted) SignIn(_ context.Context, r local.SignInRequest) (pim.Account, error) {
	return s.state.Accounts[0].Account, nil
}

func (s *scripted) Policy(context.Context, local.RoleRequest) (pim.Policy, error) {
	return s.policy, nil
}

func (s *scripted) Activate(_ context.Context, r local.ActivateRequest) (local.ActivateAnswer, error) {
	s.wishes = r.Wishes
	if r.Check {
		if s.checks++; s.findings == nil {
			return local.ActivateAnswer{Findings: make([]pim.Finding, len(r.Wishes))}, nil
		}
		return local.ActivateAnswer{Findings: s.findings}, nil
	}
	s.sent = append(s.sent, r.Wishes)
	var all []pim.Operation
	for _, w := range r.Wishes {
		o := s.operation
		if s.wider && w.Scope.ID == "/subscriptions/1/resourceGroups/rg-web" {
			o.State, o.Problem = pim.OperationFailed, pim.Explain(&pim.Error{Code: pim.CodeForbidden})
			o.Offer = &pim.Scope{ID: "/subscriptions/1", Name: "Production", Type: pim.ScopeSubscription}
			o.Role = o.Role.At(w.Scope)
		}
		all = append(all, o)
	}
	return local.ActivateAnswer{Operations: all}, nil
}

func (s *scripted) Deactivate(_ context.Context, r local.RoleRequest) (pim.Operation, error) {
	s.deactivated = r.Key
	return s.operation, nil
}

func (s *scripted) Cancel(_ context.Context, r local.CancelRequest) error {
	s.cancelled = r.Request
	return nil
}

func (s *scripted) Wait(ctx context.Context, _ local.WaitRequest) (pim.Operation, error) {
	if s.blocked != nil {
		close(s.blocked)
		<-ctx.Done()
		return pim.Operation{}, ctx.Err()
	}
	return s.operation, nil
}

func (s *scripted) Decide(_ context.Context, r local.DecideRequest) (local.DecideAnswer, error) {
	s.decided = r
	return local.DecideAnswer{Outcomes: s.outcomes}, nil
}

func (s *scripted) Continue(_ context.Context, r local.ContinueRequest) (pim.Plan, error) {
	s.continued = r
	return s.plan, nil
}

func (s *scripted) DropPlan(_ context.Context, r local.RoleRequest) error {
	s.dropped = r.Key
	return nil
}

func (s *scripted) Prolong(_ context.Context, r local.ProlongRequest) (pim.Operation, error) {
	s.prolonged = r
	return s.operation, nil
}

func (s *scripted) Children(_ context.Context, r local.ChildrenRequest) (local.ChildrenAnswer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.below = r.Scope
	return local.ChildrenAnswer{Scopes: s.children}, nil
}

func (s *scripted) SaveFavorites(_ context.Context, r local.FavoritesRequest) error {
	s.favorites = r.Favorites
	return nil
}

func (s *scripted) Export(_ context.Context, r local.ExportRequest) (local.ExportAnswer, error) {
	s.searched = r.HistoryRequest
	return local.ExportAnswer{Text: "time,action\n" + string(r.Format) + "\n"}, nil
}

func (s *scripted) History(_ context.Context, r local.HistoryRequest) (local.HistoryAnswer, error) {
	s.searched = r
	return local.HistoryAnswer{Entries: s.history}, nil
}

var now = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

const guid = "11111111-2222-3333-4444-555555555555"

func role(name, scope, id string) pim.Role {
	return pim.Role{
		Kind: pim.KindAzure, Name: name, DefinitionID: "/providers/Microsoft.Authorization/roleDefinitions/" + strings.ToLower(name[:3]),
		Scope: pim.Scope{ID: id, Name: scope, Type: pim.ScopeSubscription},
	}
}

// group is membership of a group.
func group() pim.Role {
	return pim.Role{Kind: pim.KindGroup, Name: "Member", DefinitionID: "member", Access: pim.AccessMember, Scope: pim.Scope{ID: "g-1", Name: "Azure Owners", Type: pim.ScopeGroup}}
}

// withApprovals gives two requests of others to decide, one with a hostile text.
func withApprovals(s *scripted) {
	s.state.Accounts[0].Approvals = []pim.Approval{
		{ID: strings.ReplaceAll(guid, "5", "9"), Requestor: pim.Principal{ID: "u-1", Name: "Chidi Okafor"}, Request: pim.Request{
			ID: strings.ReplaceAll(guid, "1", "2"), Role: role("Owner", "Logistics", "/subscriptions/3"), Action: pim.ActionActivate, Status: "PendingApproval",
			Created: now.Add(-time.Hour), Duration: 90 * time.Minute, Justification: "=cmd()\x1b[2J\nsecond line", Ticket: pim.Ticket{Number: "INC-1\u202e", System: "Jira"},
		}},
		{ID: "a-2", Requestor: pim.Principal{ID: "u-2", Name: "Björn Åkesson"}, Request: pim.Request{
			ID: "r-2", Role: role("Reader", "Sandbox", "/subscriptions/4"), Action: pim.ActionActivate, Status: "PendingApproval", Created: now.Add(-time.Minute), End: now.Add(time.Hour),
		}},
	}
}

func plan(local bool) pim.Plan {
	p := pim.Plan{Role: role("Contributor", "Production", "/subscriptions/1"), At: now.Add(80 * time.Minute), Duration: time.Hour, State: pim.PlanWaiting, Local: local}
	if !local {
		p.Request = guid
	}
	return p
}

// everything has all that status can tell.
func everything(s *scripted) {
	withApprovals(s)
	asks := plan(true)
	asks.State, asks.Problem, asks.Role = pim.PlanAsks, pim.Explain(&pim.Error{Code: pim.CodeStepUp}), role("Reader", "Sandbox", "/subscriptions/4")
	s.state.Accounts[0].Plans = []pim.Plan{plan(true), asks}
	withdrawn := operation(role("Reader", "Sandbox", "/subscriptions/4"), pim.OperationFailed, "Canceled")
	withdrawn.Problem = withdrawn.Request.Problem()
	calledOff := operation(role("Reader", "Sandbox", "/subscriptions/5"), pim.OperationFailed, "")
	calledOff.Request, calledOff.Problem = nil, pim.Explain(&pim.Error{Code: pim.CodeCancelled})
	s.state.Accounts[0].Operations = append(s.state.Accounts[0].Operations, withdrawn, calledOff)
	s.state.Consents = []local.Consent{{
		Account: "acc", Kinds: []pim.Kind{pim.KindDirectory}, Permissions: []string{"User.Read", "RoleEligibilitySchedule.Read.Directory"}, URL: "https://login.example/t/v2.0/adminconsent?client_id=c",
	}}
}

// soon has the eligibility for Owner end within two weeks, and ended has it over.
func soon(s *scripted) { s.state.Accounts[0].Eligible[0].End = now.Add(48 * time.Hour) }

func ended(s *scripted) {
	e := s.state.Accounts[0].Eligible[0]
	e.End = now.Add(-48 * time.Hour)
	s.state.Accounts[0].Ended = []pim.Eligibility{e}
}

// prolonging has something of everything that can be extended or renewed, and one for which that is
// asked already.
func prolonging(s *scripted) {
	soon(s)
	ended(s)
	snap := s.state.Accounts[0]
	snap.Ended[0].Role = role("Backup Operator", "Warehouse", "/subscriptions/6")
	snap.Eligible[2].Role.Name, snap.Eligible[2].Via, snap.Eligible[2].End = "Reader", pim.ViaDirect, now.Add(72*time.Hour)
	snap.Requests = append(snap.Requests, pim.Request{ID: "r-9", Role: snap.Eligible[2].Role, Action: pim.ActionExtend, Status: "PendingAdminDecision", Created: now})
	assigned := pim.Assignment{Role: group(), Type: pim.Assigned, Via: pim.ViaDirect, Start: now.AddDate(0, -1, 0), End: now.AddDate(0, 0, 13)}
	snap.Active = append(snap.Active, pim.ActiveRole{Certainty: pim.Listed, Assignment: assigned})
	directory := role("Reports Reader", "Directory", "/")
	directory.Kind = pim.KindDirectory
	assigned.Role, assigned.End = directory, now.AddDate(0, 0, -29)
	snap.EndedAssigned = []pim.Assignment{assigned}
}

// twoAccounts signs somebody else in too, with the same roles.
func twoAccounts(s *scripted) {
	everything(s)
	other := *s.state.Accounts[0]
	other.Account.ID, other.Account.Username = "acc-2", "ada.admin@contoso.example"
	s.state.Accounts = append(s.state.Accounts, &other)
}

// already has the service say that the role is active, without a request.
func already(s *scripted) {
	s.operation.Role, s.operation.Request = s.state.Accounts[0].Active[0].Assignment.Role, nil
}

// refusedFirst finds fault with the first of two roles.
func refusedFirst(s *scripted) {
	s.findings = []pim.Finding{pim.NewFinding(&pim.Error{Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleTicketing}}), {}}
	s.operation.Role = s.state.Accounts[0].Eligible[1].Role
}

func withChildren(s *scripted) {
	s.children = []pim.Scope{
		{ID: "/subscriptions/1/resourceGroups/rg-log", Name: "rg-log", Type: pim.ScopeResourceGroup},
		{ID: "/subscriptions/1/resourceGroups/rg-web", Type: pim.ScopeResourceGroup},
	}
}

func withHistory(s *scripted) {
	owner := role("Owner", "Production", "/subscriptions/1")
	s.history = []local.HistoryEntry{
		{Account: "acc", Entry: store.Entry{
			ID: guid, At: now.Add(-time.Minute), Action: store.ActionApprove, Role: owner, Duration: time.Hour, Justification: "agreed", Requestor: pim.Principal{ID: "u-1", Name: "Chidi Okafor"},
			State: pim.OperationDone, Client: "cli (roletray, process 4711)", Request: guid,
		}},
		{Account: "acc", Entry: store.Entry{
			ID: guid, At: now.AddDate(0, 0, -1), Action: pim.ActionActivate, Role: owner, Duration: 90 * time.Minute, Justification: "deploy\n4711", Ticket: pim.Ticket{Number: "1"},
			State: pim.OperationFailed, Status: "Denied", Review: denied, Problem: pim.Request{Status: "Denied", Review: denied}.Problem(), CorrelationID: "c-1",
		}},
	}
}

// denied is what an approver said, with what does not belong on a terminal.
var denied = pim.Review{
	Result: pim.ReviewDenied, By: pim.Principal{ID: "u-1", Name: "Chidi\x1b[31m Okafor\u202e"}, At: now.AddDate(0, 0, -1),
	Reason: "not\ntoday\a " + strings.Repeat("and not tomorrow ", 60),
}

func denies(s *scripted) {
	r := s.operation.Request
	r.Status, r.Review = "Denied", pim.Review{Result: pim.ReviewDenied, By: denied.By, At: denied.At, Reason: "not today"}
	s.operation.State, s.operation.Problem = pim.OperationFailed, r.Problem()
}

func withFavorites(s *scripted) {
	owner, gone := role("Owner", "Production", "/subscriptions/1"), role("Security Admin", "Old", "/subscriptions/8")
	narrow := owner.At(pim.Scope{ID: "/subscriptions/1/resourceGroups/rg-web", Type: pim.ScopeResourceGroup})
	s.state.Favorites = []local.Favorite{
		{Account: "acc", OwnFavorite: store.Favorite{ID: "f-1", Name: "On call", Wishes: []store.FavoriteRole{
			{Role: narrow, Eligibility: owner.Key(), Duration: 2 * time.Hour, Justification: "on call duty", Ticket: pim.Ticket{Number: "7"}},
			{Role: gone, Eligibility: gone.Key()},
		}}},
		{Account: "acc", OwnFavorite: store.Favorite{ID: "f-2", Name: "Release", Wishes: []store.FavoriteRole{{Role: owner, Eligibility: owner.Key()}}}},
	}
}

func newScripted() *scripted {
	owner, reader := role("Owner", "Production", "/subscriptions/1"), role("Rea\x1b[31mder\u202e", "", "/subscriptions/2/resourceGroups/rg-log")
	contributor := role("Contributor", "Production", "/subscriptions/1")
	read := func(name string) pim.Part { return pim.Part{Name: name, Kind: pim.KindAzure, At: now} }
	snapshot := &pim.Snapshot{
		Account: pim.Account{
			ID: "acc", Username: "ada@contoso.example", Name: "Ada", TenantID: "t", Cloud: pim.Clouds()[0], Method: pim.SignInBrowser,
		},
		At: now,
		Eligible: []pim.Eligibility{
			{Role: owner, Via: pim.ViaDirect, End: now.AddDate(0, 3, 0)},
			{Role: contributor, Via: pim.ViaGroup},
			{Role: reader, Via: pim.ViaInherited, Start: now.AddDate(0, -1, 0)},
		},
		Active: []pim.ActiveRole{
			{Certainty: pim.Recorded, Assignment: pim.Assignment{
				Role: contributor, Type: pim.Activated, Via: pim.ViaGroup, Start: now.Add(-time.Hour), End: now.Add(80 * time.Minute),
			}},
			{Certainty: pim.Unconfirmed, UnconfirmedSince: now, Assignment: pim.Assignment{
				Role: reader, Type: pim.Activated, Via: pim.ViaInherited, Start: now.Add(-time.Minute), End: now.AddDate(0, 0, 1),
			}},
		},
		Requests: []pim.Request{
			{ID: guid, Role: owner, Action: pim.ActionActivate, Status: "PendingApproval", Created: now.Add(-time.Minute), Duration: time.Hour, Justification: "deploy\n4711"},
			{ID: strings.ReplaceAll(guid, "1", "a"), Role: reader, Action: pim.ActionActivate, Status: "Denied", Created: now.AddDate(0, 0, -2), Review: denied},
			{
				ID: strings.ReplaceAll(guid, "1", "b"), Role: contributor, Action: pim.ActionActivate, Status: "Provisioned", Created: now.Add(-time.Hour), Duration: time.Hour,
				Review: pim.Review{Result: pim.ReviewApproved, By: denied.By, At: now.Add(-50 * time.Minute)},
			},
			{ID: strings.ReplaceAll(guid, "1", "c"), Role: owner, Action: pim.ActionActivate, Status: "Failed", Created: now.AddDate(0, 0, -3), Review: pim.Review{Result: pim.ReviewExpired}},
		},
		Parts: []pim.Part{read("eligible"), read("active"), {
			Name: "requests", Kind: pim.KindAzure, At: now.Add(-time.Hour), Problem: pim.Explain(&pim.Error{Code: pim.CodeThrottled}),
		}},
	}
	snapshot.Operations = []pim.Operation{operation(owner, pim.OperationWaiting, "PendingApproval")}
	answer := operation(owner, pim.OperationDone, "Provisioned")
	answer.ID = strings.ReplaceAll(guid, "1", "7")
	return &scripted{
		state: local.State{
			Build: "1.2.3", Now: now, Speed: 1, Accounts: []*pim.Snapshot{snapshot}, Settings: store.DefaultSettings(),
			Notices: []local.Notice{{ID: "tray", Text: "This desktop shows no tray icon."}},
		},
		operation: answer,
		policy:    pim.Policy{Readable: true, MaxDuration: 8 * time.Hour},
	}
}

// cut has lists of which the service showed only the first rows.
func cut(s *scripted) {
	withApprovals(s)
	for _, name := range []string{pim.PartEligible, pim.PartRequests, pim.PartApprovals} {
		s.state.Accounts[0].Parts = append(s.state.Accounts[0].Parts, pim.Part{Name: name, Kind: pim.KindDirectory, At: now, Cut: 50})
	}
}

func operation(r pim.Role, state pim.OperationState, status pim.Status) pim.Operation {
	return pim.Operation{
		ID: guid, Action: pim.ActionActivate, Role: r, State: state, Started: now, Changed: now,
		Request: &pim.Request{ID: guid, Role: r, Action: pim.ActionActivate, Status: status, Created: now, Duration: time.Hour},
	}
}

// line is a command line and what it says.
type line struct {
	args           string
	code           int
	stdout, stderr string
}

// run carries out a command line against an agent.
func run(t *testing.T, profile, args string) line {
	t.Helper()
	return runContext(t, t.Context(), profile, split(args))
}

// split is the words of a command line. Quotes keep several together.
func split(line string) []string {
	var out []string
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}

func runContext(t *testing.T, ctx context.Context, profile string, args []string) line {
	t.Helper()
	return runAsked(t, ctx, profile, args, nil)
}

// runAsked is runContext at a terminal, where ask answers.
func runAsked(t *testing.T, ctx context.Context, profile string, args []string, ask func(context.Context, string) (bool, error)) line {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := cli.Run(ctx, cli.Params{
		Version: "1.2.3", Stdout: &stdout, Stderr: &stderr, Location: time.UTC, Ask: ask,
		RunAgent: func(context.Context, *local.Instance, cli.AgentOptions) error {
			return fmt.Errorf("no agent in this test")
		},
		StartAgent: func(context.Context, string, []string) error {
			return fmt.Errorf("no agent can be started in this test")
		},
	}, append(args, "--profile", profile))
	return line{strings.Join(args, " "), code, stdout.String(), stderr.String()}
}

func serve(t *testing.T, agent local.Agent) (profile string) {
	t.Helper()
	profile = t.TempDir()
	serveIn(t, profile, agent)
	return profile
}

// serveIn makes agent the profile's until the test ends.
func serveIn(t *testing.T, profile string, agent local.Agent) {
	t.Helper()
	if err := local.PrepareProfile(profile); err != nil {
		t.Fatal(err)
	}
	in, err := local.Acquire(profile)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.Serve(ctx, agent, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestOutput holds what scripts rely on: the JSON, and the words beside it.
func TestOutput(t *testing.T) {
	for _, tt := range []struct {
		name, args string
		change     func(*scripted)
		code       int
	}{
		{"list", "list", nil, 0},
		{"list-json", "list --json", nil, 0},
		{"list-active-json", "list --active --json", nil, 0},
		{"list-prolongable", "list", prolonging, 0},
		{"list-prolongable-json", "list --active --json", prolonging, 0},
		{"list-accounts", "list", func(s *scripted) { prolonging(s); twoAccounts(s) }, 0},
		{"status-accounts", "status", func(s *scripted) { prolonging(s); twoAccounts(s) }, 0},
		{"requests-accounts", "requests", twoAccounts, 0},
		{"approvals-accounts", "approvals", twoAccounts, 0},
		{"history-accounts", "history", func(s *scripted) { withHistory(s); twoAccounts(s) }, 0},
		{"favorites-accounts", "favorites", func(s *scripted) { withFavorites(s); twoAccounts(s) }, 0},
		{"list-signin-json", "list --json", func(s *scripted) { s.state.Accounts[0].SignIn = pim.Explain(&pim.Error{Code: pim.CodeSignInNeeded}) }, 4},
		{"list-nobody-json", "list --json", func(s *scripted) { s.state.Accounts = nil }, 4},
		{"status", "status", nil, 0},
		{"status-json", "status --json", nil, 0},
		{"requests", "requests --all", nil, 0},
		{"requests-json", "requests --json", nil, 0},
		{"activate", "activate owner --reason x --duration 2h", nil, 0},
		{"activate-json", "activate owner --json", nil, 0},
		{"activate-waiting-json", "activate owner --json", func(s *scripted) { s.operation.State = pim.OperationWaiting }, 3},
		{"activate-failed-json", "activate owner --json", func(s *scripted) {
			s.operation.State, s.operation.Problem, s.operation.Request = pim.OperationFailed, pim.Explain(&pim.Error{Code: pim.CodeForbidden, Service: "Forbidden"}), nil
		}, 1},
		{"activate-signin", "activate owner", func(s *scripted) {
			s.operation.State, s.operation.Problem = pim.OperationFailed, pim.Explain(&pim.Error{Code: pim.CodeSignInNeeded})
		}, 4},
		{"activate-sent-json", "activate owner --no-wait --json", func(s *scripted) { s.operation.State = pim.OperationFollowing }, 0},
		{"activate-already", "activate contributor", already, 0},
		{"activate-already-json", "activate contributor --json", already, 0},
		{"activate-earlier", "activate owner", func(s *scripted) { s.operation = s.state.Accounts[0].Operations[0] }, 3},
		{"activate-earlier-json", "activate owner --no-wait --json", func(s *scripted) { s.operation = s.state.Accounts[0].Operations[0] }, 3},
		{"activate-earlier-scheduled", "activate owner", func(s *scripted) {
			o := &s.state.Accounts[0].Operations[0]
			o.State, o.Request.Status, o.Request.Start = pim.OperationScheduled, "Granted", now.Add(time.Hour)
			s.operation = *o
		}, 0},
		{"check-json", "activate owner --check --json", func(s *scripted) { s.findings = []pim.Finding{{}} }, 0},
		{"check-refused-json", "activate owner --check --json", func(s *scripted) {
			s.findings = []pim.Finding{{Problem: pim.Explain(&pim.Error{Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleTicketing}})}}
		}, 1},
		{"check-asks-json", "check owner --also contributor --json", func(s *scripted) {
			s.findings = []pim.Finding{{StepUp: true, Approval: true}, {Already: true}}
		}, 0},
		{"check-asks", "check owner --also contributor", func(s *scripted) {
			s.findings = []pim.Finding{{StepUp: true, Approval: true}, {Already: true}}
		}, 0},
		{"check-unknown", "check owner", func(s *scripted) {
			s.findings = []pim.Finding{pim.NewFinding(&pim.Error{Code: pim.CodeUnavailable})}
		}, 1},
		{"check-offer", "check owner --scope /subscriptions/1/resourceGroups/rg-web", func(s *scripted) {
			f := pim.NewFinding(&pim.Error{Code: pim.CodeForbidden})
			f.Offer = &pim.Scope{ID: "/subscriptions/1", Type: pim.ScopeSubscription}
			s.findings = []pim.Finding{f}
		}, 1},
		{"activate-checked", "activate owner --also contributor", refusedFirst, 1},
		{"activate-checked-json", "activate owner --also contributor --json", refusedFirst, 1},
		{"check-settings-only-json", "check owner --json", func(s *scripted) { s.findings = []pim.Finding{{Local: true}} }, 0},
		{"check-sent-json", "check owner --json", func(s *scripted) {
			s.findings = []pim.Finding{{Problem: pim.Explain(&pim.SentError{}), Operation: guid}}
		}, 1},
		{"check-several", "check owner --also contributor", func(s *scripted) {
			s.findings = []pim.Finding{{}, {Problem: pim.Explain(&pim.Error{Code: pim.CodePending})}}
		}, 1},
		{"activate-several-json", "activate owner --also contributor --json", func(s *scripted) {
			s.operation.Steps = []pim.Step{{Role: group(), State: pim.OperationDone}, {Role: s.operation.Role, State: pim.OperationDone}}
		}, 0},
		{"activate-offer", "activate owner", func(s *scripted) {
			s.operation.State, s.operation.Problem = pim.OperationFailed, pim.Explain(&pim.Error{Code: pim.CodeForbidden})
			s.operation.Offer = &pim.Scope{ID: "/subscriptions/1", Type: pim.ScopeSubscription}
		}, 1},
		{"activate-favorite", "activate --favorite call", withFavorites, 1},
		{"activate-cancelled", "activate owner", func(s *scripted) {
			s.operation.State, s.operation.Request.Status = pim.OperationFailed, "Canceled"
			s.operation.Problem = s.operation.Request.Problem()
		}, 1},
		{"activate-denied", "activate owner", denies, 1},
		{"activate-denied-json", "activate owner --json", denies, 1},
		{"status-denied", "status", func(s *scripted) {
			denies(s)
			s.state.Accounts[0].Operations = []pim.Operation{s.operation}
		}, 0},
		{"activate-behind", "activate owner", func(s *scripted) {
			s.operation.State = pim.OperationWaiting
			s.operation.Steps = []pim.Step{{Role: group(), State: pim.OperationWaiting}, {Role: s.operation.Role}}
		}, 3},
		{"list-behind", "list --eligible", func(s *scripted) {
			s.state.Accounts[0].Eligible[0].Behind = group().Key()
			s.state.Accounts[0].Eligible = append(s.state.Accounts[0].Eligible, pim.Eligibility{Role: group(), Via: pim.ViaDirect, MayGiveRoles: true})
		}, 0},
		{"status-all", "status", everything, 0},
		{"status-all-json", "status --json", everything, 0},
		{"approvals", "approvals", withApprovals, 0},
		{"approvals-json", "approvals --json", withApprovals, 0},
		{"approvals-none", "approvals", nil, 0},
		{"list-cut", "list --active", cut, 0},
		{"list-cut-json", "list --active --json", cut, 0},
		{"requests-cut", "requests", cut, 0},
		{"requests-cut-json", "requests --json", cut, 0},
		{"approvals-cut", "approvals", cut, 0},
		{"approvals-cut-json", "approvals --json", cut, 0},
		{"approve", "approve 22222222 \"reader björn\" --reason agreed", func(s *scripted) {
			withApprovals(s)
			s.outcomes = []*pim.Problem{nil, pim.Explain(&pim.Error{Code: pim.CodeDecided})}
		}, 1},
		{"approve-json", "approve 22222222 --reason agreed --json", func(s *scripted) { withApprovals(s); s.outcomes = []*pim.Problem{nil} }, 0},
		{"deny-json", "deny reader --reason no --json", func(s *scripted) {
			withApprovals(s)
			s.outcomes = []*pim.Problem{pim.Explain(&pim.Error{Code: pim.CodeStepUp})}
		}, 4},
		{"continue", "continue contributor --duration 1h", func(s *scripted) { s.plan = plan(true) }, 0},
		{"continue-json", "continue contributor --json", func(s *scripted) { s.plan = plan(false) }, 0},
		{"continue-asks", "continue contributor", func(s *scripted) { s.plan = plan(true); s.plan.Approval = true }, 0},
		{"continue-approved", "continue contributor", func(s *scripted) { s.plan = plan(false); s.plan.Approval = true }, 0},
		{"continue-asks-json", "continue contributor --json", func(s *scripted) { s.plan = plan(true); s.plan.Approval = true }, 0},
		{"continue-drop", "continue contributor --drop", everything, 0},
		{"extend-json", "extend owner --days 90 --reason x --json", func(s *scripted) {
			soon(s)
			s.operation.Action, s.operation.State, s.operation.Request = pim.ActionExtend, pim.OperationWaiting, nil
		}, 3},
		{"renew", "renew owner --reason x", func(s *scripted) {
			ended(s)
			s.operation.Action, s.operation.State, s.operation.Request = pim.ActionRenew, pim.OperationDone, nil
		}, 0},
		{"extend-early", "extend owner", nil, 1},
		{"scopes", "scopes owner", withChildren, 0},
		{"scopes-json", "scopes owner /subscriptions/1 --json", withChildren, 0},
		{"scopes-none", "scopes owner", nil, 0},
		{"scopes-search", "scopes owner --search WEB", withChildren, 0},
		{"scopes-search-json", "scopes owner --search rg- --json", withChildren, 0},
		{"scopes-search-none", "scopes owner --search sql", withChildren, 0},
		{"scopes-search-bound", "scopes owner --search rg- --limit 1", withChildren, 0},
		{"scopes-limit", "scopes owner --search x --limit 0", nil, 2},
		{"history", "history", withHistory, 0},
		{"history-json", "history --json", withHistory, 0},
		{"history-csv", "history --csv", withHistory, 0},
		{"history-none", "history", nil, 0},
		{"history-usage-json", "history --csv --json", nil, 2},
		{"favorites", "favorites", withFavorites, 0},
		{"favorites-json", "favorites list --json", withFavorites, 0},
		{"favorites-none", "favorites", nil, 0},
		{"favorites-add", "favorites add Release owner --duration 2h", nil, 0},
		{"favorites-rename-json", "favorites rename call night --json", withFavorites, 0},
		{"deactivate-json", "deactivate contributor --json", func(s *scripted) { s.operation.Action = pim.ActionDeactivate }, 0},
		{"cancel-json", "cancel owner --json", nil, 0},
		{"signin-json", "signin --json", nil, 0},
		{"version-json", "version --json", nil, 0},
		{"usage-json", "activate product --json", nil, 2},
		{"ambiguous", "activate owner", func(s *scripted) {
			directory := role("Owner", "Contoso", "/")
			directory.Kind = pim.KindDirectory
			s.state.Accounts[0].Eligible = append(s.state.Accounts[0].Eligible, pim.Eligibility{Role: directory}, pim.Eligibility{Role: group()})
		}, 2},
		{"ambiguous-accounts", "activate owner", func(s *scripted) {
			other := *s.state.Accounts[0]
			other.Account.ID, other.Account.Username = "acc-2", "ada.admin@contoso.example"
			s.state.Accounts = append(s.state.Accounts, &other)
		}, 2},
		{"ambiguous-approvals", "deny o --reason no", withApprovals, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			agent := newScripted()
			if tt.change != nil {
				tt.change(agent)
			}
			got := run(t, serve(t, agent), tt.args)
			if got.code != tt.code {
				t.Errorf("exit code %d, want %d", got.code, tt.code)
			}
			text := fmt.Sprintf("$ roletray %s\n%s--- stderr\n%s--- exit %d\n", tt.args, got.stdout, got.stderr, got.code)
			path := filepath.Join("testdata", tt.name+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatIsAskedFor(t *testing.T) {
	owner := role("Owner", "Production", "/subscriptions/1").Key()
	for _, tt := range []struct {
		args string
		want session.Wish
	}{
		{"activate owner", session.Wish{Key: owner, Duration: time.Hour}},
		{"activate owner --duration 90", session.Wish{Key: owner, Duration: 90 * time.Minute}},
		{"activate owner --duration 1:30 --reason x --ticket 1 --ticket-system J", session.Wish{Key: owner, Duration: 90 * time.Minute, Justification: "x", Ticket: pim.Ticket{Number: "1", System: "J"}}},
		{"activate owner --start 15:30", session.Wish{Key: owner, Duration: time.Hour, Start: now.Add(90 * time.Minute)}},
		{"activate owner --scope prod", session.Wish{Key: owner, Duration: time.Hour}},
		{"activate owner --scope /subscriptions/1", session.Wish{Key: owner, Duration: time.Hour}},
		{"activate owner --scope /subscriptions/1/resourceGroups/rg-web", session.Wish{Key: owner, Duration: time.Hour, Scope: pim.Scope{ID: "/subscriptions/1/resourceGroups/rg-web"}}},
	} {
		t.Run(tt.args, func(t *testing.T) {
			agent := newScripted()
			got := run(t, serve(t, agent), tt.args)
			if got.code != 0 {
				t.Fatalf("exit code %d: %s", got.code, got.stderr)
			}
			if diff := cmp.Diff([]session.Wish{tt.want}, agent.wishes); diff != "" {
				t.Errorf("wishes (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("several roles and scopes", func(t *testing.T) {
		agent := newScripted()
		got := run(t, serve(t, agent), "activate owner --scope /subscriptions/1/resourceGroups/a --scope /subscriptions/1/resourceGroups/b --also contributor --also contributor --reason x")
		want := []session.Wish{
			{Key: owner, Scope: pim.Scope{ID: "/subscriptions/1/resourceGroups/a"}, Duration: time.Hour, Justification: "x"},
			{Key: owner, Scope: pim.Scope{ID: "/subscriptions/1/resourceGroups/b"}, Duration: time.Hour, Justification: "x"},
			{Key: role("Contributor", "", "/subscriptions/1").Key(), Duration: time.Hour, Justification: "x"},
		}
		if diff := cmp.Diff(want, agent.wishes); diff != "" || got.code != 0 {
			t.Errorf("exit code %d: %s; wishes (-want +got):\n%s", got.code, got.stderr, diff)
		}
	})
	t.Run("a favourite", func(t *testing.T) {
		agent := newScripted()
		withFavorites(agent)
		if got := run(t, serve(t, agent), "activate --favorite release"); got.code != 0 || !cmp.Equal(agent.wishes, []session.Wish{{Key: owner, Duration: time.Hour}}) {
			t.Errorf("exit code %d: %s; wishes %+v", got.code, got.stderr, agent.wishes)
		}
		// Its own answers give way to the command's.
		got := run(t, serve(t, agent), "activate --favorite call --reason other --ticket 8")
		want := []session.Wish{{
			Key: owner, Scope: pim.Scope{ID: "/subscriptions/1/resourceGroups/rg-web", Type: pim.ScopeResourceGroup}, Duration: 2 * time.Hour,
			Justification: "other", Ticket: pim.Ticket{Number: "8"},
		}}
		if diff := cmp.Diff(want, agent.wishes); diff != "" || got.code != 1 {
			t.Errorf("exit code %d: %s; wishes (-want +got):\n%s", got.code, got.stderr, diff)
		}
	})
	t.Run("decide", func(t *testing.T) {
		agent := newScripted()
		withApprovals(agent)
		agent.outcomes = []*pim.Problem{nil, nil}
		got := run(t, serve(t, agent), `deny "reader" "owner chidi" reader --reason "not now"`)
		want := local.DecideRequest{Account: "acc", Justification: "not now", Approvals: []local.ApprovalRef{
			{Kind: pim.KindAzure, ID: "a-2"}, {Kind: pim.KindAzure, ID: strings.ReplaceAll(guid, "5", "9")},
		}}
		if diff := cmp.Diff(want, agent.decided); diff != "" || got.code != 0 {
			t.Errorf("exit code %d: %s; decided (-want +got):\n%s", got.code, got.stderr, diff)
		}
	})
	t.Run("continue", func(t *testing.T) {
		agent := newScripted()
		contributor := role("Contributor", "", "/subscriptions/1").Key()
		got := run(t, serve(t, agent), `continue contributor --duration 45 --reason "still at it" --ticket 3`)
		want := local.ContinueRequest{Account: "acc", Key: contributor, Duration: 45 * time.Minute, Justification: "still at it", Ticket: pim.Ticket{Number: "3"}}
		if diff := cmp.Diff(want, agent.continued); diff != "" || got.code != 0 {
			t.Errorf("exit code %d: %s; continued (-want +got):\n%s", got.code, got.stderr, diff)
		}
		everything(agent)
		if got := run(t, serve(t, agent), "continue contributor --drop"); got.code != 0 || agent.dropped != contributor {
			t.Errorf("exit code %d: %s; dropped %q", got.code, got.stderr, agent.dropped)
		}
	})
	for _, tt := range []struct {
		args   string
		change func(*scripted)
		want   local.ProlongRequest
	}{
		{"extend owner --reason x", soon, local.ProlongRequest{Account: "acc", Key: owner, Justification: "x"}},
		{"extend owner --days 10", soon, local.ProlongRequest{Account: "acc", Key: owner, End: now.AddDate(0, 0, 12)}},
		{"extend owner --until 2027-01-31", soon, local.ProlongRequest{Account: "acc", Key: owner, End: time.Date(2027, 1, 31, 23, 59, 0, 0, time.UTC)}},
		{`extend owner --until "2027-01-31 9:00"`, soon, local.ProlongRequest{Account: "acc", Key: owner, End: time.Date(2027, 1, 31, 9, 0, 0, 0, time.UTC)}},
		{"renew owner --days 10", ended, local.ProlongRequest{Account: "acc", Key: owner, End: now.AddDate(0, 0, 10)}},
		{"extend owner --assigned", func(s *scripted) {
			s.state.Accounts[0].Active = append(s.state.Accounts[0].Active, pim.ActiveRole{Assignment: pim.Assignment{
				Role: role("Owner", "Production", "/subscriptions/1"), Type: pim.Assigned, Via: pim.ViaDirect, End: now.Add(time.Hour),
			}})
		}, local.ProlongRequest{Account: "acc", Key: owner, Assigned: true}},
	} {
		t.Run(tt.args, func(t *testing.T) {
			agent := newScripted()
			tt.change(agent)
			got := run(t, serve(t, agent), tt.args)
			if diff := cmp.Diff(tt.want, agent.prolonged); diff != "" || got.code != 0 {
				t.Errorf("exit code %d: %s; prolonged (-want +got):\n%s", got.code, got.stderr, diff)
			}
		})
	}
	t.Run("scopes", func(t *testing.T) {
		agent := newScripted()
		if got := run(t, serve(t, agent), "scopes owner /subscriptions/1/resourceGroups/a/"); got.code != 0 || agent.below.ID != "/subscriptions/1/resourceGroups/a" {
			t.Errorf("exit code %d: %s; below %+v", got.code, got.stderr, agent.below)
		}
	})
	t.Run("history", func(t *testing.T) {
		agent := newScripted()
		path := filepath.Join(t.TempDir(), "history.csv")
		got := run(t, serve(t, agent), `history --search "a b" --limit 5 --account ada --csv --output `+path)
		if diff := cmp.Diff(local.HistoryRequest{Account: "acc", Search: "a b", Most: 5}, agent.searched); diff != "" || got.code != 0 {
			t.Errorf("exit code %d: %s; searched (-want +got):\n%s", got.code, got.stderr, diff)
		}
		data, err := os.ReadFile(path)
		if err != nil || string(data) != "time,action\ncsv\n" {
			t.Errorf("the file has %q, %v", data, err)
		}
		if info, err := os.Stat(path); err == nil && runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("the file is open to others: %v", info.Mode())
		}
	})
	t.Run("favourites", func(t *testing.T) {
		names := func(all []local.OwnFavorite) (out []string) {
			for _, f := range all {
				out = append(out, f.Name)
			}
			return out
		}
		for _, tt := range []struct {
			args string
			want []string
		}{
			{"favorites remove call", []string{"Release"}},
			{"favorites rename release Night", []string{"On call", "Night"}},
			{"favorites order release", []string{"Release", "On call"}},
			{"favorites add New owner --scope /subscriptions/1/resourceGroups/a --duration 2h --reason x", []string{"On call", "Release", "New"}},
		} {
			agent := newScripted()
			withFavorites(agent)
			got := run(t, serve(t, agent), tt.args)
			if diff := cmp.Diff(tt.want, names(agent.favorites)); diff != "" || got.code != 0 {
				t.Errorf("%s: exit code %d: %s; saved (-want +got):\n%s", tt.args, got.code, got.stderr, diff)
			}
			if err := store.ValidateFavorites(agent.favorites); err != nil {
				t.Errorf("%s: %v", tt.args, err)
			}
		}
	})
	t.Run("cancel by the beginning of an id", func(t *testing.T) {
		agent := newScripted()
		if got := run(t, serve(t, agent), "cancel 11111111-2222"); got.code != 0 || agent.cancelled != guid {
			t.Errorf("exit code %d, cancelled %q: %s", got.code, agent.cancelled, got.stderr)
		}
	})
	t.Run("deactivate", func(t *testing.T) {
		agent := newScripted()
		if got := run(t, serve(t, agent), "deactivate contributor"); got.code != 0 || agent.deactivated != role("Contributor", "", "/subscriptions/1").Key() {
			t.Errorf("exit code %d, deactivated %q: %s", got.code, agent.deactivated, got.stderr)
		}
	})
}

// TestActiveRoleThatWasAssigned has an assigned role beside activated ones whose
// names contain its own.
func TestActiveRoleThatWasAssigned(t *testing.T) {
	global, sandbox := role("Global Reader", "Production", "/subscriptions/1"), role("Log Analyst", "Sandbox", "/subscriptions/4")
	for _, tt := range []struct {
		args, says string
		code       int
		key        pim.Key
	}{
		{"deactivate log reader", "Log Reader · Production was assigned to you and not activated, so you cannot end it", 1, ""},
		{"deactivate global reader", "", 0, global.Key()},
		{"deactivate log", "could be any of", 2, ""},
		{"deactivate log analyst", "", 0, sandbox.Key()},
		{"deactivate log analyst production", "was assigned to you", 1, ""},
		{"continue log reader", "there is nothing to continue", 1, ""},
	} {
		agent := newScripted()
		snap := agent.state.Accounts[0]
		snap.Active = nil
		add := func(typ pim.AssignmentType, r pim.Role) {
			snap.Active = append(snap.Active, pim.ActiveRole{Assignment: pim.Assignment{Role: r, Type: typ, Start: now.Add(-time.Hour), End: now.Add(time.Hour)}})
		}
		add(pim.Activated, global)
		add(pim.Activated, role("Log Reader Global", "Production", "/subscriptions/1"))
		add(pim.Assigned, role("Log Reader", "Production", "/subscriptions/1"))
		add(pim.Activated, sandbox)
		add(pim.Assigned, role("Log Analyst", "Production", "/subscriptions/1"))
		got := run(t, serve(t, agent), tt.args)
		if got.code != tt.code || !strings.Contains(got.stderr, tt.says) || agent.deactivated != tt.key || agent.continued.Key != "" {
			t.Errorf("%s: exit code %d, deactivated %q, continued %q: %s", tt.args, got.code, agent.deactivated, agent.continued.Key, got.stderr)
		}
	}
}

func TestWrongUse(t *testing.T) {
	agent := newScripted()
	agent.policy.JustificationRequired = true
	profile := serve(t, agent)
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct {
		args, says string
		code       int
	}{
		{"frobnicate", `no command "frobnicate"`, 2},
		{"list everything", `takes no "everything"`, 2},
		{"list --frobnicate", "unknown flag", 2},
		{"activate owner --frobnicate", "see roletray activate --help", 2},
		{"favorites add --frobnicate", "see roletray favorites add --help", 2},
		{"activte owner", "did you mean activate? See roletray --help", 2},
		{"frobnicate", `There is no command "frobnicate"; see roletray --help`, 2},
		{"activate", "Name the role", 2},
		{"activate wizard", "no role that may be activated", 2},
		{"activate contributor", "Contributor · Production needs a justification", 2},
		{"activate owner --reason x --duration soon", "--duration", 2},
		{"activate owner --reason x --duration 9h", "at most 8 h", 2},
		{"activate owner --reason x --start never", "--start", 2},
		{`activate owner --reason x --start "2027-06-01 9:00"`, "The eligibility for Owner · Production ends before that start; choose an earlier --start.", 2},
		{"activate owner --reason x --scope /subscriptions/9", "no role that may be activated", 2},
		{"deactivate owner", "no active role", 2},
		{"deactivate rg-log", "first five minutes", 1},
		{"check", "Name the role", 2},
		{"activate --also wizard", "no role that may be activated", 2},
		{"activate --also reader --scope x", "names first", 2},
		{"activate --favorite none", `no favourite "none"`, 2},
		{"approvals now", `takes no "now"`, 2},
		{"approve", "Name the request", 2},
		{"approve owner", "Say why with --reason", 2},
		{"approve owner --reason x", "no request that waits for your decision", 2},
		{"deny --reason x", "Name the request", 2},
		{"continue", "Name the role", 2},
		{"continue wizard", "no active role", 2},
		{"continue contributor --duration soon", "--duration", 2},
		{"continue contributor --drop", "no role that continues", 2},
		{"continue contributor --drop --reason x", "goes alone", 2},
		{"extend wizard", "no eligibility with an end", 2},
		{"extend owner --days 1 --until 2027-01-31", "exclude each other", 2},
		{"extend owner --days -1", "between 1 and", 2},
		{"extend owner --assigned", "no role that was assigned for a time", 2},
		{"extend owner", "can be extended from 8 Feb", 1},
		{"renew owner", "no eligibility that ended", 2},
		{"renew owner --assigned", "no assignment that ended", 2},
		{"scopes", "Name the role", 2},
		{"scopes /subscriptions/9", "no role that may be activated", 2},
		{"history all", `takes no "all"`, 2},
		{"history --limit -1", "above 0", 2},
		{"history --account bob", `"bob"`, 2},
		{"history --output " + filepath.Join(dir, "none", "x"), "cannot be written", 1},
		{"favorites frobnicate", `takes no "frobnicate"`, 2},
		{"favorites add", "Name the favourite and its role", 2},
		{"favorites add x wizard", "no role that may be activated", 2},
		{"favorites add x owner --start 15:00", "without a start", 2},
		{"favorites add x owner --duration soon", "--duration", 2},
		{"favorites remove", "Name the favourite", 2},
		{"favorites remove x", `no favourite "x"`, 2},
		{"favorites rename x", "its new name", 2},
		{"favorites order", "Name the favourites", 2},
		{"cancel", "Name the request or its role", 2},
		{"cancel reader", "no request that can be cancelled", 2},
		{"list --account bob", `"bob"`, 2},
		{"list --cloud china", "Nobody is signed in to this cloud", 4},
		{"list --cloud nowhere", "neither public", 2},
		{"list --cloud " + dir, "cannot be read", 2},
		{"list --cloud " + file("broken", "{"), "not valid JSON", 2},
		{"list --cloud " + file("plain", `{"authority":"http://a","arm":"https://b","graph":"https://c"}`), "must use https", 2},
		{"list --cloud " + file("half", `{"authority":"https://a"}`), `"arm" is missing`, 2},
		{"list --cloud " + file("ca", `{"authority":"https://a","arm":"https://b","graph":"https://c","caFile":"none.pem"}`), "caFile", 2},
		{"list --demo --cloud public", "without --cloud", 2},
		{"list --speed 5", "together with --demo", 2},
		{"list --demo --speed 0", "above 0", 2},
		{"list --demo --speed NaN", "above 0", 2},
		{"list --demo --speed banana", `Invalid argument "banana" for "--speed" flag is not a number; see roletray list --help.`, 2},
		{"history --limit many", "is not a whole number; see", 2},
		{"list --json=maybe", "is not true or false; see", 2},
		{"list --demo --speed 1e999", "is not a number that is allowed; see", 2},
		{"approve", "roletray approvals shows them", 2},
		{"deny wizard --reason x", "roletray approvals shows what there is", 2},
		{"cancel", "roletray requests shows them", 2},
		{"cancel wizard", "roletray requests shows what there is", 2},
		{"deactivate wizard", "roletray list --active shows what there is", 2},
		{"activate wizard", "roletray list --eligible shows what there is", 2},
		{"continue wizard --drop", "roletray status shows what there is", 2},
		{"window --here", "no window", 1},
	} {
		t.Run(tt.args, func(t *testing.T) {
			got := run(t, profile, tt.args)
			if got.code != tt.code {
				t.Errorf("exit code %d, want %d", got.code, tt.code)
			}
			if !strings.Contains(strings.ToLower(got.stderr), strings.ToLower(tt.says)) || got.stdout != "" {
				t.Errorf("it said %q and %q, want a sentence with %q on stderr", got.stdout, got.stderr, tt.says)
			}
			if strings.Count(strings.TrimSpace(got.stderr), "\n") > 0 {
				t.Errorf("it said more than one line: %q", got.stderr)
			}
		})
	}
}

// TestWrongUseInJSON has command lines that are wrong before any command begins.
func TestWrongUseInJSON(t *testing.T) {
	for _, args := range []string{
		"list --json --frobnicate", "list --frobnicate --json", "list --limit --json", "history --limit x --json",
		"frobnicate --json", "list everything --json", "activate --json", "list --json --speed banana",
	} {
		got := run(t, t.TempDir(), args)
		var out struct{ Error *pim.Problem }
		if err := json.Unmarshal([]byte(got.stdout), &out); err != nil || got.code != 2 || out.Error == nil || out.Error.Code != "usage" {
			t.Errorf("%s: exit code %d, error %+v, %v; on stdout %q", args, got.code, out.Error, err, got.stdout)
			continue
		}
		if strings.TrimSpace(got.stderr) != out.Error.Text {
			t.Errorf("%s: %q on stderr, and %q in the output", args, got.stderr, out.Error.Text)
		}
	}
}

func TestNoAgent(t *testing.T) {
	for _, tt := range []struct {
		args, stdout, stderr string
		code                 int
	}{
		{"status", "Roletray is not running.", "", 0},
		{"quit", "Roletray is not running.", "", 0},
		{"list", "", "No agent can be started", 1},
	} {
		t.Run(tt.args, func(t *testing.T) {
			got := run(t, t.TempDir(), tt.args)
			if got.code != tt.code || !strings.Contains(got.stdout, tt.stdout) || !strings.Contains(got.stderr, tt.stderr) {
				t.Errorf("%+v", got)
			}
		})
	}
	t.Run("a profile that is a file", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := run(t, path, "list"); got.code != 1 || got.stderr == "" {
			t.Errorf("%+v", got)
		}
	})
}

func TestInterruptedWaitGoesOn(t *testing.T) {
	agent := newScripted()
	agent.operation.State = pim.OperationFollowing
	agent.blocked = make(chan struct{})
	profile := serve(t, agent)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		<-agent.blocked
		cancel()
	}()
	got := runContext(t, ctx, profile, []string{"activate", "owner"})
	if got.code != 130 || !strings.Contains(got.stderr, "the request itself goes on") {
		t.Errorf("%+v", got)
	}
}
