package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"archiver/postgres/dbtest"
	"archiver/simulator"

	"github.com/jackc/pgx/v5/pgxpool"
)

// archived is a database with some hundred events in it.
func archived(t *testing.T) (databaseURL string, pool *pgxpool.Pool, events int) {
	t.Helper()
	in := newInbox(t, simulator.ServerOptions{})
	databaseURL = dbtest.NewURL(t)
	p := start(t, in.ingesting(databaseURL), "ingest", "--org", strings.Join(in.orgs[:2], ","), "--reconcile", "off")
	in.waitForClients(in.orgs[:2]...)
	in.play(300, in.orgs[:2]...)
	address := httpAddress(t, p.stderr)
	until(t, "everything that was sent is received", func() bool {
		_, r := ready(t, address)
		return r.Received == int64(in.sent(in.orgs[:2]...))
	})
	p.stopAndWait()
	pool = open(t, databaseURL)
	return databaseURL, pool, rows(t, pool, "SELECT count(*) FROM raw.events")
}

func TestRebuildFindsAPlantedDifferenceAndPutsItRight(t *testing.T) {
	t.Parallel()
	databaseURL, pool, _ := archived(t)
	env := []string{"DATABASE_URL=" + databaseURL}
	o := runToEnd(t, env, "rebuild", "--verify")
	if o.code != exitDone || !strings.Contains(o.stdout, "Every row of 2 organizations") {
		t.Errorf("rebuild --verify exits %d and prints %q, want 0 and that every row is right", o.code, o.stdout)
	}
	if _, err := pool.Exec(t.Context(), `
update inbox.messages set text = 'canary-text', status = 'PLANTED' where message_id = (select min(message_id) from inbox.messages)`); err != nil {
		t.Fatal(err)
	}
	o = runToEnd(t, env, "rebuild", "--verify")
	if o.code != exitFailed || !strings.Contains(o.stdout, "inbox.messages ") || !strings.Contains(o.stdout, "status: PLANTED → ") {
		t.Errorf("rebuild --verify exits %d and prints %q, want 1 and the planted difference", o.code, o.stdout)
	}
	if strings.Contains(o.stdout+o.stderr, "canary") {
		t.Errorf("rebuild --verify prints what a message says")
	}
	for _, step := range []struct {
		args, want string
	}{{"rebuild", ": 1 rows written, 0 removed"}, {"rebuild --verify", "Every row"}, {"rebuild", ": 0 rows written, 0 removed"}} {
		o = runToEnd(t, env, strings.Fields(step.args)...)
		if o.code != exitDone || !strings.Contains(o.stdout, step.want) {
			t.Errorf("archiver %s exits %d and prints %q, want 0 and %q", step.args, o.code, o.stdout, step.want)
		}
	}
	// Of every day that is over, what the daily views say is stored again.
	if days, live := rows(t, pool, "select count(*) from analytics.stored_days"), rows(t, pool, "select count(*) from analytics.live_days where local_date < current_date - 1"); days == 0 || live > 0 {
		t.Errorf("after a rebuild %d days are stored and %d are not, want all", days, live)
	}
}

func TestAnExportIsImportedIntoAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	databaseURL, pool, events := archived(t)
	o := runToEnd(t, []string{"DATABASE_URL=" + databaseURL}, "export")
	if n := strings.Count(o.stdout, "\n"); o.code != exitDone || n != events {
		t.Fatalf("export exits %d and prints %d lines, want 0 and one for each of %d events", o.code, n, events)
	}
	file := filepath.Join(t.TempDir(), "archive.ndjson")
	if err := os.WriteFile(file, []byte(o.stdout+"no event\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	otherURL := dbtest.EmptyURL(t)
	other := open(t, otherURL)
	for round, want := range []string{"Imported " + strconv.Itoa(events) + " events", "Imported 0 events"} {
		o = runToEnd(t, []string{"DATABASE_URL=" + otherURL}, "import", file)
		if o.code != exitFailed || !strings.Contains(o.stdout, want) || !strings.Contains(o.stderr, "line "+strconv.Itoa(events+1)+": ") {
			t.Errorf("round %d: import exits %d and prints %q, want 1 for the bad line, its number, and %q", round, o.code, o.stdout, want)
		}
	}
	for _, table := range []string{"chats", "messages", "members", "chat_states", "chat_state_changes", "users", "contacts", "orgs", "toolsets"} {
		sum := "select coalesce(md5(string_agg(t::text, ',' order by t::text)), '') from inbox." + table + " as t"
		if inOther := textOf(t, other, sum); inOther != textOf(t, pool, sum) && !isNamedOnly(table) {
			t.Errorf("inbox.%s is another after export and import", table)
		}
		n := "select count(*) from inbox." + table
		if got, want := rows(t, other, n), rows(t, pool, n); got != want || want == 0 {
			t.Errorf("inbox.%s has %d rows after export and import, want %d", table, got, want)
		}
	}
	if n := rows(t, other, "SELECT count(*) FROM raw.events_default"); n != 0 {
		t.Errorf("%d imported events are left in the default partition", n)
	}
	o = runToEnd(t, []string{"DATABASE_URL=" + otherURL}, "rebuild", "--verify")
	if o.code != exitDone {
		t.Errorf("rebuild --verify of what was imported exits %d: %s", o.code, o.stdout)
	}
}

// isNamedOnly says that a table's bookkeeping is kept up by an import, and by ingest only where something changed.
func isNamedOnly(table string) bool { return table == "users" || table == "contacts" }

func textOf(t *testing.T, pool *pgxpool.Pool, sql string) (s string) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), sql).Scan(&s); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return s
}
