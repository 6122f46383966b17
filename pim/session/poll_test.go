package session_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
)

func gaps(calls []call) []time.Duration {
	var out []time.Duration
	for i := 1; i < len(calls); i++ {
		out = append(out, calls[i].at.Sub(calls[i-1].at).Truncate(time.Second))
	}
	return out
}

func TestPollingFollowsWhatIsActive(t *testing.T) {
	for _, tt := range []struct {
		name   string
		active bool
		err    error
		want   []time.Duration
	}{
		{"nothing active", false, nil, []time.Duration{15 * time.Minute, 15 * time.Minute, 15 * time.Minute}},
		{"a role active", true, nil, []time.Duration{5 * time.Minute, 5 * time.Minute, 5 * time.Minute}},
		{"failing", false, &pim.Error{Code: pim.CodeUnavailable}, []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute}},
		{"asked to wait", false, &pim.Error{Code: pim.CodeThrottled, RetryAfter: 40 * time.Minute}, []time.Duration{40 * time.Minute}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				if tt.active {
					f.listed[key("owner")] = pim.Assignment{Role: roleOf(pim.KindAzure, "owner"), Type: pim.Assigned}
				}
				f.err["requests"] = tt.err
				run(t, t.TempDir(), f)
				time.Sleep(50 * time.Minute)
				synctest.Wait()
				got := gaps(f.made("requests"))
				if len(got) < len(tt.want) || !slices.Equal(got[:len(tt.want)], tt.want) {
					t.Errorf("read after %v, want %v", got, tt.want)
				}
			})
		})
	}
}

func TestFollowingBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.status = "PendingProvisioning"
		r := run(t, t.TempDir(), f)
		r.read()
		if op := r.activate("owner")[0]; op.State != pim.OperationFollowing {
			t.Fatalf("%+v", op)
		}
		time.Sleep(10 * time.Minute)
		got := gaps(f.made("follow"))
		want := []time.Duration{3 * time.Second, 5 * time.Second, 8 * time.Second, 13 * time.Second, 21 * time.Second, 34 * time.Second, time.Minute, time.Minute}
		if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
			t.Errorf("followed after %v, want %v", got, want)
		}
	})
}

func TestRefreshIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		before := len(f.made("eligible"))
		done := make(chan error)
		for range 10 {
			go func() { done <- r.Refresh(context.Background(), "test") }()
		}
		for range 10 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if n := len(f.made("eligible")) - before; n < 1 || n > 3 {
			t.Errorf("%d reads for ten callers at once", n)
		}
	})
}

func TestFailingSourceHidesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		azure, group := newService(pim.KindAzure, "owner"), newService(pim.KindGroup, "admins")
		r := run(t, t.TempDir(), azure, group)
		r.until("both kinds", func(s *pim.Snapshot) bool { return len(s.Eligible) == 2 && !s.Refreshing })
		group.set(func() { group.err["eligible"] = &pim.Error{Code: pim.CodeUnavailable} })
		azure.set(func() { azure.eligible = append(azure.eligible, newService(pim.KindAzure, "reader").eligible...) })
		time.Sleep(time.Minute)
		if err := r.Refresh(context.Background(), "test"); pim.CodeOf(err) != pim.CodeUnavailable {
			t.Errorf("refresh: %v", err)
		}
		s := r.Snapshot()
		if len(s.Eligible) != 3 {
			t.Errorf("eligible %+v", s.Eligible)
		}
		for _, p := range s.Parts {
			failed := p.Kind == pim.KindGroup && p.Name == "eligible"
			if (p.Problem != nil) != failed || p.At.IsZero() || failed == p.At.Equal(time.Now()) {
				t.Errorf("part %+v", p)
			}
		}
	})
}

func TestFirstPaintIsWhatWasKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner", "reader")
		r := run(t, t.TempDir(), f)
		r.read()
		r.activate("owner")
		read := time.Now()
		time.Sleep(30 * time.Second)
		r.stop()
		time.Sleep(20 * time.Minute)
		f.set(func() { f.err["eligible"] = &pim.Error{Code: pim.CodeOffline} })

		files, err := store.OpenAccount(r.dir, "a")
		if err != nil {
			t.Fatal(err)
		}
		// What a single look has shown since the last whole read is kept too.
		if kept, err := files.Snapshot.Load(); err != nil || len(kept.Active) != 1 || kept.Active[0].Certainty != pim.Listed {
			t.Errorf("kept %+v, %v", kept, err)
		}
		again, err := session.New(session.Params{Account: pim.Account{ID: "a"}, Providers: []pim.Provider{f}, Files: files})
		if err != nil {
			t.Fatal(err)
		}
		s := again.Snapshot()
		if !s.FromDisk || len(s.Eligible) != 2 || len(s.Active) != 1 || len(again.Notices()) != 0 {
			t.Errorf("%+v", s)
		}
		for _, p := range s.Parts {
			if p.At.IsZero() || p.At.After(read) || s.At.Equal(p.At) {
				t.Errorf("part %+v, read at %v", p, read)
			}
		}
	})
}

func TestRoleThatEndedMeanwhileIsNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		r.activate("owner")
		time.Sleep(5 * time.Minute)
		r.stop()
		time.Sleep(2 * time.Hour)
		r = run(t, r.dir, f)
		if a := r.Snapshot().Active; len(a) != 0 {
			t.Errorf("%+v", a)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(r.kinds()); n != 0 {
			t.Errorf("events %v", r.kinds())
		}
	})
}

func TestPolicyIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner", "hidden")
		f.policies[key("hidden")] = pim.Policy{}
		r := run(t, t.TempDir(), f)
		r.read()
		read := func(name string) pim.Policy {
			p, err := r.Policy(context.Background(), key(name))
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		count := func() int { return len(f.made("policy")) }
		if p := read("owner"); p.MaxDuration != 8*time.Hour || !p.ReadAt.Equal(time.Now()) {
			t.Errorf("%+v", p)
		}
		if r.Snapshot().Policies[key("owner")].MaxDuration != 8*time.Hour {
			t.Error("the snapshot has no policy")
		}
		read("hidden")
		time.Sleep(9 * time.Minute)
		read("owner")
		read("hidden")
		if count() != 2 {
			t.Errorf("%d reads, want 2", count())
		}
		time.Sleep(2 * time.Minute)
		read("hidden")
		if count() != 3 {
			t.Errorf("%d reads of what was unreadable, want another", count())
		}
		r.stop()
		r = run(t, r.dir, f)
		r.read()
		read("owner")
		if count() != 3 {
			t.Error("the policy was lost by a restart")
		}
		time.Sleep(24 * time.Hour)
		read("owner")
		if count() != 4 {
			t.Error("the policy was believed for more than a day")
		}
		if _, err := r.Policy(context.Background(), "azure|x|y"); pim.CodeOf(err) != pim.CodeNotEligible {
			t.Errorf("unknown role: %v", err)
		}
	})
}

func TestThrottledServiceIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		f.set(func() { f.err["eligible"] = &pim.Error{Code: pim.CodeThrottled, RetryAfter: 10 * time.Minute} })
		_ = r.Refresh(context.Background(), "test")
		f.set(func() { clear(f.err) })
		n := len(f.made("eligible"))
		time.Sleep(9 * time.Minute)
		if err := r.Refresh(context.Background(), "test"); pim.CodeOf(err) != pim.CodeThrottled || len(f.made("eligible")) != n {
			t.Errorf("%v, %d reads", err, len(f.made("eligible"))-n)
		}
		time.Sleep(2 * time.Minute)
		if err := r.Refresh(context.Background(), "test"); err != nil {
			t.Error(err)
		}
	})
}

// fast is a tenant's clock that runs faster than the computer's.
type fast struct {
	start time.Time
	speed time.Duration
}

func (c fast) Now() time.Time                     { return c.start.Add(time.Since(c.start) * c.speed) }
func (c fast) Real(d time.Duration) time.Duration { return d / c.speed }

func TestFastTenant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		start := time.Now()
		f.listed[key("owner")] = pim.Assignment{Role: roleOf(pim.KindAzure, "owner"), Type: pim.Activated, Start: start.Add(-time.Hour), End: start.Add(time.Hour)}
		r := runWith(t, t.TempDir(), session.Params{Clock: fast{start, 60}}, f)
		r.until("the role", func(*pim.Snapshot) bool { return r.certainty("owner") != "" })
		time.Sleep(time.Minute - time.Second)
		synctest.Wait()
		if r.certainty("owner") == "" {
			t.Error("the role has ended too early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if r.certainty("owner") != "" || len(r.kinds()) != 1 {
			t.Errorf("after its end: %q, events %v", r.certainty("owner"), r.kinds())
		}
	})
}

func TestDamagedAndNewerFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		dir := t.TempDir()
		folder := filepath.Join(dir, "accounts", "a")
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"snapshot.json": `{"version":1,"data":{"at`, "journal.json": "\x00", "history.json": `{"version":99,"data":[]}`} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r := run(t, dir, f)
		if n := r.Notices(); len(n) != 3 {
			t.Errorf("notices %v", n)
		}
		r.read()
		if op := r.activate("owner")[0]; op.State != pim.OperationDone {
			t.Errorf("%+v", op)
		}
		r.stop()
		if b, err := os.ReadFile(filepath.Join(folder, "history.json")); err != nil || !strings.Contains(string(b), "99") {
			t.Errorf("the newer history is now %s, %v", b, err)
		}
		if aside, _ := filepath.Glob(filepath.Join(folder, "*.damaged-*")); len(aside) != 2 {
			t.Errorf("moved aside: %v", aside)
		}
	})
}

func TestNotRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		r.stop()
		ctx := context.Background()
		_, errActivate := r.Activate(ctx, nil, true)
		_, errDeactivate := r.Deactivate(ctx, key("owner"), "cli", true)
		_, errPolicy := r.Policy(ctx, key("owner"))
		for i, err := range []error{errActivate, errDeactivate, errPolicy, r.Refresh(ctx, "test"), r.Cancel(ctx, "x", "cli"), r.Check(ctx, session.Wish{}), r.SignIn(ctx)} {
			if err != session.ErrNotRunning {
				t.Errorf("%d: %v", i, err)
			}
		}
		if err := r.Run(ctx); err == nil {
			t.Error("it ran twice")
		}
		if r.Snapshot() == nil || fmt.Sprint(r.Snapshot().Account.ID) != "a" {
			t.Error("the snapshot is gone")
		}
	})
}

func TestThrottledServiceDoesNotKeepTheOthersFromBeingRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		azure, entra := newService(pim.KindAzure, "owner"), newService(pim.KindDirectory, "reader")
		r := run(t, t.TempDir(), azure, entra)
		r.read()
		entra.set(func() { entra.err["eligible"] = &pim.Error{Code: pim.CodeThrottled, RetryAfter: time.Hour} })
		if err := r.Refresh(context.Background(), "test"); pim.CodeOf(err) != pim.CodeThrottled {
			t.Fatal(err)
		}
		before, throttled := len(azure.made("eligible")), len(entra.made("eligible"))
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if len(azure.made("eligible")) == before {
			t.Error("the other service was not read for half an hour")
		}
		if n := len(entra.made("eligible")) - throttled; n != 0 {
			t.Errorf("the throttled service was read %d times in its pause", n)
		}
	})
}
