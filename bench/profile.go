package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
)

// enableStatements has the server note the time of each statement in a database.
func enableStatements(ctx context.Context, address string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("connecting to profile Postgres: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "CREATE EXTENSION pg_stat_statements SCHEMA public"); err != nil {
		return fmt.Errorf("profiling Postgres (it needs its contrib package for pg_stat_statements): %w", err)
	}
	return nil
}

// writeStatements writes Postgres' time by statement, the longest first, as a table of tabs.
func (b *bench) writeStatements(ctx context.Context, address, dir string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("connecting to profile Postgres: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, `SELECT concat_ws(E'\t', round(total_exec_time::numeric, 1), calls, rows, wal_bytes, regexp_replace(left(query, 160), '\s+', ' ', 'g'))
		FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY total_exec_time DESC LIMIT 40`)
	if err != nil {
		return fmt.Errorf("reading pg_stat_statements: %w", err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("reading pg_stat_statements: %w", err)
	}
	path := filepath.Join(dir, "statements.tsv")
	text := "ms\tcalls\trows\twal_bytes\tquery\n" + strings.Join(lines, "\n") + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing Postgres' time by statement: %w", err)
	}
	return nil
}
