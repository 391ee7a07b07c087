package dbtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"archiver/postgres"
)

// New returns a pool on a fresh database with the whole schema and the raw partitions of the coming
// months, opened the way the program opens it. The pool is closed when the test ends.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := postgres.Connect(t.Context(), NewURL(t))
	if err != nil {
		t.Fatalf("connecting to the test's database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// NewURL is New's database as a connection string.
func NewURL(t testing.TB) string {
	t.Helper()
	s := server(t)
	template, err := s.template(t.Context())
	if err != nil {
		t.Fatalf("preparing the template of the test databases: %v", err)
	}
	return s.create(t, "TEMPLATE "+template+" STRATEGY FILE_COPY")
}

// EmptyURL is the connection string of a fresh database with nothing in it.
func EmptyURL(t testing.TB) string {
	t.Helper()
	return server(t).create(t, "TEMPLATE template0 ENCODING 'UTF8'")
}

// server is the process' one, started by the first test that needs it.
func server(t testing.TB) *cluster {
	t.Helper()
	c, err := started()
	if err != nil {
		t.Fatalf("these tests need a Postgres %d or newer and found none that works.\n"+
			"Install its server (make test does: scripts/install-postgres.sh), or set TEST_DATABASE_URL to one whose role may create databases, or start Docker.\n%v",
			postgres.MinVersion, err)
	}
	return c
}

// create makes a database for one test. On a throw-away server it is not dropped: that would cost
// more than it gives. On a shared one it is, unless the test failed.
func (c *cluster) create(t testing.TB, options string) string {
	t.Helper()
	name := fmt.Sprintf("archiver_test_%d_%08x", os.Getpid(), rand.Uint32())
	if err := c.exec(t.Context(), "CREATE DATABASE "+name+" "+options); err != nil {
		t.Fatalf("creating the test's database: %v", err)
	}
	if err := c.exec(t.Context(), "ALTER DATABASE "+name+" SET timezone = 'Asia/Kathmandu'"); err != nil {
		t.Fatalf("setting the time zone of the test's database: %v", err)
	}
	connString := withDatabase(c.url, name)
	t.Cleanup(func() {
		switch {
		case t.Failed() && c.throwAway:
			t.Logf("the test's database was %s (it ends with this process; to keep one, run the test with TEST_DATABASE_URL)", connString)
		case t.Failed():
			t.Logf("the test's database is kept: %s", connString)
		case !c.throwAway:
			if err := c.exec(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
				t.Errorf("dropping the test's database: %v", err)
			}
		}
	})
	return connString
}

// withDatabase is the connection string for another database of the same server.
func withDatabase(connString, name string) string {
	if u, err := url.Parse(connString); err == nil && strings.HasPrefix(u.Scheme, "postgres") {
		u.Path = "/" + name
		return u.String()
	}
	return connString + " dbname=" + name // of two, the last one counts
}
