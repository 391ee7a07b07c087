with days as (
    select @step(d::date) as day, count(*) as of, count(*) filter (where not exists (
        select from analytics.gaps as g
        where g.org_id = @org::text and g.status <> 'repaired' and g.began_at < analytics.day_begins(d::date + 1, @zone::text)
            and (g.ended_at is null or g.ended_at > analytics.day_begins(d::date, @zone::text))
    )) as n
    from generate_series(@first::date, @to::date, interval '1 day') as d
    group by 1
), sent as (
    select @step(v.local_date) as day, sum(v.customer_messages) as customers, sum(v.ai_messages) as ai, sum(v.human_messages) as team,
        sum(v.broadcast_messages) as broadcasts
    from analytics.volume_hourly as v
    where v.org_id = @org::text and v.local_date between @from::date and @to::date
    group by 1
)
select d.day, coalesce(s.customers, 0)::int8 as customers, coalesce(s.ai, 0)::int8 as ai, coalesce(s.team, 0)::int8 as team,
    coalesce(s.broadcasts, 0)::int8 as broadcasts, d.n, d.of
from days as d
left join sent as s on s.day = d.day
order by d.day
