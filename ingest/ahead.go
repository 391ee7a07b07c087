package ingest

import (
	"context"
	"fmt"
	"time"

	"archiver/internal/failpoint"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// aheadEvents is from how many events on something is appended ahead: a few are appended before another session has woken up.
	aheadEvents = 100
	// aheadLimit is how long what was appended ahead is kept while the batch before does not come to its end, which may wait for
	// a lock behind somebody who waits for this transaction. It is less than idle_in_transaction_session_timeout.
	aheadLimit = 20 * time.Second
	// aheadPause is for how long nothing is appended ahead after that, or after it failed.
	aheadPause = time.Minute
)

// gathered is what has arrived while a batch is being written: the next batch.
//
// In a flood Postgres has two things to do for each batch that can go on at the same time: appending its events to raw.events, which
// is half of the work, and writing the rows of the batch before. Appending asks for nothing that the batch before decides, so it is begun
// ahead, in a transaction of its own that goes on with everything else when the batch's turn comes. Whatever goes wrong
// with it, the transaction is rolled back and the batch is written as if nothing had been.
type gathered struct {
	events []*event
	chunks []*chunk
	bytes  int    // of the chunks' records
	ahead  *ahead // nil: nothing is appended yet
}

// ahead is a transaction that has appended a batch's first events.
type ahead struct {
	conn   *pgxpool.Conn
	events int
	until  *time.Timer // when it is given up
}

func (g *gathered) add(c *chunk) {
	g.events, g.chunks = append(g.events, c.events...), append(g.chunks, c)
	g.bytes += c.records.Bytes
}

func (g *gathered) isFull() bool { return len(g.events) >= maxBatch || g.bytes >= maxBatchBytes }

// gather puts chunks together until the writer takes them.
func (l *Lane) gather(ctx context.Context, chunks <-chan *chunk, batches chan<- *gathered) error {
	defer close(batches)
	appender := &appender{lane: l, ordering: &ordering{}}
	for first := range chunks {
		g := &gathered{}
		g.add(first)
		if err := g.handOver(ctx, chunks, batches, appender); err != nil {
			g.ahead.giveUp(ctx)
			return err
		}
	}
	return ctx.Err()
}

// handOver gives the batch to the writer as soon as that is free, and lets it grow until then.
func (g *gathered) handOver(ctx context.Context, chunks <-chan *chunk, batches chan<- *gathered, a *appender) error {
	for {
		if g.takeWaiting(chunks) {
			chunks = nil
		}
		select {
		case batches <- g:
			return nil
		default:
		}
		if a.append(ctx, g) {
			continue // more may have arrived meanwhile
		}
		more := chunks
		if g.isFull() {
			more = nil
		}
		select {
		case batches <- g:
			return nil
		case c, ok := <-more:
			if ok {
				g.add(c)
			} else {
				chunks = nil // these are the last
			}
		case <-g.ahead.expired():
			g.ahead.giveUp(ctx)
			g.ahead = nil
			a.lane.pauseAhead()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// takeWaiting adds what is there already, and reports whether nothing will follow.
func (g *gathered) takeWaiting(chunks <-chan *chunk) (isLast bool) {
	for !g.isFull() {
		select {
		case c, ok := <-chunks:
			if !ok {
				return true
			}
			g.add(c)
		default:
			return false
		}
	}
	return false
}

// appender appends batches ahead.
type appender struct {
	lane     *Lane
	ordering *ordering
}

// append appends what is not yet, if it is worth it, and reports whether it did.
func (a *appender) append(ctx context.Context, g *gathered) bool {
	done := 0
	if g.ahead != nil {
		done = g.ahead.events
	}
	switch {
	case a.lane.beside: // what others may have stored has to be looked for first
		return false
	case len(g.events)-done < a.lane.aheadFrom, time.Now().UnixNano() < a.lane.notAheadUntil.Load():
		return false
	case g.ahead == nil && !a.hasSpare():
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, failpoint.Duration("answer-within", attemptTimeout))
	defer cancel()
	if err := a.try(ctx, g); err != nil {
		// The writer finds out what is wrong, and what to do about it.
		g.ahead.giveUp(ctx)
		g.ahead, a.ordering = nil, &ordering{}
		a.lane.pauseAhead()
		return false
	}
	return true
}

// hasSpare reports whether half of the pool is free: what else asks for a connection is not to wait for one.
func (a *appender) hasSpare() bool {
	s := a.lane.pool.Stat()
	return s.AcquiredConns() < s.MaxConns()/2
}

// pauseAhead has nothing appended ahead for a while.
func (l *Lane) pauseAhead() { l.notAheadUntil.Store(time.Now().Add(aheadPause).UnixNano()) }

func (a *appender) try(ctx context.Context, g *gathered) error {
	if g.ahead == nil {
		conn, err := a.lane.pool.Acquire(ctx)
		if err != nil {
			return fmt.Errorf("connecting: %w", err)
		}
		g.ahead = &ahead{conn: conn, until: time.NewTimer(a.lane.aheadLimit)}
		if _, err := conn.Exec(ctx, beginSQL); err != nil {
			return fmt.Errorf("beginning a transaction: %w", err)
		}
	}
	if err := copyEvents(ctx, g.ahead.conn.Conn(), g.events[g.ahead.events:], a.ordering); err != nil {
		return err
	}
	g.ahead.events = len(g.events)
	return nil
}

// expired delivers when the transaction is to be given up; never where there is none.
func (a *ahead) expired() <-chan time.Time {
	if a == nil {
		return nil
	}
	return a.until.C
}

// giveUp takes back what was appended.
func (a *ahead) giveUp(ctx context.Context) {
	if a == nil {
		return
	}
	a.until.Stop()
	rollback(ctx, a.conn.Conn())
	a.conn.Release()
}

// rollback ends a transaction that has failed or is not wanted any more. A session in which that fails is not used again.
func rollback(ctx context.Context, conn *pgx.Conn) {
	if conn.IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	_, _ = conn.Exec(ctx, "rollback")
}
