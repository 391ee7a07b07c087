package analytics

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// casesMessages are messages with tokens and the cases they are of.
const casesMessages = `from inbox.messages as m join analytics.cases as c using (org_id, chat_id)
	left join analytics.cases as f on f.org_id = c.org_id and f.chat_id = c.chat_id and f.case_number = c.case_number + 1
	where m.total_tokens is not null and (c.case_number = 1 or m.created_at >= c.opened_at) and (f.opened_at is null or m.created_at < f.opened_at)`

// summariesAgree compares the same number as cases_wide, a fact, and each summary that has it give it, day by day, and the
// sums over all days with those of the naive recomputation. The org's zone is UTC.
func summariesAgree(t *testing.T, pool *pgxpool.Pool, naive map[string][]string) {
	t.Helper()
	day := func(column string) string { return "(" + column + " at time zone 'UTC')::date" }
	for name, sources := range map[string][]string{
		"first responses": {
			"select " + day("first_response_at") + ", count(first_response_seconds), sum(first_response_seconds) from analytics.cases_wide group by 1 having count(first_response_seconds) > 0",
			"select local_date, sum(n), sum(sum_seconds) from analytics.response_times_daily where pass = 'any' and kind = 'first' group by 1 having sum(n) > 0",
			"select replied_local_date, count(reply_seconds), sum(reply_seconds) from analytics.turns where pass = 'any' and is_first_response group by 1 having count(reply_seconds) > 0",
		},
		"first responses counted": {
			"select " + day("first_response_at") + ", count(first_response_seconds) from analytics.cases_wide group by 1 having count(first_response_seconds) > 0",
			"select local_date, sum(first_responses_measured) from analytics.channels_daily group by 1 having sum(first_responses_measured) > 0",
			"select local_date, sum(measured) from analytics.coverage_daily where metric = 'first_response' group by 1 having sum(measured) > 0",
		},
		"first responses of the team": {
			"select " + day("first_human_response_at") + ", count(first_human_response_seconds), sum(first_human_response_seconds) from analytics.cases_wide group by 1 having count(first_human_response_seconds) > 0",
			"select local_date, sum(n), sum(sum_seconds) from analytics.response_times_daily where pass = 'human' and kind = 'first' group by 1 having sum(n) > 0",
		},
		"first responses of the team counted": {
			"select " + day("first_human_response_at") + ", count(first_human_response_seconds) from analytics.cases_wide group by 1 having count(first_human_response_seconds) > 0",
			"select local_date, sum(first_responses_measured) from analytics.agents_daily group by 1 having sum(first_responses_measured) > 0",
		},
		"first responses of the AI": {
			"select opened_local_date, count(first_ai_response_seconds) from analytics.cases_wide group by 1 having count(first_ai_response_seconds) > 0",
			"select local_date, sum(first_ai_responses_measured) from analytics.assistants_daily group by 1 having sum(first_ai_responses_measured) > 0",
		},
		"reply times": {
			"select replied_local_date, count(*), sum(reply_seconds) from analytics.turns where pass = 'any' and not is_first_response and reply_seconds is not null group by 1",
			"select local_date, sum(n), sum(sum_seconds) from analytics.response_times_daily where pass = 'any' and kind = 'reply' group by 1 having sum(n) > 0",
		},
		"cases opened": {
			"select opened_local_date, count(*), count(*) filter (where case_number > 1) from analytics.cases_wide group by 1",
			"select local_date, sum(opened_cases), sum(reopened_cases) from analytics.channels_daily group by 1 having sum(opened_cases) > 0",
		},
		"hours and weekdays of openings": {
			"select " + day("opened_at") + ", sum(extract(hour from opened_at at time zone 'UTC')), sum(extract(isodow from opened_at at time zone 'UTC')) from analytics.cases group by 1",
			"select opened_local_date, sum(opened_local_hour), sum(opened_local_weekday) from analytics.cases_wide group by 1",
		},
		"cases opened, by assistant": {
			"select opened_local_date, count(*), count(*) filter (where is_ai_involved) from analytics.cases_wide group by 1",
			"select local_date, sum(cases), sum(ai_involved_cases) from analytics.assistants_daily group by 1",
		},
		"resolved by the AI": {
			"select opened_local_date, count(*) from analytics.cases_wide where is_ai_resolved and closed_at is not null group by 1",
			"select local_date, sum(ai_resolved_cases) from analytics.assistants_daily group by 1 having sum(ai_resolved_cases) > 0",
		},
		"cases closed": {
			"select closed_local_date, count(*), count(resolution_seconds) from analytics.cases_wide where closed_at is not null group by 1",
			"select local_date, sum(closed_cases), sum(resolutions_measured) from analytics.channels_daily group by 1 having sum(closed_cases) > 0",
		},
		"cases closed, by assignee": {
			"select closed_local_date, count(*) from analytics.cases_wide where closed_at is not null group by 1",
			"select local_date, sum(closed_cases) from analytics.agents_daily group by 1 having sum(closed_cases) > 0",
		},
		"handoffs": {
			"select " + day("handoff_at") + ", count(*) from analytics.cases_wide where handoff_at is not null group by 1",
			"select handed_off_local_date, count(*) from analytics.handoffs group by 1",
			"select local_date, sum(handoffs) from analytics.channels_daily group by 1 having sum(handoffs) > 0",
		},
		"ratings": {
			"select rated_local_date, count(*), sum(score) from analytics.csat_ratings where is_last and completeness = 'complete' group by 1",
			"select local_date, sum(n), sum(sum_score) from analytics.csat_daily group by 1 having sum(n) > 0",
		},
		"ratings of cases that are known": {
			"select " + day("csat_rated_at") + ", count(csat_score), sum(csat_score) from analytics.cases_wide group by 1 having count(csat_score) > 0",
			`select r.rated_local_date, count(*), sum(r.score) from analytics.csat_ratings as r join analytics.cases as c using (org_id, chat_id, case_number)
				where r.is_last and r.completeness = 'complete' and c.completeness in ('complete', 'censored') group by 1`,
		},
		"ratings counted": {
			"select local_date, sum(n) from analytics.csat_daily group by 1 having sum(n) > 0",
			"select local_date, sum(ratings_measured) from analytics.channels_daily group by 1 having sum(ratings_measured) > 0",
			"select local_date, sum(ratings_measured) from analytics.agents_daily group by 1 having sum(ratings_measured) > 0",
		},
		"customer messages": {
			"select " + day("created_at") + ", count(*) from inbox.messages where sender = 'customer' and deleted_at is null group by 1",
			"select local_date, sum(customer_messages) from analytics.volume_hourly group by 1 having sum(customer_messages) > 0",
		},
		"tokens of cases": {
			`select c.opened_local_date, sum(m.total_tokens), sum(m.input_tokens) ` + casesMessages + ` group by 1`,
			"select opened_local_date, sum(total_tokens), sum(input_tokens) from analytics.cases_wide group by 1 having sum(total_tokens) > 0",
		},
		"cost of complete cases": {
			`select c.opened_local_date, count(distinct (c.chat_id, c.case_number)), sum((greatest(m.input_tokens - coalesce(m.input_tokens_cache_read, 0)
				- coalesce(m.input_tokens_cache_write, 0), 0) * 3 + coalesce(m.input_tokens_cache_read, 0) * 0.5 + coalesce(m.input_tokens_cache_write, 0) * 3
				+ m.output_tokens * 15)::float8) ` + casesMessages + ` and c.completeness = 'complete' group by 1`,
			"select opened_local_date, count(*), sum(estimated_cost) * 1e6 from analytics.cases_wide where estimated_cost > 0 and cost_currency = 'USD' group by 1",
		},
		"tokens": {
			"select " + day("created_at") + ", sum(total_tokens) from inbox.messages where total_tokens is not null group by 1",
			"select local_date, sum(total_tokens) from analytics.token_usage_daily group by 1 having sum(total_tokens) > 0",
		},
	} {
		first := rowsOf(t, pool, sources[0])
		if len(first) == 0 {
			t.Errorf("%s: there are none, nothing is compared", name)
		}
		for _, other := range sources[1:] {
			if got := rowsOf(t, pool, other); !slices.Equal(got, first) {
				t.Errorf("%s: %s\ngives %v,\n%s\ngives %v", name, sources[0], first, other, got)
			}
		}
	}

	// The naive way knows nothing of completeness: it is compared with what was observed.
	counted := map[string]float64{}
	for _, lines := range naive {
		for _, line := range lines {
			words := strings.Fields(line)
			switch {
			case words[0] == "case":
				counted["cases"]++
			case words[0] == "handoff":
				counted["handoffs"]++
			case words[0] == "turn" && words[1] == "any" && words[4] != "-":
				var seconds float64
				if _, err := fmt.Sscan(words[4], &seconds); err != nil {
					t.Fatal(err)
				}
				counted["replies"]++
				counted["seconds"] += seconds
			}
		}
	}
	for what, sql := range map[string]string{
		"cases":    "select sum(opened_cases) from analytics.channels_daily",
		"handoffs": "select sum(handoffs) from analytics.channels_daily",
		"replies":  "select sum(n_eligible) from analytics.response_times_daily where pass = 'any'",
		"seconds":  "select sum(reply_observed_seconds) from analytics.turns where pass = 'any'",
	} {
		var got float64
		if err := pool.QueryRow(t.Context(), sql).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if diff := got - counted[what]; diff > 0.01 || diff < -0.01 || got == 0 {
			t.Errorf("%s: %v, the naive recomputation gives %v", sql, got, counted[what])
		}
	}
}

// rowsOf are the rows of a day and some numbers; these are rounded, as the order in which they were added shows in the last
// digits of a sum.
func rowsOf(t *testing.T, pool *pgxpool.Pool, sql string) (all []string) {
	t.Helper()
	rows, err := pool.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	all, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (string, error) {
		values := make([]float64, len(r.FieldDescriptions()))
		into := make([]any, len(values))
		var day time.Time
		into[0] = &day
		for i := 1; i < len(into); i++ {
			into[i] = &values[i]
		}
		err := r.Scan(into...)
		return fmt.Sprintf("%s %.3f", day.Format(time.DateOnly), values[1:]), err
	})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	slices.Sort(all)
	return all
}
