package postgres

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgxpool"
)

func TestAServerOlderThanTheOldestIsRefused(t *testing.T) {
	t.Parallel()
	wantError(t, checkVersionNumber(140012), "Postgres 14", "15 or newer")
	if err := checkVersionNumber(150000); err != nil {
		t.Errorf("15.0 is new enough: %v", err)
	}
}

func TestAFailedMigrationIsRolledBackAndNamed(t *testing.T) {
	t.Parallel()
	s := mustStart(t, existingCluster(t))
	pool, err := Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	fsys := fstest.MapFS{
		"00001_good.sql": {Data: []byte("-- +goose Up\nCREATE TABLE good ();\n-- +goose Down\nDROP TABLE good;\n")},
		"00002_bad.sql":  {Data: []byte("-- +goose Up\nCREATE TABLE half ();\nCREATE TABLE good ();\n-- +goose Down\nDROP TABLE half;\n")},
	}
	n, err := migrateUp(t.Context(), pool, withDefaults(Options{}).Log, fsys)
	wantError(t, err, "00002_bad.sql", "42P07")
	if n != 1 || !tableExists(t, pool, "good") || tableExists(t, pool, "half") {
		t.Errorf("the first migration should be applied (%d), nothing of the second", n)
	}
}

func tableExists(t *testing.T, pool *pgxpool.Pool, name string) (exists bool) {
	t.Helper()
	if err := pool.QueryRow(context.Background(), "SELECT to_regclass($1) IS NOT NULL", name).Scan(&exists); err != nil {
		t.Fatal(err)
	}
	return exists
}
