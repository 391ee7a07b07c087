package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// grafanaQuery is a query as Grafana sends it: first the browser puts in the variables, then the server the macros.
type grafanaQuery struct {
	from, to  time.Time
	variables map[string]string // what stands for ${name:sqlstring}
}

var (
	// grafanaVariable is a variable with its format. sqlstring quotes each value and puts commas between them; a custom
	// value for All is put in as it is (https://grafana.com/docs/grafana/latest/dashboards/variables/variable-syntax/).
	grafanaVariable = regexp.MustCompile(`\$\{(\w+)(?::(\w+))?\}`)
	// grafanaMacro is what the Postgres data source takes for a macro: its arguments end at the first closing bracket
	// (pkg/tsdb/grafana-postgresql-datasource/macros.go in github.com/grafana/grafana).
	grafanaMacro = regexp.MustCompile(`\$([_a-zA-Z0-9]+)\(([^)]*)\)`)
)

// expand gives the SQL that reaches Postgres.
func (q grafanaQuery) expand(sql string) (string, error) {
	var failed []error
	sql = grafanaVariable.ReplaceAllStringFunc(sql, func(match string) string {
		parts := grafanaVariable.FindStringSubmatch(match)
		value, isDefined := q.variables[parts[1]]
		switch {
		case !isDefined:
			failed = append(failed, fmt.Errorf("variable %s is not defined", parts[1]))
		case parts[2] != "sqlstring":
			failed = append(failed, fmt.Errorf("variable %s stands without :sqlstring: its value would not be quoted", parts[1]))
		}
		return value
	})
	for name, t := range map[string]time.Time{"$__unixEpochFrom()": q.from, "$__unixEpochTo()": q.to} {
		sql = strings.ReplaceAll(sql, name, strconv.FormatInt(t.Unix(), 10))
	}
	sql = grafanaMacro.ReplaceAllStringFunc(sql, func(match string) string {
		parts := grafanaMacro.FindStringSubmatch(match)
		args := strings.Split(parts[2], ",")
		for i := range args {
			args[i] = strings.TrimSpace(args[i])
		}
		expanded, err := q.macro(parts[1], args)
		failed = append(failed, err)
		return expanded
	})
	if strings.Contains(sql, "$") {
		failed = append(failed, errors.New("a $ is left after variables and macros"))
	}
	return sql, errors.Join(failed...)
}

// macro is one macro's SQL. The dashboards use no others.
func (q grafanaQuery) macro(name string, args []string) (string, error) {
	from, to := grafanaTime(q.from), grafanaTime(q.to)
	switch name {
	case "__timeFilter":
		return fmt.Sprintf("%s BETWEEN %s AND %s", args[0], from, to), nil
	case "__timeFrom":
		return from, nil
	case "__timeTo":
		return to, nil
	case "__timeGroup", "__timeGroupAlias":
		if len(args) != 2 {
			return "", fmt.Errorf("macro %s wants a column and an interval", name)
		}
		interval, err := time.ParseDuration(strings.Trim(args[1], "'"))
		if err != nil {
			return "", fmt.Errorf("the interval of macro %s: %w", name, err)
		}
		group := fmt.Sprintf("floor(extract(epoch from %s)/%v)*%[2]v", args[0], interval.Seconds())
		if name == "__timeGroupAlias" {
			group += ` AS "time"`
		}
		return group, nil
	default:
		return "", fmt.Errorf("macro %s is not known to this test or to Grafana", name)
	}
}

func grafanaTime(t time.Time) string { return "'" + t.UTC().Format(time.RFC3339Nano) + "'" }

// sqlString is Grafana's format of that name.
func sqlString(values ...string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "'" + strings.ReplaceAll(v, "'", "''") + "'"
	}
	return strings.Join(quoted, ",")
}

func TestMacrosAndVariablesAreExpandedAsGrafanaDoes(t *testing.T) {
	t.Parallel()
	q := grafanaQuery{
		from:      time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC),
		to:        time.Date(2026, 3, 8, 23, 59, 59, 999_000_000, time.UTC),
		variables: map[string]string{"org": sqlString("o'1"), "agent": "'*'", "channel": sqlString("web", "sms")},
	}
	for sql, want := range map[string]string{
		"$__timeFilter(opened_at)":          "opened_at BETWEEN '2026-03-02T00:00:00Z' AND '2026-03-08T23:59:59.999Z'",
		"$__timeFrom()::date":               "'2026-03-02T00:00:00Z'::date",
		"$__timeTo()":                       "'2026-03-08T23:59:59.999Z'",
		"$__timeGroup(a, '24h')":            "floor(extract(epoch from a)/86400)*86400",
		"$__timeGroupAlias(a,1h)":           `floor(extract(epoch from a)/3600)*3600 AS "time"`,
		"$__unixEpochFrom()":                "1772409600",
		"org_id = ${org:sqlstring}":         "org_id = 'o''1'",
		"'*' in (${agent:sqlstring})":       "'*' in ('*')",
		"channel in (${channel:sqlstring})": "channel in ('web','sms')",
	} {
		if got, err := q.expand(sql); got != want || err != nil {
			t.Errorf("%s becomes %s (%v), want %s", sql, got, err, want)
		}
	}
	for _, sql := range []string{"${org}", "${nobody:sqlstring}", "$org", "$__nothing(a)", "$__timeGroup(a)", "$__timeFilter(date(a))$"} {
		if got, err := q.expand(sql); err == nil {
			t.Errorf("%s becomes %s, want an error", sql, got)
		}
	}
}
