with times as (
    select t.replied_by, t.reply_seconds as seconds,
        case
            when t.reply_seconds <= 60 then 1 when t.reply_seconds <= 300 then 2 when t.reply_seconds <= 900 then 3 when t.reply_seconds <= 3600 then 4
            when t.reply_seconds <= 28800 then 5 when t.reply_seconds <= 86400 then 6 when t.reply_seconds is not null then 7
        end as bucket
    from analytics.turns as t
    where t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = 'any' and t.is_first_response
        and (@assistant::text is null or t.assistant_id = @assistant)
        and (@agent::text is null or t.agent_user_id = @agent)
        and (@channel::text is null or t.channel_type = @channel)
)
select b.bucket, count(t.seconds) filter (where t.replied_by = 'ai') as ai, count(t.seconds) filter (where t.replied_by = 'human') as team,
    (select count(seconds) from times) as total_n, (select count(*) from times) as total_of
from (values (1, 'to 1 min'), (2, '1–5 min'), (3, '5–15 min'), (4, '15–60 min'), (5, '1–8 h'), (6, '8–24 h'), (7, 'longer')) as b (number, bucket)
left join times as t on t.bucket = b.number
group by b.number, b.bucket
order by b.number
