package session_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"roletray/pim"
)

func TestActivationIsShownBeforeTheListingHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.lag = 3 * time.Minute
		r := run(t, t.TempDir(), f)
		r.read()
		start := time.Now()
		op := r.activate("owner")[0]
		if op.State != pim.OperationDone {
			t.Fatalf("operation %+v", op)
		}
		a := r.Snapshot().Active
		if len(a) != 1 || a[0].Certainty != pim.Recorded || !a[0].Assignment.End.Equal(start.Add(time.Hour)) {
			t.Fatalf("active %+v", a)
		}
		r.until("the role listed", func(*pim.Snapshot) bool { return r.certainty("owner") == pim.Listed })
		if after := time.Since(start); after < 3*time.Minute || after > 10*time.Minute {
			t.Errorf("confirmed after %v", after)
		}
	})
}

func TestRecordOverridesTheListingForTenMinutesAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.lag = 24 * time.Hour
		r := run(t, t.TempDir(), f)
		r.read()
		start := time.Now()
		r.activate("owner")
		time.Sleep(10*time.Minute - time.Second)
		if c := r.certainty("owner"); c != pim.Recorded {
			t.Errorf("before ten minutes: %q", c)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		a := r.Snapshot().Active
		if len(a) != 1 || a[0].Certainty != pim.Unconfirmed || !a[0].UnconfirmedSince.Equal(start.Add(10*time.Minute)) {
			t.Fatalf("after ten minutes: %+v", a)
		}
		if ops := r.Snapshot().Operations; len(ops) != 0 {
			t.Errorf("operations that are long over: %+v", ops)
		}
		reads := len(f.made("active"))
		time.Sleep(15 * time.Minute)
		if len(f.made("active")) == reads {
			t.Error("the unconfirmed role was not read again")
		}
		// A listing that agrees at last has the word.
		f.set(func() { f.later[0].at = time.Now() })
		r.until("the role listed", func(*pim.Snapshot) bool { return r.certainty("owner") == pim.Listed })
		f.set(func() { clear(f.listed) })
		if err := r.Refresh(context.Background(), "test"); err != nil {
			t.Fatal(err)
		}
		if c := r.certainty("owner"); c != "" {
			t.Errorf("after the listing dropped what it had confirmed: %q", c)
		}
	})
}

func TestDeactivationHidesWhatTheListingStillHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		r.activate("owner")
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		f.set(func() { f.lag = 15 * time.Minute })
		op, err := r.Deactivate(context.Background(), key("owner"), "cli", true)
		if err != nil || op.State != pim.OperationDone {
			t.Fatalf("%+v, %v", op, err)
		}
		if err := r.Refresh(context.Background(), "test"); err != nil {
			t.Fatal(err)
		}
		if c := r.certainty("owner"); c != "" {
			t.Fatalf("a deactivated role is shown: %q", c)
		}
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if c := r.certainty("owner"); c != pim.Unconfirmed {
			t.Fatalf("after ten minutes of contradiction: %q", c)
		}
		r.until("the role gone", func(*pim.Snapshot) bool { return r.certainty("owner") == "" })
		if want := []pim.EventKind{pim.EventActivated, pim.EventDeactivated}; !slices.Equal(r.kinds(), want) {
			t.Errorf("events %v, want %v", r.kinds(), want)
		}
	})
}

func TestActivationElsewhereAfterOwnDeactivationIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		r.activate("owner")
		time.Sleep(6 * time.Minute)
		if _, err := r.Deactivate(context.Background(), key("owner"), "cli", true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		f.set(func() {
			f.listed[key("owner")] = pim.Assignment{Role: roleOf(pim.KindAzure, "owner"), Type: pim.Activated, Start: time.Now(), End: time.Now().Add(time.Hour)}
		})
		if err := r.Refresh(context.Background(), "test"); err != nil {
			t.Fatal(err)
		}
		if c := r.certainty("owner"); c != pim.Listed {
			t.Errorf("a newer activation is %q", c)
		}
	})
}

func TestOldRowDoesNotSpeakForANewActivation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		now := time.Now()
		f.listed[key("owner")] = pim.Assignment{Role: roleOf(pim.KindAzure, "owner"), Type: pim.Activated, Start: now.Add(-time.Hour), End: now.Add(5 * time.Minute)}
		f.lag = 4 * time.Minute
		r := run(t, t.TempDir(), f)
		r.read()
		r.activate("owner")
		a := r.Snapshot().Active
		if len(a) != 1 || a[0].Certainty != pim.Recorded || !a[0].Assignment.End.Equal(now.Add(time.Hour)) {
			t.Errorf("active %+v", a)
		}
	})
}

func TestIncompleteReadDropsNothing(t *testing.T) {
	for _, tt := range []struct {
		name       string
		incomplete bool
		want       pim.Certainty
	}{
		{"a complete read drops", false, ""},
		{"an incomplete read does not", true, pim.Listed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				f.listed[key("owner")] = pim.Assignment{Role: roleOf(pim.KindAzure, "owner"), Type: pim.Assigned}
				r := run(t, t.TempDir(), f)
				r.read()
				f.set(func() { clear(f.listed); f.incomplete = tt.incomplete })
				if err := r.Refresh(context.Background(), "test"); err != nil {
					t.Fatal(err)
				}
				if c := r.certainty("owner"); c != tt.want {
					t.Errorf("certainty %q, want %q", c, tt.want)
				}
			})
		})
	}
}

func TestWideReadAddsAndNeverDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		for _, name := range []string{"elsewhere", "owner"} {
			f.listed[key(name)] = pim.Assignment{Role: roleOf(pim.KindAzure, name), Type: pim.Assigned}
		}
		r := run(t, t.TempDir(), f)
		r.until("what only the wide read shows", func(*pim.Snapshot) bool { return r.certainty("elsewhere") == pim.Listed })
		// From here on the wide read loses a row.
		f.set(func() { delete(f.listed, key("elsewhere")) })
		r.until("doubt", func(*pim.Snapshot) bool { return r.certainty("elsewhere") == pim.Unconfirmed })
		if c := r.certainty("owner"); c != pim.Listed {
			t.Errorf("what the scoped read has shown is %q", c)
		}
		time.Sleep(2 * time.Hour)
		if c := r.certainty("elsewhere"); c != pim.Unconfirmed {
			t.Errorf("a row that only wide reads lack is %q", c)
		}
		for i, calls := 1, f.made("wide"); i < len(calls); i++ {
			if gap := calls[i].at.Sub(calls[i-1].at); gap < 10*time.Minute {
				t.Errorf("wide reads %v apart", gap)
			}
		}
	})
}

func TestEndOfARole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		r.activate("owner")
		time.Sleep(time.Hour - time.Millisecond)
		synctest.Wait()
		if c := r.certainty("owner"); c != pim.Listed {
			t.Fatalf("before its end: %q", c)
		}
		reads := len(f.made("active"))
		time.Sleep(time.Second)
		synctest.Wait()
		// The fake goes on listing it, as a service that lags does.
		if c := r.certainty("owner"); c != "" {
			t.Errorf("after its end: %q", c)
		}
		if want := []pim.EventKind{pim.EventActivated, pim.EventEnded}; !slices.Equal(r.kinds(), want) {
			t.Errorf("events %v, want %v", r.kinds(), want)
		}
		if len(f.made("active")) == reads {
			t.Error("nothing was read again")
		}
		time.Sleep(time.Hour)
		if n := len(r.kinds()); n != 2 {
			t.Errorf("%d events", n)
		}
	})
}

// A role that neither the listing nor the service knows any more is given up when
// the person tries to end it.
func TestUnconfirmedRoleThatTheServiceDenies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.lag = 24 * time.Hour
		r := run(t, t.TempDir(), f)
		r.read()
		r.activate("owner")
		f.set(func() {
			f.onSend = func(context.Context, int) (bool, error) { return false, &pim.Error{Code: pim.CodeNotActive} }
		})
		for _, tt := range []struct {
			after time.Duration
			want  pim.Certainty
		}{{6 * time.Minute, pim.Recorded}, {5 * time.Minute, ""}} {
			time.Sleep(tt.after)
			op, err := r.Deactivate(context.Background(), key("owner"), "cli", true)
			if err != nil || code(op) != pim.CodeNotActive {
				t.Errorf("%+v, %v", op, err)
			}
			synctest.Wait()
			if c := r.certainty("owner"); c != tt.want {
				t.Errorf("after another %v: %q, want %q", tt.after, c, tt.want)
			}
		}
	})
}

func TestTwoWaysToHoldARole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		owner := roleOf(pim.KindAzure, "owner")
		end := time.Now().Add(time.Hour)
		rows := []pim.Assignment{
			{Role: owner, ID: "standing", Type: pim.Assigned},
			{Role: owner, ID: "short", Type: pim.Activated, Start: time.Now(), End: end},
			{Role: owner, ID: "long", Type: pim.Activated, Start: time.Now(), End: end.Add(time.Hour)},
		}
		f.also = rows
		r := run(t, t.TempDir(), f)
		r.read()
		if a := r.Snapshot().Active; len(a) != 1 || a[0].Assignment.ID != "long" {
			t.Errorf("active %+v", a)
		}
	})
}

func TestRequestThatTheServiceForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.status = "PendingApproval"
		r := run(t, t.TempDir(), f)
		r.read()
		id := r.activate("owner")[0].ID
		f.set(func() { f.requests = nil })
		time.Sleep(4 * time.Minute)
		if op, err := r.Wait(context.Background(), id); err != nil || op.State != pim.OperationWaiting {
			t.Errorf("at first: %+v, %v", op, err)
		}
		s := r.until("the end", func(s *pim.Snapshot) bool { return s.Operations[0].State.Over() })
		if code(s.Operations[0]) != pim.CodeNotFound {
			t.Errorf("%+v", s.Operations[0])
		}
	})
}
