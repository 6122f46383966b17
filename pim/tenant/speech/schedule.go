// Package speech is what the simulated services say alike: schedules and tickets in the
// bodies of requests, the names of actions, and what the books refuse, in words. How a refusal is
// wrapped is each service's own.
package speech

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/sosodev/duration"

	"roletray/pim/tenant/ledger"
)

// Schedule is the scheduleInfo of a request. Null and missing mean the same.
type Schedule struct {
	StartDateTime string `json:"startDateTime"`
	Expiration    struct {
		Type        string `json:"type"`
		EndDateTime string `json:"endDateTime"`
		Duration    string `json:"duration"`
	} `json:"expiration"`
}

// Parse is the schedule for the books. wrong is a sentence about the property that cannot
// be read, or empty.
func (s Schedule) Parse() (out ledger.Schedule, wrong string) {
	if s.StartDateTime != "" {
		var ok bool
		if out.Start, ok = parseTime(s.StartDateTime); !ok {
			return out, "The property 'scheduleInfo.startDateTime' is not a date and time."
		}
	}
	x := s.Expiration
	switch kind := strings.ToLower(x.Type); kind {
	case "", "notspecified":
	case "afterduration":
		out.Expiration = ledger.AfterDuration
		var err error
		if out.Duration, err = ParseDuration(x.Duration); err != nil {
			return out, "The property 'scheduleInfo.expiration.duration' is not a duration."
		}
	case "afterdatetime":
		out.Expiration = ledger.AfterDateTime
		var ok bool
		if out.End, ok = parseTime(x.EndDateTime); !ok {
			return out, "The property 'scheduleInfo.expiration.endDateTime' is not a date and time."
		}
	case "noexpiration":
		out.Expiration = ledger.NoExpiration
	default:
		return out, "The property 'scheduleInfo.expiration.type' is not known."
	}
	return out, ""
}

func parseTime(v string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		// Some clients leave the zone out; the services take it as UTC.
		t, err = time.Parse("2006-01-02T15:04:05.999999999", v)
	}
	return t.UTC(), err == nil && t.Year() >= 1 && t.Year() <= 9999
}

// ParseDuration takes an ISO 8601 duration between nothing and ten years.
func ParseDuration(v string) (time.Duration, error) {
	d, err := duration.Parse(v)
	if err != nil {
		return 0, err
	}
	const tenYears = 10 * 365 * 24 * time.Hour
	seconds := d.Seconds + 60*(d.Minutes+60*(d.Hours+24*(d.Days+7*d.Weeks+30.4*d.Months+365*d.Years)))
	if d.Negative || math.IsNaN(seconds) || seconds < 0 || seconds > tenYears.Seconds() {
		return 0, errors.New("out of range")
	}
	return d.ToTimeDuration(), nil
}

// Ticket is the ticketInfo of a request.
type Ticket struct {
	Number string `json:"ticketNumber"`
	System string `json:"ticketSystem"`
}
