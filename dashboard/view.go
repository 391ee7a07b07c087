package dashboard

import (
	"fmt"
	"html/template"
	"math"
	"strings"
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
	Plots                          []plotView
	Table                          *tableView // of a picture: the numbers behind it
	Heat                           *heatView
	IsPicture                      bool
}

type coverageView struct {
	Text    string
	Percent string // of what should be measured; empty when that is not known
	IsLow   bool
}

type figureView struct{ Label, Value, Second, Coverage string }

// plotView is a picture: one drawing for each size of screen.
type plotView struct {
	Legend   []legendView
	Pictures []template.HTML
}

type legendView struct {
	Name   string
	Color  int
	IsLine bool
}

// lowCoverage is below how many percent a coverage stands out.
const lowCoverage = 90

// view makes of a panel's rows what is written.
func (v *visit) view(p *panel, a *answer) (*panelView, error) {
	pv := v.frame(p)
	if len(a.rows) == 0 {
		pv.Empty = p.empty
		if pv.Empty == "" {
			pv.Empty = v.nothing()
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

// nothing says that there is nothing to show.
func (v *visit) nothing() string {
	if v.filter.isNarrowed() {
		return "The archive has nothing of these days that fits the filters."
	}
	return "The archive has nothing of these days."
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
	if a.at("total_n") < 0 && a.at("n") < 0 {
		return nil
	}
	n, of, hasOf := measured(a)
	return coverageOf(n, of, hasOf, p.counted)
}

// measured is of how many all rows together are.
func measured(a *answer) (n, of int64, hasOf bool) {
	if a.at("total_n") >= 0 {
		n, _ = a.cell(0, "total_n").(int64)
		of, hasOf = a.cell(0, "total_of").(int64)
		return n, of, hasOf
	}
	for i := range a.rows {
		rowN, _ := a.cell(i, "n").(int64)
		rowOf, has := a.cell(i, "of").(int64)
		n, of, hasOf = n+rowN, of+rowOf, hasOf || has
	}
	return n, of, hasOf
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
		value, isKnown := number(a.cell(i, "value"))
		if isKnown && unit(u) == tokens {
			f.Value = compact(value)
		}
		if label := a.textAt(i, "second_label"); label != "" && (a.cell(i, "second") != nil || !isKnown || value != 0) { // of nothing there is no share
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
	case !ok && strings.HasPrefix(label, "p"):
		return label + " " + none
	case !ok:
		return none + " " + label
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
	if v == 1 {
		label = strings.TrimSuffix(label, "s")
	}
	return write(value, count, "", nil) + " " + label
}
