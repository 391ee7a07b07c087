package analytics

import (
	"context"
	"fmt"
	"time"

	"archiver/db"

	"github.com/jackc/pgx/v5"
)

// Recompute makes the facts of some orgs anew, all of them when none is named, and waits for a refresher that is at one of
// them. progress is told how many chats are done. No day is stored then: Store, or Run, does that.
func (r *Refresher) Recompute(ctx context.Context, orgIDs []string, progress func(orgID string, chats int64)) error {
	if len(orgIDs) == 0 {
		var err error
		if orgIDs, err = db.New(r.pool).GetFactOrgs(ctx); err != nil {
			return fmt.Errorf("finding the orgs: %w", err)
		}
	}
	for _, orgID := range orgIDs {
		if err := r.recomputeOrg(ctx, orgID, func(chats int64) {
			if progress != nil {
				progress(orgID, chats)
			}
		}); err != nil {
			return fmt.Errorf("org %s: %w", orgID, err)
		}
	}
	return nil
}

func (r *Refresher) recomputeOrg(ctx context.Context, orgID string, progress func(chats int64)) error {
	if err := r.mark(ctx, orgID, time.Time{}); err != nil {
		return err
	}
	done := int64(0)
	// First those of most pages, then what is left, or was marked since.
	for _, start := range []func(context.Context) (cursor, error){
		func(ctx context.Context) (cursor, error) { return byPlace(ctx, db.New(r.pool), orgID) },
		func(context.Context) (cursor, error) { return cursor{}, nil },
	} {
		next, err := start(ctx)
		if err != nil {
			return err
		}
		if err := r.recomputeRound(ctx, orgID, next, func(n int64) {
			done += n
			progress(done)
		}); err != nil {
			return err
		}
	}
	// What the passes have added is right only where what was there before was, and so is what is stored of days without a change.
	return r.inTime(ctx, func(ctx context.Context, tx pgx.Tx) error {
		p := &refresh{q: db.New(tx), tx: tx, orgID: orgID, now: r.now().UTC()}
		if _, err := p.lock(ctx, true); err != nil {
			return err
		}
		if err := p.q.DropAllStoredDays(ctx, orgID); err != nil {
			return fmt.Errorf("dropping stored days: %w", err)
		}
		past, err := p.asMade(ctx)
		if err != nil || past == nil {
			return err // settings have changed meanwhile: with the chats all days are counted anew
		}
		return p.recount(ctx, past.BacklogThrough)
	})
}

// recomputeRound is one round, whose next chats are read while those before are being written.
func (r *Refresher) recomputeRound(ctx context.Context, orgID string, start cursor, progress func(chats int64)) error {
	round := round{next: start, waits: true}
	reading, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		round.ahead.wait()
	}()
	for !round.isOver {
		round.ahead.wait()
		n, err := r.pass(ctx, orgID, &round, func(p *refresh) { round.ahead = readAhead(reading, r.pool, p, round.next) })
		if err != nil {
			return err
		}
		progress(n)
	}
	return nil
}
