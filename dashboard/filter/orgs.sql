select o.org_id, coalesce(nullif(o.name, ''), o.org_id) as name, coalesce(s.time_zone, 'UTC') as time_zone,
    (now() at time zone coalesce(s.time_zone, 'UTC'))::date as today
from inbox.orgs as o
left join analytics.settings as s on s.org_id = o.org_id
where @org::text is null or o.org_id = @org
order by exists (select from inbox.chats as c where c.org_id = o.org_id) desc, nullif(o.name, '') is null, 2, 1
limit @limit::int8
