-- +goose Up
create schema raw;
comment on schema raw is 'Every event exactly as it came; append-only; the source of truth. Never granted to BI tools.';

create table raw.events (
    org_id        text        not null,
    received_at   timestamptz not null,
    observed_at   timestamptz not null,
    stream_id     uuid        not null,
    seq           int8      not null,
    connection_id uuid,
    source        text        not null,
    kind          text        not null,
    request       jsonb,
    type          text,
    identifier    text,
    chat_id       text,
    -- lz4 stores as small as pglz at well over its speed, and these rows are compressed once and seldom read.
    payload       jsonb       compression lz4,
    raw           bytea       compression lz4,
    flaws         text[],
    sha256        bytea       not null,
    primary key (org_id, received_at, stream_id, seq),
    constraint events_have_content check (payload is not null or raw is not null)
) partition by range (received_at);

-- A row stays whole on its page as long as it fits there once it is compressed, which nearly every one does. By default
-- what is over 2 kB is cut into pieces that are stored in a table of their own, with an index and WAL of their own.
alter table raw.events
    alter org_id set storage main, alter source set storage main, alter kind set storage main,
    alter request set storage main, alter type set storage main, alter identifier set storage main,
    alter chat_id set storage main, alter payload set storage main, alter raw set storage main,
    alter flaws set storage main, alter sha256 set storage main;

create index events_chat on raw.events (org_id, chat_id, received_at);
-- Few events are such pages, and an org is described by those of other orgs.
create index events_listed_orgs on raw.events using gin (payload jsonb_path_ops) where kind = 'orgs_page';
create index events_received_at on raw.events using brin (received_at);

-- Months are made ahead of time by the program; what falls outside them is still stored, and watched.
create table raw.events_default partition of raw.events default;

comment on table raw.events is 'One row for each frame, REST response or imported line, as it was received. Append-only; partitioned by month of received_at (UTC).';
comment on column raw.events.org_id is 'The org the connection or request stands for (the vendor''s id; c only where it could not be resolved).';
comment on column raw.events.received_at is 'When the whole frame or response had arrived, by the archiver''s clock; strictly increasing within a stream. Of a line that was imported without an envelope: the time of the version it describes.';
comment on column raw.events.observed_at is 'What the content is at least as fresh as: a frame''s received_at, a REST response''s request start.';
comment on column raw.events.stream_id is 'The spool that took the event in; of a line that was imported without an envelope: made of the file.';
comment on column raw.events.seq is 'The event''s place in its spool, counted from 1; of a line that was imported without an envelope: made of the line.';
comment on column raw.events.connection_id is 'The WebSocket connection it came over (ops.connections); NULL for REST and imports.';
comment on column raw.events.source is 'socket, rest or import.';
comment on column raw.events.kind is 'frame (a text frame of the socket); chats_page, messages_page, orgs_page (one REST response whole); other (e.g. a binary frame).';
comment on column raw.events.request is 'REST only: path, query, status, started_at and the paging headers; NULL for frames.';
comment on column raw.events.type is 'The frame''s top-level type, as sent; NULL when absent, not a string, or no frame.';
comment on column raw.events.identifier is 'The frame''s top-level identifier, as sent; NULL when absent, not a string, or no frame.';
comment on column raw.events.chat_id is 'data.id as sent, or the chat a REST request asked about; NULL when there is none or it is no usable id, and for pages of several chats (raw.event_chats).';
comment on column raw.events.payload is 'The content as jsonb; NULL when the bytes cannot be represented as jsonb at all. Where it is not a faithful copy, raw holds the bytes.';
comment on column raw.events.raw is 'The original bytes, only when payload is not a faithful copy of them or cannot exist; else NULL.';
comment on column raw.events.flaws is 'What was wrong with it, one text a flaw: path and reason (state.csat_score: not a number); NULL when nothing was.';
comment on column raw.events.sha256 is 'SHA-256 of the original bytes, to match and audit.';

comment on table raw.events_default is 'Partition of raw.events for what was received in a month without a partition of its own; to be empty.';
-- Comments are not inherited by partitions.
-- +goose StatementBegin
do $$
declare
    c record;
begin
    for c in select attname, col_description(attrelid, attnum) as comment
        from pg_attribute where attrelid = 'raw.events'::regclass and attnum > 0
    loop
        execute format('comment on column raw.events_default.%I is %L', c.attname, c.comment);
    end loop;
end
$$;
-- +goose StatementEnd

create table raw.event_chats (
    org_id      text        not null,
    chat_id     text        not null,
    received_at timestamptz not null,
    stream_id   uuid        not null,
    seq         int8      not null,
    primary key (org_id, chat_id, received_at, stream_id, seq)
);
comment on table raw.event_chats is 'Which chats a response that describes several of them (chats_page) speaks of: one row for each chat and response. Lets a chat be derived again from its events.';
comment on column raw.event_chats.org_id is 'The event''s org.';
comment on column raw.event_chats.chat_id is 'A chat the response describes.';
comment on column raw.event_chats.received_at is 'The event''s received_at.';
comment on column raw.event_chats.stream_id is 'The event''s stream_id.';
comment on column raw.event_chats.seq is 'The event''s seq.';

-- +goose Down
drop schema raw cascade;
