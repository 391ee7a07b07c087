package ingest

import (
	"errors"
	"sync"
	"time"

	"archiver/db"
	"archiver/invent"
	"archiver/spool"

	"github.com/google/uuid"
)

// States of a gap (ops.gaps.status).
const (
	gapOpen       = "open"       // it lasts
	gapUnrepaired = "unrepaired" // it is over; what was missed has not been fetched again
	gapRepaired   = "repaired"   // what was missed has been fetched again, as far as the lists tell it
)

// gap is an interval in which an org's inbox is not listened to, for ops.gaps.
type gap struct {
	mu      sync.Mutex
	row     db.OpsGap
	changed bool
}

func newGap(orgID string, began time.Time, cause string) *gap {
	return &gap{changed: true, row: db.OpsGap{
		OrgID: orgID, GapID: uuid.New(), BeganAt: began.UTC(), Cause: cause, Status: gapOpen,
	}}
}

// end is called with the first sign of life after the gap.
func (g *gap) end(at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.row.EndedAt == nil {
		at = later(at, g.row.BeganAt).UTC()
		g.row.EndedAt, g.row.Status, g.changed = &at, gapUnrepaired, true
	}
}

func (g *gap) isOver() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.row.EndedAt != nil && !g.changed
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// gapAfter is the gap that begins with the end of a connection: with the last byte that was heard; or, when what was heard
// last could not be kept, with the last frame that was.
func gapAfter(c *connection, err error) *gap {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.openedAt == nil {
		return nil // it was never listened to: the gap before it goes on
	}
	began := *c.openedAt
	if heard := c.lastHeard(); heard != nil {
		began = later(*heard, began)
	}
	var tooLarge *invent.TooLargeError
	if errors.Is(err, spool.ErrFull) || errors.Is(err, spool.ErrTooLarge) || errors.As(err, &tooLarge) {
		began = *c.openedAt
		if c.lastFrameAt != nil {
			began = *c.lastFrameAt
		}
	}
	_, cause := describeEnd(err)
	return newGap(c.orgID, began, cause)
}
