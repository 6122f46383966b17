package session_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"roletray/pim"
	"roletray/pim/session"
	"roletray/pim/store"
)

func TestActivateRecordsHistoryAndRecent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner", "reader")
		r := run(t, t.TempDir(), f)
		r.read()
		ops, err := r.Activate(context.Background(), []session.Wish{
			{Key: key("owner"), Duration: 2 * time.Hour, Justification: "deploy", Ticket: pim.Ticket{Number: "7"}, Client: "cli"},
			{Key: "azure|nowhere|nothing", Client: "cli"},
		}, true)
		if err != nil {
			t.Fatal(err)
		}
		if ops[0].State != pim.OperationDone || code(ops[1]) != pim.CodeNotEligible || len(f.made("send")) != 1 {
			t.Fatalf("operations %+v, %d sent", ops, len(f.made("send")))
		}
		recent := r.Recent()
		if len(recent) != 1 || recent[0].Role.Key() != key("owner") || recent[0].Duration != 2*time.Hour || recent[0].Justification != "deploy" || recent[0].Ticket.Number != "7" {
			t.Errorf("recent %+v", recent)
		}
		r.stop()
		files, err := store.OpenAccount(r.dir, "a")
		if err != nil {
			t.Fatal(err)
		}
		history, err := files.History.Load()
		if err != nil {
			t.Fatal(err)
		}
		if len(history) != 2 || history[1].State != pim.OperationDone || history[1].Status != "Provisioned" || history[1].Justification != "deploy" || history[1].Client != "cli" {
			t.Errorf("history %+v", history)
		}
		if history[0].Problem == nil || history[0].Problem.Code != pim.CodeNotEligible {
			t.Errorf("history of what was not sent: %+v", history[0])
		}
	})
}

func TestDefaultDurationFollowsThePolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.policies[key("owner")] = pim.Policy{Readable: true, MaxDuration: 30 * time.Minute}
		r := run(t, t.TempDir(), f)
		r.read()
		ops, err := r.Activate(context.Background(), []session.Wish{{Key: key("owner")}}, true)
		if err != nil || ops[0].Request.Duration != 30*time.Minute {
			t.Errorf("%+v, %v", ops[0].Request, err)
		}
	})
}

func TestPolicyIsJudgedBeforeSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.policies[key("owner")] = pim.Policy{Readable: true, MaxDuration: time.Hour, TicketRequired: true}
		r := run(t, t.TempDir(), f)
		r.read()
		op := r.activate("owner")[0]
		if code(op) != pim.CodePolicy || op.Problem.Text != "The role's settings refuse this: give a ticket number." || len(f.made("send")) != 0 {
			t.Fatalf("%+v, %d sent", op.Problem, len(f.made("send")))
		}
		// The administrator relaxes it: a refusal from memory is checked against the service.
		f.set(func() { f.policies[key("owner")] = pim.Policy{Readable: true, MaxDuration: time.Hour} })
		time.Sleep(time.Minute)
		if op := r.activate("owner")[0]; op.State != pim.OperationDone {
			t.Errorf("after the change: %+v", op.Problem)
		}
	})
}

// What begins later has what is left of the eligibility then, and not what is left now.
func TestStartNearTheEndOfTheEligibility(t *testing.T) {
	const late = "The eligibility ends before the role would begin then. Choose an earlier start, or ask an administrator for a longer eligibility."
	for _, tt := range []struct {
		name  string
		start time.Duration
		want  time.Duration
		text  string
	}{
		{"at once", 0, time.Hour, ""},
		{"so that less is left", 3*time.Hour + 20*time.Minute, 40 * time.Minute, ""},
		{"at its end", 4 * time.Hour, 0, late},
		{"after it", 6 * time.Hour, 0, late},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				f.eligible[0].End = time.Now().Add(4 * time.Hour)
				r := run(t, t.TempDir(), f)
				r.read()
				w := session.Wish{Key: key("owner")}
				if tt.start > 0 {
					w.Start = time.Now().Add(tt.start)
				}
				if f := r.CheckAll(context.Background(), []session.Wish{w}, true)[0]; (f.Problem != nil) != (tt.text != "") || f.Problem != nil && f.Problem.Text != tt.text {
					t.Errorf("checked: %+v", f.Problem)
				}
				ops, err := r.Activate(context.Background(), []session.Wish{w}, true)
				switch {
				case err != nil:
					t.Fatal(err)
				case tt.text != "":
					if code(ops[0]) != pim.CodePolicy || ops[0].Problem.Text != tt.text || len(f.made("send")) != 0 {
						t.Errorf("%+v, %d sent", ops[0].Problem, len(f.made("send")))
					}
				case ops[0].Request == nil || ops[0].Request.Duration != tt.want:
					t.Errorf("%+v (%+v)", ops[0].Request, ops[0].Problem)
				}
			})
		})
	}
}

func TestOneOperationPerRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		answer := make(chan struct{})
		f.onSend = func(context.Context, int) (bool, error) { <-answer; return true, nil }
		r := run(t, t.TempDir(), f)
		r.read()
		var wg sync.WaitGroup
		var first, second []pim.Operation
		wg.Go(func() { first = r.activate("owner", "owner") })
		synctest.Wait()
		second = r.activate("owner")
		close(answer)
		wg.Wait()
		if len(f.made("send")) != 1 {
			t.Errorf("%d sent", len(f.made("send")))
		}
		if first[0].ID != second[0].ID || first[1].ID != first[0].ID {
			t.Errorf("operations %s, %s and %s", first[0].ID, first[1].ID, second[0].ID)
		}
		if op, err := r.Wait(context.Background(), second[0].ID); err != nil || op.State != pim.OperationDone {
			t.Errorf("%+v, %v", op, err)
		}
	})
}

func TestLostAnswer(t *testing.T) {
	for _, tt := range []struct {
		name  string
		keep  bool
		code  pim.Code
		state pim.OperationState
		want  pim.Code
	}{
		{"timed out after it took effect", true, pim.CodeTimeout, pim.OperationDone, ""},
		{"answered with nonsense after it took effect", true, pim.CodeUnreadable, pim.OperationDone, ""},
		{"recognised by its own id", true, pim.CodeDuplicate, pim.OperationDone, ""},
		{"timed out before it took effect", false, pim.CodeTimeout, pim.OperationFailed, pim.CodeUnknownOutcome},
		{"failed inside the service", false, pim.CodeUnavailable, pim.OperationFailed, pim.CodeUnknownOutcome},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				f.onSend = func(context.Context, int) (bool, error) { return tt.keep, &pim.Error{Code: tt.code} }
				r := run(t, t.TempDir(), f)
				r.read()
				start := time.Now()
				op := r.activate("owner")[0]
				if op.State != pim.OperationResolving && tt.code != pim.CodeDuplicate {
					t.Fatalf("at first %+v", op)
				}
				op, err := r.Wait(context.Background(), op.ID)
				if err != nil || op.State != tt.state || code(op) != tt.want {
					t.Errorf("in the end %+v, %v", op, err)
				}
				if n := len(f.made("send")); n != 1 {
					t.Errorf("sent %d times", n)
				}
				if took := time.Since(start); tt.want == pim.CodeUnknownOutcome && (took < 5*time.Minute || took > 7*time.Minute) {
					t.Errorf("given up after %v", took)
				}
				if tt.want == "" && r.certainty("owner") == "" {
					t.Error("the role is not shown")
				}
			})
		})
	}
}

// A crash between journal and answer is resolved by reading back.
func TestKilledBetweenJournalAndAnswer(t *testing.T) {
	for _, tt := range []struct {
		name    string
		arrived bool
		want    pim.OperationState
	}{
		{"it arrived", true, pim.OperationDone},
		{"it did not", false, pim.OperationFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				var crashed string
				first := run(t, t.TempDir(), f)
				f.onSend = func(context.Context, int) (bool, error) {
					crashed = first.copyFiles()
					return tt.arrived, errors.New("the program is gone")
				}
				first.read()
				id := first.activate("owner")[0].ID
				first.stop()

				second := run(t, crashed, f)
				if ops := second.Snapshot().Operations; len(ops) != 1 || ops[0].ID != id || ops[0].State != pim.OperationResolving && !tt.arrived {
					t.Fatalf("after the restart: %+v", ops)
				}
				op, err := second.Wait(context.Background(), id)
				if err != nil || op.State != tt.want || op.Client != "cli" {
					t.Fatalf("%+v, %v", op, err)
				}
				if !tt.arrived && code(op) != pim.CodeUnknownOutcome {
					t.Errorf("problem %+v", op.Problem)
				}
				if n := len(f.made("send")); n != 1 {
					t.Errorf("sent %d times", n)
				}
				if tt.arrived && (second.certainty("owner") == "" || len(second.Recent()) != 1 || second.Recent()[0].Justification != "because") {
					t.Errorf("active %q, recent %+v", second.certainty("owner"), second.Recent())
				}
			})
		})
	}
}

// What was refused, or waits for the person in a browser, is nothing to resolve.
func TestCrashLeavesNothingToResolveWhereNothingIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.onSend = func(_ context.Context, n int) (bool, error) {
			return false, &pim.Error{Code: pim.CodeThrottled, RetryAfter: time.Minute}
		}
		r := run(t, t.TempDir(), f)
		r.read()
		var wg sync.WaitGroup
		wg.Go(func() { r.activate("owner") })
		time.Sleep(50 * time.Second)
		preparing := r.copyFiles()
		wg.Wait()
		for name, dir := range map[string]string{"preparing": preparing, "refused": r.copyFiles()} {
			if ops := run(t, dir, f).Snapshot().Operations; len(ops) != 0 {
				t.Errorf("%s: %+v", name, ops)
			}
		}
	})
}

func TestNothingIsSentWithoutAJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		// A folder in the place of the file makes saving fail, for root too.
		if err := os.MkdirAll(filepath.Join(r.dir, "accounts", "a", "journal.json", "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		if op := r.activate("owner")[0]; code(op) != pim.CodeJournal || len(f.made("send")) != 0 {
			t.Errorf("%+v, %d sent", op, len(f.made("send")))
		}
	})
}

func TestResendOnlyWhatSurelyHadNoEffect(t *testing.T) {
	offline, soon, late := &pim.Error{Code: pim.CodeOffline}, &pim.Error{Code: pim.CodeThrottled, RetryAfter: 20 * time.Second}, &pim.Error{Code: pim.CodeThrottled, RetryAfter: 10 * time.Minute}
	for _, tt := range []struct {
		name    string
		errs    []error
		want    pim.Code
		sent    int
		atLeast time.Duration
	}{
		{"not connected, then fine", []error{offline}, "", 2, time.Second},
		{"not connected twice", []error{offline, offline}, pim.CodeOffline, 2, 0},
		{"asked to wait a little", []error{soon}, "", 2, 20 * time.Second},
		{"asked to wait for long", []error{late}, pim.CodeThrottled, 1, 0},
		{"refused", []error{&pim.Error{Code: pim.CodeForbidden}}, pim.CodeForbidden, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				f.onSend = func(_ context.Context, n int) (bool, error) {
					if n <= len(tt.errs) {
						return false, tt.errs[n-1]
					}
					return true, nil
				}
				r := run(t, t.TempDir(), f)
				r.read()
				op := r.activate("owner")[0]
				sends := f.made("send")
				if code(op) != tt.want || len(sends) != tt.sent {
					t.Fatalf("%+v after %d sends", op, len(sends))
				}
				if len(sends) == 2 && (sends[0].id != sends[1].id || sends[1].at.Sub(sends[0].at) < tt.atLeast) {
					t.Errorf("sends %+v", sends)
				}
			})
		})
	}
}

func TestAlreadyActive(t *testing.T) {
	for _, tt := range []struct {
		name   string
		listed bool
		after  time.Duration // until the wished start
		want   pim.OperationState
		entry  pim.OperationState
	}{
		{"the listing agrees", true, 0, pim.OperationDone, store.StateAlreadyActive},
		{"the listing does not", false, 0, pim.OperationFailed, pim.OperationFailed},
		{"it was to begin later", true, 30 * time.Minute, pim.OperationFailed, pim.OperationFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				r := run(t, t.TempDir(), f)
				r.read()
				f.set(func() {
					f.onSend = func(context.Context, int) (bool, error) { return false, &pim.Error{Code: pim.CodeAlreadyActive} }
					if tt.listed {
						f.listed[key("owner")] = pim.Assignment{Role: roleOf(pim.KindAzure, "owner"), Type: pim.Activated, End: time.Now().Add(time.Hour)}
					}
				})
				wish := session.Wish{
					Key: key("owner"), Duration: time.Hour, Justification: "because", Ticket: pim.Ticket{Number: "4711"}, Client: "cli",
				}
				if tt.after > 0 {
					wish.Start = time.Now().Add(tt.after)
					if err := r.Refresh(context.Background(), "test"); err != nil {
						t.Fatal(err)
					}
				}
				ops, err := r.Activate(context.Background(), []session.Wish{wish}, true)
				if err != nil || ops[0].State != tt.want || ops[0].Request != nil {
					t.Errorf("%+v, %v", ops, err)
				}
				h := r.History()
				if len(h) != 1 {
					t.Fatalf("history %+v", h)
				}
				sent := h[0].Duration != 0 || h[0].Justification != "" || h[0].Ticket != (pim.Ticket{})
				if h[0].State != tt.entry || sent != (tt.want == pim.OperationFailed) || len(r.Recent()) != 0 {
					t.Errorf("history %+v, recent %+v", h, r.Recent())
				}
				synctest.Wait()
				if slices.Contains(r.kinds(), pim.EventActivated) {
					t.Errorf("events %v", r.kinds())
				}
				if got := r.certainty("owner") == pim.Listed; got != tt.listed {
					t.Errorf("listed: %v", got)
				}
			})
		})
	}
}

// Another wish for a role that is being worked on changes nothing, whatever it says.
func TestOtherAnswersWhileOneRuns(t *testing.T) {
	for _, tt := range []struct {
		status pim.Status
		start  time.Duration
		want   pim.OperationState
	}{
		{"PendingApproval", 0, pim.OperationWaiting},
		{"Granted", time.Hour, pim.OperationScheduled},
	} {
		t.Run(string(tt.want), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				f.status = tt.status
				r := run(t, t.TempDir(), f)
				r.read()
				wish := session.Wish{Key: key("owner"), Duration: time.Hour, Justification: "first", Client: "cli"}
				if tt.start > 0 {
					wish.Start = time.Now().Add(tt.start)
				}
				first, err := r.Activate(context.Background(), []session.Wish{wish}, true)
				if err != nil || first[0].State != tt.want {
					t.Fatalf("%+v, %v", first, err)
				}
				history, recent := r.History(), r.Recent()
				other := session.Wish{Key: key("owner"), Duration: 2 * time.Hour, Justification: "second", Ticket: pim.Ticket{Number: "4711"}, Client: "window"}
				second, err := r.Activate(context.Background(), []session.Wish{other, other}, true)
				if err != nil || second[0].ID != first[0].ID || second[1].ID != first[0].ID || len(f.made("send")) != 1 {
					t.Errorf("%+v, %v, %d sent", second, err, len(f.made("send")))
				}
				if len(history) != 1 || history[0].Justification != "first" {
					t.Fatalf("history %+v", history)
				}
				if d := cmp.Diff(history, r.History()); d != "" {
					t.Errorf("history: %s", d)
				}
				if d := cmp.Diff(recent, r.Recent()); d != "" {
					t.Errorf("recent: %s", d)
				}
			})
		})
	}
}

func TestDeactivate(t *testing.T) {
	owner := roleOf(pim.KindAzure, "owner")
	for _, tt := range []struct {
		name   string
		held   pim.Assignment
		status pim.Status
		err    error
		want   pim.Code
		sent   int
	}{
		{"in the first five minutes", pim.Assignment{Role: owner, Type: pim.Activated, Start: time.Date(1999, 12, 31, 23, 56, 0, 0, time.UTC)}, "", nil, pim.CodeTooEarly, 0},
		{"after them", pim.Assignment{Role: owner, Type: pim.Activated, Start: time.Date(1999, 12, 31, 23, 55, 0, 0, time.UTC)}, "", nil, "", 1},
		{"without a known start", pim.Assignment{Role: owner, Type: pim.Activated}, "", nil, "", 1},
		{"assigned", pim.Assignment{Role: owner, Type: pim.Assigned}, "", nil, pim.CodeRejected, 0},
		{"not active", pim.Assignment{}, "", nil, pim.CodeNotActive, 0},
		{"accepted and failed", pim.Assignment{Role: owner, Type: pim.Activated}, "Failed", nil, pim.CodeRejected, 1},
		{"the service does not know it yet", pim.Assignment{Role: owner, Type: pim.Activated}, "", &pim.Error{Code: pim.CodeNotActive}, pim.CodeNotActive, 1},
		{"too early by the service's clock", pim.Assignment{Role: owner, Type: pim.Activated}, "", &pim.Error{Code: pim.CodeTooEarly}, pim.CodeTooEarly, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				f.status = tt.status
				if tt.held.Role.Kind != "" {
					f.listed[key("owner")] = tt.held
				}
				if tt.err != nil {
					f.onSend = func(context.Context, int) (bool, error) { return false, tt.err }
				}
				r := run(t, t.TempDir(), f)
				r.read()
				op, err := r.Deactivate(context.Background(), key("owner"), "tray", true)
				if err != nil || code(op) != tt.want || len(f.made("send")) != tt.sent {
					t.Fatalf("%+v (%+v), %v, %d sent", op, op.Problem, err, len(f.made("send")))
				}
				// What could not be ended is still shown, and only that.
				synctest.Wait()
				if shown := r.certainty("owner") != ""; shown != (tt.want != "" && tt.held.Role.Kind != "") {
					t.Errorf("shown: %v", shown)
				}
			})
		})
	}
}

// The service may answer 201 to a deactivation that comes too early, and fail it.
func TestDeactivationAcceptedAndFailedAsTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.listed[key("owner")] = pim.Assignment{Role: roleOf(pim.KindAzure, "owner"), Type: pim.Activated, Start: time.Now().Add(-5 * time.Minute)}
		r := run(t, t.TempDir(), f)
		r.read()
		f.set(func() {
			f.status = "Failed"
			f.onSend = func(context.Context, int) (bool, error) {
				f.set(func() {
					a := f.listed[key("owner")]
					a.Start = time.Now().Add(-4 * time.Minute)
					f.listed[key("owner")] = a
				})
				return true, r.Refresh(context.Background(), "the start was not what it seemed")
			}
		})
		op, err := r.Deactivate(context.Background(), key("owner"), "tray", true)
		if err != nil || op.State != pim.OperationFailed || code(op) != pim.CodeTooEarly {
			t.Errorf("%+v, %v", op.Problem, err)
		}
	})
}

func TestScheduledActivation(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(map[bool]string{false: "running on", true: "through a restart"}[restart], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				f.status = "Granted"
				r := run(t, t.TempDir(), f)
				r.read()
				begin := time.Now().Add(3 * time.Hour)
				ops, err := r.Activate(context.Background(), []session.Wish{{Key: key("owner"), Start: begin, Duration: time.Hour}}, true)
				if err != nil || ops[0].State != pim.OperationScheduled || r.certainty("owner") != "" {
					t.Fatalf("%+v, %v, active %q", ops, err, r.certainty("owner"))
				}
				want := []pim.EventKind{pim.EventScheduled, pim.EventActivated}
				if restart {
					r.stop()
					r, want = run(t, r.dir, f), want[1:]
					if all := r.Snapshot().Operations; len(all) != 1 || all[0].ID != ops[0].ID || all[0].State != pim.OperationScheduled {
						t.Fatalf("after the restart: %+v", all)
					}
				}
				r.until("the role active", func(*pim.Snapshot) bool { return r.certainty("owner") != "" })
				if late := time.Since(begin); late < 0 || late > time.Minute {
					t.Errorf("shown %v after its start", late)
				}
				if a := r.Snapshot().Active[0].Assignment; !a.End.Equal(begin.Add(time.Hour)) {
					t.Errorf("ends %v", a.End)
				}
				synctest.Wait()
				if !slices.Equal(r.kinds(), want) {
					t.Errorf("events %v, want %v", r.kinds(), want)
				}
				if h := r.History(); len(h) != 1 || h[0].State != pim.OperationDone {
					t.Errorf("history %+v", h)
				}
			})
		})
	}
}

// The token from before does not know of the role, even where no group is involved.
func TestTokensAreRenewedAfterADirectoryRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, tokens := newService(pim.KindDirectory, "reader"), &renewals{}
		r := runWith(t, t.TempDir(), session.Params{Renewer: tokens}, f)
		r.read()
		before := tokens.count()
		ops, err := r.Activate(context.Background(), []session.Wish{{Key: roleOf(pim.KindDirectory, "reader").Key(), Duration: time.Hour}}, true)
		if err != nil || ops[0].State != pim.OperationDone {
			t.Fatalf("%+v, %v", ops, err)
		}
		synctest.Wait()
		if before != 0 || tokens.count() == 0 {
			t.Errorf("%d renewals before and %d in all", before, tokens.count())
		}
	})
}

func TestApproval(t *testing.T) {
	for _, tt := range []struct {
		status pim.Status
		state  pim.OperationState
		event  pim.EventKind
	}{
		{"Provisioned", pim.OperationDone, pim.EventActivated},
		{"Denied", pim.OperationFailed, pim.EventDenied},
		{"Canceled", pim.OperationFailed, pim.EventCancelled},
		{"TimedOut", pim.OperationFailed, pim.EventFailed},
	} {
		t.Run(string(tt.status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newService(pim.KindAzure, "owner")
				f.status = "PendingApproval"
				r := run(t, t.TempDir(), f)
				r.read()
				id := r.activate("owner")[0].ID
				if op, err := r.Wait(context.Background(), id); err != nil || op.State != pim.OperationWaiting || r.certainty("owner") != "" {
					t.Fatalf("%+v, %v", op, err)
				}
				r.stop()

				// It is followed on after a restart.
				r = run(t, r.dir, f)
				time.Sleep(30 * time.Minute)
				follows := f.made("follow")
				if len(follows) < 15 || len(follows) > 20 {
					t.Errorf("followed %d times in half an hour", len(follows))
				}
				decided := time.Now()
				f.set(func() { f.setStatus(id, tt.status) })
				s := r.until("the decision", func(s *pim.Snapshot) bool { return s.Operations[0].State.Over() })
				if s.Operations[0].State != tt.state {
					t.Errorf("%+v", s.Operations[0])
				}
				if time.Since(decided) > 2*time.Minute {
					t.Errorf("noticed after %v", time.Since(decided))
				}
				synctest.Wait()
				if want := []pim.EventKind{tt.event}; !slices.Equal(r.kinds(), want) {
					t.Errorf("events %v, want %v", r.kinds(), want)
				}
				if tt.state != pim.OperationDone {
					return
				}
				if a := s.Active; len(a) != 1 || a[0].Assignment.Start.Before(decided) {
					t.Errorf("active %+v; it began when it was approved", a)
				}
			})
		})
	}
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		f.status = "PendingApproval"
		r := run(t, t.TempDir(), f)
		r.read()
		id := r.activate("owner")[0].ID
		if err := r.Cancel(context.Background(), "no such", "cli"); pim.CodeOf(err) != pim.CodeNotFound {
			t.Errorf("unknown request: %v", err)
		}
		if err := r.Cancel(context.Background(), id, "cli"); err != nil {
			t.Fatal(err)
		}
		op := r.Snapshot().Operations[0]
		if op.State != pim.OperationFailed || op.Problem.Text != "The request was cancelled." {
			t.Errorf("%+v", op)
		}
		if err := r.Cancel(context.Background(), id, "cli"); pim.CodeOf(err) != pim.CodeRejected {
			t.Errorf("again: %v", err)
		}
		if h := r.History(); h[len(h)-1].Action != store.ActionCancel || h[len(h)-1].Request != id {
			t.Errorf("history %+v", h)
		}
	})
}

// A lost answer to a cancellation is settled by the request's own status.
func TestCancelWhoseAnswerWasLost(t *testing.T) {
	for _, arrived := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := newService(pim.KindAzure, "owner")
			f.status = "PendingApproval"
			r := run(t, t.TempDir(), f)
			r.read()
			id := r.activate("owner")[0].ID
			f.set(func() {
				f.err["cancel"] = &pim.Error{Code: pim.CodeTimeout}
				if arrived {
					f.setStatus(id, "Canceled")
				}
			})
			if err := r.Cancel(context.Background(), id, "cli"); (err == nil) != arrived {
				t.Errorf("arrived %v: %v", arrived, err)
			}
		})
	}
}

func TestNarrowerScopeAndRecent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		group := pim.Scope{ID: "/subscriptions/owner/resourceGroups/rg", Name: "rg"}
		wish := session.Wish{Key: key("owner"), Scope: group, Duration: time.Hour}
		ops, err := r.Activate(context.Background(), []session.Wish{wish}, true)
		if err != nil || ops[0].State != pim.OperationDone || ops[0].Role.Scope.ID != group.ID {
			t.Fatalf("%+v, %v", ops, err)
		}
		narrow := r.Recent()[0].Role.Key()
		time.Sleep(2 * time.Hour)
		ops, err = r.Activate(context.Background(), []session.Wish{{Key: narrow, Duration: time.Hour}}, true)
		if err != nil || ops[0].State != pim.OperationDone || ops[0].Role.Key() != narrow {
			t.Errorf("again by its own key: %+v, %v", ops, err)
		}
	})
}

func TestCheckAsksPolicyThenService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newService(pim.KindAzure, "owner")
		r := run(t, t.TempDir(), f)
		r.read()
		wish := session.Wish{Key: key("owner"), Duration: 9 * time.Hour}
		if err := r.Check(context.Background(), wish); pim.CodeOf(err) != pim.CodePolicy || len(f.made("check")) != 0 {
			t.Errorf("too long: %v", err)
		}
		wish.Duration = time.Hour
		if err := r.Check(context.Background(), wish); err != nil {
			t.Errorf("fine: %v", err)
		}
		f.set(func() { f.err["check"] = &pim.Error{Code: pim.CodeAlreadyActive} })
		if err := r.Check(context.Background(), wish); pim.CodeOf(err) != pim.CodeAlreadyActive {
			t.Errorf("refused: %v", err)
		}
		if len(f.made("send")) != 0 {
			t.Error("a check has sent something")
		}
	})
}
