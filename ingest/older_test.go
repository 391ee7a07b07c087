package ingest_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"archiver/ingest"
	"archiver/postgres"
	"archiver/postgres/dbtest"
	"archiver/simulator"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const causeOlder = "the database is older than the spool: it was restored or replaced"

// older is an archive of two orgs in one lane, whose spool is deleted quickly once it is committed.
type older struct {
	*inbox
	orgs []string
	log  *lines
	end  func() // nothing more happens in the inbox
}

func newOlder(t *testing.T) *older {
	t.Helper()
	world := simulator.NewWorld(simulator.Config{
		Seed: 12, Orgs: 2, Chats: 150, Start: time.Now().Add(-10 * 24 * time.Hour),
	})
	server := simulator.NewServer(world, simulator.ServerOptions{Live: true, Rate: 300})
	listening := httptest.NewServer(server)
	t.Cleanup(func() { server.Close(); listening.Close() })
	server.FastForward(time.Now().Add(-24 * time.Hour))
	ctx, cancel := context.WithCancel(context.Background())
	played := make(chan error, 1)
	go func() { played <- server.Play(ctx) }()
	t.Cleanup(cancel)
	b := &inbox{t, world, server, listening.URL, dbtest.New(t), filepath.Join(t.TempDir(), "spool")}
	return &older{b, []string{world.Orgs()[0].ID, world.Orgs()[1].ID}, &lines{}, func() { cancel(); <-played }}
}

// run starts the archive and waits until all orgs are listened to.
func (o *older) run(orgs ...string) (*ingest.Ingester, func() error) {
	o.t.Helper()
	c := o.config(orgs...)
	c.Lanes, c.ReconcileRPM = 1, 60_000
	c.Log = slog.New(slog.NewTextHandler(o.log, nil))
	i, stop := o.start(c)
	for _, orgID := range orgs {
		o.connected(orgID)
	}
	return i, stop
}

// archives waits until so many more events are in Postgres.
func (o *older) archives(n int) {
	o.t.Helper()
	have := o.count("select count(*) from raw.events")
	o.wait("events in Postgres", func() bool { return o.count("select count(*) from raw.events") >= have+n })
}

// trims waits until the spool has deleted events beyond one.
func (o *older) trims(seq int) {
	o.t.Helper()
	o.wait("the spool to be trimmed", func() bool {
		segments, err := filepath.Glob(filepath.Join(o.spool, "lane-1-of-1", "*.seg"))
		if err != nil || len(segments) == 0 {
			return false
		}
		var first int
		_, err = fmt.Sscanf(filepath.Base(segments[0]), "%d-", &first)
		return err == nil && first > seq+50
	})
}

func (o *older) checkpoint() int {
	o.t.Helper()
	return o.count("select coalesce(max(committed_seq), 0) from ops.streams")
}

// lost is when the first and the last of the events after one and up to another were received.
func (o *older) lost(after, through int) (from, until time.Time) {
	o.t.Helper()
	err := o.pool.QueryRow(context.Background(), "select min(received_at), max(received_at) from raw.events where seq > $1 and seq <= $2",
		after, through).Scan(&from, &until)
	if err != nil {
		o.t.Fatal(err)
	}
	return from, until
}

// admin runs statements outside of the archive's database.
func (o *older) admin(statements ...string) {
	o.t.Helper()
	conn, err := pgx.Connect(context.Background(), at(o.pool, "postgres"))
	if err != nil {
		o.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, sql := range statements {
		if _, err := conn.Exec(context.Background(), sql); err != nil {
			o.t.Fatalf("%s: %v", sql, err)
		}
	}
}

func (o *older) name() string { return o.pool.Config().ConnConfig.Database }

// backUp copies the database, and tells the checkpoint in the copy; sessions are ended for that moment.
func (o *older) backUp() (name string, checkpoint int) {
	o.t.Helper()
	name = o.name() + "_backup"
	o.admin("alter database "+o.name()+" allow_connections false", endSessions(o.name()),
		"create database "+name+" template "+o.name()+" strategy file_copy",
		"alter database "+o.name()+" allow_connections true")
	o.pool.Reset()
	o.t.Cleanup(func() { o.admin("drop database if exists " + name + " with (force)") })
	conn, err := pgx.Connect(context.Background(), at(o.pool, name))
	if err != nil {
		o.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(context.Background(), "select max(committed_seq) from ops.streams").Scan(&checkpoint); err != nil {
		o.t.Fatal(err)
	}
	return name, checkpoint
}

// endSessions waits for the end of a database's sessions, too: one that is still there keeps it from being copied.
func endSessions(name string) string {
	return `do $$ begin
		while exists (select from pg_stat_activity where datname = '` + name + `') loop
			perform pg_terminate_backend(pid) from pg_stat_activity where datname = '` + name + `';
			perform pg_sleep(0.01), pg_stat_clear_snapshot();
		end loop;
	end $$`
}

// at is the connection string of another database of the same server.
func at(pool *pgxpool.Pool, database string) string {
	u, err := url.Parse(pool.Config().ConnString())
	if err != nil {
		panic(err)
	}
	u.Path = "/" + database
	return u.String()
}

func (o *older) use(connString string) {
	o.t.Helper()
	pool, err := postgres.Connect(context.Background(), connString)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(pool.Close)
	o.pool = pool
}

// messages are all messages of an org that the database has.
func (o *older) messages(orgID string) (ids []string) {
	o.t.Helper()
	rows, err := o.pool.Query(context.Background(), "select message_id from inbox.messages where org_id = $1", orgID)
	if err != nil {
		o.t.Fatal(err)
	}
	if ids, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		o.t.Fatal(err)
	}
	return ids
}

// isRepaired asserts what an org has to look like in the end: a repaired gap that says why and covers all that was lost,
// those messages that the database before had and Invent still has, and no event twice.
func (o *older) isRepaired(orgID string, lostFrom, lostUntil time.Time, had []string) {
	o.t.Helper()
	o.wait("the repair of "+orgID, func() bool {
		return o.count("select count(*) from ops.gaps where org_id = $1 and cause = $2 and status = 'repaired'", orgID, causeOlder) > 0
	})
	if n := o.count("select count(*) from ops.gaps where org_id = $1 and cause = $2", orgID, causeOlder); n != 1 {
		o.t.Errorf("org %s has %d gaps with the cause %q, want 1: %+v", orgID, n, causeOlder, o.gaps(orgID))
	}
	if o.count(`select count(*) from ops.gaps where org_id = $1 and cause = $2 and began_at <= $3 and ended_at >= $4
		and began_at > $3 - interval '10 min'`, orgID, causeOlder, lostFrom, lostUntil) != 1 {
		o.t.Errorf("the gap of %s does not go from just before %s to %s: %+v", orgID, lostFrom, lostUntil, o.gaps(orgID))
	}
	o.wait("the end of all gaps of "+orgID, func() bool {
		return o.count("select count(*) from ops.gaps where org_id = $1 and ended_at is null", orgID) == 0
	})
	missing := o.missing(orgID, lostFrom.Add(-time.Hour))
	for _, id := range had {
		if missing[id] {
			o.t.Errorf("message %s of %s was in the database before and is not in the older one after the repair", id, orgID)
		}
	}
}

func (o *older) isSound(i *ingest.Ingester) {
	o.t.Helper()
	o.end()
	o.wait("all that was received", func() bool { return i.Status().Pending == 0 })
	if n := o.count("select count(*) - count(distinct (stream_id, seq)) from raw.events"); n != 0 {
		o.t.Errorf("%d events are in raw twice", n)
	}
	var told int
	if _, rest, ok := strings.Cut(o.log.String(), "events_missing="); ok {
		_, _ = fmt.Sscanf(rest, "%d", &told)
	}
	if n := o.count("select max(seq) - count(*) from raw.events"); n != told || n < 50 {
		o.t.Errorf("%d events are missing in raw, the log says %d", n, told)
	}
	if reasons := i.Status().Reasons; len(reasons) > 0 {
		o.t.Errorf("it is not ready: %v", reasons)
	}
	if n := strings.Count(o.log.String(), "THE DATABASE IS OLDER THAN THE SPOOL"); n != 1 {
		o.t.Errorf("the log says %d times that the database is older, want once:\n%s", n, o.log)
	}
	o.isAsRebuilt()
}

func TestADatabaseThatWasRestoredFromABackupHasAGapThatIsRepaired(t *testing.T) {
	t.Parallel()
	o := newOlder(t)
	_, stop := o.run(o.orgs...)
	o.archives(300)
	backup, kept := o.backUp()
	o.archives(300)
	checkpoint := o.checkpoint()
	o.trims(checkpoint)
	lostFrom, lostUntil := o.lost(kept, checkpoint)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	had := [][]string{o.messages(o.orgs[0]), o.messages(o.orgs[1])}
	o.use(at(o.pool, backup))
	if o.count("select count(*) from ops.gaps where cause = $1", causeOlder) > 0 {
		t.Fatal("the backup has the gap before it was ever used")
	}
	i, stop := o.run(o.orgs...)
	for n, orgID := range o.orgs {
		o.isRepaired(orgID, lostFrom, lostUntil, had[n])
	}
	o.isSound(i)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	// It is told once.
	_, _ = o.run(o.orgs...)
	o.wait("the next gap", func() bool {
		return o.count("select count(*) from ops.gaps where ended_at is not null and cause like 'stopped%'") >= 2
	})
	if n := o.count("select count(*) from ops.gaps where cause = $1", causeOlder); n != 2 {
		t.Errorf("after another start there are %d gaps with this cause, want one for each of the two orgs", n)
	}
}

func TestADatabaseThatNeverKnewTheSpoolHasAGapSinceTheSpoolBegan(t *testing.T) {
	t.Parallel()
	o := newOlder(t)
	_, stop := o.run(o.orgs...)
	o.archives(100)
	checkpoint := o.checkpoint()
	o.trims(checkpoint)
	lostFrom, lostUntil := o.lost(0, checkpoint)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	had := [][]string{o.messages(o.orgs[0]), o.messages(o.orgs[1])}
	// What the inbox had when the archiver first connected is in no gap; the lists still tell what changed since.
	o.use(dbtest.NewURL(t))
	i, _ := o.run(o.orgs...)
	for n, orgID := range o.orgs {
		o.isRepaired(orgID, lostFrom, lostUntil, nil)
		if has := o.messages(orgID); len(has) < len(had[n])/2 {
			t.Errorf("org %s has %d messages after the repair, and had %d", orgID, len(has), len(had[n]))
		}
	}
	o.isSound(i)
}

func TestADatabaseThatIsReplacedByAnOlderOneWhileItIsUsedHasAGapThatIsRepaired(t *testing.T) {
	t.Parallel()
	o := newOlder(t)
	i, _ := o.run(o.orgs...)
	o.archives(300)
	backup, kept := o.backUp()
	o.archives(300)
	checkpoint := o.checkpoint()
	o.trims(checkpoint)
	o.archives(60) // which are on the spool still, and are to be written again
	had := [][]string{o.messages(o.orgs[0]), o.messages(o.orgs[1])}
	lostFrom, lostUntil := o.lost(kept, checkpoint)
	name := o.name()
	o.admin("alter database "+name+" allow_connections false", endSessions(name),
		"alter database "+name+" rename to "+name+"_lost", "alter database "+backup+" rename to "+name)
	o.pool.Reset()
	t.Cleanup(func() { o.admin("drop database if exists " + name + "_lost with (force)") })
	for n, orgID := range o.orgs {
		o.isRepaired(orgID, lostFrom, lostUntil, had[n])
	}
	o.archives(100)
	o.isSound(i)
}

// TestWhatIsStillOnTheSpoolIsWrittenAgain: nothing is missing then, and nothing is recorded.
func TestWhatIsStillOnTheSpoolIsWrittenAgain(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	orgID := b.world.Orgs()[0].ID
	_, stop := b.start(b.config(orgID))
	b.connected(orgID)
	b.play(3)
	b.archived(orgID)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.pool = dbtest.New(t)
	i, _ := b.start(b.config(orgID))
	b.connected(orgID)
	b.archived(orgID)
	if n := b.count("select count(*) from ops.gaps where cause = $1", causeOlder); n != 0 {
		t.Errorf("%d gaps are recorded though the spool held everything", n)
	}
	b.wait("readiness", func() bool { return len(i.Status().Reasons) == 0 })
}

// lines is a log.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
