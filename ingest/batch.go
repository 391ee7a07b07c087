package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"archiver/db"
	"archiver/internal/failpoint"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// errMoved says that the checkpoint is not where this writer left it: another process writes from the same stream, or
// the database was put back to an older state.
var errMoved = errors.New("the stream's checkpoint was moved by somebody else")

// batch is what one transaction writes.
type batch struct {
	lane         *Lane
	events       []*event
	chats        map[chatKey]*chat
	changedChats []*chat
	passed       int64              // imported events that were stored before
	settled      func(chatKey) bool // chats that hold what the events say already (Rebuild); nil: none
	onlyOrg      string             // the only row of orgs that is made (Rebuild); empty: of all
}

// write stores events in one transaction, all or none of them: the events themselves, what they make of the inbox, and
// the checkpoint. What the lane knows of the rows changes only once they are committed.
func (l *Lane) write(ctx context.Context, events []*event) error {
	b := &batch{lane: l, events: events, chats: map[chatKey]*chat{}}
	last := events[len(events)-1]
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		if err := b.beginBeside(ctx, tx); err != nil {
			return err
		}
		if err := l.advance(ctx, db.New(tx), last); err != nil {
			return err
		}
		if err := b.takeTurn(ctx, db.New(tx)); err != nil {
			return err
		}
		if err := b.passOver(ctx, db.New(tx)); err != nil {
			return err
		}
		if err := copyEvents(ctx, tx, b.events); err != nil {
			return err
		}
		if err := b.saveEventChats(ctx, db.New(tx)); err != nil {
			return err
		}
		if err := b.fold(ctx, db.New(tx)); err != nil {
			return err
		}
		err := pipelined(ctx, tx, b.saveAll)
		failpoint.Hit("before-commit")
		return err
	})
	if err != nil {
		return err
	}
	failpoint.Hit("after-commit")
	b.committed()
	l.committed.Store(last.place)
	return nil
}

// advance moves the checkpoint, first of all: a second writer of the same stream waits here, and then finds it moved.
func (l *Lane) advance(ctx context.Context, q *db.Queries, to *event) error {
	moved, err := q.AdvanceStream(ctx, db.AdvanceStreamParams{
		StreamID: l.stream, Instance: l.instance, FromSeq: l.committed.Load(), ToSeq: to.place,
		LastReceivedAt: &to.receivedAt, UpdatedAt: l.now().UTC(),
	})
	if err != nil {
		return fmt.Errorf("moving the checkpoint: %w", err)
	}
	if moved == 0 {
		return errMoved
	}
	return nil
}

// takeTurn makes this lane the one that wrote the orgs last. Where that was another one (a standby that took over, a
// holder that still writes what its spool holds), what is remembered of the rows is behind.
func (b *batch) takeTurn(ctx context.Context, q *db.Queries) error {
	var orgIDs []string
	for _, e := range b.events {
		if !slices.Contains(orgIDs, e.orgID) {
			orgIDs = append(orgIDs, e.orgID)
		}
	}
	writers, err := q.LockWriters(ctx, orgIDs)
	if err != nil {
		return fmt.Errorf("waiting for the other writers of the orgs: %w", err)
	}
	isOther := func(w db.LockWritersRow) bool { return w.WriterStreamID == nil || *w.WriterStreamID != b.lane.stream }
	if !slices.ContainsFunc(writers, isOther) {
		return nil
	}
	b.lane.forget()
	return q.SetWriter(ctx, db.SetWriterParams{OrgIds: orgIDs, StreamID: &b.lane.stream})
}

// fold works out what the events make of the rows: what is known of the chats and of all else they name, and then one
// description after the other.
func (b *batch) fold(ctx context.Context, q *db.Queries) error {
	m := newMentions()
	for _, e := range b.events {
		for i := range e.chats {
			earliest(m.orgs, entityKey{orgID: e.orgID}, e.chats[i].seen)
			m.add(&e.chats[i])
		}
		m.addOrgs(e, b.onlyOrg)
	}
	if err := b.load(ctx, q); err != nil {
		return err
	}
	if err := b.lane.entities.stage(ctx, q, m, b.lane.mayBeLate.Load() > 0); err != nil {
		return err
	}
	late := map[chatKey]bool{}
	for _, e := range b.events {
		for i := range e.chats {
			d := &e.chats[i]
			c := b.chats[chatKey{d.orgID, d.chatID}]
			if b.settled != nil && b.settled(c.key) {
				continue
			}
			if late[c.key] = late[c.key] || c.isLate(d); !late[c.key] {
				c.fold(d)
			}
		}
	}
	for key := range late {
		if !late[key] {
			continue
		}
		c, err := b.lane.derive(ctx, q, key)
		if err != nil {
			return fmt.Errorf("deriving a chat again: %w", err)
		}
		b.chats[key] = c
	}
	for _, c := range b.chats {
		b.changedChats = append(b.changedChats, c)
	}
	slices.SortFunc(b.changedChats, func(x, y *chat) int {
		return cmp.Or(cmp.Compare(x.key.orgID, y.key.orgID), cmp.Compare(x.key.chatID, y.key.chatID))
	})
	return nil
}

func (b *batch) committed() {
	b.lane.known.Add(b.passed)
	b.lane.entities.committed()
	for key, c := range b.chats {
		c.end()
		b.lane.chats.Add(key, c)
	}
}

// pipelined runs queries that return nothing in one round trip.
func pipelined(ctx context.Context, tx pgx.Tx, queue func(context.Context, *db.Queries) error) error {
	p := &pipeline{}
	if err := queue(ctx, db.New(p)); err != nil {
		return err
	}
	if p.batch.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, &p.batch).Close()
}

// pipeline takes the place of a connection under the generated queries, and only notes what they would run.
type pipeline struct{ batch pgx.Batch }

func (p *pipeline) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	p.batch.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

func (p *pipeline) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, errors.New("a query with a result cannot be queued")
}

func (p *pipeline) QueryRow(context.Context, string, ...any) pgx.Row { return noRow{} }

type noRow struct{}

func (noRow) Scan(...any) error { return errors.New("a query with a result cannot be queued") }
