//go:build !nowindow

package ui

import "roletray/app/view"

// Act does what a row or a menu offers.
func (u *UI) Act(a view.Action) { u.act(a) }
