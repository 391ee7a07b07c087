-- An archive of bench.chats chats of the org "large", and of a hundredth as many of each of five others, over the year up to now,
-- as ingest leaves one that was listened to all along. Five messages a chat in the mean; one chat in seven is written to again
-- after some days. What one chat is like is drawn once, into pg_temp.chat; all rows follow from it.
--
-- The ids of chats are in no order of time, so the chats of a transaction of the refresher lie scattered over the table of
-- messages, which is in order of time: what it is in an archive that has grown.
set session_replication_role = replica; -- foreign keys are met by how the rows are made
set work_mem = '256MB';
set temp_buffers = '512MB';
set maintenance_work_mem = '1GB';
set synchronous_commit = off;
select setseed(0.5);

-- The indexes of inbox are made of all rows at the end: a row at a time they took most of the time. Unlike one that is dropped,
-- an index that is not ready keeps the foreign keys that refer to it.
update pg_index set indisready = false
where indrelid in (select oid from pg_class where relnamespace = 'inbox'::regnamespace and relkind = 'r');

create temp table chat as
select
    c.*,
    c.org_id || '-contact-' || (c.n % greatest(1, c.n_of_org / 2)) as contact_id,
    c.org_id || '-channel-' || (c.n % greatest(1, c.n_of_org / 2)) as contact_channel_id,
    (array['whatsapp', 'whatsapp', 'web', 'instagram', 'email'])[1 + c.n % greatest(1, c.n_of_org / 2) % 5] as channel_type,
    c.org_id || '-integration-' || c.n % greatest(1, c.n_of_org / 2) % 5 as integration_id,
    c.org_id || '-assistant-' || c.a as assistant_id,
    c.org_id || '-config-' || c.a || '-' || floor(extract(epoch from c.opened_at - c.first_at) / 86400 / 46) as assistant_config_id,
    case when c.kind <> 'ai' then c.org_id || '-agent-' || floor(30 * c.r1 * c.r1) end as agent_id,
    case c.kind when 'ai' then interval '25 seconds' else interval '9 minutes' end as pace,
    case when c.is_again then c.messages / 2 / 2 * 2 else c.messages end as in_first
from (
    select
        o.org_id, o.chats as n_of_org, n, o.first_at,
        substr(md5(o.org_id || n), 1, 20) as chat_id,
        date_trunc('milliseconds', o.first_at + (n - 1 + random()) / o.chats * interval '365 days') as opened_at,
        case when k.r < 0.6 then 'ai' when k.r < 0.85 then 'handoff' else 'human' end as kind,
        case when k.m < 1.0 / 7 then 8 else 2 + floor(6 * random())::int end as messages,
        k.m < 1.0 / 7 as is_again,
        floor(3 * random())::int as a,
        random() as r1,
        case when random() < 0.2 then 1 + floor(5 * sqrt(random()))::int end as score,
        random() < 0.1 as has_ad
    from (
        select org_id, greatest(20, chats) as chats, date_trunc('milliseconds', now()) - interval '365 days' as first_at
        from (
            select 'large', current_setting('bench.chats')::int
            union all
            select 'small-' || i, current_setting('bench.chats')::int / 100 from generate_series(1, 5) as i
        ) as s (org_id, chats)
    ) as o
    cross join lateral generate_series(1, o.chats) as n
    cross join lateral (select random() + 0 * n as r, random() + 0 * n as m) as k
) as c;

analyze chat;

create temp table message as
select
    c.org_id, c.n, c.chat_id, i, c.contact_channel_id,
    case
        when i % 2 = 1 then 'customer'
        when c.kind = 'human' or c.kind = 'handoff' and i >= 4 then 'human'
        else 'ai'
    end as sender,
    c.agent_id,
    c.opened_at + (i - 1) * c.pace + random() * c.pace + case when i > c.in_first then interval '3 days' else '0' end as at
from chat as c
cross join lateral generate_series(1, c.messages) as i;
delete from message where at > now();
analyze message;

insert into inbox.orgs (org_id, name, is_stub, first_seen_at, last_seen_at, version_at, chats_listed_at)
select org_id, initcap(org_id), false, min(first_at), now(), min(first_at), min(first_at) from chat group by org_id;
insert into analytics.settings (org_id, time_zone) values ('large', 'America/Sao_Paulo'), ('small-1', 'Asia/Kathmandu');
insert into analytics.business_hours (org_id, weekday, opens, closes)
select 'large', d, '09:00', '18:00' from generate_series(1, 5) as d;
insert into analytics.model_prices (org_id, model, valid_from, input_per_million, output_per_million)
select o.org_id, 'model-' || m, date '2020-01-01', 1 + m, 4 + m from inbox.orgs as o cross join generate_series(0, 2) as m;
insert into ops.connections (connection_id, org_id, instance, started_at, opened_at, last_frame_at, last_heard_at, frames, bytes, largest_frame_bytes)
select gen_random_uuid(), org_id, 'bench', first_seen_at - interval '1 hour', first_seen_at - interval '1 hour', now(), now(), 0, 0, 0 from inbox.orgs;
insert into ops.gaps (org_id, gap_id, began_at, ended_at, cause, status, repaired_at, chats_swept, messages_recovered)
select o.org_id, gen_random_uuid(), g, g + interval '3 minutes', 'bench', 'repaired', g + interval '5 minutes', 0, 0
from inbox.orgs as o cross join lateral generate_series(o.first_seen_at + interval '9 days', now() - interval '1 day', interval '30 days') as g;
insert into inbox.users (org_id, user_id, name, is_stub, first_seen_at, last_seen_at, version_seq)
select org_id, org_id || '-agent-' || a, 'Agent ' || a, false, first_seen_at, now(), 0 from inbox.orgs cross join generate_series(0, 29) as a;
insert into inbox.assistants (org_id, assistant_id, name, enabled, is_stub, first_seen_at, last_seen_at, version_seq)
select org_id, org_id || '-assistant-' || a, 'Assistant ' || a, true, false, first_seen_at, now(), 0 from inbox.orgs cross join generate_series(0, 2) as a;
insert into inbox.assistant_configs (org_id, assistant_config_id, config, model, enable_auto_csat, first_seen_at, last_seen_at)
select o.org_id, o.org_id || '-config-' || a || '-' || v, '{}', 'model-' || a, v % 2 = 0, o.first_seen_at + v * interval '46 days', now()
from inbox.orgs as o cross join generate_series(0, 2) as a cross join generate_series(0, 7) as v;
insert into inbox.contacts (org_id, contact_id, name, is_stub, first_seen_at, last_seen_at, version_seq)
select org_id, contact_id, 'Customer ' || min(n), false, min(opened_at), max(opened_at), 0 from chat group by org_id, contact_id;
insert into inbox.contact_channels (org_id, contact_channel_id, contact_id, type, name, is_stub, first_seen_at, last_seen_at, version_seq)
select org_id, contact_channel_id, min(contact_id), min(channel_type), 'Customer ' || min(n), false, min(opened_at), max(opened_at), 0
from chat group by org_id, contact_channel_id;

create temp table ending as
select org_id, chat_id, max(at) as last_at, max(at) filter (where i <= c.in_first) as first_at, min(at) filter (where i > c.in_first) as again_at,
    max(at) filter (where sender = 'customer') as customer_at, max(i) as i, min(at) filter (where i = 3) as third_at
from message join chat as c using (org_id, n, chat_id) group by 1, 2;
analyze ending;

-- What a chat went through: it is open at its first message; then with the team, where it gets there; closed half an hour after
-- the last message; rated; open and closed again.
create temp table change as
select c.org_id, c.chat_id, s.step, s.at, s.state, s.ai_enabled, s.agent_id, s.assigned_at, s.score
from chat as c
join ending as e using (org_id, chat_id)
cross join lateral (values
    (1, c.opened_at, 'OPEN', c.kind <> 'human', null, null::timestamptz, null::int),
    (2, e.third_at + interval '2 seconds', 'OPEN', false, null, null, null),
    (3, coalesce(e.third_at, c.opened_at) + interval '40 seconds', 'OPEN', false, c.agent_id, coalesce(e.third_at, c.opened_at) + interval '40 seconds', null),
    (4, e.first_at + interval '30 minutes', 'CLOSED', c.kind = 'ai', c.agent_id, c.opened_at, null),
    (5, e.first_at + interval '35 minutes', 'CLOSED', c.kind = 'ai', c.agent_id, c.opened_at, c.score),
    (6, e.again_at, 'OPEN', c.kind = 'ai', c.agent_id, c.opened_at, c.score),
    (7, e.last_at + interval '30 minutes', 'CLOSED', c.kind = 'ai', c.agent_id, c.opened_at, c.score)
) as s (step, at, state, ai_enabled, agent_id, assigned_at, score)
where s.at <= now() and (c.n % 200 > 0 or s.step < 4) -- some stay open
    and (s.step <> 2 or c.kind = 'handoff') and (s.step <> 3 or c.kind <> 'ai') and (s.step <> 5 or c.score is not null)
    and (s.step <> 7 or e.again_at is not null);
analyze change;

insert into inbox.chats (
    org_id, chat_id, title, model, status, created_at, updated_at, last_message_id, messages_complete_from, messages_complete_through,
    is_stub, first_seen_at, last_seen_at, version_at, observed_at, observed_seq
)
select c.org_id, c.chat_id, 'Chat ' || c.n, 'model-' || c.a, 'ACTIVE', c.opened_at, e.last_at, md5(c.chat_id || e.i)::uuid::text,
    '1970-01-01', e.last_at + interval '1 hour', false, c.opened_at, e.last_at, e.last_at, e.last_at, 1
from chat as c join ending as e using (org_id, chat_id)
order by c.opened_at;

insert into inbox.chat_states (
    org_id, chat_id, state_id, state, integration_id, assistant_id, ai_enabled, assigned_user_id, assigned_at, assistant_config_id,
    csat_score, last_contact_message_at, first_seen_at, last_seen_at, version_at
)
select c.org_id, c.chat_id, c.chat_id, s.state, c.integration_id, c.assistant_id, s.ai_enabled, s.agent_id, s.assigned_at, c.assistant_config_id,
    s.score, e.customer_at, c.opened_at, s.at, s.at
from chat as c join ending as e using (org_id, chat_id)
join (select distinct on (org_id, chat_id) * from change order by org_id, chat_id, at desc, step desc) as s using (org_id, chat_id)
order by c.opened_at;

insert into inbox.chat_state_changes (
    org_id, chat_id, changed_at, stream_id, seq, unchanged_until, state, integration_id, assistant_id, ai_enabled, assigned_user_id,
    assigned_at, assistant_config_id, csat_score, first_seen_at, last_seen_at, version_at
)
select c.org_id, c.chat_id, s.at, '00000000-0000-0000-0000-000000000001', row_number() over (order by s.at),
    case when s.step > 1 then s.at - interval '1 second' end, s.state, c.integration_id, c.assistant_id, s.ai_enabled, s.agent_id,
    s.assigned_at, c.assistant_config_id, s.score, s.at, s.at, s.at
from change as s join chat as c using (org_id, chat_id)
order by s.at;

insert into inbox.referrals (org_id, chat_id, referral_id, ad_id, source, ad_title, first_seen_at, last_seen_at, version_at)
select org_id, chat_id, md5(chat_id), 'ad-' || a, 'ADS', 'Ad ' || a, opened_at, opened_at, opened_at from chat where has_ad;

insert into inbox.members (org_id, chat_id, member_id, role, contact_channel_id, first_seen_at, last_seen_at)
select org_id, chat_id, md5(chat_id)::uuid::text, 'USER', contact_channel_id, opened_at, opened_at from chat order by opened_at;

insert into inbox.messages (
    org_id, chat_id, message_id, role, sender, user_id, contact_channel_id, member_id, model, status, text, content, created_at, updated_at,
    input_tokens, output_tokens, total_tokens, has_ended, first_seen_at, last_seen_at, version_at
)
select
    m.org_id, m.chat_id, md5(m.chat_id || m.i)::uuid::text, case m.sender when 'customer' then 'USER' else 'ASSISTANT' end, m.sender,
    case when m.sender = 'human' then m.agent_id end, case when m.sender = 'customer' then m.contact_channel_id end,
    md5(m.chat_id)::uuid::text, case when m.sender = 'ai' then 'model-' || m.i % 3 end, 'DONE',
    t.words, jsonb_build_array(jsonb_build_object('type', 'text', 'text', t.words)), m.at, m.at,
    case when m.sender = 'ai' then 900 + m.i end, case when m.sender = 'ai' then 90 + m.i end, case when m.sender = 'ai' then 990 + 2 * m.i end,
    true, m.at, m.at, m.at
from message as m
cross join lateral (select repeat(substr(md5(m.chat_id || m.i), 1, 9) || ' ', 4 + m.n % 20) as words) as t
order by m.at;

-- A broadcast a week to a few hundred chats.
insert into inbox.messages (
    org_id, chat_id, message_id, role, sender, status, text, broadcast_id, is_broadcast_message, created_at, updated_at, has_ended, first_seen_at, last_seen_at
)
select org_id, chat_id, md5(chat_id || 'broadcast')::uuid::text, 'ASSISTANT', 'broadcast', 'DONE', 'News', 'broadcast-' || date_trunc('week', at)::date, true,
    at, at, true, at, at
from (select org_id, chat_id, opened_at + interval '20 days' as at from chat where n % 50 = 0) as b
where at <= now();

drop table chat, message, ending, change;
do $$
declare
    made regclass;
begin
    for made in select oid from pg_class where relnamespace = 'inbox'::regnamespace and relkind = 'r' loop
        execute format('reindex table %s', made);
    end loop;
end
$$;
reset all;
