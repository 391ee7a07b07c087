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
	splitSizes = []size{{"wide", 520, 136}, {"narrow", 318, 136}}
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
	}
	pv.Caption = v.caption(p, a, pic)
	if _, of, hasOf := measured(a); !isKnown || hasOf && of == 0 && pic.highest() == 0 {
		switch pv.Empty = p.empty; {
		case pv.Empty != "":
		case isKnown:
			pv.Empty = v.nothing()
		default:
			pv.Empty = "Nothing of this could be measured in these days."
		}
		pv.IsPicture = false
		return nil
	}
	sizes := halfSizes
	switch {
	case p.isSplit:
		sizes = splitSizes
	case p.isWide:
		sizes = wholeSizes
	}
	for i, part := range pic.parts(p.isSplit) {
		part.about = v.describe(p, part)
		plot := plotView{Legend: part.legend(pv.Caption)}
		for _, size := range sizes {
			drawn, err := part.draw(size.width, size.height, fmt.Sprintf("%s%d", size.name, i), size.name)
			if err != nil {
				return err
			}
			plot.Pictures = append(plot.Pictures, drawn)
		}
		pv.Plots = append(pv.Plots, plot)
	}
	pv.Table = v.table(p, a)
	return nil
}

// parts are the pictures that are drawn: one, or one for each series, all of them with the same room for what is written beside them.
func (p *picture) parts(isSplit bool) (parts []*picture) {
	if !isSplit {
		return []*picture{p}
	}
	for _, s := range p.series {
		part := *p
		part.series = []series{s}
		parts = append(parts, &part)
	}
	for _, part := range parts {
		p.left = max(p.left, part.roomLeft())
	}
	for _, part := range parts {
		part.left = p.left
	}
	return parts
}

// legend says which series is which; it is none where the title or caption has said it.
func (p *picture) legend(caption string) (legend []legendView) {
	if len(p.series) == 1 && (p.series[0].name == p.title || strings.HasPrefix(caption, p.series[0].name)) {
		return nil
	}
	for _, s := range p.series {
		legend = append(legend, legendView{s.name, s.color, p.kind == lines})
	}
	return legend
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
func (v *visit) caption(p *panel, a *answer, pic *picture) string {
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
		last, _ := a.cell(len(a.rows)-1, p.columns[0].name).(time.Time)
		switch {
		case by == "day" && last.Equal(v.today):
			return what + " by day, today so far"
		case by != "day" && v.filter.to.Equal(v.today) && last.After(v.today.AddDate(0, 0, -31)):
			return what + " by " + by + ", the last so far"
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
