package ingest

import (
	"cmp"
	"time"
)

// observation is when something was seen: the observed time of an event and, between equal times, its place in its
// stream. The zero value is before all others.
type observation struct {
	us  int64 // µs since 1970, the precision of Postgres
	seq int64
}

func observed(at time.Time, seq int64) observation { return observation{at.UnixMicro(), seq} }

func (o observation) compare(p observation) int {
	return cmp.Or(cmp.Compare(o.us, p.us), cmp.Compare(o.seq, p.seq))
}

func (o observation) time() time.Time { return time.UnixMicro(o.us).UTC() }
