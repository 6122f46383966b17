//go:build !nowindow

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// line is a text on one line that ends in an ellipsis where it is too long. It measures with the
// font that draws each letter: a label does not, and lets foreign letters run over
// what stands beside it.
type line struct {
	widget.BaseWidget
	text  string
	size  fyne.ThemeSizeName
	color fyne.ThemeColorName
	style fyne.TextStyle
}

func newLine(size fyne.ThemeSizeName, color fyne.ThemeColorName, bold bool) *line {
	l := &line{size: size, color: color, style: fyne.TextStyle{Bold: bold}}
	l.ExtendBaseWidget(l)
	return l
}

// FullText is the text with nothing cut off.
func (l *line) FullText() string { return l.text }

func (l *line) set(text string, color fyne.ThemeColorName) {
	if l.text != text || l.color != color {
		l.text, l.color = text, color
		l.Refresh()
	}
}

// wanted is the width of the whole text.
func (l *line) wanted() float32 {
	return fyne.MeasureText(l.text, theme.Size(l.size), l.style).Width + 2*theme.InnerPadding()
}

func (l *line) CreateRenderer() fyne.WidgetRenderer {
	r := &lineRenderer{line: l, text: canvas.NewText("", nil)}
	r.Refresh()
	return r
}

type lineRenderer struct {
	line *line
	text *canvas.Text
}

func (r *lineRenderer) Destroy()                     {}
func (r *lineRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.text} }
func (r *lineRenderer) MinSize() fyne.Size {
	pad := 2 * theme.InnerPadding()
	return fyne.NewSize(pad, fyne.MeasureText("M", theme.Size(r.line.size), r.line.style).Height+pad)
}

func (r *lineRenderer) Layout(s fyne.Size) {
	pad := theme.InnerPadding()
	width := max(s.Width-2*pad, 0)
	if fitted := fit(r.line.text, width, r.text.TextSize, r.text.TextStyle); fitted != r.text.Text {
		r.text.Text = fitted
		r.text.Refresh()
	}
	r.text.Move(fyne.NewPos(pad, pad))
	r.text.Resize(fyne.NewSize(width, s.Height-2*pad))
}

func (r *lineRenderer) Refresh() {
	r.text.TextSize, r.text.TextStyle, r.text.Color = theme.Size(r.line.size), r.line.style, paint(r.line.color)
	r.Layout(r.line.Size())
	r.text.Refresh()
}

// fit cuts a text that is wider than width, and marks it.
func fit(text string, width, size float32, style fyne.TextStyle) string {
	measure := func(s string) float32 { return fyne.MeasureText(s, size, style).Width }
	if text == "" || measure(text) <= width {
		return text
	}
	runes := []rune(text)
	low, high := 0, len(runes)
	for low < high {
		if middle := (low + high + 1) / 2; measure(string(runes[:middle])+"…") <= width {
			low = middle
		} else {
			high = middle - 1
		}
	}
	if low == 0 && measure("…") > width {
		return ""
	}
	return string(runes[:low]) + "…"
}
