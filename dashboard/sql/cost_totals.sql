with used as materialized (
    select u.currency, u.estimated_cost is not null as has_price, sum(u.messages)::int8 as messages, sum(u.input_tokens)::float8 as input,
        sum(u.output_tokens)::float8 as output, sum(u.input_tokens_cache_read)::float8 as cached, sum(u.estimated_cost)::float8 as cost
    from analytics.token_usage_daily as u
    where u.org_id = @org::text and u.local_date between @from::date and @to::date
    group by 1, 2
), total as (
    select coalesce(sum(messages), 0)::int8 as messages, sum(input) as input, sum(output) as output, sum(cached) as cached from used
)
select x.figure, x.value, x.unit, x.second, x.second_label, x.n, x.of
from (
    select 1 as number, 'Estimated cost' as figure, c.cost as value, coalesce('money:' || c.currency, 'money') as unit,
        1000 * c.cost / nullif(c.messages, 0) as second, case when c.currency is not null then c.currency || ' for 1,000 messages' end as second_label,
        coalesce(c.messages, 0) as n, t.messages as of
    from total as t
    left join used as c on c.has_price
    union all
    select 2, 'Tokens', t.input + t.output, 'tokens', (t.input + t.output) / nullif(t.messages, 0), 'a message', t.messages, t.messages
    from total as t
    union all
    select 3, 'Input from the cache', 100.0::float8 * t.cached / nullif(t.input, 0), 'percent', t.cached, 'tokens', t.messages, t.messages
    from total as t
    union all
    select 4, 'Messages with usage', t.messages, 'count', null, null, t.messages, t.messages
    from total as t
) as x
order by x.number, x.unit
