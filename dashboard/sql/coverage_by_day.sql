with days as (
    select distinct @step(d::date) as day from generate_series(@first::date, @to::date, interval '1 day') as d
), coverage as (
    select @step(c.local_date) as day,
        100.0::float8 * sum(c.measured) filter (where c.metric in ('first_response', 'reply'))::float8
            / sum(c.eligible) filter (where c.metric in ('first_response', 'reply'))::float8 as replies,
        100.0::float8 * sum(c.measured) filter (where c.metric = 'ai_involvement')::float8 / sum(c.eligible) filter (where c.metric = 'ai_involvement')::float8 as cases,
        sum(c.measured) filter (where c.metric in ('first_response', 'reply', 'ai_involvement'))::int8 as n,
        sum(c.eligible) filter (where c.metric in ('first_response', 'reply', 'ai_involvement'))::int8 as of
    from analytics.coverage_daily as c
    where c.org_id = @org::text and c.local_date between @from::date and @to::date
    group by 1
)
select d.day, c.replies, c.cases, coalesce(c.n, 0) as n, coalesce(c.of, 0) as of
from days as d
left join coverage as c on c.day = d.day
order by d.day
