with used as (
    select coalesce(sum(u.messages), 0)::int8 as messages, sum(u.input_tokens)::float8 as input, sum(u.output_tokens)::float8 as output, sum(u.input_tokens_cache_read)::float8 as cached
    from analytics.token_usage_daily as u
    where u.org_id = @org::text and u.local_date between @from::date and @to::date
), costs as (
    select u.currency, sum(u.estimated_cost)::float8 as cost, sum(u.messages)::int8 as messages
    from analytics.token_usage_daily as u
    where u.org_id = @org::text and u.local_date between @from::date and @to::date and u.estimated_cost is not null
    group by u.currency
), cases as (
    select count(*) as cases
    from analytics.cases as c
    where c.org_id = @org::text and c.opened_local_date between @from::date and @to::date and c.ai_replies > 0
)
select x.figure, x.value, x.unit, x.second, x.second_label, x.n, x.of
from (
    select 1 as number, 'Estimated cost' as figure, c.cost as value, coalesce('money:' || c.currency, 'money') as unit, c.cost / nullif(p.cases, 0) as second,
        case when c.currency is not null then c.currency || ' for each case with AI' end as second_label, coalesce(c.messages, 0) as n, u.messages as of
    from used as u
    cross join cases as p
    left join costs as c on true
    union all
    select 2, 'Tokens', u.input + u.output, 'tokens', (u.input + u.output) / nullif(p.cases, 0), 'for each case with AI', u.messages, u.messages
    from used as u
    cross join cases as p
    union all
    select 3, 'Input from the cache', 100.0::float8 * u.cached / nullif(u.input, 0), 'percent', u.cached, 'tokens', u.messages, u.messages
    from used as u
    union all
    select 4, 'Messages with usage', u.messages, 'count', null, null, u.messages, u.messages
    from used as u
) as x
order by x.number, x.unit
