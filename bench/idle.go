package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// awaitFacts waits until schema analytics is up to date: the archive was made without.
func awaitFacts(ctx context.Context, database string) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return fmt.Errorf("connecting to look for the facts: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	giveUp := time.Now().Add(drainLimit)
	for isDone := false; !isDone; {
		if time.Now().After(giveUp) {
			return fmt.Errorf("the facts are not up to date after %s", drainLimit)
		}
		if err := conn.QueryRow(ctx, "SELECT NOT EXISTS (SELECT FROM ops.dirty_chats)").Scan(&isDone); err != nil {
			return fmt.Errorf("looking for the facts: %w", err)
		}
		if err := sleepUntil(ctx, time.Now().Add(look)); err != nil {
			return err
		}
	}
	return nil
}

// idle measures an archiver that is connected and to which nothing comes.
func (b *bench) idle(ctx context.Context) error {
	w, err := b.warmed(ctx)
	if err != nil {
		return err
	}
	b.plan.Progress(fmt.Sprintf("idle for %s", b.plan.Idle))
	p, err := startArchiver(ctx, b.plan.Archiver, b.feed, w.archive)
	if err != nil {
		return err
	}
	defer p.kill()
	// One frame says that it is connected and has done its first things.
	if err := b.write(ctx, p, w, 1, 0); err != nil {
		return err
	}
	if err := awaitFacts(ctx, w.archive.database); err != nil {
		return err
	}
	before, err := b.snapshot(ctx, p)
	if err != nil {
		return err
	}
	most, err := b.highest(ctx, p, b.plan.Idle)
	if err != nil {
		return err
	}
	after, err := b.snapshot(ctx, p)
	if err != nil {
		return err
	}
	share := func(used time.Duration) float64 { return 100 * used.Seconds() / after.at.Sub(before.at).Seconds() }
	b.report.add("idle", "archiver CPU, share of a core", "%", share(after.archiver-before.archiver)).atMost(1)
	b.report.add("idle", "Postgres CPU, share of a core", "%", share(after.postgres.cpu-before.postgres.cpu))
	b.report.add("idle", "memory", "MiB", float64(most)/(1<<20)).atMost(40)
	return p.stop()
}
