package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.yaml.in/yaml/v3"
)

const grafanaDir = "../../deploy/grafana"

// What the dashboards are written for: the version of docker-compose.yml. What is written for an older one Grafana would
// rewrite as it thinks right.
const (
	grafanaVersion = "12.4.10"
	grafanaSchema  = 42
)

// grafanaDashboard is what this test reads of a dashboard's file.
type grafanaDashboard struct {
	UID           string   `json:"uid"`
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	Tags          []string `json:"tags"`
	SchemaVersion int      `json:"schemaVersion"`
	Editable      bool     `json:"editable"`
	Timezone      string   `json:"timezone"`
	Panels        []grafanaPanel
	Templating    struct{ List []grafanaVar }
	Annotations   struct {
		List []struct {
			Name    string
			BuiltIn int
			Target  grafanaTarget
		}
	}
}

type grafanaPanel struct {
	ID                       int
	Type, Title, Description string
	PluginVersion            string
	GridPos                  struct{ X, Y, W, H int }
	Datasource               struct{ Type, UID string }
	Targets                  []grafanaTarget
	FieldConfig              struct {
		Defaults  struct{ Unit string }
		Overrides []struct {
			Matcher struct {
				ID      string
				Options any
			}
			Properties []struct {
				ID    string
				Value any
			}
		}
	}
	Options struct {
		XField string
		SortBy []struct{ DisplayName string }
	}
}

type grafanaTarget struct {
	RefID, Format, RawSQL string
	Datasource            struct{ Type, UID string }
}

type grafanaVar struct {
	Type, Name, AllValue string
	Query                string
	Multi, IncludeAll    bool
	Options              []struct{ Value string }
	Datasource           struct{ Type, UID string }
}

func TestEveryPanelOfGrafanaShowsTheColumnsThatItNames(t *testing.T) {
	t.Parallel()
	databaseURL, orgID := simulatedWeeks(t, 4)
	pool := open(t, databaseURL)
	role := newReader(t, pool, orgID)
	asked := 0
	figures := map[string][]string{} // by panel and column; a panel can be on several dashboards
	for _, d := range readDashboards(t) {
		query := grafanaQuery{
			from: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), to: time.Date(2026, 3, 30, 14, 0, 0, 0, time.UTC),
			variables: map[string]string{},
		}
		narrow := grafanaQuery{from: query.from, to: query.to, variables: map[string]string{}}
		for _, v := range d.Templating.List {
			values := v.values(t, pool, role, d.UID, query)
			narrow.variables[v.Name] = sqlString(values[min(1, len(values)-1)])
			query.variables[v.Name] = sqlString(values[0])
			switch {
			case v.IncludeAll:
				query.variables[v.Name] = v.AllValue
				narrow.variables[v.Name] = sqlString(values...)
			case v.Name == "org":
				query.variables[v.Name] = sqlString(orgID)
				narrow.variables[v.Name] = query.variables[v.Name]
			}
		}
		for _, p := range d.Panels {
			where := fmt.Sprintf("%s, panel %d, %q", d.UID, p.ID, p.Title)
			for _, target := range p.Targets {
				asked++
				answer, err := askGrafana(t.Context(), pool, role, query, target.RawSQL)
				if err != nil {
					t.Errorf("%s: %v", where, err)
					continue
				}
				if answer.rows == 0 {
					t.Errorf("%s has no rows, which shows nothing", where)
				} else if p.Type == "stat" {
					for i, column := range answer.columns {
						figures[p.Title+": "+column] = append(figures[p.Title+": "+column], answer.cells[0][i])
					}
				}
				for _, problem := range p.problemsOf(target, answer) {
					t.Errorf("%s: %s", where, problem)
				}
				// With every value of every variable chosen by hand there is as much to see as with All.
				chosen, err := askGrafana(t.Context(), pool, role, narrow, target.RawSQL)
				if err != nil {
					t.Errorf("%s, with chosen values: %v", where, err)
				} else if _, byBucket := narrow.variables["bucket"]; chosen.rows != answer.rows && !byBucket {
					t.Errorf("%s has %d rows with every value chosen and %d with All, want as many", where, chosen.rows, answer.rows)
				}
			}
		}
		for _, a := range d.Annotations.List {
			if a.BuiltIn == 1 {
				continue
			}
			answer, err := askGrafana(t.Context(), pool, role, query, a.Target.RawSQL)
			if err != nil || !slices.Contains(answer.columns, "time") || !slices.Contains(answer.columns, "text") {
				t.Errorf("%s, annotation %q gives the columns %q (%v), want time and text", d.UID, a.Name, answer.columns, err)
			}
		}
	}
	if asked < 40 {
		t.Errorf("the dashboards have %d queries, want 40 or more", asked)
	}
	for figure, sql := range grafanaFigures {
		sql = strings.ReplaceAll(sql, "@period", "local_date between '2026-03-02' and '2026-03-30'")
		if len(figures[figure]) == 0 {
			t.Errorf("no panel shows %s", figure)
		}
		for _, shown := range figures[figure] {
			var same bool
			err := pool.QueryRow(t.Context(), "select abs($1::float8 - ("+sql+")) < 1e-6", shown).Scan(&same)
			if err != nil || !same {
				t.Errorf("%s is %s (%v), which is not what the summary gives: %s", figure, shown, err, sql)
			}
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

func TestGrafanasDashboardsAreWellFormed(t *testing.T) {
	t.Parallel()
	sources := readDatasources(t)
	if image := loadCompose(t).Services["grafana"].Image; image != "grafana/grafana:"+grafanaVersion {
		t.Errorf("docker-compose.yml runs %s, and the dashboards are written for %s", image, grafanaVersion)
	}
	seen := map[string]bool{}
	for _, d := range readDashboards(t) {
		for _, problem := range d.problems(sources) {
			t.Errorf("%s: %s", d.UID, problem)
		}
		if seen[d.UID] {
			t.Errorf("two dashboards have the uid %s", d.UID)
		}
		seen[d.UID] = true
	}
	if len(seen) != 4 {
		t.Errorf("there are %d dashboards, want four", len(seen))
	}
}

func TestAMalformedDashboardIsFoundOut(t *testing.T) {
	t.Parallel()
	const broken = `{"uid": "x", "title": "X", "panels": [
		{"id": 1, "type": "stat", "title": "A", "gridPos": {"x": 0, "y": 0, "w": 12, "h": 4}, "datasource": {"uid": "elsewhere"},
			"targets": [{"refId": "A", "format": "table", "rawSql": "select avg(reply_p50_seconds) from analytics.agents_daily where org_id = ${org:sqlstring}"}]},
		{"id": 1, "type": "timeseries", "title": "B", "description": "b", "gridPos": {"x": 8, "y": 3, "w": 20, "h": 4}, "datasource": {"uid": "archiver"},
			"targets": [{"refId": "A", "format": "table", "rawSql": "select 1"}], "fieldConfig": {"defaults": {"unit": "s"}}}],
		"templating": {"list": [{"type": "query", "name": "agent", "multi": true, "includeAll": true}]}}`
	var d grafanaDashboard
	if err := json.Unmarshal([]byte(broken), &d); err != nil {
		t.Fatal(err)
	}
	found := strings.Join(d.problems(map[string]string{"archiver": "grafana-postgresql-datasource"}), "\n")
	for _, want := range []string{
		"no description", "no unit", "written for version", "data source elsewhere", "id 1 twice", "overlaps", "beyond the 24 columns", "variable org",
		"variable agent is used nowhere", "schemaVersion", "not editable", "not in UTC", "time_series", "percentile", "no value for All",
	} {
		if !strings.Contains(found, want) {
			t.Errorf("nothing is said of %q: %s", want, found)
		}
	}
	p := d.Panels[1]
	p.Options.XField = "Hour"
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, d.Panels[0].FieldConfig.Overrides...)
	answer := grafanaAnswer{columns: []string{"a", "a"}, types: []uint32{pgtype.TextOID, pgtype.TextOID}, rows: 1}
	found = strings.Join(p.problemsOf(grafanaTarget{Format: "time_series"}, answer), "\n")
	for _, want := range []string{"no time column", "column Hour", "column a twice"} {
		if !strings.Contains(found, want) {
			t.Errorf("nothing is said of %q: %s", want, found)
		}
	}
}

// problems are what is wrong with a dashboard as it is written down.
func (d *grafanaDashboard) problems(sources map[string]string) (problems []string) {
	complain := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if d.SchemaVersion != grafanaSchema {
		complain("its schemaVersion is %d, want that of the Grafana we run, %d", d.SchemaVersion, grafanaSchema)
	}
	if !d.Editable {
		complain("it is not editable")
	}
	if d.Timezone != "utc" {
		complain("it is not in UTC: local days, which stand at their midnight in UTC, would be shown as other days elsewhere")
	}
	if !slices.Contains(d.Tags, "archiver") {
		complain("it lacks the tag archiver, by which the others link to it")
	}
	sql := ""
	for i, p := range d.Panels {
		problems = append(problems, p.problems(sources)...)
		for _, other := range d.Panels[:i] {
			if p.ID == other.ID {
				complain("two panels, %q and %q, have the id %d twice", other.Title, p.Title, p.ID)
			}
			a, b := p.GridPos, other.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				complain("panel %q overlaps panel %q", p.Title, other.Title)
			}
		}
		for _, target := range p.Targets {
			sql += target.RawSQL
		}
	}
	for _, a := range d.Annotations.List {
		sql += a.Target.RawSQL
	}
	defined := map[string]bool{}
	for _, v := range d.Templating.List {
		defined[v.Name] = true
		problems = append(problems, v.problems(sources)...)
		sql += v.Query
	}
	for _, match := range grafanaVariable.FindAllStringSubmatch(sql, -1) {
		if !defined[match[1]] {
			complain("variable %s is used and not defined", match[1])
		}
	}
	for name := range defined {
		if !strings.Contains(sql, "${"+name+":") {
			complain("variable %s is used nowhere", name)
		}
	}
	return problems
}

// problems are what is wrong with a panel as it is written down.
func (p *grafanaPanel) problems(sources map[string]string) (problems []string) {
	complain := func(format string, args ...any) {
		problems = append(problems, fmt.Sprintf("panel %q: ", p.Title)+fmt.Sprintf(format, args...))
	}
	if p.ID <= 0 || p.Title == "" || p.GridPos.W <= 0 || p.GridPos.H <= 0 {
		complain("it has no id, title or size")
	}
	if p.GridPos.X < 0 || p.GridPos.X+p.GridPos.W > 24 {
		complain("it goes beyond the 24 columns")
	}
	if p.Type == "row" {
		return problems
	}
	if p.PluginVersion != grafanaVersion {
		complain("it is written for version %s, want %s", p.PluginVersion, grafanaVersion)
	}
	if p.Description == "" {
		complain("it has no description")
	}
	if p.FieldConfig.Defaults.Unit == "" {
		complain("it has no unit")
	}
	if len(p.Targets) == 0 {
		complain("it asks nothing")
	}
	for _, source := range append([]struct{ Type, UID string }{p.Datasource}, targetSources(p.Targets)...) {
		if kind, ok := sources[source.UID]; !ok || kind != source.Type {
			complain("data source %s (%s) is not provisioned", source.UID, source.Type)
		}
	}
	for _, target := range p.Targets {
		if want := map[bool]string{true: "time_series", false: "table"}[p.Type == "timeseries"]; target.Format != want {
			complain("its query has the format %s, want %s", target.Format, want)
		}
		if percentileOfPercentiles.MatchString(target.RawSQL) {
			complain("a percentile is averaged or added: take it from the facts")
		}
	}
	return problems
}

// percentileOfPercentiles is what the summaries' columns of percentiles are not for.
var percentileOfPercentiles = regexp.MustCompile(`\b(avg|sum|min|max)\(\s*(\w+\.)?(\w+_)?p[59]0_`)

func targetSources(targets []grafanaTarget) (sources []struct{ Type, UID string }) {
	for _, target := range targets {
		sources = append(sources, target.Datasource)
	}
	return sources
}

// problems are what is wrong with a variable as it is written down.
func (v *grafanaVar) problems(sources map[string]string) (problems []string) {
	if v.IncludeAll && v.AllValue != "'*'" {
		problems = append(problems, fmt.Sprintf("variable %s has no value for All: thousands of ids would be listed in each query", v.Name))
	}
	if kind, ok := sources[v.Datasource.UID]; v.Type == "query" && (!ok || kind != v.Datasource.Type) {
		problems = append(problems, fmt.Sprintf("variable %s: data source %s is not provisioned", v.Name, v.Datasource.UID))
	}
	return problems
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

func readDashboards(t *testing.T) (dashboards []*grafanaDashboard) {
	t.Helper()
	files, err := filepath.Glob(grafanaDir + "/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards in %s: %v", grafanaDir, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := new(grafanaDashboard)
		if err := json.Unmarshal(text, d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if want := "archiver-" + strings.TrimSuffix(filepath.Base(file), ".json"); d.UID != want {
			t.Errorf("%s has the uid %s, want %s", file, d.UID, want)
		}
		dashboards = append(dashboards, d)
	}
	return dashboards
}

// readDatasources gives the types of the provisioned data sources by their uids.
func readDatasources(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(grafanaDir + "/provisioning/datasources/archiver.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Datasources []struct{ UID, Type string } `yaml:"datasources"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatalf("reading the data sources: %v", err)
	}
	sources := map[string]string{}
	for _, source := range file.Datasources {
		sources[source.UID] = source.Type
	}
	return sources
}
