package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The statements of this file are written by hand: partition names are not parameters, so sqlc
// cannot express them. All identifiers in them are made here, from a year and a month.

// EnsurePartitions gives raw.events its monthly partitions raw.events_YYYY_MM (months of UTC) from
// now's month to monthsAhead months later, and for every other month that has rows in the default
// partition: these are moved over. What exists already is left alone. A month's partition is made
// in one transaction that lets writers of the other partitions go on; concurrent callers wait for
// each other. A writer that is in the middle of putting rows of a month into the default partition
// while this moves the month out can get 23514 (check violation): its next try succeeds.
func EnsurePartitions(ctx context.Context, pool *pgxpool.Pool, now time.Time, monthsAhead int) error {
	months := monthsFrom(now, monthsAhead)
	stray, err := defaultPartitionMonths(ctx, pool)
	if err != nil {
		return err
	}
	for _, month := range append(months, stray...) {
		if err := ensurePartition(ctx, pool, month); err != nil {
			return fmt.Errorf("creating the partition raw.%s: %w", partitionName(month), err)
		}
	}
	return nil
}

// DefaultPartitionRows counts the rows of raw.events that have no month's partition, up to 1000 (so
// that asking stays cheap). It must be 0: rows there stand in the way of their month's partition
// until EnsurePartitions moves them.
func DefaultPartitionRows(ctx context.Context, pool *pgxpool.Pool) (int64, error) {
	var rows int64
	err := pool.QueryRow(ctx, "SELECT count(*) FROM (SELECT FROM raw.events_default LIMIT 1000) AS r").Scan(&rows)
	if err != nil {
		return 0, fmt.Errorf("counting the rows of raw.events_default: %w", err)
	}
	return rows, nil
}

func monthsFrom(now time.Time, ahead int) []time.Time {
	year, month, _ := now.UTC().Date()
	var months []time.Time
	for i := range ahead + 1 {
		months = append(months, time.Date(year, month+time.Month(i), 1, 0, 0, 0, 0, time.UTC))
	}
	return months
}

func partitionName(month time.Time) string { return "events_" + month.Format("2006_01") }

// PartitionsAhead counts the months from now's on, without a hole, that have a partition among those named (without their
// schema): 0 when now's has none.
func PartitionsAhead(names []string, now time.Time) (months int) {
	for slices.Contains(names, partitionName(monthsFrom(now, months)[months])) {
		months++
	}
	return months
}

// defaultPartitionMonths finds the months that have rows in the default partition. It walks from
// month to month over the minimum, which reads each month once and not each row. Times outside of
// 1970 to 2199 are nobody's clock: their rows stay, and DefaultPartitionRows goes on saying so.
func defaultPartitionMonths(ctx context.Context, pool *pgxpool.Pool) ([]time.Time, error) {
	after := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	before := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	var months []time.Time
	for {
		var oldest *time.Time
		err := pool.QueryRow(ctx, `SELECT min(received_at) FROM raw.events_default
			WHERE received_at >= $1 AND received_at < $2`, after, before).Scan(&oldest)
		if err != nil {
			return nil, fmt.Errorf("looking for months in raw.events_default: %w", err)
		}
		if oldest == nil {
			return months, nil
		}
		month := monthsFrom(*oldest, 0)[0]
		months = append(months, month)
		after = month.AddDate(0, 1, 0)
	}
}

// partitionLock is the key of the advisory lock under which partitions are made.
const partitionLock = 7_202_601_150_001

// lockTimeout bounds each wait for a lock while a partition is made.
const lockTimeout = 15 * time.Second

func ensurePartition(ctx context.Context, pool *pgxpool.Pool, month time.Time) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// Better to fail and try again later than to wait for ever for a process that is stuck, or to queue everyone up
		// behind us.
		if _, err := tx.Exec(ctx, fmt.Sprintf("SET LOCAL lock_timeout = %d", lockTimeout.Milliseconds())); err != nil {
			return fmt.Errorf("limiting how long locks are waited for: %w", err)
		}
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(partitionLock)); err != nil {
			return fmt.Errorf("waiting for another process that makes partitions: %w", err)
		}
		name := partitionName(month)
		exists, err := isPartition(ctx, tx, name)
		if err != nil {
			return err
		}
		from, to := month.Format(time.DateOnly), month.AddDate(0, 1, 0).Format(time.DateOnly)
		if exists {
			return nil
		}
		return attachPartition(ctx, tx, name, from+" 00:00:00+00", to+" 00:00:00+00")
	})
}

// isPartition says whether the partition is there. A table of that name which is not attached is
// an operator's work, to be finished by the operator.
func isPartition(ctx context.Context, tx pgx.Tx, name string) (bool, error) {
	var exists, attached bool
	err := tx.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL, EXISTS (
			SELECT FROM pg_inherits WHERE inhparent = 'raw.events'::regclass AND inhrelid = to_regclass($1))`,
		"raw."+name).Scan(&exists, &attached)
	if err != nil {
		return false, fmt.Errorf("looking for it: %w", err)
	}
	if exists && !attached {
		return false, fmt.Errorf("a table of this name exists but is not a partition of raw.events: attach it or rename it")
	}
	return exists, nil
}

// attachPartition builds the table by itself and attaches it, because CREATE TABLE … PARTITION OF
// would lock out every reader and writer of raw.events. Rows of the month that are in the default
// partition are moved first: with them there, Postgres refuses to attach.
func attachPartition(ctx context.Context, tx pgx.Tx, name, from, to string) error {
	steps := []string{
		fmt.Sprintf("CREATE TABLE raw.%s (LIKE raw.events INCLUDING ALL)", name),
		fmt.Sprintf("COMMENT ON TABLE raw.%s IS 'Partition of raw.events: what was received from %s to before %s.'", name, from, to),
	}
	stray, err := hasRows(ctx, tx, from, to)
	if err != nil {
		return err
	}
	if stray {
		steps = append(steps,
			"LOCK TABLE raw.events IN SHARE UPDATE EXCLUSIVE MODE",
			"LOCK TABLE raw.events_default IN ACCESS EXCLUSIVE MODE",
			fmt.Sprintf(`WITH moved AS (
				DELETE FROM raw.events_default WHERE received_at >= '%[2]s' AND received_at < '%[3]s' RETURNING *)
				INSERT INTO raw.%[1]s SELECT * FROM moved`, name, from, to))
	}
	steps = append(steps,
		fmt.Sprintf("ALTER TABLE raw.events ATTACH PARTITION raw.%s FOR VALUES FROM ('%s') TO ('%s')", name, from, to))
	for _, step := range steps {
		if _, err := tx.Exec(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

func hasRows(ctx context.Context, tx pgx.Tx, from, to string) (exists bool, err error) {
	err = tx.QueryRow(ctx, fmt.Sprintf(`SELECT EXISTS (SELECT FROM raw.events_default
		WHERE received_at >= '%s' AND received_at < '%s')`, from, to)).Scan(&exists)
	if err != nil {
		return false, fmt.Errorf("looking for its rows in raw.events_default: %w", err)
	}
	return exists, nil
}
