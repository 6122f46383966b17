package view

import (
	"strings"
	"time"

	"roletray/pim"
)

// requests lists the person's own requests that pass the search, the newest first.
func (p *windowPresenter) requests() []Row {
	var rows []Row
	for _, q := range p.snapshot.Requests {
		row := p.row(RowRequest, "request:"+q.ID, q.Role)
		if !p.wanted(q.Role, row.Scope, q.Justification, q.Ticket.Number, q.Review.By.Name, q.Review.Reason) {
			continue
		}
		row.Status, row.Tone = requestStatus(p.words, q, p.now)
		row.Detail = p.requestTimes(q)
		if said := Decided(p.words, q.Review); said != "" {
			row.Detail = strings.TrimSuffix(said, ".") + " · " + row.Detail
		}
		row.Badges = []Badge{{Text: actionName(p.words, q.Action), Tone: ToneQuiet}}
		row.Details = pim.CleanText(q.Justification, nameLimit)
		if q.Start.After(p.now) {
			p.wake.at(q.Start)
		}
		if q.Cancellable(p.now) {
			row.Verb, row.Action = p.words.Say("verb.cancel-request"), CancelRequest{row.Account, q.ID}
		}
		rows = append(rows, row)
	}
	return rows
}

func (p *windowPresenter) noRequests() *Empty {
	switch {
	case !p.query.empty():
		return &Empty{Title: p.words.Say("empty.no-match"), Text: p.words.Say("empty.no-match-text")}
	case !p.read("requests") && p.snapshot.Refreshing:
		return &Empty{Title: p.words.Say("empty.reading"), Text: p.words.Say("empty.reading-text"), Busy: true}
	case !p.read("requests"):
		return &Empty{Title: p.words.Say("empty.unread"), Text: p.words.Say("empty.unread-text")}
	}
	return &Empty{Title: p.words.Say("empty.no-requests"), Text: p.words.Say("empty.no-requests-text")}
}

// requestTimes says when a request was made and for how long.
func (p *windowPresenter) requestTimes(q pim.Request) string {
	var parts []string
	if !q.Created.IsZero() {
		parts = append(parts, p.words.Say("request.made", Moment(p.words, q.Created, p.now)))
	}
	if q.Action == pim.ActionActivate && q.Duration > 0 {
		parts = append(parts, Span(p.words, q.Duration))
	}
	return strings.Join(parts, " · ")
}

func requestStatus(w Words, q pim.Request, now time.Time) (string, Tone) {
	switch q.Phase(now) {
	case pim.PhaseWaiting:
		return w.Say("request.waiting"), ToneWarning
	case pim.PhaseScheduled:
		return w.Say("operation.scheduled", Moment(w, q.EffectiveStart(), now)), ToneNormal
	case pim.PhaseDone:
		return w.Say("request.done"), ToneGood
	case pim.PhaseRefused:
		if cancelled(q.Status) {
			return w.Say("request.cancelled"), ToneQuiet
		}
		return refusal(w, q), ToneBad
	case pim.PhaseInProgress:
	}
	return w.Say("request.in-progress"), ToneNormal
}

func cancelled(s pim.Status) bool { return strings.EqualFold(string(s), "canceled") }

// calledOff says that an operation did not come to be because the person took it back:
// they know, so it asks for no attention.
func calledOff(o pim.Operation) bool {
	return o.State == pim.OperationFailed &&
		(o.Problem != nil && o.Problem.Code == pim.CodeCancelled || o.Request != nil && cancelled(o.Request.Status))
}

// calledOffStatus tells a request that was cancelled from one that was never sent.
func calledOffStatus(w Words, sent bool) (string, Tone) {
	if sent {
		return w.Say("request.cancelled"), ToneQuiet
	}
	return w.Say("request.called-off"), ToneQuiet
}

func refusal(w Words, q pim.Request) string {
	switch status := strings.ToLower(string(q.Status)); {
	case status == "timedout", q.Review.Result == pim.ReviewExpired:
		return w.Say("request.timed-out")
	case status == "denied", status == "admindenied":
		return w.Say("request.denied")
	case status == "failedasresourceislocked":
		return w.Say("request.locked")
	}
	return w.Say("request.failed")
}

// Decided says in a sentence who decided on a request of the person's own, and with which
// words. It is empty where that is not known, or nobody has.
func Decided(w Words, v pim.Review) string {
	by, reason := v.Words()
	var said string
	switch {
	case v.Result == pim.ReviewApproved && by != "":
		said = w.Say("decided.approved-by", by)
	case v.Result == pim.ReviewApproved:
		said = w.Say("decided.approved")
	case v.Result == pim.ReviewDenied && by != "":
		said = w.Say("decided.denied-by", by)
	case v.Result == pim.ReviewDenied:
		said = w.Say("decided.denied")
	default:
		return ""
	}
	if reason == "" {
		return said + "."
	}
	return said + ": " + reason
}

// WhyNot says why something came to nothing: with the approver's words where those are why,
// else with the problem's. It is empty without a problem.
func WhyNot(w Words, p *pim.Problem, v pim.Review) string {
	switch {
	case p == nil:
		return ""
	case v.Result == pim.ReviewDenied:
		return Decided(w, v)
	}
	return p.Text
}

func actionName(w Words, a pim.Action) string {
	switch a {
	case pim.ActionActivate:
		return w.Say("action.activate")
	case pim.ActionDeactivate:
		return w.Say("action.deactivate")
	case pim.ActionExtend:
		return w.Say("action.extend")
	case pim.ActionRenew:
		return w.Say("action.renew")
	}
	return pim.CleanText(string(a), 30)
}
