package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"roletray/app/local"
	"roletray/pim"
)

// result is what became of one action on a role.
type result struct {
	account   string
	operation pim.Operation
	// checked says that nothing was sent: the operation's problem is what speaks against it.
	checked bool
	// finding is what a check came to, also the one before several roles are sent.
	finding pim.Finding
	// told says that the person has read already why it failed.
	told bool
	// earlier says that the operation was under way before the command.
	earlier bool
	// until is when a role ends that the service said is active already, or zero.
	until time.Time
}

// found takes over what a check came to.
func (r *result) found(f pim.Finding) {
	r.finding = f
	r.operation.ID, r.operation.Problem, r.operation.Offer = f.Operation, f.Problem, f.Offer
}

// checkText says what a check came to, in the output's word for it and in a line.
func (r *result) checkText() (outcome, text string) {
	f, role := r.finding, describe(r.operation.Role)
	switch {
	case f.Operation != "":
		return "sent", role + ": " + clean(f.Problem.Text, 500)
	case f.Unknown:
		return "failed", role + " could not be checked: " + clean(f.Problem.Text, 500)
	case f.Problem != nil:
		return "refused", role + ": " + clean(f.Problem.Text, 500) + widerText(f.Offer)
	case f.Already:
		return "ok", role + " is active already, or a request for it is under way."
	case f.Local:
		text = "The settings of " + role + " allow it; the service can only be asked by activating."
	default:
		text = "The service would activate " + role + "."
	}
	if f.StepUp {
		text += " It may ask for a stronger sign-in."
	}
	if f.Approval {
		text += " Somebody has to approve it."
	}
	return "ok", text
}

// widerText says how to go on at the next wider scope, where one is offered.
func widerText(offer *pim.Scope) string {
	if offer == nil {
		return ""
	}
	return " Try it at the next wider scope, with --scope " + clean(offer.ID, 300)
}

// recall compares the answer to an activation with what was known before it.
func (r *result) recall(before *local.State) {
	snap := before.Account(r.account)
	if snap == nil {
		return
	}
	r.earlier = slices.ContainsFunc(snap.Operations, func(o pim.Operation) bool {
		return o.ID != "" && o.ID == r.operation.ID && !o.State.Over()
	})
	for _, act := range snap.Active {
		if act.Assignment.Role.Key() == r.operation.Role.Key() && act.Assignment.Type == pim.Activated && act.Assignment.End.After(before.Now) {
			r.until = act.Assignment.End
		}
	}
}

// already says that the service made no request, since the role was active.
func (r *result) already() bool {
	o := r.operation
	return !r.checked && o.Action == pim.ActionActivate && o.State == pim.OperationDone && o.Request == nil && len(o.Steps) == 0
}

// resultJSON is a result in the output.
type resultJSON struct {
	// Outcome is done, waiting, scheduled, failed, sent, or for a check ok, refused
	// or sent: the service took it for a request.
	Outcome string `json:"outcome"`
	// SettingsOnly says of a check that the service had no part in it.
	SettingsOnly bool `json:"settingsOnly,omitempty"`
	// Already says that an activation made or would make no new request: the role was
	// active, or an earlier request for it was under way.
	Already bool `json:"already,omitempty"`
	// Checked says of an activation that failed that the check before has found it, and that
	// nothing was sent.
	Checked bool `json:"checked,omitempty"`
	// StepUp and Approval say of a check what will be asked for.
	StepUp   bool `json:"stepUp,omitempty"`
	Approval bool `json:"approval,omitempty"`
	// Rules are those of the role's settings that a check found broken.
	Rules []pim.Rule `json:"rules,omitempty"`
	operationJSON
}

// follow waits until it is known what becomes of the operations, and says it.
func (a *app) follow(ctx context.Context, c *local.Client, all []result, noWait bool, now time.Time) error {
	if err := a.wait(ctx, c, all, noWait); err != nil {
		return err
	}
	return a.results(all, now)
}

// wait waits until it is known what becomes of the operations.
func (a *app) wait(ctx context.Context, c *local.Client, all []result, noWait bool) error {
	for i := range all {
		o := all[i].operation
		if noWait || settled(o) {
			continue
		}
		sent := "sent"
		if all[i].earlier {
			sent = "a request is under way already"
		}
		fmt.Fprintf(a.Stderr, "%s: %s; waiting for the service.\n", describe(o.Role), sent)
		done, err := c.Wait(ctx, local.WaitRequest{Account: all[i].account, Operation: o.ID})
		if ctx.Err() != nil {
			fmt.Fprintln(a.Stderr, "Interrupted; the request itself goes on. See it with: roletray status")
			return outcome(exitInterrupted)
		}
		if err != nil {
			return err
		}
		all[i].operation = done
	}
	return nil
}

func settled(o pim.Operation) bool {
	return o.State.Over() || o.State == pim.OperationWaiting || o.State == pim.OperationScheduled
}

func outcomeOf(p pim.Problem) outcome {
	if p.Code == pim.CodeSignInNeeded || p.Code == pim.CodeStepUp {
		return exitSignIn
	}
	return exitFailed
}

// results says what became of actions; failures are for the error output. The exit
// code is that of the worst: a sign-in that is needed, a failure, an approval to come.
func (a *app) results(all []result, now time.Time) error {
	var out []resultJSON
	worst := exitDone
	for _, r := range all {
		o := r.operation
		f := r.finding
		j := resultJSON{
			Outcome: string(o.State), operationJSON: operationOf(r.account, o), SettingsOnly: f.Local, Already: r.earlier || r.already() || f.Already,
			Checked: !r.checked && f.Problem != nil && o.State == pim.OperationFailed, StepUp: f.StepUp, Approval: f.Approval, Rules: f.Rules,
		}
		code := exitDone
		switch {
		case o.Problem != nil:
			code = int(outcomeOf(*o.Problem))
		case o.State == pim.OperationFailed:
			code = exitFailed
		case o.State == pim.OperationWaiting:
			code = exitWaiting
		}
		text := a.resultText(j.operationJSON, o, now)
		switch {
		case r.already():
			if j.End.IsZero() {
				j.End = r.until
			}
			text = describe(o.Role) + " is already active"
			if !j.End.IsZero() {
				text += " until " + a.moment(j.End, now)
			}
			text += "; no new request was made."
		case r.earlier && o.Problem == nil:
			text = strings.TrimSuffix(text, ".") + "; an earlier request was under way, and no new one was made."
		case r.checked:
			j.Outcome, text = r.checkText()
		case !settled(o):
			j.Outcome = "sent"
		}
		if worst == exitDone || code == exitSignIn || worst == exitWaiting && code != exitDone {
			worst = code
		}
		out = append(out, j)
		if a.flags.json || r.told {
			continue
		}
		w := a.Stdout
		if o.Problem != nil {
			w = a.Stderr
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	if a.flags.json {
		err := a.print(struct {
			Results []resultJSON `json:"results"`
		}{out})
		if err != nil {
			return err
		}
	}
	if worst == exitDone {
		return nil
	}
	return outcome(worst)
}

// resultText says it in a line.
func (a *app) resultText(j operationJSON, o pim.Operation, now time.Time) string {
	if o.State != pim.OperationDone {
		return describe(o.Role) + ": " + a.operationText(j, now)
	}
	switch {
	case o.Action == pim.ActionDeactivate:
		return describe(o.Role) + " is not active any more."
	case o.Action == pim.ActionExtend:
		return describe(o.Role) + " is extended."
	case o.Action == pim.ActionRenew:
		return describe(o.Role) + " is renewed."
	case j.End.IsZero():
		return describe(o.Role) + " is active."
	}
	return describe(o.Role) + " is active until " + a.moment(j.End, now) + "."
}

// span says a duration in hours and minutes.
func span(d time.Duration) string {
	h, m := int(d/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case h == 0:
		return fmt.Sprintf("%d min", m)
	case m == 0:
		return fmt.Sprintf("%d h", h)
	}
	return fmt.Sprintf("%d h %d min", h, m)
}
