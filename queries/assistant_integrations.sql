-- name: GetAssistantIntegrations :many
select t.*
from rows from (unnest(@org_ids::text[]), unnest(@assistant_integration_ids::text[])) as k (org_id, assistant_integration_id)
join inbox.assistant_integrations as t on t.org_id = k.org_id and t.assistant_integration_id = k.assistant_integration_id;

-- name: UpsertAssistantIntegrations :exec
-- Arrays of one length, one element a row, no key twice. An older description never overwrites a newer one.
insert into inbox.assistant_integrations as t (
    org_id, assistant_integration_id, assistant_id, enabled, has_connection, is_stub, first_seen_at, last_seen_at,
    version_at, version_seq, field_versions
)
select
    unnest(@org_ids::text[]), unnest(@assistant_integration_ids::text[]), unnest(@assistant_ids::varchar[]),
    unnest(@enableds::boolean[]), unnest(@has_connections::boolean[]), unnest(@is_stubs::bool[]),
    unnest(@first_seen_ats::timestamptz[]), unnest(@last_seen_ats::timestamptz[]),
    unnest(@version_ats::timestamp with time zone[]), unnest(@version_seqs::int8[]),
    unnest(@field_versions_list::varchar[])::jsonb
on conflict (org_id, assistant_integration_id) do update set
    assistant_id = excluded.assistant_id, enabled = excluded.enabled, has_connection = excluded.has_connection,
    is_stub = excluded.is_stub, first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at,
    version_at = excluded.version_at, version_seq = excluded.version_seq, field_versions = excluded.field_versions
where (t.version_at, t.version_seq) <= (excluded.version_at, excluded.version_seq)
    and (
        t.assistant_id, t.enabled, t.has_connection, t.is_stub, t.first_seen_at, t.last_seen_at, t.version_at,
        t.version_seq, t.field_versions
    ) is distinct from (
        excluded.assistant_id, excluded.enabled, excluded.has_connection, excluded.is_stub, excluded.first_seen_at,
        excluded.last_seen_at, excluded.version_at, excluded.version_seq, excluded.field_versions
    );
