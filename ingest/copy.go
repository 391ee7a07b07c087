package ingest

import (
	"context"
	"fmt"

	"archiver/db"

	"github.com/jackc/pgx/v5"
)

// COPY is the one statement that sqlc cannot express; it is in this file alone.

var eventColumns = []string{
	"org_id", "received_at", "observed_at", "stream_id", "seq", "connection_id", "source", "kind", "request", "type",
	"identifier", "chat_id", "payload", "raw", "flaws", "sha256",
}

// copyEvents appends the events to raw.events.
func copyEvents(ctx context.Context, tx pgx.Tx, events []*event) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"raw", "events"}, eventColumns, &eventRows{events: events})
	if err != nil {
		return fmt.Errorf("appending to raw.events: %w", err)
	}
	return nil
}

// eventRows yields one row of raw.events for each event.
type eventRows struct {
	events []*event
	at     int
	values [16]any
}

func (r *eventRows) Next() bool {
	r.at++
	return r.at <= len(r.events)
}

func (r *eventRows) Values() ([]any, error) {
	e := r.events[r.at-1]
	// Pointers, since a value in an interface is a copy on the heap.
	r.values = [16]any{
		&e.orgID, &e.receivedAt, &e.observedAt, &e.stream, &e.seq, e.connectionID, &e.source, &e.kind, e.request, e.typ,
		e.identifier, e.chatID, e.reading.Payload, e.unfaithful(), e.reading.Flaws, e.sha256[:],
	}
	return r.values[:], nil
}

func (r *eventRows) Err() error { return nil }

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
