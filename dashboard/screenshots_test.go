package dashboard_test

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "directory to write a picture of every page to")

// TestScreenshots makes the pictures of the documents when it is told where to (make screenshots). Names of all scripts take fonts
// of all scripts (Debian: fonts-noto-core, fonts-noto-cjk).
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Log("no -screenshots: nothing is drawn")
		return
	}
	a := newMonth(t, true)
	b := openBrowser(t)
	if err := os.MkdirAll(*screenshots, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, l := range looks[:3] {
		b.as(l)
		for _, id := range pageIDs {
			if l.name != "light" && id != "" && id != "volume" && id != "responsiveness" {
				continue // three are enough to show it
			}
			b.do(chromedp.Navigate(a.url + "/" + id))
			shot := ask(b, chromedp.FullScreenshot(100))
			name := id
			if name == "" {
				name = "live"
			}
			if l.name != "light" {
				name += "-" + l.name
			}
			if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), smaller(t, shot), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// smaller writes a picture with the 256 colors it has most of, which is a third of its size.
func smaller(t *testing.T, shot []byte) []byte {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	uses := map[color.RGBA]int{}
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			uses[color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)]++
		}
	}
	var all []color.RGBA
	for c := range uses {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int { return uses[b] - uses[a] })
	var palette color.Palette
	for _, c := range all[:min(256, len(all))] {
		palette = append(palette, c)
	}
	paletted := image.NewPaletted(bounds, palette)
	draw.Draw(paletted, bounds, picture, bounds.Min, draw.Src)
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&out, paletted); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
