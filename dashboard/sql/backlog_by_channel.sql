select coalesce(w.channel_type, 'Not known') as channel, w.channel_type as channel_key, count(*) filter (where w.state = 'OPEN') as open,
    count(*) filter (where w.state = 'SNOOZED') as snoozed, count(*) filter (where w.assigned_user_id is null) as unassigned,
    count(w.waiting_since) as waiting, extract(epoch from now() - min(w.waiting_since))::float8 as longest_wait,
    (sum(count(*)) over ())::int8 as total_n, (sum(count(*)) over ())::int8 as total_of
from (
    select w.state, w.assigned_user_id, w.waiting_since, w.channel_type
    from analytics.chats_wide as w
    where w.org_id = @org::text and w.state in ('OPEN', 'SNOOZED') and w.deleted_at is null
        and (@assistant::text is null or w.assistant_id = @assistant)
        and (@agent::text is null or w.assigned_user_id = @agent)
        and (@channel::text is null or w.channel_type = @channel)
) as w
group by w.channel_type
order by count(*) desc, w.channel_type
limit 50
