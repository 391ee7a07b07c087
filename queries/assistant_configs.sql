-- name: UpsertAssistantConfigs :exec
-- The content never changes; only an earlier sighting moves the times.
insert into inbox.assistant_configs as t (
    org_id, assistant_config_id, config, model, timezone, instructions, enable_memories,
    enable_transfer_to_human_tool, enable_end_conversation_tool, enable_block_contact_tool, enable_ai_replies,
    enable_auto_resolve, enable_auto_follow_ups, enable_auto_csat, enable_private_chats, enable_update_contact_tool,
    first_seen_at, last_seen_at, version_at
)
select
    unnest(@org_ids::text[]), unnest(@assistant_config_ids::text[]), unnest(@configs::text[])::jsonb,
    unnest(@models::varchar[]), unnest(@timezones::varchar[]), unnest(@instructions_list::varchar[]),
    unnest(@enable_memories_list::boolean[]), unnest(@enable_transfer_to_human_tools::boolean[]),
    unnest(@enable_end_conversation_tools::boolean[]), unnest(@enable_block_contact_tools::boolean[]),
    unnest(@enable_ai_replies_list::boolean[]), unnest(@enable_auto_resolves::boolean[]),
    unnest(@enable_auto_follow_ups_list::boolean[]), unnest(@enable_auto_csats::boolean[]),
    unnest(@enable_private_chats_list::boolean[]), unnest(@enable_update_contact_tools::boolean[]),
    unnest(@first_seen_ats::timestamptz[]), unnest(@last_seen_ats::timestamptz[]),
    unnest(@version_ats::timestamp with time zone[])
on conflict (org_id, assistant_config_id) do update set
    first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at, version_at = excluded.version_at
where t.first_seen_at > excluded.first_seen_at;
