package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Questions to the server's catalogs, which sqlc does not know: written by hand, and all of them here.

// partition is one of raw.events.
type partition struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"` // with indexes
	Rows  int64  `json:"rows"`  // the server's estimate; -1 where it has none
}

func readPartitions(ctx context.Context, pool *pgxpool.Pool) ([]partition, error) {
	rows, err := pool.Query(ctx, `select c.relname::text, pg_total_relation_size(c.oid),
			greatest(c.reltuples::int8, pg_stat_get_live_tuples(c.oid))
		from pg_inherits i join pg_class c on c.oid = i.inhrelid
		where i.inhparent = 'raw.events'::regclass order by 1`)
	if err != nil {
		return nil, fmt.Errorf("reading the sizes of raw.events: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[partition])
	if err != nil {
		return nil, fmt.Errorf("reading the sizes of raw.events: %w", err)
	}
	return all, nil
}

func readDatabaseBytes(ctx context.Context, pool *pgxpool.Pool) (n int64, err error) {
	if err := pool.QueryRow(ctx, "select pg_database_size(current_database())").Scan(&n); err != nil {
		return 0, fmt.Errorf("reading the size of the database: %w", err)
	}
	return n, nil
}

// serverFacts is what doctor wants to know of a server.
type serverFacts struct {
	Version           int // as 170002
	VersionText       string
	Encoding          string
	Fsync             string
	FullPageWrites    string
	SynchronousCommit string
	IsReplica         bool
	MaxConnections    int
	HasLZ4            bool
	Now               time.Time
}

func readServerFacts(ctx context.Context, pool *pgxpool.Pool) (f serverFacts, err error) {
	err = pool.QueryRow(ctx, `select current_setting('server_version_num')::int, current_setting('server_version'),
			pg_encoding_to_char(d.encoding), current_setting('fsync'), current_setting('full_page_writes'),
			current_setting('synchronous_commit'), pg_is_in_recovery(), current_setting('max_connections')::int,
			exists (select from pg_settings where name = 'default_toast_compression' and 'lz4' = any(enumvals)),
			clock_timestamp()
		from pg_database d where d.datname = current_database()`).Scan(&f.Version, &f.VersionText, &f.Encoding, &f.Fsync,
		&f.FullPageWrites, &f.SynchronousCommit, &f.IsReplica, &f.MaxConnections, &f.HasLZ4, &f.Now)
	if err != nil {
		return f, fmt.Errorf("reading the server's settings: %w", err)
	}
	return f, nil
}
