-- +goose Up
create schema ops;
comment on schema ops is 'How the archiving goes: connections, gaps, checkpoints, drift.';

create table ops.connections (
    connection_id       uuid        not null,
    org_id              text        not null,
    instance            text        not null,
    started_at          timestamptz not null,
    opened_at           timestamptz,
    last_frame_at       timestamptz,
    last_heard_at       timestamptz,
    closed_at           timestamptz,
    close_code          int4,
    close_reason        text,
    frames              int8      not null,
    bytes               int8      not null,
    largest_frame_bytes int8      not null,
    primary key (org_id, connection_id)
);
create index connections_started_at on ops.connections (org_id, started_at);
comment on table ops.connections is 'One row for each WebSocket connection that was tried; written every few seconds while it lasts, and when it ends.';
comment on column ops.connections.connection_id is 'Minted by the archiver; raw.events.connection_id refers to it.';
comment on column ops.connections.org_id is 'The org whose inbox it is.';
comment on column ops.connections.instance is 'The process that held it: host name and process id.';
comment on column ops.connections.started_at is 'When the handshake was begun, by the archiver''s clock.';
comment on column ops.connections.opened_at is 'When the handshake had succeeded; NULL when it did not.';
comment on column ops.connections.last_frame_at is 'When the newest frame had arrived; NULL when none did.';
comment on column ops.connections.last_heard_at is 'When the last byte was heard, pongs included; written every five seconds while the connection is open. NULL when none was.';
comment on column ops.connections.closed_at is 'When it ended; NULL while it is open, or when the process died before it could write this.';
comment on column ops.connections.close_code is 'The WebSocket close code, or the HTTP status of a refused handshake; NULL when there was neither.';
comment on column ops.connections.close_reason is 'Why it ended, in words; NULL while it is open.';
comment on column ops.connections.frames is 'Frames received.';
comment on column ops.connections.bytes is 'Bytes of all frames received.';
comment on column ops.connections.largest_frame_bytes is 'Bytes of the largest frame received.';

create table ops.gaps (
    org_id             text        not null,
    gap_id             uuid        not null,
    began_at           timestamptz not null,
    ended_at           timestamptz,
    cause              text        not null,
    status             text        not null,
    repaired_at        timestamptz,
    chats_swept        int8      not null,
    messages_recovered int8      not null,
    primary key (org_id, gap_id)
);
create index gaps_began_at on ops.gaps (org_id, began_at);
comment on table ops.gaps is 'One row for each interval in which an org''s inbox was not listened to.';
comment on column ops.gaps.org_id is 'The org whose inbox it is.';
comment on column ops.gaps.gap_id is 'Minted by the archiver.';
comment on column ops.gaps.began_at is 'When the last byte before it was heard.';
comment on column ops.gaps.ended_at is 'When the first byte after it was heard; NULL while it lasts.';
comment on column ops.gaps.cause is 'Why nothing was heard.';
comment on column ops.gaps.status is 'open, repairing, repaired or unrepaired.';
comment on column ops.gaps.repaired_at is 'When what changed meanwhile had been fetched again; NULL when it has not.';
comment on column ops.gaps.chats_swept is 'Chats that were read again to repair it. Gaps that are repaired together count theirs with the oldest of them.';
comment on column ops.gaps.messages_recovered is 'Messages that were first seen through its repair, counted like chats_swept.';

create table ops.streams (
    stream_id        uuid        not null primary key,
    instance         text        not null,
    committed_seq    int8      not null,
    last_received_at timestamptz,
    updated_at       timestamptz not null
);
comment on table ops.streams is 'Checkpoints: how far each spool has been written to this database. Moved in the transaction that writes the rows.';
comment on column ops.streams.stream_id is 'The spool.';
comment on column ops.streams.instance is 'The process that last wrote from it: host name and process id.';
comment on column ops.streams.committed_seq is 'Every event of the spool up to this one is in raw.events, or missing within a gap because the database was restored from a backup; 0 when none is.';
comment on column ops.streams.last_received_at is 'received_at of the last event of the spool that is in raw.events; of a database that never had one: when the spool was made. NULL before the first.';
comment on column ops.streams.updated_at is 'When that was last moved, by the archiver''s clock.';

create table ops.field_sightings (
    org_id        text        not null,
    path          text        not null,
    json_type     text        not null,
    parent_path   text,
    is_mapped     bool        not null,
    first_seen_at timestamptz not null,
    last_seen_at  timestamptz not null,
    sightings     int8      not null,
    nulls         int8      not null,
    parents       int8      not null,
    sample_values text[],
    primary key (org_id, path, json_type)
);
comment on table ops.field_sightings is 'Which fields the vendor sends, how often, and as what: one row for each JSON path and type. The source of the drift report. Counts lag by up to a minute, new rows by seconds; events that are read again after a crash count again.';
comment on column ops.field_sightings.org_id is 'The org whose events showed it.';
comment on column ops.field_sightings.path is 'JSON path, with [] for array elements; it begins at the top of a frame (type, data.title), or at the kind of a page (chats_page[].title). $ is a frame itself. * gathers names that are too many to be told apart, or look like data (with @, that begin with a digit, of more than 64 bytes).';
comment on column ops.field_sightings.json_type is 'string, number, boolean, object, array or null.';
comment on column ops.field_sightings.parent_path is 'The path of the object that holds it; NULL for array elements and where paths begin.';
comment on column ops.field_sightings.is_mapped is 'Whether the archiver reads the field as this type; what it does not read is in raw.events only.';
comment on column ops.field_sightings.first_seen_at is 'Observed time of the first sighting.';
comment on column ops.field_sightings.last_seen_at is 'Observed time of the last sighting.';
comment on column ops.field_sightings.sightings is 'How often the field was there with this type.';
comment on column ops.field_sightings.nulls is 'How often the field was an explicit null; the same in all rows of a path.';
comment on column ops.field_sightings.parents is 'How often the object that could hold it was there, since that was first seen; the same in all rows of a path. The field was absent from those that all its sightings leave over. 0 where parent_path is NULL.';
comment on column ops.field_sightings.sample_values is 'Values seen, at most 50 and none above 64 bytes, for enumerated paths only; NULL for all others, which may be personal.';

create table ops.dirty_chats (
    org_id   text        not null,
    chat_id  text        not null,
    dirty_at timestamptz not null,
    primary key (org_id, chat_id)
) with (fillfactor = 70);
comment on table ops.dirty_chats is 'Chats that changed since their facts in analytics were last refreshed.';
comment on column ops.dirty_chats.org_id is 'The chat''s org.';
comment on column ops.dirty_chats.chat_id is 'The chat.';
comment on column ops.dirty_chats.dirty_at is 'When it last changed here, by the archiver''s clock.';

create table ops.leases (
    org_id           text        not null primary key,
    instance         text        not null,
    stream_id        uuid        not null,
    term             int8        not null,
    acquired_at      timestamptz not null,
    renewed_at       timestamptz not null,
    expires_at       timestamptz not null,
    writer_stream_id uuid
);
comment on table ops.leases is 'Which process ingests an org: one at a time.';
comment on column ops.leases.org_id is 'The org.';
comment on column ops.leases.instance is 'The process that holds it: host name and process id.';
comment on column ops.leases.stream_id is 'The spool the holder puts the org''s frames into; whoever has that spool open may take the lease at once.';
comment on column ops.leases.writer_stream_id is 'The stream whose events were written last; a writer that finds another one here reads the rows anew. NULL before the first.';
comment on column ops.leases.term is 'Counts the holders; a renewal of an older term is refused.';
comment on column ops.leases.acquired_at is 'When this holder took it.';
comment on column ops.leases.renewed_at is 'When this holder last renewed it.';
comment on column ops.leases.expires_at is 'When another process may take it unless it is renewed.';

create view ops.incomplete_chats as
select c.org_id, c.chat_id, c.updated_at, c.observed_at, c.messages_complete_from, c.messages_complete_through
from inbox.chats as c
where c.deleted_at is null and (
    c.messages_complete_through is null or c.messages_complete_from > timestamptz '1970-01-01 00:00:00+00'
    or c.observed_at > c.messages_complete_through and c.updated_at > c.messages_complete_through - interval '5 minutes'
);
comment on view ops.incomplete_chats is 'Chats whose messages are not known to be all here: the message list was never read from its beginning, or the chat has changed since (five minutes are allowed for between the vendor''s clock and the archiver''s).';
comment on column ops.incomplete_chats.org_id is 'The chat''s org.';
comment on column ops.incomplete_chats.chat_id is 'The chat.';
comment on column ops.incomplete_chats.updated_at is 'As in inbox.chats.';
comment on column ops.incomplete_chats.observed_at is 'As in inbox.chats.';
comment on column ops.incomplete_chats.messages_complete_from is 'As in inbox.chats.';
comment on column ops.incomplete_chats.messages_complete_through is 'As in inbox.chats.';

create table ops.settings (
    org_id     text        not null,
    name       text        not null,
    value      jsonb       not null,
    updated_at timestamptz not null,
    primary key (org_id, name)
);
comment on table ops.settings is 'Settings and marks of the archiver itself.';
comment on column ops.settings.org_id is 'The org it holds for; empty for all.';
comment on column ops.settings.name is 'The setting.';
comment on column ops.settings.value is 'Its value.';
comment on column ops.settings.updated_at is 'When it was last set.';

-- +goose Down
drop schema ops cascade;
