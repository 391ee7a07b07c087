-- name: GetMessageFiles :many
select t.*
from rows from (
    unnest(@org_ids::text[]), unnest(@chat_ids::text[]), unnest(@message_ids::text[])
) as k (org_id, chat_id, message_id)
join inbox.message_files as t on t.org_id = k.org_id and t.chat_id = k.chat_id and t.message_id = k.message_id;

-- name: UpsertMessageFiles :exec
-- Arrays of one length, one element a row, no key twice. An older description never overwrites a newer one.
insert into inbox.message_files as t (
    org_id, chat_id, message_id, file_id, part_type, path, filename, size_bytes, mimetype, url, created_at,
    deleted_at, first_seen_at, last_seen_at, version_at
)
select
    unnest(@org_ids::text[]), unnest(@chat_ids::text[]), unnest(@message_ids::text[]), unnest(@file_ids::text[]),
    unnest(@part_types::varchar[]), unnest(@paths::varchar[]), unnest(@filenames::varchar[]),
    unnest(@size_bytes_list::bigint[]), unnest(@mimetypes::varchar[]), unnest(@urls::varchar[]),
    unnest(@created_ats::timestamp with time zone[]), unnest(@deleted_ats::timestamp with time zone[]),
    unnest(@first_seen_ats::timestamptz[]), unnest(@last_seen_ats::timestamptz[]),
    unnest(@version_ats::timestamp with time zone[])
on conflict (org_id, chat_id, message_id, file_id) do update set
    part_type = excluded.part_type, path = excluded.path, filename = excluded.filename,
    size_bytes = excluded.size_bytes, mimetype = excluded.mimetype, url = excluded.url,
    created_at = excluded.created_at, deleted_at = excluded.deleted_at, first_seen_at = excluded.first_seen_at,
    last_seen_at = excluded.last_seen_at, version_at = excluded.version_at
where (t.version_at is null or t.version_at <= excluded.version_at)
    and (
        t.part_type, t.path, t.filename, t.size_bytes, t.mimetype, t.url, t.created_at, t.deleted_at, t.first_seen_at,
        t.last_seen_at, t.version_at
    ) is distinct from (
        excluded.part_type, excluded.path, excluded.filename, excluded.size_bytes, excluded.mimetype, excluded.url,
        excluded.created_at, excluded.deleted_at, excluded.first_seen_at, excluded.last_seen_at, excluded.version_at
    );

-- name: DeleteMessageFiles :exec
-- The files of chats that are derived again; they are inserted anew in the same transaction. One that only a word named
-- that is no longer believed (a message that runs again after its end) is not.
delete from inbox.message_files as t
using rows from (unnest(@org_ids::text[]), unnest(@chat_ids::text[])) as k (org_id, chat_id)
where t.org_id = k.org_id and t.chat_id = k.chat_id;
