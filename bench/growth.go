package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// growth measures whether an event costs Postgres more in a large archive than in a small one. Checkpoints come when the server makes
// them: after each one, a page that is touched for the first time goes to the WAL whole, and of a large archive every segment would touch others.
//
// It takes minutes, in which a shared machine may become faster or slower by more than what is looked for. So before each segment COPY is
// measured as well, of the same payloads each time.
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
	yard, err := b.newSteadyCopy(ctx)
	if err != nil {
		return err
	}
	defer yard.conn.Close(context.WithoutCancel(ctx))
	var segments []grown
	for w.events < b.plan.Events {
		b.plan.Progress(fmt.Sprintf("growth: events %d to %d of %d", w.events, w.events+b.plan.Segment, b.plan.Events))
		r, err := w.world.record(b.plan.Segment)
		if err != nil {
			return err
		}
		if err := yard.take(r); err != nil {
			return err
		}
		var g grown
		if g.copying, err = yard.measure(ctx); err != nil {
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
		g.postgres = float64((after.postgres.cpu - before.postgres.cpu).Microseconds()) / float64(r.frames)
		g.archiver = float64((after.archiver - before.archiver).Microseconds()) / float64(r.frames)
		g.chats = len(w.world.seen)
		segments = append(segments, g)
	}
	if err := p.stop(); err != nil {
		return err
	}
	b.reportGrowth(segments)
	return errors.Join(b.server.drop(ctx, yard.database), b.server.drop(ctx, w.archive.database))
}

// grown is what an event cost while the archive grew by one segment, in µs of CPU.
type grown struct {
	postgres, archiver float64
	copying            float64 // a row of the yardstick, just before
	chats              int     // so far
}

func (b *bench) reportGrowth(segments []grown) {
	r := &b.report
	for i, g := range segments {
		r.add("growth", fmt.Sprintf("Postgres CPU up to %d events of %d chats", (i+1)*b.plan.Segment, g.chats), "µs/event", g.postgres)
		r.add("growth", fmt.Sprintf("Postgres CPU up to %d events ÷ COPY only just before", (i+1)*b.plan.Segment), "", g.postgres/g.copying)
	}
	// The first segment has only new chats; a small archive is one of the next three. A large one is one of the last six: a checkpoint, which
	// comes after five or six and weighs on the two that follow, is in their mean. Of fewer segments it is the two halves.
	half := len(segments) / 2
	small, large := segments[1:min(4, max(2, half))], segments[max(half, len(segments)-6):]
	ratio := func(of func(grown) float64) float64 {
		return mean(each(large, func(i int) float64 { return of(large[i]) })) / mean(each(small, func(i int) float64 { return of(small[i]) }))
	}
	what := fmt.Sprintf(", last %d of %d events ÷ events %d to %d",
		len(large)*b.plan.Segment, b.plan.Events, b.plan.Segment+1, (len(small)+1)*b.plan.Segment)
	r.add("growth", "Postgres CPU ÷ COPY only just before"+what, "", ratio(func(g grown) float64 { return g.postgres / g.copying })).atMost(1.10)
	r.add("growth", "Postgres CPU"+what, "", ratio(func(g grown) float64 { return g.postgres }))
	r.add("growth", "COPY only"+what, "", ratio(func(g grown) float64 { return g.copying }))
	r.add("growth", "archiver CPU"+what, "", ratio(func(g grown) float64 { return g.archiver }))
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// steadyCopy is a yardstick that can be taken again and again beside an archive: its table is emptied, nothing vacuums it, and there is no
// checkpoint.
type steadyCopy struct {
	database string
	conn     *pgx.Conn
	payloads [][]byte
}

// steadyRows is how many payloads it copies: a second of work.
const steadyRows = 10_000

func (b *bench) newSteadyCopy(ctx context.Context) (s *steadyCopy, err error) {
	s = &steadyCopy{}
	if s.database, err = b.server.create(ctx); err != nil {
		return nil, err
	}
	if err := createCopied(ctx, s.database, lz4); err != nil {
		return nil, err
	}
	if s.conn, err = pgx.Connect(ctx, s.database); err != nil {
		return nil, fmt.Errorf("connecting to COPY: %w", err)
	}
	if _, err = s.conn.Exec(ctx, "ALTER TABLE copied SET (autovacuum_enabled = false)"); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the yardstick's table: %w", err), s.conn.Close(ctx))
	}
	return s, nil
}

// take takes the payloads of the first reel that it is given.
func (s *steadyCopy) take(r *reel) error {
	if s.payloads != nil {
		return nil
	}
	all, err := r.payloads()
	if err != nil {
		return err
	}
	s.payloads = slices.Clone(all[:min(len(all), steadyRows)])
	return nil
}

// measure is what a row cost the process that took it, in µs of CPU: others of the server's are busy with the archive.
func (s *steadyCopy) measure(ctx context.Context) (float64, error) {
	if _, err := s.conn.Exec(ctx, "TRUNCATE copied"); err != nil {
		return 0, fmt.Errorf("emptying the yardstick's table: %w", err)
	}
	pid := int(s.conn.PgConn().PID())
	before, err := cpuTime(pid)
	if err != nil {
		return 0, err
	}
	for batch := range slices.Chunk(s.payloads, copyBatch) {
		if err := copyBatchOf(ctx, s.conn, batch); err != nil {
			return 0, err
		}
	}
	after, err := cpuTime(pid)
	return float64((after - before).Microseconds()) / float64(len(s.payloads)), err
}
