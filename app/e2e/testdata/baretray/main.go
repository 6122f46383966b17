// Command baretray is the least tray program: what the benchmarks hold the agent
// against.
package main

import (
	"bytes"
	"image"
	"image/png"

	"fyne.io/systray"
)

func main() {
	systray.Run(func() {
		var icon bytes.Buffer
		if err := png.Encode(&icon, image.NewRGBA(image.Rect(0, 0, 64, 64))); err != nil {
			panic(err)
		}
		systray.SetIcon(icon.Bytes())
		systray.SetTitle("Bare tray")
		systray.AddMenuItem("Quit", "")
	}, nil)
}
