select
    w.assigned_user_id,
    coalesce(nullif(max(w.assigned_user_name), ''), w.assigned_user_id, 'Nobody') as assigned_to,
    count(*) filter (where w.state = 'OPEN') as open,
    count(*) filter (where w.state = 'SNOOZED') as snoozed,
    count(w.waiting_since) as waiting,
    extract(epoch from now() - min(w.waiting_since))::float8 as longest_wait,
    count(*) filter (where w.admin_unseen_count > 0) as unseen,
    (sum(count(*)) over ())::int8 as total_n,
    (sum(count(*)) over ())::int8 as total_of
from analytics.chats_wide as w
where w.org_id = @org::text and w.state in ('OPEN', 'SNOOZED') and w.deleted_at is null
    and (@assistant::text is null or w.assistant_id = @assistant)
    and (@agent::text is null or w.assigned_user_id = @agent)
    and (@channel::text is null or w.channel_type = @channel)
group by w.assigned_user_id
order by count(*) desc, w.assigned_user_id
limit 50
