package ledger

import (
	"errors"
	"slices"
	"testing"
	"time"

	"roletray/pim/tenant/world"
)

// flat is a tenant whose administrative units lie right below the directory.
type flat struct{}

func (flat) Parent(scope string) (string, bool) { return "/", scope != "/" }

var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

type desk struct {
	t     *testing.T
	clock *world.Clock
	books *Ledger
	n     byte
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, clock: world.NewClock(start, 1)}
	d.books = New(Params{
		Clock: d.clock, Tree: flat{},
		Directory: &world.Directory{
			Users: []world.User{
				{ID: "ada", Name: "Ada", Groups: []string{"Team"}},
				{ID: "bo", Name: "Bo", Groups: []string{"Team"}},
			},
			Groups: []world.Group{{ID: "Team"}},
		},
		Timing: func() Timing { return Timing{} },
	})
	return d
}

func (d *desk) eligible(id, principal string, t Target, end time.Time) {
	d.books.AddEligibility(Eligibility{ID: id, InstanceID: id + "-i", Target: t, Principal: principal, Start: start.AddDate(-1, 0, 0), End: end})
}

func (d *desk) submit(who string, s Submission) (Request, error) {
	d.n++
	s.ID, s.Principal = string(rune('a'+d.n)), who
	return d.books.Submit(world.Caller{UserID: who, Methods: []string{"pwd"}}, s)
}

func (d *desk) want(err error, code Code) {
	d.t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code {
		d.t.Fatalf("want %s, got %v", code, err)
	}
}

// A group's member and owner access are two roles.
func TestAccessIsPartOfTheTarget(t *testing.T) {
	d := newDesk(t)
	member, owner := Target{Role: "g", Scope: "/", Access: "member"}, Target{Role: "g", Scope: "/", Access: "owner"}
	d.eligible("e", "ada", owner, time.Time{})
	if _, err := d.submit("ada", Submission{Action: SelfActivate, Target: owner}); err != nil {
		t.Fatal(err)
	}
	d.clock.Advance(time.Hour)
	_, err := d.submit("ada", Submission{Action: SelfDeactivate, Target: member})
	d.want(err, RoleAssignmentDoesNotExist)
	if _, err := d.submit("ada", Submission{Action: SelfDeactivate, Target: owner}); err != nil {
		t.Fatal(err)
	}
}

func TestTwoPeopleOfOneGroup(t *testing.T) {
	d := newDesk(t)
	role := Target{Role: "r", Scope: "/"}
	d.eligible("e", "team", role, time.Time{})
	for _, who := range []string{"ada", "bo"} {
		if _, err := d.submit(who, Submission{Action: SelfActivate, Target: role}); err != nil {
			t.Fatalf("%s: %v", who, err)
		}
	}
	if n := len(d.books.Active(Holder{})); n != 2 {
		t.Errorf("%d are active", n)
	}
	if n := len(d.books.Active(Holder{User: "ada"})); n != 1 {
		t.Errorf("Ada has %d", n)
	}
}

func TestLinkedEligibilityAbove(t *testing.T) {
	d := newDesk(t)
	d.eligible("e", "ada", Target{Role: "r", Scope: "/"}, time.Time{})
	unit := Target{Role: "r", Scope: "/unit"}
	_, err := d.submit("ada", Submission{Action: SelfActivate, Target: unit})
	var e *Error
	if !errors.As(err, &e) || !slices.Equal(e.Rules, []Rule{EligibilityRule}) {
		t.Fatalf("without a link: %v", err)
	}
	if _, err := d.submit("ada", Submission{Action: SelfActivate, Target: unit, Linked: "e"}); err != nil {
		t.Fatal(err)
	}
}

func TestWhenProlongationIsPossible(t *testing.T) {
	const day = 24 * time.Hour
	role := Target{Role: "r", Scope: "/"}
	for _, tt := range []struct {
		action Action
		end    time.Duration
		code   Code
	}{
		{SelfExtend, 15 * day, InvalidRequest},
		{SelfExtend, 14*day - time.Minute, ""},
		{SelfExtend, time.Hour, ""},
		{SelfExtend, -time.Hour, InvalidRequest},
		{SelfRenew, time.Hour, InvalidRequest},
		{SelfRenew, -time.Hour, ""},
		{SelfRenew, -31 * day, InvalidRequest},
	} {
		d := newDesk(t)
		d.eligible("e", "ada", role, start.Add(tt.end))
		r, err := d.submit("ada", Submission{Family: OfEligibility, Action: tt.action, Target: role})
		switch {
		case tt.code != "":
			d.want(err, tt.code)
		case err != nil || r.Status != PendingAdminDecision:
			t.Errorf("%s with the end at %v: %s, %v", tt.action, tt.end, r.Status, err)
		}
	}
}

func TestNewEnd(t *testing.T) {
	old := start.Add(time.Hour)
	for _, tt := range []struct {
		name string
		s    Schedule
		old  time.Time
		want time.Time
	}{
		{"a duration", Schedule{Expiration: AfterDuration, Duration: time.Hour}, old, old.Add(time.Hour)},
		{"a duration after the end", Schedule{Expiration: AfterDuration, Duration: time.Hour}, start.Add(-time.Hour), start.Add(time.Hour)},
		{"a moment", Schedule{Expiration: AfterDateTime, End: old.Add(time.Minute)}, old, old.Add(time.Minute)},
		{"a moment too early", Schedule{Expiration: AfterDateTime, End: start}, old, old.AddDate(1, 0, 0)},
		{"for ever", Schedule{Expiration: NoExpiration}, old, time.Time{}},
		{"nothing", Schedule{}, old, old.AddDate(1, 0, 0)},
	} {
		if got := tt.s.newEnd(tt.old, start); !got.Equal(tt.want) {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// An approval that comes when the time asked for is over leads to nothing.
func TestApprovedTooLate(t *testing.T) {
	d := newDesk(t)
	role := Target{Role: "r", Scope: "/"}
	d.eligible("e", "ada", role, time.Time{})
	d.books.SetPolicy(role, Policy{Approvers: []Approver{{ID: "bo"}}})
	r, err := d.submit("ada", Submission{Action: SelfActivate, Target: role, Schedule: Schedule{
		Expiration: AfterDateTime, End: start.Add(time.Hour),
	}})
	if err != nil {
		t.Fatal(err)
	}
	d.clock.Advance(2 * time.Hour)
	if r, err = d.books.Review("bo", r.Approval.ID, r.Approval.StageID, Approve, ""); err != nil || r.Status != Failed {
		t.Errorf("status %s, %v", r.Status, err)
	}
	if n := len(d.books.InForce(Holder{User: "ada"})); n != 0 {
		t.Errorf("%d are active", n)
	}
}

// Who joins a group for a while may activate what the group is eligible for.
func TestMemberForNow(t *testing.T) {
	d := newDesk(t)
	var joined []string
	d.books.p.MemberOf = func(string) []string { return joined }
	role := Target{Role: "r", Scope: "/"}
	d.eligible("e", "crew", role, time.Time{})
	_, err := d.submit("ada", Submission{Action: SelfActivate, Target: role})
	d.want(err, PolicyValidationFailed)
	joined = []string{"crew", "team"}
	if !d.books.Holds("ADA", "crew") || d.books.Holds("ada", "bo") {
		t.Error("the wrong principals are held")
	}
	if _, err := d.submit("ada", Submission{Action: SelfActivate, Target: role, ScheduleID: "own"}); err != nil {
		t.Fatal(err)
	}
	if a, ok := d.books.Assignment("own"); !ok || a.Principal != "ada" {
		t.Errorf("the schedule is %+v", a)
	}
}

func TestQueueAfterWhatIsActive(t *testing.T) {
	role := Target{Role: "r", Scope: "/"}
	later := func(after time.Duration) Submission {
		return Submission{Action: SelfActivate, Target: role, Schedule: Schedule{Start: start.Add(after), Expiration: AfterDuration, Duration: time.Hour}}
	}
	for _, queue := range []bool{false, true} {
		d := newDesk(t)
		d.books.p.Timing = func() Timing { return Timing{Queue: queue} }
		d.eligible("e", "ada", role, time.Time{})
		if _, err := d.submit("ada", later(0)); err != nil {
			t.Fatal(err)
		}
		_, err := d.submit("ada", later(30*time.Minute))
		d.want(err, RoleAssignmentExists)
		r, err := d.submit("ada", later(time.Hour+time.Minute))
		if !queue {
			d.want(err, RoleAssignmentExists)
			continue
		}
		if err != nil || r.Status != Granted {
			t.Fatalf("%s, %v", r.Status, err)
		}
		d.clock.Advance(90 * time.Minute)
		if n := len(d.books.InForce(Holder{User: "ada"})); n != 1 {
			t.Errorf("%d are active after the change", n)
		}
	}
}

func TestAdministratorsDecideWhereNobodyIsNamed(t *testing.T) {
	d := newDesk(t)
	role := Target{Role: "r", Scope: "/"}
	d.eligible("e", "ada", role, time.Time{})
	d.books.SetPolicy(role, Policy{Approval: true})
	r, err := d.submit("ada", Submission{Action: SelfActivate, Target: role})
	if err != nil || r.Status != PendingApproval {
		t.Fatalf("%s, %v", r.Status, err)
	}
	_, err = d.books.Review("bo", r.Approval.ID, r.Approval.StageID, Approve, "")
	d.want(err, InsufficientPermissions)
	_, err = d.books.ReviewAsAdministrator("ada", r.Approval.ID, r.Approval.StageID, Approve, "")
	d.want(err, InsufficientPermissions)
	if r, err = d.books.ReviewAsAdministrator("bo", r.Approval.ID, r.Approval.StageID, Approve, ""); err != nil || r.Status != Provisioned {
		t.Errorf("%s, %v", r.Status, err)
	}
}
