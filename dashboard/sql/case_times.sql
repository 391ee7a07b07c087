with measured as (
    select 1 as number, count(h.human_after_handoff_seconds) as n, count(*) as of,
        percentile_cont(array[0.5, 0.9]) within group (order by h.human_after_handoff_seconds) as p
    from analytics.handoffs as h
    where h.org_id = @org::text and h.handed_off_local_date between @from::date and @to::date and h.first_human_reply_at is not null
        and (@assistant::text is null or h.assistant_id = @assistant)
        and (@agent::text is null or h.first_human_reply_user_id = @agent)
        and (@channel::text is null or h.channel_type = @channel)
    union all
    select 2, count(c.resolution_seconds), count(*), percentile_cont(array[0.5, 0.9]) within group (order by c.resolution_seconds)
    from analytics.cases as c
    where c.org_id = @org::text and c.closed_local_date between @from::date and @to::date and c.first_customer_message_at is not null
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
)
select x.figure, m.p[1] as value, 'seconds' as unit, m.p[2] as second, 'p90' as second_label, coalesce(m.n, 0) as n, coalesce(m.of, 0) as of
from (values (1, 'Team after a handoff'), (2, 'First message to close')) as x (number, figure)
left join measured as m on m.number = x.number
order by x.number
