//go:build !nowindow

package ui

import "fyne.io/fyne/v2"

// Still returns the application with nothing in it moving by itself. A caret that blinks
// repaints the whole window a dozen times in a second, which without a graphics
// processor costs a tenth of a core for as long as the window is open.
func Still(a fyne.App) fyne.App { return stillApp{a} }

type stillApp struct{ fyne.App }

func (a stillApp) Settings() fyne.Settings { return stillSettings{a.App.Settings()} }

type stillSettings struct{ fyne.Settings }

func (stillSettings) ShowAnimations() bool { return false }
