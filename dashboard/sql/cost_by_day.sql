-- Amounts of different currencies cannot be added: the one that most messages are priced in is shown.
with days as (
    select distinct @step(d::date) as day from generate_series(@first::date, @to::date, interval '1 day') as d
), used as (
    select @step(u.local_date) as day, u.currency, sum(u.estimated_cost)::float8 as cost, sum(u.messages)::int8 as messages
    from analytics.token_usage_daily as u
    where u.org_id = @org::text and u.local_date between @from::date and @to::date
    group by 1, 2
), main as (
    select currency from used where cost is not null group by currency order by sum(messages) desc, currency limit 1
)
select d.day, sum(u.cost) filter (where u.currency = m.currency) as cost, m.currency,
    coalesce(sum(u.messages) filter (where u.currency = m.currency), 0)::int8 as n, coalesce(sum(u.messages), 0)::int8 as of
from days as d
left join used as u on u.day = d.day
left join main as m on true
group by d.day, m.currency
order by d.day
