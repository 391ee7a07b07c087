select coalesce(u.model, 'Not told') as model, sum(u.messages)::int8 as messages, sum(u.input_tokens)::int8 as input, sum(u.input_tokens_cache_read)::int8 as cached,
    sum(u.output_tokens)::int8 as output, sum(u.reasoning_tokens)::int8 as reasoning,
    sum(u.estimated_cost)::float8 as cost, u.currency,
    100.0::float8 * sum(u.input_tokens + u.output_tokens) / nullif(sum(sum(u.input_tokens + u.output_tokens)) over (), 0)::float8 as share,
    coalesce(sum(u.messages) filter (where u.estimated_cost is not null), 0)::int8 as n, sum(u.messages)::int8 as of
from analytics.token_usage_daily as u
where u.org_id = @org::text and u.local_date between @from::date and @to::date
group by u.model, u.currency
order by sum(u.input_tokens + u.output_tokens) desc, u.model, u.currency
limit 50
