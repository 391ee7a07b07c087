package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"

	"archiver/db"
	"archiver/invent"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// rebuildLock is the advisory lock that a rebuild holds, and that imports wait for: they put events where the rebuild
// has read already. It is an arbitrary number.
const rebuildLock = 7_305_804_402_464_548_210

const (
	// A rebuild catches up with what is written meanwhile in rounds, until one is so small that the writers can wait for
	// the next, or so many have been made.
	smallRound = 500
	maxRounds  = 10
	// busyPause lets the lanes go on that waited behind a rebuild that could not have its turn.
	busyPause = 5 * time.Second

	lockTries = 11
	lockPause = 200 * time.Millisecond
	// keptDerived bounds how many chats are remembered as derived from all of their events; one that is forgotten is
	// derived again.
	keptDerived = 1 << 17
)

// ErrRebuilding is returned by Rebuild while another rebuild works on the same database.
var ErrRebuilding = errors.New("another rebuild is at work in this database")

// RebuildConfig is what Rebuild needs.
type RebuildConfig struct {
	Pool *pgxpool.Pool // two of its connections are used
	Orgs []string      // ids; none = every org that has events or rows
	// Verify compares and leaves everything as it is.
	Verify   bool
	Instance string
	Log      *slog.Logger
	Differs  func(Difference)      // called for each difference that Verify finds; may be nil
	Progress func(RebuildProgress) // called with every page; may be nil
}

// RebuildProgress says how far a rebuild has come.
type RebuildProgress struct {
	OrgID      string
	Events     int64     // of this org, so far
	ReceivedAt time.Time // of the last of them
}

// RebuildResult is what a rebuild came to, over all orgs.
type RebuildResult struct {
	Orgs    int
	Events  int64
	Refused int64 // events that Postgres refuses what is made of them: they are logged and left out
	// Written and Removed are rows of inbox that were not what raw gives; 0 with Verify.
	Written, Removed int64
	Differences      int64 // rows; with Verify only
}

// Rebuild makes inbox anew from raw with the code of today, org by org, while ingest goes on: in temporary tables, which
// then, in one transaction for each org, take the place of the rows that differ from them. An org's rows are always
// either what they were or rebuilt. docs/decisions/0007-rebuild.md says why it is so.
//
// Besides those of the database the errors are ErrRebuilding, and that raw does not go back as far as the tables.
func Rebuild(ctx context.Context, c RebuildConfig) (result RebuildResult, err error) {
	r, err := newRebuild(ctx, c)
	if err != nil {
		return result, err
	}
	// The session's end drops the temporary tables and gives the lock back.
	defer func() { err = errors.Join(err, r.conn.Close(context.WithoutCancel(ctx))) }()
	orgs := slices.Clone(c.Orgs)
	if len(orgs) == 0 {
		r.allListed = true
		if orgs, err = r.allOrgs(ctx); err != nil {
			return r.result, fmt.Errorf("finding the orgs: %w", err)
		}
	}
	known := map[string]bool{}
	for len(orgs) > 0 {
		orgID := orgs[0]
		if orgs = orgs[1:]; known[orgID] {
			continue
		}
		known[orgID] = true
		if err := r.org(ctx, orgID); err != nil {
			return r.result, fmt.Errorf("rebuilding org %s: %w", orgID, err)
		}
		r.result.Orgs++
		if r.allListed {
			orgs = append(orgs, slices.Sorted(maps.Keys(r.listed))...)
		}
	}
	return r.result, nil
}

// rebuild is one call of Rebuild: a session of its own, and the org at hand.
type rebuild struct {
	config RebuildConfig
	conn   *pgx.Conn
	shadow *shadow
	result RebuildResult
	// allListed has the orgs rebuilt too that only a list of sub-orgs names.
	allListed bool

	orgID   string
	lane    *Lane // without a spool: what is remembered of the shadow's rows
	events  int64
	through map[uuid.UUID]int64     // by stream: events up to this seq are in the shadow
	last    map[uuid.UUID]time.Time // by stream: when the last of them was received
	beyond  map[uuid.UUID]bool      // streams that have events after their checkpoint
	derived *lru.Cache[chatKey, bool]
	listed  map[string]bool // orgs that the org's lists of sub-orgs name
}

func newRebuild(ctx context.Context, c RebuildConfig) (*rebuild, error) {
	pooled, err := c.Pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting to Postgres: %w", err)
	}
	r := &rebuild{config: c, conn: pooled.Hijack()}
	if err := r.begin(ctx); err != nil {
		return nil, errors.Join(err, r.conn.Close(context.WithoutCancel(ctx)))
	}
	return r, nil
}

func (r *rebuild) begin(ctx context.Context) error {
	// The session of a rebuild that was just ended may take a moment to go.
	for free, tries := false, 0; !free; tries++ {
		if tries == lockTries {
			return ErrRebuilding
		}
		if tries > 0 && !sleep(ctx, lockPause) {
			return ctx.Err()
		}
		if err := r.conn.QueryRow(ctx, "select pg_try_advisory_lock($1)", int64(rebuildLock)).Scan(&free); err != nil {
			return fmt.Errorf("asking whether another rebuild is at work: %w", err)
		}
	}
	// Has to come before the session's first temporary table.
	if _, err := r.conn.Exec(ctx, "set temp_buffers = '64MB'; set statement_timeout = 0"); err != nil {
		return fmt.Errorf("preparing the session: %w", err)
	}
	var err error
	r.shadow, err = newShadow(ctx, r.conn)
	return err
}

// allOrgs are those with events, and those that have rows nevertheless.
func (r *rebuild) allOrgs(ctx context.Context) ([]string, error) {
	orgs, err := db.New(r.conn).GetOrgsOfEvents(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := db.New(r.conn).GetOrgs(ctx)
	if err != nil {
		return nil, err
	}
	orgs = append(orgs, rows...)
	slices.Sort(orgs)
	return slices.Compact(orgs), nil
}

func (r *rebuild) org(ctx context.Context, orgID string) error {
	if err := r.startOrg(ctx, orgID); err != nil {
		return err
	}
	if err := r.readAll(ctx); err != nil {
		return err
	}
	for range maxRounds {
		n, err := r.catchUp(ctx, r.conn, false)
		if err != nil {
			return err
		}
		if n < smallRound {
			break
		}
	}
	if err := r.shadow.analyze(ctx, r.conn); err != nil {
		return err
	}
	if r.config.Verify {
		return patiently(ctx, r.config.Log, r.verify)
	}
	return patiently(ctx, r.config.Log, r.swap)
}

// startOrg empties the shadow and notes how far every stream was written: what is before that is all there to be read,
// what comes after it is caught up with.
func (r *rebuild) startOrg(ctx context.Context, orgID string) (err error) {
	if err := r.shadow.clear(ctx, r.conn); err != nil {
		return fmt.Errorf("emptying the temporary tables: %w", err)
	}
	r.orgID, r.events, r.lane = orgID, 0, r.newLane()
	r.last, r.beyond, r.listed = map[uuid.UUID]time.Time{}, map[uuid.UUID]bool{}, map[string]bool{}
	if r.derived, err = lru.New[chatKey, bool](keptDerived); err != nil {
		panic(err) // only a size below 1 is an error
	}
	r.through, err = r.checkpoints(ctx, r.conn)
	return err
}

func (r *rebuild) newLane() *Lane {
	chats, err := lru.New[chatKey, *chat](keptChats)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	l := &Lane{
		log: r.config.Log, now: time.Now, chats: chats, entities: newEntities(), decoder: &invent.Decoder{},
		blocks: newBlocks(),
	}
	l.mayBeLate.Store(1)
	return l
}

// asker is the connection, or a transaction on it.
type asker interface {
	db.DBTX
	Begin(ctx context.Context) (pgx.Tx, error)
}

func (r *rebuild) checkpoints(ctx context.Context, in asker) (map[uuid.UUID]int64, error) {
	rows, err := db.New(in).GetCheckpoints(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoints: %w", err)
	}
	checkpoints := make(map[uuid.UUID]int64, len(rows))
	for _, row := range rows {
		checkpoints[row.StreamID] = row.CommittedSeq
	}
	return checkpoints, nil
}

// readAll folds what there is into the shadow, in the order it was received: few events are late in that order.
func (r *rebuild) readAll(ctx context.Context) error {
	pages := storedEvents{orgID: r.orgID}
	for {
		page, err := pages.next(ctx, r.conn)
		if err != nil || len(page) == 0 {
			return err
		}
		within := page[:0]
		for _, e := range page {
			through, err := r.throughOf(ctx, e.stream)
			if err != nil {
				return err
			}
			if e.seq > through {
				r.beyond[e.stream] = true
				continue
			}
			r.last[e.stream] = e.receivedAt
			within = append(within, e)
		}
		if err := r.fold(ctx, r.conn, within); err != nil {
			return err
		}
	}
}

// throughOf is how far a stream is to be read at first. One without a checkpoint was written by nobody this database
// knows of, and is read whole; one that has got its checkpoint since is all caught up with.
func (r *rebuild) throughOf(ctx context.Context, stream uuid.UUID) (int64, error) {
	if through, ok := r.through[stream]; ok {
		return through, nil
	}
	now, err := r.checkpoints(ctx, r.conn)
	if err != nil {
		return 0, err
	}
	r.through[stream] = math.MaxInt64
	if _, isNew := now[stream]; isNew {
		r.through[stream] = 0
	}
	return r.through[stream], nil
}

// catchUp folds what was written since, and returns how much that was. The last round is made while nobody writes, and
// takes in whatever is there.
func (r *rebuild) catchUp(ctx context.Context, in asker, isLast bool) (n int, err error) {
	now, err := r.checkpoints(ctx, in)
	if err != nil {
		return 0, err
	}
	// What was derived is so from what there was before.
	r.derived.Purge()
	for stream, checkpoint := range now {
		through := r.through[stream]
		if checkpoint <= through && !(isLast && r.beyond[stream]) {
			continue
		}
		span := streamRange{stream: stream, after: through, through: checkpoint}
		if isLast {
			span.through = math.MaxInt64
		}
		// A stream's times only ever rise, so what is not in the shadow yet was received after what is.
		pages := storedEvents{orgID: r.orgID, after: place{receivedAt: r.last[stream]}, ofStream: &span}
		for {
			page, err := pages.next(ctx, in)
			if err != nil {
				return n, err
			}
			if len(page) == 0 {
				break
			}
			if err := r.fold(ctx, in, page); err != nil {
				return n, err
			}
			r.last[stream] = page[len(page)-1].receivedAt
			n += len(page)
		}
		r.through[stream] = checkpoint
	}
	return n, nil
}

// fold makes rows of the shadow of what events say, by the code that does so when they come.
func (r *rebuild) fold(ctx context.Context, in asker, page []rawEvent) error {
	if len(page) == 0 {
		return nil
	}
	var events []*event
	for i := range page {
		if e := r.lane.replay(&page[i]); e != nil {
			events = append(events, e)
			for j := range e.orgs {
				r.listed[e.orgs[j].orgID] = true
			}
		}
	}
	if err := r.store(ctx, in, events); err != nil {
		return err
	}
	before := r.events
	r.events += int64(len(page))
	r.result.Events += int64(len(page))
	if report := r.config.Progress; report != nil {
		report(RebuildProgress{OrgID: r.orgID, Events: r.events, ReceivedAt: page[len(page)-1].receivedAt})
	}
	// The planner is told when there is ten times as much.
	if digits(before) != digits(r.events) {
		return r.shadow.analyze(ctx, r.conn)
	}
	return nil
}

func digits(n int64) int { return len(fmt.Sprint(n)) }

// replay reads a stored event again; nil when it says nothing of the inbox. An event that names no chat is a page of
// several chats or of orgs, or was refused by Postgres when it came.
func (l *Lane) replay(s *rawEvent) *event {
	if s.chatID == nil && s.kind != KindChatsPage && s.kind != KindOrgsPage {
		return nil
	}
	e := l.rereadEvent(s.orgID, &db.GetChatEventsRow{
		ReceivedAt: s.receivedAt, ObservedAt: s.observedAt, StreamID: s.stream, Seq: s.seq, Kind: s.kind,
		Request: s.request, Payload: s.payload,
	})
	if len(e.chats) == 0 && len(e.orgs) == 0 {
		return nil
	}
	return e
}

// store writes what events make of the shadow. Those that Postgres refuses are found by halves and left out, as they
// were when they came.
func (r *rebuild) store(ctx context.Context, in asker, events []*event) error {
	if len(events) == 0 {
		return nil
	}
	err := r.write(ctx, in, events)
	if !isAboutData(err) {
		return err
	}
	r.lane.forget()
	if half := len(events) / 2; half > 0 {
		if err := r.store(ctx, in, events[:half]); err != nil {
			return err
		}
		return r.store(ctx, in, events[half:])
	}
	r.result.Refused++
	r.config.Log.Warn("Postgres refuses what is made of an event; it is left out",
		"org", r.orgID, "stream", events[0].stream, "seq", events[0].seq, "error", describeError(err))
	return nil
}

func (r *rebuild) write(ctx context.Context, in asker, events []*event) error {
	b := &batch{lane: r.lane, events: events, chats: map[chatKey]*chat{}, settled: r.derived.Contains, onlyOrg: r.orgID}
	err := pgx.BeginFunc(ctx, in, func(tx pgx.Tx) error {
		over := shadowTx{tx}
		if err := b.fold(ctx, db.New(over)); err != nil {
			return err
		}
		return pipelined(ctx, over, b.save)
	})
	if err != nil {
		return err
	}
	for key, c := range b.chats {
		if c.rederived {
			r.derived.Add(key, true)
		}
	}
	b.committed()
	return nil
}

// errBusy says that a lane has been in the middle of a transaction for too long: others wait behind whoever waits for it.
var errBusy = errors.New("a writer does not come to the end of its transaction")

// stopWriters lets no lane write until the transaction ends, and waits for those that do: the checkpoint is what a lane
// moves first. Whoever only reads goes on.
func stopWriters(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "set local lock_timeout = '5s'")
	if err == nil {
		_, err = tx.Exec(ctx, "lock table ops.streams in exclusive mode")
	}
	if sqlState(err) == "55P03" {
		return errBusy
	}
	if err == nil {
		_, err = tx.Exec(ctx, "set local lock_timeout = 0")
	}
	if err != nil {
		return fmt.Errorf("waiting for the writers: %w", err)
	}
	return nil
}

// patiently tries again while a writer is in the way: it may be a process that is suspended.
func patiently(ctx context.Context, log *slog.Logger, try func(context.Context) error) error {
	for tries := 1; ; tries++ {
		err := try(ctx)
		if !errors.Is(err, errBusy) || tries == maxTries {
			return err
		}
		log.Warn("a writer is in the middle of a transaction; it is waited for", "retry_in", busyPause)
		if !sleep(ctx, busyPause) {
			return ctx.Err()
		}
	}
}

// verify compares the shadow with the tables as of one moment, for which alone the writers wait.
func (r *rebuild) verify(ctx context.Context) error {
	stopped, err := r.config.Pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("connecting to Postgres: %w", err)
	}
	defer func() { _ = stopped.Rollback(context.WithoutCancel(ctx)) }() // it has written nothing
	if err := stopWriters(ctx, stopped); err != nil {
		return err
	}
	tx, err := r.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()              // nor has this, but for the shadow
	if _, err := tx.Exec(ctx, "select count(*) from ops.streams"); err != nil { // from here on it sees this moment
		return fmt.Errorf("taking a snapshot: %w", err)
	}
	if err := stopped.Rollback(ctx); err != nil {
		return fmt.Errorf("letting the writers go on: %w", err)
	}
	if _, err := r.catchUp(ctx, tx, true); err != nil {
		return err
	}
	if err := r.foldLists(ctx, tx); err != nil {
		return err
	}
	report := r.config.Differs
	if report == nil {
		report = func(Difference) {}
	}
	n, err := r.shadow.differences(ctx, tx, r.orgID, report)
	r.result.Differences += n
	return err
}

// swap puts the shadow's rows in the place of inbox's, while no lane writes; those that go on then read the rows anew.
func (r *rebuild) swap(ctx context.Context) error {
	return pgx.BeginFunc(ctx, r.conn, func(tx pgx.Tx) error {
		if err := stopWriters(ctx, tx); err != nil {
			return err
		}
		if _, err := r.catchUp(ctx, tx, true); err != nil {
			return err
		}
		if err := r.foldLists(ctx, tx); err != nil {
			return err
		}
		if err := r.checkHorizon(ctx, tx); err != nil {
			return err
		}
		written, removed, err := r.shadow.replace(ctx, tx, r.orgID)
		if err != nil {
			return err
		}
		r.result.Written += written
		r.result.Removed += removed
		q := db.New(tx)
		if _, err := q.AddLeases(ctx, db.AddLeasesParams{Instance: r.config.Instance, OrgIds: []string{r.orgID}}); err != nil {
			return fmt.Errorf("telling the writers: %w", err)
		}
		if err := q.ForgetWriter(ctx, r.orgID); err != nil {
			return fmt.Errorf("telling the writers: %w", err)
		}
		return nil
	})
}

// checkHorizon refuses to lose what only the tables know: where old months of raw are gone, the rows they made are all
// that is left of them.
func (r *rebuild) checkHorizon(ctx context.Context, tx pgx.Tx) error {
	var live, rebuilt *time.Time
	err := tx.QueryRow(ctx, `
select (select first_seen_at from inbox.orgs where org_id = $1), (select first_seen_at from pg_temp.orgs where org_id = $1)`,
		r.orgID).Scan(&live, &rebuilt)
	switch {
	case err != nil:
		return fmt.Errorf("comparing how far back raw goes: %w", err)
	case live == nil || rebuilt != nil && !rebuilt.After(*live):
		return nil
	case rebuilt == nil:
		return fmt.Errorf("raw.events has nothing of the org, whose tables go back to %s: they are left as they are",
			live.UTC().Format(time.RFC3339))
	}
	return fmt.Errorf("raw.events goes back to %s and the tables to %s: what is not in raw any more would be lost, so they are left as they are",
		rebuilt.UTC().Format(time.RFC3339), live.UTC().Format(time.RFC3339))
}
