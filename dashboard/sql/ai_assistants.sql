-- The times of a version are gathered and then sorted: sorting all cases by their version first takes longer.
select
    d.assistant_id,
    coalesce(nullif(a.name, ''), d.assistant_id, 'No assistant') as assistant,
    (
        select v.version_number from analytics.assistant_versions as v
        where v.org_id = @org::text and v.assistant_id = d.assistant_id and v.assistant_config_id = d.assistant_config_id
        limit 1
    ) as version,
    g.model,
    d.cases,
    100.0::float8 * d.involved / nullif(d.measured, 0) as involvement,
    100.0::float8 * d.resolved / nullif(d.closed, 0) as resolved,
    d.closed as resolved_of,
    100.0::float8 * d.handed_off / nullif(d.involved, 0) as handed_off,
    (select percentile_cont(0.5) within group (order by s) from unnest(d.first_responses) as s) as first_response,
    d.measured as n,
    d.cases as of
from (
    select
        c.assistant_id,
        c.assistant_config_id,
        count(*) as cases,
        count(c.is_ai_involved) as measured,
        count(*) filter (where c.is_ai_involved) as involved,
        count(c.is_ai_resolved) filter (where c.is_ai_involved and c.closed_at is not null and c.last_ai_reply_at <= now() - interval '24 hours') as closed,
        count(*) filter (where c.is_ai_resolved and c.is_ai_involved and c.closed_at is not null and c.last_ai_reply_at <= now() - interval '24 hours') as resolved,
        count(*) filter (where c.is_ai_involved and c.handoff_at is not null) as handed_off,
        array_agg(c.first_ai_response_seconds) as first_responses
    from analytics.cases as c
    where c.org_id = @org::text and c.opened_local_date between @from::date and @to::date
        and (@assistant::text is null or c.assistant_id = @assistant)
        and (@agent::text is null or c.assigned_user_id = @agent)
        and (@channel::text is null or c.channel_type = @channel)
    group by c.assistant_id, c.assistant_config_id
    order by count(*) desc, c.assistant_id, c.assistant_config_id
    limit 50
) as d
left join inbox.assistants as a on a.org_id = @org::text and a.assistant_id = d.assistant_id
left join inbox.assistant_configs as g on g.org_id = @org::text and g.assistant_config_id = d.assistant_config_id
order by d.cases desc, d.assistant_id, version
