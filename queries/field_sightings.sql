-- name: UpsertFieldSightings :exec
-- Arrays of one length, one element a row, no key twice; counts are added. sample_values are JSON arrays.
insert into ops.field_sightings as t (
    org_id, path, json_type, parent_path, is_mapped, first_seen_at, last_seen_at, sightings, nulls, parents, sample_values
)
select
    r.org_id, r.path, r.json_type, r.parent_path, r.is_mapped, r.first_seen_at, r.last_seen_at, r.sightings, 0, 0,
    case when r.sample_values is not null then array(select jsonb_array_elements_text(r.sample_values::jsonb)) end
from rows from (
    unnest(@org_ids::text[]), unnest(@paths::text[]), unnest(@json_types::text[]), unnest(@parent_paths::varchar[]),
    unnest(@is_mapped_list::bool[]), unnest(@first_seen_ats::timestamptz[]), unnest(@last_seen_ats::timestamptz[]),
    unnest(@sightings_list::int8[]), unnest(@sample_values_list::varchar[])
) as r (
    org_id, path, json_type, parent_path, is_mapped, first_seen_at, last_seen_at, sightings, sample_values
)
on conflict (org_id, path, json_type) do update set
    parent_path = excluded.parent_path, is_mapped = excluded.is_mapped,
    first_seen_at = least(t.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(t.last_seen_at, excluded.last_seen_at),
    sightings = t.sightings + excluded.sightings,
    sample_values = case
        when excluded.sample_values is null then t.sample_values
        else (coalesce(t.sample_values, '{}') || array(
            select v.value from unnest(excluded.sample_values) as v (value)
            where v.value <> all(coalesce(t.sample_values, '{}')) order by v.value
        ))[1:@max_values::int4]
    end;

-- name: SettleFieldSightings :exec
-- Brings nulls and parents of some orgs' rows up to the sightings they are counted by.
update ops.field_sightings as t set parents = s.parents, nulls = s.nulls
from (
    select f.org_id, f.path, f.json_type, coalesce(p.sightings, 0) as parents, coalesce(n.sightings, 0) as nulls
    from ops.field_sightings as f
    left join ops.field_sightings as p on p.org_id = f.org_id and p.path = f.parent_path and p.json_type = 'object'
    left join ops.field_sightings as n on n.org_id = f.org_id and n.path = f.path and n.json_type = 'null'
    where f.org_id = any(@org_ids::text[])
) as s
where t.org_id = s.org_id and t.path = s.path and t.json_type = s.json_type
    and (t.parents, t.nulls) is distinct from (s.parents, s.nulls);

-- name: GetFieldSightings :many
-- All of them, or those of some orgs.
select f.* from ops.field_sightings as f
where cardinality(@org_ids::text[]) = 0 or f.org_id = any(@org_ids::text[])
order by f.path, f.json_type, f.org_id;
