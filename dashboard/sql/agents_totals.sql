with turns as (
    select count(*) as turns, count(t.reply_seconds) as n, count(distinct t.agent_user_id) as people,
        percentile_cont(array[0.5, 0.9]) within group (order by t.reply_seconds) as p
    from analytics.turns as t
    where t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = 'human'
        and (@assistant::text is null or t.assistant_id = @assistant)
        and (@agent::text is null or t.agent_user_id = @agent)
        and (@channel::text is null or t.channel_type = @channel)
)
select x.figure, x.value, x.unit, x.second, x.second_label, t.n, t.turns as of
from turns as t
cross join lateral (values
    (1, 'People who replied', t.people::float8, 'count', null::float8, null::text),
    (2, 'Turns answered', t.turns::float8, 'count', t.turns::float8 / nullif(t.people, 0), 'each'),
    (3, 'Time to reply', t.p[1], 'seconds', t.p[2], 'p90')
) as x (number, figure, value, unit, second, second_label)
order by x.number
