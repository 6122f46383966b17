package arm_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"roletray/pim"
	"roletray/pim/tenant"
)

// prolongation asks for 90 more days of e, in the way that is open now.
func prolongation(t *testing.T, c company, e *pim.Eligibility, a *pim.Assignment) pim.Prolongation {
	t.Helper()
	p := pim.Prolongation{ID: uuid.NewString(), Eligibility: e, Assignment: a, Justification: "still needed"}
	end, via := time.Time{}, pim.Via("")
	if e != nil {
		end, via = e.End, e.Via
	} else {
		end, via = a.End, a.Via
	}
	var can bool
	if p.Action, can = pim.CanProlong(end, via, c.Now()); !can {
		t.Fatalf("%+v cannot be prolonged", p.Role())
	}
	p.End = c.Now().Add(90 * 24 * time.Hour).UTC().Truncate(time.Second)
	return p
}

func (c company) expiring(t *testing.T) pim.Eligibility {
	t.Helper()
	return c.eligible(t, func(e pim.Eligibility, _ pim.Policy) bool {
		return e.Role.Name == "Contributor" && strings.HasPrefix(e.Role.Scope.Name, "Warehouse")
	})
}

func TestEligibilityIsExtendedAtTenant(t *testing.T) {
	c := newCompany(t)
	ctx := t.Context()
	e := c.expiring(t)
	w := prolongation(t, c, &e, nil)
	write := pim.Write{ID: w.ID, Action: w.Action, Role: w.Role(), OfEligibility: true}
	if _, found, err := c.provider.Find(ctx, write); found || err != nil {
		t.Fatalf("found before it was sent: %v, %v", found, err)
	}
	made, err := c.provider.Prolong(ctx, w)
	if err != nil {
		t.Fatal(err)
	}
	if made.ID != w.ID || made.Action != pim.ActionExtend || made.Status != "PendingAdminDecision" || made.Phase(c.Now()) != pim.PhaseWaiting ||
		!made.OfEligibility || made.Role != e.Role || !made.End.Equal(w.End) || made.Justification != "still needed" {
		t.Errorf("request is %+v", made)
	}
	if found, ok, err := c.provider.Find(ctx, write); err != nil || !ok || found.ID != w.ID {
		t.Errorf("find: %+v, %v, %v", found, ok, err)
	}
	if again, err := c.provider.Prolong(ctx, w); err != nil || again.ID != w.ID {
		t.Errorf("the same prolongation again: %+v, %v", again, err)
	}
	second := prolongation(t, c, &e, nil)
	_, err = c.provider.Prolong(ctx, second)
	wantCode(t, err, pim.CodePending)

	requests, err := c.provider.Requests(ctx)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(requests, func(r pim.Request) bool { return r.ID == w.ID })
	if i < 0 || !requests[i].OfEligibility {
		t.Fatalf("requests are %+v", requests)
	}
	// What is kept on disk still says where the request is.
	data, err := json.Marshal(requests[i])
	if err != nil {
		t.Fatal(err)
	}
	var kept pim.Request
	if err := json.Unmarshal(data, &kept); err != nil {
		t.Fatal(err)
	}
	if err := c.provider.Cancel(ctx, kept); err != nil {
		t.Fatal(err)
	}
	if now, err := c.provider.Follow(ctx, kept); err != nil || now.Phase(c.Now()) != pim.PhaseRefused || !now.OfEligibility {
		t.Errorf("after cancelling: %+v, %v", now, err)
	}

	made, err = c.provider.Prolong(ctx, second)
	if err != nil {
		t.Fatal(err)
	}
	c.control(t, "POST", "/approve", `{"request":"`+second.ID+`"}`)
	if now, err := c.provider.Follow(ctx, made); err != nil || now.Phase(c.Now()) != pim.PhaseDone {
		t.Errorf("after an administrator's approval: %+v, %v", now, err)
	}
	if now := c.expiring(t); !now.End.Equal(second.End) {
		t.Errorf("the eligibility ends %v, want %v", now.End, second.End)
	}
}

func TestEligibilityIsRenewedAtTenant(t *testing.T) {
	c := newCompany(t)
	e := c.expiring(t)
	c.Advance(6 * 24 * time.Hour)
	c = c.as(t, "") // The tokens have expired with it.
	made, err := c.provider.Prolong(t.Context(), prolongation(t, c, &e, nil))
	if err != nil || made.Action != pim.ActionRenew || made.Phase(c.Now()) != pim.PhaseWaiting {
		t.Errorf("%+v, %v", made, err)
	}
}

func TestAssignmentIsExtendedAtTenant(t *testing.T) {
	c := newCompany(t)
	var held *pim.Assignment
	for part, err := range c.provider.Active(t.Context(), nil, true) {
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range part.Rows {
			if a.Type == pim.Assigned && !a.End.IsZero() {
				held = &a
			}
		}
	}
	if held == nil {
		t.Fatal("no assignment has an end")
	}
	made, err := c.provider.Prolong(t.Context(), prolongation(t, c, nil, held))
	if err != nil || made.Action != pim.ActionExtend || made.Phase(c.Now()) != pim.PhaseWaiting || made.OfEligibility {
		t.Fatalf("%+v, %v", made, err)
	}
	if now, err := c.provider.Follow(t.Context(), made); err != nil || now.ID != made.ID {
		t.Errorf("%+v, %v", now, err)
	}
	if err := c.provider.Cancel(t.Context(), made); err != nil {
		t.Error(err)
	}
}

func TestProlongationOutsideItsWindowIsRefusedAtTenant(t *testing.T) {
	c := newCompany(t)
	e := c.eligible(t, func(e pim.Eligibility, _ pim.Policy) bool { return e.End.After(c.Now().Add(30 * 24 * time.Hour)) })
	w := pim.Prolongation{ID: uuid.NewString(), Action: pim.ActionExtend, Eligibility: &e, End: e.End.Add(time.Hour), Justification: "more"}
	_, err := c.provider.Prolong(t.Context(), w)
	if e := wantCode(t, err, pim.CodeRejected); !strings.Contains(e.Message, "14 days") {
		t.Errorf("error is %v", err)
	}
}

func TestLostProlongationAtTenant(t *testing.T) {
	for name, fault := range map[string]tenant.Fault{
		"before it took effect": {CutBefore: true},
		"after it took effect":  {CutAfter: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCompany(t)
			e := c.expiring(t)
			w := prolongation(t, c, &e, nil)
			fault.Service, fault.Method = "arm", "PUT"
			if err := c.AddFaults(fault); err != nil {
				t.Fatal(err)
			}
			_, err := c.provider.Prolong(t.Context(), w)
			wantCode(t, err, pim.CodeTimeout)
			if n := c.writes("PUT"); n != 1 {
				t.Errorf("%d writes", n)
			}
			_, found, err := c.provider.Find(t.Context(), pim.Write{ID: w.ID, Role: w.Role(), OfEligibility: true})
			if err != nil || found != fault.CutAfter {
				t.Errorf("found is %v, %v", found, err)
			}
		})
	}
}

const asked = "64caffb6-55c0-4deb-a585-68e948ea1ad6"

func prolonged(t *testing.T) []byte {
	return replace(example(t, "PutRoleEligibilityScheduleRequest", "201"),
		`"AdminAssign"`, `"SelfExtend"`, `"Provisioned"`, `"PendingAdminDecision"`)
}

func TestProlongationSent(t *testing.T) {
	end := time.Date(2027, 3, 1, 9, 30, 15, 999, time.FixedZone("", 3600))
	eligible := exampleEligibility()
	assigned := pim.Assignment{Role: eligible.Role, Type: pim.Assigned}
	for _, tt := range []struct {
		name  string
		w     pim.Prolongation
		path  string
		start string
	}{
		{"extend an eligibility", pim.Prolongation{Action: pim.ActionExtend, Eligibility: &eligible}, "roleEligibilityScheduleRequests/", ""},
		{"extend with a start", pim.Prolongation{Action: pim.ActionExtend, Eligibility: &eligible, Start: end.AddDate(0, -1, 0)}, "roleEligibilityScheduleRequests/", ""},
		{"renew an eligibility", pim.Prolongation{Action: pim.ActionRenew, Eligibility: &eligible, Start: end.AddDate(0, -1, 0)}, "roleEligibilityScheduleRequests/", "2027-02-01T08:30:15.000000999Z"},
		{"renew from a start that has passed", pim.Prolongation{Action: pim.ActionRenew, Eligibility: &eligible, Start: end.AddDate(-1, 0, 0)}, "roleEligibilityScheduleRequests/", ""},
		{"extend an assignment", pim.Prolongation{Action: pim.ActionExtend, Assignment: &assigned}, "roleAssignmentScheduleRequests/", ""},
		{"renew an assignment", pim.Prolongation{Action: pim.ActionRenew, Assignment: &assigned}, "roleAssignmentScheduleRequests/", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, _ call) { send(w, 201, prolonged(t)) })
			tt.w.ID, tt.w.End, tt.w.Justification = asked, end, "still needed"
			made, err := s.Prolong(short(t), tt.w)
			if err != nil || made.ID != asked || made.Status != "PendingAdminDecision" || made.OfEligibility != (tt.w.Eligibility != nil) {
				t.Errorf("%+v, %v", made, err)
			}
			c := s.seen()[0]
			if c.Method != "PUT" || c.Path != subscription+pimPath+tt.path+asked {
				t.Errorf("sent %s %s", c.Method, c.Path)
			}
			schedule := map[string]any{"expiration": map[string]any{"type": "AfterDateTime", "endDateTime": "2027-03-01T08:30:15Z"}}
			if tt.start != "" {
				schedule["startDateTime"] = tt.start
			}
			want := map[string]any{
				"principalId": me, "roleDefinitionId": contributor, "justification": "still needed", "scheduleInfo": schedule,
				"requestType": map[pim.Action]string{pim.ActionExtend: "SelfExtend", pim.ActionRenew: "SelfRenew"}[tt.w.Action],
			}
			if tt.w.Eligibility != nil {
				want["condition"], want["conditionVersion"] = eligible.Condition, eligible.ConditionVersion
			}
			if diff := cmp.Diff(want, c.Body.Properties); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProlongationThatIsNoneIsNotSent(t *testing.T) {
	s := newService(t, func(http.ResponseWriter, call) {})
	e, a, end := exampleEligibility(), pim.Assignment{}, time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	astray := e
	astray.Role.Scope.ID += "/.."
	for name, w := range map[string]pim.Prolongation{
		"an activation":         {Action: pim.ActionActivate, Eligibility: &e, End: end},
		"of nothing":            {Action: pim.ActionExtend, End: end},
		"of two":                {Action: pim.ActionExtend, Eligibility: &e, Assignment: &a, End: end},
		"without an end":        {Action: pim.ActionExtend, Eligibility: &e},
		"at a scope that is no": {Action: pim.ActionRenew, Eligibility: &astray, End: end},
	} {
		if _, err := s.Prolong(short(t), w); err == nil {
			t.Errorf("%s was sent", name)
		}
	}
	if n := len(s.seen()); n != 0 {
		t.Errorf("%d calls", n)
	}
}

func TestProlongationOfThisGUIDExistsAlready(t *testing.T) {
	e := exampleEligibility()
	w := pim.Prolongation{ID: asked, Action: pim.ActionExtend, Eligibility: &e, End: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)}
	for name, exists := range map[string]bool{"ours": true, "another": false} {
		s := newService(t, func(rw http.ResponseWriter, c call) {
			switch {
			case c.Path != subscription+pimPath+"roleEligibilityScheduleRequests/"+asked:
				t.Errorf("asked %s", c.Path)
			case c.Method == "PUT":
				refuse(rw, 400, "RoleAssignmentRequestExists", "")
			case exists:
				send(rw, 200, prolonged(t))
			default:
				refuse(rw, 404, "RoleEligibilityScheduleRequestNotFound", "")
			}
		})
		made, err := s.Prolong(short(t), w)
		if exists && (err != nil || made.ID != asked) || !exists && pim.CodeOf(err) != pim.CodePending {
			t.Errorf("%s: %+v, %v", name, made, err)
		}
		if n := s.count("PUT"); n != 1 {
			t.Errorf("%s: %d writes", name, n)
		}
	}
}

func TestRequestsWithTheirProlongations(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(http.ResponseWriter)
		want   int
		code   pim.Code
	}{
		{"one", func(w http.ResponseWriter) { send(w, 200, listOf(string(prolonged(t)), "null", "{}")) }, 2, ""},
		{"an administrator's", func(w http.ResponseWriter) { send(w, 200, listOf(string(replace(prolonged(t), "Self", "Admin")))) }, 1, ""},
		{"refused", func(w http.ResponseWriter) { refuse(w, 403, "AuthorizationFailed", "") }, 1, ""},
		{"no list", func(w http.ResponseWriter) { send(w, 200, []byte(`{}`)) }, 0, pim.CodeUnreadable},
		{"unavailable", func(w http.ResponseWriter) { refuse(w, 500, "InternalServerError", "") }, 0, pim.CodeUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, c call) {
				if strings.Contains(c.Path, "roleEligibilityScheduleRequests") {
					tt.answer(w)
					return
				}
				send(w, 200, example(t, "GetRoleAssignmentScheduleRequestByScope", "200"))
			})
			got, err := s.Requests(short(t))
			if pim.CodeOf(err) != tt.code || len(got) != tt.want {
				t.Fatalf("%+v, %v", got, err)
			}
			for _, r := range got {
				if r.OfEligibility != (r.ID == asked) {
					t.Errorf("request is %+v", r)
				}
			}
		})
	}
}
