-- name: UpsertOrgs :exec
-- Names orgs so that rows can refer to them. What is known of one is left alone but for when it was first seen, which is
-- all there is to know of a stub.
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
    first_seen_at = excluded.first_seen_at,
    last_seen_at = case when t.is_stub then excluded.last_seen_at else t.last_seen_at end,
    version_at = case when t.is_stub then excluded.version_at else t.version_at end
where t.first_seen_at > excluded.first_seen_at;
