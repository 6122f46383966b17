package view_test

import (
	"errors"
	"testing"
	"time"
	_ "time/tzdata" // the same clocks on every computer

	"roletray/app/view"
	"roletray/app/view/viewtest"
)

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// In October 02:30 comes twice, at +02:00 and an hour later at +01:00; in March not at all.
func TestParseStartWhenTheClocksChange(t *testing.T) {
	zone := berlin(t)
	at := func(s string) time.Time {
		m, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, tt := range []struct{ now, in, want string }{
		{"2026-10-24T23:00:00+02:00", "2:30", "2026-10-25T02:30:00+02:00"},
		{"2026-10-24T23:00:00+02:00", "25.10.2026 2:30", "2026-10-25T02:30:00+02:00"},
		{"2026-10-25T02:29:00+02:00", "02:30", "2026-10-25T02:30:00+02:00"},
		{"2026-10-25T02:30:00+02:00", "02:30", "2026-10-25T02:30:00+01:00"},
		{"2026-10-25T02:10:00+01:00", "2026-10-25 2:30", "2026-10-25T02:30:00+01:00"},
		{"2026-10-25T02:30:00+01:00", "02:30", "2026-10-26T02:30:00+01:00"},
		{"2026-10-25T12:00:00+01:00", "2026-10-25 2:30", "2026-10-25T02:30:00+01:00"}, // over, which is for others to say
		{"2026-10-24T23:00:00+02:00", "3:00", "2026-10-25T03:00:00+01:00"},
		{"2027-03-27T23:00:00+01:00", "3:00", "2027-03-28T03:00:00+02:00"},
		{"2027-03-27T23:00:00+01:00", "1:59", "2027-03-28T01:59:00+01:00"},
		{"2027-03-28T04:00:00+02:00", "2:30", "2027-03-29T02:30:00+02:00"},
		{"2027-03-27T23:00:00+01:00", "2:30", ""},
		{"2027-03-28T01:30:00+01:00", "2:30", ""},
		{"2027-03-01T12:00:00+01:00", "2027-03-28 2:00", ""},
		{"2027-03-01T12:00:00+01:00", "28.3.2027 2:59", ""},
	} {
		got, err := view.ParseStart(tt.in, at(tt.now).In(zone))
		switch {
		case tt.want == "":
			if !errors.Is(err, view.ErrSkipped) || !got.IsZero() {
				t.Errorf("%q at %s: %s, %v", tt.in, tt.now, got, err)
			}
		case err != nil || !got.Equal(at(tt.want)):
			t.Errorf("%q at %s: %s %v, want %s", tt.in, tt.now, got, err, tt.want)
		}
	}
}

func TestMomentWhenTheClocksChange(t *testing.T) {
	zone := berlin(t)
	now := time.Date(2026, 10, 24, 23, 0, 0, 0, zone)
	for _, tt := range []struct{ utc, now, en string }{
		{"2026-10-24T23:59:00Z", "2026-10-24T23:00:00+02:00", "Sun 01:59"},
		{"2026-10-25T00:00:00Z", "2026-10-24T23:00:00+02:00", "Sun 02:00 (+02:00)"},
		{"2026-10-25T00:30:00Z", "2026-10-25T01:00:00+02:00", "02:30 (+02:00)"},
		{"2026-10-25T01:30:00Z", "2026-10-25T01:00:00+02:00", "02:30 (+01:00)"},
		{"2026-10-25T02:00:00Z", "2026-10-25T01:00:00+02:00", "03:00"},
		{"2026-10-25T00:30:00Z", "2026-11-20T01:00:00+01:00", "25 Oct 02:30 (+02:00)"},
		{"2027-03-28T00:59:00Z", "2027-03-27T23:00:00+01:00", "Sun 01:59"},
		{"2027-03-28T01:00:00Z", "2027-03-27T23:00:00+01:00", "Sun 03:00"},
	} {
		m, errMoment := time.Parse(time.RFC3339, tt.utc)
		at, errNow := time.Parse(time.RFC3339, tt.now)
		if errMoment != nil || errNow != nil {
			t.Fatal(errMoment, errNow)
		}
		if got := view.Moment(words(t, "en"), m, at.In(zone)); got != tt.en {
			t.Errorf("%s: %q, want %q", tt.utc, got, tt.en)
		}
	}
	s := sheet(t, viewtest.Demo(), viewtest.Role("SQL DB Contributor", viewtest.Data))
	e := view.Entry{Duration: "1 h", Start: "2:30", Justification: "because", TicketNumber: "T-1"}
	f, problems := s.Check(e, now, words(t, "en"))
	if got := s.Until(f, now, words(t, "en")); len(problems) > 0 || got != "Active from Sun 02:30 (+02:00) until Sun 02:30 (+01:00)." {
		t.Errorf("%q, %v", got, problems)
	}
	_, problems = s.Check(e, time.Date(2027, 3, 27, 23, 0, 0, 0, zone), words(t, "en"))
	if len(problems) != 1 || problems[0] != (view.FieldProblem{Field: view.FieldStart, Text: "The clocks skip that time. Choose another."}) {
		t.Errorf("%v", problems)
	}
}

func TestStartEntryReadsBack(t *testing.T) {
	zone := berlin(t)
	now := time.Date(2026, 10, 24, 15, 8, 0, 0, zone)
	for start, want := range map[time.Time]string{
		time.Date(2026, 10, 24, 17, 30, 0, 0, zone):    "17:30",
		time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC): "02:30",
		time.Date(2026, 10, 25, 9, 0, 0, 0, zone):      "09:00",
		time.Date(2026, 10, 25, 17, 30, 0, 0, zone):    "2026-10-25 17:30",
		time.Date(2027, 1, 31, 8, 0, 0, 0, time.UTC):   "2027-01-31 09:00",
	} {
		text := view.StartEntry(start, now)
		if back, err := view.ParseStart(text, now); text != want || err != nil || back.Hour() != start.In(zone).Hour() || back.YearDay() != start.In(zone).YearDay() {
			t.Errorf("%s: %q, which reads back as %s, %v; want %q", start, text, back, err, want)
		}
	}
}
