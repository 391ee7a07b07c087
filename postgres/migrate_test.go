package postgres_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"archiver/migrations"
	"archiver/postgres"
	"archiver/postgres/dbtest"
)

var quiet = slog.New(slog.DiscardHandler)

func TestEightProcessesMigratingAtOnceApplyEachVersionOnce(t *testing.T) {
	t.Parallel()
	connString := dbtest.EmptyURL(t)
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	var total atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			pool, err := postgres.Connect(t.Context(), connString)
			if err != nil {
				t.Error(err)
				return
			}
			defer pool.Close()
			n, err := postgres.Migrate(t.Context(), pool, quiet)
			if err != nil {
				t.Errorf("migrating beside seven others: %v", err)
			}
			total.Add(int64(n))
		})
	}
	wg.Wait()
	if total.Load() != int64(len(files)) {
		t.Errorf("the eight should have applied %d migrations together, they say %d", len(files), total.Load())
	}
	pool := connect(t, connString)
	var rows, versions int
	if err := pool.QueryRow(t.Context(), "SELECT count(*), count(DISTINCT version_id) FROM goose_db_version WHERE version_id > 0").Scan(&rows, &versions); err != nil {
		t.Fatal(err)
	}
	if rows != len(files) || versions != len(files) {
		t.Errorf("each of the %d versions should be on record once; there are %d records of %d versions", len(files), rows, versions)
	}
}

func TestStatusFollowsUpAndDown(t *testing.T) {
	t.Parallel()
	pool := connect(t, dbtest.EmptyURL(t))
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	wantApplied := func(want int) {
		t.Helper()
		list, err := postgres.Status(t.Context(), pool)
		if err != nil {
			t.Fatal(err)
		}
		applied := 0
		for _, m := range list {
			if !m.AppliedAt.IsZero() {
				applied++
			}
		}
		if len(list) != len(files) || applied != want {
			t.Errorf("status should list %d migrations with %d applied, it lists %d with %d: %+v", len(files), want, len(list), applied, list)
		}
	}
	wantApplied(0)
	for range 2 { // down to nothing, and up again
		if _, err := postgres.Migrate(t.Context(), pool, quiet); err != nil {
			t.Fatal(err)
		}
		wantApplied(len(files))
		for left := len(files) - 1; left >= 0; left-- {
			m, err := postgres.Down(t.Context(), pool, quiet)
			if err != nil || m.Name != files[left] {
				t.Fatalf("down should take back %s, it took back %q (error: %v)", files[left], m.Name, err)
			}
			wantApplied(left)
		}
	}
	if _, err := postgres.Down(t.Context(), pool, quiet); !errors.Is(err, postgres.ErrNothingApplied) {
		t.Errorf("down with nothing applied should be ErrNothingApplied, got %v", err)
	}
}

func TestADatabaseNewerThanTheBinaryIsRefused(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	if _, err := pool.Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)"); err != nil {
		t.Fatal(err)
	}
	_, err := postgres.Migrate(t.Context(), pool, quiet)
	if !errors.Is(err, postgres.ErrNewerSchema) || !strings.Contains(err.Error(), "99999") {
		t.Errorf("migrating up should be refused and name the version 99999, got %v", err)
	}
	if _, err = postgres.Down(t.Context(), pool, quiet); !errors.Is(err, postgres.ErrNewerSchema) {
		t.Errorf("migrating down should be refused, got %v", err)
	}
	if _, err = postgres.Status(t.Context(), pool); !errors.Is(err, postgres.ErrNewerSchema) {
		t.Errorf("listing the migrations should be refused, got %v", err)
	}
	if err = postgres.Check(t.Context(), pool); !errors.Is(err, postgres.ErrNewerSchema) {
		t.Errorf("checking should be refused, got %v", err)
	}
}

func TestADatabaseOlderThanTheBinaryIsToldWithBothVersions(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	if err := postgres.Check(t.Context(), pool); err != nil {
		t.Errorf("a schema of this binary's own version should be in order, got %v", err)
	}
	newest, err := postgres.Down(t.Context(), pool, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := postgres.Check(t.Context(), pool); !errors.Is(err, postgres.ErrOlderSchema) ||
		!strings.Contains(err.Error(), newest.Name) || !strings.Contains(err.Error(), "archiver migrate up") {
		t.Errorf("a schema without %s should be told with what is missing and what to do, got %v", newest.Name, err)
	}
	if err := postgres.Check(t.Context(), connect(t, dbtest.EmptyURL(t))); !errors.Is(err, postgres.ErrOlderSchema) {
		t.Errorf("an empty database should be told to be older, got %v", err)
	}
}

func TestMigratingWorksThroughAPoolOfOneConnectionInUse(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Connect(t.Context(), dbtest.EmptyURL(t), func(c *pgxpool.Config) { c.MaxConns = 1 })
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if n, err := postgres.Migrate(t.Context(), pool, quiet); err != nil || n == 0 {
		t.Errorf("migrating should take connections of its own; it applied %d (error: %v)", n, err)
	}
}

func TestConnectSaysNothingOfAStringThatItCannotParse(t *testing.T) {
	t.Parallel()
	for _, connString := range []string{"postgres://me:canary@host:port/db", "password=canary host", "canary"} {
		if _, err := postgres.Connect(t.Context(), connString); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("the error should be there and not repeat the string, got %v", err)
		}
	}
}

func TestConnectDoesNotWaitForAServerThatIsAway(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Connect(t.Context(), "postgres://me@127.0.0.1:1/db")
	if err != nil {
		t.Fatalf("a server that is away should show at the first use only: %v", err)
	}
	defer pool.Close()
	if err := pool.Ping(t.Context()); err == nil {
		t.Error("the first use should fail")
	}
}

func TestSessionsAreNamedAndWithoutJIT(t *testing.T) {
	t.Parallel()
	connString := dbtest.EmptyURL(t)
	for suffix, want := range map[string]string{"": "archiver", "&application_name=mine": "mine"} {
		pool := connect(t, connString+suffix)
		var name, jit, zone string
		if err := pool.QueryRow(t.Context(), "SELECT current_setting('application_name'), current_setting('jit'), current_setting('timezone')").Scan(&name, &jit, &zone); err != nil {
			t.Fatal(err)
		}
		if name != want || jit != "off" || zone != "UTC" {
			t.Errorf("a session has application_name %q, jit %q, timezone %q; want %q, off, UTC", name, jit, zone, want)
		}
	}
}

func connect(t *testing.T, connString string) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Connect(context.Background(), connString)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}
