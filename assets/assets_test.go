package assets_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"testing"

	"roletray/assets"
)

func TestEveryStateHasItsIcons(t *testing.T) {
	shapes := map[string]string{}
	for _, state := range assets.TrayStates() {
		for _, c := range []assets.Colouring{assets.OnLight, assets.OnDark, assets.Template} {
			b, err := assets.TrayPNG(state, c)
			if err != nil {
				t.Fatal(err)
			}
			img, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatalf("%s %s: %v", state, c, err)
			}
			if img.Bounds().Dx() != 64 || img.Bounds().Dy() != 64 {
				t.Errorf("%s %s is %v, want 64 by 64", state, c, img.Bounds())
			}
			if c == assets.Template {
				s := silhouette(img)
				if other, same := shapes[s]; same {
					t.Errorf("%s and %s have the same shape: colour alone tells them apart", state, other)
				}
				shapes[s] = state
			}
		}
		for _, c := range []assets.Colouring{assets.OnLight, assets.OnDark} {
			b, err := assets.TrayICO(state, c)
			if err != nil {
				t.Fatal(err)
			}
			checkICO(t, state, b)
		}
	}
	if _, err := assets.TrayPNG("no such state", assets.OnDark); err == nil {
		t.Error("an unknown state has an icon")
	}
}

// silhouette is which pixels are opaque.
func silhouette(img image.Image) string {
	var b []byte
	for y := range 64 {
		for x := range 64 {
			_, _, _, a := img.At(x, y).RGBA()
			b = append(b, byte(a>>15))
		}
	}
	return string(b)
}

func checkICO(t *testing.T, state string, b []byte) {
	t.Helper()
	le := binary.LittleEndian
	if le.Uint16(b) != 0 || le.Uint16(b[2:]) != 1 {
		t.Fatalf("%s: not an icon file", state)
	}
	for i := range int(le.Uint16(b[4:])) {
		entry := b[6+16*i:]
		at, n := le.Uint32(entry[12:]), le.Uint32(entry[8:])
		img, err := png.Decode(bytes.NewReader(b[at : at+n]))
		if err != nil {
			t.Fatalf("%s, image %d: %v", state, i, err)
		}
		if img.Bounds().Dx() != int(entry[0]) {
			t.Errorf("%s, image %d is %d wide, its entry says %d", state, i, img.Bounds().Dx(), entry[0])
		}
	}
}

func TestApplicationIcon(t *testing.T) {
	img, err := png.Decode(bytes.NewReader(assets.Icon()))
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds().Dx() != 512 {
		t.Errorf("the icon is %d wide, want 512", img.Bounds().Dx())
	}
}
