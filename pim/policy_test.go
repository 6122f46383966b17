package pim_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"roletray/pim"
)

func TestPolicyLimits(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name            string
		max             time.Duration
		end             time.Time
		limit, standard time.Duration
	}{
		{"not known", 0, time.Time{}, 24 * time.Hour, time.Hour},
		{"eight hours", 8 * time.Hour, time.Time{}, 8 * time.Hour, time.Hour},
		{"half an hour", 30 * time.Minute, time.Time{}, 30 * time.Minute, 30 * time.Minute},
		{"the eligibility ends first", 8 * time.Hour, now.Add(40*time.Minute + 30*time.Second), 40 * time.Minute, 40 * time.Minute},
		{"the eligibility has ended", 8 * time.Hour, now.Add(-time.Hour), 0, 0},
		{"the eligibility ends later", 8 * time.Hour, now.Add(10 * time.Hour), 8 * time.Hour, time.Hour},
	} {
		p := pim.Policy{MaxDuration: tt.max}
		if l, d := p.Limit(tt.end, now), p.DefaultDuration(tt.end, now); l != tt.limit || d != tt.standard {
			t.Errorf("%s: at most %v, default %v; want %v and %v", tt.name, l, d, tt.limit, tt.standard)
		}
	}
}

func TestPolicyCheck(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	strict := pim.Policy{Readable: true, MaxDuration: 2 * time.Hour, JustificationRequired: true, TicketRequired: true}
	fine := pim.Activation{Duration: 2 * time.Hour, Justification: "x", Ticket: pim.Ticket{Number: "1"}}
	with := func(change func(*pim.Activation)) pim.Activation { a := fine; change(&a); return a }
	for _, tt := range []struct {
		name   string
		policy pim.Policy
		a      pim.Activation
		want   []pim.Rule
	}{
		{"fine", strict, fine, nil},
		{"too long", strict, with(func(a *pim.Activation) { a.Duration++ }), []pim.Rule{pim.RuleExpiration}},
		{"no duration", strict, with(func(a *pim.Activation) { a.Duration = 0 }), []pim.Rule{pim.RuleExpiration}},
		{"blank reason", strict, with(func(a *pim.Activation) { a.Justification = " \t" }), []pim.Rule{pim.RuleJustification}},
		{"ticket system without a number", strict, with(func(a *pim.Activation) { a.Ticket = pim.Ticket{System: "s"} }), []pim.Rule{pim.RuleTicketing}},
		{"starts before the eligibility ends", strict, with(func(a *pim.Activation) { a.Start, a.Eligibility.End = now.Add(time.Hour), now.Add(2*time.Hour) }), nil},
		{"starts after the eligibility has ended", strict, with(func(a *pim.Activation) { a.Start, a.Eligibility.End = now.Add(3*time.Hour), now.Add(2*time.Hour) }), []pim.Rule{pim.RuleEligibility}},
		{"starts in the last moment", strict, with(func(a *pim.Activation) {
			a.Start, a.Eligibility.End = now.Add(time.Hour), now.Add(time.Hour+time.Second)
		}), []pim.Rule{pim.RuleEligibility}},
		{"ended", strict, with(func(a *pim.Activation) { a.Eligibility.End = now }), []pim.Rule{pim.RuleEligibility}},
		{"everything", strict, pim.Activation{Eligibility: pim.Eligibility{End: now}}, []pim.Rule{pim.RuleExpiration, pim.RuleJustification, pim.RuleTicketing, pim.RuleEligibility}},
		{"unreadable", pim.Policy{}, pim.Activation{Duration: time.Hour}, nil},
		{"only the service judges these", pim.Policy{MFARequired: true, AuthContext: "c1", ApprovalRequired: true}, pim.Activation{Duration: time.Hour}, nil},
	} {
		if got := tt.policy.Check(tt.a, now); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestStepUpClaims(t *testing.T) {
	for _, tt := range []struct {
		policy pim.Policy
		want   pim.Claims
	}{
		{pim.Policy{}, ""},
		{pim.Policy{MFARequired: true}, mfa},
		{pim.Policy{AuthContext: "c1"}, inC1},
		{pim.Policy{AuthContext: "c1", MFARequired: true}, c1MFA},
		{pim.Policy{AuthContext: `c1"},"x":{`}, ""},
	} {
		got := tt.policy.StepUpClaims()
		if got != tt.want {
			t.Errorf("%+v: %s", tt.policy, string(got))
		}
		if got != "" && !json.Valid([]byte(got)) {
			t.Errorf("%s is not JSON", string(got))
		}
	}
}

func TestPolicyLearns(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	before := now.Add(-time.Hour)
	for _, tt := range []struct {
		name string
		p    pim.Policy
		by   []pim.Rule
		want pim.Policy
	}{
		{"nothing", pim.Policy{}, []pim.Rule{pim.RuleEligibility, "NewRule"}, pim.Policy{}},
		{"a limit", pim.Policy{}, []pim.Rule{pim.RuleExpiration}, pim.Policy{MaxDuration: 2 * time.Hour, Learnt: now}},
		{"no shorter limit", pim.Policy{MaxDuration: time.Hour, Learnt: before}, []pim.Rule{pim.RuleExpiration}, pim.Policy{MaxDuration: time.Hour, Learnt: before}},
		{
			"what to give",
			pim.Policy{MaxDuration: time.Hour, Learnt: before},
			[]pim.Rule{pim.RuleJustification, pim.RuleTicketing, pim.RuleMFA},
			pim.Policy{MaxDuration: time.Hour, JustificationRequired: true, TicketRequired: true, MFARequired: true, Learnt: now},
		},
		{"it was read", pim.Policy{Readable: true}, []pim.Rule{pim.RuleTicketing, pim.RuleExpiration}, pim.Policy{Readable: true}},
	} {
		if got := tt.p.Learn(tt.by, 3*time.Hour, now); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	learnt := pim.Policy{}.Learn([]pim.Rule{pim.RuleExpiration, pim.RuleTicketing}, 3*time.Hour, now)
	if got := learnt.Check(pim.Activation{Duration: 3 * time.Hour}, now); !slices.Equal(got, []pim.Rule{pim.RuleTicketing}) {
		t.Errorf("%v is refused; a limit that was learnt only offers, a ticket can be given", got)
	}
}
