package ingest

import (
	"context"
	"fmt"
	"time"

	"archiver/db"

	"github.com/jackc/pgx/v5"
)

// swap puts the shadow's rows in the place of inbox's, while no lane writes; those that go on then read the rows anew.
func (r *rebuild) swap(ctx context.Context) error {
	return pgx.BeginFunc(ctx, r.conn, func(tx pgx.Tx) error {
		if err := stopWriters(ctx, tx); err != nil {
			return err
		}
		if _, err := r.catchUp(ctx, tx, true); err != nil {
			return err
		}
		if err := r.foldLists(ctx, tx); err != nil {
			return err
		}
		if err := r.checkHorizon(ctx, tx); err != nil {
			return err
		}
		written, removed, err := r.shadow.replace(ctx, tx, r.orgID)
		if err != nil {
			return err
		}
		r.result.Written += written
		r.result.Removed += removed
		q := db.New(tx)
		if _, err := q.AddLeases(ctx, db.AddLeasesParams{Instance: r.config.Instance, OrgIds: []string{r.orgID}}); err != nil {
			return fmt.Errorf("telling the writers: %w", err)
		}
		if err := q.ForgetWriter(ctx, r.orgID); err != nil {
			return fmt.Errorf("telling the writers: %w", err)
		}
		return nil
	})
}

// checkHorizon refuses to lose what only the tables know: where old months of raw are gone, the rows they made are all
// that is left of them.
func (r *rebuild) checkHorizon(ctx context.Context, tx pgx.Tx) error {
	var live, rebuilt *time.Time
	err := tx.QueryRow(ctx, `
select (select first_seen_at from inbox.orgs where org_id = $1), (select first_seen_at from pg_temp.orgs where org_id = $1)`,
		r.orgID).Scan(&live, &rebuilt)
	switch {
	case err != nil:
		return fmt.Errorf("comparing how far back raw goes: %w", err)
	case live == nil || rebuilt != nil && !rebuilt.After(*live):
		return nil
	case rebuilt == nil:
		return fmt.Errorf("raw.events has nothing of the org, whose tables go back to %s: they are left as they are",
			live.UTC().Format(time.RFC3339))
	}
	return fmt.Errorf("raw.events goes back to %s and the tables to %s: what is not in raw any more would be lost, so they are left as they are",
		rebuilt.UTC().Format(time.RFC3339), live.UTC().Format(time.RFC3339))
}
