package dashboard

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
)

//go:embed sql/*.sql filter/*.sql
var statements embed.FS

// panel is one picture or table with all that is said of it. What it shows are the rows of sql/<id>.sql, which is asked with the
// arguments @org, @from, @to (local days, both included), @first (the first of these days that the archive has), @step (day,
// week or month: what a point of a picture stands for; see inSteps for @step(date)), @zone, and @assistant, @agent, @channel (NULL: all). A filter that
// the statement does not name does not touch the panel, which says so.
//
// Columns n and of count what could be measured of what should be, row by row; total_n and total_of do so for all rows.
type panel struct {
	id, title  string
	definition string // what the numbers mean, in a sentence or two
	kind       kind
	unit       unit     // of the series of a picture
	counted    string   // what n and of count
	what       string   // what the counts of a picture are of; else as counted
	columns    []column // in the order they are shown; a picture's first is its axis
	isWide     bool     // takes the whole width
	isSplit    bool     // each series has a picture of its own, with its own scale: on one, the smaller could not be read
	empty      string   // said when there are no rows
}

// kind is how a panel's rows are shown.
type kind int

const (
	// figures have one number a row: columns figure, value, unit, second, second_label, n, of.
	figures kind = iota
	lines
	bars
	stacked
	heat // weekday, hour, value
	table
)

// unit is how a value is written.
type unit string

const (
	text     unit = "text"
	count    unit = "count"
	tokens   unit = "tokens"
	percent  unit = "percent"
	seconds  unit = "seconds"
	ago      unit = "ago"
	stars    unit = "stars"
	day      unit = "day"
	hour     unit = "hour"
	moment   unit = "moment"
	yesNo    unit = "yes or no"
	money    unit = "money" // in the currency of column currency
	bucket   unit = "bucket"
	starsRow unit = "stars given"
)

// column is a column of a panel's rows, by its name in the statement.
type column struct {
	name, label string
	unit        unit
	color       int    // of a series: which of the palette
	link        string // the column with a URL to link to
	filter      string // the filter a value can be chosen for, whose value is in column key
	key         string
	hasBar      bool // drawn as a bar beside the number, too
}

// sql is the panel's statement as it is written.
func (p *panel) sql() string { return statement("sql/" + p.id + ".sql") }

var stepOf = regexp.MustCompile(`@step\(([^()]+)\)`)

// inSteps is the panel's statement for points of a day, week or month: @step(date) is the day with which the point of a date
// begins. It is asked of every fact, and reckoning with days costs a tenth of what date_trunc does.
func (p *panel) inSteps(step string) string {
	expression := map[string]string{
		"day": "$1", "week": "$1 - ($1 - date '1900-01-01') % 7", "month": "date_trunc('month', $1)::date",
	}[step]
	return stepOf.ReplaceAllString(p.sql(), expression)
}

// obeys reports whether a filter is part of the panel's statement.
func (p *panel) obeys(filter string) bool { return strings.Contains(p.sql(), "@"+filter) }

// statement reads an embedded statement; one that is not there is a mistake in the program.
func statement(name string) string {
	b, err := statements.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("dashboard: %v", err))
	}
	return string(b)
}
