package session_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
)

func removePolicies(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "accounts", "a", "policies.json")); err != nil {
		t.Fatal(err)
	}
}

func approval(id, who string) pim.Approval {
	return pim.Approval{
		ID: id, Requestor: pim.Principal{ID: who, Name: "Person " + who},
		Request: pim.Request{ID: "r-" + id, Role: roleOf(pim.KindAzure, "owner"), Action: pim.ActionActivate, Status: "PendingApproval", Created: time.Now(), PrincipalID: who, Justification: "theirs"},
	}
}

// runFull starts a session on providers that can do more than the least.
func runFull(t *testing.T, dir string, p session.Params, all ...*fullService) *rig {
	t.Helper()
	for _, f := range all {
		p.Providers = append(p.Providers, f)
	}
	return runWith(t, dir, p)
}

func TestDecide(t *testing.T) {
	for _, tt := range []struct {
		name     string
		reason   string
		onDecide func(n int) error
		unwell   string
		want     pim.Code
		decided  int
		prompts  int
		left     int
	}{
		{"approved", "they are on call", nil, "", "", 1, 0, 0},
		{"without a reason", "  ", nil, "", pim.CodePolicy, 0, 0, 1},
		{"decided by another", "ok then", func(int) error { return &pim.Error{Code: pim.CodeDecided} }, "", pim.CodeDecided, 1, 0, 1},
		{"decided by another, and the list cannot be read", "ok then", func(int) error { return &pim.Error{Code: pim.CodeDecided} }, "approvals", pim.CodeDecided, 1, 0, 0},
		{"step-up", "ok then", func(n int) error {
			if n == 1 {
				return &pim.Error{Code: pim.CodeStepUp, Claims: claimsC1}
			}
			return nil
		}, "", "", 2, 1, 0},
		{"step-up for ever", "ok then", func(int) error { return &pim.Error{Code: pim.CodeStepUp, Claims: claimsC1} }, "", pim.CodeStepUp, 2, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := full(newService(pim.KindAzure, "owner"))
				f.approvals, f.onDecide = []pim.Approval{approval("1", "chidi")}, tt.onDecide
				r := runFull(t, t.TempDir(), session.Params{}, f)
				if s := r.read(); len(s.Approvals) != 1 {
					t.Fatalf("approvals %+v", s.Approvals)
				}
				f.set(func() { f.err[tt.unwell] = &pim.Error{Code: pim.CodeUnavailable} })
				err := r.Decide(context.Background(), pim.KindAzure, "1", pim.Decision{Approve: true, Justification: tt.reason}, "cli", true)
				if pim.CodeOf(err) != tt.want || len(f.made("decide")) != tt.decided || r.browser.count() != tt.prompts || len(r.Snapshot().Approvals) != tt.left {
					t.Errorf("%v, decided %d times, %d prompts, %d left", err, len(f.made("decide")), r.browser.count(), len(r.Snapshot().Approvals))
				}
				h := r.History()
				if tt.decided == 0 {
					if len(h) != 0 {
						t.Errorf("history %+v", h)
					}
					return
				}
				e := h[0]
				if len(h) != 1 || e.Action != store.ActionApprove || e.Requestor.Label() != "Person chidi" || e.Justification != tt.reason ||
					e.Request != "r-1" || e.Client != "cli" || (e.State == pim.OperationFailed) != (tt.want != "") {
					t.Errorf("history %+v", h)
				}
			})
		})
	}
}

// Several decisions share what the person was asked for, also where that was called off.
func TestDecisionsShareAPrompt(t *testing.T) {
	for _, tt := range []struct {
		name    string
		refuse  error
		want    pim.Code
		made    int // at most: those that are under way together, and all once more
		decided int
	}{
		{"met", nil, "", 4 + 6, 6},
		{"called off", &pim.Error{Code: pim.CodeCancelled}, pim.CodeCancelled, 4, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := full(newService(pim.KindAzure, "owner"))
				f.onDecideWith = func(token string) error {
					if token == "" {
						return &pim.Error{Code: pim.CodeStepUp, Claims: claimsC1}
					}
					return nil
				}
				var verdicts []session.Verdict
				for _, id := range []string{"1", "2", "3", "4", "5", "6"} {
					f.approvals = append(f.approvals, approval(id, "chidi"))
					verdicts = append(verdicts, session.Verdict{Kind: pim.KindAzure, Approval: id, Decision: pim.Decision{Approve: true, Justification: "they are on call"}})
				}
				r := runFull(t, t.TempDir(), session.Params{}, f)
				r.browser.takes, r.browser.refuse = time.Second, tt.refuse
				r.read()
				for i, err := range r.DecideAll(context.Background(), verdicts, "cli", true) {
					if pim.CodeOf(err) != tt.want {
						t.Errorf("%d: %v", i, err)
					}
				}
				if r.browser.count() != 1 || len(f.made("decide")) > tt.made || 6-len(r.Snapshot().Approvals) != tt.decided {
					t.Errorf("%d prompts, sent %d times, %d left", r.browser.count(), len(f.made("decide")), len(r.Snapshot().Approvals))
				}
			})
		})
	}
}

func TestDecideRefusesLocally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := full(newService(pim.KindAzure, "owner"))
		f.approvals = []pim.Approval{approval("1", "ME")}
		r := runFull(t, t.TempDir(), session.Params{Account: pim.Account{UserID: "me"}}, f)
		r.read()
		ctx := context.Background()
		d := pim.Decision{Justification: "not for me"}
		if err := r.Decide(ctx, pim.KindAzure, "1", d, "cli", true); pim.CodeOf(err) != pim.CodeForbidden || len(f.made("decide")) != 0 {
			t.Errorf("own request: %v", err)
		}
		if err := r.Decide(ctx, pim.KindAzure, "2", d, "cli", true); pim.CodeOf(err) != pim.CodeDecided {
			t.Errorf("gone: %v", err)
		}
		if err := r.Decide(ctx, pim.KindGroup, "1", d, "cli", true); pim.CodeOf(err) != pim.CodeNotFound {
			t.Errorf("no such kind: %v", err)
		}
	})
}

func TestNewApprovalIsAnnouncedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := full(newService(pim.KindAzure, "owner"))
		f.approvals = []pim.Approval{approval("1", "chidi")}
		r := runFull(t, t.TempDir(), session.Params{}, f)
		r.read()
		f.set(func() { f.approvals = append(f.approvals, approval("2", "emil")) })
		for range 2 {
			if err := r.Refresh(context.Background(), "test"); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if want := []pim.EventKind{pim.EventApproval}; !slices.Equal(r.kinds(), want) || r.events[0].Request.ID != "r-2" {
			t.Errorf("events %+v", r.events)
		}
		r.stop()
		r = runFull(t, r.dir, session.Params{}, f)
		if got := r.Snapshot().Approvals; len(got) != 2 {
			t.Errorf("first paint: %+v", got)
		}
		r.read()
		synctest.Wait()
		if len(r.kinds()) != 0 {
			t.Errorf("events %v", r.kinds())
		}
	})
}

// A permission that is missing is not asked for again every few minutes.
func TestApprovalsThatMayNotBeReadSpoilNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := full(newService(pim.KindAzure, "owner"))
		f.err["approvals"] = &pim.Error{Code: pim.CodeConsent}
		r := runFull(t, t.TempDir(), session.Params{}, f)
		s := r.read()
		for _, p := range s.Parts {
			if (p.Problem != nil) != (p.Name == "approvals") {
				t.Errorf("part %+v", p)
			}
		}
		time.Sleep(time.Hour)
		if n := len(f.made("eligible")); n > 6 {
			t.Errorf("read %d times in an hour", n)
		}
	})
}

func TestFavoritesAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		role := roleOf(pim.KindAzure, "gone")
		wishes := []store.FavoriteRole{{Role: role, Eligibility: role.Key(), Duration: time.Hour}}
		all := []store.Favorite{{ID: "2", Name: "Second", Wishes: wishes}, {ID: "1", Name: "First", Wishes: wishes}}
		if err := r.SaveFavorites(context.Background(), all); err != nil {
			t.Fatal(err)
		}
		if err := r.SaveFavorites(context.Background(), []store.Favorite{{}}); err == nil {
			t.Error("a favourite without anything was kept")
		}
		r.stop()
		if err := r.SaveFavorites(context.Background(), nil); err == nil {
			t.Error("changed while the session does not run")
		}
		r = run(t, r.dir, f)
		if got := r.Favorites(); len(got) != 2 || got[0].ID != "2" || got[1].Wishes[0].Role.Key() != role.Key() {
			t.Errorf("%+v", got)
		}
	})
}
