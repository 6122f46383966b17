package pim_test

import (
	"strings"
	"testing"
	"time"

	"roletray/pim"
)

func TestRequestPhase(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	later := now.Add(time.Hour)
	for _, tt := range []struct {
		status pim.Status
		action pim.Action
		start  time.Time
		want   pim.Phase
	}{
		{"PendingApproval", pim.ActionActivate, time.Time{}, pim.PhaseWaiting},
		{"pendingapproval", pim.ActionActivate, later, pim.PhaseWaiting},
		{"PendingApprovalProvisioning", pim.ActionActivate, time.Time{}, pim.PhaseWaiting},
		{"PendingAdminDecision", pim.ActionExtend, time.Time{}, pim.PhaseWaiting},
		{"Granted", pim.ActionActivate, later, pim.PhaseScheduled},
		{"Granted", pim.ActionActivate, now, pim.PhaseDone},
		{"ScheduleCreated", pim.ActionActivate, later, pim.PhaseScheduled},
		{"Provisioned", pim.ActionActivate, time.Time{}, pim.PhaseDone},
		{"PROVISIONED", pim.ActionActivate, later, pim.PhaseScheduled},
		{"Provisioned", pim.ActionDeactivate, later, pim.PhaseDone},
		{"Revoked", pim.ActionDeactivate, time.Time{}, pim.PhaseDone},
		{"Revoked", pim.ActionActivate, time.Time{}, pim.PhaseRefused},
		{"Revoked", pim.ActionExtend, time.Time{}, pim.PhaseRefused},
		{"Denied", pim.ActionActivate, time.Time{}, pim.PhaseRefused},
		{"AdminDenied", pim.ActionActivate, time.Time{}, pim.PhaseRefused},
		{"Failed", pim.ActionActivate, later, pim.PhaseRefused},
		{"FailedAsResourceIsLocked", pim.ActionActivate, time.Time{}, pim.PhaseRefused},
		{"Canceled", pim.ActionActivate, time.Time{}, pim.PhaseRefused},
		{"TimedOut", pim.ActionActivate, time.Time{}, pim.PhaseRefused},
		{"Invalid", pim.ActionActivate, time.Time{}, pim.PhaseRefused},
		{"Accepted", pim.ActionActivate, time.Time{}, pim.PhaseInProgress},
		{"PendingEvaluation", pim.ActionActivate, time.Time{}, pim.PhaseInProgress},
		{"PendingProvisioning", pim.ActionActivate, time.Time{}, pim.PhaseInProgress},
		{"", pim.ActionActivate, time.Time{}, pim.PhaseInProgress},
		{"a word of next year", pim.ActionActivate, time.Time{}, pim.PhaseInProgress},
	} {
		r := pim.Request{Status: tt.status, Action: tt.action, Start: tt.start}
		got := r.Phase(now)
		if got != tt.want {
			t.Errorf("%s %s starting %v: %s, want %s", tt.action, tt.status, tt.start, got, tt.want)
		}
		if final := tt.want == pim.PhaseDone || tt.want == pim.PhaseRefused; got.Final() != final {
			t.Errorf("%s: final %v", got, got.Final())
		}
		if can := tt.want == pim.PhaseWaiting || tt.want == pim.PhaseScheduled; r.Cancellable(now) != can {
			t.Errorf("%s: cancellable %v", tt.status, r.Cancellable(now))
		}
	}
}

func TestRequestTimes(t *testing.T) {
	created := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	start, end := created.Add(time.Hour), created.Add(5*time.Hour)
	for _, tt := range []struct {
		name               string
		r                  pim.Request
		wantStart, wantEnd time.Time
	}{
		{"at once for two hours", pim.Request{Created: created, Duration: 2 * time.Hour}, created, created.Add(2 * time.Hour)},
		{"later for two hours", pim.Request{Created: created, Start: start, Duration: 2 * time.Hour}, start, start.Add(2 * time.Hour)},
		{"until a moment", pim.Request{Created: created, End: end}, created, end},
		{"nothing said", pim.Request{Created: created}, created, time.Time{}},
	} {
		if s, e := tt.r.EffectiveStart(), tt.r.EffectiveEnd(); !s.Equal(tt.wantStart) || !e.Equal(tt.wantEnd) {
			t.Errorf("%s: from %v to %v", tt.name, s, e)
		}
	}
}

func TestRequestProblem(t *testing.T) {
	for _, status := range []pim.Status{"Denied", "AdminDenied", "Canceled", "TimedOut", "FailedAsResourceIsLocked", "Revoked", "Failed", "Invalid"} {
		p := pim.Request{ID: "r1", Status: status}.Problem()
		if p.Code == "" || !strings.HasSuffix(p.Text, ".") || !strings.Contains(p.Details, "r1") || !strings.Contains(p.Details, string(status)) {
			t.Errorf("%s: %+v", status, p)
		}
	}
}

func TestActivationRole(t *testing.T) {
	e := pim.Eligibility{Role: pim.Role{Kind: pim.KindAzure, DefinitionID: "d", Scope: pim.Scope{ID: "/subscriptions/a"}}}
	if got := (pim.Activation{Eligibility: e}).Role(); got != e.Role {
		t.Errorf("own scope: %+v", got)
	}
	narrow := pim.Scope{ID: "/subscriptions/a/resourceGroups/b"}
	if got := (pim.Activation{Eligibility: e, Scope: narrow}).Role(); got.Scope != narrow || got.DefinitionID != "d" {
		t.Errorf("narrower: %+v", got)
	}
}
