-- name: InsertChatStateChanges :exec
-- Arrays of one length, one element a row. A change that is there already is the same one.
insert into inbox.chat_state_changes (
    org_id, chat_id, changed_at, stream_id, seq, unchanged_until, state, integration_id, assistant_id,
    assistant_integration_id, ai_enabled, assigned_user_id, assigned_at, assistant_config_id, follow_up_at,
    muted_until, csat_score, unseen_rise, first_seen_at, last_seen_at, version_at
)
select
    unnest(@org_ids::text[]), unnest(@chat_ids::text[]), unnest(@changed_ats::timestamptz[]),
    unnest(@stream_ids::uuid[]), unnest(@seqs::int8[]), unnest(@unchanged_untils::timestamp with time zone[]),
    unnest(@states::varchar[]), unnest(@integration_ids::varchar[]), unnest(@assistant_ids::varchar[]),
    unnest(@assistant_integration_ids::varchar[]), unnest(@ai_enableds::boolean[]),
    unnest(@assigned_user_ids::varchar[]), unnest(@assigned_ats::timestamp with time zone[]),
    unnest(@assistant_config_ids::varchar[]), unnest(@follow_up_ats::timestamp with time zone[]),
    unnest(@muted_untils::timestamp with time zone[]), unnest(@csat_scores::integer[]),
    unnest(@unseen_rises::bigint[]), unnest(@first_seen_ats::timestamptz[]), unnest(@last_seen_ats::timestamptz[]),
    unnest(@version_ats::timestamp with time zone[])
on conflict do nothing;

-- name: DeleteChatStateChanges :exec
-- The history of chats that are derived again; it is inserted anew in the same transaction.
delete from inbox.chat_state_changes as t
using rows from (unnest(@org_ids::text[]), unnest(@chat_ids::text[])) as k (org_id, chat_id)
where t.org_id = k.org_id and t.chat_id = k.chat_id;
