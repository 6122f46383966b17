package view

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"roletray/app/local"
	"roletray/pim"
)

// endsSoon is how long before its end an eligibility is marked.
const endsSoon = 14 * day

// windowRecents is how many recent roles the window lists.
const windowRecents = 5

// Look is what the person has chosen to see in the window.
type Look struct {
	// Account is the account shown; empty or unknown means the first.
	Account string
	// Search narrows the list: every word must occur, whatever its case or diacritics.
	Search string
	// Kind narrows the list to one kind; empty means every kind.
	Kind pim.Kind
	// Seconds lets ages and the last minutes of a countdown show seconds.
	Seconds bool
}

// PresentWindow makes what the window shows of state at now. A nil state is one that has
// not arrived yet.
func PresentWindow(state *local.State, now time.Time, w Words, look Look) Window {
	p := &windowPresenter{state: state, now: now, words: w, look: look, query: newQuery(look.Search), wake: wake{now: now}}
	if state == nil || (state.Starting && len(state.Accounts) == 0) {
		return Window{Empty: p.loading(), RequestsEmpty: p.loading(), ApprovalsEmpty: p.loading()}
	}
	v := Window{Header: p.header(), Banners: p.banners()}
	if p.snapshot == nil {
		v.Empty = p.signedOut()
		v.RequestsEmpty, v.ApprovalsEmpty = v.Empty, v.Empty
		return v
	}
	p.roles = newRoles(p.snapshot, p.state.Settings.RefuseWeakReasons, now)
	v.Rows, v.Empty = p.rows()
	v.Kinds = p.kinds()
	v.Requests = p.requests()
	if len(v.Requests) == 0 {
		v.RequestsEmpty = p.noRequests()
	}
	v.Approvals = p.approvals()
	if len(v.Approvals) == 0 {
		v.ApprovalsEmpty = p.noApprovals()
	}
	p.wake.at(midnight(now).AddDate(0, 0, 1))
	v.Next = p.wake.next
	return v
}

type windowPresenter struct {
	state    *local.State
	now      time.Time
	words    Words
	look     Look
	query    query
	snapshot *pim.Snapshot
	roles    *roles
	wake     wake
}

func (p *windowPresenter) header() Header {
	h := Header{SigningIn: p.state.SigningIn}
	for _, s := range p.state.Accounts {
		label, short := accountName(s.Account), accountName(s.Account)
		if s.Account.Name != "" && s.Account.Username != "" {
			short = pim.CleanText(s.Account.Name, nameLimit)
			label = short + " · " + label
		}
		h.Accounts = append(h.Accounts, AccountChoice{ID: s.Account.ID, Label: label, Short: short})
		if p.snapshot == nil || s.Account.ID == p.look.Account {
			p.snapshot = s
		}
	}
	if p.snapshot == nil {
		return h
	}
	h.Account = p.snapshot.Account.ID
	h.Refreshing = p.snapshot.Refreshing
	for _, q := range p.snapshot.Requests {
		if q.Phase(p.now) == pim.PhaseWaiting {
			h.Waiting++
		}
	}
	for _, a := range p.snapshot.Approvals {
		if decidable(p.snapshot, a, p.now) {
			h.Deciding++
		}
	}
	var next time.Time
	h.Age, next = p.age()
	p.wake.at(next)
	return h
}

// age is that of the eligible roles, the oldest part that the list rests on.
func (p *windowPresenter) age() (string, time.Time) {
	oldest := p.snapshot.At
	for _, part := range p.snapshot.Parts {
		if part.Name == "eligible" && (part.At.Before(oldest) || oldest.IsZero()) {
			oldest = part.At
		}
	}
	if oldest.IsZero() {
		if p.snapshot.Refreshing {
			return p.words.Say("age.reading"), time.Time{}
		}
		return p.words.Say("age.never"), time.Time{}
	}
	if p.snapshot.Refreshing && !p.snapshot.FromDisk {
		return p.words.Say("age.reading"), time.Time{}
	}
	text, next := age(p.words, oldest, p.now, p.look.Seconds)
	if p.snapshot.Refreshing {
		text = p.words.Say("age.refreshing", text)
	}
	return text, next
}

func (p *windowPresenter) banners() []Banner {
	var out []Banner
	if s := p.snapshot; s != nil {
		if s.SignIn != nil {
			b := Banner{ID: "sign-in", Tone: ToneBad, Text: s.SignIn.Text, Details: s.SignIn.Details}
			if !p.state.SigningIn {
				b.Verb, b.Action = p.words.Say("verb.sign-in"), SignIn{s.Account.ID}
			}
			out = append(out, b)
		}
		out = append(out, p.partBanners()...)
	}
	if p.state.SigningIn {
		out = append(out, Banner{ID: "signing-in", Tone: ToneWarning, Text: p.words.Say("banner.signing-in")})
	}
	for _, c := range p.state.Consents {
		if p.snapshot != nil && c.Account == p.snapshot.Account.ID {
			out = append(out, p.consentBanner(c))
		}
	}
	for _, n := range p.state.Notices {
		if strings.HasPrefix(n.ID, "consent:") {
			continue // The banner above says so with the address.
		}
		out = append(out, Banner{ID: "notice:" + n.ID, Tone: ToneWarning, Text: pim.CleanText(n.Text, nameLimit), Details: n.Details})
	}
	if p.snapshot != nil {
		out = append(out, p.cutBanner()...)
	}
	return out
}

// partBanners says each reason once, with the parts that it keeps old.
func (p *windowPresenter) partBanners() []Banner {
	type failure struct {
		text, details string
		parts         []string
	}
	var failures []failure
	for _, part := range p.snapshot.Parts {
		if part.Problem == nil || (part.Problem.Code == pim.CodeSignInNeeded && p.snapshot.SignIn != nil) ||
			(part.Problem.Code == pim.CodeConsent && p.asksConsent()) {
			continue
		}
		i := slices.IndexFunc(failures, func(f failure) bool { return f.text == part.Problem.Text })
		if i < 0 {
			i = len(failures)
			failures = append(failures, failure{text: part.Problem.Text, details: part.Problem.Details})
		}
		if name := p.partName(part); !slices.Contains(failures[i].parts, name) {
			failures[i].parts = append(failures[i].parts, name)
		}
	}
	var out []Banner
	for _, f := range failures {
		out = append(out, Banner{
			ID: "part:" + f.text, Tone: ToneWarning, Details: f.details,
			Text: p.words.Say("banner.part-failed", strings.Join(f.parts, ", "), f.text),
		})
	}
	return out
}

// cutBanner says which parts may lack rows, if there are such.
func (p *windowPresenter) cutBanner() []Banner {
	var names []string
	shown := 0
	for _, part := range p.snapshot.Parts {
		if part.Cut > 0 {
			names, shown = append(names, p.partName(part)), part.Cut
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []Banner{{ID: "cut", Tone: ToneNormal, Text: p.words.Say("banner.part-cut", shown, strings.Join(names, ", "))}}
}

// partName names the kind too where there are several.
func (p *windowPresenter) partName(part pim.Part) string {
	kinds := KindsName(p.words, part.Kind)
	several := slices.ContainsFunc(p.snapshot.Parts, func(q pim.Part) bool { return q.Kind != part.Kind })
	switch {
	case part.Name == "eligible" && several:
		return p.words.Say("part.eligible-of", kinds)
	case part.Name == "eligible":
		return p.words.Say("part.eligible")
	case part.Name == "active" && several:
		return p.words.Say("part.active-of", kinds)
	case part.Name == "active":
		return p.words.Say("part.active")
	case part.Name == "requests" && several:
		return p.words.Say("part.requests-of", kinds)
	case part.Name == "requests":
		return p.words.Say("part.requests")
	case part.Name == "approvals" && several:
		return p.words.Say("part.approvals-of", kinds)
	case part.Name == "approvals":
		return p.words.Say("part.approvals")
	}
	return pim.CleanText(part.Name, nameLimit)
}

func (p *windowPresenter) asksConsent() bool {
	return slices.ContainsFunc(p.state.Consents, func(c local.Consent) bool { return c.Account == p.snapshot.Account.ID })
}

func (p *windowPresenter) consentBanner(c local.Consent) Banner {
	var kinds []string
	for _, k := range c.Kinds {
		kinds = append(kinds, KindsName(p.words, k))
	}
	permissions := pim.CleanText(strings.Join(c.Permissions, ", "), 2*nameLimit)
	b := Banner{
		ID: "consent", Tone: ToneWarning, Details: permissions + "\n" + c.URL,
		Text: p.words.Say("banner.consent", strings.Join(kinds, ", "), pim.CleanText(permissions, 120)),
	}
	if c.URL != "" {
		b.Verb, b.Action = p.words.Say("verb.copy-consent"), CopyText{c.URL}
	}
	return b
}

func (p *windowPresenter) loading() *Empty {
	return &Empty{Title: p.words.Say("empty.loading"), Text: p.words.Say("empty.loading-text"), Busy: true}
}

func (p *windowPresenter) signedOut() *Empty {
	if p.state.SigningIn {
		return &Empty{Title: p.words.Say("empty.signing-in"), Text: p.words.Say("empty.signing-in-text"), Busy: true}
	}
	return &Empty{
		Title: p.words.Say("empty.signed-out"), Text: p.words.Say("empty.signed-out-text"),
		Verb: p.words.Say("verb.sign-in"), Action: SignIn{},
	}
}

func (p *windowPresenter) rows() ([]Row, *Empty) {
	groups := []struct {
		heading string
		rows    []Row
	}{
		{p.words.Say("heading.progress"), p.operationRows()},
		{p.words.Say("heading.active"), p.activeRows()},
		{p.words.Say("heading.favorites"), p.favoriteRows()},
		{p.words.Say("heading.recent"), p.recentRows()},
		{p.words.Say("heading.eligible"), p.eligibleRows()},
		{p.words.Say("heading.ended"), p.endedRows()},
	}
	var rows []Row
	for _, g := range groups {
		if len(g.rows) > 0 {
			rows = append(rows, Row{Type: RowHeading, ID: "heading:" + g.heading, Title: g.heading, Left: -1})
			rows = append(rows, g.rows...)
		}
	}
	if len(rows) > 0 {
		return rows, nil
	}
	return nil, p.empty()
}

func (p *windowPresenter) empty() *Empty {
	s := p.snapshot
	switch {
	case !p.query.empty():
		return &Empty{Title: p.words.Say("empty.no-match"), Text: p.words.Say("empty.no-match-text")}
	case p.look.Kind != "":
		return &Empty{Title: p.words.Say("empty.no-kind"), Text: p.words.Say("empty.no-kind-text")}
	case s.SignIn != nil && !p.state.SigningIn:
		return &Empty{
			Title: p.words.Say("empty.sign-in-again"), Text: s.SignIn.Text,
			Verb: p.words.Say("verb.sign-in"), Action: SignIn{s.Account.ID},
		}
	case !p.read("eligible") && s.Refreshing:
		return &Empty{Title: p.words.Say("empty.reading"), Text: p.words.Say("empty.reading-text"), Busy: true}
	case !p.read("eligible"):
		return &Empty{Title: p.words.Say("empty.unread"), Text: p.words.Say("empty.unread-text")}
	}
	return &Empty{Title: p.words.Say("empty.nothing"), Text: p.words.Say("empty.nothing-text")}
}

func (p *windowPresenter) kinds() int {
	kinds := map[pim.Kind]bool{}
	for i := range p.snapshot.Eligible {
		kinds[p.snapshot.Eligible[i].Role.Kind] = true
	}
	for i := range p.snapshot.Active {
		kinds[p.snapshot.Active[i].Assignment.Role.Kind] = true
	}
	return len(kinds)
}

// read says whether a part has ever been read whole.
func (p *windowPresenter) read(part string) bool {
	return slices.ContainsFunc(p.snapshot.Parts, func(q pim.Part) bool { return q.Name == part && !q.At.IsZero() })
}

// wanted says whether a role passes search and kind.
func (p *windowPresenter) wanted(r pim.Role, scope string, more ...string) bool {
	if p.look.Kind != "" && r.Kind != p.look.Kind {
		return false
	}
	if p.query.empty() {
		return true
	}
	return p.query.matches(append([]string{
		roleName(r), scope, r.Scope.ID, kindName(p.words, r.Kind),
		accountName(p.snapshot.Account), p.snapshot.Account.Name,
	}, more...)...)
}

// row has what every row of a role has.
func (p *windowPresenter) row(t RowType, id string, r pim.Role) Row {
	return Row{
		Type: t, ID: id, Account: p.snapshot.Account.ID, Key: r.Key(), Kind: r.Kind,
		Title: roleName(r), Scope: p.roles.names.text(r), Path: pim.CleanText(r.Scope.ID, nameLimit), Left: -1,
	}
}

func (p *windowPresenter) activeRows() []Row {
	var rows []Row
	for _, a := range slices.Concat(p.roles.active, p.roles.standing) {
		role := a.Assignment.Role
		row := p.row(RowActive, "active:"+string(role.Key()), role)
		if p.wanted(role, row.Scope) {
			rows = append(rows, p.activeRow(row, a))
		}
	}
	return rows
}

func (p *windowPresenter) activeRow(row Row, active pim.ActiveRole) Row {
	a := active.Assignment
	row.Tone = ToneGood
	if a.End.IsZero() {
		row.Status = p.words.Say("active.without-end")
	} else {
		var next time.Time
		row.Status, next = remaining(p.words, a.End, p.now, p.look.Seconds)
		p.wake.at(next)
		p.wake.at(a.End)
		row.Detail = p.words.Say("active.until", Moment(p.words, a.End, p.now))
		if whole := a.End.Sub(a.Start); !a.Start.IsZero() && whole > 0 {
			row.Left = min(max(float64(a.End.Sub(p.now))/float64(whole), 0), 1)
		}
		lead := longestLead(p.state.Settings.Reminders)
		p.wake.at(a.End.Add(-lead))
		if a.End.Sub(p.now) <= lead {
			row.Tone = ToneWarning
		}
	}
	switch active.Certainty {
	case pim.Unconfirmed:
		row.Tone = ToneWarning
		row.Detail = p.words.Say("active.unconfirmed", Moment(p.words, active.UnconfirmedSince, p.now))
	case pim.Recorded, pim.Listed:
	}
	if a.Type != pim.Activated {
		row.Tone, row.Left = ToneQuiet, -1
		row.Detail = p.words.Say("active.assigned")
		if !a.End.IsZero() {
			row.Detail = p.words.Say("active.assigned-until", Moment(p.words, a.End, p.now))
		}
		p.prolong(&row, a.End, a.Via, true)
		return row
	}
	p.onward(&row, a)
	row.Verb = p.words.Say("verb.deactivate")
	operation, busy := p.roles.busy[row.Key]
	locked := lockedUntil(a, p.now)
	switch {
	case busy && operation.Action == pim.ActionDeactivate:
		row.Detail = p.words.Say("operation.deactivating")
	case !locked.IsZero():
		left, next := remaining(p.words, locked, p.now, p.look.Seconds)
		if p.look.Seconds {
			s := int((locked.Sub(p.now) + time.Second - 1) / time.Second)
			left = p.words.Say("span.clock", s/60, s%60)
		}
		p.wake.at(next)
		p.wake.at(locked)
		row.Verb = p.words.Say("verb.deactivate-in", left)
	default:
		row.Action = Deactivate{row.Account, row.Key}
	}
	return row
}

func (p *windowPresenter) operationRows() []Row {
	var rows []Row
	for _, o := range p.roles.operations {
		if o.Action == pim.ActionDeactivate && o.State != pim.OperationFailed {
			continue
		}
		row := p.row(RowOperation, "operation:"+o.ID, o.Role)
		if p.wanted(o.Role, row.Scope) {
			rows = append(rows, p.operationRow(row, o))
		}
	}
	rows = append(rows, p.planRows()...)
	for _, q := range p.roles.pending {
		row := p.row(RowOperation, "pending:"+q.ID, q.Role)
		if p.wanted(q.Role, row.Scope) {
			row.Status, row.Tone = requestStatus(p.words, q, p.now)
			row.Detail = p.requestTimes(q)
			row.Verb, row.Action = p.words.Say("verb.cancel-request"), CancelRequest{row.Account, q.ID}
			p.wake.at(q.EffectiveStart())
			rows = append(rows, row)
		}
	}
	return rows
}

func reviewOf(o pim.Operation) pim.Review {
	if o.Request == nil {
		return pim.Review{}
	}
	return o.Request.Review
}

func (p *windowPresenter) operationRow(row Row, o pim.Operation) Row {
	row.Status, row.Tone = OperationStatus(p.words, o, p.now)
	if calledOff(o) && o.Request != nil {
		return row // the status says all; the role is listed as eligible again
	}
	if o.Problem != nil {
		row.Detail, row.Details = WhyNot(p.words, o.Problem, reviewOf(o)), o.Problem.Details
	}
	if o.Problem == nil && len(o.Steps) > 1 {
		row.Detail, row.Note = p.steps(o)
	}
	switch {
	case o.State == pim.OperationFailed && o.Offer != nil && p.roles.eligibilityOf(o.Role) != nil:
		row.Verb = p.words.Say("verb.activate-more")
		row.Action = OpenWider{row.Account, p.roles.eligibilityOf(o.Role).Role.Key(), *o.Offer, o.ID}
		row.Note = p.words.Say("operation.offer", p.roles.names.text(o.Role.At(*o.Offer)))
	case o.State == pim.OperationFailed && o.Action == pim.ActionActivate:
		if p.roles.eligible[row.Key] != nil && !p.roles.isActive(row.Key) {
			row.Verb, row.Action = p.words.Say("verb.try-again"), OpenRetry{row.Account, row.Key, o.ID}
		}
	case o.Request != nil && o.Request.Cancellable(p.now):
		row.Detail = p.requestTimes(*o.Request)
		row.Verb, row.Action = p.words.Say("verb.cancel-request"), CancelRequest{row.Account, o.Request.ID}
		p.wake.at(o.Request.EffectiveStart())
	}
	return row
}

// OperationStatus says how far an operation has come.
func OperationStatus(w Words, o pim.Operation, now time.Time) (string, Tone) {
	switch o.State {
	case pim.OperationPreparing:
		return w.Say("operation.preparing"), ToneNormal
	case pim.OperationSending:
		return w.Say("operation.sending"), ToneNormal
	case pim.OperationResolving:
		return w.Say("operation.resolving"), ToneWarning
	case pim.OperationWaiting:
		return w.Say("operation.waiting"), ToneWarning
	case pim.OperationScheduled:
		if o.Request != nil {
			return w.Say("operation.scheduled", Moment(w, o.Request.EffectiveStart(), now)), ToneNormal
		}
	case pim.OperationDone:
		switch {
		case o.Action == pim.ActionDeactivate:
			return w.Say("operation.deactivated"), ToneGood
		case o.Action == pim.ActionExtend:
			return w.Say("operation.extended"), ToneGood
		case o.Action == pim.ActionRenew:
			return w.Say("operation.renewed"), ToneGood
		}
		return w.Say("operation.activated"), ToneGood
	case pim.OperationFailed:
		switch {
		case calledOff(o):
			return calledOffStatus(w, o.Request != nil)
		case o.Action == pim.ActionDeactivate:
			return w.Say("operation.deactivate-failed"), ToneBad
		case o.Action == pim.ActionExtend:
			return w.Say("operation.extend-failed"), ToneBad
		case o.Action == pim.ActionRenew:
			return w.Say("operation.renew-failed"), ToneBad
		}
		return w.Say("operation.failed"), ToneBad
	case pim.OperationFollowing:
	}
	switch {
	case o.Action == pim.ActionDeactivate:
		return w.Say("operation.deactivating"), ToneNormal
	case o.Action == pim.ActionExtend:
		return w.Say("operation.extending"), ToneNormal
	case o.Action == pim.ActionRenew:
		return w.Say("operation.renewing"), ToneNormal
	}
	return w.Say("operation.activating"), ToneNormal
}

func (p *windowPresenter) recentRows() []Row {
	var rows []Row
	for _, c := range p.roles.recents(p.state) {
		if len(rows) == windowRecents {
			break
		}
		row := p.row(RowRecent, "recent:"+string(c.Role.Key()), c.Role)
		if !p.wanted(c.Role, row.Scope, c.Justification) || p.roles.starred(p.state, row.Key) {
			continue
		}
		row.Selectable = true
		row.More = p.star(row)
		row.Status = Span(p.words, c.Duration)
		row.Detail = pim.CleanText(c.Justification, nameLimit)
		row.Tone = ToneQuiet
		if p.roles.oneClick(c, p.now) {
			row.Verb, row.Action = p.words.Say("verb.again"), Activate{row.Account, row.Key}
		} else {
			row.Verb, row.Action = p.words.Say("verb.activate-more"), OpenAgain{row.Account, row.Key}
		}
		rows = append(rows, row)
	}
	return rows
}

func (p *windowPresenter) eligibleRows() []Row {
	active := p.roles.inForce()
	rows := make([]Row, 0, len(p.snapshot.Eligible))
	verb := p.words.Say("verb.activate-more")
	for i := range p.snapshot.Eligible {
		e := &p.snapshot.Eligible[i]
		key := e.Role.Key()
		if _, busy := p.roles.busy[key]; busy || active[key] || ended(e, p.now) {
			continue
		}
		row := p.row(RowEligible, "eligible:"+string(key), e.Role)
		if !p.wanted(e.Role, row.Scope, e.PrincipalName) {
			continue
		}
		row.Selectable = true
		policy, read := p.snapshot.Policies[key]
		row.Badges, row.Unread = p.badges(e, policy), !read
		row.Verb, row.Action = verb, OpenSheet{row.Account, key}
		if e.Behind != "" {
			row.Note = p.words.Say("sheet.first-group", pim.CleanText(e.BehindName, nameLimit))
		}
		row.More = p.star(row)
		p.prolong(&row, e.End, e.Via, false)
		rows = append(rows, row)
	}
	if p.query.empty() {
		return rows
	}
	ranks := make(map[string]int, len(rows))
	for _, r := range rows {
		ranks[r.ID] = p.query.rank(r.Title)
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(ranks[a.ID], ranks[b.ID]) })
	return rows
}

func (p *windowPresenter) badges(e *pim.Eligibility, policy pim.Policy) []Badge {
	var out []Badge
	add := func(text string, tone Tone) { out = append(out, Badge{Text: text, Tone: tone}) }
	if !e.End.IsZero() {
		p.wake.at(e.End)
		p.wake.at(e.End.Add(-endsSoon))
		if e.End.Sub(p.now) <= endsSoon {
			add(p.ends(e.End), ToneWarning)
		}
	}
	if p.roles.prolonging[e.Role.Key()] {
		add(p.words.Say("badge.prolonging"), ToneQuiet)
	}
	if e.Behind != "" {
		add(p.words.Say("badge.first-group", pim.CleanText(e.BehindName, 30)), ToneNormal)
	} else if e.MayGiveRoles {
		add(p.words.Say("badge.may-give"), ToneQuiet)
	}
	if policy.ApprovalRequired {
		add(p.words.Say("badge.approval"), ToneWarning)
	}
	switch {
	case policy.AuthContext != "":
		add(p.words.Say("badge.context"), ToneNormal)
	case policy.MFARequired:
		add(p.words.Say("badge.mfa"), ToneNormal)
	}
	if policy.TicketRequired {
		add(p.words.Say("badge.ticket"), ToneNormal)
	}
	if policy.Readable && policy.MaxDuration > 0 {
		add(p.words.Say("badge.max", Span(p.words, policy.MaxDuration)), ToneQuiet)
	}
	if e.Via == pim.ViaGroup {
		if e.PrincipalName != "" {
			add(p.words.Say("badge.via", pim.CleanText(e.PrincipalName, 30)), ToneQuiet)
		} else {
			add(p.words.Say("badge.via-group"), ToneQuiet)
		}
	}
	if e.Role.Custom {
		add(p.words.Say("badge.custom"), ToneQuiet)
	}
	return out
}

func (p *windowPresenter) ends(end time.Time) string {
	left := end.Sub(p.now)
	if left <= day {
		return p.words.Say("badge.ends-at", Moment(p.words, end, p.now))
	}
	// A day less than what is left, so that the text changes at the moment itself.
	days := (left - 1) / day
	p.wake.at(end.Add(-days * day))
	return p.words.Count("badge.ends", int(days))
}
