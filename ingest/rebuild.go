package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"archiver/db"

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
	Pool *pgxpool.Pool // three of its connections are used
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
	chats, err := lru.New[chatKey, packed](keptChats)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	l := &Lane{
		log: r.config.Log, now: time.Now, chats: chats, entities: newEntities(), again: newRereader(),
	}
	l.mayBeLate.Store(1)
	return l
}
