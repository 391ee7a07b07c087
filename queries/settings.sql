-- name: GetOrgSettings :one
-- All settings of an org, as the document that archiver settings shows: in one statement, so that no half of a change is
-- read. An org without rows has the defaults.
select jsonb_build_object(
    'org_id', @org_id::text,
    'time_zone', coalesce((select s.time_zone from analytics.settings as s where s.org_id = @org_id), 'UTC'),
    'thanks_window_seconds', coalesce((select s.thanks_window_seconds from analytics.settings as s where s.org_id = @org_id), 0),
    'business_hours', coalesce((
        select jsonb_agg(jsonb_build_object(
            'schedule', h.schedule, 'valid_from', h.valid_from, 'valid_to', h.valid_to, 'weekday', h.weekday,
            'opens', h.opens::text, 'closes', h.closes::text
        ) order by h.schedule, h.valid_from, h.weekday, h.opens)
        from analytics.business_hours as h where h.org_id = @org_id
    ), '[]'),
    'holidays', coalesce((
        select jsonb_agg(jsonb_build_object('day', d.day, 'name', d.name) order by d.day)
        from analytics.holidays as d where d.org_id = @org_id
    ), '[]'),
    'model_prices', coalesce((
        select jsonb_agg(jsonb_build_object(
            'model', p.model, 'valid_from', p.valid_from, 'currency', p.currency,
            'input_per_million', p.input_per_million, 'output_per_million', p.output_per_million,
            'cache_read_per_million', p.cache_read_per_million, 'cache_write_per_million', p.cache_write_per_million
        ) order by p.model, p.valid_from)
        from analytics.model_prices as p where p.org_id = @org_id
    ), '[]')
)::jsonb as document;

-- name: GetOrgsWithSettings :many
select s.org_id from analytics.settings as s
union select h.org_id from analytics.business_hours as h
union select d.org_id from analytics.holidays as d
union select p.org_id from analytics.model_prices as p
order by 1;

-- name: LockOrgSettings :exec
-- One change at a time: each takes away all rows of its org and puts others there.
lock table analytics.settings in share row exclusive mode;

-- name: DeleteOrgSettings :exec
delete from analytics.settings where org_id = @org_id;

-- name: DeleteBusinessHours :exec
delete from analytics.business_hours where org_id = @org_id;

-- name: DeleteHolidays :exec
delete from analytics.holidays where org_id = @org_id;

-- name: DeleteModelPrices :exec
delete from analytics.model_prices where org_id = @org_id;

-- name: InsertOrgSettings :exec
insert into analytics.settings (org_id, time_zone, thanks_window_seconds)
values (@org_id, @time_zone, @thanks_window_seconds);

-- name: InsertBusinessHours :exec
-- Arrays of one length, one element a row. Days and times are texts that were made from such; an empty last day is none.
insert into analytics.business_hours (org_id, schedule, valid_from, valid_to, weekday, opens, closes)
select @org_id::text, r.schedule, r.valid_from::date, nullif(r.valid_to, '')::date, r.weekday, r.opens::time, r.closes::time
from rows from (
    unnest(@schedules::text[]), unnest(@valid_froms::text[]), unnest(@valid_tos::text[]), unnest(@weekdays::int2[]),
    unnest(@opens::text[]), unnest(@closes::text[])
) as r (schedule, valid_from, valid_to, weekday, opens, closes);

-- name: InsertHolidays :exec
-- Arrays of one length, one element a row.
insert into analytics.holidays (org_id, day, name)
select @org_id::text, r.day::date, r.name
from rows from (unnest(@days::text[]), unnest(@names::text[])) as r (day, name);

-- name: InsertModelPrices :exec
-- Arrays of one length, one element a row. Amounts are decimal numbers as text; an empty one is none.
insert into analytics.model_prices (
    org_id, model, valid_from, currency, input_per_million, output_per_million, cache_read_per_million, cache_write_per_million
)
select
    @org_id::text, r.model, r.valid_from::date, r.currency, r.input::numeric, r.output::numeric,
    nullif(r.cache_read, '')::numeric, nullif(r.cache_write, '')::numeric
from rows from (
    unnest(@models::text[]), unnest(@valid_froms::text[]), unnest(@currencies::text[]), unnest(@inputs::text[]),
    unnest(@outputs::text[]), unnest(@cache_reads::text[]), unnest(@cache_writes::text[])
) as r (model, valid_from, currency, input, output, cache_read, cache_write);
