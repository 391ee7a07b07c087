-- name: GetMessages :many
select t.*
from rows from (unnest(@org_ids::text[]), unnest(@chat_ids::text[]), unnest(@message_ids::text[])) as k (org_id, chat_id, message_id)
join inbox.messages as t on t.org_id = k.org_id and t.chat_id = k.chat_id and t.message_id = k.message_id;

-- name: GetMessageIDs :many
-- Which messages chats have, of each of them at_most.
select k.org_id::text as org_id, k.chat_id::text as chat_id, m.message_id
from rows from (unnest(@org_ids::text[]), unnest(@chat_ids::text[])) as k (org_id, chat_id)
cross join lateral (
    select t.message_id from inbox.messages as t where t.org_id = k.org_id and t.chat_id = k.chat_id limit @at_most
) as m;

-- name: UpsertMessages :exec
-- Arrays of one length, one element a row, no key twice. An older description never overwrites a newer one.
insert into inbox.messages as t (
    org_id, chat_id, message_id, role, sender, member_id, user_id, contact_channel_id, session_id, model, status,
    text, content, toolset_id, features, error, broadcast_id, is_broadcast_message, created_at, updated_at,
    input_tokens, output_tokens, total_tokens, reasoning_tokens, input_tokens_cache_read, input_tokens_cache_write,
    usage_turns, deleted_at, has_ended, first_seen_at, last_seen_at, version_at
)
select
    unnest(@org_ids::text[]), unnest(@chat_ids::text[]), unnest(@message_ids::text[]), unnest(@roles::varchar[]),
    unnest(@senders::text[]), unnest(@member_ids::varchar[]), unnest(@user_ids::varchar[]),
    unnest(@contact_channel_ids::varchar[]), unnest(@session_ids::varchar[]), unnest(@models::varchar[]),
    unnest(@status_list::varchar[]), unnest(@texts::varchar[]), unnest(@contents::varchar[])::jsonb,
    unnest(@toolset_ids::varchar[]), unnest(@features_list::varchar[])::jsonb, unnest(@errors::varchar[]),
    unnest(@broadcast_ids::varchar[]), unnest(@is_broadcast_messages::boolean[]),
    unnest(@created_ats::timestamp with time zone[]), unnest(@updated_ats::timestamp with time zone[]),
    unnest(@input_tokens_list::bigint[]), unnest(@output_tokens_list::bigint[]),
    unnest(@total_tokens_list::bigint[]), unnest(@reasoning_tokens_list::bigint[]),
    unnest(@input_tokens_cache_reads::bigint[]), unnest(@input_tokens_cache_writes::bigint[]),
    unnest(@usage_turns_list::varchar[])::jsonb, unnest(@deleted_ats::timestamp with time zone[]),
    unnest(@has_endeds::bool[]), unnest(@first_seen_ats::timestamptz[]), unnest(@last_seen_ats::timestamptz[]),
    unnest(@version_ats::timestamp with time zone[])
on conflict (org_id, chat_id, message_id) do update set
    role = excluded.role, sender = excluded.sender, member_id = excluded.member_id, user_id = excluded.user_id,
    contact_channel_id = excluded.contact_channel_id, session_id = excluded.session_id, model = excluded.model,
    status = excluded.status, text = excluded.text, content = excluded.content, toolset_id = excluded.toolset_id,
    features = excluded.features, error = excluded.error, broadcast_id = excluded.broadcast_id,
    is_broadcast_message = excluded.is_broadcast_message, created_at = excluded.created_at,
    updated_at = excluded.updated_at, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    total_tokens = excluded.total_tokens, reasoning_tokens = excluded.reasoning_tokens,
    input_tokens_cache_read = excluded.input_tokens_cache_read,
    input_tokens_cache_write = excluded.input_tokens_cache_write, usage_turns = excluded.usage_turns,
    deleted_at = excluded.deleted_at, has_ended = excluded.has_ended, first_seen_at = excluded.first_seen_at,
    last_seen_at = excluded.last_seen_at, version_at = excluded.version_at
where (t.version_at is null or t.version_at <= excluded.version_at)
    and (
        t.role, t.sender, t.member_id, t.user_id, t.contact_channel_id, t.session_id, t.model, t.status, t.text,
        t.content, t.toolset_id, t.features, t.error, t.broadcast_id, t.is_broadcast_message, t.created_at,
        t.updated_at, t.input_tokens, t.output_tokens, t.total_tokens, t.reasoning_tokens, t.input_tokens_cache_read,
        t.input_tokens_cache_write, t.usage_turns, t.deleted_at, t.has_ended, t.first_seen_at, t.last_seen_at,
        t.version_at
    ) is distinct from (
        excluded.role, excluded.sender, excluded.member_id, excluded.user_id, excluded.contact_channel_id,
        excluded.session_id, excluded.model, excluded.status, excluded.text, excluded.content, excluded.toolset_id,
        excluded.features, excluded.error, excluded.broadcast_id, excluded.is_broadcast_message, excluded.created_at,
        excluded.updated_at, excluded.input_tokens, excluded.output_tokens, excluded.total_tokens,
        excluded.reasoning_tokens, excluded.input_tokens_cache_read, excluded.input_tokens_cache_write,
        excluded.usage_turns, excluded.deleted_at, excluded.has_ended, excluded.first_seen_at, excluded.last_seen_at,
        excluded.version_at
    );

-- name: ReopenMessages :exec
-- Lifts the version guard of chats that are derived again: what they are now known to be may go by an older version.
update inbox.messages as t set version_at = null
from rows from (unnest(@org_ids::text[]), unnest(@chat_ids::text[])) as k (org_id, chat_id)
where t.org_id = k.org_id and t.chat_id = k.chat_id;
