select x.figure, x.value, x.unit, x.second, x.second_label, x.n, x.of
from analytics.freshness as f
cross join lateral (
    select count(*) as all, count(*) filter (where g.status = 'repaired') as repaired
    from analytics.gaps as g
    where g.org_id = f.org_id
) as gaps
cross join lateral (values
    (1, 'Last event', extract(epoch from now() - f.last_event_at)::float8, 'ago', null::float8, null::text, null::int8, null::int8),
    (2, 'Last heard from Invent', extract(epoch from now() - f.last_heard_at)::float8, 'ago', null, null, null, null),
    (3, 'Numbers refreshed', extract(epoch from now() - f.refreshed_at)::float8, 'ago', null, null, null, null),
    (4, 'Changed chats not in the numbers yet', f.dirty_chats::float8, 'count', null, null, null, null),
    (5, 'Gaps open or being repaired', f.open_gaps::float8, 'count', null, null, gaps.all - f.open_gaps, gaps.all),
    (6, 'Gaps not repaired', f.unrepaired_gaps::float8, 'count', null, null, gaps.repaired, gaps.all)
) as x (number, figure, value, unit, second, second_label, n, of)
where f.org_id = @org::text
order by x.number
