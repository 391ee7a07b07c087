package ingest

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

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
func copyEvents(ctx context.Context, conn *pgx.Conn, events []*event) error {
	_, err := conn.PgConn().CopyFrom(ctx, &copyStream{events: events}, copyEventsSQL)
	if err != nil {
		return fmt.Errorf("appending to raw.events: %w", err)
	}
	return nil
}

// copyStream is Postgres' binary COPY format: a header, the rows, a trailer.
type copyStream struct {
	events  []*event
	hasHead bool
	hasTail bool
	buf     []byte
	rest    []byte // of buf, not read yet
	payload []byte // of the row at hand, not read yet; it is not copied twice
	after   []byte // what follows the payload, as long as there is one
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
	b = copyText(b, &e.orgID)
	b = copyTime(b, e.receivedAt)
	b = copyTime(b, e.observedAt)
	b = copyBytes(b, e.stream[:])
	b = copyInt(b, e.seq)
	if e.connectionID != nil {
		b = copyBytes(b, e.connectionID[:])
	} else {
		b = copyNull(b)
	}
	b = copyText(b, &e.source)
	b = copyText(b, &e.kind)
	if e.request != nil {
		b = append(copyLength(b, len(e.request)+1), jsonbVersion)
		b = append(b, e.request...)
	} else {
		b = copyNull(b)
	}
	b = copyText(b, e.typ)
	b = copyText(b, e.identifier)
	b = copyText(b, e.chatID)
	if c.payload = e.reading.Payload; c.payload != nil {
		b = append(copyLength(b, len(c.payload)+1), jsonbVersion)
	} else {
		b = copyNull(b)
	}
	head := len(b)
	if raw := e.unfaithful(); raw != nil {
		b = copyBytes(b, raw)
	} else {
		b = copyNull(b)
	}
	b = copyTexts(b, e.reading.Flaws)
	b = copyBytes(b, e.sha256[:])
	c.buf, c.rest, c.after = b, b[:head], b[head:]
	return true
}

// jsonbVersion begins a jsonb value in the binary format.
const jsonbVersion = 1

// postgresEpoch is where Postgres' times are counted from, in µs since 1970.
const postgresEpoch = 946_684_800_000_000

func copyLength(b []byte, n int) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }

func copyNull(b []byte) []byte { return append(b, 0xff, 0xff, 0xff, 0xff) }

func copyBytes(b, v []byte) []byte { return append(copyLength(b, len(v)), v...) }

func copyInt(b []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(copyLength(b, 8), uint64(v))
}

func copyTime(b []byte, at time.Time) []byte { return copyInt(b, at.UnixMicro()-postgresEpoch) }

func copyText(b []byte, v *string) []byte {
	if v == nil {
		return copyNull(b)
	}
	return append(copyLength(b, len(*v)), *v...)
}

// copyTexts writes an array of text; NULL when there is none.
func copyTexts(b []byte, v []string) []byte {
	if v == nil {
		return copyNull(b)
	}
	at := len(b)
	b = copyLength(b, 0)
	dimensions := min(1, len(v))
	b = copyLength(copyLength(b, dimensions), 0) // of which none has NULLs
	b = copyLength(b, pgtype.TextOID)
	if dimensions > 0 {
		b = copyLength(copyLength(b, len(v)), 1) // the first index
	}
	for i := range v {
		b = copyText(b, &v[i])
	}
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
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
