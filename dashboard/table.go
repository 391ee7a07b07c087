package dashboard

import (
	"fmt"
	"net/url"
	"time"
)

type tableView struct {
	Head   []headView
	Rows   [][]cellView
	IsLong bool // to be scrolled by itself, below its head
}

// longTable is from how many rows a table is long.
const longTable = 25

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
	t.IsLong = len(t.Rows) > longTable
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
