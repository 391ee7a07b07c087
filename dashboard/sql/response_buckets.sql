with times as (
    select t.replied_by, count(t.reply_seconds) as n, count(*) as of,
        case
            when t.reply_seconds <= 60 then 1 when t.reply_seconds <= 300 then 2 when t.reply_seconds <= 900 then 3 when t.reply_seconds <= 3600 then 4
            when t.reply_seconds <= 28800 then 5 when t.reply_seconds <= 86400 then 6 when t.reply_seconds is not null then 7
        end as bucket
    from analytics.turns as t
    where t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = 'any' and t.is_first_response
        and (@assistant::text is null or t.assistant_id = @assistant)
        and (@agent::text is null or t.agent_user_id = @agent)
        and (@channel::text is null or t.channel_type = @channel)
    group by t.replied_by, bucket
)
select b.bucket, coalesce(sum(t.n) filter (where t.replied_by = 'ai'), 0)::int8 as ai, coalesce(sum(t.n) filter (where t.replied_by = 'human'), 0)::int8 as team,
    (select coalesce(sum(n), 0) from times)::int8 as total_n, (select coalesce(sum(of), 0) from times)::int8 as total_of
from (values (1, 'to 1 min'), (2, '1–5 min'), (3, '5–15 min'), (4, '15–60 min'), (5, '1–8 h'), (6, '8–24 h'), (7, 'longer')) as b (number, bucket)
left join times as t on t.bucket = b.number
group by b.number, b.bucket
order by b.number
