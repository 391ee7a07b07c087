-- name: GetMembers :many
select t.*
from rows from (unnest(@org_ids::text[]), unnest(@chat_ids::text[])) as k (org_id, chat_id)
join inbox.members as t on t.org_id = k.org_id and t.chat_id = k.chat_id;

-- name: UpsertMembers :exec
-- Arrays of one length, one element a row, no key twice. An older description never overwrites a newer one.
insert into inbox.members as t (
    org_id, chat_id, member_id, role, user_id, session_id, contact_channel_id, left_at, first_seen_at, last_seen_at,
    version_at
)
select
    unnest(@org_ids::text[]), unnest(@chat_ids::text[]), unnest(@member_ids::text[]), unnest(@roles::varchar[]),
    unnest(@user_ids::varchar[]), unnest(@session_ids::varchar[]), unnest(@contact_channel_ids::varchar[]),
    unnest(@left_ats::timestamp with time zone[]), unnest(@first_seen_ats::timestamptz[]),
    unnest(@last_seen_ats::timestamptz[]), unnest(@version_ats::timestamp with time zone[])
on conflict (org_id, chat_id, member_id) do update set
    role = excluded.role, user_id = excluded.user_id, session_id = excluded.session_id,
    contact_channel_id = excluded.contact_channel_id, left_at = excluded.left_at,
    first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at, version_at = excluded.version_at
where (t.version_at is null or t.version_at <= excluded.version_at)
    and (
        t.role, t.user_id, t.session_id, t.contact_channel_id, t.left_at, t.first_seen_at, t.last_seen_at,
        t.version_at
    ) is distinct from (
        excluded.role, excluded.user_id, excluded.session_id, excluded.contact_channel_id, excluded.left_at,
        excluded.first_seen_at, excluded.last_seen_at, excluded.version_at
    );

-- name: ReopenMembers :exec
-- Lifts the version guard of chats that are derived again: what they are now known to be may go by an older version.
update inbox.members as t set version_at = null
from rows from (unnest(@org_ids::text[]), unnest(@chat_ids::text[])) as k (org_id, chat_id)
where t.org_id = k.org_id and t.chat_id = k.chat_id;
