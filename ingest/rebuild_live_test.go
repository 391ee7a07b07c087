package ingest_test

import (
	"log/slog"

	"archiver/ingest"
)

// isAsRebuilt checks, at any moment while an ingester writes, that the tables are what raw gives.
func (b *inbox) isAsRebuilt() {
	b.t.Helper()
	var first []ingest.Difference
	result, err := ingest.Rebuild(b.t.Context(), ingest.RebuildConfig{
		Pool: b.pool, Verify: true, Instance: "test", Log: slog.New(slog.DiscardHandler),
		Differs: func(d ingest.Difference) { first = append(first, d)[:min(len(first)+1, 10)] },
	})
	if err != nil || result.Differences != 0 || result.Events == 0 {
		b.t.Errorf("%d rows differ from what %d events give (%v), want none: %v", result.Differences, result.Events, err, first)
	}
}
