package store

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// AccountEntry is an entry with the id of the account whose history it is in.
type AccountEntry struct {
	Account string `json:"account"`
	Entry
}

// csvHeader names the columns of WriteCSV.
var csvHeader = []string{
	"time", "action", "kind", "role", "scope", "scope id", "start", "end", "duration", "justification",
	"ticket number", "ticket system", "outcome", "status", "reason", "client", "requestor", "request id", "correlation id", "id",
	"decision", "decided by", "decided at", "decided why", "requestor id", "decided by id", "account",
}

// WriteCSV writes entries as a table with a heading, with times in UTC and every cell in
// quotes. What a spreadsheet would take for a formula begins with an apostrophe.
func WriteCSV(w io.Writer, entries []AccountEntry) error {
	rows := [][]string{csvHeader}
	for _, e := range entries {
		reason := ""
		if e.Problem != nil {
			reason = e.Problem.Text
		}
		duration := ""
		if e.Duration != 0 {
			duration = e.Duration.String()
		}
		rows = append(rows, []string{
			moment(e.At), string(e.Action), string(e.Role.Kind), e.Role.Name, e.Role.Scope.Label(), e.Role.Scope.ID,
			moment(e.Start), moment(e.End), duration, e.Justification, e.Ticket.Number, e.Ticket.System,
			string(e.State), string(e.Status), reason, e.Client, e.Requestor.Name, e.Request, e.CorrelationID, e.ID,
			string(e.Review.Result), e.Review.By.Name, moment(e.Review.At), e.Review.Reason, e.Requestor.ID, e.Review.By.ID, e.Account,
		})
	}
	var text strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				text.WriteByte(',')
			}
			text.WriteString(`"` + strings.ReplaceAll(safeCell(cell), `"`, `""`) + `"`)
		}
		text.WriteByte('\n')
	}
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("write the history as CSV: %w", err)
	}
	return nil
}

// WriteJSON writes entries as one JSON array, an empty one for none.
func WriteJSON(w io.Writer, entries []AccountEntry) error {
	if entries == nil {
		entries = []AccountEntry{}
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	if err := out.Encode(entries); err != nil {
		return fmt.Errorf("write the history as JSON: %w", err)
	}
	return nil
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// formula is what begins a formula in the midst of a cell where a spreadsheet takes another
// character than the comma for the separator, as Excel does with the settings of many countries:
// quotes do not keep such a cell together then.
var formula = regexp.MustCompile(`([;\t\r\n]"*)([=+\-@])`)

// safeCell keeps a spreadsheet from taking a text for a formula. Source: OWASP, "CSV Injection".
func safeCell(s string) string {
	s = formula.ReplaceAllString(s, "$1'$2")
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}
