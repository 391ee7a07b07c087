package ingest

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"archiver/db"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// COPY is the one statement that sqlc cannot express; it is in this file alone. Its rows are put together here: each
// column is a few bytes beside the payload, and looking up how to encode them costs more than they do.

const copyEventsSQL = `copy raw.events (
    org_id, received_at, observed_at, stream_id, seq, connection_id, source, kind, request, type, identifier, chat_id,
    payload, raw, flaws, sha256
) from stdin binary`

// copyEvents appends the events to raw.events.
func copyEvents(ctx context.Context, conn *pgx.Conn, events []*event, o *ordering) error {
	_, err := conn.PgConn().CopyFrom(ctx, &copyStream{events: events, ordering: o}, copyEventsSQL)
	if err != nil {
		return fmt.Errorf("appending to raw.events: %w", err)
	}
	return nil
}

// copyStream is Postgres' binary COPY format: a header, the rows, a trailer.
type copyStream struct {
	events   []*event
	ordering *ordering
	hasHead  bool
	hasTail  bool
	buf      []byte
	rest     []byte // of buf, not read yet
	payload  []byte // of the row at hand, not read yet; it is not copied twice
	after    []byte // what follows the payload, as long as there is one
}

// Read is for pgx.
func (c *copyStream) Read(p []byte) (n int, err error) {
	for n < len(p) {
		switch {
		case len(c.rest) > 0:
			k := copy(p[n:], c.rest)
			n, c.rest = n+k, c.rest[k:]
		case len(c.payload) > 0:
			k := copy(p[n:], c.payload)
			n, c.payload = n+k, c.payload[k:]
		case len(c.after) > 0:
			c.rest, c.after = c.after, nil
		case !c.next():
			return n, io.EOF
		}
	}
	return n, nil
}

// next makes the next row what is to be read; false when there is none.
func (c *copyStream) next() bool {
	b := c.buf[:0]
	if !c.hasHead {
		c.hasHead = true
		b = append(b, "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	}
	if len(c.events) == 0 {
		if c.hasTail {
			return false
		}
		c.hasTail = true
		c.buf = append(b, 0xff, 0xff)
		c.rest = c.buf
		return true
	}
	e := c.events[0]
	c.events = c.events[1:]
	b = append(b, 0, 16) // columns
	b = binaryText(b, &e.orgID)
	b = binaryTime(b, &e.receivedAt)
	b = binaryTime(b, &e.observedAt)
	b = binaryUUID(b, &e.stream)
	b = binaryInt8(b, &e.seq)
	b = binaryUUID(b, e.connectionID)
	b = binaryText(b, &e.source)
	b = binaryText(b, &e.kind)
	if e.request != nil {
		b = append(binaryLength(b, len(e.request)+1), jsonbVersion)
		b = append(b, e.request...)
	} else {
		b = binaryNull(b)
	}
	b = binaryText(b, e.typ)
	b = binaryText(b, e.identifier)
	b = binaryText(b, e.chatID)
	if c.payload = e.reading.Payload; c.payload != nil {
		c.payload = c.ordering.order(c.payload)
		b = append(binaryLength(b, len(c.payload)+1), jsonbVersion)
	} else {
		b = binaryNull(b)
	}
	head := len(b)
	if raw := e.unfaithful(); raw != nil {
		b = binaryBytes(b, raw)
	} else {
		b = binaryNull(b)
	}
	b = binaryArray(b, pgtype.TextOID, e.reading.Flaws, binaryText)
	b = binaryBytes(b, e.sha256[:])
	c.buf, c.rest, c.after = b, b[:head], b[head:]
	return true
}

// unfaithful is the bytes as they came, when the payload does not stand for them; else nil.
func (e *event) unfaithful() []byte {
	switch {
	case e.reading.Payload != nil && e.reading.Faithful:
		return nil
	case e.body == nil:
		return []byte{}
	}
	return e.body
}

// saveEvents inserts the events that have not been appended.
func (b *batch) saveEvents(ctx context.Context, q *db.Queries) error {
	for _, e := range b.events[b.appended:] {
		p := db.InsertEventParams{
			OrgID: e.orgID, ReceivedAt: e.receivedAt, ObservedAt: e.observedAt, StreamID: e.stream, Seq: e.seq,
			ConnectionID: e.connectionID, Source: e.source, Kind: e.kind, Request: e.request, Type: e.typ,
			Identifier: e.identifier, ChatID: e.chatID, Raw: e.unfaithful(), Flaws: e.reading.Flaws, Sha256: e.sha256[:],
		}
		if e.reading.Payload != nil {
			p.Payload = bytes.Clone(b.lane.ordering.order(e.reading.Payload)) // all of them wait to be sent
		}
		if err := q.InsertEvent(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// saveEventChats notes which chats a response of several speaks of.
func (b *batch) saveEventChats(ctx context.Context, q *db.Queries) error {
	var p db.InsertEventChatsParams
	for _, e := range b.events {
		if e.chatID != nil {
			continue
		}
		for i := range e.chats {
			p.OrgIds = append(p.OrgIds, e.orgID)
			p.ChatIds = append(p.ChatIds, e.chats[i].chatID)
			p.ReceivedAts = append(p.ReceivedAts, e.receivedAt)
			p.StreamIds = append(p.StreamIds, e.stream)
			p.Seqs = append(p.Seqs, e.seq)
		}
	}
	if len(p.OrgIds) == 0 {
		return nil
	}
	return q.InsertEventChats(ctx, p)
}
