package bench

import (
	"context"
	"fmt"
	"time"
)

// growth measures whether an event costs Postgres more in a large archive than in a small one. Checkpoints come when the server makes
// them: after each one, a page that is touched for the first time goes to the WAL whole, and of a large archive every segment would touch others.
func (b *bench) growth(ctx context.Context) error {
	w := &warmed{world: newWorld(b.dir, 1, b.plan.Live, b.plan.History)}
	var err error
	if w.archive, err = b.newArchive(ctx, w.world, 1, ""); err != nil {
		return err
	}
	p, err := startArchiver(ctx, b.plan.Archiver, b.feed, w.archive)
	if err != nil {
		return err
	}
	defer p.kill()
	var postgres, archiver []float64 // µs an event, by segment
	var chats []int
	for w.events < b.plan.Events {
		b.plan.Progress(fmt.Sprintf("growth: events %d to %d of %d", w.events, w.events+b.plan.Segment, b.plan.Events))
		r, err := w.world.record(b.plan.Segment)
		if err != nil {
			return err
		}
		before, err := b.snapshot(ctx, p)
		if err != nil {
			return err
		}
		if _, err := b.feed.play(ctx, r, 0); err != nil {
			return err
		}
		w.events += r.frames
		if err := p.await(ctx, int64(w.events), 50*time.Millisecond); err != nil {
			return err
		}
		after, err := b.snapshot(ctx, p)
		if err != nil {
			return err
		}
		r.remove()
		postgres = append(postgres, float64((after.postgres.cpu-before.postgres.cpu).Microseconds())/float64(r.frames))
		archiver = append(archiver, float64((after.archiver-before.archiver).Microseconds())/float64(r.frames))
		chats = append(chats, len(w.world.seen))
	}
	if err := p.stop(); err != nil {
		return err
	}
	// The first segment has only new chats; a small archive is one of two. Two segments each, against noise.
	last := len(postgres)
	small, large := (postgres[1]+postgres[2])/2, (postgres[last-2]+postgres[last-1])/2
	r := &b.report
	for i := range postgres {
		r.add("growth", fmt.Sprintf("Postgres CPU up to %d events of %d chats", (i+1)*b.plan.Segment, chats[i]), "µs/event", postgres[i])
	}
	r.add("growth", fmt.Sprintf("Postgres CPU, %d events ÷ %d", b.plan.Events, 2*b.plan.Segment), "", large/small).atMost(1.10)
	r.add("growth", fmt.Sprintf("archiver CPU, %d events ÷ %d", b.plan.Events, 2*b.plan.Segment), "",
		(archiver[last-2]+archiver[last-1])/(archiver[1]+archiver[2]))
	return b.server.drop(ctx, w.archive.database)
}
