select case d.metric
        when 'first_response' then 'First response' when 'reply' then 'Later replies' when 'human_reply' then 'Replies of the team' when 'ai_involvement' then 'AI involvement'
        when 'ai_resolved' then 'AI-resolved' when 'assignment' then 'Time to assignment' when 'resolution' then 'First message to close'
        when 'human_after_handoff' then 'Team after a handoff' when 'csat' then 'Ratings' else d.metric
    end as metric,
    100.0::float8 * sum(d.measured)::float8 / sum(d.eligible)::float8 as measured, sum(d.measured)::int8 as n, sum(d.eligible)::int8 as of
from analytics.coverage_daily as d
where d.org_id = @org::text and d.local_date between @from::date and @to::date
group by d.metric
order by d.metric
