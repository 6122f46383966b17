package store

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"roletray/pim"
)

func exported() []AccountEntry {
	return []AccountEntry{
		{"acc", Entry{
			ID: "1", At: time.Date(2026, 3, 1, 9, 0, 0, 0, time.FixedZone("", 3600)), Action: pim.ActionActivate,
			Role:  pim.Role{Kind: pim.KindAzure, Name: "Owner, \"all\"", Scope: pim.Scope{ID: "/subscriptions/1", Name: "Prod"}},
			Start: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), Duration: 90 * time.Minute,
			Justification: "=HYPERLINK(\"http://evil\")", Ticket: pim.Ticket{Number: "+1", System: "@it"},
			Client: "cli", Requestor: pim.Principal{ID: "0d9c"}, State: pim.OperationFailed, Status: "Denied",
			Problem: &pim.Problem{Code: pim.CodeRejected, Text: "No."},
			Review: pim.Review{
				Result: pim.ReviewDenied, By: pim.Principal{ID: "c", Name: "@Chidi"}, At: time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC), Reason: "=not today",
			},
			Request: "r", CorrelationID: "c",
		}},
		{"@acc", Entry{ID: "2", Justification: "\ttab", Action: "-x", State: "\rcr", Ticket: pim.Ticket{Number: "\n=1", System: "ok;=1"}, Client: "a;\"@b\n-c", Status: "x;y - z"}},
	}
}

func TestWriteCSV(t *testing.T) {
	var b bytes.Buffer
	if err := WriteCSV(&b, exported()); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, line := range []string{strings.SplitAfter(text, "\n")[0], strings.SplitAfter(text, "\n")[1]} {
		if !strings.HasPrefix(line, `"`) || !strings.HasSuffix(line, "\"\n") || strings.Count(line, `","`) != len(csvHeader)-1 {
			t.Errorf("not every cell is quoted: %s", line)
		}
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"2026-03-01T08:00:00Z", "selfactivate", "azure", "Owner, \"all\"", "Prod", "/subscriptions/1", "2026-03-01T10:00:00Z", "", "1h30m0s",
		"'=HYPERLINK(\"http://evil\")", "'+1", "'@it", "failed", "Denied", "No.", "cli", "", "r", "c", "1",
		"denied", "'@Chidi", "2026-03-01T11:00:00Z", "'=not today", "0d9c", "c", "acc",
	}
	if len(rows) != 3 || !reflect.DeepEqual(rows[0], csvHeader) || !reflect.DeepEqual(rows[1], want) {
		t.Errorf("%q", rows)
	}
	if r := rows[2]; r[1] != "'-x" || r[9] != "'\ttab" || !strings.HasPrefix(r[12], "'") ||
		r[10] != "'\n'=1" || r[11] != "ok;'=1" || r[15] != "a;\"'@b\n'-c" || r[13] != "x;y - z" || r[26] != "'@acc" {
		t.Errorf("%q", r)
	}
}

// careless is what a spreadsheet makes of text whose separator it takes to be another: the quotes
// of cells within a line mean nothing to it then.
func careless(text string) []string {
	cells := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(";\t\r\n", r) })
	for i := range cells {
		cells[i] = strings.TrimLeft(cells[i], `"`)
	}
	return cells
}

func isFormula(cell string) bool {
	return cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0]))
}

func TestWriteJSON(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJSON(&b, exported()); err != nil {
		t.Fatal(err)
	}
	var back []AccountEntry
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || len(back) != 2 || back[0].Account != "acc" || back[0].CorrelationID != "c" || back[0].Review != exported()[0].Review || !back[0].At.Equal(exported()[0].At) {
		t.Errorf("%v, %+v", err, back)
	}
	b.Reset()
	if err := WriteJSON(&b, nil); err != nil || strings.TrimSpace(b.String()) != "[]" {
		t.Errorf("%v, %q", err, b.String())
	}
}

func FuzzWriteCSV(f *testing.F) {
	for _, s := range []string{"", "=1+1", "-2", "@x", "\t=1", "\r=1", "a\r\nb", "\"", "a,b", "'=1", "\n=1", ";=1", "ok;=1", ";\"=1", "a\n\"\"@b", "\n", ";\t-1"} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, reason, ticket, name string) {
		var b bytes.Buffer
		entry := Entry{ID: "1", Justification: reason, Ticket: pim.Ticket{Number: ticket}, Role: pim.Role{Name: name}, Review: pim.Review{By: pim.Principal{Name: name}, Reason: reason}}
		if err := WriteCSV(&b, []AccountEntry{{"acc", entry}}); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(b.Bytes())).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[1]) != len(csvHeader) {
			t.Fatalf("%v: %q", err, rows)
		}
		for i, cell := range rows[1] {
			if isFormula(cell) {
				t.Errorf("%s: %q is a formula", csvHeader[i], cell)
			}
		}
		for _, cell := range careless(b.String()) {
			if isFormula(cell) {
				t.Errorf("%q is a formula where the separator is another", cell)
			}
		}
		// The reader turns CRLF into LF, as spreadsheets do.
		plain := func(s string) string { return strings.ReplaceAll(s, "'", "") }
		for i, s := range map[int]string{3: name, 9: reason, 10: ticket} {
			if plain(rows[1][i]) != plain(strings.ReplaceAll(s, "\r\n", "\n")) {
				t.Errorf("%s: %q became %q", csvHeader[i], s, rows[1][i])
			}
		}
	})
}
