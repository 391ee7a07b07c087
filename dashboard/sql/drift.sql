with fields as (
    select d.path, d.json_type, d.sightings, d.first_seen_at, d.last_seen_at
    from analytics.drift as d
    where d.org_id = @org::text and d.last_seen_at >= analytics.day_begins(@from::date, @zone::text)
), outermost as (
    -- What is in a field that is not read is not read either.
    select f.* from fields as f
    where not exists (select from fields as o where starts_with(f.path, o.path || '.') or starts_with(f.path, o.path || '['))
)
select f.path, f.json_type, f.sightings, f.first_seen_at, f.last_seen_at, (count(*) over ())::int8 as total_n, (select count(*) from outermost) as total_of
from (select * from outermost order by first_seen_at desc, path, json_type limit 25) as f
order by f.first_seen_at desc, f.path, f.json_type
