-- name: GetChats :many
select t.*
from rows from (unnest(@org_ids::text[]), unnest(@chat_ids::text[])) as k (org_id, chat_id)
join inbox.chats as t on t.org_id = k.org_id and t.chat_id = k.chat_id;

-- name: UpsertChats :exec
-- Arrays of one length, one element a row, no key twice. An older description never overwrites a newer one.
insert into inbox.chats as t (
    org_id, chat_id, title, model, status, visibility, temporary, pinned, shared_url, link, created_at, updated_at,
    toolset_id, features, last_message_id, deleted_at, is_stub, first_seen_at, last_seen_at, version_at, observed_at,
    observed_seq, state_version_at, members_listed_at, messages_complete_from, messages_complete_through, listed_at
)
select
    unnest(@org_ids::text[]), unnest(@chat_ids::text[]), unnest(@titles::varchar[]), unnest(@models::varchar[]),
    unnest(@status_list::varchar[]), unnest(@visibilitys::varchar[]), unnest(@temporarys::boolean[]),
    unnest(@pinneds::boolean[]), unnest(@shared_urls::varchar[]), unnest(@links::varchar[]),
    unnest(@created_ats::timestamp with time zone[]), unnest(@updated_ats::timestamp with time zone[]),
    unnest(@toolset_ids::varchar[]), unnest(@features_list::varchar[])::jsonb, unnest(@last_message_ids::varchar[]),
    unnest(@deleted_ats::timestamp with time zone[]), unnest(@is_stubs::bool[]),
    unnest(@first_seen_ats::timestamptz[]), unnest(@last_seen_ats::timestamptz[]),
    unnest(@version_ats::timestamp with time zone[]), unnest(@observed_ats::timestamptz[]),
    unnest(@observed_seqs::int8[]), unnest(@state_version_ats::timestamp with time zone[]),
    unnest(@members_listed_ats::timestamp with time zone[]),
    unnest(@messages_complete_froms::timestamp with time zone[]),
    unnest(@messages_complete_throughs::timestamp with time zone[]), unnest(@listed_ats::timestamp with time zone[])
on conflict (org_id, chat_id) do update set
    title = excluded.title, model = excluded.model, status = excluded.status, visibility = excluded.visibility,
    temporary = excluded.temporary, pinned = excluded.pinned, shared_url = excluded.shared_url, link = excluded.link,
    created_at = excluded.created_at, updated_at = excluded.updated_at, toolset_id = excluded.toolset_id,
    features = excluded.features, last_message_id = excluded.last_message_id, deleted_at = excluded.deleted_at,
    is_stub = excluded.is_stub, first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at,
    version_at = excluded.version_at, observed_at = excluded.observed_at, observed_seq = excluded.observed_seq,
    state_version_at = excluded.state_version_at, members_listed_at = excluded.members_listed_at,
    messages_complete_from = excluded.messages_complete_from,
    messages_complete_through = excluded.messages_complete_through, listed_at = excluded.listed_at
where (t.observed_at, t.observed_seq) <= (excluded.observed_at, excluded.observed_seq)
    and (
        t.title, t.model, t.status, t.visibility, t.temporary, t.pinned, t.shared_url, t.link, t.created_at,
        t.updated_at, t.toolset_id, t.features, t.last_message_id, t.deleted_at, t.is_stub, t.first_seen_at,
        t.last_seen_at, t.version_at, t.observed_at, t.observed_seq, t.state_version_at, t.members_listed_at,
        t.messages_complete_from, t.messages_complete_through, t.listed_at
    ) is distinct from (
        excluded.title, excluded.model, excluded.status, excluded.visibility, excluded.temporary, excluded.pinned,
        excluded.shared_url, excluded.link, excluded.created_at, excluded.updated_at, excluded.toolset_id,
        excluded.features, excluded.last_message_id, excluded.deleted_at, excluded.is_stub, excluded.first_seen_at,
        excluded.last_seen_at, excluded.version_at, excluded.observed_at, excluded.observed_seq,
        excluded.state_version_at, excluded.members_listed_at, excluded.messages_complete_from,
        excluded.messages_complete_through, excluded.listed_at
    );
