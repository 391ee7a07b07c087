with days as (
    select distinct @step(d::date) as day from generate_series(@first::date, @to::date, interval '1 day') as d
), ratings as (
    select @step(r.rated_local_date) as day, count(*) as of, count(*) filter (where r.completeness = 'complete') as n,
        count(*) filter (where r.completeness = 'complete' and r.score >= 4) as satisfied
    from analytics.csat_ratings as r
    where r.org_id = @org::text and r.rated_local_date between @from::date and @to::date and r.is_last
        and (@assistant::text is null or r.assistant_id = @assistant)
        and (@agent::text is null or r.assigned_user_id = @agent)
        and (@channel::text is null or r.channel_type = @channel)
    group by 1
)
select d.day, 100.0::float8 * r.satisfied / nullif(r.n, 0) as csat, coalesce(r.n, 0) as n, coalesce(r.of, 0) as of
from days as d
left join ratings as r on r.day = d.day
order by d.day
