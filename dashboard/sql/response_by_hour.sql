-- The times of an hour are gathered and then sorted: sorting all by the hour first takes longer.
with times as (
    select t.replied_local_hour as hour, array_agg(t.reply_seconds) as seconds, count(t.reply_seconds) as n, count(*) as of
    from analytics.turns as t
    where t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = 'human'
        and (@assistant::text is null or t.assistant_id = @assistant)
        and (@agent::text is null or t.agent_user_id = @agent)
        and (@channel::text is null or t.channel_type = @channel)
    group by t.replied_local_hour
)
select h.hour, m.p[1] as p50, m.p[2] as p90, coalesce(t.n, 0) as n, coalesce(t.of, 0) as of
from generate_series(0, 23) as h (hour)
left join times as t on t.hour = h.hour
left join lateral (select percentile_cont(array[0.5, 0.9]) within group (order by s) as p from unnest(t.seconds) as s) as m on true
order by h.hour
