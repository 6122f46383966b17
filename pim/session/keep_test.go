package session

import (
	"context"
	"runtime"
	"testing"
	"time"

	"roletray/pim"
	"roletray/pim/store"
)

func TestDroppedPlanStaysDroppedWhileAnotherIsKept(t *testing.T) {
	files, err := store.OpenAccount(t.TempDir(), "a")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Params{Account: pim.Account{ID: "a"}, Files: files, Providers: []pim.Provider{&counter{}}})
	if err != nil {
		t.Fatal(err)
	}
	plan := func(definition string) pim.Plan {
		return pim.Plan{
			Role: pim.Role{Kind: pim.KindAzure, DefinitionID: definition, Scope: pim.Scope{ID: "/s"}},
			At:   time.Now().Add(time.Hour), State: pim.PlanWaiting,
		}
	}
	dropped, kept := plan("dropped"), plan("kept")
	for range 20 {
		s.mu.Lock()
		s.plans = []pim.Plan{dropped}
		s.mu.Unlock()
		done := make(chan error, 1)
		go func() { done <- s.keepPlan(kept) }()
		for len(done) == 0 && s.saving.TryLock() { // until the file is being written, or has been
			s.saving.Unlock()
			runtime.Gosched()
		}
		if err := s.dropPlan(context.Background(), dropped.Key(), "cli"); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		onDisk, err := s.files.Plans.Load()
		if err != nil {
			t.Fatal(err)
		}
		for _, all := range [][]pim.Plan{s.Snapshot().Plans, onDisk} {
			if len(all) != 1 || all[0].Key() != kept.Key() {
				t.Fatalf("plans %+v, want only the one that was kept", all)
			}
		}
	}
}
