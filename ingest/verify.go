package ingest

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// verify compares the shadow with the tables as of one moment, for which alone the writers wait.
func (r *rebuild) verify(ctx context.Context) error {
	stopped, err := r.config.Pool.Begin(ctx)
	if err != nil {
		return fmt.Errorf("connecting to Postgres: %w", err)
	}
	defer func() { _ = stopped.Rollback(context.WithoutCancel(ctx)) }() // it has written nothing
	if err := stopWriters(ctx, stopped); err != nil {
		return err
	}
	tx, err := r.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()              // nor has this, but for the shadow
	if _, err := tx.Exec(ctx, "select count(*) from ops.streams"); err != nil { // from here on it sees this moment
		return fmt.Errorf("taking a snapshot: %w", err)
	}
	if err := stopped.Rollback(ctx); err != nil {
		return fmt.Errorf("letting the writers go on: %w", err)
	}
	if _, err := r.catchUp(ctx, tx, true); err != nil {
		return err
	}
	if err := r.foldLists(ctx, tx); err != nil {
		return err
	}
	report := r.config.Differs
	if report == nil {
		report = func(Difference) {}
	}
	n, err := r.shadow.differences(ctx, tx, r.orgID, report)
	r.result.Differences += n
	return err
}
