package migrations_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"archiver/postgres/dbtest"

	"github.com/jackc/pgx/v5/pgxpool"
)

// row is some columns of a row and their values; put fills in the others that must be there.
type row map[string]any

const someTime = "2026-01-01T00:00:00Z"

// must is what a row of each table has to have and the tests do not care for.
var must = map[string]row{
	"analytics.cases": {
		"opened_by": "customer", "opening_message_id": "m", "reopens": 0, "customer_messages": 1, "ai_replies": 0, "human_replies": 0,
		"input_tokens": 0, "output_tokens": 0, "total_tokens": 0,
		"broadcasts": 0, "completeness": "complete", "refreshed_at": someTime, "opened_at": someTime, "opened_local_date": "2026-01-01",
		"opened_local_hour": 0,
	},
	"analytics.turns": {
		"pass": "any", "started_at": someTime, "started_message_id": "m", "customer_messages": 1, "completeness": "complete", "refreshed_at": someTime,
	},
	"analytics.csat_ratings": {
		"rating_number": 1, "rated_at": someTime, "is_last": true, "completeness": "complete", "refreshed_at": someTime,
	},
	"analytics.handoffs": {"kind": "ai_disabled", "handed_off_at": someTime, "completeness": "complete", "refreshed_at": someTime},
	"analytics.settings": {"thanks_window_seconds": 0},
	"inbox.orgs":         {"is_stub": false, "first_seen_at": someTime, "last_seen_at": someTime},
	"inbox.chats":        {"is_stub": false, "first_seen_at": someTime, "last_seen_at": someTime, "observed_at": someTime, "observed_seq": 1},
	"inbox.chat_states":  {"first_seen_at": someTime, "last_seen_at": someTime},
	"inbox.chat_state_changes": {
		"stream_id": "00000000-0000-0000-0000-000000000001", "seq": 1, "first_seen_at": someTime, "last_seen_at": someTime,
	},
	"inbox.messages":          {"sender": "ai", "has_ended": true, "first_seen_at": someTime, "last_seen_at": someTime},
	"inbox.assistants":        {"is_stub": false, "first_seen_at": someTime, "last_seen_at": someTime, "version_seq": 1},
	"inbox.assistant_configs": {"config": row{}, "first_seen_at": someTime, "last_seen_at": someTime},
	"inbox.referrals":         {"first_seen_at": someTime, "last_seen_at": someTime},
	"ops.gaps":                {"cause": "x", "status": "unrepaired", "chats_swept": 0, "messages_recovered": 0},
	"ops.dirty_chats":         {},
	"analytics.model_prices":  {"currency": "USD"},
}

// put inserts rows of the org o.
func put(t *testing.T, pool *pgxpool.Pool, table string, rows ...row) {
	t.Helper()
	for _, r := range rows {
		whole := row{"org_id": "o"}
		maps.Copy(whole, must[table])
		maps.Copy(whole, r)
		text, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.Exec(context.Background(), fmt.Sprintf("insert into %[1]s select * from jsonb_populate_record(null::%[1]s, $1)", table), text); err != nil {
			t.Fatalf("%s takes no %s: %v", table, text, err)
		}
	}
}

// expect compares the rows of a query, each joined with commas and NULL as -, with what was worked out by hand.
func expect(t *testing.T, pool *pgxpool.Pool, query string, want ...string) {
	t.Helper()
	got := texts(t, pool, fmt.Sprintf("select array_to_string(array(select coalesce(v, '-') from json_each_text(to_json(q)) as e (k, v)), ',') from (%s) as q", query))
	if !slices.Equal(got, want) {
		t.Errorf("%s\n  gives\n    %s\n  and should give\n    %s", query, strings.Join(got, "\n    "), strings.Join(want, "\n    "))
	}
}

func TestResponseTimesCountOnlyWhatIsCompleteAndSayOfHowMany(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	reply := func(chat string, seconds, business any, more row) row {
		r := row{
			"chat_id": chat, "turn_number": 1, "is_first_response": true, "replied_at": someTime, "replied_local_date": "2026-03-02",
			"replied_by": "ai", "reply_seconds": seconds, "reply_business_seconds": business, "reply_observed_seconds": 7,
		}
		maps.Copy(r, more)
		return r
	}
	put(t, pool, "analytics.turns",
		reply("a", 60, 30, nil), reply("b", 120, 0, nil), reply("c", 240, nil, nil),
		reply("d", nil, nil, row{"completeness": "partial"}),
		reply("e", nil, nil, row{"replied_at": nil, "replied_local_date": nil, "replied_by": nil}), // not answered: no day, no row
		reply("f", 600, nil, row{"pass": "human", "replied_by": "human", "agent_user_id": "u"}),
		reply("g", 5, nil, row{"is_first_response": nil}),
	)
	// p50 of 60, 120, 240 is 120; p90 lies 0.9 × 2 = 1.8 steps in: 120 + 0.8 × 120 = 216; the mean is 420 ÷ 3 = 140.
	// Of business seconds there are 30 and 0: p50 15, p90 0 + 0.9 × 30 = 27.
	expect(t, pool, `
		select pass, kind, n_eligible, n, p50_seconds, p90_seconds, mean_seconds, sum_seconds, n_business, p50_business_seconds, p90_business_seconds,
			mean_business_seconds, within_1_minute, within_5_minutes, within_24_hours
		from analytics.response_times_daily where org_id = 'o' and local_date = '2026-03-02' order by pass, kind`,
		"any,first,4,3,120,216,140,420,2,15,27,15,1,3,3",
		"any,unknown,1,1,5,5,5,5,0,-,-,-,1,1,1",
		"human,first,1,1,600,600,600,600,0,-,-,-,0,0,1")
	expect(t, pool, `select count(*) from analytics.response_times_daily`, "3")
	expect(t, pool, `select agent_user_id, replies, first_responses, first_responses_measured, first_response_p50_seconds from analytics.agents_daily`, "u,0,1,1,600")
	expect(t, pool, `select first_responses, first_responses_measured, first_response_p50_seconds from analytics.channels_daily`, "4,3,120")
	expect(t, pool, `select metric, eligible, measured, measured_percent from analytics.coverage_daily order by 1`,
		"first_response,4,3,75", "human_reply,1,1,100", "reply,1,1,100")
}

func TestRatingsCountTheLastOfACaseAndTheResponseRateIsOfTheCasesThatWereAsked(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	day := row{"rated_local_date": "2026-03-02"}
	rating := func(more row) row { r := maps.Clone(day); maps.Copy(r, more); return r }
	put(t, pool, "analytics.csat_ratings",
		rating(row{"chat_id": "a", "score": 2, "is_last": false}), rating(row{"chat_id": "a", "rating_number": 2, "score": 5}),
		rating(row{"chat_id": "b", "score": 4}), rating(row{"chat_id": "c", "score": 3}),
		rating(row{"chat_id": "d", "score": 1, "completeness": "imported"}))
	closed := row{"case_number": 1, "closed_at": someTime, "closed_local_date": "2026-03-02", "has_auto_csat": true}
	asked := func(more row) row { r := maps.Clone(closed); maps.Copy(r, more); return r }
	put(t, pool, "analytics.cases",
		asked(row{"chat_id": "a", "csat_score": 5}), asked(row{"chat_id": "e"}), asked(row{"chat_id": "f"}), asked(row{"chat_id": "g"}),
		asked(row{"chat_id": "b", "csat_score": 4, "has_auto_csat": false}), asked(row{"chat_id": "h", "completeness": "partial"}))
	// 5, 4 and 3 count: mean 4, two of three are 4 or 5. Four cases were asked and one of them rated.
	expect(t, pool, `
		select n_eligible, n, average_score, satisfied, round(csat_percent::numeric, 2) as csat_percent, score_1, score_2, score_3, score_4, score_5,
			asked_cases, asked_cases_rated, estimated_response_percent
		from analytics.csat_daily where org_id = 'o' and local_date = '2026-03-02'`,
		"4,3,4,2,66.67,0,0,1,1,1,4,1,25")
	expect(t, pool, `select eligible, measured from analytics.coverage_daily where metric = 'csat'`, "4,3")
}

func TestTokensCostThePriceOfTheirDayAndNothingIsAddedTwice(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	put(t, pool, "inbox.orgs", row{})
	put(t, pool, "analytics.settings", row{"time_zone": "Asia/Kathmandu"})
	put(t, pool, "inbox.chats", row{"chat_id": "a"})
	put(t, pool, "analytics.model_prices",
		row{"model": "m", "valid_from": "2026-03-01", "input_per_million": 10, "output_per_million": 20, "cache_read_per_million": 1},
		row{"model": "m", "valid_from": "2026-03-03", "input_per_million": 20, "output_per_million": 40})
	message := func(id, at string, model any, input, output, read, write any) row {
		return row{
			"chat_id": "a", "message_id": id, "created_at": at, "model": model, "input_tokens": input, "output_tokens": output, "total_tokens": nil,
			"input_tokens_cache_read": read, "input_tokens_cache_write": write, "usage_turns": []row{{"input_tokens": 999}},
		}
	}
	put(t, pool, "inbox.messages",
		message("1", "2026-02-27T12:00:00Z", "m", 100, 10, nil, nil),
		message("2", "2026-03-01T18:20:00Z", "m", 1000, 200, 400, 100), // 00:05 of the 2nd in Kathmandu
		message("3", "2026-03-02T12:00:00Z", "m", 2000, 100, nil, nil),
		message("4", "2026-03-02T18:15:00Z", "m", 1000, 0, 100, nil), // 00:00 of the 3rd
		message("5", "2026-03-02T12:00:00Z", "other", 5, 5, nil, nil),
		message("6", "2026-03-02T12:00:00Z", "m", nil, nil, nil, nil))
	// The 2nd: 3000 - 400 - 100 = 2500 × 10, 400 × 1, 100 × 10 (no price of its own), 300 × 20: 25000 + 400 + 1000 + 6000
	// = 32400 millionths. The 3rd: 900 × 20, 100 × 20: 20000 millionths.
	expect(t, pool, `
		select local_date, model, messages, input_tokens, output_tokens, input_tokens_cache_read, currency, trim_scale(estimated_cost) as estimated_cost
		from analytics.token_usage_daily where org_id = 'o' order by local_date, model`,
		"2026-02-27,m,1,100,10,0,-,-",
		"2026-03-02,m,2,3000,300,400,USD,0.0324",
		"2026-03-02,other,1,5,5,0,-,-",
		"2026-03-03,m,1,1000,0,100,USD,0.02")
}

func TestTheAdFunnelCountsTheFirstCaseAfterAReferral(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	put(t, pool, "inbox.orgs", row{})
	for _, chat := range []string{"a", "b", "c"} {
		put(t, pool, "inbox.chats", row{"chat_id": chat})
		put(t, pool, "inbox.referrals", row{"chat_id": chat, "referral_id": "r", "ad_id": "ad", "ad_title": "Spring", "source": "ADS"})
	}
	put(t, pool, "analytics.cases",
		row{
			"chat_id": "a", "case_number": 1, "referral_id": "r", "ad_id": "ad", "customer_messages": 2, "ai_replies": 1,
			"handoff_at": someTime, "closed_at": someTime, "closed_local_date": "2026-01-01", "csat_score": 3,
		},
		row{"chat_id": "a", "case_number": 2, "referral_id": "r", "ad_id": "ad", "customer_messages": 9}, // came back by itself
		row{"chat_id": "a", "case_number": 3, "referral_id": "s", "ad_id": "ad2", "human_replies": 1, "completeness": "censored"},
		row{"chat_id": "b", "case_number": 1, "referral_id": "r", "ad_id": "ad", "completeness": "censored"},
		row{"chat_id": "c", "case_number": 1, "referral_id": "r", "ad_id": "ad", "customer_messages": 5, "completeness": "partial"},
		row{"chat_id": "c", "case_number": 2})
	expect(t, pool, `
		select local_date, ad_id, ad_title, n_eligible, opened, engaged, answered, handed_off, closed, rated
		from analytics.ad_funnel where org_id = 'o' order by ad_id`,
		"2026-01-01,ad,Spring,3,2,1,1,1,1,1",
		"2026-01-01,ad2,-,1,1,0,1,0,0,0")
}

func TestAMessageCountsForTheLastBroadcastWithin72HoursBeforeIt(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	put(t, pool, "inbox.orgs", row{})
	sent := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	after := func(hours int) string { return sent.Add(time.Duration(hours) * time.Hour).Format(time.RFC3339) }
	read := row{"messages_complete_from": "1970-01-01T00:00:00Z", "messages_complete_through": after(100)}
	for chat, known := range map[string]row{"a": nil, "b": read, "c": read, "d": nil, "e": nil, "f": nil} {
		r := row{"chat_id": chat}
		maps.Copy(r, known)
		put(t, pool, "inbox.chats", r)
	}
	put(t, pool, "inbox.chat_states", row{"chat_id": "e", "last_contact_message_at": after(-1)})
	broadcast := func(chat, id, at string) row {
		return row{"chat_id": chat, "message_id": id, "sender": "broadcast", "broadcast_id": id, "created_at": at}
	}
	customer := func(chat string, hours int) row {
		return row{"chat_id": chat, "message_id": fmt.Sprint("m", hours), "sender": "customer", "created_at": after(hours)}
	}
	put(t, pool, "inbox.messages",
		broadcast("a", "b1", after(0)), customer("a", 71), // in time
		broadcast("b", "b1", after(0)), customer("b", 73), // too late
		broadcast("c", "b1", after(0)), broadcast("c", "b2", after(1)), customer("c", 2), // for b2
		broadcast("d", "b1", after(0)), // nothing is known of d
		broadcast("e", "b1", after(0)), // the contact of e has not written since
		broadcast("f", "b3", time.Now().Format(time.RFC3339)))
	// b1: a of a, b, c, e, which are known.
	expect(t, pool, `
		select broadcast_id, messages, chats, settled_chats, measured_chats, responded_chats, response_percent, response_p50_seconds
		from analytics.broadcast_effect where org_id = 'o' order by broadcast_id`,
		fmt.Sprintf("b1,5,5,5,4,1,25,%d", 71*3600),
		"b2,1,1,1,1,1,100,3600",
		"b3,1,1,0,0,0,-,-")
}

func TestCoverageSaysOfHowManyEachMetricIs(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	closed := row{
		"closed_at": someTime, "closed_local_date": "2026-01-02", "first_customer_message_at": someTime,
		"ai_replies": 1, "last_ai_reply_at": someTime,
	}
	with := func(more row) row { r := maps.Clone(closed); maps.Copy(r, more); return r }
	put(t, pool, "analytics.cases",
		with(row{"chat_id": "a", "case_number": 1, "resolution_seconds": 5, "is_ai_involved": true, "is_ai_resolved": true, "assigned_at": someTime, "assignment_seconds": 1}),
		with(row{"chat_id": "b", "case_number": 1, "completeness": "partial", "assigned_at": someTime}),
		with(row{"chat_id": "c", "case_number": 1, "resolution_seconds": 9, "is_ai_involved": true, "is_ai_resolved": false}),
		with(row{"chat_id": "d", "case_number": 1, "first_customer_message_at": nil, "ai_replies": 0, "last_ai_reply_at": nil, "is_ai_involved": false}))
	put(t, pool, "analytics.handoffs",
		row{"chat_id": "a", "case_number": 1, "handed_off_local_date": "2026-01-02", "first_human_reply_at": someTime, "human_after_handoff_seconds": 3},
		row{"chat_id": "b", "case_number": 1, "handed_off_local_date": "2026-01-02", "first_human_reply_at": someTime},
		row{"chat_id": "c", "case_number": 1, "handed_off_local_date": "2026-01-02"})
	expect(t, pool, `select local_date, metric, eligible, measured, round(measured_percent) as percent from analytics.coverage_daily where org_id = 'o' order by metric`,
		"2026-01-01,ai_involvement,4,3,75",
		"2026-01-01,ai_resolved,3,2,67",
		"2026-01-01,assignment,2,1,50",
		"2026-01-02,human_after_handoff,2,1,50",
		"2026-01-02,resolution,3,2,67")
}

func TestAutomationIsOfCasesOldEnoughToKnow(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	put(t, pool, "inbox.orgs", row{})
	put(t, pool, "inbox.assistants", row{"assistant_id": "s", "name": "Sam"})
	put(t, pool, "inbox.assistant_configs", row{"assistant_config_id": "x", "first_seen_at": "2026-01-02T00:00:00Z"}, row{"assistant_config_id": "y"})
	recently := time.Now().Add(-23 * time.Hour).Format(time.RFC3339)
	of := func(chat string, more row) row {
		r := row{
			"chat_id": chat, "case_number": 1, "assistant_id": "s", "assistant_config_id": "x", "closed_at": someTime, "ai_replies": 1,
			"last_ai_reply_at": someTime, "is_ai_involved": true, "is_ai_resolved": false,
		}
		maps.Copy(r, more)
		return r
	}
	put(t, pool, "analytics.cases",
		of("a", row{"is_ai_resolved": true}), of("b", row{"is_ai_resolved": true}), of("c", row{"is_ai_resolved": true}),
		of("d", row{"handoff_at": someTime}),
		of("e", row{"is_ai_resolved": true, "last_ai_reply_at": recently}), // too early to say
		of("f", row{"is_ai_involved": false, "ai_replies": 0, "last_ai_reply_at": nil}),
		of("g", row{"is_ai_involved": nil, "is_ai_resolved": nil, "completeness": "partial"}),
		of("h", row{"assistant_config_id": "y", "opened_by": "broadcast", "is_ai_involved": false, "last_ai_reply_at": nil}))
	// Involved: a to e of a to f, 5 of 6. Resolved: a, b, c of a to d, 3 of 4. 5 ÷ 6 × 3 ÷ 4 is 62.5 %.
	expect(t, pool, `
		select assistant_name, assistant_config_version, opened_by, cases, measured_cases, ai_involved_cases, ai_closed_cases, ai_resolved_cases, ai_resolved_percent,
			round(automation_percent::numeric, 1) as automation_percent, ai_handed_off_cases, handoff_percent
		from analytics.assistants_daily where org_id = 'o' order by assistant_config_version desc`,
		"Sam,2,customer,7,6,5,4,3,75,62.5,1,20",
		"Sam,1,broadcast,1,1,0,0,0,-,-,0,-")
	expect(t, pool, `select chat_id, is_ai_resolved, assistant_name, assistant_config_version from analytics.cases_wide where chat_id in ('a', 'd', 'e', 'f') order by 1`,
		"a,true,Sam,2", "d,false,Sam,2", "e,-,Sam,2", "f,-,Sam,2")
	expect(t, pool, `select version_number, assistant_config_id from analytics.assistant_versions order by 1`, "1,y", "2,x")
}

func TestADayOfAnAgentAndOfAChannelGathersWhatHappenedOnIt(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	put(t, pool, "analytics.turns",
		row{"chat_id": "a", "turn_number": 1, "pass": "human", "is_first_response": true, "replied_local_date": "2026-03-02", "agent_user_id": "u", "reply_seconds": 10},
		row{"chat_id": "a", "turn_number": 2, "pass": "human", "is_first_response": false, "replied_local_date": "2026-03-02", "agent_user_id": "u", "reply_seconds": 20},
		row{"chat_id": "a", "turn_number": 3, "pass": "human", "is_first_response": false, "replied_local_date": "2026-03-02", "agent_user_id": "u", "reply_seconds": 40, "reply_business_seconds": 4},
		row{"chat_id": "a", "turn_number": 1, "is_first_response": true, "replied_local_date": "2026-03-02", "channel_type": "web", "reply_seconds": 3})
	put(t, pool, "analytics.cases",
		row{"chat_id": "a", "case_number": 1, "channel_type": "web", "opened_local_date": "2026-03-02", "closed_local_date": "2026-03-02", "resolution_seconds": 100, "assigned_user_id": "u"},
		row{"chat_id": "a", "case_number": 2, "channel_type": "web", "opened_local_date": "2026-03-02", "opened_by": "broadcast", "completeness": "censored"})
	put(t, pool, "analytics.handoffs",
		row{"chat_id": "a", "case_number": 1, "channel_type": "web", "handed_off_local_date": "2026-03-02", "first_human_reply_at": someTime, "first_human_reply_user_id": "u", "human_after_handoff_seconds": 7},
		row{"chat_id": "a", "case_number": 2, "channel_type": "web", "handed_off_local_date": "2026-03-02"})
	put(t, pool, "analytics.csat_ratings",
		row{"chat_id": "a", "channel_type": "web", "rated_local_date": "2026-03-02", "score": 5, "assigned_user_id": "u"},
		row{"chat_id": "b", "channel_type": "web", "rated_local_date": "2026-03-02", "score": 2, "assigned_user_id": "u"},
		row{"chat_id": "c", "channel_type": "web", "rated_local_date": "2026-03-02", "score": 1, "assigned_user_id": "u", "completeness": "imported"})
	// Replies of 20 and 40 s: p50 30, p90 20 + 0.9 × 20 = 38, mean 30. Ratings of 5 and 2: mean 3.5, one of them satisfied.
	expect(t, pool, `
		select agent_user_id, replies, replies_measured, reply_p50_seconds, reply_p90_seconds, reply_mean_seconds, reply_p50_business_seconds, first_responses,
			first_response_p50_seconds, handoffs_answered, human_after_handoff_p50_seconds, closed_cases, ratings, ratings_measured, average_score, satisfied
		from analytics.agents_daily where org_id = 'o' and local_date = '2026-03-02'`,
		"u,2,2,30,38,30,4,1,10,1,7,1,3,2,3.5,1")
	expect(t, pool, `
		select channel_type, opened_cases, opened_by_customer, reopened_cases, closed_cases, handoffs, first_responses, first_response_p50_seconds,
			resolutions_measured, resolution_p50_seconds, ratings, ratings_measured, average_score, satisfied
		from analytics.channels_daily where org_id = 'o' and local_date = '2026-03-02'`,
		"web,2,1,1,1,2,1,3,1,100,3,2,3.5,1")
}

func TestAChatWaitsWhileTheLastWordIsTheCustomersAndItIsNotClosed(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	put(t, pool, "inbox.orgs", row{})
	for chat, state := range map[string]string{"a": "OPEN", "b": "OPEN", "c": "CLOSED"} {
		put(t, pool, "inbox.chats", row{"chat_id": chat, "last_message_id": "m"})
		put(t, pool, "inbox.chat_states", row{"chat_id": chat, "state": state})
		put(t, pool, "inbox.messages", row{"chat_id": chat, "message_id": "m", "sender": "customer", "created_at": "2026-03-02T10:00:00Z"})
	}
	answered := row{"chat_id": "b", "turn_number": 2, "replied_at": someTime}
	put(t, pool, "analytics.turns",
		row{"chat_id": "a", "turn_number": 1, "started_at": "2026-03-01T00:00:00Z", "replied_at": someTime},
		row{"chat_id": "a", "turn_number": 2, "started_at": "2026-03-02T09:00:00Z"}, answered, row{"chat_id": "c", "turn_number": 1})
	expect(t, pool, `
		select chat_id, state, to_char(waiting_since at time zone 'UTC', 'DD HH24:MI') as waiting, last_message_sender
		from analytics.chats_wide where org_id = 'o' order by chat_id`,
		"a,OPEN,02 09:00,customer", "b,OPEN,-,customer", "c,CLOSED,-,customer")
}

func TestTheHistoryOfAChatIsIntervals(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	put(t, pool, "inbox.orgs", row{})
	put(t, pool, "inbox.chats", row{"chat_id": "a"})
	put(t, pool, "inbox.chat_state_changes",
		row{"chat_id": "a", "changed_at": "2026-03-02T10:00:00Z", "state": "OPEN", "ai_enabled": true},
		row{"chat_id": "a", "changed_at": "2026-03-02T11:00:00Z", "unchanged_until": "2026-03-02T10:30:00Z", "state": "OPEN", "ai_enabled": false},
		row{"chat_id": "a", "changed_at": "2026-03-02T11:00:00Z", "seq": 2, "state": "CLOSED", "ai_enabled": false}, // at the same time
		row{"chat_id": "a", "changed_at": "2026-03-02T12:00:00Z", "state": "SNOOZED", "ai_enabled": true})
	expect(t, pool, `
		select to_char(began_at at time zone 'UTC', 'HH24:MI') as began, to_char(ended_at at time zone 'UTC', 'HH24:MI') as ended,
			to_char(ended_after at time zone 'UTC', 'HH24:MI') as ended_after, previous_state, state, is_handoff, is_closed, is_reopened
		from analytics.chat_state_history where org_id = 'o' order by began_at, ended_at`,
		"10:00,11:00,10:30,-,OPEN,false,false,false",
		"11:00,11:00,-,OPEN,OPEN,true,false,false",
		"11:00,12:00,-,OPEN,CLOSED,false,true,false",
		"12:00,-,-,CLOSED,SNOOZED,false,false,true")
}

func TestChannelsAreFoundWithoutReadingAllCases(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	put(t, pool, "inbox.orgs", row{}, row{"org_id": "p"})
	for i, channel := range []row{{"channel_type": "web"}, {"channel_type": "web"}, {"channel_type": "email", "integration_id": "gmail"}, {}, {"org_id": "p", "channel_type": "sms"}} {
		channel["chat_id"], channel["case_number"] = fmt.Sprint(i), 1
		put(t, pool, "analytics.cases", channel)
	}
	expect(t, pool, `select org_id, channel_type, integration_id from analytics.channels order by 1, 2 nulls first`, "o,-,-", "o,email,gmail", "o,web,-", "p,sms,-")
}

func TestFreshnessShowsWhatIsBehindAndGapsWhatIsMissing(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	put(t, pool, "inbox.orgs", row{"name": "Acme"})
	put(t, pool, "ops.dirty_chats", row{"chat_id": "a", "dirty_at": someTime})
	put(t, pool, "ops.gaps",
		row{"gap_id": "00000000-0000-0000-0000-000000000001", "began_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:01:30Z"},
		row{"gap_id": "00000000-0000-0000-0000-000000000002", "began_at": "2026-01-02T00:00:00Z", "status": "open"})
	expect(t, pool, `select org_id, org_name, time_zone, last_event_at, dirty_chats, open_gaps, unrepaired_gaps from analytics.freshness`, "o,Acme,UTC,-,1,1,1")
	expect(t, pool, `select gap_seconds, status from analytics.gaps where ended_at is not null`, "90,unrepaired")
}

// Days of 23, 24½ and 25 hours, a midnight that comes twice (Havana) or never (Santiago), zones off the hour.
func TestHoursAndDaysAreThoseOfTheOrgsClock(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	for zone, around := range map[string][]string{
		"America/New_York":    {"2025-03-09", "2025-11-02"},
		"Asia/Kathmandu":      {"2025-06-01"},
		"Australia/Lord_Howe": {"2025-04-06", "2025-10-05"},
		"America/Havana":      {"2025-03-09", "2025-11-02"},
		"America/Santiago":    {"2025-04-06", "2025-09-07"},
		"Pacific/Chatham":     {"2025-04-06"},
		"Europe/London":       {"2025-10-26"},
	} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		put(t, pool, "inbox.orgs", row{"org_id": zone})
		put(t, pool, "inbox.chats", row{"org_id": zone, "chat_id": "a"})
		put(t, pool, "analytics.settings", row{"org_id": zone, "time_zone": zone})
		want := map[string]int{}
		var times []time.Time
		for _, day := range around {
			noon, err := time.ParseInLocation(time.DateOnly+" 15", day+" 12", location)
			if err != nil {
				t.Fatal(err)
			}
			for at := noon.Add(-40 * time.Hour); at.Before(noon.Add(40 * time.Hour)); at = at.Add(15 * time.Minute) {
				times = append(times, at)
				want[at.In(location).Format("2006-01-02 15")]++
			}
		}
		if _, err := pool.Exec(context.Background(), `
			insert into inbox.messages (org_id, chat_id, message_id, sender, created_at, input_tokens, has_ended, first_seen_at, last_seen_at)
			select $1, 'a', i::text, 'customer', at, 1, true, at, at from unnest($2::timestamptz[]) with ordinality as m (at, i)`, zone, times); err != nil {
			t.Fatal(err)
		}
		var lines, days []string
		perDay := map[string]int{}
		for hour, n := range want {
			lines = append(lines, fmt.Sprintf("%s,%d", hour, n))
			perDay[hour[:10]] += n
		}
		for day, n := range perDay {
			days = append(days, fmt.Sprintf("%s,%d", day, n))
		}
		slices.Sort(lines)
		slices.Sort(days)
		expect(t, pool, fmt.Sprintf(`select to_char(local_date + make_interval(hours => local_hour), 'YYYY-MM-DD HH24') as hour, customer_messages
			from analytics.volume_hourly where org_id = '%s' and customer_messages > 0 order by 1`, zone), lines...)
		expect(t, pool, fmt.Sprintf(`select local_date, input_tokens from analytics.token_usage_daily where org_id = '%s' order by 1`, zone), days...)
		expect(t, pool, fmt.Sprintf(`
			select count(*) from analytics.calendar as d join analytics.calendar as n on n.org_id = d.org_id and n.local_date = d.local_date + 1
			where d.org_id = '%s' and d.ends_at <> n.begins_at`, zone), "0")
	}
}

func TestViewsAreReadWithTheReadersRightsAndSayWhoseRowsTheyAre(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	if got, want := texts(t, pool, `
		select relname::text from pg_class
		where relnamespace = 'analytics'::regnamespace and relkind = 'v' and not coalesce(reloptions, '{}') @> '{security_invoker=true}' order by 1`),
		[]string{"drift", "flaws", "freshness", "gaps"}; !slices.Equal(got, want) {
		t.Errorf("views read with their owner's rights are %v; they should be %v, which show what readers have no rights on", got, want)
	}
	if without := texts(t, pool, `
		select relname::text from pg_class as c
		where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v')
			and not exists (select from pg_attribute where attrelid = c.oid and attname = 'org_id' and attnum = 1)`); len(without) > 0 {
		t.Errorf("tables and views of analytics that do not begin with org_id: %v", without)
	}
}
