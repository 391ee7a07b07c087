with opened as (
    select c.channel_type, count(*) as opened, count(*) filter (where c.case_number > 1) as again, count(c.handoff_at) as handed_off,
        count(*) filter (where c.completeness in ('complete', 'censored')) as known
    from analytics.cases as c
    where c.org_id = @org::text and c.opened_local_date between @from::date and @to::date
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
    group by 1
), closed as (
    select c.channel_type, count(*) as closed
    from analytics.cases as c
    where c.org_id = @org::text and c.closed_local_date between @from::date and @to::date
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
    group by 1
)
select coalesce(o.channel_type, c.channel_type) as channel_key, coalesce(o.channel_type, c.channel_type, 'Not known') as channel,
    coalesce(o.opened, 0) as opened, 100.0::float8 * o.opened / nullif(sum(o.opened) over (), 0)::float8 as share, coalesce(o.again, 0) as again,
    coalesce(o.handed_off, 0) as handed_off, coalesce(c.closed, 0) as closed, coalesce(o.known, 0) as n, coalesce(o.opened, 0) as of
from opened as o
full join closed as c on coalesce(c.channel_type, '') = coalesce(o.channel_type, '')
order by coalesce(o.opened, 0) desc, coalesce(c.closed, 0) desc, 2
limit 50
