package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// latencyRate is how many events a second latency is measured at.
const latencyRate = 500

// spread is how a duration was distributed, in milliseconds.
type spread struct{ p50, p99, most float64 }

func newSpread(milliseconds []float64) spread {
	slices.Sort(milliseconds)
	if len(milliseconds) == 0 {
		return spread{}
	}
	return spread{quantile(milliseconds, 0.50), quantile(milliseconds, 0.99), milliseconds[len(milliseconds)-1]}
}

// latency measures the time from received_at to the commit, beside a bare COPY of one row at the same rate, and beside
// the fsync that the spool needs before it gives an event on.
//
// A commit's timestamp is taken before its WAL is flushed. What the flush takes is known from the yardstick, where the
// reply is seen too, and is added: median to median, and 99th percentile to 99th percentile, which is rather too much.
func (b *bench) latency(ctx context.Context) error {
	w, err := b.warmed(ctx)
	if err != nil {
		return err
	}
	a := w.archive
	a.facts = false // they are no part of an event's way
	p, err := startArchiver(ctx, b.plan.Archiver, b.feed, a)
	if err != nil {
		return err
	}
	defer p.kill()
	// What is measured is a process that has run for a while: it knows the chats that are talked in. The frames are made after those
	// that it is warmed up with: to the archiver older ones are late, which costs it more.
	if err := b.write(ctx, p, w, b.plan.WarmUp/2, 0); err != nil {
		return err
	}
	r, err := w.world.record(int(b.plan.Latency.Seconds() * latencyRate))
	if err != nil {
		return err
	}
	defer r.remove()
	payloads, err := r.payloads()
	if err != nil {
		return err
	}
	b.plan.Progress(fmt.Sprintf("latency at %d events/s: bare COPY and COMMIT, and fsync", latencyRate))
	bare, flush, err := b.bareCommits(ctx, payloads)
	if err != nil {
		return err
	}
	sync, err := b.syncs(payloads[:min(len(payloads), 5*latencyRate)])
	if err != nil {
		return err
	}
	b.plan.Progress(fmt.Sprintf("latency at %d events/s: archiver", latencyRate))
	toRecord, err := b.commits(ctx, p, w, r)
	if err != nil {
		return err
	}
	total := spread{toRecord.p50 + flush.p50, toRecord.p99 + flush.p99, toRecord.most + flush.most}
	report := &b.report
	for _, s := range []struct {
		name string
		spread
	}{
		{"received to committed", total}, {"bare COPY and COMMIT of one row", bare}, {"of which its flush", flush}, {"one fsync of the spool's disk", sync},
	} {
		report.add("latency", s.name+", p50", "ms", s.p50)
		report.add("latency", s.name+", p99", "ms", s.p99)
		report.add("latency", s.name+", max", "ms", s.most)
	}
	report.add("latency", "p50 ÷ bare COPY and COMMIT", "", total.p50/bare.p50)
	report.add("latency", "p99 ÷ bare COPY and COMMIT", "", total.p99/bare.p99)
	report.add("latency", "p50 less the spool's fsync ÷ bare COPY and COMMIT", "", (total.p50-sync.p50)/bare.p50).atMost(3)
	report.add("latency", "p99 less the spool's fsync ÷ bare COPY and COMMIT", "", (total.p99-sync.p99)/bare.p99).atMost(3)
	return nil
}

// commits plays a reel to the archiver, stops it, and reads back how long each event took up to its commit record.
func (b *bench) commits(ctx context.Context, p *archiver, w *warmed, r *reel) (spread, error) {
	if err := b.server.checkpoint(ctx); err != nil {
		return spread{}, err
	}
	before, err := p.status(ctx)
	if err != nil {
		return spread{}, err
	}
	played, err := b.feed.play(ctx, r, latencyRate)
	if err != nil {
		return spread{}, err
	}
	w.events += r.frames
	if err := p.await(ctx, before.Committed+int64(r.frames), 100*time.Millisecond); err != nil {
		return spread{}, err
	}
	if err := p.stop(); err != nil {
		return spread{}, err
	}
	conn, err := pgx.Connect(ctx, w.archive.database)
	if err != nil {
		return spread{}, fmt.Errorf("connecting to read latencies: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, `SELECT 1000 * extract(epoch FROM pg_xact_commit_timestamp(xmin) - received_at)::float8
		FROM raw.events WHERE received_at >= $1`, played.Began)
	if err != nil {
		return spread{}, fmt.Errorf("reading latencies: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[float64])
	if err != nil {
		return spread{}, fmt.Errorf("reading latencies: %w", err)
	}
	if len(list) != r.frames {
		return spread{}, fmt.Errorf("reading latencies: %d events were received since %s, expected %d", len(list), played.Began, r.frames)
	}
	return newSpread(list), nil
}

// bareCommits copies one payload at a time, each its own transaction: how long that took as the client sees it, and how
// much of it came after the commit's timestamp. As of the archiver's events, what counts is the time from when a payload was there to
// be sent: while a slow commit is waited for, those behind it wait too.
func (b *bench) bareCommits(ctx context.Context, payloads [][]byte) (total, flush spread, err error) {
	address, err := b.server.create(ctx)
	if err != nil {
		return total, flush, err
	}
	if err := createCopied(ctx, address, lz4); err != nil {
		return total, flush, err
	}
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return total, flush, fmt.Errorf("connecting to COPY: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := b.server.checkpoint(ctx); err != nil {
		return total, flush, err
	}
	const warmUp = latencyRate
	var totals, flushes []float64
	replies := make([]time.Time, len(payloads))
	began := time.Now()
	for i := range payloads {
		ready := began.Add(time.Duration(i) * time.Second / latencyRate)
		if time.Now().Before(ready) {
			if err := sleepUntil(ctx, ready); err != nil {
				return total, flush, err
			}
			ready = time.Now() // not before this process was woken up
		}
		if err := copyBatchOf(ctx, conn, payloads[i:i+1]); err != nil {
			return total, flush, err
		}
		replies[i] = time.Now()
		if i >= warmUp {
			totals = append(totals, milliseconds(replies[i].Sub(ready)))
		}
	}
	// In the order they were written: one connection, one table, nothing deleted.
	rows, err := conn.Query(ctx, "SELECT pg_xact_commit_timestamp(xmin) FROM copied ORDER BY ctid")
	if err != nil {
		return total, flush, fmt.Errorf("reading the yardstick's times: %w", err)
	}
	times, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return total, flush, fmt.Errorf("reading the yardstick's times: %w", err)
	}
	slices.SortFunc(times, time.Time.Compare) // a row may have gone to an earlier page that had room
	for i := warmUp; i < len(times); i++ {
		flushes = append(flushes, milliseconds(replies[i].Sub(times[i])))
	}
	return newSpread(totals), newSpread(flushes), b.server.drop(ctx, address)
}

// syncs appends payloads to a file where spools are, each with an fsync.
func (b *bench) syncs(payloads [][]byte) (s spread, err error) {
	f, err := os.Create(filepath.Join(b.dir, "fsync"))
	if err != nil {
		return s, fmt.Errorf("measuring fsync: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	var list []float64
	began := time.Now()
	for i, payload := range payloads {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / latencyRate)))
		if _, err := f.Write(payload); err != nil {
			return s, fmt.Errorf("measuring fsync: %w", err)
		}
		before := time.Now()
		if err := f.Sync(); err != nil {
			return s, fmt.Errorf("measuring fsync: %w", err)
		}
		list = append(list, milliseconds(time.Since(before)))
	}
	return newSpread(list), nil
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }
