package session_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
	"roletray/pim/tenant"
)

func (d *desk) find(kind pim.Kind, name, scope string) pim.Eligibility {
	d.t.Helper()
	for _, e := range d.Snapshot().Eligible {
		if e.Role.Kind == kind && e.Role.Name == name && strings.Contains(e.Role.Scope.Label(), scope) {
			return e
		}
	}
	d.t.Fatalf("nobody is eligible for the %s role %s at %s", kind, name, scope)
	return pim.Eligibility{}
}

func TestTenantCycleOfEachKind(t *testing.T) {
	o := newOffice(t, "demo")
	d := o.runWith(t.TempDir(), o.all()...).read()
	for _, p := range d.Snapshot().Parts {
		if p.Problem != nil {
			t.Errorf("part %s of %s: %+v", p.Name, p.Kind, p.Problem)
		}
	}
	roles := []pim.Role{
		d.find(pim.KindAzure, "Owner", "Sandbox").Role,
		d.find(pim.KindDirectory, "Global Reader", "").Role,
		d.find(pim.KindGroup, "Member", "Finance Reporting").Role,
	}
	var wishes []session.Wish
	for _, r := range roles {
		wishes = append(wishes, session.Wish{Key: r.Key(), Duration: 30 * time.Minute, Justification: "a test of all", Client: "cli"})
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i, f := range d.CheckAll(ctx, wishes, true) {
		if f.Problem != nil || f.Operation != "" || f.Local != (roles[i].Kind == pim.KindGroup) {
			t.Errorf("%s: %+v (%+v)", roles[i].Kind, f, f.Problem)
		}
	}
	ops, err := d.Activate(ctx, wishes, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range ops {
		if op := d.wait(op.ID); op.State != pim.OperationDone || d.active(op.Role) == "" {
			t.Errorf("%s: %+v (%+v)", op.Role.Kind, op.State, op.Problem)
		}
	}
	for _, r := range roles {
		p, err := d.Continue(ctx, session.Wish{Key: r.Key(), Client: "cli"}, true)
		if err != nil || !p.Local || p.Justification != "a test of all" {
			t.Errorf("continue %s: %+v, %v", r.Kind, p, err)
		}
	}
	if n := len(d.Snapshot().Plans); n != 3 {
		t.Errorf("%d plans", n)
	}
	o.tenant.Advance(10 * time.Minute)
	if op, err := d.Deactivate(ctx, roles[2].Key(), "cli", true); err != nil || d.wait(op.ID).State != pim.OperationDone {
		t.Errorf("deactivate: %+v (%+v), %v", op, op.Problem, err)
	}
	if n := len(d.Snapshot().Plans); n != 2 {
		t.Errorf("%d plans after one role was ended", n)
	}
	ends := map[pim.Key]time.Time{}
	for _, a := range d.Snapshot().Active {
		ends[a.Assignment.Role.Key()] = a.Assignment.End
	}
	o.tenant.Advance(21 * time.Minute)
	if err := d.refresh(); err != nil {
		t.Error(err)
	}
	d.until("the roles on", func(s *pim.Snapshot) bool {
		on := 0
		for _, a := range s.Active {
			if k := a.Assignment.Role.Key(); (k == roles[0].Key() || k == roles[1].Key()) && a.Assignment.End.After(ends[k].Add(20*time.Minute)) {
				on++
			}
		}
		return on == 2 && len(s.Plans) == 0
	})
}

// The step-up of the activation serves the next one too, without a browser.
func TestTenantPlanWithStepUp(t *testing.T) {
	o := newOffice(t, "demo")
	d := o.run(t.TempDir()).read()
	role := d.role("Security Admin", "")
	if op := d.wait(d.activate(role).ID); op.State != pim.OperationDone {
		t.Fatalf("%+v", op.Problem)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p, err := d.Continue(ctx, session.Wish{Key: role.Key(), Client: "cli"}, true)
	if err != nil || !p.Local {
		t.Fatalf("%+v, %v", p, err)
	}
	opened, puts := o.opened.Load(), len(o.puts())
	o.tenant.Advance(31 * time.Minute)
	if err := d.refresh(); err != nil {
		t.Error(err)
	}
	d.until("the role on", func(s *pim.Snapshot) bool {
		return len(s.Plans) == 0 && slices.ContainsFunc(s.Active, func(a pim.ActiveRole) bool {
			return a.Assignment.Role.Key() == role.Key() && a.Assignment.End.After(p.At)
		})
	})
	if after := o.puts(); o.opened.Load() != opened || len(after) == puts || !slices.Contains(after[len(after)-1].Contexts, "c1") {
		t.Errorf("browser opened %d times, %d writes: %+v", o.opened.Load()-opened, len(after)-puts, after)
	}
}

func TestTenantGroupGivesRole(t *testing.T) {
	o := newOffice(t, "demo")
	dir := t.TempDir()
	d := o.runWith(dir, o.all()...).read()
	group := d.find(pim.KindGroup, "Member", "Azure Platform Owners").Role
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	activate := func(key pim.Key) pim.Operation {
		ops, err := d.Activate(ctx, []session.Wish{{Key: key, Duration: 30 * time.Minute, Justification: "a test of groups", Client: "cli"}}, true)
		if err != nil {
			t.Fatal(err)
		}
		return d.wait(ops[0].ID)
	}
	if op := activate(group.Key()); op.State != pim.OperationDone {
		t.Fatalf("%+v", op.Problem)
	}
	d.until("the link", func(s *pim.Snapshot) bool {
		return slices.ContainsFunc(s.Links, func(l pim.GroupLink) bool { return l.Group.Key() == group.Key() && l.Eligible })
	})
	var owner pim.Role
	for _, l := range d.Snapshot().Links {
		if l.Group.Key() == group.Key() && l.Eligible {
			owner = l.Role
		}
	}
	o.tenant.Advance(31 * time.Minute)
	// The first may be one that has begun before the clock was set.
	for range 2 {
		if err := d.refresh(); err != nil {
			t.Error(err)
		}
	}
	d.until("the role behind its group", func(s *pim.Snapshot) bool {
		return slices.ContainsFunc(s.Eligible, func(e pim.Eligibility) bool { return e.Role.Key() == owner.Key() && e.Behind == group.Key() })
	})
	op := activate(owner.Key())
	if op.State != pim.OperationDone || len(op.Steps) != 2 || op.Steps[0].State != pim.OperationDone || d.active(owner) == "" || d.active(group) == "" {
		t.Fatalf("%+v (%+v), steps %+v", op, op.Problem, op.Steps)
	}
	// The write of the role came with another token than the one of the group.
	var tokens []string
	for _, s := range o.tenant.Log() {
		if s.Service == "arm" && s.Method == http.MethodPut {
			tokens = append(tokens, s.TokenID)
		}
	}
	if len(tokens) != 1 {
		t.Errorf("%d writes to Azure", len(tokens))
	}
	before := map[string]bool{}
	for _, s := range o.tenant.Log() {
		if s.Service != "arm" {
			continue
		}
		if s.Method == http.MethodPut {
			break
		}
		before[s.TokenID] = true
	}
	if len(before) < 2 {
		t.Error("the token was not renewed")
	}
}

// A group that gives Entra roles, which filterByCurrentUser never lists, from one click to
// the active role: where the person may read the whole collection, and where nobody but an
// administrator may and only the group's own rows were readable.
func TestTenantGroupGivesDirectoryRole(t *testing.T) {
	for _, own := range []string{"allow", "refuse"} {
		for _, role := range []string{"Privileged Authentication Administrator", "SharePoint Administrator"} {
			t.Run(own+"/"+role, func(t *testing.T) {
				o := newOffice(t, "demo")
				o.control(http.MethodPut, "/settings", map[string]any{"graph": map[string]any{"otherCollection": "allow", "ownCollection": own, "activationLagSeconds": 3}})
				d := o.runWith(t.TempDir(), o.all()...).read()
				group := d.find(pim.KindGroup, "Member", "Break Glass").Role
				d.until("the role behind its group", func(s *pim.Snapshot) bool {
					return slices.ContainsFunc(s.Eligible, func(e pim.Eligibility) bool { return e.Role.Name == role && e.Behind == group.Key() })
				})
				if d.find(pim.KindGroup, "Member", "Break Glass").MayGiveRoles {
					t.Error("the group may give roles, although they are known")
				}
				want := d.find(pim.KindDirectory, role, "").Role
				ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
				defer cancel()
				ops, err := d.Activate(ctx, []session.Wish{{
					Key: want.Key(), Duration: 30 * time.Minute, Justification: "a test of groups", Ticket: pim.Ticket{Number: "4711", System: "tests"}, Client: "cli",
				}}, true)
				if err != nil {
					t.Fatal(err)
				}
				op := d.wait(ops[0].ID)
				if op.State != pim.OperationDone || len(op.Steps) != 2 || op.Steps[0].State != pim.OperationDone {
					t.Fatalf("%+v (%+v), steps %+v", op, op.Problem, op.Steps)
				}
				if d.active(group) == "" || d.active(want) == "" {
					t.Errorf("active: %+v", d.Snapshot().Active)
				}
				if err := d.refresh(); err != nil {
					t.Error(err)
				}
				if d.active(want) == "" {
					t.Error("the role is gone after a refresh")
				}
				o.tenant.Advance(time.Hour)
				for range 2 {
					if err := d.refresh(); err != nil {
						t.Error(err)
					}
				}
				d.until("the role behind its group again", func(s *pim.Snapshot) bool {
					return slices.ContainsFunc(s.Eligible, func(e pim.Eligibility) bool { return e.Role.Name == role && e.Behind == group.Key() }) &&
						!slices.ContainsFunc(s.Active, func(a pim.ActiveRole) bool { return a.Assignment.Role.Key() == want.Key() })
				})
			})
		}
	}
}

// Every write can be found in the services' logs by what the history keeps of it, whatever
// became of it.
func TestTenantHistoryNamesEachCall(t *testing.T) {
	o := newOffice(t, "demo")
	var chidi *office
	for _, u := range o.tenant.Info().Users {
		if strings.HasPrefix(u.UPN, "chidi") {
			chidi = person(t, o.tenant, u.UPN)
		}
	}
	asks := chidi.runWith(t.TempDir(), chidi.all()...).read()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	// One waits at each service, and one is done at each.
	d := o.runWith(t.TempDir(), o.all()...).read()
	wish := func(d *desk, kind pim.Kind, name, scope string) session.Wish {
		return session.Wish{Key: d.find(kind, name, scope).Role.Key(), Duration: 30 * time.Minute, Justification: "deploying the portal", Client: "cli"}
	}
	waiting, err := asks.Activate(ctx, []session.Wish{wish(asks, pim.KindAzure, "Website Contributor", ""), wish(asks, pim.KindDirectory, "Teams Administrator", "")}, true)
	if err != nil {
		t.Fatal(err)
	}
	done, err := d.Activate(ctx, []session.Wish{wish(d, pim.KindAzure, "Owner", "Sandbox"), wish(d, pim.KindDirectory, "Global Reader", "")}, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range done {
		d.wait(op.ID)
	}
	// What is withdrawn in vain is in the history too.
	if err := o.tenant.AddFaults(tenant.Fault{Service: "graph", PathContains: "/cancel", Status: http.StatusInternalServerError}); err != nil {
		t.Fatal(err)
	}
	if err := asks.Cancel(ctx, waiting[1].Request.ID, "cli"); err == nil {
		t.Error("withdrawn in spite of the fault")
	}
	o.tenant.ClearFaults()
	if err := d.refresh(); err != nil {
		t.Fatal(err)
	}
	d.until("the request", func(s *pim.Snapshot) bool { return len(s.Approvals) > 0 })
	for _, a := range d.Snapshot().Approvals {
		if strings.HasPrefix(strings.ToLower(a.Requestor.Label()), "chidi") && a.Request.Role.Kind == pim.KindAzure {
			if err := d.Decide(ctx, a.Request.Role.Kind, a.ID, pim.Decision{Justification: "not today"}, "cli", true); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := asks.refresh(); err != nil {
		t.Fatal(err)
	}
	asks.until("the denial", func(s *pim.Snapshot) bool {
		return slices.ContainsFunc(s.Operations, func(op pim.Operation) bool { return op.ID == waiting[0].ID && op.State == pim.OperationFailed })
	})
	sent := map[string]tenant.Seen{}
	for _, s := range o.tenant.Log() {
		if s.Method != http.MethodGet {
			sent[s.ClientRequestID] = s
		}
	}
	history := append(slices.Clone(asks.History()), d.History()...)
	var actions []string
	for _, e := range history {
		actions = append(actions, string(e.Role.Kind)+" "+string(e.Action)+" "+string(e.State))
		s, found := sent[e.ID]
		if !found || e.CorrelationID == "" || (e.CorrelationID == e.ID) != (s.Service == "arm") {
			t.Errorf("%s of %s: %q for the call %q, at the service %+v", e.Action, e.Role.Name, e.CorrelationID, e.ID, s)
		}
	}
	slices.Sort(actions)
	if want := []string{
		"azure deny done", "azure selfactivate done", "azure selfactivate failed", "directory cancel failed",
		"directory selfactivate done", "directory selfactivate waiting",
	}; !slices.Equal(actions, want) {
		t.Errorf("history %q", actions)
	}
	var table strings.Builder
	var rows []store.AccountEntry
	for _, e := range history {
		rows = append(rows, store.AccountEntry{Entry: e})
	}
	if err := store.WriteCSV(&table, rows); err != nil {
		t.Fatal(err)
	}
	for _, e := range history {
		if !strings.Contains(table.String(), e.CorrelationID) {
			t.Errorf("the table lacks %q", e.CorrelationID)
		}
	}
}

func TestTenantDecide(t *testing.T) {
	o := newOffice(t, "demo")
	var chidi *office
	for _, u := range o.tenant.Info().Users {
		if strings.HasPrefix(u.UPN, "chidi") {
			chidi = person(t, o.tenant, u.UPN)
		}
	}
	if chidi == nil {
		t.Fatal("the tenant has no Chidi")
	}
	theirs := t.TempDir()
	asks := chidi.runWith(theirs, chidi.all()...).read()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	asked := []pim.Role{asks.find(pim.KindAzure, "Website Contributor", "").Role}
	for _, p := range o.all() {
		if _, can := p.(pim.Decider); can && p.Kind() == pim.KindDirectory {
			asked = append(asked, asks.find(pim.KindDirectory, "Teams Administrator", "").Role)
		}
	}
	var wishes []session.Wish
	for _, r := range asked {
		wishes = append(wishes, session.Wish{Key: r.Key(), Duration: 30 * time.Minute, Justification: "deploying the portal", Client: "cli"})
	}
	ops, err := asks.Activate(ctx, wishes, true)
	if err != nil {
		t.Fatal(err)
	}
	d := o.runWith(t.TempDir(), o.all()...).read()
	for i, op := range ops {
		if op.State != pim.OperationWaiting {
			t.Fatalf("%+v (%+v)", op, op.Problem)
		}
		kind, approve := op.Role.Kind, i == 0
		d.until("the request", func(s *pim.Snapshot) bool {
			return slices.ContainsFunc(s.Approvals, func(a pim.Approval) bool { return a.Request.Role.Kind == kind })
		})
		var a pim.Approval
		for _, other := range d.Snapshot().Approvals {
			if other.Request.Role.Kind == kind {
				a = other
			}
		}
		if a.Request.Justification != "deploying the portal" || a.Requestor.Label() == "" {
			t.Errorf("%+v", a)
		}
		decision := pim.Decision{Approve: approve, Justification: "they are on call"}
		if err := d.Decide(ctx, kind, a.ID, decision, "cli", true); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if slices.ContainsFunc(d.Snapshot().Approvals, func(b pim.Approval) bool { return b.ID == a.ID }) {
			t.Errorf("%s still waits", kind)
		}
		if err := d.Decide(ctx, kind, a.ID, decision, "cli", true); pim.CodeOf(err) != pim.CodeDecided {
			t.Errorf("%s again: %v", kind, err)
		}
	}
	// A start looks at once at what is open.
	asks.stop()
	asks = chidi.runWith(theirs, chidi.all()...)
	for i, op := range ops {
		over := asks.until("the decision", func(s *pim.Snapshot) bool {
			return slices.ContainsFunc(s.Operations, func(other pim.Operation) bool { return other.ID == op.ID && other.State.Over() })
		})
		for _, other := range over.Operations {
			if other.ID != op.ID {
				continue
			}
			if v := other.Request.Review; (other.State == pim.OperationDone) != (i == 0) || v.By.Name != "Ada Lindqvist" || v.Reason != "they are on call" {
				t.Errorf("%s: %+v (%+v), %+v", op.Role.Kind, other, other.Problem, v)
			}
		}
	}
}
