-- name: UpsertToolsets :exec
-- The content never changes; only an earlier sighting moves the times. tool_names is a JSON array of strings, since
-- unnest would flatten an array of arrays.
insert into inbox.toolsets as t (
    org_id, toolset_id, tools, tool_names, first_seen_at, last_seen_at, version_at
)
select
    r.org_id, r.toolset_id, r.tools::jsonb,
    array(select jsonb_array_elements_text(r.tool_names::jsonb)), r.first_seen_at, r.last_seen_at, r.version_at
from rows from (
    unnest(@org_ids::text[]), unnest(@toolset_ids::text[]), unnest(@tools_list::text[]),
    unnest(@tool_names_list::text[]), unnest(@first_seen_ats::timestamptz[]), unnest(@last_seen_ats::timestamptz[]),
    unnest(@version_ats::timestamp with time zone[])
) as r (
    org_id, toolset_id, tools, tool_names, first_seen_at, last_seen_at, version_at
)
on conflict (org_id, toolset_id) do update set
    first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at, version_at = excluded.version_at
where t.first_seen_at > excluded.first_seen_at;
