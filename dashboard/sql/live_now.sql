select x.figure, x.value, x.unit, x.second, x.second_label, x.n, x.of
from (
    select
        count(*) filter (where w.state = 'OPEN') as open,
        count(*) filter (where w.state = 'SNOOZED') as snoozed,
        count(*) filter (where w.assigned_user_id is null) as unassigned,
        count(w.waiting_since) as waiting,
        extract(epoch from now() - min(w.waiting_since)) as longest,
        count(*) filter (where w.admin_unseen_count > 0) as unseen,
        sum(w.admin_unseen_count) filter (where w.admin_unseen_count > 0) as unseen_messages,
        count(w.admin_unseen_count) as unseen_known,
        count(*) as chats
    from analytics.chats_wide as w
    where w.org_id = @org::text and w.state in ('OPEN', 'SNOOZED') and w.deleted_at is null
        and (@assistant::text is null or w.assistant_id = @assistant)
        and (@agent::text is null or w.assigned_user_id = @agent)
        and (@channel::text is null or w.channel_type = @channel)
) as c
cross join lateral (values
    (1, 'Open', c.open::float8, 'count', null::float8, null::text, c.chats, c.chats),
    (2, 'Snoozed', c.snoozed::float8, 'count', null, null, c.chats, c.chats),
    (3, 'Unassigned', c.unassigned::float8, 'count', null, null, c.chats, c.chats),
    (4, 'Waiting for a reply', c.waiting::float8, 'count', null, null, c.chats, c.chats),
    (5, 'Longest wait', c.longest::float8, 'seconds', null, null, c.waiting, c.waiting),
    (6, 'With unseen messages', c.unseen::float8, 'count', c.unseen_messages::float8, 'messages', c.unseen_known, c.chats)
) as x (number, figure, value, unit, second, second_label, n, of)
order by x.number
