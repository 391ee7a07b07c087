-- A case without tokens costs 0 in any currency, and one without a price has none: both stand with the currency of most.
with main as (
    select c.cost_currency as currency
    from analytics.cases as c
    where c.org_id = @org::text and c.opened_local_date between @from::date and @to::date and c.cost_currency is not null
    group by c.cost_currency
    order by count(*) desc, c.cost_currency
    limit 1
)
select
    d.assistant_id,
    coalesce(nullif(a.name, ''), d.assistant_id, 'No assistant') as assistant,
    d.currency,
    d.cases,
    d.tokens_mean,
    (select percentile_cont(0.5) within group (order by s) from unnest(d.costs) as s) as cost_p50,
    d.cost_mean,
    d.cost,
    d.n,
    d.cases as of
from (
    select c.assistant_id, coalesce(c.cost_currency, m.currency) as currency, count(*) as cases, avg(c.total_tokens)::float8 as tokens_mean,
        array_agg(c.estimated_cost::float8) as costs,
        avg(c.estimated_cost)::float8 as cost_mean, sum(c.estimated_cost)::float8 as cost, count(c.estimated_cost) as n
    from analytics.cases as c
    left join main as m on true
    where c.org_id = @org::text and c.opened_local_date between @from::date and @to::date and c.ai_replies > 0
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
    group by 1, 2
    order by count(*) desc, 1, 2
    limit 50
) as d
left join inbox.assistants as a on a.org_id = @org::text and a.assistant_id = d.assistant_id
order by d.cases desc, d.assistant_id, d.currency
