package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"net/url"
	"strings"
	"testing"

	"archiver/postgres/dbtest"
)

func TestAReportsNumbersAreThoseOfTheViews(t *testing.T) {
	t.Parallel()
	databaseURL, orgID := simulatedWeeks(t, 3)
	env := []string{"DATABASE_URL=" + databaseURL}
	pool := open(t, databaseURL)
	period := []string{"report", "--org", orgID, "--since", "2026-03-09", "--until", "2026-03-22"}
	shown := func(format string) string {
		o := runToEnd(t, env, append(period, "--format", format)...)
		if o.code != exitDone {
			t.Fatalf("archiver report --format %s exits %d: %s", format, o.code, o.stderr)
		}
		return o.stdout
	}
	var r report
	if err := json.Unmarshal([]byte(shown("json")), &r); err != nil || len(r.Orgs) != 1 {
		t.Fatalf("--format json should print one organization: %v, %d", err, len(r.Orgs))
	}
	o := r.Orgs[0]
	const days = "between '2026-03-09' and '2026-03-22'"
	for _, c := range []struct{ metric, by, stat, value, n, of string }{
		{"cases/cases_opened", "", "count", "(select sum(opened_cases) from analytics.channels_daily where local_date " + days + ")", "", ""},
		{"cases/cases_closed", "", "count", "(select sum(closed_cases) from analytics.channels_daily where local_date " + days + ")", "", ""},
		{"cases/cases_reopened", "", "count", "(select sum(reopened_cases) from analytics.channels_daily where local_date " + days + ")", "", ""},
		{"times/first_response", "ai", "p90", "(select percentile_cont(0.9) within group (order by reply_seconds) from analytics.turns where pass = 'any' and is_first_response and replied_by = 'ai' and (replied_at at time zone 'Europe/Paris')::date " + days + ")", "", ""},
		{"times/first_response", "any", "p50", "(select percentile_cont(0.5) within group (order by reply_seconds) from analytics.turns where pass = 'any' and is_first_response and replied_local_date " + days + ")",
			"(select sum(n) from analytics.response_times_daily where pass = 'any' and kind = 'first' and local_date " + days + ")",
			"(select sum(n_eligible) from analytics.response_times_daily where pass = 'any' and kind = 'first' and local_date " + days + ")"},
		{"times/reply", "human", "p50", "(select percentile_cont(0.5) within group (order by reply_seconds) from analytics.turns where pass = 'any' and not is_first_response and replied_by = 'human' and replied_local_date " + days + ")", "", ""},
		{"times/resolution", "any", "p50", "(select percentile_cont(0.5) within group (order by resolution_seconds) from analytics.cases where closed_local_date " + days + ")", "", ""},
		{"times/human_after_handoff", "human", "p50", "(select percentile_cont(0.5) within group (order by human_after_handoff_seconds) from analytics.handoffs where handed_off_local_date " + days + ")", "", ""},
		{"csat/csat_average", "", "mean", "(select avg(score) from analytics.csat_ratings where is_last and completeness = 'complete' and rated_local_date " + days + ")", "", ""},
		{"csat/csat_responses", "", "percent", "(select 100.0 * sum(asked_cases_rated) / sum(asked_cases) from analytics.csat_daily where local_date " + days + ")", "", ""},
		{"ai/ai_involvement", "", "percent", "(select 100.0 * count(*) filter (where is_ai_involved) / count(is_ai_involved) from analytics.cases where opened_local_date " + days + ")", "", ""},
		{"ai/ai_resolved", "", "percent", "(select 100.0 * sum(ai_resolved_cases) / sum(ai_closed_cases) from analytics.assistants_daily where local_date " + days + ")",
			"(select sum(measured) from analytics.coverage_daily where metric = 'ai_resolved' and local_date " + days + ")",
			"(select sum(eligible) from analytics.coverage_daily where metric = 'ai_resolved' and local_date " + days + ")"},
		{"ai/handoffs", "", "count", "(select count(*) from analytics.handoffs where handed_off_local_date " + days + ")", "", ""},
		{"backlog/open", "now", "count", "(select count(*) from inbox.chat_states where state = 'OPEN')", "", ""},
		{"backlog/open", "7_days_ago", "count", "(select open_chats from analytics.backlog_daily where local_date = (now() at time zone 'Europe/Paris')::date - 7)", "", ""},
		{"messages/messages", "customer", "count", "(select count(*) from inbox.messages where sender = 'customer' and deleted_at is null and (created_at at time zone 'Europe/Paris')::date " + days + ")", "", ""},
	} {
		m := measureOf(o, c.metric, c.by, c.stat)
		if m == nil || m.Value == nil {
			t.Errorf("the report has no %s of %q (%s)", c.metric, c.by, c.stat)
			continue
		}
		var want float64
		if err := pool.QueryRow(t.Context(), "select "+c.value+"::float8").Scan(&want); err != nil {
			t.Fatalf("asking for %s: %v", c.metric, err)
		}
		if math.Abs(*m.Value-want) > 1e-9*math.Max(1, want) || want == 0 && m.Section != "backlog" {
			t.Errorf("the report says %s of %q (%s) is %v, SQL says %v", c.metric, c.by, c.stat, *m.Value, want)
		}
		if c.n != "" {
			if n, of := rows(t, pool, "select "+c.n), rows(t, pool, "select "+c.of); int64(n) != *m.N || int64(of) != *m.Of {
				t.Errorf("the report says %s is %d of %d, SQL says %d of %d", c.metric, *m.N, *m.Of, n, of)
			}
		}
	}
	records, err := csv.NewReader(bytes.NewBufferString(shown("csv"))).ReadAll()
	if err != nil || len(records) != len(o.Measures)+1 {
		t.Fatalf("--format csv gives %d lines, want a header and %d numbers: %v", len(records), len(o.Measures), err)
	}
	if got, want := strings.Join(records[0], ","), "org_id,since,until,section,metric,by,by_name,stat,value,unit,numerator,denominator,n,of,note"; got != want {
		t.Errorf("the columns of --format csv are %s, want %s", got, want)
	}
	for format, wants := range map[string][]string{
		"table": {"2026-03-09 to 2026-03-22", "first response", "█", " of ", "Busiest hours", "Coverage", "Next:"},
		"md":    {"# ", "## Times", "| --- |", "| first response | AI or team |", "## Next"},
	} {
		page := shown(format)
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("--format %s lacks %q:\n%s", format, want, page)
			}
		}
		if strings.Contains(page, "%!") || strings.Contains(page, "\x1b") {
			t.Errorf("--format %s has what is not to be printed:\n%s", format, page)
		}
	}
	if early := runToEnd(t, env, "report", "--since", "2020-01-01", "--until", "2020-01-31"); early.code != exitDone || !strings.Contains(early.stdout, "try an earlier --since") && !strings.Contains(early.stdout, "No case was opened") {
		t.Errorf("a report of a period before the archive exits %d and prints %s", early.code, early.stdout)
	}
}

func measureOf(o *orgReport, metric, by, stat string) *measure {
	section, name, _ := strings.Cut(metric, "/")
	for _, m := range o.Measures {
		if m.Section == section && m.Metric == name && orEmpty(m.By) == by && m.Stat == stat {
			return m
		}
	}
	return nil
}

func TestAReportOfNothingSaysWhatToDoNext(t *testing.T) {
	t.Parallel()
	databaseURL := dbtest.NewURL(t)
	env := []string{"DATABASE_URL=" + databaseURL}
	if o := runToEnd(t, env, "report"); o.code != exitDone || !strings.Contains(o.stdout, "Next: archiver ingest") {
		t.Errorf("a report of an empty archive exits %d and prints %q, want %d and what to do", o.code, o.stdout, exitDone)
	}
	pool := open(t, databaseURL)
	if _, err := pool.Exec(t.Context(), "insert into inbox.orgs (org_id, is_stub, first_seen_at, last_seen_at) values ('o1', false, now(), now())"); err != nil {
		t.Fatal(err)
	}
	if o := runToEnd(t, env, "report", "--since", "7d"); o.code != exitDone || !strings.Contains(o.stdout, "archiver backfill --org o1") {
		t.Errorf("a report of an organization without events exits %d and prints %q, want %d and what to do", o.code, o.stdout, exitDone)
	}
	for want, args := range map[string][]string{
		`no organization "o2"`: {"--org", "o2"},
		"--since":              {"--since", "2026-03-02", "--until", "2026-03-01"},
		`"March" is no day`:    {"--since", "March"},
		"--format":             {"--format", "xml"},
	} {
		if o := runToEnd(t, env, append([]string{"report"}, args...)...); o.code != exitUsage || !strings.Contains(o.stderr, want) {
			t.Errorf("archiver report %v exits %d and says %q, want %d and %q", args, o.code, o.stderr, exitUsage, want)
		}
	}
}

func TestAReaderGetsTheReportOfItsOrganizationsAlone(t *testing.T) {
	t.Parallel()
	databaseURL := dbtest.NewURL(t)
	pool := open(t, databaseURL)
	if _, err := pool.Exec(t.Context(), "insert into inbox.orgs (org_id, is_stub, first_seen_at, last_seen_at) values ('o1', false, now(), now()), ('o2', false, now(), now())"); err != nil {
		t.Fatal(err)
	}
	role := newReader(t, pool, "o1")
	if _, err := pool.Exec(t.Context(), "alter role "+role+" login password 'reader'"); err != nil {
		t.Fatal(err)
	}
	reader, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	reader.User = url.UserPassword(role, "reader")
	o := runToEnd(t, []string{"DATABASE_URL=" + reader.String()}, "report")
	if o.code != exitDone || !strings.Contains(o.stdout, "o1, 20") || strings.Contains(o.stdout, "o2") {
		t.Errorf("the report of a reader of o1 exits %d, want %d and o1 alone:\n%s%s", o.code, exitDone, o.stdout, o.stderr)
	}
}
