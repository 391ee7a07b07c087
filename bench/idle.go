package bench

import (
	"context"
	"fmt"
	"time"
)

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
