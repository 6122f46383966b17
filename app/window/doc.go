// Package window shows Roletray's window: a client of the agent that is started
// on demand and ends when its window closes. It is the only room that knows Fyne, and
// the build tag nowindow leaves it out. Everything but Run itself is in packages that
// need neither cgo nor a display: theme has the looks, ui the widgets.
package window
