package ingest

import (
	"context"
	"testing"
	"time"

	"archiver/postgres"
	"archiver/simulator"

	"github.com/jackc/pgx/v5"
)

const (
	// Transactions that have appended events, or still do, while the writer waits for a lock.
	isAhead = ` from pg_stat_activity where datname = current_database() and state <> 'idle' and query like 'copy raw.events%'`
	// The writer, waiting for the lock.
	isHeld = ` from pg_locks where not granted and mode = 'RowExclusiveLock' and relation = 'inbox.chats'::regclass
		and database = (select oid from pg_database where datname = current_database())`
)

// holdChats keeps the writer from going on to the rows of chats, until it is released.
func (a *archive) holdChats(t *testing.T) (release func()) {
	t.Helper()
	tx, err := a.check.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "lock table inbox.chats in share mode"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(context.WithoutCancel(t.Context())); err != nil && err != pgx.ErrTxClosed {
			t.Error(err)
		}
	}
}

// halted is a lane whose first batch waits for a lock, and whose second one is appended.
func (a *archive) halted(ctx context.Context, t *testing.T, limit time.Duration) (lane *Lane, ended chan error, release func()) {
	t.Helper()
	records := simulated(t, simulator.Config{Seed: 11, Chats: 40}, 600)
	release = a.holdChats(t)
	lane = a.lane()
	lane.aheadLimit = limit
	a.append(records[:100]...)
	ended = make(chan error, 1)
	go func() { ended <- lane.Run(ctx) }()
	a.waitUntil("the first batch waits for the lock", func() bool {
		return a.count("select count(*)"+isHeld) > 0
	})
	a.append(records[100:]...)
	a.waitUntil("the second batch is appended", func() bool { return a.count("select count(*)"+isAhead) == 1 })
	return lane, ended, release
}

func (a *archive) isAllWritten(t *testing.T, lane *Lane, ended chan error) {
	t.Helper()
	a.spool.Seal()
	if err := <-ended; err != nil {
		t.Fatalf("the lane ended with %v, want nil at the seal", err)
	}
	if last := a.records[len(a.records)-1].Seq; lane.Committed() != last {
		t.Errorf("the checkpoint is %d, want %d", lane.Committed(), last)
	}
	a.likeReference(false)
	a.nothingIsFlawed()
}

func TestTheNextBatchIsAppendedWhileTheLastOneIsWritten(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	lane, ended, release := a.halted(t.Context(), t, time.Minute)
	defer release()
	if n := a.count("select count(*) from raw.events"); n != 0 {
		t.Errorf("%d events are to be seen before the batch that they follow is committed", n)
	}
	release()
	a.isAllWritten(t, lane, ended)
}

func TestWhatWasAppendedAheadIsTakenBackWhenItsTurnDoesNotCome(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	lane, ended, release := a.halted(t.Context(), t, 300*time.Millisecond)
	defer release()
	a.waitUntil("its transaction is given up", func() bool { return a.count("select count(*)"+isAhead) == 0 })
	release()
	a.isAllWritten(t, lane, ended)
}

func TestABatchIsWrittenOnceThoughTheSessionThatAppendedItIsKilled(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	lane, ended, release := a.halted(t.Context(), t, time.Minute)
	defer release()
	if n := a.count("select count(pg_terminate_backend(pid))" + isAhead); n != 1 {
		t.Fatalf("%d sessions were killed, want the one that appended", n)
	}
	release()
	a.isAllWritten(t, lane, ended)
}

func TestABatchThatWasAppendedAheadSurvivesThatTheOneBeforeFails(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	lane, ended, release := a.halted(t.Context(), t, time.Minute)
	defer release()
	if n := a.count("select count(pg_terminate_backend(pid))" + isHeld); n != 1 {
		t.Fatalf("%d sessions were killed, want the one that writes", n)
	}
	release()
	a.isAllWritten(t, lane, ended)
}

// A stop of the process may find a batch appended and its turn not come: nothing of it may stay behind.
func TestNothingThatWasAppendedAheadIsLeftWhenTheLaneIsStopped(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	ctx, stop := context.WithCancel(t.Context())
	_, ended, release := a.halted(ctx, t, time.Minute)
	defer release()
	stop()
	if err := <-ended; err == nil {
		t.Error("the lane ended without an error, want that of its context")
	}
	a.waitUntil("the transaction has ended", func() bool { return a.count("select count(*)"+isAhead) == 0 })
	release()
	if n := a.count("select count(*) from raw.events"); n != 0 {
		t.Errorf("%d events were stored, want none", n)
	}
	a.reopen()
	a.write()
	a.likeReference(false)
}

func TestABatchOfLargeEventsIsFullBeforeItIsLong(t *testing.T) {
	t.Parallel()
	g, large := &gathered{}, &chunk{events: make([]*event, 2)}
	large.records.Bytes = maxBatchBytes/4 + 1
	for n := 1; n <= 4; n++ {
		if g.isFull() {
			t.Fatalf("%d bytes are a full batch, want %d", g.bytes, maxBatchBytes)
		}
		g.add(large)
	}
	if !g.isFull() {
		t.Errorf("%d bytes are no full batch, want %d at most", g.bytes, maxBatchBytes)
	}
}

// A pooler between the archiver and Postgres may be unable to keep prepared statements.
func TestEventsAreWrittenWithoutPreparedStatements(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"cache_describe", "describe_exec"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			a := newArchive(t)
			pool, err := postgres.Connect(t.Context(), a.check.Config().ConnString()+"&default_query_exec_mode="+mode)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			a.pool = pool
			records := simulated(t, simulator.Config{Seed: 13, Chats: 20}, 300)
			for _, n := range []int{3, 97, 200} { // few, and many
				a.append(records[:n]...)
				records = records[n:]
				a.write()
			}
			a.likeReference(false)
			a.nothingIsFlawed()
		})
	}
}

// Two processes cannot have one spool open; a copy of a spool, or a database put back, is as bad.
func TestTwoWritersOfOneStreamStoreNothingTwice(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	ended := make(chan error, 2)
	for range 2 {
		l := a.lane()
		l.aheadLimit = 300 * time.Millisecond
		go func() { ended <- l.Run(t.Context()) }()
	}
	records := simulated(t, simulator.Config{Seed: 14, Chats: 40}, 900)
	for len(records) > 0 {
		a.append(records[:90]...)
		records = records[90:]
		time.Sleep(15 * time.Millisecond)
	}
	a.spool.Seal()
	for range 2 {
		if err := <-ended; err != nil {
			t.Errorf("a lane ended with %v, want nil at the seal", err)
		}
	}
	if n := a.count("select count(*) from raw.events"); n != 900 {
		t.Errorf("%d events are stored, want 900", n)
	}
	a.likeReference(false)
	a.nothingIsFlawed()
}
