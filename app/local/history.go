package local

import "roletray/pim/store"

// HistoryRequest asks for the history of one account or, with none named, of all.
type HistoryRequest struct {
	Account string `json:"account,omitempty"`
	// Search keeps the entries that have each of its words somewhere, without
	// regard to case: in role, scope, reason, ticket, client, outcome, who decided or an id.
	Search string `json:"search,omitempty"`
	// Most is how many entries are wanted, the newest; zero means all.
	Most int `json:"most,omitempty"`
}

// HistoryAnswer is what was done, the newest first.
type HistoryAnswer struct {
	Entries []HistoryEntry `json:"entries"`
}

// HistoryEntry is an entry of an account's history. A face names it here, since faces do
// not reach into the store.
type HistoryEntry = store.AccountEntry

// ExportRequest asks for the history as a file.
type ExportRequest struct {
	HistoryRequest
	Format ExportFormat `json:"format"`
}

// ExportFormat is what a file of the history looks like.
type ExportFormat string

// The formats.
const (
	// ExportCSV is a table for spreadsheets, whose cells are no formulas.
	ExportCSV ExportFormat = "csv"
	// ExportJSON is an array of entries.
	ExportJSON ExportFormat = "json"
)

// ExportAnswer is the file's text.
type ExportAnswer struct {
	Text string `json:"text"`
}
