package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// reportColumns are the columns of --format csv: new ones come at the end.
var reportColumns = []string{
	"org_id", "since", "until", "section", "metric", "by", "by_name", "stat", "value", "unit", "numerator", "denominator", "n", "of", "note",
}

// writeCSV writes a row for each number; what is not known is empty.
func (r *report) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	records := [][]string{reportColumns}
	for _, o := range r.Orgs {
		for _, m := range o.Measures {
			value := ""
			if m.Value != nil {
				value = strconv.FormatFloat(*m.Value, 'f', -1, 64)
			}
			records = append(records, []string{
				o.OrgID, o.Since, o.Until, m.Section, m.Metric, orEmpty(m.By), orEmpty(m.ByName), m.Stat, value, m.Unit,
				wholeNumber(m.Numerator), wholeNumber(m.Denominator), wholeNumber(m.N), wholeNumber(m.Of), orEmpty(m.Note),
			})
		}
	}
	if err := out.WriteAll(records); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

// reportPages writes the report for people: tables for a terminal, or Markdown.
type reportPages struct {
	w          io.Writer
	isMarkdown bool
}

// metricLabels are the names people know them by.
var metricLabels = map[string]string{
	"first_response": "first response", "first_human_response": "first response of the team", "reply": "later replies",
	"human_after_handoff": "team after a handoff", "resolution": "first message to close",
	"cases_opened": "opened", "cases_closed": "closed", "cases_reopened": "opened in a chat that had one before",
	"csat_average": "CSAT average", "csat_satisfied": "CSAT (4 or 5 stars)", "csat_responses": "rated, of those asked (estimated)",
	"ai_involvement": "AI involvement", "ai_resolved": "AI-resolved (assumed)", "automation": "automation rate", "handoff_rate": "handed off, of those with AI",
	"waiting_for_a_reply": "waiting for a reply",
}

// byLabels are the senders.
var byLabels = map[string]string{"human": "team", "ai": "AI", "any": "AI or team", "customer": "customers", "broadcast": "broadcasts"}

func (p reportPages) write(r *report, database string) {
	if len(r.Orgs) == 0 {
		fmt.Fprintf(p.w, "The archive in %s is empty. Next: archiver ingest, or archiver demo to see one that is not.\n", database)
		return
	}
	for i, o := range r.Orgs {
		if i > 0 {
			fmt.Fprintln(p.w)
		}
		p.org(o)
	}
}

func (p reportPages) org(o *orgReport) {
	title := o.OrgID
	if o.Name != nil && *o.Name != "" {
		title = fmt.Sprintf("%s (%s)", printable(*o.Name), o.OrgID)
	}
	if p.isMarkdown {
		fmt.Fprintf(p.w, "# %s: %s to %s\n\n", escapeMarkdown(title), o.Since, o.Until)
	} else {
		fmt.Fprintf(p.w, "%s, %s to %s\n", title, o.Since, o.Until)
	}
	fmt.Fprintf(p.w, "Days and hours are those of %s. \"n of N\": so many of those that should count could be measured.\n", o.TimeZone)
	if o.hasFacts {
		p.numbers(o)
	}
	p.heading("Next")
	for _, next := range o.Next {
		fmt.Fprintf(p.w, "- %s\n", next)
	}
}

func (p reportPages) numbers(o *orgReport) {
	p.list(o, "cases", "Cases")
	p.times(o)
	p.list(o, "csat", "Customer satisfaction")
	p.list(o, "ai", "AI and handoffs")
	p.backlog(o)
	p.bars(o, "messages", "Messages", "sender")
	p.hours(o)
	p.wide(o, "tokens", "Tokens, and their estimated cost", "model")
	p.wide(o, "assistants", "Assistants with the most cases", "assistant")
	p.wide(o, "agents", "Agents with the most replies", "agent")
	p.missing(o)
}

// list shows a section of single numbers, with a bar for what is a share.
func (p reportPages) list(o *orgReport, section, title string) {
	t := p.table("", "", "", "share of", "n of N")
	for _, m := range o.section(section) {
		share := ""
		switch {
		case m.Metric == "automation" && m.Note != nil:
			share = *m.Note
		case m.Numerator != nil && m.Stat != "mean":
			share = ofText(m.Numerator, m.Denominator)
		}
		t.AppendRow(table.Row{label(m.Metric), valueText(m), barOf(m, 0), share, ofText(m.N, m.Of)})
	}
	p.render(title, t, 2)
}

// times shows the percentiles of a time in one line.
func (p reportPages) times(o *orgReport) {
	t := p.table("", "by", "p50", "p90", "n of N")
	measures := o.section("times")
	for i := 0; i+1 < len(measures); i += 2 { // p50, p90
		p50, p90 := measures[i], measures[i+1]
		t.AppendRow(table.Row{label(p50.Metric), byText(p50), valueText(p50), valueText(p90), ofText(p50.N, p50.Of)})
	}
	p.render("Times", t, 3, 4)
}

func (p reportPages) backlog(o *orgReport) {
	t := p.table("", "now", "", "7 days ago")
	measures := o.section("backlog")
	highest := highestOf(measures)
	for i, m := range measures {
		if *m.By != "now" {
			continue
		}
		before := ""
		if i+1 < len(measures) && measures[i+1].Metric == m.Metric {
			before = valueText(measures[i+1])
		}
		t.AppendRow(table.Row{label(m.Metric), valueText(m), barOf(m, highest), before})
	}
	p.render("Backlog: chats that are not closed", t, 2, 4)
}

// bars shows a section of counts, each with a bar.
func (p reportPages) bars(o *orgReport, section, title, what string) {
	t := p.table(what, "", "")
	measures := o.section(section)
	for _, m := range measures {
		t.AppendRow(table.Row{byText(m), valueText(m), barOf(m, highestOf(measures))})
	}
	p.render(title, t, 2)
}

// hours shows the day as one line, and the hours of the week with the most messages of customers.
func (p reportPages) hours(o *orgReport) {
	measures := o.section("hours")
	highest, line := highestOf(measures), ""
	for _, m := range measures {
		line += column(*m.Value, highest)
	}
	p.bars(o, "busiest", "Busiest hours, by messages of customers", "hour")
	if highest > 0 {
		fmt.Fprintf(p.w, "\nThe day from 00 to 23 o'clock: %s\n", line)
	}
}

// wide shows a section with a line for each of whom it is about, and a column for each number.
func (p reportPages) wide(o *orgReport, section, title, what string) {
	var columns []string
	var names []any
	lines := map[string]map[string]string{}
	for _, m := range o.section(section) {
		name := orEmpty(m.ByName)
		if name == "" {
			name = orEmpty(m.By)
		}
		key := printable(name)
		if m.By != nil && m.ByName != nil && *m.By != *m.ByName {
			key += "\x00" + *m.By // two may have the same name
		}
		if lines[key] == nil {
			lines[key] = map[string]string{}
			names = append(names, key)
		}
		heading := label(m.Metric)
		if m.Stat == "p50" {
			heading += " (p50)"
		}
		if !slices.Contains(columns, heading) {
			columns = append(columns, heading)
		}
		cell := valueText(m)
		if m.N != nil && m.Of != nil && *m.N < *m.Of {
			cell += " (n " + ofText(m.N, m.Of) + ")"
		}
		if before := lines[key][heading]; before != "" { // a model whose price changed its currency
			cell = before + " + " + cell
		}
		lines[key][heading] = cell
	}
	header := table.Row{what}
	for _, c := range columns {
		header = append(header, c)
	}
	t := p.table(header...)
	var right []int
	for _, key := range names {
		name, _, _ := strings.Cut(key.(string), "\x00")
		row := table.Row{name}
		for _, c := range columns {
			row = append(row, lines[key.(string)][c])
		}
		t.AppendRow(row)
	}
	for i := range columns {
		right = append(right, i+2)
	}
	p.render(title, t, right...)
}

// missing shows how complete the numbers are.
func (p reportPages) missing(o *orgReport) {
	t := p.table("", "measured", "", "n of N")
	for _, m := range o.section("coverage") {
		t.AppendRow(table.Row{label(m.Metric), valueText(m), barOf(m, 0), ofText(m.N, m.Of)})
	}
	p.render("Coverage: what could be measured", t, 2)
	t = p.table("", "", "are", "why")
	for _, m := range o.section("missing") {
		t.AppendRow(table.Row{label(m.Metric), valueText(m), orEmpty(m.By), orEmpty(m.Note)})
	}
	p.render("Missing: what is in no time above", t, 2)
	t = p.table("gaps that are", "", "in all")
	for _, m := range o.section("gaps") {
		t.AppendRow(table.Row{orEmpty(m.By), wholeNumber(m.N), valueText(m)})
	}
	p.render("Not listened to", t, 2)
	if o.refreshedAt != nil {
		fmt.Fprintf(p.w, "\nFacts as of %s UTC; %d chats changed since.\n", stamp(*o.refreshedAt), o.dirtyChats)
	}
}

func (p reportPages) heading(title string) {
	if p.isMarkdown {
		fmt.Fprintf(p.w, "\n## %s\n\n", title)
		return
	}
	fmt.Fprintf(p.w, "\n%s:\n", title)
}

func (p reportPages) table(header ...any) table.Writer {
	t := newTable(nil)
	t.AppendHeader(table.Row(header))
	return t
}

// render prints a table with these columns to the right; a section without numbers is left out.
func (p reportPages) render(title string, t table.Writer, right ...int) {
	if t.Length() == 0 {
		return
	}
	var columns []table.ColumnConfig
	for _, number := range right {
		columns = append(columns, table.ColumnConfig{Number: number, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	p.heading(title)
	if p.isMarkdown {
		fmt.Fprintln(p.w, t.RenderMarkdown())
		return
	}
	fmt.Fprintln(p.w, t.Render())
}

func (o *orgReport) section(name string) (measures []*measure) {
	for _, m := range o.Measures {
		if m.Section == name {
			measures = append(measures, m)
		}
	}
	return measures
}

func label(metric string) string {
	if l, ok := metricLabels[metric]; ok {
		return l
	}
	return strings.ReplaceAll(metric, "_", " ")
}

func byText(m *measure) string {
	by := orEmpty(m.By)
	if l, ok := byLabels[by]; ok {
		return l
	}
	return by
}

// valueText writes a number in its unit.
func valueText(m *measure) string {
	if m.Value == nil {
		return "not known"
	}
	v := *m.Value
	switch m.Unit {
	case "seconds":
		return durationText(v)
	case "percent":
		return percent(v / 100)
	case "stars":
		return strconv.FormatFloat(v, 'f', 2, 64)
	case "tokens", "cases", "chats", "messages", "turns":
		return grouped(int64(math.Round(v)))
	}
	return strconv.FormatFloat(v, 'f', 2, 64) + " " + m.Unit
}

// durationText writes seconds in the two units that matter.
func durationText(seconds float64) string {
	d := time.Duration(math.Round(seconds)) * time.Second
	switch days, hours, minutes := d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60; {
	case seconds < 9.95:
		return strconv.FormatFloat(seconds, 'f', 1, 64) + " s"
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%d min %d s", minutes, d/time.Second%60)
	default:
		return fmt.Sprintf("%d s", d/time.Second)
	}
}

func ofText(n, of *int64) string {
	switch {
	case n == nil:
		return ""
	case of == nil:
		return grouped(*n)
	}
	return grouped(*n) + " of " + grouped(*of)
}

// reportBar is how wide a bar is, in characters.
const reportBar = 16

// barOf draws a percentage, stars of five, or a count of the highest; nothing for anything else.
func barOf(m *measure, highest float64) string {
	if m.Value == nil {
		return ""
	}
	switch {
	case m.Unit == "percent":
		return bar(*m.Value / 100)
	case m.Unit == "stars":
		return bar(*m.Value / 5)
	case highest > 0:
		return bar(*m.Value / highest)
	}
	return ""
}

// bar draws a share in eighths of a character. What is not nothing shows.
func bar(share float64) string {
	eighths := int(math.Round(min(share, 1) * reportBar * 8))
	if share > 0 {
		eighths = max(eighths, 1)
	}
	b := strings.Repeat("█", max(eighths, 0)/8)
	if rest := eighths % 8; rest > 0 {
		b += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return b
}

// column draws a share of the highest as one character.
func column(value, highest float64) string {
	if value <= 0 || highest <= 0 {
		return "·"
	}
	return string([]rune("▁▂▃▄▅▆▇█")[min(int(value/highest*8), 7)])
}

func highestOf(measures []*measure) (highest float64) {
	for _, m := range measures {
		if m.Value != nil {
			highest = max(highest, *m.Value)
		}
	}
	return highest
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func wholeNumber(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}

// escapeMarkdown keeps a name from being taken for marks.
func escapeMarkdown(s string) string {
	return strings.NewReplacer("_", `\_`, "*", `\*`, "`", "\\`", "<", `\<`, "[", `\[`).Replace(s)
}
