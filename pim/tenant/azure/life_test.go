package azure

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"roletray/pim/tenant/ledger"
)

func TestActivationRunsOut(t *testing.T) {
	tn := newTenant(t)
	tn.settings.ActivationLagSeconds = 60
	r := tn.activate(plainRole, sampleSub, lasting("PT2H"))
	if r.Properties.Status != "Provisioned" || tn.active(plainRole, sampleSub) {
		t.Fatalf("at once: %s, listed %v", r.Properties.Status, tn.active(plainRole, sampleSub))
	}
	tn.clock.Advance(time.Minute)
	if !tn.active(plainRole, sampleSub) {
		t.Error("not listed after the lag")
	}
	for _, a := range tn.list(user(sampleUser), activeNow) {
		if a.Properties.AssignmentType == "Activated" {
			p := a.Properties
			if p.EndDateTime.Sub(*p.StartDateTime) != 2*time.Hour || p.PrincipalID != sampleUser || p.MemberType != "Direct" ||
				p.LinkedRoleEligibilityScheduleID != tn.scheduleID(plainRole) {
				t.Errorf("the row is %+v", p)
			}
		}
	}
	tn.clock.Advance(2 * time.Hour)
	if tn.active(plainRole, sampleSub) {
		t.Error("listed after its end")
	}
	tn.put(user(sampleUser), sampleSub, ask("SelfDeactivate", plainRole, sampleSub, sampleUser)).
		want(t, http.StatusBadRequest, "RoleAssignmentDoesNotExist")
	tn.activate(plainRole, sampleSub)
}

func TestDeactivation(t *testing.T) {
	tn := newTenant(t)
	tn.settings.DeactivationLagSeconds = 90
	tn.activate(plainRole, sampleSub)
	tn.clock.Advance(5 * time.Minute)
	var r row
	tn.put(user(sampleUser), sampleSub, ask("SelfDeactivate", plainRole, sampleSub, sampleUser)).want(t, http.StatusCreated, "").into(t, &r)
	if r.Properties.Status != "Revoked" {
		t.Errorf("status %s", r.Properties.Status)
	}
	if !tn.active(plainRole, sampleSub) {
		t.Error("gone from the listing although that lags")
	}
	tn.put(user(sampleUser), sampleSub, ask("SelfDeactivate", plainRole, sampleSub, sampleUser)).
		want(t, http.StatusBadRequest, "RoleAssignmentDoesNotExist")
	tn.clock.Advance(90 * time.Second)
	if tn.active(plainRole, sampleSub) {
		t.Error("still listed after the lag")
	}
	tn.activate(plainRole, sampleSub)
}

func TestDeactivationTooEarlyAsFailedRequest(t *testing.T) {
	tn := newTenant(t)
	tn.settings.DeactivateTooEarlyAs201 = true
	tn.activate(plainRole, sampleSub)
	tn.clock.Advance(time.Minute)
	var r row
	tn.put(user(sampleUser), sampleSub, ask("SelfDeactivate", plainRole, sampleSub, sampleUser)).want(t, http.StatusCreated, "").into(t, &r)
	if r.Properties.Status != "Failed" || !tn.active(plainRole, sampleSub) {
		t.Errorf("status %s, active %v", r.Properties.Status, tn.active(plainRole, sampleSub))
	}
}

func TestScheduledStart(t *testing.T) {
	tn := newTenant(t)
	later := properties{"scheduleInfo": properties{
		"startDateTime": noon.Add(time.Hour), "expiration": properties{"type": "AfterDateTime", "endDateTime": noon.Add(2 * time.Hour)},
	}}
	r := tn.activate(plainRole, sampleSub, later)
	schedules := func() (n int) {
		for _, s := range tn.list(user(sampleUser), pim+"roleAssignmentSchedules?$filter=asTarget()") {
			if s.Properties.AssignmentType == "Activated" {
				n++
			}
		}
		return n
	}
	if r.Properties.Status != "Granted" || tn.active(plainRole, sampleSub) || schedules() != 1 {
		t.Errorf("status %s, active %v, %d schedules", r.Properties.Status, tn.active(plainRole, sampleSub), schedules())
	}
	tn.clock.Advance(time.Hour)
	if s := tn.status(r); s != "Provisioned" || !tn.active(plainRole, sampleSub) {
		t.Errorf("at its start: status %s, active %v", s, tn.active(plainRole, sampleSub))
	}
	tn.clock.Advance(time.Hour)
	if tn.active(plainRole, sampleSub) || schedules() != 0 {
		t.Error("there after its end")
	}

	r = tn.activate(plainRole, sampleSub, properties{"scheduleInfo": properties{"startDateTime": noon.Add(5 * time.Hour)}})
	tn.do(user(stranger), "POST", requestPath(sampleSub, r.Name)+"/cancel", nil).want(t, http.StatusNotFound, "ResourceNotFound")
	if a := tn.do(user(sampleUser), "POST", requestPath(sampleSub, r.Name)+"/cancel", nil).want(t, http.StatusOK, ""); len(a.body) > 0 {
		t.Errorf("the answer has a body: %s", a.body)
	}
	tn.clock.Advance(4 * time.Hour)
	if s := tn.status(r); s != "Canceled" || tn.active(plainRole, sampleSub) {
		t.Errorf("cancelled, but status %s, active %v", s, tn.active(plainRole, sampleSub))
	}
}

func TestPastStart(t *testing.T) {
	tn := newTenant(t)
	past := properties{"scheduleInfo": properties{"startDateTime": noon.Add(-time.Minute)}}
	tn.settings.PastStart = "sometimes"
	tn.put(user(sampleUser), sampleSub, ask("SelfActivate", plainRole, sampleSub, sampleUser, past)).
		want(t, http.StatusBadRequest, "InvalidRoleAssignmentRequestSchedule")
	tn.activate(plainRole, sampleSub, past)
}

func TestDryRun(t *testing.T) {
	tn := newTenant(t)
	path := requestPath(sampleSub, uuid.NewString())
	var r row
	tn.do(user(sampleUser), "POST", path+"/validate", ask("SelfActivate", bossRole, sampleSub, sampleUser)).want(t, http.StatusOK, "").into(t, &r)
	if r.Properties.Status != "PendingApproval" {
		t.Errorf("status %s", r.Properties.Status)
	}
	tn.do(user(sampleUser), "GET", path, nil).want(t, http.StatusNotFound, "ResourceNotFound")
	if n := len(tn.list(user(sampleUser), myRequests)); n != 0 {
		t.Errorf("%d requests are kept", n)
	}
	tn.do(user(sampleUser), "PUT", path, ask("SelfActivate", bossRole, sampleSub, sampleUser)).want(t, http.StatusCreated, "")
}

func TestReducedScope(t *testing.T) {
	full := sampleSub + pim + "RoleEligibilitySchedules/" + samplesLink
	for _, tt := range []struct {
		form, link string
		status     int
		code       string
	}{
		{"either", samplesLink, 201, ""},
		{"either", full, 201, ""},
		{"guid", samplesLink, 201, ""},
		{"guid", full, 400, "InvalidRoleAssignmentRequest"},
		{"path", samplesLink, 400, "InvalidRoleAssignmentRequest"},
		{"path", full, 201, ""},
	} {
		tn := newTenant(t)
		tn.settings.LinkedForm = tt.form
		body := ask("SelfActivate", sampleRole, sampleSub, sampleUser, properties{"linkedRoleEligibilityScheduleId": tt.link})
		tn.put(user(sampleUser), groupOne, body).want(t, tt.status, tt.code)
		if listed := tn.active(sampleRole, groupOne); listed != (tt.status == 201) {
			t.Errorf("%s with %s: listed %v", tt.form, tt.link, listed)
		}
		// At the eligibility's own scope either form does.
		tn.put(user(sampleUser), sampleSub, body).want(t, http.StatusCreated, "")
	}

	tn := newTenant(t)
	tn.settings.ReducedNeedsRead = true
	linked := properties{"linkedRoleEligibilityScheduleId": tn.scheduleID(customRole)}
	tn.put(user(sampleUser), otherSub, ask("SelfActivate", customRole, "", sampleUser, linked)).want(t, http.StatusCreated, "")
}

func TestReducedScopeNeedsRead(t *testing.T) {
	dir, data := company()
	data.Assignments = nil
	tn := serve(t, dir, data, noon)
	tn.settings.ReducedNeedsRead = true
	tn.put(user(sampleUser), groupOne, ask("SelfActivate", sampleRole, sampleSub, sampleUser, properties{
		"linkedRoleEligibilityScheduleId": samplesLink,
	})).want(t, http.StatusForbidden, "AuthorizationFailed")
}

func TestConditionIsCopied(t *testing.T) {
	tn := newTenant(t)
	if p := tn.activate(sampleRole, sampleSub).Properties; p.Condition != condition || p.ConditionVersion != "1.0" {
		t.Errorf("condition %q, version %q", p.Condition, p.ConditionVersion)
	}
}

func TestRoleThroughAGroup(t *testing.T) {
	tn := newTenant(t)
	var held *row
	for _, r := range tn.list(user(sampleUser), eligibleNow) {
		if strings.HasSuffix(r.Properties.RoleDefinitionID, groupRole) {
			held = &r
		}
	}
	if held == nil || held.Properties.PrincipalID != team || held.Properties.PrincipalType != "Group" ||
		held.Properties.MemberType != "Group" || held.Properties.ExpandedProperties.Principal.DisplayName != "Team" {
		t.Fatalf("the row is %+v", held)
	}
	r := tn.activate(groupRole, otherSub)
	if r.Properties.PrincipalID != sampleUser || !tn.active(groupRole, otherSub) {
		t.Errorf("activated as %+v", r.Properties)
	}
}

func TestApproval(t *testing.T) {
	decide := func(tn *tenant, who string, r row, method string, body any) answer {
		tn.t.Helper()
		var stages page[row]
		tn.do(user(who), "GET", r.Properties.ApprovalID+"/stages", nil).want(tn.t, http.StatusOK, "").into(tn.t, &stages)
		return tn.do(user(who), method, stages.Value[0].ID, body)
	}
	yes := properties{"reviewResult": "Approve", "justification": "fine"}

	t.Run("approved", func(t *testing.T) {
		tn := newTenant(t)
		r := tn.activate(bossRole, sampleSub, lasting("PT1H"))
		if r.Properties.Status != "PendingApproval" || !strings.HasPrefix(r.Properties.ApprovalID, approvalPath) || tn.active(bossRole, sampleSub) {
			t.Fatalf("the request is %+v", r.Properties)
		}
		waiting := tn.list(user(boss), pim+"roleAssignmentScheduleRequests?$filter=asApprover()")
		if len(waiting) != 1 || waiting[0].Name != r.Name || waiting[0].Properties.ExpandedProperties.Principal.DisplayName != "User Account" {
			t.Errorf("waiting for the boss: %+v", waiting)
		}
		var stage page[row]
		tn.do(user(boss), "GET", r.Properties.ApprovalID+"/stages", nil).into(t, &stage)
		if p := stage.Value[0].Properties; !p.AssignedToMe || p.Status != "InProgress" || p.ReviewResult != "NotReviewed" {
			t.Errorf("the stage is %+v", p)
		}
		decide(tn, boss, r, "PATCH", properties{"reviewResult": "Approve"}).want(t, http.StatusBadRequest, "BadRequest")
		decide(tn, boss, r, "PATCH", properties{"reviewResult": "Perhaps"}).want(t, http.StatusBadRequest, "BadRequest")
		decide(tn, boss, r, "PATCH", "{").want(t, http.StatusBadRequest, "InvalidRequestContent")
		decide(tn, sampleUser, r, "PATCH", yes).want(t, http.StatusForbidden, "InsufficientPermissions")
		tn.do(user(stranger), "GET", r.Properties.ApprovalID, nil).want(t, http.StatusNotFound, "ResourceNotFound")
		tn.clock.Advance(time.Hour)
		decide(tn, boss, r, "PATCH", yes).want(t, http.StatusOK, "")
		if s := tn.status(r); s != "Provisioned" || !tn.active(bossRole, sampleSub) {
			t.Errorf("status %s, active %v", s, tn.active(bossRole, sampleSub))
		}
		decide(tn, boss, r, "PATCH", yes).want(t, http.StatusConflict, "Conflict")
		if n := len(tn.list(user(boss), pim+"roleAssignmentScheduleRequests?$filter=asApprover()")); n != 0 {
			t.Errorf("%d requests wait still", n)
		}
		tn.clock.Advance(time.Hour - time.Minute)
		if !tn.active(bossRole, sampleSub) {
			t.Error("the hour did not begin with the approval")
		}
	})
	t.Run("denied, with 204", func(t *testing.T) {
		tn := newTenant(t)
		tn.settings.ApprovalAnswer = 204
		r := tn.activate(bossRole, sampleSub)
		decide(tn, boss, r, "PUT", properties{"properties": properties{"reviewResult": "Deny", "justification": "no"}}).want(t, http.StatusNoContent, "")
		if s := tn.status(r); s != "Denied" || tn.active(bossRole, sampleSub) {
			t.Errorf("status %s", s)
		}
		var a row
		tn.do(user(boss), "GET", r.Properties.ApprovalID, nil).into(t, &a)
		if p := a.Properties.Stages[0].Properties; p.Status != "Completed" || p.ReviewResult != "Deny" || p.Justification != "no" {
			t.Errorf("the stage is %+v", p)
		}
		tn.activate(bossRole, sampleSub)
	})
	t.Run("timed out", func(t *testing.T) {
		tn := newTenant(t)
		r := tn.activate(bossRole, sampleSub)
		tn.clock.Advance(24*time.Hour - time.Minute)
		if s := tn.status(r); s != "PendingApproval" {
			t.Errorf("status %s within a day", s)
		}
		tn.clock.Advance(time.Minute)
		if s := tn.status(r); s != "TimedOut" {
			t.Errorf("status %s after a day", s)
		}
		decide(tn, boss, r, "PATCH", yes).want(t, http.StatusConflict, "Conflict")
		var a row
		tn.do(user(sampleUser), "GET", r.Properties.ApprovalID, nil).want(t, http.StatusOK, "").into(t, &a)
		if p := a.Properties.Stages[0].Properties; p.Status != "Expired" || p.ReviewResult != "NotReviewed" {
			t.Errorf("the stage is %+v", p)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		tn := newTenant(t)
		r := tn.activate(bossRole, sampleSub)
		tn.do(user(boss), "POST", requestPath(sampleSub, r.Name)+"/cancel", nil).want(t, http.StatusForbidden, "InsufficientPermissions")
		tn.do(user(sampleUser), "POST", requestPath(sampleSub, r.Name)+"/cancel", nil).want(t, http.StatusOK, "")
		if s := tn.status(r); s != "Canceled" {
			t.Errorf("status %s", s)
		}
		decide(tn, boss, r, "PATCH", yes).want(t, http.StatusConflict, "Conflict")
	})
	t.Run("by the control endpoint", func(t *testing.T) {
		tn := newTenant(t)
		r := tn.activate(bossRole, sampleSub)
		if err := tn.service.Decide(r.Name, true, sampleUser, "fine"); err == nil {
			t.Error("the requestor approved")
		}
		if err := tn.service.Decide(r.Name, true, "", ""); err == nil {
			t.Error("approved without a reason")
		}
		if err := tn.service.Decide(r.Name, true, "", "fine"); err != nil {
			t.Error(err)
		}
		if s := tn.status(r); s != "Provisioned" {
			t.Errorf("status %s", s)
		}
		if err := tn.service.Decide(uuid.NewString(), true, "", "fine"); err == nil {
			t.Error("decided on nothing")
		}
	})
	t.Run("read by the requestor", func(t *testing.T) {
		tn := newTenant(t)
		r := tn.activate(bossRole, sampleSub)
		decide(tn, boss, r, "PATCH", properties{"reviewResult": "Deny", "justification": "no"}).want(t, http.StatusOK, "")
		var a struct {
			Properties struct {
				Stages []struct{ Properties map[string]any }
			}
		}
		tn.do(user(sampleUser), "GET", r.Properties.ApprovalID, nil).want(t, http.StatusOK, "").into(t, &a)
		want := map[string]any{
			"displayName": "Approval", "status": "Completed", "reviewResult": "Deny", "justification": "no", "assignedToMe": false,
			"reviewedBy": map[string]any{"principalId": boss, "principalType": "user", "principalName": "Boss", "userPrincipalName": "boss@my-tenant.com"},
		}
		got := a.Properties.Stages[0].Properties
		at, err := time.Parse(time.RFC3339, fmt.Sprint(got["reviewedDateTime"]))
		if delete(got, "reviewedDateTime"); err != nil || tn.clock.Now().Sub(at).Abs() > time.Minute {
			t.Errorf("decided at %v, %v", at, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		tn.settings.OwnApproval = "refuse"
		for _, path := range []string{"", "/stages", "/stages/" + uuid.NewString()} {
			tn.do(user(sampleUser), "GET", r.Properties.ApprovalID+path, nil).want(t, http.StatusForbidden, "AuthorizationFailed")
		}
		tn.do(user(boss), "GET", r.Properties.ApprovalID, nil).want(t, http.StatusOK, "")
	})
	t.Run("lists", func(t *testing.T) {
		tn := newTenant(t)
		tn.activate(bossRole, sampleSub)
		for _, tt := range []struct {
			who, filter string
			n           int
		}{
			{boss, "", 1},
			{boss, "asApprover()", 1},
			{boss, "asCreatedBy()", 0},
			{sampleUser, "asApprover()", 0},
			{sampleUser, "asCreatedBy()", 1},
			{sampleUser, "asTarget()", 1},
			{stranger, "", 0},
		} {
			if n := len(tn.list(user(tt.who), pim+"roleAssignmentApprovals"+filter(tt.filter))); n != tt.n {
				t.Errorf("%s for %s lists %d", tt.filter, tt.who, n)
			}
		}
	})
}

func TestExtendAndRenew(t *testing.T) {
	tn := newTenant(t)
	path := sampleSub + pim + "roleEligibilityScheduleRequests/"
	var r row
	tn.do(user(sampleUser), "PUT", path+uuid.NewString(), ask("SelfExtend", plainRole, sampleSub, sampleUser, lasting("P180D"))).
		want(t, http.StatusCreated, "").into(t, &r)
	if r.Properties.Status != "PendingAdminDecision" {
		t.Fatalf("status %s", r.Properties.Status)
	}
	if err := tn.service.Decide(r.Name, true, "", ""); err != nil {
		t.Fatal(err)
	}
	want := noon.AddDate(0, 0, 190)
	for _, e := range tn.list(user(sampleUser), sampleSub+eligibleNow) {
		if strings.HasSuffix(e.Properties.RoleDefinitionID, plainRole) && e.Properties.Scope == sampleSub && !e.Properties.EndDateTime.Equal(want) {
			t.Errorf("ends %s", e.Properties.EndDateTime)
		}
	}
	if s := tn.status(r); s != "Provisioned" {
		t.Errorf("status %s", s)
	}
	tn.do(user(sampleUser), "PUT", path+uuid.NewString(), ask("SelfExtend", plainRole, sampleSub, sampleUser)).
		want(t, http.StatusBadRequest, "InvalidRoleAssignmentRequest")

	// What ended three days ago can be renewed, and then is there again.
	path = otherSub + pim + "roleEligibilityScheduleRequests/"
	tn.do(user(sampleUser), "PUT", path+uuid.NewString(), ask("SelfRenew", customRole, otherSub, sampleUser, lasting("P30D"))).
		want(t, http.StatusCreated, "").into(t, &r)
	before := len(tn.list(user(sampleUser), otherSub+eligibleNow))
	if err := tn.service.Decide(r.Name, true, "", ""); err != nil {
		t.Fatal(err)
	}
	if after := len(tn.list(user(sampleUser), otherSub+eligibleNow)); after != before+1 {
		t.Errorf("%d rows after the renewal, %d before", after, before)
	}

	// A time-bound assignment.
	tn.put(user(sampleUser), otherSub, ask("SelfExtend", vmRole, otherSub, sampleUser)).want(t, http.StatusCreated, "").into(t, &r)
	if err := tn.service.Decide(r.Name, false, "", ""); err != nil {
		t.Fatal(err)
	}
	if s := tn.status(r); s != "AdminDenied" {
		t.Errorf("status %s", s)
	}
	if err := tn.service.Decide(r.Name, true, "", ""); err == nil {
		t.Error("decided twice")
	}
}

// Of many requests for the same role at the same moment one wins.
func TestParallelActivations(t *testing.T) {
	tn := newTenant(t)
	const n = 24
	statuses := make([]int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			c := user(sampleUser)
			body := ask("SelfActivate", plainRole, sampleSub, sampleUser)
			if i%3 == 0 {
				tn.do(c, "GET", activeNow, nil)
			}
			statuses[i] = tn.put(c, sampleSub, body).status
		})
	}
	wg.Wait()
	won := 0
	for _, s := range statuses {
		if s == http.StatusCreated {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d of %d won", won, n)
	}
	if n := len(tn.list(user(sampleUser), myRequests)); n != 1 {
		t.Errorf("%d requests are kept", n)
	}
}

func TestEligibilityEndsTheActivation(t *testing.T) {
	tn := newTenant(t)
	tn.clock.Advance(10*24*time.Hour - time.Hour)
	tn.activate(plainRole, sampleSub, lasting("PT8H"))
	tn.clock.Advance(time.Hour)
	if tn.active(plainRole, sampleSub) {
		t.Error("active after the eligibility ended")
	}
	tn.put(user(sampleUser), sampleSub, ask("SelfActivate", plainRole, sampleSub, sampleUser)).
		want(t, http.StatusBadRequest, string(ledger.PolicyValidationFailed))
}
