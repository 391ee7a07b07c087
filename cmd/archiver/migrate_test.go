package main

import (
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"testing"

	"archiver/migrations"
	"archiver/postgres/dbtest"
	"archiver/simulator"
)

func TestTheSchemaGoesUpAndDown(t *testing.T) {
	t.Parallel()
	databaseURL := dbtest.EmptyURL(t)
	pool := open(t, databaseURL)
	env := []string{"DATABASE_URL=" + databaseURL}
	type step struct {
		args, want string
		tables     int // of inbox afterwards
	}
	steps := []step{
		{"migrate status", "not yet", 0},
		{"migrate up", "Applied ", 16},
		{"migrate up", "was up to date", 16},
		{"migrate status", "is up to date", 16},
	}
	names := migrationNames(t)
	for i, name := range slices.Backward(names) {
		tables := 16
		if i < slices.Index(names, "00003_ops.sql") {
			tables = 0
		}
		steps = append(steps,
			step{"migrate down --yes", "Took " + name + " back", tables},
			step{"migrate status", fmt.Sprintf("%d migrations are missing", len(names)-i), tables})
	}
	steps = append(steps, step{"migrate down --yes", "nothing to take back", 0}, step{"migrate up", "Applied ", 16})
	for _, step := range steps {
		o := runToEnd(t, env, strings.Fields(step.args)...)
		if o.code != exitDone || !strings.Contains(o.stdout, step.want) {
			t.Fatalf("archiver %s exits %d and prints %q, want 0 and %q", step.args, o.code, o.stdout, step.want)
		}
		if n := rows(t, pool, "SELECT count(*) FROM pg_tables WHERE schemaname = 'inbox'"); n != step.tables {
			t.Errorf("after archiver %s inbox has %d tables, want %d", step.args, n, step.tables)
		}
		if password := passwordOf(t, databaseURL); password != "" && strings.Contains(o.stdout+o.stderr, password) {
			t.Errorf("archiver %s prints the database's password", step.args)
		}
	}
	if n := rows(t, pool, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'raw.events'::regclass"); n != monthsAhead+2 {
		t.Errorf("raw.events has %d partitions, want this month's, %d to come and the default one", n, monthsAhead)
	}
}

// migrationNames are those of this archiver, the oldest first.
func migrationNames(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil || len(names) < 3 {
		t.Fatalf("the migrations are %v: %v", names, err)
	}
	return names
}

func passwordOf(t *testing.T, databaseURL string) (password string) {
	t.Helper()
	edited(t, databaseURL, func(u *url.URL) { password, _ = u.User.Password() })
	return password
}

func TestMigratingADatabaseThatIsAwayFailsAndSaysWhatToCheck(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"migrate up", "migrate status", "migrate down --yes"} {
		o := runToEnd(t, []string{"PGHOST=127.0.0.1", "PGPORT=1", "PGUSER=u", "PGPASSWORD=canary-password"}, strings.Fields(args)...)
		if o.code != exitFailed || !strings.Contains(o.stderr, "PGHOST") || strings.Contains(o.stderr, "canary-password") {
			t.Errorf("archiver %s exits %d saying %q, want %d and what to check", args, o.code, o.stderr, exitFailed)
		}
	}
}

func TestEveryCommandRefusesASchemaOfANewerArchiver(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	databaseURL := dbtest.NewURL(t)
	if _, err := open(t, databaseURL).Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)"); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{
		"ingest --org " + in.orgs[0], "ingest --no-migrate --org " + in.orgs[0], "migrate up", "migrate status", "migrate down --yes",
		"export", "import /dev/null", "rebuild", "rebuild --verify", "status", "drift",
	} {
		o := runToEnd(t, in.ingesting(databaseURL), strings.Fields(command)...)
		if said := lastLine(o.stderr); o.code != exitFailed || !strings.Contains(said, "99999") || !strings.Contains(said, "run the newer archiver") {
			t.Errorf("archiver %s exits %d, want %d and the database's version with what to do: %s", command, o.code, exitFailed, said)
		}
	}
	if o := runToEnd(t, in.ingesting(databaseURL), "doctor"); o.code != exitFailed || !strings.Contains(o.stdout, "99999") {
		t.Errorf("archiver doctor exits %d, want %d and the database's version: %s", o.code, exitFailed, o.stdout)
	}
}

func TestNoMigrateRefusesASchemaOfAnOlderArchiver(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	databaseURL := dbtest.NewURL(t)
	env := in.ingesting(databaseURL)
	names := migrationNames(t)
	newest, before := names[len(names)-1], names[len(names)-2]
	if o := runToEnd(t, env, "migrate", "down", "--yes"); o.code != exitDone {
		t.Fatalf("archiver migrate down exits %d: %s", o.code, o.stderr)
	}
	for _, command := range []string{"ingest --no-migrate --org " + in.orgs[0], "export", "rebuild", "status", "drift"} {
		o := runToEnd(t, env, strings.Fields(command)...)
		said := lastLine(o.stderr)
		for _, want := range []string{"up to " + before, "needs " + newest, "archiver migrate up"} {
			if o.code != exitFailed || !strings.Contains(said, want) {
				t.Errorf("archiver %s exits %d, want %d and %q: %s", command, o.code, exitFailed, want, said)
			}
		}
	}
}
