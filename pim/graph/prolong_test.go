package graph_test

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

// prolongation asks for 90 more days, in the way that is open now.
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

func prolongWrite(w pim.Prolongation, at time.Time) pim.Write {
	return pim.Write{ID: w.ID, Action: w.Action, Role: w.Role(), At: at, Start: w.Start, End: w.End, OfEligibility: w.Eligibility != nil}
}

// expiring is the one eligibility that ends soon.
func expiring(t *testing.T, c company, p pim.Provider) pim.Eligibility {
	t.Helper()
	return eligible(t, p, func(e pim.Eligibility, _ pim.Policy) bool {
		_, can := pim.CanProlong(e.End, e.Via, c.Now())
		return can
	})
}

func TestEligibilityIsExtendedAtTenant(t *testing.T) {
	eachKind(t, func(t *testing.T, c company, p pim.Provider) {
		ctx, prolonger := t.Context(), p.(pim.Prolonger)
		e := expiring(t, c, p)
		w := prolongation(t, c, &e, nil)
		write := prolongWrite(w, c.Now())
		if _, found, err := p.Find(ctx, write); found || err != nil {
			t.Fatalf("found before it was sent: %v, %v", found, err)
		}
		made, err := prolonger.Prolong(ctx, w)
		if err != nil {
			t.Fatal(err)
		}
		if made.Action != pim.ActionExtend || made.Status != "PendingAdminDecision" || made.Phase(c.Now()) != pim.PhaseWaiting ||
			!made.OfEligibility || made.Role != e.Role || !made.End.Equal(w.End) || made.Justification != "still needed" {
			t.Errorf("request is %+v", made)
		}
		if found, ok, err := p.Find(ctx, write); err != nil || !ok || found.ID != made.ID || !found.OfEligibility {
			t.Errorf("find: %+v, %v, %v", found, ok, err)
		}
		other := write
		other.End = other.End.Add(time.Hour)
		if _, ok, err := p.Find(ctx, other); err != nil || ok {
			t.Errorf("found for another end: %v, %v", ok, err)
		}
		second := prolongation(t, c, &e, nil)
		_, err = prolonger.Prolong(ctx, second)
		wantCode(t, err, pim.CodePending)

		requests, err := p.Requests(ctx)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(requests, func(r pim.Request) bool { return r.ID == made.ID })
		if i < 0 || !requests[i].OfEligibility || requests[i].Role != e.Role {
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
		if err := p.Cancel(ctx, kept); err != nil {
			t.Fatal(err)
		}
		if now, err := p.Follow(ctx, kept); err != nil || now.Phase(c.Now()) != pim.PhaseRefused || !now.OfEligibility {
			t.Errorf("after cancelling: %+v, %v", now, err)
		}

		made, err = prolonger.Prolong(ctx, second)
		if err != nil {
			t.Fatal(err)
		}
		c.steer(t, "POST", "/approve", map[string]string{"request": made.ID})
		if now, err := p.Follow(ctx, made); err != nil || now.Phase(c.Now()) != pim.PhaseDone {
			t.Errorf("after an administrator's approval: %+v, %v", now, err)
		}
		list, err := p.Eligible(ctx)
		if err != nil || !slices.ContainsFunc(list, func(n pim.Eligibility) bool { return n.Role == e.Role && n.End.Equal(second.End) }) {
			t.Errorf("eligibilities are %+v, %v", list, err)
		}
	})
}

func TestEligibilityIsRenewedAtTenant(t *testing.T) {
	eachKind(t, func(t *testing.T, c company, p pim.Provider) {
		e := expiring(t, c, p)
		c.Advance(e.End.Sub(c.Now()) + time.Hour)
		c = c.as(t, "") // The tokens have expired with it.
		p = c.kinds()[string(p.Kind())]
		made, err := p.(pim.Prolonger).Prolong(t.Context(), prolongation(t, c, &e, nil))
		if err != nil || made.Action != pim.ActionRenew || made.Phase(c.Now()) != pim.PhaseWaiting {
			t.Errorf("%+v, %v", made, err)
		}
	})
}

func TestAssignmentIsExtendedAtTenant(t *testing.T) {
	eachKind(t, func(t *testing.T, c company, p pim.Provider) {
		var held *pim.Assignment
		for part, err := range p.Active(t.Context(), nil, true) {
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
		if early := held.End.Sub(c.Now()) - pim.ExtendWindow; early > 0 {
			c.Advance(early + time.Hour)
			c = c.as(t, "") // The tokens have expired with it.
			p = c.kinds()[string(p.Kind())]
		}
		w := prolongation(t, c, nil, held)
		write := prolongWrite(w, c.Now())
		made, err := p.(pim.Prolonger).Prolong(t.Context(), w)
		if err != nil || made.Action != pim.ActionExtend || made.Phase(c.Now()) != pim.PhaseWaiting || made.OfEligibility {
			t.Fatalf("%+v, %v", made, err)
		}
		if found, ok, err := p.Find(t.Context(), write); err != nil || !ok || found.ID != made.ID {
			t.Errorf("find: %+v, %v, %v", found, ok, err)
		}
		if now, err := p.Follow(t.Context(), made); err != nil || now.ID != made.ID {
			t.Errorf("%+v, %v", now, err)
		}
		if err := p.Cancel(t.Context(), made); err != nil {
			t.Error(err)
		}
	})
}

func TestProlongationOutsideItsWindowIsRefusedAtTenant(t *testing.T) {
	eachKind(t, func(t *testing.T, c company, p pim.Provider) {
		e := eligible(t, p, func(e pim.Eligibility, _ pim.Policy) bool { return e.End.After(c.Now().Add(30 * 24 * time.Hour)) })
		w := pim.Prolongation{ID: uuid.NewString(), Action: pim.ActionExtend, Eligibility: &e, End: e.End.Add(time.Hour), Justification: "more"}
		_, err := p.(pim.Prolonger).Prolong(t.Context(), w)
		wantCode(t, err, pim.CodeRejected)
		if text := pim.Explain(err).Text; !strings.Contains(text, "14 days") {
			t.Errorf("the person reads %q", text)
		}
	})
}

func TestLostProlongationAtTenant(t *testing.T) {
	for name, fault := range map[string]tenant.Fault{
		"before it took effect": {CutBefore: true},
		"after it took effect":  {CutAfter: true},
	} {
		t.Run(name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, c company, p pim.Provider) {
				e := expiring(t, c, p)
				w := prolongation(t, c, &e, nil)
				fault.Service, fault.Method, fault.PathContains = "graph", "POST", "ScheduleRequests"
				if err := c.AddFaults(fault); err != nil {
					t.Fatal(err)
				}
				write := prolongWrite(w, c.Now())
				_, err := p.(pim.Prolonger).Prolong(t.Context(), w)
				wantCode(t, err, pim.CodeTimeout)
				_, found, err := p.Find(t.Context(), write)
				if err != nil || found != fault.CutAfter {
					t.Errorf("found is %v, %v", found, err)
				}
			})
		})
	}
}

// The permission to prolong is asked for only where it is used.
func TestMissingPermissionToProlongAtTenant(t *testing.T) {
	for kind, missing := range map[string]string{
		"directory": "RoleEligibilitySchedule.ReadWrite.Directory",
		"group":     "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
	} {
		t.Run(kind, func(t *testing.T) {
			c := newCompany(t)
			c.steer(t, "PUT", "/settings", map[string]any{"login": map[string]any{"grantedScopes": []string{
				"User.Read", "GroupMember.Read.All", "RoleEligibilitySchedule.Read.Directory", "RoleAssignmentSchedule.ReadWrite.Directory",
				"RoleManagementPolicy.Read.Directory", "PrivilegedEligibilitySchedule.Read.AzureADGroup",
				"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup", "RoleManagementPolicy.Read.AzureADGroup",
			}}})
			c = c.as(t, "")
			p := c.kinds()[kind]
			e := expiring(t, c, p)
			_, err := p.(pim.Prolonger).Prolong(t.Context(), prolongation(t, c, &e, nil))
			wantCode(t, err, pim.CodeConsent)
			if text := pim.Explain(err).Text; !strings.Contains(text, "grant "+missing+".") {
				t.Errorf("the person reads %q", text)
			}
			if _, err := p.Activate(t.Context(), activation(eligible(t, p, plain))); err != nil {
				t.Error(err)
			}
			if list, err := p.Requests(t.Context()); err != nil || len(list) != 1 {
				t.Errorf("requests are %+v, %v", list, err)
			}
		})
	}
}

func TestProlongationSent(t *testing.T) {
	end := time.Date(2027, 3, 1, 9, 30, 15, 999, time.FixedZone("", 3600))
	roles := map[string]pim.Role{"directory": attributeRole(), "group": groupRole()}
	for _, tt := range []struct {
		name    string
		kind    string
		action  pim.Action
		of      string
		start   time.Time
		path    string
		started string
	}{
		{"extend an eligibility", "directory", pim.ActionExtend, "eligibility", time.Time{}, directoryBase + "roleEligibilityScheduleRequests", ""},
		{"extend with a start", "group", pim.ActionExtend, "eligibility", end.AddDate(0, -1, 0), groupBase + "eligibilityScheduleRequests", ""},
		{"renew an eligibility", "group", pim.ActionRenew, "eligibility", end.AddDate(0, -1, 0), groupBase + "eligibilityScheduleRequests", "2027-02-01T08:30:15.000000999Z"},
		{"renew from a start that has passed", "directory", pim.ActionRenew, "eligibility", end.AddDate(-9, 0, 0), directoryBase + "roleEligibilityScheduleRequests", ""},
		{"extend an assignment", "directory", pim.ActionExtend, "assignment", time.Time{}, directoryBase + "roleAssignmentScheduleRequests", ""},
		{"renew an assignment", "group", pim.ActionRenew, "assignment", time.Time{}, groupBase + "assignmentScheduleRequests", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, c call) {
				c.Body["id"], c.Body["status"], c.Body["createdDateTime"] = "1", "PendingAdminDecision", "2022-04-13T08:52:00Z"
				sendJSON(w, 201, c.Body)
			})
			role := roles[tt.kind]
			w := pim.Prolongation{ID: ours, Action: tt.action, Start: tt.start, End: end, Justification: "still needed"}
			if tt.of == "eligibility" {
				w.Eligibility = &pim.Eligibility{Role: role}
			} else {
				w.Assignment = &pim.Assignment{Role: role}
			}
			p := map[string]pim.Prolonger{"directory": s.Directory(), "group": s.Groups()}[tt.kind]
			made, err := p.Prolong(short(t), w)
			if err != nil || made.ID != "1" || made.Role != role || !made.End.Equal(end.Truncate(time.Second)) || made.OfEligibility != (tt.of == "eligibility") {
				t.Errorf("%+v, %v", made, err)
			}
			c := s.seen()[0]
			if c.Method != "POST" || c.Path != tt.path || c.Header.Get("client-request-id") != ours {
				t.Errorf("sent %s %s", c.Method, c.Path)
			}
			schedule := map[string]any{"expiration": map[string]any{"type": "afterDateTime", "endDateTime": "2027-03-01T08:30:15Z"}}
			if tt.started != "" {
				schedule["startDateTime"] = tt.started
			}
			want := map[string]any{
				"principalId": me, "justification": "still needed", "scheduleInfo": schedule,
				"action": map[pim.Action]string{pim.ActionExtend: "selfExtend", pim.ActionRenew: "selfRenew"}[tt.action],
			}
			if tt.kind == "group" {
				want["groupId"], want["accessId"] = group, "member"
			} else {
				want["roleDefinitionId"], want["directoryScopeId"] = attribute, "/"
			}
			for _, answered := range []string{"id", "status", "createdDateTime"} {
				delete(c.Body, answered)
			}
			if diff := cmp.Diff(want, c.Body); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProlongationThatIsNoneIsNotSent(t *testing.T) {
	s := newService(t, func(http.ResponseWriter, call) {})
	e, a, end := pim.Eligibility{Role: attributeRole()}, pim.Assignment{}, time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	for name, w := range map[string]pim.Prolongation{
		"an activation":  {Action: pim.ActionActivate, Eligibility: &e, End: end},
		"of nothing":     {Action: pim.ActionExtend, End: end},
		"of two":         {Action: pim.ActionExtend, Eligibility: &e, Assignment: &a, End: end},
		"without an end": {Action: pim.ActionExtend, Eligibility: &e},
	} {
		if _, err := s.Directory().Prolong(short(t), w); err == nil {
			t.Errorf("%s was sent", name)
		}
	}
	if n := len(s.seen()); n != 0 {
		t.Errorf("%d calls", n)
	}
}

func TestRequestsWithTheirProlongations(t *testing.T) {
	extension := map[string]any{"action": "selfExtend", "status": "PendingAdminDecision"}
	for _, tt := range []struct {
		name   string
		answer func(http.ResponseWriter)
		want   int
		code   pim.Code
	}{
		{"one", func(w http.ResponseWriter) {
			sendJSON(w, 200, listOf(record("extension", "2022-04-13T09:00:00Z", extension), nil, map[string]any{}))
		}, 2, ""},
		{"not granted", func(w http.ResponseWriter) { wrapped(w, 403, "PermissionScopeNotGranted", "missing") }, 1, ""},
		{"refused", func(w http.ResponseWriter) { refuse(w, 403, "UnauthorizedAccessException", "") }, 1, ""},
		{"no list", func(w http.ResponseWriter) { send(w, 200, []byte(`{}`)) }, 0, pim.CodeUnreadable},
		{"unavailable", func(w http.ResponseWriter) { refuse(w, 500, "InternalServerError", "") }, 0, pim.CodeUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newService(t, func(w http.ResponseWriter, c call) {
				if strings.Contains(c.Path, "roleEligibilityScheduleRequests") {
					tt.answer(w)
					return
				}
				sendJSON(w, 200, listOf(record("activation", "2022-04-13T08:00:00Z", nil)))
			})
			got, err := s.Directory().Requests(short(t))
			if pim.CodeOf(err) != tt.code || len(got) != tt.want {
				t.Fatalf("%+v, %v", got, err)
			}
			for i, r := range got {
				if r.OfEligibility != (r.ID == "extension") || r.OfEligibility && i != 0 {
					t.Errorf("request is %+v", r)
				}
			}
		})
	}
}
