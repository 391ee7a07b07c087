-- name: GetFactOrgs :many
-- The orgs whose chats there are facts of.
select o.org_id from inbox.orgs as o
where exists (select from inbox.chats as c where c.org_id = o.org_id)
order by 1;

-- name: TryLockFacts :one
-- Whether this transaction is the one to write the org's facts, until it ends.
select pg_try_advisory_xact_lock(hashtextextended('archiver facts of ' || @org_id::text, 0));

-- name: LockFacts :exec
-- Waits until this transaction is the one to write the org's facts.
select pg_advisory_xact_lock(hashtextextended('archiver facts of ' || @org_id::text, 0));

-- name: GetRefresh :many
select * from analytics.refreshes where org_id = @org_id;

-- name: SaveRefresh :exec
insert into analytics.refreshes as t (org_id, settings_fingerprint, gaps, first_heard_at, backlog_through, refreshed_at)
values (@org_id, @settings_fingerprint, @gaps, @first_heard_at, @backlog_through, @refreshed_at)
on conflict (org_id) do update set
    settings_fingerprint = excluded.settings_fingerprint, gaps = excluded.gaps, first_heard_at = excluded.first_heard_at,
    backlog_through = excluded.backlog_through, refreshed_at = excluded.refreshed_at;

-- name: GetFirstHeard :one
-- When the org was first listened to; NULL: never.
select min(c.opened_at)::timestamp with time zone from ops.connections as c where c.org_id = @org_id;

-- name: GetFactGaps :many
select g.gap_id, g.began_at, g.ended_at, g.status from ops.gaps as g where g.org_id = @org_id order by g.began_at;

-- name: GetChatsAfter :many
-- The org's chats after one, in the order of their ids, and when something was last observed of them.
select c.chat_id, c.observed_at from inbox.chats as c
where c.org_id = @org_id and c.chat_id > @after_chat_id
order by c.chat_id limit @chats;

-- name: GetDirtyChats :many
select d.chat_id, d.dirty_at from ops.dirty_chats as d
where d.org_id = @org_id and d.chat_id > @after_chat_id
order by d.chat_id limit @chats;

-- name: GetChatBlocks :one
-- How many pages the chats of all orgs take, and how many marks the org has, to be counted up to a bound.
select (pg_relation_size('inbox.chats') / current_setting('block_size')::int8)::int8 as blocks,
    (select count(*) from (select from ops.dirty_chats as d where d.org_id = @org_id limit @most) as m)::int8 as marks;

-- name: GetDirtyChatsAt :many
-- The marked chats whose rows lie in some pages of the table of chats.
select c.chat_id, d.dirty_at
from inbox.chats as c
cross join lateral (
    select g.dirty_at from ops.dirty_chats as g where g.org_id = c.org_id and g.chat_id = c.chat_id offset 0
) as d
where c.org_id = @org_id and c.ctid >= format('(%s,0)', @from_block::int8)::tid and c.ctid < format('(%s,0)', @to_block::int8)::tid;

-- name: ClearDirtyChats :exec
-- Arrays of one length. A chat that was marked again meanwhile keeps its mark.
delete from ops.dirty_chats as d
using rows from (unnest(@chat_ids::text[]), unnest(@dirty_ats::timestamptz[])) as k (chat_id, dirty_at)
where d.org_id = @org_id and d.chat_id = k.chat_id and d.dirty_at = k.dirty_at;

-- name: GetFactChats :many
select c.chat_id, c.deleted_at, c.messages_complete_from, c.messages_complete_through, s.last_contact_message_at
from unnest(@chat_ids::text[]) as k (key)
cross join lateral (
    select g.org_id, g.chat_id, g.deleted_at, g.messages_complete_from, g.messages_complete_through
    from inbox.chats as g
    where g.org_id = @org_id and g.chat_id = k.key
    offset 0
) as c
left join inbox.chat_states as s on s.org_id = c.org_id and s.chat_id = c.chat_id;

-- name: GetFactMessages :many
-- Chat by chat, as all that is read of many chats here (offset 0 keeps it so): whatever the planner believes of tables that were
-- not analyzed since they grew, that is a look into the primary key for each, and not through all of the org's rows. Of tables
-- that look empty the order of the key tells it from the other indexes.
select m.chat_id, m.message_id, m.created_at, m.sender, m.status, m.deleted_at, m.user_id,
    m.model, m.input_tokens, m.output_tokens, m.total_tokens, m.input_tokens_cache_read, m.input_tokens_cache_write,
    ch.type as channel_type, ch.contact_id
from unnest(@chat_ids::text[]) as k (key)
cross join lateral (
    select g.org_id, g.chat_id, g.message_id, g.created_at, g.sender, g.status, g.deleted_at, g.user_id, g.model, g.contact_channel_id,
        g.input_tokens, g.output_tokens, g.total_tokens, g.input_tokens_cache_read, g.input_tokens_cache_write
    from inbox.messages as g
    where g.org_id = @org_id and g.chat_id = k.key
    order by g.message_id offset 0
) as m
left join inbox.contact_channels as ch on ch.org_id = m.org_id and ch.contact_channel_id = m.contact_channel_id
order by m.chat_id, m.created_at, m.message_id;

-- name: GetFactChanges :many
-- The configurations are joined to all rows at once: else they were read through for each chat, where they are few.
select h.chat_id, h.changed_at, h.unchanged_until, h.state, h.ai_enabled, h.assigned_user_id, h.assigned_at, h.csat_score,
    h.assistant_id, h.assistant_config_id, h.integration_id, h.unseen_rise, k.enable_auto_csat
from (
    select r.*
    from unnest(@chat_ids::text[]) as c (key)
    cross join lateral (
        select g.org_id, g.chat_id, g.changed_at, g.unchanged_until, g.state, g.ai_enabled, g.assigned_user_id, g.assigned_at, g.csat_score,
            g.assistant_id, g.assistant_config_id, g.integration_id, g.unseen_rise, g.first_seen_at, g.stream_id, g.seq
        from inbox.chat_state_changes as g
        where g.org_id = @org_id and g.chat_id = c.key
        order by g.changed_at, g.stream_id, g.seq offset 0
    ) as r
    offset 0
) as h
left join inbox.assistant_configs as k on k.org_id = h.org_id and k.assistant_config_id = h.assistant_config_id
order by h.chat_id, h.changed_at, h.first_seen_at, h.stream_id, h.seq;

-- name: GetFactReferrals :many
select r.chat_id, r.referral_id, r.ad_id, coalesce(r.version_at, r.first_seen_at)::timestamptz as seen_at
from inbox.referrals as r
where r.org_id = @org_id and r.chat_id = any(@chat_ids::text[])
order by r.chat_id, seen_at, r.referral_id;

-- name: AddToBacklog :exec
-- Arrays of one length, one element a day, no day twice. A day of which nothing is left has no row.
insert into analytics.backlog_daily as t (org_id, local_date, open_chats, snoozed_chats, unassigned_chats)
select @org_id, r.local_date, r.open_chats, r.snoozed_chats, r.unassigned_chats
from rows from (
    unnest(@local_dates::date[]), unnest(@open_chats::int8[]), unnest(@snoozed_chats::int8[]), unnest(@unassigned_chats::int8[])
) as r (local_date, open_chats, snoozed_chats, unassigned_chats)
on conflict (org_id, local_date) do update set
    open_chats = t.open_chats + excluded.open_chats, snoozed_chats = t.snoozed_chats + excluded.snoozed_chats,
    unassigned_chats = t.unassigned_chats + excluded.unassigned_chats;

-- name: DropEmptyBacklog :exec
delete from analytics.backlog_daily where org_id = @org_id and open_chats = 0 and snoozed_chats = 0;

-- name: DropBacklog :exec
delete from analytics.backlog_daily where org_id = @org_id;

-- name: GetBacklog :many
select b.local_date, b.open_chats, b.snoozed_chats, b.unassigned_chats
from analytics.backlog_daily as b where b.org_id = @org_id order by b.local_date;

-- name: GetFirstSpan :one
-- When the first of the org's chats was open or snoozed; NULL: none was.
select min(s.began_at)::timestamp with time zone
from analytics.chat_spans as s where s.org_id = @org_id and upper(s.state) in ('OPEN', 'SNOOZED');

-- name: CountBacklog :many
-- The chats that were open or snoozed at some times, which ascend; n is the place of the time, from 1. A span counts from the
-- first of them that is not before its beginning to the last that is before its end.
with moments as (
    select @ats::timestamptz[] as ats
), spans as (
    select (upper(s.state) = 'SNOOZED')::int4 as snoozed, (upper(s.state) = 'OPEN')::int4 as open,
        (s.assigned_user_id is null)::int4 as unassigned,
        width_bucket(s.began_at - interval '1 microsecond', m.ats) as before_first,
        coalesce(width_bucket(s.ended_at - interval '1 microsecond', m.ats), cardinality(m.ats)) as last
    from analytics.chat_spans as s cross join moments as m
    where s.org_id = @org_id and upper(s.state) in ('OPEN', 'SNOOZED') and (s.ended_at is null or s.ended_at > m.ats[1])
), edges as (
    select e.n, sum(e.open) as open, sum(e.snoozed) as snoozed, sum(e.unassigned) as unassigned
    from (
        select before_first + 1 as n, open, snoozed, unassigned from spans
        union all
        select last + 1, -open, -snoozed, -unassigned from spans
    ) as e
    group by e.n
)
select d.n::int8 as n, coalesce(sum(e.open) over w, 0)::int8 as open_chats, coalesce(sum(e.snoozed) over w, 0)::int8 as snoozed_chats,
    coalesce(sum(e.unassigned) over w, 0)::int8 as unassigned_chats
from moments as m cross join lateral generate_series(1, cardinality(m.ats)) as d (n)
left join edges as e on e.n = d.n
window w as (order by d.n)
order by d.n;

-- name: GetSettledChatsAfter :many
-- The org's chats after one, in the order of their ids, whose facts are not to be refreshed yet.
select c.chat_id from inbox.chats as c
where c.org_id = @org_id and c.chat_id > @after_chat_id
    and not exists (select from ops.dirty_chats as d where d.org_id = c.org_id and d.chat_id = c.chat_id)
order by c.chat_id limit @chats;

-- name: GetLiveDays :many
-- The days from one up to another that the daily views work out when they are asked, the newest first.
select v.summary::text as summary, v.local_date::date as local_date from analytics.live_days as v
where v.org_id = @org_id::text and v.local_date >= @since::date and v.local_date < @before::date
order by v.local_date desc, v.summary limit @days;

-- name: DropStoredDays :exec
-- Arrays of one length: of these days it is not stored any more what the views say.
delete from analytics.stored_days as s
using rows from (unnest(@summaries::text[]), unnest(@local_dates::date[])) as k (summary, local_date)
where s.org_id = @org_id and s.summary = k.summary and s.local_date = k.local_date;

-- name: ForgetStoredDays :many
-- Takes away that days are stored, the newest before one (NULL: of all) and all of a day, and tells of which views they were. For a
-- transaction that is rolled back.
delete from analytics.stored_days as s
where s.org_id = @org_id and s.valid_until > now() and (sqlc.narg(before)::date is null or s.local_date < sqlc.narg(before)::date)
    and s.local_date >= (
        select min(n.local_date) from (
            select k.local_date from analytics.stored_days as k
            where k.org_id = @org_id and k.valid_until > now() and (sqlc.narg(before)::date is null or k.local_date < sqlc.narg(before)::date)
            order by k.local_date desc
            limit @days
        ) as n
    )
returning s.summary, s.local_date;

-- name: GetStoredColumns :many
-- The columns of a table of schema analytics but the key, and whether each is of floating point numbers.
select a.attname::text as name, (a.atttypid = 'float8'::regtype)::bool as is_float
from pg_catalog.pg_attribute as a
where a.attrelid = ('analytics.' || @table_name::text)::regclass and a.attnum > 0 and not a.attisdropped
    and a.attname not in ('org_id', 'local_date', 'row_number')
order by a.attnum;

-- name: DropAllStoredDays :exec
delete from analytics.stored_days where org_id = @org_id;

-- name: KeepStoredDays :exec
-- Arrays of one length: what is stored of these days holds, until a case of the day is old enough to be called resolved.
with settling as (
    select d.local_date, c.settles_at
    from (select distinct k.local_date from unnest(@local_dates::date[]) as k (local_date)) as d
    cross join lateral (
        select min(g.last_ai_reply_at) + interval '24 hours' as settles_at
        from analytics.cases as g
        where g.org_id = @org_id and g.opened_local_date = d.local_date and g.closed_at is not null
            and g.last_ai_reply_at > now() - interval '24 hours'
        offset 0
    ) as c
)
insert into analytics.stored_days as t (org_id, summary, local_date, valid_until)
select @org_id, k.summary, k.local_date, case when k.summary in ('assistants', 'coverage') then coalesce(s.settles_at, 'infinity') else 'infinity' end
from rows from (unnest(@summaries::text[]), unnest(@local_dates::date[])) as k (summary, local_date)
join settling as s on s.local_date = k.local_date
on conflict (org_id, summary, local_date) do update set valid_until = excluded.valid_until;

-- name: DropStoredResponseTimes :exec
delete from analytics.stored_response_times where org_id = @org_id and local_date = any(@local_dates::date[]);

-- name: StoreResponseTimes :exec
insert into analytics.stored_response_times (
    org_id, local_date, row_number, pass, kind, replied_by, assistant_id, agent_user_id, channel_type, integration_id, model, n_eligible, n,
    p50_seconds, p90_seconds, sum_seconds, n_business, p50_business_seconds, p90_business_seconds, sum_business_seconds,
    within_1_minute, within_5_minutes, within_15_minutes, within_1_hour, within_8_hours, within_24_hours
)
select
    d.org_id, d.local_date, row_number() over (partition by d.local_date), d.pass, d.kind, d.replied_by, d.assistant_id, d.agent_user_id,
    d.channel_type, d.integration_id, d.model, d.n_eligible, d.n, d.p50_seconds, d.p90_seconds, d.sum_seconds, d.n_business,
    d.p50_business_seconds, d.p90_business_seconds, d.sum_business_seconds,
    d.within_1_minute, d.within_5_minutes, d.within_15_minutes, d.within_1_hour, d.within_8_hours, d.within_24_hours
from analytics.response_times_daily as d
where d.org_id = @org_id::text and d.local_date = any(@local_dates::date[]);

-- name: DropStoredCsat :exec
delete from analytics.stored_csat where org_id = @org_id and local_date = any(@local_dates::date[]);

-- name: StoreCsat :exec
insert into analytics.stored_csat (
    org_id, local_date, row_number, assigned_user_id, assistant_id, assistant_config_id, channel_type, integration_id, n_eligible, n,
    average_score, satisfied, sum_score, score_1, score_2, score_3, score_4, score_5, asked_cases, asked_cases_rated
)
select
    d.org_id, d.local_date, row_number() over (partition by d.local_date), d.assigned_user_id, d.assistant_id, d.assistant_config_id,
    d.channel_type, d.integration_id, d.n_eligible, d.n, d.average_score, d.satisfied, d.sum_score, d.score_1, d.score_2, d.score_3, d.score_4,
    d.score_5, d.asked_cases, d.asked_cases_rated
from analytics.csat_daily as d
where d.org_id = @org_id::text and d.local_date = any(@local_dates::date[]);

-- name: DropStoredAgents :exec
delete from analytics.stored_agents where org_id = @org_id and local_date = any(@local_dates::date[]);

-- name: StoreAgents :exec
insert into analytics.stored_agents (
    org_id, local_date, row_number, agent_user_id, replies, replies_measured, reply_p50_seconds, reply_p90_seconds, reply_mean_seconds,
    reply_p50_business_seconds, reply_p90_business_seconds, first_responses, first_responses_measured, first_response_p50_seconds,
    first_response_p90_seconds, handoffs_answered, handoffs_measured, human_after_handoff_p50_seconds, human_after_handoff_p90_seconds,
    closed_cases, ratings, ratings_measured, average_score, satisfied
)
select
    d.org_id, d.local_date, row_number() over (partition by d.local_date), d.agent_user_id, d.replies, d.replies_measured, d.reply_p50_seconds,
    d.reply_p90_seconds, d.reply_mean_seconds, d.reply_p50_business_seconds, d.reply_p90_business_seconds, d.first_responses,
    d.first_responses_measured, d.first_response_p50_seconds, d.first_response_p90_seconds, d.handoffs_answered, d.handoffs_measured,
    d.human_after_handoff_p50_seconds, d.human_after_handoff_p90_seconds, d.closed_cases, d.ratings, d.ratings_measured, d.average_score, d.satisfied
from analytics.agents_daily as d
where d.org_id = @org_id::text and d.local_date = any(@local_dates::date[]);

-- name: DropStoredAssistants :exec
delete from analytics.stored_assistants where org_id = @org_id and local_date = any(@local_dates::date[]);

-- name: StoreAssistants :exec
insert into analytics.stored_assistants (
    org_id, local_date, row_number, assistant_id, assistant_config_id, opened_by, cases, measured_cases, ai_involved_cases, ai_closed_cases,
    ai_resolved_cases, ai_handed_off_cases, first_ai_responses, first_ai_responses_measured, first_ai_response_p50_seconds,
    first_ai_response_p90_seconds
)
select
    d.org_id, d.local_date, row_number() over (partition by d.local_date), d.assistant_id, d.assistant_config_id, d.opened_by, d.cases,
    d.measured_cases, d.ai_involved_cases, d.ai_closed_cases, d.ai_resolved_cases, d.ai_handed_off_cases, d.first_ai_responses,
    d.first_ai_responses_measured, d.first_ai_response_p50_seconds, d.first_ai_response_p90_seconds
from analytics.assistants_daily as d
where d.org_id = @org_id::text and d.local_date = any(@local_dates::date[]);

-- name: DropStoredChannels :exec
delete from analytics.stored_channels where org_id = @org_id and local_date = any(@local_dates::date[]);

-- name: StoreChannels :exec
insert into analytics.stored_channels (
    org_id, local_date, row_number, channel_type, integration_id, opened_cases, opened_by_customer, reopened_cases, closed_cases, handoffs,
    first_responses, first_responses_measured, first_response_p50_seconds, first_response_p90_seconds, resolutions_measured,
    resolution_p50_seconds, resolution_p90_seconds, ratings, ratings_measured, average_score, satisfied
)
select
    d.org_id, d.local_date, row_number() over (partition by d.local_date), d.channel_type, d.integration_id, d.opened_cases, d.opened_by_customer,
    d.reopened_cases, d.closed_cases, d.handoffs, d.first_responses, d.first_responses_measured, d.first_response_p50_seconds,
    d.first_response_p90_seconds, d.resolutions_measured, d.resolution_p50_seconds, d.resolution_p90_seconds, d.ratings, d.ratings_measured,
    d.average_score, d.satisfied
from analytics.channels_daily as d
where d.org_id = @org_id::text and d.local_date = any(@local_dates::date[]);

-- name: DropStoredCoverage :exec
delete from analytics.stored_coverage where org_id = @org_id and local_date = any(@local_dates::date[]);

-- name: StoreCoverage :exec
insert into analytics.stored_coverage (org_id, local_date, row_number, metric, eligible, measured)
select d.org_id, d.local_date, row_number() over (partition by d.local_date), d.metric, d.eligible, d.measured
from analytics.coverage_daily as d
where d.org_id = @org_id::text and d.local_date = any(@local_dates::date[]);
