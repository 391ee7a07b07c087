with fields as (
    select d.path, d.json_type, d.sightings, d.first_seen_at, d.last_seen_at
    from analytics.drift as d
    where d.org_id = @org::text and d.last_seen_at >= analytics.day_begins(@from::date, @zone::text)
)
select f.path, f.json_type, f.sightings, f.first_seen_at, f.last_seen_at, (count(*) over ())::int8 as total_n, (select count(*) from fields) as total_of
from (select * from fields order by first_seen_at desc, path, json_type limit 50) as f
order by f.first_seen_at desc, f.path, f.json_type
