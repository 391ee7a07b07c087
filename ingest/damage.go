package ingest

import (
	"context"
	"fmt"
	"time"

	"archiver/db"
	"archiver/internal/failpoint"
	"archiver/spool"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// causeDamage is the cause of the gap that damaged files leave.
const causeDamage = "the spool was damaged: what it held is set aside or lost"

// recordDamage makes a gap of each org out of what the spool found damaged when it was opened. What is in Postgres
// already is not lost. It is done before anything is written: later the checkpoint no longer tells what was lost.
func (l *Lane) recordDamage(ctx context.Context) error {
	var lost []spool.Damage
	for _, d := range l.spool.Recovered() {
		if d.ThroughSeq > d.AfterSeq && d.ThroughSeq > l.committed.Load() {
			lost = append(lost, d)
		}
	}
	if l.orgs == nil || len(lost) == 0 || l.damageNoted {
		return nil
	}
	orgs, err := l.orgs(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, failpoint.Duration("answer-within", questionTimeout))
	defer cancel()
	var added []db.OpsGap
	err = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) (err error) {
		added, err = l.addDamage(ctx, db.New(tx), lost, orgs)
		return err
	})
	if err != nil {
		return fmt.Errorf("recording what the spool has lost: %w", err)
	}
	l.damageNoted = true
	if len(added) > 0 {
		l.log.Error("the spool was damaged; what it may have lost is recorded as a gap", "damages", len(lost), "gaps", len(added))
		l.olderBy(added, false)
	}
	return nil
}

func (l *Lane) addDamage(ctx context.Context, q *db.Queries, lost []spool.Damage, orgs []string) (added []db.OpsGap, err error) {
	for _, orgID := range orgs {
		for _, d := range lost {
			began, err := l.lostSince(ctx, q, orgID, d)
			if err != nil {
				return nil, err
			}
			g := newGap(orgID, began, causeDamage)
			g.end(d.Until)
			// The next Open may report the same damage again.
			g.row.GapID = uuid.NewSHA1(l.stream, fmt.Appendf(nil, "damage after %d", d.AfterSeq))
			n, err := q.AddGap(ctx, db.AddGapParams{
				OrgID: orgID, GapID: g.row.GapID, BeganAt: g.row.BeganAt, EndedAt: *g.row.EndedAt, Cause: g.row.Cause, Status: g.row.Status,
			})
			if err != nil {
				return nil, err
			}
			if n > 0 {
				added = append(added, g.row)
			}
		}
	}
	return added, nil
}

// lostSince is when the first record that damage can have taken was received, or before that.
func (l *Lane) lostSince(ctx context.Context, q *db.Queries, orgID string, d spool.Damage) (time.Time, error) {
	if d.AfterSeq < l.committed.Load() && l.lastReceived != nil {
		return later(d.After, *l.lastReceived), nil
	}
	if !d.After.IsZero() {
		return d.After, nil
	}
	// Nothing is left of what came before it: the stream may be a new one.
	began := l.spool.BegunAt()
	heard, err := q.GetLastHeard(ctx, db.GetLastHeardParams{OrgID: orgID, Before: began})
	if err == nil && len(heard) > 0 {
		began = heard[0]
	}
	return began, err
}
