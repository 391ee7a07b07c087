-- name: UpsertConnections :exec
-- Arrays of one length, one element a row, no key twice.
insert into ops.connections as t (
    connection_id, org_id, instance, started_at, opened_at, last_frame_at, last_heard_at, closed_at, close_code,
    close_reason, frames, bytes, largest_frame_bytes
)
select
    unnest(@connection_ids::uuid[]), unnest(@org_ids::text[]), unnest(@instances::text[]),
    unnest(@started_ats::timestamptz[]), unnest(@opened_ats::timestamp with time zone[]),
    unnest(@last_frame_ats::timestamp with time zone[]), unnest(@last_heard_ats::timestamp with time zone[]),
    unnest(@closed_ats::timestamp with time zone[]), unnest(@close_codes::integer[]),
    unnest(@close_reasons::varchar[]), unnest(@frames_list::int8[]), unnest(@bytes_list::int8[]),
    unnest(@largest_frame_bytes_list::int8[])
on conflict (org_id, connection_id) do update set
    opened_at = excluded.opened_at, last_frame_at = excluded.last_frame_at, last_heard_at = excluded.last_heard_at,
    closed_at = excluded.closed_at, close_code = excluded.close_code, close_reason = excluded.close_reason,
    frames = excluded.frames, bytes = excluded.bytes, largest_frame_bytes = excluded.largest_frame_bytes;
