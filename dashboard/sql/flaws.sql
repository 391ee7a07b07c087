with flaws as (
    select f.flaw, count(*) as times, min(f.received_at) as first_seen, max(f.received_at) as last_seen
    from analytics.flaws as f
    where f.org_id = @org::text and f.received_at >= analytics.day_begins(@from::date, @zone::text)
        and f.received_at < analytics.day_begins(@to::date + 1, @zone::text)
    group by f.flaw
)
select f.flaw, f.times, f.first_seen, f.last_seen, (count(*) over ())::int8 as total_n, (select count(*) from flaws) as total_of
from (select * from flaws order by times desc, flaw limit 50) as f
order by f.times desc, f.flaw
