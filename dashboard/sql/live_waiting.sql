with waiting as (
    select
        w.chat_id, w.title, w.link, w.state, w.ai_enabled, w.assigned_user_id, w.assigned_user_name, w.assistant_id, w.admin_unseen_count, w.waiting_since
    from analytics.chats_wide as w
    where w.org_id = @org::text and w.state in ('OPEN', 'SNOOZED') and w.deleted_at is null
        and (@assistant::text is null or w.assistant_id = @assistant)
        and (@agent::text is null or w.assigned_user_id = @agent)
        and (@channel::text is null or w.channel_type = @channel)
), longest as (
    select * from waiting where waiting_since is not null order by waiting_since, chat_id limit 25
)
select
    extract(epoch from now() - l.waiting_since)::float8 as waiting,
    coalesce(nullif(w.contact_name, ''), nullif(l.title, ''), l.chat_id) as chat,
    l.link,
    w.channel_type as channel,
    initcap(l.state) as state,
    l.assigned_user_id,
    coalesce(nullif(l.assigned_user_name, ''), l.assigned_user_id) as assigned_to,
    l.ai_enabled as ai_answers,
    l.admin_unseen_count as unseen,
    count(*) over () as total_n,
    (select count(waiting_since) from waiting) as total_of
from longest as l
join analytics.chats_wide as w on w.org_id = @org::text and w.chat_id = l.chat_id
order by l.waiting_since, l.chat_id
