package ingest

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"archiver/db"
	"archiver/internal/failpoint"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// batch is what one transaction writes.
type batch struct {
	lane         *Lane
	events       []*event
	last         *event // the one that the checkpoint moves to
	appended     int    // of the events, in the transaction already
	chats        map[chatKey]*chat
	mentions     *mentions // what the events say of other rows than the chats' own
	changedChats []*chat
	changed      []*storedMessage   // of these chats, in the same order
	passed       int64              // imported events that were stored before
	settled      func(chatKey) bool // chats that hold what the events say already (Rebuild); nil: none
	onlyOrg      string             // the only row of orgs that is made (Rebuild); empty: of all
}

// write stores events in one transaction, all or none of them: the events themselves, what they make of the inbox, and
// the checkpoint. What the lane knows of the rows changes only once they are committed.
func (l *Lane) write(ctx context.Context, events []*event) error {
	b := &batch{lane: l, events: events, last: events[len(events)-1], chats: map[chatKey]*chat{}}
	var conn *pgxpool.Conn
	if ahead := l.takeAhead(); ahead != nil {
		ahead.until.Stop()
		conn, b.appended = ahead.conn, ahead.events
	} else {
		var err error
		if conn, err = l.pool.Acquire(ctx); err != nil {
			return fmt.Errorf("connecting: %w", err)
		}
	}
	defer conn.Release()
	err := b.transact(ctx, conn.Conn(), true)
	if sqlState(err) == stateNotInTurn { // what is remembered is behind: nothing has happened yet
		rollback(ctx, conn.Conn())
		err = b.transact(ctx, conn.Conn(), false)
	}
	if err != nil {
		if sqlState(err) == stateMoved {
			err = errMoved
		}
		rollback(ctx, conn.Conn())
		if b.appended > 0 {
			l.pauseAhead() // it may be why
		}
		return err
	}
	failpoint.Hit("after-commit")
	b.committed()
	l.committed.Store(b.last.place)
	return nil
}

// transact is the transaction, in as few round trips as there can be. Where something has to be read first, that is one, with the
// beginning. Then what the events make of the rows is worked out while Postgres appends them, and what came of it is sent together with
// the end. Where nothing has to be read, as it mostly is with the few events that come at an inbox' pace (and fromMemory is allowed), all of
// it is a single round trip, and Postgres itself checks that what is remembered is not behind.
func (b *batch) transact(ctx context.Context, conn *pgx.Conn, fromMemory bool) error {
	p := &pipeline{}
	if fromMemory && b.isRemembered() {
		p.batch.Queue(beginSQL)
		_, _ = db.New(p).BeginBatch(ctx, b.beginning(true)) // only noted, and without a result yet
	} else if err := b.begin(ctx, conn); err != nil {
		return err
	}
	late, err := b.applyBesideCOPY(ctx, conn)
	if err != nil {
		return err
	}
	if err := b.saveLog(ctx, db.New(p)); err != nil {
		return err
	}
	if len(late) > 0 { // these are derived from the log
		if err := b.lane.send(ctx, conn, p); err != nil {
			return err
		}
		p = &pipeline{}
		if err := b.derive(ctx, db.New(conn), late); err != nil {
			return err
		}
	}
	b.sort()
	if err := b.saveRows(ctx, db.New(p)); err != nil {
		return err
	}
	p.batch.Queue(commitSQL)
	return b.lane.send(ctx, conn, p)
}

// isRemembered reports whether nothing has to be read for the batch.
func (b *batch) isRemembered() bool {
	return !b.lane.beside && b.appended == 0 && b.hasFew() && len(b.reads()) == 0
}

// applyBesideCOPY works out what the events make of the rows while Postgres appends them to the log; a few go with the rows instead. It
// returns the chats that have to be derived again.
func (b *batch) applyBesideCOPY(ctx context.Context, conn *pgx.Conn) (late map[chatKey]bool, err error) {
	if b.hasFew() {
		return b.apply(), nil
	}
	copied := make(chan error, 1)
	go func() { copied <- copyEvents(ctx, conn, b.events[b.appended:], b.lane.ordering) }()
	late = b.apply()
	if err := <-copied; err != nil {
		b.lane.ordering = &ordering{} // pgx may be in the middle of reading yet, for a session that is lost
		return nil, err
	}
	return late, nil
}

// fewEvents is how many are inserted along with the rows: COPY takes two round trips of its own.
const fewEvents = 8

func (b *batch) hasFew() bool { return len(b.events)-b.appended <= fewEvents }

// beginSQL begins a transaction in which each statement sees what others have committed before it, whatever the database's default
// is: one that was begun ahead has to see the batch before.
const (
	beginSQL  = "begin isolation level read committed"
	commitSQL = "commit"
)

// begin begins the transaction, unless that was done ahead, moves the checkpoint, takes the turn, and reads what is known of the rows.
func (b *batch) begin(ctx context.Context, conn *pgx.Conn) error {
	p := &pipeline{}
	switch {
	case b.lane.beside:
		if _, err := conn.Exec(ctx, beginSQL); err != nil {
			return fmt.Errorf("beginning a transaction: %w", err)
		}
		if err := b.beginBeside(ctx, conn); err != nil {
			return err
		}
	case b.appended == 0:
		p.batch.Queue(beginSQL)
	}
	var isTurn bool
	steps := []step{b.takeTurn(&isTurn)}
	if !b.lane.beside {
		steps = append(steps, b.reads()...)
	}
	if err := p.ask(ctx, conn, steps); err != nil {
		return err
	}
	if !isTurn {
		b.lane.forget()
		if err := b.setWriter(ctx, db.New(conn)); err != nil {
			return err
		}
	}
	if b.lane.beside {
		if err := b.passOver(ctx, db.New(conn)); err != nil {
			return err
		}
	}
	if b.lane.beside || !isTurn {
		return (&pipeline{}).ask(ctx, conn, b.reads())
	}
	return nil
}

// takeTurn moves the checkpoint and waits for the other writers of the orgs, and tells whether this lane is the one that wrote them
// last. Where that was another one (a standby that took over, a holder that still writes what its spool holds), what is remembered of
// the rows is behind.
func (b *batch) takeTurn(isTurn *bool) step {
	return func(ctx context.Context, q *db.Queries) (err error) {
		if *isTurn, err = q.BeginBatch(ctx, b.beginning(false)); err != nil {
			return fmt.Errorf("moving the checkpoint: %w", err)
		}
		return nil
	}
}

func (b *batch) beginning(mustBeTurn bool) db.BeginBatchParams {
	l, to := b.lane, b.last
	return db.BeginBatchParams{
		StreamID: l.stream, Instance: l.instance, FromSeq: l.committed.Load(), ToSeq: to.place,
		LastReceivedAt: to.receivedAt, UpdatedAt: l.now().UTC(), OrgIds: b.orgIDs(), MustBeTurn: mustBeTurn,
	}
}

// setWriter makes this lane the one that wrote the orgs last.
func (b *batch) setWriter(ctx context.Context, q *db.Queries) error {
	return q.SetWriter(ctx, db.SetWriterParams{OrgIds: b.orgIDs(), StreamID: &b.lane.stream})
}

// orgIDs are the orgs of the events.
func (b *batch) orgIDs() (orgIDs []string) {
	for _, e := range b.events {
		if !slices.Contains(orgIDs, e.orgID) {
			orgIDs = append(orgIDs, e.orgID)
		}
	}
	return orgIDs
}

// fold works out what the events make of the rows: what is known of the chats and of all else they name, and then one
// description after the other.
func (b *batch) fold(ctx context.Context, q *db.Queries) error {
	for _, read := range b.reads() {
		if err := read(ctx, q); err != nil {
			return err
		}
	}
	if err := b.derive(ctx, q, b.apply()); err != nil {
		return err
	}
	b.sort()
	return nil
}

// reads are the queries for what is known of the rows that the events speak of and not remembered.
func (b *batch) reads() []step {
	m := newMentions()
	for _, e := range b.events {
		for i := range e.chats {
			earliest(m.orgs, entityKey{orgID: e.orgID}, e.chats[i].seen)
			m.add(&e.chats[i])
		}
		m.addOrgs(e, b.onlyOrg)
	}
	b.mentions = m
	return append(b.loads(), b.lane.entities.stage(m)...)
}

// apply folds in one description after the other. It returns the chats that have to be derived again, of which one that
// is not the newest was among them.
func (b *batch) apply() (late map[chatKey]bool) {
	b.lane.entities.apply(b.mentions, b.lane.mayBeLate.Load() > 0)
	late = map[chatKey]bool{}
	for _, e := range b.events {
		for i := range e.chats {
			d := &e.chats[i]
			c := b.chats[chatKey{d.orgID, d.chatID}]
			if b.settled != nil && b.settled(c.key) || late[c.key] {
				continue
			}
			if c.isLate(d) {
				late[c.key] = true
			} else {
				c.fold(d)
			}
		}
	}
	return late
}

// derive derives the chats again that have to be.
func (b *batch) derive(ctx context.Context, q *db.Queries, late map[chatKey]bool) error {
	for key := range late {
		c, err := b.lane.derive(ctx, q, key)
		if err != nil {
			return fmt.Errorf("deriving a chat again: %w", err)
		}
		b.chats[key] = c
	}
	return nil
}

// sort puts the rows in the order in which they are written.
func (b *batch) sort() {
	b.changedChats, b.changed = nil, nil // of a try from memory
	for _, c := range b.chats {
		b.changedChats = append(b.changedChats, c)
	}
	slices.SortFunc(b.changedChats, func(x, y *chat) int {
		return cmp.Or(cmp.Compare(x.key.orgID, y.key.orgID), cmp.Compare(x.key.chatID, y.key.chatID))
	})
	for _, c := range b.changedChats {
		ofChat := len(b.changed)
		for _, m := range c.messages {
			if m.changed {
				b.changed = append(b.changed, m)
			}
		}
		slices.SortFunc(b.changed[ofChat:], func(x, y *storedMessage) int {
			return cmp.Compare(x.row.MessageID, y.row.MessageID)
		})
	}
}

func (b *batch) committed() {
	b.lane.known.Add(b.passed)
	b.lane.entities.committed()
	for key, c := range b.chats {
		c.end()
		b.lane.chats.Add(key, b.lane.packer.pack(c))
	}
}
