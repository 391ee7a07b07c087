package postgres_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"archiver/postgres"
	"archiver/postgres/dbtest"
)

// The months of these tests are past and future ones, for which a fresh database has no partitions.

func TestPartitionsAreMadeForTheMonthsOfUTC(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	// Still December in UTC.
	now := time.Date(2041, 1, 1, 2, 0, 0, 0, time.FixedZone("", 5*60*60))
	for range 2 {
		if err := postgres.EnsurePartitions(t.Context(), pool, now, 2); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, name := range partitions(t, pool) {
		if strings.HasPrefix(name, "events_204") {
			got = append(got, name)
		}
	}
	if want := []string{"events_2040_12", "events_2041_01", "events_2041_02"}; !slices.Equal(got, want) {
		t.Errorf("there should be the partitions %v, there are %v", want, got)
	}
	for at, want := range map[string]string{
		"2040-12-01 00:00:00+00":        "events_2040_12",
		"2040-12-31 23:59:59.999999+00": "events_2040_12",
		"2041-01-01 00:00:00+00":        "events_2041_01",
		"2041-03-01 00:00:00+00":        "events_default",
	} {
		if got := insertEvent(t, pool, at); got != want {
			t.Errorf("an event of %s should be in %s, it is in %s", at, want, got)
		}
	}
}

func TestRowsInTheDefaultPartitionMoveToTheirMonths(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	wantRows(t, pool, 0)
	for _, at := range []string{"2019-02-28 23:59:59+00", "2019-03-01 00:00:00+00", "2019-03-15 00:00:00+00", "2045-07-01 00:00:00+00", "2045-08-31 00:00:00+00"} {
		if got := insertEvent(t, pool, at); got != "events_default" {
			t.Fatalf("an event of a month without a partition should be in the default one, it is in %s", got)
		}
	}
	wantRows(t, pool, 5)
	if err := postgres.EnsurePartitions(t.Context(), pool, time.Date(2045, 7, 20, 0, 0, 0, 0, time.UTC), 0); err != nil {
		t.Fatal(err)
	}
	wantRows(t, pool, 0)
	want := map[string]int{"events_2019_02": 1, "events_2019_03": 2, "events_2045_07": 1, "events_2045_08": 1}
	rows, err := pool.Query(t.Context(), "SELECT tableoid::regclass::text, count(*) FROM raw.events GROUP BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		seen++
		if name = strings.TrimPrefix(name, "raw."); want[name] != n {
			t.Errorf("%s should have %d rows, it has %d", name, want[name], n)
		}
	}
	if rows.Err() != nil || seen != len(want) {
		t.Errorf("the rows should be in %d partitions, they are in %d (error: %v)", len(want), seen, rows.Err())
	}
}

// A time that no clock shows has no month; it stays where it is seen.
func TestRowsOfImpossibleTimesStayInTheDefaultPartition(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	for _, at := range []string{"infinity", "-infinity", "0001-01-01 00:00:00+00", "9999-01-01 00:00:00+00"} {
		insertEvent(t, pool, at)
	}
	if err := postgres.EnsurePartitions(t.Context(), pool, time.Date(2043, 1, 1, 0, 0, 0, 0, time.UTC), 1); err != nil {
		t.Fatal(err)
	}
	wantRows(t, pool, 4)
}

func TestAPartitionHasTheIndexesAndRulesOfItsTable(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	if err := postgres.EnsurePartitions(t.Context(), pool, time.Date(2044, 5, 1, 0, 0, 0, 0, time.UTC), 0); err != nil {
		t.Fatal(err)
	}
	count := func(table string) (n int) {
		t.Helper()
		err := pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM pg_index WHERE indrelid = to_regclass($1))
			+ (SELECT count(*) FROM pg_constraint WHERE conrelid = to_regclass($1))
			+ (SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass($1) AND attcompression = 'l')`, table).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if table, partition := count("raw.events"), count("raw.events_2044_05"); table != partition {
		t.Errorf("raw.events has %d indexes, constraints and compressed columns, its partition %d", table, partition)
	}
}

func TestPartitionsAreMadeOnceByManyAtATimeWhileEventsArrive(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	now := time.Date(2046, 1, 1, 0, 0, 0, 0, time.UTC)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := postgres.EnsurePartitions(t.Context(), pool, now, 5); err != nil {
				t.Errorf("making partitions beside others: %v", err)
			}
		})
	}
	for range 20 {
		insertEvent(t, pool, time.Now().UTC().Format(time.RFC3339Nano))
	}
	wg.Wait()
	n := 0
	for _, name := range partitions(t, pool) {
		if strings.HasPrefix(name, "events_2046_") {
			n++
		}
	}
	if n != 6 {
		t.Errorf("there should be six partitions of 2046, there are %d", n)
	}
}

func TestATableInThePlaceOfAPartitionIsReported(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	if _, err := pool.Exec(t.Context(), "CREATE TABLE raw.events_2047_01 ()"); err != nil {
		t.Fatal(err)
	}
	err := postgres.EnsurePartitions(t.Context(), pool, time.Date(2047, 1, 1, 0, 0, 0, 0, time.UTC), 0)
	if err == nil || !strings.Contains(err.Error(), "raw.events_2047_01") || !strings.Contains(err.Error(), "not a partition") {
		t.Errorf("the error should name the table and what is wrong with it, got %v", err)
	}
}

func partitions(t *testing.T, pool *pgxpool.Pool) (names []string) {
	t.Helper()
	err := pool.QueryRow(t.Context(), `SELECT array_agg(c.relname::text ORDER BY c.relname) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'raw.events'::regclass`).Scan(&names)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// insertEvent stores an event and returns the partition that it went to.
func insertEvent(t *testing.T, pool *pgxpool.Pool, at string) (partition string) {
	t.Helper()
	err := pool.QueryRow(t.Context(), `INSERT INTO raw.events (org_id, received_at, observed_at, stream_id, seq, source, kind, payload, sha256)
		VALUES ('o', $1::text::timestamptz, now(), gen_random_uuid(), 1, 'socket', 'frame', '{}', '') RETURNING tableoid::regclass::text`, at).Scan(&partition)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(partition, "raw.")
}

func wantRows(t *testing.T, pool *pgxpool.Pool, want int64) {
	t.Helper()
	got, err := postgres.DefaultPartitionRows(t.Context(), pool)
	if err != nil || got != want {
		t.Errorf("the default partition should have %d rows, it has %d (error: %v)", want, got, err)
	}
}

func TestAProcessThatIsStuckWhileItMakesPartitionsIsNotWaitedForForEver(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	stuck, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Rollback(context.Background())
	// The lock under which partitions are made.
	if _, err := stuck.Exec(t.Context(), "SELECT pg_advisory_xact_lock(7202601150001)"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	err = postgres.EnsurePartitions(ctx, pool, time.Date(2046, 1, 1, 0, 0, 0, 0, time.UTC), 0)
	if failure, ok := errors.AsType[*pgconn.PgError](err); !ok || failure.Code != "55P03" {
		t.Errorf("with a stuck process, making partitions gave %v, want a lock timeout (55P03)", err)
	}
}

func TestPartitionsAheadAreCountedUpToTheFirstHole(t *testing.T) {
	t.Parallel()
	now := time.Date(2041, 12, 31, 23, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		names []string
		want  int
	}{
		{nil, 0}, {[]string{"events_2042_01"}, 0}, {[]string{"events_2041_11", "events_2041_12", "events_2042_01", "events_2042_03"}, 2},
	} {
		if got := postgres.PartitionsAhead(c.names, now); got != c.want {
			t.Errorf("of %v there should be %d months ahead, there are %d", c.names, c.want, got)
		}
	}
}
