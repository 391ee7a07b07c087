with replies as (
    select
        t.agent_user_id,
        count(*) as turns,
        count(t.reply_seconds) as n,
        percentile_cont(array[0.5, 0.9]) within group (order by t.reply_seconds) as p,
        percentile_cont(0.5) within group (order by t.reply_seconds) filter (where t.is_first_response) as first_p50
    from analytics.turns as t
    where t.org_id = @org::text and t.replied_local_date between @from::date and @to::date and t.pass = 'human' and t.agent_user_id is not null
        and (@assistant::text is null or t.assistant_id = @assistant)
        and (@agent::text is null or t.agent_user_id = @agent)
        and (@channel::text is null or t.channel_type = @channel)
    group by t.agent_user_id
), closed as (
    select c.assigned_user_id as agent_user_id, count(*) as closed
    from analytics.cases as c
    where c.org_id = @org::text and c.closed_local_date between @from::date and @to::date and c.assigned_user_id is not null
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
    group by c.assigned_user_id
), ratings as (
    select r.assigned_user_id as agent_user_id, count(*) as ratings, avg(r.score)::float8 as average
    from analytics.csat_ratings as r
    where r.org_id = @org::text and r.rated_local_date between @from::date and @to::date and r.is_last and r.completeness = 'complete'
        and r.assigned_user_id is not null
        and (@assistant::text is null or r.assistant_id = @assistant)
        and (@agent::text is null or r.assigned_user_id = @agent)
        and (@channel::text is null or r.channel_type = @channel)
    group by r.assigned_user_id
), people as (
    select agent_user_id from replies union select agent_user_id from closed union select agent_user_id from ratings
)
select
    p.agent_user_id,
    coalesce(nullif(u.name, ''), p.agent_user_id) as agent,
    coalesce(r.turns, 0) as turns,
    r.p[1] as p50,
    r.p[2] as p90,
    r.first_p50,
    coalesce(c.closed, 0) as closed,
    s.average as csat,
    coalesce(s.ratings, 0) as ratings,
    coalesce(r.n, 0) as n,
    coalesce(r.turns, 0) as of,
    count(*) over () as people,
    coalesce(sum(r.n) over (), 0)::int8 as total_n,
    coalesce(sum(r.turns) over (), 0)::int8 as total_of
from people as p
left join replies as r on r.agent_user_id = p.agent_user_id
left join closed as c on c.agent_user_id = p.agent_user_id
left join ratings as s on s.agent_user_id = p.agent_user_id
left join inbox.users as u on u.org_id = @org::text and u.user_id = p.agent_user_id
order by coalesce(r.turns, 0) desc, coalesce(c.closed, 0) desc, p.agent_user_id
limit 100
