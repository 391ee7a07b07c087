select u.user_id, coalesce(nullif(u.name, ''), u.user_id) as name
from inbox.users as u
where u.org_id = @org::text
    and (@find::text is null or u.user_id = @agent::text or strpos(lower(coalesce(nullif(u.name, ''), u.user_id)), lower(@find)) > 0)
order by u.user_id is not distinct from @agent::text desc, u.is_stub, 2, 1
limit @limit::int8
