with times as (
    select 1 as number, t.reply_seconds as seconds
    from analytics.turns as t
    where t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = 'any' and t.is_first_response
        and (@assistant::text is null or t.assistant_id = @assistant)
        and (@agent::text is null or t.agent_user_id = @agent)
        and (@channel::text is null or t.channel_type = @channel)
    union all
    select case when t.is_first_response then 2 else 4 end, t.reply_seconds
    from analytics.turns as t
    where t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = 'human'
        and (@assistant::text is null or t.assistant_id = @assistant)
        and (@agent::text is null or t.agent_user_id = @agent)
        and (@channel::text is null or t.channel_type = @channel)
    union all
    select 3, t.reply_seconds
    from analytics.turns as t
    where t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = 'any' and t.is_first_response is not true
        and (@assistant::text is null or t.assistant_id = @assistant)
        and (@agent::text is null or t.agent_user_id = @agent)
        and (@channel::text is null or t.channel_type = @channel)
    union all
    select 5, h.human_after_handoff_seconds
    from analytics.handoffs as h
    where h.org_id = @org::text and h.handed_off_local_date between @from::date and @to::date and h.first_human_reply_at is not null
        and (@assistant::text is null or h.assistant_id = @assistant)
        and (@agent::text is null or h.first_human_reply_user_id = @agent)
        and (@channel::text is null or h.channel_type = @channel)
    union all
    select 6, c.resolution_seconds
    from analytics.cases as c
    where c.org_id = @org::text and c.closed_local_date between @from::date and @to::date and c.first_customer_message_at is not null
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
), measured as (
    select t.number, count(t.seconds) as n, count(*) as of, percentile_cont(array[0.5, 0.9]) within group (order by t.seconds) as p
    from times as t
    group by t.number
)
select x.figure, m.p[1] as value, 'seconds' as unit, m.p[2] as second, 'p90' as second_label, coalesce(m.n, 0) as n, coalesce(m.of, 0) as of
from (values
    (1, 'First response, AI or team'), (2, 'First response of the team'), (3, 'Later replies, AI or team'), (4, 'Later replies of the team'),
    (5, 'Team after a handoff'), (6, 'First message to close')
) as x (number, figure)
left join measured as m on m.number = x.number
order by x.number
