package ingest

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"archiver/db"
	"archiver/internal/failpoint"
	"archiver/invent"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// ledgerEvery is how often the connections' figures are written, the mark of their life among them.
	ledgerEvery = 5 * time.Second
	// flushTimeout bounds one writing: a Postgres that does not answer any more is not to be waited for for ever.
	flushTimeout = time.Minute
	// ledgerKept bounds the ended connections and gaps that wait for Postgres to come back: attempts every few seconds
	// fill it in a day, and the gap they belong to is one.
	ledgerKept = 10_000
)

// ledger writes ops.connections and ops.gaps beside the lanes, so that neither waits for the other. While Postgres is
// away the rows wait in memory; so do those of invent.OwnOrg until it is known what org that is.
type ledger struct {
	pool     *pgxpool.Pool
	instance string
	log      *slog.Logger
	isReady  chan struct{}
	wake     chan struct{}
	// spooledSince is when the oldest event was received that waited in the org's spool at the start; zero when none did.
	spooledSince func(orgID string) time.Time

	mu          sync.Mutex
	connections []*connection
	gaps        []*gap
	openGap     map[string]*gap      // by org
	older       map[string]db.OpsGap // by org: the gap that a database left which at the start was older than the spool
	firstOpened map[string]time.Time // by org: the first handshake of this process
	unknown     []holding            // orgs whose past has not been looked up yet
}

// holding is that this process listens to an org from a time on, or tries to.
type holding struct {
	orgID string
	since time.Time
}

func newLedger(pool *pgxpool.Pool, instance string, log *slog.Logger) *ledger {
	return &ledger{
		pool: pool, instance: instance, log: log,
		isReady: make(chan struct{}), wake: make(chan struct{}, 1),
		openGap: map[string]*gap{}, firstOpened: map[string]time.Time{}, older: map[string]db.OpsGap{},
	}
}

// ready is called once the database has its schema.
func (l *ledger) ready() { close(l.isReady) }

// holds is called when it is known that this process listens, or wants to listen, to an org since a time: what the org's
// last listener left is then looked up.
func (l *ledger) holds(orgID string, since time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unknown = slices.DeleteFunc(l.unknown, func(h holding) bool { return h.orgID == orgID })
	l.unknown = append(l.unknown, holding{orgID, since})
	if l.firstOpened[orgID].Before(since) {
		delete(l.firstOpened, orgID)
	}
	// A gap that this process left when it listened to the org before: whoever took the org since has ended it.
	if g := l.openGap[orgID]; g != nil && g.row.BeganAt.Before(since) {
		delete(l.openGap, orgID)
		l.gaps = slices.DeleteFunc(l.gaps, func(other *gap) bool { return other == g })
	}
	l.flushSoon()
}

// ownOrgIs is called when the org behind invent.OwnOrg is known: what was noted so far is of that org. Where another
// session listens to it, only that one's gaps are gaps.
func (l *ledger) ownOrgIs(orgID string, isHeldTwice bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.connections {
		c.mu.Lock()
		if c.orgID == invent.OwnOrg {
			c.orgID = orgID
		}
		c.mu.Unlock()
	}
	first, wasOpened := l.firstOpened[invent.OwnOrg]
	open := l.openGap[invent.OwnOrg]
	delete(l.firstOpened, invent.OwnOrg)
	delete(l.openGap, invent.OwnOrg)
	if isHeldTwice {
		l.gaps = slices.DeleteFunc(l.gaps, (*gap).isOfOwnOrg)
		return
	}
	for _, g := range l.gaps {
		if g.isOfOwnOrg() {
			g.row.OrgID = orgID
		}
	}
	if open != nil {
		l.openGap[orgID] = open
	}
	if wasOpened {
		l.firstOpened[orgID] = first
	}
}

// began notes that a connection is tried.
func (l *ledger) began(c *connection) {
	c.changed = true
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.connections) < ledgerKept {
		l.connections = append(l.connections, c)
	}
}

// opened notes that the org is listened to from at on: a gap that lasted is over.
func (l *ledger) opened(orgID string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, before := l.firstOpened[orgID]; !before {
		l.firstOpened[orgID] = at
	}
	if g := l.openGap[orgID]; g != nil {
		g.end(at)
		delete(l.openGap, orgID)
	}
	l.flushSoon()
}

// ended notes how a connection ended, and that the org is not listened to from then on.
func (l *ledger) ended(c *connection, err error) {
	c.end(err)
	g := gapAfter(c, err)
	l.mu.Lock()
	defer l.mu.Unlock()
	if g != nil && len(l.gaps) < ledgerKept {
		l.gaps = append(l.gaps, g)
		l.openGap[g.row.OrgID] = g
	}
	l.flushSoon()
}

func (l *ledger) flushSoon() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run writes until ctx ends, and a last time then.
func (l *ledger) run(ctx context.Context) {
	select {
	case <-l.isReady:
	case <-ctx.Done():
		return
	}
	every := time.NewTicker(ledgerEvery)
	defer every.Stop()
	for ctx.Err() == nil {
		if err := l.flush(ctx); err != nil && ctx.Err() == nil {
			l.log.Warn("connections and gaps could not be written; they are tried again", "error", describeError(err))
			sleep(ctx, ledgerEvery)
		}
		select {
		case <-every.C:
		case <-l.wake:
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerEvery)
	defer cancel()
	if err := l.flush(last); err != nil {
		l.log.Warn("the last connections and gaps could not be written", "error", describeError(err))
	}
}

// flush looks up the past of orgs that are new to it, then writes what has changed.
func (l *ledger) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, failpoint.Duration("answer-within", flushTimeout))
	defer cancel()
	q := db.New(l.pool)
	if err := l.recall(ctx, q); err != nil {
		return err
	}
	// The connections are looked at before the gaps and written after them. Should the process end in between, Postgres
	// knows of no connection that is younger than a gap it does not know of, and the next process finds that gap.
	p, connections := l.changedConnections()
	if err := l.saveGaps(ctx, q); err != nil {
		notWritten(connections)
		return err
	}
	return l.saveConnections(ctx, q, p, connections)
}

// flushed returns once everything that was noted before is written.
func (l *ledger) flushed(ctx context.Context) error {
	for {
		l.mu.Lock()
		waiting := len(l.unknown) > 0
		for _, g := range l.gaps {
			waiting = waiting || !g.isSaved() && !g.isOfOwnOrg()
		}
		l.mu.Unlock()
		if !waiting {
			return nil
		}
		if !sleep(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// recall looks up when the orgs were last listened to: since then there is a gap, until this process first connected.
func (l *ledger) recall(ctx context.Context, q *db.Queries) error {
	for {
		l.mu.Lock()
		if len(l.unknown) == 0 {
			l.mu.Unlock()
			return nil
		}
		h := l.unknown[0]
		l.mu.Unlock()
		found, err := l.gapsBefore(ctx, q, h)
		if err != nil {
			return err
		}
		l.mu.Lock()
		l.unknown = l.unknown[1:]
		l.gaps = append(l.gaps, found...)
		if len(found) > 0 {
			last := found[len(found)-1]
			if opened, yes := l.firstOpened[h.orgID]; yes {
				last.end(opened)
			} else {
				l.openGap[h.orgID] = last
			}
		}
		l.mu.Unlock()
	}
}

// gapsBefore are the gaps in which this process found an org, the last of which goes on: the open ones that its last
// listeners left, or one since that was last heard of; none when the org was never listened to.
func (l *ledger) gapsBefore(ctx context.Context, q *db.Queries, h holding) (found []*gap, err error) {
	open, err := q.GetOpenGaps(ctx, db.GetOpenGapsParams{OrgID: h.orgID, Before: h.since.UTC()})
	if err != nil {
		return nil, err
	}
	for n, row := range open {
		g := &gap{row: row}
		if n+1 < len(open) {
			g.end(open[n+1].BeganAt) // it was over by then, or there would be no other
		}
		found = append(found, g)
	}
	if len(found) > 0 {
		return found, nil
	}
	heard, err := q.GetLastHeard(ctx, db.GetLastHeardParams{OrgID: h.orgID, Before: h.since.UTC()})
	if err != nil {
		return nil, err
	}
	if g := l.goesOn(h.orgID, heard); g != nil {
		return []*gap{g}, nil
	}
	const cause = "the process that listened ended without saying so"
	if len(heard) > 0 {
		return []*gap{newGap(h.orgID, heard[0], cause)}, nil
	}
	if since := l.spooledSince(h.orgID); !since.IsZero() {
		return []*gap{newGap(h.orgID, since, cause)}, nil // its first listener ended before Postgres ever knew of it
	}
	return nil, nil
}

func (l *ledger) saveConnections(ctx context.Context, q *db.Queries, p db.UpsertConnectionsParams, changed []*connection) error {
	if len(changed) == 0 {
		return nil
	}
	if err := q.UpsertConnections(ctx, p); err != nil {
		notWritten(changed)
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connections = keep(l.connections, (*connection).isOpen)
	return nil
}

// notWritten has the next flush write connections that this one could not.
func notWritten(connections []*connection) {
	for _, c := range connections {
		c.mu.Lock()
		c.changed = true
		c.mu.Unlock()
	}
}

// changedConnections gathers what is new and marks it as written. An open connection is always new: it is heard of.
func (l *ledger) changedConnections() (p db.UpsertConnectionsParams, written []*connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.connections {
		c.mu.Lock()
		if c.orgID != invent.OwnOrg && (c.changed || c.openedAt != nil && c.closedAt == nil) {
			c.changed = false
			written = append(written, c)
			p.ConnectionIds = append(p.ConnectionIds, c.id)
			p.OrgIds = append(p.OrgIds, c.orgID)
			p.Instances = append(p.Instances, l.instance)
			p.StartedAts = append(p.StartedAts, c.startedAt)
			p.OpenedAts = append(p.OpenedAts, c.openedAt)
			p.LastFrameAts = append(p.LastFrameAts, c.lastFrame())
			p.LastHeardAts = append(p.LastHeardAts, c.lastHeard())
			p.ClosedAts = append(p.ClosedAts, c.closedAt)
			p.CloseCodes = append(p.CloseCodes, c.closeCode)
			p.CloseReasons = append(p.CloseReasons, c.closeReason)
			p.FramesList = append(p.FramesList, c.frames)
			p.BytesList = append(p.BytesList, c.bytes)
			p.LargestFrameBytesList = append(p.LargestFrameBytesList, c.largest)
		}
		c.mu.Unlock()
	}
	return p, written
}

func (l *ledger) saveGaps(ctx context.Context, q *db.Queries) error {
	var p db.UpsertGapsParams
	written := map[*gap]int{}
	l.mu.Lock()
	for _, g := range l.gaps {
		g.mu.Lock()
		if g.version != g.saved && !g.isOfOwnOrg() {
			written[g] = g.version
			addGap(&p, &g.row)
		}
		g.mu.Unlock()
	}
	l.mu.Unlock()
	if len(written) == 0 {
		return nil
	}
	if err := q.UpsertGaps(ctx, p); err != nil {
		return err
	}
	for g, version := range written {
		g.mu.Lock()
		g.saved = version
		g.mu.Unlock()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gaps = keep(l.gaps, (*gap).isNeeded)
	return nil
}

// keep drops, in place, what is done with.
func keep[T any](all []*T, isNeeded func(*T) bool) []*T {
	kept := all[:0]
	for _, v := range all {
		if isNeeded(v) {
			kept = append(kept, v)
		}
	}
	clear(all[len(kept):])
	return kept
}
