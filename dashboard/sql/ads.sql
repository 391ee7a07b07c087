select coalesce(nullif(max(f.ad_title), ''), f.ad_id, 'Without an ad') as ad, max(f.source) as source, sum(f.opened)::int8 as opened,
    100.0::float8 * sum(f.engaged) / nullif(sum(f.opened), 0)::float8 as engaged, 100.0::float8 * sum(f.answered) / nullif(sum(f.opened), 0)::float8 as answered,
    100.0::float8 * sum(f.handed_off) / nullif(sum(f.opened), 0)::float8 as handed_off, 100.0::float8 * sum(f.closed) / nullif(sum(f.opened), 0)::float8 as closed,
    100.0::float8 * sum(f.rated) / nullif(sum(f.opened), 0)::float8 as rated, sum(f.opened)::int8 as n, sum(f.n_eligible)::int8 as of
from analytics.ad_funnel as f
where f.org_id = @org::text and f.local_date between @from::date and @to::date
group by f.ad_id
order by sum(f.opened) desc, f.ad_id
limit 50
