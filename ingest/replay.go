package ingest

import (
	"context"
	"fmt"
	"math"

	"archiver/db"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// replayed is a stored event, read again.
type replayed struct {
	*rawEvent
	event *event // nil: it says nothing of the inbox
}

// readAll folds what there is into the shadow, in the order it was received: few events are late in that order. The next
// page is read over a connection of its own while one is folded.
func (r *rebuild) readAll(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	pages := make(chan []replayed)
	group.Go(func() error {
		defer close(pages)
		return r.readAhead(ctx, pages)
	})
	group.Go(func() error {
		for page := range pages {
			within, err := r.within(ctx, page)
			if err != nil {
				return err
			}
			if err := r.fold(ctx, r.conn, within); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

func (r *rebuild) readAhead(ctx context.Context, pages chan<- []replayed) error {
	conn, err := r.config.Pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connecting to Postgres: %w", err)
	}
	defer conn.Release()
	stored, again := storedEvents{orgID: r.orgID}, newRereader()
	for {
		rows, err := stored.nextAlone(ctx, conn)
		if err != nil || len(rows) == 0 {
			return err
		}
		select {
		case pages <- again.replay(rows):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// within leaves out what is beyond the checkpoints that the rebuild began with.
func (r *rebuild) within(ctx context.Context, page []replayed) ([]replayed, error) {
	within := page[:0]
	for _, e := range page {
		through, err := r.throughOf(ctx, e.stream)
		if err != nil {
			return nil, err
		}
		if e.seq > through {
			r.beyond[e.stream] = true
			continue
		}
		r.last[e.stream] = e.receivedAt
		within = append(within, e)
	}
	return within, nil
}

// throughOf is how far a stream is to be read at first. One without a checkpoint was written by nobody this database
// knows of, and is read whole; one that has got its checkpoint since is all caught up with.
func (r *rebuild) throughOf(ctx context.Context, stream uuid.UUID) (int64, error) {
	if through, ok := r.through[stream]; ok {
		return through, nil
	}
	now, err := r.checkpoints(ctx, r.conn)
	if err != nil {
		return 0, err
	}
	r.through[stream] = math.MaxInt64
	if _, isNew := now[stream]; isNew {
		r.through[stream] = 0
	}
	return r.through[stream], nil
}

// catchUp folds what was written since, and returns how much that was. The last round is made while nobody writes, and
// takes in whatever is there.
func (r *rebuild) catchUp(ctx context.Context, in asker, isLast bool) (n int, err error) {
	now, err := r.checkpoints(ctx, in)
	if err != nil {
		return 0, err
	}
	// What was derived is so from what there was before.
	r.derived.Purge()
	for stream, checkpoint := range now {
		through := r.through[stream]
		if checkpoint <= through && !(isLast && r.beyond[stream]) {
			continue
		}
		span := streamRange{stream: stream, after: through, through: checkpoint}
		if isLast {
			span.through = math.MaxInt64
		}
		// A stream's times only ever rise, so what is not in the shadow yet was received after what is.
		pages := storedEvents{orgID: r.orgID, after: place{receivedAt: r.last[stream]}, ofStream: &span}
		for {
			page, err := pages.next(ctx, in)
			if err != nil {
				return n, err
			}
			if len(page) == 0 {
				break
			}
			if err := r.fold(ctx, in, r.lane.again.replay(page)); err != nil {
				return n, err
			}
			r.last[stream] = page[len(page)-1].receivedAt
			n += len(page)
		}
		r.through[stream] = checkpoint
	}
	return n, nil
}

// asker is the connection, or a transaction on it.
type asker interface {
	db.DBTX
	Begin(ctx context.Context) (pgx.Tx, error)
}

func (r *rebuild) checkpoints(ctx context.Context, in asker) (map[uuid.UUID]int64, error) {
	rows, err := db.New(in).GetCheckpoints(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the checkpoints: %w", err)
	}
	checkpoints := make(map[uuid.UUID]int64, len(rows))
	for _, row := range rows {
		checkpoints[row.StreamID] = row.CommittedSeq
	}
	return checkpoints, nil
}

// fold makes rows of the shadow of what events say, by the code that does so when they come.
func (r *rebuild) fold(ctx context.Context, in asker, page []replayed) error {
	if len(page) == 0 {
		return nil
	}
	var events []*event
	for i := range page {
		if e := page[i].event; e != nil {
			events = append(events, e)
			for j := range e.orgs {
				r.listed[e.orgs[j].orgID] = true
			}
		}
	}
	if err := r.store(ctx, in, events); err != nil {
		return err
	}
	before := r.events
	r.events += int64(len(page))
	r.result.Events += int64(len(page))
	if report := r.config.Progress; report != nil {
		report(RebuildProgress{OrgID: r.orgID, Events: r.events, ReceivedAt: page[len(page)-1].receivedAt})
	}
	// The planner is told when there is ten times as much.
	if digits(before) != digits(r.events) {
		return r.shadow.analyze(ctx, r.conn)
	}
	return nil
}

func digits(n int64) int { return len(fmt.Sprint(n)) }

func (a rereader) replay(rows []rawEvent) []replayed {
	page := make([]replayed, len(rows))
	for i := range rows {
		page[i] = replayed{&rows[i], a.replayOne(&rows[i])}
	}
	return page
}

// replayOne reads a stored event again; nil when it says nothing of the inbox. An event that names no chat is a page of
// several chats or of orgs, or was refused by Postgres when it came.
func (a rereader) replayOne(s *rawEvent) *event {
	if s.chatID == nil && s.kind != KindChatsPage && s.kind != KindOrgsPage {
		return nil
	}
	e := a.event(s.orgID, &db.GetChatEventsRow{
		ReceivedAt: s.receivedAt, ObservedAt: s.observedAt, StreamID: s.stream, Seq: s.seq, Kind: s.kind,
		Request: s.request, Payload: s.payload,
	})
	if len(e.chats) == 0 && len(e.orgs) == 0 && e.chatsListed == nil {
		return nil
	}
	return e
}

// store writes what events make of the shadow. Those that Postgres refuses are found by halves and left out, as they
// were when they came.
func (r *rebuild) store(ctx context.Context, in asker, events []*event) error {
	if len(events) == 0 {
		return nil
	}
	err := r.write(ctx, in, events)
	if !isAboutData(err) {
		return err
	}
	r.lane.forget()
	if half := len(events) / 2; half > 0 {
		if err := r.store(ctx, in, events[:half]); err != nil {
			return err
		}
		return r.store(ctx, in, events[half:])
	}
	r.result.Refused++
	r.config.Log.Warn("Postgres refuses what is made of an event; it is left out",
		"org_id", r.orgID, "stream", events[0].stream, "seq", events[0].seq, "error", describeError(err))
	return nil
}

func (r *rebuild) write(ctx context.Context, in asker, events []*event) error {
	b := &batch{lane: r.lane, events: events, chats: map[chatKey]*chat{}, settled: r.derived.Contains, onlyOrg: r.orgID}
	err := pgx.BeginFunc(ctx, in, func(tx pgx.Tx) error {
		over := shadowTx{tx}
		if err := b.fold(ctx, db.New(over)); err != nil {
			return err
		}
		p := &pipeline{}
		if err := b.save(ctx, db.New(p)); err != nil {
			return err
		}
		return p.run(ctx, over)
	})
	if err != nil {
		return err
	}
	for key, c := range b.chats {
		if c.rederived {
			r.derived.Add(key, true)
		}
	}
	b.committed()
	return nil
}
