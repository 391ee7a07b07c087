-- +goose Up
comment on table analytics.cases is 'One row for each case: from the first customer message while a chat is new or closed (or a message of the team or a broadcast, see opened_by) to the close. A metric is NULL unless all that it is computed from is known: most need the whole case (completeness is complete), a first response and an assignment all until then, so that a case that is still open has them, too.';
comment on column analytics.cases.org_id is 'The org.';
comment on column analytics.cases.chat_id is 'The chat.';
comment on column analytics.cases.case_number is 'Counts the cases of the chat, from 1.';
comment on column analytics.cases.opened_at is 'When the opening message was created.';
comment on column analytics.cases.opened_local_date is 'The day of opened_at in the org''s time zone.';
comment on column analytics.cases.opened_local_hour is 'The hour of opened_at in the org''s time zone, 0 to 23.';
comment on column analytics.cases.opened_by is 'customer, business (a person of the team wrote first) or broadcast.';
comment on column analytics.cases.opening_message_id is 'The message that opened it.';
comment on column analytics.cases.first_customer_message_id is 'The first customer message; NULL: none yet.';
comment on column analytics.cases.first_customer_message_at is 'When that was created; NULL: none yet.';
comment on column analytics.cases.closed_at is 'When the chat was first seen closed: the latest time at which the close can have been. NULL: still open, or the close is not known.';
comment on column analytics.cases.closed_after is 'The last time at which the chat was seen not closed before closed_at: the close was after this. NULL: not known.';
comment on column analytics.cases.closed_local_date is 'The day of closed_at in the org''s time zone; NULL as closed_at.';
comment on column analytics.cases.last_closed_at is 'The last close of the case, where it was reopened without a new case (settings.thanks_window_seconds); else as closed_at.';
comment on column analytics.cases.reopens is 'How often the chat went from closed to open within the case.';
comment on column analytics.cases.customer_messages is 'Customer messages in the case.';
comment on column analytics.cases.ai_replies is 'Finished messages of the AI in the case.';
comment on column analytics.cases.human_replies is 'Finished messages of the team in the case.';
comment on column analytics.cases.broadcasts is 'Messages of broadcasts in the case.';
comment on column analytics.cases.first_response_seconds is 'First customer message to the first reply, of the AI or the team, in seconds. NULL: opened by the team, no customer message or no reply yet, or something until then may be missing. It is the reply_seconds of its turn.';
comment on column analytics.cases.first_response_business_seconds is 'The same in seconds of business hours; 0 when wholly outside of them. NULL as first_response_seconds, and without business hours.';
comment on column analytics.cases.first_response_observed_seconds is 'The same as it looks from what is stored, whether complete or not: no bound in either direction. NULL: not seen.';
comment on column analytics.cases.first_response_at is 'When that reply was created; the metric is dated by it. NULL: none yet.';
comment on column analytics.cases.first_response_message_id is 'That reply; NULL: none yet.';
comment on column analytics.cases.first_response_by is 'Who gave it: ai or human; NULL: nobody yet.';
comment on column analytics.cases.first_ai_response_seconds is 'First customer message to the first reply of the AI, in seconds. NULL: not happened, or something until then may be missing.';
comment on column analytics.cases.first_ai_response_business_seconds is 'The same in seconds of business hours; 0 when wholly outside of them. NULL as first_ai_response_seconds, and without business hours.';
comment on column analytics.cases.first_ai_response_observed_seconds is 'The same as it looks from what is stored, whether complete or not: no bound in either direction. NULL: not seen.';
comment on column analytics.cases.first_ai_response_at is 'When that reply was created; NULL: none yet.';
comment on column analytics.cases.first_ai_response_message_id is 'That reply; NULL: none yet.';
comment on column analytics.cases.first_human_response_seconds is 'First customer message to the first reply of the team, in seconds. NULL: not happened, or something until then may be missing.';
comment on column analytics.cases.first_human_response_business_seconds is 'The same in seconds of business hours; 0 when wholly outside of them. NULL as first_human_response_seconds, and without business hours.';
comment on column analytics.cases.first_human_response_observed_seconds is 'The same as it looks from what is stored, whether complete or not: no bound in either direction. NULL: not seen.';
comment on column analytics.cases.first_human_response_at is 'When that reply was created; NULL: none yet.';
comment on column analytics.cases.first_human_response_message_id is 'That reply; NULL: none yet.';
comment on column analytics.cases.first_human_response_user_id is 'Who of the team wrote it; NULL: nobody yet.';
comment on column analytics.cases.handoff_at is 'When the case was handed to the team (handoffs); NULL: not handed off.';
comment on column analytics.cases.assigned_at is 'When it was first assigned to someone of the team; NULL: never.';
comment on column analytics.cases.assignment_seconds is 'Handoff, or else first customer message, to the first assignment, in seconds. NULL: not happened, or something until then may be missing.';
comment on column analytics.cases.assignment_business_seconds is 'The same in seconds of business hours; 0 when wholly outside of them. NULL as assignment_seconds, and without business hours.';
comment on column analytics.cases.assignment_observed_seconds is 'The same as it looks from what is stored, whether complete or not: no bound in either direction. NULL: not seen.';
comment on column analytics.cases.resolution_seconds is 'First customer message to the first close, in seconds. NULL: not happened, or the fact is not complete.';
comment on column analytics.cases.resolution_business_seconds is 'The same in seconds of business hours; 0 when wholly outside of them. NULL as resolution_seconds, and without business hours.';
comment on column analytics.cases.resolution_observed_seconds is 'The same as it looks from what is stored, whether complete or not: no bound in either direction. NULL: not seen.';
comment on column analytics.cases.resolution_unsnoozed_seconds is 'resolution_seconds without the time the chat was snoozed. NULL as resolution_seconds.';
comment on column analytics.cases.last_resolution_seconds is 'First customer message to the last close, in seconds. NULL: not happened, or the fact is not complete.';
comment on column analytics.cases.last_resolution_business_seconds is 'The same in seconds of business hours; 0 when wholly outside of them. NULL as last_resolution_seconds, and without business hours.';
comment on column analytics.cases.last_resolution_observed_seconds is 'The same as it looks from what is stored, whether complete or not: no bound in either direction. NULL: not seen.';
comment on column analytics.cases.last_ai_reply_at is 'When the AI last replied in the case; NULL: never.';
comment on column analytics.cases.last_customer_message_at is 'When the customer last wrote in the case; NULL: never.';
comment on column analytics.cases.is_ai_involved is 'Whether the AI replied at least once. NULL unless the fact is complete.';
comment on column analytics.cases.is_ai_resolved is 'Assumed: closed, with an AI reply, no reply of the team, no handoff, and no customer message for 24 hours after the last AI reply. Stored as if nothing more came: it counts only once these 24 hours are over; cases_wide is NULL before that. NULL unless the fact is complete.';
comment on column analytics.cases.has_auto_csat is 'Whether the assistant''s configuration had enable_auto_csat, so that a rating was asked for; NULL: not known.';
comment on column analytics.cases.csat_score is 'The last rating of the case, 1 to 5; NULL: not rated, or the case is partial or imported (csat_ratings has it).';
comment on column analytics.cases.csat_rated_at is 'When that was seen; NULL as csat_score.';
comment on column analytics.cases.assistant_id is 'The assistant in charge at the time; NULL: none, or not known.';
comment on column analytics.cases.assistant_config_id is 'The configuration of the assistant in force at the time (inbox.assistant_configs); NULL: not known.';
comment on column analytics.cases.integration_id is 'The integration the chat ran over at the time; NULL: not known.';
comment on column analytics.cases.channel_type is 'The kind of channel the customer wrote from (inbox.contact_channels.type); NULL: not known.';
comment on column analytics.cases.contact_id is 'The customer (inbox.contacts); NULL: not known, as with web visitors.';
comment on column analytics.cases.assigned_user_id is 'To whom the case was assigned last; NULL: nobody.';
comment on column analytics.cases.referral_id is 'The referral that brought the case (inbox.referrals); NULL: none.';
comment on column analytics.cases.ad_id is 'The ad of that referral; NULL: none.';
comment on column analytics.cases.input_tokens is 'Tokens read by models, as the messages from the opening to that of the chat''s next case tell; those before the first case are of that one.';
comment on column analytics.cases.output_tokens is 'Tokens written by models, likewise.';
comment on column analytics.cases.total_tokens is 'Tokens in all as the vendor sums them, likewise.';
comment on column analytics.cases.estimated_cost is 'What these tokens cost by model_prices, by the day of each message; 0 where the AI wrote nothing. NULL: some have no price, several currencies, the AI replied and no message tells its tokens, or the fact is not complete.';
comment on column analytics.cases.cost_currency is 'ISO 4217 code of estimated_cost; NULL: nothing was priced.';
comment on column analytics.cases.completeness is 'complete; partial (something is known or suspected to be missing); censored (not at its end yet); imported (from before the archive, so states are not known).';
comment on column analytics.cases.completeness_reason is 'Why it is not complete, in one word or a few; NULL when it is.';
comment on column analytics.cases.refreshed_at is 'When the row was computed, by the archiver''s clock.';

comment on table analytics.turns is 'One row for each turn: from the first unanswered customer message to the next reply. A burst of customer messages is one turn. Each chat is gone through twice (pass): never add both.';
comment on column analytics.turns.org_id is 'The org.';
comment on column analytics.turns.chat_id is 'The chat.';
comment on column analytics.turns.pass is 'any: the next reply of the AI or the team ends the turn. human: only the team''s does, as if the AI had not written.';
comment on column analytics.turns.turn_number is 'Counts the turns of the chat in this pass, from 1.';
comment on column analytics.turns.case_number is 'The case it began in; NULL: the case is not known.';
comment on column analytics.turns.is_first_response is 'Whether it is the first turn of its case; NULL where that cannot be known (imported, or something before it may be missing).';
comment on column analytics.turns.started_at is 'When the first unanswered customer message was created.';
comment on column analytics.turns.started_message_id is 'That message.';
comment on column analytics.turns.customer_messages is 'Customer messages of the turn.';
comment on column analytics.turns.replied_at is 'When the reply was created; NULL: none yet.';
comment on column analytics.turns.replied_local_date is 'The day of replied_at in the org''s time zone; NULL: none yet.';
comment on column analytics.turns.replied_local_hour is 'The hour of replied_at in the org''s time zone, 0 to 23; NULL: none yet.';
comment on column analytics.turns.reply_message_id is 'The reply; NULL: none yet.';
comment on column analytics.turns.replied_by is 'Who replied: ai or human; NULL: nobody yet.';
comment on column analytics.turns.agent_user_id is 'Who of the team wrote the reply, whoever the chat was assigned to; NULL: nobody.';
comment on column analytics.turns.assistant_id is 'The assistant in charge at the time; NULL: none, or not known.';
comment on column analytics.turns.assistant_config_id is 'The configuration of the assistant in force at the time (inbox.assistant_configs); NULL: not known.';
comment on column analytics.turns.model is 'The AI model that wrote the reply; NULL: none, or not told.';
comment on column analytics.turns.integration_id is 'The integration the chat ran over at the time; NULL: not known.';
comment on column analytics.turns.channel_type is 'The kind of channel the customer wrote from (inbox.contact_channels.type); NULL: not known.';
comment on column analytics.turns.reply_seconds is 'First unanswered customer message to the reply, in seconds. NULL: no reply yet, or the fact is not complete.';
comment on column analytics.turns.reply_business_seconds is 'The same in seconds of business hours; 0 when wholly outside of them. NULL as reply_seconds, and without business hours.';
comment on column analytics.turns.reply_observed_seconds is 'The same as it looks from what is stored, whether complete or not: no bound in either direction. NULL: not seen.';
comment on column analytics.turns.completeness is 'complete; partial (something is known or suspected to be missing); censored (not at its end yet); imported (from before the archive, so states are not known).';
comment on column analytics.turns.completeness_reason is 'Why it is not complete, in one word or a few; NULL when it is.';
comment on column analytics.turns.refreshed_at is 'When the row was computed, by the archiver''s clock.';

comment on table analytics.csat_ratings is 'One row for each rating of a chat (CSAT): each change of the score is a row; is_last marks the one that counts.';
comment on column analytics.csat_ratings.org_id is 'The org.';
comment on column analytics.csat_ratings.chat_id is 'The chat.';
comment on column analytics.csat_ratings.rating_number is 'Counts the ratings of the chat, from 1.';
comment on column analytics.csat_ratings.case_number is 'The case it rates; NULL: not known.';
comment on column analytics.csat_ratings.rated_at is 'When the score was first seen: the latest time at which it can have been given.';
comment on column analytics.csat_ratings.rated_after is 'The last time at which the former score was seen: the rating was after this; NULL: not known.';
comment on column analytics.csat_ratings.rated_local_date is 'The day of rated_at in the org''s time zone.';
comment on column analytics.csat_ratings.score is '1 to 5 stars.';
comment on column analytics.csat_ratings.previous_score is 'The score before it, of the same case; NULL: none.';
comment on column analytics.csat_ratings.is_last is 'Whether it is the last rating of its case: only these count.';
comment on column analytics.csat_ratings.assigned_user_id is 'To whom the chat was assigned when it was rated; NULL: nobody.';
comment on column analytics.csat_ratings.assistant_id is 'The assistant in charge at the time; NULL: none, or not known.';
comment on column analytics.csat_ratings.assistant_config_id is 'The configuration of the assistant in force at the time (inbox.assistant_configs); NULL: not known.';
comment on column analytics.csat_ratings.integration_id is 'The integration the chat ran over at the time; NULL: not known.';
comment on column analytics.csat_ratings.channel_type is 'The kind of channel the customer wrote from (inbox.contact_channels.type); NULL: not known.';
comment on column analytics.csat_ratings.completeness is 'complete; partial (something is known or suspected to be missing); censored (not at its end yet); imported (from before the archive, so states are not known).';
comment on column analytics.csat_ratings.completeness_reason is 'Why it is not complete, in one word or a few; NULL when it is.';
comment on column analytics.csat_ratings.refreshed_at is 'When the row was computed, by the archiver''s clock.';

comment on table analytics.handoffs is 'One row for each case that was handed from the AI to the team: its first handoff.';
comment on column analytics.handoffs.org_id is 'The org.';
comment on column analytics.handoffs.chat_id is 'The chat.';
comment on column analytics.handoffs.case_number is 'The case.';
comment on column analytics.handoffs.handed_off_at is 'When it was first seen handed off: the latest time at which that can have been.';
comment on column analytics.handoffs.handed_off_after is 'The last time at which it was seen not handed off; NULL: not known.';
comment on column analytics.handoffs.handed_off_local_date is 'The day of handed_off_at in the org''s time zone.';
comment on column analytics.handoffs.kind is 'What made it a handoff: ai_enabled going from true to false, or an assignment after an AI reply.';
comment on column analytics.handoffs.first_human_reply_at is 'When the team first replied after it; NULL: not yet.';
comment on column analytics.handoffs.first_human_reply_message_id is 'That reply; NULL: none yet.';
comment on column analytics.handoffs.first_human_reply_user_id is 'Who of the team wrote it; NULL: nobody yet.';
comment on column analytics.handoffs.human_after_handoff_seconds is 'Handoff to the first reply of the team, in seconds. NULL: not happened, or the fact is not complete.';
comment on column analytics.handoffs.human_after_handoff_business_seconds is 'The same in seconds of business hours; 0 when wholly outside of them. NULL as human_after_handoff_seconds, and without business hours.';
comment on column analytics.handoffs.human_after_handoff_observed_seconds is 'The same as it looks from what is stored, whether complete or not: no bound in either direction. NULL: not seen.';
comment on column analytics.handoffs.assistant_id is 'The assistant in charge at the time; NULL: none, or not known.';
comment on column analytics.handoffs.assistant_config_id is 'The configuration of the assistant in force at the time (inbox.assistant_configs); NULL: not known.';
comment on column analytics.handoffs.integration_id is 'The integration the chat ran over at the time; NULL: not known.';
comment on column analytics.handoffs.channel_type is 'The kind of channel the customer wrote from (inbox.contact_channels.type); NULL: not known.';
comment on column analytics.handoffs.completeness is 'complete; partial (something is known or suspected to be missing); censored (not at its end yet); imported (from before the archive, so states are not known).';
comment on column analytics.handoffs.completeness_reason is 'Why it is not complete, in one word or a few; NULL when it is.';
comment on column analytics.handoffs.refreshed_at is 'When the row was computed, by the archiver''s clock.';

comment on table analytics.chat_spans is 'One row for each interval in which a chat had one state and one assignee; what the backlog is counted from.';
comment on column analytics.chat_spans.org_id is 'The org.';
comment on column analytics.chat_spans.chat_id is 'The chat.';
comment on column analytics.chat_spans.span_number is 'Counts the intervals of the chat, from 1.';
comment on column analytics.chat_spans.state is 'OPEN, SNOOZED, CLOSED, the vendor''s value; NULL: unset.';
comment on column analytics.chat_spans.began_at is 'When it began.';
comment on column analytics.chat_spans.ended_at is 'When it ended; NULL: it lasts.';
comment on column analytics.chat_spans.assigned_user_id is 'To whom the chat was assigned; NULL: nobody.';

comment on table analytics.backlog_daily is 'Chats that were not closed at the midnight with which each local day begins, from 2015 on. A day without a row had none.';
comment on column analytics.backlog_daily.org_id is 'The org.';
comment on column analytics.backlog_daily.local_date is 'The day, in the org''s time zone.';
comment on column analytics.backlog_daily.open_chats is 'Chats that were open.';
comment on column analytics.backlog_daily.snoozed_chats is 'Chats that were snoozed.';
comment on column analytics.backlog_daily.unassigned_chats is 'Of both, those that were assigned to nobody.';

comment on table analytics.refreshes is 'How far the facts of each org are.';
comment on column analytics.refreshes.org_id is 'The org.';
comment on column analytics.refreshes.settings_fingerprint is 'Bookkeeping: of the settings the facts were computed with; another one has them computed anew.';
comment on column analytics.refreshes.backlog_through is 'The last day backlog_daily is counted for.';
comment on column analytics.refreshes.refreshed_at is 'When facts were last refreshed, by the archiver''s clock.';

-- What the views filter by. The days of facts are stored, so that a condition on local_date reads an index. With what is asked of
-- cases by the day they were opened and closed, so that their rows, which are wide, are not read. Ids have at most 512 bytes, which makes
-- four the most that an index can hold beside the rest.
create index cases_opened on analytics.cases (org_id, opened_local_date)
    include (case_number, opened_local_hour, closed_at, handoff_at, last_ai_reply_at, opened_by, completeness, assistant_id, assistant_config_id,
        channel_type, assigned_user_id, is_ai_involved, is_ai_resolved, ai_replies, human_replies, first_response_seconds, first_ai_response_seconds,
        resolution_seconds, csat_score);
create index cases_closed on analytics.cases (org_id, closed_local_date)
    include (assigned_user_id, assistant_id, assistant_config_id, channel_type, integration_id, first_customer_message_at, resolution_seconds,
        has_auto_csat, csat_score, completeness);
create index cases_referrals on analytics.cases (org_id, opened_local_date) where referral_id is not null;
create index cases_assistants on analytics.cases (org_id, assistant_config_id, assistant_id);
create index cases_channels on analytics.cases (org_id, coalesce(channel_type, ''), coalesce(integration_id, ''));
-- With all that the daily views take of a turn, so that they read no row of turns: those of a day lie scattered where facts were
-- made for a whole archive at once.
create index turns_replied on analytics.turns (org_id, replied_local_date, pass)
    include (replied_local_hour, is_first_response, replied_by, assistant_id, agent_user_id, channel_type, integration_id, model, reply_seconds,
        reply_business_seconds);
create index turns_assistants on analytics.turns (org_id, assistant_config_id, assistant_id);
-- For whoever asks for the days of all orgs: the indexes above begin with one. These take next to nothing, since the facts of a day lie
-- together more or less; neither keeps an update from being HOT that would be it else, since a day is set once.
create index cases_days on analytics.cases using brin (opened_local_date date_minmax_multi_ops) with (pages_per_range = 32);
create index turns_days on analytics.turns using brin (replied_local_date date_minmax_multi_ops) with (pages_per_range = 32);
create index csat_ratings_rated on analytics.csat_ratings (org_id, rated_local_date);
create index handoffs_handed_off on analytics.handoffs (org_id, handed_off_local_date);

-- Answer what is open now, what a broadcast did and what tokens were used without reading rows of messages, which are wide.
-- No index of inbox holds text of the vendor that has no bound: a value too long for an index would refuse its event.
create index chat_states_not_closed on inbox.chat_states (org_id, chat_id) where state <> 'CLOSED';
create index chat_state_changes_changed_at on inbox.chat_state_changes (org_id, changed_at);
create index messages_broadcasts on inbox.messages (org_id, created_at) where sender = 'broadcast';
-- The name of a model belongs to it as far as it is short, which it always is; messages whose model has a longer one are in an index of
-- their own and looked up.
create index messages_usage on inbox.messages (org_id, created_at)
    include (model, input_tokens, output_tokens, total_tokens, reasoning_tokens, input_tokens_cache_read, input_tokens_cache_write)
    where coalesce(total_tokens, input_tokens, output_tokens) is not null and coalesce(octet_length(model), 0) <= 200;
create index messages_usage_long on inbox.messages (org_id, created_at)
    where coalesce(total_tokens, input_tokens, output_tokens) is not null and coalesce(octet_length(model), 0) > 200;

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

-- Strict, so that they are not written into the queries that call them: their results are worked out once for each day and not
-- once for each message.
-- +goose StatementBegin
create function analytics.day_bounds(local_date date, time_zone text) returns table (begins_at timestamptz, ends_at timestamptz)
language sql immutable strict parallel safe rows 1
as $$ select analytics.day_begins(local_date, time_zone), analytics.day_begins(local_date + 1, time_zone) $$;
-- +goose StatementEnd
comment on function analytics.day_bounds is 'The first instant of a local day and that of the next one.';

-- +goose StatementBegin
create function analytics.day_hours(local_date date, time_zone text) returns table (begins_at timestamptz, ends_at timestamptz, local_hour int4)
language sql immutable strict parallel safe rows 24
as $$
select h, h + s.step, extract(hour from h at time zone time_zone)::int4
from analytics.day_bounds(local_date, time_zone) as d
cross join lateral (select case when d.ends_at - d.begins_at = interval '24 hours' then interval '1 hour' else interval '15 minutes' end as step) as s
cross join lateral generate_series(d.begins_at, d.ends_at - interval '1 microsecond', s.step) as h
$$;
-- +goose StatementEnd
comment on function analytics.day_hours is 'The hours of a local day; on days on which the clock changes, the quarters of its hours: there are zones that change at a quarter to, and by half an hour.';

-- Strict for the same reason, and for its rows: of generate_series the planner expects a thousand, for each of which it then
-- expects as many messages, and compiles the query for longer than that runs.
-- +goose StatementBegin
create function analytics.days_between(first_day date, last_day date) returns setof date
language sql immutable strict parallel safe rows 31
as $$ select first_day + n from generate_series(0, last_day - first_day) as n $$;
-- +goose StatementEnd
comment on function analytics.days_between is 'The days from the first to the last.';

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
comment on view analytics.calendar is 'Days from 2015 to 2040, one row for each org and day, for joins on org_id and local_date.';
comment on column analytics.calendar.org_id is 'The org.';
comment on column analytics.calendar.local_date is 'The day.';
comment on column analytics.calendar.begins_at is 'Its first instant in the org''s time zone.';
comment on column analytics.calendar.ends_at is 'The first instant of the next day: a day has 23 or 25 hours when the clock changes.';
comment on column analytics.calendar.year is 'Year.';
comment on column analytics.calendar.quarter is 'Quarter, 1 to 4.';
comment on column analytics.calendar.month is 'Month, 1 to 12.';
comment on column analytics.calendar.month_begins is 'First day of the month.';
comment on column analytics.calendar.iso_year is 'Year the ISO week belongs to.';
comment on column analytics.calendar.iso_week is 'ISO week, 1 to 53.';
comment on column analytics.calendar.week_begins is 'Monday of the week.';
comment on column analytics.calendar.day_of_month is 'Day of the month, 1 to 31.';
comment on column analytics.calendar.weekday is '1 is Monday, 7 is Sunday.';
comment on column analytics.calendar.weekday_name is 'English name of the weekday.';
comment on column analytics.calendar.is_weekend is 'Whether it is a Saturday or Sunday.';
comment on column analytics.calendar.holiday is 'What is celebrated (holidays); NULL: nothing.';

create view analytics.message_days with (security_invoker = true) as
select
    o.org_id,
    n.local_date,
    b.begins_at,
    b.ends_at,
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
cross join lateral analytics.days_between(f.day, f.last_day) as n (local_date)
cross join lateral analytics.day_bounds(n.local_date, o.time_zone) as b (begins_at, ends_at);
comment on view analytics.message_days is 'The local days from an org''s first message to its last, with their bounds: turns a condition on local_date into one on messages.created_at.';
comment on column analytics.message_days.org_id is 'The org.';
comment on column analytics.message_days.local_date is 'The day.';
comment on column analytics.message_days.begins_at is 'Its first instant.';
comment on column analytics.message_days.ends_at is 'The first instant of the next day.';
comment on column analytics.message_days.time_zone is 'The org''s time zone.';

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
comment on view analytics.agents is 'The team: one row for each person.';
comment on column analytics.agents.org_id is 'The org.';
comment on column analytics.agents.agent_user_id is 'The user.';
comment on column analytics.agents.name is 'Display name now; NULL: not known.';
comment on column analytics.agents.email is 'E-mail address; NULL: not known.';
comment on column analytics.agents.seen_at is 'When last online, by the vendor; NULL: not known.';
comment on column analytics.agents.is_stub is 'True while known by id only.';
comment on column analytics.agents.first_seen_at is 'When the archive first saw the user.';

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
comment on view analytics.assistants is 'The AI assistants.';
comment on column analytics.assistants.org_id is 'The org.';
comment on column analytics.assistants.assistant_id is 'The assistant.';
comment on column analytics.assistants.name is 'Its name now; NULL: not known.';
comment on column analytics.assistants.enabled is 'Whether it is switched on; NULL: not known.';
comment on column analytics.assistants.deleted is 'Whether the vendor marks it as deleted; NULL: not known.';
comment on column analytics.assistants.is_stub is 'True while known by id only.';
comment on column analytics.assistants.first_seen_at is 'When the archive first saw it.';

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
comment on view analytics.assistant_versions is 'The configurations under which each assistant handled cases or replied, numbered in the order in which the archive first saw them.';
comment on column analytics.assistant_versions.org_id is 'The org.';
comment on column analytics.assistant_versions.assistant_id is 'The assistant.';
comment on column analytics.assistant_versions.assistant_config_id is 'The configuration; its text is in inbox.assistant_configs.';
comment on column analytics.assistant_versions.version_number is 'Counts the configurations of the assistant by first_seen_at, from 1.';
comment on column analytics.assistant_versions.assistant_name is 'The assistant''s name now; NULL: not known.';
comment on column analytics.assistant_versions.first_seen_at is 'When the archive first saw the configuration.';
comment on column analytics.assistant_versions.next_first_seen_at is 'When it first saw the assistant''s next one; NULL: none yet.';
comment on column analytics.assistant_versions.model is 'AI model it names; NULL: unset.';
comment on column analytics.assistant_versions.timezone is 'Time zone it names; NULL: unset.';
comment on column analytics.assistant_versions.enable_ai_replies is 'As in inbox.assistant_configs; NULL: unset.';
comment on column analytics.assistant_versions.enable_auto_csat is 'As in inbox.assistant_configs; NULL: unset.';
comment on column analytics.assistant_versions.enable_auto_resolve is 'As in inbox.assistant_configs; NULL: unset.';
comment on column analytics.assistant_versions.enable_auto_follow_ups is 'As in inbox.assistant_configs; NULL: unset.';
comment on column analytics.assistant_versions.enable_transfer_to_human_tool is 'As in inbox.assistant_configs; NULL: unset.';

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
comment on view analytics.channels is 'The pairs of channel type and integration that cases came over.';
comment on column analytics.channels.org_id is 'The org.';
comment on column analytics.channels.channel_type is 'The kind of channel; NULL: cases where it is not known.';
comment on column analytics.channels.integration_id is 'The integration; NULL: cases where it is not known.';

-- The joins are to whole keys, so that those a query takes nothing from are left out of its plan; hence the group by. What is joined by a
-- column that cases_opened has not stands in the list of columns instead: a join that is left out leaves its columns behind, and the index
-- would not be enough.
create view analytics.cases_wide with (security_invoker = true) as
select
    c.org_id,
    c.chat_id,
    c.case_number,
    c.opened_at,
    c.opened_local_date,
    ((c.opened_local_date - date '2001-01-01') % 7 + 7) % 7 + 1 as opened_local_weekday, -- that was a Monday
    c.opened_local_hour::int4 as opened_local_hour,
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
    (
        select f.name from inbox.users as f where f.org_id = c.org_id and f.user_id = c.first_human_response_user_id
    ) as first_human_response_user_name,
    c.handoff_at,
    (
        select h.kind from analytics.handoffs as h
        where c.handoff_at is not null and h.org_id = c.org_id and h.chat_id = c.chat_id and h.case_number = c.case_number
    ) as handoff_kind,
    (
        select h.human_after_handoff_seconds from analytics.handoffs as h
        where c.handoff_at is not null and h.org_id = c.org_id and h.chat_id = c.chat_id and h.case_number = c.case_number
    ) as human_after_handoff_seconds,
    (
        select h.human_after_handoff_business_seconds from analytics.handoffs as h
        where c.handoff_at is not null and h.org_id = c.org_id and h.chat_id = c.chat_id and h.case_number = c.case_number
    ) as human_after_handoff_business_seconds,
    (
        select h.human_after_handoff_observed_seconds from analytics.handoffs as h
        where c.handoff_at is not null and h.org_id = c.org_id and h.chat_id = c.chat_id and h.case_number = c.case_number
    ) as human_after_handoff_observed_seconds,
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
    (
        select k.name from inbox.contacts as k where k.org_id = c.org_id and k.contact_id = c.contact_id
    ) as contact_name,
    c.assigned_user_id,
    u.name as assigned_user_name,
    c.referral_id,
    c.ad_id,
    (
        select r.ad_title from inbox.referrals as r
        where r.org_id = c.org_id and r.chat_id = c.chat_id and r.referral_id = c.referral_id
    ) as ad_title,
    (
        select t.title from inbox.chats as t where t.org_id = c.org_id and t.chat_id = c.chat_id
    ) as chat_title,
    (
        select t.link from inbox.chats as t where t.org_id = c.org_id and t.chat_id = c.chat_id
    ) as chat_link,
    c.input_tokens,
    c.output_tokens,
    c.total_tokens,
    c.estimated_cost,
    c.cost_currency,
    c.completeness,
    c.completeness_reason,
    c.refreshed_at
from analytics.cases as c
left join inbox.assistants as a on a.org_id = c.org_id and a.assistant_id = c.assistant_id
left join (
    select w.org_id, w.assistant_id, w.assistant_config_id, min(w.version_number) as version_number
    from analytics.assistant_versions as w
    group by w.org_id, w.assistant_id, w.assistant_config_id
) as v on v.org_id = c.org_id and v.assistant_id = c.assistant_id and v.assistant_config_id = c.assistant_config_id
left join inbox.users as u on u.org_id = c.org_id and u.user_id = c.assigned_user_id;
comment on view analytics.cases_wide is 'One row for each case (analytics.cases) with the names of what it refers to: one flat table for tools that join badly. Every column of the same name means what it means there.';
comment on column analytics.cases_wide.opened_local_weekday is 'Weekday of opened_at in the org''s time zone; 1 is Monday.';
comment on column analytics.cases_wide.opened_local_hour is 'Hour of opened_at in the org''s time zone, 0 to 23.';
comment on column analytics.cases_wide.first_human_response_user_name is 'That user''s name now; NULL: not known.';
comment on column analytics.cases_wide.handoff_kind is 'handoffs.kind; NULL: not handed off.';
comment on column analytics.cases_wide.is_ai_resolved is 'Assumed: closed, with an AI reply, no reply of the team, no handoff, and no customer message for 24 hours after the last AI reply. NULL until these 24 hours are over, without an AI reply, and unless the fact is complete.';
comment on column analytics.cases_wide.assistant_name is 'The assistant''s name now; NULL: not known.';
comment on column analytics.cases_wide.assistant_config_version is 'assistant_versions.version_number of the configuration; NULL: not known.';
comment on column analytics.cases_wide.contact_name is 'The customer''s name now; NULL: not known.';
comment on column analytics.cases_wide.assigned_user_name is 'That user''s name now; NULL: nobody, or not known.';
comment on column analytics.cases_wide.ad_title is 'The ad''s title; NULL: none.';
comment on column analytics.cases_wide.chat_title is 'The chat''s title now; NULL: unset.';
comment on column analytics.cases_wide.chat_link is 'Link to the chat in the product; NULL: unset.';

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
    q.waiting_since,
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
left join inbox.messages as m on m.org_id = c.org_id and m.chat_id = c.chat_id and m.message_id = c.last_message_id
-- Not in the list of columns: who counts those who wait also asks who waits longest, and it would be looked up for each.
left join lateral (
    select case when n.replied_at is null then n.started_at end as waiting_since
    from analytics.turns as n
    where n.org_id = s.org_id and n.chat_id = s.chat_id and n.pass = 'any' and s.state <> 'CLOSED'
    order by n.turn_number desc
    limit 1
) as q on true;
comment on view analytics.chats_wide is 'One row for each chat as it stands now, with names. Live backlog: deleted_at is null and state is OPEN or SNOOZED; unassigned: assigned_user_id is null; waiting: waiting_since is not null; unseen: admin_unseen_count > 0. Columns of the same name mean what they mean in inbox.chats and inbox.chat_states.';
comment on column analytics.chats_wide.assistant_name is 'The assistant''s name; NULL: not known.';
comment on column analytics.chats_wide.assigned_user_name is 'The assignee''s name; NULL: nobody, or not known.';
comment on column analytics.chats_wide.contact_id is 'The customer; NULL: not known, as with web visitors.';
comment on column analytics.chats_wide.contact_name is 'The customer''s name, or else that of the channel; NULL: not known.';
comment on column analytics.chats_wide.channel_type is 'The kind of channel the customer writes from; NULL: not known.';
comment on column analytics.chats_wide.last_message_sender is 'inbox.messages.sender of the newest message; NULL: no message is known.';
comment on column analytics.chats_wide.last_message_at is 'When the newest message was created; NULL: no message is known.';
comment on column analytics.chats_wide.waiting_since is 'When the first customer message that nobody has answered was created. NULL: closed, or the last word was not the customer''s. Follows the facts, so it lags by seconds.';
comment on column analytics.chats_wide.last_case_number is 'The chat''s newest case; NULL: it has none.';

-- What the daily views say of a day that is over changes seldom and takes long to work out, so it is stored (stored_days). They
-- work out all other days. That is one after the other (offset 0 keeps it so), through the index by org and day: the planner does not know
-- how few they are. Orgs are found by hops through the keys, because there may be facts of one that is not in inbox.orgs.
create view analytics.live_days with (security_invoker = true) as
with recursive orgs as (
    select least(
        (select c.org_id from analytics.cases as c order by c.org_id limit 1),
        (select t.org_id from analytics.turns as t order by t.org_id limit 1),
        (select h.org_id from analytics.handoffs as h order by h.org_id limit 1),
        (select r.org_id from analytics.csat_ratings as r order by r.org_id limit 1)
    ) as org_id
    union all
    select least(
        (select c.org_id from analytics.cases as c where c.org_id > o.org_id order by c.org_id limit 1),
        (select t.org_id from analytics.turns as t where t.org_id > o.org_id order by t.org_id limit 1),
        (select h.org_id from analytics.handoffs as h where h.org_id > o.org_id order by h.org_id limit 1),
        (select r.org_id from analytics.csat_ratings as r where r.org_id > o.org_id order by r.org_id limit 1)
    )
    from orgs as o
    where o.org_id is not null
)
select
    o.org_id,
    d.local_date,
    s.summary
from orgs as o
cross join unnest(array['response_times', 'csat', 'agents', 'assistants', 'channels', 'coverage']) as s (summary)
cross join lateral (
    select
        least(
            (select min(c.opened_local_date) from analytics.cases as c where c.org_id = o.org_id),
            (select min(c.closed_local_date) from analytics.cases as c where c.org_id = o.org_id),
            (select min(t.replied_local_date) from analytics.turns as t where t.org_id = o.org_id),
            (select min(h.handed_off_local_date) from analytics.handoffs as h where h.org_id = o.org_id),
            (select min(r.rated_local_date) from analytics.csat_ratings as r where r.org_id = o.org_id)
        ) as first_day,
        greatest(
            (select max(c.opened_local_date) from analytics.cases as c where c.org_id = o.org_id),
            (select max(c.closed_local_date) from analytics.cases as c where c.org_id = o.org_id),
            (select max(t.replied_local_date) from analytics.turns as t where t.org_id = o.org_id),
            (select max(h.handed_off_local_date) from analytics.handoffs as h where h.org_id = o.org_id),
            (select max(r.rated_local_date) from analytics.csat_ratings as r where r.org_id = o.org_id)
        ) as last_day
) as b
cross join lateral analytics.days_between(b.first_day, b.last_day) as d (local_date)
where o.org_id is not null and not exists (
    select from analytics.stored_days as k
    where k.org_id = o.org_id and k.summary = s.summary and k.local_date = d.local_date and k.valid_until > now()
    offset 0
);
comment on view analytics.live_days is 'Bookkeeping: the days from the first to the last of an org''s facts that a daily view works out when it is asked, because what it says of them is not stored (stored_days).';
comment on column analytics.live_days.org_id is 'The org.';
comment on column analytics.live_days.local_date is 'The day, in the org''s time zone.';
comment on column analytics.live_days.summary is 'The view, without _daily.';

create view analytics.response_times_daily with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    d.pass,
    d.kind,
    d.replied_by,
    d.assistant_id,
    d.agent_user_id,
    d.channel_type,
    d.integration_id,
    d.model,
    d.n_eligible,
    d.n,
    d.p50_seconds,
    d.p90_seconds,
    d.sum_seconds / nullif(d.n, 0) as mean_seconds,
    d.sum_seconds,
    d.n_business,
    d.p50_business_seconds,
    d.p90_business_seconds,
    d.sum_business_seconds / nullif(d.n_business, 0) as mean_business_seconds,
    d.sum_business_seconds,
    d.within_1_minute,
    d.within_5_minutes,
    d.within_15_minutes,
    d.within_1_hour,
    d.within_8_hours,
    d.within_24_hours
from (
    select s.org_id, s.local_date, s.pass, s.kind, s.replied_by, s.assistant_id,
        s.agent_user_id, s.channel_type, s.integration_id, s.model, s.n_eligible, s.n,
        s.p50_seconds, s.p90_seconds, s.sum_seconds, s.n_business, s.p50_business_seconds, s.p90_business_seconds,
        s.sum_business_seconds, s.within_1_minute, s.within_5_minutes, s.within_15_minutes, s.within_1_hour, s.within_8_hours,
        s.within_24_hours
    from analytics.stored_response_times as s
    where exists (
        select from analytics.stored_days as k
        where k.org_id = s.org_id and k.summary = 'response_times' and k.local_date = s.local_date and k.valid_until > now()
    )
    union all
    select
        n.org_id, n.local_date, n.pass,
        case when n.is_first_response then 'first' when not n.is_first_response then 'reply' else 'unknown' end,
        n.replied_by, n.assistant_id, n.agent_user_id, n.channel_type, n.integration_id, n.model,
        n.n_eligible, n.n, n.p[1], n.p[2], n.seconds, n.n_business, n.b[1], n.b[2], n.business_seconds,
        n.within_1_minute, n.within_5_minutes, n.within_15_minutes, n.within_1_hour, n.within_8_hours, n.within_24_hours
    from (
        select
            v.org_id,
            v.local_date,
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
        from analytics.live_days as v
        cross join lateral (
            select g.pass, g.is_first_response, g.replied_by, g.assistant_id, g.agent_user_id, g.channel_type, g.integration_id, g.model,
                g.reply_seconds, g.reply_business_seconds
            from analytics.turns as g
            where g.org_id = v.org_id and g.replied_local_date = v.local_date
            offset 0
        ) as t
        where v.summary = 'response_times'
        -- What differs most comes first: the rows are sorted by this.
        group by v.org_id, v.local_date, t.agent_user_id, t.assistant_id, t.model, t.channel_type, t.integration_id, t.replied_by,
            t.pass, t.is_first_response
    ) as n
) as d;
comment on view analytics.response_times_daily is 'How fast replies were: one row for each day of the reply and combination of the other columns before n_eligible. Choose one pass. Counts and sums of rows can be added; percentiles cannot: for larger groups take them from analytics.turns.';
comment on column analytics.response_times_daily.org_id is 'The org.';
comment on column analytics.response_times_daily.local_date is 'The day of the reply, in the org''s time zone.';
comment on column analytics.response_times_daily.pass is 'any: turns that end with the next reply of the AI or the team; human: as if the AI had not written. Never add both.';
comment on column analytics.response_times_daily.kind is 'first: the first response of a case; reply: a later one; unknown: turns.is_first_response is.';
comment on column analytics.response_times_daily.replied_by is 'ai or human.';
comment on column analytics.response_times_daily.assistant_id is 'The assistant in charge at the time; NULL: none, or not known.';
comment on column analytics.response_times_daily.agent_user_id is 'Who of the team wrote the reply; NULL: the AI.';
comment on column analytics.response_times_daily.channel_type is 'The kind of channel the customer wrote from (inbox.contact_channels.type); NULL: not known.';
comment on column analytics.response_times_daily.integration_id is 'The integration the chat ran over at the time; NULL: not known.';
comment on column analytics.response_times_daily.model is 'The AI model that wrote the reply; NULL: none, or not told.';
comment on column analytics.response_times_daily.n_eligible is 'Turns with a reply.';
comment on column analytics.response_times_daily.n is 'Of these, turns with a complete time: what the percentiles, the mean and the buckets are of.';
comment on column analytics.response_times_daily.p50_seconds is 'Median of the seconds from question to reply; NULL: n is 0.';
comment on column analytics.response_times_daily.p90_seconds is '90th percentile of them; NULL: n is 0.';
comment on column analytics.response_times_daily.mean_seconds is 'Mean of them; NULL: n is 0.';
comment on column analytics.response_times_daily.sum_seconds is 'Sum of them; NULL: n is 0.';
comment on column analytics.response_times_daily.n_business is 'Of these, turns with business seconds.';
comment on column analytics.response_times_daily.p50_business_seconds is 'Median of the seconds of business hours; NULL: n_business is 0.';
comment on column analytics.response_times_daily.p90_business_seconds is '90th percentile of them; NULL: n_business is 0.';
comment on column analytics.response_times_daily.mean_business_seconds is 'Mean of them; NULL: n_business is 0.';
comment on column analytics.response_times_daily.sum_business_seconds is 'Sum of them; NULL: n_business is 0.';
comment on column analytics.response_times_daily.within_1_minute is 'Of n, answered within 60 seconds.';
comment on column analytics.response_times_daily.within_5_minutes is 'Of n, answered within 300 seconds.';
comment on column analytics.response_times_daily.within_15_minutes is 'Of n, answered within 900 seconds.';
comment on column analytics.response_times_daily.within_1_hour is 'Of n, answered within 3,600 seconds.';
comment on column analytics.response_times_daily.within_8_hours is 'Of n, answered within 28,800 seconds.';
comment on column analytics.response_times_daily.within_24_hours is 'Of n, answered within 86,400 seconds.';

create view analytics.csat_daily with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    d.assigned_user_id,
    d.assistant_id,
    d.assistant_config_id,
    d.channel_type,
    d.integration_id,
    d.n_eligible,
    d.n,
    d.average_score,
    d.satisfied,
    100.0::float8 * d.satisfied / nullif(d.n, 0) as csat_percent,
    d.sum_score,
    d.score_1,
    d.score_2,
    d.score_3,
    d.score_4,
    d.score_5,
    d.asked_cases,
    d.asked_cases_rated,
    100.0::float8 * d.asked_cases_rated / nullif(d.asked_cases, 0) as estimated_response_percent
from (
    select s.org_id, s.local_date, s.assigned_user_id, s.assistant_id, s.assistant_config_id, s.channel_type,
        s.integration_id, s.n_eligible, s.n, s.average_score, s.satisfied, s.sum_score,
        s.score_1, s.score_2, s.score_3, s.score_4, s.score_5, s.asked_cases,
        s.asked_cases_rated
    from analytics.stored_csat as s
    where exists (
        select from analytics.stored_days as k
        where k.org_id = s.org_id and k.summary = 'csat' and k.local_date = s.local_date and k.valid_until > now()
    )
    union all
    select
        e.org_id, e.local_date, e.assigned_user_id, e.assistant_id, e.assistant_config_id, e.channel_type, e.integration_id,
        count(*) filter (where e.is_rating),
        count(e.score),
        avg(e.score)::float8,
        count(*) filter (where e.score >= 4),
        sum(e.score),
        count(*) filter (where e.score = 1),
        count(*) filter (where e.score = 2),
        count(*) filter (where e.score = 3),
        count(*) filter (where e.score = 4),
        count(*) filter (where e.score = 5),
        count(e.was_rated),
        count(*) filter (where e.was_rated)
    from (
        select
            v.org_id, v.local_date, r.assigned_user_id, r.assistant_id, r.assistant_config_id, r.channel_type, r.integration_id,
            true as is_rating,
            case when r.completeness = 'complete' then r.score end as score,
            null::bool as was_rated
        from analytics.live_days as v
        cross join lateral (
            select g.assigned_user_id, g.assistant_id, g.assistant_config_id, g.channel_type, g.integration_id, g.completeness, g.score
            from analytics.csat_ratings as g
            where g.org_id = v.org_id and g.rated_local_date = v.local_date and g.is_last
            offset 0
        ) as r
        where v.summary = 'csat'
        union all
        select
            v.org_id, v.local_date, c.assigned_user_id, c.assistant_id, c.assistant_config_id, c.channel_type, c.integration_id,
            false,
            null,
            c.csat_score is not null
        from analytics.live_days as v
        cross join lateral (
            select g.assigned_user_id, g.assistant_id, g.assistant_config_id, g.channel_type, g.integration_id, g.csat_score
            from analytics.cases as g
            where g.org_id = v.org_id and g.closed_local_date = v.local_date and g.has_auto_csat and g.completeness = 'complete'
            offset 0
        ) as c
        where v.summary = 'csat'
    ) as e
    group by e.org_id, e.local_date, e.assigned_user_id, e.assistant_id, e.assistant_config_id, e.channel_type, e.integration_id
) as d;
comment on view analytics.csat_daily is 'Ratings by the day they were given, and, in the columns asked_, cases by the day they were closed. Two cohorts in one row: divide within one.';
comment on column analytics.csat_daily.org_id is 'The org.';
comment on column analytics.csat_daily.local_date is 'The day of the rating (asked_…: of the close), in the org''s time zone.';
comment on column analytics.csat_daily.assigned_user_id is 'To whom the chat was assigned when it was rated (asked_…: the case''s assignee); NULL: nobody.';
comment on column analytics.csat_daily.assistant_id is 'The assistant in charge at the time; NULL: none, or not known.';
comment on column analytics.csat_daily.assistant_config_id is 'The configuration of the assistant in force at the time (inbox.assistant_configs); NULL: not known.';
comment on column analytics.csat_daily.channel_type is 'The kind of channel the customer wrote from (inbox.contact_channels.type); NULL: not known.';
comment on column analytics.csat_daily.integration_id is 'The integration the chat ran over at the time; NULL: not known.';
comment on column analytics.csat_daily.n_eligible is 'Ratings; of a case''s several, the last.';
comment on column analytics.csat_daily.n is 'Of these, complete ones: what the scores are of.';
comment on column analytics.csat_daily.average_score is 'Mean score, 1 to 5; NULL: n is 0.';
comment on column analytics.csat_daily.satisfied is 'Ratings of 4 or 5 among n.';
comment on column analytics.csat_daily.csat_percent is '100 × satisfied ÷ n; NULL: n is 0.';
comment on column analytics.csat_daily.sum_score is 'Sum of the scores; NULL: n is 0.';
comment on column analytics.csat_daily.score_1 is 'Ratings of 1 among n.';
comment on column analytics.csat_daily.score_2 is 'Ratings of 2 among n.';
comment on column analytics.csat_daily.score_3 is 'Ratings of 3 among n.';
comment on column analytics.csat_daily.score_4 is 'Ratings of 4 among n.';
comment on column analytics.csat_daily.score_5 is 'Ratings of 5 among n.';
comment on column analytics.csat_daily.asked_cases is 'Complete cases closed that day whose assistant configuration had enable_auto_csat.';
comment on column analytics.csat_daily.asked_cases_rated is 'Of these, rated by now.';
comment on column analytics.csat_daily.estimated_response_percent is '100 × asked_cases_rated ÷ asked_cases; estimated, since it is not known whether each was really asked. NULL: asked_cases is 0.';

-- A look into the index for each hour costs less than asking each message for its hour.
create view analytics.volume_hourly with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    extract(isodow from d.local_date)::int4 as weekday,
    h.local_hour,
    sum(m.customer_messages)::int8 as customer_messages,
    sum(m.human_messages)::int8 as human_messages,
    sum(m.ai_messages)::int8 as ai_messages,
    sum(m.broadcast_messages)::int8 as broadcast_messages,
    sum(m.messages - m.customer_messages - m.human_messages - m.ai_messages - m.broadcast_messages)::int8 as other_messages
from analytics.message_days as d
cross join lateral analytics.day_hours(d.local_date, d.time_zone) as h (begins_at, ends_at, local_hour)
cross join lateral (
    select
        count(*) filter (where g.sender = 'customer') as customer_messages,
        count(*) filter (where g.sender = 'human') as human_messages,
        count(*) filter (where g.sender = 'ai') as ai_messages,
        count(*) filter (where g.sender = 'broadcast') as broadcast_messages,
        count(*) as messages
    from inbox.messages as g
    where g.org_id = d.org_id and g.created_at >= h.begins_at and g.created_at < h.ends_at
        and g.deleted_at is null
) as m
group by d.org_id, d.local_date, h.local_hour;
comment on view analytics.volume_hourly is 'Messages by local day and hour, one row for each hour from the first message''s day to the last one''s, hours without a message included. Deleted messages are not counted; messages of the AI count whatever their status.';
comment on column analytics.volume_hourly.org_id is 'The org.';
comment on column analytics.volume_hourly.local_date is 'The day, in the org''s time zone.';
comment on column analytics.volume_hourly.weekday is '1 is Monday, 7 is Sunday.';
comment on column analytics.volume_hourly.local_hour is 'Hour in the org''s time zone, 0 to 23. The hour that comes twice when the clock is set back is one row; the one that is skipped has none.';
comment on column analytics.volume_hourly.customer_messages is 'Messages of customers.';
comment on column analytics.volume_hourly.human_messages is 'Messages of the team.';
comment on column analytics.volume_hourly.ai_messages is 'Messages of the AI.';
comment on column analytics.volume_hourly.broadcast_messages is 'Messages of broadcasts.';
comment on column analytics.volume_hourly.other_messages is 'Messages of nobody (system, tool, event, note) or of an unknown sender.';

-- Each fact is added up by itself, so that only what has percentiles is sorted.
create view analytics.agents_daily with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    d.agent_user_id,
    u.name as agent_name,
    d.replies,
    d.replies_measured,
    d.reply_p50_seconds,
    d.reply_p90_seconds,
    d.reply_mean_seconds,
    d.reply_p50_business_seconds,
    d.reply_p90_business_seconds,
    d.first_responses,
    d.first_responses_measured,
    d.first_response_p50_seconds,
    d.first_response_p90_seconds,
    d.handoffs_answered,
    d.handoffs_measured,
    d.human_after_handoff_p50_seconds,
    d.human_after_handoff_p90_seconds,
    d.closed_cases,
    d.ratings,
    d.ratings_measured,
    d.average_score,
    d.satisfied
from (
    select s.org_id, s.local_date, s.agent_user_id, s.replies, s.replies_measured,
        s.reply_p50_seconds, s.reply_p90_seconds, s.reply_mean_seconds, s.reply_p50_business_seconds, s.reply_p90_business_seconds,
        s.first_responses, s.first_responses_measured, s.first_response_p50_seconds, s.first_response_p90_seconds, s.handoffs_answered,
        s.handoffs_measured, s.human_after_handoff_p50_seconds, s.human_after_handoff_p90_seconds, s.closed_cases, s.ratings,
        s.ratings_measured, s.average_score, s.satisfied
    from analytics.stored_agents as s
    where exists (
        select from analytics.stored_days as k
        where k.org_id = s.org_id and k.summary = 'agents' and k.local_date = s.local_date and k.valid_until > now()
    )
    union all
    select
        e.org_id,
        e.local_date,
        e.agent_user_id,
        coalesce(sum(e.events) filter (where e.fact = 'reply'), 0)::int8 as replies,
        coalesce(sum(e.measured) filter (where e.fact = 'reply'), 0)::int8 as replies_measured,
        min(e.p[1]) filter (where e.fact = 'reply') as reply_p50_seconds,
        min(e.p[2]) filter (where e.fact = 'reply') as reply_p90_seconds,
        min(e.mean) filter (where e.fact = 'reply') as reply_mean_seconds,
        min(e.b[1]) filter (where e.fact = 'reply') as reply_p50_business_seconds,
        min(e.b[2]) filter (where e.fact = 'reply') as reply_p90_business_seconds,
        coalesce(sum(e.events) filter (where e.fact = 'first'), 0)::int8 as first_responses,
        coalesce(sum(e.measured) filter (where e.fact = 'first'), 0)::int8 as first_responses_measured,
        min(e.p[1]) filter (where e.fact = 'first') as first_response_p50_seconds,
        min(e.p[2]) filter (where e.fact = 'first') as first_response_p90_seconds,
        coalesce(sum(e.events) filter (where e.fact = 'handoff'), 0)::int8 as handoffs_answered,
        coalesce(sum(e.measured) filter (where e.fact = 'handoff'), 0)::int8 as handoffs_measured,
        min(e.p[1]) filter (where e.fact = 'handoff') as human_after_handoff_p50_seconds,
        min(e.p[2]) filter (where e.fact = 'handoff') as human_after_handoff_p90_seconds,
        coalesce(sum(e.events) filter (where e.fact = 'closed'), 0)::int8 as closed_cases,
        coalesce(sum(e.events) filter (where e.fact = 'rating'), 0)::int8 as ratings,
        coalesce(sum(e.measured) filter (where e.fact = 'rating'), 0)::int8 as ratings_measured,
        min(e.mean) filter (where e.fact = 'rating') as average_score,
        coalesce(sum(e.satisfied), 0)::int8 as satisfied
    from (
        select
            v.org_id, v.local_date, t.agent_user_id,
            case when t.is_first_response then 'first' else 'reply' end as fact,
            count(*) as events,
            count(t.reply_seconds) as measured,
            percentile_cont(array[0.5, 0.9]) within group (order by t.reply_seconds) as p,
            percentile_cont(array[0.5, 0.9]) within group (order by t.reply_business_seconds) as b,
            avg(t.reply_seconds) as mean,
            null::int8 as satisfied
        from analytics.live_days as v
        cross join lateral (
            select g.agent_user_id, g.is_first_response, g.reply_seconds, g.reply_business_seconds
            from analytics.turns as g
            where g.org_id = v.org_id and g.replied_local_date = v.local_date and g.pass = 'human'
            offset 0
        ) as t
        where v.summary = 'agents'
        group by v.org_id, v.local_date, t.agent_user_id, case when t.is_first_response then 'first' else 'reply' end
        union all
        select
            v.org_id, v.local_date, h.first_human_reply_user_id, 'handoff', count(*), count(h.human_after_handoff_seconds),
            percentile_cont(array[0.5, 0.9]) within group (order by h.human_after_handoff_seconds), null, null, null
        from analytics.live_days as v
        cross join lateral (
            select g.first_human_reply_user_id, g.human_after_handoff_seconds
            from analytics.handoffs as g
            where g.org_id = v.org_id and g.handed_off_local_date = v.local_date and g.first_human_reply_at is not null
            offset 0
        ) as h
        where v.summary = 'agents'
        group by v.org_id, v.local_date, h.first_human_reply_user_id
        union all
        select v.org_id, v.local_date, c.assigned_user_id, 'closed', count(*), null, null, null, null, null
        from analytics.live_days as v
        cross join lateral (
            select g.assigned_user_id
            from analytics.cases as g
            where g.org_id = v.org_id and g.closed_local_date = v.local_date
            offset 0
        ) as c
        where v.summary = 'agents'
        group by v.org_id, v.local_date, c.assigned_user_id
        union all
        select
            v.org_id, v.local_date, r.assigned_user_id, 'rating', count(*), count(*) filter (where r.completeness = 'complete'), null, null,
            avg(r.score) filter (where r.completeness = 'complete')::float8,
            count(*) filter (where r.completeness = 'complete' and r.score >= 4)
        from analytics.live_days as v
        cross join lateral (
            select g.assigned_user_id, g.completeness, g.score
            from analytics.csat_ratings as g
            where g.org_id = v.org_id and g.rated_local_date = v.local_date and g.is_last
            offset 0
        ) as r
        where v.summary = 'agents'
        group by v.org_id, v.local_date, r.assigned_user_id
    ) as e
    group by e.org_id, e.local_date, e.agent_user_id
) as d
left join inbox.users as u on u.org_id = d.org_id and u.user_id = d.agent_user_id;
comment on view analytics.agents_daily is 'What each person of the team did: one row for each day and user. Each count is dated by its own event. Replies are those of turns with pass human: the customer''s wait as if the AI had not written.';
comment on column analytics.agents_daily.org_id is 'The org.';
comment on column analytics.agents_daily.local_date is 'The day, in the org''s time zone.';
comment on column analytics.agents_daily.agent_user_id is 'The user: who replied; for cases and ratings, the assignee. NULL: nobody.';
comment on column analytics.agents_daily.agent_name is 'That user''s name now; NULL: not known.';
comment on column analytics.agents_daily.replies is 'Replies that end a turn, first responses left out, those of which that is not known counted; credited to who wrote them.';
comment on column analytics.agents_daily.replies_measured is 'Of these, with a complete time.';
comment on column analytics.agents_daily.reply_p50_seconds is 'Median of the seconds from question to reply; NULL: none measured.';
comment on column analytics.agents_daily.reply_p90_seconds is '90th percentile of them; NULL: none measured.';
comment on column analytics.agents_daily.reply_mean_seconds is 'Mean of them; NULL: none measured.';
comment on column analytics.agents_daily.reply_p50_business_seconds is 'Median in seconds of business hours; NULL: none measured, or no business hours.';
comment on column analytics.agents_daily.reply_p90_business_seconds is '90th percentile in seconds of business hours; NULL: none measured, or no business hours.';
comment on column analytics.agents_daily.first_responses is 'Replies that were the team''s first of a case.';
comment on column analytics.agents_daily.first_responses_measured is 'Of these, with a complete time.';
comment on column analytics.agents_daily.first_response_p50_seconds is 'Median of the seconds from the first customer message; NULL: none measured.';
comment on column analytics.agents_daily.first_response_p90_seconds is '90th percentile of them; NULL: none measured.';
comment on column analytics.agents_daily.handoffs_answered is 'Handoffs of that day which the user was first to answer.';
comment on column analytics.agents_daily.handoffs_measured is 'Of these, with a complete time.';
comment on column analytics.agents_daily.human_after_handoff_p50_seconds is 'Median of the seconds from handoff to reply; NULL: none measured.';
comment on column analytics.agents_daily.human_after_handoff_p90_seconds is '90th percentile of them; NULL: none measured.';
comment on column analytics.agents_daily.closed_cases is 'Cases closed that day whose assignee the user was.';
comment on column analytics.agents_daily.ratings is 'Ratings (last of their case) given that day while the user was the assignee.';
comment on column analytics.agents_daily.ratings_measured is 'Of these, complete ones.';
comment on column analytics.agents_daily.average_score is 'Mean score of these, 1 to 5; NULL: none.';
comment on column analytics.agents_daily.satisfied is 'Ratings of 4 or 5 among ratings_measured.';

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
    d.first_ai_response_p50_seconds,
    d.first_ai_response_p90_seconds
from (
    select s.org_id, s.local_date, s.assistant_id, s.assistant_config_id, s.opened_by,
        s.cases, s.measured_cases, s.ai_involved_cases, s.ai_closed_cases, s.ai_resolved_cases,
        s.ai_handed_off_cases, s.first_ai_responses, s.first_ai_responses_measured, s.first_ai_response_p50_seconds, s.first_ai_response_p90_seconds
    from analytics.stored_assistants as s
    where exists (
        select from analytics.stored_days as k
        where k.org_id = s.org_id and k.summary = 'assistants' and k.local_date = s.local_date and k.valid_until > now()
    )
    union all
    select
        n.org_id, n.local_date, n.assistant_id, n.assistant_config_id, n.opened_by, n.cases, n.measured_cases, n.ai_involved_cases,
        n.ai_closed_cases, n.ai_resolved_cases, n.ai_handed_off_cases, n.first_ai_responses, n.first_ai_responses_measured, n.f[1], n.f[2]
    from (
        select
            v.org_id,
            v.local_date,
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
        from analytics.live_days as v
        cross join lateral (
            select g.assistant_id, g.assistant_config_id, g.opened_by, g.is_ai_involved, g.is_ai_resolved, g.closed_at, g.last_ai_reply_at,
                g.handoff_at, g.first_ai_response_at, g.first_ai_response_seconds
            from analytics.cases as g
            where g.org_id = v.org_id and g.opened_local_date = v.local_date
            offset 0
        ) as c
        where v.summary = 'assistants'
        group by v.org_id, v.local_date, c.assistant_id, c.assistant_config_id, c.opened_by
    ) as n
) as d
left join inbox.assistants as a on a.org_id = d.org_id and a.assistant_id = d.assistant_id
left join (
    select w.org_id, w.assistant_id, w.assistant_config_id, min(w.version_number) as version_number
    from analytics.assistant_versions as w
    group by w.org_id, w.assistant_id, w.assistant_config_id
) as v on v.org_id = d.org_id and v.assistant_id = d.assistant_id and v.assistant_config_id = d.assistant_config_id;
comment on view analytics.assistants_daily is 'How far each assistant gets on its own: cases by the day they were opened. Every rate has its numerator and denominator beside it, from these cases; add those, not the rates.';
comment on column analytics.assistants_daily.org_id is 'The org.';
comment on column analytics.assistants_daily.local_date is 'The day the cases were opened, in the org''s time zone.';
comment on column analytics.assistants_daily.assistant_id is 'The assistant in charge at the time; NULL: none, or not known.';
comment on column analytics.assistants_daily.assistant_name is 'The assistant''s name now; NULL: not known.';
comment on column analytics.assistants_daily.assistant_config_id is 'The configuration of the assistant in force at the time (inbox.assistant_configs); NULL: not known.';
comment on column analytics.assistants_daily.assistant_config_version is 'assistant_versions.version_number of it; NULL: not known.';
comment on column analytics.assistants_daily.opened_by is 'customer, business or broadcast.';
comment on column analytics.assistants_daily.cases is 'Cases opened.';
comment on column analytics.assistants_daily.measured_cases is 'Of these, complete ones: the denominator of involvement.';
comment on column analytics.assistants_daily.ai_involved_cases is 'Of measured_cases, with an AI reply.';
comment on column analytics.assistants_daily.ai_involvement_percent is '100 × ai_involved_cases ÷ measured_cases; NULL: none measured.';
comment on column analytics.assistants_daily.ai_closed_cases is 'Of ai_involved_cases, closed, with the last AI reply at least 24 hours ago: the denominator of AI-resolved.';
comment on column analytics.assistants_daily.ai_resolved_cases is 'Of ai_closed_cases, assumed to be resolved by the AI (cases.is_ai_resolved).';
comment on column analytics.assistants_daily.ai_resolved_percent is '100 × ai_resolved_cases ÷ ai_closed_cases; NULL: none.';
comment on column analytics.assistants_daily.automation_percent is 'Involvement × AI-resolved, in percent: ai_involvement_percent × ai_resolved_percent ÷ 100. NULL: one of them is.';
comment on column analytics.assistants_daily.ai_handed_off_cases is 'Of ai_involved_cases, handed off.';
comment on column analytics.assistants_daily.handoff_percent is '100 × ai_handed_off_cases ÷ ai_involved_cases; NULL: none.';
comment on column analytics.assistants_daily.first_ai_responses is 'Of cases, with an AI reply.';
comment on column analytics.assistants_daily.first_ai_responses_measured is 'Of these, with a complete time.';
comment on column analytics.assistants_daily.first_ai_response_p50_seconds is 'Median of the seconds from the first customer message to it; NULL: none measured.';
comment on column analytics.assistants_daily.first_ai_response_p90_seconds is '90th percentile of them; NULL: none measured.';

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
    d.first_response_p50_seconds,
    d.first_response_p90_seconds,
    d.resolutions_measured,
    d.resolution_p50_seconds,
    d.resolution_p90_seconds,
    d.ratings,
    d.ratings_measured,
    d.average_score,
    d.satisfied
from (
    select s.org_id, s.local_date, s.channel_type, s.integration_id, s.opened_cases,
        s.opened_by_customer, s.reopened_cases, s.closed_cases, s.handoffs, s.first_responses,
        s.first_responses_measured, s.first_response_p50_seconds, s.first_response_p90_seconds, s.resolutions_measured, s.resolution_p50_seconds,
        s.resolution_p90_seconds, s.ratings, s.ratings_measured, s.average_score, s.satisfied
    from analytics.stored_channels as s
    where exists (
        select from analytics.stored_days as k
        where k.org_id = s.org_id and k.summary = 'channels' and k.local_date = s.local_date and k.valid_until > now()
    )
    union all
    select
        e.org_id,
        e.local_date,
        e.channel_type,
        e.integration_id,
        coalesce(sum(e.events) filter (where e.fact = 'opened'), 0)::int8 as opened_cases,
        coalesce(sum(e.by_customer), 0)::int8 as opened_by_customer,
        coalesce(sum(e.reopened), 0)::int8 as reopened_cases,
        coalesce(sum(e.events) filter (where e.fact = 'closed'), 0)::int8 as closed_cases,
        coalesce(sum(e.events) filter (where e.fact = 'handoff'), 0)::int8 as handoffs,
        coalesce(sum(e.events) filter (where e.fact = 'response'), 0)::int8 as first_responses,
        coalesce(sum(e.measured) filter (where e.fact = 'response'), 0)::int8 as first_responses_measured,
        min(e.p[1]) filter (where e.fact = 'response') as first_response_p50_seconds,
        min(e.p[2]) filter (where e.fact = 'response') as first_response_p90_seconds,
        coalesce(sum(e.measured) filter (where e.fact = 'closed'), 0)::int8 as resolutions_measured,
        min(e.p[1]) filter (where e.fact = 'closed') as resolution_p50_seconds,
        min(e.p[2]) filter (where e.fact = 'closed') as resolution_p90_seconds,
        coalesce(sum(e.events) filter (where e.fact = 'rating'), 0)::int8 as ratings,
        coalesce(sum(e.measured) filter (where e.fact = 'rating'), 0)::int8 as ratings_measured,
        min(e.average_score) as average_score,
        coalesce(sum(e.satisfied), 0)::int8 as satisfied
    from (
        select
            v.org_id, v.local_date, c.channel_type, c.integration_id, 'opened' as fact, count(*) as events,
            count(*) filter (where c.opened_by = 'customer') as by_customer,
            count(*) filter (where c.case_number > 1) as reopened,
            null::int8 as measured,
            null::float8[] as p,
            null::float8 as average_score,
            null::int8 as satisfied
        from analytics.live_days as v
        cross join lateral (
            select g.channel_type, g.integration_id, g.opened_by, g.case_number
            from analytics.cases as g
            where g.org_id = v.org_id and g.opened_local_date = v.local_date
            offset 0
        ) as c
        where v.summary = 'channels'
        group by v.org_id, v.local_date, c.channel_type, c.integration_id
        union all
        select
            v.org_id, v.local_date, c.channel_type, c.integration_id, 'closed', count(*), null, null, count(c.resolution_seconds),
            percentile_cont(array[0.5, 0.9]) within group (order by c.resolution_seconds), null, null
        from analytics.live_days as v
        cross join lateral (
            select g.channel_type, g.integration_id, g.resolution_seconds
            from analytics.cases as g
            where g.org_id = v.org_id and g.closed_local_date = v.local_date
            offset 0
        ) as c
        where v.summary = 'channels'
        group by v.org_id, v.local_date, c.channel_type, c.integration_id
        union all
        select v.org_id, v.local_date, h.channel_type, h.integration_id, 'handoff', count(*), null, null, null, null, null, null
        from analytics.live_days as v
        cross join lateral (
            select g.channel_type, g.integration_id
            from analytics.handoffs as g
            where g.org_id = v.org_id and g.handed_off_local_date = v.local_date
            offset 0
        ) as h
        where v.summary = 'channels'
        group by v.org_id, v.local_date, h.channel_type, h.integration_id
        union all
        select
            v.org_id, v.local_date, t.channel_type, t.integration_id, 'response', count(*), null, null, count(t.reply_seconds),
            percentile_cont(array[0.5, 0.9]) within group (order by t.reply_seconds), null, null
        from analytics.live_days as v
        cross join lateral (
            select g.channel_type, g.integration_id, g.reply_seconds
            from analytics.turns as g
            where g.org_id = v.org_id and g.replied_local_date = v.local_date and g.pass = 'any' and g.is_first_response
            offset 0
        ) as t
        where v.summary = 'channels'
        group by v.org_id, v.local_date, t.channel_type, t.integration_id
        union all
        select
            v.org_id, v.local_date, r.channel_type, r.integration_id, 'rating', count(*), null, null,
            count(*) filter (where r.completeness = 'complete'), null,
            avg(r.score) filter (where r.completeness = 'complete')::float8,
            count(*) filter (where r.completeness = 'complete' and r.score >= 4)
        from analytics.live_days as v
        cross join lateral (
            select g.channel_type, g.integration_id, g.completeness, g.score
            from analytics.csat_ratings as g
            where g.org_id = v.org_id and g.rated_local_date = v.local_date and g.is_last
            offset 0
        ) as r
        where v.summary = 'channels'
        group by v.org_id, v.local_date, r.channel_type, r.integration_id
    ) as e
    group by e.org_id, e.local_date, e.channel_type, e.integration_id
) as d;
comment on view analytics.channels_daily is 'What came over each channel: one row for each day, channel type and integration. Each count is dated by its own event: opened cases by the opening, closed by the close, responses by the reply, ratings by the rating.';
comment on column analytics.channels_daily.org_id is 'The org.';
comment on column analytics.channels_daily.local_date is 'The day, in the org''s time zone.';
comment on column analytics.channels_daily.channel_type is 'The kind of channel the customer wrote from (inbox.contact_channels.type); NULL: not known.';
comment on column analytics.channels_daily.integration_id is 'The integration the chat ran over at the time; NULL: not known.';
comment on column analytics.channels_daily.opened_cases is 'Cases opened.';
comment on column analytics.channels_daily.opened_by_customer is 'Of these, opened by a customer message.';
comment on column analytics.channels_daily.reopened_cases is 'Of opened_cases, not the first of their chat: the customer came back after a close.';
comment on column analytics.channels_daily.closed_cases is 'Cases closed.';
comment on column analytics.channels_daily.handoffs is 'Handoffs.';
comment on column analytics.channels_daily.first_responses is 'First responses of the AI or the team.';
comment on column analytics.channels_daily.first_responses_measured is 'Of these, with a complete time.';
comment on column analytics.channels_daily.first_response_p50_seconds is 'Median of their seconds; NULL: none measured.';
comment on column analytics.channels_daily.first_response_p90_seconds is '90th percentile of them; NULL: none measured.';
comment on column analytics.channels_daily.resolutions_measured is 'Of closed_cases, with a complete time to resolution.';
comment on column analytics.channels_daily.resolution_p50_seconds is 'Median of the seconds from the first customer message to the first close; NULL: none measured.';
comment on column analytics.channels_daily.resolution_p90_seconds is '90th percentile of them; NULL: none measured.';
comment on column analytics.channels_daily.ratings is 'Ratings (last of their case).';
comment on column analytics.channels_daily.ratings_measured is 'Of these, complete ones.';
comment on column analytics.channels_daily.average_score is 'Mean score of these, 1 to 5; NULL: none.';
comment on column analytics.channels_daily.satisfied is 'Ratings of 4 or 5 among ratings_measured.';

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
    from (
        select g.model, g.input_tokens, g.output_tokens, g.total_tokens, g.reasoning_tokens, g.input_tokens_cache_read, g.input_tokens_cache_write
        from inbox.messages as g
        where g.org_id = d.org_id and g.created_at >= d.begins_at and g.created_at < d.ends_at
            and coalesce(g.total_tokens, g.input_tokens, g.output_tokens) is not null and coalesce(octet_length(g.model), 0) <= 200
        union all
        select g.model, g.input_tokens, g.output_tokens, g.total_tokens, g.reasoning_tokens, g.input_tokens_cache_read, g.input_tokens_cache_write
        from inbox.messages as g
        where g.org_id = d.org_id and g.created_at >= d.begins_at and g.created_at < d.ends_at
            and coalesce(g.total_tokens, g.input_tokens, g.output_tokens) is not null and coalesce(octet_length(g.model), 0) > 200
    ) as g
    group by g.model
) as m
left join lateral (
    select q.currency, q.input_per_million, q.output_per_million, q.cache_read_per_million, q.cache_write_per_million
    from analytics.model_prices as q
    where q.org_id = d.org_id and q.model = m.model and q.valid_from <= d.local_date
    order by q.valid_from desc
    limit 1
) as p on true;
comment on view analytics.token_usage_daily is 'Tokens by the day and model of the message, summed from the messages; usage_turns are parts of these and not added. Costs only where model_prices has a price for the day.';
comment on column analytics.token_usage_daily.org_id is 'The org.';
comment on column analytics.token_usage_daily.local_date is 'The day, in the org''s time zone.';
comment on column analytics.token_usage_daily.model is 'The message''s model; NULL: not told.';
comment on column analytics.token_usage_daily.messages is 'Messages with usage, whatever became of them.';
comment on column analytics.token_usage_daily.input_tokens is 'Tokens read, those of the cache included.';
comment on column analytics.token_usage_daily.output_tokens is 'Tokens written, those of reasoning included.';
comment on column analytics.token_usage_daily.total_tokens is 'Tokens in all, as the vendor sums them.';
comment on column analytics.token_usage_daily.reasoning_tokens is 'Tokens of reasoning, part of output_tokens.';
comment on column analytics.token_usage_daily.input_tokens_cache_read is 'Tokens read from the prompt cache, part of input_tokens.';
comment on column analytics.token_usage_daily.input_tokens_cache_write is 'Tokens written to the prompt cache, part of input_tokens.';
comment on column analytics.token_usage_daily.currency is 'Of the price in force that day; NULL: none.';
comment on column analytics.token_usage_daily.estimated_cost is 'Tokens × the price in force that day, in that currency: input without the cache''s, the cache''s at their own price where there is one, output. Estimated: the vendor''s bill may differ. NULL: no price.';

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
where c.referral_id is not null and (c.case_number = 1 or not exists ( -- most chats have one case
    select from analytics.cases as e
    where e.org_id = c.org_id and e.chat_id = c.chat_id and e.case_number < c.case_number and e.referral_id = c.referral_id
))
group by c.org_id, c.opened_local_date, c.ad_id, r.ad_title, r.source;
comment on view analytics.ad_funnel is 'What became of those who came by an ad or link: only the first case after each referral counts, by the day it was opened.';
comment on column analytics.ad_funnel.org_id is 'The org.';
comment on column analytics.ad_funnel.local_date is 'The day the case was opened, in the org''s time zone.';
comment on column analytics.ad_funnel.ad_id is 'The ad; NULL: a referral without one.';
comment on column analytics.ad_funnel.ad_title is 'The ad''s title; NULL: none.';
comment on column analytics.ad_funnel.source is 'inbox.referrals.source; NULL: unset.';
comment on column analytics.ad_funnel.n_eligible is 'First cases after a referral.';
comment on column analytics.ad_funnel.opened is 'Of these, complete or still open: what the other columns are counted of.';
comment on column analytics.ad_funnel.engaged is 'Of opened, the customer wrote a second message.';
comment on column analytics.ad_funnel.answered is 'Of opened, the AI or the team replied.';
comment on column analytics.ad_funnel.handed_off is 'Of opened, handed off to the team.';
comment on column analytics.ad_funnel.closed is 'Of opened, closed.';
comment on column analytics.ad_funnel.rated is 'Of opened, rated.';

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
        exists (
            select from inbox.chat_states as s
            where s.org_id = b.org_id and s.chat_id = b.chat_id and s.last_contact_message_at <= b.created_at
        ) or exists (
            select from inbox.chats as c
            where c.org_id = b.org_id and c.chat_id = b.chat_id and c.messages_complete_from <= b.created_at
                and c.messages_complete_through >= least(b.created_at + interval '72 hours', a.broadcast_at)
        ) as is_known
) as t
where b.deleted_at is null
group by d.org_id, d.local_date, b.broadcast_id;
comment on view analytics.broadcast_effect is 'Who wrote after a broadcast: one row for each broadcast and day it was sent on. A customer message counts for the last broadcast before it, within 72 hours.';
comment on column analytics.broadcast_effect.org_id is 'The org.';
comment on column analytics.broadcast_effect.local_date is 'The day it was sent, in the org''s time zone.';
comment on column analytics.broadcast_effect.broadcast_id is 'The broadcast; NULL: a broadcast''s message that names none.';
comment on column analytics.broadcast_effect.messages is 'Messages of it.';
comment on column analytics.broadcast_effect.chats is 'Chats it went to.';
comment on column analytics.broadcast_effect.settled_chats is 'Of these, the 72 hours are over.';
comment on column analytics.broadcast_effect.measured_chats is 'Of settled_chats, it is known whether the customer wrote: the denominator.';
comment on column analytics.broadcast_effect.responded_chats is 'Of measured_chats, the customer wrote.';
comment on column analytics.broadcast_effect.response_percent is '100 × responded_chats ÷ measured_chats; NULL: none.';
comment on column analytics.broadcast_effect.response_p50_seconds is 'Median of the seconds from the broadcast to the customer''s message, of all that came so far; NULL: none.';

create view analytics.coverage_daily with (security_invoker = true) as
select
    d.org_id,
    d.local_date,
    d.metric,
    d.eligible,
    d.measured,
    100.0::float8 * d.measured / nullif(d.eligible, 0) as measured_percent
from (
    select s.org_id, s.local_date, s.metric, s.eligible, s.measured
    from analytics.stored_coverage as s
    where exists (
        select from analytics.stored_days as k
        where k.org_id = s.org_id and k.summary = 'coverage' and k.local_date = s.local_date and k.valid_until > now()
    )
    union all
    select
        v.org_id,
        v.local_date,
        case when n.pass = 'human' then 'human_reply' when n.is_first_response then 'first_response' else 'reply' end as metric,
        count(*) as eligible,
        count(n.reply_seconds) as measured
    from analytics.live_days as v
    cross join lateral (
        select g.pass, g.is_first_response, g.reply_seconds
        from analytics.turns as g
        where g.org_id = v.org_id and g.replied_local_date = v.local_date
        offset 0
    ) as n
    where v.summary = 'coverage'
    group by v.org_id, v.local_date,
        case when n.pass = 'human' then 'human_reply' when n.is_first_response then 'first_response' else 'reply' end
    union all
    select
        c.org_id,
        c.local_date,
        m.metric,
        case m.metric when 'ai_involvement' then c.cases when 'ai_resolved' then c.ai_closed when 'assignment' then c.assignments end as eligible,
        case m.metric when 'ai_involvement' then c.cases_measured when 'ai_resolved' then c.ai_closed_measured when 'assignment' then c.assignments_measured end as measured
    from (
        select
            v.org_id,
            v.local_date,
            count(*) as cases,
            count(n.is_ai_involved) as cases_measured,
            count(*) filter (where n.ai_replies > 0 and n.closed_at is not null and n.last_ai_reply_at <= now() - interval '24 hours') as ai_closed,
            count(n.is_ai_resolved) filter (
                where n.ai_replies > 0 and n.closed_at is not null and n.last_ai_reply_at <= now() - interval '24 hours'
            ) as ai_closed_measured,
            count(n.assigned_at) as assignments,
            count(n.assignment_seconds) as assignments_measured
        from analytics.live_days as v
        cross join lateral (
            select g.is_ai_involved, g.is_ai_resolved, g.ai_replies, g.closed_at, g.last_ai_reply_at, g.assigned_at, g.assignment_seconds
            from analytics.cases as g
            where g.org_id = v.org_id and g.opened_local_date = v.local_date
            offset 0
        ) as n
        where v.summary = 'coverage'
        group by v.org_id, v.local_date
    ) as c
    cross join unnest(array['ai_involvement', 'ai_resolved', 'assignment']) as m (metric)
    union all
    select v.org_id, v.local_date, 'resolution', count(n.first_customer_message_at), count(n.resolution_seconds)
    from analytics.live_days as v
    cross join lateral (
        select g.first_customer_message_at, g.resolution_seconds
        from analytics.cases as g
        where g.org_id = v.org_id and g.closed_local_date = v.local_date
        offset 0
    ) as n
    where v.summary = 'coverage'
    group by v.org_id, v.local_date
    union all
    select v.org_id, v.local_date, 'human_after_handoff', count(n.first_human_reply_at), count(n.human_after_handoff_seconds)
    from analytics.live_days as v
    cross join lateral (
        select g.first_human_reply_at, g.human_after_handoff_seconds
        from analytics.handoffs as g
        where g.org_id = v.org_id and g.handed_off_local_date = v.local_date
        offset 0
    ) as n
    where v.summary = 'coverage'
    group by v.org_id, v.local_date
    union all
    select v.org_id, v.local_date, 'csat', count(*), count(*) filter (where n.completeness = 'complete')
    from analytics.live_days as v
    cross join lateral (
        select g.completeness
        from analytics.csat_ratings as g
        where g.org_id = v.org_id and g.rated_local_date = v.local_date and g.is_last
        offset 0
    ) as n
    where v.summary = 'coverage'
    group by v.org_id, v.local_date
) as d
where d.eligible > 0;
comment on view analytics.coverage_daily is 'How much of each metric is known: of n events, n measured. What a panel shows beside its number.';
comment on column analytics.coverage_daily.org_id is 'The org.';
comment on column analytics.coverage_daily.local_date is 'The day the metric is dated by, in the org''s time zone: of the reply (first_response, reply, human_reply), the opening (ai_involvement, ai_resolved, assignment), the close (resolution), the handoff, the rating.';
comment on column analytics.coverage_daily.metric is 'first_response, reply (turns of pass any; with those whose case is not known), human_reply (all turns of pass human), ai_involvement, ai_resolved, assignment, resolution, human_after_handoff or csat.';
comment on column analytics.coverage_daily.eligible is 'Events the metric should have a value for.';
comment on column analytics.coverage_daily.measured is 'Of these, those that have one.';
comment on column analytics.coverage_daily.measured_percent is '100 × measured ÷ eligible.';

-- The next row is looked up only when asked for; the one before by nearly all who count changes.
create view analytics.chat_state_history with (security_invoker = true) as
select
    c.org_id,
    c.chat_id,
    c.changed_at as began_at,
    c.unchanged_until as began_after,
    (
        select g.changed_at
        from inbox.chat_state_changes as g
        where g.org_id = c.org_id and g.chat_id = c.chat_id and (g.changed_at, g.stream_id, g.seq) > (c.changed_at, c.stream_id, c.seq)
        order by g.changed_at, g.stream_id, g.seq
        limit 1
    ) as ended_at,
    (
        select g.unchanged_until
        from inbox.chat_state_changes as g
        where g.org_id = c.org_id and g.chat_id = c.chat_id and (g.changed_at, g.stream_id, g.seq) > (c.changed_at, c.stream_id, c.seq)
        order by g.changed_at, g.stream_id, g.seq
        limit 1
    ) as ended_after,
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
    select g.state, g.ai_enabled
    from inbox.chat_state_changes as g
    where g.org_id = c.org_id and g.chat_id = c.chat_id and (g.changed_at, g.stream_id, g.seq) < (c.changed_at, c.stream_id, c.seq)
    order by g.changed_at desc, g.stream_id desc, g.seq desc
    limit 1
) as p on true
left join inbox.users as u on u.org_id = c.org_id and u.user_id = c.assigned_user_id
left join inbox.assistants as a on a.org_id = c.org_id and a.assistant_id = c.assistant_id;
comment on view analytics.chat_state_history is 'One row for each interval between two changes of a chat''s state (inbox.chat_state_changes), with the values that held.';
comment on column analytics.chat_state_history.org_id is 'The org.';
comment on column analytics.chat_state_history.chat_id is 'The chat.';
comment on column analytics.chat_state_history.began_at is 'When it was first seen to hold: the latest time at which it can have begun.';
comment on column analytics.chat_state_history.began_after is 'The last time at which the former values were seen: it began after this; NULL: the chat''s first row.';
comment on column analytics.chat_state_history.ended_at is 'began_at of the next interval; NULL: it lasts.';
comment on column analytics.chat_state_history.ended_after is 'The last time at which these values were seen before the next interval; NULL: it lasts.';
comment on column analytics.chat_state_history.state is 'OPEN, SNOOZED, CLOSED, the vendor''s value; NULL: unset.';
comment on column analytics.chat_state_history.previous_state is 'The state before; NULL: unset, or the chat''s first row.';
comment on column analytics.chat_state_history.is_reopened is 'Whether the chat went from closed to another state.';
comment on column analytics.chat_state_history.is_closed is 'Whether the chat went to closed.';
comment on column analytics.chat_state_history.is_handoff is 'Whether ai_enabled went from true to false.';
comment on column analytics.chat_state_history.ai_enabled is 'Whether the AI answered; NULL: unset.';
comment on column analytics.chat_state_history.assigned_user_id is 'The assignee; NULL: nobody.';
comment on column analytics.chat_state_history.assigned_user_name is 'The assignee''s name now; NULL: nobody, or not known.';
comment on column analytics.chat_state_history.assigned_at is 'When assigned; NULL: unset.';
comment on column analytics.chat_state_history.assistant_id is 'The assistant in charge; NULL: unset.';
comment on column analytics.chat_state_history.assistant_name is 'The assistant''s name now; NULL: not known.';
comment on column analytics.chat_state_history.assistant_config_id is 'The assistant''s configuration in force; NULL: not told.';
comment on column analytics.chat_state_history.integration_id is 'The integration; NULL: unset.';
comment on column analytics.chat_state_history.csat_score is 'The rating, 1 to 5; NULL: not rated.';
comment on column analytics.chat_state_history.follow_up_at is 'When the next automatic follow-up was due; NULL: unset.';
comment on column analytics.chat_state_history.muted_until is 'Until when it was muted; NULL: unset.';

-- Readers have no rights on ops and raw: these two views read them with their owner's, and ask what the reader may read.
create view analytics.gaps with (security_barrier = true) as
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
from ops.gaps as g
where analytics.may_read(g.org_id);
comment on view analytics.gaps is 'The intervals in which an org''s inbox was not listened to: what readers need of the archiver''s own records.';
comment on column analytics.gaps.org_id is 'The org.';
comment on column analytics.gaps.gap_id is 'The gap.';
comment on column analytics.gaps.began_at is 'When the last byte before it was heard.';
comment on column analytics.gaps.ended_at is 'When the first byte after it was heard; NULL: it lasts.';
comment on column analytics.gaps.gap_seconds is 'How long it was, or is by now, in seconds.';
comment on column analytics.gaps.cause is 'Why nothing was heard.';
comment on column analytics.gaps.status is 'open, repairing, repaired (what changed meanwhile was fetched) or unrepaired.';
comment on column analytics.gaps.repaired_at is 'When what changed meanwhile had been fetched; NULL: it has not.';
comment on column analytics.gaps.chats_swept is 'Chats that were read again to repair it.';
comment on column analytics.gaps.messages_recovered is 'Messages that were first seen through its repair.';

create view analytics.freshness with (security_barrier = true) as
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
left join analytics.refreshes as r on r.org_id = o.org_id
where analytics.may_read(o.org_id);
comment on column analytics.chat_spans.refreshed_at is 'When the row was last written.';
comment on column analytics.refreshes.gaps is 'The gaps the facts were made with, by id: when each began and ended, and whether it was repaired.';
comment on column analytics.refreshes.first_heard_at is 'Since when the org was listened to, as the facts were made with; NULL: never.';
comment on view analytics.freshness is 'How fresh the archive of each org is.';
comment on column analytics.freshness.org_id is 'The org.';
comment on column analytics.freshness.org_name is 'Its name; NULL: not known.';
comment on column analytics.freshness.time_zone is 'In which its days are counted.';
comment on column analytics.freshness.last_event_at is 'When the newest stored event was received; NULL: none.';
comment on column analytics.freshness.last_heard_at is 'When the open connection was last heard; NULL: none is open.';
comment on column analytics.freshness.refreshed_at is 'When facts were last refreshed; NULL: never.';
comment on column analytics.freshness.backlog_through is 'The last day of backlog_daily; NULL: none.';
comment on column analytics.freshness.dirty_chats is 'Chats that changed since their facts were refreshed.';
comment on column analytics.freshness.oldest_dirty_at is 'Since when the oldest of these waits; NULL: none does.';
comment on column analytics.freshness.open_gaps is 'Gaps that last or are being repaired.';
comment on column analytics.freshness.unrepaired_gaps is 'Gaps that could not be repaired: metrics around them are partial.';

comment on table analytics.stored_days is 'Bookkeeping: the days of which it is stored (stored_…) what a daily view says of them, as long as no fact of them changes. Read the views.';
comment on column analytics.stored_days.org_id is 'The org.';
comment on column analytics.stored_days.summary is 'The view, without _daily.';
comment on column analytics.stored_days.local_date is 'The day, in the org''s time zone.';
comment on column analytics.stored_days.valid_until is 'When it does not hold any more although no fact has changed: 24 hours after the last AI reply of a case that is not old enough to be called resolved. Infinity: never.';
comment on table analytics.stored_response_times is 'Bookkeeping: what response_times_daily says of days that are over, so that it need not be worked out again. It holds for the days in stored_days. Read the view.';
comment on table analytics.stored_csat is 'Bookkeeping: the same of csat_daily.';
comment on table analytics.stored_agents is 'Bookkeeping: the same of agents_daily.';
comment on table analytics.stored_assistants is 'Bookkeeping: the same of assistants_daily.';
comment on table analytics.stored_channels is 'Bookkeeping: the same of channels_daily.';
comment on table analytics.stored_coverage is 'Bookkeeping: the same of coverage_daily.';
comment on column analytics.stored_response_times.row_number is 'Counts the rows of the day.';
comment on column analytics.stored_csat.row_number is 'Counts the rows of the day.';
comment on column analytics.stored_agents.row_number is 'Counts the rows of the day.';
comment on column analytics.stored_assistants.row_number is 'Counts the rows of the day.';
comment on column analytics.stored_channels.row_number is 'Counts the rows of the day.';
comment on column analytics.stored_coverage.row_number is 'Counts the rows of the day.';

-- The wide views repeat columns of the facts, and stored days those of the daily views: what is said there holds here.
-- +goose StatementBegin
do $$
declare
    c record;
begin
    for c in
        select w.attrelid::regclass as wide, w.attname, min(col_description(s.attrelid, s.attnum)) as comment
        from (values
            ('analytics.cases_wide'::regclass, 'analytics.cases'::regclass), ('analytics.cases_wide', 'analytics.handoffs'),
            ('analytics.chats_wide', 'inbox.chats'), ('analytics.chats_wide', 'inbox.chat_states'),
            ('analytics.stored_response_times', 'analytics.response_times_daily'), ('analytics.stored_csat', 'analytics.csat_daily'),
            ('analytics.stored_agents', 'analytics.agents_daily'), ('analytics.stored_assistants', 'analytics.assistants_daily'),
            ('analytics.stored_channels', 'analytics.channels_daily'), ('analytics.stored_coverage', 'analytics.coverage_daily')
        ) as v (wide, source)
        join pg_attribute as w on w.attrelid = v.wide and w.attnum > 0 and col_description(w.attrelid, w.attnum) is null
        join pg_attribute as s on s.attrelid = v.source and s.attname = w.attname and s.attnum > 0
        group by 1, 2
    loop
        execute format('comment on column %s.%I is %L', c.wide, c.attname, c.comment);
    end loop;
end
$$;
-- +goose StatementEnd

-- +goose Down
drop view analytics.agents, analytics.agents_daily, analytics.ad_funnel, analytics.assistant_versions, analytics.assistants,
    analytics.assistants_daily, analytics.broadcast_effect, analytics.calendar, analytics.cases_wide, analytics.channels,
    analytics.channels_daily, analytics.chat_state_history, analytics.chats_wide, analytics.coverage_daily, analytics.csat_daily,
    analytics.freshness, analytics.gaps, analytics.live_days, analytics.message_days, analytics.response_times_daily, analytics.token_usage_daily,
    analytics.volume_hourly;
drop function analytics.days_between(date, date), analytics.day_hours(date, text), analytics.day_bounds(date, text), analytics.day_begins(date, text);
alter table inbox.messages reset (autovacuum_vacuum_insert_scale_factor);
drop index analytics.cases_opened, analytics.cases_closed, analytics.cases_referrals, analytics.cases_assistants, analytics.cases_channels,
    analytics.cases_days, analytics.turns_days, analytics.turns_replied, analytics.turns_assistants, analytics.csat_ratings_rated, analytics.handoffs_handed_off,
    inbox.chat_states_not_closed, inbox.chat_state_changes_changed_at, inbox.messages_broadcasts, inbox.messages_usage, inbox.messages_usage_long;
