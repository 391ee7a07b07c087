with days as (
    select distinct @step(d::date) as day from generate_series(@first::date, @to::date, interval '1 day') as d
), turns as (
    select @step(t.replied_local_date) as day, count(*) filter (where t.is_first_response) as first,
        count(*) filter (where t.is_first_response is not true) as later, count(t.reply_seconds) as n, count(*) as of
    from analytics.turns as t
    where t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = 'human'
        and (@assistant::text is null or t.assistant_id = @assistant)
        and (@agent::text is null or t.agent_user_id = @agent)
        and (@channel::text is null or t.channel_type = @channel)
    group by 1
)
select d.day, coalesce(t.first, 0) as first, coalesce(t.later, 0) as later, coalesce(t.n, 0) as n, coalesce(t.of, 0) as of
from days as d
left join turns as t on t.day = d.day
order by d.day
