select x.figure, x.value, x.unit, x.second, x.second_label, x.n, x.of
from (
    select count(*) as opened, count(*) filter (where c.case_number > 1) as again,
        count(*) filter (where c.completeness in ('complete', 'censored')) as known
    from analytics.cases as c
    where c.org_id = @org::text and c.opened_local_date between @from::date and @to::date
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
) as o
cross join (
    select count(*) as closed, count(*) filter (where c.completeness = 'complete') as known
    from analytics.cases as c
    where c.org_id = @org::text and c.closed_local_date between @from::date and @to::date
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
) as c
cross join (
    select count(*) as handoffs, count(*) filter (where h.completeness in ('complete', 'censored')) as known
    from analytics.handoffs as h
    where h.org_id = @org::text and h.handed_off_local_date between @from::date and @to::date
        and (@assistant::text is null or h.assistant_id = @assistant)
        and (@agent::text is null or h.first_human_reply_user_id = @agent)
        and (@channel::text is null or h.channel_type = @channel)
) as h
cross join lateral (values
    (1, 'Cases opened', o.opened::float8, 'count', null::float8, null::text, o.known, o.opened),
    (2, 'Cases closed', c.closed::float8, 'count', null, null, c.known, c.closed),
    (3, 'Opened again', o.again::float8, 'count', 100.0::float8 * o.again / nullif(o.opened, 0), '% of opened', o.known, o.opened),
    (4, 'Handed to the team', h.handoffs::float8, 'count', null, null, h.known, h.handoffs)
) as x (number, figure, value, unit, second, second_label, n, of)
order by x.number
