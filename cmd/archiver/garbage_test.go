package main

import (
	"context"
	"runtime/metrics"
	"sync/atomic"
	"testing"
	"time"

	"archiver/ingest"
)

func TestGarbageIsCollectedSeldomOnlyInAFlood(t *testing.T) {
	var isFlood atomic.Bool
	var written atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		paceGarbage(ctx, func() ingest.Status {
			if isFlood.Load() {
				written.Add(floodRate)
			}
			return ingest.Status{Committed: written.Load()}
		})
	}()
	awaitPercent(t, quietGC)
	isFlood.Store(true)
	awaitPercent(t, floodGC)
	isFlood.Store(false)
	awaitPercent(t, quietGC)
	stop()
	<-ended
}

func awaitPercent(t *testing.T, want uint64) {
	t.Helper()
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	for giveUp := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		metrics.Read(sample)
		got := sample[0].Value.Uint64()
		if got == want {
			return
		}
		if time.Now().After(giveUp) {
			t.Fatalf("garbage is collected at %d %%, want %d", got, want)
		}
	}
}
