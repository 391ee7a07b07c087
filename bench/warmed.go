package bench

import (
	"context"
	"time"
)

// warmed is an archive that has seen its first events, of one org: what all sections but work and growth go on with,
// each with a new archiver, which has the memory of a new process and not of a flood.
type warmed struct {
	world   *world
	archive archive
	events  int
}

func (b *bench) warmed(ctx context.Context) (*warmed, error) {
	if b.stage != nil {
		return b.stage, nil
	}
	b.plan.Progress("making an archive to go on with")
	w := &warmed{world: newWorld(b.dir, 1, b.plan.Live, b.plan.History)}
	var err error
	if w.archive, err = b.newArchive(ctx, w.world, 1, ""); err != nil {
		return nil, err
	}
	w.archive.facts = true // as everybody runs it
	p, err := startArchiver(ctx, b.plan.Archiver, b.feed, w.archive)
	if err != nil {
		return nil, err
	}
	defer p.kill()
	if err := b.write(ctx, p, w, b.plan.WarmUp+b.plan.Frames, 0); err != nil {
		return nil, err
	}
	b.stage = w
	return w, p.stop()
}

// write has an archiver that was started before write the next frames, at a rate or (0) as fast as it can.
func (b *bench) write(ctx context.Context, p *archiver, w *warmed, frames int, rate float64) error {
	r, err := w.world.record(frames)
	if err != nil {
		return err
	}
	defer r.remove()
	before, err := p.status(ctx)
	if err != nil {
		return err
	}
	if _, err := b.feed.play(ctx, r, rate); err != nil {
		return err
	}
	w.events += frames
	return p.await(ctx, before.Committed+int64(frames), 50*time.Millisecond)
}
