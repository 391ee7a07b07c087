-- +goose Up
create schema analytics;
comment on schema analytics is 'What the inbox means: cases, turns, ratings, response times, each with how complete it is known. Start with cases_wide.';

-- +goose StatementBegin
create function analytics.is_time_zone(name text) returns bool
language sql immutable parallel safe
as $$ select exists (select from pg_timezone_names as z where z.name = is_time_zone.name) $$;
-- +goose StatementEnd
comment on function analytics.is_time_zone is 'Whether Postgres knows a time zone of that name.';

create table analytics.settings (
    org_id                text not null,
    time_zone             text not null default 'UTC' constraint time_zone_is_known check (analytics.is_time_zone(time_zone)),
    thanks_window_seconds int8 not null default 0 constraint thanks_window_is_not_negative check (thanks_window_seconds >= 0),
    primary key (org_id)
);
comment on table analytics.settings is 'One row for each org whose settings are not the defaults. What depends on them is computed anew within seconds of a change.';
comment on column analytics.settings.org_id is 'The org.';
comment on column analytics.settings.time_zone is 'IANA name of the zone in which the org counts its days and hours; UTC by default.';
comment on column analytics.settings.thanks_window_seconds is 'A customer message this soon after a close does not open a case (thanks); 0, the default, switches that off.';

-- For the constraint below: Postgres' own index for exclusion takes ranges, and plain values only with an extension.
-- sqlc knows nothing of ranges, and does not look into a block.
-- +goose StatementBegin
do $$ begin
    create type analytics.text_range as range (subtype = text);
    comment on type analytics.text_range is 'Texts from one to another; of a text alone in business_hours.';
    create type analytics.time_range as range (subtype = time);
    comment on type analytics.time_range is 'Times of a day from one to another.';
end $$;
-- +goose StatementEnd

create table analytics.business_hours (
    org_id     text not null,
    schedule   text not null default 'default',
    valid_from date not null default '1970-01-01',
    valid_to   date,
    weekday    int2 not null constraint weekday_is_1_to_7 check (weekday between 1 and 7),
    opens      time not null,
    closes     time not null,
    constraint hours_end_after_they_begin check (closes > opens),
    constraint days_end_after_they_begin check (valid_to >= valid_from),
    constraint days_are_finite check (isfinite(valid_from) and isfinite(valid_to)),
    constraint hours_do_not_overlap exclude using gist (
        analytics.text_range(org_id, org_id, '[]') with &&, analytics.text_range(schedule, schedule, '[]') with &&,
        int4range(weekday, weekday, '[]') with &&, daterange(valid_from, valid_to, '[]') with &&, analytics.time_range(opens, closes) with &&
    ),
    primary key (org_id, schedule, valid_from, weekday, opens)
);
comment on table analytics.business_hours is 'When the team works, in the org''s time zone: one row for each stretch of a weekday. Several schedules are worked by different people: the org is open when any of them is. Without rows there is no business time, and its columns are NULL.';
comment on column analytics.business_hours.org_id is 'The org.';
comment on column analytics.business_hours.schedule is 'Name of the schedule.';
comment on column analytics.business_hours.valid_from is 'First local day it holds for.';
comment on column analytics.business_hours.valid_to is 'Last local day it holds for; NULL: until further notice.';
comment on column analytics.business_hours.weekday is '1 is Monday, 7 is Sunday.';
comment on column analytics.business_hours.opens is 'Local time at which the stretch begins.';
comment on column analytics.business_hours.closes is 'Local time at which it ends; 24:00 is midnight.';

create table analytics.holidays (
    org_id text not null,
    day    date not null constraint holiday_is_finite check (isfinite(day)),
    name   text not null,
    primary key (org_id, day)
);
comment on table analytics.holidays is 'Local days without business hours.';
comment on column analytics.holidays.org_id is 'The org.';
comment on column analytics.holidays.day is 'The local day.';
comment on column analytics.holidays.name is 'What is celebrated.';

create table analytics.model_prices (
    org_id                      text not null,
    model                       text not null,
    valid_from                  date not null constraint price_day_is_finite check (isfinite(valid_from)),
    currency                    text not null default 'USD',
    input_per_million           numeric not null constraint input_price_is_not_negative check (input_per_million >= 0 and input_per_million < 'infinity'),
    output_per_million          numeric not null constraint output_price_is_not_negative check (output_per_million >= 0 and output_per_million < 'infinity'),
    cache_read_per_million      numeric constraint cache_read_price_is_not_negative check (cache_read_per_million >= 0 and cache_read_per_million < 'infinity'),
    cache_write_per_million     numeric constraint cache_write_price_is_not_negative check (cache_write_per_million >= 0 and cache_write_per_million < 'infinity'),
    primary key (org_id, model, valid_from)
);
comment on table analytics.model_prices is 'What tokens of a model cost from a day on, for the columns that are called estimated. A model without a row has no estimate.';
comment on column analytics.model_prices.org_id is 'The org.';
comment on column analytics.model_prices.model is 'As in inbox.messages.model.';
comment on column analytics.model_prices.valid_from is 'First local day of the price; the newest that is not after the message counts.';
comment on column analytics.model_prices.currency is 'ISO 4217; amounts of different currencies are not added.';
comment on column analytics.model_prices.input_per_million is 'Price of a million input tokens.';
comment on column analytics.model_prices.output_per_million is 'Price of a million output tokens.';
comment on column analytics.model_prices.cache_read_per_million is 'Price of a million input tokens read from a cache; NULL: as input tokens.';
comment on column analytics.model_prices.cache_write_per_million is 'Price of a million input tokens written to a cache; NULL: as input tokens.';

-- What is asked for most comes first: whoever reads a column walks through all that are before it, and those without NULL and of one
-- width are the fastest.
create table analytics.cases (
    org_id                                text not null,
    chat_id                               text not null,
    case_number                           int4 not null,
    opened_at                             timestamptz not null,
    opened_local_date                     date not null,
    opened_local_hour                     int2 not null,
    closed_at                             timestamptz,
    closed_local_date                     date,
    handoff_at                            timestamptz,
    last_ai_reply_at                      timestamptz,
    opened_by                             text not null,
    completeness                          text not null,
    assistant_id                          text,
    assistant_config_id                   text,
    channel_type                          text,
    integration_id                        text,
    assigned_user_id                      text,
    is_ai_involved                        bool,
    is_ai_resolved                        bool,
    has_auto_csat                         bool,
    csat_score                            int4,
    reopens                               int4 not null,
    customer_messages                     int4 not null,
    ai_replies                            int4 not null,
    human_replies                         int4 not null,
    broadcasts                            int4 not null,
    first_response_seconds                float8,
    first_ai_response_seconds             float8,
    first_human_response_seconds          float8,
    resolution_seconds                    float8,
    estimated_cost                        float8,
    total_tokens                          int8 not null,
    cost_currency                         text,
    opening_message_id                    text not null,
    first_customer_message_id             text,
    first_customer_message_at             timestamptz,
    closed_after                          timestamptz,
    last_closed_at                        timestamptz,
    first_response_business_seconds       float8,
    first_response_observed_seconds       float8,
    first_response_at                     timestamptz,
    first_response_message_id             text,
    first_response_by                     text,
    first_ai_response_business_seconds    float8,
    first_ai_response_observed_seconds    float8,
    first_ai_response_at                  timestamptz,
    first_ai_response_message_id          text,
    first_human_response_business_seconds float8,
    first_human_response_observed_seconds float8,
    first_human_response_at               timestamptz,
    first_human_response_message_id       text,
    first_human_response_user_id          text,
    assigned_at                           timestamptz,
    assignment_seconds                    float8,
    assignment_business_seconds           float8,
    assignment_observed_seconds           float8,
    resolution_business_seconds           float8,
    resolution_observed_seconds           float8,
    resolution_unsnoozed_seconds          float8,
    last_resolution_seconds               float8,
    last_resolution_business_seconds      float8,
    last_resolution_observed_seconds      float8,
    last_customer_message_at              timestamptz,
    csat_rated_at                         timestamptz,
    contact_id                            text,
    referral_id                           text,
    ad_id                                 text,
    input_tokens                          int8 not null,
    output_tokens                         int8 not null,
    completeness_reason                   text,
    refreshed_at                          timestamptz not null,
    primary key (org_id, chat_id, case_number)
);

create table analytics.turns (
    org_id                 text not null,
    chat_id                text not null,
    pass                   text not null,
    turn_number            int4 not null,
    case_number            int4,
    is_first_response      bool,
    started_at             timestamptz not null,
    started_message_id     text not null,
    customer_messages      int4 not null,
    replied_at             timestamptz,
    replied_local_date     date,
    replied_local_hour     int2,
    reply_message_id       text,
    replied_by             text,
    agent_user_id          text,
    assistant_id           text,
    assistant_config_id    text,
    model                  text,
    integration_id         text,
    channel_type           text,
    reply_seconds          float8,
    reply_business_seconds float8,
    reply_observed_seconds float8,
    completeness           text not null,
    completeness_reason    text,
    refreshed_at           timestamptz not null,
    primary key (org_id, chat_id, pass, turn_number)
);

create table analytics.csat_ratings (
    org_id              text not null,
    chat_id             text not null,
    rating_number       int4 not null,
    case_number         int4,
    rated_at            timestamptz not null,
    rated_after         timestamptz,
    rated_local_date    date not null,
    score               int4 not null,
    previous_score      int4,
    is_last             bool not null,
    assigned_user_id    text,
    assistant_id        text,
    assistant_config_id text,
    integration_id      text,
    channel_type        text,
    completeness        text not null,
    completeness_reason text,
    refreshed_at        timestamptz not null,
    primary key (org_id, chat_id, rating_number)
);

create table analytics.handoffs (
    org_id                               text not null,
    chat_id                              text not null,
    case_number                          int4 not null,
    handed_off_at                        timestamptz not null,
    handed_off_after                     timestamptz,
    handed_off_local_date                date not null,
    kind                                 text not null,
    first_human_reply_at                 timestamptz,
    first_human_reply_message_id         text,
    first_human_reply_user_id            text,
    human_after_handoff_seconds          float8,
    human_after_handoff_business_seconds float8,
    human_after_handoff_observed_seconds float8,
    assistant_id                         text,
    assistant_config_id                  text,
    integration_id                       text,
    channel_type                         text,
    completeness                         text not null,
    completeness_reason                  text,
    refreshed_at                         timestamptz not null,
    primary key (org_id, chat_id, case_number)
);

create table analytics.chat_spans (
    org_id           text not null,
    chat_id          text not null,
    span_number      int4 not null,
    state            text,
    began_at         timestamptz not null,
    ended_at         timestamptz,
    assigned_user_id text,
    refreshed_at     timestamptz not null,
    primary key (org_id, chat_id, span_number)
);

create table analytics.backlog_daily (
    org_id           text not null,
    local_date       date not null,
    open_chats       int8 not null,
    snoozed_chats    int8 not null,
    unassigned_chats int8 not null,
    primary key (org_id, local_date)
);

create table analytics.refreshes (
    org_id               text not null,
    settings_fingerprint text not null,
    gaps                 jsonb not null,
    first_heard_at       timestamptz,
    backlog_through      date not null,
    refreshed_at         timestamptz not null,
    primary key (org_id)
);

-- What the daily views said of the days in stored_days: as many rows of facts as a busy org has in a month cannot be sorted for their
-- percentiles while somebody waits. The columns are those of the views.
create table analytics.stored_days (
    org_id      text not null,
    summary     text not null,
    local_date  date not null,
    valid_until timestamptz not null,
    primary key (org_id, summary, local_date)
);

create table analytics.stored_response_times (
    org_id               text not null,
    local_date           date not null,
    row_number           int4 not null,
    pass                 text not null,
    kind                 text not null,
    replied_by           text,
    assistant_id         text,
    agent_user_id        text,
    channel_type         text,
    integration_id       text,
    model                text,
    n_eligible           int8 not null,
    n                    int8 not null,
    p50_seconds          float8,
    p90_seconds          float8,
    sum_seconds          float8,
    n_business           int8 not null,
    p50_business_seconds float8,
    p90_business_seconds float8,
    sum_business_seconds float8,
    within_1_minute      int8 not null,
    within_5_minutes     int8 not null,
    within_15_minutes    int8 not null,
    within_1_hour        int8 not null,
    within_8_hours       int8 not null,
    within_24_hours      int8 not null,
    primary key (org_id, local_date, row_number)
);

create table analytics.stored_csat (
    org_id              text not null,
    local_date          date not null,
    row_number          int4 not null,
    assigned_user_id    text,
    assistant_id        text,
    assistant_config_id text,
    channel_type        text,
    integration_id      text,
    n_eligible          int8 not null,
    n                   int8 not null,
    average_score       float8,
    satisfied           int8 not null,
    sum_score           int8,
    score_1             int8 not null,
    score_2             int8 not null,
    score_3             int8 not null,
    score_4             int8 not null,
    score_5             int8 not null,
    asked_cases         int8 not null,
    asked_cases_rated   int8 not null,
    primary key (org_id, local_date, row_number)
);

create table analytics.stored_agents (
    org_id                          text not null,
    local_date                      date not null,
    row_number                      int4 not null,
    agent_user_id                   text,
    replies                         int8 not null,
    replies_measured                int8 not null,
    reply_p50_seconds               float8,
    reply_p90_seconds               float8,
    reply_mean_seconds              float8,
    reply_p50_business_seconds      float8,
    reply_p90_business_seconds      float8,
    first_responses                 int8 not null,
    first_responses_measured        int8 not null,
    first_response_p50_seconds      float8,
    first_response_p90_seconds      float8,
    handoffs_answered               int8 not null,
    handoffs_measured               int8 not null,
    human_after_handoff_p50_seconds float8,
    human_after_handoff_p90_seconds float8,
    closed_cases                    int8 not null,
    ratings                         int8 not null,
    ratings_measured                int8 not null,
    average_score                   float8,
    satisfied                       int8 not null,
    primary key (org_id, local_date, row_number)
);

create table analytics.stored_assistants (
    org_id                        text not null,
    local_date                    date not null,
    row_number                    int4 not null,
    assistant_id                  text,
    assistant_config_id           text,
    opened_by                     text not null,
    cases                         int8 not null,
    measured_cases                int8 not null,
    ai_involved_cases             int8 not null,
    ai_closed_cases               int8 not null,
    ai_resolved_cases             int8 not null,
    ai_handed_off_cases           int8 not null,
    first_ai_responses            int8 not null,
    first_ai_responses_measured   int8 not null,
    first_ai_response_p50_seconds float8,
    first_ai_response_p90_seconds float8,
    primary key (org_id, local_date, row_number)
);

create table analytics.stored_channels (
    org_id                     text not null,
    local_date                 date not null,
    row_number                 int4 not null,
    channel_type               text,
    integration_id             text,
    opened_cases               int8 not null,
    opened_by_customer         int8 not null,
    reopened_cases             int8 not null,
    closed_cases               int8 not null,
    handoffs                   int8 not null,
    first_responses            int8 not null,
    first_responses_measured   int8 not null,
    first_response_p50_seconds float8,
    first_response_p90_seconds float8,
    resolutions_measured       int8 not null,
    resolution_p50_seconds     float8,
    resolution_p90_seconds     float8,
    ratings                    int8 not null,
    ratings_measured           int8 not null,
    average_score              float8,
    satisfied                  int8 not null,
    primary key (org_id, local_date, row_number)
);

create table analytics.stored_coverage (
    org_id     text not null,
    local_date date not null,
    row_number int4 not null,
    metric     text not null,
    eligible   int8 not null,
    measured   int8 not null,
    primary key (org_id, local_date, row_number)
);

create table analytics.reader_orgs (
    org_id    text not null,
    role_name name not null,
    primary key (org_id, role_name)
);
comment on table analytics.reader_orgs is 'Which orgs a database role may read in inbox and analytics: one row for each. archiver grant writes it. A role sees its own rows, and those of the roles whose rights it has.';
comment on column analytics.reader_orgs.role_name is 'The role, by name: a role that is renamed loses its orgs.';
comment on column analytics.reader_orgs.org_id is 'The org; * is every org.';

-- The bodies below are parsed here, once (return, not a text), so the search_path of whoever asks has no say in them. None
-- is security definer: in such a function current_user is its owner, and who asks would have to be taken from the session,
-- which SET ROLE does not change. So whoever reads a table also reads reader_orgs, and its own policy shows the own rows.
grant select on analytics.reader_orgs to public;

create function analytics.has_rights_of(role_name name) returns bool
language sql stable parallel safe
return exists (
    select from pg_catalog.pg_roles as r where r.rolname = has_rights_of.role_name and pg_catalog.pg_has_role(r.oid, 'usage')
);
comment on function analytics.has_rights_of is 'Whether the current role is that role or has its rights; false when there is no such role.';

create function analytics.readable_orgs() returns text[]
language sql stable parallel safe
return coalesce((
    select pg_catalog.array_agg(o.org_id) from analytics.reader_orgs as o where analytics.has_rights_of(o.role_name)
), '{}');
comment on function analytics.readable_orgs is 'The orgs that reader_orgs lets the current role read; * among them is every org.';

create function analytics.reads_every_org() returns bool
language sql stable parallel safe
return pg_catalog.has_table_privilege('inbox.chats'::pg_catalog.regclass, 'insert') or '*' = any (analytics.readable_orgs());
comment on function analytics.reads_every_org is 'Whether the current role may read all orgs: reader_orgs says so, or it may write the archive.';

create function analytics.may_read(org_id text) returns bool
language sql stable parallel safe
return analytics.reads_every_org() or may_read.org_id = any (analytics.readable_orgs());
comment on function analytics.may_read is 'Whether the current role may read the rows of an org. For views over what readers have no right to; tables have policies.';

-- +goose Down
drop schema analytics cascade;
