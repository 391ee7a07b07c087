package ingest_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"archiver/ingest"
	"archiver/invent"
	"archiver/postgres/dbtest"
	"archiver/simulator"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5/pgxpool"
)

// inbox is a simulated Invent on a real socket, and an archive beside it.
type inbox struct {
	t      *testing.T
	world  *simulator.World
	server *simulator.Server
	url    string
	pool   *pgxpool.Pool
	spool  string
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	world := simulator.NewWorld(simulator.Config{Seed: 7, Orgs: 3, Chats: 20})
	server := simulator.NewServer(world, simulator.ServerOptions{})
	listening := httptest.NewServer(server)
	t.Cleanup(func() { server.Close(); listening.Close() })
	return &inbox{t, world, server, listening.URL, dbtest.New(t), filepath.Join(t.TempDir(), "spool")}
}

func (b *inbox) config(orgs ...string) ingest.Config {
	b.t.Helper()
	client, err := invent.NewClient(invent.Config{BaseURL: b.url, APIKey: simulator.DefaultKey})
	if err != nil {
		b.t.Fatal(err)
	}
	return ingest.Config{
		Client: client, Orgs: orgs, Pool: b.pool, SpoolDir: b.spool, Instance: "test", Log: slog.New(slog.DiscardHandler),
	}
}

// start runs an ingester; stop ends it as SIGTERM would and returns what Run returned.
func (b *inbox) start(c ingest.Config) (i *ingest.Ingester, stop func() error) {
	b.t.Helper()
	i, err := ingest.New(c)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	b.t.Cleanup(func() { _ = stop() })
	return i, stop
}

func (b *inbox) wait(what string, is func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited 90 s in vain for %s", what)
		}
	}
}

func (b *inbox) connected(orgID string) {
	b.t.Helper()
	b.wait("a connection of "+orgID, func() bool { return b.server.Clients(orgID) == 1 })
}

// play sends the world's next stretch of time to whoever is connected.
func (b *inbox) play(days int) {
	b.t.Helper()
	if _, err := b.server.PlayUntil(context.Background(), b.world.Now().Add(time.Duration(days)*24*time.Hour)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *inbox) count(query string, args ...any) (n int) {
	b.t.Helper()
	if err := b.pool.QueryRow(context.Background(), query, args...).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// archived asserts that the archive holds each frame that was written to the org's socket, once.
func (b *inbox) archived(orgID string) {
	b.t.Helper()
	written := map[[32]byte]int{}
	frames := 0
	for _, s := range b.server.Ledger(orgID) {
		if s.Written {
			written[s.SHA256]++
			frames++
		}
	}
	if frames == 0 {
		b.t.Fatalf("the simulator wrote no frame to %s", orgID)
	}
	b.wait("all frames of "+orgID, func() bool {
		return b.count(`select count(*) from raw.events where org_id = $1`, orgID) >= frames
	})
	rows, err := b.pool.Query(context.Background(), `select sha256 from raw.events where org_id = $1`, orgID)
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var sum []byte
		if err := rows.Scan(&sum); err != nil {
			b.t.Fatal(err)
		}
		written[[32]byte(sum)]--
	}
	if rows.Err() != nil {
		b.t.Fatal(rows.Err())
	}
	for _, n := range written {
		if n != 0 {
			b.t.Fatalf("org %s: a frame is archived %d times too few (negative: too many)", orgID, n)
		}
	}
}

func TestEveryFrameOfSeveralOrgsIsArchivedOnceAcrossDroppedConnections(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	one, two := b.world.Orgs()[0].ID, b.world.Orgs()[1].ID
	c := b.config(one, two)
	c.Lanes = 2
	_, stop := b.start(c)
	b.connected(one)
	b.connected(two)
	b.play(3)
	b.archived(one)
	b.server.Drop(one, websocket.StatusGoingAway, "restart")
	b.server.Drop(two, 0, "")
	b.connected(one)
	b.connected(two)
	b.play(3)
	b.archived(one)
	b.archived(two)
	if err := stop(); err != nil {
		t.Errorf("stopping returned %v, want nil", err)
	}
	if n := b.count(`select count(*) from ops.connections where org_id = $1 and closed_at is not null and frames > 0`, one); n != 2 {
		t.Errorf("ops.connections has %d ended connections of the first org with frames, want 2", n)
	}
	if n := b.count(`select count(*) from ops.connections where org_id = $1 and close_code = 1001`, one); n != 1 {
		t.Errorf("%d connections have the close code 1001 that Invent sent once", n)
	}
	if n := b.count(`select count(distinct stream_id) from ops.streams`); n != 2 {
		t.Errorf("two lanes left %d streams, want 2", n)
	}
}

func TestTheKeysOwnOrgIsStoredUnderItsRealIDAndHeldOnce(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	own := b.world.Orgs()[0].ID
	b.server.FastForward(b.world.Now().Add(24 * time.Hour)) // the inbox list tells the id
	i, _ := b.start(b.config(invent.OwnOrg, own))
	b.connected(own)
	t.Cleanup(func() { t.Logf("not ready because of %q", i.Status().Reasons) }) // shown when it fails
	b.wait("readiness", func() bool { return len(i.Status().Reasons) == 0 })
	b.play(2)
	b.archived(own)
	if n := b.count(`select count(*) from raw.events where org_id = 'c'`); n > 0 {
		t.Errorf("%d events are stored under c though the list tells the id", n)
	}
	if n := b.server.Clients(own); n != 1 {
		t.Errorf("the org is held by %d connections, want 1", n)
	}
}

func TestTheFirstFrameTellsTheOwnOrgWhereTheListCannot(t *testing.T) {
	t.Parallel()
	b := newInbox(t) // nothing has happened yet: the inbox is empty
	own := b.world.Orgs()[0].ID
	b.start(b.config(invent.OwnOrg))
	b.connected(own)
	b.server.Inject(own, websocket.MessageText, []byte("no JSON: tells nothing"))
	b.wait("the first event", func() bool { return b.count(`select count(*) from raw.events where org_id = 'c'`) == 1 })
	b.play(2)
	frames := len(b.server.Ledger(own)) - 1
	b.wait("the others", func() bool { return b.count(`select count(*) from raw.events where org_id = $1`, own) == frames })
	if n := b.count(`select count(*) from raw.events where org_id = 'c'`); n != 1 {
		t.Errorf("%d events are stored under c, want only the one before the id was known", n)
	}
}

func TestAnOrgThatIsRefusedAtStartEndsTheRunAndNamesIt(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 404} {
		b := newInbox(t)
		b.server.RefuseUpgrades(1, status, 0)
		i, err := ingest.New(b.config(b.world.Orgs()[1].ID))
		if err != nil {
			t.Fatal(err)
		}
		var refused *ingest.RefusedError
		if err := i.Run(context.Background()); !errors.As(err, &refused) || refused.OrgID != b.world.Orgs()[1].ID {
			t.Errorf("refused with %d at start, Run returned %v, want a RefusedError that names the org", status, err)
		}
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	org := b.world.Orgs()[0].ID
	b.server.RefuseUpgrades(1, 429, 2*time.Second)
	began := time.Now()
	b.start(b.config(org))
	b.connected(org)
	if waited := time.Since(began); waited < 2*time.Second {
		t.Errorf("connected %v after a 429 with Retry-After: 2", waited)
	}
}

func TestFramesWaitOnDiskWhilePostgresIsAwayAndSpoolsOfOtherLanesAreWrittenFirst(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	one, two := b.world.Orgs()[0].ID, b.world.Orgs()[1].ID
	away := b.config(one, two)
	away.Lanes, away.DrainTimeout = 2, time.Millisecond
	away.Prepare = func(context.Context) error { return errors.New("Postgres is away") }
	i, stop := b.start(away)
	b.connected(one)
	b.connected(two)
	b.play(3)
	received := int64(len(b.server.Ledger(one)) + len(b.server.Ledger(two)))
	b.wait("the spool", func() bool { return i.Status().Pending >= received-int64(unseen(b, one, two)) })
	if err := stop(); err != nil {
		t.Errorf("stopping while Postgres is away returned %v, want nil", err)
	}
	if n := b.count(`select count(*) from raw.events`); n != 0 {
		t.Fatalf("%d events are in Postgres, which was to be away", n)
	}
	back := b.config(one, two)
	back.Lanes = 1
	_, stop = b.start(back)
	b.archived(one)
	b.archived(two)
	if err := stop(); err != nil {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(b.spool, "lane-*-of-2"))
	if err != nil || len(left) > 0 {
		t.Errorf("spools of the earlier run are left: %v (%v)", left, err)
	}
}

// unseen counts frames that were written to nobody.
func unseen(b *inbox, orgs ...string) (n int) {
	for _, org := range orgs {
		for _, s := range b.server.Ledger(org) {
			if !s.Written {
				n++
			}
		}
	}
	return n
}

func TestASpoolIsUsedByOneProcessOnly(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	b.start(b.config(b.world.Orgs()[0].ID))
	if _, err := ingest.New(b.config(b.world.Orgs()[0].ID)); err == nil {
		t.Error("a second ingester opened the same spool")
	}
}
