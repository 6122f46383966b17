package view_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"roletray/app/local"
	"roletray/app/view"
	"roletray/app/view/viewtest"
	"roletray/pim"
)

// What is asked for ends with the eligibility at the latest, wherever it begins. That of Owner
// ends on Tuesday at 16:08, and 4 h are the most.
func TestSheetKeepsWithinTheEligibility(t *testing.T) {
	w := words(t, "en")
	s := sheet(t, viewtest.Demo(), viewtest.Role("Owner", viewtest.Web), viewtest.Role("SQL DB Contributor", viewtest.Data))
	for _, tt := range []struct {
		name, start, duration string
		want                  string
		field                 view.Field
	}{
		{"now", "", "4 h", "Active until 18:08.", 0},
		{"an hour before, for an hour", "2026-11-24 15:08", "1 h", "Active from Tue 15:08 until Tue 16:08.", 0},
		{"an hour before, for longer", "2026-11-24 15:08", "61", "Choose at most 1 h.", view.FieldDuration},
		{"well before, for too long", "2026-11-24 9:00", "4h30", "Choose at most 4 h.", view.FieldDuration},
		{"a moment before", "2026-11-24 16:04", "30", "The eligibility ends Tue 16:08, before the role could begin.", view.FieldStart},
		{"an hour after", "2026-11-24 17:08", "1 h", "The eligibility ends Tue 16:08, before the role could begin.", view.FieldStart},
		{"an hour after, for too long", "2026-11-24 17:08", "20 h", "The eligibility ends Tue 16:08, before the role could begin.", view.FieldStart},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, problems := s.Check(view.Entry{Duration: tt.duration, Start: tt.start, Justification: "because", TicketNumber: "T-1"}, viewtest.Now, w)
			got := []view.FieldProblem{{Field: 0, Text: s.Until(f, viewtest.Now, w)}}
			if len(problems) > 0 {
				got = problems
			}
			if !slices.Equal(got, []view.FieldProblem{{Field: tt.field, Text: tt.want}}) {
				t.Errorf("%v, want %q", got, tt.want)
			}
		})
	}
}

// An active role goes on when it ends, at 15:20, and with its eligibility no longer.
func TestContinueSheetKeepsWithinTheEligibility(t *testing.T) {
	w := words(t, "en")
	contributor := viewtest.Role("Contributor", viewtest.Production)
	open := func(left time.Duration) view.Sheet {
		state := demo(func(s *pim.Snapshot, _ *local.State) {
			s.Eligible = slices.Clone(s.Eligible)
			for i := range s.Eligible {
				if s.Eligible[i].Role.Key() == contributor.Key() {
					s.Eligible[i].End = viewtest.Now.Add(left)
				}
			}
		})
		return view.NewContinueSheet(state, viewtest.AccountID, contributor.Key(), viewtest.Now, w)
	}
	s := open(132 * time.Minute)
	if s.Limit != time.Hour || s.Default != time.Hour || s.Problem != "" {
		t.Errorf("limit %s, default %s, problem %q", s.Limit, s.Default, s.Problem)
	}
	if f, problems := s.Check(view.Entry{Duration: "1 h"}, viewtest.Now, w); len(problems) > 0 || s.Until(f, viewtest.Now, w) != "Active from 15:20 until 16:20." {
		t.Errorf("%q, %v", s.Until(f, viewtest.Now, w), problems)
	}
	if _, problems := s.Check(view.Entry{Duration: "2 h"}, viewtest.Now, w); len(problems) != 1 || problems[0].Text != "Choose at most 1 h." {
		t.Errorf("%v", problems)
	}
	if s := open(time.Hour); s.Problem != "The eligibility ends 15:08, before the role could begin." {
		t.Errorf("problem %q", s.Problem)
	}
}

// A sheet begins with the setting, whatever the role lasted the last time.
func TestSheetBeginsWithTheSetting(t *testing.T) {
	backup := viewtest.Role("Backup Operator", viewtest.Data)
	for _, tt := range []struct {
		setting, last, want time.Duration
		steps               string
	}{
		{0, 2 * time.Hour, time.Hour, "30 min, 1 h, 2 h, 4 h, 8 h (most)"},
		{time.Hour, 90 * time.Minute, time.Hour, "30 min, 1 h, 1 h 30 min, 2 h, 4 h, 8 h (most)"},
		{30 * time.Minute, 8 * time.Hour, 30 * time.Minute, "30 min, 1 h, 2 h, 4 h, 8 h (most)"},
		{4 * time.Hour, time.Hour, 4 * time.Hour, "30 min, 1 h, 2 h, 4 h, 8 h (most)"},
		{24 * time.Hour, 0, 8 * time.Hour, "30 min, 1 h, 2 h, 4 h, 8 h (most)"},
		{time.Hour, 12 * time.Hour, time.Hour, "30 min, 1 h, 2 h, 4 h, 8 h (most)"},
	} {
		state := viewtest.Demo()
		state.Settings.Duration = tt.setting
		state.Recent = []local.Recent{{Account: viewtest.AccountID, Role: backup, Duration: tt.last}}
		if s := sheet(t, state, backup); s.Default != tt.want || labels(s) != tt.steps {
			t.Errorf("setting %s, last %s: %s of %s", tt.setting, tt.last, s.Default, labels(s))
		}
	}
}

// Where the settings cannot be read, a ticket can be given, and has to be once the service has
// refused for want of one.
func TestSheetOffersATicket(t *testing.T) {
	payroll, vm, sql := viewtest.Role("Payroll Support", viewtest.Data), viewtest.Role("Virtual Machine Contributor", viewtest.Development), viewtest.Role("SQL DB Contributor", viewtest.Data)
	for _, tt := range []struct {
		name              string
		policy            pim.Policy
		roles             []pim.Role
		offered, required bool
	}{
		{"readable", pim.Policy{}, []pim.Role{vm}, false, false},
		{"readable, which asks", pim.Policy{}, []pim.Role{sql, vm}, true, true},
		{"unreadable", pim.Policy{}, []pim.Role{payroll}, true, false},
		{"unreadable beside a readable one", pim.Policy{}, []pim.Role{payroll, vm}, true, false},
		{"refused for want of one", pim.Policy{}.Learn([]pim.Rule{pim.RuleTicketing}, 0, viewtest.Now), []pim.Role{payroll}, true, true},
	} {
		state := demo(func(s *pim.Snapshot, st *local.State) {
			s.Policies = maps.Clone(s.Policies)
			s.Policies[payroll.Key()] = tt.policy
			st.Recent = []local.Recent{{Account: viewtest.AccountID, Role: payroll, Duration: time.Hour, Ticket: pim.Ticket{Number: "CHG-1"}}}
		})
		s := sheet(t, state, tt.roles...)
		if s.TicketOffered != tt.offered || s.TicketRequired != tt.required {
			t.Errorf("%s: offered %v, required %v", tt.name, s.TicketOffered, s.TicketRequired)
		}
		if _, problems := s.Check(view.Entry{Duration: "30", Justification: "because"}, viewtest.Now, words(t, "en")); (len(problems) > 0) != tt.required {
			t.Errorf("%s: without a ticket %v", tt.name, problems)
		}
	}
}
