with chats as (
    select extract(epoch from now() - c.opened_at) / 86400 as days, w.state
    from analytics.chats_wide as w
    -- The chat's newest case: the number and the case in one look.
    left join lateral (
        select n.opened_at from analytics.cases as n where n.org_id = w.org_id and n.chat_id = w.chat_id order by n.case_number desc limit 1
    ) as c on true
    where w.org_id = @org::text and w.state in ('OPEN', 'SNOOZED') and w.deleted_at is null
        and (@assistant::text is null or w.assistant_id = @assistant)
        and (@agent::text is null or w.assigned_user_id = @agent)
        and (@channel::text is null or w.channel_type = @channel)
), aged as (
    select case when days <= 1 then 1 when days <= 3 then 2 when days <= 7 then 3 when days <= 14 then 4 when days <= 30 then 5 when days is not null then 6 end as bucket, state
    from chats
)
select b.age, count(a.state) filter (where a.state = 'OPEN') as open, count(a.state) filter (where a.state = 'SNOOZED') as snoozed,
    (select count(bucket) from aged) as total_n, (select count(*) from aged) as total_of
from (values (1, 'to 1 day'), (2, '1–3 days'), (3, '3–7 days'), (4, '7–14 days'), (5, '14–30 days'), (6, 'older')) as b (number, age)
left join aged as a on a.bucket = b.number
group by b.number, b.age
order by b.number
