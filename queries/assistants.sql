-- name: GetAssistants :many
select t.*
from rows from (unnest(@org_ids::text[]), unnest(@assistant_ids::text[])) as k (org_id, assistant_id)
join inbox.assistants as t on t.org_id = k.org_id and t.assistant_id = k.assistant_id;

-- name: UpsertAssistants :exec
-- Arrays of one length, one element a row, no key twice. An older description never overwrites a newer one.
insert into inbox.assistants as t (
    org_id, assistant_id, name, enabled, deleted, avatar_url, config, is_stub, first_seen_at, last_seen_at,
    version_at, version_seq, field_versions
)
select
    unnest(@org_ids::text[]), unnest(@assistant_ids::text[]), unnest(@names::varchar[]),
    unnest(@enableds::boolean[]), unnest(@deleteds::boolean[]), unnest(@avatar_urls::varchar[]),
    unnest(@configs::varchar[])::jsonb, unnest(@is_stubs::bool[]), unnest(@first_seen_ats::timestamptz[]),
    unnest(@last_seen_ats::timestamptz[]), unnest(@version_ats::timestamp with time zone[]),
    unnest(@version_seqs::int8[]), unnest(@field_versions_list::varchar[])::jsonb
on conflict (org_id, assistant_id) do update set
    name = excluded.name, enabled = excluded.enabled, deleted = excluded.deleted, avatar_url = excluded.avatar_url,
    config = excluded.config, is_stub = excluded.is_stub, first_seen_at = excluded.first_seen_at,
    last_seen_at = excluded.last_seen_at, version_at = excluded.version_at, version_seq = excluded.version_seq,
    field_versions = excluded.field_versions
where (t.version_at, t.version_seq) <= (excluded.version_at, excluded.version_seq)
    and (
        t.name, t.enabled, t.deleted, t.avatar_url, t.config, t.is_stub, t.first_seen_at, t.last_seen_at,
        t.version_at, t.version_seq, t.field_versions
    ) is distinct from (
        excluded.name, excluded.enabled, excluded.deleted, excluded.avatar_url, excluded.config, excluded.is_stub,
        excluded.first_seen_at, excluded.last_seen_at, excluded.version_at, excluded.version_seq,
        excluded.field_versions
    );
