package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"path"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"archiver/migrations"
)

// Migration is one step of the schema as this binary knows it.
type Migration struct {
	Version   int64
	Name      string    // the file's name
	AppliedAt time.Time // zero: not applied yet
}

var (
	// ErrNewerSchema is in the error when the database was migrated by a newer archiver than this one.
	ErrNewerSchema = errors.New("the database's schema is newer than this archiver")
	// ErrOlderSchema is in the error of Check when migrations of this archiver are not applied yet.
	ErrOlderSchema = errors.New("the database's schema is older than this archiver")
)

// Check reports a schema that is not the one this binary was made for, with both versions and what to do about it
// (ErrNewerSchema, ErrOlderSchema). It changes nothing.
func Check(ctx context.Context, pool *pgxpool.Pool) error {
	steps, err := Status(ctx, pool)
	if err != nil {
		return err
	}
	applied := "no migrations"
	for _, step := range steps {
		if step.AppliedAt.IsZero() {
			return fmt.Errorf("%w: the database has %s, this binary needs %s; run archiver migrate up (ingest without --no-migrate does so by itself)",
				ErrOlderSchema, applied, steps[len(steps)-1].Name)
		}
		applied = "the migrations up to " + step.Name
	}
	return nil
}

// Migrate brings the schema up to this binary's version and returns how many steps it applied; each
// is logged. Several processes may do so at once: an advisory lock lets one at a time through and
// the others find nothing left to do. A failed step is rolled back and ends it. It refuses servers
// older than MinVersion and schemas newer than this binary.
func Migrate(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) (applied int, err error) {
	return migrateUp(ctx, pool, log, migrations.FS)
}

func migrateUp(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger, fsys fs.FS) (applied int, err error) {
	m, err := openMigrator(ctx, pool, fsys)
	if err != nil {
		return 0, err
	}
	defer m.close()

	// Most starts find the schema as it should be: they need no lock.
	if current, err := m.check(ctx); err != nil || current == m.newest {
		return 0, err
	}
	results, err := m.provider.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		results = partial.Applied // those before the one that failed stay
	}
	for _, r := range results {
		logStep(log, "migration applied", r)
	}
	if err != nil {
		return len(results), fmt.Errorf("migrating the database: %w", describeStep(err))
	}
	// Who held the lock before us may have been a newer archiver.
	_, err = m.check(ctx)
	return len(results), err
}

// Status lists every migration of this binary in order, with when it was applied. It refuses schemas newer than this
// binary.
func Status(ctx context.Context, pool *pgxpool.Pool) ([]Migration, error) {
	m, err := openMigrator(ctx, pool, migrations.FS)
	if err != nil {
		return nil, err
	}
	defer m.close()

	if _, err := m.check(ctx); err != nil {
		return nil, err
	}
	states, err := m.provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading which migrations are applied: %w", err)
	}
	list := make([]Migration, len(states))
	for i, s := range states {
		list[i] = Migration{Version: s.Source.Version, Name: path.Base(s.Source.Path), AppliedAt: s.AppliedAt.UTC()}
	}
	return list, nil
}

// ErrNothingApplied is returned by Down when no migration is left to take back.
var ErrNothingApplied = errors.New("no migration is applied")

// Down takes the newest applied migration back, and whatever its tables held with it.
func Down(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger) (Migration, error) {
	return migrateDown(ctx, pool, log, migrations.FS)
}

func migrateDown(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger, fsys fs.FS) (Migration, error) {
	m, err := openMigrator(ctx, pool, fsys)
	if err != nil {
		return Migration{}, err
	}
	defer m.close()

	if current, err := m.check(ctx); err != nil {
		return Migration{}, err
	} else if current == 0 {
		return Migration{}, ErrNothingApplied
	}
	result, err := m.provider.Down(ctx)
	if errors.Is(err, goose.ErrNoNextVersion) {
		return Migration{}, ErrNothingApplied
	}
	if err != nil {
		return Migration{}, fmt.Errorf("taking a migration back: %w", describeStep(err))
	}
	logStep(log, "migration taken back", result)
	return Migration{Version: result.Source.Version, Name: path.Base(result.Source.Path)}, nil
}

type migrator struct {
	db       *sql.DB
	provider *goose.Provider
	newest   int64 // the last version this binary knows
}

// openMigrator takes connections of its own, not the pool's: migrating holds one for the lock while
// it works on others, which a small or busy pool could not give.
func openMigrator(ctx context.Context, pool *pgxpool.Pool, fsys fs.FS) (*migrator, error) {
	db := stdlib.OpenDB(*pool.Config().ConnConfig)
	m, err := newMigrator(ctx, db, fsys)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return m, nil
}

func newMigrator(ctx context.Context, db *sql.DB, fsys fs.FS) (*migrator, error) {
	if err := checkServerVersion(ctx, db); err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, fsys,
		goose.WithSessionLocker(advisoryLock{}),
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return nil, fmt.Errorf("reading the embedded migrations: %w", err)
	}
	m := &migrator{db: db, provider: provider}
	for _, source := range provider.ListSources() {
		m.newest = max(m.newest, source.Version)
	}
	return m, nil
}

func (m *migrator) close() { _ = m.db.Close() } // nothing of ours is left on these connections

func checkServerVersion(ctx context.Context, db *sql.DB) error {
	var number int // 150018 is 15.18
	if err := db.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int").Scan(&number); err != nil {
		return fmt.Errorf("asking the server for its version: %w", err)
	}
	return checkVersionNumber(number)
}

func checkVersionNumber(number int) error {
	if major := number / 10000; major < MinVersion {
		return fmt.Errorf("the server is Postgres %d; archiver needs %d or newer", major, MinVersion)
	}
	return nil
}

// check returns the database's version, 0 for an empty one, and refuses one newer than this binary:
// its tables may no longer mean what this code takes them to mean. It reads goose's table itself,
// because goose would create it on the way, outside of the lock.
func (m *migrator) check(ctx context.Context) (current int64, err error) {
	var exists bool
	if err := m.db.QueryRowContext(ctx, "SELECT to_regclass('goose_db_version') IS NOT NULL").Scan(&exists); err != nil {
		return 0, fmt.Errorf("looking for the schema's version: %w", err)
	}
	if !exists {
		return 0, nil
	}
	if err := m.db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version").Scan(&current); err != nil {
		return 0, fmt.Errorf("reading the schema's version: %w", err)
	}
	if current > m.newest {
		return current, fmt.Errorf("%w: the database is at version %d, this binary knows up to %d; run the newer archiver, or restore a backup from before the upgrade",
			ErrNewerSchema, current, m.newest)
	}
	return current, nil
}

// advisoryLock is goose's session lock under the id that goose's own tool uses. It polls, because
// a session that waits inside pg_advisory_lock holds a snapshot, on which a migration's CREATE INDEX
// CONCURRENTLY would wait for ever; and it polls faster than goose's, which sleeps whole seconds.
type advisoryLock struct{}

var _ lock.SessionLocker = advisoryLock{}

func (advisoryLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	for {
		var locked bool
		if err := conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", lock.DefaultLockID).Scan(&locked); err != nil {
			return fmt.Errorf("taking the migration lock: %w", err)
		}
		if locked {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for another process that is migrating: %w", ctx.Err())
		case <-time.After(50*time.Millisecond + rand.N(100*time.Millisecond)):
		}
	}
}

func (advisoryLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", lock.DefaultLockID); err != nil {
		return fmt.Errorf("releasing the migration lock: %w", err)
	}
	return nil
}

// describeStep names the file that failed.
func describeStep(err error) error {
	var partial *goose.PartialError
	if errors.As(err, &partial) && partial.Failed != nil && partial.Failed.Source != nil {
		return fmt.Errorf("%s: %w", path.Base(partial.Failed.Source.Path), partial.Err)
	}
	return err
}

func logStep(log *slog.Logger, message string, r *goose.MigrationResult) {
	log.Info(message, "version", r.Source.Version, "name", path.Base(r.Source.Path), "took", r.Duration.Round(time.Millisecond))
}
