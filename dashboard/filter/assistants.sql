select a.assistant_id, coalesce(nullif(a.name, ''), a.assistant_id) as name
from inbox.assistants as a
where a.org_id = @org::text
    and (@find::text is null or a.assistant_id = @assistant::text or strpos(lower(coalesce(nullif(a.name, ''), a.assistant_id)), lower(@find)) > 0)
order by a.assistant_id is not distinct from @assistant::text desc, coalesce(a.deleted, false), a.is_stub, 2, 1
limit @limit::int8
