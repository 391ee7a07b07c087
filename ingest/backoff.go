package ingest

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is how long to wait after failures in a row: full jitter (a random time up to a bound that doubles), so that
// many clients that lost the same server do not come back all at once.
type backoff struct {
	base, limit time.Duration
	failures    int
}

// reset is called after a success that shows that the other side is well.
func (b *backoff) reset() { b.failures = 0 }

// next is the time to wait now; never less than atLeast, which the other side may have asked for.
func (b *backoff) next(atLeast time.Duration) time.Duration {
	bound := b.limit
	if b.failures < 32 && b.base<<b.failures < b.limit {
		bound = b.base << b.failures
	}
	b.failures++
	return atLeast + rand.N(bound)
}

// sleep waits, or returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
