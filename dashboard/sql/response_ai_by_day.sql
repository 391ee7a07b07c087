with days as (
    select distinct @step(d::date) as day from generate_series(@first::date, @to::date, interval '1 day') as d
), times as (
    select @step(t.replied_local_date) as day, count(t.reply_seconds) as n, count(*) as of,
        percentile_cont(array[0.5, 0.9]) within group (order by t.reply_seconds) as p
    from analytics.turns as t
    where t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = 'any' and t.is_first_response and t.replied_by = 'ai'
        and (@assistant::text is null or t.assistant_id = @assistant)
        and (@agent::text is null or t.agent_user_id = @agent)
        and (@channel::text is null or t.channel_type = @channel)
    group by 1
)
select d.day, t.p[1] as p50, t.p[2] as p90, coalesce(t.n, 0) as n, coalesce(t.of, 0) as of
from days as d
left join times as t on t.day = d.day
order by d.day
