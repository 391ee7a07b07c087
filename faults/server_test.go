//go:build linux

package faults_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"archiver/postgres"
)

func TestBackendsThatAreTerminatedAgainAndAgainCostNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, 300)
	p := s.start()
	s.connected()
	s.flows(20)
	ended := 0
	s.wait("a dozen sessions to be there and ended", func() bool {
		time.Sleep(40 * time.Millisecond) // anything may be going on by then
		ended += s.terminate()
		return ended >= 12
	})
	s.flows(50)
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

// TestAServerThatGoesDownAtOnceAndComesBack is for a server of its own: immediate shutdown is what a crash is, and its
// fsync is on, as what it said is committed has to be there afterwards.
func TestAServerThatGoesDownAtOnceAndComesBackHasWhatItCommitted(t *testing.T) {
	t.Parallel()
	dir := serverDir(t)
	server := startServer(t, dir, nil)
	s := newStageOn(t, 200, server.URL())
	p := s.start()
	s.hasSchema(p)
	for range 2 {
		s.flows(100)
		killServer(t, dir)
		<-server.Done()
		_ = server.Close() // it has ended; this gives its directory back
		s.wait("what is received to wait in the spool", func() bool { _, r := p.ready(); return r.Pending > 50 })
		server = startServer(t, dir, nil)
		s.pool.Reset()
	}
	s.flows(100)
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

func TestAnArchiverThatStartsWithoutPostgresReceivesAndIsKilledKeepsItAll(t *testing.T) {
	t.Parallel()
	dir := serverDir(t)
	server := startServer(t, dir, nil)
	s := newStageOn(t, 200, server.URL())
	p := s.start()
	s.hasSchema(p)
	s.flows(100)
	p.signal(syscall.SIGKILL)
	p.exit()
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		p := s.start()
		s.connected()
		s.wait("events to be received", func() bool { _, r := p.ready(); return r.Received > 100 })
		s.server.Drop(s.org, 0, "") // the gap that this opens is known to this process only
		s.wait("it to be connected again", func() bool { return s.server.Clients(s.org) > 0 })
		received := func() int64 { _, r := p.ready(); return r.Received }
		before := received()
		s.wait("more to be received", func() bool { return received() > before+50 })
		p.signal(syscall.SIGKILL)
		p.exit()
	}
	startServer(t, dir, nil)
	s.pool.Reset()
	p = s.start()
	s.connected()
	s.flows(400)
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

// The first start of all, without a Postgres and killed: there is nothing but the spool to tell that anybody listened.
func TestAFirstStartWithoutPostgresThatIsKilledLeavesARecordedGap(t *testing.T) {
	t.Parallel()
	s := newStage(t, 200)
	reachable := s.databaseURL
	s.databaseURL = "postgres://nobody@127.0.0.1:1/nothing?connect_timeout=2"
	p := s.start()
	s.connected()
	s.wait("events to be received", func() bool { _, r := p.ready(); return r.Received > 50 })
	p.signal(syscall.SIGKILL)
	p.exit()
	s.databaseURL = reachable
	p = s.start()
	s.flows(100)
	s.caughtUp(p)
	p.stop()
	if n := s.count("select count(*) from ops.gaps where ended_at is not null"); n != 1 {
		t.Errorf("there are %d gaps that are over, want 1: from the first process to the second", n)
	}
	s.verdict()
}

func TestADatabaseThatIsReadOnlyForAWhileIsWaitedForAndIsolatesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, 300)
	p := s.start()
	s.connected()
	s.flows(50)
	s.exec("alter database " + s.database() + " set default_transaction_read_only = on")
	s.terminate() // sessions keep what they began with: this is a failover to a standby
	p.says("25006")
	s.wait("events to pile up", func() bool { _, r := p.ready(); return r.Pending > 200 })
	// The sessions that were opened meanwhile stay read-only for their life: the archiver has to open new ones.
	s.exec("alter database " + s.database() + " reset default_transaction_read_only")
	s.flowsReadWrite(300)
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

// hasSchema waits until the archiver has migrated a new database.
func (s *stage) hasSchema(p *process) {
	s.t.Helper()
	s.connected()
	s.wait("the schema", func() bool { code, _ := p.ready(); return code == http.StatusOK })
}

// flowsReadWrite is flows with new sessions of the test's own.
func (s *stage) flowsReadWrite(more int) {
	s.t.Helper()
	s.pool.Reset()
	s.flows(more)
}

func TestLockAndStatementTimeoutsAreWaitedOut(t *testing.T) {
	t.Parallel()
	s := newStage(t, 300)
	s.exec("alter database " + s.database() + " set lock_timeout = '150ms'")
	p := s.start()
	s.connected()
	s.flows(50)
	release := s.lock("lock table inbox.chats in access exclusive mode")
	p.says("55P03")
	release()
	s.flows(100)

	s.exec("alter database " + s.database() + " set lock_timeout = 0")
	s.exec("alter database " + s.database() + " set statement_timeout = '200ms'")
	s.terminate()
	s.flows(50)
	release = s.lock("lock table inbox.messages in access exclusive mode")
	p.says("57014")
	release()
	s.exec("alter database " + s.database() + " reset statement_timeout")
	s.terminate() // a machine that is slow enough would else never write a batch within 200 ms
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

func TestADeadlockIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, 300)
	p := s.start()
	s.connected()
	s.flows(50)
	s.wait("the archiver to be the victim of a deadlock", func() bool {
		tx, err := s.pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer tx.Rollback(t.Context())
		if _, err := tx.Exec(t.Context(), "lock table inbox.messages in access exclusive mode"); err != nil {
			t.Fatal(err)
		}
		s.wait("the archiver to wait for the table", func() bool {
			return s.count(`select count(*) from pg_locks where not granted and relation = 'inbox.messages'::regclass`) > 0
		})
		// It holds its checkpoint. Whoever waits first is the first to look for a deadlock.
		_, _ = tx.Exec(t.Context(), "set local lock_timeout = '5s'; select from ops.streams for update")
		return strings.Contains(p.log.String(), "40P01")
	})
	s.flows(50)
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

func TestASchemaThatIsChangedUnderneathIsWaitedForAndIsolatesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, 300)
	p := s.start()
	s.connected()
	s.flows(50)
	s.exec("alter table inbox.chats rename column title to caption")
	p.says("42703")
	s.exec("alter table inbox.chats rename column caption to title")
	s.flows(50)
	s.exec("alter table inbox.messages add column note text not null default ''")
	s.flows(50)
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

func TestADeletedPartitionCostsNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, 300)
	p := s.start()
	s.connected()
	s.flows(50)
	// The rows that are in it are moved out first: what an operator deletes is deleted.
	month := time.Now().UTC().Format("2006_01")
	s.exec(fmt.Sprintf(`alter table raw.events detach partition raw.events_%s`, month))
	s.exec(fmt.Sprintf(`alter table raw.events_%[1]s rename to before_%[1]s`, month))
	s.flows(100)
	if s.count("select count(*) from raw.events_default") == 0 {
		t.Error("raw.events_default is empty, want that it takes what has no partition")
	}
	p.stop()
	p = s.start() // makes the partition anew, and moves what belongs into it
	s.flows(100)
	s.caughtUp(p)
	p.stop()
	if n := s.count("select count(*) from raw.events_default"); n != 0 {
		t.Errorf("raw.events_default has %d rows after a restart, want none", n)
	}
	s.exec(fmt.Sprintf("insert into raw.events select * from raw.before_%s", month))
	s.verdict()
}

func TestAFullDiskOfPostgresIsWaitedOut(t *testing.T) {
	t.Parallel()
	dir := serverDir(t)
	small := mountSmall(t, filepath.Join(dir, "small"), "24m")
	server := startServer(t, dir, nil)
	s := newStageOn(t, 200, server.URL())
	space := filepath.Join(small, "space")
	mkdirFor(t, space, filepath.Join(dir, "data"))
	p := s.start()
	s.hasSchema(p)
	s.exec(fmt.Sprintf("create tablespace small location '%s'", space))
	s.exec(fmt.Sprintf("alter table raw.events_%s set tablespace small", time.Now().UTC().Format("2006_01")))
	s.flows(20)
	release := fill(t, small)
	p.says("53100")
	s.wait("events to pile up", func() bool { _, r := p.ready(); return r.Pending > 100 })
	release()
	s.flows(100)
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

// serverDir is a place for a server, which runs under another account when the test is root's.
func serverDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "archiver-faults-")
	if err != nil {
		dir, err = os.MkdirTemp("", "archiver-faults-")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return filepath.Join(dir, "postgres")
}

func startServer(t *testing.T, dir string, settings map[string]string) *postgres.Server {
	t.Helper()
	server, err := postgres.Start(t.Context(), postgres.Options{Dir: dir, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// killServer is an immediate shutdown: no checkpoint, no goodbye, recovery at the next start.
func killServer(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
}

// mkdirFor makes a directory that belongs to whom another one does.
func mkdirFor(t *testing.T, dir, like string) {
	t.Helper()
	if out, err := exec.Command("install", "-d", "-m", "700", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := exec.Command("chown", "--reference="+like, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
