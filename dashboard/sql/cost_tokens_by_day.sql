with days as (
    select distinct @step(d::date) as day from generate_series(@first::date, @to::date, interval '1 day') as d
), used as (
    select @step(u.local_date) as day, sum(u.input_tokens - u.input_tokens_cache_read)::int8 as input,
        sum(u.input_tokens_cache_read)::int8 as cached, sum(u.output_tokens)::int8 as output, sum(u.messages)::int8 as messages
    from analytics.token_usage_daily as u
    where u.org_id = @org::text and u.local_date between @from::date and @to::date
    group by 1
)
select d.day, coalesce(u.input, 0) as input, coalesce(u.cached, 0) as cached, coalesce(u.output, 0) as output, coalesce(u.messages, 0) as n, coalesce(u.messages, 0) as of
from days as d
left join used as u on u.day = d.day
order by d.day
