package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Pages of raw.events are read by SQL that is put together here: sqlc has no way to end a result where it has become
// large enough, and frames are of any size.

const (
	storedPage      = 1_000
	storedPageBytes = 8 << 20
)

// rawEvent is a row of raw.events.
type rawEvent struct {
	orgID        string
	receivedAt   time.Time
	observedAt   time.Time
	stream       uuid.UUID
	seq          int64
	connectionID *uuid.UUID
	source, kind string
	request      []byte
	chatID       *string
	payload, raw []byte
	sha256       []byte
}

// reader is what can be asked: a connection, a pool or a transaction.
type reader interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// storedEvents reads an org's events page by page, in the order (received_at, stream_id, seq).
type storedEvents struct {
	orgID    string
	after    place
	ofStream *streamRange // nil: of all streams
	maxBytes int          // a page ends once it holds so much; 0 = storedPageBytes
}

// place is where an event is in that order. The zero value is before all events.
type place struct {
	receivedAt time.Time
	stream     uuid.UUID
	seq        int64
}

// streamRange is the events of a stream after one seq and up to another.
type streamRange struct {
	stream         uuid.UUID
	after, through int64
}

const selectStored = `
select e.received_at, e.observed_at, e.stream_id, e.seq, e.connection_id, e.source, e.kind, e.request, e.chat_id,
    e.payload, e.raw, e.sha256
from raw.events as e
where e.org_id = $1 and e.received_at >= $2 and (e.received_at, e.stream_id, e.seq) > ($2, $3, $4)`

// byIndex leaves the planner only the index that has the events in order. Of a month that was not analyzed yet it expects
// few events of an org, and sorts all that follow for each page.
const byIndex = "set local enable_sort = off; set local enable_bitmapscan = off; set local enable_seqscan = off"

// nextAlone is next in a transaction of its own, for many pages one after the other.
func (s *storedEvents) nextAlone(ctx context.Context, over beginner) (page []rawEvent, err error) {
	tx, err := over.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("beginning to read raw.events: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // it has written nothing
	if _, err := tx.Exec(ctx, byIndex); err != nil {
		return nil, fmt.Errorf("preparing to read raw.events: %w", err)
	}
	return s.next(ctx, tx)
}

// beginner is a connection or a pool.
type beginner interface {
	BeginTx(ctx context.Context, options pgx.TxOptions) (pgx.Tx, error)
}

// next is the next page; empty when there is none.
func (s *storedEvents) next(ctx context.Context, from reader) (page []rawEvent, err error) {
	sql, args := selectStored, []any{s.orgID, s.after.receivedAt, s.after.stream, s.after.seq}
	if r := s.ofStream; r != nil {
		sql += " and e.stream_id = $5 and e.seq > $6 and e.seq <= $7"
		args = append(args, r.stream, r.after, r.through)
	}
	sql += fmt.Sprintf(" order by e.received_at, e.stream_id, e.seq limit %d", storedPage)
	rows, err := from.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("reading raw.events: %w", err)
	}
	defer rows.Close()
	limit, bytes := s.maxBytes, 0
	if limit == 0 {
		limit = storedPageBytes
	}
	for bytes < limit && rows.Next() {
		e := rawEvent{orgID: s.orgID}
		if err := rows.Scan(&e.receivedAt, &e.observedAt, &e.stream, &e.seq, &e.connectionID, &e.source, &e.kind,
			&e.request, &e.chatID, &e.payload, &e.raw, &e.sha256); err != nil {
			return nil, fmt.Errorf("reading raw.events: %w", err)
		}
		bytes += len(e.payload) + len(e.raw)
		page = append(page, e)
	}
	rows.Close() // what is left of a page that was too large is read again
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading raw.events: %w", err)
	}
	if len(page) > 0 {
		last := &page[len(page)-1]
		s.after = place{last.receivedAt, last.stream, last.seq}
	}
	return page, nil
}
