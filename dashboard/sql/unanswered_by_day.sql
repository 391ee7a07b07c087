with days as (
    select distinct @step(d::date) as day from generate_series(@first::date, @to::date, interval '1 day') as d
), cases as (
    select @step(c.opened_local_date) as day,
        count(*) filter (where c.ai_replies + c.human_replies = 0 and c.completeness = 'censored') as still_open,
        count(*) filter (where c.ai_replies + c.human_replies = 0 and c.completeness = 'complete') as closed,
        count(*) filter (where c.completeness in ('complete', 'censored')) as n,
        count(*) as of
    from analytics.cases as c
    where c.org_id = @org::text and c.opened_local_date between @from::date and @to::date and c.opened_by = 'customer'
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
    group by 1
)
select d.day, coalesce(c.still_open, 0) as still_open, coalesce(c.closed, 0) as closed, coalesce(c.n, 0) as n, coalesce(c.of, 0) as of
from days as d
left join cases as c on c.day = d.day
order by d.day
