select distinct c.channel_type, c.channel_type as name
from analytics.channels as c
where c.org_id = @org::text and c.channel_type is not null
order by 1
limit @limit::int8
