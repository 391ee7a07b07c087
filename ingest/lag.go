package ingest

import (
	"context"
	"time"

	"archiver/spool"
)

// lagTimeout bounds the look into the spool for the oldest event that waits in it.
const lagTimeout = 100 * time.Millisecond

// lag is the age of the oldest event that is not in Postgres; 0 when there is none.
func (l *Lane) lag(stats spool.Stats) time.Duration {
	if stats.FirstSeq == 0 || stats.DurableSeq <= l.committed.Load() {
		return 0
	}
	if oldest := l.oldest.Load(); oldest != 0 {
		return l.now().Sub(time.UnixMicro(oldest))
	}
	// Nothing is being written: it was not come to yet, or Postgres has been away since the start.
	reader := l.spool.NewReader(l.committed.Load())
	defer reader.Close()
	ctx, cancel := context.WithTimeout(context.Background(), lagTimeout)
	defer cancel()
	var first spool.Batch
	if reader.Next(ctx, &first, 1, 1) != nil {
		return 0 // it was taken meanwhile
	}
	return max(0, l.now().Sub(first.Records[0].ReceivedAt))
}
