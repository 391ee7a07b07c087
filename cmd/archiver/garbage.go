package main

import (
	"context"
	"runtime/debug"
	"time"

	"archiver/ingest"
)

const (
	// quietGC and floodGC are how far the heap may grow beyond what is in use before garbage is collected, in percent. At
	// full work Go's own 100 costs a sixth of the CPU, and 200 half of that; at the pace of an inbox collecting costs next
	// to nothing, and 50 keeps memory small (docs/performance.md).
	quietGC = 50
	floodGC = 200
	// floodRate is from how many events a second on it is a flood: a backlog that is being caught up with.
	floodRate = 4_000
)

// bulkGC is the same for commands that make facts: they hold two batches of chats, some ten MiB, and by default a third of
// their CPU goes into collecting garbage.
const bulkGC = 400

// gatherGarbage has garbage of a command that makes facts collected seldom, unless whoever set GOGC decides.
func (p *program) gatherGarbage() {
	if p.env.get("GOGC") == "" {
		debug.SetGCPercent(bulkGC)
	}
}

// paceGarbage sets how often garbage is collected by how much is being written, until ctx ends.
func paceGarbage(ctx context.Context, status func() ingest.Status) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	set, written := 0, int64(0)
	for {
		percent, now := quietGC, status().Committed
		if now-written >= floodRate {
			percent = floodGC
		}
		if percent != set {
			debug.SetGCPercent(percent)
		}
		set, written = percent, now
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
