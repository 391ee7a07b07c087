with heard as (
    select count(*) as of, count(*) filter (where not exists (
        select from analytics.gaps as g
        where g.org_id = @org::text and g.status <> 'repaired' and g.began_at < analytics.day_begins(d::date + 1, @zone::text)
            and (g.ended_at is null or g.ended_at > analytics.day_begins(d::date, @zone::text))
    )) as n
    from generate_series(@first::date, @to::date, interval '1 day') as d
), sent as (
    select sum(v.customer_messages) as customers, sum(v.ai_messages) as ai, sum(v.human_messages) as team, sum(v.broadcast_messages) as broadcasts,
        sum(v.ai_messages + v.human_messages) as answers
    from analytics.volume_hourly as v
    where v.org_id = @org::text and v.local_date between @from::date and @to::date
)
select x.figure, x.value, x.unit, x.second, x.second_label, h.n, h.of
from sent as s
cross join heard as h
cross join lateral (values
    (1, 'From customers', s.customers::float8, 'count', null::float8, null::text),
    (2, 'From the AI', s.ai::float8, 'count', 100.0::float8 * s.ai / nullif(s.answers, 0), '% of AI and team'),
    (3, 'From the team', s.team::float8, 'count', 100.0::float8 * s.team / nullif(s.answers, 0), '% of AI and team'),
    (4, 'From broadcasts', s.broadcasts::float8, 'count', null, null)
) as x (number, figure, value, unit, second, second_label)
order by x.number
