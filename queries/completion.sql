-- name: GetIncompleteChats :many
-- Chats that have gone quiet and whose messages are not known to be all here, the most recent first.
select c.chat_id, c.messages_complete_from, c.messages_complete_through
from ops.incomplete_chats as c
where c.org_id = @org_id and c.observed_at < @quiet_since and c.chat_id <> all(@except_chat_ids::text[])
order by c.updated_at desc nulls last
limit @chats;

-- name: GetChatsToFill :many
-- Of some chats, those whose messages since then are not known to be all here.
select c.chat_id, c.created_at
from inbox.chats as c
where c.org_id = @org_id and c.chat_id = any(@chat_ids::text[]) and c.deleted_at is null
    and (
        c.messages_complete_through is null or c.messages_complete_from > @since::timestamptz
        or coalesce(c.updated_at, c.observed_at) > c.messages_complete_through - interval '5 minutes'
    )
order by c.updated_at desc nulls last;

-- name: GetNewerChats :many
-- Of some chats, those that are stored in an older version than the one given, or not at all.
select r.chat_id
from rows from (unnest(@chat_ids::text[]), unnest(@updated_ats::timestamptz[])) as r (chat_id, updated_at)
left join inbox.chats as c on c.org_id = @org_id and c.chat_id = r.chat_id
where c.updated_at is null or c.updated_at < r.updated_at;

-- name: CountIncompleteChats :many
select c.org_id, count(*) as chats
from ops.incomplete_chats as c
where cardinality(@org_ids::text[]) = 0 or c.org_id = any(@org_ids::text[])
group by 1;

-- name: CountCompletedChats :many
-- How many chats' message lists were read to their end since then.
select e.org_id, count(distinct e.chat_id) as chats
from raw.events as e
where e.received_at >= @since and e.kind = 'messages_page' and e.request ? 'completes'
    and (cardinality(@org_ids::text[]) = 0 or e.org_id = any(@org_ids::text[]))
group by 1;
