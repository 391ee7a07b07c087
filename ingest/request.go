package ingest

import (
	"time"

	"archiver/invent"
)

// Request is what raw.events.request and the spool say of the REST request behind a page.
type Request struct {
	Path      string    `json:"path"`
	Query     string    `json:"query,omitempty"`
	Status    int       `json:"status"`
	StartedAt time.Time `json:"started_at"`
	Count     *int      `json:"pagination_count,omitempty"`
	Page      *int      `json:"pagination_page,omitempty"`
	Take      *int      `json:"pagination_take,omitempty"`
	// Completes is set on the page with which a list was read to its end: only whoever reads it can tell.
	Completes *Span `json:"completes,omitempty"`
}

// Span is the time over which a list that was read to its end is known: all of its entries that are of From or later, as
// of Through. A From that is nil reaches back to the first.
type Span struct {
	From    *time.Time `json:"from,omitempty"`
	Through time.Time  `json:"through"`
}

func requestOf(page *invent.Page) Request {
	header := func(n int) *int {
		if n < 0 {
			return nil
		}
		return &n
	}
	return Request{
		Path: page.Path, Query: page.Query, Status: page.Status, StartedAt: page.StartedAt.UTC(),
		Count: header(page.Count), Page: header(page.Page), Take: header(page.Take),
	}
}

// completes notes that with this page a list was read to its end, in a reading that began at began.
func (r *Request) completes(from, began time.Time) {
	r.Completes = &Span{Through: began.UTC().Truncate(time.Microsecond)}
	if !from.IsZero() {
		from = from.UTC().Truncate(time.Millisecond) // as it is asked for
		r.Completes.From = &from
	}
}
