package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"archiver/db"
	"archiver/internal/failpoint"
	"archiver/invent"
	"archiver/spool"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

const (
	// keptChats is how many chats' rows a lane remembers, so as not to read them again with their next event. Each takes some 850 bytes,
	// one with hundreds of messages 1 kB more, one of which a message is being written up to 2 kB.
	keptChats = 32_768
	// What a transaction writes is what has arrived while the one before ran, up to this: larger ones gain little.
	maxBatch      = 1_000
	maxBatchBytes = 8 << 20
	// Events are read and decoded in chunks: memory is bounded by bytes, whatever frames weigh. One is decoded, and one more waits, while
	// the next batch is gathered; more would be memory that a flood, or Postgres' standing still for a second, fills for nothing.
	chunkRecords = 250
	chunkBytes   = 2 << 20
	chunksAhead  = 1
	// attemptTimeout bounds one try to write a batch, and questionTimeout one small question: a server, or a proxy before
	// it, that takes everything and answers nothing looks like a slow one for ever.
	attemptTimeout  = 5 * time.Minute
	questionTimeout = time.Minute
)

// LaneConfig is what a lane needs.
type LaneConfig struct {
	Spool    *spool.Spool
	Pool     *pgxpool.Pool
	Instance string // who writes, for ops.streams
	Log      *slog.Logger
	// MayBeLate says that the spool may hold events observed before ones that are stored already (REST responses,
	// imports). The clocks of rows that did not change are then kept up in Postgres too.
	MayBeLate bool
	// Beside says that others may write the same orgs at the same time, or have stored the same events (Import, Backfill).
	Beside  bool
	Metrics *Metrics // nil for none
}

// Lane writes one spool to Postgres, in order: it is the only writer of the orgs whose events the spool holds.
type Lane struct {
	spool     *spool.Spool
	stream    uuid.UUID
	pool      *pgxpool.Pool
	instance  string
	log       *slog.Logger
	beside    bool         // LaneConfig.Beside
	mayBeLate atomic.Int32 // above 0 while events may come that were observed before ones that are stored
	// orgs lists the orgs whose events the spool holds, and olderBy is told of gaps that were recorded of them; both nil for imports, which
	// are run again by those who need them.
	orgs    func(context.Context) ([]string, error)
	olderBy func(gaps []db.OpsGap, isStart bool)
	metrics *Metrics
	now     func() time.Time

	committed    atomic.Int64 // the stream's checkpoint
	lastReceived *time.Time   // of the event there, when the checkpoint was last read; nil when the database had none
	stored       atomic.Int64 // events written since the start
	known        atomic.Int64 // imported events that were stored before, of those that were tried to be written
	passed       int64        // of those, the ones in the last batch that came so far: it may turn out to be committed
	oldest       atomic.Int64 // µs since 1970: when the oldest event that is read and not written arrived; 0 when none is
	chats        *lru.Cache[chatKey, packed]
	packer       packer
	entities     *entities
	damageNoted  bool      // recordDamage has been through
	spooledSince time.Time // when the oldest event was received that waited in the spool at the start; zero: none did
	again        rereader
	prepares     bool       // unless whoever set the database's address says that statements cannot be prepared
	parameters   parameters // of the statement that is being sent
	ordering     *ordering  // of the payloads that are being appended
	ahead        *ahead     // of the batch at hand; nil once it is used
	aheadFrom    int        // aheadEvents
	aheadLimit   time.Duration
	// notAheadUntil is until when nothing is appended ahead, in ns since 1970.
	notAheadUntil atomic.Int64
	drift         *drift
}

// NewLane makes a lane; Run runs it.
func NewLane(c LaneConfig) *Lane {
	chats, err := lru.New[chatKey, packed](keptChats)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	l := &Lane{
		spool: c.Spool, stream: c.Spool.StreamID(), pool: c.Pool, instance: c.Instance,
		metrics: c.Metrics, now: time.Now, chats: chats, entities: newEntities(),
		again: newRereader(), beside: c.Beside, ordering: &ordering{}, aheadFrom: aheadEvents, aheadLimit: aheadLimit,
	}
	if c.Pool != nil {
		l.prepares = c.Pool.Config().ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement
	}
	if c.MayBeLate {
		l.mayBeLate.Store(1)
	}
	if l.metrics == nil {
		l.metrics = NewMetrics(nil)
	}
	l.log = c.Log.With("stream", l.stream)
	l.drift = newDrift(c.Pool, l.log)
	return l
}

// Committed is the stream's checkpoint: every record up to it is in Postgres. 0 until Run has read it.
func (l *Lane) Committed() int64 { return l.committed.Load() }

// Run writes what is in the spool and what comes into it, until the spool is sealed and empty (nil), or ctx ends
// (its error). Troubles of Postgres are waited out, however long; only a spool that fails ends it with another error.
func (l *Lane) Run(ctx context.Context) error {
	for isStart := true; ; isStart = false {
		if err := l.open(ctx, isStart); err != nil {
			return err
		}
		if err := l.run(ctx); !errors.Is(err, errOlder) {
			return err
		}
	}
}

// run reads and writes from the checkpoint on.
func (l *Lane) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	chunks, batches := make(chan *chunk, chunksAhead), make(chan *gathered)
	used := make(chan *chunk, 2*chunksAhead+2*maxBatch/chunkRecords)
	group.Go(func() error {
		defer close(chunks)
		return l.readAhead(ctx, chunks, used)
	})
	group.Go(func() error { return l.gather(ctx, chunks, batches) })
	drifting, stopDrifting := context.WithCancel(ctx)
	group.Go(func() error {
		defer stopDrifting()
		return l.writeAll(ctx, batches, used)
	})
	group.Go(func() error {
		l.drift.run(drifting)
		return nil
	})
	return group.Wait()
}

// open finds how far the stream had been written. After the start that is when the database turned out to be an older one.
func (l *Lane) open(ctx context.Context, isStart bool) error {
	return l.persist(ctx, "finding the stream's checkpoint", func() error {
		if err := l.readCheckpoint(ctx); err != nil {
			return err
		}
		if err := l.noticeOlder(ctx, isStart); err != nil {
			return err
		}
		if isStart {
			if err := l.recordDamage(ctx); err != nil {
				return err
			}
		}
		// If the disk lost what Postgres already holds, its numbers must not be given out again.
		l.spool.SkipTo(l.committed.Load())
		// A process that was killed between COMMIT and trim leaves a spool that may be full of what is committed.
		if err := l.spool.Trim(l.committed.Load()); err != nil && !errors.Is(err, spool.ErrFull) {
			return fmt.Errorf("trimming the spool: %w", err)
		}
		return nil
	})
}

func (l *Lane) readCheckpoint(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, failpoint.Duration("answer-within", questionTimeout))
	defer cancel()
	stream, err := db.New(l.pool).OpenStream(ctx, db.OpenStreamParams{
		StreamID: l.stream, Instance: l.instance, UpdatedAt: l.now().UTC(),
	})
	if err != nil {
		return fmt.Errorf("reading the stream's checkpoint: %w", err)
	}
	l.committed.Store(stream.CommittedSeq)
	l.lastReceived = stream.LastReceivedAt
	return nil
}

// persist tries until it succeeds: Postgres may be away for hours, and what is received meanwhile waits on disk. It only
// gives up when the database turns out to be an older one.
func (l *Lane) persist(ctx context.Context, what string, try func() error) error {
	wait := backoff{base: 100 * time.Millisecond, limit: 10 * time.Second}
	for {
		err := try()
		if err == nil {
			if wait.failures > 0 {
				l.log.Info("Postgres is back", "after_failures", wait.failures)
			}
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, errOlder) {
			return err
		}
		if needsNewSession(err) {
			l.pool.Reset()
		}
		pause := wait.next(0)
		l.metrics.commitFailures.Inc()
		l.log.Warn("Postgres does not take what was received; it waits in the spool",
			"doing", what, "error", describeError(err), "retry_in", pause.Round(time.Millisecond))
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
	}
}

// chunk is some records, read and decoded. It owns their memory.
type chunk struct {
	records spool.Batch
	events  []*event
}

// readAhead decodes the next chunks while the writer is busy with the last.
func (l *Lane) readAhead(ctx context.Context, chunks chan<- *chunk, used <-chan *chunk) error {
	reader := l.spool.NewReader(l.committed.Load())
	defer reader.Close()
	decoder, blocks := &invent.Decoder{}, newBlocks()
	for {
		c := &chunk{}
		select {
		case c = <-used:
		default:
		}
		err := reader.Next(ctx, &c.records, chunkRecords, chunkBytes)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the spool: %w", err)
		}
		c.events = c.events[:0]
		for i := range c.records.Records {
			e := describe(decoder, l.stream, &c.records.Records[i], blocks)
			l.drift.note(e)
			c.events = append(c.events, e)
		}
		select {
		case chunks <- c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *Lane) writeAll(ctx context.Context, batches <-chan *gathered, used chan<- *chunk) error {
	for g := range batches {
		l.oldest.Store(g.events[0].receivedAt.UnixMicro())
		l.ahead = g.ahead
		err := l.store(ctx, g.events)
		l.takeAhead().giveUp(ctx) // where it was not come to
		if err != nil {
			return err
		}
		l.oldest.Store(0)
		l.stored.Add(int64(len(g.events)))
		failpoint.Hit("before-trim")
		// On a full disk there is no room for the segment that is to follow either: the next trim tries again.
		if err := l.spool.Trim(l.committed.Load()); err != nil && !errors.Is(err, spool.ErrFull) {
			return fmt.Errorf("trimming the spool: %w", err)
		}
		failpoint.Hit("after-trim")
		for _, c := range g.chunks {
			if len(c.events) < chunkRecords/2 {
				continue // it may have the memory of a flood, and does without
			}
			clear(c.events) // what was decoded is not needed while the chunk waits to be used again
			select {
			case used <- c:
			default:
			}
		}
	}
	return ctx.Err()
}

// store writes events, whatever it takes: it waits for Postgres as long as need be, and takes apart a batch of which
// Postgres refuses something.
func (l *Lane) store(ctx context.Context, events []*event) error {
	began := l.now()
	var refusal error
	err := l.persist(ctx, "writing events", func() error {
		err := l.attempt(ctx, events)
		if isAboutData(err) {
			// Rows that were taken out of the database behind the lane's back look the same: once more without memory.
			l.forget()
			err = l.attempt(ctx, events)
		}
		if refusal = nil; isAboutData(err) {
			refusal = err
			return nil
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case refusal == nil:
		l.metrics.wrote(events, l.now(), began)
		return nil
	case len(events) > 1:
		half := len(events) / 2
		if err := l.store(ctx, events[:half]); err != nil {
			return err
		}
		return l.store(ctx, events[half:])
	}
	return l.isolate(ctx, events, refusal)
}

// isolate stores an event that Postgres refuses by itself, as bytes with a flaw.
func (l *Lane) isolate(ctx context.Context, events []*event, refusal error) error {
	e := events[0]
	l.metrics.isolated.Inc()
	l.log.Warn("Postgres refuses an event; its bytes are kept, nothing is read from it",
		"org_id", e.orgID, "seq", e.seq, "error", describeError(refusal))
	e.reading.Flaws = append(e.reading.Flaws, "frame: refused by Postgres ("+sqlState(refusal)+")")
	e.reading.Payload, e.request, e.typ, e.identifier, e.chatID, e.chats, e.orgs = nil, nil, nil, nil, nil, nil, nil
	began := l.now()
	// Should not even the bytes be taken, only somebody who looks into it can help: it is tried on, and nothing is lost.
	err := l.persist(ctx, "writing an event that was refused", func() error { return l.attempt(ctx, events) })
	if err == nil {
		l.metrics.wrote(events, l.now(), began)
	}
	return err
}

// attempt writes the events once. After a failure it finds out whether they were committed after all, since the reply
// to a COMMIT can be lost.
func (l *Lane) attempt(ctx context.Context, events []*event) error {
	before := l.committed.Load()
	if events[0].place <= before {
		l.takeAhead().giveUp(ctx)
	}
	for len(events) > 0 && events[0].place <= before {
		events = events[1:]
	}
	if len(events) == 0 {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, failpoint.Duration("answer-within", attemptTimeout))
	failure := l.write(limited, events)
	cancel()
	if failure == nil || isAboutData(failure) {
		return failure
	}
	if l.readCheckpoint(ctx) != nil || l.committed.Load() == before {
		return failure
	}
	// What the lane remembers of the rows may be behind what was committed, or ahead of it.
	l.forget()
	if l.committed.Load() < before {
		return errOlder
	}
	if l.committed.Load() >= events[len(events)-1].place {
		l.known.Add(l.passed)
		return nil
	}
	return failure
}

// takeAhead is the transaction that has appended the batch at hand already, for one try.
func (l *Lane) takeAhead() (a *ahead) {
	a, l.ahead = l.ahead, nil
	return a
}

// expectingLate has the lane keep the rows' clocks exactly until the returned function is called: older events may come.
func (l *Lane) expectingLate() (done func()) {
	l.mayBeLate.Add(1)
	return func() { l.mayBeLate.Add(-1) }
}

// expectLate has the lane keep the rows' clocks exactly for a while: another process may still write older events.
func (l *Lane) expectLate(d time.Duration) {
	if d <= 0 {
		return
	}
	l.mayBeLate.Add(1)
	time.AfterFunc(d, func() { l.mayBeLate.Add(-1) })
}

// forget drops what is remembered of rows in Postgres.
func (l *Lane) forget() {
	l.chats.Purge()
	l.entities = newEntities()
}
