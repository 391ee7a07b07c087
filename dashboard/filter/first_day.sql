select least(
    (select (min(m.created_at) at time zone @zone::text)::date from inbox.messages as m where m.org_id = @org::text),
    (select min(c.opened_local_date) from analytics.cases as c where c.org_id = @org::text)
) as first_day
