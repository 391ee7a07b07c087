package bench

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// worked is what the archiver did with a reel.
type worked struct {
	perSecond   float64
	archiverCPU float64 // µs an event
	postgresCPU float64 // µs an event
	wal         float64 // bytes an event
	allocations float64 // an event
	batch       float64 // events a transaction
	peak        float64 // bytes
	tables      map[string]tableCount
	payload     float64 // bytes of JSON, warm-up included
	logBytes    float64 // bytes of raw on disk, indexes included, warm-up included
}

// throughput measures the archiver at full work and the yardsticks by turns, one org and several.
func (b *bench) throughput(ctx context.Context) error {
	one, err := b.newStage(1, 1, 0)
	if err != nil {
		return err
	}
	several, err := b.newStage(4, 2, 0)
	if err != nil {
		return err
	}
	for _, s := range []*stage{one, several} {
		if s.payloads, err = s.reel.payloads(); err != nil {
			return err
		}
	}
	var copy1, copy2, default1, default2 []copied
	var work1, work4, facts1 []worked
	for round := range b.plan.Rounds {
		for _, s := range []*stage{one, several} {
			name := fmt.Sprintf("round %d of %d, %d org(s), %d lane(s)", round+1, b.plan.Rounds, len(s.world.orgs), s.lanes)
			b.plan.Progress(name + ": COPY only")
			c, err := copyOnly(ctx, b.server, s.payloads, s.lanes, lz4)
			if err != nil {
				return err
			}
			d, err := copyOnly(ctx, b.server, s.payloads, s.lanes, pglz)
			if err != nil {
				return err
			}
			b.plan.Progress(name + ": archiver")
			w, err := b.work(ctx, s, false, round == 0)
			if err != nil {
				return err
			}
			if s == several {
				copy2, default2, work4 = append(copy2, c), append(default2, d), append(work4, w)
				continue
			}
			copy1, default1, work1 = append(copy1, c), append(default1, d), append(work1, w)
			b.plan.Progress(name + ": archiver, facts refreshed")
			if w, err = b.work(ctx, s, true, false); err != nil {
				return err
			}
			facts1 = append(facts1, w)
		}
	}
	b.describeFrames(one)
	b.reportWork("one org, one lane", work1, copy1, default1, 0.80)
	b.reportWork("four orgs, two lanes", work4, copy2, default2, 0.65)
	b.reportFacts(facts1, work1)
	b.reportCounts(work1[0], b.plan.Frames)
	b.fullRate = median(each(work1, func(i int) float64 { return work1[i].perSecond }))
	return nil
}

// stage is a simulated inbox with frames to warm up with and to measure.
type stage struct {
	world      *world
	lanes      int
	warm, reel *reel
	payloads   [][]byte // of reel, for COPY
}

// newStage makes a stage whose frames have extra bytes more than the simulator's.
func (b *bench) newStage(orgs, lanes, extra int) (*stage, error) {
	b.plan.Progress(fmt.Sprintf("making %d frames of %d organization(s)", b.plan.WarmUp+b.plan.Frames, orgs))
	s := &stage{world: newWorld(b.dir, orgs, b.plan.Live, b.plan.History), lanes: lanes}
	s.world.extra = newPadding(extra)
	var err error
	if s.warm, err = s.world.record(b.plan.WarmUp); err != nil {
		return nil, err
	}
	s.reel, err = s.world.record(b.plan.Frames)
	return s, err
}

// work has a new archiver write the stage's frames into a new database, with schema analytics kept up to date beside it or
// not. Counting rows takes a few seconds more.
func (b *bench) work(ctx context.Context, s *stage, facts, isCounted bool) (w worked, err error) {
	profileDir := ""
	if isCounted && s.lanes == 1 {
		profileDir = b.plan.ProfileDir
	}
	a, err := b.newArchive(ctx, s.world, s.lanes, profileDir)
	if err != nil {
		return w, err
	}
	a.facts = facts
	p, err := startArchiver(ctx, b.plan.Archiver, b.feed, a)
	if err != nil {
		return w, err
	}
	defer p.kill()
	if _, err := b.feed.play(ctx, s.warm, 0); err != nil {
		return w, err
	}
	if err := p.await(ctx, int64(s.warm.frames), 20*time.Millisecond); err != nil {
		return w, err
	}
	var tables map[string]tableCount
	if isCounted {
		if tables, err = countTables(ctx, a.database, int64(s.warm.frames)); err != nil {
			return w, err
		}
	}
	before, err := b.snapshot(ctx, p)
	if err != nil {
		return w, err
	}
	played, err := b.feed.play(ctx, s.reel, 0)
	if err != nil {
		return w, err
	}
	all := int64(s.warm.frames + s.reel.frames)
	if err := p.await(ctx, all, 100*time.Millisecond); err != nil {
		return w, err
	}
	after, err := b.snapshot(ctx, p)
	if err != nil {
		return w, err
	}
	ended, err := lastCommit(ctx, a.database)
	if err != nil {
		return w, err
	}
	m, err := readMemory(p.pid())
	if err != nil {
		return w, err
	}
	if err := p.stop(); err != nil {
		return w, err
	}
	events := float64(s.reel.frames)
	w = worked{
		perSecond:   events / ended.Sub(played.Began).Seconds(),
		archiverCPU: float64((after.archiver - before.archiver).Microseconds()) / events,
		postgresCPU: float64((after.postgres.cpu - before.postgres.cpu).Microseconds()) / events,
		wal:         float64(after.postgres.wal-before.postgres.wal) / events,
		allocations: (after.metrics["go_memstats_mallocs_total"] - before.metrics["go_memstats_mallocs_total"]) / events,
		batch: (after.metrics["archiver_batch_events_sum"] - before.metrics["archiver_batch_events_sum"]) /
			(after.metrics["archiver_batch_events_count"] - before.metrics["archiver_batch_events_count"]),
		peak: float64(m.peak),
	}
	if isCounted {
		if w.tables, err = countTables(ctx, a.database, all); err != nil {
			return w, err
		}
		w.payload, w.logBytes = float64(s.warm.bytes+s.reel.bytes), float64(w.tables["raw.events"].Bytes+w.tables["raw.event_chats"].Bytes)
		for name, c := range w.tables {
			c.Inserted, c.Updated, c.HOT, c.Deleted = c.Inserted-tables[name].Inserted, c.Updated-tables[name].Updated, c.HOT-tables[name].HOT, c.Deleted-tables[name].Deleted
			w.tables[name] = c
		}
	}
	if profileDir != "" {
		if err := b.writeStatements(ctx, a.database, profileDir); err != nil {
			return w, err
		}
	}
	return w, b.server.drop(ctx, a.database)
}

// newArchive makes an empty database and a directory for an archiver, after a checkpoint.
func (b *bench) newArchive(ctx context.Context, w *world, lanes int, profileDir string) (a archive, err error) {
	a = archive{orgs: w.orgs, lanes: lanes, profileDir: profileDir}
	if a.database, err = b.server.create(ctx); err != nil {
		return a, err
	}
	if a.dir, err = spoolIn(b.dir); err != nil {
		return a, err
	}
	if profileDir != "" {
		if err := enableStatements(ctx, a.database); err != nil {
			return a, err
		}
	}
	return a, b.server.checkpoint(ctx)
}

// snapshot is all counters at a moment.
type snapshot struct {
	at       time.Time
	archiver time.Duration
	postgres usage
	metrics  map[string]float64
}

func (b *bench) snapshot(ctx context.Context, p *archiver) (s snapshot, err error) {
	if s.metrics, err = p.metrics(ctx); err != nil {
		return s, err
	}
	if s.postgres, err = b.server.usage(ctx); err != nil {
		return s, err
	}
	s.at = time.Now()
	s.archiver, err = cpuTime(p.pid())
	return s, err
}

// reportWork adds the rows of one way to run.
func (b *bench) reportWork(way string, work []worked, yard, byDefault []copied, ratio float64) {
	r := &b.report
	r.add("work", way+": events/s", "1/s", each(work, func(i int) float64 { return work[i].perSecond })...)
	r.add("work", way+": COPY only, events/s", "1/s", each(yard, func(i int) float64 { return yard[i].perSecond })...)
	r.add("work", way+" ÷ COPY only", "", each(work, func(i int) float64 { return work[i].perSecond / yard[i].perSecond })...).atLeast(ratio)
	r.add("work", way+": Postgres CPU", "µs/event", each(work, func(i int) float64 { return work[i].postgresCPU })...)
	r.add("work", way+": COPY only, Postgres CPU", "µs/event", each(yard, func(i int) float64 { return yard[i].postgresCPU })...)
	r.add("work", way+": Postgres CPU ÷ COPY only", "", each(work, func(i int) float64 { return work[i].postgresCPU / yard[i].postgresCPU })...).atMost(1.20)
	r.add("work", way+" ÷ COPY only with pglz", "", each(work, func(i int) float64 { return work[i].perSecond / byDefault[i].perSecond })...)
	r.add("work", way+": Postgres CPU ÷ COPY only with pglz", "", each(work, func(i int) float64 { return work[i].postgresCPU / byDefault[i].postgresCPU })...)
	r.add("work", way+": archiver CPU", "µs/event", each(work, func(i int) float64 { return work[i].archiverCPU })...).atMost(45)
	r.add("work", way+": allocations", "1/event", each(work, func(i int) float64 { return work[i].allocations })...).atMost(45)
	r.add("work", way+": events a transaction", "", each(work, func(i int) float64 { return work[i].batch })...)
	r.add("work", way+": WAL", "bytes/event", each(work, func(i int) float64 { return work[i].wal })...)
	r.add("work", way+": COPY only, WAL", "bytes/event", each(yard, func(i int) float64 { return yard[i].wal })...)
	r.add("work", way+": archiver memory, peak", "MiB", each(work, func(i int) float64 { return work[i].peak / (1 << 20) })...)
}

// reportFacts adds what keeping schema analytics up to date costs ingest, round by round.
func (b *bench) reportFacts(on, off []worked) {
	r := &b.report
	r.add("work", "one org, facts refreshed: events/s", "1/s", each(on, func(i int) float64 { return on[i].perSecond })...)
	r.add("work", "one org, facts refreshed ÷ not", "", each(on, func(i int) float64 { return on[i].perSecond / off[i].perSecond })...).atLeast(0.85)
	r.add("work", "one org, facts refreshed: Postgres CPU", "µs/event", each(on, func(i int) float64 { return on[i].postgresCPU })...)
	r.add("work", "one org, facts refreshed: archiver CPU", "µs/event", each(on, func(i int) float64 { return on[i].archiverCPU })...)
}

func each[T any](list []T, value func(int) float64) []float64 {
	values := make([]float64, len(list))
	for i := range list {
		values[i] = value(i)
	}
	return values
}

// reportCounts adds what was written.
func (b *bench) reportCounts(w worked, events int) {
	r := &b.report
	r.add("work", "raw with its indexes ÷ JSON bytes", "", w.logBytes/w.payload).atMost(0.88)
	var inserted, updated, hot, rows float64
	for _, name := range slices.Sorted(maps.Keys(w.tables)) {
		c := w.tables[name]
		if c.Inserted+c.Updated+c.Deleted == 0 {
			continue
		}
		cost := TableCost{
			Table: name, Inserted: float64(c.Inserted) / float64(events), Updated: float64(c.Updated) / float64(events),
			HOT: float64(c.HOT) / max(1, float64(c.Updated)), Deleted: float64(c.Deleted) / float64(events),
		}
		r.Tables = append(r.Tables, cost)
		rows += cost.Inserted + cost.Updated
		if strings.HasPrefix(name, "inbox.") {
			inserted += cost.Inserted
			updated += cost.Updated
			hot += float64(c.HOT) / float64(events)
		}
	}
	r.add("work", "rows written, all tables", "1/event", rows)
	r.add("work", "inbox rows inserted", "1/event", inserted)
	r.add("work", "inbox rows updated", "1/event", updated).atMost(1.0)
	r.add("work", "inbox rows updated, share of HOT", "%", 100*hot/updated).atLeast(80)
}

// describeFrames notes what the payloads are like.
func (b *bench) describeFrames(s *stage) {
	sizes := s.world.sizes
	b.report.Frames = Frames{
		Mean: float64(sizes.sum) / float64(sizes.count), Least: sizes.least, Most: sizes.most,
		WarmUp: b.plan.WarmUp, Measured: s.reel.frames, Distinct: s.reel.chats, Fresh: s.reel.fresh,
	}
}
