select x.figure, x.value, x.unit, x.second, x.second_label, x.n, x.of
from (
    select count(*) as of, count(*) filter (where r.completeness = 'complete') as n,
        avg(r.score) filter (where r.completeness = 'complete')::float8 as average,
        count(*) filter (where r.completeness = 'complete' and r.score >= 4) as satisfied
    from analytics.csat_ratings as r
    where r.org_id = @org::text and r.rated_local_date between @from::date and @to::date and r.is_last
        and (@assistant::text is null or r.assistant_id = @assistant)
        and (@agent::text is null or r.assigned_user_id = @agent)
        and (@channel::text is null or r.channel_type = @channel)
) as r
cross join (
    select count(*) filter (where c.has_auto_csat and c.completeness = 'complete') as asked,
        count(*) filter (where c.has_auto_csat and c.completeness = 'complete' and c.csat_score is not null) as rated,
        count(*) filter (where c.has_auto_csat or c.has_auto_csat is null) as of
    from analytics.cases as c
    where c.org_id = @org::text and c.closed_local_date between @from::date and @to::date
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
) as c
cross join lateral (values
    (1, 'CSAT, 4 or 5 stars', 100.0::float8 * r.satisfied / nullif(r.n, 0), 'percent', r.satisfied::float8, 'ratings', r.n, r.of),
    (2, 'Average score', r.average, 'stars', null, null, r.n, r.of),
    (3, 'Ratings', r.of::float8, 'count', null, null, r.n, r.of),
    (4, 'Rated, of those asked (estimated)', 100.0::float8 * c.rated / nullif(c.asked, 0), 'percent', c.rated::float8, 'cases', c.asked, c.of)
) as x (number, figure, value, unit, second, second_label, n, of)
order by x.number
