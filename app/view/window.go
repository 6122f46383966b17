package view

import (
	"time"

	"roletray/pim"
)

// Window is everything the window shows outside its sheet and its settings.
type Window struct {
	Header Header
	// Banners are the standing facts and failures, the most pressing first.
	Banners []Banner
	// Rows is the list of roles, with its headings.
	Rows []Row
	// Kinds counts the kinds of role that the account has.
	Kinds int
	// Empty stands in for rows where there is nothing to list.
	Empty *Empty
	// Requests is the list of the person's own requests.
	Requests []Row
	// RequestsEmpty stands in for Requests.
	RequestsEmpty *Empty
	// Approvals is the list of what waits for the person's decision.
	Approvals []Row
	// ApprovalsEmpty stands in for Approvals.
	ApprovalsEmpty *Empty
	// Next is the first moment at which the window changes by time alone; zero
	// when time changes nothing.
	Next time.Time
}

// Header is the line above the list.
type Header struct {
	// Account is the id of the account shown, empty when nobody is signed in.
	Account string
	// Accounts are those to choose from.
	Accounts []AccountChoice
	// Age says how old the list is, such as "12 s ago".
	Age        string
	Refreshing bool
	SigningIn  bool
	// Waiting counts the requests that are not decided.
	Waiting int
	// Deciding counts the requests of others that wait for the person.
	Deciding int
}

// AccountChoice is an entry of the account switcher.
type AccountChoice struct {
	ID string
	// Label is the whole name and the name used at sign-in, Short the first of them.
	Label string
	Short string
}

// Tone is the weight of a text: shown by colour and always by words too.
type Tone int

// The tones.
const (
	ToneNormal Tone = iota
	ToneQuiet
	ToneGood
	ToneWarning
	ToneBad
)

// Banner is a standing fact above the list.
type Banner struct {
	// ID stays the same while the fact does.
	ID      string
	Tone    Tone
	Text    string
	Details string
	// Verb and Action are what can be done about it; nil for nothing.
	Verb   string
	Action Action
}

// Empty says why there is nothing to list and what to do next.
type Empty struct {
	Title  string
	Text   string
	Verb   string
	Action Action
	// Busy says that it will pass by itself.
	Busy bool
}

// RowType is what a row is.
type RowType int

// The types of row.
const (
	RowHeading RowType = iota
	RowActive
	RowOperation
	RowRecent
	RowEligible
	RowRequest
	RowFavorite
	RowApproval
	RowEnded
)

// Row is one line of a list. All rows of a type have the same shape.
type Row struct {
	Type RowType
	// ID is unique in its list and stays while the row means the same.
	ID      string
	Account string
	Key     pim.Key
	Kind    pim.Kind
	// Title is the role's name, or a heading.
	Title string
	// Scope is the scope's name; Path says the whole of it.
	Scope string
	Path  string
	// Status is the right-hand text: what remains, or how far it has come.
	Status string
	// Detail is the quiet second text of it: the clock time of the end, or why.
	Detail string
	// Tone is of Status and Detail.
	Tone   Tone
	Badges []Badge
	// Left is how much of an activation is left, 1 to 0; less than 0 where it is
	// not known or has no end.
	Left float64
	// Unread says that the role's policy is not known yet, so that badges may be missing.
	Unread bool
	// Selectable says that it may be part of an activation of several.
	Selectable bool
	// Verb is the button's text; empty for no button. The button is disabled while Action is nil.
	Verb    string
	Action  Action
	Details string
	// Note has in sentences what the row has no room for.
	Note string
	// More is what else can be done with it.
	More []Offer
}

// Offer is something that can be done.
type Offer struct {
	Verb   string
	Action Action
}

// Badge is a short word about a role.
type Badge struct {
	Text string
	Tone Tone
}
