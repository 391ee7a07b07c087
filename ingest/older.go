package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"archiver/db"
	"archiver/invent"

	"github.com/jackc/pgx/v5"
)

// A database that was restored from a backup, or that took the place of another, lacks what the spool handed to the one
// before and then deleted. It shows by a checkpoint that is behind the oldest event on the spool, or, while a lane runs,
// behind where the lane left it.

// causeOlder is the cause of the gap that such a database has.
const causeOlder = "the database is older than the spool: it was restored or replaced"

// errOlder has a lane begin anew at the database's checkpoint.
var errOlder = errors.New(causeOlder)

// noticeOlder compares the checkpoint with what is on the spool. What is missing in both becomes a gap of each org, and
// the checkpoint passes over it in the same transaction: it is recorded once, and before anything else is written.
func (l *Lane) noticeOlder(ctx context.Context, isStart bool) error {
	through := l.passOverTo()
	missing := through - l.committed.Load()
	if l.orgs == nil || missing <= 0 && isStart {
		return nil
	}
	since := l.spool.BegunAt()
	if l.lastReceived != nil {
		since = *l.lastReceived
	}
	orgs, err := l.orgs(ctx)
	if err != nil {
		return err
	}
	gaps, err := l.recordOlder(ctx, orgs, since, through)
	if err != nil {
		return fmt.Errorf("recording that %s: %w", causeOlder, err)
	}
	l.forget()
	l.olderBy(gaps, isStart)
	l.log.Error("THE DATABASE IS OLDER THAN THE SPOOL: it was restored from a backup, or is another one; what it lacks is recorded as a gap",
		"events_missing", missing, "since", since.UTC().Format(time.RFC3339), "orgs", len(orgs), "to_do",
		"nothing, if it is the right one: what the REST lists still have is fetched again (archiver status shows the gaps); else stop, and set DATABASE_URL right")
	return nil
}

// errMoved says that the checkpoint is not where this writer left it: another process writes from the same stream, or
// the database was put back to an older state.
var errMoved = errors.New("the stream's checkpoint was moved by somebody else")

// passOverTo is the last event that cannot be written to the database any more, or one that is written already.
func (l *Lane) passOverTo() int64 {
	stats := l.spool.Stats()
	has := l.committed.Load()
	// What the disk has lost was in no database.
	for _, d := range l.spool.Recovered() {
		if d.AfterSeq <= has && d.ThroughSeq > has {
			return has
		}
	}
	if stats.FirstSeq == 0 {
		return max(has, stats.LastSeq)
	}
	return max(has, stats.FirstSeq-1)
}

// recordOlder writes a gap for each org, from when the database last knew all of it until now, and moves the checkpoint.
func (l *Lane) recordOlder(ctx context.Context, orgs []string, since time.Time, through int64) (gaps []db.OpsGap, err error) {
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	now := l.now().UTC()
	err = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		q := db.New(tx)
		moved, err := q.AdvanceStream(ctx, db.AdvanceStreamParams{
			StreamID: l.stream, Instance: l.instance, FromSeq: l.committed.Load(), ToSeq: through,
			LastReceivedAt: &since, UpdatedAt: now,
		})
		if err != nil {
			return err
		}
		if moved == 0 {
			return errMoved
		}
		var p db.UpsertGapsParams
		for _, orgID := range orgs {
			heard, err := q.GetLastHeard(ctx, db.GetLastHeardParams{OrgID: orgID, Before: now})
			if err != nil {
				return err
			}
			began := since
			if len(heard) > 0 && heard[0].Before(since) {
				began = heard[0]
			}
			// One that lasts by this database may be over for long.
			if err := q.EndGaps(ctx, db.EndGapsParams{OrgID: orgID, EndedAt: now}); err != nil {
				return err
			}
			g := newGap(orgID, began, causeOlder)
			g.end(now)
			gaps = append(gaps, g.row)
			addGap(&p, &g.row)
		}
		if len(gaps) == 0 {
			return nil
		}
		return q.UpsertGaps(ctx, p)
	})
	if err == nil {
		l.committed.Store(through)
	}
	return gaps, err
}

// orgsOf lists the orgs whose events a lane's spool holds: those that are dealt to it, and for a spool of an earlier run,
// which dealt them otherwise, all.
func (i *Ingester) orgsOf(ctx context.Context, l *Lane) (orgs []string, err error) {
	for _, s := range i.sessions {
		orgID := s.orgID()
		if orgID == invent.OwnOrg {
			id, ok, err := i.config.Client.ResolveOrg(ctx, s.org)
			if err != nil {
				return nil, fmt.Errorf("asking for the id of the key's own org, which lacks events: %w", err)
			}
			if !ok {
				continue // its inbox is empty
			}
			orgID = id
		}
		if !slices.Contains(orgs, orgID) && (slices.Contains(i.leftover, l) || i.laneOf(orgID) == l) {
			orgs = append(orgs, orgID)
		}
	}
	return orgs, nil
}

// olderBy takes note of the gaps that a lane recorded. At the start they last until their orgs are listened to; later
// their orgs are, and they can be repaired.
func (i *Ingester) olderBy(gaps []db.OpsGap, isStart bool) {
	if isStart {
		i.ledger.remember(gaps)
		return
	}
	for _, s := range i.sessions {
		isOf := func(g db.OpsGap) bool { return g.OrgID == s.orgID() }
		if i.repairs != nil && slices.ContainsFunc(gaps, isOf) {
			i.repairs.connected(s.org)
		}
	}
}

// remember keeps gaps that go on until their orgs are listened to.
func (l *ledger) remember(gaps []db.OpsGap) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range gaps {
		// Of several lanes' gaps of one org the longest goes on.
		if known, yes := l.older[g.OrgID]; !yes || g.BeganAt.Before(known.BeganAt) {
			l.older[g.OrgID] = g
		}
	}
}

// goesOn is the remembered gap of an org as one that lasts; nil when there is none, or when the org was heard since.
func (l *ledger) goesOn(orgID string, heard []time.Time) *gap {
	l.mu.Lock()
	defer l.mu.Unlock()
	row, yes := l.older[orgID]
	delete(l.older, orgID)
	if !yes || len(heard) > 0 && heard[0].After(*row.EndedAt) {
		return nil
	}
	row.EndedAt, row.Status = nil, gapOpen
	return &gap{row: row, version: 1}
}
