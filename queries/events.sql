-- name: InsertEvent :exec
-- One event; more than a few go by COPY.
insert into raw.events (
    org_id, received_at, observed_at, stream_id, seq, connection_id, source, kind, request, type, identifier, chat_id,
    payload, raw, flaws, sha256
) values (
    @org_id, @received_at, @observed_at, @stream_id, @seq, @connection_id, @source, @kind, @request, @type, @identifier, @chat_id,
    @payload, @raw, @flaws, @sha256
);

-- name: InsertEventChats :exec
-- Which chats a response of several speaks of. Arrays of one length, one element a row.
insert into raw.event_chats (org_id, chat_id, received_at, stream_id, seq)
select
    unnest(@org_ids::text[]), unnest(@chat_ids::text[]), unnest(@received_ats::timestamptz[]),
    unnest(@stream_ids::uuid[]), unnest(@seqs::int8[])
on conflict do nothing;

-- name: GetChatEvents :many
-- The events that speak of one chat alone, a page in the order they were received; the page begins after the named event.
select e.received_at, e.observed_at, e.stream_id, e.seq, e.kind, e.request, e.payload
from raw.events as e
where e.org_id = @org_id and e.chat_id = @chat_id::text
    and (e.received_at, e.stream_id, e.seq) > (@after_received_at::timestamptz, @after_stream_id::uuid, @after_seq::int8)
order by e.received_at, e.stream_id, e.seq
limit @page_size;

-- name: GetChatPages :many
-- The responses that speak of several chats, this one among them; paged like GetChatEvents.
select e.received_at, e.observed_at, e.stream_id, e.seq, e.kind, e.request, e.payload
from raw.event_chats as c
join raw.events as e
    on e.org_id = c.org_id and e.received_at = c.received_at and e.stream_id = c.stream_id and e.seq = c.seq
where c.org_id = @org_id and c.chat_id = @chat_id
    and (c.received_at, c.stream_id, c.seq) > (@after_received_at::timestamptz, @after_stream_id::uuid, @after_seq::int8)
order by c.received_at, c.stream_id, c.seq
limit @page_size;
