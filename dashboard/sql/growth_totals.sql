with ads as (
    select coalesce(sum(f.n_eligible), 0)::int8 as eligible, coalesce(sum(f.opened), 0)::int8 as opened, coalesce(sum(f.engaged), 0)::int8 as engaged
    from analytics.ad_funnel as f
    where f.org_id = @org::text and f.local_date between @from::date and @to::date
), broadcasts as (
    select coalesce(sum(b.messages), 0)::int8 as messages, coalesce(sum(b.chats), 0)::int8 as chats, coalesce(sum(b.settled_chats), 0)::int8 as settled,
        coalesce(sum(b.measured_chats), 0)::int8 as measured, coalesce(sum(b.responded_chats), 0)::int8 as responded
    from analytics.broadcast_effect as b
    where b.org_id = @org::text and b.local_date between @from::date and @to::date
)
select x.figure, x.value, x.unit, x.second, x.second_label, x.n, x.of
from ads as a
cross join broadcasts as b
cross join lateral (values
    (1, 'Cases by an ad or link', a.eligible::float8, 'count', null::float8, null::text, a.opened, a.eligible),
    (2, 'Engaged', 100.0::float8 * a.engaged / nullif(a.opened, 0), 'percent', a.engaged::float8, 'cases', a.opened, a.eligible),
    (3, 'Broadcast messages', b.messages::float8, 'count', b.chats::float8, 'chats', b.messages, b.messages),
    (4, 'Wrote after a broadcast', 100.0::float8 * b.responded / nullif(b.measured, 0), 'percent', b.responded::float8, 'chats', b.measured, b.settled)
) as x (number, figure, value, unit, second, second_label, n, of)
order by x.number
