with unhappy as (
    select r.chat_id, r.case_number, r.rated_at, r.score, r.assigned_user_id, r.assistant_id, r.channel_type
    from analytics.csat_ratings as r
    where r.org_id = @org::text and r.rated_local_date between @from::date and @to::date and r.is_last and r.completeness = 'complete' and r.score <= 2
        and (@assistant::text is null or r.assistant_id = @assistant)
        and (@agent::text is null or r.assigned_user_id = @agent)
        and (@channel::text is null or r.channel_type = @channel)
), newest as (
    select * from unhappy order by rated_at desc, chat_id limit 50
)
select
    r.rated_at,
    r.score,
    coalesce(nullif(w.contact_name, ''), nullif(w.title, ''), r.chat_id) as chat,
    w.link,
    r.channel_type as channel,
    r.assigned_user_id,
    coalesce(nullif(u.name, ''), r.assigned_user_id) as assigned_to,
    r.assistant_id,
    coalesce(nullif(a.name, ''), r.assistant_id) as assistant,
    c.resolution_seconds as resolution,
    (select count(*) from newest) as total_n,
    (select count(*) from unhappy) as total_of
from newest as r
left join analytics.cases as c on c.org_id = @org::text and c.chat_id = r.chat_id and c.case_number = r.case_number
left join inbox.users as u on u.org_id = @org::text and u.user_id = r.assigned_user_id
left join inbox.assistants as a on a.org_id = @org::text and a.assistant_id = r.assistant_id
left join analytics.chats_wide as w on w.org_id = @org::text and w.chat_id = r.chat_id
order by r.rated_at desc, r.chat_id
