// Command gen renders assets/roletray.svg into the icons that the program
// embeds: one for each state of the tray in three colourings, as PNG and as ICO,
// and the application's icon. Run it with go generate ./assets after a change to the drawing.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// states names the groups of the drawing that make up each state. They differ in
// shape, not in colour alone.
var states = map[string][]string{
	"signed-out": {"halo", "outline", "slash"},
	"idle":       {"halo", "outline", "keyhole"},
	"active":     {"halo", "body", "check"},
	"expiring":   {"halo", "body", "clock"},
	"attention":  {"halo", "body", "bang"},
	"offline":    {"halo", "outline", "dots"},
}

// fills is the body's colour by state.
var fills = map[string]string{"active": "#1f9d61", "expiring": "#e08a00", "attention": "#d13438"}

const size = 64

func run(dir string) error {
	drawing, err := os.ReadFile(filepath.Join(dir, "roletray.svg"))
	if err != nil {
		return err
	}
	for state, groups := range states {
		for _, c := range []struct{ name, ink, halo string }{
			{"on-light", "#2b3440", "#ffffff"},
			{"on-dark", "#f4f6f8", "#20262e"},
		} {
			img, err := render(drawing, groups, size, map[string]string{
				"ink": c.ink, "halo": c.halo, "mark": "#ffffff", "fill": or(fills[state], c.ink),
			})
			if err != nil {
				return err
			}
			base := filepath.Join(dir, "tray", state+"-"+c.name)
			if err := writePNG(base+".png", img); err != nil {
				return err
			}
			if err := writeICO(base+".ico", drawing, groups, map[string]string{
				"ink": c.ink, "halo": c.halo, "mark": "#ffffff", "fill": or(fills[state], c.ink),
			}); err != nil {
				return err
			}
		}
		// A macOS template image is alpha only: the sign is cut out of the body.
		if err := writeTemplate(filepath.Join(dir, "tray", state+"-template.png"), drawing, groups); err != nil {
			return err
		}
	}
	app, err := render(drawing, []string{"body", "check"}, 512, map[string]string{"fill": "#2f6fde", "mark": "#ffffff"})
	if err != nil {
		return err
	}
	return writePNG(filepath.Join(dir, "icon.png"), app)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

var group = regexp.MustCompile(`(?s)<g id="([a-z]+)">.*?</g>`)

// render draws the named groups, in the drawing's order, on a square of px pixels.
func render(drawing []byte, groups []string, px int, colours map[string]string) (*image.RGBA, error) {
	var parts []string
	for _, m := range group.FindAllSubmatch(drawing, -1) {
		for _, g := range groups {
			if string(m[1]) == g {
				parts = append(parts, string(m[0]))
			}
		}
	}
	svg := `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">` + strings.Join(parts, "") + `</svg>`
	for name, colour := range colours {
		svg = strings.ReplaceAll(svg, "{{"+name+"}}", colour)
	}
	icon, err := oksvg.ReadIconStream(strings.NewReader(svg), oksvg.StrictErrorMode)
	if err != nil {
		return nil, fmt.Errorf("read the drawing: %w", err)
	}
	icon.SetTarget(0, 0, float64(px), float64(px))
	img := image.NewRGBA(image.Rect(0, 0, px, px))
	icon.Draw(rasterx.NewDasher(px, px, rasterx.NewScannerGV(px, px, img, img.Bounds())), 1)
	return img, nil
}

// writeTemplate renders black on transparent. White marks on a body become holes.
func writeTemplate(path string, drawing []byte, groups []string) error {
	var shape, cut []string
	for _, g := range groups {
		switch g {
		case "halo":
		case "check", "clock", "bang":
			cut = append(cut, g)
		default:
			shape = append(shape, g)
		}
	}
	black := map[string]string{"ink": "#000000", "fill": "#000000", "mark": "#000000", "halo": "none"}
	img, err := render(drawing, shape, size, black)
	if err != nil {
		return err
	}
	if len(cut) > 0 {
		holes, err := render(drawing, cut, size, black)
		if err != nil {
			return err
		}
		for i := 3; i < len(img.Pix); i += 4 {
			img.Pix[i] = uint8(int(img.Pix[i]) * (255 - int(holes.Pix[i])) / 255)
		}
	}
	return writePNG(path, img)
}

func writePNG(path string, img image.Image) error {
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// writeICO writes the sizes that Windows shows in its notification area, each as
// a PNG inside the ICO container.
func writeICO(path string, drawing []byte, groups []string, colours map[string]string) error {
	sizes := []int{16, 20, 24, 32, 48}
	var images [][]byte
	for _, px := range sizes {
		img, err := render(drawing, groups, px, colours)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			return err
		}
		images = append(images, b.Bytes())
	}
	var out bytes.Buffer
	le := binary.LittleEndian
	out.Write(le.AppendUint16(le.AppendUint16(le.AppendUint16(nil, 0), 1), uint16(len(sizes))))
	offset := 6 + 16*len(sizes)
	for i, px := range sizes {
		out.Write([]byte{byte(px), byte(px), 0, 0, 1, 0, 32, 0})
		out.Write(le.AppendUint32(le.AppendUint32(nil, uint32(len(images[i]))), uint32(offset)))
		offset += len(images[i])
	}
	for _, b := range images {
		out.Write(b)
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}
