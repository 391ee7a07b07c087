with days as (
    select distinct @step(d::date) as day from generate_series(@first::date, @to::date, interval '1 day') as d
), opened as (
    select @step(c.opened_local_date) as day, count(*) as opened, count(*) filter (where c.case_number > 1) as again,
        count(*) filter (where c.completeness in ('complete', 'censored')) as known
    from analytics.cases as c
    where c.org_id = @org::text and c.opened_local_date between @from::date and @to::date
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
    group by 1
), closed as (
    select @step(c.closed_local_date) as day, count(*) as closed
    from analytics.cases as c
    where c.org_id = @org::text and c.closed_local_date between @from::date and @to::date
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
    group by 1
)
select d.day, coalesce(o.opened, 0) as opened, coalesce(c.closed, 0) as closed, coalesce(o.again, 0) as again,
    coalesce(o.known, 0) as n, coalesce(o.opened, 0) as of
from days as d
left join opened as o on o.day = d.day
left join closed as c on c.day = d.day
order by d.day
