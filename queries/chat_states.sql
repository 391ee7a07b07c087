-- name: GetChatStates :many
select t.*
from rows from (unnest(@org_ids::text[]), unnest(@chat_ids::text[])) as k (org_id, chat_id)
join inbox.chat_states as t on t.org_id = k.org_id and t.chat_id = k.chat_id;

-- name: UpsertChatStates :exec
-- Arrays of one length, one element a row, no key twice. An older description never overwrites a newer one.
insert into inbox.chat_states as t (
    org_id, chat_id, state_id, state, integration_id, assistant_id, assistant_integration_id, conversation_id,
    ai_enabled, admin_unseen_count, user_unseen_count, assigned_user_id, assigned_at, assistant_config_id,
    follow_up_at, muted_until, csat_score, last_contact_message_at, first_seen_at, last_seen_at, version_at
)
select
    unnest(@org_ids::text[]), unnest(@chat_ids::text[]), unnest(@state_ids::varchar[]), unnest(@states::varchar[]),
    unnest(@integration_ids::varchar[]), unnest(@assistant_ids::varchar[]),
    unnest(@assistant_integration_ids::varchar[]), unnest(@conversation_ids::varchar[]),
    unnest(@ai_enableds::boolean[]), unnest(@admin_unseen_counts::bigint[]), unnest(@user_unseen_counts::bigint[]),
    unnest(@assigned_user_ids::varchar[]), unnest(@assigned_ats::timestamp with time zone[]),
    unnest(@assistant_config_ids::varchar[]), unnest(@follow_up_ats::timestamp with time zone[]),
    unnest(@muted_untils::timestamp with time zone[]), unnest(@csat_scores::integer[]),
    unnest(@last_contact_message_ats::timestamp with time zone[]), unnest(@first_seen_ats::timestamptz[]),
    unnest(@last_seen_ats::timestamptz[]), unnest(@version_ats::timestamp with time zone[])
on conflict (org_id, chat_id) do update set
    state_id = excluded.state_id, state = excluded.state, integration_id = excluded.integration_id,
    assistant_id = excluded.assistant_id, assistant_integration_id = excluded.assistant_integration_id,
    conversation_id = excluded.conversation_id, ai_enabled = excluded.ai_enabled,
    admin_unseen_count = excluded.admin_unseen_count, user_unseen_count = excluded.user_unseen_count,
    assigned_user_id = excluded.assigned_user_id, assigned_at = excluded.assigned_at,
    assistant_config_id = excluded.assistant_config_id, follow_up_at = excluded.follow_up_at,
    muted_until = excluded.muted_until, csat_score = excluded.csat_score,
    last_contact_message_at = excluded.last_contact_message_at, first_seen_at = excluded.first_seen_at,
    last_seen_at = excluded.last_seen_at, version_at = excluded.version_at
where (t.version_at is null or t.version_at <= excluded.version_at)
    and (
        t.state_id, t.state, t.integration_id, t.assistant_id, t.assistant_integration_id, t.conversation_id,
        t.ai_enabled, t.admin_unseen_count, t.user_unseen_count, t.assigned_user_id, t.assigned_at,
        t.assistant_config_id, t.follow_up_at, t.muted_until, t.csat_score, t.last_contact_message_at,
        t.first_seen_at, t.last_seen_at, t.version_at
    ) is distinct from (
        excluded.state_id, excluded.state, excluded.integration_id, excluded.assistant_id,
        excluded.assistant_integration_id, excluded.conversation_id, excluded.ai_enabled, excluded.admin_unseen_count,
        excluded.user_unseen_count, excluded.assigned_user_id, excluded.assigned_at, excluded.assistant_config_id,
        excluded.follow_up_at, excluded.muted_until, excluded.csat_score, excluded.last_contact_message_at,
        excluded.first_seen_at, excluded.last_seen_at, excluded.version_at
    );

-- name: ReopenChatStates :exec
-- Lifts the version guard of chats that are derived again: what they are now known to be may go by an older version.
update inbox.chat_states as t set version_at = null
from rows from (unnest(@org_ids::text[]), unnest(@chat_ids::text[])) as k (org_id, chat_id)
where t.org_id = k.org_id and t.chat_id = k.chat_id;
