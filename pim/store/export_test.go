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

func exported() []Entry {
	return []Entry{
		{
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
		},
		{ID: "2", Justification: "\ttab", Action: "-x", State: "\rcr"},
	}
}

func TestWriteCSV(t *testing.T) {
	var b bytes.Buffer
	if err := WriteCSV(&b, exported()); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"2026-03-01T08:00:00Z", "selfactivate", "azure", "Owner, \"all\"", "Prod", "/subscriptions/1", "2026-03-01T10:00:00Z", "", "1h30m0s",
		"'=HYPERLINK(\"http://evil\")", "'+1", "'@it", "failed", "Denied", "No.", "cli", "", "r", "c", "1",
		"denied", "'@Chidi", "2026-03-01T11:00:00Z", "'=not today", "0d9c", "c",
	}
	if len(rows) != 3 || !reflect.DeepEqual(rows[0], csvHeader) || !reflect.DeepEqual(rows[1], want) {
		t.Errorf("%q", rows)
	}
	if r := rows[2]; r[1] != "'-x" || r[9] != "'\ttab" || !strings.HasPrefix(r[12], "'") {
		t.Errorf("%q", r)
	}
}

func TestWriteJSON(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJSON(&b, exported()); err != nil {
		t.Fatal(err)
	}
	var back []Entry
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || len(back) != 2 || back[0].CorrelationID != "c" || back[0].Review != exported()[0].Review || !back[0].At.Equal(exported()[0].At) {
		t.Errorf("%v, %+v", err, back)
	}
	b.Reset()
	if err := WriteJSON(&b, nil); err != nil || strings.TrimSpace(b.String()) != "[]" {
		t.Errorf("%v, %q", err, b.String())
	}
}

func FuzzWriteCSV(f *testing.F) {
	for _, s := range []string{"", "=1+1", "-2", "@x", "\t=1", "\r=1", "a\r\nb", "\"", "a,b", "'=1", "\n=1"} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, reason, ticket, name string) {
		var b bytes.Buffer
		entry := Entry{ID: "1", Justification: reason, Ticket: pim.Ticket{Number: ticket}, Role: pim.Role{Name: name}, Review: pim.Review{By: pim.Principal{Name: name}, Reason: reason}}
		if err := WriteCSV(&b, []Entry{entry}); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(b.Bytes())).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[1]) != len(csvHeader) {
			t.Fatalf("%v: %q", err, rows)
		}
		for i, cell := range rows[1] {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("%s: %q is a formula", csvHeader[i], cell)
			}
		}
		// The reader turns CRLF into LF, as spreadsheets do.
		lf := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
		for i, s := range map[int]string{3: name, 9: reason, 10: ticket} {
			if got := strings.TrimPrefix(rows[1][i], "'"); got != lf(s) && got != strings.TrimPrefix(lf(s), "'") {
				t.Errorf("%s: %q became %q", csvHeader[i], s, rows[1][i])
			}
		}
	})
}
