with days as (
    select distinct @step(d::date) as day from generate_series(@first::date, @to::date, interval '1 day') as d
), handoffs as (
    select @step(h.handed_off_local_date) as day, count(*) filter (where h.kind = 'ai_disabled') as switched_off,
        count(*) filter (where h.kind <> 'ai_disabled') as assigned, count(*) filter (where h.completeness in ('complete', 'censored')) as n, count(*) as of
    from analytics.handoffs as h
    where h.org_id = @org::text and h.handed_off_local_date between @from::date and @to::date
        and (@assistant::text is null or h.assistant_id = @assistant)
        and (@agent::text is null or h.first_human_reply_user_id = @agent)
        and (@channel::text is null or h.channel_type = @channel)
    group by 1
)
select d.day, coalesce(h.switched_off, 0) as switched_off, coalesce(h.assigned, 0) as assigned, coalesce(h.n, 0) as n, coalesce(h.of, 0) as of
from days as d
left join handoffs as h on h.day = d.day
order by d.day
