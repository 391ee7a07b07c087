-- name: GetContacts :many
select t.*
from rows from (unnest(@org_ids::text[]), unnest(@contact_ids::text[])) as k (org_id, contact_id)
join inbox.contacts as t on t.org_id = k.org_id and t.contact_id = k.contact_id;

-- name: UpsertContacts :exec
-- Arrays of one length, one element a row, no key twice. An older description never overwrites a newer one.
insert into inbox.contacts as t (
    org_id, contact_id, name, blocked, is_admin, is_stub, first_seen_at, last_seen_at, version_at, version_seq,
    field_versions
)
select
    unnest(@org_ids::text[]), unnest(@contact_ids::text[]), unnest(@names::varchar[]), unnest(@blockeds::boolean[]),
    unnest(@is_admins::boolean[]), unnest(@is_stubs::bool[]), unnest(@first_seen_ats::timestamptz[]),
    unnest(@last_seen_ats::timestamptz[]), unnest(@version_ats::timestamp with time zone[]),
    unnest(@version_seqs::int8[]), unnest(@field_versions_list::varchar[])::jsonb
on conflict (org_id, contact_id) do update set
    name = excluded.name, blocked = excluded.blocked, is_admin = excluded.is_admin, is_stub = excluded.is_stub,
    first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at, version_at = excluded.version_at,
    version_seq = excluded.version_seq, field_versions = excluded.field_versions
where (t.version_at, t.version_seq) <= (excluded.version_at, excluded.version_seq)
    and (
        t.name, t.blocked, t.is_admin, t.is_stub, t.first_seen_at, t.last_seen_at, t.version_at, t.version_seq,
        t.field_versions
    ) is distinct from (
        excluded.name, excluded.blocked, excluded.is_admin, excluded.is_stub, excluded.first_seen_at,
        excluded.last_seen_at, excluded.version_at, excluded.version_seq, excluded.field_versions
    );
