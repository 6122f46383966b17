package view_test

import (
	"testing"
	"time"

	"roletray/app/view"
)

func TestParseDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"90": 90 * time.Minute, " 90 min ": 90 * time.Minute, "90m": 90 * time.Minute,
		"1h30": 90 * time.Minute, "1:30": 90 * time.Minute, "1 h 30 min": 90 * time.Minute, "1h 30": 90 * time.Minute,
		"1.5h": 90 * time.Minute, "1,5 h": 90 * time.Minute, "1,5 Std.": 90 * time.Minute,
		"2 h": 2 * time.Hour, "2hours": 2 * time.Hour, "0:30": 30 * time.Minute, "24:00": 24 * time.Hour, "30 Minuten": 30 * time.Minute,
		"": 0, "0": 0, "0h": 0, "-5": 0, "1:60": 0, "h": 0, "m": 0, "two": 0, "1h30h": 0, "30m1h": 0, "99999": 0, "1:3": 0, "1e3": 0,
	} {
		got, err := view.ParseDuration(in)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %s %v, want %s", in, got, err, want)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"90", "1h30", "1:30", "2 h", "1,5 Std", "999h 9999m"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := view.ParseDuration(s)
		if err != nil {
			if d != 0 {
				t.Errorf("%q: %s beside an error", s, d)
			}
			return
		}
		if d <= 0 || d > 50*24*time.Hour || d%time.Minute != 0 {
			t.Errorf("%q: %s", s, d)
		}
		again, err := view.ParseDuration(view.DurationEntry(d))
		if err == nil && again != d {
			t.Errorf("%q: %s reads back as %s", s, d, again)
		}
		if err != nil && d < 1000*time.Hour {
			t.Errorf("%q: %q does not read back", s, view.DurationEntry(d))
		}
	})
}

func TestParseStart(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	now := time.Date(2026, 11, 22, 15, 8, 0, 0, zone)
	for in, want := range map[string]time.Time{
		"":                 {},
		"17:30":            time.Date(2026, 11, 22, 17, 30, 0, 0, zone),
		"9:00":             time.Date(2026, 11, 23, 9, 0, 0, 0, zone),
		"15:08":            time.Date(2026, 11, 23, 15, 8, 0, 0, zone),
		"2027-01-31 9:00":  time.Date(2027, 1, 31, 9, 0, 0, 0, zone),
		"31.1.2027  09:00": time.Date(2027, 1, 31, 9, 0, 0, 0, zone),
	} {
		got, err := view.ParseStart(in, now)
		if err != nil || !got.Equal(want) {
			t.Errorf("%q: %s %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"soon", "25:00", "17", "2027-02-30 9:00"} {
		if got, err := view.ParseStart(in, now); err == nil {
			t.Errorf("%q: %s, want an error", in, got)
		}
	}
}

func FuzzParseStart(f *testing.F) {
	now := time.Date(2026, 11, 22, 15, 8, 0, 0, time.UTC)
	for _, s := range []string{"", "17:30", "2027-01-31 9:00", "31.1.2027 9:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := view.ParseStart(s, now); err != nil && !got.IsZero() {
			t.Errorf("%q: %s beside an error", s, got)
		}
	})
}

func TestSpan(t *testing.T) {
	w := words(t, "en")
	for d, want := range map[time.Duration]string{
		-time.Hour: "0 min", 0: "0 min", 42 * time.Second: "42 s", 30 * time.Minute: "30 min", 90*time.Minute + 59*time.Second: "1 h 30 min",
		2 * time.Hour: "2 h", 26 * time.Hour: "1 d 2 h", 48*time.Hour + time.Minute: "2 d",
	} {
		if got := view.Span(w, d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestMoment(t *testing.T) {
	zone := time.FixedZone("CET", 3600)
	now := time.Date(2026, 11, 22, 15, 8, 0, 0, zone)
	for _, tt := range []struct {
		at     time.Time
		en, de string
	}{
		{time.Date(2026, 11, 22, 14, 20, 0, 0, time.UTC), "15:20", "15:20"},
		{time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC), "Mon 00:30", "Mo 00:30"},
		{time.Date(2026, 11, 28, 9, 0, 0, 0, zone), "Sat 09:00", "Sa 09:00"},
		{time.Date(2026, 11, 29, 9, 0, 0, 0, zone), "29 Nov 09:00", "29. Nov., 09:00"},
		{time.Date(2026, 11, 21, 9, 0, 0, 0, zone), "21 Nov 09:00", "21. Nov., 09:00"},
		{time.Date(2027, 3, 1, 9, 0, 0, 0, zone), "1 Mar 2027", "1. März 2027"},
	} {
		if got := view.Moment(words(t, "en"), tt.at, now); got != tt.en {
			t.Errorf("%s: %q, want %q", tt.at, got, tt.en)
		}
		if got := view.Moment(words(t, "de"), tt.at, now); got != tt.de {
			t.Errorf("%s: %q, want %q", tt.at, got, tt.de)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Contributor": "contributor", "ÀÉÎõü": "aeiou", "Straße": "strasse", "Łódź": "lodz", "Ærø": "aero", "特権": "特権",
	} {
		if got := view.Fold(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
