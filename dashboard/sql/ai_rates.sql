select x.figure, x.value, u.unit, x.second, x.second_label, x.n, x.of
from (
    select
        count(*) as cases,
        count(c.is_ai_involved) as measured,
        count(*) filter (where c.is_ai_involved) as involved,
        count(c.is_ai_resolved) filter (where c.is_ai_involved and c.closed_at is not null and c.last_ai_reply_at <= now() - interval '24 hours') as closed,
        count(*) filter (where c.is_ai_resolved and c.is_ai_involved and c.closed_at is not null and c.last_ai_reply_at <= now() - interval '24 hours') as resolved,
        count(*) filter (where c.ai_replies > 0 and c.closed_at is not null and c.last_ai_reply_at <= now() - interval '24 hours') as closed_of,
        count(*) filter (where c.is_ai_involved and c.handoff_at is not null) as handed_off
    from analytics.cases as c
    where c.org_id = @org::text and c.opened_local_date between @from::date and @to::date
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
) as d
cross join lateral (values
    (1, 'AI involvement', 100.0::float8 * d.involved / nullif(d.measured, 0), d.involved::float8, 'cases', d.measured, d.cases),
    (2, 'AI-resolved (assumed)', 100.0::float8 * d.resolved / nullif(d.closed, 0), d.resolved::float8, 'cases', d.closed, d.closed_of),
    (3, 'Automation rate', 100.0::float8 * d.involved / nullif(d.measured, 0) * d.resolved / nullif(d.closed, 0), null, null, d.closed, d.closed_of),
    (4, 'Handed off', 100.0::float8 * d.handed_off / nullif(d.involved, 0), d.handed_off::float8, 'cases', d.measured, d.cases)
) as x (number, figure, value, second, second_label, n, of)
cross join (values ('percent')) as u (unit)
order by x.number
