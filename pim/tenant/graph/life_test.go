package graph

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// subject is a role of either kind that needs nothing to be activated, one that
// needs an approval, and where its requests are.
type subject struct {
	name, requests  string
	plain, approved func(action string, more ...properties) properties
	approvals       string
	active          func(*tenant) []object
}

func subjects() []subject {
	return []subject{
		{
			"directory", roleRequests,
			func(a string, more ...properties) properties { return askRole(a, plainRole, more...) },
			func(a string, more ...properties) properties { return askRole(a, bossRole, more...) },
			"/beta/roleManagement/directory/roleAssignmentApprovals/%/steps", (*tenant).activeRoles,
		},
		{
			"group", groupRequests,
			func(a string, more ...properties) properties { return askGroup(a, team, "member", more...) },
			func(a string, more ...properties) properties { return askGroup(a, team, "owner", more...) },
			groups + "assignmentApprovals/%/stages", (*tenant).activeGroups,
		},
	}
}

func each(t *testing.T, test func(t *testing.T, tn *tenant, s subject)) {
	for _, s := range subjects() {
		t.Run(s.name, func(t *testing.T) { test(t, newTenant(t), s) })
	}
}

func TestActivateAndDeactivate(t *testing.T) {
	each(t, func(t *testing.T, tn *tenant, s subject) {
		r := tn.activate(s.plain("selfActivate", lasting("PT2H"), properties{"justification": "why"}))
		if r.Status != "Provisioned" || r.Action != "selfActivate" || r.ScheduleInfo.Expiration.Duration != "PT2H" || r.ScheduleInfo.Expiration.Type != "afterDuration" {
			t.Errorf("the answer is %+v", r)
		}
		want := r.ID
		if s.name == "group" {
			want = team + "_member_" + r.ID
		}
		if r.TargetScheduleID != want {
			t.Errorf("the target schedule is %s", r.TargetScheduleID)
		}
		active := s.active(tn)
		if len(active) != 1 || active[0].EndDateTime.Sub(*active[0].StartDateTime) != 2*time.Hour ||
			active[0].RoleAssignmentScheduleID+active[0].AssignmentScheduleID != want || active[0].MemberType != "Direct" {
			t.Fatalf("active is %+v", active)
		}
		tn.do(user(me), "POST", s.requests, s.plain("selfActivate")).want(t, http.StatusBadRequest, "RoleAssignmentExists")
		tn.do(user(me), "POST", s.requests, s.plain("selfDeactivate")).want(t, http.StatusBadRequest, "RoleAssignmentDoesNotExist")
		tn.clock.Advance(time.Minute)
		_, message := tn.do(user(me), "POST", s.requests, s.plain("selfDeactivate")).want(t, http.StatusBadRequest, "ActiveDurationTooShort").code()
		if !strings.Contains(message, "Miniumum Required is 5 minutes") {
			t.Errorf("it says %s", message)
		}
		tn.settings.DeactivateTooEarlyAs201 = true
		var failed object
		tn.do(user(me), "POST", s.requests, s.plain("selfDeactivate")).want(t, http.StatusCreated, "").into(t, &failed)
		if failed.Status != "Failed" || len(s.active(tn)) != 1 {
			t.Errorf("too early is %s", failed.Status)
		}
		tn.clock.Advance(5 * time.Minute)
		tn.settings.DeactivationLagSeconds = 60
		var ended object
		tn.do(user(me), "POST", s.requests, s.plain("selfDeactivate")).want(t, http.StatusCreated, "").into(t, &ended)
		if ended.Status != "Revoked" || ended.ScheduleInfo != nil {
			t.Errorf("the end is %+v", ended)
		}
		if len(s.active(tn)) != 1 {
			t.Error("the listing does not lag behind")
		}
		tn.do(user(me), "POST", s.requests, s.plain("selfActivate")).want(t, http.StatusBadRequest, "RoleAssignmentExists")
		tn.clock.Advance(time.Minute)
		tn.settings.ActivationLagSeconds = 60
		tn.activate(s.plain("selfActivate"))
		if len(s.active(tn)) != 0 {
			t.Error("it is listed at once")
		}
		tn.clock.Advance(time.Minute)
		if len(s.active(tn)) != 1 {
			t.Error("it is not listed")
		}
	})
}

func TestExpiry(t *testing.T) {
	each(t, func(t *testing.T, tn *tenant, s subject) {
		end := noon.Add(90 * time.Minute)
		tn.activate(s.plain("selfActivate", properties{"scheduleInfo": properties{
			"expiration": properties{"type": "afterDateTime", "endDateTime": end.Format(time.RFC3339)},
		}}))
		if active := s.active(tn); len(active) != 1 || !active[0].EndDateTime.Equal(end) {
			t.Errorf("active is %+v", active)
		}
		tn.clock.Advance(90 * time.Minute)
		if n := len(s.active(tn)); n != 0 {
			t.Errorf("%d are active", n)
		}
		tn.activate(s.plain("selfActivate"))
	})
}

func TestApproval(t *testing.T) {
	each(t, func(t *testing.T, tn *tenant, s subject) {
		decide := func(who, id, result, why string) answer {
			path := strings.Replace(s.approvals, "%", id, 1)
			part := path[strings.LastIndex(path, "/")+1:]
			var a object
			tn.do(user(who), "GET", strings.TrimSuffix(path, "/"+part)+"?$expand="+part, nil).want(t, http.StatusOK, "").into(t, &a)
			st := append(a.Stages, a.Steps...)
			if len(st) != 1 || st[0].AssignedToMe != (who == boss) {
				t.Errorf("%s sees %+v", who, st)
			}
			return tn.do(user(who), "PATCH", path+"/"+st[0].ID, properties{"reviewResult": result, "justification": why})
		}
		r := tn.activate(s.approved("selfActivate"))
		if r.Status != "PendingApproval" || r.ApprovalID != r.ID {
			t.Errorf("the answer is %+v", r)
		}
		tn.do(user(me), "POST", s.requests, s.approved("selfActivate")).want(t, http.StatusBadRequest, "PendingRoleAssignmentRequest")
		waiting := s.requests + "/filterByCurrentUser(on='approver')" + filter("status eq 'PendingApproval'")
		if rows := tn.list(user(boss), waiting); len(rows) != 1 || rows[0].ID != r.ID {
			t.Errorf("the approver sees %+v", rows)
		}
		if len(tn.list(user(me), waiting)) != 0 {
			t.Error("the requestor is shown as an approver")
		}
		decide(me, r.ID, "Approve", "self").want(t, http.StatusForbidden, "InsufficientPermissions")
		decide(boss, r.ID, "Approve", " ").want(t, http.StatusBadRequest, "BadRequest")
		decide(boss, r.ID, "Perhaps", "x").want(t, http.StatusBadRequest, "InvalidRoleAssignmentRequest")
		decide(boss, r.ID, "approve", "fine").want(t, http.StatusNoContent, "")
		decide(boss, r.ID, "Deny", "no").status4xx(t)
		if tn.status(s.requests, r.ID) != "Provisioned" || len(s.active(tn)) != 1 {
			t.Error("the approval has no effect")
		}
		tn.clock.Advance(10 * time.Hour)
		r = tn.activate(s.approved("selfActivate"))
		decide(boss, r.ID, "Deny", "no").want(t, http.StatusNoContent, "")
		if got := tn.status(s.requests, r.ID); got != "Denied" {
			t.Errorf("denied is %s", got)
		}
		parts := strings.Replace(s.approvals, "%", r.ID, 1)
		st := tn.list(user(me), parts)[0]
		if by := st.ReviewedBy; st.Status != "Completed" || st.ReviewResult != "Deny" || st.Justification != "no" || st.AssignedToMe ||
			tn.clock.Now().Sub(*st.ReviewedDateTime).Abs() > time.Minute || by.ID != boss || by.DisplayName != "Boss" {
			t.Errorf("the requestor is told %+v", st)
		}
		tn.settings.OwnApproval = "refuse"
		for _, path := range []string{parts, parts + "/" + st.ID, parts[:strings.LastIndex(parts, "/")]} {
			tn.do(user(me), "GET", path, nil).want(t, http.StatusForbidden, "UnauthorizedAccessException")
			tn.do(user(boss), "GET", path, nil).want(t, http.StatusOK, "")
		}
		tn.settings.OwnApproval = "allow"
		r = tn.activate(s.approved("selfActivate"))
		tn.do(user(boss), "POST", s.requests+"/"+r.ID+"/cancel", nil).want(t, http.StatusForbidden, "InsufficientPermissions")
		tn.do(user(me), "POST", s.requests+"/"+r.ID+"/cancel", nil).want(t, http.StatusNoContent, "")
		if got := tn.status(s.requests, r.ID); got != "Canceled" {
			t.Errorf("cancelled is %s", got)
		}
		r = tn.activate(s.approved("selfActivate"))
		tn.clock.Advance(25 * time.Hour)
		if got := tn.status(s.requests, r.ID); got != "TimedOut" {
			t.Errorf("after a day it is %s", got)
		}
		if st := tn.list(user(me), strings.Replace(s.approvals, "%", r.ID, 1))[0]; st.Status != "Expired" || st.ReviewResult != "NotReviewed" {
			t.Errorf("the stage that nobody decided is %+v", st)
		}
	})
}

// Where a policy names no approver, administrators decide.
func TestAdministratorsApprove(t *testing.T) {
	tn := newTenant(t)
	r := tn.activate(askRole("selfActivate", openRole))
	approver := roleRequests + "/filterByCurrentUser(on='approver')"
	if len(tn.list(user(boss), approver)) != 0 || len(tn.list(user(chief), approver)) != 1 {
		t.Error("the wrong people are asked")
	}
	if err := tn.service.Decide(r.ID, true, boss, ""); err == nil {
		t.Error("who is no administrator decided")
	}
	if err := tn.service.Decide(r.ID, true, "", "fine"); err != nil {
		t.Error(err)
	}
	if got := tn.status(roleRequests, r.ID); got != "Provisioned" || !tn.service.HasRequest(r.ID) {
		t.Errorf("it is %s", got)
	}
	if err := tn.service.Decide("nothing", true, "", ""); err == nil || tn.service.HasRequest("nothing") {
		t.Error("a request that there is not was decided")
	}
}

func TestCancelScheduled(t *testing.T) {
	each(t, func(t *testing.T, tn *tenant, s subject) {
		r := tn.activate(s.plain("selfActivate", startingAt(noon.Add(time.Hour), "PT1H")))
		if r.Status != "Granted" || !r.CompletedDateTime.Equal(noon.Add(time.Hour)) {
			t.Errorf("the answer is %+v", r)
		}
		tn.do(user(me), "POST", s.requests, s.plain("selfActivate")).want(t, http.StatusBadRequest, "PendingRoleAssignmentRequest")
		tn.do(user(stranger), "POST", s.requests+"/"+r.ID+"/cancel", nil).want(t, http.StatusNotFound, "ResourceNotFound")
		tn.do(user(me), "POST", s.requests+"/"+r.ID+"/cancel", nil).want(t, http.StatusNoContent, "")
		tn.clock.Advance(2 * time.Hour)
		if len(s.active(tn)) != 0 {
			t.Error("it began all the same")
		}
	})
}

func TestValidationOnly(t *testing.T) {
	each(t, func(t *testing.T, tn *tenant, s subject) {
		for _, tt := range []struct {
			mode         string
			said, active bool
		}{{"honour", true, false}, {"echo", true, true}, {"ignore", false, true}} {
			tn.settings.ValidationOnly = tt.mode
			r := tn.activate(s.plain("selfActivate", lasting("PT1H"), properties{"isValidationOnly": true}))
			if r.IsValidationOnly != tt.said || len(s.active(tn)) > 0 != tt.active {
				t.Errorf("%s: said %v, %d active", tt.mode, r.IsValidationOnly, len(s.active(tn)))
			}
			if !tt.active {
				tn.do(user(me), "GET", s.requests+"/"+r.ID, nil).want(t, http.StatusNotFound, "ResourceNotFound")
			}
			tn.clock.Advance(2 * time.Hour)
		}
		tn.settings.ValidationOnly = "honour"
		tn.activate(s.plain("selfActivate"))
		tn.do(user(me), "POST", s.requests, s.plain("selfActivate", properties{"isValidationOnly": true})).want(t, http.StatusBadRequest, "RoleAssignmentExists")
	})
}

func TestFutureStartWhileActive(t *testing.T) {
	each(t, func(t *testing.T, tn *tenant, s subject) {
		tn.activate(s.plain("selfActivate", lasting("PT1H")))
		later := s.plain("selfActivate", startingAt(noon.Add(61*time.Minute), "PT1H"))
		tn.do(user(me), "POST", s.requests, later).want(t, http.StatusBadRequest, "RoleAssignmentExists")
		tn.settings.FutureStart = "grant"
		if r := tn.activate(later); r.Status != "Granted" {
			t.Errorf("it is %s", r.Status)
		}
		tn.clock.Advance(62 * time.Minute)
		if n := len(s.active(tn)); n != 1 {
			t.Errorf("%d are active", n)
		}
	})
}

func TestExtendAndRenew(t *testing.T) {
	tn := newTenant(t)
	for _, tt := range []struct {
		path   string
		extend func(action string) properties
		list   string
	}{
		{directory + "roleEligibilityScheduleRequests", func(a string) properties { return askRole(a, plainRole, lasting("P90D")) }, directory + "roleEligibilitySchedules"},
		{groups + "eligibilityScheduleRequests", func(a string) properties { return askGroup(a, team, "member", lasting("P90D")) }, groups + "eligibilitySchedules"},
	} {
		ends := func() int {
			return len(tn.list(user(me), tt.list+mine+filter("scheduleInfo/expiration/endDateTime gt 2022-06-01T00:00:00Z")))
		}
		if n := ends(); n != 0 {
			t.Errorf("%d end late before", n)
		}
		tn.do(user(me), "POST", tt.path, tt.extend("selfRenew")).want(t, http.StatusBadRequest, "InvalidRoleAssignmentRequest")
		var r object
		tn.do(user(me), "POST", tt.path, tt.extend("selfExtend")).want(t, http.StatusCreated, "").into(t, &r)
		if r.Status != "PendingAdminDecision" {
			t.Errorf("it is %s", r.Status)
		}
		tn.do(user(me), "POST", tt.path, tt.extend("selfExtend")).want(t, http.StatusBadRequest, "PendingRoleAssignmentRequest")
		if err := tn.service.Decide(r.ID, true, "", ""); err != nil {
			t.Fatal(err)
		}
		if n := ends(); n != 1 || tn.status(tt.path, r.ID) != "Provisioned" {
			t.Errorf("%d end late", n)
		}
	}
	// A standing assignment, once it is over.
	tn.clock.Advance(6 * 24 * time.Hour)
	var r object
	tn.do(user(me), "POST", roleRequests, askRole("selfRenew", unitRole)).want(t, http.StatusCreated, "").into(t, &r)
	if err := tn.service.Decide(r.ID, false, "", ""); err != nil || tn.status(roleRequests, r.ID) != "AdminDenied" {
		t.Errorf("refused is %s, %v", tn.status(roleRequests, r.ID), err)
	}
}

// Of many at once, one wins.
func TestParallelPosts(t *testing.T) {
	each(t, func(t *testing.T, tn *tenant, s subject) {
		var wg sync.WaitGroup
		answers := make([]answer, 16)
		for i := range answers {
			wg.Go(func() { answers[i] = tn.do(user(me), "POST", s.requests, s.plain("selfActivate")) })
		}
		wg.Wait()
		made := 0
		for _, a := range answers {
			if a.status == http.StatusCreated {
				made++
			} else {
				a.want(t, http.StatusBadRequest, "RoleAssignmentExists")
			}
		}
		if made != 1 || len(s.active(tn)) != 1 {
			t.Errorf("%d were made, %d are active", made, len(s.active(tn)))
		}
	})
}
