package view

import "time"

// Tray is everything the tray shows.
type Tray struct {
	Menu []Item
	Icon Icon
	// Tooltip says what is active and until when, on one or a few lines.
	Tooltip string
	// Badge counts what waits for somebody: requests pending and accounts to sign
	// in again.
	Badge int
	// Next is the first moment at which the tray changes by time alone; zero when
	// time changes nothing.
	Next time.Time
}

// Item is an entry of the tray's menu. Two menus with equal items look the same.
type Item struct {
	// ID is unique in the menu and stays while the entry means the same.
	ID    string
	Label string
	// Enabled says that it can be chosen, or opened where it has children.
	Enabled   bool
	Checked   bool
	Separator bool
	// Children are the entries of a submenu. They have none themselves.
	Children []Item
	// Action is what choosing it does, nil for nothing.
	Action Action
}

// Icon is a state of the tray's icon.
type Icon string

// The states of the icon.
const (
	// IconSignedOut: no account.
	IconSignedOut Icon = "signed-out"
	// IconIdle: nothing is active.
	IconIdle Icon = "idle"
	// IconActive: at least one role is active.
	IconActive Icon = "active"
	// IconExpiring: an active role ends within the longest reminder lead.
	IconExpiring Icon = "expiring"
	// IconAttention: something needs the person, such as a sign-in.
	IconAttention Icon = "attention"
	// IconOffline: the services cannot be reached.
	IconOffline Icon = "offline"
)
