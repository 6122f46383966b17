// Package notify shows desktop notifications with action buttons: over D-Bus on
// Linux, as toasts through COM on Windows, through the notification centre on
// macOS. It decides nothing: what to tell and what a button does is its caller's.
// Text is data everywhere. It never becomes part of a script or of markup.
package notify

import (
	"errors"

	"roletray/pim"
)

// ErrUnavailable says that this desktop shows no notifications, for example
// because no session bus or no notification service runs.
var ErrUnavailable = errors.New("this desktop shows no notifications")

// Note is one notification.
type Note struct {
	// ID is the caller's own. A note replaces an earlier one with the same ID.
	ID    string
	Title string
	Body  string
	// Actions are the buttons, at most three. A desktop without buttons shows
	// the note without them.
	Actions []Action
	// Urgent notes stay until they are dismissed, where the desktop can do that.
	Urgent bool
}

// Action is a button.
type Action struct {
	ID    string
	Label string
}

// Default is the ID of the action that a click on the note itself means.
const Default = "default"

// clean makes the note's texts safe to show, whatever server they came from.
func (n Note) clean() Note {
	n.Title = pim.CleanText(n.Title, 120)
	n.Body = pim.CleanText(n.Body, 400)
	n.Actions = append([]Action(nil), n.Actions[:min(len(n.Actions), 3)]...)
	for i := range n.Actions {
		n.Actions[i].Label = pim.CleanText(n.Actions[i].Label, 40)
	}
	return n
}

// Params are what a Notifier is made of.
type Params struct {
	// AppName is shown as the sender, AppID identifies the application to the
	// desktop.
	AppName, AppID string
	// OpenLabel names what a click on the note does, where the desktop shows it.
	OpenLabel string
	// IconPath is a PNG file, or empty.
	IconPath string
	// Acted is called when the person chose an action or, with Default, clicked
	// the note. It is called on a goroutine of the notifier and must not block.
	Acted func(note, action string)
}
