package main

// The questions of archiver report, written by hand: sqlc knows no types of views' columns that may be NULL, nor named
// arguments in several statements, and all of these give the same row. See measure for its columns.

// reportOrgsSQL asks which orgs there are, and whether they have facts.
const reportOrgsSQL = `
select f.org_id, f.org_name, f.time_zone, (now() at time zone f.time_zone)::date as today, f.refreshed_at, f.last_event_at, f.dirty_chats,
    exists (select from analytics.cases as c where c.org_id = f.org_id) or exists (select from analytics.turns as t where t.org_id = f.org_id) as has_facts
from analytics.freshness as f
where cardinality(@org_ids::text[]) = 0 or f.org_id = any(@org_ids::text[])
order by f.org_id`

// measureSQL gives the columns of a question their types: a NULL alone has none.
const measureSQL = `
select m.metric::text, m.by::text, m.by_name::text, m.stat::text, m.value::float8, m.unit::text, m.numerator::int8, m.denominator::int8,
    m.n::int8, m.of::int8, m.note::text
from (%s) as m (metric, by, by_name, stat, value, unit, numerator, denominator, n, of, note)`

// reportQueries are asked in this order, each with @org, @since and @until (local days, both included), @today and @zone.
// What has a day is counted on it; what stands now does not depend on the period.
var reportQueries = []struct{ section, sql string }{
	{"cases", `
select x.metric, null, null, 'count', x.value, 'cases', x.numerator, x.denominator, x.n, x.of, null
from (
    select count(*) as opened, count(*) filter (where case_number > 1) as reopened,
        count(*) filter (where completeness in ('complete', 'censored')) as known
    from analytics.cases where org_id = @org and opened_local_date between @since and @until
) as o
cross join (
    select count(*) as closed, count(*) filter (where completeness = 'complete') as known
    from analytics.cases where org_id = @org and closed_local_date between @since and @until
) as c
cross join lateral (values
    (1, 'cases_opened', o.opened::float8, null::int8, null::int8, o.known, o.opened),
    (2, 'cases_closed', c.closed::float8, null, null, c.known, c.closed),
    (3, 'cases_reopened', o.reopened::float8, o.reopened, o.opened, o.known, o.opened)
) as x (number, metric, value, numerator, denominator, n, of)
order by x.number`},

	{"times", `
with times as (
    select 1 as number, 'first_response' as metric, g.by, t.reply_seconds as seconds
    from analytics.turns as t cross join lateral (values ('any'), (t.replied_by)) as g (by)
    where t.org_id = @org and t.replied_local_date between @since and @until and t.pass = 'any' and t.is_first_response
    union all
    select 2, 'first_human_response', 'human', t.reply_seconds
    from analytics.turns as t
    where t.org_id = @org and t.replied_local_date between @since and @until and t.pass = 'human' and t.is_first_response
    union all
    select 3, 'reply', g.by, t.reply_seconds
    from analytics.turns as t cross join lateral (values ('any'), (t.replied_by)) as g (by)
    where t.org_id = @org and t.replied_local_date between @since and @until and t.pass = 'any' and t.is_first_response is not true
    union all
    select 4, 'human_after_handoff', 'human', h.human_after_handoff_seconds
    from analytics.handoffs as h
    where h.org_id = @org and h.handed_off_local_date between @since and @until and h.first_human_reply_at is not null
    union all
    select 5, 'resolution', 'any', c.resolution_seconds
    from analytics.cases as c
    where c.org_id = @org and c.closed_local_date between @since and @until and c.first_customer_message_at is not null
)
select d.metric, d.by, null, s.stat, s.value, 'seconds', null, null, d.n, d.of, null
from (
    select number, metric, by, count(seconds) as n, count(*) as of,
        percentile_cont(array[0.5, 0.9]) within group (order by seconds) as p
    from times group by number, metric, by
) as d
cross join lateral (values (1, 'p50', d.p[1]), (2, 'p90', d.p[2])) as s (number, stat, value)
order by d.number, d.by <> 'any', d.by, s.number`},

	{"csat", `
select x.metric, null, null, x.stat, x.value, x.unit, x.numerator, x.denominator, x.n, x.of, null
from (
    select coalesce(sum(n), 0)::int8 as n, coalesce(sum(n_eligible), 0)::int8 as of, coalesce(sum(sum_score), 0)::int8 as score,
        coalesce(sum(satisfied), 0)::int8 as satisfied, coalesce(sum(asked_cases), 0)::int8 as asked, coalesce(sum(asked_cases_rated), 0)::int8 as rated
    from analytics.csat_daily where org_id = @org and local_date between @since and @until
) as d
cross join (
    select count(*) filter (where has_auto_csat or has_auto_csat is null) as of
    from analytics.cases where org_id = @org and closed_local_date between @since and @until
) as c
cross join lateral (values
    (1, 'csat_average', 'mean', d.score::float8 / nullif(d.n, 0), 'stars', d.score, d.n, d.n, d.of),
    (2, 'csat_satisfied', 'percent', 100.0::float8 * d.satisfied / nullif(d.n, 0), 'percent', d.satisfied, d.n, d.n, d.of),
    (3, 'csat_responses', 'percent', 100.0::float8 * d.rated / nullif(d.asked, 0), 'percent', d.rated, d.asked, d.asked, c.of)
) as x (number, metric, stat, value, unit, numerator, denominator, n, of)
order by x.number`},

	{"ai", `
select x.metric, null, null, 'percent', x.value, 'percent', x.numerator, x.denominator, x.n, x.of, x.note
from (
    select coalesce(sum(cases), 0)::int8 as cases, coalesce(sum(measured_cases), 0)::int8 as measured, coalesce(sum(ai_involved_cases), 0)::int8 as involved,
        coalesce(sum(ai_closed_cases), 0)::int8 as closed, coalesce(sum(ai_resolved_cases), 0)::int8 as resolved,
        coalesce(sum(ai_handed_off_cases), 0)::int8 as handed_off
    from analytics.assistants_daily where org_id = @org and local_date between @since and @until
) as d
cross join (
    select coalesce(sum(eligible), 0)::int8 as of
    from analytics.coverage_daily where org_id = @org and local_date between @since and @until and metric = 'ai_resolved'
) as r
cross join lateral (values
    (1, 'ai_involvement', 100.0::float8 * d.involved / nullif(d.measured, 0), d.involved, d.measured, d.measured, d.cases, null),
    (2, 'ai_resolved', 100.0::float8 * d.resolved / nullif(d.closed, 0), d.resolved, d.closed, d.closed, r.of, null),
    (3, 'automation', 100.0::float8 * d.involved / nullif(d.measured, 0) * d.resolved / nullif(d.closed, 0), d.involved * d.resolved, d.measured * d.closed,
        d.closed, r.of, format('%s of %s x %s of %s', d.involved, d.measured, d.resolved, d.closed)),
    (4, 'handoff_rate', 100.0::float8 * d.handed_off / nullif(d.involved, 0), d.handed_off, d.involved, d.measured, d.cases, null)
) as x (number, metric, value, numerator, denominator, n, of, note)
union all
select 'handoffs', null, null, 'count', count(*), 'cases', null, null, count(*) filter (where completeness = 'complete' or completeness = 'censored'), count(*), null
from analytics.handoffs where org_id = @org and handed_off_local_date between @since and @until`},

	{"backlog", `
select x.metric, x.by, null, 'count', x.value, 'chats', null, null, null, null, x.note
from (
    select count(*) filter (where w.state = 'OPEN') as open, count(*) filter (where w.state = 'SNOOZED') as snoozed,
        count(*) filter (where w.assigned_user_id is null) as unassigned, count(w.waiting_since) as waiting,
        percentile_cont(0.5) within group (order by extract(epoch from now() - w.waiting_since)) as waiting_p50
    from analytics.chats_wide as w where w.org_id = @org and w.state in ('OPEN', 'SNOOZED') and w.deleted_at is null
) as n
cross join (
    -- A day without a row had none, from the first row on until the day the backlog is worked out for.
    select max(b.open_chats) filter (where b.local_date = @today::date - 7) as open, max(b.snoozed_chats) filter (where b.local_date = @today::date - 7) as snoozed,
        max(b.unassigned_chats) filter (where b.local_date = @today::date - 7) as unassigned,
        case when min(b.local_date) <= @today::date - 7
            and @today::date - 7 <= (select r.backlog_through from analytics.refreshes as r where r.org_id = @org) then 0 end as none
    from analytics.backlog_daily as b where b.org_id = @org and b.local_date <= @today::date
) as a
cross join lateral (values
    (1, 'open', 'now', n.open::float8, null), (2, 'open', '7_days_ago', coalesce(a.open, a.none)::float8, null),
    (3, 'snoozed', 'now', n.snoozed::float8, null), (4, 'snoozed', '7_days_ago', coalesce(a.snoozed, a.none)::float8, null),
    (5, 'unassigned', 'now', n.unassigned::float8, null), (6, 'unassigned', '7_days_ago', coalesce(a.unassigned, a.none)::float8, null),
    (7, 'waiting_for_a_reply', 'now', n.waiting::float8, null)
) as x (number, metric, by, value, note)
order by x.number`},

	{"messages", `
select 'messages', s.by, null, 'count', coalesce(sum(s.value), 0)::float8, 'messages', null, null, null, null, null
from analytics.volume_hourly as v
cross join lateral (values
    (1, 'customer', v.customer_messages), (2, 'human', v.human_messages), (3, 'ai', v.ai_messages), (4, 'broadcast', v.broadcast_messages),
    (5, 'other', v.other_messages)
) as s (number, by, value)
where v.org_id = @org and v.local_date between @since and @until
group by s.number, s.by
order by s.number`},

	{"hours", `
select 'customer_messages', lpad(h::text, 2, '0'), null, 'count', coalesce(sum(v.customer_messages), 0)::float8, 'messages', null, null, null, null, null
from generate_series(0, 23) as h
left join analytics.volume_hourly as v on v.org_id = @org and v.local_date between @since and @until and v.local_hour = h
group by h
order by h`},

	{"busiest", `
select 'customer_messages', to_char(date '2024-01-01' + v.weekday - 1, 'FMDay') || ' ' || lpad(v.local_hour::text, 2, '0') || ':00', null, 'count',
    sum(v.customer_messages)::float8, 'messages', null, null, null, null, null
from analytics.volume_hourly as v
where v.org_id = @org and v.local_date between @since and @until
group by v.weekday, v.local_hour
having sum(v.customer_messages) > 0
order by sum(v.customer_messages) desc, v.weekday, v.local_hour
limit 5`},

	{"tokens", `
select x.metric, d.model, d.model, 'sum', x.value, x.unit, null, null, x.n, x.of, null
from (
    select coalesce(u.model, 'not known') as model, sum(u.messages)::int8 as messages, sum(u.input_tokens)::float8 as input, sum(u.output_tokens)::float8 as output
    from analytics.token_usage_daily as u where u.org_id = @org and u.local_date between @since and @until
    group by 1
) as d
cross join lateral (
    select 1 as number, 'input_tokens' as metric, d.input as value, 'tokens' as unit, null::int8 as n, null::int8 as of
    union all
    select 2, 'output_tokens', d.output, 'tokens', null, null
    union all
    -- A model that has no price costs NULL, and has no currency.
    select 3, 'estimated_cost', sum(u.estimated_cost)::float8, coalesce(u.currency, ''), coalesce(sum(u.messages) filter (where u.estimated_cost is not null), 0)::int8, d.messages
    from analytics.token_usage_daily as u
    where u.org_id = @org and u.local_date between @since and @until and coalesce(u.model, 'not known') = d.model
    group by u.currency
) as x
order by d.input + d.output desc, d.model, x.number, x.unit`},

	{"assistants", `
select x.metric, d.assistant_id, d.name, x.stat, x.value, x.unit, x.numerator, x.denominator, x.n, x.of, null
from (
    select assistant_id, max(assistant_name) as name, sum(cases)::int8 as cases, sum(measured_cases)::int8 as measured,
        sum(ai_involved_cases)::int8 as involved, sum(ai_closed_cases)::int8 as closed, sum(ai_resolved_cases)::int8 as resolved, sum(ai_handed_off_cases)::int8 as handed_off
    from analytics.assistants_daily where org_id = @org and local_date between @since and @until and assistant_id is not null
    group by assistant_id order by cases desc, assistant_id limit 5
) as d
cross join lateral (values
    (1, 'cases', 'count', d.cases::float8, 'cases', null::int8, null::int8, d.measured, d.cases),
    (2, 'ai_involvement', 'percent', 100.0::float8 * d.involved / nullif(d.measured, 0), 'percent', d.involved, d.measured, d.measured, d.cases),
    (3, 'ai_resolved', 'percent', 100.0::float8 * d.resolved / nullif(d.closed, 0), 'percent', d.resolved, d.closed, d.closed, null),
    (4, 'handoff_rate', 'percent', 100.0::float8 * d.handed_off / nullif(d.involved, 0), 'percent', d.handed_off, d.involved, d.measured, d.cases)
) as x (number, metric, stat, value, unit, numerator, denominator, n, of)
order by d.cases desc, d.assistant_id, x.number`},

	{"agents", `
with replies as (
    -- Percentiles of days cannot be put together, so they are taken from the turns.
    select t.agent_user_id, count(*) as replies, count(t.reply_seconds) as n, percentile_cont(0.5) within group (order by t.reply_seconds) as p50
    from analytics.turns as t
    where t.org_id = @org and t.replied_local_date between @since and @until and t.pass = 'human' and t.agent_user_id is not null
    group by t.agent_user_id order by count(*) desc, t.agent_user_id limit 10
), d as (
    select r.agent_user_id, max(a.agent_name) as name, r.replies, r.n, r.p50, coalesce(sum(a.closed_cases), 0)::int8 as closed,
        coalesce(sum(a.ratings), 0)::int8 as ratings, coalesce(sum(a.ratings_measured), 0)::int8 as rated,
        coalesce(round(sum(a.average_score * a.ratings_measured)), 0)::int8 as score
    from replies as r
    left join analytics.agents_daily as a on a.org_id = @org and a.local_date between @since and @until and a.agent_user_id = r.agent_user_id
    group by r.agent_user_id, r.replies, r.n, r.p50
)
select x.metric, d.agent_user_id, d.name, x.stat, x.value, x.unit, x.numerator, x.denominator, x.n, x.of, null
from d
cross join lateral (values
    (1, 'turns_answered', 'count', d.replies::float8, 'turns', null::int8, null::int8, null::int8, null::int8),
    (2, 'time_to_reply', 'p50', d.p50, 'seconds', null, null, d.n, d.replies),
    (3, 'closed_cases', 'count', d.closed::float8, 'cases', null, null, null, null),
    (4, 'csat_average', 'mean', d.score::float8 / nullif(d.rated, 0), 'stars', d.score, d.rated, d.rated, d.ratings)
) as x (number, metric, stat, value, unit, numerator, denominator, n, of)
order by d.replies desc, d.agent_user_id, x.number`},

	{"coverage", `
select metric, null, null, 'percent', 100.0::float8 * sum(measured)::float8 / sum(eligible)::float8, 'percent',
    sum(measured)::int8, sum(eligible)::int8, sum(measured)::int8, sum(eligible)::int8, null
from analytics.coverage_daily where org_id = @org and local_date between @since and @until
group by metric
order by metric`},

	{"missing", `
select 'cases', c.completeness, null, 'count', count(*)::float8, 'cases', null, null, null, null, coalesce(c.completeness_reason, '')
from analytics.cases as c
where c.org_id = @org and c.opened_local_date between @since and @until and c.completeness in ('partial', 'imported')
group by c.completeness, c.completeness_reason
union all
select 'replies', t.completeness, null, 'count', count(*)::float8, 'turns', null, null, null, null, coalesce(t.completeness_reason, '')
from analytics.turns as t
where t.org_id = @org and t.replied_local_date between @since and @until and t.pass = 'any' and t.reply_seconds is null
group by t.completeness, t.completeness_reason
order by 1, 5 desc, 2, 11`},

	{"gaps", `
select 'gaps', g.status, null, 'sum', sum(g.gap_seconds), 'seconds', null, null, count(*), null, null
from analytics.gaps as g
where g.org_id = @org and g.status <> 'repaired'
    and g.began_at < analytics.day_begins(@until::date + 1, @zone)
    and (g.ended_at is null or g.ended_at >= analytics.day_begins(@since::date, @zone))
group by g.status
order by g.status`},
}
