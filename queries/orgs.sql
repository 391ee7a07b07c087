-- name: UpsertOrgs :exec
-- Names orgs so that rows can refer to them, and takes in what a list of sub-orgs says of them. An org is listed in the
-- events of its parent, which another lane may write than its own events: so it is decided here, by the rows clocks,
-- what is newer, and not by what a lane remembers. Arrays of one length, one element a row, an org only once.
insert into inbox.orgs as t (
    org_id, parent_org_id, name, is_stub, first_seen_at, last_seen_at, version_at,
    name_version_at, name_version_seq, parent_version_at, parent_version_seq, chats_listed_at
)
select
    unnest(@org_ids::text[]), unnest(@parent_org_ids::varchar[]), unnest(@names::varchar[]),
    unnest(@is_stubs::bool[]), unnest(@first_seen_ats::timestamptz[]), unnest(@last_seen_ats::timestamptz[]),
    unnest(@version_ats::timestamp with time zone[]), unnest(@name_version_ats::timestamp with time zone[]),
    unnest(@name_version_seqs::bigint[]), unnest(@parent_version_ats::timestamp with time zone[]),
    unnest(@parent_version_seqs::bigint[]), unnest(@chats_listed_ats::timestamp with time zone[])
on conflict (org_id) do update set
    name = case when (excluded.name_version_at, excluded.name_version_seq)
        >= (coalesce(t.name_version_at, '-infinity'), coalesce(t.name_version_seq, 0)) then excluded.name else t.name end,
    parent_org_id = case when (excluded.parent_version_at, excluded.parent_version_seq)
        >= (coalesce(t.parent_version_at, '-infinity'), coalesce(t.parent_version_seq, 0))
        then excluded.parent_org_id else t.parent_org_id end,
    is_stub = t.is_stub and excluded.is_stub,
    first_seen_at = least(t.first_seen_at, excluded.first_seen_at),
    -- A stub's times are when it was first seen; what describes it changes it, and then whatever differs.
    last_seen_at = case
        when t.is_stub and excluded.is_stub then least(t.last_seen_at, excluded.last_seen_at)
        when t.is_stub then excluded.last_seen_at
        when (excluded.name_version_at, excluded.name_version_seq) >= (coalesce(t.name_version_at, '-infinity'), coalesce(t.name_version_seq, 0))
            and excluded.name is distinct from (t.name)
            or (excluded.parent_version_at, excluded.parent_version_seq)
            >= (coalesce(t.parent_version_at, '-infinity'), coalesce(t.parent_version_seq, 0))
            and excluded.parent_org_id is distinct from (t.parent_org_id)
        then greatest(t.last_seen_at, excluded.last_seen_at)
        else t.last_seen_at end,
    version_at = case
        when t.is_stub and excluded.is_stub then least(t.version_at, excluded.version_at)
        when t.is_stub then excluded.version_at
        when excluded.is_stub then t.version_at
        else greatest(t.version_at, excluded.version_at) end,
    name_version_at = greatest(t.name_version_at, excluded.name_version_at),
    name_version_seq = case when (excluded.name_version_at, excluded.name_version_seq)
        >= (coalesce(t.name_version_at, '-infinity'), coalesce(t.name_version_seq, 0))
        then excluded.name_version_seq else t.name_version_seq end,
    parent_version_at = greatest(t.parent_version_at, excluded.parent_version_at),
    parent_version_seq = case when (excluded.parent_version_at, excluded.parent_version_seq)
        >= (coalesce(t.parent_version_at, '-infinity'), coalesce(t.parent_version_seq, 0))
        then excluded.parent_version_seq else t.parent_version_seq end,
    chats_listed_at = greatest(t.chats_listed_at, excluded.chats_listed_at)
where t.first_seen_at > excluded.first_seen_at
    or excluded.chats_listed_at > coalesce(t.chats_listed_at, '-infinity')
    or (excluded.name_version_at, excluded.name_version_seq)
    > (coalesce(t.name_version_at, '-infinity'), coalesce(t.name_version_seq, 0))
    or (excluded.parent_version_at, excluded.parent_version_seq)
    > (coalesce(t.parent_version_at, '-infinity'), coalesce(t.parent_version_seq, 0));

-- name: GetOrgsPagesOf :many
-- Every stored page of a list of sub-orgs that names the org, whoever asked for it.
select e.org_id, e.received_at, e.observed_at, e.stream_id, e.seq, e.kind, e.request, e.payload
from raw.events as e
where e.kind = 'orgs_page' and e.payload @> jsonb_build_array(jsonb_build_object('id', @org_id::text))
order by e.observed_at, e.seq;
