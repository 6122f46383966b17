// Command barewindow is the least Fyne window: what the benchmarks hold the
// window against.
package main

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/widget"
)

func main() {
	w := app.NewWithID("io.github.roletray.barewindow").NewWindow("Bare window")
	w.SetContent(widget.NewLabel("bare"))
	w.Resize(fyne.NewSize(800, 600))
	w.ShowAndRun()
}
