package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"archiver/postgres/dbtest"
	"archiver/simulator"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func TestWhatInventRefusesAtStartExitsWith3AndSaysWhatToCheck(t *testing.T) {
	t.Parallel()
	strict := newInbox(t, simulator.ServerOptions{})
	strict.server.SetKey("sub-key", strict.orgs[1])
	hiding := newInbox(t, simulator.ServerOptions{ForeignStatus: http.StatusNotFound})
	hiding.server.SetKey("sub-key", hiding.orgs[1])
	databaseURL := dbtest.NewURL(t)
	for _, c := range []struct {
		name, key, org string
		inbox          *inbox
		want           []string
	}{
		{"a wrong key, own org", "wrong", "c", strict, []string{"401", "INVENT_API_KEY", "--api-key-file"}},
		{"a wrong key, named org", "wrong", strict.orgs[0], strict, []string{"401", "INVENT_API_KEY"}},
		{"another's org", "sub-key", strict.orgs[2], strict, []string{"403", "--org"}},
		{"another's org, not admitted", "sub-key", hiding.orgs[2], hiding, []string{"404", "--org", "--api-url"}},
		{"no such org", canaryKey, "nobody", strict, []string{"404", "nobody", "--org"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := runToEnd(t, append(c.inbox.ingesting(databaseURL), "INVENT_API_KEY="+c.key), "ingest", "--org", c.org)
			if o.code != exitRefused {
				t.Errorf("ingest exits %d, want %d", o.code, exitRefused)
			}
			last := lastLine(o.stderr)
			for _, want := range c.want {
				if !strings.Contains(last, want) {
					t.Errorf("the last line does not say %q: %s", want, last)
				}
			}
		})
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

func TestWhatWasReceivedIsInPostgresWhenSIGTERMHasEndedItAndARestartGoesOn(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	databaseURL := dbtest.NewURL(t)
	pool := open(t, databaseURL)
	spool := t.TempDir()
	orgs := in.orgs[:2]
	for round, frames := range []int{700, 300} {
		// c is the agency itself; it is named by its id as well, and must be held once.
		p := startProcess(t, append(in.ingesting(databaseURL), "ARCHIVER_SPOOL_DIR="+spool),
			"ingest", "--org", "c,"+orgs[1], "--org", orgs[0])
		in.waitForClients(orgs...)
		if n := in.server.Clients(orgs[0]); n != 1 {
			t.Errorf("the agency's inbox has %d clients, want 1: c and the id are the same org", n)
		}
		before := in.sent(orgs...)
		in.play(frames, orgs...)
		address := httpAddress(t, p.stderr)
		until(t, "everything that was sent is received", func() bool {
			_, r := ready(t, address)
			return r.Received == int64(in.sent(orgs...)-before)
		})
		p.signal(syscall.SIGTERM)
		if code := p.wait(); code != exitDone {
			t.Errorf("round %d: SIGTERM makes it exit %d, want %d", round+1, code, exitDone)
		}
		for _, org := range orgs {
			got, want := rows(t, pool, "SELECT count(*) FROM raw.events WHERE org_id = $1 AND source = 'socket'", org), in.sent(org)
			if got != want || want == 0 {
				t.Errorf("round %d: raw.events has %d events of org %s, want %d as sent", round+1, got, org, want)
			}
		}
		checkSilence(t, written(t, pool), p.stderr.String())
	}
	if n := rows(t, pool, "SELECT count(DISTINCT org_id) FROM raw.events"); n != 2 {
		t.Errorf("events are stored under %d org ids, want 2: c must be resolved", n)
	}
	for _, table := range []string{"inbox.chats", "inbox.messages", "inbox.chat_state_changes", "ops.connections"} {
		if n := rows(t, pool, "SELECT count(*) FROM "+table); n == 0 {
			t.Errorf("%s is empty", table)
		}
	}
	if n := rows(t, pool, "SELECT count(*) FROM raw.events_default"); n != 0 {
		t.Errorf("%d events are outside the partitions, want none", n)
	}
}

func TestASecondSignalEndsItAtOnce(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	// Nobody is there: it would go on trying to write for as long as a stop may take.
	p := startProcess(t, in.ingesting("postgres://nobody@"+unusedAddress(t)+"/nothing?connect_timeout=2"), "ingest", "--org", in.orgs[0])
	in.waitForClients(in.orgs[0])
	in.play(20, in.orgs[0])
	address := httpAddress(t, p.stderr)
	until(t, "frames are received", func() bool { _, r := ready(t, address); return r.Received >= 20 })
	p.signal(syscall.SIGINT)
	until(t, "it says that it stops", func() bool { return strings.Contains(p.stderr.String(), "writing what was received") })
	p.signal(syscall.SIGINT)
	if code := p.wait(); code != exitFailed {
		t.Errorf("the second signal makes it exit %d, want %d: it did not end in good order", code, exitFailed)
	}
	if !strings.Contains(p.stderr.String(), "waits in the spool") {
		t.Error("it does not say where what was received is")
	}
}

func TestMetricsAndHealthAreAnswered(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	p := start(t, in.ingesting(dbtest.NewURL(t)), "ingest", "--org", in.orgs[0], "--reconcile", "off")
	address := httpAddress(t, p.stderr)
	in.waitForClients(in.orgs[0])
	in.play(50, in.orgs[0])
	until(t, "it is ready", func() bool { status, r := ready(t, address); return status == 200 && r.Ready && r.Committed >= 50 })
	if status, _ := get(t, address+"/healthz"); status != 200 {
		t.Errorf("/healthz answers %d, want 200", status)
	}
	status, metrics := get(t, address+"/metrics")
	for _, want := range []string{"archiver_committed_events_total", "archiver_connected{org=", "go_goroutines", "process_open_fds"} {
		if status != 200 || !strings.Contains(metrics, want) {
			t.Errorf("/metrics (status %d) lacks %s", status, want)
		}
	}
	in.server.RefuseUpgrades(1000, http.StatusServiceUnavailable, 0)
	in.server.Drop(in.orgs[0], 1001, "")
	until(t, "it is not ready, and says why", func() bool {
		status, r := ready(t, address)
		return status == http.StatusServiceUnavailable && !r.Ready && strings.Contains(strings.Join(r.Reasons, ";"), in.orgs[0])
	})
	in.server.RefuseUpgrades(0, 0, 0)
	p.stopAndWait()
	if _, err := http.Get(address + "/healthz"); err == nil {
		t.Error("/healthz is still answered after the end")
	}
}

func TestNothingListensWhereListenIsEmpty(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	p := start(t, append(in.ingesting(dbtest.NewURL(t)), "ARCHIVER_LISTEN="), "ingest", "--org", in.orgs[0])
	in.waitForClients(in.orgs[0])
	o := p.stopAndWait()
	if strings.Contains(o.stderr, "ready_at") {
		t.Errorf("it listens although ARCHIVER_LISTEN is empty: %s", o.stderr)
	}
}

func TestEventsWaitOnDiskForADatabaseThatIsAwayAtStart(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	databaseURL := dbtest.NewURL(t)
	away := unusedAddress(t)
	p := start(t, in.ingesting(through(t, databaseURL, away)), "ingest", "--org", in.orgs[0])
	in.waitForClients(in.orgs[0])
	in.play(100, in.orgs[0])
	address := httpAddress(t, p.stderr)
	until(t, "frames are received and it is said that the database is not there", func() bool {
		status, r := ready(t, address)
		return status == http.StatusServiceUnavailable && r.Received >= 100 && r.Pending >= 100 && len(r.Reasons) > 0
	})
	if !strings.Contains(p.stderr.String(), "cannot be reached yet") {
		t.Error("no word of the database that cannot be reached")
	}
	forward(t, away, databaseURL)
	until(t, "everything is committed", func() bool { status, r := ready(t, address); return status == 200 && r.Pending == 0 })
	p.stopAndWait()
	if got, want := rows(t, open(t, databaseURL), "SELECT count(*) FROM raw.events WHERE source = 'socket'"), in.sent(in.orgs[0]); got != want {
		t.Errorf("raw.events has %d events, want the %d that were sent while the database was away", got, want)
	}
}

func TestADatabaseThatRefusesEndsItWithARemedy(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	good := dbtest.NewURL(t)
	newer := dbtest.NewURL(t)
	if _, err := open(t, newer).Exec(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999999, true)"); err != nil {
		t.Fatal(err)
	}
	role := fmt.Sprintf("canary_role_%08x", rand.Uint32()) // roles are the server's, which other tests may share
	admin := open(t, good)
	if _, err := admin.Exec(t.Context(), "CREATE ROLE "+role+" LOGIN PASSWORD 'canary-password'"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(context.Background(), "DROP ROLE "+role); err != nil {
			t.Errorf("dropping the test's role: %v", err)
		}
	})
	for _, c := range []struct {
		name, url string
		args      []string
		want      []string
	}{
		{"no such database", edited(t, good, func(u *url.URL) { u.Path = "/nothing_here" }), nil, []string{"nothing_here", "createdb", "DATABASE_URL"}},
		{"a role that may not", edited(t, dbtest.EmptyURL(t), func(u *url.URL) { u.User = url.UserPassword(role, "canary-password") }), nil, []string{"GRANT CREATE ON DATABASE"}},
		{"a wrong password", edited(t, good, func(u *url.URL) { u.User = url.UserPassword(role, "canary-wrong") }), nil, []string{"password", "PGPASSWORD"}},
		{"a newer schema", newer, nil, []string{"newer", "999999"}},
		{"no schema, and none to be made", dbtest.EmptyURL(t), []string{"--no-migrate"}, []string{"archiver migrate up", "--no-migrate"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "a wrong password" && trusts(t, c.url) {
				return // the server of these tests asks for none, which proves nothing either way
			}
			o := runToEnd(t, in.ingesting(c.url), append([]string{"ingest", "--org", in.orgs[0]}, c.args...)...)
			if o.code != exitFailed {
				t.Errorf("ingest exits %d, want %d", o.code, exitFailed)
			}
			last := lastLine(o.stderr)
			for _, want := range c.want {
				if !strings.Contains(last, want) {
					t.Errorf("the last line does not say %q: %s", want, last)
				}
			}
			if strings.Contains(o.stderr, "canary-") {
				t.Errorf("a secret is shown: %s", o.stderr)
			}
		})
	}
}

func TestADatabaseThatRefusesWhenItIsReachedLaterEndsItToo(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	target := edited(t, dbtest.NewURL(t), func(u *url.URL) { u.Path = "/nothing_here" })
	away := unusedAddress(t)
	p := start(t, in.ingesting(through(t, target, away)), "ingest", "--org", in.orgs[0])
	in.waitForClients(in.orgs[0])
	forward(t, away, target)
	if o := p.wait(); o.code != exitFailed || !strings.Contains(lastLine(o.stderr), "createdb nothing_here") {
		t.Errorf("it exits %d, want %d and the remedy: %s", o.code, exitFailed, lastLine(o.stderr))
	}
}

func TestNoMigrateWritesIntoASchemaThatIsThere(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	databaseURL := dbtest.NewURL(t)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(canaryKey+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := append(in.ingesting(databaseURL), "INVENT_API_KEY=not this one")
	p := start(t, env, "ingest", "--no-migrate", "--api-key-file", key, "--org", in.orgs[0])
	in.waitForClients(in.orgs[0])
	in.play(30, in.orgs[0])
	address := httpAddress(t, p.stderr)
	until(t, "everything is committed", func() bool { _, r := ready(t, address); return r.Received >= 30 && r.Pending == 0 })
	p.stopAndWait()
}

// checkSilence says where a log holds the key or what somebody wrote.
func checkSilence(t *testing.T, texts []string, log string) {
	t.Helper()
	if strings.Contains(log, canaryKey) {
		t.Error("the log holds the API key")
	}
	for _, text := range texts {
		if strings.Contains(log, text) {
			t.Errorf("the log holds a message: %q", text)
		}
	}
}

// written is what people wrote, where it is long enough to be no coincidence.
func written(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	found, err := pool.Query(t.Context(), "SELECT DISTINCT text FROM inbox.messages WHERE length(text) > 12")
	if err != nil {
		t.Fatal(err)
	}
	texts, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if len(texts) < 20 {
		t.Errorf("there are %d messages to look for in the log, want more", len(texts))
	}
	return texts
}

// trusts says whether a server lets anybody in.
func trusts(t *testing.T, connString string) bool {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), connString)
	if err != nil {
		return false
	}
	conn.Close(t.Context())
	return true
}

// unusedAddress is one where nobody listens.
func unusedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// edited is a connection URL with something changed.
func edited(t *testing.T, connString string, edit func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(connString)
	if err != nil {
		t.Fatalf("the test's database has no URL: %v", err)
	}
	edit(u)
	return u.String()
}

// through is the connection URL by way of another address.
func through(t *testing.T, connString, address string) string {
	t.Helper()
	return edited(t, connString, func(u *url.URL) { u.Host = address })
}

// forward accepts connections on an address and hands them on to a database's server, until the test ends.
func forward(t *testing.T, address, databaseURL string) {
	t.Helper()
	var target string
	edited(t, databaseURL, func(u *url.URL) { target = u.Host })
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatalf("listening in the database's place: %v", err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go pipe(client, target)
		}
	}()
}

func pipe(client net.Conn, target string) {
	defer client.Close()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(server, client); server.Close() })
	both.Go(func() { _, _ = io.Copy(client, server); client.Close() })
	both.Wait()
}

func TestAllOrgsAreTheKeysOwnAndThoseBelowIt(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	p := start(t, in.ingesting(dbtest.NewURL(t)), "ingest", "--org", "all")
	in.waitForClients(in.orgs...)
	for _, org := range in.orgs {
		if n := in.server.Clients(org); n != 1 {
			t.Errorf("org %s has %d clients, want 1", org, n)
		}
	}
	if o := p.stopAndWait(); o.code != exitDone {
		t.Errorf("it exits %d, want %d", o.code, exitDone)
	}
}
