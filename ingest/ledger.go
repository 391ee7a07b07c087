package ingest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"archiver/db"
	"archiver/invent"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// ledgerEvery is how often the connections' figures are written.
	ledgerEvery = 5 * time.Second
	// ledgerKept bounds the ended connections that wait for Postgres to come back.
	ledgerKept = 10_000
)

// connection is one connection and its figures, for ops.connections.
type connection struct {
	id        uuid.UUID
	startedAt time.Time

	mu          sync.Mutex
	orgID       string
	openedAt    *time.Time
	lastFrameAt *time.Time
	closedAt    *time.Time
	closeCode   *int32
	closeReason *string
	frames      int64
	bytes       int64
	largest     int64
	changed     bool
}

func (c *connection) opened() {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.openedAt, c.changed = &now, true
}

func (c *connection) frame(bytes int, orgID string) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frames++
	c.bytes += int64(bytes)
	c.largest = max(c.largest, int64(bytes))
	c.lastFrameAt, c.orgID, c.changed = &now, orgID, true
}

// ledger writes ops.connections beside the lanes, so that neither waits for the other. While Postgres is away the rows
// wait in memory.
type ledger struct {
	pool     *pgxpool.Pool
	instance string
	log      *slog.Logger
	isReady  chan struct{}

	mu          sync.Mutex
	connections []*connection
}

func newLedger(pool *pgxpool.Pool, instance string, log *slog.Logger) *ledger {
	return &ledger{pool: pool, instance: instance, log: log, isReady: make(chan struct{})}
}

// ready is called once the database has its schema.
func (l *ledger) ready() { close(l.isReady) }

func (l *ledger) began(c *connection) {
	c.changed = true
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.connections) < ledgerKept {
		l.connections = append(l.connections, c)
	}
}

// ended notes how a connection ended.
func (l *ledger) ended(c *connection, err error) {
	now := time.Now()
	code, reason := describeEnd(err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closedAt, c.closeCode, c.closeReason, c.changed = &now, code, &reason, true
}

// describeEnd says why a connection ended: the peer's close code, the status of a refused handshake, or in words. The
// reason a peer sends is its own text and not kept.
func describeEnd(err error) (code *int32, reason string) {
	var status *invent.StatusError
	switch n, _, ok := invent.CloseStatus(err); {
	case ok:
		c := int32(n)
		return &c, "closed by Invent"
	case errors.As(err, &status):
		c := int32(status.Status)
		return &c, "refused by Invent"
	case errors.Is(err, net.ErrClosed) || errors.Is(err, context.Canceled):
		return nil, "stopped by the archiver"
	case err == nil:
		return nil, "ended"
	}
	return nil, err.Error()
}

// run writes until ctx ends, and a last time then.
func (l *ledger) run(ctx context.Context) {
	select {
	case <-l.isReady:
	case <-ctx.Done():
		return
	}
	for ctx.Err() == nil {
		l.flush(ctx)
		sleep(ctx, ledgerEvery)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerEvery)
	defer cancel()
	l.flush(last)
}

func (l *ledger) flush(ctx context.Context) {
	p, written := l.changes()
	if len(written) == 0 {
		return
	}
	if err := db.New(l.pool).UpsertConnections(ctx, p); err != nil {
		for _, c := range written {
			c.mu.Lock()
			c.changed = true
			c.mu.Unlock()
		}
		if ctx.Err() == nil {
			l.log.Warn("the connections' figures could not be written; they are tried again", "error", describeError(err))
		}
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := l.connections[:0]
	for _, c := range l.connections {
		if c.isOpen() || c.changed {
			kept = append(kept, c)
		}
	}
	clear(l.connections[len(kept):])
	l.connections = kept
}

func (c *connection) isOpen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closedAt == nil
}

// changes gathers what is new and marks it as written.
func (l *ledger) changes() (p db.UpsertConnectionsParams, written []*connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.connections {
		c.mu.Lock()
		if c.changed {
			c.changed = false
			written = append(written, c)
			p.ConnectionIds = append(p.ConnectionIds, c.id)
			p.OrgIds = append(p.OrgIds, c.orgID)
			p.Instances = append(p.Instances, l.instance)
			p.StartedAts = append(p.StartedAts, c.startedAt)
			p.OpenedAts = append(p.OpenedAts, c.openedAt)
			p.LastFrameAts = append(p.LastFrameAts, c.lastFrameAt)
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
