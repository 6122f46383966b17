//go:build !nowindow

package ui

// Raised is the number of the last ask for the window that it has met. It is for
// the goroutine of the user interface, or for after its end.
func (u *UI) Raised() int { return u.raised }
