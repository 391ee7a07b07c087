-- name: UpsertSessions :exec
-- The content never changes; only an earlier sighting moves the times.
insert into inbox.sessions as t (
    org_id, session_id, first_seen_at, last_seen_at, version_at
)
select
    unnest(@org_ids::text[]), unnest(@session_ids::text[]), unnest(@first_seen_ats::timestamptz[]),
    unnest(@last_seen_ats::timestamptz[]), unnest(@version_ats::timestamp with time zone[])
on conflict (org_id, session_id) do update set
    first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at, version_at = excluded.version_at
where t.first_seen_at > excluded.first_seen_at;
