-- +goose Up
-- What a reader may know of raw and ops beside gaps and freshness: how well what came was understood. No payloads, no samples.
-- Events with a flaw are few, and are looked for among all.
create index events_flaws on raw.events (org_id, received_at) where flaws is not null;

create view analytics.flaws with (security_barrier = true) as
select
    e.org_id,
    e.received_at,
    e.source,
    e.kind,
    e.chat_id,
    f.flaw::text as flaw
from raw.events as e
cross join lateral unnest(e.flaws) as f (flaw)
where e.flaws is not null and analytics.may_read(e.org_id);
comment on view analytics.flaws is 'What was wrong with events as they came: one row for each flaw. What could not be read is NULL in inbox, and whole in raw.events.';
comment on column analytics.flaws.org_id is 'The org.';
comment on column analytics.flaws.received_at is 'When the event was received.';
comment on column analytics.flaws.source is 'socket, rest or import.';
comment on column analytics.flaws.kind is 'frame, chats_page, messages_page, orgs_page or other, as in raw.events.';
comment on column analytics.flaws.chat_id is 'The chat it was about; NULL: none, or several.';
comment on column analytics.flaws.flaw is 'Path and reason, as state.csat_score: not a number.';

create view analytics.drift with (security_barrier = true) as
select
    s.org_id,
    s.path,
    s.json_type,
    s.first_seen_at,
    s.last_seen_at,
    s.sightings
from ops.field_sightings as s
where not s.is_mapped and analytics.may_read(s.org_id);
comment on view analytics.drift is 'Fields that the vendor sends and the archiver does not read: they are in raw.events only. One row for each path and type; archiver drift tells more.';
comment on column analytics.drift.org_id is 'The org whose events showed it.';
comment on column analytics.drift.path is 'JSON path, as in ops.field_sightings.';
comment on column analytics.drift.json_type is 'string, number, boolean, object, array or null.';
comment on column analytics.drift.first_seen_at is 'When it was first seen.';
comment on column analytics.drift.last_seen_at is 'When it was last seen.';
comment on column analytics.drift.sightings is 'How often it was there with this type.';

-- +goose Down
drop view analytics.drift, analytics.flaws;
drop index raw.events_flaws;
