// Package world holds what every service of the simulated tenant shares: its
// clock, the people and groups in its directory, and the caller that an access
// token stands for. It knows no protocol.
package world

import (
	"strings"
	"sync"
	"time"
)

// Clock is the tenant's own time. It starts at a given moment, can run faster
// than the computer's clock and can be moved forward. It never goes back.
// A Clock is safe for concurrent use; make one with NewClock.
type Clock struct {
	mu     sync.Mutex
	origin time.Time
	start  time.Time
	speed  float64
}

// NewClock returns a clock that shows start now and runs speed times as fast as
// the computer's clock. A speed of zero or less means 1.
func NewClock(start time.Time, speed float64) *Clock {
	if speed <= 0 {
		speed = 1
	}
	return &Clock{origin: time.Now(), start: start.UTC().Round(0), speed: speed}
}

// Now is the tenant's time in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start.Add(time.Duration(float64(time.Since(c.origin)) * c.speed))
}

// Speed is how many seconds of this clock pass in one second of the computer's.
func (c *Clock) Speed() float64 { return c.speed }

// Advance moves the clock forward by d; a negative d is ignored.
func (c *Clock) Advance(d time.Duration) {
	if d <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start = c.start.Add(d)
}

// User is a person in the directory.
type User struct {
	// ID is the object id, a GUID in lower case.
	ID string
	// Name is the display name.
	Name string
	// UPN is the user principal name, as typed at sign-in.
	UPN string
	// Groups are the object ids of the groups that the user is a member of.
	Groups []string
}

// Group is a security group in the directory.
type Group struct {
	ID   string
	Name string
	// RoleAssignable groups can be given directory roles.
	RoleAssignable bool
}

// Directory is the tenant's people and groups. It does not change after it was
// made, so it may be read from any goroutine.
type Directory struct {
	TenantID string
	// Name is the organisation's display name.
	Name string
	// Domain is the suffix of every UPN.
	Domain string
	Users  []User
	Groups []Group
}

// User returns the user with that object id or UPN, without regard to case.
func (d *Directory) User(idOrUPN string) (User, bool) {
	for _, u := range d.Users {
		if strings.EqualFold(u.ID, idOrUPN) || strings.EqualFold(u.UPN, idOrUPN) {
			return u, true
		}
	}
	return User{}, false
}

// Group returns the group with that object id, without regard to case.
func (d *Directory) Group(id string) (Group, bool) {
	for _, g := range d.Groups {
		if strings.EqualFold(g.ID, id) {
			return g, true
		}
	}
	return Group{}, false
}
