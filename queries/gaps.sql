-- name: UpsertGaps :exec
-- Arrays of one length, one element a row, no key twice.
insert into ops.gaps as t (
    org_id, gap_id, began_at, ended_at, cause, status, repaired_at, chats_swept, messages_recovered
)
select
    unnest(@org_ids::text[]), unnest(@gap_ids::uuid[]), unnest(@began_ats::timestamptz[]),
    unnest(@ended_ats::timestamp with time zone[]), unnest(@causes::text[]), unnest(@status_list::text[]),
    unnest(@repaired_ats::timestamp with time zone[]), unnest(@chats_swept_list::int8[]),
    unnest(@messages_recovered_list::int8[])
on conflict (org_id, gap_id) do update set
    ended_at = excluded.ended_at, status = excluded.status, repaired_at = excluded.repaired_at,
    chats_swept = excluded.chats_swept, messages_recovered = excluded.messages_recovered;

-- name: GetOpenGaps :many
-- The gaps of an org that earlier processes left open, oldest first: one for each that stopped in good order or was overtaken.
select g.* from ops.gaps as g
where g.org_id = @org_id and g.ended_at is null and g.began_at <= @before
order by g.began_at;

-- name: EndGaps :exec
-- Ends the gaps of an org that a restored database holds for lasting: when they ended is not known, but before now.
update ops.gaps set ended_at = greatest(began_at, @ended_at::timestamptz), status = 'unrepaired'
where org_id = @org_id and ended_at is null;

-- name: GetLastHeard :many
-- When an org was last listened to before this process, by the connections' marks and by what was received over them; no
-- row when it never was. What came over a connection that Postgres does not know of says nothing: the process that held it
-- was killed while Postgres was away, and what that process knew of earlier gaps is lost with it. Where no connection is
-- known at all, whoever listened first was killed so soon: the gap then begins with the first that was received.
select heard.heard_at::timestamptz as heard_at
from (
    select max(coalesce(c.last_heard_at, c.last_frame_at)) as heard_at, 1 as choice
    from ops.connections as c
    where c.org_id = @org_id and c.started_at < @before
    union all
    (
        select e.received_at, 1
        from raw.events as e
        where e.org_id = @org_id and e.source = 'socket' and e.received_at < @before
            and exists (
                select from ops.connections as known
                where known.org_id = e.org_id and known.connection_id = e.connection_id
            )
        order by e.received_at desc
        limit 1
    )
    union all
    (
        select e.received_at, 2
        from raw.events as e
        where e.org_id = @org_id and e.source = 'socket' and e.received_at < @before
        order by e.received_at
        limit 1
    )
) as heard
where heard.heard_at is not null
order by heard.choice, heard.heard_at desc
limit 1;

-- name: GetUnrepairedGaps :many
-- The gaps of an org that are over and whose messages have not been fetched again.
select g.* from ops.gaps as g
where g.org_id = @org_id and g.ended_at is not null and g.status <> 'repaired'
order by g.began_at;

-- name: StartRepair :exec
update ops.gaps set status = 'repairing'
where org_id = @org_id and gap_id = any(@gap_ids::uuid[]);

-- name: EndRepair :exec
-- What one reading of the lists brought is counted once, with the oldest gap, on top of what earlier readings brought.
update ops.gaps as g set status = @status, repaired_at = @repaired_at,
    chats_swept = g.chats_swept + case when g.gap_id = @swept_gap_id::uuid then @chats_swept::int8 else 0 end,
    messages_recovered = g.messages_recovered + case when g.gap_id = @swept_gap_id::uuid then @messages_recovered::int8 else 0 end
where g.org_id = @org_id and g.gap_id = any(@gap_ids::uuid[]);

-- name: CountRecovered :one
-- Messages of the chats whose first sighting was a REST response received within the interval.
select count(*)
from inbox.messages as m
where m.org_id = @org_id and m.chat_id = any(@chat_ids::text[]) and exists (
    select from raw.events as e
    where e.org_id = m.org_id and e.source = 'rest' and e.received_at between @after_at and @until_at
        and e.observed_at = m.first_seen_at
);

-- name: AddGap :execrows
-- A gap that may be there already: it then stays as it is, repaired or not.
insert into ops.gaps (org_id, gap_id, began_at, ended_at, cause, status, chats_swept, messages_recovered)
values (@org_id, @gap_id, @began_at, sqlc.arg(ended_at)::timestamptz, @cause, @status, 0, 0)
on conflict (org_id, gap_id) do nothing;
