-- name: OpenStream :one
-- Makes the spool known to the database, or finds how far it had been written.
insert into ops.streams as t (stream_id, instance, committed_seq, updated_at)
values (@stream_id, @instance, 0, @updated_at)
on conflict (stream_id) do update set instance = excluded.instance
returning t.committed_seq, t.last_received_at;

-- name: AdvanceStream :execrows
-- Moves the checkpoint; no row is changed when it is not where the writer believes it to be.
update ops.streams
set committed_seq = @to_seq, last_received_at = @last_received_at, instance = @instance, updated_at = @updated_at
where stream_id = @stream_id and committed_seq = @from_seq;

-- name: BeginBatch :one
-- Moves the checkpoint, and waits for the other writers of the orgs: the orgs' rows of ops.leases are locked until the transaction ends,
-- so that two writers of one org take turns. Whether the stream is the one that wrote them last; where it must be and is not, it fails
-- with SQLSTATE AR002.
select ops.begin_batch(
    @stream_id::uuid, @instance::text, @from_seq::int8, @to_seq::int8, @last_received_at::timestamptz, @updated_at::timestamptz, @org_ids::text[],
    @must_be_turn::bool
)::bool as is_turn;
