-- name: AcquireLease :many
-- Takes the org's lease when it is free, has run out, or belongs to the same spool; no row when another process holds it.
-- Times are the database's own, so that the processes' clocks do not matter. Seconds are how long events of another holder's spool may come yet.
insert into ops.leases as t (org_id, instance, stream_id, term, acquired_at, renewed_at, expires_at)
values (
    @org_id, @instance, @stream_id, 1, clock_timestamp(), clock_timestamp(),
    clock_timestamp() + make_interval(secs => @ttl_seconds::float8)
)
on conflict (org_id) do update set
    instance = excluded.instance, stream_id = excluded.stream_id, term = t.term + 1,
    acquired_at = excluded.acquired_at, renewed_at = excluded.renewed_at, expires_at = excluded.expires_at,
    late_until = case
        when t.stream_id = excluded.stream_id then t.late_until
        else clock_timestamp() + make_interval(secs => @late_seconds::float8)
    end
where t.expires_at <= clock_timestamp() or t.stream_id = excluded.stream_id
returning t.term, coalesce(extract(epoch from (t.late_until - clock_timestamp())), 0)::float8 as late_seconds;

-- name: RenewLease :execrows
-- No row is changed when another process has taken the lease.
update ops.leases
set renewed_at = clock_timestamp(), expires_at = clock_timestamp() + make_interval(secs => @ttl_seconds::float8)
where org_id = @org_id and stream_id = @stream_id and term = @term;

-- name: ReleaseLease :exec
update ops.leases set expires_at = clock_timestamp()
where org_id = @org_id and stream_id = @stream_id and term = @term;

-- name: SetWriter :exec
update ops.leases set writer_stream_id = @stream_id where org_id = any(@org_ids::text[]);
