select
    case
        when c.human_replies = 0 and c.ai_replies > 0 then 'AI only' when c.human_replies > 0 and c.ai_replies > 0 then 'AI and team'
        when c.human_replies > 0 then 'Team only' when c.chat_id is not null then 'No reply' else 'Not known'
    end as answered_by,
    100.0::float8 * count(*) filter (where r.completeness = 'complete' and r.score >= 4) / nullif(count(*) filter (where r.completeness = 'complete'), 0) as csat,
    avg(r.score) filter (where r.completeness = 'complete')::float8 as average,
    count(*) filter (where r.completeness = 'complete' and r.score <= 2) as unhappy,
    count(*) filter (where r.completeness = 'complete') as n,
    count(*) as of
from analytics.csat_ratings as r
-- Looked up one by one: ratings are few beside all cases.
left join lateral (
    select n.chat_id, n.ai_replies, n.human_replies
    from analytics.cases as n
    where n.org_id = r.org_id and n.chat_id = r.chat_id and n.case_number = r.case_number
    limit 1
) as c on true
where r.org_id = @org::text and r.rated_local_date between @from::date and @to::date and r.is_last
        and (@assistant::text is null or r.assistant_id = @assistant)
        and (@agent::text is null or r.assigned_user_id = @agent)
        and (@channel::text is null or r.channel_type = @channel)
group by 1
order by count(*) desc, 1
