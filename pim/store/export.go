package store

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// csvHeader names the columns of WriteCSV.
var csvHeader = []string{
	"time", "action", "kind", "role", "scope", "scope id", "start", "end", "duration", "justification",
	"ticket number", "ticket system", "outcome", "status", "reason", "client", "requestor", "request id", "correlation id", "id",
	"decision", "decided by", "decided at", "decided why", "requestor id", "decided by id",
}

// WriteCSV writes entries as a table with a heading, with times in UTC. A cell that
// a spreadsheet would take for a formula begins with an apostrophe.
func WriteCSV(w io.Writer, entries []Entry) error {
	out := csv.NewWriter(w)
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
			string(e.Review.Result), e.Review.By.Name, moment(e.Review.At), e.Review.Reason, e.Requestor.ID, e.Review.By.ID,
		})
	}
	for _, row := range rows {
		for i := range row {
			row[i] = safeCell(row[i])
		}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("write the history as CSV: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the history as CSV: %w", err)
	}
	return nil
}

// WriteJSON writes entries as one JSON array, an empty one for none.
func WriteJSON(w io.Writer, entries []Entry) error {
	if entries == nil {
		entries = []Entry{}
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

// safeCell keeps a spreadsheet from taking a text for a formula. Source: OWASP, "CSV Injection".
func safeCell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
