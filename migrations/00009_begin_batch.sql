-- +goose Up
-- +goose StatementBegin
create function ops.begin_batch(
    stream uuid, writer text, from_seq int8, through_seq int8, received timestamptz, moved timestamptz, orgs text[], must_be_turn bool
) returns bool
language plpgsql
as $$
declare
    is_turn bool;
begin
    -- Plans are the same whatever the rows, and making them anew costs as much as a small batch. They are made when tables may be
    -- empty, and are not to be such as are good for those only.
    perform pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true), pg_catalog.set_config('enable_seqscan', 'off', true),
        pg_catalog.set_config('enable_hashjoin', 'off', true), pg_catalog.set_config('enable_mergejoin', 'off', true);

    -- First of all the checkpoint: a second writer of the same stream waits here, and then finds it moved.
    update ops.streams as s
    set committed_seq = through_seq, last_received_at = received, instance = writer, updated_at = moved
    where s.stream_id = stream and s.committed_seq = from_seq;
    if not found then
        raise exception using errcode = 'AR001', message = 'the checkpoint of the stream is not where the writer left it';
    end if;

    select coalesce(bool_and(l.writer_stream_id is not distinct from stream), true) into is_turn
    from (
        select k.writer_stream_id from ops.leases as k where k.org_id = any (orgs) order by k.org_id for no key update
    ) as l;
    if must_be_turn and not is_turn then
        raise exception using errcode = 'AR002', message = 'another writer has written an org meanwhile';
    end if;
    return is_turn;
end
$$;
-- +goose StatementEnd
comment on function ops.begin_batch is 'Begins the transaction that writes events of a stream: settings for its plans, the checkpoint moved from from_seq to through_seq (SQLSTATE AR001 when it is elsewhere), the orgs'' rows of ops.leases locked. Returns whether the stream wrote all of them last; when it must have and has not, fails with SQLSTATE AR002.';

-- +goose Down
drop function ops.begin_batch;
