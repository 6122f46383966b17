package session

import "time"

// Clock is the time of the account's tenant. It is safe for concurrent use.
type Clock interface {
	// Now is the tenant's time.
	Now() time.Time
	// Real is how long d of the tenant's time takes on the computer's clock.
	Real(d time.Duration) time.Duration
}

type computerClock struct{}

func (computerClock) Now() time.Time                     { return time.Now().UTC().Round(0) }
func (computerClock) Real(d time.Duration) time.Duration { return d }

// sleepWatch notices that the computer slept or that its clock was set: the wall
// clock then has moved otherwise than the monotonic one.
type sleepWatch struct {
	wall func() time.Time
	last time.Time
	mono time.Time
}

// maxDrift is how far the clocks may part between two looks.
const maxDrift = 20 * time.Second

func (w *sleepWatch) jumped() bool {
	wall, mono := w.wall().Round(0), time.Now()
	last, lastMono := w.last, w.mono
	w.last, w.mono = wall, mono
	if last.IsZero() {
		return false
	}
	return (wall.Sub(last) - mono.Sub(lastMono)).Abs() > maxDrift
}
