-- name: MarkDirtyChats :exec
-- Arrays of one length, one element a row, no key twice.
insert into ops.dirty_chats as t (org_id, chat_id, dirty_at)
select
    unnest(@org_ids::text[]), unnest(@chat_ids::text[]), @dirty_at::timestamptz
on conflict (org_id, chat_id) do update set dirty_at = excluded.dirty_at;
