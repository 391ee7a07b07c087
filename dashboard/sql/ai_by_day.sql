with days as (
    select distinct @step(d::date) as day from generate_series(@first::date, @to::date, interval '1 day') as d
), cases as (
    select
        @step(c.opened_local_date) as day,
        count(*) as cases,
        count(c.is_ai_involved) as measured,
        count(*) filter (where c.is_ai_involved) as involved,
        count(c.is_ai_resolved) filter (where c.is_ai_involved and c.closed_at is not null and c.last_ai_reply_at <= now() - interval '24 hours') as closed,
        count(*) filter (where c.is_ai_resolved and c.is_ai_involved and c.closed_at is not null and c.last_ai_reply_at <= now() - interval '24 hours') as resolved,
        count(*) filter (where c.is_ai_involved and c.handoff_at is not null) as handed_off
    from analytics.cases as c
    where c.org_id = @org::text and c.opened_local_date between @from::date and @to::date
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
    group by 1
)
select d.day, 100.0::float8 * c.involved / nullif(c.measured, 0) as involvement, 100.0::float8 * c.resolved / nullif(c.closed, 0) as resolved,
    100.0::float8 * c.handed_off / nullif(c.involved, 0) as handed_off, coalesce(c.measured, 0) as n, coalesce(c.cases, 0) as of
from days as d
left join cases as c on c.day = d.day
order by d.day
