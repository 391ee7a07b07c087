with opened as materialized (
    -- An index tells how many cases are not complete, and how many replies have no time; why, only the facts do, which are read for the
    -- days that need it.
    select c.opened_local_date as day, count(*) as cases, count(*) filter (where c.completeness in ('partial', 'imported')) as missing
    from analytics.cases as c
    where c.org_id = @org::text and c.opened_local_date between @from::date and @to::date
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
    group by c.opened_local_date
), cases as (
    select 'Cases' as fact, c.completeness, coalesce(c.completeness_reason, '') as reason, count(*) as facts
    from analytics.cases as c
    where c.org_id = @org::text and c.opened_local_date = any (array(select day from opened where missing > 0))
        and c.completeness in ('partial', 'imported')
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
    group by 2, 3
), days as materialized (
    select t.replied_local_date as day, count(*) as replies, count(*) - count(t.reply_seconds) as untimed
    from analytics.turns as t
    where t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = 'any'
        and (@assistant::text is null or t.assistant_id = @assistant)
        and (@agent::text is null or t.agent_user_id = @agent)
        and (@channel::text is null or t.channel_type = @channel)
    group by t.replied_local_date
), replies as (
    select 'Replies' as fact, t.completeness, coalesce(t.completeness_reason, '') as reason, count(*) as facts
    from analytics.turns as t
    where t.org_id = @org::text and t.replied_local_date = any (array(select day from days where untimed > 0)) and t.pass = 'any'
        and t.reply_seconds is null
        and (@assistant::text is null or t.assistant_id = @assistant)
        and (@agent::text is null or t.agent_user_id = @agent)
        and (@channel::text is null or t.channel_type = @channel)
    group by 2, 3
), missing as (
    select * from cases
    union all
    select * from replies where completeness in ('partial', 'imported')
), facts as (
    select (select coalesce(sum(cases), 0) from opened) + (select coalesce(sum(replies), 0) from days) as facts
)
select m.fact, m.completeness as are, m.reason, m.facts as missing,
    (f.facts - sum(m.facts) over ())::int8 as total_n, f.facts::int8 as total_of
from missing as m
cross join facts as f
order by m.fact, m.facts desc, m.completeness, m.reason
