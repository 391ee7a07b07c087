-- name: GetContactChannels :many
select t.*
from rows from (unnest(@org_ids::text[]), unnest(@contact_channel_ids::text[])) as k (org_id, contact_channel_id)
join inbox.contact_channels as t on t.org_id = k.org_id and t.contact_channel_id = k.contact_channel_id;

-- name: UpsertContactChannels :exec
-- Arrays of one length, one element a row, no key twice. An older description never overwrites a newer one.
insert into inbox.contact_channels as t (
    org_id, contact_channel_id, contact_id, type, user_id, name, username, email, phone, country, agent, ip, language,
    avatar, link, is_stub, first_seen_at, last_seen_at, version_at, version_seq, field_versions
)
select
    unnest(@org_ids::text[]), unnest(@contact_channel_ids::text[]), unnest(@contact_ids::varchar[]),
    unnest(@types::varchar[]), unnest(@user_ids::varchar[]), unnest(@names::varchar[]),
    unnest(@usernames::varchar[]), unnest(@emails::varchar[]), unnest(@phones::varchar[]),
    unnest(@countrys::varchar[]), unnest(@agents::varchar[]), unnest(@ips::varchar[]),
    unnest(@languages::varchar[]), unnest(@avatars::varchar[]), unnest(@links::varchar[]),
    unnest(@is_stubs::bool[]), unnest(@first_seen_ats::timestamptz[]), unnest(@last_seen_ats::timestamptz[]),
    unnest(@version_ats::timestamp with time zone[]), unnest(@version_seqs::int8[]),
    unnest(@field_versions_list::varchar[])::jsonb
on conflict (org_id, contact_channel_id) do update set
    contact_id = excluded.contact_id, type = excluded.type, user_id = excluded.user_id, name = excluded.name,
    username = excluded.username, email = excluded.email, phone = excluded.phone, country = excluded.country,
    agent = excluded.agent, ip = excluded.ip, language = excluded.language, avatar = excluded.avatar,
    link = excluded.link, is_stub = excluded.is_stub, first_seen_at = excluded.first_seen_at,
    last_seen_at = excluded.last_seen_at, version_at = excluded.version_at, version_seq = excluded.version_seq,
    field_versions = excluded.field_versions
where (t.version_at, t.version_seq) <= (excluded.version_at, excluded.version_seq)
    and (
        t.contact_id, t.type, t.user_id, t.name, t.username, t.email, t.phone, t.country, t.agent, t.ip, t.language,
        t.avatar, t.link, t.is_stub, t.first_seen_at, t.last_seen_at, t.version_at, t.version_seq, t.field_versions
    ) is distinct from (
        excluded.contact_id, excluded.type, excluded.user_id, excluded.name, excluded.username, excluded.email,
        excluded.phone, excluded.country, excluded.agent, excluded.ip, excluded.language, excluded.avatar,
        excluded.link, excluded.is_stub, excluded.first_seen_at, excluded.last_seen_at, excluded.version_at,
        excluded.version_seq, excluded.field_versions
    );
