package main

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

func TestEveryPanelOfGrafanaShowsTheColumnsThatItNames(t *testing.T) {
	t.Parallel()
	databaseURL, orgID := simulatedWeeks(t, 4)
	pool := open(t, databaseURL)
	viewer := &grafanaViewer{t: t, pool: pool, role: newReader(t, pool, orgID), orgID: orgID, figures: map[string][]string{}}
	for _, d := range readDashboards(t) {
		viewer.look(d)
	}
	if viewer.asked < 40 {
		t.Errorf("the dashboards have %d queries, want 40 or more", viewer.asked)
	}
	for figure, sql := range grafanaFigures {
		sql = strings.ReplaceAll(sql, "@period", "local_date between '2026-03-02' and '2026-03-30'")
		if len(viewer.figures[figure]) == 0 {
			t.Errorf("no panel shows %s", figure)
		}
		for _, shown := range viewer.figures[figure] {
			var same bool
			err := pool.QueryRow(t.Context(), "select abs($1::float8 - ("+sql+")) < 1e-6", shown).Scan(&same)
			if err != nil || !same {
				t.Errorf("%s is %s (%v), which is not what the summary gives: %s", figure, shown, err, sql)
			}
		}
	}
}

// grafanaViewer looks at dashboards as a reader of one organization.
type grafanaViewer struct {
	t           *testing.T
	pool        *pgxpool.Pool
	role, orgID string
	asked       int                 // queries of panels
	figures     map[string][]string // what stat panels show, by panel and column; a panel can be on several dashboards
}

// look asks every query of a dashboard: as it opens, and with values chosen.
func (v *grafanaViewer) look(d *grafanaDashboard) {
	opened := grafanaQuery{
		from: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), to: time.Date(2026, 3, 30, 14, 0, 0, 0, time.UTC),
		variables: map[string]string{"org": sqlString(v.orgID)},
	}
	chosen, other := opened, opened // every value chosen by hand; the last one only
	chosen.variables, other.variables = maps.Clone(opened.variables), maps.Clone(opened.variables)
	for _, variable := range d.Templating.List {
		values := variable.values(v.t, v.pool, v.role, d.UID, opened)
		switch {
		case variable.IncludeAll:
			opened.variables[variable.Name], chosen.variables[variable.Name] = variable.AllValue, sqlString(values...)
		case variable.Name != "org":
			opened.variables[variable.Name], chosen.variables[variable.Name] = sqlString(values[0]), sqlString(values[0])
		}
		other.variables[variable.Name] = sqlString(values[len(values)-1])
	}
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			v.asked++
			where := fmt.Sprintf("%s, panel %d, %q", d.UID, p.ID, p.Title)
			answer := v.ask(where, opened, target.RawSQL)
			v.check(where, p, target, answer)
			if maps.Equal(chosen.variables, opened.variables) {
				continue // there is nothing to choose but the organization
			}
			all := v.ask(where+", with every value chosen", chosen, target.RawSQL)
			if !strings.Contains(target.RawSQL, "now()") && !reflect.DeepEqual(all.cells, answer.cells) {
				v.t.Errorf("%s shows %q with every value chosen and %q with All, want the same", where, all.cells, answer.cells)
			}
			v.ask(where+", with one value chosen", other, target.RawSQL)
		}
	}
	for _, a := range d.Annotations.List {
		if a.BuiltIn == 1 {
			continue
		}
		answer := v.ask(fmt.Sprintf("%s, annotation %q", d.UID, a.Name), opened, a.Target.RawSQL)
		if !slices.Contains(answer.columns, "time") || !slices.Contains(answer.columns, "text") {
			v.t.Errorf("%s, annotation %q gives the columns %q, want time and text", d.UID, a.Name, answer.columns)
		}
	}
}

func (v *grafanaViewer) ask(where string, query grafanaQuery, sql string) grafanaAnswer {
	v.t.Helper()
	answer, err := askGrafana(v.t.Context(), v.pool, v.role, query, sql)
	if err != nil {
		v.t.Errorf("%s: %v", where, err)
	}
	return answer
}

func (v *grafanaViewer) check(where string, p grafanaPanel, target grafanaTarget, answer grafanaAnswer) {
	v.t.Helper()
	if answer.rows == 0 {
		v.t.Errorf("%s has no rows, which shows nothing", where)
		return
	}
	for _, problem := range p.problemsOf(target, answer) {
		v.t.Errorf("%s: %s", where, problem)
	}
	if p.Type == "stat" {
		for i, column := range answer.columns {
			v.figures[p.Title+": "+column] = append(v.figures[p.Title+": "+column], answer.cells[0][i])
		}
	}
}

// grafanaFigures are figures of the panels, which take them from the facts, as the daily summaries add up to them.
var grafanaFigures = map[string]string{
	"Cases: Opened":                          `select sum(opened_cases) from analytics.channels_daily where @period`,
	"Cases: Came back":                       `select sum(reopened_cases) from analytics.channels_daily where @period`,
	"Cases: Closed":                          `select sum(closed_cases) from analytics.channels_daily where @period`,
	"First response: n":                      `select sum(measured) from analytics.coverage_daily where metric = 'first_response' and @period`,
	"First response: of":                     `select sum(eligible) from analytics.coverage_daily where metric = 'first_response' and @period`,
	"First response of the team: of":         `select sum(n_eligible) from analytics.response_times_daily where pass = 'human' and kind = 'first' and @period`,
	"Time to resolution: n":                  `select sum(resolutions_measured) from analytics.channels_daily where @period`,
	"CSAT: CSAT":                             `select 100.0 * sum(satisfied) / sum(n) from analytics.csat_daily where @period`,
	"CSAT: Average":                          `select 1.0 * sum(sum_score) / sum(n) from analytics.csat_daily where @period`,
	"CSAT: of":                               `select sum(n_eligible) from analytics.csat_daily where @period`,
	"Involvement: AI involved":               `select 100.0 * sum(ai_involved_cases) / sum(measured_cases) from analytics.assistants_daily where @period`,
	"Resolved (assumed): AI-resolved":        `select 100.0 * sum(ai_resolved_cases) / sum(ai_closed_cases) from analytics.assistants_daily where @period`,
	"Handoffs: Handed off":                   `select 100.0 * sum(ai_handed_off_cases) / sum(ai_involved_cases) from analytics.assistants_daily where @period`,
	"Wait for a person after the handoff: n": `select sum(handoffs_measured) from analytics.agents_daily where @period`,
	"Message lists: Chats":                   `select count(*) from analytics.chats_wide where deleted_at is null`,
}

// values are what the variable offers.
func (v *grafanaVar) values(t *testing.T, pool *pgxpool.Pool, role, uid string, query grafanaQuery) (values []string) {
	t.Helper()
	if v.Type == "custom" {
		for _, o := range v.Options {
			values = append(values, o.Value)
		}
		return values
	}
	answer, err := askGrafana(t.Context(), pool, role, query, v.Query)
	if err != nil {
		t.Fatalf("%s, variable %s: %v", uid, v.Name, err)
	}
	at := slices.Index(answer.columns, "__value")
	if at < 0 || !slices.Contains(answer.columns, "__text") || answer.rows == 0 {
		t.Fatalf("%s, variable %s gives %d rows of the columns %q, want some of __text and __value", uid, v.Name, answer.rows, answer.columns)
	}
	for _, row := range answer.cells {
		values = append(values, row[at])
	}
	return values
}

// grafanaAnswer is what a query gives.
type grafanaAnswer struct {
	columns []string
	types   []uint32
	cells   [][]string // as text
	rows    int
}

// problemsOf are what is wrong between what a panel names and what its query gives.
func (p *grafanaPanel) problemsOf(target grafanaTarget, answer grafanaAnswer) (problems []string) {
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	fields := slices.Clone(answer.columns)
	for i, name := range answer.columns {
		if slices.Contains(answer.columns[:i], name) {
			complain("its query gives the column %s twice", name)
		}
		switch answer.types[i] {
		case pgtype.TextOID, pgtype.Int4OID, pgtype.Int8OID, pgtype.NumericOID, pgtype.Float8OID, pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID:
		default:
			complain("column %s has the type %d, which Grafana may show as text only", name, answer.types[i])
		}
	}
	if target.Format == "time_series" {
		at, metric := slices.Index(answer.columns, "time"), slices.Index(answer.columns, "metric")
		if at < 0 || !slices.Contains([]uint32{pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID}, answer.types[at]) {
			complain("a time series has no time column")
			at = 0
		}
		// Of three columns, one of them metric, the metric names the series. Other text would become labels.
		for i, kind := range answer.types {
			if kind == pgtype.TextOID && (i != metric || len(answer.columns) != 3) {
				complain("column %s of a time series is text", answer.columns[i])
			}
		}
		for i, row := range answer.cells {
			if i > 0 && row[at] < answer.cells[i-1][at] {
				complain("its rows are not in the order of time")
				break
			}
			if metric >= 0 {
				fields = append(fields, row[metric])
			}
		}
	}
	for _, o := range p.FieldConfig.Overrides {
		name, isText := o.Matcher.Options.(string)
		if o.Matcher.ID != "byName" || !isText {
			complain("an override goes by %s, which this test does not know", o.Matcher.ID)
		} else if !slices.Contains(fields, name) {
			complain("an override is for column %s, and the query gives %q", name, answer.columns)
		}
		for _, property := range o.Properties {
			for _, link := range grafanaLinks(property.Value) {
				if field, ok := strings.CutPrefix(link, "${__data.fields."); ok && !slices.Contains(fields, strings.TrimSuffix(field, "}")) {
					complain("a link is for column %s, and the query gives %q", field, answer.columns)
				}
			}
		}
	}
	if x := p.Options.XField; x != "" && !slices.Contains(fields, x) {
		complain("its x axis is column %s, and the query gives %q", x, answer.columns)
	}
	for _, sort := range p.Options.SortBy {
		if !slices.Contains(fields, sort.DisplayName) {
			complain("it is sorted by column %s, and the query gives %q", sort.DisplayName, answer.columns)
		}
	}
	return problems
}

// grafanaLinks are the addresses in a property's value.
func grafanaLinks(value any) (urls []string) {
	list, _ := value.([]any)
	for _, one := range list {
		if link, ok := one.(map[string]any); ok {
			url, _ := link["url"].(string)
			urls = append(urls, url)
		}
	}
	return urls
}

// askGrafana runs a query as Grafana does: macros put in, as one simple statement, in the session of the reader.
func askGrafana(ctx context.Context, pool *pgxpool.Pool, role string, query grafanaQuery, sql string) (answer grafanaAnswer, err error) {
	expanded, err := query.expand(sql)
	if err != nil {
		return answer, fmt.Errorf("%w in %s", err, sql)
	}
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "set local role "+role+"; set local time zone 'Asia/Kathmandu'; set local jit = off"); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, expanded, pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			return err
		}
		defer rows.Close()
		for _, field := range rows.FieldDescriptions() {
			answer.columns = append(answer.columns, field.Name)
			answer.types = append(answer.types, field.DataTypeOID)
		}
		for ; rows.Next(); answer.rows++ {
			var row []string
			for _, value := range rows.RawValues() {
				row = append(row, string(value))
			}
			answer.cells = append(answer.cells, row)
		}
		return rows.Err()
	})
	if err != nil {
		return answer, fmt.Errorf("%w in %s", err, expanded)
	}
	return answer, nil
}
