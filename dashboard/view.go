package dashboard

import (
	"fmt"
	"html/template"
	"math"
	"net/url"
	"strings"
	"time"
)

// panelView is a panel as the template writes it.
type panelView struct {
	ID, Title, Definition, Caption string
	Class                          string
	Error, Empty                   string
	Coverage                       *coverageView
	Unfiltered                     string // which of the filters that are set do not touch it
	SQL, CSV                       string // addresses
	Figures                        []figureView
	Legend                         []legendView
	Pictures                       []template.HTML // one for each size of screen
	Table                          *tableView      // of a picture: the numbers behind it
	Heat                           *heatView
	IsPicture                      bool
}

type coverageView struct {
	Text    string
	Percent string // of what should be measured; empty when that is not known
	IsLow   bool
}

type figureView struct{ Label, Value, Second, Coverage string }

type legendView struct {
	Name   string
	Color  int
	IsLine bool
}

type tableView struct {
	Head []headView
	Rows [][]cellView
}

type headView struct {
	Label     string
	IsNumeric bool
}

type cellView struct {
	Text      string
	IsNumeric bool
	IsNone    bool
	IsShort   bool   // not to be broken into lines
	Link      string // of the chat, elsewhere
	Choose    string // the address that filters by it
	Bar       string // its length in percent; empty: none
}

type heatView struct {
	Hours []string
	Rows  []heatRow
}

type heatRow struct {
	Day   string
	Cells []heatCell
}

type heatCell struct {
	Text, Tip string
	Shade     int // 0 to 7
}

// lowCoverage is below how many percent a coverage stands out.
const lowCoverage = 90

// view makes of a panel's rows what is written.
func (v *visit) view(p *panel, a *answer) (*panelView, error) {
	pv := v.frame(p)
	if len(a.rows) == 0 {
		pv.Empty = p.empty
		if pv.Empty == "" {
			pv.Empty = "The archive has nothing of these days."
		}
		if p.counted != "" {
			pv.Coverage = coverageOf(0, 0, false, p.counted)
		}
		return pv, nil
	}
	pv.Coverage = coverage(p, a)
	switch p.kind {
	case figures:
		pv.Figures = v.figures(p, a)
		pv.Coverage = nil // each has its own
	case table:
		pv.Table = v.table(p, a)
	case heat:
		pv.Heat = v.heat(p, a)
	default:
		if err := v.picture(p, a, pv); err != nil {
			return nil, err
		}
	}
	return pv, nil
}

// frame is a panel without its rows.
func (v *visit) frame(p *panel) *panelView {
	pv := &panelView{
		ID: p.id, Title: p.title, Definition: p.definition, Class: "half",
		SQL: v.filter.url("/sql/" + p.id), CSV: v.filter.url("/csv/" + p.id + ".csv"),
	}
	if p.isWide {
		pv.Class = "whole"
	}
	var ignored []string
	for _, name := range []string{"assistant", "agent", "channel"} {
		if v.filter.get(name) != "" && !p.obeys(name) {
			ignored = append(ignored, name)
		}
	}
	if len(ignored) > 0 {
		pv.Unfiltered = "Not filtered by " + strings.Join(ignored, " or ")
	}
	return pv
}

// coverage is of all rows together.
func coverage(p *panel, a *answer) *coverageView {
	n, of, hasOf := int64(0), int64(0), false
	if a.at("total_n") >= 0 {
		n, _ = a.cell(0, "total_n").(int64)
		of, hasOf = a.cell(0, "total_of").(int64)
	} else if a.at("n") >= 0 {
		for i := range a.rows {
			rowN, _ := a.cell(i, "n").(int64)
			rowOf, has := a.cell(i, "of").(int64)
			n, of, hasOf = n+rowN, of+rowOf, hasOf || has
		}
	} else {
		return nil
	}
	return coverageOf(n, of, hasOf, p.counted)
}

func coverageOf(n, of int64, hasOf bool, counted string) *coverageView {
	c := &coverageView{Text: "n " + grouped(float64(n), 0)}
	if hasOf {
		c.Text += " of " + grouped(float64(of), 0)
		if of > 0 {
			share := 100 * float64(n) / float64(of)
			c.IsLow = share < lowCoverage
			c.Percent = fmt.Sprintf("%.0f %%", math.Floor(share))
		}
	}
	if counted != "" {
		c.Text += " " + counted
	}
	return c
}

func (v *visit) figures(p *panel, a *answer) (all []figureView) {
	for i := range a.rows {
		u, currency, _ := strings.Cut(a.textAt(i, "unit"), ":")
		f := figureView{Label: a.textAt(i, "figure"), Value: write(a.cell(i, "value"), unit(u), currency, v.zone)}
		if value, ok := number(a.cell(i, "value")); ok && unit(u) == tokens {
			f.Value = compact(value)
		}
		if label := a.textAt(i, "second_label"); label != "" {
			f.Second = second(a.cell(i, "second"), label, unit(u))
		}
		if n, ok := a.cell(i, "n").(int64); ok {
			of, hasOf := a.cell(i, "of").(int64)
			f.Coverage = coverageOf(n, of, hasOf, p.counted).Text
		}
		all = append(all, f)
	}
	return all
}

// second writes the smaller number of a figure.
func second(value any, label string, of unit) string {
	v, ok := number(value)
	switch {
	case !ok:
		return label + " " + none
	case strings.HasPrefix(label, "p"):
		return label + " " + write(value, of, "", nil)
	case strings.HasPrefix(label, "%"):
		return fmt.Sprintf("%.1f %s", v, label)
	case of == money:
		currency, rest, _ := strings.Cut(label, " ")
		return amount(v, currency) + " " + rest
	case v >= 10_000:
		return compact(v) + " " + label
	case of == tokens:
		return grouped(v, 0) + " " + label
	}
	return write(value, count, "", nil) + " " + label
}

func (v *visit) table(p *panel, a *answer) *tableView {
	t := &tableView{}
	hasN := a.at("n") >= 0
	for _, c := range p.columns {
		t.Head = append(t.Head, headView{c.label, isNumeric(c.unit)})
	}
	if hasN {
		t.Head = append(t.Head, headView{"n of N", true})
	}
	highest := make([]float64, len(p.columns))
	for j, c := range p.columns {
		for i := range a.rows {
			if value, ok := number(a.cell(i, c.name)); ok && c.hasBar {
				highest[j] = max(highest[j], value)
			}
		}
		if c.unit == percent {
			highest[j] = 100
		}
	}
	for i := range a.rows {
		var cells []cellView
		for j, c := range p.columns {
			cell := v.cell(p, c, a, i)
			if value, ok := number(a.cell(i, c.name)); ok && c.hasBar && highest[j] > 0 {
				cell.Bar = fmt.Sprintf("%.1f", min(100, 100*value/highest[j]))
			}
			cells = append(cells, cell)
		}
		if hasN {
			n, _ := a.cell(i, "n").(int64)
			of, hasOf := a.cell(i, "of").(int64)
			text := grouped(float64(n), 0)
			if hasOf {
				text += " of " + grouped(float64(of), 0)
			}
			cells = append(cells, cellView{Text: text, IsNumeric: true})
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func isNumeric(u unit) bool {
	switch u {
	case text, moment, yesNo, day, bucket, hour, starsRow:
		return false
	}
	return true
}

func (v *visit) cell(p *panel, c column, a *answer, row int) cellView {
	value := a.cell(row, c.name)
	cell := cellView{Text: write(value, c.unit, a.textAt(row, "currency"), v.zone), IsNumeric: isNumeric(c.unit), IsNone: value == nil}
	cell.IsShort = !cell.IsNumeric && c.unit != text
	if c.unit == day {
		cell.Text = v.dayText(value, p.kind != table)
	}
	if c.link != "" {
		cell.Link = safeLink(a.textAt(row, c.link))
	}
	if key := a.textAt(row, c.key); c.filter != "" && key != "" && v.filter.get(c.filter) != key && p.obeys(c.filter) {
		cell.Choose = v.filter.url(v.path, c.filter, key)
	}
	return cell
}

// dayText is a day, or the week or month it stands for.
func (v *visit) dayText(value any, isStep bool) string {
	d, ok := value.(time.Time)
	switch {
	case !ok:
		return none
	case isStep && v.filter.step() == "month":
		return d.Format("January 2006")
	case isStep && v.filter.step() == "week":
		return "Week of " + d.Format("2 Jan 2006")
	case isStep && d.Equal(v.today):
		return d.Format("2 Jan 2006") + ", so far"
	}
	return d.Format("2 Jan 2006")
}

// safeLink lets only addresses of web pages through.
func safeLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.String()
}

var weekdays = []string{"", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

func (v *visit) heat(_ *panel, a *answer) *heatView {
	h := &heatView{}
	highest := 0.0
	for i := range a.rows {
		if value, ok := number(a.cell(i, "messages")); ok {
			highest = max(highest, value)
		}
	}
	for i := range a.rows {
		weekday, _ := a.cell(i, "weekday").(int64)
		at, _ := a.cell(i, "hour").(int64)
		if at == 0 {
			h.Rows = append(h.Rows, heatRow{Day: weekdays[weekday]})
		}
		if weekday == 1 {
			h.Hours = append(h.Hours, fmt.Sprintf("%02d", at))
		}
		value, ok := number(a.cell(i, "messages"))
		c := heatCell{Text: none, Tip: fmt.Sprintf("%s %02d:00: not known", weekdays[weekday], at)}
		if ok {
			c.Text, c.Tip = compact(value), fmt.Sprintf("%s %02d:00: %s messages", weekdays[weekday], at, grouped(value, 0))
			if value > 0 {
				// By the root: one busy hour must not make all others look alike.
				c.Shade = 1 + int(math.Floor(math.Sqrt(value/highest)*6.999))
			}
		}
		row := &h.Rows[len(h.Rows)-1]
		row.Cells = append(row.Cells, c)
	}
	return h
}

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
