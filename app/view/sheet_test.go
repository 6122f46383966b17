package view_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/pim"
)

func sheet(t *testing.T, state *local.State, roles ...pim.Role) view.Sheet {
	t.Helper()
	keys := make([]pim.Key, 0, len(roles))
	for _, r := range roles {
		keys = append(keys, r.Key())
	}
	return view.NewSheet(state, viewtest.AccountID, keys, viewtest.Now, words(t, "en"))
}

func labels(s view.Sheet) string {
	var out []string
	for _, c := range s.Durations {
		out = append(out, c.Label)
	}
	return strings.Join(out, ", ")
}

func notes(s view.Sheet) string {
	var out []string
	for _, n := range s.Notes {
		out = append(out, n.Text)
	}
	return strings.Join(out, " ")
}

func TestSheet(t *testing.T) {
	owner := viewtest.Role("Owner", viewtest.Web)
	backup := viewtest.Role("Backup Operator", viewtest.Data)
	vm := viewtest.Role("Virtual Machine Contributor", viewtest.Development)
	sql := viewtest.Role("SQL DB Contributor", viewtest.Data)
	security := viewtest.Role("Security Administrator", viewtest.Directory)
	payroll := viewtest.Role("Payroll Support", viewtest.Data)
	contributor := viewtest.Role("Contributor", viewtest.Production)
	for _, tt := range []struct {
		name      string
		roles     []pim.Role
		durations string
		def       time.Duration
		reason    bool
		ticket    bool
		notes     string
		button    string
	}{
		{
			"approval, MFA and an end",
			[]pim.Role{owner},
			"30 min, 1 h, 2 h, 4 h (most)", time.Hour, true, false,
			"Needs approval by Boris Boss, Platform owners. May ask for multi-factor authentication in your browser. The eligibility ends Tue 16:08.", "Activate role",
		},
		{"used before", []pim.Role{backup}, "30 min, 1 h, 2 h, 4 h, 8 h (most)", time.Hour, true, false, "", "Activate role"},
		{"thirty minutes", []pim.Role{vm}, "30 min (most)", 30 * time.Minute, false, false, "", "Activate role"},
		{"ticket", []pim.Role{sql}, "30 min, 1 h, 2 h, 4 h, 8 h (most)", time.Hour, true, true, "", "Activate role"},
		{"authentication context", []pim.Role{security}, "30 min, 1 h, 2 h (most)", time.Hour, true, false, "Asks for a stronger sign-in in your browser.", "Activate role"},
		{"unreadable", []pim.Role{payroll}, "30 min, 1 h, 2 h, 4 h, 8 h", time.Hour, false, false, "The role's settings cannot be read, so the service decides.", "Activate role"},
		{
			"not read yet and active",
			[]pim.Role{contributor},
			"30 min, 1 h, 2 h, 4 h, 8 h", time.Hour, false, false,
			"Contributor is already active. Reading the role's settings…", "Activate role",
		},
		{
			"several take the strictest",
			[]pim.Role{owner, vm, sql},
			"30 min (most)", 30 * time.Minute, true, true,
			"Owner: needs approval by Boris Boss, Platform owners. May ask for multi-factor authentication in your browser. The eligibility ends Tue 16:08.", "Activate 3 roles",
		},
		{
			"one is gone",
			[]pim.Role{vm, viewtest.Role("Gone", viewtest.Data)},
			"30 min (most)", 30 * time.Minute, false, false,
			"1 role is left out: you are no longer eligible for it.", "Activate role",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := sheet(t, viewtest.Demo(), tt.roles...)
			if got := labels(s); got != tt.durations {
				t.Errorf("durations %q, want %q", got, tt.durations)
			}
			if s.Default != tt.def || s.JustificationRequired != tt.reason || s.TicketRequired != tt.ticket || s.Button != tt.button {
				t.Errorf("default %s, reason %v, ticket %v, button %q", s.Default, s.JustificationRequired, s.TicketRequired, s.Button)
			}
			if got := notes(s); got != tt.notes {
				t.Errorf("notes %q, want %q", got, tt.notes)
			}
			if s.Problem != "" {
				t.Errorf("problem %q", s.Problem)
			}
		})
	}
}

// Where no approver is named, administrators decide about Entra roles, and nobody else's.
func TestSheetSaysWhoApproves(t *testing.T) {
	security, owner := viewtest.Role("Security Administrator", viewtest.Directory), viewtest.Role("Owner", viewtest.Web)
	named, nameless := []pim.Approver{{ID: "1", Name: "Boris Boss"}}, []pim.Approver{{ID: "1"}}
	for _, tt := range []struct {
		name      string
		role      pim.Role
		approvers []pim.Approver
		want      string
	}{
		{"named", security, named, "Boris Boss"},
		{"not named for an Entra role", security, nil, "a Global or Privileged Role Administrator"},
		{"without a name", security, nameless, "an approver"},
		{"not named for an Azure role", owner, nil, "an approver"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			state := viewtest.Demo()
			snapshot := *state.Accounts[0]
			snapshot.Policies = map[pim.Key]pim.Policy{tt.role.Key(): {Readable: true, ApprovalRequired: true, Approvers: tt.approvers}}
			state.Accounts = []*pim.Snapshot{&snapshot}
			if got := notes(sheet(t, state, tt.role)); !strings.Contains(got, "Needs approval by "+tt.want+".") {
				t.Errorf("notes %q", got)
			}
		})
	}
}

func TestSheetRemembers(t *testing.T) {
	s := sheet(t, viewtest.Demo(), viewtest.Role("Backup Operator", viewtest.Data))
	if s.Justification != "Weekly restore test" {
		t.Errorf("justification %q", s.Justification)
	}
	if want := []string{"Weekly restore test", "Patch jump host", "Deploy 3.2"}; !slices.Equal(s.Reasons, want) {
		t.Errorf("reasons %q, want %q", s.Reasons, want)
	}
}

// TestSheetTakesWhatIsStored prefers what a plan could not send to the last activation, and that to a favourite.
func TestSheetTakesWhatIsStored(t *testing.T) {
	backup := viewtest.Role("Backup Operator", viewtest.Data)
	state := viewtest.Demo()
	s := state.Accounts[0]
	s.Plans = []pim.Plan{{Role: backup, State: pim.PlanAsks, Duration: 3 * time.Hour, Justification: "the plan's", Ticket: pim.Ticket{Number: "P-1"}}}
	wish := local.FavoriteRole{Role: backup, Eligibility: backup.Key(), Duration: 30 * time.Minute, Justification: "the favourite's", Ticket: pim.Ticket{Number: "F-1"}}
	state.Favorites = []local.Favorite{{Account: viewtest.AccountID, OwnFavorite: local.OwnFavorite{ID: "f", Wishes: []local.FavoriteRole{wish}}}}
	want := func(begin, last time.Duration, reason, ticket string) {
		t.Helper()
		if s := sheet(t, state, backup); s.Default != begin || s.Last != last || s.Justification != reason || s.Ticket.Number != ticket {
			t.Errorf("%v, %v, %q, %q, want %v, %v, %q, %q", s.Default, s.Last, s.Justification, s.Ticket.Number, begin, last, reason, ticket)
		}
	}
	want(3*time.Hour, 0, "the plan's", "P-1")
	s.Plans[0].State = pim.PlanWaiting
	want(time.Hour, 2*time.Hour, "Weekly restore test", "")
	state.Recent = nil
	want(time.Hour, 30*time.Minute, "the favourite's", "F-1")
	state.Favorites = nil
	want(time.Hour, 0, "", "")
}

// TestSheetOfWhatFailed is for a role at a narrower scope that is known from its failure alone.
func TestSheetOfWhatFailed(t *testing.T) {
	state := viewtest.Full()
	s := view.NewSheet(state, viewtest.AccountID, []pim.Key{viewtest.Role("Owner", viewtest.Vault).Key()}, viewtest.Now, words(t, "en"))
	if len(s.Roles) != 1 || s.Roles[0].Eligibility != viewtest.Role("Owner", viewtest.Data).Key() || s.Roles[0].At != viewtest.Vault {
		t.Errorf("%+v, %q", s.Roles, s.Problem)
	}
}

// TestSheetOfWhatAGroupBrings is chosen in the tray and says that the group comes first. No group
// brings the membership of another.
func TestSheetOfWhatAGroupBrings(t *testing.T) {
	for _, kind := range []pim.Kind{pim.KindAzure, pim.KindDirectory} {
		t.Run(string(kind), func(t *testing.T) {
			state := viewtest.AllOfKind(kind, viewtest.Full())
			role := viewtest.OfKind(kind, viewtest.Role("Cost Reader", viewtest.Data))
			got, _ := item(view.PresentTray(state, viewtest.Now, words(t, "en")).Menu, "eligible:"+viewtest.AccountID+":"+string(role.Key()))
			if want := (view.OpenSheet{Account: viewtest.AccountID, Key: role.Key()}); got.Action != want {
				t.Errorf("the tray has %+v, want %+v", got, want)
			}
			if s := sheet(t, state, role); !strings.Contains(notes(s), "First activates the group Payroll on call.") || s.Problem != "" {
				t.Errorf("notes %q, problem %q", notes(s), s.Problem)
			}
		})
	}
}

func TestSheetWithNothingToActivate(t *testing.T) {
	if s := sheet(t, viewtest.Demo(), viewtest.Role("Gone", viewtest.Data)); s.Problem == "" {
		t.Error("no problem for a role that is gone")
	}
	if s := sheet(t, viewtest.SignedOut(), viewtest.Role("Owner", viewtest.Web)); s.Problem == "" {
		t.Error("no problem for an account that is signed out")
	}
	if s := sheet(t, nil, viewtest.Role("Owner", viewtest.Web)); s.Problem == "" {
		t.Error("no problem without a state")
	}
}

func TestSheetCheck(t *testing.T) {
	w := words(t, "en")
	s := sheet(t, viewtest.Demo(), viewtest.Role("SQL DB Contributor", viewtest.Data))
	good := view.Entry{Duration: "2 h", Start: "17:30", Justification: " because ", TicketNumber: "T-1", TicketSystem: "Jira"}
	f, problems := s.Check(good, viewtest.Now, w)
	want := view.Filled{
		Duration: 2 * time.Hour, Start: time.Date(2026, 11, 22, 17, 30, 0, 0, time.UTC),
		Justification: "because", Ticket: pim.Ticket{Number: "T-1", System: "Jira"},
	}
	if len(problems) != 0 || f != want {
		t.Errorf("%+v %v", f, problems)
	}
	if got := s.Until(f, viewtest.Now, w); got != "Active from 17:30 until 19:30." {
		t.Errorf("until %q", got)
	}
	for _, tt := range []struct {
		name   string
		change func(*view.Entry)
		want   view.FieldProblem
	}{
		{"no duration", func(e *view.Entry) { e.Duration = "" }, view.FieldProblem{Field: view.FieldDuration, Text: "Enter a duration such as 90, 1h30 or 2 h."}},
		{"too long", func(e *view.Entry) { e.Duration = "9h" }, view.FieldProblem{Field: view.FieldDuration, Text: "Choose at most 8 h."}},
		{"too short", func(e *view.Entry) { e.Duration = "2" }, view.FieldProblem{Field: view.FieldDuration, Text: "Choose at least 5 min."}},
		{"odd start", func(e *view.Entry) { e.Start = "soon" }, view.FieldProblem{Field: view.FieldStart, Text: "Enter a time such as 17:30, or 2027-01-31 9:00."}},
		{"past start", func(e *view.Entry) { e.Start = "2020-01-01 9:00" }, view.FieldProblem{Field: view.FieldStart, Text: "Choose a time that is still to come."}},
		{"no reason", func(e *view.Entry) { e.Justification = " \n" }, view.FieldProblem{Field: view.FieldJustification, Text: "Say why you need the role."}},
		{"no ticket", func(e *view.Entry) { e.TicketNumber = "" }, view.FieldProblem{Field: view.FieldTicket, Text: "Enter the ticket number."}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := good
			tt.change(&e)
			if _, got := s.Check(e, viewtest.Now, w); !slices.Equal(got, []view.FieldProblem{tt.want}) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}
