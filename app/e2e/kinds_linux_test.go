package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"roletray/app/desktoptest"
)

// kind is roles of one kind that Ada of the demo company has.
type kind struct {
	name string
	// plain asks for nothing, and shown is the scope and role that a list has for it.
	plain, shown []string
	// pending needs the word of Dana, whose approvals call it asked.
	pending []string
	asked   string
	// ending ends within two weeks.
	ending []string
	// later can be activated at a later time.
	later []string
	// mfa and context want multifactor authentication and an authentication context; strong is
	// the role and scope that a list has for the latter.
	mfa, context, strong []string
	// method and path are of its requests.
	method, path string
	// checked says that the service judges a check; else only the settings are looked at.
	checked bool
}

var kinds = []kind{
	{
		name:  "azure",
		plain: []string{"contributor", "sandbox"}, shown: []string{"Contributor", "Development Sandbox"},
		pending: []string{"owner", "logistics"}, asked: "Owner",
		ending: []string{"contributor", "warehouse"}, later: []string{"acrpush"},
		mfa: []string{"administrator", "login", "vm-dispatch-01"}, context: []string{"key", "vault", "administrator"}, strong: []string{"Key Vault Administrator", "rg-dispatch-prod"},
		method: http.MethodPut, path: "/providers/Microsoft.Authorization/roleAssignmentScheduleRequests", checked: true,
	},
	{
		name:  "directory",
		plain: []string{"global", "reader"}, shown: []string{"Global Reader", "Halden Freight"},
		pending: []string{"intune"}, asked: "Intune Administrator",
		ending: []string{"groups", "administrator", "directory"}, later: []string{"shift", "planner"},
		mfa: []string{"exchange", "administrator"}, context: []string{"security", "administrator", "halden"}, strong: []string{"Security Administrator", "Halden Freight"},
		method: http.MethodPost, path: "/roleManagement/directory/roleAssignmentScheduleRequests", checked: true,
	},
	{
		name:  "group",
		plain: []string{"external", "contractors"}, shown: []string{"Owner", "External Contractors"},
		pending: []string{"incident"}, asked: "Incident Response",
		ending: []string{"finance", "reporting"}, later: []string{"night", "shift", "dispatch"},
		mfa: []string{"fleet", "database", "admins", "member"}, context: []string{"customs"}, strong: []string{"Member", "Customs Data Stewards"},
		method: http.MethodPost, path: "/identityGovernance/privilegedAccess/group/assignmentScheduleRequests",
	},
}

// of is a command line about a role.
func of(command string, role []string, flags ...string) []string {
	return slices.Concat([]string{command}, role, flags)
}

// What the tests read of the commands' output.
type (
	listed struct {
		Roles []role `json:"roles"`
	}
	role struct {
		Kind, State, Role, Scope, ScopeID, Behind string
	}
	outcomes struct {
		Results []struct {
			Outcome, Role, Scope, Request string
			SettingsOnly                  bool
			Problem                       *struct{ Code, Text string }
			Steps                         []struct{ Role, State string }
		} `json:"results"`
	}
	decision  struct{ Result, By, Reason string }
	requested struct {
		Requests []struct {
			Request, Action, Role, Phase, Status string
			Decision                             decision
			Cancellable                          bool
		} `json:"requests"`
	}
	waiting struct {
		Approvals []approval `json:"approvals"`
	}
	approval struct {
		Request, Kind, Requestor, Justification string
		Minutes                                 int
		Expires                                 time.Time
	}
	told struct {
		History []struct {
			Action, Kind, Role, Justification, State, Requestor, Client string
		} `json:"history"`
	}
)

// read runs a command with --json and takes what it prints.
func read[T any](p *program, code int, args ...string) T {
	p.t.Helper()
	var v T
	out := p.must(code, append(args, "--json")...)
	// Whatever goes to the error output comes first.
	if i := strings.Index(out, "{"); i > 0 {
		out = out[i:]
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		p.t.Fatalf("roletray %s: %v in %s", strings.Join(args, " "), err, out)
	}
	return v
}

// within has the program and the tenant fail the subtest, not the test around it.
func within(t *testing.T, tn *tenant, programs ...*program) {
	for _, p := range programs {
		outer := p.t
		p.t = t
		t.Cleanup(func() { p.t = outer })
	}
	if tn != nil {
		outer := tn.t
		tn.t = t
		t.Cleanup(func() { tn.t = outer })
	}
}

// phase waits until a request has come to a phase, and returns its status.
func (p *program) phase(request, want string) string {
	p.t.Helper()
	var status string
	desktoptest.Eventually(p.t, "a request to be "+want, func() error {
		all := read[requested](p, 0, "requests", "--all", "--refresh").Requests
		for _, r := range all {
			if strings.EqualFold(r.Request, request) {
				if status = r.Status; r.Phase == want {
					return nil
				}
				return fmt.Errorf("it is %s (%s)", r.Phase, r.Status)
			}
		}
		return fmt.Errorf("%s is not among %+v", request, all)
	})
	return status
}

// decided waits until it is shown who decided on a request.
func (p *program) decided(request string, want decision) {
	p.t.Helper()
	desktoptest.Eventually(p.t, "who decided", func() error {
		all := read[requested](p, 0, "requests", "--all").Requests
		for _, r := range all {
			if strings.EqualFold(r.Request, request) && r.Decision == want {
				return nil
			}
		}
		return fmt.Errorf("%s is not %+v among %+v", request, want, all)
	})
}

// TestKinds does with roles of every kind what a person does with them: two people, each
// with an agent and a browser, at one tenant.
func TestKinds(t *testing.T) {
	desktoptest.Require(t)
	desktoptest.ServeNotifications(t)
	tn := startTenant(t)
	opener, browser := desktoptest.NewOpener(t), desktoptest.NewBrowser(t)
	ada := newProgram(t, opener, "--cloud", tn.file)
	ada.start()
	if out, code := ada.signIn(opener, browser, pickAda); code != 0 {
		t.Fatalf("signin ended with %d: %s", code, out)
	}
	others, second := desktoptest.NewOpener(t), desktoptest.NewBrowser(t)
	dana := newProgram(t, others, "--cloud", tn.file)
	dana.start()
	if out, code := dana.signIn(others, second, func(b *desktoptest.Browser) { b.Click("#account-3") }); code != 0 {
		t.Fatalf("signin of Dana ended with %d: %s", code, out)
	}

	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			t.Run("alone", func(t *testing.T) {
				within(t, tn, ada)
				alone(t, ada, k)
			})
			t.Run("decided", func(t *testing.T) {
				within(t, tn, ada, dana)
				decided(t, tn, ada, dana, k)
			})
			t.Run("step-up", func(t *testing.T) {
				within(t, tn)
				stepUps(t, tn, k)
			})
			t.Run("prolonged", func(t *testing.T) {
				within(t, tn, ada)
				extended(t, ada, k)
			})
		})
	}
	t.Run("narrower scope", func(t *testing.T) {
		within(t, tn, ada)
		narrower(t, ada)
	})
	t.Run("favourites", func(t *testing.T) {
		within(t, tn, ada)
		favourites(t, ada)
	})
	t.Run("history", func(t *testing.T) {
		within(t, tn, ada, dana)
		histories(t, ada, dana)
	})
	if opener.Opened() != 0 || others.Opened() != 0 {
		t.Errorf("browsers were opened that nobody asked for: %d and %d", opener.Opened(), others.Opened())
	}
	noSecretOnDisk(t, ada.profile, dana.profile)
}

// stepUps asks in a new browser for what the roles of a kind want beyond a sign-in. A
// prompt that is called off leaves the request unsent.
func stepUps(t *testing.T, tn *tenant, k kind) {
	opener, browser := desktoptest.NewOpener(t), desktoptest.NewBrowser(t)
	p := newProgram(t, opener, "--cloud", tn.file)
	p.start()
	if out, code := p.signIn(opener, browser, pickAda); code != 0 {
		t.Fatalf("signin ended with %d: %s", code, out)
	}
	p.must(0, "list")
	for _, s := range []struct {
		name string
		role []string
		page string
		acr  string
	}{
		{"mfa", k.mfa, "#page-mfa", ""},
		{"authentication context", k.context, "#page-context", "c1"},
	} {
		t.Run(s.name, func(t *testing.T) {
			within(t, tn, p)
			args := of("activate", s.role, "--duration", "1h", "--reason", "check the night run", "--json")
			before := len(tn.log(k.method, k.path))
			done := p.background(args...)
			browser.Open(opener.Next())
			browser.Text(s.page)
			browser.Click("#cancel")
			if r := <-done; r.code == 0 || !strings.Contains(r.out, `"failed"`) {
				t.Errorf("a prompt that was called off ended with %d: %s", r.code, r.out)
			}
			if sent := tn.log(k.method, k.path)[before:]; len(sent) != 0 {
				t.Fatalf("a prompt that was called off sent %+v", sent)
			}
			done = p.background(args...)
			browser.Open(opener.Next())
			browser.Text(s.page)
			browser.Click("#approve")
			if r := <-done; r.code != 0 {
				t.Fatalf("it ended with %d: %s", r.code, r.out)
			}
			sent := tn.log(k.method, k.path)[before:]
			if len(sent) != 1 || sent[0].Status != http.StatusCreated || s.acr != "" && !slices.Contains(sent[0].ACRs, s.acr) {
				t.Errorf("sent was %+v", sent)
			}
			// What the token has proven is not asked for twice.
			p.must(0, args...)
			if n := opener.Opened(); n != 0 {
				t.Errorf("%d more prompts", n)
			}
		})
	}
}

// alone is what needs nobody else: list, check, activate, too early an end, go on and not,
// a later start and its withdrawal.
func alone(t *testing.T, ada *program, k kind) {
	shown := func(state string) bool {
		l := read[listed](ada, 0, "list")
		return slices.ContainsFunc(l.Roles, func(r role) bool {
			return r.Kind == k.name && r.State == state && r.Role == k.shown[0] && r.Scope == k.shown[1]
		})
	}
	if !shown("eligible") {
		t.Fatalf("%v is not listed: %s", k.shown, ada.must(0, "list"))
	}
	check := read[outcomes](ada, 0, of("check", k.plain, "--reason", "look at it")...).Results[0]
	if check.Outcome != "ok" || check.SettingsOnly == k.checked {
		t.Errorf("the check found %+v", check)
	}
	ada.must(0, of("activate", k.plain, "--duration", "1h", "--reason", "look at it")...)
	if !shown("active") {
		t.Errorf("it is not listed as active: %s", ada.must(0, "list", "--active"))
	}
	// Again is no failure.
	ada.must(0, of("activate", k.plain, "--duration", "1h", "--reason", "look at it")...)

	if out := ada.must(1, of("deactivate", k.plain)...); !strings.Contains(out, "minutes") {
		t.Errorf("an end that comes too early says %q", out)
	}
	if out := ada.must(0, of("continue", k.plain, "--duration", "30m")...); !strings.Contains(out, "continues at") || !strings.Contains(out, "awake") {
		t.Errorf("continue says %q", out)
	}
	if out := ada.must(0, of("continue", k.plain, "--drop")...); !strings.Contains(out, " ends at ") {
		t.Errorf("continue --drop says %q", out)
	}

	start := time.Now().Add(3 * time.Hour)
	later := read[outcomes](ada, 0, of("activate", k.later, "--start", start.Format("2006-01-02 15:04"), "--duration", "30m", "--reason", "the maintenance")...).Results[0]
	if later.Outcome != "scheduled" {
		t.Fatalf("a later start came to %+v", later)
	}
	ada.phase(later.Request, "scheduled")
	ada.must(0, "cancel", later.Request)
	ada.phase(later.Request, "refused")
}

// decided asks for a role twice, and has somebody else deny and approve it.
func decided(t *testing.T, tn *tenant, ada, dana *program, k kind) {
	ask := func(reason string) string {
		t.Helper()
		r := read[outcomes](ada, 3, of("activate", k.pending, "--duration", "1h", "--reason", reason)...).Results[0]
		if r.Outcome != "waiting" {
			t.Fatalf("asking came to %+v", r)
		}
		return r.Request
	}
	withdrawn := ask("withdrawn again")
	ada.must(0, "cancel", withdrawn)
	if s := ada.phase(withdrawn, "refused"); !strings.EqualFold(s, "canceled") {
		t.Errorf("a withdrawn request is %s", s)
	}

	denied := ask("a reason of mine")
	// Nobody decides a request of their own.
	if out := ada.must(2, "approve", denied, "--reason", "I say so"); !strings.Contains(out, "no request that waits for your decision") {
		t.Errorf("approving one's own says %q", out)
	}
	all := read[waiting](dana, 0, "approvals", "--refresh").Approvals
	i := slices.IndexFunc(all, func(a approval) bool { return a.Request == denied })
	if i < 0 {
		t.Fatalf("%s is not among %+v", denied, all)
	}
	if a := all[i]; a.Kind != k.name || a.Requestor != "Ada Lindqvist" || a.Justification != "a reason of mine" || a.Minutes != 60 || a.Expires.IsZero() {
		t.Errorf("what waits is %+v", a)
	}
	if out := dana.must(0, "deny", denied, "--reason", "not during the freeze"); !strings.Contains(out, "for Ada Lindqvist is denied") {
		t.Errorf("deny says %q", out)
	}
	ada.phase(denied, "refused")
	desktoptest.Eventually(t, "word of the denial", func() error {
		s := ada.status()
		for _, o := range s.Operations {
			if o.Problem != nil && o.Problem.Text == "Denied by Dana Petrova: not during the freeze." {
				return nil
			}
		}
		return fmt.Errorf("under way are %+v", s.Operations)
	})
	ada.decided(denied, decision{"denied", "Dana Petrova", "not during the freeze"})

	// Somebody is faster.
	lost := ask("the next time")
	desktoptest.Eventually(t, "the request to reach Dana", func() error {
		if out := dana.must(0, "approvals", "--refresh"); !strings.Contains(out, lost) {
			return fmt.Errorf("waiting are %s", out)
		}
		return nil
	})
	tn.control(http.MethodPost, "/deny", map[string]string{"request": lost, "approver": "bjorn@haldenfreight.example", "justification": "no"}, nil)
	if out := dana.must(1, "approve", lost, "--reason", "agreed"); !strings.Contains(out, "already") {
		t.Errorf("approving what is decided says %q", out)
	}
	ada.phase(lost, "refused")
	ada.decided(lost, decision{"denied", "Björn Aalto", "no"})

	granted := ask("the last time")
	if out := dana.must(0, "approve", granted, "--reason", "agreed in the stand-up"); !strings.Contains(out, "for Ada Lindqvist is approved") {
		t.Errorf("approve says %q", out)
	}
	ada.phase(granted, "done")
	desktoptest.Eventually(t, "the role that was approved", func() error {
		s := ada.status()
		for _, a := range s.Active {
			if a.Role == k.asked || a.Scope == k.asked {
				return nil
			}
		}
		return fmt.Errorf("active are %+v", s.Active)
	})
	ada.decided(granted, decision{"approved", "Dana Petrova", "agreed in the stand-up"})
}

// extended asks for more time, which an administrator has to give.
func extended(t *testing.T, ada *program, k kind) {
	r := read[outcomes](ada, 3, of("extend", k.ending, "--days", "30", "--reason", "still on the team")...).Results[0]
	if r.Outcome != "waiting" {
		t.Fatalf("extend came to %+v", r)
	}
	ada.phase(r.Request, "waiting")
}

// narrower activates below the scope of the eligibility, which only Azure roles can.
func narrower(t *testing.T, ada *program) {
	var below struct {
		Scopes []struct{ ID, Name, Type string }
	}
	out := ada.must(0, "scopes", "reader", "halden", "freight", "--json")
	if err := json.Unmarshal([]byte(out), &below); err != nil || len(below.Scopes) < 2 {
		t.Fatalf("%v in %s", err, out)
	}
	results := read[outcomes](ada, 0, "activate", "reader", "--scope", below.Scopes[0].ID, "--scope", below.Scopes[1].ID, "--duration", "30m").Results
	if len(results) != 2 {
		t.Fatalf("two scopes came to %+v", results)
	}
	for i, r := range results {
		if r.Outcome != "done" {
			t.Errorf("%s came to %+v", below.Scopes[i].Name, r)
		}
		if l := read[listed](ada, 0, "list", "--active"); !slices.ContainsFunc(l.Roles, func(a role) bool {
			return a.Role == "Reader" && a.ScopeID == below.Scopes[i].ID
		}) {
			t.Errorf("active are %+v", l.Roles)
		}
	}
	for _, k := range kinds[1:] {
		if out := ada.must(0, of("scopes", k.plain)...); !strings.Contains(out, "no narrower scope") {
			t.Errorf("%s: scopes says %q", k.name, out)
		}
	}
}

// chain activates a role that a group brings, once that has been learnt from joining the
// group: first the group, then the role.
func chain(t *testing.T, tn *tenant, p *program) {
	p.must(0, "activate", "azure platform owners", "--duration", "30m", "--reason", "see what it brings")
	find := func(behind bool) {
		t.Helper()
		desktoptest.Eventually(t, "what the group brings", func() error {
			l := read[listed](p, 0, "list", "--refresh")
			if !slices.ContainsFunc(l.Roles, func(r role) bool {
				return r.Role == "Owner" && r.Scope == "Shared Services" && (r.Behind != "") == behind
			}) {
				return fmt.Errorf("listed are %+v", l.Roles)
			}
			return nil
		})
	}
	find(false)
	tn.control(http.MethodPost, "/advance", map[string]int{"seconds": 31 * 60}, nil)
	find(true)
	r := read[outcomes](p, 0, "activate", "owner", "shared services", "--duration", "30m", "--reason", "move the gateway").Results[0]
	if r.Outcome != "done" || len(r.Steps) != 2 || r.Steps[0].State != "done" || r.Steps[1].State != "done" || r.Steps[1].Role != "Owner" {
		t.Errorf("it came to %+v", r)
	}
}

// favourites keeps roles of every kind under one name and activates them together.
func favourites(t *testing.T, ada *program) {
	ada.must(0, "favorites", "add", "Night", "automation operator", "--also", "reports reader", "--also", "application administrator directory",
		"--also", "night shift dispatch", "--duration", "30m", "--reason", "night duty")
	ada.must(0, "favorites", "rename", "night", "On call")
	if out := ada.must(0, "favorites"); !strings.Contains(out, "On call") || !strings.Contains(out, "Night Shift Dispatch") {
		t.Errorf("favorites says %s", out)
	}
	results := read[outcomes](ada, 0, "activate", "--favorite", "on call").Results
	if len(results) != 4 {
		t.Fatalf("four roles came to %+v", results)
	}
	for _, r := range results {
		if r.Outcome != "done" {
			t.Errorf("%s came to %+v", r.Role, r)
		}
	}
	ada.must(0, "favorites", "remove", "on call")
	if out := ada.must(0, "favorites"); !strings.Contains(out, "No favourites") {
		t.Errorf("favorites says %s", out)
	}
}

// histories has each action of each kind, with who asked.
func histories(t *testing.T, ada, dana *program) {
	count := func(p *program) map[string]int {
		n := map[string]int{}
		for _, e := range read[told](p, 0, "history", "--limit", "500").History {
			n[e.Action+" "+e.Kind]++
			if !strings.Contains(e.Client, "roletray") {
				t.Errorf("%s of %s names the client %q", e.Action, e.Role, e.Client)
			}
		}
		return n
	}
	mine, hers := count(ada), count(dana)
	for _, k := range kinds {
		for _, action := range []string{"activate", "continue", "drop-plan", "cancel", "extend"} {
			if mine[action+" "+k.name] == 0 {
				t.Errorf("Ada's history has no %s of kind %s: %v", action, k.name, mine)
			}
		}
		if hers["approve "+k.name] < 1 || hers["deny "+k.name] != 1 {
			t.Errorf("Dana's history lacks decisions of kind %s: %v", k.name, hers)
		}
	}
	if found := read[told](ada, 0, "history", "--search", "maintenance").History; len(found) < len(kinds) {
		t.Errorf("the search found %+v", found)
	}
	for search, n := range map[string]int{"petrova freeze": len(kinds), "petrova stand-up": len(kinds)} {
		if found := read[told](ada, 0, "history", "--search", search).History; len(found) != n {
			t.Errorf("%q finds %+v", search, found)
		}
	}
	if out := ada.must(0, "history", "--csv"); !strings.HasPrefix(out, `"time","action","kind"`) || !strings.Contains(out, "look at it") || !strings.Contains(out, "Dana Petrova") {
		t.Errorf("as CSV it is %s", out)
	}
}

// demoTenant is the tenant inside the program, which a demo tells of in its profile.
func (p *program) demoTenant() *tenant {
	p.t.Helper()
	line, err := os.ReadFile(filepath.Join(p.profile, "demo"))
	if err != nil {
		p.t.Fatal(err)
	}
	tn := &tenant{t: p.t}
	if err := json.Unmarshal(line, tn); err != nil {
		p.t.Fatalf("the demo's line: %v", err)
	}
	return tn
}

// TestKindsInTime lives through days of the demo, whose clock can be put forward: roles end
// early, go on past their end, run out, and eligibilities are asked for again.
func TestKindsInTime(t *testing.T) {
	desktoptest.Require(t)
	notes := desktoptest.ServeNotifications(t)
	p := newProgram(t, nil, "--demo", "--speed", "60")
	p.start()
	p.must(0, "list")
	tn := p.demoTenant()

	for _, k := range kinds {
		p.must(0, of("activate", k.plain, "--duration", "1h", "--reason", "look at it")...)
	}
	tn.control(http.MethodPost, "/advance", map[string]int{"seconds": 6 * 60}, nil)
	for _, k := range kinds {
		t.Run("deactivate "+k.name, func(t *testing.T) {
			within(t, tn, p)
			if out := p.must(0, of("deactivate", k.plain)...); !strings.Contains(out, "not active any more") {
				t.Errorf("deactivate says %q", out)
			}
			p.wantActive(k.shown[0], k.shown[1], false)
		})
	}

	// Ten minutes pass in ten seconds.
	for _, k := range kinds {
		p.must(0, of("activate", k.plain, "--duration", "10m", "--reason", "look at it")...)
	}
	ends := map[string]time.Time{}
	for _, a := range p.status().Active {
		ends[a.Role+" "+a.Scope] = a.End
	}
	for _, k := range kinds {
		p.must(0, of("continue", k.plain, "--duration", "10m")...)
	}
	for _, k := range kinds {
		t.Run("continue "+k.name, func(t *testing.T) {
			within(t, tn, p)
			desktoptest.Eventually(t, "the role to go on past its end", func() error {
				s := p.status()
				for _, a := range s.Active {
					if a.Role == k.shown[0] && a.Scope == k.shown[1] && a.End.After(ends[a.Role+" "+a.Scope].Add(5*time.Minute)) {
						return nil
					}
				}
				return fmt.Errorf("active are %+v, and ended %v", s.Active, ends)
			})
		})
	}
	for _, k := range kinds {
		notes.Wait("the end of "+k.shown[0], func(n desktoptest.Notification) bool {
			return strings.HasPrefix(n.Summary, k.shown[0]) && strings.Contains(n.Summary+n.Body, "ended") && strings.Contains(n.Summary+n.Body, k.shown[1])
		})
	}

	t.Run("group gives role", func(t *testing.T) {
		within(t, tn, p)
		chain(t, tn, p)
	})

	tn.control(http.MethodPost, "/advance", map[string]int{"seconds": 9 * 24 * 60 * 60}, nil)
	p.must(0, "list", "--refresh")
	for _, k := range kinds {
		t.Run("renew "+k.name, func(t *testing.T) {
			within(t, tn, p)
			r := read[outcomes](p, 3, of("renew", k.ending, "--days", "30", "--reason", "back on the team")...).Results[0]
			if r.Outcome != "waiting" {
				t.Fatalf("renew came to %+v", r)
			}
			p.phase(r.Request, "waiting")
			p.must(0, "cancel", r.Request)
			p.phase(r.Request, "refused")
		})
	}
}
