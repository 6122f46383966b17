package view

import (
	"errors"
	"slices"
	"strings"
	"time"

	"roletray/app/local"
	"roletray/pim"
)

// Sheet is the activation of one or more roles of one account: what can be chosen and
// what will happen. It holds no choice of the person.
type Sheet struct {
	Account string
	Title   string
	Roles   []SheetRole
	// Durations are the quick choices, the shortest first.
	Durations []Choice
	// Limit is the longest duration that suits every role that begins at once, or where the
	// one before ends.
	Limit time.Duration
	// Default is the duration to begin with: that of a plan that asks, else the person's setting,
	// an hour unless they chose otherwise. Last is the one that is stored for the roles, as of the
	// last time, or zero: a quick choice, and what activating again begins with.
	Default time.Duration
	Last    time.Duration
	// JustificationRequired says that a role asks for a reason.
	JustificationRequired bool
	// TicketRequired says that a role asks for a ticket, and TicketOffered that one can be given:
	// also where a role's settings cannot be read, so that only the service knows.
	TicketRequired bool
	TicketOffered  bool
	// Justification and Ticket are what is stored for the roles.
	Justification string
	Ticket        pim.Ticket
	// Reasons are the person's recent justifications, the newest first.
	Reasons []string
	// Notes say what will happen, apart from the times.
	Notes []Note
	// Button is the text of the button that sends.
	Button string
	// Problem says why nothing can be sent; empty when it can.
	Problem string
	// Unread are the roles whose policy is not known yet.
	Unread []pim.Key
	// RefuseWeak says that a reason must say something: see pim.WeakReason.
	RefuseWeak bool
	// Narrows is the eligibility of the only role, where it can be activated at narrower scopes.
	Narrows *pim.Eligibility
	// Continues is when the only role's activation ends that this one follows; zero for an
	// activation now or at a time of choice.
	Continues time.Time
	// limits are what bounds each role's duration.
	limits []roleLimit
}

// roleLimit is what bounds the duration of a role.
type roleLimit struct {
	policy pim.Policy
	// end is the eligibility's, or zero.
	end time.Time
}

// limitAt is the longest duration that suits every role from start on, and when the first
// of their eligibilities ends, or zero.
func (s Sheet) limitAt(start time.Time) (limit time.Duration, end time.Time) {
	limit = pim.LongestActivation
	for _, r := range s.limits {
		limit = min(limit, r.policy.Limit(r.end, start))
		if !r.end.IsZero() && (end.IsZero() || r.end.Before(end)) {
			end = r.end
		}
	}
	return limit, end
}

// begin is when the roles begin whose start is start, or zero for at once.
func (s Sheet) begin(start, now time.Time) time.Time {
	switch {
	case !s.Continues.IsZero():
		return s.Continues
	case !start.IsZero():
		return start
	}
	return now
}

// SheetRole is a role on the sheet, with its names whole.
type SheetRole struct {
	Key   pim.Key
	Kind  pim.Kind
	Name  string
	Scope string
	// Path is the scope's id.
	Path string
	// Eligibility is what the role draws on, and At the scope to ask for where that is
	// not the eligibility's own.
	Eligibility pim.Key
	At          pim.Scope
}

// At returns the sheet's only role at a narrower scope of its eligibility.
func (s Sheet) At(scope pim.Scope) SheetRole { return s.Roles[0].Moved(s.Narrows.Role.At(scope)) }

// Moved returns the role at another scope, which role has.
func (r SheetRole) Moved(role pim.Role) SheetRole {
	s := role.Scope
	r.Key, r.At, r.Scope, r.Path = role.Key(), s, pim.CleanText(s.Label(), nameLimit), pim.CleanText(s.ID, nameLimit)
	return r
}

// Demand takes over what a check has found the roles to ask for, though their settings did
// not say so.
func (s *Sheet) Demand(rules []pim.Rule) {
	s.JustificationRequired = s.JustificationRequired || slices.Contains(rules, pim.RuleJustification)
	s.TicketRequired = s.TicketRequired || slices.Contains(rules, pim.RuleTicketing)
	s.TicketOffered = s.TicketOffered || s.TicketRequired
}

// FindingStatus says what a check of a role has found.
func FindingStatus(w Words, f pim.Finding) (string, Tone) {
	if f.Problem != nil && f.Unknown {
		return w.Say("check.unknown", f.Problem.Text), ToneWarning
	}
	text, tone := w.Say("check.fine"), ToneGood
	switch {
	case f.Operation != "" && f.Problem != nil:
		text, tone = f.Problem.Text, ToneWarning
	case f.Problem != nil:
		text, tone = f.Problem.Text, ToneBad
	case f.Already:
		return w.Say("check.already"), ToneGood
	}
	if f.Local {
		text = w.Say("check.local", text)
	}
	if f.StepUp {
		text += " " + w.Say("check.step-up")
	}
	if f.Approval {
		text += " " + w.Say("check.approval")
	}
	return text, tone
}

// SheetButton is the text of the button that sends for n roles.
func SheetButton(w Words, n int) string { return w.Count("sheet.button", n) }

// Choice is a duration to choose.
type Choice struct {
	Duration time.Duration
	Label    string
}

// Note is a line of what will happen.
type Note struct {
	Text string
	Tone Tone
}

// Entry is what the person has put into the sheet, as typed.
type Entry struct {
	Duration      string
	Start         string
	Justification string
	TicketNumber  string
	TicketSystem  string
}

// Filled is an Entry that was understood, or answers that are stored.
type Filled struct {
	Duration      time.Duration
	Start         time.Time
	Justification string
	Ticket        pim.Ticket
	// Scope is a narrower one than the eligibility's, or zero. It is not part of an Entry.
	Scope pim.Scope
}

// FieldProblem says what is wrong with a field of the sheet.
type FieldProblem struct {
	Field Field
	Text  string
}

// Field is a field of the sheet.
type Field int

// The fields.
const (
	FieldDuration Field = iota
	FieldStart
	FieldJustification
	FieldTicket
)

const sheetReasons = 6

// NewSheet describes the activation of roles of an account at now. Keys that the account is
// not eligible for are left out, and the sheet says so.
func NewSheet(state *local.State, account string, keys []pim.Key, now time.Time, w Words) Sheet {
	return newSheet(state, account, keys, now, w, false)
}

// NewContinueSheet describes how an active role goes on after its end.
func NewContinueSheet(state *local.State, account string, key pim.Key, now time.Time, w Words) Sheet {
	return newSheet(state, account, []pim.Key{key}, now, w, true)
}

func newSheet(state *local.State, account string, keys []pim.Key, now time.Time, w Words, continues bool) Sheet {
	s := Sheet{Account: account, Title: w.Count("sheet.title", len(keys)), Button: w.Count("sheet.button", len(keys)), Limit: pim.LongestActivation}
	var snapshot *pim.Snapshot
	if state != nil {
		snapshot = state.Account(account)
		s.RefuseWeak = state.Settings.RefuseWeakReasons
	}
	if snapshot == nil {
		s.Problem = w.Say("sheet.no-account")
		return s
	}
	b := sheetBuilder{sheet: &s, state: state, roles: newRoles(snapshot, state.Settings.RefuseWeakReasons, now), now: now, words: w}
	if continues {
		b.follow(keys[0])
	}
	for _, k := range keys {
		b.add(k)
	}
	b.finish(len(keys))
	return s
}

type sheetBuilder struct {
	sheet *Sheet
	state *local.State
	roles *roles
	now   time.Time
	words Words
	// known says that the limit is the roles' own and not only the service's.
	known bool
	// approval and the rest have the names of the roles that each note is about.
	approval, mfa, context, unreadable, ending []string
	approvers                                  []string
	firstEnd                                   time.Time
}

// find returns the eligibility for a key and the role at the scope that is meant: the
// eligibility's own, or a narrower one that was activated before.
func (b *sheetBuilder) find(k pim.Key) (*pim.Eligibility, pim.Role) {
	if e := b.roles.eligible[k]; e != nil {
		return e, e.Role
	}
	for _, c := range b.state.Recent {
		if c.Account == b.sheet.Account && c.Role.Key() == k {
			return b.roles.source(c), c.Role
		}
	}
	for _, f := range b.roles.favorites(b.state) {
		for _, r := range f.Wishes {
			if r.Role.Key() == k {
				return b.roles.eligible[r.Eligibility], r.Role
			}
		}
	}
	for _, a := range b.roles.active {
		if a.Assignment.Role.Key() == k {
			return b.roles.eligibilityOf(a.Assignment.Role), a.Assignment.Role
		}
	}
	for _, o := range b.roles.operations {
		if o.Role.Key() == k {
			return b.roles.eligibilityOf(o.Role), o.Role
		}
	}
	return nil, pim.Role{}
}

// follow sets the sheet to go on after the end of an active role.
func (b *sheetBuilder) follow(k pim.Key) {
	for _, a := range b.roles.active {
		if a.Assignment.Role.Key() == k {
			b.sheet.Continues = a.Assignment.End
		}
	}
	if b.sheet.Continues.IsZero() {
		b.sheet.Problem = b.words.Say("sheet.not-active")
	}
}

func (b *sheetBuilder) add(k pim.Key) {
	e, role := b.find(k)
	if e == nil || ended(e, b.now) {
		return
	}
	s := b.sheet
	name := roleName(role)
	added := SheetRole{
		Key: k, Kind: role.Kind, Name: name, Scope: b.roles.names.text(role), Path: pim.CleanText(role.Scope.ID, nameLimit),
		Eligibility: e.Role.Key(),
	}
	if added.Eligibility != k {
		added.At = role.Scope
	}
	s.Roles = append(s.Roles, added)
	s.Narrows = nil
	if len(s.Roles) == 1 && role.Kind == pim.KindAzure && s.Continues.IsZero() {
		s.Narrows = e
	}
	if e.Behind != "" {
		group := pim.CleanText(e.BehindName, 60)
		s.Notes = append(s.Notes, Note{b.words.Say("sheet.first-group", group), ToneWarning})
	}
	if !s.Continues.IsZero() && b.roles.asksThen(e.Role) {
		s.Notes = append(s.Notes, Note{b.words.Say("sheet.continue-asks"), ToneWarning})
	} else if !s.Continues.IsZero() {
		s.Notes = append(s.Notes, Note{b.words.Say("sheet.continue-note"), ToneQuiet})
	} else if b.roles.isActive(k) {
		s.Notes = append(s.Notes, Note{b.words.Say("sheet.already-active", name), ToneWarning})
	} else if _, busy := b.roles.busy[k]; busy {
		s.Notes = append(s.Notes, Note{b.words.Say("sheet.busy", name), ToneWarning})
	}

	policy, read := b.roles.snapshot.Policies[e.Role.Key()]
	s.limits = append(s.limits, roleLimit{policy, e.End})
	limit := policy.Limit(e.End, s.begin(time.Time{}, b.now))
	b.known = b.known || limit < pim.LongestActivation || policy.MaxDuration > 0
	s.JustificationRequired = s.JustificationRequired || policy.JustificationRequired
	s.TicketRequired = s.TicketRequired || policy.TicketRequired
	s.TicketOffered = s.TicketOffered || policy.TicketRequired || !policy.Readable
	switch {
	case !read:
		s.Unread = append(s.Unread, k)
	case !policy.Readable:
		b.unreadable = append(b.unreadable, name)
	}
	if policy.ApprovalRequired {
		b.approval = append(b.approval, name)
		for _, a := range policy.Approvers {
			if n := pim.CleanText(a.Name, 60); n != "" && !slices.Contains(b.approvers, n) {
				b.approvers = append(b.approvers, n)
			}
		}
		// Only Entra roles have somebody who decides where no approver is named.
		if who := b.words.Say("sheet.an-administrator"); len(policy.Approvers) == 0 && role.Kind == pim.KindDirectory && !slices.Contains(b.approvers, who) {
			b.approvers = append(b.approvers, who)
		}
	}
	switch {
	case policy.AuthContext != "":
		b.context = append(b.context, name)
	case policy.MFARequired:
		b.mfa = append(b.mfa, name)
	}
	if !e.End.IsZero() && e.End.Sub(b.now) < endsSoon {
		b.ending = append(b.ending, name)
		if b.firstEnd.IsZero() || e.End.Before(b.firstEnd) {
			b.firstEnd = e.End
		}
	}
}

func (b *sheetBuilder) finish(asked int) {
	s, w := b.sheet, b.words
	switch {
	case len(s.Roles) == 0:
		s.Problem = w.Count("sheet.not-eligible", asked)
	case len(s.Roles) < asked:
		s.Notes = append(s.Notes, Note{w.Count("sheet.some-not-eligible", asked-len(s.Roles)), ToneWarning})
	}
	s.Title, s.Button = w.Count("sheet.title", max(len(s.Roles), 1)), w.Count("sheet.button", max(len(s.Roles), 1))
	if !s.Continues.IsZero() {
		s.Title = w.Say("sheet.continue")
		s.Button = w.Say("verb.continue", Moment(w, s.Continues, b.now))
		if len(b.approval) > 0 {
			s.Button = w.Say("verb.ask-then", Moment(w, s.Continues, b.now))
		}
	}
	var end time.Time
	if s.Limit, end = s.limitAt(s.begin(time.Time{}, b.now)); !end.IsZero() && s.Limit < pim.MinimumActive && s.Problem == "" {
		s.Problem = w.Say("problem.start-late", Moment(w, end, b.now))
	}
	b.notes()
	b.remembered()
	b.durations()
}

func (b *sheetBuilder) notes() {
	note := func(tone Tone, text string) { b.sheet.Notes = append(b.sheet.Notes, Note{text, tone}) }
	w, several := b.words, len(b.sheet.Roles) > 1
	names := func(list []string) string { return pim.CleanText(strings.Join(list, ", "), 160) }
	if len(b.approval) > 0 {
		who := w.Say("sheet.an-approver")
		if len(b.approvers) > 0 {
			who = names(b.approvers)
		}
		if several {
			note(ToneWarning, w.Say("sheet.approval-of", names(b.approval), who))
		} else {
			note(ToneWarning, w.Say("sheet.approval", who))
		}
	}
	if len(b.context) > 0 {
		note(ToneNormal, w.Say("sheet.context"))
	} else if len(b.mfa) > 0 {
		note(ToneNormal, w.Say("sheet.mfa"))
	}
	if len(b.ending) > 0 {
		note(ToneWarning, w.Say("sheet.eligibility-ends", Moment(w, b.firstEnd, b.now)))
	}
	if len(b.unreadable) > 0 {
		if several {
			note(ToneQuiet, w.Say("sheet.unreadable-of", names(b.unreadable)))
		} else {
			note(ToneQuiet, w.Say("sheet.unreadable"))
		}
	}
	if len(b.sheet.Unread) > 0 {
		note(ToneQuiet, w.Say("sheet.reading"))
	}
}

// remembered takes over what is stored for these roles, and recent reasons.
func (b *sheetBuilder) remembered() {
	s := b.sheet
	for _, c := range b.state.Recent {
		if j := strings.TrimSpace(c.Justification); j != "" && !slices.Contains(s.Reasons, j) && len(s.Reasons) < sheetReasons {
			s.Reasons = append(s.Reasons, j)
		}
	}
	stored, asks := b.stored()
	s.Justification, s.Ticket = stored.Justification, stored.Ticket
	s.Default = b.state.Settings.Duration
	if s.Default <= 0 {
		s.Default = pim.ShortDefault
	}
	if asks && stored.Duration > 0 {
		s.Default = stored.Duration
	} else {
		s.Last = min(stored.Duration, s.Limit)
	}
	s.Default = min(s.Default, s.Limit)
}

// stored is what a plan for one of these roles was to send and could not, else what was given
// the last time for one, else what a favourite has for one by itself. asks says that it is a
// plan's.
func (b *sheetBuilder) stored() (stored Filled, asks bool) {
	mine := func(k pim.Key) bool {
		return slices.ContainsFunc(b.sheet.Roles, func(r SheetRole) bool { return r.Key == k })
	}
	for _, p := range b.roles.snapshot.Plans {
		if p.State == pim.PlanAsks && mine(p.Key()) {
			return Filled{Duration: p.Duration, Justification: p.Justification, Ticket: p.Ticket}, true
		}
	}
	for _, c := range b.state.Recent {
		if c.Account == b.sheet.Account && mine(c.Role.Key()) {
			return Filled{Duration: c.Duration, Justification: c.Justification, Ticket: c.Ticket}, false
		}
	}
	for _, f := range b.roles.favorites(b.state) {
		if w := f.Wishes; len(w) == 1 && mine(w[0].Role.Key()) {
			return Filled{Duration: w[0].Duration, Justification: w[0].Justification, Ticket: w[0].Ticket}, false
		}
	}
	return Filled{}, false
}

func (b *sheetBuilder) durations() {
	s := b.sheet
	steps := []time.Duration{30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour}
	if s.Last >= pim.MinimumActive && s.Last < 8*time.Hour && !slices.Contains(steps, s.Last) {
		steps = append(steps, s.Last)
		slices.Sort(steps)
	}
	for _, d := range steps {
		if d < s.Limit || (d == s.Limit && !b.known) {
			s.Durations = append(s.Durations, Choice{d, Span(b.words, d)})
		}
	}
	switch {
	case !b.known:
		s.Durations = append(s.Durations, Choice{8 * time.Hour, Span(b.words, 8*time.Hour)})
	case s.Limit > 0:
		s.Durations = append(s.Durations, Choice{s.Limit, b.words.Say("sheet.most", Span(b.words, s.Limit))})
	}
}

// Check reads what the person has put in. With no problem the Filled can be sent; the problems
// are in the order of the fields.
func (s Sheet) Check(e Entry, now time.Time, w Words) (Filled, []FieldProblem) {
	f := Filled{
		Justification: strings.TrimSpace(e.Justification),
		Ticket:        pim.Ticket{Number: strings.TrimSpace(e.TicketNumber), System: strings.TrimSpace(e.TicketSystem)},
	}
	var problems []FieldProblem
	problem := func(field Field, text string) { problems = append(problems, FieldProblem{field, text}) }

	var errDuration, errStart error
	f.Duration, errDuration = ParseDuration(e.Duration)
	f.Start, errStart = ParseStart(e.Start, now)
	limit, end := s.limitAt(s.begin(f.Start, now))
	late := !end.IsZero() && limit < pim.MinimumActive
	switch {
	case errDuration != nil:
		problem(FieldDuration, w.Say("problem.duration"))
	case f.Duration > limit && !late:
		problem(FieldDuration, w.Say("problem.too-long", Span(w, limit)))
	case f.Duration < pim.MinimumActive:
		problem(FieldDuration, w.Say("problem.too-short", Span(w, pim.MinimumActive)))
	}
	switch {
	case errors.Is(errStart, ErrSkipped):
		problem(FieldStart, w.Say("problem.start-skipped"))
	case errStart != nil:
		problem(FieldStart, w.Say("problem.start"))
	case !f.Start.IsZero() && !f.Start.After(now):
		problem(FieldStart, w.Say("problem.start-past"))
	case late:
		problem(FieldStart, w.Say("problem.start-late", Moment(w, end, now)))
	}
	switch {
	case s.JustificationRequired && f.Justification == "":
		problem(FieldJustification, w.Say("problem.justification"))
	case s.RefuseWeak && f.Justification == "":
		problem(FieldJustification, w.Say("problem.justification"))
	case s.RefuseWeak && pim.WeakReason(f.Justification):
		problem(FieldJustification, w.Say("problem.weak-reason"))
	}
	if s.TicketRequired && f.Ticket.Number == "" {
		problem(FieldTicket, w.Say("problem.ticket"))
	}
	return f, problems
}

// Until says when what was filled in would begin and end.
func (s Sheet) Until(f Filled, now time.Time, w Words) string {
	start := s.begin(f.Start, now)
	until := Moment(w, start.Add(f.Duration), now)
	if start.Equal(now) {
		return w.Say("sheet.until", until)
	}
	return w.Say("sheet.from-until", Moment(w, start, now), until)
}
