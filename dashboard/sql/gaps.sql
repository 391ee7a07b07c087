with gaps as (
    select g.began_at, g.ended_at, g.gap_seconds, g.cause, g.status, g.repaired_at, g.messages_recovered
    from analytics.gaps as g
    where g.org_id = @org::text and g.began_at < analytics.day_begins(@to::date + 1, @zone::text)
        and (g.ended_at is null or g.ended_at >= analytics.day_begins(@from::date, @zone::text))
)
select g.began_at, g.gap_seconds as lasted, g.cause, g.status, g.repaired_at, g.messages_recovered,
    (select count(*) from gaps where status = 'repaired') as total_n, (select count(*) from gaps) as total_of
from gaps as g
order by g.began_at desc
limit 50
