-- +goose Up
-- What the views filter by. The days of facts are stored, so that a condition on local_date reads an index.
create index cases_opened on analytics.cases (org_id, opened_local_date);
create index cases_closed on analytics.cases (org_id, closed_local_date);
create index cases_referrals on analytics.cases (org_id, opened_local_date) where referral_id is not null;
create index cases_assistants on analytics.cases (org_id, assistant_config_id, assistant_id);
create index cases_channels on analytics.cases (org_id, coalesce(channel_type, ''), coalesce(integration_id, ''));
create index turns_replied on analytics.turns (org_id, replied_local_date);
create index turns_assistants on analytics.turns (org_id, assistant_config_id, assistant_id);
create index csat_ratings_rated on analytics.csat_ratings (org_id, rated_local_date);
create index handoffs_handed_off on analytics.handoffs (org_id, handed_off_local_date);

-- Answer what is open now, what a broadcast did and what tokens were used without reading rows of messages, which are wide.
create index chat_states_not_closed on inbox.chat_states (org_id, state) where state <> 'CLOSED';
create index chat_state_changes_changed_at on inbox.chat_state_changes (org_id, changed_at);
create index messages_broadcasts on inbox.messages (org_id, created_at) where sender = 'broadcast';
create index messages_usage on inbox.messages (org_id, created_at)
    include (model, input_tokens, output_tokens, total_tokens, reasoning_tokens, input_tokens_cache_read, input_tokens_cache_write)
    where coalesce(total_tokens, input_tokens, output_tokens) is not null;

-- Index-only reads need pages that are known to be visible to all, and the pages of the last days are what is read most.
alter table inbox.messages set (autovacuum_vacuum_insert_scale_factor = 0.02);

-- Midnight comes twice where the clock is set back at 1 o'clock, and never where it is set forward at midnight.
-- +goose StatementBegin
create function analytics.day_begins(local_date date, time_zone text) returns timestamptz
language sql immutable parallel safe
as $$
select case
    when ((local_date::timestamp at time zone time_zone - interval '1 hour') at time zone time_zone)::date = local_date
        then local_date::timestamp at time zone time_zone - interval '1 hour'
    else local_date::timestamp at time zone time_zone
end
$$;
-- +goose StatementEnd
comment on function analytics.day_begins is 'The first instant of a local day in a time zone.';

create view analytics.calendar with (security_invoker = true) as
select
    o.org_id,
    d.local_date,
    analytics.day_begins(d.local_date, coalesce(s.time_zone, 'UTC')) as begins_at,
    analytics.day_begins(d.local_date + 1, coalesce(s.time_zone, 'UTC')) as ends_at,
    extract(year from d.local_date)::int4 as year,
    extract(quarter from d.local_date)::int4 as quarter,
    extract(month from d.local_date)::int4 as month,
    date_trunc('month', d.local_date)::date as month_begins,
    extract(isoyear from d.local_date)::int4 as iso_year,
    extract(week from d.local_date)::int4 as iso_week,
    date_trunc('week', d.local_date)::date as week_begins,
    extract(day from d.local_date)::int4 as day_of_month,
    extract(isodow from d.local_date)::int4 as weekday,
    (array['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'])[extract(isodow from d.local_date)::int4] as weekday_name,
    extract(isodow from d.local_date) >= 6 as is_weekend,
    h.name as holiday
from inbox.orgs as o
cross join (select date '2015-01-01' + n as local_date from generate_series(0, date '2040-12-31' - date '2015-01-01') as n) as d
left join analytics.settings as s on s.org_id = o.org_id
left join analytics.holidays as h on h.org_id = o.org_id and h.day = d.local_date;

create view analytics.message_days with (security_invoker = true) as
select
    o.org_id,
    f.day + n as local_date,
    analytics.day_begins(f.day + n, o.time_zone) as begins_at,
    analytics.day_begins(f.day + n + 1, o.time_zone) as ends_at,
    o.time_zone
from (
    select g.org_id, coalesce(s.time_zone, 'UTC') as time_zone
    from inbox.orgs as g
    left join analytics.settings as s on s.org_id = g.org_id
) as o
cross join lateral (
    select
        (min(m.created_at) at time zone o.time_zone)::date as day,
        (max(m.created_at) at time zone o.time_zone)::date as last_day
    from inbox.messages as m
    where m.org_id = o.org_id
) as f
cross join lateral generate_series(0, f.last_day - f.day) as n;

create view analytics.agents with (security_invoker = true) as
select
    u.org_id,
    u.user_id as agent_user_id,
    u.name,
    u.email,
    u.seen_at,
    u.is_stub,
    u.first_seen_at
from inbox.users as u;

create view analytics.assistants with (security_invoker = true) as
select
    a.org_id,
    a.assistant_id,
    a.name,
    a.enabled,
    a.deleted,
    a.is_stub,
    a.first_seen_at
from inbox.assistants as a;

create view analytics.assistant_versions with (security_invoker = true) as
select
    v.org_id,
    v.assistant_id,
    v.assistant_config_id,
    row_number() over (partition by v.org_id, v.assistant_id order by g.first_seen_at, v.assistant_config_id)::int4 as version_number,
    a.name as assistant_name,
    g.first_seen_at,
    lead(g.first_seen_at) over (partition by v.org_id, v.assistant_id order by g.first_seen_at, v.assistant_config_id) as next_first_seen_at,
    g.model,
    g.timezone,
    g.enable_ai_replies,
    g.enable_auto_csat,
    g.enable_auto_resolve,
    g.enable_auto_follow_ups,
    g.enable_transfer_to_human_tool
from (
    -- Each pair is looked up in the indexes: assistants and configurations are few, facts are many.
    select p.org_id, p.assistant_id, q.assistant_config_id
    from inbox.assistants as p
    join inbox.assistant_configs as q on q.org_id = p.org_id
    where exists (
        select from analytics.cases as c
        where c.org_id = p.org_id and c.assistant_id = p.assistant_id and c.assistant_config_id = q.assistant_config_id
    ) or exists (
        select from analytics.turns as t
        where t.org_id = p.org_id and t.assistant_id = p.assistant_id and t.assistant_config_id = q.assistant_config_id
    )
) as v
join inbox.assistants as a on a.org_id = v.org_id and a.assistant_id = v.assistant_id
join inbox.assistant_configs as g on g.org_id = v.org_id and g.assistant_config_id = v.assistant_config_id;

-- Hops from one pair to the next in the index: pairs are few, cases are many.
create view analytics.channels with (security_invoker = true) as
with recursive pairs as (
    select o.org_id, f.channel_type, f.integration_id
    from inbox.orgs as o
    cross join lateral (
        select coalesce(c.channel_type, '') as channel_type, coalesce(c.integration_id, '') as integration_id
        from analytics.cases as c
        where c.org_id = o.org_id
        order by coalesce(c.channel_type, ''), coalesce(c.integration_id, '')
        limit 1
    ) as f
    union all
    select p.org_id, f.channel_type, f.integration_id
    from pairs as p
    cross join lateral (
        select coalesce(c.channel_type, '') as channel_type, coalesce(c.integration_id, '') as integration_id
        from analytics.cases as c
        where c.org_id = p.org_id
            and (coalesce(c.channel_type, ''), coalesce(c.integration_id, '')) > (p.channel_type, p.integration_id)
        order by coalesce(c.channel_type, ''), coalesce(c.integration_id, '')
        limit 1
    ) as f
)
select
    p.org_id,
    nullif(p.channel_type, '') as channel_type,
    nullif(p.integration_id, '') as integration_id
from pairs as p;

-- The joins are to whole keys, so that those a query takes nothing from are left out of its plan; hence the group by.
create view analytics.cases_wide with (security_invoker = true) as
select
    c.org_id,
    c.chat_id,
    c.case_number,
    c.opened_at,
    c.opened_local_date,
    extract(isodow from c.opened_local_date)::int4 as opened_local_weekday,
    extract(hour from c.opened_at at time zone coalesce(s.time_zone, 'UTC'))::int4 as opened_local_hour,
    c.opened_by,
    c.opening_message_id,
    c.first_customer_message_id,
    c.first_customer_message_at,
    c.last_customer_message_at,
    c.closed_at,
    c.closed_after,
    c.closed_local_date,
    c.last_closed_at,
    c.reopens,
    c.customer_messages,
    c.ai_replies,
    c.human_replies,
    c.broadcasts,
    c.first_response_seconds,
    c.first_response_business_seconds,
    c.first_response_observed_seconds,
    c.first_response_at,
    c.first_response_message_id,
    c.first_response_by,
    c.first_ai_response_seconds,
    c.first_ai_response_business_seconds,
    c.first_ai_response_observed_seconds,
    c.first_ai_response_at,
    c.first_ai_response_message_id,
    c.first_human_response_seconds,
    c.first_human_response_business_seconds,
    c.first_human_response_observed_seconds,
    c.first_human_response_at,
    c.first_human_response_message_id,
    c.first_human_response_user_id,
    f.name as first_human_response_user_name,
    c.handoff_at,
    h.kind as handoff_kind,
    h.human_after_handoff_seconds,
    h.human_after_handoff_business_seconds,
    h.human_after_handoff_observed_seconds,
    c.assigned_at,
    c.assignment_seconds,
    c.assignment_business_seconds,
    c.assignment_observed_seconds,
    c.resolution_seconds,
    c.resolution_business_seconds,
    c.resolution_observed_seconds,
    c.resolution_unsnoozed_seconds,
    c.last_resolution_seconds,
    c.last_resolution_business_seconds,
    c.last_resolution_observed_seconds,
    c.last_ai_reply_at,
    c.is_ai_involved,
    case when c.last_ai_reply_at <= now() - interval '24 hours' then c.is_ai_resolved end as is_ai_resolved,
    c.has_auto_csat,
    c.csat_score,
    c.csat_rated_at,
    c.assistant_id,
    a.name as assistant_name,
    c.assistant_config_id,
    v.version_number as assistant_config_version,
    c.integration_id,
    c.channel_type,
    c.contact_id,
    k.name as contact_name,
    c.assigned_user_id,
    u.name as assigned_user_name,
    c.referral_id,
    c.ad_id,
    r.ad_title,
    t.title as chat_title,
    t.link as chat_link,
    c.completeness,
    c.completeness_reason,
    c.refreshed_at
from analytics.cases as c
left join analytics.settings as s on s.org_id = c.org_id
left join analytics.handoffs as h on h.org_id = c.org_id and h.chat_id = c.chat_id and h.case_number = c.case_number
left join inbox.assistants as a on a.org_id = c.org_id and a.assistant_id = c.assistant_id
left join (
    select w.org_id, w.assistant_id, w.assistant_config_id, min(w.version_number) as version_number
    from analytics.assistant_versions as w
    group by w.org_id, w.assistant_id, w.assistant_config_id
) as v on v.org_id = c.org_id and v.assistant_id = c.assistant_id and v.assistant_config_id = c.assistant_config_id
left join inbox.contacts as k on k.org_id = c.org_id and k.contact_id = c.contact_id
left join inbox.users as u on u.org_id = c.org_id and u.user_id = c.assigned_user_id
left join inbox.users as f on f.org_id = c.org_id and f.user_id = c.first_human_response_user_id
left join inbox.referrals as r on r.org_id = c.org_id and r.chat_id = c.chat_id and r.referral_id = c.referral_id
left join inbox.chats as t on t.org_id = c.org_id and t.chat_id = c.chat_id;

-- What needs another look-up for each chat stands in the list of columns, so that it is looked up only when asked for.
create view analytics.chats_wide with (security_invoker = true) as
select
    c.org_id,
    c.chat_id,
    c.title,
    c.link,
    c.created_at,
    c.updated_at,
    c.deleted_at,
    s.state,
    s.integration_id,
    s.ai_enabled,
    s.assistant_id,
    a.name as assistant_name,
    s.assistant_config_id,
    s.assigned_user_id,
    u.name as assigned_user_name,
    s.assigned_at,
    s.csat_score,
    s.follow_up_at,
    s.muted_until,
    s.admin_unseen_count,
    s.user_unseen_count,
    s.last_contact_message_at,
    (
        select h.contact_id
        from inbox.members as b
        join inbox.contact_channels as h on h.org_id = b.org_id and h.contact_channel_id = b.contact_channel_id
        where b.org_id = c.org_id and b.chat_id = c.chat_id
        order by b.left_at nulls first, b.member_id
        limit 1
    ) as contact_id,
    (
        select coalesce(k.name, h.name, h.username)
        from inbox.members as b
        join inbox.contact_channels as h on h.org_id = b.org_id and h.contact_channel_id = b.contact_channel_id
        left join inbox.contacts as k on k.org_id = h.org_id and k.contact_id = h.contact_id
        where b.org_id = c.org_id and b.chat_id = c.chat_id
        order by b.left_at nulls first, b.member_id
        limit 1
    ) as contact_name,
    (
        select h.type
        from inbox.members as b
        join inbox.contact_channels as h on h.org_id = b.org_id and h.contact_channel_id = b.contact_channel_id
        where b.org_id = c.org_id and b.chat_id = c.chat_id
        order by b.left_at nulls first, b.member_id
        limit 1
    ) as channel_type,
    m.sender as last_message_sender,
    m.created_at as last_message_at,
    (
        select case when n.replied_at is null then n.started_at end
        from analytics.turns as n
        where n.org_id = c.org_id and n.chat_id = c.chat_id and n.pass = 'any' and s.state <> 'CLOSED'
        order by n.turn_number desc
        limit 1
    ) as waiting_since,
    (
        select max(n.case_number)
        from analytics.cases as n
        where n.org_id = c.org_id and n.chat_id = c.chat_id
    ) as last_case_number,
    c.messages_complete_from,
    c.messages_complete_through
from inbox.chats as c
left join inbox.chat_states as s on s.org_id = c.org_id and s.chat_id = c.chat_id
left join inbox.assistants as a on a.org_id = s.org_id and a.assistant_id = s.assistant_id
left join inbox.users as u on u.org_id = s.org_id and u.user_id = s.assigned_user_id
left join inbox.messages as m on m.org_id = c.org_id and m.chat_id = c.chat_id and m.message_id = c.last_message_id;

create view analytics.response_times_daily with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    d.pass,
    case when d.is_first_response then 'first' when not d.is_first_response then 'reply' else 'unknown' end as kind,
    d.replied_by,
    d.assistant_id,
    d.agent_user_id,
    d.channel_type,
    d.integration_id,
    d.model,
    d.n_eligible,
    d.n,
    d.p[1] as p50_seconds,
    d.p[2] as p90_seconds,
    d.seconds / nullif(d.n, 0) as mean_seconds,
    d.seconds as sum_seconds,
    d.n_business,
    d.b[1] as p50_business_seconds,
    d.b[2] as p90_business_seconds,
    d.business_seconds / nullif(d.n_business, 0) as mean_business_seconds,
    d.business_seconds as sum_business_seconds,
    d.within_1_minute,
    d.within_5_minutes,
    d.within_15_minutes,
    d.within_1_hour,
    d.within_8_hours,
    d.within_24_hours
from (
    select
        t.org_id,
        t.replied_local_date as local_date,
        t.pass,
        t.is_first_response,
        t.replied_by,
        t.assistant_id,
        t.agent_user_id,
        t.channel_type,
        t.integration_id,
        t.model,
        count(*) as n_eligible,
        count(t.reply_seconds) as n,
        percentile_cont(array[0.5, 0.9]) within group (order by t.reply_seconds) as p,
        sum(t.reply_seconds) as seconds,
        count(t.reply_business_seconds) as n_business,
        percentile_cont(array[0.5, 0.9]) within group (order by t.reply_business_seconds) as b,
        sum(t.reply_business_seconds) as business_seconds,
        count(*) filter (where t.reply_seconds <= 60) as within_1_minute,
        count(*) filter (where t.reply_seconds <= 300) as within_5_minutes,
        count(*) filter (where t.reply_seconds <= 900) as within_15_minutes,
        count(*) filter (where t.reply_seconds <= 3600) as within_1_hour,
        count(*) filter (where t.reply_seconds <= 28800) as within_8_hours,
        count(*) filter (where t.reply_seconds <= 86400) as within_24_hours
    from analytics.turns as t
    where t.replied_local_date is not null
    group by t.org_id, t.replied_local_date, t.pass, t.is_first_response, t.replied_by, t.assistant_id, t.agent_user_id,
        t.channel_type, t.integration_id, t.model
) as d;

create view analytics.csat_daily with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    d.assigned_user_id,
    d.assistant_id,
    d.assistant_config_id,
    d.channel_type,
    d.integration_id,
    count(*) filter (where d.is_rating) as n_eligible,
    count(d.score) as n,
    avg(d.score)::float8 as average_score,
    count(*) filter (where d.score >= 4) as satisfied,
    100.0::float8 * count(*) filter (where d.score >= 4) / nullif(count(d.score), 0) as csat_percent,
    sum(d.score) as sum_score,
    count(*) filter (where d.score = 1) as score_1,
    count(*) filter (where d.score = 2) as score_2,
    count(*) filter (where d.score = 3) as score_3,
    count(*) filter (where d.score = 4) as score_4,
    count(*) filter (where d.score = 5) as score_5,
    count(d.was_rated) as asked_cases,
    count(*) filter (where d.was_rated) as asked_cases_rated,
    100.0::float8 * count(*) filter (where d.was_rated) / nullif(count(d.was_rated), 0) as estimated_response_percent
from (
    select
        r.org_id, r.rated_local_date as local_date, r.assigned_user_id, r.assistant_id, r.assistant_config_id, r.channel_type, r.integration_id,
        true as is_rating,
        case when r.completeness = 'complete' then r.score end as score,
        null::bool as was_rated
    from analytics.csat_ratings as r
    where r.is_last
    union all
    select
        c.org_id, c.closed_local_date, c.assigned_user_id, c.assistant_id, c.assistant_config_id, c.channel_type, c.integration_id,
        false,
        null,
        c.csat_score is not null
    from analytics.cases as c
    where c.closed_local_date is not null and c.has_auto_csat and c.completeness = 'complete'
) as d
group by d.org_id, d.local_date, d.assigned_user_id, d.assistant_id, d.assistant_config_id, d.channel_type, d.integration_id;

-- A look into the index for each half hour costs less than asking each message for its hour. Half hours and not hours, since
-- there are zones that shift by one.
create view analytics.volume_hourly with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    extract(isodow from d.local_date)::int4 as weekday,
    extract(hour from h.begins_at at time zone d.time_zone)::int4 as local_hour,
    sum(m.customer_messages)::int8 as customer_messages,
    sum(m.human_messages)::int8 as human_messages,
    sum(m.ai_messages)::int8 as ai_messages,
    sum(m.broadcast_messages)::int8 as broadcast_messages,
    sum(m.other_messages)::int8 as other_messages
from analytics.message_days as d
cross join lateral generate_series(d.begins_at, d.ends_at - interval '1 microsecond', interval '30 minutes') as h (begins_at)
cross join lateral (
    select
        count(*) filter (where g.sender = 'customer') as customer_messages,
        count(*) filter (where g.sender = 'human') as human_messages,
        count(*) filter (where g.sender = 'ai') as ai_messages,
        count(*) filter (where g.sender = 'broadcast') as broadcast_messages,
        count(*) filter (where g.sender not in ('customer', 'human', 'ai', 'broadcast')) as other_messages
    from inbox.messages as g
    where g.org_id = d.org_id and g.created_at >= h.begins_at and g.created_at < least(h.begins_at + interval '30 minutes', d.ends_at)
        and g.deleted_at is null
) as m
group by d.org_id, d.local_date, extract(hour from h.begins_at at time zone d.time_zone);

create view analytics.agents_daily with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    d.agent_user_id,
    u.name as agent_name,
    d.replies,
    d.replies_measured,
    d.r[1] as reply_p50_seconds,
    d.r[2] as reply_p90_seconds,
    d.reply_mean_seconds,
    d.b[1] as reply_p50_business_seconds,
    d.b[2] as reply_p90_business_seconds,
    d.first_responses,
    d.first_responses_measured,
    d.f[1] as first_response_p50_seconds,
    d.f[2] as first_response_p90_seconds,
    d.handoffs_answered,
    d.handoffs_measured,
    d.h[1] as human_after_handoff_p50_seconds,
    d.h[2] as human_after_handoff_p90_seconds,
    d.closed_cases,
    d.ratings,
    d.ratings_measured,
    d.average_score,
    d.satisfied
from (
    select
        e.org_id,
        e.local_date,
        e.agent_user_id,
        count(*) filter (where e.fact = 'turn' and not e.is_first) as replies,
        count(e.seconds) filter (where e.fact = 'turn' and not e.is_first) as replies_measured,
        percentile_cont(array[0.5, 0.9]) within group (order by e.seconds) filter (where e.fact = 'turn' and not e.is_first) as r,
        avg(e.seconds) filter (where e.fact = 'turn' and not e.is_first) as reply_mean_seconds,
        percentile_cont(array[0.5, 0.9]) within group (order by e.business_seconds) filter (where e.fact = 'turn' and not e.is_first) as b,
        count(*) filter (where e.fact = 'turn' and e.is_first) as first_responses,
        count(e.seconds) filter (where e.fact = 'turn' and e.is_first) as first_responses_measured,
        percentile_cont(array[0.5, 0.9]) within group (order by e.seconds) filter (where e.fact = 'turn' and e.is_first) as f,
        count(*) filter (where e.fact = 'handoff') as handoffs_answered,
        count(e.seconds) filter (where e.fact = 'handoff') as handoffs_measured,
        percentile_cont(array[0.5, 0.9]) within group (order by e.seconds) filter (where e.fact = 'handoff') as h,
        count(*) filter (where e.fact = 'closed') as closed_cases,
        count(*) filter (where e.fact = 'rating') as ratings,
        count(e.score) as ratings_measured,
        avg(e.score)::float8 as average_score,
        count(*) filter (where e.score >= 4) as satisfied
    from (
        select
            t.org_id, t.replied_local_date as local_date, t.agent_user_id, 'turn' as fact, coalesce(t.is_first_response, false) as is_first,
            t.reply_seconds as seconds, t.reply_business_seconds as business_seconds, null::int4 as score
        from analytics.turns as t
        where t.replied_local_date is not null and t.pass = 'human'
        union all
        select
            h.org_id, h.handed_off_local_date, h.first_human_reply_user_id, 'handoff', false,
            h.human_after_handoff_seconds, h.human_after_handoff_business_seconds, null
        from analytics.handoffs as h
        where h.first_human_reply_at is not null
        union all
        select c.org_id, c.closed_local_date, c.assigned_user_id, 'closed', false, null, null, null
        from analytics.cases as c
        where c.closed_local_date is not null
        union all
        select
            r.org_id, r.rated_local_date, r.assigned_user_id, 'rating', false, null, null,
            case when r.completeness = 'complete' then r.score end
        from analytics.csat_ratings as r
        where r.is_last
    ) as e
    group by e.org_id, e.local_date, e.agent_user_id
) as d
left join inbox.users as u on u.org_id = d.org_id and u.user_id = d.agent_user_id;

create view analytics.assistants_daily with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    d.assistant_id,
    a.name as assistant_name,
    d.assistant_config_id,
    v.version_number as assistant_config_version,
    d.opened_by,
    d.cases,
    d.measured_cases,
    d.ai_involved_cases,
    100.0::float8 * d.ai_involved_cases / nullif(d.measured_cases, 0) as ai_involvement_percent,
    d.ai_closed_cases,
    d.ai_resolved_cases,
    100.0::float8 * d.ai_resolved_cases / nullif(d.ai_closed_cases, 0) as ai_resolved_percent,
    100.0::float8 * d.ai_involved_cases / nullif(d.measured_cases, 0) * d.ai_resolved_cases / nullif(d.ai_closed_cases, 0) as automation_percent,
    d.ai_handed_off_cases,
    100.0::float8 * d.ai_handed_off_cases / nullif(d.ai_involved_cases, 0) as handoff_percent,
    d.first_ai_responses,
    d.first_ai_responses_measured,
    d.f[1] as first_ai_response_p50_seconds,
    d.f[2] as first_ai_response_p90_seconds
from (
    select
        c.org_id,
        c.opened_local_date as local_date,
        c.assistant_id,
        c.assistant_config_id,
        c.opened_by,
        count(*) as cases,
        count(c.is_ai_involved) as measured_cases,
        count(*) filter (where c.is_ai_involved) as ai_involved_cases,
        count(c.is_ai_resolved) filter (
            where c.is_ai_involved and c.closed_at is not null and c.last_ai_reply_at <= now() - interval '24 hours'
        ) as ai_closed_cases,
        count(*) filter (
            where c.is_ai_resolved and c.is_ai_involved and c.closed_at is not null and c.last_ai_reply_at <= now() - interval '24 hours'
        ) as ai_resolved_cases,
        count(*) filter (where c.is_ai_involved and c.handoff_at is not null) as ai_handed_off_cases,
        count(c.first_ai_response_at) as first_ai_responses,
        count(c.first_ai_response_seconds) as first_ai_responses_measured,
        percentile_cont(array[0.5, 0.9]) within group (order by c.first_ai_response_seconds) as f
    from analytics.cases as c
    group by c.org_id, c.opened_local_date, c.assistant_id, c.assistant_config_id, c.opened_by
) as d
left join inbox.assistants as a on a.org_id = d.org_id and a.assistant_id = d.assistant_id
left join (
    select w.org_id, w.assistant_id, w.assistant_config_id, min(w.version_number) as version_number
    from analytics.assistant_versions as w
    group by w.org_id, w.assistant_id, w.assistant_config_id
) as v on v.org_id = d.org_id and v.assistant_id = d.assistant_id and v.assistant_config_id = d.assistant_config_id;

create view analytics.channels_daily with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    d.channel_type,
    d.integration_id,
    d.opened_cases,
    d.opened_by_customer,
    d.reopened_cases,
    d.closed_cases,
    d.handoffs,
    d.first_responses,
    d.first_responses_measured,
    d.f[1] as first_response_p50_seconds,
    d.f[2] as first_response_p90_seconds,
    d.resolutions_measured,
    d.r[1] as resolution_p50_seconds,
    d.r[2] as resolution_p90_seconds,
    d.ratings,
    d.ratings_measured,
    d.average_score,
    d.satisfied
from (
    select
        e.org_id,
        e.local_date,
        e.channel_type,
        e.integration_id,
        count(*) filter (where e.fact = 'opened') as opened_cases,
        count(*) filter (where e.fact = 'opened' and e.flag) as opened_by_customer,
        count(*) filter (where e.fact = 'opened' and e.number > 1) as reopened_cases,
        count(*) filter (where e.fact = 'closed') as closed_cases,
        count(*) filter (where e.fact = 'handoff') as handoffs,
        count(*) filter (where e.fact = 'response') as first_responses,
        count(e.seconds) filter (where e.fact = 'response') as first_responses_measured,
        percentile_cont(array[0.5, 0.9]) within group (order by e.seconds) filter (where e.fact = 'response') as f,
        count(e.seconds) filter (where e.fact = 'closed') as resolutions_measured,
        percentile_cont(array[0.5, 0.9]) within group (order by e.seconds) filter (where e.fact = 'closed') as r,
        count(*) filter (where e.fact = 'rating') as ratings,
        count(e.number) filter (where e.fact = 'rating') as ratings_measured,
        avg(e.number) filter (where e.fact = 'rating')::float8 as average_score,
        count(*) filter (where e.fact = 'rating' and e.number >= 4) as satisfied
    from (
        select
            c.org_id, c.opened_local_date as local_date, c.channel_type, c.integration_id, 'opened' as fact,
            c.opened_by = 'customer' as flag, c.case_number as number, null::float8 as seconds
        from analytics.cases as c
        union all
        select c.org_id, c.closed_local_date, c.channel_type, c.integration_id, 'closed', null, null, c.resolution_seconds
        from analytics.cases as c
        where c.closed_local_date is not null
        union all
        select h.org_id, h.handed_off_local_date, h.channel_type, h.integration_id, 'handoff', null, null, null
        from analytics.handoffs as h
        union all
        select t.org_id, t.replied_local_date, t.channel_type, t.integration_id, 'response', null, null, t.reply_seconds
        from analytics.turns as t
        where t.replied_local_date is not null and t.pass = 'any' and t.is_first_response
        union all
        select
            r.org_id, r.rated_local_date, r.channel_type, r.integration_id, 'rating', null,
            case when r.completeness = 'complete' then r.score end, null
        from analytics.csat_ratings as r
        where r.is_last
    ) as e
    group by e.org_id, e.local_date, e.channel_type, e.integration_id
) as d;

create view analytics.token_usage_daily with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    m.model,
    m.messages,
    m.input_tokens,
    m.output_tokens,
    m.total_tokens,
    m.reasoning_tokens,
    m.input_tokens_cache_read,
    m.input_tokens_cache_write,
    p.currency,
    (
        greatest(m.input_tokens - m.input_tokens_cache_read - m.input_tokens_cache_write, 0) * p.input_per_million
        + m.input_tokens_cache_read * coalesce(p.cache_read_per_million, p.input_per_million)
        + m.input_tokens_cache_write * coalesce(p.cache_write_per_million, p.input_per_million)
        + m.output_tokens * p.output_per_million
    ) / 1000000 as estimated_cost
from analytics.message_days as d
cross join lateral (
    select
        g.model,
        count(*) as messages,
        coalesce(sum(g.input_tokens), 0)::int8 as input_tokens,
        coalesce(sum(g.output_tokens), 0)::int8 as output_tokens,
        coalesce(sum(g.total_tokens), 0)::int8 as total_tokens,
        coalesce(sum(g.reasoning_tokens), 0)::int8 as reasoning_tokens,
        coalesce(sum(g.input_tokens_cache_read), 0)::int8 as input_tokens_cache_read,
        coalesce(sum(g.input_tokens_cache_write), 0)::int8 as input_tokens_cache_write
    from inbox.messages as g
    where g.org_id = d.org_id and g.created_at >= d.begins_at and g.created_at < d.ends_at
        and coalesce(g.total_tokens, g.input_tokens, g.output_tokens) is not null
    group by g.model
) as m
left join lateral (
    select q.currency, q.input_per_million, q.output_per_million, q.cache_read_per_million, q.cache_write_per_million
    from analytics.model_prices as q
    where q.org_id = d.org_id and q.model = m.model and q.valid_from <= d.local_date
    order by q.valid_from desc
    limit 1
) as p on true;

create view analytics.ad_funnel with (security_invoker = true) as
select
    c.org_id,
    c.opened_local_date as local_date,
    c.ad_id,
    r.ad_title,
    r.source,
    count(*) as n_eligible,
    count(*) filter (where c.completeness in ('complete', 'censored')) as opened,
    count(*) filter (where c.completeness in ('complete', 'censored') and c.customer_messages >= 2) as engaged,
    count(*) filter (where c.completeness in ('complete', 'censored') and c.ai_replies + c.human_replies > 0) as answered,
    count(*) filter (where c.completeness in ('complete', 'censored') and c.handoff_at is not null) as handed_off,
    count(*) filter (where c.completeness in ('complete', 'censored') and c.closed_at is not null) as closed,
    count(*) filter (where c.completeness in ('complete', 'censored') and c.csat_score is not null) as rated
from analytics.cases as c
left join inbox.referrals as r on r.org_id = c.org_id and r.chat_id = c.chat_id and r.referral_id = c.referral_id
where c.referral_id is not null and not exists (
    select from analytics.cases as e
    where e.org_id = c.org_id and e.chat_id = c.chat_id and e.case_number < c.case_number and e.referral_id = c.referral_id
)
group by c.org_id, c.opened_local_date, c.ad_id, r.ad_title, r.source;

-- The first customer message after a broadcast counts for it unless another broadcast came between: then it, and all later
-- ones, count for that one.
create view analytics.broadcast_effect with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    b.broadcast_id,
    count(*) as messages,
    count(distinct b.chat_id) as chats,
    count(distinct b.chat_id) filter (where t.is_settled) as settled_chats,
    count(distinct b.chat_id) filter (where t.is_settled and (t.has_response or t.is_known)) as measured_chats,
    count(distinct b.chat_id) filter (where t.is_settled and t.has_response) as responded_chats,
    100.0::float8 * count(distinct b.chat_id) filter (where t.is_settled and t.has_response)
        / nullif(count(distinct b.chat_id) filter (where t.is_settled and (t.has_response or t.is_known)), 0) as response_percent,
    percentile_cont(0.5) within group (order by extract(epoch from a.customer_at - b.created_at)::float8)
        filter (where t.has_response) as response_p50_seconds
from analytics.message_days as d
join inbox.messages as b on b.org_id = d.org_id and b.created_at >= d.begins_at and b.created_at < d.ends_at and b.sender = 'broadcast'
join inbox.chats as c on c.org_id = b.org_id and c.chat_id = b.chat_id
left join inbox.chat_states as s on s.org_id = b.org_id and s.chat_id = b.chat_id
cross join lateral (
    select
        min(g.created_at) filter (where g.sender = 'customer') as customer_at,
        min(g.created_at) filter (where g.sender = 'broadcast') as broadcast_at
    from inbox.messages as g
    where g.org_id = b.org_id and g.chat_id = b.chat_id and g.created_at > b.created_at and g.deleted_at is null
) as a
cross join lateral (
    select
        b.created_at + interval '72 hours' <= now() as is_settled,
        coalesce(a.customer_at <= b.created_at + interval '72 hours' and (a.broadcast_at is null or a.customer_at <= a.broadcast_at), false) as has_response,
        coalesce(s.last_contact_message_at <= b.created_at, false) or coalesce(
            c.messages_complete_from <= b.created_at
            and c.messages_complete_through >= least(b.created_at + interval '72 hours', a.broadcast_at), false
        ) as is_known
) as t
where b.deleted_at is null
group by d.org_id, d.local_date, b.broadcast_id;

create view analytics.coverage_daily with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    d.metric,
    d.eligible,
    d.measured,
    100.0::float8 * d.measured / nullif(d.eligible, 0) as measured_percent
from (
    select
        t.org_id,
        t.local_date,
        m.metric,
        case m.metric when 'first_response' then t.first_responses when 'reply' then t.replies when 'human_reply' then t.human_replies end as eligible,
        case m.metric when 'first_response' then t.first_responses_measured when 'reply' then t.replies_measured when 'human_reply' then t.human_replies_measured end as measured
    from (
        select
            n.org_id,
            n.replied_local_date as local_date,
            count(*) filter (where n.pass = 'any' and n.is_first_response) as first_responses,
            count(n.reply_seconds) filter (where n.pass = 'any' and n.is_first_response) as first_responses_measured,
            count(*) filter (where n.pass = 'any' and n.is_first_response is not true) as replies,
            count(n.reply_seconds) filter (where n.pass = 'any' and n.is_first_response is not true) as replies_measured,
            count(*) filter (where n.pass = 'human') as human_replies,
            count(n.reply_seconds) filter (where n.pass = 'human') as human_replies_measured
        from analytics.turns as n
        where n.replied_local_date is not null
        group by n.org_id, n.replied_local_date
    ) as t
    cross join unnest(array['first_response', 'reply', 'human_reply']) as m (metric)
    union all
    select
        c.org_id,
        c.local_date,
        m.metric,
        case m.metric when 'ai_involvement' then c.cases when 'ai_resolved' then c.ai_closed when 'assignment' then c.assignments end as eligible,
        case m.metric when 'ai_involvement' then c.cases_measured when 'ai_resolved' then c.ai_closed_measured when 'assignment' then c.assignments_measured end as measured
    from (
        select
            n.org_id,
            n.opened_local_date as local_date,
            count(*) as cases,
            count(n.is_ai_involved) as cases_measured,
            count(*) filter (where n.ai_replies > 0 and n.closed_at is not null and n.last_ai_reply_at <= now() - interval '24 hours') as ai_closed,
            count(n.is_ai_resolved) filter (
                where n.ai_replies > 0 and n.closed_at is not null and n.last_ai_reply_at <= now() - interval '24 hours'
            ) as ai_closed_measured,
            count(n.assigned_at) as assignments,
            count(n.assignment_seconds) as assignments_measured
        from analytics.cases as n
        group by n.org_id, n.opened_local_date
    ) as c
    cross join unnest(array['ai_involvement', 'ai_resolved', 'assignment']) as m (metric)
    union all
    select n.org_id, n.closed_local_date, 'resolution', count(n.first_customer_message_at), count(n.resolution_seconds)
    from analytics.cases as n
    where n.closed_local_date is not null
    group by n.org_id, n.closed_local_date
    union all
    select n.org_id, n.handed_off_local_date, 'human_after_handoff', count(n.first_human_reply_at), count(n.human_after_handoff_seconds)
    from analytics.handoffs as n
    group by n.org_id, n.handed_off_local_date
    union all
    select n.org_id, n.rated_local_date, 'csat', count(*), count(*) filter (where n.completeness = 'complete')
    from analytics.csat_ratings as n
    where n.is_last
    group by n.org_id, n.rated_local_date
) as d
where d.eligible > 0;

create view analytics.chat_state_history with (security_invoker = true) as
select
    c.org_id,
    c.chat_id,
    c.changed_at as began_at,
    c.unchanged_until as began_after,
    n.changed_at as ended_at,
    n.unchanged_until as ended_after,
    c.state,
    p.state as previous_state,
    coalesce(p.state = 'CLOSED' and c.state <> 'CLOSED', false) as is_reopened,
    coalesce(p.state <> 'CLOSED' and c.state = 'CLOSED', false) as is_closed,
    coalesce(p.ai_enabled and not c.ai_enabled, false) as is_handoff,
    c.ai_enabled,
    c.assigned_user_id,
    u.name as assigned_user_name,
    c.assigned_at,
    c.assistant_id,
    a.name as assistant_name,
    c.assistant_config_id,
    c.integration_id,
    c.csat_score,
    c.follow_up_at,
    c.muted_until
from inbox.chat_state_changes as c
left join lateral (
    select g.changed_at, g.unchanged_until
    from inbox.chat_state_changes as g
    where g.org_id = c.org_id and g.chat_id = c.chat_id and (g.changed_at, g.stream_id, g.seq) > (c.changed_at, c.stream_id, c.seq)
    order by g.changed_at, g.stream_id, g.seq
    limit 1
) as n on true
left join lateral (
    select g.state, g.ai_enabled
    from inbox.chat_state_changes as g
    where g.org_id = c.org_id and g.chat_id = c.chat_id and (g.changed_at, g.stream_id, g.seq) < (c.changed_at, c.stream_id, c.seq)
    order by g.changed_at desc, g.stream_id desc, g.seq desc
    limit 1
) as p on true
left join inbox.users as u on u.org_id = c.org_id and u.user_id = c.assigned_user_id
left join inbox.assistants as a on a.org_id = c.org_id and a.assistant_id = c.assistant_id;

-- Readers have no rights on ops and raw: these two views read them with their owner's.
create view analytics.gaps as
select
    g.org_id,
    g.gap_id,
    g.began_at,
    g.ended_at,
    extract(epoch from coalesce(g.ended_at, now()) - g.began_at)::float8 as gap_seconds,
    g.cause,
    g.status,
    g.repaired_at,
    g.chats_swept,
    g.messages_recovered
from ops.gaps as g;

create view analytics.freshness as
select
    o.org_id,
    o.name as org_name,
    coalesce(s.time_zone, 'UTC') as time_zone,
    (select max(e.received_at) from raw.events as e where e.org_id = o.org_id) as last_event_at,
    (select max(k.last_heard_at) from ops.connections as k where k.org_id = o.org_id and k.closed_at is null) as last_heard_at,
    r.refreshed_at,
    r.backlog_through,
    (select count(*) from ops.dirty_chats as d where d.org_id = o.org_id) as dirty_chats,
    (select min(d.dirty_at) from ops.dirty_chats as d where d.org_id = o.org_id) as oldest_dirty_at,
    (select count(*) from ops.gaps as g where g.org_id = o.org_id and g.status in ('open', 'repairing')) as open_gaps,
    (select count(*) from ops.gaps as g where g.org_id = o.org_id and g.status = 'unrepaired') as unrepaired_gaps
from inbox.orgs as o
left join analytics.settings as s on s.org_id = o.org_id
left join analytics.refreshes as r on r.org_id = o.org_id;

-- +goose Down
drop view analytics.agents, analytics.agents_daily, analytics.ad_funnel, analytics.assistant_versions, analytics.assistants,
    analytics.assistants_daily, analytics.broadcast_effect, analytics.calendar, analytics.cases_wide, analytics.channels,
    analytics.channels_daily, analytics.chat_state_history, analytics.chats_wide, analytics.coverage_daily, analytics.csat_daily,
    analytics.freshness, analytics.gaps, analytics.message_days, analytics.response_times_daily, analytics.token_usage_daily,
    analytics.volume_hourly;
drop function analytics.day_begins(date, text);
alter table inbox.messages reset (autovacuum_vacuum_insert_scale_factor);
drop index analytics.cases_opened, analytics.cases_closed, analytics.cases_referrals, analytics.cases_assistants, analytics.cases_channels,
    analytics.turns_replied, analytics.turns_assistants, analytics.csat_ratings_rated, analytics.handoffs_handed_off,
    inbox.chat_states_not_closed, inbox.chat_state_changes_changed_at, inbox.messages_broadcasts, inbox.messages_usage;
