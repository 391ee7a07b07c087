with heard as (
    select count(*) as of, count(*) filter (where not exists (
        select from analytics.gaps as g
        where g.org_id = @org::text and g.status <> 'repaired' and g.began_at < analytics.day_begins(d::date + 1, @zone::text)
            and (g.ended_at is null or g.ended_at > analytics.day_begins(d::date, @zone::text))
    )) as n
    from generate_series(@first::date, @to::date, interval '1 day') as d
), sent as (
    select v.weekday, v.local_hour, sum(v.customer_messages)::int8 as messages
    from analytics.volume_hourly as v
    where v.org_id = @org::text and v.local_date between @from::date and @to::date
    group by v.weekday, v.local_hour
)
select w.weekday, h.hour, s.messages, c.n as total_n, c.of as total_of
from generate_series(1, 7) as w (weekday)
cross join generate_series(0, 23) as h (hour)
cross join heard as c
left join sent as s on s.weekday = w.weekday and s.local_hour = h.hour
where exists (select from sent)
order by w.weekday, h.hour
