-- name: GetCheckpoints :many
-- How far each spool has been written.
select stream_id, committed_seq from ops.streams;

-- name: AddLeases :execrows
-- Gives orgs that nobody has listened to a lease row, free to be taken, for their writers to take turns on.
insert into ops.leases (org_id, instance, stream_id, term, acquired_at, renewed_at, expires_at)
select o.org_id, @instance, @stream_id, 0, clock_timestamp(), clock_timestamp(), clock_timestamp()
from unnest(@org_ids::text[]) as o (org_id)
on conflict (org_id) do nothing;

-- name: ForgetWriter :exec
-- Makes whoever writes the org's events next read its rows anew.
update ops.leases set writer_stream_id = null where org_id = @org_id;

-- name: GetStoredEvents :many
-- Which of the named events are in the log. Arrays of one length, one element an event.
select e.org_id, e.received_at, e.stream_id, e.seq
from rows from (
    unnest(@org_ids::text[]), unnest(@received_ats::timestamptz[]), unnest(@stream_ids::uuid[]), unnest(@seqs::int8[])
) as k (org_id, received_at, stream_id, seq)
join raw.events as e
    on e.org_id = k.org_id and e.received_at = k.received_at and e.stream_id = k.stream_id and e.seq = k.seq;

-- name: GetOrgsOfEvents :many
-- Every org that has events, by as many looks into the index as there are orgs.
with recursive found as (
    (select e.org_id from raw.events as e order by e.org_id limit 1)
    union all
    select (select e.org_id from raw.events as e where e.org_id > f.org_id order by e.org_id limit 1)
    from found as f
    where f.org_id is not null
)
select f.org_id::text from found as f where f.org_id is not null;

-- name: GetOrgs :many
-- Every org that has rows.
select org_id from inbox.orgs order by org_id;
