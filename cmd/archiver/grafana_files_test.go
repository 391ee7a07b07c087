package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
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
			"targets": [{"refId": "A", "format": "table", "rawSql": "select 1"}], "fieldConfig": {"defaults": {"unit": "s"},
				"overrides": [{"matcher": {"id": "byName", "options": "b"}, "properties": [{"id": "custom.hideFrom.viz", "value": true}]}]}}],
		"templating": {"list": [{"type": "query", "name": "agent", "multi": true, "includeAll": true}]}}`
	var d grafanaDashboard
	if err := json.Unmarshal([]byte(broken), &d); err != nil {
		t.Fatal(err)
	}
	found := strings.Join(d.problems(map[string]string{"archiver": "grafana-postgresql-datasource"}), "\n")
	for _, want := range []string{
		"no description", "no unit", "written for version", "data source elsewhere", "id 1 twice", "overlaps", "beyond the 24 columns", "variable org",
		"variable agent is used nowhere", "schemaVersion", "not editable", "not in UTC", "time_series", "percentile", "no value for All", "no property custom.hideFrom.viz",
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
	for _, override := range p.FieldConfig.Overrides {
		for _, property := range override.Properties {
			if strings.HasPrefix(property.ID, "custom.") && !slices.Contains(grafanaProperties[p.Type], property.ID) {
				complain("its kind, %s, has no property %s", p.Type, property.ID)
			}
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

// grafanaProperties are the properties of a field that a kind of panel knows, beside those that all have; Grafana passes over
// others without a word. custom.hidden is what custom.hideFrom.viz was called in Grafana 11
// (public/app/plugins/panel/table/module.tsx in github.com/grafana/grafana).
var grafanaProperties = map[string][]string{
	"table":    {"custom.align", "custom.cellOptions", "custom.filterable", "custom.hidden", "custom.hideFrom.viz", "custom.width"},
	"barchart": {"custom.hideFrom"},
	"timeseries": {
		"custom.axisLabel", "custom.axisPlacement", "custom.drawStyle", "custom.fillOpacity", "custom.hideFrom", "custom.lineWidth",
	},
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
