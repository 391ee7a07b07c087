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

// States of a gap (ops.gaps.status). While the lists are read for it, the query StartRepair says "repairing".
const (
	gapOpen       = "open"       // it lasts
	gapUnrepaired = "unrepaired" // it is over; what was missed has not been fetched again
	gapRepaired   = "repaired"   // what was missed has been fetched again, as far as the lists tell it
)

// gap is an interval in which an org's inbox is not listened to, for ops.gaps.
type gap struct {
	mu      sync.Mutex
	row     db.OpsGap
	version int // counts the changes
	saved   int // the version that is in Postgres
}

func newGap(orgID string, began time.Time, cause string) *gap {
	return &gap{version: 1, row: db.OpsGap{
		OrgID: orgID, GapID: uuid.New(), BeganAt: began.UTC(), Cause: cause, Status: gapOpen,
	}}
}

// end is called with the first sign of life after the gap.
func (g *gap) end(at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.row.EndedAt == nil {
		at = later(at, g.row.BeganAt).UTC()
		g.row.EndedAt, g.row.Status, g.version = &at, gapUnrepaired, g.version+1
	}
}

// isOfOwnOrg reports whether it is not known yet what org the gap is of. The ledger's lock guards that, not the gap's.
func (g *gap) isOfOwnOrg() bool { return g.row.OrgID == invent.OwnOrg }

// isSaved reports whether Postgres has all there is to say of the gap so far.
func (g *gap) isSaved() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.version == g.saved
}

// isNeeded reports whether something is still to be said of the gap.
func (g *gap) isNeeded() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.row.EndedAt == nil || g.version != g.saved
}

// addGap appends a gap to those that are to be written.
func addGap(p *db.UpsertGapsParams, r *db.OpsGap) {
	p.OrgIds = append(p.OrgIds, r.OrgID)
	p.GapIds = append(p.GapIds, r.GapID)
	p.BeganAts = append(p.BeganAts, r.BeganAt)
	p.EndedAts = append(p.EndedAts, r.EndedAt)
	p.Causes = append(p.Causes, r.Cause)
	p.StatusList = append(p.StatusList, r.Status)
	p.RepairedAts = append(p.RepairedAts, r.RepairedAt)
	p.ChatsSweptList = append(p.ChatsSweptList, r.ChatsSwept)
	p.MessagesRecoveredList = append(p.MessagesRecoveredList, r.MessagesRecovered)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// gapAfter is the gap that begins with the end of a connection: with the last byte that was heard; or, when what was heard
// last could not be kept or was no frame, with the last frame that was.
func gapAfter(c *connection, err error) *gap {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.openedAt == nil || errors.Is(err, errLeaseLost) || errors.Is(err, errHeldTwice) {
		return nil // it was never listened to and the gap before it goes on; or another process or session listens
	}
	began := *c.openedAt
	if heard := c.lastHeard(); heard != nil {
		began = later(*heard, began)
	}
	var tooLarge *invent.TooLargeError
	if errors.Is(err, errDeaf) || errors.Is(err, spool.ErrFull) || errors.Is(err, spool.ErrTooLarge) || errors.As(err, &tooLarge) {
		began = *c.openedAt
		if !c.lastFrameAt.IsZero() {
			began = c.lastFrameAt
		}
	}
	_, cause := describeEnd(err)
	return newGap(c.orgID, began, cause)
}
