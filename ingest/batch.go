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
	"github.com/jackc/pgx/v5/pgxpool"
)

// errMoved says that the checkpoint is not where this writer left it: another process writes from the same stream, or
// the database was put back to an older state.
var errMoved = errors.New("the stream's checkpoint was moved by somebody else")

// batch is what one transaction writes.
type batch struct {
	lane         *Lane
	events       []*event
	appended     int // of the events, in the transaction already
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
	b := &batch{lane: l, events: events, chats: map[chatKey]*chat{}}
	last := events[len(events)-1]
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
	if err := b.transact(ctx, conn.Conn(), last); err != nil {
		rollback(ctx, conn.Conn())
		if b.appended > 0 {
			l.pauseAhead() // it may be why
		}
		return err
	}
	failpoint.Hit("after-commit")
	b.committed()
	l.committed.Store(last.place)
	return nil
}

// transact is the transaction, in as few round trips as there can be: Postgres is asked for everything that has to be
// known, what the events make of the rows is worked out while it appends them, and what came of it is sent at once.
func (b *batch) transact(ctx context.Context, conn *pgx.Conn, last *event) error {
	if err := b.begin(ctx, conn, last); err != nil {
		return err
	}
	copied := make(chan error, 1)
	if b.hasFew() {
		copied <- nil // they go with the rest
	} else {
		go func() { copied <- copyEvents(ctx, conn, b.events[b.appended:], b.lane.ordering) }()
	}
	late := b.apply()
	if err := <-copied; err != nil {
		b.lane.ordering = &ordering{} // pgx may be in the middle of reading yet, for a session that is lost
		return err
	}
	save := b.saveAll
	if len(late) > 0 { // these are derived from the log
		if err := b.lane.send(ctx, conn, b.saveLog); err != nil {
			return err
		}
		save = b.saveRows
	}
	if err := b.derive(ctx, db.New(conn), late); err != nil {
		return err
	}
	if err := b.lane.send(ctx, conn, save); err != nil {
		return err
	}
	failpoint.Hit("before-commit")
	tag, err := conn.Exec(ctx, "commit")
	if err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	if tag.String() != "COMMIT" { // a transaction that has failed is rolled back, without an error
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// fewEvents is how many are inserted along with the rows: COPY takes two round trips of its own.
const fewEvents = 8

func (b *batch) hasFew() bool { return len(b.events)-b.appended <= fewEvents }

// plans has the transaction's statements keep their plans, which are the same whatever the rows: making them anew costs as
// much as a small batch. They are made when tables may be empty, and are not to be such as are good for those only.
const plans = `select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
    set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)`

// beginSQL begins a transaction in which each statement sees what others have committed before it, whatever the database's default
// is: one that was begun ahead has to see the batch before.
const beginSQL = "begin isolation level read committed"

// begin begins the transaction, unless that was done ahead, moves the checkpoint, takes the turn, and reads what is known of the rows.
func (b *batch) begin(ctx context.Context, conn *pgx.Conn, last *event) error {
	p := &pipeline{}
	if b.appended == 0 {
		p.batch.Queue(beginSQL)
	}
	p.batch.Queue(plans)
	if b.lane.beside {
		if err := conn.SendBatch(ctx, &p.batch).Close(); err != nil {
			return fmt.Errorf("beginning a transaction: %w", err)
		}
		if err := b.beginBeside(ctx, conn); err != nil {
			return err
		}
		p = &pipeline{}
	}
	// First of all the checkpoint: a second writer of the same stream waits here, and then finds it moved.
	var isTurn bool
	steps := []step{b.advance(last), b.takeTurn(&isTurn)}
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

// advance moves the checkpoint.
func (b *batch) advance(to *event) step {
	l := b.lane
	return func(ctx context.Context, q *db.Queries) error {
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
}

// takeTurn waits for the other writers of the orgs, and tells whether this lane is the one that wrote them last. Where that
// was another one (a standby that took over, a holder that still writes what its spool holds), what is remembered of the
// rows is behind.
func (b *batch) takeTurn(isTurn *bool) step {
	return func(ctx context.Context, q *db.Queries) error {
		writers, err := q.LockWriters(ctx, b.orgIDs())
		if err != nil {
			return fmt.Errorf("waiting for the other writers of the orgs: %w", err)
		}
		isOther := func(w db.LockWritersRow) bool {
			return w.WriterStreamID == nil || *w.WriterStreamID != b.lane.stream
		}
		*isTurn = !slices.ContainsFunc(writers, isOther)
		return nil
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
	return b.derive(ctx, q, b.apply())
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

// derive derives the chats again that have to be, and puts all in the order in which they are written.
func (b *batch) derive(ctx context.Context, q *db.Queries, late map[chatKey]bool) error {
	for key := range late {
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
