package speech_test

import (
	"encoding/json"
	"testing"
	"time"

	"roletray/pim/tenant/ledger"
	"roletray/pim/tenant/speech"
)

func TestSchedule(t *testing.T) {
	start := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		body  string
		want  ledger.Schedule
		wrong bool
	}{
		{body: `{}`},
		{body: `{"startDateTime":null,"expiration":{"type":"notSpecified"}}`},
		{
			body: `{"startDateTime":"2026-03-01T09:00:00+01:00","expiration":{"type":"afterDuration","duration":"PT5H30M"}}`,
			want: ledger.Schedule{Start: start, Expiration: ledger.AfterDuration, Duration: 5*time.Hour + 30*time.Minute},
		},
		{
			body: `{"startDateTime":"2026-03-01T08:00:00.0000000","expiration":{"type":"AfterDateTime","endDateTime":"2026-03-01T08:00:00Z"}}`,
			want: ledger.Schedule{Start: start, Expiration: ledger.AfterDateTime, End: start},
		},
		{body: `{"expiration":{"type":"NoExpiration"}}`, want: ledger.Schedule{Expiration: ledger.NoExpiration}},
		{body: `{"startDateTime":"tomorrow"}`, wrong: true},
		{body: `{"startDateTime":"0000-01-01T00:00:00Z"}`, wrong: true},
		{body: `{"expiration":{"type":"afterDuration","duration":"-PT1H"}}`, wrong: true},
		{body: `{"expiration":{"type":"afterDuration","duration":"P11Y"}}`, wrong: true},
		{body: `{"expiration":{"type":"afterDuration"}}`, wrong: true},
		{body: `{"expiration":{"type":"afterDateTime"}}`, wrong: true},
		{body: `{"expiration":{"type":"never"}}`, wrong: true},
	} {
		var s speech.Schedule
		if err := json.Unmarshal([]byte(tt.body), &s); err != nil {
			t.Fatal(err)
		}
		got, wrong := s.Parse()
		if (wrong != "") != tt.wrong || !tt.wrong && got != tt.want {
			t.Errorf("%s is %+v, %q", tt.body, got, wrong)
		}
	}
}

func TestActions(t *testing.T) {
	if a, ok := speech.SelfAction("SELFactivate"); !ok || a != ledger.SelfActivate {
		t.Errorf("%q, %v", a, ok)
	}
	for _, name := range []string{"adminAssign", "", "selfdestroy"} {
		if a, ok := speech.SelfAction(name); ok {
			t.Errorf("%q is %q", name, a)
		}
	}
	if !speech.IsAdminAction("AdminRenew") || speech.IsAdminAction("selfRenew") {
		t.Error("administrators' actions are not known")
	}
}
