-- One scan for each way to count replies, and of each number the values alone are sorted.
with measured as (
    select x.number, x.n, x.of, x.p
    from (values ('any', 1, 3), ('human', 2, 4)) as w (pass, first, later)
    cross join lateral (
        select
            count(t.reply_seconds) filter (where t.is_first_response) as first_n,
            count(*) filter (where t.is_first_response) as first_of,
            percentile_cont(array[0.5, 0.9]) within group (order by t.reply_seconds) filter (where t.is_first_response) as first_p,
            count(t.reply_seconds) filter (where t.is_first_response is not true) as later_n,
            count(*) filter (where t.is_first_response is not true) as later_of,
            percentile_cont(array[0.5, 0.9]) within group (order by t.reply_seconds) filter (where t.is_first_response is not true) as later_p
        from analytics.turns as t
        where t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = w.pass
            and (@assistant::text is null or t.assistant_id = @assistant)
            and (@agent::text is null or t.agent_user_id = @agent)
            and (@channel::text is null or t.channel_type = @channel)
    ) as t
    cross join lateral (values (w.first, t.first_n, t.first_of, t.first_p), (w.later, t.later_n, t.later_of, t.later_p)) as x (number, n, of, p)
)
select x.figure, m.p[1] as value, 'seconds' as unit, m.p[2] as second, 'p90' as second_label, coalesce(m.n, 0) as n, coalesce(m.of, 0) as of
from (values
    (1, 'First response, AI or team'), (2, 'First response of the team'), (3, 'Later replies, AI or team'), (4, 'Later replies of the team')
) as x (number, figure)
left join measured as m on m.number = x.number
order by x.number
