-- name: GetUsers :many
select t.*
from rows from (unnest(@org_ids::text[]), unnest(@user_ids::text[])) as k (org_id, user_id)
join inbox.users as t on t.org_id = k.org_id and t.user_id = k.user_id;

-- name: UpsertUsers :exec
-- Arrays of one length, one element a row, no key twice. An older description never overwrites a newer one.
insert into inbox.users as t (
    org_id, user_id, name, email, avatar, seen_at, is_stub, first_seen_at, last_seen_at, version_at, version_seq,
    field_versions
)
select
    unnest(@org_ids::text[]), unnest(@user_ids::text[]), unnest(@names::varchar[]), unnest(@emails::varchar[]),
    unnest(@avatars::varchar[]), unnest(@seen_ats::timestamp with time zone[]), unnest(@is_stubs::bool[]),
    unnest(@first_seen_ats::timestamptz[]), unnest(@last_seen_ats::timestamptz[]),
    unnest(@version_ats::timestamp with time zone[]), unnest(@version_seqs::int8[]),
    unnest(@field_versions_list::varchar[])::jsonb
on conflict (org_id, user_id) do update set
    name = excluded.name, email = excluded.email, avatar = excluded.avatar, seen_at = excluded.seen_at,
    is_stub = excluded.is_stub, first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at,
    version_at = excluded.version_at, version_seq = excluded.version_seq, field_versions = excluded.field_versions
where (t.version_at, t.version_seq) <= (excluded.version_at, excluded.version_seq)
    and (
        t.name, t.email, t.avatar, t.seen_at, t.is_stub, t.first_seen_at, t.last_seen_at, t.version_at, t.version_seq,
        t.field_versions
    ) is distinct from (
        excluded.name, excluded.email, excluded.avatar, excluded.seen_at, excluded.is_stub, excluded.first_seen_at,
        excluded.last_seen_at, excluded.version_at, excluded.version_seq, excluded.field_versions
    );
