select h.hour, percentile_cont(0.5) within group (order by t.reply_seconds) as p50,
    percentile_cont(0.9) within group (order by t.reply_seconds) as p90, count(t.reply_seconds) as n, count(t.pass) as of
from generate_series(0, 23) as h (hour)
left join analytics.turns as t on t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = 'human'
    and t.replied_local_hour = h.hour
    and (@assistant::text is null or t.assistant_id = @assistant)
    and (@agent::text is null or t.agent_user_id = @agent)
    and (@channel::text is null or t.channel_type = @channel)
group by h.hour
order by h.hour
