package dashboard

import (
	"math"
	"regexp"
	"strconv"
	"testing"
)

// sights are how colors are seen, as matrices on linear red, green and blue: by most, and by who has no cones for red, green or blue
// (Machado, Oliveira and Fernandes, 2009, at full severity).
var sights = map[string][3][3]float64{
	"by most":       {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"without red":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"without green": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"without blue":  {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// leastDistance is how far two colors are apart at least, in CIELAB; 2.3 is what can just be told when they lie side by side.
const leastDistance = 15

func TestTheColorsOfAPictureAreToldApartByEverybody(t *testing.T) {
	t.Parallel()
	style, err := files.ReadFile("static/style.css")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`--c(\d): #([0-9a-f]{6});`).FindAllSubmatch(style, -1)
	if len(found) != 10 {
		t.Fatalf("the stylesheet has %d colors, want five for light and five for dark", len(found))
	}
	for i, theme := range []string{"light", "dark"} {
		palette := map[int]string{}
		for _, m := range found[5*i : 5*i+5] {
			number, _ := strconv.Atoi(string(m[1]))
			palette[number] = string(m[2])
		}
		for _, page := range pages {
			for _, p := range page.panels {
				if p.kind == figures || p.kind == table || p.kind == heat || p.isSplit {
					continue
				}
				for j, a := range p.columns[1:] {
					for _, b := range p.columns[1 : 1+j] {
						for who, sight := range sights {
							if d := distance(seen(palette[a.color], sight), seen(palette[b.color], sight)); d < leastDistance {
								t.Errorf("in %s, %s and %s of %s are %.1f apart when seen %s, want %d or more", theme, a.label, b.label, p.id, d, who, leastDistance)
							}
						}
					}
				}
			}
		}
	}
}

// seen is a color in CIELAB, as it is seen.
func seen(hex string, sight [3][3]float64) (lab [3]float64) {
	var linear, rgb [3]float64
	for i := range linear {
		n, _ := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if c := float64(n) / 255; c <= 0.04045 {
			linear[i] = c / 12.92
		} else {
			linear[i] = math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	for i, row := range sight {
		rgb[i] = min(1, max(0, row[0]*linear[0]+row[1]*linear[1]+row[2]*linear[2]))
	}
	curve := func(t float64) float64 {
		if t > 0.008856 {
			return math.Cbrt(t)
		}
		return 7.787*t + 16.0/116
	}
	x := curve((0.4124*rgb[0] + 0.3576*rgb[1] + 0.1805*rgb[2]) / 0.95047)
	y := curve(0.2126*rgb[0] + 0.7152*rgb[1] + 0.0722*rgb[2])
	z := curve((0.0193*rgb[0] + 0.1192*rgb[1] + 0.9505*rgb[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func distance(a, b [3]float64) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}
