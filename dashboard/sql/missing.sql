with facts as (
    select 'Cases' as fact, c.completeness, coalesce(c.completeness_reason, '') as reason, count(*) as facts
    from analytics.cases as c
    where c.org_id = @org::text and c.opened_local_date between @from::date and @to::date
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
    group by 2, 3
    union all
    select 'Replies', t.completeness, coalesce(t.completeness_reason, ''), count(*)
    from analytics.turns as t
    where t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = 'any'
        and (@assistant::text is null or t.assistant_id = @assistant)
        and (@agent::text is null or t.agent_user_id = @agent)
        and (@channel::text is null or t.channel_type = @channel)
    group by 2, 3
), missing as (
    select * from facts where completeness in ('partial', 'imported') order by fact, facts desc, completeness, reason limit 50
)
select m.fact, m.completeness as are, m.reason, m.facts as missing,
    (select sum(facts) filter (where completeness not in ('partial', 'imported')) from facts)::int8 as total_n,
    (select sum(facts) from facts)::int8 as total_of
from missing as m
order by m.fact, m.facts desc, m.completeness, m.reason
