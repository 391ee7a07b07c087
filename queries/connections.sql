-- name: UpsertConnections :exec
-- Arrays of one length, one element a row, no key twice.
insert into ops.connections as t (
    connection_id, org_id, instance, started_at, opened_at, last_frame_at, last_heard_at, closed_at, close_code,
    close_reason, frames, bytes, largest_frame_bytes
)
select
    r.connection_id, r.org_id, r.instance, r.started_at, r.opened_at, r.last_frame_at, r.last_heard_at, r.closed_at,
    r.close_code, r.close_reason, r.frames, r.bytes, r.largest_frame_bytes
from rows from (
    unnest(@connection_ids::uuid[]), unnest(@org_ids::text[]), unnest(@instances::text[]),
    unnest(@started_ats::timestamptz[]), unnest(@opened_ats::timestamp with time zone[]),
    unnest(@last_frame_ats::timestamp with time zone[]), unnest(@last_heard_ats::timestamp with time zone[]),
    unnest(@closed_ats::timestamp with time zone[]),
    unnest(@close_codes::integer[]), unnest(@close_reasons::varchar[]), unnest(@frames_list::int8[]),
    unnest(@bytes_list::int8[]), unnest(@largest_frame_bytes_list::int8[])
) as r (
    connection_id, org_id, instance, started_at, opened_at, last_frame_at, last_heard_at, closed_at, close_code,
    close_reason, frames, bytes, largest_frame_bytes
)
on conflict (org_id, connection_id) do update set
    opened_at = excluded.opened_at, last_frame_at = excluded.last_frame_at, last_heard_at = excluded.last_heard_at,
    closed_at = excluded.closed_at, close_code = excluded.close_code, close_reason = excluded.close_reason,
    frames = excluded.frames, bytes = excluded.bytes, largest_frame_bytes = excluded.largest_frame_bytes;
