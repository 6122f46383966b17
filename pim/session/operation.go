package session

import (
	"time"

	"roletray/pim"
	"roletray/pim/store"
)

// operation is an action of the person with what the session needs to carry it
// through. The session's lock guards it.
type operation struct {
	op    pim.Operation
	write pim.Write
	key   pim.Key
	// entry is its line of the history.
	entry store.Entry

	// settled is when it took effect; zero before that, or when that has no
	// bearing on what is active.
	settled time.Time
	// confirmed says that a listing read after settled agreed.
	confirmed bool
	// waited says that a person had to approve it.
	waited bool
	// quiet says that the session tries it by itself: it leaves no trace unless the
	// service takes it.
	quiet bool
	// group is what must be active first, or nil.
	group *operation
	// err is why it failed, where an error says so.
	err error

	// next is when it is read again, on the computer's clock, for the tries-th time.
	next  time.Time
	tries int
	busy  bool
	// again asks for another look at once, after the one that is under way.
	again bool
}

// operationKey is what no two open operations share. Asking for more time is apart
// from activating the role.
func operationKey(w pim.Write) pim.Key {
	switch {
	case !prolongs(w.Action):
		return w.Role.Key()
	case w.OfEligibility:
		return "eligibility|" + w.Role.Key()
	}
	return "assignment|" + w.Role.Key()
}

func prolongs(a pim.Action) bool { return a == pim.ActionExtend || a == pim.ActionRenew }

func restoreOperation(open store.Open) *operation {
	o := &operation{
		op: pim.Operation{
			ID: open.Write.ID, Action: open.Write.Action, Role: open.Write.Role, State: open.State,
			Request: open.Request, Started: open.Write.At, Changed: open.Write.At, Client: open.Client,
		},
		write:     open.Write,
		key:       operationKey(open.Write),
		settled:   open.Settled,
		confirmed: open.Confirmed,
		waited:    open.State == pim.OperationWaiting,
	}
	if !open.Settled.IsZero() {
		o.op.Changed = open.Settled
	}
	if open.Request == nil {
		o.op.State = pim.OperationResolving
	}
	return o
}

// journalled says whether a restart must know of it: from before it is sent
// until it is over and no record is needed any more.
func (o *operation) journalled() bool {
	switch o.op.State {
	case pim.OperationPreparing, pim.OperationFailed:
		return false
	case pim.OperationWaiting:
		return o.op.Request != nil // Else it waits for its group, and nothing was sent.
	case pim.OperationDone:
		return !o.settled.IsZero()
	}
	return true
}

func (o *operation) open() store.Open {
	return store.Open{
		Write: o.write, Client: o.op.Client, Request: o.op.Request, State: o.op.State,
		Settled: o.settled, Confirmed: o.confirmed,
	}
}

// assignment is the active role that a done activation has made.
func (o *operation) assignment() pim.Assignment {
	r := o.op.Request
	a := pim.Assignment{
		Role: o.op.Role, EligibilityScheduleID: r.EligibilityScheduleID, PrincipalID: r.PrincipalID,
		Type: pim.Activated, Via: pim.ViaDirect, Start: r.EffectiveStart(), End: r.EffectiveEnd(),
	}
	if a.Start.IsZero() {
		a.Start = o.settled
	}
	// What waited for approval begins when it is approved and not when it was asked for.
	if o.waited && a.Start.Before(o.settled) {
		a.Start = o.settled
		if r.Duration > 0 && r.End.IsZero() {
			a.End = a.Start.Add(r.Duration)
		}
	}
	if a.End.IsZero() && r.End.IsZero() && o.write.Duration > 0 {
		a.End = a.Start.Add(o.write.Duration)
	}
	return a
}

// steps are the parts of the operation where it has more than one.
func (o *operation) steps() []pim.Step {
	if o.group == nil {
		return nil
	}
	step := func(o *operation) pim.Step {
		return pim.Step{Role: o.op.Role, State: o.op.State, Operation: o.op.ID, Problem: o.op.Problem}
	}
	return []pim.Step{step(o.group), step(o)}
}

// outdates says that a listed row is of an earlier activation than this one. The
// five-minute rule keeps two activations further apart than the tolerance.
func (o *operation) outdates(listed pim.Assignment) bool {
	return listed.Type == pim.Activated && !listed.Start.IsZero() &&
		listed.Start.Before(o.assignment().Start.Add(-2*time.Minute))
}
