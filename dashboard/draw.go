package dashboard

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// size is one of those a picture is drawn in, of which the stylesheet shows the one that fits the screen: scaled, its words would
// be too small or too large.
type size struct {
	name          string
	width, height int
}

var (
	halfSizes  = []size{{"wide", 520, 230}, {"narrow", 318, 200}}
	wholeSizes = []size{{"wide", 1080, 230}, {"medium", 520, 230}, {"narrow", 318, 200}}
)

// picture draws a panel in each size, and writes its numbers as a table.
func (v *visit) picture(p *panel, a *answer, pv *panelView) error {
	pv.IsPicture = true
	pic := &picture{id: p.id, title: p.title, kind: p.kind, unit: p.unit, currency: a.textAt(0, "currency")}
	axis := p.columns[0]
	pic.isNamed = axis.unit == bucket
	for i := range a.rows {
		pic.labels = append(pic.labels, v.axisText(axis, a.cell(i, axis.name)))
		tip := v.cell(p, axis, a, i).Text
		for _, c := range p.columns[1:] {
			tip += "\n" + c.label + ": " + write(a.cell(i, c.name), c.unit, pic.currency, v.zone)
		}
		pic.tips = append(pic.tips, tip)
	}
	isKnown := false
	for _, c := range p.columns[1:] {
		s := series{name: c.label, color: c.color, values: make([]float64, len(a.rows))}
		for i := range a.rows {
			s.values[i] = math.NaN()
			if value, ok := number(a.cell(i, c.name)); ok {
				s.values[i], isKnown = value, true
			}
		}
		pic.series = append(pic.series, s)
		pv.Legend = append(pv.Legend, legendView{c.label, c.color, p.kind == lines})
	}
	pv.Caption = v.caption(p, pic)
	if !isKnown {
		if pv.Empty = p.empty; pv.Empty == "" {
			pv.Empty = "Nothing of this could be measured in these days."
		}
		pv.IsPicture = false
		return nil
	}
	if len(pv.Legend) == 1 {
		pv.Legend = nil
	}
	pic.about = v.describe(p, pic)
	sizes := halfSizes
	if p.isWide {
		sizes = wholeSizes
	}
	for _, size := range sizes {
		drawn, err := pic.draw(size.width, size.height, size.name)
		if err != nil {
			return err
		}
		pv.Pictures = append(pv.Pictures, drawn)
	}
	pv.Table = v.table(p, a)
	return nil
}

// axisText is a label below a picture.
func (v *visit) axisText(c column, value any) string {
	d, ok := value.(time.Time)
	switch {
	case ok && v.filter.step() == "month":
		return d.Format("Jan 06")
	case ok:
		return d.Format("2 Jan")
	case c.unit == starsRow:
		return "★ " + write(value, count, "", v.zone)
	case c.unit == hour:
		return write(value, count, "", v.zone)
	}
	return write(value, c.unit, "", v.zone)
}

// caption says what the axes are.
func (v *visit) caption(p *panel, pic *picture) string {
	what := map[unit]string{count: p.counts(), seconds: "Time", percent: "Percent", tokens: "Tokens", money: strings.TrimSpace("Cost in " + pic.currency)}[p.unit]
	if p.unit == money && pic.currency == "" {
		what = "Cost"
	}
	switch p.columns[0].unit {
	case day:
		by := v.filter.step()
		if p.id == "backlog_by_day" {
			return what + " at the first midnight of each " + by
		}
		return what + " by " + by
	case hour:
		return what + " by hour of the day"
	}
	return what
}

// counts is what a count is of.
func (p *panel) counts() string {
	if p.what != "" {
		return p.what
	}
	return strings.ToUpper(p.counted[:1]) + p.counted[1:]
}

// describe tells what a picture shows to who cannot see it; the numbers are in the table beside it.
func (v *visit) describe(p *panel, pic *picture) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s to %s.", pic.title, pic.labels[0], pic.labels[len(pic.labels)-1])
	for _, s := range pic.series {
		at := -1
		for i, value := range s.values {
			if !math.IsNaN(value) && (at < 0 || value > s.values[at]) {
				at = i
			}
		}
		if at >= 0 {
			fmt.Fprintf(&b, " %s: at most %s, %s.", s.name, write(s.values[at], p.unit, pic.currency, v.zone), pic.labels[at])
		}
	}
	b.WriteString(" The numbers are in the table below.")
	return b.String()
}
