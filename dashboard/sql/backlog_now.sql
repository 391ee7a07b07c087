with now_open as (
    select count(*) filter (where w.state = 'OPEN') as open, count(*) filter (where w.state = 'SNOOZED') as snoozed,
        count(*) filter (where w.assigned_user_id is null) as unassigned, count(w.waiting_since) as waiting, count(*) as chats
    from analytics.chats_wide as w
    where w.org_id = @org::text and w.state in ('OPEN', 'SNOOZED') and w.deleted_at is null
        and (@assistant::text is null or w.assistant_id = @assistant)
        and (@agent::text is null or w.assigned_user_id = @agent)
        and (@channel::text is null or w.channel_type = @channel)
)
select x.figure, x.value, x.unit, x.second, x.second_label, x.n, x.of
from now_open as c
cross join lateral (values
    (1, 'Open now', c.open::float8, 'count', null::float8, null::text, c.chats, c.chats),
    (2, 'Snoozed now', c.snoozed::float8, 'count', null, null, c.chats, c.chats),
    (3, 'Unassigned now', c.unassigned::float8, 'count', null, null, c.chats, c.chats),
    (4, 'Waiting now', c.waiting::float8, 'count', null, null, c.chats, c.chats)
) as x (number, figure, value, unit, second, second_label, n, of)
order by x.number
