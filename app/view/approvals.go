package view

import (
	"strings"
	"time"

	"roletray/pim"
)

// isOwn says that an approval is about the person's own request, which others decide.
func isOwn(s *pim.Snapshot, a pim.Approval) bool {
	me := s.Account.UserID
	return me != "" && (strings.EqualFold(a.Requestor.ID, me) || strings.EqualFold(a.Request.PrincipalID, me) || strings.EqualFold(a.Request.RequestorID, me))
}

func decidable(s *pim.Snapshot, a pim.Approval, now time.Time) bool {
	return !isOwn(s, a) && (a.Request.Created.IsZero() || a.Expires().After(now))
}

// ApprovalID is the id of an approval's row. Two kinds may use the same id.
func ApprovalID(a pim.Approval) string { return "approval:" + string(a.Request.Role.Kind) + ":" + a.ID }

// approvals lists what waits for the person's decision and passes the search, the oldest first.
func (p *windowPresenter) approvals() []Row {
	var rows []Row
	for _, a := range p.snapshot.Approvals {
		row := p.row(RowApproval, ApprovalID(a), a.Request.Role)
		who := pim.CleanText(a.Requestor.Label(), nameLimit)
		if !p.wanted(a.Request.Role, row.Scope, who, a.Request.Justification, a.Request.Ticket.Number) {
			continue
		}
		row.Status = who
		row.Tone = ToneNormal
		var detail []string
		if a.Request.Duration > 0 {
			detail = append(detail, Span(p.words, a.Request.Duration))
		}
		if n := pim.CleanText(a.Request.Ticket.Number, 30); n != "" {
			detail = append(detail, n)
		}
		if j := pim.CleanText(a.Request.Justification, nameLimit); j != "" {
			detail = append(detail, j)
		}
		row.Detail = strings.Join(detail, " · ")
		row.Note = p.askedFor(a)
		switch {
		case isOwn(p.snapshot, a):
			row.Tone, row.Detail = ToneQuiet, p.words.Say("approval.own")
		case !decidable(p.snapshot, a, p.now):
			row.Tone, row.Detail = ToneQuiet, p.words.Say("request.timed-out")
		default:
			row.Selectable = true
			row.Verb, row.Action = p.words.Say("verb.decide"), OpenDecision{row.Account, row.Kind, a.ID}
			p.wake.at(a.Expires())
		}
		rows = append(rows, row)
	}
	return rows
}

// askedFor says in sentences what somebody asks for and why.
func (p *windowPresenter) askedFor(a pim.Approval) string {
	w, q := p.words, a.Request
	var out []string
	add := func(text string) { out = append(out, text) }
	who := pim.CleanText(a.Requestor.Label(), nameLimit)
	switch {
	case q.Duration > 0 && q.Start.After(p.now):
		add(w.Say("approval.asks-from", who, Span(w, q.Duration), Moment(w, q.Start, p.now)))
	case q.Duration > 0:
		add(w.Say("approval.asks", who, Span(w, q.Duration)))
	default:
		add(w.Say("approval.asks-plain", who))
	}
	if j := pim.CleanText(q.Justification, 2*nameLimit); j != "" {
		add(w.Say("approval.reason", j))
	}
	if q.Ticket.Number != "" {
		add(w.Say("approval.ticket", pim.CleanText(q.Ticket.Label(), nameLimit)))
	}
	if !q.Created.IsZero() {
		add(w.Say("approval.expires", Moment(w, q.Created, p.now), Moment(w, a.Expires(), p.now)))
	}
	return strings.Join(out, "\n")
}

func (p *windowPresenter) noApprovals() *Empty {
	switch {
	case !p.query.empty():
		return &Empty{Title: p.words.Say("empty.no-match"), Text: p.words.Say("empty.no-match-text")}
	case !p.read("approvals") && p.snapshot.Refreshing:
		return &Empty{Title: p.words.Say("empty.reading"), Text: p.words.Say("empty.reading-text"), Busy: true}
	}
	return &Empty{Title: p.words.Say("empty.no-approvals"), Text: p.words.Say("empty.no-approvals-text")}
}
