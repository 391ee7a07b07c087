package dashboard

import (
	"fmt"
	"html/template"
	"math"
	"regexp"
	"strings"

	"github.com/go-analyze/charts"
)

// picture is what is drawn: values over categories, from a baseline of 0.
type picture struct {
	id, title, about string
	kind             kind // lines, bars or stacked
	unit             unit
	currency         string
	labels           []string // of the categories, short
	tips             []string // what is said of a category when it is pointed at
	series           []series
	isNamed          bool // the categories are names, none of which can be left out
	left             int  // pixels that are kept free beside the value axis, at least
}

type series struct {
	name   string
	color  int       // of the palette, from 1; the stylesheet has a value for light and one for dark
	values []float64 // NaN: not known
}

const (
	// fine is how much finer than a pixel the chart library, which counts in whole ones, places things.
	fine = 4
	// letter is as wide as a letter of the axes gets in the fonts that browsers fall back to, in pixels.
	letter = 7
	// thickest is how wide a bar gets, in pixels.
	thickest = 44
	// dot is the radius of a point of a line, in pixels.
	dot = 2.6

	marginTop, marginBottom, marginRight = 10, 31, 8
	labelGap, labelHeight                = 6, 18
)

// draw draws the picture at a size in pixels; its name is part of ids, its class tells the stylesheet for which screens it is. The chart library places the bars and lines; colors are left to the stylesheet, so
// that dark mode works and the Content-Security-Policy allows no style attribute, and labels are placed here, where it is known
// how wide a browser's fonts can be.
func (p *picture) draw(width, height int, name, class string) (template.HTML, error) {
	ticks := p.ticks()
	top := ticks[len(ticks)-1]
	left := max(p.left, p.roomLeft())
	plot := box{left, marginTop, width - left - marginRight, height - marginTop - marginBottom}
	if _, rows := p.spread(float64(plot.w) / float64(len(p.labels))); rows > 1 {
		plot.h -= labelHeight
	}
	marks, err := p.marks(plot, top)
	if err != nil {
		return "", fmt.Errorf("drawing %s: %w", p.id, err)
	}
	var b strings.Builder
	title, desc := "t-"+p.id+name, "d-"+p.id+name
	fmt.Fprintf(&b, `<svg class="picture %s" viewBox="0 0 %d %d" role="img" aria-labelledby="%s %s">`, class, width, height, title, desc)
	fmt.Fprintf(&b, `<title id="%s">%s</title><desc id="%s">%s</desc>`, title, escape(p.title), desc, escape(p.about))
	for i, tick := range ticks {
		y := float64(plot.y+plot.h) - float64(plot.h)*tick/top
		kind := "grid"
		if i == 0 {
			kind = "base"
		}
		fmt.Fprintf(&b, `<line class="%s" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`, kind, plot.x, plot.x+plot.w, y, y)
		fmt.Fprintf(&b, `<text class="tick" x="%d" y="%.1f" text-anchor="end">%s</text>`, plot.x-6, y+4, escape(p.tickText(tick)))
	}
	fmt.Fprintf(&b, `<g transform="scale(%g)">%s</g>`, 1.0/fine, marks)
	p.categories(&b, plot, width)
	b.WriteString(`</svg>`)
	return template.HTML(b.String()), nil //nolint:gosec // built here; every text in it is escaped
}

// roomLeft is how many pixels what is written beside the value axis takes.
func (p *picture) roomLeft() (left int) {
	for _, tick := range p.ticks() {
		left = max(left, len([]rune(p.tickText(tick)))*letter+10)
	}
	return left
}

// box is where the marks go, in pixels.
type box struct{ x, y, w, h int }

// marks are the bars or lines, in units of a pixel by fine.
func (p *picture) marks(plot box, top float64) (string, error) {
	theme := charts.MakeTheme(charts.ThemeOption{BackgroundColor: charts.ColorTransparent, SeriesColors: sentinels(p.series)})
	painter := charts.NewPainter(charts.PainterOptions{
		OutputFormat: charts.ChartOutputSVG, Width: (plot.x + plot.w + marginRight) * fine, Height: (plot.y + plot.h + marginBottom) * fine, Theme: theme,
	})
	values := make([][]float64, len(p.series))
	for i, s := range p.series {
		values[i] = make([]float64, len(s.values))
		for j, v := range s.values {
			values[i][j] = v
			if math.IsNaN(v) {
				values[i][j] = charts.GetNullValue()
			}
		}
	}
	padding := charts.NewBox(plot.x*fine, plot.y*fine, marginRight*fine, marginBottom*fine)
	axis := []charts.ValueAxisOption{{Show: charts.Ptr(false), Min: charts.Ptr(0.0), Max: charts.Ptr(top), LabelCount: 2, RangeValuePaddingScale: charts.Ptr(0.0)}}
	labels := make([]string, len(p.labels))
	var err error
	if p.kind == lines {
		o := charts.NewLineChartOptionWithData(values)
		o.Theme, o.Padding, o.YAxis = theme, padding, axis
		o.XAxis = charts.XAxisOption{Show: charts.Ptr(false), Labels: labels, BoundaryGap: charts.Ptr(true)}
		o.Legend.Show = charts.Ptr(false)
		o.Symbol.Shape = charts.SymbolDot
		if len(p.labels) > 60 {
			o.Symbol.Shape = charts.SymbolNone
		}
		err = painter.LineChart(o)
	} else {
		o := charts.NewBarChartOptionWithData(values)
		o.Theme, o.Padding, o.ValueAxis = theme, padding, axis
		o.CategoryAxis = charts.CategoryAxisOption{Show: charts.Ptr(false), Labels: labels}
		o.Legend.Show = charts.Ptr(false)
		o.StackSeries = charts.Ptr(p.kind == stacked)
		o.BarSize = min(0.72, thickest*float64(len(p.labels))/float64(plot.w))
		err = painter.BarChart(o)
	}
	if err != nil {
		return "", err
	}
	svg, err := painter.Bytes()
	if err != nil {
		return "", err
	}
	return p.restyled(string(svg)), nil
}

// sentinels are colors that only say which series a mark is of.
func sentinels(all []series) (colors []charts.Color) {
	for i := range all {
		colors = append(colors, charts.ColorRGB(uint8(i+1), 0, 0))
	}
	return colors
}

var (
	mark     = regexp.MustCompile(`(?s)<(path|circle) ([^>]*?) ?style="([^"]*)"/>`)
	sentinel = regexp.MustCompile(`(stroke|fill):rgb\((\d+),0,0\)`)
	radius   = regexp.MustCompile(`r="[^"]*"`)
)

// restyled takes the marks out of the library's SVG and puts classes where it had colors.
func (p *picture) restyled(svg string) string {
	var b strings.Builder
	for _, m := range mark.FindAllStringSubmatch(svg, -1) {
		found := sentinel.FindStringSubmatch(m[3])
		if found == nil {
			continue // the background
		}
		var number int
		if _, err := fmt.Sscan(found[2], &number); err != nil || number < 1 || number > len(p.series) {
			continue
		}
		shape, attributes := "bar", strings.ReplaceAll(m[2], "\n", " ")
		switch {
		case m[1] == "circle":
			shape, attributes = "dot", radius.ReplaceAllString(attributes, fmt.Sprintf(`r="%g"`, dot*fine))
		case strings.Contains(m[3], "fill:none"):
			shape = "line"
		}
		fmt.Fprintf(&b, `<%s class="%s c%d" %s/>`, m[1], shape, p.series[number-1].color, attributes)
	}
	return b.String()
}

// categories writes the labels below, as many as fit, and lays over each category a field that tells what it shows.
func (p *picture) categories(b *strings.Builder, plot box, width int) {
	n := len(p.labels)
	slot := float64(plot.w) / float64(n)
	stride, rows := p.spread(slot)
	ends := make([]float64, rows) // where the last label of each row ends
	for i := 0; i < n; i += stride {
		row := i / stride % rows
		label := shortened(p.labels[i], int(slot*float64(stride*rows))/letter)
		half := float64(len([]rune(label))*letter) / 2
		x := float64(plot.x) + (float64(i)+0.5)*slot
		x = min(max(x, half), float64(width)-half)
		if x-half < ends[row] {
			continue
		}
		ends[row] = x + half + labelGap
		fmt.Fprintf(b, `<text class="tick" x="%.1f" y="%d" text-anchor="middle">%s</text>`, x, plot.y+plot.h+23+row*labelHeight, escape(label))
	}
	for i, tip := range p.tips {
		fmt.Fprintf(b, `<rect class="field" x="%.1f" y="%d" width="%.1f" height="%d"><title>%s</title></rect>`,
			float64(plot.x)+float64(i)*slot, plot.y, slot, plot.h, escape(tip))
	}
}

// spread says for which categories there is room for a label, one in stride of them, and in how many rows. Days can be left out, for
// they go on by themselves; other names cannot, and rather go into a second row.
func (p *picture) spread(slot float64) (stride, rows int) {
	needed := 0.0
	for i, l := range p.labels {
		next := l
		if i+1 < len(p.labels) {
			next = p.labels[i+1]
		}
		needed = max(needed, float64((len([]rune(l))+len([]rune(next)))*letter)/2+labelGap)
	}
	stride = max(1, int(math.Ceil(needed/slot)))
	if p.isNamed && stride > 1 {
		return 1, 2
	}
	return stride, 1
}

func shortened(s string, most int) string {
	if r := []rune(s); len(r) > max(most, 4) {
		return string(r[:max(most, 4)-1]) + "…"
	}
	return s
}

// steps are the round distances between ticks.
var timeSteps = []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400, 14 * 86400, 28 * 86400, 91 * 86400, 364 * 86400}

// ticks are where the value axis has lines, from 0 to above the highest value.
func (p *picture) ticks() (ticks []float64) {
	highest := p.highest()
	step := 1.0
	const most = 4 // steps
	switch {
	case p.unit == percent && highest <= 100:
		return []float64{0, 25, 50, 75, 100}
	case p.unit == seconds && highest <= most*timeSteps[len(timeSteps)-1]:
		for _, step = range timeSteps {
			if step*most >= highest {
				break
			}
		}
	case highest > 0:
		step = math.Pow(10, math.Floor(math.Log10(highest/most)))
		for _, factor := range []float64{1, 2, 2.5, 5, 10} {
			if step*factor*most >= highest {
				step *= factor
				break
			}
		}
		if p.unit != money {
			step = max(math.Ceil(step), 1)
		}
	}
	for tick := 0.0; ; tick += step {
		ticks = append(ticks, tick)
		if tick >= highest && len(ticks) > 1 {
			return ticks
		}
	}
}

func (p *picture) highest() (highest float64) {
	for i := range p.labels {
		sum := 0.0
		for _, s := range p.series {
			v := s.values[i]
			if math.IsNaN(v) {
				continue
			}
			if p.kind != stacked {
				sum = 0
			}
			sum += v
			highest = max(highest, sum)
		}
	}
	return highest
}

// tickText writes a tick shorter than a value would be.
func (p *picture) tickText(v float64) string {
	switch {
	case v == 0:
		return "0"
	case p.unit == percent:
		return fmt.Sprintf("%g %%", v)
	case p.unit == seconds:
		return shortDuration(v)
	case p.unit == money && v < 1000:
		decimals := 0
		for step := p.ticks()[1]; math.Abs(step-math.Round(step)) > 1e-9 && decimals < 6; step *= 10 {
			decimals++
		}
		return grouped(v, decimals)
	}
	return compact(v)
}

// shortDuration is for ticks, which are round.
func shortDuration(s float64) string {
	for _, u := range []struct {
		seconds float64
		name    string
	}{{86400, " d"}, {3600, " h"}, {60, " min"}} {
		if s >= u.seconds && math.Mod(s, u.seconds/2) == 0 {
			return fmt.Sprintf("%g%s", s/u.seconds, u.name)
		}
	}
	if s == math.Trunc(s) && s < 60 {
		return fmt.Sprintf("%g s", s)
	}
	return duration(s)
}

func escape(s string) string { return template.HTMLEscapeString(s) }
