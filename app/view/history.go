package view

import (
	"cmp"
	"strings"
	"time"

	"roletray/app/local"
	"roletray/pim"
)

// PresentHistory lists what this computer has recorded for an account, the newest first,
// as far as it passes the search. Without rows it says why.
func PresentHistory(entries []local.HistoryEntry, account, search string, now time.Time, w Words) ([]Row, *Empty) {
	found := HistorySearch(search)
	var rows []Row
	for _, e := range entries {
		if account != "" && e.Account != account {
			continue
		}
		r := Row{
			Type: RowRequest, ID: "history:" + e.Account + ":" + e.ID, Account: e.Account, Key: e.Role.Key(), Kind: e.Role.Kind,
			Title: roleName(e.Role), Scope: scopeNames(nil).text(e.Role), Path: pim.CleanText(e.Role.Scope.ID, nameLimit), Left: -1,
		}
		if !found(e) {
			continue
		}
		r.Status, r.Tone = historyStatus(w, e, now)
		r.Badges = []Badge{{Text: historyAction(w, e.Action), Tone: ToneQuiet}}
		parts := []string{Moment(w, e.At, now)}
		if e.Requestor.ID != "" {
			parts = append(parts, pim.CleanText(e.Requestor.Label(), nameLimit))
		}
		if e.Action == pim.ActionActivate && e.Duration > 0 {
			parts = append(parts, Span(w, e.Duration))
		}
		if j := pim.CleanText(e.Justification, nameLimit); j != "" {
			parts = append(parts, j)
		}
		r.Detail = strings.Join(parts, " · ")
		r.Note = historyNote(w, e)
		r.Details = r.Note
		if e.Problem != nil {
			r.Details += "\n" + e.Problem.Details
		}
		rows = append(rows, r)
	}
	switch {
	case len(rows) > 0:
		return rows, nil
	case strings.TrimSpace(search) != "":
		return nil, &Empty{Title: w.Say("empty.no-match"), Text: w.Say("empty.no-match-text")}
	}
	return nil, &Empty{Title: w.Say("empty.no-history"), Text: w.Say("empty.no-history-text")}
}

// HistorySearch says which entries have each word of a search somewhere, without regard to
// case and accents. What is listed and what is exported goes by it.
func HistorySearch(search string) func(local.HistoryEntry) bool {
	q := newQuery(search)
	return func(e local.HistoryEntry) bool {
		problem := ""
		if e.Problem != nil {
			problem = e.Problem.Text
		}
		return q.matches(
			string(e.Action), string(e.Role.Kind), e.Role.Name, e.Role.Scope.Label(), e.Role.Scope.ID, e.Justification, e.Ticket.Number, e.Ticket.System,
			e.Requestor.Label(), e.Requestor.ID, e.Review.By.Label(), e.Review.By.ID, e.Review.Reason, e.Client, string(e.State), string(e.Status), problem, e.ID, e.Request, e.CorrelationID,
		)
	}
}

// historyNote has what the row has no room for, a line each.
func historyNote(w Words, e local.HistoryEntry) string {
	var lines []string
	if e.Problem != nil {
		lines = append(lines, WhyNot(w, e.Problem, e.Review))
	} else if d := Decided(w, e.Review); d != "" {
		lines = append(lines, d)
	}
	if t := pim.CleanText(e.Ticket.Label(), nameLimit); t != "" {
		lines = append(lines, w.Say("approval.ticket", t))
	}
	if c := pim.CleanText(e.Client, nameLimit); c != "" {
		lines = append(lines, w.Say("history.client", c))
	}
	if id := pim.CleanText(cmp.Or(e.Request, e.ID), nameLimit); id != "" {
		lines = append(lines, w.Say("history.request", id))
	}
	if id := pim.CleanText(e.CorrelationID, nameLimit); id != "" {
		lines = append(lines, w.Say("history.correlation", id))
	}
	return strings.Join(lines, "\n")
}

// The history's own words for what is no request: store.ActionCancel and the rest.
const (
	actionCancel   pim.Action = "cancel"
	actionApprove  pim.Action = "approve"
	actionDeny     pim.Action = "deny"
	actionPlan     pim.Action = "continue"
	actionDropPlan pim.Action = "drop-plan"
	// stateAlreadyActive is store.StateAlreadyActive.
	stateAlreadyActive pim.OperationState = "already-active"
)

func historyAction(w Words, a pim.Action) string {
	switch a {
	case actionCancel:
		return w.Say("action.cancel")
	case actionApprove:
		return w.Say("action.approve")
	case actionDeny:
		return w.Say("action.deny")
	case actionPlan:
		return w.Say("action.continue")
	case actionDropPlan:
		return w.Say("action.drop-plan")
	}
	return actionName(w, a)
}

func historyStatus(w Words, e local.HistoryEntry, now time.Time) (string, Tone) {
	if e.State == pim.OperationFailed && e.Problem != nil && e.Problem.Code == pim.CodeCancelled {
		return calledOffStatus(w, e.Request != "")
	}
	if e.Status != "" && e.State.Over() && e.State != pim.OperationDone {
		return requestStatus(w, pim.Request{Status: e.Status, Action: e.Action, Review: e.Review}, now)
	}
	switch e.State {
	case pim.OperationDone:
		return w.Say("request.done"), ToneGood
	case stateAlreadyActive:
		return w.Say("request.already-active"), ToneQuiet
	case pim.OperationFailed:
		return w.Say("request.failed"), ToneBad
	case pim.OperationWaiting:
		return w.Say("request.waiting"), ToneWarning
	case pim.OperationScheduled:
		return w.Say("operation.scheduled", Moment(w, e.Start, now)), ToneNormal
	case pim.OperationPreparing, pim.OperationSending, pim.OperationResolving, pim.OperationFollowing:
	}
	return w.Say("request.in-progress"), ToneNormal
}
