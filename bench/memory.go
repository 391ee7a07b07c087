package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// memoryRate is how many events a second memory is measured at.
	memoryRate = 1_000
	// caughtUp is how many events may be pending for the backlog to be gone: what comes in during one or two batches.
	caughtUp = memoryRate
	look     = 100 * time.Millisecond
	// drainLimit is how long the archiver has for the backlog.
	drainLimit = 5 * time.Minute
)

// memory measures what the archiver holds while it writes, while Postgres is away, and while it catches up; and how fast
// it does. Frames come in at the same rate all the time.
func (b *bench) memory(ctx context.Context) error {
	w, err := b.warmed(ctx)
	if err != nil {
		return err
	}
	if err := b.server.checkpoint(ctx); err != nil {
		return err
	}
	p, err := startArchiver(ctx, b.plan.Archiver, b.feed, w.archive)
	if err != nil {
		return err
	}
	defer p.kill()
	b.plan.Progress(fmt.Sprintf("memory at %d events/s for %s", memoryRate, b.plan.Steady))
	feeding := b.keepFeeding(ctx, w)
	defer func() { _ = feeding.stop() }() // where it was stopped before, that told the error
	steady, err := b.highest(ctx, p, b.plan.Steady)
	if err != nil {
		return err
	}
	b.plan.Progress(fmt.Sprintf("memory while Postgres is away for %s", b.plan.Outage))
	if err := b.server.stop(); err != nil {
		return err
	}
	away, err := b.highest(ctx, p, b.plan.Outage)
	if err != nil {
		return errors.Join(err, b.server.start(ctx))
	}
	b.plan.Progress("catching up after the outage")
	if err := b.server.start(ctx); err != nil {
		return err
	}
	back := time.Now()
	d, err := b.drain(ctx, p, back)
	if err != nil {
		return err
	}
	if err := feeding.stop(); err != nil {
		return err
	}
	if err := p.await(ctx, int64(feeding.frames), look); err != nil {
		return err
	}
	if err := p.stop(); err != nil {
		return err
	}
	const mib = 1 << 20
	r := &b.report
	r.add("memory", "memory at 1,000 events/s, highest", "MiB", float64(steady)/mib).atMost(64)
	r.add("memory", "memory while Postgres is away, highest", "MiB", float64(away)/mib)
	r.add("memory", "change of the highest through the outage", "MiB", float64(away-steady)/mib).atMost(8)
	r.add("memory", "memory while catching up, highest", "MiB", float64(d.memory)/mib)
	r.add("memory", "outage", "s", b.plan.Outage.Seconds())
	r.add("memory", "backlog", "events", float64(d.backlog))
	r.add("memory", "first commit after Postgres is back", "s", d.first.Seconds())
	row := r.add("memory", "catching up, live frames included", "events/s", d.perSecond)
	if b.fullRate > 0 {
		row.atLeast(b.fullRate)
	}
	return nil
}

// drained is how a backlog went.
type drained struct {
	backlog   int64
	first     time.Duration // from Postgres being back to the first commit
	perSecond float64       // events committed, from then on
	memory    int64         // highest, bytes
}

func (b *bench) drain(ctx context.Context, p *archiver, back time.Time) (d drained, err error) {
	start, err := p.status(ctx)
	if err != nil {
		return d, err
	}
	d.backlog = start.Pending
	var first status
	var began time.Time
	for {
		s, err := p.status(ctx)
		now := time.Now()
		if err != nil {
			return d, err
		}
		m, err := readMemory(p.pid())
		if err != nil {
			return d, err
		}
		d.memory = max(d.memory, m.now)
		switch {
		case began.IsZero() && s.Committed > start.Committed:
			first, began, d.first = s, now, now.Sub(back)
		case !began.IsZero() && s.Pending <= caughtUp:
			d.perSecond = float64(s.Committed-first.Committed) / now.Sub(began).Seconds()
			return d, nil
		case now.Sub(back) > drainLimit:
			return d, fmt.Errorf("the archiver has %d events pending %s after Postgres came back; its log:\n%s", s.Pending, drainLimit, p.log)
		}
		if err := sleepUntil(ctx, now.Add(look/2)); err != nil {
			return d, err
		}
	}
}

// highest is the most memory that the archiver holds during a time, in bytes.
func (b *bench) highest(ctx context.Context, p *archiver, during time.Duration) (most int64, err error) {
	for end := time.Now().Add(during); time.Now().Before(end); {
		m, err := readMemory(p.pid())
		if err != nil {
			return 0, err
		}
		most = max(most, m.now)
		if err := sleepUntil(ctx, time.Now().Add(look)); err != nil {
			return 0, err
		}
	}
	return most, nil
}

// feeding is frames that keep coming.
type feeding struct {
	cancel context.CancelFunc
	done   chan error
	err    error
	frames int // played, once it was stopped
}

// keepFeeding plays reel after reel until it is stopped.
func (b *bench) keepFeeding(ctx context.Context, w *warmed) *feeding {
	ctx, cancel := context.WithCancel(ctx)
	f := &feeding{cancel: cancel, done: make(chan error, 1)}
	go func() {
		f.done <- func() error {
			for ctx.Err() == nil {
				r, err := w.world.record(5 * memoryRate)
				if err != nil {
					return err
				}
				// A reel is played to its end, so that it is known how many frames were.
				_, err = b.feed.play(context.WithoutCancel(ctx), r, memoryRate)
				r.remove()
				if err != nil {
					return err
				}
				f.frames += r.frames
				w.events += r.frames
			}
			return nil
		}()
	}()
	return f
}

// stop waits for the end of the reel that is played. It may be called again.
func (f *feeding) stop() error {
	f.cancel()
	if f.done != nil {
		f.err = <-f.done
		f.done = nil
	}
	return f.err
}
