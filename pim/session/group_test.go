package session_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
)

func membership(name string) pim.Role {
	return pim.Role{Kind: pim.KindGroup, DefinitionID: "member", Access: pim.AccessMember, Name: "Member", Scope: pim.Scope{ID: "id-" + name, Name: name, Type: pim.ScopeGroup}}
}

// behind is a group whose membership brings a role, that the group's service tells about.
func behind(eligible bool) (azure *service, groups *fullService, group pim.Role) {
	azure = newService(pim.KindAzure, "reader")
	groups = full(newService(pim.KindGroup))
	group = membership("team")
	groups.eligible = []pim.Eligibility{{Role: group, ID: "g", End: time.Now().Add(100 * time.Hour)}}
	groups.policies[group.Key()] = pim.Policy{Readable: true, MaxDuration: 30 * time.Minute}
	azure.policies[key("owner")] = pim.Policy{Readable: true, MaxDuration: 8 * time.Hour}
	groups.brings["id-team"] = []pim.GroupRole{{Role: roleOf(pim.KindAzure, "owner"), Eligible: eligible}}
	// Azure's list has the role some time after the group is active.
	groups.onSend = func(context.Context, int) (bool, error) {
		azure.set(func() {
			azure.later = append(azure.later, change{time.Now().Add(20 * time.Second), func() {
				if eligible {
					azure.eligible = append(azure.eligible, pim.Eligibility{Role: roleOf(pim.KindAzure, "owner"), ScheduleID: "s-owner", Via: pim.ViaGroup, PrincipalID: "id-team"})
				} else {
					azure.listed[key("owner")] = pim.Assignment{Role: roleOf(pim.KindAzure, "owner"), Type: pim.Assigned, Via: pim.ViaGroup, PrincipalID: "id-team"}
				}
			}})
		})
		return true, nil
	}
	return azure, groups, group
}

func runBehind(t *testing.T, dir string, azure *service, groups *fullService) (*rig, *renewals) {
	t.Helper()
	tokens := &renewals{}
	r := runWith(t, dir, session.Params{Providers: []pim.Provider{groups}, Renewer: tokens}, azure)
	r.until("the role behind its group", func(s *pim.Snapshot) bool {
		return slices.ContainsFunc(s.Eligible, func(e pim.Eligibility) bool { return e.Behind != "" })
	})
	return r, tokens
}

func TestGroupGivesRole(t *testing.T) {
	for _, eligible := range []bool{true, false} {
		t.Run(map[bool]string{true: "to activate", false: "by membership"}[eligible], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				azure, groups, group := behind(eligible)
				r, tokens := runBehind(t, t.TempDir(), azure, groups)
				e := r.Snapshot().Eligible[0]
				for _, other := range r.Snapshot().Eligible {
					if other.Behind != "" {
						e = other
					}
				}
				if e.Role.Key() != key("owner") || e.Behind != group.Key() || e.BehindName != "team" || e.End.IsZero() {
					t.Fatalf("%+v", e)
				}
				ops, err := r.Activate(context.Background(), []session.Wish{{Key: key("owner"), Duration: 2 * time.Hour, Justification: "because", Client: "cli"}}, true)
				if err != nil || ops[0].State != pim.OperationPreparing {
					t.Fatalf("%+v, %v", ops, err)
				}
				op, err := r.Wait(context.Background(), ops[0].ID)
				if err != nil || op.State != pim.OperationDone {
					t.Fatalf("%+v (%+v), %v", op, op.Problem, err)
				}
				if len(op.Steps) != 2 || op.Steps[0].Role.Key() != group.Key() || op.Steps[0].State != pim.OperationDone ||
					op.Steps[1].Role.Key() != key("owner") || op.Steps[1].State != pim.OperationDone {
					t.Errorf("steps %+v", op.Steps)
				}
				sent := groups.made("send")
				own := azure.made("send")
				if len(sent) != 1 || len(own) != map[bool]int{true: 1}[eligible] || tokens.count() == 0 {
					t.Errorf("%d and %d sent, %d renewals", len(sent), len(own), tokens.count())
				}
				if groups.requests[0].Duration != 30*time.Minute {
					t.Errorf("the group was asked for %v", groups.requests[0].Duration)
				}
				if eligible && (own[0].at.Before(tokens.first()) || azure.requests[0].Duration != 2*time.Hour) {
					t.Errorf("sent %+v, first renewed %v", own, tokens.first())
				}
				if r.certainty("owner") == "" {
					t.Error("the role is not active")
				}
				synctest.Wait()
				if want := []pim.EventKind{pim.EventActivated, pim.EventActivated}; !slices.Equal(r.kinds(), want) {
					t.Errorf("events %v", r.kinds())
				}
				// What came with the group was not asked for: the group's entry says why.
				wantOwn := map[bool]pim.OperationState{true: pim.OperationDone, false: store.StateAlreadyActive}[eligible]
				h := r.History()
				if len(h) != 2 || h[0].State != pim.OperationDone || h[0].Justification == "" || h[1].State != wantOwn || (h[1].Justification != "") != eligible {
					t.Errorf("history %+v", h)
				}
			})
		})
	}
}

// A group that was activated elsewhere a moment ago is no news, and neither is its role.
// The role's step needs what the group's has met, after the caller is gone.
func TestGroupGivesRoleWithOneStepUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		roles, groups := newService(pim.KindDirectory, "reader"), full(newService(pim.KindGroup))
		group, owner := membership("team"), roleOf(pim.KindDirectory, "owner")
		groups.eligible = []pim.Eligibility{{Role: group, ID: "g"}}
		groups.brings["id-team"] = []pim.GroupRole{{Role: owner, Eligible: true}}
		for f, r := range map[*service]pim.Role{groups.service: group, roles: owner} {
			f.policies[r.Key()] = pim.Policy{Readable: true, MaxDuration: time.Hour, AuthContext: "c1"}
		}
		groups.onSend = func(context.Context, int) (bool, error) {
			roles.set(func() {
				roles.later = append(roles.later, change{time.Now().Add(20 * time.Second), func() {
					roles.eligible = append(roles.eligible, pim.Eligibility{Role: owner, ScheduleID: "s-owner", Via: pim.ViaGroup, PrincipalID: "id-team"})
				}})
			})
			return true, nil
		}
		r := runWith(t, t.TempDir(), session.Params{Providers: []pim.Provider{groups}}, roles)
		r.until("the role behind its group", func(s *pim.Snapshot) bool {
			return slices.ContainsFunc(s.Eligible, func(e pim.Eligibility) bool { return e.Behind != "" })
		})
		ops, err := r.Activate(t.Context(), []session.Wish{{Key: owner.Key(), Duration: time.Hour, Client: "cli"}}, true)
		if err != nil {
			t.Fatal(err)
		}
		op, err := r.Wait(t.Context(), ops[0].ID)
		if err != nil || op.State != pim.OperationDone || r.browser.count() != 1 {
			t.Fatalf("%+v (%+v), %v, %d prompts", op, op.Problem, err, r.browser.count())
		}
	})
}

func TestGroupGivesRoleWasActiveAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		azure, groups, group := behind(false)
		r, _ := runBehind(t, t.TempDir(), azure, groups)
		r.read()
		groups.set(func() {
			groups.onSend = func(context.Context, int) (bool, error) { return false, &pim.Error{Code: pim.CodeAlreadyActive} }
			groups.listed[group.Key()] = pim.Assignment{Role: group, Type: pim.Activated, End: time.Now().Add(time.Hour)}
		})
		azure.set(func() {
			azure.listed[key("owner")] = pim.Assignment{Role: roleOf(pim.KindAzure, "owner"), Type: pim.Assigned, Via: pim.ViaGroup, PrincipalID: "id-team"}
		})
		op, err := r.Wait(context.Background(), r.activate("owner")[0].ID)
		if err != nil || op.State != pim.OperationDone || op.Request != nil {
			t.Fatalf("%+v, %v", op, err)
		}
		h := r.History()
		if len(h) != 2 || len(r.Recent()) != 0 {
			t.Errorf("history %+v, recent %+v", h, r.Recent())
		}
		for _, e := range h {
			if e.State != store.StateAlreadyActive || e.Duration != 0 || e.Justification != "" {
				t.Errorf("history %+v", e)
			}
		}
		synctest.Wait()
		if len(r.kinds()) != 0 {
			t.Errorf("events %v", r.kinds())
		}
	})
}

func TestGroupGivesRoleStopsWhereTheGroupDoes(t *testing.T) {
	t.Run("approval", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			azure, groups, _ := behind(true)
			groups.status = "PendingApproval"
			r, _ := runBehind(t, t.TempDir(), azure, groups)
			op := r.activate("owner")[0]
			op, err := r.Wait(context.Background(), op.ID)
			if err != nil || op.State != pim.OperationWaiting || len(op.Steps) != 2 || op.Steps[0].State != pim.OperationWaiting {
				t.Fatalf("%+v, %v", op, err)
			}
			// A second click is the same wish.
			if again := r.activate("owner")[0]; again.ID != op.ID {
				t.Errorf("again: %+v", again)
			}
			groups.set(func() { groups.setStatus(groups.requests[0].ID, "Provisioned") })
			op = r.until("the decision", func(s *pim.Snapshot) bool { return s.Operations[0].State.Over() }).Operations[0]
			if code(op) != pim.CodePending || len(azure.made("send")) != 0 {
				t.Errorf("%+v, %d sent", op.Problem, len(azure.made("send")))
			}
			synctest.Wait()
			if slices.Contains(r.kinds(), pim.EventFailed) {
				t.Errorf("events %v", r.kinds())
			}
			r.stop()
			runWith(t, r.dir, session.Params{Providers: []pim.Provider{groups}}, azure)
			time.Sleep(time.Hour)
			if len(azure.made("send")) != 0 {
				t.Error("it was sent after a restart")
			}
		})
	})
	t.Run("killed while the group waits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			azure, groups, group := behind(true)
			groups.status = "PendingApproval"
			r, _ := runBehind(t, t.TempDir(), azure, groups)
			op := r.activate("owner")[0]
			if _, err := r.Wait(context.Background(), op.ID); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			dir := r.copyFiles()
			r.stop()
			r = runWith(t, dir, session.Params{Providers: []pim.Provider{groups}}, azure)
			if ops := r.Snapshot().Operations; len(ops) != 1 || ops[0].Role.Key() != group.Key() {
				t.Errorf("after the restart: %+v", ops)
			}
			h := r.History()
			if len(h) != 2 || h[0].State != pim.OperationWaiting && h[1].State != pim.OperationWaiting {
				t.Fatalf("history %+v", h)
			}
			for _, e := range h {
				if e.ID == op.ID && (e.State != pim.OperationFailed || e.Problem == nil || !strings.Contains(e.Problem.Text, "before this was sent")) {
					t.Errorf("the role's entry is %+v", e)
				}
			}
		})
	})
	t.Run("refused", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			azure, groups, _ := behind(true)
			groups.onSend = func(context.Context, int) (bool, error) { return false, &pim.Error{Code: pim.CodeNotEligible} }
			r, _ := runBehind(t, t.TempDir(), azure, groups)
			op, err := r.Wait(context.Background(), r.activate("owner")[0].ID)
			if err != nil || code(op) != pim.CodeNotEligible || op.Steps[0].Problem == nil || len(azure.made("send")) != 0 {
				t.Errorf("%+v, %v", op, err)
			}
			synctest.Wait()
			if want := []pim.EventKind{pim.EventFailed}; !slices.Equal(r.kinds(), want) {
				t.Errorf("events %v", r.kinds())
			}
		})
	})
	t.Run("the role never appears", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			azure, groups, _ := behind(true)
			groups.onSend = nil
			r, _ := runBehind(t, t.TempDir(), azure, groups)
			begun := time.Now()
			op, err := r.Wait(context.Background(), r.activate("owner")[0].ID)
			if err != nil || code(op) != pim.CodeNotEligible || op.Steps[0].State != pim.OperationDone || len(azure.made("send")) != 0 {
				t.Errorf("%+v, %v", op, err)
			}
			if took := time.Since(begun); took < 5*time.Minute || took > 6*time.Minute {
				t.Errorf("given up after %v", took)
			}
		})
	})
	t.Run("for later", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			azure, groups, _ := behind(true)
			r, _ := runBehind(t, t.TempDir(), azure, groups)
			ops, err := r.Activate(context.Background(), []session.Wish{{Key: key("owner"), Start: time.Now().Add(time.Hour), Duration: time.Hour}}, true)
			if err != nil || code(ops[0]) != pim.CodeNotEligible || len(groups.made("send")) != 0 {
				t.Errorf("%+v, %v", ops, err)
			}
		})
	})
}

func TestGroupGivesRoleIsLearnt(t *testing.T) {
	for _, tt := range []struct {
		name string
		row  pim.Eligibility
		how  pim.LinkSource
	}{
		{"the list names the group", pim.Eligibility{Via: pim.ViaGroup, PrincipalID: "ID-TEAM"}, pim.LinkListed},
		{"it appears after the group", pim.Eligibility{Via: pim.ViaGroup}, pim.LinkSeen},
		{"another group's", pim.Eligibility{Via: pim.ViaGroup, PrincipalID: "id-other"}, ""},
		{"the person's own", pim.Eligibility{Via: pim.ViaDirect}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				azure, groups, group := behind(true)
				groups.eligible[0].MayGiveRoles = true
				mayGive := func(s *pim.Snapshot) bool {
					return slices.ContainsFunc(s.Eligible, func(e pim.Eligibility) bool { return e.Role.Key() == group.Key() && e.MayGiveRoles })
				}
				clear(groups.brings)
				groups.err["rolesof"] = &pim.Error{Code: pim.CodeForbidden}
				tt.row.Role, tt.row.ScheduleID = roleOf(pim.KindAzure, "owner"), "s"
				groups.onSend = func(context.Context, int) (bool, error) {
					azure.set(func() { azure.eligible = append(azure.eligible, tt.row) })
					return true, nil
				}
				r := runWith(t, t.TempDir(), session.Params{Providers: []pim.Provider{groups}}, azure)
				r.until("the group", func(s *pim.Snapshot) bool { return len(s.Eligible) == 2 && !s.Refreshing })
				if len(r.Snapshot().Links) == 0 && !mayGive(r.Snapshot()) {
					t.Error("nothing says that the group may give roles")
				}
				ops, err := r.Activate(context.Background(), []session.Wish{{Key: group.Key(), Duration: 30 * time.Minute, Justification: "because"}}, true)
				if err != nil || ops[0].State != pim.OperationDone {
					t.Fatalf("%+v, %v", ops, err)
				}
				time.Sleep(10 * time.Minute)
				links := r.Snapshot().Links
				if mayGive(r.Snapshot()) != (tt.how == "") {
					t.Errorf("the group may give roles that are not known: %v", mayGive(r.Snapshot()))
				}
				if tt.how == "" {
					if len(links) != 0 {
						t.Errorf("links %+v", links)
					}
					return
				}
				if len(links) != 1 || links[0].How != tt.how || links[0].Group.Key() != group.Key() || links[0].Role.Key() != key("owner") || !links[0].Eligible {
					t.Fatalf("links %+v", links)
				}
				// The group ends, and the role is behind it: also after a restart.
				azure.set(func() { azure.eligible = azure.eligible[:1] })
				time.Sleep(time.Hour)
				r.stop()
				r = runWith(t, r.dir, session.Params{Providers: []pim.Provider{groups}}, azure)
				r.until("the role behind its group", func(s *pim.Snapshot) bool {
					return slices.ContainsFunc(s.Eligible, func(e pim.Eligibility) bool { return e.Behind == group.Key() })
				})
				r.read()
				synctest.Wait()
				if n := len(groups.made("rolesof")); n != 2 {
					t.Errorf("asked %d times what may not be read, want once in each run", n)
				}
			})
		})
	}
}

// Lists that leave out what a group brings are made up for by what the group is known to
// have.
func TestGroupGivesHiddenRole(t *testing.T) {
	for _, eligible := range []bool{true, false} {
		t.Run(map[bool]string{true: "to activate", false: "by membership"}[eligible], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				azure := newService(pim.KindAzure)
				directory, groups := full(newService(pim.KindDirectory)), full(newService(pim.KindGroup))
				directory.hides = true
				team, admin := membership("team"), roleOf(pim.KindDirectory, "admin")
				groups.eligible = []pim.Eligibility{{Role: team, ID: "g", End: time.Now().Add(100 * time.Hour)}}
				groups.policies[team.Key()] = pim.Policy{Readable: true, MaxDuration: 30 * time.Minute}
				directory.policies[admin.Key()] = pim.Policy{Readable: true, MaxDuration: 8 * time.Hour}
				directory.brings["id-team"] = []pim.GroupRole{{Role: admin, Eligible: eligible}}
				directory.onSend = func(_ context.Context, n int) (bool, error) {
					switch n { // The service learns late of the group.
					case 1:
						return false, &pim.Error{Code: pim.CodeNotEligible}
					case 2:
						return false, &pim.Error{Code: pim.CodePolicy, Rules: []pim.Rule{pim.RuleEligibility}}
					}
					return true, nil
				}
				r := runWith(t, t.TempDir(), session.Params{Providers: []pim.Provider{directory, groups}}, azure)
				r.until("the role behind its group", func(s *pim.Snapshot) bool {
					return slices.ContainsFunc(s.Eligible, func(e pim.Eligibility) bool { return e.Behind != "" })
				})
				ops, err := r.Activate(context.Background(), []session.Wish{{Key: admin.Key(), Duration: time.Hour, Justification: "because"}}, true)
				if err != nil {
					t.Fatal(err)
				}
				op, err := r.Wait(context.Background(), ops[0].ID)
				if err != nil || op.State != pim.OperationDone || len(op.Steps) != 2 {
					t.Fatalf("%+v (%+v), %v", op, op.Problem, err)
				}
				if n := len(directory.made("send")); n != map[bool]int{true: 3}[eligible] {
					t.Errorf("%d sent", n)
				}
				r.read()
				find := func(k pim.Key) *pim.ActiveRole {
					for _, a := range r.Snapshot().Active {
						if a.Assignment.Role.Key() == k {
							return &a
						}
					}
					return nil
				}
				row, group := find(admin.Key()), find(team.Key())
				if row == nil || group == nil {
					t.Fatalf("active %+v", r.Snapshot().Active)
				}
				if !eligible && (row.Certainty != group.Certainty || !row.Assignment.End.Equal(group.Assignment.End) || row.Assignment.Via != pim.ViaGroup || row.Assignment.Type != pim.Assigned) {
					t.Errorf("the role is %+v", row)
				}
				time.Sleep(40 * time.Minute)
				if find(team.Key()) != nil || !eligible && find(admin.Key()) != nil {
					t.Errorf("active after the group's end: %+v", r.Snapshot().Active)
				}
				if !slices.ContainsFunc(r.Snapshot().Eligible, func(e pim.Eligibility) bool {
					return e.Role.Key() == admin.Key() && e.Behind == team.Key()
				}) && !eligible {
					t.Error("the role is not behind its group any more")
				}
			})
		})
	}
}

// Who may be away by then is asked nothing in a browser.
func TestGroupGivesRoleLongAfterTheClick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		azure, groups, _ := behind(true)
		azure.policies[key("owner")] = pim.Policy{Readable: true, MaxDuration: 8 * time.Hour, AuthContext: "c1"}
		groups.status = "PendingProvisioning"
		r, _ := runBehind(t, t.TempDir(), azure, groups)
		op := r.activate("owner")[0]
		time.Sleep(10 * time.Minute)
		groups.set(func() { groups.setStatus(groups.requests[0].ID, "Provisioned") })
		op = r.until("the end", func(s *pim.Snapshot) bool {
			return slices.ContainsFunc(s.Operations, func(o pim.Operation) bool { return o.ID == op.ID && o.State.Over() })
		}).Operations[0]
		if code(op) != pim.CodeStepUp && code(op) != pim.CodeSignInNeeded || len(azure.made("send")) != 0 {
			t.Errorf("%+v, %d sent", op.Problem, len(azure.made("send")))
		}
		if n := r.browser.count(); n != 0 {
			t.Errorf("asked %d times in the browser", n)
		}
	})
}
