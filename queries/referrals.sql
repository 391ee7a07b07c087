-- name: UpsertReferrals :exec
-- The content never changes; only an earlier sighting moves the times.
insert into inbox.referrals as t (
    org_id, chat_id, referral_id, ref, ad_id, source, referer_uri, ad_title, photo_url, video_url, post_id,
    product_id, parts, first_seen_at, last_seen_at, version_at
)
select
    unnest(@org_ids::text[]), unnest(@chat_ids::text[]), unnest(@referral_ids::text[]), unnest(@refs::varchar[]),
    unnest(@ad_ids::varchar[]), unnest(@sources::varchar[]), unnest(@referer_uris::varchar[]),
    unnest(@ad_titles::varchar[]), unnest(@photo_urls::varchar[]), unnest(@video_urls::varchar[]),
    unnest(@post_ids::varchar[]), unnest(@product_ids::varchar[]), unnest(@parts_list::varchar[])::jsonb,
    unnest(@first_seen_ats::timestamptz[]), unnest(@last_seen_ats::timestamptz[]),
    unnest(@version_ats::timestamp with time zone[])
on conflict (org_id, chat_id, referral_id) do update set
    first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at, version_at = excluded.version_at
where t.first_seen_at > excluded.first_seen_at;

-- name: DeleteReferrals :exec
-- The referrals of chats that are derived again; they are inserted anew in the same transaction.
delete from inbox.referrals as t
using rows from (unnest(@org_ids::text[]), unnest(@chat_ids::text[])) as k (org_id, chat_id)
where t.org_id = k.org_id and t.chat_id = k.chat_id;
