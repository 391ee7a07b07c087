-- name: GetLatestConnections :many
-- The newest connection of each org, or of some orgs, and when the org was first listened to. What is asked of all of an
-- org's connections is asked outside of the DISTINCT ON, which would ask it once for each connection.
select
    latest.*,
    (select min(f.opened_at) from ops.connections as f where f.org_id = latest.org_id)::timestamp with time zone as first_opened_at,
    (select max(f.last_heard_at) from ops.connections as f where f.org_id = latest.org_id)::timestamp with time zone as heard_at
from (
    select distinct on (c.org_id)
        c.org_id, c.instance, c.started_at, c.opened_at, c.last_frame_at, c.last_heard_at, c.closed_at, c.close_code,
        c.close_reason
    from ops.connections as c
    where cardinality(@org_ids::text[]) = 0 or c.org_id = any(@org_ids::text[])
    order by c.org_id, c.started_at desc
) as latest
order by latest.org_id;

-- name: GetGapsSince :many
-- Gaps that had not ended by then, the oldest first, and those that are not repaired, however old.
select g.* from ops.gaps as g
where (cardinality(@org_ids::text[]) = 0 or g.org_id = any(@org_ids::text[]))
    and (g.ended_at is null or g.ended_at > @since::timestamptz or g.status <> 'repaired')
order by g.org_id, g.began_at;

-- name: CountEventsByDay :many
-- Events of each UTC day, by org, and how many had flaws.
select e.org_id, date_trunc('day', e.received_at at time zone 'UTC')::date::text as day,
    count(*) as events, count(e.flaws) as flawed, max(e.received_at)::timestamptz as last_received_at
from raw.events as e
where e.received_at >= @since and (cardinality(@org_ids::text[]) = 0 or e.org_id = any(@org_ids::text[]))
group by 1, 2
order by 1, 2;
