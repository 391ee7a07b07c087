package ingest

import (
	"time"
	"math/rand/v2"
	"testing"

	"archiver/simulator"
	"archiver/spool"
)

// simulated is n frames of a simulated inbox, with the times they were sent as their observed times.
func simulated(t testing.TB, cfg simulator.Config, n int) []spool.Record {
	t.Helper()
	return framesOf(t, simulator.NewWorld(cfg), n)
}

func framesOf(t testing.TB, world *simulator.World, n int) (records []spool.Record) {
	t.Helper()
	for len(records) < n {
		f, ok := world.Next()
		if !ok {
			t.Fatalf("the simulated world ended after %d frames, want %d", len(records), n)
		}
		r := frame(f.OrgID, f.At, string(f.Bytes))
		if last := len(records) - 1; last >= 0 && !r.ObservedAt.After(records[last].ObservedAt) {
			// Observed times are a clock's that never stands still; else shuffling would decide between equal ones.
			r.ObservedAt = records[last].ObservedAt.Add(1000)
		}
		records = append(records, r)
	}
	return records
}

func shuffled(records []spool.Record, seed uint64) []spool.Record {
	all := append([]spool.Record(nil), records...)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func TestTwentyThousandFramesMakeTheTablesThatTheReferenceMakes(t *testing.T) {
	start := time.Now(); records := simulated(t, simulator.Config{Seed: 1}, 20_000); t.Log("sim", time.Since(start))
	a := newArchive(t); t.Log("pg", time.Since(start))
	a.append(records...); t.Log("append", time.Since(start))
	a.write(); t.Log("write", time.Since(start))
	a.likeReference(false); t.Log("ref", time.Since(start))
	if n := a.count("select count(*) from raw.events where flaws is not null or raw is not null or payload is null"); n > 0 {
		t.Errorf("%d events have flaws or bytes kept beside the payload, want none: the simulator sends nothing bad", n)
	}
	for table, rows := range a.tables() {
		if len(rows) == 0 {
			t.Errorf("inbox.%s is empty after 20,000 frames: nothing was compared", table)
		}
	}

	before := a.tables()
	a.write()
	a.sameTables(before, a.tables(), false)
	if n := a.count("select count(*) from raw.events"); n != len(records) {
		t.Errorf("raw.events has %d rows after a restart over a spool that is written already, want %d", n, len(records))
	}
}
