package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"archiver/postgres/dbtest"
)

func TestARoleIsGrantedAndRevoked(t *testing.T) {
	t.Parallel()
	databaseURL := dbtest.NewURL(t)
	env := []string{"DATABASE_URL=" + databaseURL}
	pool := open(t, databaseURL)
	role := fmt.Sprintf("archiver_grant_%d_%08x", os.Getpid(), rand.Uint32())
	if o := runToEnd(t, env, "grant", role); o.code != exitUsage || !strings.Contains(o.stderr, "CREATE ROLE") {
		t.Errorf("archiver grant to a role that does not exist exits %d, want %d and how to make it: %s", o.code, exitUsage, o.stderr)
	}
	if _, err := pool.Exec(t.Context(), "create role "+role); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = pool.Exec(context.Background(), "drop owned by "+role)
		_, _ = pool.Exec(context.Background(), "drop role "+role)
	})
	for _, c := range []struct {
		args, prints string
		code, orgs   int
		reads        bool
	}{
		{role, "every organization", exitDone, 1, true},
		{role + " --org o1,o2 --org o3", "o1, o2, o3", exitDone, 3, true},
		{role + " --org o1,o2 --org o3", "o1, o2, o3", exitDone, 3, true},
		{role + " --org o1 --revoke", "", exitUsage, 3, true},
		{role + " --org *", "", exitUsage, 3, true},
		{role + " --org c", "", exitUsage, 3, true},
		{role + " --org ,", "", exitUsage, 3, true},
		{role + " --revoke", "no longer", exitDone, 0, false},
		{role + " --revoke", "no longer", exitDone, 0, false},
	} {
		o := runToEnd(t, env, append([]string{"grant"}, strings.Fields(c.args)...)...)
		if o.code != c.code || !strings.Contains(o.stdout, c.prints) {
			t.Errorf("archiver grant %s exits %d and prints %q, want %d and %q: %s", c.args, o.code, o.stdout, c.code, c.prints, o.stderr)
		}
		if n := rows(t, pool, "select count(*) from analytics.reader_orgs"); n != c.orgs {
			t.Errorf("after archiver grant %s reader_orgs has %d rows, want %d", c.args, n, c.orgs)
		}
		n := rows(t, pool, "select count(*) from pg_tables where schemaname in ('inbox', 'raw', 'ops') and has_table_privilege('"+role+"', format('%I.%I', schemaname, tablename), 'select')")
		if want := rows(t, pool, "select count(*) from pg_tables where schemaname = 'inbox'"); c.reads && n != want || !c.reads && n != 0 {
			t.Errorf("after archiver grant %s the role reads %d tables of inbox, raw and ops, of which inbox has %d", c.args, n, want)
		}
	}
}
