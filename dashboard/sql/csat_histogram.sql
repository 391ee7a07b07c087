select s.score, count(r.score) filter (where r.completeness = 'complete') as ratings,
    count(r.score) filter (where r.completeness = 'complete') as n, count(r.score) as of
from generate_series(1, 5) as s (score)
left join analytics.csat_ratings as r on r.org_id = @org::text and r.rated_local_date between @from::date and @to::date and r.is_last and r.score = s.score
        and (@assistant::text is null or r.assistant_id = @assistant)
        and (@agent::text is null or r.assigned_user_id = @agent)
        and (@channel::text is null or r.channel_type = @channel)
group by s.score
order by s.score
