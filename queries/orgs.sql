-- name: UpsertOrgs :exec
-- Names orgs so that rows can refer to them; what is known of one is left alone.
insert into inbox.orgs as t (
    org_id, is_stub, first_seen_at, last_seen_at, version_at
)
select
    r.org_id, r.is_stub, r.first_seen_at, r.last_seen_at, r.version_at
from rows from (
    unnest(@org_ids::text[]), unnest(@is_stubs::bool[]), unnest(@first_seen_ats::timestamptz[]),
    unnest(@last_seen_ats::timestamptz[]), unnest(@version_ats::timestamp with time zone[])
) as r (
    org_id, is_stub, first_seen_at, last_seen_at, version_at
)
on conflict (org_id) do update set
    first_seen_at = excluded.first_seen_at
where t.first_seen_at > excluded.first_seen_at;
