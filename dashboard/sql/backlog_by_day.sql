-- A day without a row had none, from the first row on until the day the backlog is worked out for.
with days as (
    select d::date as day, d::date between least(r.backlog_through, b.first_day) and r.backlog_through as is_counted
    from generate_series(@first::date, @to::date, interval '1 day') as d
    left join analytics.refreshes as r on r.org_id = @org::text
    cross join (select min(local_date) as first_day from analytics.backlog_daily where org_id = @org::text) as b
    where @step::text = 'day' or d::date = @step(d::date) or d::date = @first::date
)
select d.day,
    case when d.is_counted then coalesce(b.open_chats, 0) end as open,
    case when d.is_counted then coalesce(b.snoozed_chats, 0) end as snoozed,
    case when d.is_counted then coalesce(b.unassigned_chats, 0) end as unassigned,
    case when d.is_counted then 1 else 0 end::int8 as n,
    1::int8 as of
from days as d
left join analytics.backlog_daily as b on b.org_id = @org::text and b.local_date = d.day
order by d.day
