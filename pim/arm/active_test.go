package arm_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roletray/pim"
	"roletray/pim/arm"
)

func at(scopes ...string) (list []pim.Eligibility) {
	for _, s := range scopes {
		list = append(list, pim.Eligibility{Role: pim.Role{Kind: pim.KindAzure, DefinitionID: "r", Scope: pim.Scope{ID: s}}})
	}
	return list
}

func TestActiveReadsMicrosoftsExample(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, _ call) {
		send(w, 200, replace(example(t, "GetRoleAssignmentScheduleInstancesByScope", "200"), `"assignmentType": "Assigned"`, `"assignmentType": "Activated"`))
	})
	var parts []pim.ActivePart
	for part, err := range s.Active(short(t), at(subscription), false) {
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part)
	}
	want := []pim.ActivePart{{
		Scope:    pim.Scope{ID: subscription},
		Complete: true,
		Rows: []pim.Assignment{{
			Role: pim.Role{
				Kind: pim.KindAzure, DefinitionID: contributor, Name: "Contributor",
				Scope: pim.Scope{ID: subscription, Name: "Pay-As-You-Go", Type: pim.ScopeSubscription},
			},
			ID:                    subscription + pimPath + "RoleAssignmentScheduleInstances/ed9b8180-cef7-4c77-a63c-b8566ecfc412",
			ScheduleID:            subscription + pimPath + "RoleAssignmentSchedules/c9e264ff-3133-4776-a81a-ebc7c33c8ec6",
			EligibilityScheduleID: "b1477448-2cc6-4ceb-93b4-54a202a89413",
			PrincipalID:           me, Type: pim.Activated, Via: pim.ViaDirect,
			Start: time.Date(2020, 9, 9, 21, 35, 27, 910_000_000, time.UTC),
			End:   time.Date(2020, 9, 10, 5, 35, 17, 910_000_000, time.UTC),
		}},
	}}
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Error(diff)
	}
	if c := s.seen()[0]; c.Path != subscription+pimPath+"roleAssignmentScheduleInstances" || c.Filter != "asTarget()" {
		t.Errorf("asked %s with %q", c.Path, c.Filter)
	}
}

func TestActiveAsksEachScopeOnceAndTheTenantLast(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, _ call) { send(w, 200, listOf()) })
	eligible := at("/subscriptions/1", "/SUBSCRIPTIONS/1/resourceGroups/a", "/subscriptions/1/", "/subscriptions/10", "/", "/providers/Microsoft.Management/managementGroups/m")
	var got []string
	for part, err := range s.Active(short(t), eligible, true) {
		if err != nil {
			t.Fatal(err)
		}
		if part.Complete != (part.Scope.ID != "") {
			t.Errorf("part %+v", part)
		}
		got = append(got, part.Scope.ID)
	}
	if len(got) != 4 || got[3] != "" {
		t.Errorf("parts are %q", got)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"", "/providers/Microsoft.Management/managementGroups/m", "/subscriptions/1", "/subscriptions/10"}, got); diff != "" {
		t.Error(diff)
	}
	if n := len(s.seen()); n != 4 {
		t.Errorf("%d reads", n)
	}
}

func TestActivePartsComeBeforeASlowOne(t *testing.T) {
	release := make(chan struct{})
	s := newService(t, func(w http.ResponseWriter, c call) {
		if strings.HasPrefix(c.Path, "/subscriptions/slow/") {
			<-release
		}
		if strings.HasPrefix(c.Path, "/subscriptions/denied/") {
			refuse(w, 403, "AuthorizationFailed", "no")
			return
		}
		send(w, 200, listOf())
	})
	var got []string
	for part, err := range s.Active(short(t), at("/subscriptions/slow", "/subscriptions/denied", "/subscriptions/1"), false) {
		if (part.Scope.ID == "/subscriptions/denied") != (pim.CodeOf(err) == pim.CodeForbidden) {
			t.Errorf("%s: %v", part.Scope.ID, err)
		}
		if got = append(got, part.Scope.ID); len(got) == 2 {
			close(release)
		}
	}
	if len(got) != 3 || got[2] != "/subscriptions/slow" {
		t.Errorf("parts came as %q", got)
	}
}

func TestSlowReadsMakeWay(t *testing.T) {
	var scopes []string
	for i := range 40 {
		scopes = append(scopes, fmt.Sprintf("/subscriptions/%02d", i))
	}
	var mu sync.Mutex
	asked := map[string]int{}
	release := make(chan struct{})
	s := newService(t, func(w http.ResponseWriter, c call) {
		mu.Lock()
		asked[c.Path]++
		first := asked[c.Path] == 1
		mu.Unlock()
		// The first 32 do not answer before the last has been read.
		if first && c.Path < "/subscriptions/32" {
			select {
			case <-release:
			case <-time.After(15 * time.Second):
				t.Error("the slow reads held up the others")
			}
		}
		if strings.HasPrefix(c.Path, "/subscriptions/39/") {
			close(release)
		}
		send(w, 200, listOf())
	}, func(p *arm.Params) { p.FirstWait = 20 * time.Millisecond })
	seen := map[string]bool{}
	for part, err := range s.Active(short(t), at(scopes...), false) {
		if err != nil {
			t.Error(err)
		}
		if seen[part.Scope.ID] {
			t.Errorf("%s came twice", part.Scope.ID)
		}
		seen[part.Scope.ID] = true
	}
	if len(seen) != 40 {
		t.Errorf("%d parts", len(seen))
	}
}

func TestAtMost32ReadsAtOnce(t *testing.T) {
	var scopes []string
	for i := range 100 {
		scopes = append(scopes, fmt.Sprintf("/subscriptions/%03d", i))
	}
	var running, most atomic.Int32
	full := make(chan struct{})
	var once sync.Once
	s := newService(t, func(w http.ResponseWriter, _ call) {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == 32 {
			once.Do(func() { close(full) })
		}
		<-full // The first ones wait until all places are taken.
		send(w, 200, listOf())
	})
	parts := 0
	for _, err := range s.Active(short(t), at(scopes...), true) {
		if err != nil {
			t.Error(err)
		}
		parts++
	}
	if parts != 101 || most.Load() != 32 {
		t.Errorf("%d parts, %d at once", parts, most.Load())
	}
}

func TestActiveEndsEarly(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	s := newService(t, func(w http.ResponseWriter, c call) {
		if strings.HasPrefix(c.Path, "/subscriptions/1/") {
			send(w, 200, listOf())
			return
		}
		<-release
	})
	n := 0
	for range s.Active(short(t), at("/subscriptions/1", "/subscriptions/2", "/subscriptions/3"), true) {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d parts", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs []error
	for _, err := range s.Active(ctx, at("/subscriptions/2", "/subscriptions/3"), false) {
		errs = append(errs, err)
	}
	if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
		t.Errorf("errors are %v", errs)
	}
}

func TestNothingToReadIsNoPart(t *testing.T) {
	s := newService(t, func(http.ResponseWriter, call) {})
	for part, err := range s.Active(short(t), nil, false) {
		t.Errorf("part %+v, %v", part, err)
	}
}
