package agent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"roletray/app/local"
	"roletray/app/notify"
	"roletray/app/view"
	"roletray/pim"
	"roletray/pim/session"
)

// The buttons of notes. None decides a request: that takes the window.
const (
	actionOpen       = "open"
	actionReactivate = "reactivate"
)

// The window's pages that notes open.
const (
	pageRequests  = string(view.PageRequests)
	pageApprovals = string(view.PageApprovals)
)

// happened tells the person what a session reports.
func (a *Agent) happened(r *running, e pim.Event) {
	w, now := a.p.Words, a.clock.Now()
	role := roleName(e.Role)
	about := noted{account: r.account.ID, role: e.Role, end: e.End}
	var review pim.Review
	if e.Request != nil {
		review = e.Request.Review
	}
	what := scopeName(e.Role)
	if said := view.Decided(w, review); said != "" {
		what += " · " + said
	}
	n := notify.Note{Body: a.askedBy(what, e.Client)}
	switch e.Kind {
	case pim.EventActivated:
		n.Title = w.Say("note.activated", role)
		if !e.End.IsZero() {
			n.Title = w.Say("note.activated-until", role, a.moment(e.End, now))
		}
	case pim.EventScheduled:
		start := now
		if e.Request != nil {
			start = e.Request.EffectiveStart()
		}
		n.Title = w.Say("note.scheduled", role, a.moment(start, now))
	case pim.EventWaiting:
		n.Title = w.Say("note.waiting", role)
	case pim.EventDenied:
		n.Title, n.Actions = w.Say("note.denied", role), []notify.Action{a.openAction()}
		about.page = pageRequests
		if e.Problem != nil {
			n.Body = view.WhyNot(w, e.Problem, review)
		}
	case pim.EventFailed:
		n.Title, n.Actions = w.Say("note.failed", role), []notify.Action{a.openAction()}
		if e.Problem != nil {
			n.Body = e.Problem.Text
		}
	case pim.EventDeactivated:
		n.Title = w.Say("note.deactivated", role)
	case pim.EventCancelled:
		n.Title = w.Say("note.cancelled", role)
	case pim.EventEnded:
		if goesOn(r.session.Snapshot(), e.Role.Key(), e.End) {
			return
		}
		n.Title, n.Actions = w.Say("note.ended", role), []notify.Action{a.reactivateAction(), a.openAction()}
	case pim.EventPlanned:
		i := slices.IndexFunc(r.session.Snapshot().Plans, func(p pim.Plan) bool { return p.Key() == e.Role.Key() && p.Approval })
		if i >= 0 {
			n.Title, n.Body = w.Say("note.asks", role, a.moment(e.End, now)), a.askedBy(w.Say("note.asks-text"), e.Client)
			break
		}
		n.Title, n.Body = w.Say("note.continues", role, a.moment(e.End, now)), a.askedBy(w.Say("note.continues-text"), e.Client)
	case pim.EventPlanAsks:
		n.Title, n.Actions = w.Say("note.plan-asks", role), []notify.Action{a.reactivateAction(), a.openAction()}
		if e.Problem != nil {
			n.Body = e.Problem.Text
		}
	case pim.EventSent:
		n.Title, n.Actions = w.Say("note.check-sent", role), []notify.Action{a.openAction()}
		about.page = pageRequests
	case pim.EventApproval:
		a.spawn(func() { a.tellApproval(r, e) })
		return
	case pim.EventSignInNeeded:
		a.send(notify.Note{
			ID: "sign-in|" + r.account.ID, Title: w.Say("note.sign-in"),
			Body: w.Say("note.sign-in-text", pim.CleanText(r.account.Username, 80)), Actions: []notify.Action{a.openAction()},
		})
		return
	default:
		return
	}
	a.note(about, n)
}

// askedBy adds to a text who asked, where that was a command.
func (a *Agent) askedBy(text, client string) string {
	if !strings.HasPrefix(client, "cli") {
		return text
	}
	return a.p.Words.Say("note.asked-by", text, pim.CleanText(client, 80))
}

// goesOn says whether a role that ended at end is about to begin again.
func goesOn(s *pim.Snapshot, key pim.Key, end time.Time) bool {
	const near = 2 * time.Minute
	return slices.ContainsFunc(s.Plans, func(p pim.Plan) bool { return p.Key() == key && p.State != pim.PlanAsks }) ||
		slices.ContainsFunc(s.Requests, func(q pim.Request) bool {
			return q.Action == pim.ActionActivate && q.Role.Key() == key && q.Start.Sub(end).Abs() <= near && q.Phase(s.At) != pim.PhaseRefused
		})
}

// approvalLag is how long the snapshot may take to show what an event tells of.
const approvalLag = 5 * time.Second

// tellApproval says that somebody waits for the person's decision. All that wait at an
// account share one note.
func (a *Agent) tellApproval(r *running, e pim.Event) {
	ctx, cancel := context.WithTimeout(a.ctx, approvalLag)
	defer cancel()
	changed, stop := r.session.Subscribe()
	defer stop()
	w := a.p.Words
	who, waiting := w.Say("note.somebody"), 1
	for found := false; !found && ctx.Err() == nil; {
		all := r.session.Snapshot().Approvals
		i := slices.IndexFunc(all, func(p pim.Approval) bool { return e.Request != nil && p.Request.ID == e.Request.ID })
		if found = i >= 0; found {
			who, waiting = pim.CleanText(all[i].Requestor.Label(), 80), len(all)
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	n := notify.Note{
		ID: "approvals|" + r.account.ID, Title: w.Say("note.approval", who, roleName(e.Role)), Body: scopeName(e.Role),
		Actions: []notify.Action{a.openAction()},
	}
	if waiting > 1 {
		n.Body = w.Say("note.approval", who, roleName(e.Role)) + " · " + n.Body
		n.Title = w.Say("note.approvals", waiting)
	}
	a.noteAs(noted{account: r.account.ID, page: pageApprovals}, n)
}

// tellDecision says what a command has decided in the person's name.
func (a *Agent) tellDecision(p pim.Approval, approved bool, client string) {
	title := a.p.Words.Say("note.denied-by-you", roleName(p.Request.Role), pim.CleanText(p.Requestor.Label(), 80))
	if approved {
		title = a.p.Words.Say("note.approved-by-you", roleName(p.Request.Role), pim.CleanText(p.Requestor.Label(), 80))
	}
	a.send(notify.Note{ID: "decided|" + p.ID, Title: title, Body: a.askedBy(scopeName(p.Request.Role), client)})
}

// note shows a note about a role, in the place of an older one about the same.
func (a *Agent) note(about noted, n notify.Note) {
	n.ID = "role|" + about.account + "|" + string(about.role.Key())
	a.noteAs(about, n)
}

// noteAs shows a note whose buttons are about something.
func (a *Agent) noteAs(about noted, n notify.Note) {
	about.at = a.clock.Now()
	a.mu.Lock()
	a.notes[n.ID] = about
	a.mu.Unlock()
	a.send(n)
}

// acted does what a note's button asks for.
func (a *Agent) acted(id, action string) {
	a.mu.Lock()
	about, known := a.notes[id]
	fresh := known && about.role.Kind != "" && !about.used && a.clock.Now().Sub(about.at) <= buttonLife
	if action == actionReactivate && known {
		about.used = true
		a.notes[id] = about
	}
	a.mu.Unlock()
	var err error
	switch {
	case action == actionReactivate && fresh:
		err = a.reactivate(about)
	case action == actionReactivate && known:
		err = a.askAgain(about)
	default:
		err = a.Show(a.ctx, local.ShowRequest{Page: about.page})
	}
	if err != nil && a.ctx.Err() == nil {
		a.log.Warn("the button of a note failed", "action", action, "error", err)
		a.send(notify.Note{ID: "tray", Title: "Roletray", Body: local.ProblemOf(err).Text})
	}
}

// buttonLife is how long the button of a note sends by itself.
const buttonLife = 15 * time.Minute

// reactivate has a role go on after its end, or sends its stored answers again where it
// has ended. What they do not suffice for, a step-up or an approval is left to the
// person in the window.
func (a *Agent) reactivate(about noted) error {
	r, err := a.session(about.account)
	if err != nil {
		return err
	}
	key := about.role.Key()
	w, policy, ok := a.answers(r, key)
	if !ok || policy.StepUpClaims() != "" {
		return a.askAgain(about)
	}
	w.Client = "reminder"
	if ends(r.session.Snapshot(), key) {
		if policy.ApprovalRequired {
			return a.askAgain(about)
		}
		_, err := r.session.Continue(a.ctx, w, false)
		if pim.CodeOf(err) != pim.CodeNotActive {
			return err
		}
		// It has ended just now.
	}
	ops, err := r.session.Activate(a.ctx, []session.Wish{w}, false)
	switch {
	case errors.Is(err, session.ErrNotRunning):
		return nil // The person has signed out meanwhile.
	case err != nil:
		return err
	}
	if p := ops[0].Problem; p != nil && (p.Code == pim.CodeStepUp || p.Code == pim.CodeSignInNeeded) {
		return a.askAgain(about)
	}
	return nil // What else became of it, the session tells.
}

// askAgain has the window ask how a role goes on or, once it has ended, for its activation.
func (a *Agent) askAgain(about noted) error {
	r, err := a.session(about.account)
	if err != nil {
		return err
	}
	key := about.role.Key()
	return a.showSheet(local.Sheet{Account: about.account, Key: key, Continues: ends(r.session.Snapshot(), key)})
}

// ends says whether an activation of a role is in force and comes to an end.
func ends(s *pim.Snapshot, key pim.Key) bool {
	return slices.ContainsFunc(s.Active, func(r pim.ActiveRole) bool {
		return r.Assignment.Role.Key() == key && r.Assignment.Type == pim.Activated && !r.Assignment.End.IsZero()
	})
}

func roleName(r pim.Role) string { return pim.CleanText(r.Name, 80) }

func scopeName(r pim.Role) string { return pim.CleanText(r.Scope.Label(), 80) }

func (a *Agent) moment(t, now time.Time) string {
	return view.Moment(a.p.Words, t, now.In(time.Local))
}
