with funnel as (
    select coalesce(sum(f.opened), 0)::int8 as opened, coalesce(sum(f.engaged), 0)::int8 as engaged, coalesce(sum(f.answered), 0)::int8 as answered,
        coalesce(sum(f.handed_off), 0)::int8 as handed_off, coalesce(sum(f.closed), 0)::int8 as closed, coalesce(sum(f.rated), 0)::int8 as rated,
        coalesce(sum(f.n_eligible), 0)::int8 as eligible
    from analytics.ad_funnel as f
    where f.org_id = @org::text and f.local_date between @from::date and @to::date
)
select x.step, x.cases, 100.0::float8 * x.cases / nullif(f.opened, 0) as share, f.opened as total_n, f.eligible as total_of
from funnel as f
cross join lateral (values
    (1, 'Opened', f.opened), (2, 'Engaged', f.engaged), (3, 'Answered', f.answered), (4, 'Handed off', f.handed_off), (5, 'Closed', f.closed), (6, 'Rated', f.rated)
) as x (number, step, cases)
where f.eligible > 0
order by x.number
